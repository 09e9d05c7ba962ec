/*
 * catalog_rows.h - what the readers of the catalogue's rows share.
 */
#ifndef SALLYPORT_POSTGRES_CATALOG_ROWS_H
#define SALLYPORT_POSTGRES_CATALOG_ROWS_H

#include "common/arena.h"
#include "common/err.h"
#include "common/text.h"

/* Room for one more item of `size` bytes in a list in the arena, which
 * doubles. ERR_TOO_LONG: `most` are there already. */
enum err rows_grow(struct arena *a, void **list, size_t count, size_t *room,
    size_t size, size_t most) MUST_CHECK;

/* A field of decimal digits, at most `most`. False: anything else. */
bool rows_number(struct text field, uint64_t most, uint32_t *out);

#endif
