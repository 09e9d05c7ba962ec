/*
 * supervise.h - master's loop.
 */
#ifndef SALLYPORT_SUPERVISE_H
#define SALLYPORT_SUPERVISE_H

#include "master/master.h"

/* Load the policy, keep the children alive, obey signals, until told to
 * stop; the exit status. `m` is as start_open() left it. */
int supervise(struct master *m);

/* --- reap.c: what follows from a child's end ------------------------------ */

/* Bury every child that has ended. */
void reap_all(struct master *m);

/* Those that run errands for a broker that goes: they end with it, and are
 * missed no more. */
void helpers_retire(struct master *m);

/* Tell spares that have no client to end; sessions go on. */
void spares_retire(struct master *m);

/* --- drain.c: the way to the end ------------------------------------------ */

/* Stop taking clients; sessions have `seconds` to finish. */
void drain_begin(struct master *m, unsigned seconds);

/* One turn: when nobody is left, or time is up, is_finished gets true. */
void drain_step(struct master *m);

/* End and bury every child that is left, remove sockets. */
void drain_finish(struct master *m);

/* --- notify.c: to whoever started us -------------------------------------- */

/* One line of sd_notify(3)'s protocol to $NOTIFY_SOCKET, if there is one. */
void notify_manager(const char *state);

/* The daemon is up: let the process that started it end, leave its terminal.
 */
void notify_parent(struct master *m);

#endif
