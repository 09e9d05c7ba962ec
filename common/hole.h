/*
 * hole.h - a deliberate hole, in builds for one test only (`make hole`).
 *
 * There the one who sends text chooses system calls that the process makes,
 * as if he had taken it over.  In all other builds there is nothing here.
 */
#ifndef SALLYPORT_HOLE_H
#define SALLYPORT_HOLE_H

#include <stdbool.h>

#include "common/text.h"

#ifdef SALLYPORT_HOLE

enum { HAS_HOLE = 1 };

/* Do what a text that begins with the hole's mark says; log what came of it.
 * Syntax: tests/hole/hole.c. */
void hole_look(struct text t);

/* Was the daemon started with its walls left out, for comparison? */
bool hole_is_wide(void);

#else

enum { HAS_HOLE = 0 };

static inline void
hole_look(struct text t)
{
	(void)t;
}

static inline bool
hole_is_wide(void)
{
	return false;
}

#endif
#endif
