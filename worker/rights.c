/*
 * rights.c - what a session's identity may be now.
 *
 * The rule: rights that were taken away do not come back to a session.  It
 * ends, and whoever may come again logs in again.
 */
#include "worker/rights.h"

#include <stdio.h>

#include "common/identity_groups.h"

static bool
bar(struct gate *g, const char *why)
{
	snprintf(g->reason, sizeof(g->reason), "%s", why);
	g->is_barred = true;
	return false;
}

static void
show_groups(struct gate *g)
{
	size_t i;

	for (i = 0; i < g->who->group_count; i++)
		g->groups[i] = text_of(g->who->groups[i]);
	g->identity->groups = g->groups;
	g->identity->group_count = g->who->group_count;
}

/* The account at the database was chosen by who it was then, and cannot be
 * changed. */
static bool
keeps_login(const struct gate *g)
{
	return upstream_login_of(g->upstream, g->identity) == g->login;
}

bool
rights_renew(struct gate *g)
{
	const struct identities *ids = &g->policy->identities;
	const struct identity *id = g->identity;
	const struct person *p = identity_person(ids, id->user);
	const struct agent *a = identity_agent(ids, id->agent);

	if (g->is_barred)
		return false;
	if (g->who == NULL || (id->user.len == 0 && id->agent.len == 0))
		return bar(g, "nobody has said who this is");
	if (id->user.len > 0 && p == NULL)
		return bar(g, "this person is known no more");
	if (id->agent.len > 0 && a == NULL)
		return bar(g, "this agent is known no more");
	if (p != NULL
		? !identity_groups_renew(g->who, p->groups, p->group_count)
		: !identity_groups_renew(g->who, a->groups, a->group_count))
		return bar(g, "too many groups, or one with too long a name");
	show_groups(g);
	if (p != NULL && a != NULL &&
	    !identity_acts_for(a, p, id->groups, id->group_count))
		return bar(g, "the agent may not act for this person any more");
	if (!keeps_login(g))
		return bar(g, "this identity has another account at the "
			      "database now: connect again");
	return true;
}
