/*
 * approvals.c - a person's decision on a held statement.
 *
 * One rule: a request is approved only after every check here has passed,
 * under the lock, and the audit sink has taken the record of who decided.
 * Who the reviewer is comes from the kernel (SO_PEERCRED) and identities.yaml;
 * what the request says comes from a worker and is bounded here; what was
 * looked at is a copy, and the number that is decided about is master's.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/audit.h"
#include "master/control.h"
#include "master/record.h"
#include "master/scoreboard.h"

/* Control children take turns: a record lock goes with its process, so one
 * that dies holds up nobody. */
static bool
turn_take(struct master *m)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int result;

	do
		result = fcntl(m->control_lock, F_SETLKW, &whole);
	while (result != 0 && errno == EINTR);
	return result == 0;
}

/* A held statement as it was found. */
struct held {
	struct request request; /* a copy */
	const struct request *shown;
	struct decision *decision;
	uint64_t word;
};

/* False: there is none of this number that could still be decided. */
static bool
held_find(struct master *m, uint64_t number, struct held *out)
{
	struct child *worker;
	size_t i = 0;

	while ((worker = children_next(m->children, CHILD_WORKER, &i))) {
		if (!scoreboard_is_held(
			m->board, worker->index, &out->word) ||
		    decision_number(out->word) != number)
			continue;
		out->shown = &m->board->seats[worker->index].request;
		out->decision = &m->board->decisions[worker->index];
		request_copy(out->shown, &out->request);
		return true;
	}
	return false;
}

static struct text
field_text(const char *field, size_t size)
{
	return (struct text){field, strnlen(field, size)};
}

#define FIELD(field) field_text((field), sizeof(field))

/* The rule that holds it, in the policy in force. A rule that is no longer
 * there lets nobody approve. */
static const struct rule *
rule_of(const struct policy *p, const struct request *r)
{
	struct text name = FIELD(r->rule);
	size_t i;

	if (r->generation == p->generation && r->rule_index < p->rule_count &&
	    text_is(p->rules[r->rule_index].name, name))
		return &p->rules[r->rule_index];
	for (i = 0; i < p->rule_count; i++) {
		if (p->rules[i].then == THEN_APPROVE &&
		    text_is(p->rules[i].name, name))
			return &p->rules[i];
	}
	return NULL;
}

static bool
may_review(const struct rule *rule, const struct person *person)
{
	const struct identity reviewer = {.user = person->name,
	    .groups = person->groups,
	    .group_count = person->group_count,
	    .via = TEXT("peercred"),
	    .client = TEXT("unix")};
	size_t i;

	for (i = 0; i < rule->approve_by_count; i++) {
		if (who_matches(&rule->approve_by[i], &reviewer))
			return true;
	}
	return rule->approve_by_count == 0;
}

static bool
has_approved(const struct held *h, struct text name)
{
	unsigned i, n = decision_approvals(h->word);

	for (i = 0; i < n && i < APPROVERS_MAX; i++) {
		if (text_is(FIELD(h->decision->approvers[i]), name))
			return true;
	}
	return false;
}

/* NULL when this peer may decide it; otherwise the refusal. */
static json_t *
decision_refused(struct master *m, const struct peer *peer,
    const struct held *h, bool is_approved)
{
	const struct request *r = &h->request;
	const struct rule *rule = rule_of(m->policy, r);

	if (peer->person->name.len >= SLOT_NAME_MAX)
		return control_refusal("your name is too long");
	if (text_is(FIELD(r->user), peer->person->name))
		return control_refusal(
		    "it is your own request: another person must decide it");
	if (rule == NULL)
		return control_refusal(
		    "rule \"%.*s\" is not in the policy in force",
		    (int)FIELD(r->rule).len, r->rule);
	if (!may_review(rule, peer->person))
		return control_refusal(
		    "rule \"%.*s\" does not let %.*s decide it",
		    (int)rule->name.len, rule->name.at,
		    (int)peer->person->name.len, peer->person->name.at);
	if (unix_ms() >= r->expires_at)
		return control_refusal("it has expired");
	if (is_approved && has_approved(h, peer->person->name))
		return control_refusal(
		    "you have approved it; it needs another person");
	return NULL;
}

static enum err
decision_record(struct master *m, const struct peer *peer,
    const struct held *h, bool is_approved)
{
	const struct request *r = &h->request;
	struct json *j;

	if (m->audit == NULL)
		return ERR_MEMORY;
	j = record_command(m, "approval", FIELD(r->session));
	json_number(j, "request", (int64_t)decision_number(h->word));
	json_cstring(j, "decision", is_approved ? "approve" : "deny");
	json_text(j, "decided_by", peer->person->name);
	json_number(j, "decided_by_uid", peer->uid);
	json_text(j, "rule", FIELD(r->rule));
	if (r->user[0] != '\0')
		json_text(j, "user", FIELD(r->user));
	if (r->agent[0] != '\0')
		json_text(j, "agent", FIELD(r->agent));
	json_text(j, "upstream", FIELD(r->upstream));
	json_text(j, "database", FIELD(r->database));
	return audit_send(m->audit);
}

/* The last word: the worker goes on with it, whatever it was about to do. */
static json_t *
settle(struct master *m, const struct peer *peer, struct held *h,
    enum verdict_of_people verdict)
{
	uint64_t number = decision_number(h->word);

	if (!decision_take(h->decision, &h->word, peer->person->name, verdict))
		return control_refusal("it has just ended");
	atomic_fetch_add(&h->decision->calls, 1);
	control_order(m, ORDER_LOOK);
	if (!request_is_taken(h->shown, number))
		return control_refusal("it has just ended");
	return json_pack("{s:b, s:s}", "ok", 1, "result",
	    verdict == PEOPLE_APPROVED ? "approved" : "denied");
}

/* One more approval; the last one needed lets the statement go on. */
static json_t *
approve(struct master *m, const struct peer *peer, struct held *h)
{
	unsigned n = decision_approvals(h->word) + 1;
	unsigned needed = h->request.needed == 0 ? 1 : h->request.needed;

	if (n > APPROVERS_MAX)
		return control_refusal("it has too many approvers");
	if (n >= needed)
		return settle(m, peer, h, PEOPLE_APPROVED);
	if (!decision_take(h->decision, &h->word, peer->person->name,
		PEOPLE_UNDECIDED))
		return control_refusal("it has just ended");
	return json_pack("{s:b, s:s, s:i}", "ok", 1, "result", "counted",
	    "missing", (int)(needed - n));
}

json_t *
approval_decide(struct master *m, const struct peer *peer, uint64_t number,
    bool is_approved)
{
	struct held h;
	json_t *refusal;
	enum err e;

	if (peer->person == NULL)
		return control_refusal(
		    "uid %u is nobody in identities.yaml: add `uid:`",
		    (unsigned)peer->uid);
	if (!turn_take(m))
		return control_refusal("no lock: %s", strerror(errno));
	if (!held_find(m, number, &h))
		return control_refusal("there is no held request %llu",
		    (unsigned long long)number);
	refusal = decision_refused(m, peer, &h, is_approved);
	if (refusal != NULL)
		return refusal;
	e = decision_record(m, peer, &h, is_approved);
	if (e != ERR_NONE)
		return control_refusal("no audit record could be written "
				       "(%s): nothing was decided",
		    err_text(e));
	return is_approved ? approve(m, peer, &h)
			   : settle(m, peer, &h, PEOPLE_DENIED);
}
