/*
 * flow.c - where the values of protected columns get to in one statement.
 *
 * The tree is gone over in rounds: what a query's outputs can hold depends on
 * what is in its FROM, and that on other queries' outputs.  How values are
 * used is noted as well; it is true of the round that changes nothing.
 */
#include "common/flow_inner.h"

enum {
	DEPTH_MAX = 4000, /* of expressions: a + b + c + … */
	TOKENS_MAX = 100000,
};

/* --- over a query's expressions ------------------------------------------- */

static void
each_of(const struct expression *e,
    void (*visit)(void *context, const struct expression *e), void *context)
{
	for (; e != NULL; e = e->next)
		visit(context, e);
}

void
query_each(const struct query *q,
    void (*visit)(void *context, const struct expression *e), void *context)
{
	const struct expression *lists[] = {q->where, q->distinct_on,
	    q->group_by, q->having, q->windows, q->order_by, q->limit,
	    q->offset, q->conditions, q->conflict};
	const struct assignment *a;
	const struct target *target;
	const struct row *row;
	size_t i;

	for (target = q->targets; target != NULL; target = target->next)
		visit(context, target->value);
	for (row = q->rows; row != NULL; row = row->next)
		each_of(row->values, visit, context);
	for (a = q->assignments; a != NULL; a = a->next)
		each_of(a->value, visit, context);
	for (i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		each_of(lists[i], visit, context);
}

/* --- numbers -------------------------------------------------------------- */

/* Everything gets its number, and nothing may be too deep for what follows. */
struct count {
	struct tracer *tracer;
	size_t depth;
};

static void number_query(struct count *c, struct query *q);

static void
number_expression(void *context, const struct expression *e)
{
	struct count *c = context;
	const struct expression *child;

	if (++c->depth > DEPTH_MAX)
		c->tracer->declined = "it is too deeply nested";
	if (c->tracer->declined == NULL) {
		for (child = e->children; child != NULL; child = child->next)
			number_expression(c, child);
		if (e->kind == EXPR_QUERY)
			number_query(c, e->query);
	}
	c->depth--;
}

static void
number_item(struct count *c, struct from_item *item)
{
	item->number = c->tracer->item_count++;
	each_of(item->calls, number_expression, c);
	each_of(item->sample, number_expression, c);
	if (item->query != NULL)
		number_query(c, item->query);
	if (item->kind != FROM_JOIN)
		return;
	number_item(c, item->left);
	number_item(c, item->right);
	each_of(item->on, number_expression, c);
}

static void
number_query(struct count *c, struct query *q)
{
	struct with_query *w;
	struct from_item *item;

	q->number = c->tracer->query_count++;
	for (w = q->with; w != NULL; w = w->next) {
		c->tracer->with_room++;
		number_query(c, w->query);
		each_of(w->compared, number_expression, c);
	}
	for (item = q->from; item != NULL; item = item->next)
		number_item(c, item);
	if (q->relation != NULL)
		number_item(c, q->relation);
	if (q->left != NULL) {
		number_query(c, q->left);
		number_query(c, q->right);
	}
	if (q->source != NULL)
		number_query(c, q->source);
	query_each(q, number_expression, c);
}

static enum err
make_tables(struct tracer *t)
{
	struct count c = {t, 0};
	struct flow_columns nothing = {.is_open = true};
	size_t i;

	number_query(&c, t->tree.query);
	t->of_query =
	    arena_array(t->arena, t->query_count, sizeof(*t->of_query));
	t->of_item = arena_array(t->arena, t->item_count, sizeof(*t->of_item));
	t->of_relation =
	    arena_array(t->arena, t->item_count, sizeof(*t->of_relation));
	t->of_calls =
	    arena_array(t->arena, t->item_count, sizeof(*t->of_calls));
	t->withs = arena_array(t->arena, t->with_room, sizeof(*t->withs));
	if (t->of_query == NULL || t->of_item == NULL || t->of_relation == NULL ||
	    t->of_calls == NULL || t->withs == NULL)
		return ERR_MEMORY;
	for (i = 0; i < t->query_count; i++)
		t->of_query[i] = nothing;
	for (i = 0; i < t->item_count; i++)
		t->of_item[i] = nothing;
	return ERR_NONE;
}

/* --- a round -------------------------------------------------------------- */

struct round { /* what is handed down to expressions */
	struct tracer *tracer;
	const struct scope *scope;
};

static void trace_query(
    struct tracer *t, const struct query *q, const struct scope *outer);

static void
trace_expression(void *context, const struct expression *e)
{
	struct round *r = context;
	const struct expression *c;

	if (e->kind == EXPR_QUERY)
		trace_query(r->tracer, e->query, r->scope);
	for (c = e->children; c != NULL; c = c->next)
		trace_expression(context, c);
}

static void
trace_item(struct tracer *t, const struct scope *s, const struct from_item *item)
{
	struct round r = {t, s};
	const struct expression *call;
	enum taint taint;

	each_of(item->calls, trace_expression, &r);
	each_of(item->sample, trace_expression, &r);
	if (item->kind == FROM_QUERY)
		trace_query(t, item->query, s);
	if (item->kind == FROM_JOIN) {
		trace_item(t, s, item->left);
		trace_item(t, s, item->right);
		each_of(item->on, trace_expression, &r);
	}
	for (call = item->calls; call != NULL; call = call->next) {
		taint = taint_of(t, s, call);
		if (taint == TAINT_NONE || t->of_calls[item->number] != 0)
			continue;
		t->of_calls[item->number] = TAINT_DERIVED;
		t->is_changed = true;
	}
	if (!t->is_first)
		use_of_item(t, s, item);
}

static void
trace_with(struct tracer *t, const struct query *q, const struct scope *outer)
{
	const struct with_query *w;

	for (w = q->with; w != NULL; w = w->next) {
		trace_query(t, w->query, outer);
		if (t->is_first || w->compared == NULL)
			continue;
		/* which of its columns they are is not looked up */
		if (columns_any(&t->of_query[w->query->number]) != TAINT_NONE)
			t->out->guess = (struct flow_use){
			    .where = "SEARCH or CYCLE"};
	}
}

/* Constructs that the server names otherwise, or in some versions. */
static bool
is_renamed(struct text name)
{
	static const struct text names[] = {{"trim", 4}, {"extract", 7},
	    {"collation", 9}, {"treat", 5}, {"normalize", 9}};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (text_is(names[i], name))
			return true;
	}
	return false;
}

/* The name of an output that was given none; len 0: it may be any. */
static struct text
own_name(const struct expression *e)
{
	const struct text unknown = {NULL, 0};
	struct text last = unknown;

	if (e->name.count > 0)
		last = e->name.parts[e->name.count - 1];
	switch (e->kind) {
	case EXPR_COLUMN:
	case EXPR_FIELD:
		return last;
	case EXPR_CALL:
		return is_renamed(last) ? unknown : last;
	case EXPR_CAST: /* the name of what is cast, if that has one */
		return e->children->kind == EXPR_COLUMN ||
				e->children->kind == EXPR_CALL
			   ? own_name(e->children)
			   : unknown;
	case EXPR_QUERY:
		if (e->use != SUBQUERY_VALUE ||
		    e->query->kind != QUERY_SELECT ||
		    e->query->targets == NULL)
			return unknown;
		return e->query->targets->alias.len > 0
			   ? e->query->targets->alias
			   : own_name(e->query->targets->value);
	default:
		return unknown;
	}
}

static void
add_star(struct tracer *t, const struct scope *s, const struct expression *e,
    struct flow_columns *out)
{
	if (e->name.count > 0)
		names_of_qualified_star(t, s, &e->name, out);
	else
		names_of_star(t, s->query, out);
}

static void
outputs_of_targets(
    struct tracer *t, const struct scope *s, struct flow_columns *out)
{
	const struct target *target;

	for (target = s->query->targets; target != NULL;
	     target = target->next) {
		const struct expression *e = target->value;
		struct text name = target->alias;
		enum taint taint;

		if (e->kind == EXPR_STAR) {
			add_star(t, s, e, out);
			continue;
		}
		taint = taint_of(t, s, e);
		if (name.len == 0)
			name = own_name(e);
		if (e->kind == EXPR_FIELD && e->name.count == 0) {
			out->is_exact = false; /* (row).* */
			out->is_open = true;
		} else if (!columns_add(t, out, name, taint)) {
			return;
		}
		if (name.len == 0) {
			out->is_open = true;
			out->others = taint_max(out->others, taint);
		}
	}
}

/* Column by column, if both sides surely have as many. */
static void
outputs_of_sides(struct tracer *t, const struct query *q,
    struct flow_columns *out)
{
	const struct flow_columns *left = &t->of_query[q->left->number];
	const struct flow_columns *right = &t->of_query[q->right->number];
	bool is_exact = left->is_exact && right->is_exact &&
			left->count == right->count;
	enum taint any = taint_max(columns_any(left), columns_any(right));
	size_t i;

	*out = (struct flow_columns){.is_exact = is_exact,
	    .is_open = left->is_open,
	    .others = any};
	for (i = 0; i < left->count; i++)
		columns_add(t, out, left->at[i].name,
		    is_exact ? taint_max(left->at[i].taint, right->at[i].taint)
			     : any);
}

static void
outputs_of_rows(
    struct tracer *t, const struct scope *s, struct flow_columns *out)
{
	const struct expression *e;
	const struct row *row;
	size_t i;

	for (row = s->query->rows; row != NULL; row = row->next) {
		for (e = row->values, i = 0; e != NULL; e = e->next, i++) {
			enum taint taint = taint_of(t, s, e);

			if (i == out->count &&
			    !columns_add(t, out,
				text_of(arena_printf(
				    t->arena, "column%zu", i + 1)),
				TAINT_NONE))
				return;
			out->at[i].taint = taint_max(out->at[i].taint, taint);
		}
	}
}

static void
trace_outputs(struct tracer *t, const struct scope *s)
{
	const struct query *q = s->query;
	struct flow_columns now = {.is_exact = true};

	if (q->kind == QUERY_SET_OPERATION)
		outputs_of_sides(t, q, &now);
	else if (q->kind == QUERY_VALUES)
		outputs_of_rows(t, s, &now);
	else
		outputs_of_targets(t, s, &now);
	t->is_changed |= !columns_are_same(&now, &t->of_query[q->number]);
	t->of_query[q->number] = now;
}

static void
trace_from(struct tracer *t, const struct scope *s)
{
	/* A subquery in FROM sees its neighbours only if it is LATERAL. */
	struct scope lateral = {s->outer, s->query, true};
	const struct from_item *item;

	for (item = s->query->from; item != NULL; item = item->next) {
		trace_item(t, &lateral, item);
		names_of_item(t, item);
	}
	if (s->query->relation != NULL)
		names_of_item(t, s->query->relation);
}

static void
trace_query(
    struct tracer *t, const struct query *q, const struct scope *outer)
{
	struct scope s = {outer, q, false};
	struct round r = {t, &s};

	if (t->error != ERR_NONE || t->declined != NULL)
		return;
	if (t->work > FLOW_WORK_MAX) {
		t->declined = "it takes too long to follow";
		return;
	}
	trace_with(t, q, outer);
	if (q->left != NULL) {
		trace_query(t, q->left, outer);
		trace_query(t, q->right, outer);
	}
	if (q->source != NULL)
		trace_query(t, q->source, outer);
	trace_from(t, &s);
	query_each(q, trace_expression, &r);
	trace_outputs(t, &s);
	if (!t->is_first)
		use_of_query(t, &s, q, &t->of_query[q->number]);
}

/* --- the whole ------------------------------------------------------------ */

static void
collect_withs(struct tracer *t, const struct query *q);

static void
collect_in_expression(void *context, const struct expression *e)
{
	struct tracer *t = context;
	const struct expression *c;

	if (e->kind == EXPR_QUERY)
		collect_withs(t, e->query);
	for (c = e->children; c != NULL; c = c->next)
		collect_in_expression(t, c);
}

static void
collect_in_item(struct tracer *t, const struct from_item *item)
{
	each_of(item->calls, collect_in_expression, t);
	each_of(item->sample, collect_in_expression, t);
	if (item->query != NULL)
		collect_withs(t, item->query);
	if (item->kind != FROM_JOIN)
		return;
	collect_in_item(t, item->left);
	collect_in_item(t, item->right);
	each_of(item->on, collect_in_expression, t);
}

static void
collect_withs(struct tracer *t, const struct query *q)
{
	const struct with_query *w;
	const struct from_item *item;

	for (w = q->with; w != NULL; w = w->next) {
		t->withs[t->with_count++] = w;
		collect_withs(t, w->query);
		each_of(w->compared, collect_in_expression, t);
	}
	for (item = q->from; item != NULL; item = item->next)
		collect_in_item(t, item);
	if (q->left != NULL) {
		collect_withs(t, q->left);
		collect_withs(t, q->right);
	}
	if (q->source != NULL)
		collect_withs(t, q->source);
	query_each(q, collect_in_expression, t);
}

static void
trace_rounds(struct tracer *t)
{
	size_t round = 0;

	do {
		*t->out = (struct flow){0};
		t->is_changed = false;
		t->is_first = round == 0; /* much is open in it */
		trace_query(t, t->tree.query, NULL);
		if (++round > FLOW_ROUNDS_MAX)
			t->declined = "its names lead too far";
	} while ((t->is_changed || t->is_first) && t->error == ERR_NONE &&
		 t->declined == NULL);
}

static void
answer(struct tracer *t)
{
	struct flow *out = t->out;

	out->outputs = t->of_query[t->tree.query->number];
	out->any_output = columns_any(&out->outputs) != TAINT_NONE;
	if (t->tree.is_explained || (t->tree.wrapper != WRAPPER_NONE &&
					t->tree.wrapper != WRAPPER_COPY))
		out->outputs.is_exact = false;
	if (t->tree.wrapper == WRAPPER_CREATE && out->any_output &&
	    out->copy.where == NULL)
		out->copy.where = "CREATE";
	out->is_understood = true;
}

enum err
flow_trace(const struct token *tokens, size_t count,
    const struct flow_facts *facts, struct arena *a, struct flow *out)
{
	struct tracer t = {
	    .facts = facts, .arena = a, .tokens = tokens, .out = out};
	enum err e;

	*out = (struct flow){.declined = "it is too long"};
	if (count > TOKENS_MAX)
		return ERR_NONE;
	e = query_parse(tokens, count, a, &t.tree);
	out->declined = t.tree.declined;
	if (e == ERR_UNSUPPORTED)
		return ERR_NONE;
	if (e == ERR_NONE)
		e = make_tables(&t);
	if (e != ERR_NONE)
		return e;
	if (t.declined == NULL) {
		if (t.with_room > 0)
			collect_withs(&t, t.tree.query);
		trace_rounds(&t);
	}
	out->declined = t.declined;
	if (t.error == ERR_NONE && t.declined == NULL)
		answer(&t);
	return t.error;
}
