/*
 * code_escape.c - may code do what its text does not say?
 *
 * The rule: SQL that is made at run time may do anything, and code that makes
 * code with it.  A setting is changed by name: one that is not told in a
 * constant may be sallyport.user, by which databases decide who sees what.
 *
 * Functions that do such things are told apart by their names, where they are
 * listed; set_config() alone is looked at here, because plain uses of it are
 * everywhere.
 */
#include "common/code_body_inner.h"

/* EXECUTE FUNCTION is of a trigger. In a body these may be variables. */
bool
code_is_dynamic(const struct body *b, size_t i)
{
	static const char *const routine[] = {"function", "procedure", NULL};

	return is_word(b, i, "execute") &&
	       !(b->is_statement && is_any_word(b, i + 1, routine));
}

/* By which the database is told who it is. */
static bool
is_own(struct text name)
{
	static const struct text own = {"sallyport", 9};

	return text_is_folded(name, TEXT("application_name")) ||
	       (name.len >= own.len &&
		   text_is_folded((struct text){name.at, own.len}, own));
}

/* SET [LOCAL | SESSION] name; RESET gives back what is right. */
static bool
sets_own(const struct body *b, size_t i)
{
	static const char *const scopes[] = {"local", "session", NULL};

	if (!is_word(b, i, "set"))
		return false;
	i++;
	if (is_any_word(b, i, scopes))
		i++;
	return is_name(b, i) && is_own(b->tokens[i].name);
}

/* set_config( 'name' , … of a name that is the same however it is read. */
static bool
is_plain_set_config(const struct body *b, size_t i)
{
	const struct token *name;

	if (!is_mark(b, i + 1, '(') || i + 3 >= b->count ||
	    b->tokens[i + 2].kind != TOKEN_STRING || !is_mark(b, i + 3, ','))
		return false;
	name = &b->tokens[i + 2];
	return !is_own(name->name) &&
	       memchr(name->raw.at, '\\', name->raw.len) == NULL;
}

static bool
is_set_config(const struct body *b, size_t i)
{
	return is_name(b, i) &&
	       text_is(b->tokens[i].name, TEXT("set_config"));
}

/* The system's own relations, of which pg_settings is one, are written. */
static bool
writes_system(const struct body *b, size_t i)
{
	static const char *const writes[] = {"update", "into", NULL};

	if (!is_any_word(b, i, writes))
		return false;
	i += is_word(b, i + 1, "only") ? 2 : 1;
	if (is_name(b, i) && is_mark(b, i + 1, '.'))
		i += 2;
	return is_name(b, i) &&
	       text_starts(b->tokens[i].name, TEXT("pg_"));
}

/* A statement of a body that makes or changes code, or runs some. */
static bool
makes_code(const struct body *b, size_t i)
{
	static const char *const data[] = {"table", "temp", "temporary",
	    "unlogged", "local", "global", "index", "unique", "sequence",
	    "statistics", NULL};

	if (b->is_statement || !begins_statement(b, i) ||
	    (i == 0 && b->is_header))
		return false;
	return is_word(b, i, "do") || is_word(b, i, "import") ||
	       ((is_word(b, i, "create") || is_word(b, i, "alter")) &&
		   !is_any_word(b, i + 1, data));
}

bool
code_escapes(const struct body *b, size_t i)
{
	return code_is_dynamic(b, i) || sets_own(b, i) ||
	       (is_set_config(b, i) && !is_plain_set_config(b, i)) ||
	       writes_system(b, i) || makes_code(b, i);
}
