/*
 * texts.h - statements to measure with: of any length, no two with the same
 * canonical text, all of them what PostgreSQL's parser takes.
 */
#ifndef SALLYPORT_BENCH_TEXTS_H
#define SALLYPORT_BENCH_TEXTS_H

#include <stddef.h>

#include "common/text.h"

enum shape {
	SHAPE_SELECT, /* joins, predicates, aggregates, subqueries */
	SHAPE_ORM,    /* every name quoted and qualified, columns listed */
	SHAPE_INSERT, /* rows of constants */
	SHAPE_MAX
};

struct texts {
	struct text *at; /* each with a NUL after it */
	size_t count;
};

extern const char *const shape_names[SHAPE_MAX];

/* `count` statements of about `bytes` bytes. `round` makes others of the same
 * canonical texts: only their constants differ. Ends the program when there
 * is no memory. Free with texts_free(). */
struct texts texts_make(
    enum shape shape, size_t bytes, size_t count, unsigned round);
void texts_free(struct texts *t);

#endif
