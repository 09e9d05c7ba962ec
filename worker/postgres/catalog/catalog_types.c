/*
 * catalog_types.c - what the types of one database are made of.
 *
 * The rule: only what says how a type's values are spelled is kept.  A type
 * that is not in the list (an enum, most types of extensions) is one whose
 * values no mask can make.
 *
 * A base type that casts to text without a function has the bytes of text:
 * citext and its like.
 */
#include "worker/postgres/catalog/catalog.h"
#include "worker/postgres/catalog/catalog_rows.h"
#include "worker/postgres/catalog/catalog_types.h"

enum { PARTS_MAX = 1664 }; /* columns of a row: MaxTupleAttributeNumber */

/* From 10,000 on: initdb gives the rows of system views such OIDs. Servers
 * before 14 have no multiranges, hence the detour by JSON. */
const char catalog_types_sql[] =
    "SELECT t.oid, CASE WHEN t.typtype = 'b' THEN"
    " CASE WHEN e.oid IS NOT NULL THEN 'a' WHEN x.castsource IS NOT NULL"
    " THEN 'd' END ELSE t.typtype::text END,"
    " coalesce(e.typdelim, ','),"
    " CASE t.typtype WHEN 'c' THEN a.atttypid WHEN 'd' THEN t.typbasetype"
    " WHEN 'r' THEN r.rngsubtype WHEN 'm' THEN m.rngtypid"
    " ELSE coalesce(e.oid, x.casttarget) END,"
    " CASE WHEN c.relkind <> 'c' THEN c.oid END"
    " FROM pg_catalog.pg_type t"
    " LEFT JOIN pg_catalog.pg_type e"
    " ON e.oid = t.typelem AND e.typarray = t.oid"
    " LEFT JOIN pg_catalog.pg_cast x ON x.castsource = t.oid"
    " AND x.casttarget = 25 AND x.castmethod = 'b' AND t.typtype = 'b'"
    " LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid"
    " LEFT JOIN pg_catalog.pg_range m ON t.typtype = 'm'"
    " AND (to_jsonb(m) ->> 'rngmultitypid')::oid = t.oid"
    " LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid"
    " AND t.typtype = 'c'"
    " LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid"
    " AND c.relkind = 'c' AND a.attnum > 0 AND NOT a.attisdropped"
    " WHERE t.oid >= 10000 AND (t.typtype IN ('c', 'd', 'r', 'm')"
    " OR e.oid IS NOT NULL OR x.castsource IS NOT NULL)"
    " ORDER BY t.oid, a.attnum";

static enum type_kind
kind_of(struct text letter)
{
	static const char letters[] = {
	    [TYPE_KIND_ALIKE] = 'd',
	    [TYPE_KIND_ARRAY] = 'a',
	    [TYPE_KIND_ROW] = 'c',
	    [TYPE_KIND_RANGE] = 'r',
	    [TYPE_KIND_MULTIRANGE] = 'm',
	};
	int kind;

	for (kind = 0; kind < TYPE_KIND_MAX; kind++) {
		if (letter.len == 1 && letter.at[0] == letters[kind])
			break;
	}
	return (enum type_kind)kind;
}

static enum err
type_add(struct type_list *l, uint32_t oid, const struct text *fields)
{
	void *list = l->types;
	enum type_kind kind = kind_of(fields[1]);
	enum err e = rows_grow(l->arena, &list, l->count, &l->room,
	    sizeof(*l->types), CATALOG_TYPES_MAX);

	if (e != ERR_NONE)
		return e;
	l->types = list;
	if (kind == TYPE_KIND_MAX || fields[2].at == NULL ||
	    fields[2].len != 1 ||
	    (l->count > 0 && l->types[l->count - 1].oid >= oid))
		return ERR_MALFORMED;
	l->types[l->count++] = (struct type){
	    .oid = oid, .kind = kind, .delimiter = fields[2].at[0]};
	l->part_room = 0;
	return ERR_NONE;
}

enum err
catalog_type_part(struct type_list *l, uint32_t oid)
{
	struct type *t = &l->types[l->count - 1];
	void *list = t->parts;
	enum err e;

	e = rows_grow(l->arena, &list, t->part_count, &l->part_room,
	    sizeof(*t->parts), PARTS_MAX);
	if (e != ERR_NONE)
		return e;
	t->parts = list;
	t->parts[t->part_count++].type = oid;
	return ERR_NONE;
}

enum err
catalog_type_row(struct type_list *l, const struct text *fields, size_t count,
    uint32_t *relation_out)
{
	uint32_t oid, part = 0;
	enum err e = ERR_NONE;

	*relation_out = 0;
	/* a row may have no columns, everything else has one part */
	if (count != 5 || !rows_number(fields[0], UINT32_MAX, &oid) ||
	    (fields[3].at != NULL &&
		!rows_number(fields[3], UINT32_MAX, &part)) ||
	    (fields[4].at != NULL &&
		!rows_number(fields[4], UINT32_MAX, relation_out)))
		return ERR_MALFORMED;
	if (l->count == 0 || l->types[l->count - 1].oid != oid)
		e = type_add(l, oid, fields);
	if (e == ERR_NONE && fields[3].at != NULL)
		e = catalog_type_part(l, part);
	return e;
}
