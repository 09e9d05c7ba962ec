/*
 * worker.h - a process that serves one session and ends.
 */
#ifndef SALLYPORT_WORKER_H
#define SALLYPORT_WORKER_H

#include "common/ipc.h"

/* Wait for one client on any listener, serve it to its end, and return the
 * exit status. With b->refuses: answer client after client that there are
 * too many, until told to stop. */
int worker_main(struct birth *b);

#endif
