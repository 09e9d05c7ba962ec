/*
 * catalog_read.c - the catalogue of one database, row by row.
 *
 * The rule: a row that makes no sense ends the reading; half a catalogue is
 * none.  The server's rows are believed to be true, never to be well-formed.
 *
 * Where a column's values come from:
 *   - a view's plain column: the target list's origin;
 *   - a view's expression: every column the view's rule depends on, marked
 *     derived; all columns of those relations if whole rows are used; what the
 *     functions that it calls may read; and "cannot be followed" if that may
 *     be anything;
 *   - a generated column or a default: likewise, of that column;
 *   - a foreign table: the column of the local relation that it seems to be;
 *   - inheritance and partitions: the column of the same name in the parent
 *     (it is shown through the parent) and in each child (the parent shows
 *     theirs);
 *   - the catalogue's own columns that hold values of tables: the columns by
 *     which tables are partitioned, and those that older rows lack.
 */
#include <stdlib.h>

#include "worker/postgres/catalog/catalog.h"
#include "worker/postgres/catalog/catalog_inner.h"
#include "worker/postgres/catalog/catalog_links.h"
#include "worker/postgres/catalog/catalog_rows.h"

/* --- lists and fields ----------------------------------------------------- */

static bool
field_copy(struct reader *r, struct text field, struct text *out)
{
	out->len = field.len;
	out->at = field.at == NULL || field.len > STORE_NAME_MAX
		      ? NULL
		      : arena_copy(r->arena, field.at, field.len);
	return out->at != NULL;
}

static int
by_oid(const void *key, const void *item)
{
	uint32_t oid = *(const uint32_t *)key;
	const struct relation *relation = item;

	return oid < relation->oid ? -1 : oid > relation->oid;
}

struct relation *
catalog_relation_of(const struct reader *r, uint32_t oid)
{
	if (r->relation_count == 0)
		return NULL;
	return bsearch(&oid, r->relations, r->relation_count,
	    sizeof(*r->relations), by_oid);
}

enum err
catalog_edge_add(struct reader *r, uint32_t relation, uint32_t number, uint32_t source,
    uint32_t source_number)
{
	void *list = r->edges;
	enum err e = rows_grow(r->arena, &list, r->edge_count, &r->edge_room,
	    sizeof(*r->edges), CATALOG_SOURCES_MAX);

	if (e != ERR_NONE)
		return e;
	r->edges = list;
	r->edges[r->edge_count++] =
	    (struct edge){relation, number, {source, (uint16_t)source_number}};
	return ERR_NONE;
}

/* --- relations and columns ------------------------------------------------ */

static const char relations_sql[] =
    "SELECT c.oid, n.nspname, c.relname,"
    " CASE WHEN c.relkind IN ('r', 'p', 'f') AND"
    " (c.relhasrules OR c.relrowsecurity) THEN 'x' ELSE c.relkind END,"
    " a.attnum,"
    " CASE WHEN a.attisdropped THEN '' ELSE a.attname::text END, a.atttypid,"
    " CASE WHEN a.attgenerated = '' THEN '0' ELSE '1' END,"
    " CASE WHEN k.conkey = ARRAY[a.attnum] AND NOT k.condeferrable"
    " AND (c.relkind = 'p' OR NOT c.relhassubclass) THEN '1' ELSE '0' END"
    " FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_catalog.pg_attribute a"
    " ON a.attrelid = c.oid AND a.attnum > 0"
    " LEFT JOIN pg_catalog.pg_constraint k"
    " ON k.conrelid = c.oid AND k.contype = 'p'"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"
    " ORDER BY c.oid, a.attnum";

static enum err
relation_add(struct reader *r, uint32_t oid, const struct text *fields)
{
	void *list = r->relations;
	struct relation *relation;
	enum err e = rows_grow(r->arena, &list, r->relation_count,
	    &r->relation_room, sizeof(*r->relations), CATALOG_RELATIONS_MAX);

	if (e != ERR_NONE)
		return e;
	r->relations = list;
	if (r->relation_count > 0 &&
	    r->relations[r->relation_count - 1].oid >= oid)
		return ERR_MALFORMED; /* bsearch() relies on the order */
	relation = &r->relations[r->relation_count];
	relation->oid = oid;
	relation->kind = fields[3].len == 1 ? fields[3].at[0] : '?';
	if (!field_copy(r, fields[1], &relation->schema) ||
	    !field_copy(r, fields[2], &relation->name))
		return ERR_MALFORMED;
	r->relation_count++;
	r->column_room = 0;
	return ERR_NONE;
}

/* A column after the last one: attribute numbers have no gaps. */
static enum err
column_add(struct reader *r, struct relation *to, const struct text *fields)
{
	void *list = to->columns;
	struct column *column;
	uint32_t number, type, generated, key;
	enum err e;

	if (!rows_number(fields[4], NODE_COLUMNS_MAX, &number) ||
	    !rows_number(fields[6], UINT32_MAX, &type) ||
	    !rows_number(fields[7], 1, &generated) ||
	    !rows_number(fields[8], 1, &key) ||
	    number != to->column_count + 1)
		return ERR_MALFORMED;
	e = rows_grow(r->arena, &list, to->column_count, &r->column_room,
	    sizeof(*to->columns), NODE_COLUMNS_MAX);
	if (e != ERR_NONE)
		return e;
	to->columns = list;
	column = &to->columns[to->column_count++];
	column->type = type;
	column->is_generated = generated == 1;
	column->is_key = key == 1;
	return field_copy(r, fields[5], &column->name) ? ERR_NONE
						       : ERR_MALFORMED;
}

static enum err
relation_row(void *context, const struct text *fields, size_t count)
{
	struct reader *r = context;
	struct relation *last = NULL;
	uint32_t oid;
	enum err e;

	if (count != 9 || !rows_number(fields[0], UINT32_MAX, &oid))
		return ERR_MALFORMED;
	if (r->relation_count > 0)
		last = &r->relations[r->relation_count - 1];
	if (last == NULL || last->oid != oid) {
		e = relation_add(r, oid, fields);
		if (e != ERR_NONE)
			return e;
		last = &r->relations[r->relation_count - 1];
	}
	return fields[4].at == NULL ? ERR_NONE : column_add(r, last, fields);
}

/* --- inheritance and partitions ------------------------------------------- */

static enum err
inherit_row(void *context, const struct text *fields, size_t count)
{
	struct reader *r = context;
	uint32_t child, child_number, parent, parent_number;
	enum err e;

	if (count != 4 || !rows_number(fields[0], UINT32_MAX, &child) ||
	    !rows_number(fields[1], NODE_COLUMNS_MAX, &child_number) ||
	    !rows_number(fields[2], UINT32_MAX, &parent) ||
	    !rows_number(fields[3], NODE_COLUMNS_MAX, &parent_number))
		return ERR_MALFORMED;
	e = catalog_edge_add(r, child, child_number, parent, parent_number);
	return e != ERR_NONE
		   ? e
		   : catalog_edge_add(r, parent, parent_number, child, child_number);
}

static enum err
same_row(void *context, const struct text *fields, size_t count)
{
	uint32_t column[2], source[2];

	if (count != 4 || !rows_number(fields[0], UINT32_MAX, &column[0]) ||
	    !rows_number(fields[1], NODE_COLUMNS_MAX, &column[1]) ||
	    !rows_number(fields[2], UINT32_MAX, &source[0]) ||
	    !rows_number(fields[3], NODE_COLUMNS_MAX, &source[1]))
		return ERR_MALFORMED;
	return catalog_edge_add(context, column[0], column[1], source[0], source[1]);
}

/* --- values in the catalogue itself --------------------------------------- */

/* An expression's number is 0: any column of the table. The bounds of hashes
 * are no values. */
static const char bounds_sql[] =
    "SELECT a.attrelid, a.attnum, t.partrelid, k.number"
    " FROM pg_catalog.pg_partitioned_table t"
    " CROSS JOIN LATERAL pg_catalog.unnest(t.partattrs::int2[]) k(number)"
    " JOIN pg_catalog.pg_attribute a"
    " ON a.attrelid = 'pg_catalog.pg_class'::regclass"
    " AND a.attname = 'relpartbound'"
    " WHERE t.partstrat <> 'h' AND k.number >= 0";

static const char missing_sql[] =
    "SELECT a.attrelid, a.attnum, m.attrelid, m.attnum"
    " FROM pg_catalog.pg_attribute m"
    " JOIN pg_catalog.pg_class c ON c.oid = m.attrelid"
    " JOIN pg_catalog.pg_attribute a"
    " ON a.attrelid = 'pg_catalog.pg_attribute'::regclass"
    " AND a.attname = 'attmissingval'"
    " WHERE m.atthasmissing AND NOT m.attisdropped AND m.attnum > 0"
    " AND c.relkind IN ('r', 'p', 'f')";

static enum err
shown_row(void *context, const struct text *fields, size_t count)
{
	uint32_t relation, number, source, source_number;

	if (count != 4 || !rows_number(fields[0], UINT32_MAX, &relation) ||
	    !rows_number(fields[1], NODE_COLUMNS_MAX, &number) ||
	    !rows_number(fields[2], UINT32_MAX, &source) ||
	    !rows_number(fields[3], NODE_COLUMNS_MAX, &source_number))
		return ERR_MALFORMED;
	return catalog_edge_add(context, relation, number, source,
	    source_number | COLUMN_SOURCE_DERIVED);
}

/* --- all of it ------------------------------------------------------------ */

static int
compare_edges(const void *left, const void *right)
{
	const struct edge *a = left, *b = right;

	if (a->relation != b->relation)
		return a->relation < b->relation ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* Hand every column its slice of the sorted sources. */
static enum err
edges_attach(struct reader *r)
{
	struct column_source *sources =
	    arena_array(r->arena, r->edge_count + 1, sizeof(*sources));
	struct relation *relation = NULL;
	size_t i;

	if (sources == NULL)
		return ERR_MEMORY;
	if (r->edge_count > 0)
		qsort(
		    r->edges, r->edge_count, sizeof(*r->edges), compare_edges);
	for (i = 0; i < r->edge_count; i++) {
		const struct edge *edge = &r->edges[i];
		struct column *column;

		sources[i] = edge->source;
		if (relation == NULL || relation->oid != edge->relation)
			relation = catalog_relation_of(r, edge->relation);
		if (relation == NULL || edge->number == 0 ||
		    edge->number > relation->column_count)
			return ERR_MALFORMED;
		column = &relation->columns[edge->number - 1];
		if (column->source_count++ == 0)
			column->sources = &sources[i];
	}
	return ERR_NONE;
}

/* A relation's row type has the relation's columns. */
static enum err
type_row(void *context, const struct text *fields, size_t count)
{
	struct reader *r = context;
	const struct relation *relation;
	uint32_t oid;
	size_t i;
	enum err e = catalog_type_row(&r->types, fields, count, &oid);

	relation = e != ERR_NONE || oid == 0 ? NULL : catalog_relation_of(r, oid);
	for (i = 0; relation != NULL && i < relation->column_count; i++) {
		if (e == ERR_NONE && relation->columns[i].name.len > 0)
			e = catalog_type_part(
			    &r->types, relation->columns[i].type);
	}
	return e;
}

static enum err
command_row(void *context, const struct text *fields, size_t count)
{
	(void)context;
	(void)fields;
	(void)count;
	return ERR_MALFORMED; /* BEGIN and COMMIT have no rows */
}

/* Relations come first: the others look them up. */
static const struct step {
	const char *sql;
	pg_row row;
} steps[] = {
    {"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", command_row},
    {relations_sql, relation_row},
    {catalog_views_sql, catalog_view_row},
    {catalog_depends_sql, catalog_depend_row},
    {catalog_inherits_sql, inherit_row},
    {catalog_foreign_sql, same_row},
    {catalog_generated_sql, shown_row},
    {catalog_defaults_sql, catalog_default_row},
    {bounds_sql, shown_row},
    {missing_sql, shown_row},
    {catalog_types_sql, type_row},
};

static enum err
read_relations(struct pg_upstream *u, struct reader *r)
{
	enum err e = ERR_NONE;
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		e = pg_upstream_query(
		    u, steps[i].sql, steps[i].row, r, CATALOG_TIMEOUT_MS);
		if (e != ERR_NONE)
			return e;
		if (steps[i].row == relation_row)
			r->views = arena_array(r->arena,
			    r->relation_count + 1, sizeof(*r->views));
		if (steps[i].row == relation_row && r->views == NULL)
			return ERR_MEMORY;
	}
	return e;
}

static enum err
read_code(struct pg_upstream *u, struct reader *r)
{
	enum err e = ERR_NONE;
	size_t i;

	for (i = 0; i < code_step_count && e == ERR_NONE; i++)
		e = pg_upstream_query(u, code_steps[i].sql, code_steps[i].row,
		    &r->code, CATALOG_TIMEOUT_MS);
	return e == ERR_NONE ? pg_upstream_query(u, "COMMIT", command_row, r,
				   CATALOG_TIMEOUT_MS)
			     : e;
}

/* All rows are there: follow what leads from one to another. */
static enum err
follow(struct reader *r, struct catalog_reading *out)
{
	struct code_reach *reach;
	enum err e = code_reach_new(
	    &r->code, r->relations, r->relation_count, &reach);

	if (e == ERR_NONE)
		e = catalog_uses_follow(r, reach);
	if (e == ERR_NONE)
		e = edges_attach(r);
	*out = (struct catalog_reading){.relations = r->relations,
	    .count = r->relation_count,
	    .types = r->types.types,
	    .type_count = r->types.count};
	return e == ERR_NONE ? code_reach_all(reach, &out->code,
				   &out->code_hashes, &out->code_count)
			     : e;
}

enum err
catalog_read(struct pg_upstream *u, const struct classifier *classifier,
    struct arena *a, struct catalog_reading *out)
{
	struct reader r = {.arena = a,
	    .types = {.arena = a},
	    .code = {.arena = a, .classifier = classifier}};
	enum err e = ERR_NONE;

	r.tree = arena_alloc(a, sizeof(*r.tree));
	if (r.tree == NULL)
		return ERR_MEMORY;
	e = read_relations(u, &r);
	if (e == ERR_NONE)
		e = read_code(u, &r);
	return e == ERR_NONE ? follow(&r, out) : e;
}
