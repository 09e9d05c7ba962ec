/*
 * code_reach.c - what the texts of users' code mention.
 *
 * The rule: a name stands for everything of that name.  Relations that a body
 * mentions count with the columns it mentions, or with all of them where it
 * may take them without their names.
 */
#include <stdlib.h>

#include "worker/postgres/catalog/catalog.h"
#include "worker/postgres/catalog/catalog_rows.h"
#include "common/code_body.h"
#include "worker/postgres/catalog/code_reach_inner.h"

/* --- finding -------------------------------------------------------------- */

static int
compare_texts(struct text a, struct text b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len == 0 ? 0 : memcmp(a.at, b.at, len);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int
compare_relations(const void *a, const void *b)
{
	const struct relation *const *x = a, *const *y = b;

	return compare_texts((*x)->name, (*y)->name);
}

static int
compare_names(const void *a, const void *b)
{
	const struct code_item *const *x = a, *const *y = b;
	const struct code *left = &(*x)->code, *right = &(*y)->code;

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	return compare_texts(left->name, right->name);
}

int
code_compare_oids(const void *a, const void *b)
{
	const struct code_item *const *x = a, *const *y = b;

	return ((*x)->oid > (*y)->oid) - ((*x)->oid < (*y)->oid);
}

/* The first of `count` sorted things that is not less than the key. */
size_t
code_lower_bound(const void *key, const void *things, size_t count, size_t size,
    int (*compare)(const void *, const void *))
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare((const char *)things + middle * size, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t
find_relations(const struct code_reach *r, struct text name)
{
	const struct relation wanted = {.name = name}, *key = &wanted;

	return code_lower_bound(&key, r->relations, r->relation_count,
	    sizeof(*r->relations), compare_relations);
}

size_t
code_find_named(const struct code_reach *r, enum code_kind kind, struct text name)
{
	struct code_item wanted = {.code = {.kind = kind, .name = name}};
	struct code_item *key = &wanted;

	return code_lower_bound(&key, r->by_name, r->list->count,
	    sizeof(*r->by_name), compare_names);
}

bool
code_is_named(const struct code_reach *r, size_t i, enum code_kind kind,
    struct text name)
{
	return i < r->list->count && r->by_name[i]->code.kind == kind &&
	       text_is(r->by_name[i]->code.name, name);
}

/* --- reading texts -------------------------------------------------------- */

/* One item's texts, as they are read. */
struct reading {
	struct code_reach *reach;
	struct code_item *item;
	struct text *names; /* mentioned */
	size_t name_count, name_room;
};

static bool
is_relation(void *context, struct text name)
{
	const struct code_reach *r = ((struct reading *)context)->reach;
	size_t i = find_relations(r, name);

	return i < r->relation_count && text_is(r->relations[i]->name, name);
}

static enum err
take_name(void *context, struct text name)
{
	struct reading *reading = context;
	void *list = reading->names;
	enum err e = rows_grow(reading->reach->scratch, &list,
	    reading->name_count, &reading->name_room, sizeof(*reading->names),
	    CATALOG_SOURCES_MAX);

	if (e != ERR_NONE)
		return e;
	reading->names = list;
	reading->names[reading->name_count++] = name;
	return ERR_NONE;
}

static enum err
take_call(void *context, const struct code_call *call)
{
	struct reading *reading = context;
	struct code_item *item = reading->item;
	struct code_list *l = reading->reach->list;
	size_t found = code_find_named(reading->reach, call->kind, call->name);
	void *list = item->edges;
	enum err e;

	if (call->kind == CODE_FUNCTION && !call->may_be_column &&
	    code_builtin_is_opaque(l, call->name))
		item->code.is_opaque = item->code.stores = true;
	if (call->kind == CODE_FUNCTION && !call->may_be_column)
		item->code.escapes |= code_builtin_escapes(l, call->name);
	if (!code_is_named(reading->reach, found, call->kind, call->name))
		return ERR_NONE;
	e = rows_grow(l->arena, &list, item->edge_count, &item->edge_room,
	    sizeof(*item->edges), CATALOG_SOURCES_MAX);
	if (e != ERR_NONE)
		return e;
	item->edges = list;
	item->edges[item->edge_count++] = (struct code_edge){
	    .kind = call->kind,
	    .name = reading->reach->by_name[found]->code.name};
	return ERR_NONE;
}

static int
compare_mentions(const void *a, const void *b)
{
	return compare_texts(*(const struct text *)a, *(const struct text *)b);
}

static bool
mentions(const struct reading *reading, struct text name)
{
	return reading->name_count > 0 &&
	       bsearch(&name, reading->names, reading->name_count,
		   sizeof(name), compare_mentions) != NULL;
}

static enum err
source_add(struct reading *reading, uint32_t relation, size_t number)
{
	struct code_item *item = reading->item;
	void *list = item->code.sources;
	enum err e = rows_grow(reading->reach->list->arena, &list,
	    item->code.source_count, &item->source_room,
	    sizeof(*item->code.sources), CATALOG_SOURCES_MAX);

	if (e != ERR_NONE)
		return e;
	item->code.sources = list;
	item->code.sources[item->code.source_count++] = (struct column_source){
	    relation, (uint16_t)(number | COLUMN_SOURCE_DERIVED)};
	return ERR_NONE;
}

static enum err
columns_add(struct reading *reading, const struct relation *relation,
    bool takes_whole)
{
	enum err e = ERR_NONE;
	size_t i;

	if (takes_whole)
		return source_add(reading, relation->oid, 0);
	for (i = 0; i < relation->column_count && e == ERR_NONE; i++) {
		if (relation->columns[i].name.len > 0 &&
		    mentions(reading, relation->columns[i].name))
			e = source_add(reading, relation->oid, i + 1);
	}
	return e;
}

/* The relations among the names; names are sorted. */
static enum err
sources_add(struct reading *reading, bool takes_whole)
{
	const struct code_reach *r = reading->reach;
	enum err e = ERR_NONE;
	size_t i, k;

	for (i = 0; i < reading->name_count && e == ERR_NONE; i++) {
		struct text name = reading->names[i];

		if (i > 0 && text_is(name, reading->names[i - 1]))
			continue;
		for (k = find_relations(r, name); k < r->relation_count &&
		     text_is(r->relations[k]->name, name) && e == ERR_NONE;
		     k++)
			e = columns_add(
			    reading, r->relations[k], takes_whole);
	}
	return e;
}

static enum err
item_read(struct code_reach *r, struct code_item *item)
{
	struct reading reading = {.reach = r, .item = item};
	const struct code_listener listener = {.context = &reading,
	    .is_relation = is_relation,
	    .take_name = take_name,
	    .take_call = take_call};
	/* casts that no text spells out */
	static const struct code_call unwritten = {.kind = CODE_ALWAYS};
	struct code_facts facts = {0};
	enum err e = ERR_NONE;

	arena_reset(r->scratch);
	if (item->texts[0].len > 0)
		e = code_body_read(
		    item->texts[0], r->scratch, &listener, &facts);
	if (e == ERR_NONE && item->texts[1].len > 0)
		e = code_header_read(
		    item->texts[1], r->scratch, &listener, &facts);
	if (e == ERR_NONE && item->texts[0].len + item->texts[1].len > 0)
		e = take_call(&reading, &unwritten);
	if (e != ERR_NONE)
		return e;
	item->code.is_opaque |= facts.is_opaque;
	item->code.escapes |= facts.escapes;
	item->code.stores |= facts.stores ||
			     (facts.returns_trigger && facts.changes_row);
	if (reading.name_count > 0)
		qsort(reading.names, reading.name_count,
		    sizeof(*reading.names), compare_mentions);
	return sources_add(&reading, facts.takes_whole_relations);
}

/* --- making one ----------------------------------------------------------- */

static enum err
index_all(struct code_reach *r, const struct relation *relations)
{
	struct code_list *l = r->list;
	size_t i;

	r->relations = arena_array(
	    l->arena, r->relation_count + 1, sizeof(*r->relations));
	r->by_name = arena_array(l->arena, l->count + 1, sizeof(*r->by_name));
	r->by_oid = arena_array(l->arena, l->count + 1, sizeof(*r->by_oid));
	if (r->relations == NULL || r->by_name == NULL || r->by_oid == NULL)
		return ERR_MEMORY;
	for (i = 0; i < r->relation_count; i++)
		r->relations[i] = &relations[i];
	for (i = 0; i < l->count; i++) {
		r->by_name[i] = &l->items[i];
		if (l->items[i].oid != 0)
			r->by_oid[r->oid_count++] = &l->items[i];
	}
	qsort(r->relations, r->relation_count, sizeof(*r->relations),
	    compare_relations);
	qsort(r->by_name, l->count, sizeof(*r->by_name), compare_names);
	qsort(r->by_oid, r->oid_count, sizeof(*r->by_oid), code_compare_oids);
	return ERR_NONE;
}

enum err
code_reach_new(struct code_list *l, const struct relation *relations,
    size_t relation_count, struct code_reach **out)
{
	struct code_reach *r = arena_alloc(l->arena, sizeof(*r));
	enum err e;
	size_t i;

	*out = r;
	if (r == NULL)
		return ERR_MEMORY;
	r->list = l;
	r->relation_count = relation_count;
	e = index_all(r, relations);
	r->scratch = arena_new(CATALOG_MEMORY_MAX);
	if (e == ERR_NONE && r->scratch == NULL)
		e = ERR_MEMORY;
	for (i = 0; i < l->count && e == ERR_NONE; i++)
		e = item_read(r, &l->items[i]);
	arena_free(r->scratch);
	r->scratch = NULL;
	return e;
}
