/*
 * server_tree.c - PostgreSQL's parse tree, in JSON, as an S-expression.
 *
 * What the query parser has no place for is left out (which window frame, which
 * rows to lock); whatever can hold an expression or a name is there. A node
 * that is not known here is written with its name, and so never equal.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/oracle/trees/server_inner.h"
#include "tests/oracle/trees/server_tree.h"

/* --- queries -------------------------------------------------------------- */

void
server_targets(FILE *to, const char *what, const json_t *items)
{
	const json_t *t;
	size_t i;

	if (list_size(items) == 0)
		return;
	fprintf(to, " (%s", what);
	for (i = 0; i < list_size(items); i++) {
		t = node_get(list_at(items, i), "ResTarget");
		server_expression(to, node_get(t, "val"));
		if (node_get(t, "name") != NULL)
			fprintf(to, " (as %s)", node_string(t, "name"));
	}
	fputc(')', to);
}

void
server_with(FILE *to, const json_t *clause)
{
	const json_t *ctes = node_get(clause, "ctes"), *c, *search, *cycle,
		     *compared;
	size_t i, k, s;

	for (i = 0; i < list_size(ctes); i++) {
		c = node_get(list_at(ctes, i), "CommonTableExpr");
		search = node_get(c, "search_clause");
		cycle = node_get(c, "cycle_clause");
		fprintf(to, " (with %s", node_string(c, "ctename"));
		server_names(to, "columns", node_get(c, "aliascolnames"));
		server_query(to, node_get(c, "ctequery"));
		if (search != NULL || cycle != NULL)
			fputs(" (compared", to);
		for (s = 0; s < 2; s++) {
			compared = s == 0 ? node_get(search, "search_col_list")
					  : node_get(cycle, "cycle_col_list");
			for (k = 0; k < list_size(compared); k++)
				fprintf(to, " %s",
				    list_string(list_at(compared, k)));
		}
		if (search != NULL || cycle != NULL)
			fputs(") (added", to);
		if (search != NULL)
			fprintf(to, " %s",
			    node_string(search, "search_seq_column"));
		if (cycle != NULL)
			fprintf(to, " %s %s",
			    node_string(cycle, "cycle_mark_column"),
			    node_string(cycle, "cycle_path_column"));
		fputs(search != NULL || cycle != NULL ? "))" : ")", to);
	}
}

static void
distinct(FILE *to, const json_t *clause)
{
	if (list_size(clause) == 0)
		return;
	fputs(" distinct", to);
	if (json_object_size(list_at(clause, 0)) > 0)
		server_list(to, "on", clause);
}

static void
group_by(FILE *to, const json_t *s)
{
	const json_t *items = node_get(s, "groupClause");
	char *text = NULL;
	size_t len;
	FILE *inner;

	if (node_is_true(s, "groupDistinct"))
		fputs(" group-distinct", to);
	if (list_size(items) == 0)
		return;
	inner = open_memstream(&text, &len); /* GROUP BY () has none */
	server_each(inner, items);
	fclose(inner);
	if (len > 0)
		fprintf(to, " (group%s)", text);
	free(text);
}

static void
windows(FILE *to, const json_t *clause)
{
	char *text = NULL;
	size_t len, i;
	FILE *inner = open_memstream(&text, &len);

	for (i = 0; i < list_size(clause); i++)
		server_window(inner, node_get(list_at(clause, i), "WindowDef"));
	fclose(inner);
	if (len > 0)
		fprintf(to, " (windows%s)", text);
	free(text);
}

static void
rows(FILE *to, const json_t *lists)
{
	size_t i;

	for (i = 0; i < list_size(lists); i++)
		server_list(to, "row",
		    node_get(node_get(list_at(lists, i), "List"), "items"));
}

static void
plain_select(FILE *to, const json_t *s)
{
	distinct(to, node_get(s, "distinctClause"));
	server_targets(to, "targets", node_get(s, "targetList"));
	if (node_get(s, "intoClause") != NULL) {
		fputs(" (into", to);
		server_relation_name(
		    to, node_get(node_get(s, "intoClause"), "rel"));
		fputc(')', to);
	}
	server_from_list(to, node_get(s, "fromClause"));
	server_one(to, "where", node_get(s, "whereClause"));
	group_by(to, s);
	server_one(to, "having", node_get(s, "havingClause"));
	windows(to, node_get(s, "windowClause"));
}

static bool
is_null_constant(const json_t *node)
{
	return node_is_true(node_get(node, "A_Const"), "isnull");
}

static void
select_tail(FILE *to, const json_t *s)
{
	const json_t *limit = node_get(s, "limitCount");

	if (list_size(node_get(s, "sortClause")) > 0) {
		fputs(" (order", to);
		server_sort_keys(to, node_get(s, "sortClause"));
		fputc(')', to);
	}
	if (limit != NULL && !is_null_constant(limit) &&
	    !server_made_up(limit, "A_Const"))
		server_one(to, "limit", limit);
	server_one(to, "offset", node_get(s, "limitOffset"));
	fputc(')', to);
}

static void
select_statement(FILE *to, const json_t *s)
{
	const char *op = node_string(s, "op");
	bool is_set = node_get(s, "larg") != NULL;

	if (is_set)
		fprintf(to, " (%s%s",
		    strcmp(op, "SETOP_UNION") == 0	 ? "union"
		    : strcmp(op, "SETOP_INTERSECT") == 0 ? "intersect"
							 : "except",
		    node_is_true(s, "all") ? " all" : "");
	else
		fputs(node_get(s, "valuesLists") ? " (values" : " (select", to);
	server_with(to, node_get(s, "withClause"));
	if (is_set) {
		select_statement(to, node_get(s, "larg"));
		select_statement(to, node_get(s, "rarg"));
	} else if (node_get(s, "valuesLists") != NULL) {
		rows(to, node_get(s, "valuesLists"));
	} else {
		plain_select(to, s);
	}
	select_tail(to, s);
}

static const struct {
	const char *node, *word;
} changes[] = {
    {"InsertStmt", "insert"},
    {"UpdateStmt", "update"},
    {"DeleteStmt", "delete"},
    {"MergeStmt", "merge"},
};

void
server_query(FILE *to, const json_t *node)
{
	size_t i;

	for (i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		if (node_get(node, changes[i].node) != NULL) {
			server_change(to, node_get(node, changes[i].node),
			    changes[i].word);
			return;
		}
	}
	if (node_get(node, "SelectStmt") != NULL)
		select_statement(to, node_get(node, "SelectStmt"));
	else
		fputs(" ?query", to);
}

/* --- what may stand around ------------------------------------------------ */

static const struct {
	const char *node, *word;
} wrappers[] = {
    {"PrepareStmt", "prepare"},
    {"DeclareCursorStmt", "declare"},
    {"CopyStmt", "copy"},
    {"CreateTableAsStmt", "create"},
    {"ViewStmt", "create"},
};

static bool
is_query(const json_t *node)
{
	size_t i;

	for (i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		if (node_get(node, changes[i].node) != NULL)
			return true;
	}
	return node_get(node, "SelectStmt") != NULL;
}

bool
server_tree(FILE *to, const json_t *statement)
{
	const json_t *explained = node_get(statement, "ExplainStmt"), *inner;
	size_t i;

	if (explained != NULL) {
		statement = node_get(explained, "query");
		fputs(" explain", to);
	}
	for (i = 0; i < sizeof(wrappers) / sizeof(*wrappers); i++) {
		inner = node_get(statement, wrappers[i].node);
		if (inner == NULL)
			continue;
		fprintf(to, " %s", wrappers[i].word);
		statement = node_get(inner, "query");
		break;
	}
	if (!is_query(statement))
		return false;
	server_query(to, statement);
	return true;
}
