/*
 * identity_groups.c - a session's identity and its groups.
 *
 * The rule: each group is there once, and none is left out quietly.
 */
#include "common/identity_groups.h"

#include <string.h>

_Static_assert(sizeof(((struct broker_identity *)0)->groups) ==
	(size_t)IDENTITY_GROUPS_MAX * SLOT_NAME_MAX, "room for all");
_Static_assert(IDENTITY_GROUPS_MAX <= 64, "`brought` has a bit for each");

/* Where it is now, or SIZE_MAX. */
static size_t
group_add(struct broker_identity *who, struct text group)
{
	size_t i;

	for (i = 0; i < who->group_count; i++) {
		if (text_is(group, text_of(who->groups[i])))
			return i;
	}
	if (i == IDENTITY_GROUPS_MAX || group.len >= sizeof(who->groups[i]))
		return SIZE_MAX;
	memcpy(who->groups[i], group.at, group.len);
	who->groups[i][group.len] = '\0';
	who->group_count++;
	return i;
}

bool
identity_groups_bring(struct broker_identity *who, struct text group)
{
	size_t i = group_add(who, group);

	if (i != SIZE_MAX)
		who->brought |= UINT64_C(1) << i;
	return i != SIZE_MAX;
}

bool
identity_groups_renew(
    struct broker_identity *who, const struct text *list, size_t count)
{
	char brought[IDENTITY_GROUPS_MAX][SLOT_NAME_MAX];
	size_t brought_count = 0, i;
	bool is_whole = true;

	for (i = 0; i < who->group_count; i++) {
		if ((who->brought >> i & 1) != 0)
			memcpy(brought[brought_count++], who->groups[i],
			    sizeof(brought[0]));
	}
	memset(who->groups, 0, sizeof(who->groups));
	who->group_count = 0;
	who->brought = 0;
	for (i = 0; i < count; i++)
		is_whole &= group_add(who, list[i]) != SIZE_MAX;
	for (i = 0; i < brought_count; i++)
		is_whole &= identity_groups_bring(who, text_of(brought[i]));
	return is_whole;
}

struct identity
identity_of_proof(const struct broker_identity *who, struct text *groups)
{
	uint32_t i;

	for (i = 0; i < who->group_count; i++)
		groups[i] = text_of(who->groups[i]);
	return (struct identity){.user = text_of(who->user),
	    .agent = text_of(who->agent),
	    .groups = groups,
	    .group_count = who->group_count,
	    .via = text_of(who->via),
	    .user_via = text_of(who->user_via),
	    .agent_via = text_of(who->agent_via),
	    .process = text_of(who->is_genuine ? who->executable : "")};
}
