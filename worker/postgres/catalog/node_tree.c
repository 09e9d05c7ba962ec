/*
 * node_tree.c - a flat walk over the server's node text.
 *
 * The rule: brackets inside strings are always escaped by the server, so
 * counting brackets gives the depth, and only a field at the depth where the
 * outermost query has it is believed.  Fields of inner queries have the same
 * names.  The form is that of outfuncs.c and read.c, PostgreSQL 10 to 17.
 */
#include <limits.h>
#include <stdlib.h>

#include "worker/postgres/catalog/node_tree.h"

enum {
	DEPTH_QUERY = 2, /* ({QUERY … */
	DEPTH_TARGETS,	 /* :targetList ( … */
	DEPTH_TARGET,	 /* {TARGETENTRY … */
	TYPE_REGCLASS = 2205,
};

struct walk {
	struct text rest;
	size_t depth;
	bool in_targets; /* inside the outermost :targetList */
	bool had_targets;
	struct text field; /* the `:name` whose value comes next */
	struct {	   /* the TARGETENTRY being read */
		unsigned long number, table, column;
		bool is_junk;
	} entry;
};

static bool
is_bracket(char c)
{
	return c == '(' || c == ')' || c == '{' || c == '}';
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* The next token, as the server's pg_strtok() cuts them. len 0: the end. */
static struct text
next_token(struct walk *w)
{
	struct text token;
	size_t len = 0;

	while (w->rest.len > 0 && is_space(w->rest.at[0])) {
		w->rest.at++;
		w->rest.len--;
	}
	while (len < w->rest.len && !is_space(w->rest.at[len]) &&
	       !is_bracket(w->rest.at[len])) {
		len += w->rest.at[len] == '\\' && len + 1 < w->rest.len ? 2 : 1;
	}
	if (len == 0 && w->rest.len > 0)
		len = 1; /* a bracket */
	token = (struct text){w->rest.at, len};
	w->rest.at += len;
	w->rest.len -= len;
	return token;
}

/* A plain decimal number; ULONG_MAX for anything else. */
static unsigned long
number_of(struct text token)
{
	unsigned long number = 0;
	size_t i;

	if (token.len == 0 || token.len > 10)
		return ULONG_MAX;
	for (i = 0; i < token.len; i++) {
		if (token.at[i] < '0' || token.at[i] > '9')
			return ULONG_MAX;
		number = number * 10 + (unsigned long)(token.at[i] - '0');
	}
	return number;
}

static void
take_entry(const struct walk *w, struct view_tree *out)
{
	struct view_origin *origin;

	if (w->entry.is_junk || w->entry.number == 0 ||
	    w->entry.number > NODE_COLUMNS_MAX)
		return;
	origin = &out->columns[w->entry.number - 1];
	origin->is_seen = true;
	if (w->entry.table == 0 || w->entry.table > UINT32_MAX ||
	    w->entry.column == 0 || w->entry.column > NODE_COLUMNS_MAX)
		return;
	origin->table = (uint32_t)w->entry.table;
	origin->column = (uint16_t)w->entry.column;
}

/* False: brackets that do not match, or too deep. */
static bool
take_bracket(struct walk *w, char bracket, struct view_tree *out)
{
	if (bracket == '(' || bracket == '{') {
		w->depth++;
		if (w->depth == DEPTH_TARGETS &&
		    text_is(w->field, TEXT(":targetList")))
			w->in_targets = w->had_targets = true;
		if (w->depth == DEPTH_TARGET)
			memset(&w->entry, 0, sizeof(w->entry));
		w->field.len = 0;
		return w->depth <= NODE_DEPTH_MAX;
	}
	if (w->depth == 0)
		return false;
	if (w->depth == DEPTH_TARGET && w->in_targets)
		take_entry(w, out);
	if (w->depth == DEPTH_TARGETS)
		w->in_targets = false;
	w->depth--;
	w->field.len = 0;
	return true;
}

static bool
is_function_field(struct text field)
{
	return text_is(field, TEXT(":funcid")) ||
	       text_is(field, TEXT(":opfuncid")) ||
	       text_is(field, TEXT(":aggfnoid")) ||
	       text_is(field, TEXT(":winfnoid"));
}

static void
take_function(unsigned long oid, struct view_tree *out)
{
	size_t i;

	if (oid == 0)
		return;
	for (i = 0; i < out->function_count; i++) {
		if (out->functions[i] == oid)
			return;
	}
	if (oid > UINT32_MAX || out->function_count == NODE_FUNCTIONS_MAX)
		out->has_more_functions = true;
	else
		out->functions[out->function_count++] = (uint32_t)oid;
}

static void
take_value(struct walk *w, struct text value, struct view_tree *out)
{
	struct text field = w->field;

	w->field.len = 0;
	if (is_function_field(field))
		take_function(number_of(value), out);
	if ((text_is(field, TEXT(":varattno")) && number_of(value) == 0) ||
	    (text_is(field, TEXT(":consttype")) &&
		number_of(value) == TYPE_REGCLASS))
		out->takes_whole_relations = true;
	if (w->depth != DEPTH_TARGET || !w->in_targets)
		return;
	if (text_is(field, TEXT(":resno")))
		w->entry.number = number_of(value);
	else if (text_is(field, TEXT(":resorigtbl")))
		w->entry.table = number_of(value);
	else if (text_is(field, TEXT(":resorigcol")))
		w->entry.column = number_of(value);
	else if (text_is(field, TEXT(":resjunk")))
		w->entry.is_junk = !text_is(value, TEXT("false"));
}

/* False: it does not make sense to its end. */
static bool
walk_tree(struct walk *w, struct view_tree *out)
{
	struct text token;
	bool is_fine = true;

	memset(out, 0, sizeof(*out));
	while (is_fine && (token = next_token(w)).len > 0) {
		if (token.len == 1 && is_bracket(token.at[0]))
			is_fine = take_bracket(w, token.at[0], out);
		else if (token.at[0] == ':')
			w->field = token;
		else
			take_value(w, token, out);
	}
	return is_fine && w->depth == 0;
}

static enum err
refuse_tree(struct view_tree *out)
{
	memset(out, 0, sizeof(*out));
	out->takes_whole_relations = out->has_more_functions = true;
	return ERR_MALFORMED;
}

enum err
node_tree_functions(struct text tree, struct view_tree *out)
{
	struct walk w = {.rest = tree};

	return walk_tree(&w, out) ? ERR_NONE : refuse_tree(out);
}

enum err
node_tree_view(struct text tree, struct view_tree *out)
{
	struct walk w = {.rest = tree};

	return walk_tree(&w, out) && w.had_targets ? ERR_NONE
						   : refuse_tree(out);
}
