/*
 * code_body_inner.h - what the files that read a body share; nobody else
 * includes it.
 *
 *	code_body.c	its tokens, one by one
 *	code_whole.c	columns used without their names
 *	code_trigger.c	does a trigger change the row it was given?
 *	code_escape.c	may it do what its text does not say?
 */
#ifndef SALLYPORT_CODE_BODY_INNER_H
#define SALLYPORT_CODE_BODY_INNER_H

#include "common/code_body.h"

enum {
	NAME_PARTS_MAX = 4,
	DECLARED_MAX = 1000, /* more: it takes whole relations */
};

struct body {
	const struct token *tokens;
	size_t count;
	bool *is_target; /* of each token: it only names where values go */
	const struct code_listener *listener;
	struct code_facts *facts;
	struct arena *arena;
	/* Relations and their aliases, by token. */
	size_t *declared;
	size_t declared_count;
	bool is_statement; /* SQL, not the body of a function */
	bool is_header; /* CREATE OR REPLACE, as the server words it */
	bool truncates;
};

static inline bool
is_mark(const struct body *b, size_t i, char c)
{
	return i < b->count && token_is_mark(&b->tokens[i], c);
}

static inline bool
is_name(const struct body *b, size_t i)
{
	return i < b->count && token_is_name(&b->tokens[i]);
}

static inline bool
is_word(const struct body *b, size_t i, const char *word)
{
	return i < b->count && token_is_word(&b->tokens[i], text_of(word));
}

static inline bool
is_any_word(const struct body *b, size_t i, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (is_word(b, i, *words))
			return true;
	}
	return false;
}

static inline bool
is_operator(const struct body *b, size_t i, const char *symbol)
{
	return i < b->count && b->tokens[i].kind == TOKEN_OPERATOR &&
	       text_is(b->tokens[i].raw, text_of(symbol));
}

/* Where the qualified name that ends at `i` begins. */
static inline size_t
name_start(const struct body *b, size_t i)
{
	size_t parts = 1;

	while (i >= 2 && parts++ < NAME_PARTS_MAX && is_mark(b, i - 1, '.') && is_name(b, i - 2))
		i -= 2;
	return i;
}

/* The token after the qualified name that begins at `i`. */
static inline size_t
name_end(const struct body *b, size_t i)
{
	while (is_mark(b, i + 1, '.') && is_name(b, i + 2))
		i += 2;
	return i + 1;
}

static inline bool
begins_statement(const struct body *b, size_t i)
{
	static const char *const before[] = {
	    "begin", "then", "else", "loop", NULL};

	return i == 0 || is_mark(b, i - 1, ';') || is_operator(b, i - 1, ">>") ||
	       is_any_word(b, i - 1, before);
}

/* Find relations and their aliases. */
enum err code_find_declared(struct body *b) MUST_CHECK;

/* Does the token at `i` use whole rows? */
bool code_takes_whole(const struct body *b, size_t i);

/* EXECUTE of a text, or of a name. */
bool code_is_dynamic(const struct body *b, size_t i);

/* May what begins at `i` run SQL made at run time, make code, or change a
 * setting that is not plainly another's than Sallyport's? */
bool code_escapes(const struct body *b, size_t i);

/* May what stands at `i` give NEW another value? */
bool code_changes_row(const struct body *b, size_t i);

#endif
