/*
 * text.h - a piece of text with a length, and what is often asked of one.
 *
 * A struct text borrows: it never owns its bytes, need not end in NUL and
 * lives no longer than what it points into.
 */
#ifndef SALLYPORT_TEXT_H
#define SALLYPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	const char *at;
	size_t len;
};

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

/* The text of a NUL-terminated string of our own (never one received). */
static inline struct text
text_of(const char *string)
{
	return (struct text){string, string == NULL ? 0 : strlen(string)};
}

/* Most texts that are compared differ in their length or their first byte. */
static inline bool
text_is(struct text a, struct text b)
{
	return a.len == b.len &&
	    (a.len == 0 ||
		(a.at[0] == b.at[0] && memcmp(a.at, b.at, a.len) == 0));
}

/* As text_is(), ASCII letters of either case alike. */
bool text_is_folded(struct text a, struct text b);

bool text_starts(struct text whole, struct text start);

/* Shell-like glob over the whole text: `*` any run, `?` any one byte, no
 * classes, no escapes.  Linear in practice: at most one `*` is backtracked. */
bool text_glob(struct text pattern, struct text whole);

/* For tables, never for secrets: every bit hangs on all of the text, and the
 * top ones are as good as any. Another machine's may differ. */
uint64_t text_hash(struct text t);

/* FNV-1a, 64 bits: the same everywhere and always. Slower. */
uint64_t text_fingerprint(struct text t);

/* Edit distance (insert, delete, replace, swap of neighbours), capped at
 * `most` + 1; texts over 63 bytes count as most + 1. For "did you mean". */
unsigned text_distance(struct text a, struct text b, unsigned most);

/* The nearest of `count` names within a distance a person would call a slip
 * (a third of its length, at least 1), or NULL. */
const char *text_suggest(
    struct text wrong, const char *const *names, size_t count);

/* Is it valid UTF-8 (RFC 3629: shortest form, no surrogates)? */
bool text_is_utf8(struct text t);
bool text_is_ascii(struct text t);

#endif
