/*
 * query_with.c - WITH queries, with SEARCH and CYCLE.
 */
#include "common/query_inner.h"

/* Names as columns that are compared. */
static void
compare(struct parser *p, struct expressions *to)
{
	struct expression *e;

	do {
		e = query_build_expression(p, EXPR_COLUMN, p->at);
		e->name = query_name_of(p, query_column_name(p));
		e->end = p->at;
		query_expressions_add(p, to, e);
	} while (query_take(p, ','));
}

/* SEARCH DEPTH | BREADTH FIRST BY a, b SET c */
static void
search(struct parser *p, struct names *added, struct expressions *compared)
{
	if (!query_take_word(p, WORD_SEARCH))
		return;
	if (!query_take_word(p, WORD_DEPTH))
		query_want_word(p, WORD_BREADTH);
	query_want_words(p, WORD_FIRST, WORD_BY);
	compare(p, compared);
	query_want_word(p, WORD_SET);
	query_names_add(p, added, query_column_name(p));
}

static void
constant(struct parser *p)
{
	if (query_primary(p)->kind != EXPR_CONSTANT)
		query_decline(p, "a constant was expected");
}

/* CYCLE a, b SET c [TO x DEFAULT y] USING d */
static void
cycle(struct parser *p, struct names *added, struct expressions *compared)
{
	if (!query_take_word(p, WORD_CYCLE))
		return;
	compare(p, compared);
	query_want_word(p, WORD_SET);
	query_names_add(p, added, query_column_name(p));
	if (query_take_word(p, WORD_TO)) {
		constant(p);
		query_want_word(p, WORD_DEFAULT);
		constant(p);
	}
	query_want_word(p, WORD_USING);
	query_names_add(p, added, query_column_name(p));
}

static struct with_query *
with_query(struct parser *p)
{
	struct with_query *w = query_build(p, sizeof(*w));
	struct names names = {0}, added = {0};
	struct expressions compared;

	w->name = query_column_name(p);
	if (query_peek_is(p, 0, '('))
		names = query_name_list(p);
	query_want_word(p, WORD_AS);
	if (query_take_word(p, WORD_NOT))
		query_want_word(p, WORD_MATERIALIZED);
	else
		query_take_word(p, WORD_MATERIALIZED);
	query_want(p, '(');
	w->query = query_any_query(p);
	query_want(p, ')');
	query_expressions_init(&compared);
	search(p, &added, &compared);
	cycle(p, &added, &compared);
	w->columns = names.at;
	w->column_count = names.count;
	w->added = added.at;
	w->added_count = added.count;
	w->compared = compared.first;
	return w;
}

struct with_query *
query_with_clause(struct parser *p)
{
	struct with_query *first = NULL, **end = &first;

	if (!query_take_word(p, WORD_WITH))
		return NULL;
	query_take_word(p, WORD_RECURSIVE);
	do {
		*end = with_query(p);
		end = &(*end)->next;
	} while (query_take(p, ','));
	return first;
}
