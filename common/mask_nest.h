/*
 * mask_nest.h - reading and writing values made of values.
 *
 * Text nests by quoting: a part with marks in it stands in double quotes, and
 * what is inside is escaped once for each level around it.  The rule of all
 * readers: only what the server's output functions write is understood; the
 * rest is malformed, and the whole value becomes NULL.
 */
#ifndef SALLYPORT_MASK_NEST_H
#define SALLYPORT_MASK_NEST_H

#include "common/mask_inner.h"
#include "common/wire.h"

enum {
	NEST_DEPTH_MAX = 32, /* values in values: the stack is not endless */
	ARRAY_DIMENSIONS_MAX = 6, /* MAXDIM of the server's utils/array.h */
	ROW_COLUMNS_MAX = 1664,	  /* MaxTupleAttributeNumber */
};

/* --- a place in text ------------------------------------------------------ */

struct nest_cursor {
	struct text text;
	size_t at; /* never past text.len */
};

/* The next byte is `c`: step over it. */
bool nest_has(struct nest_cursor *c, char c_wanted);

/* How one kind of value quotes its parts. */
struct nest_quoting {
	const char *marks; /* what makes quotes necessary, besides spaces */
	char escape;	   /* before " inside: \ or another " */
	bool has_null;	   /* the word NULL is a null, so it must be quoted */
};

/* One part: quoted (unescaped into the arena) or as it stands. A part without
 * quotes may be empty. False: malformed, or no memory. */
struct nest_part {
	struct text value;
	bool is_quoted;
};
bool nest_read(struct nest_cursor *c, const struct nest_quoting *q,
    struct arena *a, struct nest_part *out);

/* --- what is written ------------------------------------------------------ */

/* Bytes in the arena that double when they are full. */
struct nest_builder {
	struct arena *arena;
	char *at;
	size_t len, room;
	bool has_failed; /* sticky: out of memory */
};

void nest_put(struct nest_builder *b, struct text bytes);
void nest_put_char(struct nest_builder *b, char c);
void nest_put_u32(struct nest_builder *b, uint32_t number);
/* A part, in quotes where they are needed. */
void nest_put_part(struct nest_builder *b, const struct nest_quoting *q,
    struct text part);
/* A binary part: its length and its bytes; or -1. */
void nest_put_masked(struct nest_builder *b, const struct masked *m);
/* All of it. False: it failed. */
bool nest_done(const struct nest_builder *b, struct text *out);

/* A binary part: its length, then so many bytes. False: it is null, or there
 * are not so many (then the wire is bad). */
bool nest_read_binary(struct wire *w, struct text *out);

#endif
