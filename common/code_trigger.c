/*
 * code_trigger.c - does a trigger change the row it was given?
 *
 * The rule: NEW stays as it is only where nothing assigns to it in any of the
 * ways that PL/pgSQL has, and nothing but NEW, OLD or NULL is returned.
 */
#include "common/code_body_inner.h"

static bool
is_new(const struct body *b, size_t i)
{
	return is_name(b, i) && text_is(b->tokens[i].name, TEXT("new"));
}

/* What follows the variable at `i`, its fields and subscripts left out. */
static size_t
variable_end(const struct body *b, size_t i)
{
	size_t depth = 0, end = name_end(b, i);

	for (; end < b->count; end++) {
		if (is_mark(b, end, '['))
			depth++;
		else if (depth == 0)
			break;
		else if (is_mark(b, end, ']'))
			depth--;
	}
	return end;
}

/* Is NEW among the variables that INTO names, from the token after it on? */
static bool
is_into_new(const struct body *b, size_t i)
{
	static const char *const ends[] = {"from", "where", "using", "values",
	    "select", "group", "order", "limit", NULL};

	for (; i < b->count && !is_any_word(b, i, ends); i++) {
		if (is_new(b, i))
			return true;
		if (!is_name(b, i) && b->tokens[i].kind != TOKEN_PUNCTUATION &&
		    b->tokens[i].kind != TOKEN_NUMBER)
			break;
		if (is_mark(b, i, ';') || is_mark(b, i, '('))
			break;
	}
	return false;
}

static bool
assigns_new(const struct body *b, size_t i)
{
	size_t end = variable_end(b, i);

	return is_operator(b, end, ":=") ||
	       (is_operator(b, end, "=") &&
		   begins_statement(b, name_start(b, i)));
}

/* RETURN of anything but the rows that it was given. */
static bool
returns_other(const struct body *b, size_t i)
{
	static const char *const given[] = {"new", "old", "null", NULL};

	return is_word(b, i, "return") &&
	       !(is_any_word(b, i + 1, given) &&
		   (i + 2 >= b->count || is_mark(b, i + 2, ';')));
}

/* May this give NEW another value? */
bool
code_changes_row(const struct body *b, size_t i)
{
	/* loops, aliases; and lists in which it may be anywhere */
	static const char *const before[] = {"for", "foreach", NULL};
	static const char *const lists[] = {"call", "diagnostics", NULL};

	if (is_new(b, i))
		return assigns_new(b, i) ||
		       (i > 0 && is_any_word(b, i - 1, before));
	return (is_word(b, i, "into") && is_into_new(b, i + 1)) ||
	       is_any_word(b, i, lists) || returns_other(b, i);
}
