/*
 * protection_touch.c - what a statement reaches, before it is forwarded.
 *
 * The rule: a mention counts as a touch.  Names are taken for every relation
 * they may mean, in any schema unless one is given: the search path is the
 * session's, and may change between judging and running.
 */
#include "common/protection_inner.h"

/* Room for the protected columns' names grows by doubling. */
enum { NAMES_FIRST = 16 };

struct toucher {
	struct protection *p;
	const struct statement *statement;
	struct arena *arena;
	struct touch *out;
	size_t room; /* in out->columns */
	/* Every relation the statement may mean, for is_column(). */
	uint32_t *oids;
	size_t oid_count, oid_room;
};

static bool
make_room(
    struct toucher *t, void **list, size_t count, size_t *room, size_t size)
{
	size_t more = *room == 0 ? NAMES_FIRST : *room * 2;
	void *copy;

	if (count < *room)
		return true;
	copy = arena_array(t->arena, more, size);
	if (copy == NULL)
		return false;
	if (count > 0)
		memcpy(copy, *list, count * size);
	*list = copy;
	*room = more;
	return true;
}

static enum err
add_name(struct toucher *t, struct text name)
{
	void *list = t->out->columns;

	if (!make_room(t, &list, t->out->column_count, &t->room,
		sizeof(*t->out->columns)))
		return ERR_MEMORY;
	t->out->columns = list;
	t->out->columns[t->out->column_count++] = name;
	return ERR_NONE;
}

/* A protected column of a relation that is touched. */
static enum err
add_column(struct toucher *t, const struct known_relation *r, size_t i)
{
	const struct column_state *c = &r->columns[i];
	struct text name = r->relation.columns[i].name;

	t->out->predicates = t->out->is_protected
	    ? predicates_stricter(t->out->predicates, c->predicates)
	    : c->predicates;
	t->out->is_protected = true;
	protection_add(&t->out->derived, c->found.protect, true);
	t->out->derived.mask =
	    mask_stricter(t->out->derived.mask, c->found.mask);
	t->out->derived.is_denied |= c->found.is_denied;
	t->out->mentions |= statement_mentions(t->statement, name);
	return add_name(t, name);
}

static enum err
touch_known(struct toucher *t, struct known_relation *r)
{
	enum err e;
	size_t i;

	for (i = 0; i < r->relation.column_count; i++) {
		e = protection_resolve(t->p, r, i);
		if (e == ERR_NONE && r->columns[i].found.mask != MASK_NONE)
			e = add_column(t, r, i);
		if (e != ERR_NONE)
			return e;
	}
	return ERR_NONE;
}

/* Does the server run code of the relation's own for this statement? The
 * system's views read nothing but the catalogue. */
static bool
runs_inner(const struct statement *s, const struct relation *r)
{
	if (text_is(r->schema, TEXT("pg_catalog")) ||
	    text_is(r->schema, TEXT("information_schema")))
		return false;
	return r->kind == 'v' || r->kind == RELATION_WITH_CODE ||
	    (r->kind == 'm' && (s->operations & BIT(OP_REFRESH)) != 0);
}

/* A relation too strange to look into. */
static void
touch_strict(struct touch *out)
{
	out->is_protected = true;
	out->mentions = out->has_other_ways = true;
	out->predicates = PREDICATES_DENY;
	protection_add(&out->derived, NULL, true);
}

/* pg_temp is whatever the session's temporary schema is called. */
bool
protection_may_be_schema(struct text named, struct text actual)
{
	return named.len == 0 || text_is(named, actual) ||
	    (text_is(named, TEXT("pg_temp")) &&
		text_starts(actual, TEXT("pg_temp_")));
}

static enum err
touch_oid(struct toucher *t, const struct relation_use *use, uint32_t oid,
    bool *is_known)
{
	struct known_relation *r;
	void *list = t->oids;
	enum err e = protection_known(t->p, oid, &r);

	if (e != ERR_NONE)
		return e;
	if (!protection_may_be_schema(use->schema, r->relation.schema))
		return ERR_NONE;
	*is_known = true;
	t->out->runs_inner |= runs_inner(t->statement, &r->relation);
	if (!make_room(t, &list, t->oid_count, &t->oid_room,
		sizeof(*t->oids)))
		return ERR_MEMORY;
	t->oids = list;
	t->oids[t->oid_count++] = oid;
	return touch_known(t, r);
}

enum err
protection_named(struct protection *p, struct text name, uint32_t *oids,
    size_t max, size_t *count_out)
{
	*count_out = 0;
	return p->catalog == NULL
		   ? ERR_NOT_FOUND
		   : store_relations_named(p->catalog, p->upstream,
			 p->database, name, oids, max, count_out);
}

/* All relations a name may mean. */
static enum err
touch_name(
    struct toucher *t, const struct relation_use *use, bool *is_known)
{
	uint32_t oids[PROTECTION_SAME_NAME_MAX];
	size_t count = 0, i;
	enum err e;

	e = protection_named(
	    t->p, use->name, oids, PROTECTION_SAME_NAME_MAX, &count);
	if (e == ERR_TOO_LONG) {
		*is_known = true;
		touch_strict(t->out);
		return ERR_NONE;
	}
	for (i = 0; i < count && e == ERR_NONE; i++)
		e = touch_oid(t, use, oids[i], is_known);
	return e;
}

static enum err
touch_use(struct toucher *t, const struct relation_use *use)
{
	bool was_protected = t->out->is_protected, is_known = false;
	enum err e = touch_name(t, use, &is_known);

	if (e != ERR_NONE && e != ERR_NOT_FOUND)
		return e;
	/* A relation without its sources is as good as unknown. */
	if (e == ERR_NOT_FOUND ||
	    (!is_known && !(use->is_cte && use->schema.len == 0))) {
		t->out->is_unknown = true;
		if (protection_is_exposing(
			use->schema, use->name, (struct text){NULL, 0}))
			touch_strict(t->out);
	}
	if (t->out->is_protected && !was_protected)
		t->out->relation = use;
	else if (t->out->is_unknown && t->out->relation == NULL)
		t->out->relation = use;
	return ERR_NONE;
}

static bool
is_column(void *context, struct text name)
{
	struct toucher *t = context;
	struct known_relation *r;
	size_t i, k;

	for (i = 0; i < t->statement->relation_count; i++) {
		const struct relation_use *use = &t->statement->relations[i];

		/* schema.relation; a CTE's name is nobody's column */
		if (use->schema.len > 0 && text_is(use->name, name))
			return true;
	}
	for (i = 0; i < t->oid_count; i++) {
		if (protection_known(t->p, t->oids[i], &r) != ERR_NONE)
			return false;
		for (k = 0; k < r->relation.column_count; k++) {
			if (text_is(r->relation.columns[k].name, name))
				return true;
		}
	}
	return false;
}

/* Ways to carry a column out without its name. */
static bool
has_other_ways(struct toucher *t)
{
	const struct statement *s = t->statement;

	return (s->traits & (BIT(TRAIT_STAR) | BIT(TRAIT_WHOLE_ROW))) != 0 ||
	    (s->operations & BIT(OP_COPY_OUT)) != 0 ||
	    protection_is_evasive(s, is_column, t);
}

/* What is understood needs not be feared. */
static enum err
touch_flow(struct toucher *t)
{
	struct flow *flow = arena_alloc(t->arena, sizeof(*flow));
	enum err e;

	if (flow == NULL)
		return ERR_MEMORY;
	e = protection_flow(t->p, t->statement, t->arena, flow);
	if (e != ERR_NONE)
		return e;
	t->out->flow = flow;
	if (flow->is_understood && !t->out->is_unknown)
		t->out->mentions = flow->any_output;
	return ERR_NONE;
}

enum err
protection_touch(struct protection *p, const struct statement *s,
    struct arena *a, struct touch *out)
{
	struct toucher t = {.p = p, .statement = s, .arena = a, .out = out};
	enum err e = ERR_NONE;
	size_t i;

	memset(out, 0, sizeof(*out));
	out->predicates = PREDICATES_ALLOW;
	e = protection_code(p, s, a, out);
	if (p->is_empty)
		return ERR_NONE;
	for (i = 0; i < s->relation_count && e == ERR_NONE; i++)
		e = touch_use(&t, &s->relations[i]);
	if (e == ERR_NONE && protection_calls_exposing(p, s)) {
		out->is_protected = out->has_other_ways = true;
		protection_add(&out->derived, NULL, true);
	}
	if (e != ERR_NONE)
		touch_strict(out);
	else if (out->is_protected)
		out->has_other_ways |= has_other_ways(&t);
	out->mentions |= out->has_other_ways;
	if (e == ERR_NONE && out->is_protected && !out->is_code_silent)
		e = touch_flow(&t);
	return e;
}
