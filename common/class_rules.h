/*
 * class_rules.h - policies/classes/X.yaml and functions/X.yaml, compiled.
 *
 * classes/X.yaml holds
 *   keywords:  {reserved, construct, other}: lists of words
 *   define:    macros; ${NAME} in any pattern is replaced by the text
 *   queries:   words that may begin a query
 *   query:     at a group's content: does a query begin here?
 *   inner:     in a statement that is no query: where one begins, group
 *              `query`
 *   clause:    in a query: where its next clause begins, as
 *              `${B}` look-arounds `(?:word …|word …)${E}`; it is tried at
 *              tokens that are one of these words
 *   rules:     in order; a line is tried against the rules of its first word,
 *              or those of "*" where its word has none, up to the first match
 *
 * A rule: name; first (a word or a list); pattern (none: matches); and what
 * follows from a match: operations, traits, effects, subject. Named groups of
 * the pattern say what they catch, see enum role; _name says nothing. Flags:
 * each (match again and again along the line), more (go on with later
 * rules after a match), root (only outside all groups). begins: true means
 * only for the first clause of a query or the one after WITH, false means
 * only for the others.
 */
#ifndef SALLYPORT_CLASS_RULES_H
#define SALLYPORT_CLASS_RULES_H

#include "common/class_need.h"
#include "common/regex.h"
#include "common/words.h"

enum role {
	ROLE_NONE,
	ROLE_READ,     /* a relation it reads, qualified or not */
	ROLE_WRITE,    /* a relation it writes */
	ROLE_CTE,      /* the name of a WITH query */
	ROLE_ALIAS,    /* another name of a relation */
	ROLE_FUNCTION, /* a function's name, if no keyword's construct */
	ROLE_SUBJECT,
	ROLE_VALUE,
	ROLE_MAX
};

enum effect {
	EFFECT_CLAIMS = 1,	  /* known, though without an operation */
	EFFECT_NEEDS_WHERE = 2,	  /* an UPDATE or DELETE begins */
	EFFECT_HAS_WHERE = 4,	  /* a WHERE that says something */
	EFFECT_TRIVIAL_WHERE = 8, /* a WHERE that may always hold */
	EFFECT_READS_ONLY = 16,	  /* what follows is planned, not run … */
	EFFECT_EXECUTES = 32,	  /* … unless this is there, too */
};

struct class_rule {
	const char *name;
	struct pattern *pattern; /* NULL: always */
	struct need need;	 /* of a clause, for it to matter */
	uint64_t operations, traits;
	unsigned effects;
	bool each, more, root;
	bool begins, goes_on; /* only where a query begins, or not */
	struct text subject;
	unsigned char roles[PATTERN_GROUPS_MAX + 1];
};

struct class_rules {
	struct words *words;
	struct pattern *query, *inner, *clause;
	size_t query_group; /* of inner */
	struct class_rule *rules;
	size_t rule_count;
	const struct word *otherwise; /* the entry of "*" */
	struct arena *arena;	      /* names, texts and rules live here */
};

/* Compile both files. ERR_INVALID with a message "file:line:column: …";
 * ERR_MEMORY. Whatever it returns, class_rules_free() what is in `out`. */
enum err class_rules_load(const char *classes_file, struct text classes_yaml,
    const char *functions_file, struct text functions_yaml,
    struct arena *messages, struct class_rules *out,
    const char **message_out) MUST_CHECK;

void class_rules_free(struct class_rules *r);

#endif
