/*
 * pg_run.c - a statement's execution: admitted, limited, recorded.
 *
 * The rule: pg_admit() gives a run only after the statement's audit record
 * was taken by the sink.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "worker/hold.h"
#include "worker/snapshot.h"
#include "worker/postgres/pg.h"

static const char sink_gone[] =
    "the audit trail takes no records; nothing runs until it does again";

struct run *
run_new(struct ruling *j, uint64_t seq)
{
	struct run *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->ruling = ruling_share(j);
	r->limits = j->verdict.limits;
	r->outcome.seq = seq;
	return r;
}

void
run_drop(struct run *r)
{
	if (r == NULL)
		return;
	ruling_drop(r->ruling);
	shape_drop(r->shape);
	free(r);
}

bool
pg_renew(struct session *s, struct prepared *p)
{
	struct ruling *fresh;

	if (gate_is_current(s->gate, p->ruling))
		return true;
	fresh = gate_judge(s->gate, p->sql);
	if (fresh == NULL)
		return false;
	if (p->message.len == 0) /* the text lies in the old one */
		p->sql = fresh->sql;
	ruling_drop(p->ruling);
	p->ruling = fresh;
	return true;
}

static enum err
refuse_plainly(
    struct session *s, char kind, const char *sqlstate, const char *message)
{
	const struct refusal r = {
	    .sqlstate = sqlstate, .message = text_of(message)};

	return pg_refuse_statement(s, kind, &r);
}

enum err
pg_deny(struct session *s, char kind, const struct ruling *j,
    struct text reason)
{
	if (gate_record(s->gate, j, "deny", reason, 0) != ERR_NONE)
		return refuse_plainly(s, kind, "58030", sink_gone);
	return pg_refuse_ruling(s, kind, j, reason, 0);
}

/* EXECUTE name: what was prepared under that name must be admissible too, as
 * of now. NULL: unknown name, or out of memory. The caller drops it: while
 * the statement is held, its name may go. */
static struct ruling *
inner_ruling(struct session *s, const struct ruling *j)
{
	size_t i;

	for (i = 0; i < j->text.count; i++) {
		const struct statement *st = &j->text.statements[i];
		struct prepared *p;

		if ((st->operations & BIT(OP_EXECUTE)) == 0)
			continue;
		p = names_get(pg_of(s)->statements, st->subject);
		if (p == NULL || p->is_suspect || !p->is_sure ||
		    !pg_renew(s, p))
			return NULL;
		s->gate->carries_later |= p->ruling->may_carry;
		return ruling_share(p->ruling);
	}
	return NULL;
}

/* --- holding -------------------------------------------------------------- */

static void
announce(struct session *s, uint64_t request, int64_t expires_s)
{
	char text[200];

	snprintf(text, sizeof(text),
	    "statement held for approval: request %llu, expires in %lld s",
	    (unsigned long long)request, (long long)expires_s);
	pg_notice(s, text);
}

static const char *const hold_reasons[] = {
    [HOLD_DENIED] = "denied by ",
    [HOLD_EXPIRED] = "nobody approved it in time",
    [HOLD_FULL] = "too many statements are held for approval already",
    [HOLD_ENDED] = "the session ended before it was decided",
};

static enum err
refuse_held(struct session *s, char kind, const struct ruling *j,
    const struct held *held)
{
	char reason[160];

	if (held->result == HOLD_WITHDRAWN) {
		if (gate_record(s->gate, j, "withdrawn",
			TEXT("cancelled by the client"),
			held->request) != ERR_NONE)
			log_error("a withdrawal could not be recorded");
		return refuse_plainly(s, kind, "57014",
		    "canceling statement due to user request");
	}
	if (held->result == HOLD_UNRECORDED)
		return refuse_plainly(s, kind, "58030", sink_gone);
	snprintf(reason, sizeof(reason), "%s%s", hold_reasons[held->result],
	    held->result == HOLD_DENIED ? held->decided_by : "");
	if (gate_record(s->gate, j, "deny", text_of(reason),
		held->request) != ERR_NONE)
		log_error("a refusal could not be recorded");
	if (s->has_ending)
		return ERR_CLOSED;
	return pg_refuse_ruling(
	    s, kind, j, text_of(reason), held->request);
}

/* The approver sees the values too: they are what is approved. */
static void
hold_with_values(struct session *s, const struct ruling *j,
    struct text values, struct held *held)
{
	struct buffer shown = {.ceiling = 0};

	buffer_put_text(&shown, j->sql);
	pg_put_values(&shown, values);
	if (shown.failed)
		*held = (struct held){.result = HOLD_FULL};
	else
		hold_statement(s, j,
		    (struct text){(const char *)shown.bytes, shown.len},
		    values, announce, held);
	buffer_free(&shown);
}

/* Hold it; true when it was approved and is still admissible, with `*j`
 * renewed (the policy may have changed meanwhile). */
static enum err
hold(struct session *s, char kind, struct ruling **j, struct text values,
    bool *approved_out)
{
	struct ruling *fresh;
	struct held held;
	char reason[160];
	enum err e = pg_settle(s);

	*approved_out = false;
	if (e != ERR_NONE || pg_of(s)->is_skipping)
		return e;
	hold_with_values(s, *j, values, &held);
	if (held.result != HOLD_APPROVED)
		return refuse_held(s, kind, *j, &held);
	fresh = gate_judge(s->gate, (*j)->sql);
	if (fresh == NULL || fresh->verdict.decision == THEN_DENY) {
		e = fresh == NULL
		    ? refuse_plainly(s, kind, "53200", "out of memory")
		    : pg_deny(s, kind, fresh, TEXT(""));
		ruling_drop(fresh);
		return e;
	}
	snprintf(reason, sizeof(reason), "approved by %s", held.decided_by);
	e = gate_record(s->gate, fresh, "allow", text_of(reason),
	    held.request);
	ruling_drop(*j);
	*j = fresh;
	if (e != ERR_NONE)
		return refuse_plainly(s, kind, "58030", sink_gone);
	*approved_out = true;
	return ERR_NONE;
}

/* --- admission ------------------------------------------------------------ */

/* Things of this version's protocol support, not of policy. */
static struct text
unsupported(const struct ruling *j)
{
	const uint64_t copies = BIT(OP_COPY_IN) | BIT(OP_COPY_OUT) |
	    BIT(OP_REPLICATION);

	if ((j->operations & copies) != 0)
		return TEXT("COPY from or to the client is not supported in "
			    "this version");
	return (struct text){NULL, 0};
}

/* A portal bound by message belongs to Execute, where it is judged, held and
 * recorded as the statement that it runs. */
static bool
fetches_portal(const struct pg *pg, const struct ruling *j)
{
	const uint64_t fetching = BIT(OP_FETCH) | BIT(OP_MOVE);
	size_t i;

	for (i = 0; i < j->text.count; i++) {
		const struct statement *st = &j->text.statements[i];
		const struct portal *p = names_get(pg->portals, st->subject);

		if ((st->operations & fetching) != 0 && p != NULL &&
		    !p->is_cursor)
			return true;
	}
	return false;
}

/* Everything short of holding. `reason_out` says why it is refused. */
static bool
is_admissible(struct session *s, const struct ruling *j,
    const struct ruling *inner, struct text *reason_out)
{
	*reason_out = (struct text){NULL, 0};
	if (j->verdict.decision == THEN_DENY)
		return false;
	*reason_out = unsupported(j);
	if (reason_out->len == 0 && fetches_portal(pg_of(s), j))
		*reason_out = TEXT("a portal bound by message is run by Execute "
				   "only");
	if (reason_out->len > 0)
		return false;
	if ((j->operations & BIT(OP_EXECUTE)) != 0) {
		if (inner == NULL || j->text.count != 1)
			*reason_out = TEXT("EXECUTE of a statement that is "
					   "not known to be prepared here");
		else if (inner->verdict.decision != THEN_ALLOW)
			*reason_out = inner->verdict.decision == THEN_DENY
			    ? inner->verdict.reason
			    : TEXT("what it executes needs approval: send "
				   "it as itself");
		else if (inner->may_carry && !j->may_carry)
			*reason_out = TEXT("what it executes was found to "
					   "reach protected values: send it "
					   "again");
		if (reason_out->len > 0)
			return false;
	}
	if (!gate_take_rate(s->gate, j)) {
		*reason_out = TEXT("too many statements in this minute");
		return false;
	}
	return true;
}

static void
note_admitted(struct session *s, const struct ruling *j,
    const struct ruling *inner, struct run *r)
{
	const uint64_t later = BIT(OP_DECLARE) | BIT(OP_PREPARE);
	struct verdict v = {.limits = r->limits};
	struct gate *g = s->gate;

	if (inner != NULL) {
		verdict_tighten(&v, &inner->verdict);
		r->limits = v.limits;
	}
	if ((j->may_carry && (j->operations & later) != 0) ||
	    (j->traits & (BIT(TRAIT_OPAQUE_FUNCTION) |
			     BIT(TRAIT_UNKNOWN_FUNCTION))) != 0 ||
	    (j->operations & (BIT(OP_DO) | BIT(OP_CALL))) != 0)
		g->carries_later = true;
	if (!j->is_plain)
		pg_of(s)->is_barred = pg_of(s)->is_unreported = true;
	if (j->text.count > 0)
		session_show_statement(s, j->text.statements[0].canonical);
}

static enum err
admit(struct session *s, char kind, struct ruling **j,
    const struct ruling *inner, struct text values, struct run **run_out)
{
	struct text reason;
	bool approved = false;
	enum err e;

	if (!is_admissible(s, *j, inner, &reason))
		return pg_deny(s, kind, *j, reason);
	if ((*j)->verdict.decision == THEN_APPROVE) {
		e = hold(s, kind, j, values, &approved);
		if (e != ERR_NONE || !approved)
			return e;
		if (inner != NULL && inner->generation != (*j)->generation)
			return pg_deny(s, kind, *j,
			    TEXT("the policy changed while it was held: send "
				 "it again"));
	} else if (gate_record(s->gate, *j, "allow", TEXT(""), 0) !=
	    ERR_NONE) {
		return refuse_plainly(s, kind, "58030", sink_gone);
	}
	*run_out = run_new(*j, s->record.seq);
	if (*run_out == NULL)
		return refuse_plainly(s, kind, "53200", "out of memory");
	note_admitted(s, *j, inner, *run_out);
	return ERR_NONE;
}

enum err
pg_admit(struct session *s, char kind, struct ruling *j,
    struct text values, struct run **run_out)
{
	struct ruling *inner;
	enum err e;

	*run_out = NULL;
	s->slot->statements++;
	if (j == NULL)
		return refuse_plainly(s, kind, "53200", "out of memory");
	j = ruling_share(j);
	inner = inner_ruling(s, j);
	e = admit(s, kind, &j, inner, values, run_out);
	ruling_drop(inner);
	ruling_drop(j);
	return e;
}

/* --- while it runs -------------------------------------------------------- */

void
run_start(struct session *s, struct run *r)
{
	if (r->started != 0)
		return;
	r->started = relay_now();
	s->relay.deadline = r->limits.seconds == 0
	    ? 0
	    : r->started + (int64_t)r->limits.seconds * 1000;
}

void
run_cut(struct session *s, struct run *r, const char *sqlstate,
    const char *complaint)
{
	if (r->is_cut)
		return;
	r->is_cut = true;
	r->sqlstate = sqlstate;
	snprintf(r->complaint, sizeof(r->complaint), "%s", complaint);
	pg_cancel_upstream(s);
}

bool
run_count_row(struct session *s, struct pending *p, size_t bytes)
{
	struct run *r = p->run;
	uint64_t *rows = p->portal != NULL ? &p->portal->rows
					   : &r->outcome.rows;
	char text[128];

	if (r->is_cut)
		return false;
	if (r->limits.rows != 0 && *rows >= r->limits.rows) {
		snprintf(text, sizeof(text),
		    "the result has more than the %llu rows allowed",
		    (unsigned long long)r->limits.rows);
		run_cut(s, r, "54000", text);
		return false;
	}
	if (p->portal != NULL)
		p->portal->rows++;
	r->outcome.rows++;
	r->outcome.bytes += bytes;
	return true;
}

enum err
pg_on_deadline(struct session *s)
{
	struct pending *front = queue_front(&pg_of(s)->queue);
	char text[128];

	s->relay.deadline = 0;
	if (audit_flush(s->audit) != ERR_NONE)
		log_error("session %s: a result could not be recorded", s->id);
	if (front == NULL || front->run == NULL ||
	    front->run->limits.seconds == 0)
		return ERR_NONE;
	snprintf(text, sizeof(text),
	    "the statement ran longer than the %llu seconds allowed",
	    (unsigned long long)front->run->limits.seconds);
	run_cut(s, front->run, "57014", text);
	return ERR_NONE;
}

void
pg_cancel_upstream(struct session *s)
{
	const struct pg_upstream *link = &pg_of(s)->link;
	enum err e = pg_upstream_cancel(
	    s->upstream, link->backend_pid, link->cancel_key);

	if (e != ERR_NONE)
		log_warning("session %s: cannot cancel at upstream %s: %s",
		    s->id, s->upstream->name, err_text(e));
}

/* The name now leads to this, or, when it cannot be kept, nowhere. */
static bool
keep_name(struct names *n, struct text name, void *value)
{
	if (value != NULL && names_count(n) < PG_NAMES_MAX &&
	    names_bytes() < PG_NAME_BYTES_MAX &&
	    names_set(n, name, value) == ERR_NONE)
		return true;
	names_remove(n, name);
	return false;
}

/* A cursor may be described and executed by its name, as a portal. */
static void
note_cursor(
    struct session *s, struct ruling *j, struct text name, bool is_held)
{
	const struct pg_bind bind = {.formats = (const uint8_t *)""};
	struct pg *pg = pg_of(s);
	struct prepared *p = prepared_new(j, j->sql, TEXT(""), 0);
	struct portal *portal =
	    p == NULL ? NULL : portal_new(p, &bind, pg->batch);

	prepared_drop(p);
	if (portal != NULL) {
		portal->is_cursor = portal->is_sure = true;
		portal->is_held = is_held;
	}
	if (!keep_name(pg->portals, name, portal))
		portal_drop(portal);
}

static void
note_prepared(struct session *s, struct ruling *j, struct text name)
{
	struct prepared *p = prepared_new(j, j->sql, TEXT(""), 0);

	if (p != NULL)
		p->is_sure = true;
	if (!keep_name(pg_of(s)->statements, name, p))
		prepared_drop(p);
}

/* CLOSE, DEALLOCATE: one name, or all where none is given. */
static void
forget(struct names *n, struct text name)
{
	if (name.len > 0)
		names_remove(n, name);
	else
		names_clear(n);
}

/* A text of several statements failed: which of them ran, nobody knows, and
 * names outlive a transaction. So those it could have changed lead nowhere. */
static void
forget_names(struct session *s, const struct statement *st)
{
	const uint64_t statements =
	    BIT(OP_PREPARE) | BIT(OP_DEALLOCATE) | BIT(OP_DISCARD);
	struct pg *pg = pg_of(s);

	if ((st->operations & statements) != 0)
		forget(pg->statements, st->subject);
	if ((st->operations & (BIT(OP_DECLARE) | BIT(OP_CLOSE))) != 0)
		forget(pg->portals, st->subject);
}

/* Does this DECLARE say WITH HOLD? (Quoted names have no spaces here.) */
static bool
is_held(const struct statement *st)
{
	static const char words[] = " with hold for ";

	return memmem(st->canonical.at, st->canonical.len, words,
		   sizeof(words) - 1) != NULL;
}

/* What a successful statement changed of the names we keep. */
static void
note_names(
    struct session *s, struct ruling *j, const struct statement *st)
{
	struct pg *pg = pg_of(s);

	if ((st->operations & BIT(OP_DECLARE)) != 0)
		note_cursor(s, j, st->subject, is_held(st));
	if ((st->operations & BIT(OP_CLOSE)) != 0)
		forget(pg->portals, st->subject);
	if ((st->operations & BIT(OP_DISCARD)) != 0)
		names_clear(pg->statements);
	if ((st->operations & BIT(OP_DEALLOCATE)) != 0)
		forget(pg->statements, st->subject);
	if ((st->operations & BIT(OP_PREPARE)) != 0)
		note_prepared(s, j, st->subject);
}

static void
suspect_prepared(void *value)
{
	((struct prepared *)value)->is_suspect = true;
}

static void
suspect_portal(void *value)
{
	struct portal *p = value;

	p->is_suspect = true;
	shape_drop(p->shape);
	p->shape = NULL;
}

/* Code may have run, and what it did to names stays, even if it failed. */
static void
note_effects(struct session *s, struct ruling *j, bool has_failed)
{
	const uint64_t schema = BIT(OP_CREATE) | BIT(OP_ALTER) | BIT(OP_DROP) |
	    BIT(OP_IMPORT_SCHEMA);
	const uint64_t code =
	    BIT(TRAIT_OPAQUE_FUNCTION) | BIT(TRAIT_UNKNOWN_FUNCTION);
	struct pg *pg = pg_of(s);
	size_t i;

	if ((j->operations & (schema | BIT(OP_DO) | BIT(OP_CALL))) != 0)
		snapshot_schema_changed(s->gate);
	if ((j->traits & code) != 0 ||
	    (j->operations & (BIT(OP_DO) | BIT(OP_CALL))) != 0)
		names_each(pg->statements, suspect_prepared);
	if (!j->is_plain)
		names_each(pg->portals, suspect_portal);
	for (i = 0; i < j->text.count; i++) {
		if (!has_failed)
			note_names(s, j, &j->text.statements[i]);
		else if (j->text.count > 1)
			forget_names(s, &j->text.statements[i]);
	}
}

void
run_finish(struct session *s, struct run *r)
{
	struct outcome *o = &r->outcome;

	if (r->started != 0)
		o->ms = relay_now() - r->started;
	note_effects(s, r->ruling, o->sqlstate[0] != '\0');
	s->slot->rows += o->rows;
	s->slot->masked += o->masked;
	s->relay.deadline = 0;
	if (r->ruling->text.count == 0)
		return; /* an empty query */
	if (record_result(s->gate, o) != ERR_NONE) {
		s->gate->results_lost++;
		log_error("session %s: a result could not be recorded", s->id);
	}
}
