/*
 * brought.h - code that a client brings along: what it may not do.
 */
#ifndef SALLYPORT_BROUGHT_H
#define SALLYPORT_BROUGHT_H

#include "worker/gate.h"

/* Why this statement is refused because of the code in it, or because of what
 * the transaction, or an earlier statement of its text, has made; len 0: it is
 * not. */
struct text brought_refusal(const struct gate *g, const struct statement *s,
    const struct touch *t, enum makes made);

#endif
