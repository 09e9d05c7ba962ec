/*
 * signature.c - which signatures count, and whether one is right.
 *
 * The rule: the table is all there is; it has what listeners ask clients for
 * (TLS_CLIENT_SIGNATURES), and a scheme goes with its own kind of key only.
 */
#include "master/verifier/signature.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "common/handshake.h"

enum {
	RSA_BITS_MIN = 2048,
	RSA_BITS_MAX = 8192, /* a longer one would hold up everybody */
};

static const struct scheme {
	uint16_t id;
	const char *key;
	const char *curve;  /* TLS 1.3 wants this one; NULL: it is no EC key */
	const char *digest; /* NULL: the key's own */
	bool is_pss;
	bool is_random; /* and not the same for the same content */
	bool is_for_1_3;
} schemes[] = {
    {0x0403, "EC", "prime256v1", "SHA256", false, true, true},
    {0x0503, "EC", "secp384r1", "SHA384", false, true, true},
    {0x0603, "EC", "secp521r1", "SHA512", false, true, true},
    {0x0807, "ED25519", NULL, NULL, false, false, true},
    {0x0808, "ED448", NULL, NULL, false, false, true},
    {0x0804, "RSA", NULL, "SHA256", true, true, true},
    {0x0805, "RSA", NULL, "SHA384", true, true, true},
    {0x0806, "RSA", NULL, "SHA512", true, true, true},
    {0x0809, "RSA-PSS", NULL, "SHA256", true, true, true},
    {0x080a, "RSA-PSS", NULL, "SHA384", true, true, true},
    {0x080b, "RSA-PSS", NULL, "SHA512", true, true, true},
    {0x0401, "RSA", NULL, "SHA256", false, false, false},
    {0x0501, "RSA", NULL, "SHA384", false, false, false},
    {0x0601, "RSA", NULL, "SHA512", false, false, false},
};

static const struct scheme *
scheme_find(uint16_t id)
{
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (schemes[i].id == id)
			return &schemes[i];
	}
	return NULL;
}

bool
signature_is_random(uint16_t id)
{
	const struct scheme *s = scheme_find(id);

	return s != NULL && s->is_random;
}

/* One of the three curves; in TLS 1.3 the one that goes with the digest. */
static bool
curve_fits(const struct scheme *s, uint32_t version, const EVP_PKEY *key)
{
	char name[64] = "";
	size_t i;

	if (EVP_PKEY_get_utf8_string_param(
		key, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof(name), NULL) != 1)
		return false;
	if (version == HANDSHAKE_TLS_1_3)
		return strcmp(name, s->curve) == 0;
	for (i = 0; schemes[i].curve != NULL; i++) {
		if (strcmp(name, schemes[i].curve) == 0)
			return true;
	}
	return false;
}

static const char *
key_wrong(const struct scheme *s, uint32_t version, const EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);

	if (!EVP_PKEY_is_a(key, s->key))
		return "the client's signature is not of its key's kind";
	if (s->curve != NULL)
		return curve_fits(s, version, key)
		    ? NULL
		    : "the client's key is on another curve";
	if (s->digest != NULL && (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX))
		return "the client's RSA key is too short or too long";
	return NULL;
}

static bool
padding_choose(const struct scheme *s, EVP_PKEY_CTX *c)
{
	return !s->is_pss ||
	    (EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING) == 1 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(
		    c, RSA_PSS_SALTLEN_DIGEST) == 1);
}

static bool
is_right(const struct scheme *s, EVP_PKEY *key, struct text content,
    struct text signature)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	bool is_fine = c != NULL &&
	    EVP_DigestVerifyInit_ex(
		c, &options, s->digest, NULL, NULL, key, NULL) == 1 &&
	    padding_choose(s, options) &&
	    EVP_DigestVerify(c, (const unsigned char *)signature.at,
		signature.len, (const unsigned char *)content.at,
		content.len) == 1;

	EVP_MD_CTX_free(c);
	ERR_clear_error();
	return is_fine;
}

const char *
signature_check(EVP_PKEY *key, uint32_t version, uint16_t id,
    struct text content, struct text signature)
{
	const struct scheme *s = scheme_find(id);
	const char *wrong;

	if (s == NULL || (version == HANDSHAKE_TLS_1_3 && !s->is_for_1_3))
		return "the client has signed in a way that was not asked for";
	wrong = key_wrong(s, version, key);
	if (wrong == NULL && !is_right(s, key, content, signature))
		wrong = "the client's signature is wrong";
	return wrong;
}
