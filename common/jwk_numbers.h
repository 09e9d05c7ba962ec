/*
 * jwk_numbers.h - the numbers of one public key, checked: RFC 7518, 6 and
 * RFC 8037, 2.
 */
#ifndef SALLYPORT_JWK_NUMBERS_H
#define SALLYPORT_JWK_NUMBERS_H

#include <jansson.h>

#include "common/arena.h"
#include "common/token_issuer.h"

/* The key's kind and numbers as JSON of their own, in the arena, and the
 * signatures that such a key can check; NULL when memory is out. A key of
 * another kind or curve has none of these: *algorithms_out is 0. What is
 * wrong with one: in *wrong_out, static, which is otherwise left alone. */
const char *jwk_numbers_read(const json_t *key, struct arena *a,
    uint64_t *algorithms_out, const char **wrong_out);

#endif
