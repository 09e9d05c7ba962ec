/*
 * wire.c - the sticky-error reader and the growing buffer.
 *
 * The rule: nothing here trusts a length before it was compared with what is
 * left, as `n > left`, which cannot overflow.
 */
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"

struct text
wire_cstring(struct wire *w)
{
	const uint8_t *nul =
	    w->bad || w->left == 0 ? NULL : memchr(w->at, 0, w->left);
	struct text t;

	if (nul == NULL) {
		w->bad = true;
		w->left = 0;
		return (struct text){"", 0};
	}
	t = wire_bytes(w, (size_t)(nul - w->at));
	wire_take(w, 1);
	return t;
}

struct text
wire_rest(struct wire *w)
{
	return wire_bytes(w, w->left);
}

enum err
wire_end(const struct wire *w)
{
	return w->bad || w->left > 0 ? ERR_MALFORMED : ERR_NONE;
}

void
buffer_free(struct buffer *b)
{
	free(b->bytes);
	*b = (struct buffer){.ceiling = b->ceiling};
}

void
buffer_clear(struct buffer *b, size_t keep)
{
	b->len = 0;
	b->failed = false;
	if (b->size > keep)
		buffer_free(b);
}

bool
buffer_reserve(struct buffer *b, size_t n)
{
	size_t most = b->ceiling == 0 ? SIZE_MAX / 2 : b->ceiling, size;
	uint8_t *bytes;

	if (b->failed || b->len > most || n > most - b->len) {
		b->failed = true;
		return false;
	}
	if (n <= b->size - b->len)
		return true;
	size = b->size < 256 ? 256 : b->size;
	while (size - b->len < n)
		size = size > most / 2 ? most : size * 2;
	bytes = realloc(b->bytes, size);
	if (bytes == NULL) {
		b->failed = true;
		return false;
	}
	b->bytes = bytes;
	b->size = size;
	return true;
}

void
buffer_put(struct buffer *b, const void *bytes, size_t n)
{
	if (n == 0 || !buffer_reserve(b, n))
		return;
	memcpy(b->bytes + b->len, bytes, n);
	b->len += n;
}

void
buffer_put_text(struct buffer *b, struct text t)
{
	buffer_put(b, t.at, t.len);
}

void
buffer_put_cstring(struct buffer *b, struct text t)
{
	buffer_put(b, t.at, t.len);
	buffer_put_u8(b, 0);
}

void
buffer_put_u8(struct buffer *b, uint8_t v)
{
	buffer_put(b, &v, 1);
}

void
buffer_put_u16(struct buffer *b, uint16_t v)
{
	uint8_t bytes[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	buffer_put(b, bytes, sizeof(bytes));
}

void
buffer_put_u32(struct buffer *b, uint32_t v)
{
	uint8_t bytes[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16),
	    (uint8_t)(v >> 8), (uint8_t)v};

	buffer_put(b, bytes, sizeof(bytes));
}

void
buffer_set_u32(struct buffer *b, size_t at, uint32_t v)
{
	if (b->failed || b->len < 4 || at > b->len - 4)
		return;
	b->bytes[at] = (uint8_t)(v >> 24);
	b->bytes[at + 1] = (uint8_t)(v >> 16);
	b->bytes[at + 2] = (uint8_t)(v >> 8);
	b->bytes[at + 3] = (uint8_t)v;
}

void
buffer_cut(struct buffer *b, size_t len)
{
	if (len < b->len)
		b->len = len;
}

void
buffer_drop(struct buffer *b, size_t n)
{
	if (n >= b->len) {
		b->len = 0;
		return;
	}
	memmove(b->bytes, b->bytes + n, b->len - n);
	b->len -= n;
}
