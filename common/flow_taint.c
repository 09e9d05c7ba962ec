/*
 * flow_taint.c - can a protected value be in this expression?
 */
#include "common/flow_inner.h"

/* --- taint ---------------------------------------------------------------- */

static enum taint
taint_of_star(
    struct tracer *t, const struct scope *s, const struct expression *e)
{
	struct flow_columns columns = {.is_exact = true};

	if (e->name.count > 0)
		names_of_qualified_star(t, s, &e->name, &columns);
	else
		names_of_star(t, s->query, &columns);
	return columns_any(&columns);
}

/* A computed value is derived from whatever it is computed of. */
static enum taint
derived(enum taint taint)
{
	return taint == TAINT_NONE ? TAINT_NONE : TAINT_DERIVED;
}

enum taint
taint_of_list(
    struct tracer *t, const struct scope *s, const struct expression *e)
{
	enum taint any = TAINT_NONE;

	for (; e != NULL; e = e->next)
		any = taint_max(any, taint_of(t, s, e));
	return any;
}

enum taint
taint_of(struct tracer *t, const struct scope *s, const struct expression *e)
{
	enum taint inner = TAINT_NONE;

	t->work++;
	switch (e->kind) {
	case EXPR_COLUMN:
		return names_column(t, s, &e->name);
	case EXPR_STAR:
		return derived(taint_of_star(t, s, e));
	case EXPR_CONSTANT:
	case EXPR_PARAMETER:
	case EXPR_DEFAULT:
		return TAINT_NONE;
	case EXPR_CALL:
		inner = t->facts->returns(t->facts->context, &e->name, false);
		break;
	case EXPR_FIELD: /* or the function name(child) */
		if (e->name.count > 0)
			inner = t->facts->returns(
			    t->facts->context, &e->name, true);
		break;
	case EXPR_QUERY:
		if (e->use != SUBQUERY_EXISTS)
			inner = columns_any(&t->of_query[e->query->number]);
		break;
	default:
		break;
	}
	return derived(taint_max(inner, taint_of_list(t, s, e->children)));
}

/* --- what may fail -------------------------------------------------------- */

static bool
is_catalog_name(const struct dotted *name)
{
	return name->count == 1 ||
	    (name->count == 2 &&
		text_is(name->parts[0], TEXT("pg_catalog")));
}

static struct text
last_part(const struct dotted *name)
{
	return name->count == 0 ? (struct text){NULL, 0}
				: name->parts[name->count - 1];
}

/* Is the type of `x::type` or CAST(x AS type) a plain name, without a schema
 * and no array? */
static bool
has_simple_type(const struct tracer *t, const struct expression *e)
{
	const struct expression *inner = e->children;
	size_t i;

	for (i = e->first; i < e->end; i++) {
		const struct token *token = &t->tokens[i];

		if (inner != NULL && i >= inner->first && i < inner->end)
			continue;
		if (token_is_mark(token, '[') || token_is_mark(token, '.') ||
		    token_is_word(token, TEXT("array")) ||
		    token_is_word(token, TEXT("setof")))
			return false;
	}
	return true;
}

/* Text becomes text, and a constant is looked at when it is read: no other
 * cast is sure to work. */
static bool
is_total_cast(const struct tracer *t, const struct expression *e)
{
	static const struct text types[] = {{"text", 4}, {"varchar", 7},
	    {"bpchar", 6}, {"character", 9}, {"name", 4}};
	size_t i;

	if (!has_simple_type(t, e))
		return false;
	if (e->children->kind == EXPR_CONSTANT)
		return flow_is_plain_type(&e->name);
	for (i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (text_is(last_part(&e->name), types[i]))
			return e->children->kind != EXPR_PARAMETER;
	}
	return false;
}

static bool is_total_chosen(
    struct tracer *t, const struct scope *s, const struct expression *e);

/* A subquery that is simple enough: relations, and nothing that can fail. */
struct totality {
	struct tracer *tracer;
	const struct scope *scope;
	bool is_total;
};

static void
visit_total(void *context, const struct expression *e)
{
	struct totality *all = context;

	all->is_total =
	    all->is_total && is_total_chosen(all->tracer, all->scope, e);
}

static bool
is_total_item(const struct from_item *item)
{
	if (item->kind == FROM_JOIN)
		return item->on == NULL && is_total_item(item->left) &&
		    is_total_item(item->right);
	return item->kind == FROM_RELATION && item->sample == NULL;
}

static bool
is_total_query(struct tracer *t, const struct scope *s, const struct query *q)
{
	struct scope inside = {s, q, false};
	struct totality all = {t, &inside, true};
	const struct from_item *item;

	if (q->kind != QUERY_SELECT || q->with != NULL)
		return false;
	for (item = q->from; item != NULL; item = item->next)
		all.is_total = all.is_total && is_total_item(item);
	if (all.is_total)
		query_each(q, visit_total, &all);
	return all.is_total;
}

static bool is_total_operand(
    struct tracer *t, const struct scope *s, const struct expression *e);

/* May this operand of many depend on a protected value? */
static bool
may_depend(enum total total, bool is_first, bool is_last,
    const struct expression *e, enum taint taint)
{
	switch (total) {
	case TOTAL_ALWAYS:
		return true;
	case TOTAL_FIRST:
		return is_first;
	case TOTAL_LAST:
		return is_last;
	case TOTAL_PLAIN:
		return e->kind == EXPR_COLUMN && taint == TAINT_PLAIN;
	default:
		return false;
	}
}

static bool
is_total_call(struct tracer *t, const struct scope *s,
    const struct expression *e, enum total total)
{
	const struct expression *c;

	if (total == TOTAL_NEVER)
		return false;
	for (c = e->children; c != NULL; c = c->next) {
		enum taint taint = taint_of(t, s, c);

		if (!is_total_operand(t, s, c) ||
		    (taint != TAINT_NONE &&
			!may_depend(total, c == e->children, c->next == NULL,
			    c, taint)))
			return false;
	}
	return true;
}

/* Does nothing of OVER (…) depend on a protected value? */
static bool
has_clean_window(
    struct tracer *t, const struct scope *s, const struct expression *e)
{
	const struct expression *c;
	size_t over = e->first, depth = 0;

	for (; over < e->end; over++) {
		const struct token *token = &t->tokens[over];

		depth += token_is_mark(token, '(');
		depth -= token_is_mark(token, ')') && depth > 0;
		if (depth == 0 && token_is_word(token, TEXT("over")))
			break;
	}
	for (c = e->children; c != NULL; c = c->next) {
		if (c->first > over && taint_of(t, s, c) != TAINT_NONE)
			return false;
	}
	return !e->is_window || over < e->end;
}

/* Within functions and operators: nothing that chooses between values of the
 * statement's own, such as CASE, lest it choose one that fails. */
static bool
is_total_operand(
    struct tracer *t, const struct scope *s, const struct expression *e)
{
	const struct flow_facts *f = t->facts;

	t->work++;
	switch (e->kind) {
	case EXPR_COLUMN:
		return names_is_no_call(t, s, &e->name);
	case EXPR_CONSTANT:
		return flow_is_plain_type(&e->name) && has_simple_type(t, e);
	case EXPR_STAR:
	case EXPR_PARAMETER:
		return true;
	case EXPR_CALL:
		return is_catalog_name(&e->name) && has_clean_window(t, s, e) &&
		    is_total_call(t, s, e,
			f->totality(f->context, last_part(&e->name)));
	case EXPR_OPERATOR:
		return !e->is_qualified &&
		    is_total_call(t, s, e,
			f->operator_totality(
			    f->context, last_part(&e->name)));
	case EXPR_CAST:
		return is_total_cast(t, e) &&
		       is_total_operand(t, s, e->children);
	default:
		return false;
	}
}

/* Whatever runs here may run only if a protected value is such and such. */
static bool
is_total_chosen(
    struct tracer *t, const struct scope *s, const struct expression *e)
{
	const struct expression *c;

	t->work++;
	if (e->kind != EXPR_CASE && e->kind != EXPR_ROW)
		return is_total_operand(t, s, e);
	for (c = e->children; c != NULL; c = c->next) {
		if (!is_total_chosen(t, s, c))
			return false;
	}
	return true;
}

bool
taint_is_total(
    struct tracer *t, const struct scope *s, const struct expression *e)
{
	const struct expression *c;

	t->work++;
	switch (e->kind) {
	case EXPR_QUERY:
		return e->children == NULL && is_total_query(t, s, e->query);
	case EXPR_ROW:
		for (c = e->children; c != NULL; c = c->next) {
			if (!taint_is_total(t, s, c))
				return false;
		}
		return true;
	case EXPR_ARRAY:
	case EXPR_INDEX:
		for (c = e->children; c != NULL; c = c->next) {
			if (!is_total_operand(t, s, c))
				return false;
		}
		return true;
	case EXPR_FIELD: /* (row).name may be the function name(row) */
		return e->name.count == 0;
	default:
		return is_total_chosen(t, s, e);
	}
}

/* --- what is left somewhere ----------------------------------------------- */

struct storing {
	struct tracer *tracer;
	bool is_stored;
};

static void
visit_stored(void *context, const struct expression *e)
{
	struct storing *all = context;

	all->is_stored = all->is_stored || taint_is_stored(all->tracer, e);
}

bool
taint_is_stored(struct tracer *t, const struct expression *e)
{
	struct storing all = {t, false};
	const struct expression *c;

	t->work++;
	/* x.name and (x).name may be the function name(x) */
	if ((e->kind == EXPR_CALL || e->kind == EXPR_FIELD ||
		(e->kind == EXPR_COLUMN && e->name.count > 1)) &&
	    t->facts->is_storing(t->facts->context, last_part(&e->name)))
		return true;
	if (e->kind == EXPR_QUERY)
		query_each(e->query, visit_stored, &all);
	for (c = e->children; c != NULL && !all.is_stored; c = c->next)
		all.is_stored = taint_is_stored(t, c);
	return all.is_stored;
}
