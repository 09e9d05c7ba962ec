/*
 * words.h - what a dialect knows about a word, found with one hash look-up.
 *
 * Keywords, functions and the first words of class rules, out of the YAML of
 * policies/.  Built once, then read-only.
 */
#ifndef SALLYPORT_WORDS_H
#define SALLYPORT_WORDS_H

#include <stdint.h>

#include "common/err.h"
#include "common/text.h"

struct class_rule;

enum {
	WORD_KEYWORD = 1,   /* of any kind: a name spelt so keeps its quotes */
	WORD_RESERVED = 2,  /* unquoted it names nothing, but after a dot */
	WORD_CONSTRUCT = 4, /* before a parenthesis it is no function */
	WORD_CLEAN = 8,	    /* a function that reads its arguments only */
	WORD_OPAQUE = 16,   /* a function that may do anything */
	WORD_QUERY = 32,    /* a query may begin with it */
	WORD_ESCAPING = 64, /* a function that reaches past the statement */
	WORD_EXTENSION = 128, /* an extension whose functions are clean */
	/* a function that cannot fail: see enum total */
	WORD_TOTAL_ALWAYS = 256,
	WORD_TOTAL_FIRST = 512,
	WORD_TOTAL_LAST = 1024,
	WORD_TOTAL_PLAIN = 2048,
	WORD_CLAUSE = 4096, /* a clause of a query may begin with it */
	WORD_EFFECT = 8192 /* opaque, but returns nothing that is stored */
};

struct word {
	struct text text;
	uint64_t hash;
	unsigned flags;
	/* the class rules for lines that begin with it, in order */
	const struct class_rule **rules;
	size_t rule_count;
};

struct words;

struct words *words_new(void); /* NULL: out of memory */
void words_free(struct words *w);

/* The entry for a word, made if need be (the text is copied). A pointer is
 * good until the next words_put(). NULL: out of memory. */
struct word *words_put(struct words *w, struct text text);

/* The entry or NULL. `hash` is text_hash(text). */
const struct word *words_find(
    const struct words *w, struct text text, uint64_t hash);

/* Let lines that begin with this word be tried against this rule, too. */
enum err words_add_rule(struct words *w, struct text text,
    const struct class_rule *rule) MUST_CHECK;

#endif
