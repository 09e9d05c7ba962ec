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

/* --- types ----------------------------------------------------------------
 * What a type is made of, as far as masking its values must know. */

enum mask_form {
	FORM_UNKNOWN, /* its values become NULL */
	FORM_SCALAR,
	FORM_ARRAY,	 /* parts: the element */
	FORM_ROW,	 /* parts: its columns, without the dropped ones */
	FORM_RECORD,	 /* an anonymous row; binary values name their types */
	FORM_RANGE,	 /* parts: the subtype */
	FORM_MULTIRANGE, /* parts: the subtype */
};

struct mask_job;
/* One family of types; see mask_inner.h. */
typedef bool (*masker)(const struct mask_job *j, struct text *out);

struct mask_shape {
	uint32_t oid;  /* what binary values call it; of a domain, its own */
	uint32_t base; /* under all domains; 0: not a built-in type */
	enum mask_form form;
	char delimiter; /* between elements, when it is in an array */
	masker mask;	/* NULL: no mask can express it */
	const struct mask_shape *parts;
	size_t count;
};

/* A built-in type's. Never NULL: what is not built in is of unknown form.
 * Static; constant time. */
const struct mask_shape *mask_shape_of(uint32_t oid);

/* A user's type made of `parts`, which must live as long. */
struct mask_shape mask_shape_made(enum mask_form form, uint32_t oid,
    const struct mask_shape *parts, size_t count);

/* How wire bytes spell values: PostgreSQL's types by OID. */
struct mask_type {
	uint32_t oid;	/* of the base type; 0: unknown, becomes NULL */
	bool is_binary; /* the wire format */
	/* What is known of a user's type; NULL: what its OID says. Borrowed. */
	const struct mask_shape *shape;
};

struct masked {
	bool is_null;
	struct text value; /* in the arena, or static */
};

/* Mask one non-null value. `key` has MASK_KEY_LEN bytes. Any failure is
 * is_null, never the original. In arrays and rows each element is masked by
 * its own type, and NULL where it cannot be; of ranges `year` and `round` mask
 * the bounds as long as they stay in order. */
void mask_value(enum mask m, struct mask_type type, const uint8_t *key,
    struct text value, struct arena *a, struct masked *out);

/* The mask that keeps what both keep, when several protections claim a column:
 * null before redact before the others; two of the others that differ give
 * redact.  The order of rules doesn't matter. */
enum mask mask_stricter(enum mask a, enum mask b);

/* For each innermost value of arrays and rows, and for inner arrays and rows
 * that cannot be taken apart, an answer that may be the value itself;
 * `context` is the caller's. */
typedef void (*mask_visit)(void *context, struct mask_type type,
    struct text value, struct arena *a, struct masked *out);

/* Put a value together again from what `visit` says of its parts, at all
 * depths. False, and NULL: it is no array or row whose type is known, or is
 * malformed. */
bool mask_each(struct mask_type type, struct text value, struct arena *a,
    mask_visit visit, void *context, struct masked *out);

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

/* Is it bytea or an array of it, whose bytes may spell a text? */
bool mask_type_is_bytes(uint32_t oid);
/* What a bytea value stands for, in the arena or borrowed; in bytea_output
 * `escape` its printable bytes stand as they are. False: malformed. */
bool mask_bytes_spelled(struct mask_type type, struct text value,
    struct arena *a, struct text *out);

#endif
