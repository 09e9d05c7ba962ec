/*
 * protection_own.c - names of relations that the session has made itself.
 *
 * The rule: a name on the session's list and in the catalogue may mean either.
 */
#include "common/own.h"
#include "common/protection_inner.h"

void
protection_set_own(struct protection *p, const struct own_relations *own)
{
	p->own = own;
}

bool
protection_owns(
    const struct protection *p, struct text schema, struct text name)
{
	bool is_temporary;

	return p->own != NULL && own_has(p->own, schema, name, &is_temporary);
}

bool
protection_may_hide(const struct protection *p)
{
	return p->own != NULL && (p->own->is_over || p->own->version > 0);
}

bool
protection_knows(struct protection *p, uint32_t oid)
{
	struct known_relation *r;

	return protection_known(p, oid, &r) == ERR_NONE;
}

static bool
is_temporary_schema(struct text schema)
{
	return text_starts(schema, TEXT("pg_temp_"));
}

bool
protection_is_temporary(
    struct protection *p, struct text schema, struct text name)
{
	uint32_t oids[PROTECTION_SAME_NAME_MAX];
	struct known_relation *r;
	bool is_temporary;
	size_t count, i;

	if (text_is(schema, TEXT("pg_temp")))
		return true;
	if (p->own == NULL || schema.len > 0 ||
	    !own_has(p->own, schema, name, &is_temporary) ||
	    protection_named(p, name, oids, PROTECTION_SAME_NAME_MAX, &count) !=
		ERR_NONE)
		return false;
	for (i = 0; i < count && is_temporary; i++)
		is_temporary = protection_known(p, oids[i], &r) == ERR_NONE &&
			       is_temporary_schema(r->relation.schema);
	return is_temporary;
}

bool
protection_may_name(const struct protection *p, const struct statement *s,
    const struct relation_use *relation)
{
	size_t i, k;

	if (protection_is_exposing(
		relation->schema, relation->name, (struct text){NULL, 0}))
		return true;
	for (i = 0; i < p->pattern_count; i++) {
		const struct protection_pattern *pattern = &p->patterns[i];

		if (!text_glob(pattern->table, relation->name))
			continue;
		for (k = 0; k < s->name_count; k++) {
			if (text_glob(pattern->column, s->names[k]))
				return true;
		}
	}
	return false;
}
