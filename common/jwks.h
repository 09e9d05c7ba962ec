/*
 * jwks.h - an issuer's public keys: a JSON Web Key Set, RFC 7517, 5.
 *
 * Read wherever configuration is checked, so that a set that is not right is
 * found before it is in force; used by the verifier alone.
 */
#ifndef SALLYPORT_JWKS_H
#define SALLYPORT_JWKS_H

#include "common/arena.h"
#include "common/diagnostics.h"
#include "common/err.h"
#include "common/identity.h"
#include "common/token_issuer.h"

enum {
	JWKS_BYTES_MAX = 1024 * 1024,
	JWKS_KEYS_MAX = 100,
	JWKS_KID_MAX = 255,
	JWKS_RSA_BITS_MIN = 2048,
	JWKS_RSA_BITS_MAX = 8192,
};

struct jwk {
	struct text kid;     /* len 0: it has none */
	uint64_t algorithms; /* whose signatures it may check; never 0 */
	const char *json;    /* its public numbers, and nothing else */
};

struct jwks {
	struct jwk *keys;
	size_t count;
};

/* Read the keys of an issuer whose entry is in `file`. Keys for something
 * else (encryption, other algorithms, kinds unknown here: RFC 7517, 5) are
 * left out. A symmetric or private key, one too short or not on its curve, a
 * kid given twice, or no key that is left is an error: ERR_INVALID,
 * ERR_SYSTEM with diagnostics, ERR_MEMORY. All of it lives in the arena. */
enum err jwks_load(const struct token_issuer *issuer, const char *file,
    struct arena *a, struct diagnostics *d, struct jwks *out) MUST_CHECK;

/* Can the keys of every issuer be read? */
enum err jwks_check(const struct identities *ids, const char *file,
    struct arena *a, struct diagnostics *d) MUST_CHECK;

#endif
