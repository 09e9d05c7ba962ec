/*
 * refuse.h - the worker that answers when all others are busy.
 */
#ifndef SALLYPORT_REFUSE_H
#define SALLYPORT_REFUSE_H

#include <signal.h>

#include "common/ipc.h"

/* Tell client after client that there are too many, until told to stop.
 * `accepting` is readable when a listener is. No client waits for another:
 * one that says nothing is answered all the same after a second. */
void refuse_clients(struct birth *b, int accepting, const sigset_t *waiting);

#endif
