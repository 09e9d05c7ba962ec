/*
 * code_whole.c - columns that a body uses without their names.
 *
 * The rule: a relation's name, or its alias, is a whole row wherever it does
 * not plainly stand for something else.
 */
#include "common/code_body_inner.h"

/* Words after a relation that are no alias of it. One that is left out here
 * makes the body look as if it used whole rows. */
static const char *const no_alias[] = {"as", "on", "using", "where", "set",
    "join", "left", "right", "inner", "full", "cross", "natural", "order",
    "group", "having", "limit", "offset", "fetch", "for", "union", "except",
    "intersect", "returning", "into", "window", "values", "select", "default",
    "loop", "then", "end", "when", "do", "with", "language", "tablesample",
    NULL};

static const char *const before_relation[] = {
    "from", "join", "update", "into", "only", "table", NULL};

/* The alias of the relation whose name ends at `i`; 0: it has none. */
static size_t
alias_of(const struct body *b, size_t i)
{
	if (is_word(b, i + 1, "as"))
		return is_name(b, i + 2) ? i + 2 : 0;
	return is_name(b, i + 1) && !is_any_word(b, i + 1, no_alias) ? i + 1
								      : 0;
}

static bool
is_introduced(const struct body *b, size_t i)
{
	size_t start = name_start(b, i);

	return start > 0 && is_any_word(b, start - 1, before_relation);
}

static bool
is_declared_name(const struct body *b, struct text name)
{
	size_t i;

	for (i = 0; i < b->declared_count; i++) {
		if (text_is(b->tokens[b->declared[i]].name, name))
			return true;
	}
	return false;
}

/* Relations and their aliases. */
enum err
code_find_declared(struct body *b)
{
	const struct code_listener *l = b->listener;
	size_t i, alias;

	b->declared = arena_array(b->arena, 2 * b->count + 1,
	    sizeof(*b->declared));
	if (b->declared == NULL)
		return ERR_MEMORY;
	for (i = 0; i < b->count; i++) {
		if (b->declared_count > DECLARED_MAX) {
			b->facts->takes_whole_relations = true;
			break;
		}
		if (!is_name(b, i) || b->is_target[i] ||
		    !l->is_relation(l->context, b->tokens[i].name))
			continue;
		alias = alias_of(b, i);
		b->declared[b->declared_count++] = i;
		if (alias != 0 && is_introduced(b, i))
			b->declared[b->declared_count++] = alias;
	}
	return ERR_NONE;
}

/* Does the name at `i`, a relation's or alias', stand where it is brought in,
 * or before a dot and a column, or in relation%ROWTYPE? */
static bool
is_harmless(const struct body *b, size_t i)
{
	size_t before;

	if (is_mark(b, i + 1, '.'))
		return !is_operator(b, i + 2, "*");
	if (is_introduced(b, i))
		return alias_of(b, i) == 0 ||
		       !is_mark(b, alias_of(b, i) + 1, '(');
	before = i > 0 && is_word(b, i - 1, "as") ? i - 1 : i;
	if (before > 0 && is_name(b, before - 1) &&
	    is_introduced(b, before - 1))
		return !is_mark(b, i + 1, '(');
	return is_operator(b, i + 1, "%");
}

/* c.to_jsonb is to_jsonb(c). */
static bool
is_functional(const struct body *b, size_t i)
{
	const struct code_listener *l = b->listener;
	static const char *const whole[] = {"text", "name", "varchar", "bpchar",
	    "to_json", "to_jsonb", "row_to_json", "json_agg", "jsonb_agg",
	    "array_agg", "string_agg", "concat", "format", "record_send",
	    "record_out", "num_nonnulls", "quote_literal", "quote_nullable",
	    NULL};

	return is_mark(b, i + 1, '.') && is_any_word(b, i + 2, whole) &&
	       !l->is_relation(l->context, b->tokens[i + 2].name);
}

static bool
is_star(const struct body *b, size_t i)
{
	static const char *const before[] = {
	    "select", "all", "distinct", "returning", NULL};

	return is_operator(b, i, "*") && i > 0 &&
	       (is_mark(b, i - 1, ',') || is_mark(b, i - 1, '.') ||
		   is_any_word(b, i - 1, before));
}

bool
code_takes_whole(const struct body *b, size_t i)
{
	if (is_star(b, i) ||
	    (is_word(b, i, "table") && !is_mark(b, i + 1, '(')))
		return true;
	if (!is_name(b, i) || b->is_target[i] ||
	    !is_declared_name(b, b->tokens[i].name))
		return false;
	return is_functional(b, i) || !is_harmless(b, i);
}
