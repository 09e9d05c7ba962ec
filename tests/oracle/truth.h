/*
 * truth.h - what a statement does, by PostgreSQL's own parse tree.
 *
 * The tree is libpg_query's JSON. Names borrow from it.
 */
#ifndef SALLYPORT_ORACLE_TRUTH_H
#define SALLYPORT_ORACLE_TRUTH_H

#include <jansson.h>

#include "common/vocab.h"
#include "common/words.h"

enum { TRUTH_NAMES_MAX = 1024 };

struct truth_relation {
	const char *schema; /* NULL: unqualified */
	const char *name;
	bool is_read, is_written;
};

struct truth {
	uint64_t operations;
	/* All of these it must be said to have, but where and limit: these
	 * excuse, so it must not be said to have them if it has not. */
	uint64_t traits;
	bool changes; /* an UPDATE or DELETE is in it */
	bool lacks_where;
	bool has_body; /* of statements: a routine's, a rule's */
	struct truth_relation relations[TRUTH_NAMES_MAX];
	size_t relation_count;
	const char *columns[TRUTH_NAMES_MAX]; /* unqualified references */
	size_t column_count;
	const char *aliases[TRUTH_NAMES_MAX]; /* of what FROM brings in */
	size_t alias_count;
	bool is_planned; /* while walking below EXPLAIN without ANALYZE */
	const struct words *words;
};

/* One statement of a tree ("stmts": […]). `words`: the functions known. */
void truth_of(
    struct truth *t, const json_t *statement, const struct words *words);

#endif
