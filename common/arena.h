/*
 * arena.h - memory that lives and dies together.
 *
 * Sallyport has three lives: process, session, message.  Each has an arena; a
 * longer life never points into a shorter one.  There is no free of a single
 * allocation.  An arena has a ceiling, so that no input can grow it without
 * bound; past it every allocation fails with NULL, and so do all later ones
 * that do not fit.
 */
#ifndef SALLYPORT_ARENA_H
#define SALLYPORT_ARENA_H

#include <stddef.h>

struct arena;

/* A new empty arena that will hold at most `ceiling` bytes (0: unbounded).
 * NULL when out of memory.  The caller frees it with arena_free(). */
struct arena *arena_new(size_t ceiling);

/* `size` zeroed bytes aligned for any type, or NULL.  Lives until
 * arena_reset() or arena_free(). size 0 gives a valid unique pointer. */
void *arena_alloc(struct arena *a, size_t size)
    __attribute__((malloc, alloc_size(2)));

/* As arena_alloc() for an array; NULL on overflow of count * size. */
void *arena_array(struct arena *a, size_t count, size_t size);

/* A copy of `len` bytes with a NUL after them, or NULL. */
char *arena_copy(struct arena *a, const void *bytes, size_t len);

/* printf into the arena, or NULL. */
char *arena_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *a);

/* Forget everything; keeps one block for reuse. Pointers into it die. */
void arena_reset(struct arena *a);

/* As arena_reset(), overwriting the memory first: for secrets. */
void arena_wipe(struct arena *a);

/* Release the arena and all that it holds. NULL is fine. */
void arena_free(struct arena *a);

#endif
