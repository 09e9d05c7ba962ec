/*
 * arena.c - bump allocation out of chained blocks.
 *
 * The rule: a block is zeroed when it is handed out, never read before.
 */
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"

enum {
	BLOCK_SIZE = 4096, /* the first; each is twice as large as the last … */
	BLOCK_SIZE_MAX = 16384, /* … up to this: what a reset may keep */
};

struct block {
	struct block *next;
	size_t size; /* usable bytes after the header */
	size_t used; /* always <= size */
	alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	size_t ceiling; /* 0: none */
	size_t used;
	struct block *first; /* the newest block, where allocation happens */
};

struct arena *
arena_new(size_t ceiling)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a != NULL)
		a->ceiling = ceiling;
	return a;
}

static struct block *
block_new(size_t size)
{
	struct block *b;

	if (size > SIZE_MAX - sizeof(*b))
		return NULL;
	b = malloc(sizeof(*b) + size);
	if (b == NULL)
		return NULL;
	b->next = NULL;
	b->size = size;
	b->used = 0;
	return b;
}

static struct block *
arena_block_for(struct arena *a, size_t size)
{
	struct block *b = a->first;
	size_t room = BLOCK_SIZE;

	if (b != NULL && b->size - b->used >= size)
		return b;
	if (b != NULL)
		room = b->size < BLOCK_SIZE_MAX / 2 ? b->size * 2
						    : BLOCK_SIZE_MAX;
	b = block_new(size > room ? size : room);
	if (b == NULL)
		return NULL;
	b->next = a->first;
	a->first = b;
	return b;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	const size_t step = alignof(max_align_t);
	struct block *b;
	void *at;

	if (size > SIZE_MAX - step)
		return NULL;
	size = size == 0 ? step : (size + step - 1) / step * step;
	if (a->ceiling != 0 &&
	    (a->used > a->ceiling || size > a->ceiling - a->used))
		return NULL;
	b = arena_block_for(a, size);
	if (b == NULL)
		return NULL;
	at = b->bytes + b->used;
	b->used += size;
	a->used += size;
	memset(at, 0, size);
	return at;
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		return NULL;
	return arena_alloc(a, count * size);
}

char *
arena_copy(struct arena *a, const void *bytes, size_t len)
{
	char *copy;

	if (len == SIZE_MAX)
		return NULL;
	copy = arena_alloc(a, len + 1);
	if (copy != NULL && len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

char *
arena_printf(struct arena *a, const char *format, ...)
{
	va_list list, again;
	char *text = NULL;
	int len;

	va_start(list, format);
	va_copy(again, list);
	len = vsnprintf(NULL, 0, format, list);
	if (len >= 0)
		text = arena_alloc(a, (size_t)len + 1);
	if (text != NULL)
		vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	va_end(list);
	return text;
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}

static void
arena_release(struct arena *a, struct block *keep)
{
	struct block *b, *next;

	for (b = a->first; b != NULL; b = next) {
		next = b->next;
		if (b != keep)
			free(b);
	}
	a->first = keep;
	a->used = 0;
	if (keep != NULL) {
		keep->next = NULL;
		keep->used = 0;
	}
}

void
arena_reset(struct arena *a)
{
	struct block *keep = a->first;

	/* never a large one from a passing large message */
	while (keep != NULL && keep->size > BLOCK_SIZE_MAX)
		keep = keep->next;
	arena_release(a, keep);
}

void
arena_wipe(struct arena *a)
{
	struct block *b;

	for (b = a->first; b != NULL; b = b->next)
		explicit_bzero(b->bytes, b->size);
	arena_reset(a);
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	arena_release(a, NULL);
	free(a);
}
