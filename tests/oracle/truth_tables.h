/*
 * truth_tables.h - what the node types of a parse tree stand for.
 */
#ifndef SALLYPORT_ORACLE_TRUTH_TABLES_H
#define SALLYPORT_ORACLE_TRUTH_TABLES_H

#include "common/vocab.h"

/* An object kind whose objects are relations or belong to one. */
struct listed {
	const char *kind;
	size_t skip; /* names after the relation's: a column, a trigger */
};

const struct listed *tables_listed(const char *kind); /* NULL: neither */

/* What a node of this type does by being there; 0: nothing by itself. */
uint64_t tables_operations(const char *type);
uint64_t tables_transaction(const char *kind);

/* Is a relation in this member of such a node written? */
bool tables_writes(const char *type, const char *member);

/* The type of a node that does not say it, by the member it stands in. */
const char *tables_type(const char *member);

/* Nothing in this member names a relation, or whoever asks has seen to it. */
bool tables_skips(const char *type, const char *member);

#endif
