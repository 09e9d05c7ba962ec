/*
 * mask.h - turning a sensitive value into one that may leave.
 *
 * A mask yields a valid value of the column's type in the wire format asked
 * for, or NULL when the type cannot express it.  Never the original, never a
 * value the client's decoder chokes on.
 */
#ifndef SALLYPORT_MASK_H
#define SALLYPORT_MASK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/text.h"

enum mask {
	MASK_NONE,
	MASK_REDACT,	/* text: [redacted]; other types: NULL */
	MASK_NULL,
	MASK_EMAIL,	/* a***@example.com keeps first letter and domain;
			 * what is not one address: as redact */
	MASK_LAST4,	/* all letters and digits but the last four become * */
	MASK_PSEUDONYM, /* keyed; keeps length and character classes */
	MASK_HASH,	/* keyed, hex, 16 digits */
	MASK_YEAR,	/* dates: January 1st of the same year */
	MASK_ROUND,	/* numbers: to two significant digits */
	MASK_MAX
};

enum { MASK_KEY_LEN = 32 };

const char *mask_name(enum mask m);
enum mask mask_by_name(struct text word); /* MASK_MAX: no such mask */
const char *const *mask_words(size_t *count_out);

/* How wire bytes spell values: PostgreSQL's types by OID. */
struct mask_type {
	uint32_t oid;	/* of the base type; 0: unknown, becomes NULL */
	bool is_binary; /* the wire format */
};

struct masked {
	bool is_null;
	struct text value; /* in the arena, or static */
};

/* Mask one non-null value. `key` has MASK_KEY_LEN bytes. Any failure is
 * is_null, never the original. */
void mask_value(enum mask m, struct mask_type type, const uint8_t *key,
    struct text value, struct arena *a, struct masked *out);

/* The mask that keeps what both keep, when several protections claim a column:
 * null before redact before the others; two of the others that differ give
 * redact.  The order of rules doesn't matter. */
enum mask mask_stricter(enum mask a, enum mask b);

/* Mask only value[at, at + len): a part that a detector found. Types that are
 * text keep the rest (json and jsonb stay valid JSON); in any other type, and
 * where the part cannot be masked alone, the value becomes NULL. */
struct mask_part {
	size_t at, len;
	enum mask mask;
};
/* All parts of one value: in order, not overlapping. */
void mask_parts(struct mask_type type, const uint8_t *key, struct text value,
    const struct mask_part *parts, size_t count, struct arena *a,
    struct masked *out);

/* Is it a type whose values a detector can look into: text, varchar, bpchar,
 * name, json, jsonb, xml and the like, arrays and rows of them, and every
 * type of users and extensions (citext, hstore, enums …)? In binary format
 * too: text inside is always spelled out. */
bool mask_type_is_textual(uint32_t oid);

#endif
