/*
 * class_need.h - what a text must have for a pattern to match it.
 *
 * Most patterns of the class rules speak of words and brackets that most
 * clauses do not have.  What a pattern cannot do without is read off its
 * source once; a clause is only tried against the patterns whose needs it
 * meets.  Used by class_rules.c and class_reader.c alone.
 *
 * The one rule: a need may be less than the truth, never more.  Of what is
 * not understood of a pattern nothing is needed.
 */
#ifndef SALLYPORT_CLASS_NEED_H
#define SALLYPORT_CLASS_NEED_H

#include <stdbool.h>
#include <stdint.h>

#include "common/text.h"

enum {
	NEED_MAX = 6,	     /* alternatives told apart in one need */
	FIRST_WORDS_MAX = 64 /* of a pattern */
};

/* What is in a text, or has to be: sets in which some members share a bit. */
struct presence {
	uint64_t words; /* tokens made of a-z and _ alone, by their hash */
	uint64_t marks; /* characters of operators, punctuation, constants */
};

struct need {
	struct presence any[NEED_MAX]; /* one of these must be there whole */
	size_t count;		       /* at least 1 */
};

static inline uint64_t
presence_of_word(uint64_t hash)
{
	return (uint64_t)1 << (hash >> 58);
}

static inline uint64_t
presence_of_mark(char c)
{
	return (uint64_t)1 << ((unsigned char)c & 63);
}

/* May a text with this in it match? */
static inline bool
need_is_met(const struct need *need, const struct presence *seen)
{
	size_t i;

	for (i = 0; i < need->count; i++) {
		if ((need->any[i].words & ~seen->words) == 0 &&
		    (need->any[i].marks & ~seen->marks) == 0)
			return true;
	}
	return false;
}

/* What texts need that match the pattern whose source this is. With
 * `catches`: only those matches count in which a group takes part that has a
 * name without a _ before it. */
void need_of(struct text source, bool catches, struct need *out);

/* The words with which alone a match can begin, of a pattern of the form
 * `(?<![^ ])` look-arounds `(?:` … `|` … `)(?![^ ])` whose alternatives each
 * begin with look-arounds and a word, or are such a group again. 0: not of
 * that form, or too many. */
size_t need_first_words(
    struct text source, struct text words[FIRST_WORDS_MAX]);

#endif
