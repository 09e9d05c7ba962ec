/*
 * code_walk.c - what users' code may read through whatever it calls.
 *
 * The rule: a walk that gets too long has found code that may read anything.
 */
#include <stdlib.h>

#include "worker/postgres/catalog/catalog.h"
#include "worker/postgres/catalog/catalog_rows.h"
#include "worker/postgres/catalog/code_reach_inner.h"

/* --- walking -------------------------------------------------------------- */

/* A walk over calls, and what it has found. */
struct walk {
	struct code_reach *reach;
	struct code code;
	size_t source_room;
	struct code_item **stack;
	size_t stack_count, stack_room, visited;
	/* It came to code that is neither built in nor trusted. */
	bool runs_users_code;
	/* It only asks whether anything escapes, and goes all ways for that:
	 * what relations read is told in their columns otherwise. */
	bool is_for_escape;
};

static enum err
walk_push(struct walk *w, struct code_item *item)
{
	void *list = w->stack;
	enum err e;

	if (item->walk == w->reach->walks)
		return ERR_NONE;
	item->walk = w->reach->walks;
	e = rows_grow(w->reach->list->arena, &list, w->stack_count,
	    &w->stack_room, sizeof(struct code_item *), CATALOG_SOURCES_MAX);
	if (e != ERR_NONE)
		return e;
	w->stack = list;
	w->stack[w->stack_count++] = item;
	return ERR_NONE;
}

static int
compare_builtins(const void *a, const void *b)
{
	const struct code_edge *x = a, *y = b;

	return (x->oid > y->oid) - (x->oid < y->oid);
}

/* A built-in function is a user's, too, when its body is SQL. */
static enum err
walk_oid(struct walk *w, uint32_t oid)
{
	struct code_reach *r = w->reach;
	struct code_item wanted = {.oid = oid}, *key = &wanted;
	const struct code_edge builtin = {.oid = oid};
	size_t i = code_lower_bound(
	    &key, r->by_oid, r->oid_count, sizeof(*r->by_oid), code_compare_oids);
	bool is_known = oid < FIRST_USERS_OID;
	const struct code_edge *found = NULL;
	enum err e = ERR_NONE;

	if (r->list->builtin_count > 0 && is_known)
		found = bsearch(&builtin, r->list->builtins,
		    r->list->builtin_count, sizeof(builtin), compare_builtins);
	if (found != NULL)
		w->code.is_opaque = w->code.stores = true;
	w->code.escapes |= found != NULL && found->escapes;
	for (; i < r->oid_count && r->by_oid[i]->oid == oid && e == ERR_NONE;
	     i++) {
		is_known = true;
		e = walk_push(w, r->by_oid[i]);
	}
	w->code.is_opaque |= !is_known;
	w->code.escapes |= !is_known;
	return e;
}

static enum err
walk_name(struct walk *w, enum code_kind kind, struct text name)
{
	size_t i = code_find_named(w->reach, kind, name);
	enum err e = ERR_NONE;

	for (; code_is_named(w->reach, i, kind, name) && e == ERR_NONE; i++)
		e = walk_push(w, w->reach->by_name[i]);
	return e;
}

static enum err
walk_sources(struct walk *w, const struct code *code)
{
	void *list;
	enum err e = ERR_NONE;
	size_t i;

	for (i = 0; i < code->source_count; i++) {
		list = w->code.sources;
		e = rows_grow(w->reach->list->arena, &list,
		    w->code.source_count, &w->source_room,
		    sizeof(*w->code.sources), CATALOG_SOURCES_MAX);
		if (e != ERR_NONE)
			return e;
		w->code.sources = list;
		w->code.sources[w->code.source_count++] = code->sources[i];
	}
	return e;
}

static bool
is_of_escape(enum code_kind kind)
{
	return kind == CODE_READING || kind == CODE_WRITING;
}

static enum err
walk_visit(struct walk *w, const struct code_item *item)
{
	enum err e =
	    w->is_for_escape ? ERR_NONE : walk_sources(w, &item->code);
	size_t i;

	w->code.is_opaque |= item->code.is_opaque;
	w->code.stores |= item->code.stores;
	w->code.escapes |= item->code.escapes;
	w->runs_users_code |= item->code.kind == CODE_FUNCTION &&
			      item->oid >= FIRST_USERS_OID &&
			      !item->code.is_trusted;
	for (i = 0; i < item->edge_count && e == ERR_NONE; i++) {
		const struct code_edge *edge = &item->edges[i];

		if (is_of_escape(edge->kind) && !w->is_for_escape)
			continue;
		e = edge->oid != 0 ? walk_oid(w, edge->oid)
				   : walk_name(w, edge->kind, edge->name);
	}
	return e;
}

static enum err
walk_all(struct walk *w)
{
	enum err e = ERR_NONE;

	while (w->stack_count > 0 && e == ERR_NONE) {
		if (++w->visited > CODE_WALK_MAX) {
			w->code.is_opaque = w->code.stores = true;
			w->code.escapes = true;
			break;
		}
		if (w->is_for_escape && w->code.escapes)
			break;
		e = walk_visit(w, w->stack[--w->stack_count]);
	}
	if (w->code.is_opaque) /* the rest says nothing more */
		w->code.source_count = 0;
	return e;
}

enum err
code_reach_function(struct code_reach *r, uint32_t oid, struct code *out)
{
	struct walk w = {.reach = r};
	enum err e;

	r->walks++;
	e = walk_oid(&w, oid);
	if (e == ERR_NONE)
		e = walk_all(&w);
	*out = w.code;
	return e;
}

/* --- by kind and name ----------------------------------------------------- */

static enum err
escape_named(struct code_reach *r, size_t from, size_t to, bool *out)
{
	struct walk w = {.reach = r, .is_for_escape = true};
	enum err e = ERR_NONE;
	size_t i;

	r->walks++;
	for (i = from; i < to && e == ERR_NONE; i++)
		e = walk_push(&w, r->by_name[i]);
	if (e == ERR_NONE)
		e = walk_all(&w);
	*out = w.code.escapes;
	return e;
}

static bool
reads_users_relations(const struct code *c)
{
	size_t i;

	for (i = 0; i < c->source_count; i++) {
		if (c->sources[i].relation >= FIRST_USERS_OID)
			return true;
	}
	return false;
}

/* All items from `from` to `to` have one kind and name. */
static enum err
join_named(struct code_reach *r, size_t from, size_t to, struct code *out,
    bool *is_wanted_out)
{
	struct walk w = {.reach = r};
	enum err e = ERR_NONE;
	bool is_trusted = true, is_disguise = false, is_users = false;
	bool is_in_system = false;
	size_t i;

	r->walks++;
	for (i = from; i < to && e == ERR_NONE; i++) {
		const struct code_item *item = r->by_name[i];

		is_trusted &= item->code.is_trusted;
		is_disguise |= !item->is_overload && !item->code.is_trusted;
		is_users |= item->oid >= FIRST_USERS_OID;
		is_in_system |= item->code.is_in_system;
		e = walk_push(&w, r->by_name[i]);
	}
	if (e == ERR_NONE)
		e = walk_all(&w);
	*out = w.code;
	out->kind = r->by_name[from]->code.kind;
	out->name = r->by_name[from]->code.name;
	out->is_in_system = is_in_system;
	out->is_trusted = out->kind == CODE_FUNCTION && is_users
	    ? is_trusted
	    : !w.runs_users_code;
	out->is_disguise = is_disguise && !out->is_trusted;
	if (e == ERR_NONE)
		e = escape_named(r, from, to, &out->escapes);
	*is_wanted_out = is_of_escape(out->kind)
	    ? out->escapes
	    : is_users || w.runs_users_code || out->is_opaque ||
		reads_users_relations(out) || out->escapes;
	return e;
}

static int
compare_hashes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

enum err
code_reach_all(struct code_reach *r, struct code **out, uint64_t **hashes_out,
    size_t *count_out)
{
	struct code_list *l = r->list;
	struct code *all = arena_array(l->arena, l->count + 1, sizeof(*all));
	uint64_t *hashes =
	    arena_array(l->arena, l->count + 1, sizeof(*hashes));
	size_t count = 0, from, to;
	bool is_wanted;
	enum err e = ERR_NONE;

	if (all == NULL || hashes == NULL)
		return ERR_MEMORY;
	for (from = 0; from < l->count && e == ERR_NONE; from = to) {
		const struct code *first = &r->by_name[from]->code;

		for (to = from + 1; code_is_named(r, to, first->kind, first->name);)
			to++;
		e = join_named(r, from, to, &all[count], &is_wanted);
		hashes[count] = code_hash(first->kind, first->name);
		count += is_wanted;
	}
	qsort(hashes, count, sizeof(*hashes), compare_hashes);
	*out = all;
	*hashes_out = hashes;
	*count_out = count;
	return e;
}
