/*
 * server_json.c - libpg_query's JSON, read.
 */
#include <string.h>

#include "tests/oracle/trees/server_inner.h"

const json_t *
node_get(const json_t *node, const char *key)
{
	return json_object_get(node, key);
}

const char *
node_string(const json_t *node, const char *key)
{
	const char *value = json_string_value(node_get(node, key));

	return value == NULL ? "" : value;
}

bool
node_is(const json_t *node, const char *key, const char *value)
{
	return strcmp(node_string(node, key), value) == 0;
}

bool
node_is_true(const json_t *node, const char *key)
{
	return json_is_true(node_get(node, key));
}

const json_t *
list_at(const json_t *list, size_t i)
{
	return json_array_get(list, i);
}

size_t
list_size(const json_t *list)
{
	return json_array_size(list);
}

/* A String node's value, at any nesting libpg_query gives it. */
const char *
list_string(const json_t *node)
{
	const json_t *s = node_get(node, "String");
	const char *value = json_string_value(node_get(s, "sval"));

	if (value == NULL)
		value = json_string_value(node_get(s, "str"));
	return value == NULL ? "" : value;
}

void
server_names(FILE *to, const char *what, const json_t *list)
{
	size_t i;

	if (list_size(list) == 0)
		return;
	fprintf(to, " (%s", what);
	for (i = 0; i < list_size(list); i++)
		fprintf(to, " %s", list_string(list_at(list, i)));
	fputc(')', to);
}

void
server_dotted(FILE *to, const json_t *list, bool is_system)
{
	size_t i = is_system && list_size(list) > 1 ? 1 : 0, first = i;

	fputc(' ', to);
	for (; i < list_size(list); i++)
		fprintf(to, "%s%s", i > first ? "." : "",
		    list_string(list_at(list, i)));
}

void
server_each(FILE *to, const json_t *list)
{
	size_t i;

	for (i = 0; i < list_size(list); i++)
		server_expression(to, list_at(list, i));
}

void
server_list(FILE *to, const char *what, const json_t *items)
{
	if (list_size(items) == 0)
		return;
	fprintf(to, " (%s", what);
	server_each(to, items);
	fputc(')', to);
}

void
server_one(FILE *to, const char *what, const json_t *node)
{
	if (node == NULL)
		return;
	fprintf(to, " (%s", what);
	server_expression(to, node);
	fputc(')', to);
}

const char *
list_last(const json_t *list_of_names)
{
	return list_string(
	    list_at(list_of_names, list_size(list_of_names) - 1));
}

/* What the parser made up: FETCH FIRST ROW is FETCH FIRST 1 ROW. */
bool
server_made_up(const json_t *node, const char *kind)
{
	const json_t *e = node_get(node, kind);

	return e != NULL && json_integer_value(node_get(e, "location")) == -1;
}
