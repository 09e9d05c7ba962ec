/*
 * query_combine.c - UNION, INTERSECT, EXCEPT, and what stands around a query.
 *
 * The one rule: ORDER BY, LIMIT and what follows belong to the whole, unless
 * parentheses say otherwise; INTERSECT binds tighter than UNION and EXCEPT.
 */
#include "common/query_inner.h"

struct query *
query_build_query(struct parser *p, enum query_kind kind)
{
	struct query *q = query_build(p, sizeof(*q));

	q->kind = kind;
	return q;
}

/* VALUES is a name, too: of a column or of a relation. */
bool
query_starts_query(const struct parser *p)
{
	switch (query_peek_word(p, 0)) {
	case WORD_SELECT:
	case WORD_TABLE:
	case WORD_WITH:
		return true;
	case WORD_VALUES:
		return query_peek_is(p, 1, '(');
	default:
		return false;
	}
}

bool
query_continues_query(const struct parser *p)
{
	switch (query_peek_word(p, 0)) {
	case WORD_UNION:
	case WORD_INTERSECT:
	case WORD_EXCEPT:
	case WORD_ORDER:
	case WORD_LIMIT:
	case WORD_OFFSET:
	case WORD_FETCH:
	case WORD_FOR:
		return true;
	default:
		return false;
	}
}

struct query *
query_in_parentheses(struct parser *p)
{
	struct parenthesized in;

	query_parentheses(p, &in);
	if (in.query != NULL)
		return in.query;
	query_decline(p, "a query was expected");
	return query_build_query(p, QUERY_SELECT);
}

/* --- what combines them --------------------------------------------------- */

static struct query *
combine(struct parser *p, enum set_operation operation, struct query *left)
{
	struct query *q = query_build_query(p, QUERY_SET_OPERATION);

	query_skip(p, 1);
	q->operation = operation;
	q->left = left;
	q->is_all = query_take_word(p, WORD_ALL);
	if (!q->is_all)
		query_take_word(p, WORD_DISTINCT);
	query_grow(p);
	return q;
}

static struct query *
intersections(struct parser *p, struct query *left)
{
	while (query_peek_word(p, 0) == WORD_INTERSECT) {
		left = combine(p, SET_INTERSECT, left);
		left->right = query_operand(p);
	}
	return left;
}

static struct query *
set_operations(struct parser *p, struct query *left)
{
	left = intersections(p, left);
	for (;;) {
		if (query_peek_word(p, 0) == WORD_UNION)
			left = combine(p, SET_UNION, left);
		else if (query_peek_word(p, 0) == WORD_EXCEPT)
			left = combine(p, SET_EXCEPT, left);
		else
			return left;
		left->right = intersections(p, query_operand(p));
	}
}

/* --- around a query ------------------------------------------------------- */

static bool
take_rows(struct parser *p)
{
	return query_take_word(p, WORD_ROW) || query_take_word(p, WORD_ROWS);
}

/* FETCH FIRST [n] ROWS ONLY | WITH TIES */
static void
fetch(struct parser *p, struct query *q)
{
	bool is_row = query_peek_word(p, 0) == WORD_FIRST ||
		      query_peek_word(p, 0) == WORD_NEXT;
	enum query_word after = query_peek_word(p, 2);

	if (!is_row)
		query_decline(p, "FIRST was expected");
	else
		query_skip(p, 1);
	is_row = query_peek_word(p, 0) == WORD_ROW ||
		 query_peek_word(p, 0) == WORD_ROWS;
	if (!is_row) {
		if (query_peek_operator(p, 0, "+") ||
		    query_peek_operator(p, 0, "-"))
			query_skip(p, 1);
		q->limit = query_primary(p);
	} else if (after != WORD_ONLY && after != WORD_WITH) {
		query_decline(p, "ROW as a count");
	}
	if (!take_rows(p))
		query_decline(p, "ROWS was expected");
	if (!query_take_word(p, WORD_ONLY))
		query_want_words(p, WORD_WITH, WORD_TIES);
}

static bool
limit(struct parser *p, struct query *q)
{
	if (q->limit != NULL)
		return false;
	if (query_take_word(p, WORD_FETCH)) {
		fetch(p, q);
		return true;
	}
	if (!query_take_word(p, WORD_LIMIT))
		return false;
	if (!query_take_word(p, WORD_ALL))
		q->limit = query_expression(p);
	return true;
}

static bool
offset(struct parser *p, struct query *q)
{
	if (q->offset != NULL || !query_take_word(p, WORD_OFFSET))
		return false;
	q->offset = query_expression(p);
	take_rows(p);
	return true;
}

/* FOR UPDATE [OF a, b] [NOWAIT | SKIP LOCKED] */
static bool
locking(struct parser *p)
{
	if (query_peek_word(p, 0) != WORD_FOR)
		return false;
	query_skip(p, 1);
	if (query_take_words(p, WORD_READ, WORD_ONLY))
		return true;
	if (query_take_word(p, WORD_NO)) {
		query_want_words(p, WORD_KEY, WORD_UPDATE);
	} else if (!query_take_word(p, WORD_UPDATE)) {
		query_take_word(p, WORD_KEY);
		query_want_word(p, WORD_SHARE);
	}
	if (query_take_word(p, WORD_OF)) {
		do {
			query_qualified_name(p);
		} while (query_take(p, ','));
	}
	if (!query_take_word(p, WORD_NOWAIT))
		query_take_words(p, WORD_SKIP, WORD_LOCKED);
	return true;
}

/* ORDER BY, then LIMIT, OFFSET and FOR in any order. */
static void
tail(struct parser *p, struct query *q)
{
	struct expressions order;

	query_expressions_init(&order);
	query_order_by(p, &order);
	if (order.count > 0 && q->order_by != NULL)
		query_decline(p, "ORDER BY twice");
	if (order.count > 0)
		q->order_by = order.first;
	while (limit(p, q) || offset(p, q) || locking(p))
		continue;
}

/* A query that stood in parentheses has what is said after them, unless it
 * said so itself. */
static void
add_with(struct parser *p, struct query *q, struct with_query *with)
{
	if (with != NULL && q->with != NULL)
		query_decline(p, "WITH twice");
	if (with != NULL)
		q->with = with;
}

unsigned
query_begin(struct parser *p)
{
	unsigned height = p->height;

	query_descend(p);
	p->height = 0;
	return height;
}

struct query *
query_end(struct parser *p, struct query *q, unsigned height)
{
	q->height = p->height;
	query_grow(p);
	if (p->height < height)
		p->height = height;
	query_ascend(p);
	return q;
}

struct query *
query_select_body(struct parser *p, struct query *left, struct with_query *with)
{
	struct query *q;

	q = set_operations(p, left == NULL ? query_operand(p) : left);
	add_with(p, q, with);
	tail(p, q);
	return q;
}

struct query *
query_select_query(struct parser *p, struct query *left)
{
	unsigned height = query_begin(p);
	struct with_query *with = NULL;

	if (left == NULL)
		with = query_with_clause(p);
	else
		p->height = left->height;
	return query_end(p, query_select_body(p, left, with), height);
}
