/*
 * query_change.c - INSERT, UPDATE, DELETE and MERGE.
 *
 * The one rule: whatever is said of what is written, and when, is a child of
 * the query: as an assignment, or among its conditions.
 */
#include "common/query_inner.h"

/* A change as it grows. */
struct change {
	struct query *query;
	struct expressions conditions;
	struct assignment **end;
};

/* --- pieces --------------------------------------------------------------- */

/* RETURNING [WITH ( OLD AS o, NEW AS n )] targets */
static void
returning(struct parser *p, struct query *q)
{
	struct names names = {0};

	if (!query_take_word(p, WORD_RETURNING))
		return;
	if (query_take_word(p, WORD_WITH)) {
		query_want(p, '(');
		do {
			if (!query_take_word(p, WORD_OLD))
				query_want_word(p, WORD_NEW);
			query_want_word(p, WORD_AS);
			query_names_add(p, &names, query_column_name(p));
		} while (query_take(p, ','));
		query_want(p, ')');
	}
	q->returning_names = names.at;
	q->returning_name_count = names.count;
	q->targets = query_target_list(p);
}

/* WHERE x, or WHERE CURRENT OF cursor */
static void
where_or_current(struct parser *p, struct query *q)
{
	if (!query_take_word(p, WORD_WHERE))
		return;
	if (query_take_words(p, WORD_CURRENT, WORD_OF))
		query_column_name(p);
	else
		q->where = query_expression(p);
}

static void
condition(struct parser *p, struct change *c)
{
	query_expressions_add(p, &c->conditions, query_expression(p));
}

/* The column of a, a.b or a[1:2]. */
static struct text
written_column(struct parser *p, struct change *c)
{
	struct text name = query_column_name(p);

	for (;;) {
		if (query_take(p, '.')) {
			query_label(p);
			continue;
		}
		if (!query_take(p, '['))
			return name;
		if (!query_peek_is(p, 0, ':'))
			condition(p, c);
		if (query_take(p, ':') && !query_peek_is(p, 0, ']'))
			condition(p, c);
		query_want(p, ']');
	}
}

/* ( a, b[1] … ) */
static struct names
written_columns(struct parser *p, struct change *c)
{
	struct names names = {0};

	query_want(p, '(');
	do {
		query_names_add(p, &names, written_column(p, c));
	} while (query_take(p, ','));
	query_want(p, ')');
	return names;
}

static struct assignment *
assign(struct parser *p, struct change *c, const struct names *columns)
{
	struct assignment *a = query_build(p, sizeof(*a));

	a->columns = columns->at;
	a->column_count = columns->count;
	*c->end = a;
	c->end = &a->next;
	return a;
}

/* a = x, (a, b) = y … */
static void
set_list(struct parser *p, struct change *c)
{
	struct names columns;
	struct assignment *a;

	do {
		columns = (struct names){0};
		if (query_peek_is(p, 0, '('))
			columns = written_columns(p, c);
		else
			query_names_add(p, &columns, written_column(p, c));
		if (!query_take_operator(p, "="))
			query_decline(p, "an assignment was expected");
		a = assign(p, c, &columns);
		a->value = query_expression(p);
	} while (query_take(p, ','));
}

static struct query *
begin_change(struct parser *p, struct change *c, enum query_kind kind)
{
	c->query = query_build_query(p, kind);
	c->end = &c->query->assignments;
	query_expressions_init(&c->conditions);
	query_skip(p, 1);
	return c->query;
}

static struct query *
end_change(struct parser *p, struct change *c)
{
	c->query->conditions = c->conditions.first;
	returning(p, c->query);
	return c->query;
}

/* --- INSERT --------------------------------------------------------------- */

/* OVERRIDING USER | SYSTEM VALUE */
static void
overriding(struct parser *p)
{
	if (!query_take_word(p, WORD_OVERRIDING))
		return;
	if (!query_take_word(p, WORD_USER))
		query_want_word(p, WORD_SYSTEM);
	query_want_word(p, WORD_VALUE);
}

/* Does `(` open a list of columns, or a query? */
static bool
at_columns(const struct parser *p)
{
	return query_peek_is(p, 0, '(') && query_is_column_name(p, 1) &&
	       !(query_peek_word(p, 1) == WORD_VALUES &&
		   query_peek_is(p, 2, '('));
}

/* column, f ( x ) or ( x ) */
static struct expression *
conflict_expression(struct parser *p)
{
	struct expression *e;

	if (query_is_call(p))
		return query_call(p, true);
	if (query_peek_is(p, 0, '('))
		return query_primary(p);
	e = query_build_expression(p, EXPR_COLUMN, p->at);
	e->name = query_name_of(p, query_column_name(p));
	e->end = p->at;
	return e;
}

/* expression [COLLATE c] [operator class] [ASC …] */
static void
conflict_element(struct parser *p, struct expressions *to)
{
	query_expressions_add(p, to, conflict_expression(p));
	if (query_take_word(p, WORD_COLLATE))
		query_qualified_name(p);
	if (query_is_column_name(p, 0) && query_peek_word(p, 0) != WORD_NULLS)
		query_qualified_name(p);
	if (!query_take_word(p, WORD_ASC))
		query_take_word(p, WORD_DESC);
	if (!query_take_words(p, WORD_NULLS, WORD_FIRST))
		query_take_words(p, WORD_NULLS, WORD_LAST);
}

/* [( elements ) [WHERE x]] or ON CONSTRAINT name */
static void
conflict_target(struct parser *p, struct change *c)
{
	struct expressions elements;

	if (query_take_words(p, WORD_ON, WORD_CONSTRAINT)) {
		query_column_name(p);
		return;
	}
	if (!query_take(p, '('))
		return;
	query_expressions_init(&elements);
	do {
		conflict_element(p, &elements);
	} while (query_take(p, ','));
	query_want(p, ')');
	c->query->conflict = elements.first;
	if (query_take_word(p, WORD_WHERE))
		condition(p, c);
}

static void
on_conflict(struct parser *p, struct change *c)
{
	if (!query_take_words(p, WORD_ON, WORD_CONFLICT))
		return;
	c->query->has_conflict = true;
	conflict_target(p, c);
	query_want_word(p, WORD_DO);
	if (query_take_word(p, WORD_NOTHING))
		return;
	query_want_words(p, WORD_UPDATE, WORD_SET);
	set_list(p, c);
	if (query_take_word(p, WORD_WHERE))
		condition(p, c);
}

static void
insert_source(struct parser *p, struct change *c)
{
	struct query *q = c->query;
	struct names columns;

	if (query_take_words(p, WORD_DEFAULT, WORD_VALUES))
		return;
	if (at_columns(p)) {
		columns = written_columns(p, c);
		q->columns = columns.at;
		q->column_count = columns.count;
	}
	overriding(p);
	q->source = query_select_query(p, NULL);
}

static struct query *
insert(struct parser *p)
{
	struct change c;
	struct query *q = begin_change(p, &c, QUERY_INSERT);

	query_want_word(p, WORD_INTO);
	q->relation = query_build(p, sizeof(*q->relation));
	q->relation->name = query_qualified_name(p);
	if (query_take_word(p, WORD_AS))
		q->relation->alias = query_column_name(p);
	insert_source(p, &c);
	on_conflict(p, &c);
	return end_change(p, &c);
}

/* --- UPDATE, DELETE ------------------------------------------------------- */

static struct query *
update(struct parser *p)
{
	struct change c;
	struct query *q = begin_change(p, &c, QUERY_UPDATE);

	q->relation = query_changed_relation(p);
	query_want_word(p, WORD_SET);
	set_list(p, &c);
	if (query_take_word(p, WORD_FROM))
		q->from = query_from_list(p);
	where_or_current(p, q);
	return end_change(p, &c);
}

static struct query *delete (struct parser *p)
{
	struct change c;
	struct query *q = begin_change(p, &c, QUERY_DELETE);

	query_want_word(p, WORD_FROM);
	q->relation = query_changed_relation(p);
	if (query_take_word(p, WORD_USING))
		q->from = query_from_list(p);
	where_or_current(p, q);
	return end_change(p, &c);
}

/* --- MERGE ---------------------------------------------------------------- */

/* INSERT [( columns )] [OVERRIDING …] VALUES ( … ) | DEFAULT VALUES: an
 * assignment for each value. */
static void
merge_insert(struct parser *p, struct change *c)
{
	struct names columns = {0}, one;
	struct expressions values;
	struct expression *value, *next;
	size_t i = 0;

	if (query_take_words(p, WORD_DEFAULT, WORD_VALUES))
		return;
	if (query_peek_is(p, 0, '('))
		columns = written_columns(p, c);
	overriding(p);
	query_want_word(p, WORD_VALUES);
	query_expressions_init(&values);
	query_parenthesized_list(p, &values);
	if (columns.count > 0 && values.count > columns.count)
		query_decline(p, "more values than columns");
	if (p->error != ERR_NONE)
		return;
	for (value = values.first; value != NULL; value = next, i++) {
		next = value->next;
		value->next = NULL;
		one = (struct names){0};
		if (columns.count > 0)
			query_names_add(p, &one, columns.at[i]);
		assign(p, c, &one)->value = value;
	}
}

/* WHEN [NOT] MATCHED [BY …] [AND x] THEN … */
static void
merge_when(struct parser *p, struct change *c)
{
	query_want_word(p, WORD_WHEN);
	query_take_word(p, WORD_NOT);
	query_want_word(p, WORD_MATCHED);
	if (query_take_word(p, WORD_BY) && !query_take_word(p, WORD_SOURCE))
		query_want_word(p, WORD_TARGET);
	if (query_take_word(p, WORD_AND))
		condition(p, c);
	query_want_word(p, WORD_THEN);
	if (query_take_words(p, WORD_UPDATE, WORD_SET))
		set_list(p, c);
	else if (query_take_word(p, WORD_INSERT))
		merge_insert(p, c);
	else if (!query_take_word(p, WORD_DELETE))
		query_want_words(p, WORD_DO, WORD_NOTHING);
}

static struct query *
merge(struct parser *p)
{
	struct change c;
	struct query *q = begin_change(p, &c, QUERY_MERGE);

	query_want_word(p, WORD_INTO);
	q->relation = query_changed_relation(p);
	query_want_word(p, WORD_USING);
	q->from = query_table_reference(p);
	query_want_word(p, WORD_ON);
	condition(p, &c);
	do {
		merge_when(p, &c);
	} while (query_peek_word(p, 0) == WORD_WHEN);
	return end_change(p, &c);
}

/* -------------------------------------------------------------------------- */

struct query *
query_any_query(struct parser *p)
{
	unsigned height = query_begin(p);
	struct with_query *with = query_with_clause(p);
	struct query *q;

	switch (query_peek_word(p, 0)) {
	case WORD_INSERT:
		q = insert(p);
		break;
	case WORD_UPDATE:
		q = update(p);
		break;
	case WORD_DELETE:
		q = delete (p);
		break;
	case WORD_MERGE:
		q = merge(p);
		break;
	default:
		return query_end(p, query_select_body(p, NULL, with), height);
	}
	q->with = with;
	return query_end(p, q, height);
}
