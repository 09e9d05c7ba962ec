/*
 * flow_names.c - what a name means.
 *
 * The server looks for a column in the FROM of the query it stands in, then
 * in those around it.  The rule: a level ends the search only if the column
 * is there for certain; until then everything it may mean is taken together.
 */
#include "common/flow_inner.h"

/* --- lists of columns ----------------------------------------------------- */

enum taint
columns_any(const struct flow_columns *c)
{
	enum taint any = c->is_open ? c->others : TAINT_NONE;
	size_t i;

	for (i = 0; i < c->count; i++)
		any = taint_max(any, c->at[i].taint);
	return any;
}

bool
columns_are_same(const struct flow_columns *a, const struct flow_columns *b)
{
	size_t i;

	if (a->count != b->count || a->is_exact != b->is_exact ||
	    a->is_open != b->is_open || a->others != b->others ||
	    a->has_others != b->has_others)
		return false;
	for (i = 0; i < a->count && a->at != b->at; i++) {
		const struct flow_column *x = &a->at[i], *y = &b->at[i];

		if (x->taint != y->taint ||
		    (x->name.at != y->name.at && !text_is(x->name, y->name)) ||
		    x->name.len != y->name.len)
			return false;
	}
	return true;
}

/* Room that a list of so many columns has. */
static size_t
room_of(size_t count)
{
	size_t room = count == 0 ? 0 : 8;

	while (room < count)
		room *= 2;
	return room;
}

static bool
columns_reserve(struct tracer *t, struct flow_columns *c, size_t count)
{
	size_t room = room_of(count);
	struct flow_column *more;

	if (room == room_of(c->count))
		return true;
	more = arena_array(t->arena, room, sizeof(*more));
	if (more == NULL) {
		t->error = ERR_MEMORY;
		return false;
	}
	if (c->count > 0)
		memcpy(more, c->at, c->count * sizeof(*more));
	c->at = more;
	return true;
}

bool
columns_add(struct tracer *t, struct flow_columns *c, struct text name,
    enum taint taint)
{
	if (!columns_reserve(t, c, c->count + 1))
		return false;
	c->at[c->count++] =
	    (struct flow_column){.name = name, .taint = taint};
	t->work++;
	return true;
}

void
columns_join(
    struct tracer *t, struct flow_columns *c, const struct flow_columns *more)
{
	if (!columns_reserve(t, c, c->count + more->count))
		return;
	if (more->count > 0)
		memcpy(&c->at[c->count], more->at,
		    more->count * sizeof(*more->at));
	c->count += more->count;
	t->work += more->count;
	c->is_exact &= more->is_exact;
	c->is_open |= more->is_open;
	c->others = taint_max(c->others, more->others);
	c->has_others |= more->has_others;
	c->is_doubted |= more->is_doubted;
}

void
columns_rename(struct tracer *t, struct flow_columns *c,
    const struct text *names, size_t count)
{
	enum taint any = columns_any(c) == TAINT_NONE ? TAINT_NONE
						      : TAINT_DERIVED;
	struct flow_columns renamed = *c;
	size_t i;

	if (count == 0)
		return;
	renamed.count = 0;
	for (i = 0; i < c->count; i++) {
		bool has_name = c->is_exact && i < count;

		if (!columns_add(t, &renamed,
			has_name ? names[i] : c->at[i].name, c->at[i].taint))
			return;
	}
	for (i = c->is_exact ? c->count : 0; i < count; i++) {
		if (!columns_add(t, &renamed, names[i], any))
			return;
	}
	*c = renamed;
}

bool
columns_has(
    struct tracer *t, const struct flow_columns *c, struct text name)
{
	size_t i;

	t->work += c->count;
	for (i = 0; i < c->count; i++) {
		if (text_is(c->at[i].name, name))
			return true;
	}
	return false;
}

enum taint
columns_named(
    struct tracer *t, const struct flow_columns *c, struct text name)
{
	enum taint taint = c->is_open ? c->others : TAINT_NONE;
	size_t i;

	t->work += c->count;
	for (i = 0; i < c->count; i++) {
		if (text_is(c->at[i].name, name))
			taint = taint_max(taint, c->at[i].taint);
	}
	return taint;
}

/* --- what is in FROM ------------------------------------------------------ */

/* Where does a WITH query of that name end up? */
static size_t
names_of_with(
    struct tracer *t, struct text name, struct flow_columns *columns)
{
	size_t i, count = 0;

	for (i = 0; i < t->with_count; i++) {
		const struct with_query *w = t->withs[i];
		struct flow_columns own = t->of_query[w->query->number];
		enum taint any = columns_any(&own);
		size_t k;

		if (!text_is(w->name, name))
			continue;
		count++;
		columns_rename(t, &own, w->columns, w->column_count);
		for (k = 0; k < w->added_count; k++)
			columns_add(t, &own, w->added[k],
			    any == TAINT_NONE ? any : TAINT_DERIVED);
		columns_join(t, columns, &own);
	}
	return count;
}

static void
names_of_relation(struct tracer *t, const struct from_item *item,
    struct flow_columns *out)
{
	struct flow_columns *real = &t->of_relation[item->number];
	size_t withs = 0;

	if (real->at == NULL && !real->is_open) { /* not looked up yet */
		*real = (struct flow_columns){.is_exact = true};
		t->error = t->facts->relation(
		    t->facts->context, &item->name, t->arena, real);
		if (t->error != ERR_NONE)
			return;
	}
	if (item->name.count == 1 && t->with_count > 0)
		withs = names_of_with(t, item->name.parts[0], out);
	if (withs == 0)
		*out = *real; /* nobody adds to what it points to */
	else
		columns_join(t, out, real);
	/* Several meanings, or none: no column is certain. */
	if (withs + (real->count > 0 || real->is_open) != 1) {
		out->is_open = true;
		out->is_exact = false;
	}
}

/* A function's columns may have any name at all. */
static void
names_of_function(struct tracer *t, const struct from_item *item,
    struct flow_columns *out)
{
	*out = (struct flow_columns){
	    .is_open = true, .others = t->of_calls[item->number]};
}

static void
names_of_join(struct tracer *t, const struct from_item *item,
    struct flow_columns *out)
{
	names_of_item(t, item->left);
	names_of_item(t, item->right);
	columns_join(t, out, &t->of_item[item->left->number]);
	columns_join(t, out, &t->of_item[item->right->number]);
	/* Merged columns move to the front. */
	if (item->is_natural || item->using_count > 0)
		out->is_exact = false;
}

void
names_of_item(struct tracer *t, const struct from_item *item)
{
	struct flow_columns columns = {.is_exact = true};

	switch (item->kind) {
	case FROM_RELATION:
		names_of_relation(t, item, &columns);
		break;
	case FROM_QUERY:
		columns = t->of_query[item->query->number];
		break;
	case FROM_FUNCTION:
		names_of_function(t, item, &columns);
		break;
	case FROM_JOIN:
		names_of_join(t, item, &columns);
		break;
	}
	columns_rename(t, &columns, item->columns, item->column_count);
	if (item->with_ordinality)
		columns.is_exact = false;
	if (columns_any(&columns) != TAINT_NONE && !t->any_taint)
		t->any_taint = t->is_changed = true;
	t->is_changed |=
	    !columns_are_same(&columns, &t->of_item[item->number]);
	t->of_item[item->number] = columns;
}

/* --- levels --------------------------------------------------------------- */

static struct text
visible_name(const struct from_item *item)
{
	if (item->alias.len > 0)
		return item->alias;
	if (item->kind == FROM_RELATION && item->name.count > 0)
		return item->name.parts[item->name.count - 1];
	if (item->kind == FROM_FUNCTION && item->calls != NULL &&
	    item->calls->name.count > 0)
		return item->calls->name.parts[item->calls->name.count - 1];
	return (struct text){NULL, 0};
}

/* What was found out about one name at one level. */
struct search {
	struct tracer *tracer;
	struct text qualifier, name; /* qualifier.len 0: none is given */
	/* A schema stands before the qualifier: only a relation without an
	 * alias is meant, and perhaps another one than it seems. */
	bool has_schema;
	bool is_call; /* it may be the function name(qualifier) */
	enum taint taint;
	bool is_relation; /* what is searched right now */
	bool is_found, is_certain;
};

/* Columns that every table has. */
static bool
is_system(struct text name)
{
	static const struct text names[] = {{"ctid", 4}, {"xmin", 4},
	    {"xmax", 4}, {"cmin", 4}, {"cmax", 4}, {"tableoid", 8}};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (text_is(name, names[i]))
			return true;
	}
	return false;
}

/* qualifier.name: without that column it is the function name(row). */
static void
search_qualified(
    struct search *s, const struct flow_columns *c, bool is_certain)
{
	bool has = columns_has(s->tracer, c, s->name) && !c->is_open;

	has |= s->is_relation && is_system(s->name);
	s->is_found = true;
	s->is_certain |= is_certain;
	s->taint = taint_max(s->taint, columns_named(s->tracer, c, s->name));
	if (has)
		return;
	s->is_call = true;
	if (columns_any(c) != TAINT_NONE)
		s->taint = TAINT_DERIVED;
	s->taint = taint_max(s->taint,
	    s->tracer->facts->returns(s->tracer->facts->context,
		&(struct dotted){&s->name, 1}, true));
}

static void
search_bare(struct search *s, struct text visible,
    const struct flow_columns *c, bool is_certain)
{
	bool has = columns_has(s->tracer, c, s->name);

	s->taint = taint_max(s->taint, columns_named(s->tracer, c, s->name));
	s->is_found |= has || c->has_others ||
		       (s->is_relation && is_system(s->name));
	if (has && !c->is_open && !c->is_doubted && is_certain) {
		s->is_certain = true;
		return;
	}
	if (visible.len == 0 || !text_is(visible, s->name))
		return;
	s->is_found = true; /* the whole row */
	if (columns_any(c) != TAINT_NONE)
		s->taint = TAINT_DERIVED;
}

static void
search_named(struct search *s, struct text visible,
    const struct flow_columns *c, bool is_certain)
{
	if (s->qualifier.len == 0)
		search_bare(s, visible, c, is_certain);
	else if (visible.len > 0 && text_is(visible, s->qualifier))
		search_qualified(s, c, is_certain);
}

static void
search_item(struct search *s, const struct from_item *item, bool is_certain)
{
	if (item->kind == FROM_JOIN) {
		/* A join's own name hides what is in it. */
		bool is_hidden = item->alias.len > 0;

		search_item(s, item->left, is_certain && !is_hidden);
		search_item(s, item->right, is_certain && !is_hidden);
		if (!is_hidden)
			return;
	}
	s->is_relation = item->kind == FROM_RELATION;
	if (s->has_schema && (!s->is_relation || item->alias.len > 0))
		return;
	is_certain &= !s->has_schema;
	search_named(s, visible_name(item),
	    &s->tracer->of_item[item->number], is_certain);
}

/* EXCLUDED, OLD, NEW and other names of the written relation's rows. */
static void
search_written(struct search *s, const struct query *q)
{
	struct flow_columns columns =
	    s->tracer->of_item[q->relation->number];
	size_t i;

	search_named(s, TEXT("old"), &columns, false);
	search_named(s, TEXT("new"), &columns, false);
	for (i = 0; i < q->returning_name_count; i++)
		search_named(s, q->returning_names[i], &columns, false);
	if (q->kind != QUERY_INSERT || !q->has_conflict)
		return;
	/* What the client itself wanted to insert. */
	if (q->source == NULL ||
	    columns_any(&s->tracer->of_query[q->source->number]) ==
		TAINT_NONE)
		columns = (struct flow_columns){.is_open = true};
	search_named(s, TEXT("excluded"), &columns, false);
}

static void
search_level(struct search *s, const struct scope *scope)
{
	const struct query *q = scope->query;
	const struct from_item *item;

	for (item = q->from; item != NULL; item = item->next)
		search_item(s, item, !scope->is_unsure);
	if (q->relation == NULL)
		return;
	search_item(s, q->relation, !scope->is_unsure);
	search_written(s, q);
}

static struct search
search_run(
    struct tracer *t, const struct scope *scope, const struct dotted *name)
{
	struct search s = {.tracer = t, .name = name->parts[name->count - 1]};

	if (name->count > 1)
		s.qualifier = name->parts[name->count - 2];
	s.has_schema = name->count > 2;
	for (; scope != NULL && !s.is_certain; scope = scope->outer)
		search_level(&s, scope);
	return s;
}

enum taint
names_known_column(
    struct tracer *t, const struct scope *scope, const struct dotted *name)
{
	return search_run(t, scope, name).taint;
}

enum taint
names_column(
    struct tracer *t, const struct scope *scope, const struct dotted *name)
{
	struct search s = search_run(t, scope, name);

	/* The server knows a meaning that we don't; in the first round, much
	 * is not known yet. */
	if (!s.is_found && t->any_taint && !t->is_first)
		return TAINT_DERIVED;
	return s.taint;
}

bool
names_is_no_call(
    struct tracer *t, const struct scope *scope, const struct dotted *name)
{
	struct search s = search_run(t, scope, name);

	return s.is_found && !s.is_call;
}

/* --- stars ---------------------------------------------------------------- */

void
names_of_star(
    struct tracer *t, const struct query *q, struct flow_columns *out)
{
	const struct from_item *item;

	if (q->relation != NULL)
		columns_join(t, out, &t->of_item[q->relation->number]);
	for (item = q->from; item != NULL; item = item->next)
		columns_join(t, out, &t->of_item[item->number]);
	if (q->kind == QUERY_MERGE) /* the order differs */
		out->is_exact = false;
}

/* schema.name, without an alias. */
static bool
is_of_schema(const struct from_item *item, struct text schema)
{
	return item->kind == FROM_RELATION && item->alias.len == 0 &&
	       item->name.count > 1 &&
	       text_is(item->name.parts[item->name.count - 2], schema);
}

/* The one thing of that name, or NULL; *count_out says how many there are. */
static const struct from_item *
find_item(const struct from_item *item, struct text name, struct text schema,
    size_t *count_out)
{
	const struct from_item *found = NULL, *other;

	if (text_is(visible_name(item), name) &&
	    (schema.len == 0 ||
		is_of_schema(item, schema))) {
		found = item;
		++*count_out;
	}
	if (item->kind != FROM_JOIN)
		return found;
	other = find_item(item->left, name, schema, count_out);
	found = found != NULL ? found : other;
	other = find_item(item->right, name, schema, count_out);
	return found != NULL ? found : other;
}

const struct from_item *
names_item(const struct query *q, struct text name)
{
	const struct text any_schema = {NULL, 0};
	const struct from_item *item, *found = NULL, *one;
	size_t count = 0;

	for (item = q->from; item != NULL; item = item->next) {
		one = find_item(item, name, any_schema, &count);
		found = found != NULL ? found : one;
	}
	return count == 1 ? found : NULL;
}

void
names_of_qualified_star(struct tracer *t, const struct scope *s,
    const struct dotted *name, struct flow_columns *out)
{
	struct text wanted = name->parts[name->count - 1];
	struct text schema = {NULL, 0};
	const struct from_item *item, *found = NULL, *one;
	size_t count = 0;

	if (name->count > 1)
		schema = name->parts[name->count - 2];
	for (item = s->query->from; item != NULL; item = item->next) {
		one = find_item(item, wanted, schema, &count);
		found = found != NULL ? found : one;
	}
	if (s->query->relation != NULL) {
		one = find_item(
		    s->query->relation, wanted, schema, &count);
		found = found != NULL ? found : one;
	}
	if (count == 1 && !s->is_unsure) {
		columns_join(t, out, &t->of_item[found->number]);
		return;
	}
	out->is_exact = false;
	out->is_open = true;
	if (t->any_taint)
		out->others = TAINT_DERIVED;
}
