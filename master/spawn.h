/*
 * spawn.h - starting children, each with exactly what it may have.
 */
#ifndef SALLYPORT_SPAWN_H
#define SALLYPORT_SPAWN_H

#include "master/master.h"

/* Fork. In master: ERR_NONE and the child's row in `child_out`. In the child:
 * ERR_NONE and NULL; signals are back to their defaults (SIGHUP, SIGINT and
 * SIGPIPE ignored: a terminal's are master's business), master's private
 * descriptors are closed and `role` is its name.  It must end in _exit(). */
enum err spawn_fork(struct master *m, enum child_kind kind, uint32_t index,
    struct child **child_out) MUST_CHECK;

/* In a child: become the unprivileged account and give up the rest, or end.
 */
void spawn_drop(const struct master *m);

/* A worker for a free slot; the last slot's refuses politely. */
enum err spawn_worker(struct master *m, uint32_t slot) MUST_CHECK;

/* The broker in force; an older one lingers until its channels close. */
enum err spawn_broker(struct master *m) MUST_CHECK;

enum err spawn_catalog(struct master *m, uint32_t upstream) MUST_CHECK;

#endif
