/*
 * protection_follow.c - where the values of a column may come from.
 *
 * The rule: a column is protected if a walk over the catalogue's sources from
 * it reaches a column the policy names.  The walk cannot go round: every way
 * is gone once.  A source the catalogue has lost is an error, not a clean
 * answer.
 */
#include <stdlib.h>

#include "common/protection_inner.h"

/* --- the cache ------------------------------------------------------------ */

static enum err
cache_add(struct protection *p, struct known_relation **bucket, uint32_t oid,
    struct known_relation **out)
{
	struct known_relation *r = arena_alloc(p->cache, sizeof(*r));
	enum err e;

	if (r == NULL)
		return ERR_MEMORY;
	e = store_relation(p->catalog, p->upstream, p->database, oid, p->cache,
	    &r->relation);
	if (e != ERR_NONE)
		return e;
	r->columns = arena_array(
	    p->cache, r->relation.column_count, sizeof(*r->columns));
	if (r->columns == NULL)
		return ERR_MEMORY;
	r->next = *bucket;
	*bucket = r;
	*out = r;
	return ERR_NONE;
}

enum err
protection_known(
    struct protection *p, uint32_t oid, struct known_relation **out)
{
	struct known_relation **bucket, *r;

	if (p->catalog == NULL || oid == 0)
		return ERR_NOT_FOUND;
	if (p->buckets == NULL)
		p->buckets = arena_array(
		    p->cache, PROTECTION_BUCKETS, sizeof(*p->buckets));
	if (p->buckets == NULL)
		return ERR_MEMORY;
	bucket = &p->buckets[oid & (PROTECTION_BUCKETS - 1)];
	for (r = *bucket; r != NULL; r = r->next) {
		if (r->relation.oid == oid) {
			*out = r;
			return ERR_NONE;
		}
	}
	return cache_add(p, bucket, oid, out);
}

static struct known_name *
name_find(struct known_name *n, struct text name, uint64_t hash)
{
	while (n != NULL && (n->hash != hash || !text_is(n->name, name)))
		n = n->next;
	return n;
}

/* Without memory it is looked up again the next time. */
static void
name_keep(struct protection *p, struct known_name **bucket, struct text name,
    uint64_t hash, const uint32_t *oids, size_t count)
{
	struct known_name *n;

	if (p->name_count >= PROTECTION_NAMES_MAX)
		return;
	n = arena_alloc(p->cache, sizeof(*n));
	if (n == NULL)
		return;
	*n = (struct known_name){.next = *bucket,
	    .hash = hash,
	    .name = {arena_copy(p->cache, name.at, name.len), name.len},
	    .oids = arena_array(p->cache, count, sizeof(*oids)),
	    .count = count};
	if (n->name.at == NULL || n->oids == NULL)
		return;
	if (count > 0)
		memcpy(n->oids, oids, count * sizeof(*oids));
	*bucket = n;
	p->name_count++;
}

enum err
protection_named(struct protection *p, struct text name, uint32_t *oids,
    size_t max, size_t *count_out)
{
	uint64_t hash = text_hash(name);
	struct known_name **bucket, *n;
	enum err e;

	*count_out = 0;
	if (p->catalog == NULL)
		return ERR_NOT_FOUND;
	if (p->names == NULL)
		p->names = arena_array(
		    p->cache, PROTECTION_BUCKETS, sizeof(*p->names));
	if (p->names == NULL)
		return ERR_MEMORY;
	bucket = &p->names[hash >> 32 & (PROTECTION_BUCKETS - 1)];
	n = name_find(*bucket, name, hash);
	if (n != NULL && n->count > max)
		return ERR_TOO_LONG;
	if (n != NULL) {
		*count_out = n->count;
		if (n->count > 0)
			memcpy(oids, n->oids, n->count * sizeof(*oids));
		return ERR_NONE;
	}
	e = store_relations_named(p->catalog, p->upstream, p->database, name,
	    oids, max, count_out);
	if (e == ERR_NONE)
		name_keep(p, bucket, name, hash, oids, *count_out);
	return e;
}

/* --- the walk ------------------------------------------------------------- */

/* Note a column to visit, unless this walk was there this way. */
static enum err
step_add(struct protection *p, struct known_relation *r, size_t column,
    bool is_derived)
{
	struct column_state *c = &r->columns[column];
	struct walk_step *more;
	size_t room = p->step_room == 0 ? 64 : p->step_room * 2;

	if (c->walk_derived == p->walks ||
	    (!is_derived && c->walk_plain == p->walks))
		return ERR_NONE;
	*(is_derived ? &c->walk_derived : &c->walk_plain) = p->walks;
	if (p->step_count == p->step_room) {
		more = reallocarray(p->steps, room, sizeof(*more));
		if (more == NULL)
			return ERR_MEMORY;
		p->steps = more;
		p->step_room = room;
	}
	p->steps[p->step_count++] =
	    (struct walk_step){r, column, is_derived};
	return ERR_NONE;
}

enum err
protection_source(struct protection *p, const struct column_source *source,
    struct known_relation **out, size_t *first_out, size_t *end_out)
{
	unsigned number = source->number & ~(unsigned)COLUMN_SOURCE_DERIVED;
	enum err e = protection_known(p, source->relation, out);

	*first_out = *end_out = 0;
	if (e != ERR_NONE)
		return e;
	if (number > (*out)->relation.column_count)
		return ERR_NOT_FOUND;
	*first_out = number > 0 ? number - 1 : 0;
	*end_out = number > 0 ? number : (*out)->relation.column_count;
	return ERR_NONE;
}

static enum err
step_add_source(struct protection *p, const struct column_source *source,
    bool is_derived)
{
	struct known_relation *r;
	size_t i, end;
	enum err e = protection_source(p, source, &r, &i, &end);

	is_derived |= source->number == 0 ||
		      (source->number & COLUMN_SOURCE_DERIVED) != 0;
	for (; e == ERR_NONE && i < end; i++)
		e = step_add(p, r, i, is_derived);
	return e;
}

/* What the policy says of this very column. */
static void
add_direct(const struct protection *p, const struct known_relation *r,
    size_t column, bool is_derived, struct column_state *to)
{
	const struct relation *relation = &r->relation;
	struct text name = relation->columns[column].name;
	size_t i;

	if (name.len == 0)
		return; /* dropped */
	if (protection_is_exposing(relation->schema, relation->name, name))
		protection_add(&to->found, NULL, true);
	for (i = 0; i < p->pattern_count; i++) {
		const struct protection_pattern *pattern = &p->patterns[i];

		if (!text_glob(pattern->column, name) ||
		    !text_glob(pattern->table, relation->name) ||
		    !text_glob(pattern->schema, relation->schema))
			continue;
		to->predicates = to->found.protect == NULL
		    ? pattern->protect->predicates
		    : predicates_stricter(
			  to->predicates, pattern->protect->predicates);
		protection_add(&to->found, pattern->protect, is_derived);
	}
}

static enum err
visit(struct protection *p, struct walk_step step, struct column_state *to)
{
	const struct column *c =
	    &step.relation->relation.columns[step.column];
	enum err e = ERR_NONE;
	size_t i;

	add_direct(p, step.relation, step.column, step.is_derived, to);
	for (i = 0; i < c->source_count && e == ERR_NONE; i++) {
		if (c->sources[i].relation == 0)
			protection_add(&to->found, NULL, true);
		else
			e = step_add_source(
			    p, &c->sources[i], step.is_derived);
	}
	return e;
}

enum err
protection_resolve(struct protection *p, struct known_relation *r, size_t i)
{
	struct column_state *c = &r->columns[i], found = {0};
	size_t visited = 0;
	enum err e;

	if (c->is_resolved)
		return ERR_NONE;
	p->walks++;
	p->step_count = 0;
	e = step_add(p, r, i, false);
	while (e == ERR_NONE && p->step_count > 0) {
		if (++visited > PROTECTION_FOLLOW_MAX) {
			found.found = protection_strict;
			break;
		}
		e = visit(p, p->steps[--p->step_count], &found);
	}
	if (e != ERR_NONE)
		return e;
	c->found = found.found;
	c->predicates = found.predicates;
	/* psql sorts by them; they are few, and tell of no row */
	if (protection_is_bounds(r, i))
		c->predicates = PREDICATES_ALLOW;
	c->is_resolved = true;
	return ERR_NONE;
}
