/*
 * advise.h - what is allowed, and hardly meant: warnings about a configuration
 * that is in order otherwise.
 */
#ifndef SALLYPORT_ADVISE_H
#define SALLYPORT_ADVISE_H

#include "common/config.h"

/* Takes one line, without its end. */
typedef void (*advise_fn)(const char *line);

/* Listeners that others reach over the network in clear. */
void advise_listeners(const struct settings *s, advise_fn tell);

/* Who has no proof, and no token could be one: a single line. Those with a
 * `uid` are there to approve. */
void advise_proofs(
    const char *file, const struct identities *ids, advise_fn tell);

/* Executables that no process could prove to be, services that PAM does not
 * have; as far as the caller's account may see. */
void advise_places(
    const char *file, const struct identities *ids, advise_fn tell);

#endif
