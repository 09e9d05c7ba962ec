/*
 * canonical.h - the two texts that are made of a statement's tokens.
 *
 * Canonical text: one space between tokens and none within, whatever the
 * tokens hold: a quoted name that would not read back unquoted keeps its
 * quotes, and in them every byte but letters, digits, _, $ and those beyond
 * ASCII is written %XX.  A reserved word after a dot is a name and is quoted,
 * so an unquoted keyword is always the keyword.
 *
 * Flat text: each ( ) and [ ] group is a line of its own,
 *	select a , count ( ) from t where x in ( )
 *	count( *
 *	in( ? , $1
 * with the token before the group glued to its bracket as context; a group
 * that begins another group hands its context on.  A `;` (of a function's or
 * rule's body) ends a line, too.
 */
#ifndef SALLYPORT_CANONICAL_H
#define SALLYPORT_CANONICAL_H

#include "common/lexer.h"
#include "common/words.h"

enum { FLAT_DEPTH_MAX = 1000 }; /* groups within groups */

struct span {
	uint32_t at, len;
};

/* What was found out about each token. */
struct mark {
	struct span canonical; /* where it stands in canonical.text */
	const struct word *word; /* of `name`; NULL: nothing known */
	uint64_t hash;		 /* text_hash(name); names and words only */
	bool is_name; /* may name a column, relation, function …: a word that
		       * is not reserved, or a quoted name */
	bool is_declared; /* it introduces a relation or alias here */
};

struct canonical {
	const struct token *tokens;
	struct mark *marks;
	size_t count;
	struct text text;
};

struct line {
	struct span span;    /* in flat.text */
	uint32_t content;    /* where the text after `context( ` begins */
	uint32_t group;	     /* lines of one group have the same number */
	uint32_t first;	     /* the first token of it; == count: none */
	uint32_t place, place_count; /* its tokens in flat.places */
	bool is_root;	     /* not in any group */
};

struct place_of_token {
	uint32_t at;	/* offset in flat.text, ascending */
	uint32_t token;
};

struct flat {
	struct text text;
	struct line *lines;
	size_t line_count;
	struct place_of_token *places;
	size_t place_count;
};

/* Canonical text of one statement's tokens. ERR_MEMORY, ERR_TOO_LONG. */
enum err canonical_make(const struct words *words, const struct token *tokens,
    size_t count, struct arena *a, struct canonical *out) MUST_CHECK;

/* Flat text of it. ERR_MALFORMED: brackets do not pair, or nest too deep;
 * a static word why in `why_out`. */
enum err flat_make(const struct canonical *c, struct arena *a,
    struct flat *out, const char **why_out) MUST_CHECK;

/* The place of the token that stands at or, inside a token, around an
 * offset. */
size_t flat_place_at(const struct flat *f, size_t at);

#endif
