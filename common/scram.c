/*
 * scram.c - SCRAM-SHA-256 keys and proofs, MD5 responses, base64.
 *
 * One rule: whatever was derived from a password is wiped before returning.
 * Passwords are prepared for SCRAM (saslprep.h), and taken as bytes for MD5.
 * Trusts its own constants only: salts, proofs and texts come from outside.
 */
#include "common/scram.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "common/hmac.h"
#include "common/saslprep.h"

_Static_assert((int)SCRAM_KEY_LEN == (int)HMAC_LEN, "one hash, one length");

static enum err
hmac(const uint8_t *key, struct text message, uint8_t *out)
{
	return hmac_sha256(
	    (struct text){(const char *)key, SCRAM_KEY_LEN}, message, out);
}

static enum err
sha256(const uint8_t *bytes, size_t len, uint8_t *out)
{
	return hash_sha256((struct text){(const char *)bytes, len}, out);
}

static void
mix(uint8_t *out, const uint8_t *a, const uint8_t *b)
{
	size_t i;

	for (i = 0; i < SCRAM_KEY_LEN; i++)
		out[i] = a[i] ^ b[i];
}

/* The part of `rest` before `end`, which is eaten too. */
static bool
cut(struct text *rest, char end, struct text *part_out)
{
	const char *found =
	    rest->len == 0 ? NULL : memchr(rest->at, end, rest->len);

	if (found == NULL)
		return false;
	part_out->at = rest->at;
	part_out->len = (size_t)(found - rest->at);
	rest->len -= part_out->len + 1;
	rest->at = found + 1;
	return true;
}

static enum err
iterations_parse(struct text digits, uint32_t *out)
{
	uint32_t n = 0;
	size_t i;

	if (digits.len == 0 || digits.len > 7 || digits.at[0] == '0')
		return ERR_MALFORMED;
	for (i = 0; i < digits.len; i++) {
		if (digits.at[i] < '0' || digits.at[i] > '9')
			return ERR_MALFORMED;
		n = n * 10 + (uint32_t)(digits.at[i] - '0');
	}
	if (n > SCRAM_ITERATIONS_MAX)
		return ERR_MALFORMED;
	*out = n;
	return ERR_NONE;
}

static enum err
key_parse(struct text base64, uint8_t *out)
{
	size_t len;
	enum err e = base64_decode(base64, out, SCRAM_KEY_LEN, &len);

	return e == ERR_NONE && len != SCRAM_KEY_LEN ? ERR_MALFORMED : e;
}

enum err
scram_verifier_parse(struct text text, struct scram_verifier *out)
{
	struct text scheme, iterations, salt, stored, rest = text;
	enum err e;

	memset(out, 0, sizeof(*out));
	if (text.len >= SCRAM_VERIFIER_MAX || !cut(&rest, '$', &scheme) ||
	    !text_is(scheme, TEXT("SCRAM-SHA-256")) ||
	    !cut(&rest, ':', &iterations) || !cut(&rest, '$', &salt) ||
	    !cut(&rest, ':', &stored))
		return ERR_MALFORMED;
	e = iterations_parse(iterations, &out->iterations);
	if (e == ERR_NONE)
		e = base64_decode(
		    salt, out->salt, sizeof(out->salt), &out->salt_len);
	if (e == ERR_NONE && out->salt_len == 0)
		e = ERR_MALFORMED;
	if (e == ERR_NONE)
		e = key_parse(stored, out->stored_key);
	if (e == ERR_NONE)
		e = key_parse(rest, out->server_key);
	if (e != ERR_NONE)
		OPENSSL_cleanse(out, sizeof(*out));
	return e;
}

/* StoredKey and ServerKey of a salted password, ClientKey on the way. */
static enum err
keys_derive(const uint8_t *salted, uint8_t *client, uint8_t *stored,
    uint8_t *server)
{
	enum err e = hmac(salted, TEXT("Client Key"), client);

	if (e == ERR_NONE)
		e = sha256(client, SCRAM_KEY_LEN, stored);
	if (e == ERR_NONE)
		e = hmac(salted, TEXT("Server Key"), server);
	return e;
}

static enum err
verifier_write(const struct scram_verifier *v, char *out)
{
	char salt[SCRAM_SALT_MAX / 3 * 4 + 5];
	char stored[SCRAM_KEY_LEN / 3 * 4 + 5];
	char server[SCRAM_KEY_LEN / 3 * 4 + 5];
	int len;

	base64_encode(v->salt, v->salt_len, salt);
	base64_encode(v->stored_key, SCRAM_KEY_LEN, stored);
	base64_encode(v->server_key, SCRAM_KEY_LEN, server);
	len = snprintf(out, SCRAM_VERIFIER_MAX, "SCRAM-SHA-256$%u:%s$%s:%s",
	    v->iterations, salt, stored, server);
	return len < 0 || len >= SCRAM_VERIFIER_MAX ? ERR_TOO_LONG : ERR_NONE;
}

enum err
scram_verifier_make(struct text password, char *out)
{
	struct scram_verifier v = {
	    .iterations = SCRAM_ITERATIONS, .salt_len = SCRAM_SALT_LEN};
	uint8_t salted[SCRAM_KEY_LEN], client[SCRAM_KEY_LEN];
	enum err e;

	if (getentropy(v.salt, SCRAM_SALT_LEN) != 0)
		return ERR_SYSTEM;
	e = scram_salt(password, v.salt, v.salt_len, v.iterations, salted);
	if (e == ERR_NONE)
		e = keys_derive(salted, client, v.stored_key, v.server_key);
	if (e == ERR_NONE)
		e = verifier_write(&v, out);
	OPENSSL_cleanse(salted, sizeof(salted));
	OPENSSL_cleanse(client, sizeof(client));
	OPENSSL_cleanse(&v, sizeof(v));
	return e;
}

enum err
scram_salt(struct text password, const uint8_t *salt, size_t salt_len,
    uint32_t iterations, uint8_t *salted_out)
{
	char prepared[SASLPREP_MAX];
	size_t len;
	enum err e;

	if (salt_len == 0 || salt_len > SCRAM_SALT_MAX || iterations == 0 ||
	    iterations > SCRAM_ITERATIONS_MAX || password.len > 1024)
		return ERR_MALFORMED;
	e = saslprep(password, prepared, &len);
	if (e == ERR_NONE &&
	    PKCS5_PBKDF2_HMAC(prepared, (int)len, salt, (int)salt_len,
		(int)iterations, EVP_sha256(), SCRAM_KEY_LEN, salted_out) != 1)
		e = ERR_SYSTEM;
	OPENSSL_cleanse(prepared, sizeof(prepared));
	return e;
}

enum err
scram_prove(const uint8_t *salted, struct text auth_message,
    uint8_t *proof_out, uint8_t *signature_out)
{
	uint8_t client[SCRAM_KEY_LEN], stored[SCRAM_KEY_LEN];
	uint8_t server[SCRAM_KEY_LEN], signature[SCRAM_KEY_LEN];
	enum err e = keys_derive(salted, client, stored, server);

	if (e == ERR_NONE)
		e = hmac(stored, auth_message, signature);
	if (e == ERR_NONE)
		e = hmac(server, auth_message, signature_out);
	if (e == ERR_NONE)
		mix(proof_out, client, signature);
	OPENSSL_cleanse(client, sizeof(client));
	OPENSSL_cleanse(stored, sizeof(stored));
	OPENSSL_cleanse(server, sizeof(server));
	OPENSSL_cleanse(signature, sizeof(signature));
	return e;
}

enum err
scram_check(const struct scram_verifier *v, struct text auth_message,
    const uint8_t *proof, bool *right_out, uint8_t *signature_out)
{
	uint8_t client[SCRAM_KEY_LEN], hashed[SCRAM_KEY_LEN];
	uint8_t signature[SCRAM_KEY_LEN];
	enum err e;

	*right_out = false;
	e = hmac(v->stored_key, auth_message, signature);
	if (e == ERR_NONE) {
		mix(client, proof, signature);
		e = sha256(client, sizeof(client), hashed);
	}
	if (e == ERR_NONE)
		e = hmac(v->server_key, auth_message, signature_out);
	if (e == ERR_NONE)
		*right_out =
		    CRYPTO_memcmp(hashed, v->stored_key, SCRAM_KEY_LEN) == 0;
	OPENSSL_cleanse(client, sizeof(client));
	OPENSSL_cleanse(signature, sizeof(signature));
	return e;
}

void
scram_mock_salt(const uint8_t *secret, struct text name, uint8_t *salt_out)
{
	uint8_t whole[SCRAM_KEY_LEN] = {0};

	/* A salt of zeros, were HMAC ever to fail, is still only a salt: the
	 * name has no verifier and no proof for it is right. */
	if (hmac(secret, name, whole) != ERR_NONE)
		memset(whole, 0, sizeof(whole));
	memcpy(salt_out, whole, SCRAM_SALT_LEN);
}

static enum err
md5_hex(struct text first, struct text second, char *out /* 33 */)
{
	static const char digits[] = "0123456789abcdef";
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0, i;
	bool is_done;

	is_done = context != NULL &&
	    EVP_DigestInit_ex(context, EVP_md5(), NULL) == 1 &&
	    EVP_DigestUpdate(context, first.at, first.len) == 1 &&
	    EVP_DigestUpdate(context, second.at, second.len) == 1 &&
	    EVP_DigestFinal_ex(context, digest, &len) == 1 && len == 16;
	EVP_MD_CTX_free(context);
	if (!is_done)
		return ERR_UNSUPPORTED; /* a FIPS build has no MD5 */
	for (i = 0; i < len; i++) {
		out[2 * i] = digits[digest[i] >> 4];
		out[2 * i + 1] = digits[digest[i] & 15];
	}
	out[2 * len] = '\0';
	OPENSSL_cleanse(digest, sizeof(digest));
	return ERR_NONE;
}

enum err
scram_md5(struct text user, struct text password, const uint8_t salt[4],
    char out[36])
{
	char inner[33];
	enum err e = md5_hex(password, user, inner);

	if (e == ERR_NONE) {
		memcpy(out, "md5", 3);
		e = md5_hex((struct text){inner, 32},
		    (struct text){(const char *)salt, 4}, out + 3);
	}
	OPENSSL_cleanse(inner, sizeof(inner));
	return e;
}

size_t
scram_binding_encode(
    const struct scram_binding *b, char out[SCRAM_BINDING_TEXT_MAX])
{
	uint8_t whole[SCRAM_GS2_MAX + SCRAM_BINDING_MAX];
	size_t len = strnlen(b->header, sizeof(b->header));

	memcpy(whole, b->header, len);
	memcpy(whole + len, b->data, b->data_len);
	return base64_encode(whole, len + b->data_len, out);
}

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t
base64_encode(const uint8_t *bytes, size_t len, char *out)
{
	size_t i, n = 0;

	for (i = 0; i < len; i += 3) {
		uint32_t group = (uint32_t)bytes[i] << 16;

		if (len - i > 1)
			group |= (uint32_t)bytes[i + 1] << 8;
		if (len - i > 2)
			group |= bytes[i + 2];
		out[n++] = alphabet[group >> 18];
		out[n++] = alphabet[group >> 12 & 63];
		out[n++] = len - i > 1 ? alphabet[group >> 6 & 63] : '=';
		out[n++] = len - i > 2 ? alphabet[group & 63] : '=';
	}
	out[n] = '\0';
	return n;
}

static int
sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters, the last `padding` of them '='. False: not base64, or
 * bits set that no byte has (a second spelling of the same bytes). */
static bool
group_decode(const char *at, unsigned padding, uint32_t *out)
{
	uint32_t group = 0;
	unsigned i;

	for (i = 0; i < 4; i++) {
		int value = i < 4 - padding ? sextet(at[i]) : 0;

		if (value < 0 || (i >= 4 - padding && at[i] != '='))
			return false;
		group = group << 6 | (uint32_t)value;
	}
	*out = group;
	return (group & ((1u << (8 * padding)) - 1)) == 0;
}

enum err
base64_decode(struct text text, uint8_t *out, size_t size, size_t *len_out)
{
	size_t i, n = 0;

	*len_out = 0;
	if (text.len % 4 != 0)
		return ERR_MALFORMED;
	for (i = 0; i < text.len; i += 4) {
		const char *at = text.at + i;
		unsigned padding = 0, k;
		uint32_t group;

		if (i + 4 == text.len && at[3] == '=')
			padding = at[2] == '=' ? 2 : 1;
		if (!group_decode(at, padding, &group) ||
		    3 - padding > size - n)
			return ERR_MALFORMED;
		for (k = 0; k < 3 - padding; k++)
			out[n++] = (uint8_t)(group >> (16 - 8 * k));
	}
	*len_out = n;
	return ERR_NONE;
}
