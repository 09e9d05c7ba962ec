/*
 * spell.h - the same tokens, spelt otherwise.
 */
#ifndef SALLYPORT_ORACLE_SPELL_H
#define SALLYPORT_ORACLE_SPELL_H

#include <stdint.h>

#include "parsed.h"

/* Always the same numbers for the same start. */
struct chance {
	uint64_t state;
};

size_t chance_below(struct chance *c, size_t limit);

/* The case of words, what stands between tokens, quotes around names, the
 * kind of quotes of strings. NULL: it has no tokens. The caller frees. */
char *spell_otherwise(const char *sql, struct chance *c);

/* One word in quotes or one token in parentheses; NULL: it has none such. */
char *spell_quoted(const char *sql, struct chance *c);
char *spell_parenthesised(const char *sql, struct chance *c);

#endif
