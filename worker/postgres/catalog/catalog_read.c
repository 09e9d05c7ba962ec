/*
 * catalog_read.c - the catalogue of one database, row by row.
 *
 * The rule: a row that makes no sense ends the reading; half a catalogue is
 * none.  The server's rows are believed to be true, never to be well-formed.
 *
 * Where a column's values come from:
 *   - a view's plain column: the target list's origin;
 *   - a view's expression: every column the view's rule depends on, marked
 *     derived; all columns of those relations if whole rows are used; and
 *     "cannot be followed" if functions are called that may read anything;
 *   - inheritance and partitions: the column of the same name in the parent
 *     (it is shown through the parent) and in each child (the parent shows
 *     theirs).
 */
#include <stdlib.h>

#include "worker/postgres/catalog/catalog.h"
#include "worker/postgres/catalog/catalog_read.h"
#include "worker/postgres/catalog/catalog_rows.h"
#include "worker/postgres/catalog/catalog_types.h"
#include "worker/postgres/catalog/node_tree.h"

struct edge { /* one source of one column */
	uint32_t relation;
	uint32_t number;
	struct column_source source;
};

/* What is known of a view besides its columns; by the relation's index. */
struct view {
	bool is_view;
	bool takes_whole_relations;
	uint8_t *is_derived; /* by attnum - 1 */
};

struct reader {
	struct arena *arena;
	struct relation *relations;
	size_t relation_count, relation_room;
	size_t column_room; /* of the last relation */
	struct view *views;
	struct edge *edges;
	size_t edge_count, edge_room;
	struct view_tree *tree; /* scratch; too large for the stack */
	struct type_list types;
};

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

static struct relation *
relation_of(const struct reader *r, uint32_t oid)
{
	if (r->relation_count == 0)
		return NULL;
	return bsearch(&oid, r->relations, r->relation_count,
	    sizeof(*r->relations), by_oid);
}

static enum err
edge_add(struct reader *r, uint32_t relation, uint32_t number, uint32_t source,
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
    "SELECT c.oid, n.nspname, c.relname, c.relkind, a.attnum,"
    " CASE WHEN a.attisdropped THEN '' ELSE a.attname::text END, a.atttypid,"
    " CASE WHEN a.attgenerated = '' THEN '0' ELSE '1' END"
    " FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_catalog.pg_attribute a"
    " ON a.attrelid = c.oid AND a.attnum > 0"
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
	uint32_t number, type, generated;
	enum err e;

	if (!rows_number(fields[4], NODE_COLUMNS_MAX, &number) ||
	    !rows_number(fields[6], UINT32_MAX, &type) ||
	    !rows_number(fields[7], 1, &generated) ||
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

	if (count != 8 || !rows_number(fields[0], UINT32_MAX, &oid))
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

/* --- views ---------------------------------------------------------------- */

static const char views_sql[] =
    "SELECT r.ev_class, r.ev_action::text"
    " FROM pg_catalog.pg_rewrite r"
    " JOIN pg_catalog.pg_class c ON c.oid = r.ev_class"
    " WHERE c.relkind IN ('v', 'm') AND r.ev_type = '1'";

static enum err
view_row(void *context, const struct text *fields, size_t count)
{
	struct reader *r = context;
	struct relation *relation;
	struct view *view;
	uint32_t oid;
	size_t i;
	enum err e;

	if (count != 2 || !rows_number(fields[0], UINT32_MAX, &oid) ||
	    fields[1].at == NULL)
		return ERR_MALFORMED;
	relation = relation_of(r, oid);
	if (relation == NULL)
		return ERR_NONE;
	view = &r->views[relation - r->relations];
	view->is_derived = arena_alloc(r->arena, relation->column_count);
	if (view->is_derived == NULL)
		return ERR_MEMORY;
	/* A tree that cannot be read has no origins: all is derived then. */
	e = node_tree_view(fields[1], r->tree);
	view->takes_whole_relations = r->tree->takes_whole_relations;
	view->is_view = true;
	for (i = 0, e = ERR_NONE; i < relation->column_count; i++) {
		const struct view_origin *origin = &r->tree->columns[i];

		view->is_derived[i] = origin->table == 0;
		if (origin->table != 0 && e == ERR_NONE)
			e = edge_add(r, oid, (uint32_t)i + 1, origin->table,
			    origin->column);
	}
	return e;
}

/* One more source for all derived columns of a view. */
static enum err
derived_add(struct reader *r, const struct relation *relation, uint32_t source,
    uint32_t number)
{
	const struct view *view = &r->views[relation - r->relations];
	enum err e = ERR_NONE;
	size_t i;

	if (!view->is_view)
		return ERR_NONE;
	if (view->takes_whole_relations)
		number = 0;
	for (i = 0; i < relation->column_count && e == ERR_NONE; i++) {
		if (view->is_derived[i])
			e = edge_add(r, relation->oid, (uint32_t)i + 1, source,
			    number | COLUMN_SOURCE_DERIVED);
	}
	return e;
}

/* Columns, and relations of which no single column is used. A relation that
 * is not in the list (an index, a sequence's owner …) holds no values. */
static const char depends_sql[] =
    "SELECT DISTINCT r.ev_class, d.refobjid, d.refobjsubid"
    " FROM pg_catalog.pg_depend d"
    " JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid"
    " JOIN pg_catalog.pg_class c ON c.oid = d.refobjid"
    " WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass"
    " AND d.refclassid = 'pg_catalog.pg_class'::regclass"
    " AND d.refobjid <> r.ev_class AND d.refobjsubid >= 0"
    " AND r.ev_type = '1' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";

static enum err
depend_row(void *context, const struct text *fields, size_t count)
{
	struct reader *r = context;
	struct relation *relation;
	uint32_t oid, source, number;

	if (count != 3 || !rows_number(fields[0], UINT32_MAX, &oid) ||
	    !rows_number(fields[1], UINT32_MAX, &source) ||
	    !rows_number(fields[2], NODE_COLUMNS_MAX, &number))
		return ERR_MALFORMED;
	relation = relation_of(r, oid);
	return relation == NULL ? ERR_NONE
				: derived_add(r, relation, source, number);
}

/* Functions that may read whatever they like: not compiled in, not declared
 * to depend on their arguments alone. */
static const char functions_sql[] =
    "SELECT DISTINCT r.ev_class"
    " FROM pg_catalog.pg_depend d"
    " JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid"
    " JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid"
    " JOIN pg_catalog.pg_language l ON l.oid = p.prolang"
    " WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass"
    " AND d.refclassid = 'pg_catalog.pg_proc'::regclass"
    " AND r.ev_type = '1' AND p.provolatile <> 'i'"
    " AND l.lanname NOT IN ('internal', 'c')";

static enum err
function_row(void *context, const struct text *fields, size_t count)
{
	struct reader *r = context;
	struct relation *relation;
	uint32_t oid;

	if (count != 1 || !rows_number(fields[0], UINT32_MAX, &oid))
		return ERR_MALFORMED;
	relation = relation_of(r, oid);
	return relation == NULL ? ERR_NONE : derived_add(r, relation, 0, 0);
}

/* --- inheritance and partitions ------------------------------------------- */

static const char inherits_sql[] =
    "SELECT i.inhrelid, a.attnum, i.inhparent, p.attnum"
    " FROM pg_catalog.pg_inherits i"
    " JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = i.inhrelid"
    " JOIN pg_catalog.pg_attribute p"
    " ON p.attrelid = i.inhparent AND p.attname = a.attname"
    " WHERE c.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND p.attnum > 0"
    " AND NOT a.attisdropped AND NOT p.attisdropped";

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
	e = edge_add(r, child, child_number, parent, parent_number);
	return e != ERR_NONE
		   ? e
		   : edge_add(r, parent, parent_number, child, child_number);
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
			relation = relation_of(r, edge->relation);
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

	relation = e != ERR_NONE || oid == 0 ? NULL : relation_of(r, oid);
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
    {views_sql, view_row},
    {depends_sql, depend_row},
    {functions_sql, function_row},
    {inherits_sql, inherit_row},
    {catalog_types_sql, type_row},
    {"COMMIT", command_row},
};

enum err
catalog_read(
    struct pg_upstream *u, struct arena *a, struct catalog_reading *out)
{
	struct reader r = {.arena = a, .types = {.arena = a}};
	enum err e = ERR_NONE;
	size_t i;

	r.tree = arena_alloc(a, sizeof(*r.tree));
	if (r.tree == NULL)
		return ERR_MEMORY;
	for (i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		e = pg_upstream_query(
		    u, steps[i].sql, steps[i].row, &r, CATALOG_TIMEOUT_MS);
		if (e != ERR_NONE)
			return e;
		if (steps[i].row == relation_row)
			r.views = arena_array(
			    a, r.relation_count + 1, sizeof(*r.views));
		if (steps[i].row == relation_row && r.views == NULL)
			return ERR_MEMORY;
	}
	e = edges_attach(&r);
	*out = (struct catalog_reading){.relations = r.relations,
	    .count = r.relation_count,
	    .types = r.types.types,
	    .type_count = r.types.count};
	return e;
}
