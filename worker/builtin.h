/*
 * builtin.h - what holds whatever the policy says.
 */
#ifndef SALLYPORT_BUILTIN_H
#define SALLYPORT_BUILTIN_H

#include "worker/gate.h"

/* Add the traits that only the catalogue can tell, and what set_config()
 * does. */
void builtin_traits(struct gate *g, struct statement *s,
    const struct touch *t, struct arena *a);

/* Why this statement is refused under any policy; len 0: it is not. `made` is
 * what the transaction has made before it. */
struct text builtin_refusal(struct gate *g, const struct statement *s,
    const struct touch *t, enum makes made, struct arena *a);

/* Can it change nothing that decides about later statements (settings, names
 * of prepared statements and cursors, the schema, code)? */
bool builtin_is_plain(const struct statement *s);
/* May it change a setting of the session? */
bool builtin_may_set(const struct statement *s, const struct touch *t);

/* May it run users' code, or server code that can reach anything, whose doings
 * nobody has followed? */
bool builtin_runs_hidden(
    const struct gate *g, const struct statement *s, const struct touch *t);

/* May outputs without an origin carry protected values? */
bool builtin_may_carry(
    const struct gate *g, const struct statement *s, const struct touch *t);

#endif
