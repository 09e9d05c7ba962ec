/*
 * token.h - signed tokens: who does one say that somebody is?
 *
 * A token is a JWS in its compact form (RFC 7515, 3.1) with claims of RFC
 * 7519, signed by an issuer of `tokens:` in identities.yaml.  What is checked
 * and what is strange is refused as RFC 8725 has it.
 *
 *   token.c            whose it is, with which key, in which order
 *   token_parse.c      bytes into a header and claims; pure
 *   token_signature.c  the signature (the only file with rhonabwy.h)
 *   token_claims.c     claims into facts; pure
 *   token_once.c       tokens that have opened their one connection
 */
#ifndef SALLYPORT_TOKEN_H
#define SALLYPORT_TOKEN_H

#include "common/config.h"
#include "master/errand.h"

enum {
	TOKEN_BYTES_MAX = 16 * 1024,
	TOKEN_ACTORS_MAX = 8, /* `act` in `act` in … */
};

struct tokens;

/* Read the keys of all issuers, and open the memory of what was used, which
 * is a file in the settings' `state`. An issuer for whom either fails is told
 * of in `d`, and none of its tokens is believed. The caller frees what is not
 * in the arena with tokens_free(). ERR_MEMORY. */
enum err tokens_load(const struct settings *s, const struct identities *ids,
    struct arena *a, struct diagnostics *d, struct tokens **out) MUST_CHECK;

void tokens_free(struct tokens *t);

/* Is it one to believe at `now` (Unix time, s)? Fills out->token on
 * OUTCOME_YES, out->reason on anything else; a reason never has more of the
 * token in it than its issuer, kid, alg, typ or the name of a claim. Borrows
 * `compact`, and keeps nothing of it. */
enum outcome_result token_check(struct tokens *t, struct text compact,
    int64_t now, struct outcome *out);

#endif
