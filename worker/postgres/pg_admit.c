/*
 * pg_admit.c - may this statement run? Recorded, held for a person if need be.
 *
 * The rule: pg_admit() gives a run only after the statement's audit record
 * was taken by the sink.
 */
#include <stdio.h>

#include "common/log.h"
#include "worker/builtin.h"
#include "worker/hold.h"
#include "worker/own_relations.h"
#include "worker/postgres/copy/pg_copy.h"
#include "worker/snapshot.h"

static const char sink_gone[] =
    "the audit trail takes no records; nothing runs until it does again";

bool
pg_renew(struct session *s, struct prepared *p)
{
	struct ruling *fresh;

	if (gate_is_current(s->gate, p->ruling))
		return true;
	fresh = p->is_unreadable ? gate_judge_unseen(s->gate)
				 : gate_judge(s->gate, p->sql);
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
pg_deny(
    struct session *s, char kind, const struct ruling *j, struct text reason)
{
	if (gate_record(s->gate, j, "deny", reason, 0) != ERR_NONE)
		return s->gate->is_barred
			   ? pg_end_barred(s)
			   : refuse_plainly(s, kind, "58030", sink_gone);
	if (s->gate->is_barred)
		return pg_end_barred(s);
	return pg_refuse_ruling(s, kind, j, reason, 0);
}

/* The one EXECUTE of the text, when nothing beside it can change what its
 * name leads to, or be confused with its result; else NULL. */
static const struct statement *
lone_execute(struct session *s, const struct ruling *j)
{
	const struct statement *found = NULL;
	size_t i;

	if (j->text.count > 1 && gate_protects(s->gate))
		return NULL;
	for (i = 0; i < j->text.count; i++) {
		const struct statement *st = &j->text.statements[i];

		if ((st->operations & BIT(OP_EXECUTE)) != 0 && found == NULL)
			found = st;
		else if (!builtin_is_plain(st))
			return NULL;
	}
	return found;
}

/* EXECUTE name: what was prepared under that name must be admissible too, as
 * of now. NULL: there is no EXECUTE, or no memory. The caller drops it: while
 * the statement is held, its name may go. */
static struct ruling *
inner_ruling(struct session *s, const struct ruling *j)
{
	const struct statement *st;
	struct prepared *p = NULL;

	if ((j->operations & BIT(OP_EXECUTE)) == 0)
		return NULL;
	st = lone_execute(s, j);
	if (st != NULL && st->subject.len > 0)
		p = names_get(pg_of(s)->statements, st->subject);
	if (p == NULL || p->is_suspect || !p->is_sure)
		return gate_judge_unseen(s->gate);
	if (!pg_renew(s, p))
		return NULL;
	s->gate->carries_later |= p->ruling->may_carry;
	return ruling_share(p->ruling);
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
    [HOLD_UNNUMBERED] = "the request could not be given a number",
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
	if (gate_record(s->gate, j, "deny", text_of(reason), held->request) !=
	    ERR_NONE)
		log_error("a refusal could not be recorded");
	if (s->has_ending)
		return ERR_CLOSED;
	return pg_refuse_ruling(s, kind, j, text_of(reason), held->request);
}

/* The approver sees the values too: they are what is approved. */
static void
hold_with_values(struct session *s, const struct ruling *j, struct text values,
    struct held *held)
{
	struct buffer shown = {.ceiling = 0};

	buffer_put_text(&shown, j->sql);
	pg_put_values(&shown, values);
	if (shown.failed)
		*held = (struct held){.result = HOLD_UNNUMBERED};
	else
		hold_statement(s, j,
		    (struct text){(const char *)shown.bytes, shown.len}, values,
		    announce, held);
	buffer_free(&shown);
}

/* --- admission ------------------------------------------------------------ */

/* Things of this version's protocol support, not of policy. */
static struct text
unsupported(struct session *s, const struct ruling *j)
{
	if ((j->operations & BIT(OP_REPLICATION)) != 0 &&
	    pg_of(s)->replication == REPLICATION_NONE)
		return TEXT("replication needs a connection of its own kind");
	return copy_out_refusal(s, j);
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

/* Why a text with EXECUTE is refused for what it executes; len 0: it is not. */
static struct text
inner_refusal(const struct ruling *j, const struct ruling *inner)
{
	bool is_unseen = inner == NULL || inner->text.count == 0;

	if (is_unseen &&
	    (inner == NULL || inner->verdict.decision == THEN_DENY))
		return TEXT("EXECUTE of a statement that is not known to be "
			    "prepared here");
	if (inner->verdict.decision == THEN_DENY)
		return inner->verdict.reason;
	if (inner->verdict.decision != THEN_ALLOW)
		return TEXT("what it executes needs approval: send it as "
			    "itself");
	if (inner->may_carry && !j->may_carry)
		return TEXT("what it executes was found to reach protected "
			    "values: send it again");
	if (inner->may_carry && (j->operations & BIT(OP_CREATE)) != 0)
		return TEXT("would copy what it executes, which may reach "
			    "protected values, to where they are not "
			    "protected");
	return (struct text){NULL, 0};
}

/* Everything short of holding and of the rate. `reason_out` says why it is
 * refused. */
static bool
is_admissible(struct session *s, const struct ruling *j,
    const struct ruling *inner, struct text *reason_out)
{
	*reason_out = (struct text){NULL, 0};
	if (j->verdict.decision == THEN_DENY)
		return false;
	*reason_out = unsupported(s, j);
	if (reason_out->len == 0 && fetches_portal(pg_of(s), j))
		*reason_out =
		    TEXT("a portal bound by message is run by Execute "
			 "only");
	if (reason_out->len > 0)
		return false;
	if ((j->operations & BIT(OP_EXECUTE)) != 0) {
		*reason_out = inner_refusal(j, inner);
		if (reason_out->len > 0)
			return false;
	}
	if (undo_is_uncountable(j, inner)) {
		*reason_out = TEXT(
		    "under a limit on changed rows, writes in WITH and "
		    "EXPLAIN ANALYZE of writes are refused: they cannot be "
		    "counted");
		return false;
	}
	return true;
}

/* One statement more in this minute? */
static bool
is_within_rate(
    struct session *s, const struct ruling *j, struct text *reason_out)
{
	if (gate_take_rate(s->gate, j))
		return true;
	*reason_out = TEXT("too many statements in this minute");
	return false;
}

/* Is what was approved still admissible? Policy, catalogue and names may be
 * others by now. Its place in the rate it has, unless that is another rate. */
static bool
is_admissible_still(struct session *s, const struct ruling *fresh,
    const struct ruling *held, const struct ruling *inner,
    struct text *reason_out)
{
	if (!is_admissible(s, fresh, inner, reason_out))
		return false;
	if (inner != NULL && inner->generation != fresh->generation)
		*reason_out = TEXT("the policy changed while it was held: "
				   "send it again");
	else if (fresh->generation != held->generation)
		return is_within_rate(s, fresh, reason_out);
	return reason_out->len == 0;
}

/* Hold it; true when it was approved and is still admissible, with `*j`
 * renewed. */
static enum err
hold(struct session *s, char kind, struct ruling **j,
    const struct ruling *inner, struct text values, bool *approved_out)
{
	struct ruling *fresh;
	struct held held;
	struct text why;
	char reason[160];
	enum err e = pg_settle(s);

	*approved_out = false;
	if (e != ERR_NONE || pg_of(s)->is_skipping)
		return e;
	hold_with_values(s, *j, values, &held);
	if (held.result != HOLD_APPROVED)
		return refuse_held(s, kind, *j, &held);
	fresh = gate_judge(s->gate, (*j)->sql);
	if (fresh == NULL)
		return refuse_plainly(s, kind, "53200", "out of memory");
	if (!is_admissible_still(s, fresh, *j, inner, &why)) {
		e = pg_deny(s, kind, fresh, why);
		ruling_drop(fresh);
		return e;
	}
	snprintf(reason, sizeof(reason), "approved by %s", held.decided_by);
	e = gate_record(s->gate, fresh, "allow", text_of(reason), held.request);
	ruling_drop(*j);
	*j = fresh;
	if (e != ERR_NONE)
		return refuse_plainly(s, kind, "58030", sink_gone);
	*approved_out = true;
	return ERR_NONE;
}

/* May it change what the catalogue says of relations that others see? */
static bool
changes_schema(const struct ruling *j)
{
	const uint64_t changing = BIT(OP_CREATE) | BIT(OP_ALTER) |
	    BIT(OP_DROP) | BIT(OP_IMPORT_SCHEMA) | BIT(OP_DO) | BIT(OP_CALL);

	size_t i;

	for (i = 0; i < j->text.count; i++) {
		const struct statement *st = &j->text.statements[i];

		if ((st->operations & changing) != 0 &&
		    (st->traits & BIT(TRAIT_TEMPORARY)) == 0)
			return true;
	}
	return j->may_redefine ||
	       (j->text.count == 0 && (j->operations & changing) != 0);
}

static void
note_admitted(struct session *s, const struct ruling *j,
    const struct ruling *inner, struct run *r)
{
	const uint64_t later = BIT(OP_DECLARE) | BIT(OP_PREPARE);
	struct verdict v = {.limits = r->limits};
	struct pg *pg = pg_of(s);
	struct gate *g = s->gate;
	bool runs_late;

	if (inner != NULL) {
		verdict_tighten(&v, &inner->verdict);
		r->limits = v.limits;
		r->operations |= inner->operations;
		r->traits |= inner->traits;
	}
	if ((j->may_carry && (j->operations & later) != 0) ||
	    (j->traits & (BIT(TRAIT_OPAQUE_FUNCTION) |
			     BIT(TRAIT_UNKNOWN_FUNCTION))) != 0 ||
	    (j->operations & (BIT(OP_DO) | BIT(OP_CALL))) != 0)
		g->carries_later = true;
	own_admitted(g, j);
	if (j->touch.makes > g->makes)
		g->makes = j->touch.makes;
	runs_late = pg->may_set_late && (j->operations & BIT(OP_COMMIT)) != 0;
	pg->is_barred |= !j->is_plain || runs_late;
	pg->is_unreported |= j->may_set || runs_late;
	if (j->instead.len > 0)
		gate_claim(g, j->text.statements[0].value);
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

	if (!is_admissible(s, *j, inner, &reason) ||
	    !is_within_rate(s, *j, &reason))
		return pg_deny(s, kind, *j, reason);
	if ((*j)->verdict.decision == THEN_APPROVE) {
		e = hold(s, kind, j, inner, values, &approved);
		if (e != ERR_NONE || !approved)
			return e;
	} else if (gate_record(s->gate, *j, "allow", TEXT(""), 0) != ERR_NONE) {
		return refuse_plainly(s, kind, "58030", sink_gone);
	}
	/* before it is forwarded: nobody may believe the old catalogue when
	 * the change is committed */
	if (changes_schema(*j) &&
	    snapshot_schema_changed(s->gate, own_is_doubted(*j)) != ERR_NONE)
		return refuse_plainly(s, kind, "58000",
		    "the other sessions could not be told of a change of the "
		    "schema");
	*run_out = run_new(*j, s->record.seq);
	if (*run_out == NULL)
		return refuse_plainly(s, kind, "53200", "out of memory");
	note_admitted(s, *j, inner, *run_out);
	return ERR_NONE;
}

enum err
pg_admit(struct session *s, char kind, struct ruling *j, struct text values,
    struct run **run_out)
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
