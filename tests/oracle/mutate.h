/*
 * mutate.h - other ways to write a statement.
 *
 * Always the same for the same text and number. The parser is the judge of
 * what is the same statement: a mutant whose tree is another is dropped.
 */
#ifndef SALLYPORT_ORACLE_MUTATE_H
#define SALLYPORT_ORACLE_MUTATE_H

#include "common/classify.h"

struct mutation {
	char *sql;
	char *tree;	/* of a nested one */
	bool is_nested; /* in another statement, whose tree is `tree` */
	bool has_more_parentheses; /* so its canonical text is another */
};

/* The text's mutant of that number; false: none. `tree`: the text's. The
 * caller frees it with mutation_free(). */
bool mutate(const char *sql, const char *tree, size_t number,
    struct mutation *out) MUST_CHECK;
void mutation_free(struct mutation *m);

/* Does the classifier say the same of both? Reports when it does not. */
bool mutate_is_same(const struct classifier *c,
    const struct lex_state *state, const char *sql,
    const struct mutation *m, struct arena *a);

#endif
