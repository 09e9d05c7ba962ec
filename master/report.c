/*
 * report.c - the scoreboard as JSON, for `sallyport status` and its like.
 *
 * One rule: what workers have written is shown, never followed.
 */
#include <string.h>

#include "master/control.h"
#include "master/scoreboard.h"
#include "master/trouble.h"

/* Bytes that are not UTF-8 are no JSON: such a text is shown in ASCII. */
json_t *
report_text(const char *field)
{
	struct text whole = text_of(field);
	char shown[REQUEST_TEXT_MAX];
	size_t i;

	if (text_is_utf8(whole))
		return json_stringn(whole.at, whole.len);
	for (i = 0; i < whole.len && i < sizeof(shown); i++)
		shown[i] = (unsigned char)field[i] < 0x80 ? field[i] : '?';
	return json_stringn(shown, i);
}

static json_t *
count(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *
workers_json(struct master *m)
{
	json_t *all = json_object();
	struct child *worker;
	int counts[SLOT_STATES] = {0};
	size_t i = 0;
	int state;

	while ((worker = children_next(m->children, CHILD_WORKER, &i))) {
		state = atomic_load(&m->board->seats[worker->index].slot.state);
		if (state >= 0 && state < SLOT_STATES)
			counts[state]++;
	}
	for (state = SLOT_STARTING; state < SLOT_STATES; state++)
		json_object_set_new(
		    all, slot_state_name(state), json_integer(counts[state]));
	return all;
}

static size_t
requests_pending(struct master *m)
{
	struct child *worker;
	uint64_t word;
	size_t i = 0, n = 0;

	while ((worker = children_next(m->children, CHILD_WORKER, &i)))
		n += scoreboard_is_held(m->board, worker->index, &word);
	return n;
}

static json_t *
reload_json(const struct reload_result *r)
{
	return json_pack("{s:I, s:b, s:o}", "at", (json_int_t)r->reload_at,
	    "failed", r->is_failed, "text", report_text(r->text));
}

static void
lines_append(json_t *to, const char *text)
{
	char line[STATUS_TEXT_MAX];

	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		field_set(line, sizeof(line), (struct text){text, len});
		json_array_append_new(to, report_text(line));
		text += len + (text[len] == '\n');
	}
}

/* What the catalogues say against the policy, a line each. */
static json_t *
warnings_json(const struct scoreboard *b)
{
	json_t *all = json_array();
	char copy[WISH_TEXT_MAX];
	size_t i;

	for (i = 0; i < WISHES_MAX; i++) {
		memcpy(copy, b->answers[i].warnings, sizeof(copy));
		copy[sizeof(copy) - 1] = '\0';
		lines_append(all, copy);
	}
	return all;
}

/* --- upstreams and helpers ------------------------------------------------ */

static json_t *
troubles_json(const struct master *m, size_t upstream)
{
	const struct upstream *u = &m->settings->upstreams[upstream];
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < u->login_count; i++) {
		const struct trouble *t = trouble_of(m->troubles, upstream, i);

		if (t->at != 0)
			json_array_append_new(all,
			    json_pack("{s:o, s:I, s:b, s:o}", "login",
				report_text(u->logins[i].user), "at",
				(json_int_t)t->at, "connected",
				!t->is_unconnected, "text",
				report_text(t->words)));
	}
	return all;
}

static json_t *
upstreams_json(const struct master *m)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < m->settings->upstream_count; i++) {
		const struct upstream *u = &m->settings->upstreams[i];

		json_array_append_new(all,
		    json_pack("{s:o, s:o, s:o}", "upstream",
			report_text(u->name), "address",
			report_text(u->address), "troubles",
			troubles_json(m, i)));
	}
	return all;
}

/* Of an old generation there may be others, for its last sessions. */
static bool
has_child(struct master *m, enum child_kind kind, uint32_t index)
{
	struct child *child;
	size_t i = 0;

	while ((child = children_next(m->children, kind, &i))) {
		if (!child->is_retired && child->index == index)
			return true;
	}
	return false;
}

/* `upstream` is NULL for those who serve all. How one died last is told for
 * all of a kind. */
static json_t *
helper_json(struct master *m, enum child_kind kind, uint32_t index,
    const char *upstream)
{
	const struct mishap *mishap = &m->mishaps[kind];
	int64_t wait = throttle_wait(&m->throttles[kind], monotonic_ms());
	bool is_there = has_child(m, kind, index);
	json_t *one = json_pack("{s:s, s:b, s:I, s:i, s:I, s:o}", "helper",
	    child_kind_name(kind), "running", is_there, "restart_in_ms",
	    (json_int_t)(is_there ? 0 : wait), "deaths", (int)mishap->count,
	    "died_at", (json_int_t)mishap->at, "died_of",
	    report_text(mishap->how));

	if (upstream != NULL)
		json_object_set_new(one, "upstream", report_text(upstream));
	return one;
}

/* The publisher comes and goes: that one is missing is told as a reload that
 * has failed. */
static json_t *
helpers_json(struct master *m)
{
	static const enum child_kind kinds[] = {
	    CHILD_BROKER, CHILD_PORTER, CHILD_VERIFIER};
	json_t *all = json_array();
	uint32_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		json_array_append_new(all, helper_json(m, kinds[i], 0, NULL));
	for (i = 0; i < m->settings->upstream_count; i++)
		json_array_append_new(all,
		    helper_json(m, CHILD_CATALOG, i,
			m->settings->upstreams[i].name));
	return all;
}

json_t *
report_status(struct master *m)
{
	const struct scoreboard *b = m->board;
	struct reload_result reload;

	scoreboard_reload_result(b, &reload);
	return json_pack(
	    "{s:b, s:i, s:I, s:b, s:o, s:I, s:o, s:I, s:I, s:o, s:b, s:o, s:o,"
	    " s:o, s:o, s:I, s:o, s:o, s:o}",
	    "ok", 1, "pid", atomic_load(&b->master), "started_at",
	    (json_int_t)b->started_at, "draining", atomic_load(&b->draining),
	    "generation", count(atomic_load(&b->generation)), "loaded_at",
	    (json_int_t)reload.loaded_at, "reload", reload_json(&reload),
	    "rules", (json_int_t)m->policy->rule_count, "protections",
	    (json_int_t)m->policy->protect_count, "workers", workers_json(m),
	    "full", atomic_load(&b->worker_ceiling_reached), "held",
	    count(requests_pending(m)), "sessions_total",
	    count(atomic_load(&b->sessions_total)), "workers_died",
	    count(atomic_load(&b->workers_died)), "clients_refused",
	    count(atomic_load(&b->clients_refused)), "audit_failing_since",
	    (json_int_t)atomic_load(&b->audit_failing_since), "warnings",
	    warnings_json(b), "upstreams", upstreams_json(m), "helpers",
	    helpers_json(m));
}

static json_t *
session_json(const struct slot *s)
{
	return json_pack("{s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:I, s:I,"
			 " s:I, s:I, s:I, s:I, s:o, s:I}",
	    "session", report_text(s->session), "state",
	    slot_state_name(atomic_load(&s->state)), "pid",
	    atomic_load(&s->pid), "user", report_text(s->user), "agent",
	    report_text(s->agent), "client", report_text(s->client),
	    "upstream", report_text(s->upstream), "database",
	    report_text(s->database), "connected_at",
	    (json_int_t)s->connected_at, "statement_at",
	    (json_int_t)s->statement_at, "statements",
	    (json_int_t)s->statements, "denied", (json_int_t)s->denied, "rows",
	    (json_int_t)s->rows, "masked", (json_int_t)s->masked, "statement",
	    report_text(s->statement), "request", (json_int_t)s->request);
}

json_t *
report_sessions(struct master *m)
{
	json_t *all = json_array();
	struct child *worker;
	struct slot copy;
	size_t i = 0;

	while ((worker = children_next(m->children, CHILD_WORKER, &i))) {
		slot_snapshot(&m->board->seats[worker->index].slot, &copy);
		if (atomic_load(&copy.state) > SLOT_IDLE)
			json_array_append_new(all, session_json(&copy));
	}
	return json_pack("{s:b, s:o}", "ok", 1, "sessions", all);
}

static json_t *
approvers_json(const struct decision *d, uint64_t word)
{
	json_t *all = json_array();
	unsigned i, n = decision_approvals(word);

	for (i = 0; i < n && i < APPROVERS_MAX; i++) {
		char name[SLOT_NAME_MAX];

		field_set(name, sizeof(name),
		    (struct text){d->approvers[i],
			strnlen(d->approvers[i], SLOT_NAME_MAX)});
		json_array_append_new(all, report_text(name));
	}
	return all;
}

static json_t *
request_json(const struct request *r, const struct decision *d, uint64_t word)
{
	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I,"
			 " s:I, s:I, s:i, s:o}",
	    "request", (json_int_t)decision_number(word), "session",
	    report_text(r->session), "user", report_text(r->user), "agent",
	    report_text(r->agent), "upstream", report_text(r->upstream),
	    "database", report_text(r->database), "rule",
	    report_text(r->rule), "say", report_text(r->say), "statement",
	    report_text(r->text), "statement_bytes", (json_int_t)r->text_len,
	    "created_at", (json_int_t)r->created_at, "expires_at",
	    (json_int_t)r->expires_at, "needed", (int)r->needed, "approvers",
	    approvers_json(d, word));
}

json_t *
report_approvals(struct master *m)
{
	json_t *all = json_array();
	struct request copy;
	struct child *worker;
	uint64_t word;
	size_t i = 0;

	while ((worker = children_next(m->children, CHILD_WORKER, &i))) {
		if (!scoreboard_is_held(m->board, worker->index, &word))
			continue;
		request_copy(&m->board->seats[worker->index].request, &copy);
		json_array_append_new(all,
		    request_json(
			&copy, &m->board->decisions[worker->index], word));
	}
	return json_pack("{s:b, s:o}", "ok", 1, "approvals", all);
}
