/*
 * regex.h - PCRE2 patterns that cannot run away.
 *
 * The only way to a regular expression in Sallyport.  A pattern is compiled
 * once (JIT where the system allows it, else PCRE2's interpreter) and matched
 * under ceilings on time, depth and memory.  Running into a ceiling is
 * ERR_REGEX and never "no match": whoever asked must refuse.
 *
 * Patterns and subjects are bytes, not characters: (*UTF) is refused, so no
 * subject can be an error for its encoding.  `$` is only the very end.
 */
#ifndef SALLYPORT_REGEX_H
#define SALLYPORT_REGEX_H

#include "common/arena.h"
#include "common/err.h"
#include "common/text.h"

enum {
	PATTERN_LEN_MAX = 16 * 1024, /* bytes of a pattern's text */
	PATTERN_GROUPS_MAX = 15,     /* capturing groups */
	/* PCRE2's internal match() calls, or what its JIT counts as such;
	 * counted anew from each place where a match may begin */
	PATTERN_MATCH_LIMIT = 1000000,
	PATTERN_DEPTH_LIMIT = 10000,   /* nested backtracking points */
	PATTERN_HEAP_LIMIT = 8 * 1024, /* KiB */
	PATTERN_STACK_MAX = 512 * 1024, /* bytes of JIT stack */
};

struct pattern; /* compiled; not for two threads at once */

/* From now on patterns are interpreted, with the same results under the same
 * ceilings, in place of being compiled to machine code: a confined process
 * cannot make any. Those that are there stay as they are. */
void pattern_interpret(void);

/* Compile. ERR_INVALID with a message "… at offset N" in `messages`'s arena
 * (static text when even that is full); ERR_MEMORY. A pattern's groups may
 * share names. The caller frees with pattern_free(). */
enum err pattern_new(struct text source, struct arena *messages,
    struct pattern **out, const char **message_out) MUST_CHECK;
void pattern_free(struct pattern *p); /* NULL is fine */

/* Does it match anywhere in the subject? ERR_REGEX: nobody knows. */
enum err pattern_matches(const struct pattern *p, struct text subject,
    bool *matches_out) MUST_CHECK;

/* One match: what each group caught. at NULL: the group took no part. */
struct match {
	struct text groups[PATTERN_GROUPS_MAX + 1]; /* 0: all of it */
};

/* The first match at or after `from`; look-behinds see what is before it.
 * The groups borrow from the subject. */
enum err pattern_find(const struct pattern *p, struct text subject,
    size_t from, struct match *match_out, bool *found_out) MUST_CHECK;

/* How many groups, and the name of each (1..count; NULL: it has none). The
 * name lives as long as the pattern. */
size_t pattern_group_count(const struct pattern *p);
const char *pattern_group_name(const struct pattern *p, size_t group);

#endif
