/*
 * code_body.h - what the text of a function's body may read and do.
 *
 * For bodies in SQL and PL/pgSQL, for the headers of functions (defaults of
 * their arguments) and for checks.  Nothing is parsed: a mention of a name
 * counts as its use, except where a value is plainly only written.  Pure.
 */
#ifndef SALLYPORT_CODE_BODY_H
#define SALLYPORT_CODE_BODY_H

#include "common/arena.h"
#include "common/code_calls.h"

enum { CODE_BODY_MAX = 256 * 1024 }; /* bytes; a longer one is opaque */

/* To whom what was found is told, as it is found. */
struct code_listener {
	void *context;
	/* Is there any relation of that name? */
	bool (*is_relation)(void *context, struct text name);
	/* A name that is mentioned: of a relation, a column, anything. */
	enum err (*take_name)(void *context, struct text name);
	/* A name under which it may run other code; of relations, too, with
	 * the kinds of code that run with them. */
	code_taker take_call;
};

struct code_facts {
	/* It runs SQL made at run time, changes settings, or cannot be
	 * read. */
	bool is_opaque;
	bool stores; /* it writes to relations or elsewhere */
	/* It runs SQL made at run time, makes code, or changes a setting that
	 * is Sallyport's or whose name is not told in a constant. */
	bool escapes;
	/* It may use columns of the relations it mentions without their
	 * names: a star, a whole row, column aliases. */
	bool takes_whole_relations;
	bool returns_trigger; /* by its header */
	/* As a trigger it may put other values into the row it was given. */
	bool changes_row;
};

/* Read it, adding to the facts. ERR_MEMORY and the listener's errors; text
 * that makes no sense is opaque, not an error. */
enum err code_body_read(struct text body, struct arena *a,
    const struct code_listener *l, struct code_facts *facts) MUST_CHECK;

/* The same of the header of a function, as the server words it. */
enum err code_header_read(struct text header, struct arena *a,
    const struct code_listener *l, struct code_facts *facts) MUST_CHECK;

/* The same of a statement that makes code, as its tokens. */
enum err code_statement_read(const struct token *tokens, size_t count,
    struct arena *a, const struct code_listener *l,
    struct code_facts *facts) MUST_CHECK;

#endif
