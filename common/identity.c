/*
 * identity.c - asking the identities: who has that name, who is that user.
 *
 * The rule: a name means one subject; who is not named does not exist.
 */
#include <stdio.h>
#include <string.h>

#include "common/identity.h"

const struct person *
identity_person(const struct identities *ids, struct text name)
{
	size_t i;

	for (i = 0; i < ids->person_count; i++) {
		if (text_is(ids->people[i].name, name))
			return &ids->people[i];
	}
	return NULL;
}

const struct agent *
identity_agent(const struct identities *ids, struct text name)
{
	size_t i;

	for (i = 0; i < ids->agent_count; i++) {
		if (text_is(ids->agents[i].name, name))
			return &ids->agents[i];
	}
	return NULL;
}

const struct person *
identity_uid_owner(const struct person *people, size_t count, uid_t uid)
{
	size_t i, k;

	for (i = 0; i < count; i++) {
		for (k = 0; k < people[i].uid_count; k++) {
			if (people[i].uids[k] == uid)
				return &people[i];
		}
	}
	return NULL;
}

const struct person *
identity_by_uid(const struct identities *ids, uid_t uid)
{
	return identity_uid_owner(ids->people, ids->person_count, uid);
}

enum err
identity_parts(const struct identities *ids, struct text login,
    const struct person **person_out, const struct agent **agent_out)
{
	const char *plus =
	    login.len == 0 ? NULL : memchr(login.at, '+', login.len);
	size_t len = plus == NULL ? 0 : (size_t)(plus - login.at);

	*person_out = NULL;
	*agent_out = NULL;
	if (plus == NULL) {
		*agent_out = identity_agent(ids, login);
		if (*agent_out == NULL)
			*person_out = identity_person(ids, login);
		return *agent_out == NULL && *person_out == NULL
			   ? ERR_NOT_FOUND
			   : ERR_NONE;
	}
	*person_out = identity_person(ids, (struct text){login.at, len});
	*agent_out = identity_agent(
	    ids, (struct text){plus + 1, login.len - len - 1});
	return *agent_out == NULL || *person_out == NULL ? ERR_NOT_FOUND
							 : ERR_NONE;
}

bool
identity_acts_for(const struct agent *a, const struct person *p,
    const struct text *groups, size_t group_count)
{
	struct identity person = {
	    .user = p->name, .groups = groups, .group_count = group_count};
	size_t i;

	for (i = 0; i < a->acts_for_count; i++) {
		if (who_matches(&a->acts_for[i], &person))
			return true;
	}
	return false;
}

const struct person *
identity_longest_acted_for(const struct identities *ids, const struct agent *a)
{
	const struct person *longest = NULL;
	size_t i;

	for (i = 0; i < ids->person_count; i++) {
		const struct person *p = &ids->people[i];

		if ((longest == NULL || p->name.len > longest->name.len) &&
		    identity_acts_for(a, p, p->groups, p->group_count))
			longest = p;
	}
	return longest;
}

void
identities_warn_of_names(
    const struct identities *ids, void (*warn)(const char *line))
{
	char line[4 * IDENTITY_NAME_MAX];
	size_t i;

	for (i = 0; i < ids->agent_count; i++) {
		const struct agent *a = &ids->agents[i];
		const struct person *p = identity_longest_acted_for(ids, a);

		if (p == NULL ||
		    p->name.len + 1 + a->name.len <= IDENTITY_SHOWN_MAX)
			continue;
		snprintf(line, sizeof(line),
		    "%.*s+%.*s is longer than %d bytes: the database cuts it "
		    "in application_name",
		    (int)p->name.len, p->name.at, (int)a->name.len, a->name.at,
		    IDENTITY_SHOWN_MAX);
		warn(line);
	}
}

enum err
identity_resolve(
    const struct identities *ids, struct text login, struct identity *out)
{
	const struct person *p;
	const struct agent *a;
	enum err e = identity_parts(ids, login, &p, &a);

	memset(out, 0, sizeof(*out));
	if (e != ERR_NONE)
		return e;
	if (p != NULL && a != NULL &&
	    !identity_acts_for(a, p, p->groups, p->group_count))
		return ERR_REFUSED;
	out->user = p != NULL ? p->name : out->user;
	out->agent = a != NULL ? a->name : out->agent;
	out->groups = p != NULL ? p->groups : a->groups;
	out->group_count = p != NULL ? p->group_count : a->group_count;
	return ERR_NONE;
}
