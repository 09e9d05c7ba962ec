/*
 * scram.h - SCRAM-SHA-256 (RFC 5802, RFC 7677): the keys and the proofs.
 *
 * Keys and proofs are 32 bytes.  Used by the broker (which has the secrets)
 * and by `sallyport passwd`.  Crypto is OpenSSL's.
 */
#ifndef SALLYPORT_SCRAM_H
#define SALLYPORT_SCRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/text.h"

enum {
	SCRAM_KEY_LEN = 32,
	SCRAM_SALT_MAX = 64,
	SCRAM_SALT_LEN = 16, /* of verifiers we make */
	SCRAM_ITERATIONS = 4096,
	SCRAM_ITERATIONS_MAX = 1000000,
	SCRAM_VERIFIER_MAX = 256,
	SCRAM_GS2_MAX = 32,	     /* a GS2 header, with the NUL */
	SCRAM_BINDING_MAX = 64,	     /* bytes that bind to a channel */
	SCRAM_BINDING_TEXT_MAX = 136, /* both in base64, with the NUL */
};

#define SCRAM_GS2_BOUND "p=tls-server-end-point,,"

/* Whether and to what channel an exchange is bound: RFC 5802, 6. */
struct scram_binding {
	char header[SCRAM_GS2_MAX]; /* "n,,", "y,," or SCRAM_GS2_BOUND */
	size_t data_len;	    /* 0 unless it is bound */
	uint8_t data[SCRAM_BINDING_MAX];
};

/* What follows "c=" in the client's last message; its length. */
size_t scram_binding_encode(const struct scram_binding *b,
    char out[SCRAM_BINDING_TEXT_MAX]);

/* What a server keeps of a password. */
struct scram_verifier {
	uint32_t iterations;
	uint8_t salt[SCRAM_SALT_MAX];
	size_t salt_len;
	uint8_t stored_key[SCRAM_KEY_LEN];
	uint8_t server_key[SCRAM_KEY_LEN];
};

/* "SCRAM-SHA-256$4096:<salt>$<stored>:<server>", as PostgreSQL writes it.
 * ERR_MALFORMED. */
enum err scram_verifier_parse(
    struct text text, struct scram_verifier *out) MUST_CHECK;

/* A verifier for a password with a fresh random salt, as text (with NUL) in
 * `out` of SCRAM_VERIFIER_MAX bytes. */
enum err scram_verifier_make(struct text password, char *out) MUST_CHECK;

/* SaltedPassword := PBKDF2 of the password, prepared. */
enum err scram_salt(struct text password, const uint8_t *salt, size_t salt_len,
    uint32_t iterations, uint8_t *salted_out) MUST_CHECK;

/* Client side: ClientProof and the ServerSignature to expect. */
enum err scram_prove(const uint8_t *salted, struct text auth_message,
    uint8_t *proof_out, uint8_t *signature_out) MUST_CHECK;

/* Server side: is the proof right (constant time)? Gives ServerSignature. */
enum err scram_check(const struct scram_verifier *v, struct text auth_message,
    const uint8_t *proof, bool *right_out, uint8_t *signature_out) MUST_CHECK;

/* Salt and iterations for a name that has no verifier: derived from `secret`
 * (32 bytes), so the same each time it is asked. */
void scram_mock_salt(const uint8_t *secret, struct text name,
    uint8_t *salt_out /* SCRAM_SALT_LEN */);

/* MD5 authentication: "md5" + hex(md5(hex(md5(password user)) salt)). */
enum err scram_md5(struct text user, struct text password,
    const uint8_t salt[4], char out[36]) MUST_CHECK;

/* Base64 without line breaks. Encode: out has room for len/3*4+5. Decode:
 * ERR_MALFORMED on anything but strict base64, or over `size` bytes. */
size_t base64_encode(const uint8_t *bytes, size_t len, char *out);
enum err base64_decode(struct text text, uint8_t *out, size_t size,
    size_t *len_out) MUST_CHECK;

#endif
