/*
 * catalog_views.c - what views and computed columns take their values from.
 *
 * The rule: what a tree does not tell plainly counts as derived, and code that
 * cannot be followed as anything.
 */
#include "worker/postgres/catalog/catalog.h"
#include "worker/postgres/catalog/catalog_inner.h"
#include "worker/postgres/catalog/catalog_rows.h"

/* --- functions that a tree calls ------------------------------------------- */

/* A function that the system's own view calls shows what that view is for. */
static enum err
uses_add(struct reader *r, uint32_t relation, uint32_t number)
{
	const struct view_tree *tree = r->tree;
	enum err e = ERR_NONE;
	void *list;
	size_t i;

	for (i = 0; i <= tree->function_count && e == ERR_NONE; i++) {
		bool is_last = i == tree->function_count;

		if (relation < FIRST_USERS_OID ||
		    (is_last && !tree->has_more_functions))
			continue;
		list = r->uses;
		e = rows_grow(r->arena, &list, r->use_count, &r->use_room,
		    sizeof(*r->uses), CATALOG_SOURCES_MAX);
		if (e != ERR_NONE)
			return e;
		r->uses = list;
		r->uses[r->use_count++] = (struct use){
		    relation, number, is_last ? 0 : tree->functions[i]};
	}
	return e;
}

/* --- views ---------------------------------------------------------------- */

const char catalog_views_sql[] =
    "SELECT r.ev_class, r.ev_action::text"
    " FROM pg_catalog.pg_rewrite r"
    " JOIN pg_catalog.pg_class c ON c.oid = r.ev_class"
    " WHERE c.relkind IN ('v', 'm') AND r.ev_type = '1'";

enum err
catalog_view_row(void *context, const struct text *fields, size_t count)
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
	relation = catalog_relation_of(r, oid);
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
	for (i = 0, e = uses_add(r, oid, 0); i < relation->column_count; i++) {
		const struct view_origin *origin = &r->tree->columns[i];

		view->is_derived[i] = origin->table == 0;
		if (origin->table != 0 && e == ERR_NONE)
			e = catalog_edge_add(r, oid, (uint32_t)i + 1, origin->table,
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
			e = catalog_edge_add(r, relation->oid, (uint32_t)i + 1, source,
			    number | COLUMN_SOURCE_DERIVED);
	}
	return e;
}

/* Columns, and relations of which no single column is used. A relation that
 * is not in the list (an index, a sequence's owner …) holds no values. */
const char catalog_depends_sql[] =
    "SELECT DISTINCT r.ev_class, d.refobjid, d.refobjsubid"
    " FROM pg_catalog.pg_depend d"
    " JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid"
    " JOIN pg_catalog.pg_class c ON c.oid = d.refobjid"
    " WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass"
    " AND d.refclassid = 'pg_catalog.pg_class'::regclass"
    " AND d.refobjid <> r.ev_class AND d.refobjsubid >= 0"
    " AND r.ev_type = '1' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";

enum err
catalog_depend_row(void *context, const struct text *fields, size_t count)
{
	struct reader *r = context;
	struct relation *relation;
	uint32_t oid, source, number;

	if (count != 3 || !rows_number(fields[0], UINT32_MAX, &oid) ||
	    !rows_number(fields[1], UINT32_MAX, &source) ||
	    !rows_number(fields[2], NODE_COLUMNS_MAX, &number))
		return ERR_MALFORMED;
	relation = catalog_relation_of(r, oid);
	return relation == NULL ? ERR_NONE
				: derived_add(r, relation, source, number);
}

/* --- defaults ------------------------------------------------------------- */

enum err
catalog_default_row(void *context, const struct text *fields, size_t count)
{
	struct reader *r = context;
	uint32_t relation, number;

	if (count != 3 || !rows_number(fields[0], UINT32_MAX, &relation) ||
	    !rows_number(fields[1], NODE_COLUMNS_MAX, &number) ||
	    fields[2].at == NULL)
		return ERR_MALFORMED;
	if (node_tree_functions(fields[2], r->tree) != ERR_NONE)
		r->tree->has_more_functions = true;
	return uses_add(r, relation, number);
}

/* One source of the column that uses a function, or of the view's. */
static enum err
use_source(struct reader *r, const struct use *use, uint32_t source,
    uint32_t number)
{
	const struct relation *relation = catalog_relation_of(r, use->relation);

	if (relation == NULL)
		return ERR_NONE;
	if (use->number == 0)
		return derived_add(r, relation, source, number);
	return catalog_edge_add(r, use->relation, use->number, source,
	    number | COLUMN_SOURCE_DERIVED);
}

/* What the functions may read that columns are computed with. */
enum err
catalog_uses_follow(struct reader *r, struct code_reach *reach)
{
	enum err e = ERR_NONE;
	struct code code;
	size_t i, k;

	for (i = 0; i < r->use_count && e == ERR_NONE; i++) {
		const struct use *use = &r->uses[i];

		code = (struct code){.is_opaque = true};
		if (use->function != 0)
			e = code_reach_function(reach, use->function, &code);
		if (e == ERR_NONE && code.is_opaque)
			e = use_source(r, use, 0, 0);
		for (k = 0; k < code.source_count && e == ERR_NONE; k++)
			e = use_source(r, use, code.sources[k].relation,
			    code.sources[k].number &
				~(uint32_t)COLUMN_SOURCE_DERIVED);
	}
	return e;
}
