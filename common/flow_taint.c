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

/* Text becomes text: no other cast of a value is sure to work. */
static bool
is_total_cast(const struct expression *e)
{
	static const char *const types[] = {
	    "text", "varchar", "bpchar", "char", "character", "name"};
	size_t i;

	if (e->children->kind == EXPR_CONSTANT ||
	    e->children->kind == EXPR_PARAMETER)
		return true;
	for (i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (text_is(last_part(&e->name), text_of(types[i])))
			return true;
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
		return e->kind != EXPR_COLUMN || taint == TAINT_PLAIN;
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
	case EXPR_STAR:
	case EXPR_CONSTANT:
	case EXPR_PARAMETER:
		return true;
	case EXPR_CALL:
		return is_catalog_name(&e->name) && !e->is_window &&
		    is_total_call(t, s, e,
			f->totality(f->context, last_part(&e->name)));
	case EXPR_OPERATOR:
		return !e->is_qualified &&
		    is_total_call(t, s, e,
			f->operator_totality(
			    f->context, last_part(&e->name)));
	case EXPR_CAST:
		return is_total_cast(e) && is_total_operand(t, s, e->children);
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
	switch (e->kind) {
	case EXPR_CASE:
	case EXPR_ROW:
		for (c = e->children; c != NULL; c = c->next) {
			if (!is_total_chosen(t, s, c))
				return false;
		}
		return true;
	case EXPR_QUERY:
		return e->children == NULL && is_total_query(t, s, e->query);
	case EXPR_ARRAY:
	case EXPR_FIELD:
	case EXPR_INDEX:
		for (c = e->children; c != NULL; c = c->next) {
			if (!is_total_operand(t, s, c))
				return false;
		}
		return true;
	default:
		return is_total_operand(t, s, e);
	}
}

/* A call that is made in any case, and not of protected values, tells nothing
 * by failing that its result would not. */
bool
taint_is_total(
    struct tracer *t, const struct scope *s, const struct expression *e)
{
	if (e->kind == EXPR_CALL && !e->is_window &&
	    taint_of_list(t, s, e->children) == TAINT_NONE)
		return true;
	return is_total_chosen(t, s, e);
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
	if (e->kind == EXPR_CALL &&
	    t->facts->is_storing(t->facts->context, last_part(&e->name)))
		return true;
	if (e->kind == EXPR_QUERY)
		query_each(e->query, visit_stored, &all);
	for (c = e->children; c != NULL && !all.is_stored; c = c->next)
		all.is_stored = taint_is_stored(t, c);
	return all.is_stored;
}
