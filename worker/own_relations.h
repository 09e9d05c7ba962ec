/*
 * own_relations.h - what statements do to the list of relations that the
 * session has made itself (common/own.h), and what follows from the list.
 */
#ifndef SALLYPORT_OWN_RELATIONS_H
#define SALLYPORT_OWN_RELATIONS_H

#include "worker/gate.h"

/* What a statement with this touch, its traits settled, does to the list. */
void own_effect_of(struct gate *g, const struct statement *s,
    const struct touch *t, struct own_effect *out);

/* May the users' code that it calls make names mean something else? Asked for
 * those that see masks: others have no use for it. */
bool own_may_redefine(
    struct gate *g, const struct statement *s, const struct touch *t);

/* The catalogue was read again: relations may be others since. */
void own_read_again(struct gate *g, uint64_t reading);

/* Does the ruling change the schema in a way that nobody followed? */
bool own_is_doubted(const struct ruling *j);

/* The ruling's statements are about to run; they have all succeeded. */
void own_admitted(struct gate *g, const struct ruling *j);
void own_succeeded(struct gate *g, const struct ruling *j);

/* What is the session's own temporary relations' affair alone has that trait,
 * as if its text said so. */
void own_note_temporary(struct gate *g, struct statement *s);

/* Is the column, whose relation the catalogue doesn't know, of one on the
 * list? `is_fresh`: it was read just now, or a moment ago. */
bool own_is_output(struct gate *g, const struct ruling *j,
    const struct origin *origin, bool is_fresh);

#endif
