/*
 * record.h - the audit records master itself writes.
 *
 * A sink that does not take them is logged; after a failure master leaves it
 * alone for a moment, so that a burst of deaths cannot hold it up.
 */
#ifndef SALLYPORT_RECORD_H
#define SALLYPORT_RECORD_H

#include "master/master.h"

void record_start(struct master *m);
void record_stop(struct master *m, const char *reason);

/* `reason`: the errors of a refused policy, a line each; NULL when loaded. */
void record_policy(struct master *m, const char *reason);

/* What the dead worker's slot last said; `how` it died. */
void record_worker_died(
    struct master *m, const struct slot *last, const char *how);

#endif
