/*
 * query_join.c - FROM: joins.
 *
 * The one rule: a join's ON belongs to the innermost join that lacks one, and
 * CROSS and NATURAL joins, which have none, bind to the left.
 */
#include "common/query_inner.h"

static bool
at_join(const struct parser *p)
{
	switch (query_peek_word(p, 0)) {
	case WORD_JOIN:
	case WORD_INNER:
	case WORD_LEFT:
	case WORD_RIGHT:
	case WORD_FULL:
	case WORD_CROSS:
	case WORD_NATURAL:
		return true;
	default:
		return false;
	}
}

static void
join_kind(struct parser *p, struct from_item *join)
{
	if (query_take_word(p, WORD_LEFT) || query_take_word(p, WORD_RIGHT)) {
		query_take_word(p, WORD_OUTER);
	} else if (query_take_word(p, WORD_FULL)) {
		join->is_full = true;
		query_take_word(p, WORD_OUTER);
	} else {
		query_take_word(p, WORD_INNER);
	}
	query_want_word(p, WORD_JOIN);
}

/* ON x, USING ( a, b ) [AS name] */
static void
join_condition(struct parser *p, struct from_item *join)
{
	struct names columns;

	if (query_take_word(p, WORD_ON)) {
		join->on = query_expression(p);
		return;
	}
	query_want_word(p, WORD_USING);
	columns = query_name_list(p);
	join->using_columns = columns.at;
	join->using_count = columns.count;
	if (query_take_word(p, WORD_AS))
		join->alias = query_column_name(p);
}

static struct from_item *operand(struct parser *p);
static struct from_item *joins(struct parser *p, struct from_item *left);

static struct from_item *
join(struct parser *p, struct from_item *left)
{
	struct from_item *j = query_build_from(p, FROM_JOIN);
	bool is_cross = query_take_word(p, WORD_CROSS);

	j->left = left;
	j->is_natural = !is_cross && query_take_word(p, WORD_NATURAL);
	join_kind(p, j);
	j->right = operand(p);
	if (!is_cross && !j->is_natural) {
		j->right = joins(p, j->right);
		join_condition(p, j);
	}
	query_grow(p);
	return j;
}

static struct from_item *
joins(struct parser *p, struct from_item *left)
{
	query_descend(p);
	while (at_join(p))
		left = join(p, left);
	query_ascend(p);
	return left;
}

/* What stands between parentheses in FROM: a query or joined items. */
static struct from_item *parenthesized_join(
    struct parser *p, struct query **query_out);

/* `(` `(` … : the inner may be a query's operand or a join's. */
static struct from_item *
inner_join(struct parser *p, struct query **query_out)
{
	struct query *inner = NULL;
	struct from_item *f = parenthesized_join(p, &inner);

	if (inner != NULL && query_peek_is(p, 0, ')')) {
		*query_out = inner;
		return NULL;
	}
	if (inner != NULL && query_continues_query(p)) {
		*query_out = query_select_query(p, inner);
		return NULL;
	}
	if (inner != NULL)
		f = query_from_subquery(p, inner);
	else
		query_alias(p, f);
	return f;
}

static struct from_item *
parenthesized_join(struct parser *p, struct query **query_out)
{
	struct from_item *f = NULL;

	*query_out = NULL;
	query_descend(p);
	query_want(p, '(');
	if (query_starts_query(p))
		*query_out = query_select_query(p, NULL);
	else if (query_peek_is(p, 0, '('))
		f = inner_join(p, query_out);
	else
		f = operand(p);
	if (*query_out == NULL && f != NULL) {
		f = joins(p, f);
		if (f->kind != FROM_JOIN)
			query_decline(p, "parentheses around no join");
	}
	query_want(p, ')');
	query_ascend(p);
	return f;
}

static struct from_item *
in_parentheses(struct parser *p)
{
	struct query *q;
	struct from_item *f = parenthesized_join(p, &q);

	if (q != NULL)
		return query_from_subquery(p, q);
	if (f == NULL)
		return query_build_from(p, FROM_JOIN);
	query_alias(p, f);
	return f;
}

/* A table_ref that is no join, or one in parentheses. */
static struct from_item *
operand(struct parser *p)
{
	return query_peek_is(p, 0, '(') ? in_parentheses(p)
					: query_from_plain(p);
}

struct from_item *
query_table_reference(struct parser *p)
{
	return joins(p, operand(p));
}

struct from_item *
query_from_list(struct parser *p)
{
	struct from_item *first = NULL, **end = &first;

	do {
		*end = query_table_reference(p);
		end = &(*end)->next;
	} while (query_take(p, ','));
	return first;
}
