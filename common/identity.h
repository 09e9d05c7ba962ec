/*
 * identity.h - who is asking: people, agents, who may act for whom.
 *
 * identities.yaml is read by identities_load() (see config.h for how errors
 * are reported).  Verifiers (passwords) are held only by the broker: the
 * published form has none.
 */
#ifndef SALLYPORT_IDENTITY_H
#define SALLYPORT_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/text.h"
#include "common/token_issuer.h"

enum {
	IDENTITY_NAME_MAX = 63,	  /* bytes of a user's or agent's name */
	IDENTITY_GROUPS_MAX = 64, /* groups of one person */
	IDENTITY_SHOWN_MAX = 63,  /* bytes of "alice+copilot" that a database
				   * keeps: PostgreSQL cuts the rest */
};

/* The identity of a session: what policy decides on and audit records. */
struct identity {
	struct text user;  /* len 0: none (an agent alone) */
	struct text agent; /* len 0: none (the person is at the keyboard) */
	const struct text *groups; /* the user's; or, for an agent alone, its */
	size_t group_count;
	/* how it was proved: one word, or two with a + between
	 * ("certificate+token"), and how each part was; "agent" for a person
	 * of whom the agent may speak */
	struct text via, user_via, agent_via;
	/* the executable at the other end, where the kernel attests it */
	struct text process;
	/* "127.0.0.1:54321", "[::1]:54321" or "unix"; `from` reads it */
	struct text client;
};

/* Who may do something: who of a rule, clear_for, acts_for, approve.by. Every
 * given part must match; a list means any of; an absent part always does. */
struct who {
	struct text *user, *agent, *group, *via, *from, *process;
	size_t user_count, agent_count, group_count, via_count, from_count,
	    process_count;
	/* "none" in the YAML: matches where that part is absent */
	bool user_none, agent_none;
};

struct person {
	struct text name;
	struct text *groups;
	size_t group_count;
	/* Proofs: each that is given must be brought. None: a token only. */
	struct text password; /* SCRAM verifier; only in the broker */
	const char *pam;      /* a service of PAM; NULL */
	struct text *certificates; /* any of: "uri:…", "dns:…", … */
	size_t certificate_count;
	uid_t *uids; /* operating system users that are this person, for the
		      * operator's command; no proof to a listener */
	size_t uid_count;
};

struct agent {
	struct text name;
	struct text *groups; /* as a subject of its own, without a person */
	size_t group_count;
	/* Proofs: each that is given must be brought. None: a token only. */
	struct text password;
	const char *pam;
	struct text *certificates;
	size_t certificate_count;
	struct text executable, sha256; /* of its process */
	uid_t *uids;			/* any of */
	size_t uid_count;
	bool needs_person; /* whom it acts for must prove that, too */
	struct who *acts_for; /* any of; none: acts for nobody */
	size_t acts_for_count;
};

struct identities {
	struct person *people;
	size_t person_count;
	struct agent *agents;
	size_t agent_count;
	struct token_issuer *issuers; /* only in the verifier's hands */
	size_t issuer_count;
};

/* The person or agent of that name, or NULL. */
const struct person *identity_person(
    const struct identities *ids, struct text name);
const struct agent *identity_agent(
    const struct identities *ids, struct text name);

/* The login `alice`, `copilot` or `alice+copilot` taken apart: a known person,
 * a known agent, or both (NULL: not named). ERR_NOT_FOUND. */
enum err identity_parts(const struct identities *ids, struct text login,
    const struct person **person_out, const struct agent **agent_out)
    MUST_CHECK;

/* May the agent act for a person with these groups? */
bool identity_acts_for(const struct agent *a, const struct person *p,
    const struct text *groups, size_t group_count);

/* The person with the longest name for whom the agent may act by the groups
 * in `ids`; NULL: nobody. */
const struct person *identity_longest_acted_for(
    const struct identities *ids, const struct agent *a);

/* Tell of each agent whose name does not fit behind such a person's into what
 * a database keeps of an application_name: two would look alike there. */
void identities_warn_of_names(
    const struct identities *ids, void (*warn)(const char *line));

/* The same login resolved, with the agent allowed to act for the person, for
 * examples and explain. ERR_NOT_FOUND, or ERR_REFUSED when the agent may not
 * act for that person. Names in `out` borrow from `ids`; how it is proved and
 * the client are left empty. */
enum err identity_resolve(const struct identities *ids, struct text login,
    struct identity *out) MUST_CHECK;

/* Does `who` describe this identity? NULL or empty `who` describes all. */
bool who_matches(const struct who *who, const struct identity *id);

/* The person an operating system user is, by `uids`; NULL: nobody. Asks
 * nobody else, so that it may be called where nothing may be waited for. */
const struct person *identity_by_uid(const struct identities *ids, uid_t uid);
/* The same among the first `count` of these. */
const struct person *identity_uid_owner(
    const struct person *people, size_t count, uid_t uid);

#endif
