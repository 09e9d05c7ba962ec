/*
 * server_from.c - FROM of the server's tree.
 */
#include "tests/oracle/trees/server_inner.h"

void
server_relation_name(FILE *to, const json_t *r)
{
	fputc(' ', to);
	if (node_get(r, "catalogname") != NULL)
		fprintf(to, "%s.", node_string(r, "catalogname"));
	if (node_get(r, "schemaname") != NULL)
		fprintf(to, "%s.", node_string(r, "schemaname"));
	fputs(node_string(r, "relname"), to);
}

static void
alias(FILE *to, const json_t *f)
{
	const json_t *a = node_get(f, "alias");

	if (a != NULL && node_string(a, "aliasname")[0] != '\0')
		fprintf(to, " (as %s)", node_string(a, "aliasname"));
	server_names(to, "columns", node_get(a, "colnames"));
}

void
server_relation(FILE *to, const json_t *r)
{
	fputs(" (relation", to);
	server_relation_name(to, r);
	alias(to, r);
	fputc(')', to);
}

/* The columns of definition lists, and of XMLTABLE. */
static void
definitions(FILE *to, const json_t *columns, const char *node)
{
	size_t i;

	for (i = 0; i < list_size(columns); i++)
		fprintf(to, " %s",
		    node_string(
			node_get(list_at(columns, i), node), "colname"));
}

static bool
has_definitions(const json_t *functions)
{
	size_t i;

	for (i = 0; i < list_size(functions); i++) {
		if (list_size(node_get(
			node_get(
			    list_at(node_get(
					node_get(list_at(functions, i), "List"),
					"items"),
				1),
			    "List"),
			"items")) > 0)
			return true;
	}
	return false;
}

static void
function(FILE *to, const json_t *f)
{
	const json_t *functions = node_get(f, "functions"), *items;
	size_t i;

	fputs(" (function (calls", to);
	for (i = 0; i < list_size(functions); i++)
		server_expression(to,
		    list_at(node_get(node_get(list_at(functions, i), "List"),
				"items"),
			0));
	fputc(')', to);
	if (node_is_true(f, "ordinality"))
		fputs(" ordinality", to);
	alias(to, f);
	if (list_size(node_get(f, "coldeflist")) > 0 ||
	    has_definitions(functions)) {
		fputs(" (columns", to);
		definitions(to, node_get(f, "coldeflist"), "ColumnDef");
		for (i = 0; i < list_size(functions); i++) {
			items = node_get(
			    node_get(list_at(functions, i), "List"), "items");
			definitions(to,
			    node_get(
				node_get(list_at(items, 1), "List"), "items"),
			    "ColumnDef");
		}
		fputc(')', to);
	}
	fputc(')', to);
}

static void
table_function(FILE *to, const json_t *f)
{
	const json_t *columns = node_get(f, "columns"), *c;
	size_t i;

	fputs(" (function (calls (call xmltable", to);
	server_values(to, node_get(f, "namespaces"));
	server_expression(to, node_get(f, "rowexpr"));
	server_expression(to, node_get(f, "docexpr"));
	for (i = 0; i < list_size(columns); i++) {
		c = node_get(list_at(columns, i), "RangeTableFuncCol");
		if (node_get(c, "colexpr") != NULL)
			server_expression(to, node_get(c, "colexpr"));
		if (node_get(c, "coldefexpr") != NULL)
			server_expression(to, node_get(c, "coldefexpr"));
	}
	fputs("))", to);
	alias(to, f);
	if (list_size(node_get(node_get(f, "alias"), "colnames")) == 0) {
		fputs(" (columns", to);
		definitions(to, columns, "RangeTableFuncCol");
		fputc(')', to);
	}
	fputc(')', to);
}

static void
sample(FILE *to, const json_t *s)
{
	const json_t *r = node_get(node_get(s, "relation"), "RangeVar");

	fputs(" (relation", to);
	server_relation_name(to, r);
	alias(to, r);
	fputs(" (sample", to);
	server_each(to, node_get(s, "args"));
	if (node_get(s, "repeatable") != NULL)
		server_expression(to, node_get(s, "repeatable"));
	fputs("))", to);
}

static void
join(FILE *to, const json_t *j)
{
	bool is_natural = node_is_true(j, "isNatural");
	bool is_full = node_is(j, "jointype", "JOIN_FULL");
	const json_t *using_alias = node_get(j, "join_using_alias");

	fputs(is_natural ? " (natural" : is_full ? " (full" : " (join", to);
	if (is_natural && is_full)
		fputs(" full", to);
	server_from(to, node_get(j, "larg"));
	server_from(to, node_get(j, "rarg"));
	server_names(to, "using", node_get(j, "usingClause"));
	server_one(to, "on", node_get(j, "quals"));
	if (using_alias != NULL && node_get(j, "alias") == NULL)
		fprintf(to, " (as %s)", node_string(using_alias, "aliasname"));
	alias(to, j);
	fputc(')', to);
}

static void
subselect(FILE *to, const json_t *s)
{
	fputs(" (query", to);
	server_query(to, node_get(s, "subquery"));
	alias(to, s);
	fputc(')', to);
}

static const struct {
	const char *node;
	void (*write)(FILE *to, const json_t *f);
} from_nodes[] = {
    {"JoinExpr", join},
    {"RangeFunction", function},
    {"RangeSubselect", subselect},
    {"RangeTableFunc", table_function},
    {"RangeTableSample", sample},
    {"RangeVar", server_relation},
};

void
server_from(FILE *to, const json_t *node)
{
	size_t i;

	for (i = 0; i < sizeof(from_nodes) / sizeof(*from_nodes); i++) {
		if (node_get(node, from_nodes[i].node) != NULL) {
			from_nodes[i].write(
			    to, node_get(node, from_nodes[i].node));
			return;
		}
	}
	fputs(" ?from", to);
}

void
server_from_list(FILE *to, const json_t *items)
{
	size_t i;

	if (list_size(items) == 0)
		return;
	fputs(" (from", to);
	for (i = 0; i < list_size(items); i++)
		server_from(to, list_at(items, i));
	fputc(')', to);
}
