/*
 * token_maker.h - an issuer of tokens for tests: keys made on the spot with
 * OpenSSL, and tokens signed with them, right or wrong.
 */
#ifndef SALLYPORT_TESTS_TOKEN_MAKER_H
#define SALLYPORT_TESTS_TOKEN_MAKER_H

#include <check.h>
#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

enum { MAKER_SIGNATURE_MAX = 512, MAKER_TEXT_MAX = 32 * 1024 };

struct maker {
	EVP_PKEY *rsa, *p256, *p384, *ed, *stranger;
	char *set; /* JWKS */
};

static inline char *
maker_base64url(const void *bytes, size_t len)
{
	char *text = calloc(1, len * 4 / 3 + 8);
	size_t n = (size_t)EVP_EncodeBlock(
		   (unsigned char *)text, bytes, (int)len),
	       i;

	while (n > 0 && text[n - 1] == '=')
		text[--n] = '\0';
	for (i = 0; i < n; i++)
		text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
	return text;
}

/* The JSON's text; static, good until the next but three. Frees the JSON. */
static inline const char *
maker_text(json_t *json)
{
	static char *texts[4];
	static unsigned turn;
	char **text = &texts[turn++ % 4];

	free(*text);
	*text = json_dumps(json, JSON_COMPACT);
	ck_assert_ptr_nonnull(*text);
	json_decref(json);
	return *text;
}

static inline json_t *
maker_bytes(const void *bytes, size_t len)
{
	char *text = maker_base64url(bytes, len);
	json_t *made = json_string(text);

	free(text);
	return made;
}

static inline json_t *
maker_number(EVP_PKEY *key, const char *name, size_t len)
{
	unsigned char bytes[1024];
	BIGNUM *number = NULL;
	json_t *made;

	ck_assert_int_eq(EVP_PKEY_get_bn_param(key, name, &number), 1);
	if (len == 0)
		len = (size_t)BN_num_bytes(number);
	ck_assert_int_eq(BN_bn2binpad(number, bytes, (int)len), (int)len);
	BN_free(number);
	made = maker_bytes(bytes, len);
	return made;
}

static inline json_t *
maker_rsa_jwk(EVP_PKEY *key, const char *kid)
{
	return json_pack("{s:s, s:s, s:o, s:o}", "kty", "RSA", "kid", kid, "n",
	    maker_number(key, OSSL_PKEY_PARAM_RSA_N, 0), "e",
	    maker_number(key, OSSL_PKEY_PARAM_RSA_E, 0));
}

static inline json_t *
maker_ec_jwk(EVP_PKEY *key, const char *kid, const char *crv, size_t len)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:o}", "kty", "EC", "crv", crv,
	    "kid", kid, "x", maker_number(key, OSSL_PKEY_PARAM_EC_PUB_X, len),
	    "y", maker_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, len));
}

static inline json_t *
maker_ed_jwk(EVP_PKEY *key, const char *kid)
{
	unsigned char bytes[32];
	size_t len = sizeof(bytes);

	ck_assert_int_eq(EVP_PKEY_get_raw_public_key(key, bytes, &len), 1);
	return json_pack("{s:s, s:s, s:s, s:o}", "kty", "OKP", "crv",
	    "Ed25519", "kid", kid, "x", maker_bytes(bytes, len));
}

/* The RSA key under other names, for other things only. */
static inline json_t *
maker_rsa_for(EVP_PKEY *key, const char *kid, const char *name, json_t *value)
{
	json_t *made = maker_rsa_jwk(key, kid);

	json_object_set_new(made, name, value);
	return made;
}

static inline void
maker_init(struct maker *m)
{
	json_t *set;

	m->rsa = EVP_RSA_gen(2048);
	m->p256 = EVP_EC_gen("P-256");
	m->p384 = EVP_EC_gen("P-384");
	m->ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	m->stranger = EVP_EC_gen("P-256");
	set = json_pack("{s:[o, o, o, o, o, o, o, {s:s, s:s}]}", "keys",
	    maker_rsa_jwk(m->rsa, "rsa"),
	    maker_ec_jwk(m->p256, "p256", "P-256", 32),
	    maker_ec_jwk(m->p384, "p384", "P-384", 48),
	    maker_ed_jwk(m->ed, "ed"),
	    maker_rsa_for(m->rsa, "rs256-only", "alg", json_string("RS256")),
	    maker_rsa_for(
		m->rsa, "rsa-for-encryption", "use", json_string("enc")),
	    maker_rsa_for(m->rsa, "rsa-that-signs", "key_ops",
		json_pack("[s]", "sign")),
	    "kty", "of-tomorrow", "kid", "unknown");
	ck_assert_ptr_nonnull(set);
	m->set = json_dumps(set, 0);
	json_decref(set);
}

static inline void
maker_free(struct maker *m)
{
	EVP_PKEY_free(m->rsa);
	EVP_PKEY_free(m->p256);
	EVP_PKEY_free(m->p384);
	EVP_PKEY_free(m->ed);
	EVP_PKEY_free(m->stranger);
	free(m->set);
}

static inline const char *
maker_set(const struct maker *m)
{
	return m->set;
}

/* R and S, each of `half` bytes, out of an ECDSA signature in DER. */
static inline size_t
maker_flatten(unsigned char *signature, size_t len, int half)
{
	const unsigned char *at = signature;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)len);

	ck_assert_ptr_nonnull(pair);
	BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, half);
	BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + half, half);
	ECDSA_SIG_free(pair);
	return (size_t)half * 2;
}

static inline size_t
maker_sign(const struct maker *m, const char *how, const char *text,
    unsigned char *out)
{
	const struct {
		const char *how;
		EVP_PKEY *key;
		const EVP_MD *digest;
		int half;
	} ways[] = {
	    {"RS256", m->rsa, EVP_sha256(), 0},
	    {"RS384", m->rsa, EVP_sha384(), 0},
	    {"RS512", m->rsa, EVP_sha512(), 0},
	    {"PS256", m->rsa, EVP_sha256(), 0},
	    {"ES256", m->p256, EVP_sha256(), 32},
	    {"ES384", m->p384, EVP_sha384(), 48},
	    {"EdDSA", m->ed, NULL, 0},
	    {"stranger", m->stranger, EVP_sha256(), 32},
	};
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key = NULL;
	size_t i = 0, len = MAKER_SIGNATURE_MAX;

	while (strcmp(ways[i].how, how) != 0)
		ck_assert_uint_lt(++i, sizeof(ways) / sizeof(*ways));
	ck_assert_int_eq(EVP_DigestSignInit(context, &key, ways[i].digest,
			     NULL, ways[i].key),
	    1);
	if (strcmp(how, "PS256") == 0) {
		EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(key, RSA_PSS_SALTLEN_DIGEST);
	}
	ck_assert_int_eq(EVP_DigestSign(context, out, &len,
			     (const unsigned char *)text, strlen(text)),
	    1);
	EVP_MD_CTX_free(context);
	return ways[i].half > 0 ? maker_flatten(out, len, ways[i].half) : len;
}

/* The MAC of somebody who hopes that the public key is taken for a secret. */
static inline size_t
maker_mac(const struct maker *m, const char *text, unsigned char *out)
{
	unsigned len = 0;

	HMAC(EVP_sha256(), m->set, (int)strlen(m->set),
	    (const unsigned char *)text, strlen(text), out, &len);
	return len;
}

/* A token signed in a way: an algorithm of ours, "stranger" (ES256 by
 * somebody else's key), or "HS256". Static, good until the next but three. */
static inline const char *
maker_token(const struct maker *m, const char *how, const char *header,
    const char *claims)
{
	static char texts[4][MAKER_TEXT_MAX];
	static unsigned turn;
	unsigned char signature[MAKER_SIGNATURE_MAX];
	char *text = texts[turn++ % 4];
	char *first = maker_base64url(header, strlen(header));
	char *second = maker_base64url(claims, strlen(claims)), *third;
	size_t len;

	snprintf(text, MAKER_TEXT_MAX, "%s.%s", first, second);
	len = strcmp(how, "HS256") == 0 ? maker_mac(m, text, signature)
					: maker_sign(m, how, text, signature);
	third = maker_base64url(signature, len);
	snprintf(text, MAKER_TEXT_MAX, "%s.%s.%s", first, second, third);
	free(first);
	free(second);
	free(third);
	return text;
}

/* The keys of all tests of a program: an unchecked fixture. */
static struct maker maker;

static inline void
maker_start(void)
{
	maker_init(&maker);
}

static inline void
maker_end(void)
{
	maker_free(&maker);
}

#endif
