/*
 * snapshot.h - which policy and which catalogue reading are in force.
 *
 * A worker is born with the policy master had; an open session notices a new
 * generation at its next statement and loads it from the store itself.
 */
#ifndef SALLYPORT_SNAPSHOT_H
#define SALLYPORT_SNAPSHOT_H

#include "worker/gate.h"

/* Load what is in force if it is not what we have, and with it what the
 * identity may be (rights.h). False: nothing valid can be had, or the session
 * is barred; g->reason says why, and the caller denies. */
bool snapshot_is_current(struct gate *g);

/* Which reading of the catalogue counts. */
uint64_t snapshot_reading(const struct gate *g);

/* Ask the catalogue process to read the database again and wait for it.
 * False: no fresh reading (asked too recently, too slow, failed). */
bool snapshot_read_again(struct gate *g);

/* The session is going to change the schema. As long as that is not committed
 * no reading can show it.  When it is, every session waits for a fresh reading
 * before its next statement. `is_doubted`: nobody knows what it changes; until
 * then every output of a masked identity is redacted. An error: the others do
 * not know of it, so the change may not go on. */
enum err snapshot_schema_changed(struct gate *g, bool is_doubted) MUST_CHECK;
void snapshot_schema_settled(struct gate *g);

/* When somebody last changed the schema, clock_ns(); 0: never. */
int64_t snapshot_changed_at(const struct gate *g);
/* Has somebody changed the schema since the reading we have? */
bool snapshot_is_outdated(const struct gate *g);
/* Wait for the reading that shows it. What then cannot be believed is
 * noted in g->is_distrusted: every output of a masked identity is redacted. */
void snapshot_catch_up(struct gate *g);

/* Make g->protection for the policy and identity. */
enum err snapshot_protect(struct gate *g) MUST_CHECK;

/* A relation_resolver over the catalogue; context is the gate. */
size_t snapshot_resolve(void *context, struct text schema, struct text name,
    struct text *schemas_out, size_t max);

void snapshot_close(struct gate *g);

#endif
