/*
 * code_reach_inner.h - what code_reach.c and code_walk.c share; nobody else
 * includes it.
 */
#ifndef SALLYPORT_POSTGRES_CODE_REACH_INNER_H
#define SALLYPORT_POSTGRES_CODE_REACH_INNER_H

#include "worker/postgres/catalog/code_reach.h"

struct code_reach {
	struct code_list *list;
	struct arena *scratch; /* of one text, or one walk */
	const struct relation **relations; /* by name */
	size_t relation_count;
	struct code_item **by_name; /* by kind, then name */
	struct code_item **by_oid;  /* functions */
	size_t oid_count;
	uint64_t walks;
};

/* The first of `count` sorted things that is not less than the key. */
size_t code_lower_bound(const void *key, const void *things, size_t count,
    size_t size, int (*compare)(const void *, const void *));

/* Of struct code_item pointers, for by_oid. */
int code_compare_oids(const void *a, const void *b);

/* Where in by_name items of that kind and name begin, and whether the one at
 * `i` is of them. */
size_t code_find_named(
    const struct code_reach *r, enum code_kind kind, struct text name);
bool code_is_named(const struct code_reach *r, size_t i, enum code_kind kind,
    struct text name);

#endif
