/*
 * identity.h - who is asking: people, agents, who may act for whom.
 *
 * identities.yaml is read by identities_load() (see config.h for how errors
 * are reported).  Verifiers (passwords) are held only by the broker: the
 * published form has none.
 */
#ifndef SALLYPORT_IDENTITY_H
#define SALLYPORT_IDENTITY_H

#include <sys/types.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/text.h"

enum {
	IDENTITY_NAME_MAX = 63,	  /* bytes of a user's or agent's name */
	IDENTITY_GROUPS_MAX = 64, /* groups of one person */
};

/* The identity of a session: what policy decides on and audit records. */
struct identity {
	struct text user;  /* len 0: none (an agent alone) */
	struct text agent; /* len 0: none (the person is at the keyboard) */
	const struct text *groups; /* the user's; or, for an agent alone, its */
	size_t group_count;
	struct text via;	/* "scram-sha-256", … how it was proved */
	struct text process;	/* where the kernel attests it; or len 0 */
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
	struct text password; /* SCRAM verifier; only in the broker */
	uid_t *uids;	      /* operating system users that are this person */
	size_t uid_count;
};

struct agent {
	struct text name;
	struct text *groups; /* as a subject of its own, without a person */
	size_t group_count;
	struct text password;
	struct text certificate, executable, sha256; /* proofs yet to come */
	struct who *acts_for; /* any of; none: acts for nobody */
	size_t acts_for_count;
};

struct identities {
	struct person *people;
	size_t person_count;
	struct agent *agents;
	size_t agent_count;
};

/* The login `alice`, `copilot` or `alice+copilot` resolved: a known person,
 * a known agent, or both with the agent allowed to act for the person.
 * `prover_out` is the one whose password proves the login (the agent if
 * there is one). ERR_NOT_FOUND, or ERR_REFUSED when the agent may not act
 * for that person. Names in `out` borrow from `ids`; via/client are left
 * empty. */
enum err identity_resolve(const struct identities *ids, struct text login,
    struct identity *out, struct text *prover_out) MUST_CHECK;

/* Does `who` describe this identity? NULL or empty `who` describes all. */
bool who_matches(const struct who *who, const struct identity *id);

/* The person an operating system user is, by `uids`; NULL: nobody. Asks
 * nobody else, so that it may be called where nothing may be waited for. */
const struct person *identity_by_uid(const struct identities *ids, uid_t uid);

#endif
