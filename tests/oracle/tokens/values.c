/*
 * values.c - asks the parser for a constant, or for the name of a column.
 */
#include <jansson.h>
#include <pg_query.h>
#include <stdlib.h>

#include "tests/oracle/tokens/values.h"

/* Is there anything to undo, fold or cut? */
static bool
is_worth_asking(const struct token *t)
{
	size_t i;

	if (t->raw.len > 60)
		return true;
	for (i = 0; i < t->raw.len; i++) {
		unsigned char c = (unsigned char)t->raw.at[i];

		if (c >= 0x80 || strchr("\\&$\n\r", c) != NULL ||
		    (t->kind == TOKEN_WORD && c >= 'A' && c <= 'Z') ||
		    (i > 0 && c == (unsigned char)t->raw.at[i - 1] &&
			(c == '\'' || c == '"')))
			return true;
	}
	return false;
}

/* The value under keys and first items, all the way down. */
static const json_t *
descend(const json_t *node, const char *const *path)
{
	for (; *path != NULL && node != NULL; path++) {
		node = json_object_get(node, *path);
		if (json_is_array(node))
			node = json_array_get(node, 0);
	}
	return node;
}

static bool
says(const char *tree, bool is_name, struct text value)
{
	static const char *const to_target[] = {
	    "stmts", "stmt", "SelectStmt", "targetList", "ResTarget", NULL};
	static const char *const to_string[] = {
	    "val", "A_Const", "sval", NULL};
	json_t *root = json_loads(tree, JSON_ALLOW_NUL, NULL);
	const json_t *node = descend(root, to_target);
	struct text said = {"", 0};
	bool is_same;

	if (!is_name)
		node = descend(node, to_string);
	is_same = node != NULL;
	node = json_object_get(node, is_name ? "name" : "sval");
	if (node != NULL) /* an empty one is left out */
		said = text_of(json_string_value(node));
	is_same = is_same && text_is(said, value);
	json_decref(root);
	return is_same;
}

/* B'', X'' and N'' are not what they look like to the parser. */
static bool
is_other_string(const struct token *t)
{
	return t->kind == TOKEN_STRING &&
	       strchr("bBxXnN", t->raw.at[0]) != NULL;
}

enum value_answer
value_compare(const struct token *t)
{
	bool is_name = t->kind == TOKEN_WORD || t->kind == TOKEN_QUOTED;
	enum value_answer answer = VALUE_OTHER;
	PgQueryParseResult parsed;
	char *sql;

	if ((!is_name && t->kind != TOKEN_STRING) || is_other_string(t) ||
	    !is_worth_asking(t))
		return VALUE_UNASKED;
	if (asprintf(&sql, "SELECT %s%.*s", is_name ? "1 AS " : "",
		(int)t->raw.len, t->raw.at) < 0)
		abort();
	parsed = pg_query_parse(sql);
	if (parsed.error != NULL)
		answer = VALUE_UNASKED;
	else if (says(parsed.parse_tree, is_name, t->name))
		answer = VALUE_SAME;
	pg_query_free_parse_result(parsed);
	free(sql);
	return answer;
}
