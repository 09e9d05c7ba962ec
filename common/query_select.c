/*
 * query_select.c - SELECT, VALUES and TABLE.
 */
#include "common/query_inner.h"

/* --- clauses -------------------------------------------------------------- */

static struct target *
target(struct parser *p)
{
	struct target *t = query_build(p, sizeof(*t));

	if (query_peek_operator(p, 0, "*")) {
		query_skip(p, 1);
		t->value = query_build_expression(p, EXPR_STAR, p->at - 1);
		return t;
	}
	t->value = query_expression(p);
	if (query_take_word(p, WORD_AS) || query_is_bare_label(p))
		t->alias = query_label(p);
	return t;
}

struct target *
query_target_list(struct parser *p)
{
	struct target *first = NULL, **end = &first;

	do {
		*end = target(p);
		end = &(*end)->next;
	} while (query_take(p, ','));
	return first;
}

/* Can a target list be empty here? */
static bool
ends_targets(const struct parser *p)
{
	switch (query_peek_word(p, 0)) {
	case WORD_FROM:
	case WORD_WHERE:
	case WORD_GROUP:
	case WORD_HAVING:
	case WORD_WINDOW:
	case WORD_INTO:
	case WORD_ON:
	case WORD_RETURNING:
	case WORD_WITH:
		return true;
	default:
		return query_peek(p, 0) == NULL || query_peek_is(p, 0, ')') ||
		       query_continues_query(p);
	}
}

/* [TEMP | UNLOGGED …] [TABLE] name */
static void
into(struct parser *p, struct query *q)
{
	if (!query_take_word(p, WORD_INTO))
		return;
	if (!query_take_word(p, WORD_LOCAL))
		query_take_word(p, WORD_GLOBAL);
	if (!query_take_word(p, WORD_TEMPORARY) &&
	    !query_take_word(p, WORD_TEMP))
		query_take_word(p, WORD_UNLOGGED);
	query_take_word(p, WORD_TABLE);
	q->into = query_qualified_name(p);
}

static void
grouping_element(struct parser *p, struct expressions *to)
{
	query_descend(p);
	if (query_peek_is(p, 0, '(') && query_peek_is(p, 1, ')')) {
		query_skip(p, 2);
	} else if (query_peek_is(p, 1, '(') &&
		   (query_take_word(p, WORD_CUBE) ||
		       query_take_word(p, WORD_ROLLUP))) {
		query_parenthesized_list(p, to);
	} else if (query_take_words(p, WORD_GROUPING, WORD_SETS)) {
		query_want(p, '(');
		do {
			grouping_element(p, to);
		} while (query_take(p, ','));
		query_want(p, ')');
	} else {
		query_expressions_add(p, to, query_expression(p));
	}
	query_ascend(p);
}

static void
group_by(struct parser *p, struct query *q)
{
	struct expressions list;

	if (!query_take_words(p, WORD_GROUP, WORD_BY))
		return;
	q->is_group_distinct = query_take_word(p, WORD_DISTINCT);
	if (!q->is_group_distinct)
		query_take_word(p, WORD_ALL);
	query_expressions_init(&list);
	do {
		grouping_element(p, &list);
	} while (query_take(p, ','));
	q->group_by = list.first;
}

static bool
take_nulls(struct parser *p)
{
	return query_take_words(p, WORD_NULLS, WORD_FIRST) ||
	       query_take_words(p, WORD_NULLS, WORD_LAST);
}

/* USING < or USING OPERATOR ( … ) */
static void
sort_operator(struct parser *p)
{
	const struct token *t = query_peek(p, 0);

	if (query_take_word(p, WORD_OPERATOR))
		query_skip_parentheses(p);
	else if (t != NULL && t->kind == TOKEN_OPERATOR)
		query_skip(p, 1);
	else
		query_decline(p, "an operator was expected");
}

void
query_order_by(struct parser *p, struct expressions *to)
{
	if (!query_take_words(p, WORD_ORDER, WORD_BY))
		return;
	do {
		query_expressions_add(p, to, query_expression(p));
		if (query_take_word(p, WORD_USING))
			sort_operator(p);
		else if (!query_take_word(p, WORD_ASC))
			query_take_word(p, WORD_DESC);
		take_nulls(p);
	} while (query_take(p, ','));
}

/* --- windows -------------------------------------------------------------- */

static void
frame_bound(struct parser *p, struct expressions *to)
{
	enum query_word next = query_peek_word(p, 1);

	if (query_take_words(p, WORD_CURRENT, WORD_ROW))
		return;
	if (next == WORD_PRECEDING || next == WORD_FOLLOWING) {
		if (!query_take_word(p, WORD_UNBOUNDED))
			query_expressions_add(p, to, query_expression(p));
	} else {
		query_expressions_add(p, to, query_expression(p));
	}
	if (!query_take_word(p, WORD_PRECEDING))
		query_want_word(p, WORD_FOLLOWING);
}

static void
frame_exclusion(struct parser *p)
{
	if (!query_take_word(p, WORD_EXCLUDE))
		return;
	if (!query_take_words(p, WORD_CURRENT, WORD_ROW) &&
	    !query_take_words(p, WORD_NO, WORD_OTHERS) &&
	    !query_take_word(p, WORD_GROUP))
		query_want_word(p, WORD_TIES);
}

static void
frame(struct parser *p, struct expressions *to)
{
	if (!query_take_word(p, WORD_RANGE) && !query_take_word(p, WORD_ROWS) &&
	    !query_take_word(p, WORD_GROUPS))
		return;
	if (query_take_word(p, WORD_BETWEEN)) {
		frame_bound(p, to);
		query_want_word(p, WORD_AND);
	}
	frame_bound(p, to);
	frame_exclusion(p);
}

static bool
at_window_name(const struct parser *p)
{
	enum query_word word = query_peek_word(p, 0);

	return query_is_column_name(p, 0) && word != WORD_PARTITION &&
	       word != WORD_RANGE && word != WORD_ROWS && word != WORD_GROUPS;
}

void
query_window_specification(struct parser *p, struct expressions *to)
{
	query_want(p, '(');
	if (at_window_name(p))
		query_column_name(p);
	if (query_take_words(p, WORD_PARTITION, WORD_BY))
		query_expression_list(p, to);
	query_order_by(p, to);
	frame(p, to);
	query_want(p, ')');
}

static void
windows(struct parser *p, struct query *q)
{
	struct expressions list;

	if (!query_take_word(p, WORD_WINDOW))
		return;
	query_expressions_init(&list);
	do {
		query_column_name(p);
		query_want_word(p, WORD_AS);
		query_window_specification(p, &list);
	} while (query_take(p, ','));
	q->windows = list.first;
}

/* --- SELECT, VALUES, TABLE ------------------------------------------------ */

static void
distinct(struct parser *p, struct query *q)
{
	struct expressions on;

	if (!query_take_word(p, WORD_DISTINCT)) {
		query_take_word(p, WORD_ALL);
		return;
	}
	q->is_distinct = true;
	if (!query_take_word(p, WORD_ON))
		return;
	query_expressions_init(&on);
	query_parenthesized_list(p, &on);
	q->distinct_on = on.first;
}

static struct query *
simple_select(struct parser *p)
{
	struct query *q = query_build_query(p, QUERY_SELECT);

	query_want_word(p, WORD_SELECT);
	distinct(p, q);
	if (q->is_distinct || !ends_targets(p))
		q->targets = query_target_list(p);
	into(p, q);
	if (query_take_word(p, WORD_FROM))
		q->from = query_from_list(p);
	if (query_take_word(p, WORD_WHERE))
		q->where = query_expression(p);
	group_by(p, q);
	if (query_take_word(p, WORD_HAVING))
		q->having = query_expression(p);
	windows(p, q);
	return q;
}

static struct query *
values(struct parser *p)
{
	struct query *q = query_build_query(p, QUERY_VALUES);
	struct row **end = &q->rows;
	struct expressions list;

	query_want_word(p, WORD_VALUES);
	do {
		*end = query_build(p, sizeof(**end));
		query_expressions_init(&list);
		query_parenthesized_list(p, &list);
		(*end)->values = list.first;
		end = &(*end)->next;
	} while (query_take(p, ','));
	return q;
}

/* TABLE t is SELECT * FROM t */
static struct query *
table(struct parser *p)
{
	struct query *q = query_build_query(p, QUERY_SELECT);

	query_want_word(p, WORD_TABLE);
	q->targets = query_build(p, sizeof(*q->targets));
	q->targets->value = query_build_expression(p, EXPR_STAR, p->at - 1);
	q->from = query_relation(p);
	return q;
}

struct query *
query_operand(struct parser *p)
{
	switch (query_peek_word(p, 0)) {
	case WORD_SELECT:
		return simple_select(p);
	case WORD_VALUES:
		return values(p);
	case WORD_TABLE:
		return table(p);
	default:
		return query_in_parentheses(p);
	}
}
