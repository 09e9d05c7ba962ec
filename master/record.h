/*
 * record.h - the audit records master itself writes.
 *
 * A sink that does not take them is logged; after a failure master leaves it
 * alone for a moment, so that neither a burst of deaths nor a sink that is
 * stuck can hold up supervision.
 */
#ifndef SALLYPORT_RECORD_H
#define SALLYPORT_RECORD_H

#include "master/master.h"

/* A way to the sink, new or anew. ERR_MEMORY leaves the old one. */
enum err record_open(struct master *m) MUST_CHECK;

void record_start(struct master *m);
void record_stop(struct master *m, const char *reason);

/* `reason`: the errors of a refused policy, a line each; NULL when loaded. */
void record_policy(struct master *m, const char *reason);

/* An operator's command, in its own child: begin its one record, of a decision
 * about this session; then as audit_begin(). If there are chains, it is one by
 * itself, and the child's m->broker gives its key. */
struct json *record_command(
    struct master *m, const char *event, struct text session);

/* What the dead worker's slot last said; `how` it died. */
void record_worker_died(
    struct master *m, const struct slot *last, const char *how);

#endif
