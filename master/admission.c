/*
 * admission.c - the plan of a login, and its end.
 *
 * The rule: what is not proved is not so; whoever has no proof of its own in
 * identities.yaml can be named by a signed token, and by nothing else.
 */
#include <stdio.h>
#include <string.h>

#include "common/certificate_name.h"
#include "common/identity_groups.h"
#include "master/admission.h"

/* --- what the connection shows -------------------------------------------- */

static bool
certificate_names(const struct certificate_facts *c,
    const struct text *wanted, size_t count)
{
	return c != NULL &&
	    certificate_names_meet(
		wanted, count, (struct text){c->names, c->names_len});
}

static bool
process_is_user(const struct process_facts *p, const struct agent *a)
{
	size_t i;

	for (i = 0; i < a->uid_count; i++) {
		if (a->uids[i] == (uid_t)p->uid)
			return true;
	}
	return a->uid_count == 0;
}

static enum process_part
process_judge(const struct process_facts *p, const struct agent *a)
{
	if (!process_is_user(p, a))
		return PROCESS_USER;
	if (a->executable.len > 0 &&
	    !text_is(a->executable, text_of(p->executable)))
		return PROCESS_PATH;
	if (a->executable.len > 0 && !p->is_genuine)
		return PROCESS_NOT_GENUINE;
	return a->sha256.len == 0 || text_is(a->sha256, text_of(p->sha256))
		   ? PROCESS_RIGHT
		   : PROCESS_DIGEST;
}

/* --- the plan ------------------------------------------------------------- */

static void
refuse(struct admission *out, const char *why)
{
	if (out->refusal == NULL)
		out->refusal = why;
}

static void
want_certificate(struct admission *out, const struct connection_facts *facts,
    const struct text *names, size_t count)
{
	out->has_certificate = count > 0;
	if (count == 0 || certificate_names(facts->certificate, names, count))
		return;
	if (facts->certificate != NULL && out->refusal == NULL) {
		admission_tell_certificate(facts->certificate,
		    out->refusal_room, sizeof(out->refusal_room));
		out->refusal = out->refusal_room;
	} else {
		refuse(out, facts->certificate_wrong != NULL
				? facts->certificate_wrong
				: "no client certificate");
	}
}

static void
want_process(struct admission *out, const struct connection_facts *facts,
    const struct agent *a)
{
	enum process_part part = PROCESS_RIGHT;

	out->has_process = a->executable.len > 0 || a->uid_count > 0;
	if (!out->has_process)
		return;
	if (facts->process == NULL)
		refuse(out, "the process is unknown");
	else
		part = process_judge(facts->process, a);
	if (part == PROCESS_RIGHT || out->refusal != NULL)
		return;
	admission_tell_process(facts->process, part, facts->process_wrong,
	    out->refusal_room, sizeof(out->refusal_room));
	out->refusal = out->refusal_room;
}

/* A verifier, a service of PAM; or nothing. */
static bool
want_password(
    struct admission *out, struct text verifier, const char *service)
{
	if (verifier.len == 0 && service == NULL)
		return false;
	out->proof = verifier.len > 0 ? PROOF_SCRAM : PROOF_PAM;
	out->verifier = verifier;
	out->service = service == NULL ? TEXT("") : text_of(service);
	return true;
}

static void
plan_person(struct admission *out)
{
	const struct person *p = out->person;

	out->proves_person = true;
	out->subject = p->name;
	/* a token does not stand in for a certificate */
	if (!want_password(out, p->password, p->pam) &&
	    p->certificate_count == 0)
		out->proof = PROOF_TOKEN;
}

/* A person at the keyboard. */
static void
plan_alone(struct admission *out, const struct connection_facts *facts)
{
	const struct person *p = out->person;

	want_certificate(out, facts, p->certificates, p->certificate_count);
	if (!out->has_certificate || p->password.len > 0 || p->pam != NULL)
		plan_person(out);
}

/* The one certificate of a connection is the agent's: who has to show one as
 * well cannot come through this agent. */
static void
plan_person_behind(struct admission *out)
{
	plan_person(out);
	if (out->person->certificate_count > 0)
		refuse(out, "the person's own proof is a certificate, "
			    "which cannot be shown through an agent");
}

/* Is a token the only proof there is of the person? Otherwise that the agent
 * acts for the person is the agent's word. */
static bool
has_only_tokens(const struct person *p)
{
	return p != NULL && p->certificate_count == 0 &&
	    p->password.len == 0 && p->pam == NULL;
}

/* Has the exchange to bring the person's own proof? */
static bool
wants_person(const struct admission *out)
{
	return out->agent->needs_person && !out->proves_agent;
}

static void
plan_agent(struct admission *out, const struct connection_facts *facts)
{
	const struct agent *a = out->agent;

	want_certificate(out, facts, a->certificates, a->certificate_count);
	want_process(out, facts, a);
	if (want_password(out, a->password, a->pam)) {
		out->proves_agent = true;
	} else if (!out->has_certificate && !out->has_process) {
		out->proof = PROOF_TOKEN;
		out->proves_agent = true;
		out->proves_person = has_only_tokens(out->person);
	} else if (out->person != NULL && wants_person(out)) {
		plan_person_behind(out);
	}
}

/* Some person's plan, for a name that is nobody's: always the same one's. */
static void
plan_mimic(const struct identities *ids, const struct mimic *mimic,
    const struct connection_facts *facts, struct text name, bool is_alone,
    struct admission *out)
{
	refuse(out, "unknown user");
	out->is_nobodys = true;
	out->proof = PROOF_SCRAM;
	if (ids->person_count > 0) {
		out->person = &ids->people[mimic->number(mimic->context, name) %
					   ids->person_count];
		if (is_alone)
			plan_alone(out, facts);
		else
			plan_person(out);
		out->person = NULL;
	}
	out->verifier = TEXT("");
	out->subject = name;
}

/* One name: an agent's, a person's, or nobody's. */
static void
plan_one(const struct identities *ids, const struct mimic *mimic,
    const struct connection_facts *facts, struct text name,
    struct admission *out)
{
	out->subject = name;
	out->agent = identity_agent(ids, name);
	if (out->agent != NULL) {
		plan_agent(out, facts);
		return;
	}
	out->person = identity_person(ids, name);
	if (out->person != NULL)
		plan_alone(out, facts);
	else
		plan_mimic(ids, mimic, facts, name, true, out);
}

/* A person through an agent. What is asked for is the agent's business unless
 * the person's own proof is wanted, so that nobody learns from it who there
 * is and for whom the agent may act. */
static void
plan_both(const struct identities *ids, const struct mimic *mimic,
    const struct connection_facts *facts, struct text person,
    struct text agent, struct admission *out)
{
	out->subject = agent;
	out->agent = identity_agent(ids, agent);
	out->person = identity_person(ids, person);
	if (out->agent == NULL) {
		out->person = NULL;
		plan_mimic(ids, mimic, facts, agent, true, out);
		return;
	}
	plan_agent(out, facts);
	if (out->person == NULL && wants_person(out))
		plan_mimic(ids, mimic, facts, person, false, out);
	else if (out->person == NULL)
		refuse(out, "unknown user");
	/* a token may bring groups for which the agent may act */
	else if (out->proof != PROOF_TOKEN &&
		 !identity_acts_for(out->agent, out->person,
		     out->person->groups, out->person->group_count))
		refuse(out, "the agent may not act for this person");
}

void
admission_plan(const struct identities *ids, struct text login,
    const struct connection_facts *facts, const struct mimic *mimic,
    struct admission *out)
{
	const char *plus = memchr(login.at, '+', login.len);
	size_t len = plus == NULL ? 0 : (size_t)(plus - login.at);

	*out = (struct admission){.proof = PROOF_NONE};
	if (plus == NULL)
		plan_one(ids, mimic, facts, login, out);
	else
		plan_both(ids, mimic, facts, (struct text){login.at, len},
		    (struct text){plus + 1, login.len - len - 1}, out);
	if (out->proof == PROOF_TOKEN && ids->issuer_count == 0)
		refuse(out, "no proof in identities.yaml, and no `tokens`");
	/* it is told at the end of an exchange, as is a wrong password */
	if (out->refusal != NULL && out->proof == PROOF_NONE)
		out->proof = PROOF_SCRAM;
}

/* --- the end -------------------------------------------------------------- */

#define PUT(field, ...) snprintf(field, sizeof(field), __VA_ARGS__)

/* Those of identities.yaml, and those that the token brings besides. */
static bool
put_groups(const struct text *list, size_t count,
    const struct token_facts *token, struct broker_identity *out)
{
	bool is_whole = true;
	size_t i;

	for (i = 0; token != NULL && i < token->group_count; i++)
		is_whole &=
		    identity_groups_bring(out, text_of(token->groups[i]));
	return identity_groups_renew(out, list, count) && is_whole;
}

static void
via_add(char *via, size_t size, const char *word)
{
	size_t len = strlen(via);

	if (strstr(via, word) == NULL)
		snprintf(via + len, size - len, "%s%s", len > 0 ? "+" : "",
		    word);
}

/* How one part was proved, in the order of what was looked at. */
static void
put_via(const struct admission *a, bool by_connection, bool by_exchange,
    char *out, size_t size)
{
	static const char *const words[] = {[PROOF_SCRAM] = "scram-sha-256",
	    [PROOF_TOKEN] = "token", [PROOF_PAM] = "pam"};

	if (by_connection && a->has_certificate)
		via_add(out, size, "certificate");
	if (by_connection && a->has_process)
		via_add(out, size, "process");
	if (by_exchange && a->proof != PROOF_NONE)
		via_add(out, size, words[a->proof]);
}

static void
put_vias(const struct admission *a, struct broker_identity *out)
{
	char copy[sizeof(out->user_via)], *word, *rest;

	if (a->agent != NULL)
		put_via(a, true, a->proves_agent, out->agent_via,
		    sizeof(out->agent_via));
	if (a->person != NULL)
		put_via(a, a->agent == NULL, a->proves_person, out->user_via,
		    sizeof(out->user_via));
	PUT(out->via, "%s", out->agent_via);
	PUT(copy, "%s", out->user_via);
	for (word = strtok_r(copy, "+", &rest); word != NULL;
	     word = strtok_r(NULL, "+", &rest))
		via_add(out->via, sizeof(out->via), word);
	if (a->person != NULL && out->user_via[0] == '\0')
		PUT(out->user_via, "agent");
}

static void
expire(struct broker_identity *out, int64_t at)
{
	if (at > 0 && (out->expires_at == 0 || at < out->expires_at))
		out->expires_at = at;
}

static void
put_token(const struct token_facts *t, struct broker_identity *out)
{
	PUT(out->issuer, "%s", t->issuer);
	PUT(out->token, "%s", t->id);
	PUT(out->chain, "%s", t->chain);
	expire(out, t->expires_at);
}

static void
put_facts(const struct admission *a, const struct connection_facts *facts,
    struct broker_identity *out)
{
	const struct certificate_facts *c = facts->certificate;
	const struct process_facts *p = facts->process;

	if (c != NULL) {
		PUT(out->subject, "%s", c->subject);
		PUT(out->fingerprint, "%s", c->sha256);
	}
	if (c != NULL && a->has_certificate)
		expire(out, c->not_after);
	if (p == NULL)
		return;
	out->has_process = 1;
	out->uid = p->uid;
	out->pid = p->pid;
	out->is_genuine = p->is_genuine;
	PUT(out->executable, "%s", p->executable);
	PUT(out->sha256, "%s", p->sha256);
	PUT(out->cgroup, "%s", p->cgroup);
}

/* Does the token speak of this login? */
static const char *
token_fits(const struct admission *a, const struct token_facts *t)
{
	struct text user = text_of(t->user), agent = text_of(t->agent);

	if (a->person == NULL) /* an agent alone is the token's subject */
		return agent.len == 0 && text_is(user, a->agent->name)
			   ? NULL
			   : "the token is somebody else's";
	if (!text_is(user, a->person->name))
		return "the token is somebody else's";
	if (a->agent == NULL)
		return agent.len == 0 ? NULL
				      : "the token names an agent: the login "
					"must, too";
	if (agent.len == 0)
		return a->proves_agent ? "the token names no agent" : NULL;
	return text_is(agent, a->agent->name) ? NULL
					      : "the token names another agent";
}

const char *
admission_finish(const struct admission *a,
    const struct connection_facts *facts, const struct token_facts *token,
    struct broker_identity *out)
{
	struct text groups[IDENTITY_GROUPS_MAX];
	struct identity who;
	const char *wrong = a->refusal;

	memset(out, 0, sizeof(*out));
	if (wrong == NULL && a->proof == PROOF_TOKEN)
		wrong = token_fits(a, token);
	if (wrong != NULL)
		return wrong;
	if (a->person != NULL)
		PUT(out->user, "%s", a->person->name.at);
	if (a->agent != NULL)
		PUT(out->agent, "%s", a->agent->name.at);
	if (a->person != NULL
		? !put_groups(a->person->groups, a->person->group_count, token,
		      out)
		: !put_groups(a->agent->groups, a->agent->group_count, token,
		      out))
		return "too many groups, or one with too long a name";
	put_vias(a, out);
	put_facts(a, facts, out);
	if (token != NULL)
		put_token(token, out);
	who = identity_of_proof(out, groups);
	if (a->person != NULL && a->agent != NULL &&
	    !identity_acts_for(
		a->agent, a->person, who.groups, who.group_count))
		return "the agent may not act for this person";
	return NULL;
}
