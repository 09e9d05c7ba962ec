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

/* The same but for one thing: started as root it can still change its root
 * directory, for spawn_confine(). */
void spawn_drop_for_now(const struct master *m);

/* Enter the sandbox of a role, or end. From then on a log that has died stays
 * so, unless somebody opens another one for it (log_set_opener()). */
void spawn_confine(const struct master *m, enum confinement role);

/* For audit_set_opener(): there is no other socket to be had. */
int spawn_open_nothing(void *context);

/* A worker for a free slot; the last slot's refuses politely. */
enum err spawn_worker(struct master *m, uint32_t slot) MUST_CHECK;

/* The broker in force; an older one lingers until its channels close. */
enum err spawn_broker(struct master *m) MUST_CHECK;

/* Those that run the errands of the broker in force; they end when it does. */
enum err spawn_porter(struct master *m) MUST_CHECK;
enum err spawn_verifier(struct master *m) MUST_CHECK;

/* For an operator's command, whose record is to be sealed: one end of a
 * channel to the broker; -1: there is none. */
int spawn_command_channel(struct master *m);

enum err spawn_catalog(struct master *m, uint32_t upstream) MUST_CHECK;

#endif
