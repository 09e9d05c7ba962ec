/*
 * token_read.h - an entry of `tokens:` into a struct token_issuer.
 */
#ifndef SALLYPORT_TOKEN_READ_H
#define SALLYPORT_TOKEN_READ_H

#include "common/schema.h"
#include "common/token_issuer.h"

extern const struct schema token_issuer_schema;

/* Complain about what only the whole list can tell. */
void token_issuers_check(struct reading *r, const struct node *list,
    const struct token_issuer *issuers, size_t count);

#endif
