/*
 * server_expression.c - expressions of the server's tree.
 */
#include <stdint.h>
#include <string.h>

#include "tests/oracle/trees/server_inner.h"

static void
sublink(FILE *to, const json_t *s)
{
	const char *type = node_string(s, "subLinkType");
	const json_t *name = node_get(s, "operName");

	if (strcmp(type, "EXISTS_SUBLINK") == 0) {
		fputs(" (exists", to);
	} else if (strcmp(type, "ARRAY_SUBLINK") == 0) {
		fputs(" (array", to);
	} else if (strcmp(type, "EXPR_SUBLINK") == 0) {
		fputs(" (value", to);
	} else {
		fputs(" (any", to);
		if (name == NULL)
			fputs(" in", to);
		else
			server_dotted(to, name, false);
		server_expression(to, node_get(s, "testexpr"));
	}
	server_query(to, node_get(s, "subselect"));
	fputc(')', to);
}

static void
case_expression(FILE *to, const json_t *c)
{
	const json_t *whens = node_get(c, "args"), *when;
	size_t i;

	fputs(" (case", to);
	if (node_get(c, "arg") != NULL)
		server_expression(to, node_get(c, "arg"));
	for (i = 0; i < list_size(whens); i++) {
		when = node_get(list_at(whens, i), "CaseWhen");
		server_expression(to, node_get(when, "expr"));
		server_expression(to, node_get(when, "result"));
	}
	if (node_get(c, "defresult") != NULL)
		server_expression(to, node_get(c, "defresult"));
	fputc(')', to);
}

/* GROUP BY's sets, element by element. */
static void
grouping_set(FILE *to, const json_t *s)
{
	server_each(to, node_get(s, "content"));
}

static void
of_list(FILE *to, const json_t *e, const char *what, const char *key)
{
	fprintf(to, " (%s", what);
	server_each(to, node_get(e, key));
	fputc(')', to);
}

static void
of_one(FILE *to, const json_t *e, const char *what, const char *key)
{
	fprintf(to, " (%s", what);
	server_expression(to, node_get(e, key));
	fputc(')', to);
}

static void
coalesce(FILE *to, const json_t *e)
{
	of_list(to, e, "call coalesce", "args");
}

static void
min_max(FILE *to, const json_t *e)
{
	of_list(to, e,
	    node_is(e, "op", "IS_LEAST") ? "call least" : "call greatest",
	    "args");
}

static void
grouping(FILE *to, const json_t *e)
{
	of_list(to, e, "call grouping", "args");
}

static void
row(FILE *to, const json_t *e)
{
	of_list(to, e, "row", "args");
}

static void
array(FILE *to, const json_t *e)
{
	of_list(to, e, "list", "elements");
}

static void
is_null(FILE *to, const json_t *e)
{
	of_one(to, e, "op is", "arg");
}

static void
collate(FILE *to, const json_t *e)
{
	of_one(to, e, "op collate", "arg");
}

static void
named_argument(FILE *to, const json_t *e)
{
	server_expression(to, node_get(e, "arg"));
}

static void
xml_serialize(FILE *to, const json_t *e)
{
	of_one(to, e, "call xmlserialize", "expr");
}

static void
default_value(FILE *to, const json_t *e)
{
	(void)e;
	fputs(" default", to);
}

static void
parameter(FILE *to, const json_t *e)
{
	(void)e;
	fputs(" $", to);
}

static void
indirected(FILE *to, const json_t *e)
{
	const json_t *steps = node_get(e, "indirection");

	server_indirection(to, node_get(e, "arg"), steps, list_size(steps));
}

static const struct {
	const char *node;
	void (*write)(FILE *to, const json_t *e);
} nodes[] = {
    {"A_ArrayExpr", array},
    {"A_Const", server_constant},
    {"A_Expr", server_operator},
    {"A_Indirection", indirected},
    {"BoolExpr", server_boolean},
    {"BooleanTest", is_null},
    {"CaseExpr", case_expression},
    {"CoalesceExpr", coalesce},
    {"CollateClause", collate},
    {"ColumnRef", server_column},
    {"FuncCall", server_call},
    {"GroupingFunc", grouping},
    {"GroupingSet", grouping_set},
    {"MinMaxExpr", min_max},
    {"NamedArgExpr", named_argument},
    {"NullTest", is_null},
    {"ParamRef", parameter},
    {"RowExpr", row},
    {"SetToDefault", default_value},
    {"SQLValueFunction", server_value},
    {"SubLink", sublink},
    {"TypeCast", server_cast},
    {"XmlExpr", server_xml},
    {"XmlSerialize", xml_serialize},
};

void
server_expression(FILE *to, const json_t *node)
{
	const char *name =
	    json_object_iter_key(json_object_iter((json_t *)(uintptr_t)node));
	size_t i;

	for (i = 0; name != NULL && i < sizeof(nodes) / sizeof(*nodes); i++) {
		if (strcmp(nodes[i].node, name) == 0) {
			nodes[i].write(to, node_get(node, name));
			return;
		}
	}
	fprintf(to, " ?%s", name == NULL ? "nothing" : name);
}
