/*
 * token_issuer.h - whose signed tokens are believed: `tokens:` of
 * identities.yaml.
 *
 * The issuers' keys are files of their own (jwks.h); tokens are read by the
 * verifier alone (master/verifier/).
 */
#ifndef SALLYPORT_TOKEN_ISSUER_H
#define SALLYPORT_TOKEN_ISSUER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

enum {
	TOKEN_ISSUERS_MAX = 32,
	TOKEN_ISSUER_MAX = 255,	  /* bytes of an issuer's name */
	TOKEN_SKEW_MAX_S = 300,
	TOKEN_SKEW_DEFAULT_S = 30,
};

/* Signatures that a token may have: RFC 7518, 3.1, and RFC 8037 on Ed25519.
 * All of them are made with a key that cannot be had from the one that checks
 * them. */
#define TOKEN_ALGORITHMS(X)                                                    \
	X(TOKEN_RS256, "RS256")                                                \
	X(TOKEN_RS384, "RS384")                                                \
	X(TOKEN_RS512, "RS512")                                                \
	X(TOKEN_PS256, "PS256")                                                \
	X(TOKEN_ES256, "ES256")                                                \
	X(TOKEN_ES384, "ES384")                                                \
	X(TOKEN_EDDSA, "EdDSA")

#define TOKEN_PLACE(name, word) name##_PLACE,
#define TOKEN_BIT(name, word) name = 1U << name##_PLACE,
enum { TOKEN_ALGORITHMS(TOKEN_PLACE) TOKEN_ALGORITHM_COUNT };
enum token_algorithm { TOKEN_ALGORITHMS(TOKEN_BIT) };
#undef TOKEN_PLACE
#undef TOKEN_BIT

/* The bit of a name such as "ES256"; 0: no such one. Case matters. */
uint64_t token_algorithm_bit(struct text name);

struct token_issuer {
	struct text issuer;	/* `iss`, exactly; NUL-terminated */
	struct text *audiences; /* `aud` must have one of them */
	size_t audience_count;
	struct text keys; /* JWKS: absolute path; NUL-terminated */
	size_t keys_line, keys_column; /* where that is written */
	/* paths of claims; len 0: not mapped */
	struct text user, agent, groups;
	uint64_t algorithms;	   /* enum token_algorithm, or'ed */
	unsigned skew_s;	   /* how far clocks may be apart */
	struct text required_type; /* `typ`; len 0: none, JWT or at+jwt */
	bool is_once; /* each token opens one connection only; the
		       * default */
};

#endif
