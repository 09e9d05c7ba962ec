/*
 * flow_use.c - what the clauses of a query do with protected values.
 *
 * The rule: an output is masked, so it may hold anything that cannot fail;
 * everywhere else only `column = constant` tells nobody more than the
 * constant he brought.
 */
#include "common/flow_inner.h"

enum { ORDINAL_MAX = 1000000 /* more than any query has columns */ };

static struct text
column_in(
    struct tracer *t, const struct scope *s, const struct expression *e)
{
	struct text found = {NULL, 0};
	const struct expression *c;

	if (e->kind == EXPR_COLUMN && e->name.count > 0 &&
	    taint_of(t, s, e) != TAINT_NONE)
		return e->name.parts[e->name.count - 1];
	for (c = e->children; c != NULL && found.len == 0; c = c->next)
		found = column_in(t, s, c);
	return found;
}

/* The function whose result may be protected whatever it is given. */
static struct text
function_in(struct tracer *t, const struct expression *e)
{
	struct text found = {NULL, 0};
	const struct expression *c;

	if (e->kind == EXPR_CALL && e->name.count > 0 &&
	    t->facts->returns(t->facts->context, &e->name, false) !=
		TAINT_NONE)
		return e->name.parts[e->name.count - 1];
	for (c = e->children; c != NULL && found.len == 0; c = c->next)
		found = function_in(t, c);
	return found;
}

/* The first use of its kind is told. */
static void
note(struct flow_use *use, struct text column, const char *where)
{
	if (use->where == NULL)
		*use = (struct flow_use){column, false, where};
}

static void
note_expression(struct tracer *t, const struct scope *s, struct flow_use *use,
    const struct expression *e, const char *where)
{
	if (use->where != NULL)
		return;
	note(use, column_in(t, s, e), where);
	if (use->column.len > 0)
		return;
	use->column = function_in(t, e);
	use->is_function = use->column.len > 0;
}

/* --- column = constant ---------------------------------------------------- */

bool
flow_is_plain_type(const struct dotted *name)
{
	static const struct text types[] = {{"text", 4}, {"varchar", 7},
	    {"bpchar", 6}, {"character", 9}, {"char", 4}, {"name", 4},
	    {"int2", 4}, {"int4", 4}, {"int8", 4}, {"smallint", 8}, {"int", 3},
	    {"integer", 7}, {"bigint", 6}, {"numeric", 7}, {"decimal", 7},
	    {"date", 4}, {"uuid", 4}, {"time", 4}, {"timetz", 6},
	    {"timestamp", 9}, {"timestamptz", 11}, {"bool", 4}, {"boolean", 7},
	    {"bytea", 5}, {"inet", 4}};
	size_t i;

	if (name->count == 0)
		return true;
	if (name->count > 1 &&
	    !text_is(name->parts[name->count - 2], TEXT("pg_catalog")))
		return false;
	for (i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (text_is(name->parts[name->count - 1], types[i]))
			return true;
	}
	return false;
}

static bool
is_constant(const struct expression *e)
{
	while (e->kind == EXPR_CAST && flow_is_plain_type(&e->name))
		e = e->children;
	return e->kind == EXPR_PARAMETER ||
	       (e->kind == EXPR_CONSTANT && flow_is_plain_type(&e->name));
}

static bool
is_equality(
    struct tracer *t, const struct scope *s, const struct expression *e)
{
	const struct expression *a = e->children, *b;

	if (e->kind != EXPR_OPERATOR || e->is_qualified || e->is_over_array ||
	    e->name.count != 1 ||
	    !text_is(e->name.parts[0], TEXT("=")) ||
	    t->facts->operator_totality(
		t->facts->context, e->name.parts[0]) == TOTAL_NEVER || a == NULL ||
	    a->next == NULL || a->next->next != NULL)
		return false;
	b = a->next;
	if (a->kind != EXPR_COLUMN) {
		b = a;
		a = a->next;
	}
	return a->kind == EXPR_COLUMN && taint_of(t, s, a) == TAINT_PLAIN &&
	       is_constant(b);
}

static bool
is_connective(const struct expression *e)
{
	return e->kind == EXPR_OPERATOR && e->name.count == 1 &&
	       (text_is(e->name.parts[0], TEXT("and")) ||
		   text_is(e->name.parts[0], TEXT("or")) ||
		   text_is(e->name.parts[0], TEXT("not")));
}

/* --- what decides --------------------------------------------------------- */

static void use_condition(struct tracer *t, const struct scope *s,
    const struct expression *e, const char *where);

static void
use_conditions(struct tracer *t, const struct scope *s,
    const struct expression *e, const char *where)
{
	for (; e != NULL; e = e->next)
		use_condition(t, s, e, where);
}

static void
use_condition(struct tracer *t, const struct scope *s,
    const struct expression *e, const char *where)
{
	if (is_connective(e)) {
		use_conditions(t, s, e->children, where);
		return;
	}
	if (is_equality(t, s, e)) {
		note_expression(t, s, &t->out->equality, e, where);
		return;
	}
	if (taint_of(t, s, e) == TAINT_NONE)
		return;
	note_expression(t, s, &t->out->guess, e, where);
	if (taint_is_stored(t, e))
		note_expression(t, s, &t->out->copy, e, "a function");
}

/* The number that the expression is, perhaps in parentheses; NULL: none. */
static const struct token *
number_in(const struct expression *e, const struct token *tokens)
{
	const struct token *found = NULL;
	size_t i;

	if (e->kind != EXPR_CONSTANT)
		return NULL;
	for (i = e->first; i < e->end; i++) {
		if (token_is_mark(&tokens[i], '(') ||
		    token_is_mark(&tokens[i], ')'))
			continue;
		if (found != NULL || tokens[i].kind != TOKEN_NUMBER)
			return NULL;
		found = &tokens[i];
	}
	return found;
}

/* The column that a number means; 0: it is no whole one. One that is written
 * in another way than in decimal digits is taken for the last of all. */
static size_t
ordinal_of(struct text digits)
{
	size_t i, n = 0;

	for (i = 0; i < digits.len; i++) {
		char c = digits.at[i];

		if (c == '.' || c == 'e' || c == 'E')
			return 0;
		if (c < '0' || c > '9')
			return ORDINAL_MAX;
		n = n * 10 + (size_t)(c - '0');
		if (n > ORDINAL_MAX)
			n = ORDINAL_MAX;
	}
	return n;
}

/* ORDER BY 2 and ORDER BY name may mean an output. False: this does not. */
static bool
means_output(struct tracer *t, const struct flow_columns *outputs,
    const struct expression *e, enum taint *taint_out)
{
	const struct token *number = number_in(e, t->tokens);
	size_t n = 0;

	*taint_out = TAINT_NONE;
	if (number != NULL) {
		n = ordinal_of(number->raw);
		/* where all are alike it doesn't matter which is meant */
		t->out->reads_literals |= columns_any(outputs) != TAINT_NONE;
	}
	if (n > 0) {
		*taint_out = outputs->is_exact && n <= outputs->count
				 ? outputs->at[n - 1].taint
				 : columns_any(outputs);
		return true;
	}
	if (e->kind != EXPR_COLUMN || e->name.count != 1)
		return false;
	*taint_out = columns_named(t, outputs, e->name.parts[0]);
	return columns_has(t, outputs, e->name.parts[0]);
}

/* GROUP BY name means an output only where no column has that name. */
static void
use_sorting(struct tracer *t, const struct scope *s,
    const struct expression *e, const struct flow_columns *outputs,
    const char *where, bool columns_first)
{
	enum taint taint;

	for (; e != NULL; e = e->next) {
		bool is_output;

		if (columns_first && key_decides(t, s->query, e))
			continue;
		is_output = means_output(t, outputs, e, &taint);

		/* GROUP BY (1, 2) */
		if (e->kind == EXPR_ROW)
			use_sorting(t, s, e->children, outputs, where,
			    columns_first);
		if (!is_output)
			use_condition(t, s, e, where);
		else if (columns_first && e->kind == EXPR_COLUMN)
			taint = taint_max(
			    taint, names_known_column(t, s, &e->name));
		if (taint != TAINT_NONE)
			note(&t->out->guess,
			    e->kind == EXPR_COLUMN ? e->name.parts[0]
						   : (struct text){NULL, 0},
			    where);
	}
}

/* --- outputs -------------------------------------------------------------- */

/* A plain column leaves masked; what is computed must not tell by failing. */
static void
use_output(
    struct tracer *t, const struct scope *s, const struct expression *e)
{
	if (e->kind == EXPR_STAR || taint_of(t, s, e) == TAINT_NONE)
		return;
	if (taint_is_stored(t, e))
		note_expression(t, s, &t->out->copy, e, "a function");
	if (e->kind == EXPR_COLUMN)
		return;
	if (!taint_is_total(t, s, e))
		note_expression(t, s, &t->out->guess, e,
		    "an expression that may fail, sort or return rows");
}

static void
use_values(
    struct tracer *t, const struct scope *s, const struct expression *e)
{
	for (; e != NULL; e = e->next)
		use_output(t, s, e);
}

/* Nothing of the statement's own is among the rows: tables alone. */
static bool
has_only_tables(const struct tracer *t, const struct from_item *item)
{
	size_t i;

	if (item->kind == FROM_JOIN)
		return has_only_tables(t, item->left) &&
		       has_only_tables(t, item->right);
	for (i = 0; i < t->with_count; i++) {
		if (item->kind == FROM_RELATION && item->name.count == 1 &&
		    text_is(t->withs[i]->name, item->name.parts[0]))
			return false;
	}
	return item->kind == FROM_RELATION;
}

/* SELECT DISTINCT of a table's values as they are tells how many there are;
 * among the client's own it would tell which. */
static void
use_distinct(struct tracer *t, const struct query *q,
    const struct flow_columns *outputs)
{
	enum taint any = columns_any(outputs);
	const struct from_item *item;
	struct text nothing = {NULL, 0};

	if (!q->is_distinct || q->distinct_on != NULL || any == TAINT_NONE)
		return;
	for (item = q->from; item != NULL; item = item->next) {
		if (!has_only_tables(t, item))
			any = TAINT_DERIVED;
	}
	note(any == TAINT_PLAIN ? &t->out->equality : &t->out->guess, nothing,
	    "DISTINCT");
}

/* Rows that are equal become one, or none. Both sides count: EXCEPT's output
 * is its left side's alone. */
static void
use_set_operation(struct tracer *t, const struct query *q)
{
	static const char *const names[] = {[SET_UNION] = "UNION",
	    [SET_INTERSECT] = "INTERSECT",
	    [SET_EXCEPT] = "EXCEPT"};
	struct text nothing = {NULL, 0};

	if (q->kind != QUERY_SET_OPERATION ||
	    (q->operation == SET_UNION && q->is_all))
		return;
	if (columns_any(&t->of_query[q->left->number]) != TAINT_NONE ||
	    columns_any(&t->of_query[q->right->number]) != TAINT_NONE)
		note(&t->out->guess, nothing, names[q->operation]);
}

/* --- what is written ------------------------------------------------------ */

static void
use_written(struct tracer *t, const struct scope *s, const struct query *q)
{
	const struct assignment *a;

	for (a = q->assignments; a != NULL; a = a->next) {
		if (taint_of(t, s, a->value) != TAINT_NONE)
			note_expression(
			    t, s, &t->out->copy, a->value, "an assignment");
	}
	if (q->source != NULL &&
	    columns_any(&t->of_query[q->source->number]) != TAINT_NONE)
		note(&t->out->copy, (struct text){NULL, 0}, "INSERT");
	if (q->into.count > 0 &&
	    columns_any(&t->of_query[q->number]) != TAINT_NONE)
		note(&t->out->copy, (struct text){NULL, 0}, "INTO");
}

/* ON CONFLICT (column): is there a row with this value of mine? */
static void
use_conflict(struct tracer *t, const struct scope *s, const struct query *q)
{
	const struct expression *e;

	for (e = q->conflict; e != NULL; e = e->next) {
		if (taint_of(t, s, e) == TAINT_NONE)
			continue;
		note_expression(t, s,
		    e->kind == EXPR_COLUMN ? &t->out->equality
					   : &t->out->guess,
		    e, "ON CONFLICT");
	}
}

/* --- FROM ----------------------------------------------------------------- */

static void
use_merged(struct tracer *t, const struct from_item *item)
{
	const struct flow_columns *left = &t->of_item[item->left->number];
	const struct flow_columns *right = &t->of_item[item->right->number];
	size_t i;

	for (i = 0; i < item->using_count; i++) {
		struct text name = item->using_columns[i];

		if (columns_named(t, left, name) != TAINT_NONE ||
		    columns_named(t, right, name) != TAINT_NONE)
			note(&t->out->guess, name, "JOIN USING");
	}
	if (!item->is_natural)
		return;
	for (i = 0; i < left->count; i++) {
		struct text name = left->at[i].name;

		if ((columns_has(t, right, name) || right->is_open) &&
		    taint_max(left->at[i].taint,
			columns_named(t, right, name)) != TAINT_NONE)
			note(&t->out->guess, name, "NATURAL JOIN");
	}
	if (left->is_open && columns_any(right) != TAINT_NONE)
		note(&t->out->guess, (struct text){NULL, 0}, "NATURAL JOIN");
}

void
use_of_item(
    struct tracer *t, const struct scope *s, const struct from_item *item)
{
	struct scope inside = *s;

	inside.is_unsure = true; /* only the join's own two sides */
	switch (item->kind) {
	case FROM_JOIN:
		if (item->on != NULL)
			use_condition(t, &inside, item->on, "JOIN");
		use_merged(t, item);
		break;
	case FROM_FUNCTION:
		use_conditions(t, &inside, item->calls, "a function in FROM");
		break;
	default:
		break;
	}
	use_conditions(t, &inside, item->sample, "TABLESAMPLE");
}

/* --- the clauses ---------------------------------------------------------- */

void
use_of_query(struct tracer *t, const struct scope *s, const struct query *q,
    const struct flow_columns *outputs)
{
	const struct target *target;
	const struct row *row;

	for (target = q->targets; target != NULL; target = target->next)
		use_output(t, s, target->value);
	for (row = q->rows; row != NULL; row = row->next)
		use_values(t, s, row->values);
	use_conditions(t, s, q->where, "WHERE");
	use_sorting(t, s, q->distinct_on, outputs, "DISTINCT ON", false);
	use_sorting(t, s, q->group_by, outputs, "GROUP BY", true);
	use_conditions(t, s, q->having, "HAVING");
	use_conditions(t, s, q->windows, "a window");
	use_sorting(t, s, q->order_by, outputs, "ORDER BY", false);
	use_conditions(t, s, q->limit, "LIMIT");
	use_conditions(t, s, q->offset, "OFFSET");
	use_conditions(t, s, q->conditions, "a condition");
	use_conflict(t, s, q);
	use_distinct(t, q, outputs);
	use_set_operation(t, q);
	use_written(t, s, q);
}
