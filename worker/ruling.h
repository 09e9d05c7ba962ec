/*
 * ruling.h - how the gate makes rulings and keeps them; nobody else does.
 */
#ifndef SALLYPORT_RULING_H
#define SALLYPORT_RULING_H

#include "worker/gate.h"

/* A denial, with one reference; NULL: out of memory. */
struct ruling *ruling_new(void) MUST_CHECK;

/* It has been judged: nothing is added to it from now on. */
void ruling_close(struct ruling *j);

/* The canonical text under which rulings for `sql` are kept; len 0: none are.
 * It lives in the gate's scratch. */
struct text ruling_key(struct gate *g, struct text sql);

/* One that is kept under it and current, with a reference for the caller, or
 * NULL. */
struct ruling *ruling_find(struct gate *g, struct text key);

/* Keep it, if it may be, in place of the oldest of its neighbours. */
void ruling_keep(struct gate *g, struct ruling *j);

#endif
