/*
 * query_primary.c - what operators stand between: constants, columns,
 * parentheses, CASE, ARRAY, calls.
 *
 * The one rule: what a word is, is said by its place in the server's list of
 * keywords. One that may be a name here and something else in another version
 * is declined.
 */
#include "common/query_inner.h"

/* --- columns and what follows a value ------------------------------------- */

static struct expression *
field(struct parser *p, struct expression *base)
{
	struct expression *e =
	    query_build_expression(p, EXPR_FIELD, base->first);
	struct expressions of;

	query_expressions_init(&of);
	query_expressions_add(p, &of, base);
	query_want(p, '.');
	if (!query_take_operator(p, "*"))
		e->name = query_name_of(p, query_label(p));
	else if (query_peek_is(p, 0, '.') || query_peek_is(p, 0, '['))
		query_decline(p, "something after a star");
	return query_finish(p, e, &of);
}

static struct expression *
subscript(struct parser *p, struct expression *base)
{
	struct expression *e =
	    query_build_expression(p, EXPR_INDEX, base->first);
	struct expressions of;

	query_expressions_init(&of);
	query_expressions_add(p, &of, base);
	query_want(p, '[');
	if (!query_peek_is(p, 0, ':'))
		query_expressions_add(p, &of, query_expression(p));
	if (query_take(p, ':') && !query_peek_is(p, 0, ']'))
		query_expressions_add(p, &of, query_expression(p));
	query_want(p, ']');
	return query_finish(p, e, &of);
}

struct expression *
query_indirection(struct parser *p, struct expression *base)
{
	for (;;) {
		if (query_peek_is(p, 0, '.'))
			base = field(p, base);
		else if (query_peek_is(p, 0, '['))
			base = subscript(p, base);
		else
			return base;
	}
}

/* a, t.a, s.t.a, t.*, a[1].b */
static struct expression *
column(struct parser *p)
{
	size_t first = p->at;
	struct dotted name = {0};
	enum expression_kind kind = EXPR_COLUMN;
	struct expression *e;

	query_dotted_add(p, &name, query_column_name(p));
	while (kind == EXPR_COLUMN && query_take(p, '.')) {
		if (query_take_operator(p, "*"))
			kind = EXPR_STAR;
		else
			query_dotted_add(p, &name, query_label(p));
	}
	e = query_build_expression(p, kind, first);
	e->name = name;
	if (kind == EXPR_COLUMN)
		return query_indirection(p, e);
	if (query_peek_is(p, 0, '.') || query_peek_is(p, 0, '['))
		query_decline(p, "something after a star");
	return e;
}

/* --- parentheses ---------------------------------------------------------- */

struct expression *
query_subquery(
    struct parser *p, struct query *q, enum subquery_use use, size_t first)
{
	struct expression *e = query_build_expression(p, EXPR_QUERY, first);

	e->use = use;
	e->query = q;
	e->height = q->height + 1;
	return e;
}

/* After `((`: whatever the inner parentheses hold may be a query's first
 * operand or an expression's. */
static void
inner_parentheses(struct parser *p, struct parenthesized *out)
{
	struct parenthesized inner;
	struct expression *left;

	query_parentheses(p, &inner);
	if (inner.query != NULL && query_peek_is(p, 0, ')')) {
		out->query = inner.query;
		return;
	}
	if (inner.query != NULL && query_continues_query(p)) {
		out->query = query_select_query(p, inner.query);
		return;
	}
	left = query_parenthesized_value(p, &inner);
	query_expressions_add(p, &out->list, query_expression_from(p, left));
	if (query_take(p, ','))
		query_expression_list(p, &out->list);
}

void
query_parentheses(struct parser *p, struct parenthesized *out)
{
	out->query = NULL;
	out->first = p->at;
	query_expressions_init(&out->list);
	query_descend(p);
	query_want(p, '(');
	if (query_starts_query(p))
		out->query = query_select_query(p, NULL);
	else if (query_peek_is(p, 0, '('))
		inner_parentheses(p, out);
	else
		query_expression_list(p, &out->list);
	query_want(p, ')');
	query_ascend(p);
}

/* row OVERLAPS row */
static struct expression *
overlaps(struct parser *p, struct expression *left)
{
	struct expression *e, *right;
	struct expressions rows;

	if (!query_take_word(p, WORD_OVERLAPS))
		return left;
	e = query_build_expression(p, EXPR_OPERATOR, left->first);
	e->name = query_name_of(p, TEXT("overlaps"));
	query_expressions_init(&rows);
	query_expressions_add(p, &rows, left);
	right = query_peek_is(p, 0, '(') || query_peek_word(p, 0) == WORD_ROW
		    ? query_primary(p)
		    : left;
	if (right->kind != EXPR_ROW)
		query_decline(p, "OVERLAPS without a row");
	query_expressions_add(p, &rows, right);
	return query_finish(p, e, &rows);
}

struct expression *
query_parenthesized_value(struct parser *p, struct parenthesized *in)
{
	struct expression *e;

	if (in->query != NULL)
		return query_indirection(
		    p, query_subquery(p, in->query, SUBQUERY_VALUE, in->first));
	if (in->list.count > 1) {
		e = query_build_expression(p, EXPR_ROW, in->first);
		return overlaps(p, query_finish(p, e, &in->list));
	}
	e = in->list.first;
	if (p->error != ERR_NONE)
		return query_build_expression(p, EXPR_CONSTANT, in->first);
	e->first = in->first;
	e->end = p->at;
	return query_indirection(p, e);
}

/* --- words that begin an expression --------------------------------------- */

/* N'…' is a constant of type char. */
static struct expression *
plain_constant(struct parser *p)
{
	const struct token *t = query_peek(p, 0);
	struct expression *e;

	query_skip(p, 1);
	e = query_build_expression(p, EXPR_CONSTANT, p->at - 1);
	if (t->kind == TOKEN_STRING && (t->raw.at[0] | 0x20) == 'n')
		e->name = query_name_of(p, TEXT("bpchar"));
	return e;
}

static struct expression *
case_expression(struct parser *p)
{
	struct expression *e = query_build_expression(p, EXPR_CASE, p->at);
	struct expressions parts;

	query_want_word(p, WORD_CASE);
	query_expressions_init(&parts);
	if (query_peek_word(p, 0) != WORD_WHEN)
		query_expressions_add(p, &parts, query_expression(p));
	do {
		query_want_word(p, WORD_WHEN);
		query_expressions_add(p, &parts, query_expression(p));
		query_want_word(p, WORD_THEN);
		query_expressions_add(p, &parts, query_expression(p));
	} while (query_peek_word(p, 0) == WORD_WHEN);
	if (query_take_word(p, WORD_ELSE))
		query_expressions_add(p, &parts, query_expression(p));
	query_want_word(p, WORD_END);
	return query_finish(p, e, &parts);
}

/* [ … ], whose elements may be such lists themselves */
static struct expression *
array_list(struct parser *p, size_t first)
{
	struct expression *e = query_build_expression(p, EXPR_ARRAY, first);
	struct expressions elements;

	query_descend(p);
	query_expressions_init(&elements);
	query_want(p, '[');
	if (!query_peek_is(p, 0, ']')) {
		do {
			query_expressions_add(p, &elements,
			    query_peek_is(p, 0, '[') ? array_list(p, p->at)
						     : query_expression(p));
		} while (query_take(p, ','));
	}
	query_want(p, ']');
	query_ascend(p);
	return query_finish(p, e, &elements);
}

static struct expression *
array(struct parser *p)
{
	size_t first = p->at;

	query_want_word(p, WORD_ARRAY);
	if (query_peek_is(p, 0, '['))
		return array_list(p, first);
	return query_subquery(
	    p, query_in_parentheses(p), SUBQUERY_ARRAY, first);
}

static struct expression *
exists(struct parser *p)
{
	size_t first = p->at;

	query_want_word(p, WORD_EXISTS);
	return query_subquery(
	    p, query_in_parentheses(p), SUBQUERY_EXISTS, first);
}

/* ROW ( … ) */
static struct expression *
explicit_row(struct parser *p)
{
	struct expression *e = query_build_expression(p, EXPR_ROW, p->at);
	struct expressions values;

	query_want_word(p, WORD_ROW);
	query_expressions_init(&values);
	query_want(p, '(');
	if (!query_peek_is(p, 0, ')'))
		query_expression_list(p, &values);
	query_want(p, ')');
	return overlaps(p, query_finish(p, e, &values));
}

static struct expression *
word(struct parser *p)
{
	bool opens = query_peek_is(p, 1, '(');

	switch (query_peek_word(p, 0)) {
	case WORD_TRUE:
	case WORD_FALSE:
	case WORD_NULL:
		return plain_constant(p);
	case WORD_CASE:
		return case_expression(p);
	case WORD_ARRAY:
		return array(p);
	case WORD_EXISTS:
		return opens ? exists(p) : column(p);
	case WORD_ROW:
		return opens ? explicit_row(p) : column(p);
	default:
		break;
	}
	if (query_is_typed_constant(p))
		return query_typed_constant(p);
	return query_is_call(p) ? query_call(p, false) : column(p);
}

/* A query, a value or a row. */
static struct expression *
in_parentheses(struct parser *p)
{
	struct parenthesized in;

	query_parentheses(p, &in);
	return query_parenthesized_value(p, &in);
}

struct expression *
query_primary(struct parser *p)
{
	const struct token *t = query_peek(p, 0);

	if (t == NULL) {
		query_decline(p, "an expression was expected");
		return query_build_expression(p, EXPR_CONSTANT, p->at);
	}
	switch (t->kind) {
	case TOKEN_STRING:
	case TOKEN_NUMBER:
		return plain_constant(p);
	case TOKEN_PARAMETER:
		query_skip(p, 1);
		return query_indirection(
		    p, query_build_expression(p, EXPR_PARAMETER, p->at - 1));
	case TOKEN_WORD:
	case TOKEN_QUOTED:
		return word(p);
	case TOKEN_PUNCTUATION:
		if (query_peek_is(p, 0, '('))
			return in_parentheses(p);
		break;
	case TOKEN_OPERATOR:
		break;
	}
	query_decline(p, "an expression was expected");
	return query_build_expression(p, EXPR_CONSTANT, p->at);
}
