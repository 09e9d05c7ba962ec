/*
 * protection_words.c - a statement that brings code along: its words, and the
 * code in it.
 *
 * The rule: any string in it may be code, and code in a language that nobody
 * here reads may do anything.
 */
#include "common/protection_inner.h"

bool
statement_says(const struct statement *s, size_t i, const char *word)
{
	return i < s->token_count &&
	       token_is_word(&s->tokens[i], text_of(word));
}

bool
statement_says_any(const struct statement *s, size_t i, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (statement_says(s, i, *words))
			return true;
	}
	return false;
}

/* Is it in a language that can be read? Without LANGUAGE it is. */
static bool
is_readable(const struct statement *s)
{
	size_t i;

	for (i = 0; i + 1 < s->token_count; i++) {
		struct text language = s->tokens[i + 1].name;

		if (statement_says(s, i, "language") &&
		    !text_is_folded(language, TEXT("sql")) &&
		    !text_is_folded(language, TEXT("plpgsql")))
			return false;
	}
	return true;
}

enum err
statement_read_code(const struct statement *s, struct arena *a,
    const struct code_listener *listener, struct code_facts *facts)
{
	enum err e = ERR_NONE;
	size_t i;

	*facts = (struct code_facts){0};
	facts->is_opaque = facts->escapes = !is_readable(s);
	if ((s->operations & BIT(OP_DO)) == 0)
		e = code_statement_read(
		    s->tokens, s->token_count, a, listener, facts);
	for (i = 0; i < s->token_count && e == ERR_NONE; i++) {
		if (s->tokens[i].kind == TOKEN_STRING)
			e = code_body_read(
			    s->tokens[i].name, a, listener, facts);
	}
	return e;
}
