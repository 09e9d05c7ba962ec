/*
 * server_operator.c - operators of the server's tree, and what they are
 * between.
 */
#include <string.h>

#include "tests/oracle/trees/server_inner.h"

/* --- constants, columns --------------------------------------------------- */

void
server_constant(FILE *to, const json_t *c)
{
	const json_t *value;

	if (node_is_true(c, "isnull"))
		fputs(" null", to);
	else if ((value = node_get(c, "ival")) != NULL)
		fprintf(to, " %d",
		    (int)json_integer_value(node_get(value, "ival")));
	else if ((value = node_get(c, "fval")) != NULL)
		fprintf(to, " %s", node_string(value, "fval"));
	else if ((value = node_get(c, "boolval")) != NULL)
		fprintf(
		    to, node_is_true(value, "boolval") ? " true" : " false");
	else if ((value = node_get(c, "bsval")) != NULL)
		fprintf(to, " '%s'", node_string(value, "bsval"));
	else
		fprintf(to, " '%s'", node_string(node_get(c, "sval"), "sval"));
}

void
server_column(FILE *to, const json_t *c)
{
	const json_t *fields = node_get(c, "fields");
	size_t i;

	fputc(' ', to);
	for (i = 0; i < list_size(fields); i++) {
		if (node_get(list_at(fields, i), "A_Star") != NULL)
			fputs(i ? ".*" : "*", to);
		else
			fprintf(to, "%s%s", i ? "." : "",
			    list_string(list_at(fields, i)));
	}
}

/* Each step of x.y[1:2].z around what is within. */
void
server_indirection(
    FILE *to, const json_t *arg, const json_t *steps, size_t count)
{
	const json_t *step, *index;

	if (count == 0) {
		server_expression(to, arg);
		return;
	}
	step = list_at(steps, count - 1);
	index = node_get(step, "A_Indices");
	if (index != NULL)
		fputs(" (index", to);
	else if (node_get(step, "A_Star") != NULL)
		fputs(" (field *", to);
	else
		fprintf(to, " (field %s", list_string(step));
	server_indirection(to, arg, steps, count - 1);
	if (node_get(index, "lidx") != NULL)
		server_expression(to, node_get(index, "lidx"));
	if (node_get(index, "uidx") != NULL)
		server_expression(to, node_get(index, "uidx"));
	fputc(')', to);
}

static const char *
type_name(const json_t *type)
{
	const json_t *parts = node_get(type, "names");

	return list_string(list_at(parts, list_size(parts) - 1));
}

void
server_cast(FILE *to, const json_t *c)
{
	fprintf(to, " (cast %s", type_name(node_get(c, "typeName")));
	server_expression(to, node_get(c, "arg"));
	fputc(')', to);
}

/* --- operators ------------------------------------------------------------ */

/* The same operator to the left is one with more operands. */
static void
flattened(FILE *to, const json_t *node, const char *operator)
{
	const json_t *e = node_get(node, "A_Expr"), *name = node_get(e, "name");

	if (e != NULL && node_is(e, "kind", "AEXPR_OP") &&
	    list_size(name) == 1 && node_get(e, "lexpr") != NULL &&
	    strcmp(list_last(name), operator) == 0) {
		flattened(to, node_get(e, "lexpr"), operator);
		server_expression(to, node_get(e, "rexpr"));
		return;
	}
	server_expression(to, node);
}

static void
operator(FILE *to, const json_t *e)
{
	const json_t *name = node_get(e, "name"), *left = node_get(e, "lexpr");

	fputs(" (op", to);
	server_dotted(to, name, false);
	if (left != NULL && list_size(name) == 1)
		flattened(to, left, list_last(name));
	else if (left != NULL)
		server_expression(to, left);
	server_expression(to, node_get(e, "rexpr"));
	fputc(')', to);
}

static bool
is_system_call(const json_t *call, const char *name)
{
	const json_t *parts = node_get(call, "funcname");

	return list_size(parts) == 2 &&
	       strcmp(list_string(list_at(parts, 0)), "pg_catalog") == 0 &&
	       strcmp(list_last(parts), name) == 0;
}

/* LIKE's pattern, perhaps with its escape. */
static void
like(FILE *to, const json_t *e, const char *word)
{
	const json_t *right = node_get(e, "rexpr"),
		     *call = node_get(right, "FuncCall");
	bool is_not = list_last(node_get(e, "name"))[0] == '!';

	fprintf(to, is_not ? " (op not (op %s" : " (op %s", word);
	server_expression(to, node_get(e, "lexpr"));
	if (call != NULL && (is_system_call(call, "like_escape") ||
				is_system_call(call, "similar_to_escape")))
		server_each(to, node_get(call, "args"));
	else
		server_expression(to, right);
	fputs(is_not ? "))" : ")", to);
}

static void
between(FILE *to, const json_t *e, bool is_not)
{
	fputs(is_not ? " (op not (op between" : " (op between", to);
	server_expression(to, node_get(e, "lexpr"));
	server_each(
	    to, node_get(node_get(node_get(e, "rexpr"), "List"), "items"));
	fputs(is_not ? "))" : ")", to);
}

static void
in_list(FILE *to, const json_t *e)
{
	bool is_not = strcmp(list_last(node_get(e, "name")), "<>") == 0;

	fputs(is_not ? " (op not (op in" : " (op in", to);
	server_expression(to, node_get(e, "lexpr"));
	server_each(
	    to, node_get(node_get(node_get(e, "rexpr"), "List"), "items"));
	fputs(is_not ? "))" : ")", to);
}

static void
both(FILE *to, const char *what, const json_t *e)
{
	fprintf(to, " (%s", what);
	server_expression(to, node_get(e, "lexpr"));
	server_expression(to, node_get(e, "rexpr"));
	fputc(')', to);
}

static void
over_array(FILE *to, const json_t *e)
{
	fputs(" (any", to);
	server_dotted(to, node_get(e, "name"), false);
	server_expression(to, node_get(e, "lexpr"));
	server_expression(to, node_get(e, "rexpr"));
	fputc(')', to);
}

void
server_operator(FILE *to, const json_t *e)
{
	const char *kind = node_string(e, "kind") + strlen("AEXPR_");

	if (strcmp(kind, "OP") == 0)
		operator(to, e);
	else if (strncmp(kind, "OP_", 3) == 0)
		over_array(to, e);
	else if (strcmp(kind, "DISTINCT") == 0 ||
		 strcmp(kind, "NOT_DISTINCT") == 0)
		both(to, "op is", e);
	else if (strcmp(kind, "NULLIF") == 0)
		both(to, "call nullif", e);
	else if (strcmp(kind, "IN") == 0)
		in_list(to, e);
	else if (strcmp(kind, "LIKE") == 0)
		like(to, e, "like");
	else if (strcmp(kind, "ILIKE") == 0)
		like(to, e, "ilike");
	else if (strcmp(kind, "SIMILAR") == 0)
		like(to, e, "similar");
	else if (strncmp(kind, "BETWEEN", 7) == 0)
		between(to, e, false);
	else if (strncmp(kind, "NOT_BETWEEN", 11) == 0)
		between(to, e, true);
	else
		fprintf(to, " ?%s", kind);
}

/* IS NOT DOCUMENT, IS NOT NORMALIZED: both nodes are at the IS. */
static bool
is_not_what(const json_t *e)
{
	const json_t *arg = list_at(node_get(e, "args"), 0);
	const json_t *of = node_get(arg, "XmlExpr");

	if (of == NULL)
		of = node_get(arg, "FuncCall");
	return node_is(e, "boolop", "NOT_EXPR") && of != NULL &&
	       json_equal(node_get(e, "location"), node_get(of, "location"));
}

void
server_boolean(FILE *to, const json_t *e)
{
	const json_t *args = node_get(e, "args");
	const char *word = node_is(e, "boolop", "AND_EXPR")  ? "and"
			   : node_is(e, "boolop", "OR_EXPR") ? "or"
							     : "not";

	if (is_not_what(e)) {
		server_each(to, args);
		return;
	}
	fprintf(to, " (op %s", word);
	server_each(to, args);
	fputc(')', to);
}
