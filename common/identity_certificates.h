/*
 * identity_certificates.h - `certificate:` of people and agents.
 */
#ifndef SALLYPORT_IDENTITY_CERTIFICATES_H
#define SALLYPORT_IDENTITY_CERTIFICATES_H

#include "common/identity.h"
#include "common/schema.h"

/* Spell all entries as certificate_name.h says, complain about what is no
 * name, and about a name that proves two. `people` and `agents`: the maps
 * that `ids` was read from, or NULL. */
void identity_certificates_check(struct reading *r, const struct node *people,
    const struct node *agents, struct identities *ids);

#endif
