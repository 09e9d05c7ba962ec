/*
 * node_tree.h - reading a view's stored query, as text.
 *
 * pg_rewrite.ev_action holds the parse tree of a view's SELECT the way the
 * server's outfuncs.c writes it.  Of all that, three facts are wanted: which
 * output columns are plain columns of another relation, whether the query
 * uses whole rows anywhere, and whether it names relations as constants.
 * Pure: no I/O, no memory.
 */
#ifndef SALLYPORT_POSTGRES_NODE_TREE_H
#define SALLYPORT_POSTGRES_NODE_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/text.h"

enum {
	NODE_COLUMNS_MAX = 1664, /* MaxTupleAttributeNumber of the server */
	NODE_FUNCTIONS_MAX = 512,
	NODE_DEPTH_MAX = 100000,
};

struct view_origin {	 /* of one output column */
	bool is_seen;	 /* it has an entry in the target list */
	uint32_t table;	 /* OID; 0: an expression */
	uint16_t column; /* attnum */
};

struct view_tree {
	struct view_origin columns[NODE_COLUMNS_MAX]; /* by attnum - 1 */
	/* A whole row (c::text) or a relation as a constant
	 * ('customers'::regclass) is in it: pg_depend's list of columns does
	 * not tell all that is read. */
	bool takes_whole_relations;
	/* OIDs of the functions it calls, by name, as operators, casts or
	 * aggregates, each once. */
	uint32_t functions[NODE_FUNCTIONS_MAX];
	size_t function_count;
	bool has_more_functions; /* than there was room for */
};

/* Any tree: its functions, and whether it takes whole relations; no columns.
 * ERR_MALFORMED: as below. */
enum err node_tree_functions(
    struct text tree, struct view_tree *out) MUST_CHECK;

/* The tree of one ON SELECT rule. ERR_MALFORMED: not such a tree; `out` then
 * has no origins and takes whole relations. */
enum err node_tree_view(struct text tree, struct view_tree *out) MUST_CHECK;

#endif
