/*
 * mask_inner.h - what the mask_*.c files share; nobody else includes it.
 *
 * A masker handles one family of types.  It answers true with a value of the
 * type in `out` (in the arena, or static), false when the mask has no such
 * value or the bytes are not what the type's output looks like: the caller
 * then sends NULL.  No masker ever hands out its input.
 */
#ifndef SALLYPORT_MASK_INNER_H
#define SALLYPORT_MASK_INNER_H

#include "common/mask.h"

enum {
	MASK_VALUE_MAX = 1024 * 1024 * 1024, /* the server's own ceiling */
	MASK_KEYED_LEN = 32,		     /* SHA-256 */
	MASK_DIGITS_MAX = 19, /* a number of so many digits is permuted */
};

/* pg_type.dat of PostgreSQL: OIDs of built-in types never change. */
enum type_oid {
	TYPE_BOOL = 16,
	TYPE_BYTEA = 17,
	TYPE_CHAR = 18, /* "char", one byte */
	TYPE_NAME = 19,
	TYPE_INT8 = 20,
	TYPE_INT2 = 21,
	TYPE_INT4 = 23,
	TYPE_TEXT = 25,
	TYPE_OID = 26,
	TYPE_JSON = 114,
	TYPE_XML = 142,
	TYPE_CIDR = 650,
	TYPE_FLOAT4 = 700,
	TYPE_FLOAT8 = 701,
	TYPE_UNKNOWN = 705,
	TYPE_MACADDR8 = 774,
	TYPE_MONEY = 790,
	TYPE_MACADDR = 829,
	TYPE_INET = 869,
	TYPE_BPCHAR = 1042,
	TYPE_VARCHAR = 1043,
	TYPE_DATE = 1082,
	TYPE_TIME = 1083,
	TYPE_TIMESTAMP = 1114,
	TYPE_TIMESTAMPTZ = 1184,
	TYPE_INTERVAL = 1186,
	TYPE_TIMETZ = 1266,
	TYPE_NUMERIC = 1700,
	TYPE_REFCURSOR = 1790,
	TYPE_CSTRING = 2275,
	TYPE_UUID = 2950,
	TYPE_JSONB = 3802,
	TYPE_RECORD = 2249,
	/* From here on OIDs are given out as types are made: by initdb (the rows
	 * of system views), by extensions and users. */
	TYPE_MADE_FIRST = 10000,
};

struct mask_job {
	enum mask mask; /* never MASK_NONE or MASK_NULL, but with `visit` */
	struct mask_type type; /* oid: the base type's; shape: never NULL */
	const uint8_t *key;    /* MASK_KEY_LEN bytes; NULL with `visit` */
	struct text value;
	struct arena *arena;
	unsigned depth;	  /* of arrays and rows around it */
	mask_visit visit; /* not NULL: asked for innermost values */
	void *context;
};

bool mask_text(const struct mask_job *j, struct text *out);
bool mask_char(const struct mask_job *j, struct text *out);
bool mask_json(const struct mask_job *j, struct text *out);
bool mask_xml(const struct mask_job *j, struct text *out);
bool mask_integer(const struct mask_job *j, struct text *out);
bool mask_money(const struct mask_job *j, struct text *out);
bool mask_float(const struct mask_job *j, struct text *out);
bool mask_numeric(const struct mask_job *j, struct text *out);
bool mask_date(const struct mask_job *j, struct text *out);
bool mask_timestamp(const struct mask_job *j, struct text *out);
bool mask_time(const struct mask_job *j, struct text *out);
bool mask_uuid(const struct mask_job *j, struct text *out);
bool mask_bytea(const struct mask_job *j, struct text *out);
bool mask_inet(const struct mask_job *j, struct text *out);
bool mask_macaddr(const struct mask_job *j, struct text *out);
bool mask_array(const struct mask_job *j, struct text *out);
bool mask_row(const struct mask_job *j, struct text *out);
bool mask_range(const struct mask_job *j, struct text *out);
bool mask_multirange(const struct mask_job *j, struct text *out);

/* Mask one part of `j`'s value, itself of the given shape and not null. */
void mask_inner(const struct mask_job *j, const struct mask_shape *shape,
    struct text value, struct masked *out);

/* A copy of formatted text in the arena, as a text. */
bool mask_printf(const struct mask_job *j, struct text *out,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
bool mask_bytes(const struct mask_job *j, struct text *out,
    const uint8_t *bytes, size_t len);

/* Network byte order. */
uint64_t mask_get(const char *at, size_t bytes);
void mask_put(uint8_t *at, size_t bytes, uint64_t value);

/* --- numbers as decimal text (mask_number.c) ------------------------------
 * `digits` is text with a sign, digits and a point, and perhaps an exponent
 * from `end` on that stays as it is. */

/* Two significant digits, half away from zero, same number of digits after
 * the point; a carry may lengthen it by one. */
bool mask_round_decimal(
    const struct mask_job *j, struct text decimal, struct text *out);
/* Other digits in the same places, keyed; the first stays non-zero. The
 * number read without its point is kept within `most`. */
bool mask_pseudonym_decimal(const struct mask_job *j, struct text decimal,
    uint64_t most, struct text *out);

/* --- keyed randomness (mask_keyed.c) -------------------------------------- */

/* An endless stream of bytes that only the key's holder can foretell. */
struct keyed {
	uint8_t seed[MASK_KEYED_LEN];
	uint8_t block[MASK_KEYED_LEN];
	uint32_t counter;
	size_t used;
	bool has_failed; /* sticky: what was read is worthless */
};

/* Start the stream of this value for this purpose: a purpose is one short
 * word, so that equal values of different kinds have unrelated streams.
 * `attempt` gives another stream when the first will not do. */
void keyed_start(struct keyed *k, const uint8_t *key, const char *purpose,
    struct text value, unsigned attempt);
uint8_t keyed_byte(struct keyed *k);
/* An even choice of 0 … n-1; n > 0. */
uint32_t keyed_below(struct keyed *k, uint32_t n);

/* A keyed permutation of 0 … size-1 (size > 1): different numbers stay
 * different, so unique keys stay unique and joins join. */
struct permutation {
	uint64_t half[2]; /* the round function's key */
	uint64_t size;
	unsigned bits; /* of one half */
};
bool permutation_start(struct permutation *p, const uint8_t *key,
    uint64_t size, unsigned attempt);
uint64_t permutation_of(const struct permutation *p, uint64_t x);

#endif
