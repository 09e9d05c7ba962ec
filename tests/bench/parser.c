/*
 * parser.c - libpg_query, with and without the cost of its output.
 *
 * The library exports what its parse functions call; only its header for it
 * is of no use without the server's.
 */
#include <err.h>
#include <pg_query.h>
#include <stdlib.h>

#include "tests/bench/parser.h"

struct raw_tree {
	void *tree;
	char *stderr_buffer;
	PgQueryError *error;
};

struct raw_tree pg_query_raw_parse(const char *input);
void *pg_query_enter_memory_context(void);
void pg_query_exit_memory_context(void *context);

void
parser_raw(struct text sql)
{
	void *context = pg_query_enter_memory_context();
	struct raw_tree t = pg_query_raw_parse(sql.at);

	if (t.error != NULL)
		errx(2, "%s: %s", t.error->message, sql.at);
	free(t.stderr_buffer);
	pg_query_exit_memory_context(context);
}

void
parser_full(struct text sql)
{
	PgQueryParseResult r = pg_query_parse(sql.at);

	if (r.error != NULL)
		errx(2, "%s: %s", r.error->message, sql.at);
	pg_query_free_parse_result(r);
}
