/*
 * server_call.c - calls of the server's tree, and what is written otherwise.
 */
#include <string.h>

#include "tests/oracle/trees/server_inner.h"

/* What has a syntax of its own, by the function it stands for. */
static const struct syntax {
	const char *function, *written;
	size_t skipped; /* arguments that are no expressions */
} syntaxes[] = {
    {"timezone", "op at", 0},
    {"is_normalized", "op is", 0},
    {"overlaps", "op overlaps", 0},
    {"pg_collation_for", "call collation", 0},
    {"extract", "call extract", 1},
    {"normalize", "call normalize", 0},
    {"overlay", "call overlay", 0},
    {"position", "call position", 0},
    {"substring", "call substring", 0},
    {"btrim", "call trim", 0},
    {"ltrim", "call trim", 0},
    {"rtrim", "call trim", 0},
    {"xmlexists", "call xmlexists", 0},
};

static void
rows_of_overlaps(FILE *to, const json_t *args)
{
	size_t i;

	for (i = 0; i < list_size(args); i++) {
		fputs(i % 2 ? "" : " (row", to);
		server_expression(to, list_at(args, i));
		fputs(i % 2 ? ")" : "", to);
	}
}

/* substring (x for n) is substring (x, 1, n::int4) */
static void
substring(FILE *to, const json_t *args)
{
	bool is_short =
	    list_size(args) == 3 && server_made_up(list_at(args, 1), "A_Const");

	server_expression(to, list_at(args, 0));
	if (is_short)
		server_expression(to,
		    node_get(node_get(list_at(args, 2), "TypeCast"), "arg"));
	else if (list_size(args) > 1)
		server_expression(to, list_at(args, 1));
	if (!is_short && list_size(args) > 2)
		server_expression(to, list_at(args, 2));
}

static void
own_syntax(FILE *to, const json_t *call)
{
	const char *name = list_last(node_get(call, "funcname"));
	const json_t *args = node_get(call, "args");
	size_t i, k;

	for (i = 0; i < sizeof(syntaxes) / sizeof(*syntaxes); i++) {
		if (strcmp(syntaxes[i].function, name) == 0)
			break;
	}
	if (i == sizeof(syntaxes) / sizeof(*syntaxes)) {
		fprintf(to, " ?%s", name);
		return;
	}
	fprintf(to, " (%s", syntaxes[i].written);
	if (strcmp(name, "timezone") == 0) {
		server_expression(to, list_at(args, 1));
		server_expression(to, list_at(args, 0));
	} else if (strcmp(name, "overlaps") == 0) {
		rows_of_overlaps(to, args);
	} else if (strcmp(name, "substring") == 0) {
		substring(to, args);
	} else if (strcmp(name, "is_normalized") == 0) {
		server_expression(to, list_at(args, 0));
	} else {
		for (k = syntaxes[i].skipped; k < list_size(args); k++)
			server_expression(to, list_at(args, k));
	}
	fputc(')', to);
}

void
server_sort_keys(FILE *to, const json_t *keys)
{
	size_t i;

	for (i = 0; i < list_size(keys); i++)
		server_expression(
		    to, node_get(node_get(list_at(keys, i), "SortBy"), "node"));
}

void
server_window(FILE *to, const json_t *w)
{
	server_each(to, node_get(w, "partitionClause"));
	server_sort_keys(to, node_get(w, "orderClause"));
	if (node_get(w, "startOffset") != NULL)
		server_expression(to, node_get(w, "startOffset"));
	if (node_get(w, "endOffset") != NULL)
		server_expression(to, node_get(w, "endOffset"));
}

void
server_call(FILE *to, const json_t *c)
{
	if (node_is(c, "funcformat", "COERCE_SQL_SYNTAX")) {
		own_syntax(to, c);
		return;
	}
	fputs(" (call", to);
	server_dotted(to, node_get(c, "funcname"), false);
	if (node_is_true(c, "agg_star"))
		fputs(" *", to);
	if (node_get(c, "over") != NULL)
		fputs(" over", to);
	server_each(to, node_get(c, "args"));
	server_sort_keys(to, node_get(c, "agg_order"));
	if (node_get(c, "agg_filter") != NULL)
		server_expression(to, node_get(c, "agg_filter"));
	server_window(to, node_get(c, "over"));
	fputc(')', to);
}

/* SVFOP_CURRENT_TIME_N is current_time. */
void
server_value(FILE *to, const json_t *e)
{
	const char *op = node_string(e, "op") + strlen("SVFOP_");
	size_t len = strlen(op), i;

	if (len > 2 && strcmp(op + len - 2, "_N") == 0)
		len -= 2;
	fputs(" (call ", to);
	for (i = 0; i < len; i++)
		fputc(op[i] == '_' ? '_' : op[i] | 0x20, to);
	fputc(')', to);
}

void
server_values(FILE *to, const json_t *targets)
{
	size_t i;

	for (i = 0; i < list_size(targets); i++)
		server_expression(
		    to, node_get(
			    node_get(list_at(targets, i), "ResTarget"), "val"));
}

/* IS_XMLPARSE and IS_XMLROOT have arguments that are options. */
void
server_xml(FILE *to, const json_t *e)
{
	const char *op = node_string(e, "op") + strlen("IS_");
	const json_t *args = node_get(e, "args");
	size_t count = list_size(args), i;

	if (strcmp(op, "DOCUMENT") == 0) {
		server_list(to, "op is", args);
		return;
	}
	fputs(" (call ", to);
	for (i = 0; op[i] != '\0'; i++)
		fputc(op[i] | 0x20, to);
	if (strcmp(op, "XMLPARSE") == 0)
		count = 1;
	if (strcmp(op, "XMLROOT") == 0)
		count = server_made_up(list_at(args, 1), "A_Const") ? 1 : 2;
	server_values(to, node_get(e, "named_args"));
	for (i = 0; i < count; i++)
		server_expression(to, list_at(args, i));
	fputc(')', to);
}
