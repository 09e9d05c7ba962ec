/*
 * approvals.c - a person's decision on a held statement.
 *
 * One rule: a request is approved only after every check here has passed,
 * under the lock, and the audit sink has taken the record of who decided.
 * Who the reviewer is comes from the kernel (SO_PEERCRED) and identities.yaml;
 * what the request says comes from a worker and is bounded here.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/audit.h"
#include "master/control.h"

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

static struct request *
request_numbered(struct master *m, uint64_t number)
{
	size_t i;

	for (i = 0; i < REQUESTS_MAX; i++) {
		struct request *r = &m->board->requests[i];

		if (atomic_load(&r->state) == REQUEST_PENDING &&
		    r->number == number)
			return r;
	}
	return NULL;
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
has_approved(const struct request *r, struct text name)
{
	unsigned i, n = atomic_load(&r->approver_count);

	for (i = 0; i < n && i < APPROVERS_MAX; i++) {
		if (text_is(FIELD(r->approvers[i]), name))
			return true;
	}
	return false;
}

/* NULL when this peer may decide it; otherwise the refusal. */
static json_t *
decision_refused(struct master *m, const struct peer *peer,
    const struct request *r, bool is_approved)
{
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
	if (is_approved && has_approved(r, peer->person->name))
		return control_refusal(
		    "you have approved it; it needs another person");
	return NULL;
}

static enum err
decision_record(struct master *m, const struct peer *peer,
    const struct request *r, bool is_approved)
{
	struct audit *audit = audit_new(
	    m->settings->audit_socket, m->settings->audit_facility);
	struct json *j;
	enum err e;

	if (audit == NULL)
		return ERR_MEMORY;
	j = audit_begin(audit, "approval");
	json_text(j, "session", FIELD(r->session));
	json_number(j, "request", (int64_t)r->number);
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
	e = audit_send(audit);
	audit_free(audit);
	return e;
}

/* Only a pid that is a worker of ours is signalled, whatever is written in
 * shared memory. */
static void
worker_wake(struct master *m, const struct request *r)
{
	struct child *worker = children_find(m->children, r->worker);

	if (r->worker > 1 && worker != NULL && worker->kind == CHILD_WORKER)
		kill(worker->pid, SIGUSR1);
}

static json_t *
settle(struct master *m, const struct peer *peer, struct request *r,
    enum request_state to)
{
	field_set(r->decided_by, sizeof(r->decided_by), peer->person->name);
	if (!request_settle(r, to))
		return control_refusal("it has just ended");
	worker_wake(m, r);
	return json_pack("{s:b, s:s}", "ok", 1, "result",
	    to == REQUEST_APPROVED ? "approved" : "denied");
}

/* One more approval; the last one needed lets the statement go on. */
static json_t *
approve(struct master *m, const struct peer *peer, struct request *r)
{
	unsigned n = atomic_load(&r->approver_count);
	unsigned needed = r->needed == 0 ? 1 : r->needed;

	if (n >= APPROVERS_MAX)
		return control_refusal("it has too many approvers");
	field_set(
	    r->approvers[n], sizeof(r->approvers[n]), peer->person->name);
	atomic_store(&r->approver_count, n + 1);
	if (n + 1 >= needed)
		return settle(m, peer, r, REQUEST_APPROVED);
	return json_pack("{s:b, s:s, s:i}", "ok", 1, "result", "counted",
	    "missing", (int)(needed - n - 1));
}

json_t *
approval_decide(struct master *m, const struct peer *peer, uint64_t number,
    bool is_approved)
{
	struct request *r;
	json_t *refusal;
	enum err e;

	if (peer->person == NULL)
		return control_refusal(
		    "uid %u is nobody in identities.yaml: add `uid:`",
		    (unsigned)peer->uid);
	if (!turn_take(m))
		return control_refusal("no lock: %s", strerror(errno));
	r = request_numbered(m, number);
	if (r == NULL)
		return control_refusal("there is no held request %llu",
		    (unsigned long long)number);
	refusal = decision_refused(m, peer, r, is_approved);
	if (refusal != NULL)
		return refusal;
	e = decision_record(m, peer, r, is_approved);
	if (e != ERR_NONE)
		return control_refusal("no audit record could be written "
				       "(%s): nothing was decided",
		    err_text(e));
	return is_approved ? approve(m, peer, r)
			   : settle(m, peer, r, REQUEST_DENIED);
}
