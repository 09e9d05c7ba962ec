/*
 * pg_types.c - what the types of result columns are made of.
 *
 * The rule: what the catalogue does not know, or what is nested too deeply or
 * too widely, is of unknown form, and its values become NULL.
 */
#include "worker/postgres/pg.h"

enum {
	TYPES_DEPTH_MAX = 8,
	TYPES_MEMORY_MAX = 4 * 1024 * 1024, /* of all columns of a result */
};

struct resolving {
	const struct gate *gate;
	struct arena *arena;
};

static struct mask_shape resolve(
    const struct resolving *r, uint32_t oid, unsigned depth);

static struct mask_shape
unknown(uint32_t oid)
{
	return mask_shape_made(FORM_UNKNOWN, oid, NULL, 0);
}

/* NULL: no memory. */
static struct mask_shape *
resolve_parts(
    const struct resolving *r, const struct type *t, unsigned depth)
{
	struct mask_shape *parts =
	    arena_array(r->arena, t->part_count, sizeof(*parts));
	size_t i;

	for (i = 0; parts != NULL && i < t->part_count; i++)
		parts[i] = resolve(r, t->parts[i].type, depth + 1);
	return parts;
}

static struct mask_shape
shape_made(const struct type *t, struct mask_shape *parts)
{
	static const enum mask_form forms[TYPE_KIND_MAX] = {
	    [TYPE_KIND_ARRAY] = FORM_ARRAY,
	    [TYPE_KIND_ROW] = FORM_ROW,
	    [TYPE_KIND_RANGE] = FORM_RANGE,
	    [TYPE_KIND_MULTIRANGE] = FORM_MULTIRANGE,
	};

	if (t->kind != TYPE_KIND_ROW && t->part_count != 1)
		return unknown(t->oid);
	if (t->kind == TYPE_KIND_ALIKE) {
		parts[0].oid = t->oid;
		return parts[0];
	}
	if (t->kind == TYPE_KIND_MULTIRANGE) {
		if (parts[0].form != FORM_RANGE)
			return unknown(t->oid);
		return mask_shape_made(
		    FORM_MULTIRANGE, t->oid, parts[0].parts, 1);
	}
	if (t->kind == TYPE_KIND_ARRAY)
		parts[0].delimiter = t->delimiter;
	return mask_shape_made(
	    forms[t->kind], t->oid, parts, t->part_count);
}

static struct mask_shape
resolve(const struct resolving *r, uint32_t oid, unsigned depth)
{
	const struct mask_shape *built_in = mask_shape_of(oid);
	const struct gate *g = r->gate;
	struct mask_shape *parts;
	struct type t;

	if (built_in->form != FORM_UNKNOWN)
		return *built_in;
	if (depth == TYPES_DEPTH_MAX || g->catalog_store == NULL ||
	    store_type(g->catalog_store, g->place.upstream, g->place.database,
		oid, r->arena, &t) != ERR_NONE)
		return unknown(oid);
	parts = resolve_parts(r, &t, depth);
	return parts == NULL ? unknown(oid) : shape_made(&t, parts);
}

const struct mask_shape *
pg_type_shape(const struct gate *g, uint32_t oid, struct arena **arena)
{
	const struct mask_shape *built_in = mask_shape_of(oid);
	struct mask_shape *shape;

	if (built_in->form != FORM_UNKNOWN)
		return built_in;
	if (*arena == NULL)
		*arena = arena_new(TYPES_MEMORY_MAX);
	shape = *arena == NULL ? NULL : arena_alloc(*arena, sizeof(*shape));
	if (shape == NULL)
		return built_in;
	*shape = resolve(&(struct resolving){g, *arena}, oid, 0);
	return shape;
}
