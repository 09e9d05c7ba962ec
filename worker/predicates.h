/*
 * predicates.h - would a statement let a client guess at what it may not read?
 */
#ifndef SALLYPORT_PREDICATES_H
#define SALLYPORT_PREDICATES_H

#include "common/classify.h"
#include "common/protection.h"

/* Why the `predicates` of what it touches don't let the statement use
 * protected columns as it does; len 0: they do. In the arena. */
struct text predicates_refusal(
    const struct statement *s, const struct touch *t, struct arena *a);

#endif
