/*
 * identity_groups.h - a session's identity as it was proved, and its groups:
 * those that identities.yaml gives, and those that a token brought besides.
 */
#ifndef SALLYPORT_IDENTITY_GROUPS_H
#define SALLYPORT_IDENTITY_GROUPS_H

#include "common/broker_channel.h"
#include "common/identity.h"

/* The token brings this one; it stays, whatever identities.yaml comes to say.
 * False: no room, or a name that would have to be cut. */
bool identity_groups_bring(
    struct broker_identity *who, struct text group) MUST_CHECK;

/* From now on they are those of the list, and then those that the token
 * brought. False: likewise; they are then not to be used. */
bool identity_groups_renew(struct broker_identity *who,
    const struct text *list, size_t count) MUST_CHECK;

/* What was proved as the identity that policy knows, but for `client`. It
 * borrows from `who`, and `groups`, which has room for who->group_count. */
struct identity identity_of_proof(
    const struct broker_identity *who, struct text *groups);

#endif
