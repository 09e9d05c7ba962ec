/*
 * wire.h - reading and writing binary messages in network byte order.
 *
 * The only place where Sallyport does pointer arithmetic on bytes from
 * outside.  A reader's error is sticky: consuming is the check, so a parser
 * reads all that it needs and asks once, with wire_end(), whether everything
 * was there and the message was eaten whole.  After an error every read
 * gives zero or an empty text.
 */
#ifndef SALLYPORT_WIRE_H
#define SALLYPORT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/text.h"

struct wire {
	const uint8_t *at;
	size_t left;
	bool bad; /* sticky */
};

static inline struct wire
wire_of(const void *bytes, size_t len)
{
	return (struct wire){bytes, len, false};
}

/* The next `n` bytes, consumed; NULL, and bad, when they are not there. */
static inline const uint8_t *
wire_take(struct wire *w, size_t n)
{
	const uint8_t *at = w->at;

	if (w->bad || n > w->left) {
		w->bad = true;
		w->left = 0;
		return NULL;
	}
	w->at += n;
	w->left -= n;
	return at;
}

static inline uint8_t
wire_u8(struct wire *w)
{
	const uint8_t *p = wire_take(w, 1);

	return p == NULL ? 0 : p[0];
}

static inline uint16_t
wire_u16(struct wire *w)
{
	const uint8_t *p = wire_take(w, 2);

	return p == NULL ? 0 : (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t
wire_u32(struct wire *w)
{
	const uint8_t *p = wire_take(w, 4);

	if (p == NULL)
		return 0;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static inline int32_t
wire_i32(struct wire *w)
{
	return (int32_t)wire_u32(w);
}

static inline int16_t
wire_i16(struct wire *w)
{
	return (int16_t)wire_u16(w);
}

/* `n` bytes, borrowed. */
static inline struct text
wire_bytes(struct wire *w, size_t n)
{
	const uint8_t *p = wire_take(w, n);

	return p == NULL ? (struct text){"", 0}
			 : (struct text){(const char *)p, n};
}

/* What was consumed since `then`, an earlier copy of this reader. */
static inline struct text
wire_since(const struct wire *w, const struct wire *then)
{
	return (struct text){
	    (const char *)then->at, w->bad ? 0 : then->left - w->left};
}

/* Up to the next NUL, which is eaten but not counted. Bad if there is none. */
struct text wire_cstring(struct wire *w);
/* All that is left. */
struct text wire_rest(struct wire *w);
/* Nothing went wrong and nothing is left: ERR_NONE, else ERR_MALFORMED. */
enum err wire_end(const struct wire *w) MUST_CHECK;

/* A growing byte buffer with a ceiling; its failure is sticky too. */
struct buffer {
	uint8_t *bytes;
	size_t len, size;
	size_t ceiling; /* 0: none. Never grows past it */
	bool failed;	/* sticky: out of memory or over the ceiling */
};

void buffer_free(struct buffer *b);
/* Forget the content, keep at most `keep` bytes of memory. */
void buffer_clear(struct buffer *b, size_t keep);
/* Room for `n` more bytes at bytes + len; false (and failed) if not. */
bool buffer_reserve(struct buffer *b, size_t n);
void buffer_put(struct buffer *b, const void *bytes, size_t n);
void buffer_put_text(struct buffer *b, struct text t);
void buffer_put_cstring(struct buffer *b, struct text t); /* with a NUL */
void buffer_put_u8(struct buffer *b, uint8_t v);
void buffer_put_u16(struct buffer *b, uint16_t v);
void buffer_put_u32(struct buffer *b, uint32_t v);
/* Overwrite four bytes already there: for lengths known afterwards. */
void buffer_set_u32(struct buffer *b, size_t at, uint32_t v);
/* Drop `n` bytes from the front (moves the rest). */
void buffer_drop(struct buffer *b, size_t n);
/* Forget what was put since it had `len` bytes. */
void buffer_cut(struct buffer *b, size_t len);

#endif
