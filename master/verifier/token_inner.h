/*
 * token_inner.h - one token under way, between the files of token.h.
 */
#ifndef SALLYPORT_TOKEN_INNER_H
#define SALLYPORT_TOKEN_INNER_H

#include <jansson.h>

#include "master/verifier/token.h"

struct web_token {
	json_t *header, *claims; /* objects; no member twice */
	size_t signature_len;	 /* bytes */
	struct text issuer;	 /* `iss`; of `claims` */
	uint64_t algorithm;	 /* enum token_algorithm, one of them */
	struct text kid;	 /* len 0: none; of `header` */
};

/* What of a token may be shown, cut and made printable. */
struct shown {
	char text[80];
};
struct shown token_show(struct text word);

/* Set the result and its reason. Both return false. */
bool token_refuse(struct outcome *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool token_fail(struct outcome *out, const char *reason);

/* Take it apart, and look at all of its header. False: refused. token_clear()
 * is due in either case. */
bool token_parse(
    struct text compact, struct web_token *out, struct outcome *why);
/* Is its `typ` the one that the issuer's tokens have? */
bool token_type_fits(const struct web_token *t,
    const struct token_issuer *issuer, struct outcome *why);
void token_clear(struct web_token *t);

/* A member that is a string with something in it; false otherwise. */
bool token_string(const json_t *object, const char *name, struct text *out);

/* The rest of what the claims say: for us, now, about whom. */
bool token_claims_read(const json_t *claims,
    const struct token_issuer *issuer, int64_t now, struct outcome *out);

/* A key made ready; NULL: the library does not take it. */
void *signature_key_new(const char *json);
void signature_key_free(void *key);
/* Did the key's owner sign it, with this algorithm? */
bool signature_fits(void *key, uint64_t algorithm, struct text compact);

#endif
