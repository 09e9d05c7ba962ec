/*
 * server_change.c - INSERT, UPDATE, DELETE and MERGE of the server's tree.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/oracle/trees/server_inner.h"

static void
into(FILE *to, const json_t *s)
{
	fputs(" (into", to);
	server_relation(to, node_get(s, "relation"));
	fputc(')', to);
}

/* SET a = x, and (a, b) = y, whose y each of the columns repeats. */
static void
assignments(FILE *to, const json_t *items)
{
	const json_t *t, *multiple;
	size_t i, k, count;

	for (i = 0; i < list_size(items); i += count) {
		t = node_get(list_at(items, i), "ResTarget");
		multiple = node_get(node_get(t, "val"), "MultiAssignRef");
		count = multiple == NULL ? 1
					 : (size_t)json_integer_value(
					       node_get(multiple, "ncolumns"));
		fputs(" (set (columns", to);
		for (k = 0; k < count; k++)
			fprintf(to, " %s",
			    node_string(
				node_get(list_at(items, i + k), "ResTarget"),
				"name"));
		fputc(')', to);
		server_expression(to, multiple ? node_get(multiple, "source")
					       : node_get(t, "val"));
		fputc(')', to);
	}
}

/* Subscripts of what is written. */
static void
subscripts(FILE *to, const json_t *items)
{
	const json_t *steps, *index;
	size_t i, k;

	for (i = 0; i < list_size(items); i++) {
		steps = node_get(
		    node_get(list_at(items, i), "ResTarget"), "indirection");
		for (k = 0; k < list_size(steps); k++) {
			index = node_get(list_at(steps, k), "A_Indices");
			if (node_get(index, "lidx") != NULL)
				server_expression(to, node_get(index, "lidx"));
			if (node_get(index, "uidx") != NULL)
				server_expression(to, node_get(index, "uidx"));
		}
	}
}

static void
column_names(FILE *to, const json_t *columns)
{
	size_t i;

	if (list_size(columns) == 0)
		return;
	fputs(" (columns", to);
	for (i = 0; i < list_size(columns); i++)
		fprintf(to, " %s",
		    node_string(
			node_get(list_at(columns, i), "ResTarget"), "name"));
	fputc(')', to);
}

static void
conflict_elements(FILE *to, const json_t *elements)
{
	const json_t *e;
	size_t i;

	if (list_size(elements) == 0)
		return;
	fputs(" (conflict", to);
	for (i = 0; i < list_size(elements); i++) {
		e = node_get(list_at(elements, i), "IndexElem");
		if (node_get(e, "expr") != NULL)
			server_expression(to, node_get(e, "expr"));
		else
			fprintf(to, " %s", node_string(e, "name"));
	}
	fputc(')', to);
}

static void
conditions(FILE *to, const char *text)
{
	if (text[0] != '\0')
		fprintf(to, " (conditions%s)", text);
}

static void
insert(FILE *to, const json_t *s)
{
	const json_t *conflict = node_get(s, "onConflictClause");
	const json_t *infer = node_get(conflict, "infer");
	char *decided = NULL;
	size_t len;
	FILE *inner = open_memstream(&decided, &len);

	subscripts(inner, node_get(s, "cols"));
	if (node_get(infer, "whereClause") != NULL)
		server_expression(inner, node_get(infer, "whereClause"));
	subscripts(inner, node_get(conflict, "targetList"));
	if (node_get(conflict, "whereClause") != NULL)
		server_expression(inner, node_get(conflict, "whereClause"));
	fclose(inner);
	into(to, s);
	column_names(to, node_get(s, "cols"));
	if (node_get(s, "selectStmt") != NULL)
		server_query(to, node_get(s, "selectStmt"));
	if (conflict != NULL)
		fputs(" on-conflict", to);
	conflict_elements(to, node_get(infer, "indexElems"));
	assignments(to, node_get(conflict, "targetList"));
	conditions(to, decided);
	free(decided);
}

static void
update_or_delete(FILE *to, const json_t *s, const char *from_key)
{
	char *decided = NULL;
	size_t len;
	FILE *inner = open_memstream(&decided, &len);
	const json_t *where = node_get(s, "whereClause");

	subscripts(inner, node_get(s, "targetList"));
	fclose(inner);
	into(to, s);
	assignments(to, node_get(s, "targetList"));
	server_from_list(to, node_get(s, from_key));
	if (node_get(where, "CurrentOfExpr") == NULL)
		server_one(to, "where", where);
	conditions(to, decided);
	free(decided);
}

/* INSERT's values are assignments to its columns, or to none. */
static void
merge_values(FILE *to, const json_t *when)
{
	const json_t *columns = node_get(when, "targetList");
	const json_t *values = node_get(when, "values");
	size_t i;

	for (i = 0; i < list_size(values); i++) {
		fputs(" (set", to);
		if (list_size(columns) > 0)
			fprintf(to, " (columns %s)",
			    node_string(
				node_get(list_at(columns, i), "ResTarget"),
				"name"));
		server_expression(to, list_at(values, i));
		fputc(')', to);
	}
}

static void
merge(FILE *to, const json_t *s)
{
	const json_t *whens = node_get(s, "mergeWhenClauses"), *when;
	char *decided = NULL;
	size_t len, i;
	FILE *inner = open_memstream(&decided, &len);

	into(to, s);
	server_expression(inner, node_get(s, "joinCondition"));
	for (i = 0; i < list_size(whens); i++) {
		when = node_get(list_at(whens, i), "MergeWhenClause");
		if (node_get(when, "condition") != NULL)
			server_expression(inner, node_get(when, "condition"));
		subscripts(inner, node_get(when, "targetList"));
		if (node_is(when, "commandType", "CMD_UPDATE"))
			assignments(to, node_get(when, "targetList"));
		else
			merge_values(to, when);
	}
	fclose(inner);
	fputs(" (from", to);
	server_from(to, node_get(s, "sourceRelation"));
	fputc(')', to);
	conditions(to, decided);
	free(decided);
}

void
server_change(FILE *to, const json_t *s, const char *word)
{
	fprintf(to, " (%s", word);
	server_with(to, node_get(s, "withClause"));
	if (word[0] == 'i')
		insert(to, s);
	else if (word[0] == 'm')
		merge(to, s);
	else
		update_or_delete(
		    to, s, word[0] == 'u' ? "fromClause" : "usingClause");
	server_targets(to, "returning", node_get(s, "returningList"));
	fputc(')', to);
}
