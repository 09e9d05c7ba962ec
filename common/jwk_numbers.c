/*
 * jwk_numbers.c - is it a key?
 *
 * The rule: each number has its one spelling and its length, and OpenSSL
 * takes the key: the point is on its curve, the modulus is a modulus.
 * Trusts nothing in the key.
 */
#include "common/jwk_numbers.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "common/base64url.h"
#include "common/jwks.h"

enum {
	MODULUS_MAX = JWKS_RSA_BITS_MAX / 8,
	EXPONENT_MAX = 8,
	POINT_MAX = 48, /* bytes of a coordinate, P-384 */
};

struct numbers {
	uint8_t first[MODULUS_MAX], second[MODULUS_MAX]; /* n, e; x, y */
	size_t first_len, second_len;
};

/* A kind of keys that is served. */
struct kind {
	const char *kty, *crv;
	uint64_t algorithms;
	const char *first, *second; /* members; NULL: there is one only */
	size_t len;		    /* bytes of each; 0: of any length */
	const char *group;	    /* OpenSSL's */
	EVP_PKEY *(*make)(const struct kind *kind, const struct numbers *n);
};

static bool
member_is(const json_t *key, const char *name, const char *word)
{
	const char *value = json_string_value(json_object_get(key, name));

	return value != NULL && strcmp(value, word) == 0;
}

static bool
number_read(const json_t *key, const char *name, uint8_t *out, size_t *len_out)
{
	const json_t *value = json_object_get(key, name);
	struct text text = {
	    json_string_value(value), json_string_length(value)};

	*len_out = 0;
	return text.at != NULL &&
	    base64url_decode(text, out, MODULUS_MAX, len_out) == ERR_NONE;
}

static EVP_PKEY *
key_make(const char *type, OSSL_PARAM_BLD *build)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY *key = NULL;

	if (context == NULL || parameters == NULL ||
	    EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(
		context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
		key = NULL;
	OSSL_PARAM_free(parameters);
	EVP_PKEY_CTX_free(context);
	return key;
}

static EVP_PKEY *
rsa_make(const struct kind *kind, const struct numbers *n)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *modulus = BN_bin2bn(n->first, (int)n->first_len, NULL);
	BIGNUM *exponent = BN_bin2bn(n->second, (int)n->second_len, NULL);
	EVP_PKEY *key = NULL;

	(void)kind;
	if (build != NULL && modulus != NULL && exponent != NULL &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent))
		key = key_make("RSA", build);
	BN_free(modulus);
	BN_free(exponent);
	OSSL_PARAM_BLD_free(build);
	return key;
}

static EVP_PKEY *
ec_make(const struct kind *kind, const struct numbers *n)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	/* SEC 1, 2.3.3: 4 is "uncompressed" */
	uint8_t point[1 + 2 * POINT_MAX] = {4};
	EVP_PKEY *key = NULL;

	memcpy(point + 1, n->first, kind->len);
	memcpy(point + 1 + kind->len, n->second, kind->len);
	if (build != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(
		build, OSSL_PKEY_PARAM_GROUP_NAME, kind->group, 0) &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY,
		point, 1 + 2 * kind->len))
		key = key_make("EC", build);
	OSSL_PARAM_BLD_free(build);
	return key;
}

static EVP_PKEY *
ed25519_make(const struct kind *kind, const struct numbers *n)
{
	return EVP_PKEY_new_raw_public_key(
	    EVP_PKEY_ED25519, NULL, n->first, kind->len);
}

enum {
	RSA_ALGORITHMS =
	    TOKEN_RS256 | TOKEN_RS384 | TOKEN_RS512 | TOKEN_PS256,
};

static const struct kind kinds[] = {
    {"RSA", NULL, RSA_ALGORITHMS, "n", "e", 0, NULL, rsa_make},
    {"EC", "P-256", TOKEN_ES256, "x", "y", 32, "prime256v1", ec_make},
    {"EC", "P-384", TOKEN_ES384, "x", "y", 48, "secp384r1", ec_make},
    {"OKP", "Ed25519", TOKEN_EDDSA, "x", NULL, 32, NULL, ed25519_make},
};

static const struct kind *
kind_of(const json_t *key)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (member_is(key, "kty", kinds[i].kty) &&
		    (kinds[i].crv == NULL ||
			member_is(key, "crv", kinds[i].crv)))
			return &kinds[i];
	}
	return NULL;
}

/* OpenSSL's own look at it; an RSA key's length, and an exponent that is one
 * would let anything pass for a signature. */
static const char *
key_wrong(const struct kind *kind, const struct numbers *n)
{
	EVP_PKEY *key = kind->make(kind, n);
	EVP_PKEY_CTX *context =
	    key == NULL ? NULL : EVP_PKEY_CTX_new(key, NULL);
	int bits = key == NULL ? 0 : EVP_PKEY_get_bits(key);
	const char *wrong = NULL;

	if (kind->make == rsa_make &&
	    (bits < JWKS_RSA_BITS_MIN || bits > JWKS_RSA_BITS_MAX))
		wrong = "an RSA key must have 2048 to 8192 bits";
	else if (context == NULL || EVP_PKEY_public_check(context) != 1)
		wrong = "its numbers are not those of a public key";
	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return wrong;
}

static const char *
numbers_read(const json_t *key, const struct kind *kind, struct numbers *n)
{
	n->second_len = kind->len;
	if (!number_read(key, kind->first, n->first, &n->first_len) ||
	    (kind->second != NULL &&
		!number_read(key, kind->second, n->second, &n->second_len)))
		return "a number is missing, too long, or not base64url";
	if (kind->len > 0 &&
	    (n->first_len != kind->len || n->second_len != kind->len))
		return "a number has not the length of its curve's";
	if (kind->make == rsa_make && n->second_len > EXPONENT_MAX)
		return "the exponent of an RSA key is too long";
	return key_wrong(kind, n);
}

/* What is handed on has no member that was not looked at. */
static const char *
numbers_write(const json_t *key, const struct kind *kind, struct arena *a)
{
	const char *const members[] = {"kty", kind->crv == NULL ? NULL : "crv",
	    kind->first, kind->second};
	json_t *only = json_object();
	const char *made = NULL;
	char *text;
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(*members); i++) {
		if (members[i] != NULL)
			json_object_set(only, members[i],
			    json_object_get(key, members[i]));
	}
	text = json_dumps(only, JSON_COMPACT);
	if (text != NULL)
		made = arena_copy(a, text, strlen(text));
	free(text);
	json_decref(only);
	return made;
}

const char *
jwk_numbers_read(const json_t *key, struct arena *a, uint64_t *algorithms_out,
    const char **wrong_out)
{
	const struct kind *kind = kind_of(key);
	struct numbers n;
	const char *wrong;

	*algorithms_out = 0;
	if (kind == NULL)
		return "";
	wrong = numbers_read(key, kind, &n);
	if (wrong != NULL) {
		*wrong_out = wrong;
		return "";
	}
	*algorithms_out = kind->algorithms;
	return numbers_write(key, kind, a);
}
