/*
 * catalog_inner.h - what catalog_read.c and catalog_views.c share; nobody else
 * includes it.
 */
#ifndef SALLYPORT_POSTGRES_CATALOG_INNER_H
#define SALLYPORT_POSTGRES_CATALOG_INNER_H

#include "worker/postgres/catalog/catalog_read.h"
#include "worker/postgres/catalog/catalog_types.h"
#include "worker/postgres/catalog/code_reach.h"
#include "worker/postgres/catalog/node_tree.h"

struct edge { /* one source of one column */
	uint32_t relation;
	uint32_t number;
	struct column_source source;
};

/* A function that a column is computed with. */
struct use {
	uint32_t relation;
	uint32_t number;   /* 0: all derived columns of a view */
	uint32_t function; /* 0: functions too many to be told */
};

/* What is known of a view besides its columns; by the relation's index. */
struct view {
	bool is_view;
	bool takes_whole_relations;
	uint8_t *is_derived; /* by attnum - 1 */
};

struct reader {
	struct arena *arena;
	struct relation *relations;
	size_t relation_count, relation_room;
	size_t column_room; /* of the last relation */
	struct view *views;
	struct edge *edges;
	size_t edge_count, edge_room;
	struct view_tree *tree; /* scratch; too large for the stack */
	struct type_list types;
	struct use *uses;
	size_t use_count, use_room;
	struct code_list code;
};

/* NULL: it is not in the list. */
struct relation *catalog_relation_of(const struct reader *r, uint32_t oid);

/* One more source of a column; `source_number` may say that it is derived. */
enum err catalog_edge_add(struct reader *r, uint32_t relation, uint32_t number,
    uint32_t source, uint32_t source_number) MUST_CHECK;

/* Statements and what takes their rows, the reader being the context. Views
 * come before what they depend on. */
extern const char catalog_views_sql[], catalog_depends_sql[];
enum err catalog_view_row(
    void *context, const struct text *fields, size_t count) MUST_CHECK;
enum err catalog_depend_row(
    void *context, const struct text *fields, size_t count) MUST_CHECK;
/* Of catalog_defaults_sql. */
enum err catalog_default_row(
    void *context, const struct text *fields, size_t count) MUST_CHECK;

/* What the functions may read that columns are computed with. */
enum err catalog_uses_follow(
    struct reader *r, struct code_reach *reach) MUST_CHECK;

#endif
