/*
 * codec.h - structs to bytes and back, as one table says.
 *
 * For what Sallyport keeps for itself (the published policy, the catalogue).
 * Both directions walk the same table, so they cannot drift apart.  Reading
 * trusts nothing: every number has a ceiling, every list is bounded by the
 * bytes that are left before anything is allocated, and the bytes must be
 * eaten whole.
 */
#ifndef SALLYPORT_CODEC_H
#define SALLYPORT_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/wire.h"

enum {
	CODEC_DEPTH_MAX = 8,
	CODEC_LIST_MAX = 1000000, /* elements of one list */
};

enum part_type {
	PART_END, /* closes the table */
	PART_NUMBER, /* any integer, enum or bool of `size` bytes */
	PART_TEXT,   /* struct text */
	PART_STRUCT, /* a struct at the offset */
	PART_LIST,   /* a pointer, and a size_t count at count_offset */
	PART_OPTION, /* a pointer to one struct, or NULL */
};

struct shape;

struct part {
	enum part_type type;
	size_t offset, count_offset;
	size_t size;  /* of a number */
	uint64_t max; /* of a number; a larger one is damage */
	const struct shape *shape;
};

struct shape {
	size_t size; /* of the struct */
	const struct part *parts;
};

/* A list of struct text. */
extern const struct shape codec_text_shape;

/* Rows of a table: NUMBER(struct rule, line, UINT64_MAX), … */
#define CODEC_NUMBER(s, field, most)                                           \
	{                                                                      \
		.type = PART_NUMBER, .offset = offsetof(s, field),             \
		.size = sizeof(((s *)0)->field), .max = (most)                 \
	}
#define CODEC_TEXT(s, field)                                                   \
	{                                                                      \
		.type = PART_TEXT, .offset = offsetof(s, field)                \
	}
#define CODEC_STRUCT(s, field, its_shape)                                      \
	{                                                                      \
		.type = PART_STRUCT, .offset = offsetof(s, field),             \
		.shape = (its_shape)                                           \
	}
#define CODEC_LIST(s, field, count, its_shape)                                 \
	{                                                                      \
		.type = PART_LIST, .offset = offsetof(s, field),               \
		.count_offset = offsetof(s, count), .shape = (its_shape)       \
	}
#define CODEC_OPTION(s, field, its_shape)                                      \
	{                                                                      \
		.type = PART_OPTION, .offset = offsetof(s, field),             \
		.shape = (its_shape)                                           \
	}
#define CODEC_END                                                              \
	{                                                                      \
		.type = PART_END                                               \
	}

/* Append `in`, a struct of that shape. Failure is sticky in the buffer. */
void codec_write(
    struct buffer *b, const struct shape *shape, const void *in);

/* Read a struct of that shape into zeroed `out`. Lists go into the arena;
 * texts borrow from the bytes read. ERR_MALFORMED, ERR_MEMORY; what is left
 * over is the caller's to check with wire_end(). */
enum err codec_read(struct wire *w, const struct shape *shape,
    struct arena *a, void *out) MUST_CHECK;

#endif
