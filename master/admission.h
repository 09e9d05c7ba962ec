/*
 * admission.h - who has to prove what to get in, and who is in then.
 *
 * Pure: identities, and what is known of a connection, in; a plan out.  An
 * entry in identities.yaml is a conjunction: every proof that it names must
 * be brought.  What the connection shows by itself (certificate, process) is
 * looked at when the plan is made; at most one proof is asked for in the
 * login's exchange.
 *
 * A login that nobody may use gets a plan as well, somebody's, with a
 * `refusal`: it is asked for the same things in the same words, and refused
 * at the end.
 */
#ifndef SALLYPORT_ADMISSION_H
#define SALLYPORT_ADMISSION_H

#include "common/broker_channel.h"
#include "common/identity.h"
#include "master/admission_tell.h"
#include "master/errand.h"

/* What the exchange of a login has to bring. */
enum admission_proof {
	PROOF_NONE,  /* the connection has shown all */
	PROOF_SCRAM, /* `verifier`; len 0: nobody's */
	PROOF_TOKEN,
	PROOF_PAM, /* `service`, about `subject` */
};

/* What is known of the connection; NULL: nothing. */
struct connection_facts {
	const struct process_facts *process;
	const struct certificate_facts *certificate;
	/* why the one that was shown proves nobody; NULL: it does, or none
	 * was; lives for as long as the plan */
	const char *certificate_wrong;
	/* why the process is not genuine or not known; NULL: nobody said */
	const char *process_wrong;
};

struct admission {
	const struct person *person; /* NULL: none, or nobody's login */
	const struct agent *agent;
	enum admission_proof proof;
	struct text verifier, service; /* also where it is refused: a salt
					* that changed would tell */
	struct text subject; /* whose proof it is; never empty */
	/* Does the exchange prove the agent, the person? */
	bool proves_agent, proves_person;
	bool has_certificate, has_process; /* of the agent, or person alone */
	bool is_nobodys; /* `subject` is a name that nobody has */
	const char *refusal; /* NULL: none; else why nobody gets in: static, or
			      * certificate_wrong, or refusal_room */
	char refusal_room[ADMISSION_REASON_MAX];
};

/* Chooses whom a name that nobody has is like: any number, always the same
 * for a name, and nobody else can foretell it. */
struct mimic {
	uint64_t (*number)(const void *context, struct text name);
	const void *context;
};

/* Everything in `out` borrows from `ids` and `login`, and the refusal from
 * `out` itself: it is not to be copied. */
void admission_plan(const struct identities *ids, struct text login,
    const struct connection_facts *facts, const struct mimic *mimic,
    struct admission *out);

/* All is proved: who is in. `token`: NULL unless the proof is one. NULL: fine;
 * else why not, for the record (static, or of `a`). */
const char *admission_finish(const struct admission *a,
    const struct connection_facts *facts, const struct token_facts *token,
    struct broker_identity *out);

#endif
