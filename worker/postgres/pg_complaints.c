/*
 * pg_complaints.c - the server's errors and notices, and what an error ends.
 *
 * The rule: to an identity from which values are protected no complaint
 * passes as it is that could quote one.
 */
#include "worker/postgres/pg_back.h"

/* Of the statement that is being answered; NULL: nobody knows which. */
static const struct ruling *
ruling_answered(const struct pending *p)
{
	if (p != NULL && p->run != NULL)
		return p->run->ruling;
	if (p != NULL && p->portal != NULL)
		return p->portal->prepared->ruling;
	if (p != NULL && p->prepared != NULL)
		return p->prepared->ruling;
	return NULL;
}

/* Could its text quote a protected value to this identity? */
static bool
must_scrub(struct session *s, const struct pending *p)
{
	const struct ruling *j = ruling_answered(p);

	if (!gate_protects(s->gate))
		return false;
	/* at its end a transaction checks constraints that were deferred */
	return j == NULL || j->touch.is_protected || j->may_carry ||
	       (j->operations & BIT(OP_COMMIT)) != 0;
}

static enum err
pass_scrubbed(struct session *s, const struct answer *a, enum fate *fate)
{
	const struct ruling *j = ruling_answered(queue_front(&pg_of(s)->queue));
	struct text typed = j == NULL ? TEXT("") : j->sql;

	*fate = FATE_DROP;
	if (pg_put_scrubbed(pg_out(s), a->type, a->body, typed) != ERR_NONE)
		return back_unexpected(s, a);
	return ERR_NONE;
}

enum err
back_on_notice(struct session *s, const struct answer *a, enum fate *fate)
{
	if (must_scrub(s, queue_front(&pg_of(s)->queue)))
		return pass_scrubbed(s, a, fate);
	return ERR_NONE;
}

/* After an error the server ignores everything up to Sync: none of those
 * requests will be answered, and what they would have made does not exist. */
static void
drop_unanswered(struct session *s)
{
	struct pg *pg = pg_of(s);
	struct pending *p;

	for (p = queue_front(&pg->queue); p != NULL && p->kind != 'S';
	     p = queue_front(&pg->queue)) {
		if (p->prepared != NULL && !p->prepared->is_sure)
			names_remove_value(pg->statements, p->prepared);
		if (p->portal != NULL && !p->portal->is_sure)
			names_remove_value(pg->portals, p->portal);
		queue_pop(&pg->queue);
	}
	if (p == NULL) {
		pg->is_skipping = true; /* its Sync has not come yet */
		pg->is_barred = false;
	}
}

static void
note_error(struct run *r, const struct answer *a)
{
	struct pg_error error;

	if (pg_parse_error(a->body, &error) == ERR_NONE &&
	    error.sqlstate.len == 5)
		memcpy(r->outcome.sqlstate, error.sqlstate.at, 5);
	else
		memcpy(r->outcome.sqlstate, "XX000", 5);
}

enum err
back_on_error(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);
	enum err e = ERR_NONE;

	if (p == NULL) /* the server ends the session and says why */
		return must_scrub(s, p) ? pass_scrubbed(s, a, fate) : ERR_NONE;
	if (p->is_muted) {
		*fate = FATE_DROP;
	} else if (p->is_poison) {
		buffer_put(pg_out(s), p->local.bytes, p->local.len);
		*fate = FATE_DROP;
	} else if (p->run != NULL && p->run->is_cut) {
		back_put_cut(s, p->run);
		*fate = FATE_DROP;
	} else if (must_scrub(s, p)) {
		e = pass_scrubbed(s, a, fate);
	}
	if (p->run != NULL && p->run->outcome.sqlstate[0] == '\0')
		note_error(p->run, a);
	if (p->kind == 'Q' || p->kind == 'S') /* ReadyForQuery follows */
		return e;
	if (p->run != NULL)
		run_finish(s, p->run);
	drop_unanswered(s);
	return e;
}
