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

static bool
is_full(size_t count)
{
	return count == 0 || (count >= 8 && (count & (count - 1)) == 0);
}

bool
columns_add(struct tracer *t, struct flow_columns *c, struct text name,
    enum taint taint)
{
	if (is_full(c->count)) {
		size_t room = c->count == 0 ? 8 : c->count * 2;
		struct flow_column *more =
		    arena_array(t->arena, room, sizeof(*more));

		if (more == NULL) {
			t->error = ERR_MEMORY;
			return false;
		}
		if (c->count > 0)
			memcpy(more, c->at, c->count * sizeof(*more));
		c->at = more;
	}
	c->at[c->count++] = (struct flow_column){name, taint};
	t->work++;
	return true;
}

void
columns_join(
    struct tracer *t, struct flow_columns *c, const struct flow_columns *more)
{
	size_t i;

	for (i = 0; i < more->count; i++) {
		if (!columns_add(t, c, more->at[i].name, more->at[i].taint))
			return;
	}
	c->is_exact &= more->is_exact;
	c->is_open |= more->is_open;
	c->others = taint_max(c->others, more->others);
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
	if (item->name.count == 1)
		withs = names_of_with(t, item->name.parts[0], out);
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
	enum taint taint;
	bool is_relation; /* what is searched right now */
	bool is_found, is_certain;
};

/* Columns that every table has. */
static bool
is_system(struct text name)
{
	static const char *const names[] = {
	    "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (text_is(name, text_of(names[i])))
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
	s->is_found |= has || (s->is_relation && is_system(s->name));
	if (has && !c->is_open && is_certain) {
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

	/* The server knows a meaning that we don't. */
	if (!s.is_found && t->any_taint)
		return TAINT_DERIVED;
	return s.taint;
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

/* The one thing of that name, or NULL; *count_out says how many there are. */
static const struct from_item *
find_item(const struct from_item *item, struct text name, size_t *count_out)
{
	const struct from_item *found = NULL, *other;

	if (text_is(visible_name(item), name)) {
		found = item;
		++*count_out;
	}
	if (item->kind != FROM_JOIN)
		return found;
	other = find_item(item->left, name, count_out);
	found = found != NULL ? found : other;
	other = find_item(item->right, name, count_out);
	return found != NULL ? found : other;
}

void
names_of_qualified_star(struct tracer *t, const struct scope *s,
    const struct dotted *name, struct flow_columns *out)
{
	struct text wanted = name->parts[name->count - 1];
	const struct from_item *item, *found = NULL, *one;
	size_t count = 0;

	for (item = s->query->from; item != NULL; item = item->next) {
		one = find_item(item, wanted, &count);
		found = found != NULL ? found : one;
	}
	if (s->query->relation != NULL) {
		one = find_item(s->query->relation, wanted, &count);
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
