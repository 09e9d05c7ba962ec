/*
 * code_calls.h - the names under which tokens may run code.
 *
 * Read off the tokens alone, so that a statement and the body of a function
 * are read alike: a name before a parenthesis or after a dot may be a
 * function (c.f is f(c)), a name may be a type where no column can stand, and
 * the end of a cast where a type or a function can; an operator is an operator
 * by its symbol, and some keywords are operators in words.  More names are
 * told than there are calls, never fewer.
 */
#ifndef SALLYPORT_CODE_CALLS_H
#define SALLYPORT_CODE_CALLS_H

#include "common/lexer.h"
#include "common/store.h"

struct code_call {
	enum code_kind kind;
	struct text name;
	/* A function only if no column has this name: x.name */
	bool may_be_column;
	/* pg_catalog's, whatever the search path is. */
	bool is_system;
};

typedef enum err (*code_taker)(void *context, const struct code_call *call);

/* Tell each; the first error ends it. */
enum err code_calls(const struct token *tokens, size_t count, code_taker take,
    void *context) MUST_CHECK;

#endif
