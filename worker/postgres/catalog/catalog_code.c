/*
 * catalog_code.c - users' code of one database, row by row.
 *
 * The rule: code whose text is not there to be read may read anything.
 */
#include "worker/postgres/catalog/catalog.h"
#include "worker/postgres/catalog/catalog_code.h"
#include "worker/postgres/catalog/catalog_rows.h"

static enum err
item_add(struct code_list *l, enum code_kind kind, struct text name,
    struct code_item **out)
{
	void *list = l->items;
	enum err e = rows_grow(l->arena, &list, l->count, &l->room,
	    sizeof(*l->items), CODE_ITEMS_MAX);

	if (e != ERR_NONE)
		return e;
	l->items = list;
	*out = &l->items[l->count];
	(*out)->code.kind = kind;
	(*out)->code.name.len = name.len;
	(*out)->code.name.at = name.at == NULL || name.len > STORE_NAME_MAX
	    ? NULL
	    : arena_copy(l->arena, name.at, name.len);
	if ((*out)->code.name.at == NULL)
		return ERR_MALFORMED;
	l->count++;
	return ERR_NONE;
}

static enum err
text_add(struct code_list *l, struct text field, struct text *to)
{
	if (field.at == NULL)
		return ERR_NONE;
	to->at = arena_copy(l->arena, field.at, field.len);
	to->len = field.len;
	return to->at == NULL ? ERR_MEMORY : ERR_NONE;
}

/* --- built-in functions --------------------------------------------------- */

static const char builtins_sql[] =
    "SELECT p.oid, p.proname FROM pg_catalog.pg_proc p"
    " WHERE p.oid < 16384 ORDER BY p.oid";

/* Their values are no relation's, whatever else is to be said of them. */
static bool
is_of_sequences(struct text name)
{
	return text_is(name, TEXT("nextval")) ||
	       text_is(name, TEXT("currval")) ||
	       text_is(name, TEXT("lastval")) || text_is(name, TEXT("setval"));
}

static bool
is_clean(const struct code_list *l, struct text name)
{
	return is_of_sequences(name) ||
	       (l->classifier != NULL &&
		   classifier_lists(l->classifier, name) == FUNCTION_CLEAN);
}

static enum err
builtin_row(void *context, const struct text *fields, size_t count)
{
	struct code_list *l = context;
	void *list = l->builtins;
	struct code_edge builtin = {.kind = CODE_FUNCTION};
	enum err e;

	if (count != 2 || !rows_number(fields[0], UINT32_MAX, &builtin.oid) ||
	    fields[1].at == NULL)
		return ERR_MALFORMED;
	if (is_clean(l, fields[1]))
		return ERR_NONE;
	builtin.escapes = l->classifier == NULL ||
	    classifier_escapes(l->classifier, fields[1]) ||
	    classifier_lists(l->classifier, fields[1]) == FUNCTION_UNLISTED;
	e = rows_grow(l->arena, &list, l->builtin_count, &l->builtin_room,
	    sizeof(*l->builtins), CODE_ITEMS_MAX);
	if (e == ERR_NONE)
		e = text_add(l, fields[1], &builtin.name);
	if (e != ERR_NONE)
		return e;
	l->builtins = list;
	l->builtins[l->builtin_count++] = builtin;
	return ERR_NONE;
}

bool
code_builtin_is_opaque(const struct code_list *l, struct text name)
{
	size_t i;

	if (is_of_sequences(name) || l->classifier == NULL)
		return false; /* its OID will tell */
	switch (classifier_lists(l->classifier, name)) {
	case FUNCTION_CLEAN:
		return false;
	case FUNCTION_OPAQUE:
		return true;
	case FUNCTION_UNLISTED:
		break;
	}
	for (i = 0; i < l->builtin_count; i++) {
		if (text_is(l->builtins[i].name, name))
			return true;
	}
	return false;
}

bool
code_builtin_escapes(const struct code_list *l, struct text name)
{
	if (l->classifier == NULL)
		return false; /* its OID will tell */
	return !text_is(name, TEXT("set_config")) &&
	    code_builtin_is_opaque(l, name) &&
	    (classifier_escapes(l->classifier, name) ||
		classifier_lists(l->classifier, name) == FUNCTION_UNLISTED);
}

/* --- functions ------------------------------------------------------------ */

/* All that somebody added, and those of the system whose body is SQL: it may
 * have been replaced. An overload takes a type of the users' own that is no
 * domain, beside a built-in function of its name. */
static const char functions_sql[] =
    "SELECT p.oid, p.proname, l.lanname, e.extname,"
    " CASE WHEN t.own AND EXISTS (SELECT FROM pg_catalog.pg_proc b"
    " WHERE b.oid < 16384 AND b.proname = p.proname) THEN '1' ELSE '0' END,"
    " CASE WHEN l.lanname IN ('sql', 'plpgsql') AND p.prokind <> 'a'"
    " THEN p.prosrc END,"
    " CASE WHEN p.prokind <> 'a'"
    " THEN pg_catalog.pg_get_functiondef(p.oid) END, p.prokind,"
    " CASE WHEN p.pronamespace = 'pg_catalog'::regnamespace"
    " THEN '1' ELSE '0' END"
    " FROM pg_catalog.pg_proc p"
    " JOIN pg_catalog.pg_language l ON l.oid = p.prolang"
    " LEFT JOIN pg_catalog.pg_depend d"
    " ON d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid"
    " AND d.deptype = 'e'"
    " LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid,"
    " LATERAL (SELECT EXISTS (SELECT FROM pg_catalog.unnest(p.proargtypes) a"
    " JOIN pg_catalog.pg_type t ON t.oid = a AND t.oid >= 16384"
    " AND t.typtype <> 'd') AS own) t"
    " WHERE p.oid >= 16384 OR l.lanname NOT IN ('internal', 'c')"
    " ORDER BY p.oid";

static bool
is_of_trusted(const struct code_list *l, const struct text *fields)
{
	return fields[3].at != NULL && l->classifier != NULL &&
	       classifier_trusts(l->classifier, fields[3]);
}

/* C code can be trusted; SQL that comes with an extension is read. */
static bool
is_trusted(const struct code_list *l, const struct text *fields)
{
	return is_of_trusted(l, fields) &&
	       classifier_lists(l->classifier, fields[1]) != FUNCTION_OPAQUE;
}

/* Without a text to be read. */
static bool
may_escape(const struct code_list *l, const struct text *fields)
{
	return !is_of_trusted(l, fields) ||
	       classifier_escapes(l->classifier, fields[1]);
}

static enum err
function_add(struct code_list *l, uint32_t oid, const struct text *fields)
{
	bool has_text = text_is(fields[2], TEXT("sql")) ||
			text_is(fields[2], TEXT("plpgsql"));
	bool is_aggregate = text_is(fields[7], TEXT("a"));
	struct code_item *item;
	enum err e = item_add(l, CODE_FUNCTION, fields[1], &item);

	if (e != ERR_NONE)
		return e;
	item->oid = oid;
	item->is_overload = text_is(fields[4], TEXT("1"));
	item->code.is_in_system = text_is(fields[8], TEXT("1"));
	item->code.is_trusted = is_trusted(l, fields);
	if (is_aggregate) /* what it calls comes in rows of its own */
		return ERR_NONE;
	item->code.is_opaque = has_text
	    ? fields[5].at == NULL || fields[6].at == NULL
	    : !item->code.is_trusted;
	item->code.escapes =
	    item->code.is_opaque && (has_text || may_escape(l, fields));
	e = text_add(l, fields[5], &item->texts[0]);
	return e != ERR_NONE ? e : text_add(l, fields[6], &item->texts[1]);
}

static enum err
function_row(void *context, const struct text *fields, size_t count)
{
	uint32_t oid;

	if (count != 9 || !rows_number(fields[0], UINT32_MAX, &oid) ||
	    fields[2].at == NULL)
		return ERR_MALFORMED;
	return function_add(context, oid, fields);
}

/* --- what leads to functions ---------------------------------------------- */

#define TYPE_NAMES                                                             \
	"(SELECT t.oid, t.typname, t.typtype FROM pg_catalog.pg_type t"        \
	" UNION ALL SELECT t.oid, a.typname, t.typtype"                        \
	" FROM pg_catalog.pg_type t"                                           \
	" JOIN pg_catalog.pg_type a ON a.oid = t.typarray)"

/* Kind, name, OID if it is a function, whether it is an overload, the OID of a
 * function that it runs, and whether pg_catalog.name may be meant. A cast can
 * be asked for by the name of a type of users', or by that of the built-in one
 * that it leads to; one that is not explicit only may come of no name. */
static const char links_sql[] =
    "SELECT '1', o.oprname, 0, CASE WHEN EXISTS (SELECT"
    " FROM pg_catalog.pg_operator b WHERE b.oid < 16384"
    " AND b.oprname = o.oprname) AND EXISTS (SELECT FROM pg_catalog.pg_type t"
    " WHERE t.oid IN (o.oprleft, o.oprright) AND t.oid >= 16384"
    " AND t.typtype <> 'd') THEN '1' ELSE '0' END, o.oprcode::oid,"
    " CASE WHEN o.oprnamespace = 'pg_catalog'::regnamespace"
    " THEN '1' ELSE '0' END"
    " FROM pg_catalog.pg_operator o"
    " WHERE o.oprcode::oid >= 16384 OR o.oid >= 16384 AND o.oprcode <> 0"
    " UNION ALL SELECT '2', n.typname, 0, '0', c.castfunc, '1'"
    " FROM pg_catalog.pg_cast c JOIN " TYPE_NAMES " n"
    " ON n.oid = c.casttarget AND n.oid >= 16384"
    " WHERE c.castfunc >= 16384"
    " UNION ALL SELECT '3', n.typname, 0, CASE WHEN c.castsource >= 16384"
    " THEN '1' ELSE '0' END, c.castfunc, '1' FROM pg_catalog.pg_cast c"
    " JOIN (SELECT t.oid, t.typname FROM pg_catalog.pg_type t UNION ALL"
    " SELECT t.oid, s.name FROM pg_catalog.pg_type t JOIN (VALUES"
    " ('bpchar', 'char'), ('bpchar', 'character'), ('varchar', 'character'),"
    " ('bool', 'boolean'), ('int2', 'smallint'), ('int4', 'int'),"
    " ('int4', 'integer'), ('int8', 'bigint'), ('float4', 'real'),"
    " ('float8', 'float'), ('float8', 'double'), ('float4', 'float'),"
    " ('numeric', 'decimal'), ('numeric', 'dec'), ('varbit', 'bit'),"
    " ('varchar', 'nchar'), ('bpchar', 'nchar'), ('bpchar', 'national'),"
    " ('varchar', 'national'), ('timetz', 'time'), ('timestamptz',"
    " 'timestamp')) s(type, name) ON s.type = t.typname) n"
    " ON n.oid = c.casttarget AND n.oid < 16384 WHERE c.castfunc >= 16384"
    " UNION ALL SELECT '5', '', 0, '0', c.castfunc, '1'"
    " FROM pg_catalog.pg_cast c"
    " WHERE c.castfunc >= 16384 AND c.castcontext <> 'e'"
    " UNION ALL SELECT '2', n.typname, 0, '0', f.oid, '0'"
    " FROM pg_catalog.pg_type t JOIN " TYPE_NAMES " n ON n.oid = t.oid"
    " JOIN pg_catalog.pg_proc f ON f.oid IN (t.typinput, t.typoutput,"
    " t.typreceive, t.typsend, t.typmodin) WHERE f.oid >= 16384"
    " UNION ALL SELECT '2', n.typname, 0, '0', f.oid, '0'"
    " FROM pg_catalog.pg_range r JOIN " TYPE_NAMES " n ON n.oid = r.rngtypid"
    " JOIN pg_catalog.pg_proc f ON f.oid IN (r.rngcanonical, r.rngsubdiff)"
    " WHERE f.oid >= 16384"
    " UNION ALL SELECT '0', p.proname, p.oid, '1', f.oid, '0'"
    " FROM pg_catalog.pg_aggregate a"
    " JOIN pg_catalog.pg_proc p ON p.oid = a.aggfnoid"
    " JOIN pg_catalog.pg_proc f ON f.oid IN (a.aggtransfn, a.aggfinalfn,"
    " a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn,"
    " a.aggminvtransfn, a.aggmfinalfn) WHERE p.oid >= 16384";

static enum err
link_row(void *context, const struct text *fields, size_t count)
{
	struct code_list *l = context;
	struct code_edge edge = {.kind = CODE_FUNCTION};
	struct code_item *item;
	uint32_t kind, oid;
	enum err e;

	if (count != 6 || !rows_number(fields[0], CODE_KIND_MAX - 1, &kind) ||
	    !rows_number(fields[2], UINT32_MAX, &oid) ||
	    !rows_number(fields[4], UINT32_MAX, &edge.oid))
		return ERR_MALFORMED;
	e = item_add(l, (enum code_kind)kind, fields[1], &item);
	if (e != ERR_NONE)
		return e;
	item->oid = oid;
	item->is_overload = text_is(fields[3], TEXT("1"));
	item->code.is_in_system = text_is(fields[5], TEXT("1"));
	/* an aggregate has another row, which tells */
	item->code.is_trusted = kind == CODE_FUNCTION;
	item->edges = arena_alloc(l->arena, sizeof(*item->edges));
	if (item->edges == NULL)
		return ERR_MEMORY;
	item->edges[item->edge_count++] = edge;
	item->edge_room = 1;
	return ERR_NONE;
}

/* Checks of domains and what they are made of; the types of composite types'
 * columns; rules, but for those that make a view a view. */
static const char texts_sql[] =
    "SELECT '2', n.typname, coalesce(t.base, '') || coalesce(t.checks, '')"
    " FROM (SELECT d.oid, pg_catalog.format_type(d.typbasetype, NULL) AS base,"
    " (SELECT pg_catalog.string_agg(' ; ' || "
    "pg_catalog.pg_get_constraintdef(c.oid), '')"
    " FROM pg_catalog.pg_constraint c WHERE c.contypid = d.oid) AS checks"
    " FROM pg_catalog.pg_type d WHERE d.typtype = 'd' AND d.oid >= 16384"
    " UNION ALL SELECT d.oid, '', (SELECT pg_catalog.string_agg("
    "pg_catalog.format_type(a.atttypid, NULL), ' ; ')"
    " FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid"
    " AND NOT a.attisdropped)"
    " FROM pg_catalog.pg_type d JOIN pg_catalog.pg_class c"
    " ON c.oid = d.typrelid AND c.relkind = 'c' AND c.oid >= 16384) t"
    " JOIN " TYPE_NAMES " n ON n.oid = t.oid"
    " UNION ALL SELECT '4', c.relname, pg_catalog.pg_get_ruledef(r.oid)"
    " FROM pg_catalog.pg_rewrite r"
    " JOIN pg_catalog.pg_class c ON c.oid = r.ev_class"
    " WHERE r.ev_type <> '1' AND r.oid >= 16384";

static enum err
text_row(void *context, const struct text *fields, size_t count)
{
	struct code_list *l = context;
	struct code_item *item;
	uint32_t kind;
	enum err e;

	if (count != 3 || !rows_number(fields[0], CODE_KIND_MAX - 1, &kind))
		return ERR_MALFORMED;
	e = item_add(l, (enum code_kind)kind, fields[1], &item);
	if (e != ERR_NONE)
		return e;
	item->code.is_opaque = item->code.escapes = fields[2].at == NULL;
	/* a rule is a header: CREATE RULE … */
	return text_add(l, fields[2], &item->texts[kind == CODE_RELATION]);
}

const struct code_step code_steps[] = {
    {builtins_sql, builtin_row}, /* first: the others ask for them */
    {functions_sql, function_row},
    {links_sql, link_row},
    {texts_sql, text_row},
    {code_attached_sql, link_row},
};
const size_t code_step_count = sizeof(code_steps) / sizeof(*code_steps);
