/*
 * code_reach.h - all that users' code may read, through whatever it calls.
 */
#ifndef SALLYPORT_POSTGRES_CODE_REACH_H
#define SALLYPORT_POSTGRES_CODE_REACH_H

#include "worker/postgres/catalog/catalog_code.h"

enum {
	/* Items that one walk over calls may visit. More: it may read
	 * anything. */
	CODE_WALK_MAX = 20000,
};

struct code_reach;

/* Read all texts of the list, which grows no more from here on. Relations are
 * by ascending OID. Everything is in the list's arena. */
enum err code_reach_new(struct code_list *l, const struct relation *relations,
    size_t relation_count, struct code_reach **out) MUST_CHECK;

/* What the function of that OID may read: a user's or a built-in one. */
enum err code_reach_function(
    struct code_reach *r, uint32_t oid, struct code *out) MUST_CHECK;

/* What there is to know of each kind and name, and the hashes of them all in
 * ascending order. Types and relations that run no code are left out. */
enum err code_reach_all(struct code_reach *r, struct code **out,
    uint64_t **hashes_out, size_t *count_out) MUST_CHECK;

#endif
