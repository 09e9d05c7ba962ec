/*
 * protection_touch.c - what a statement reaches, before it is forwarded.
 *
 * The rule: a mention counts as a touch.  Names are taken for every relation
 * they may mean, in any schema unless one is given: the search path is the
 * session's, and may change between judging and running.
 */
#include "common/own.h"
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
	const struct relation_use *created; /* NULL: nothing */
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

/* What a name without a relation of the catalogue's stands for. */
static bool
is_no_riddle(struct toucher *t, const struct relation_use *use)
{
	if (use == t->created || (use->is_cte && use->schema.len == 0))
		return true;
	return protection_owns(t->p, use->schema, use->name);
}

static enum err
touch_use(struct toucher *t, const struct relation_use *use)
{
	bool was_protected = t->out->is_protected, is_known = false;
	enum err e = touch_name(t, use, &is_known);

	if (e != ERR_NONE && e != ERR_NOT_FOUND)
		return e;
	if (use != t->created) {
		t->out->names_own |=
		    protection_owns(t->p, use->schema, use->name);
		t->out->names_others |= is_known || use->is_cte;
	}
	/* A relation without its sources is as good as unknown. */
	if (e == ERR_NOT_FOUND ||
	    (!is_known && !is_no_riddle(t, use))) {
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

/* May an output without an origin carry a protected value, by the look of the
 * statement? */
static void
touch_looks(struct toucher *t)
{
	struct touch *out = t->out;
	size_t i;

	out->has_other_ways = out->has_other_ways || has_other_ways(t);
	out->mentions |= out->has_other_ways;
	for (i = 0; i < out->column_count && !out->mentions; i++)
		out->mentions =
		    statement_mentions(t->statement, out->columns[i]);
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
	return ERR_NONE;
}

/* Of what is touched, what may get out? */
static enum err
touch_outputs(struct toucher *t)
{
	struct touch *out = t->out;
	enum err e = ERR_NONE;

	if (!out->is_code_silent)
		e = touch_flow(t);
	if (e != ERR_NONE)
		touch_strict(out);
	else if (out->flow != NULL && out->flow->is_understood &&
	    !out->is_unknown)
		out->mentions = out->flow->any_output;
	else
		touch_looks(t);
	return e;
}

enum err
protection_touch(struct protection *p, const struct statement *s,
    struct arena *a, struct touch *out)
{
	struct toucher t = {.p = p, .statement = s, .arena = a, .out = out};
	struct creation creation;
	enum err e = ERR_NONE;
	size_t i;

	memset(out, 0, sizeof(*out));
	out->predicates = PREDICATES_ALLOW;
	e = protection_code(p, s, out);
	if (p->is_empty)
		return ERR_NONE;
	protection_brought(p, s, out);
	creation_read(s, &creation);
	t.created = creation.relation;
	for (i = 0; i < s->relation_count && e == ERR_NONE; i++)
		e = touch_use(&t, &s->relations[i]);
	if (e == ERR_NONE && protection_calls_exposing(p, s)) {
		out->is_protected = out->has_other_ways = true;
		protection_add(&out->derived, NULL, true);
	}
	if (e != ERR_NONE)
		touch_strict(out);
	else if (out->is_protected)
		e = touch_outputs(&t);
	return e;
}
