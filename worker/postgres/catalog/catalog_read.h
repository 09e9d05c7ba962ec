/*
 * catalog_read.h - one reading of one database's catalogue.
 */
#ifndef SALLYPORT_POSTGRES_CATALOG_READ_H
#define SALLYPORT_POSTGRES_CATALOG_READ_H

#include "common/arena.h"
#include "common/classify.h"
#include "common/store.h"
#include "worker/postgres/upstream/upstream.h"

/* What was read: relations by ascending OID, with their columns' sources, and
 * the types that are not built in; everything is in the arena given. */
struct catalog_reading {
	struct relation *relations;
	size_t count;
	struct type *types;
	size_t type_count;
	struct code *code; /* with the hashes of it all, ascending */
	uint64_t *code_hashes;
	size_t code_count;
};

/* Read over an open connection, in one snapshot of the database. The
 * classifier says which built-in functions are clean; NULL: none is.
 * ERR_TOO_LONG (over a ceiling of catalog.h), ERR_MALFORMED (rows that make
 * no sense), ERR_MEMORY, and those of pg_upstream_query(). */
enum err catalog_read(struct pg_upstream *u,
    const struct classifier *classifier, struct arena *a,
    struct catalog_reading *out) MUST_CHECK;

#endif
