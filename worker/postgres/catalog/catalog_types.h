/*
 * catalog_types.h - the types of one database, row by row.
 */
#ifndef SALLYPORT_POSTGRES_CATALOG_TYPES_H
#define SALLYPORT_POSTGRES_CATALOG_TYPES_H

#include "common/store.h"

struct type_list {
	struct arena *arena;
	struct type *types; /* by ascending OID */
	size_t count, room;
	size_t part_room; /* of the last type */
};

/* One statement; its rows go to catalog_type_row(). A row that makes no sense is
 * ERR_MALFORMED. A relation's own row type has no parts in these rows: its
 * relation's OID is in *relation_out (otherwise 0), and the caller adds them. */
extern const char catalog_types_sql[];
enum err catalog_type_row(struct type_list *l, const struct text *fields,
    size_t count, uint32_t *relation_out) MUST_CHECK;

/* One more part of the last type. */
enum err catalog_type_part(struct type_list *l, uint32_t oid) MUST_CHECK;

#endif
