/*
 * pg_execute.c - Execute, and the Sync at the end of a batch.
 *
 * The rule: nothing is executed whose columns are not known where values are
 * protected, and no Sync goes out while a result that was cut may be kept.
 */
#include "worker/postgres/copy/pg_copy.h"

/* Are the portal's columns unknown, under the policy now in force? Those of
 * FETCH and EXECUTE are those of another portal or statement, which may have
 * been replaced since. */
static bool
needs_description(struct session *s, const struct portal *p)
{
	const uint64_t indirect = BIT(OP_FETCH) | BIT(OP_EXECUTE);
	const struct ruling *j = p->prepared->ruling;

	if (!gate_protects(s->gate))
		return false;
	if ((j->operations & indirect) != 0)
		return true;
	if (p->shape == NULL)
		return !p->is_described || p->is_suspect;
	return p->shape->generation != j->generation ||
	       p->shape->reading != j->reading ||
	       p->shape->own_version != j->own_version;
}

/* A client need not describe what it executes; we must know the columns. */
static enum err
describe_for_us(struct session *s, struct text name, struct portal *portal)
{
	struct pending *p = front_expect(s, 'D');

	if (p == NULL)
		return front_out_of_memory(s);
	p->is_ours = true;
	p->target = 'P';
	p->portal = portal_share(portal);
	portal->is_described = true;
	pg_put_describe_portal(&s->relay.upstream.out, name);
	return ERR_NONE;
}

/* COPY TO STDOUT with values to be masked. */
static enum err
execute_copy(struct session *s, struct run *run)
{
	bool is_limited = undo_is_wanted(run);
	enum err e = copy_out_run(s, 'E', run, false);

	return e == ERR_NONE && is_limited ? undo_execute(s) : e;
}

void
front_note_execute(struct pg *pg, const struct run *run)
{
	pg->has_several |= pg->has_implicit_work;
	pg->has_implicit_work = true;
	pg->has_limited |=
	    run->limits.rows != 0 || run->ruling->touch.derived.is_denied;
}

static enum err
forward_execute(struct session *s, const struct message *r, struct text name,
    struct portal *portal, struct run *run)
{
	struct pg *pg = pg_of(s);
	uint16_t reads = copy_reads(run->ruling);
	struct pending *p;
	enum err e = ERR_NONE;

	/* an Execute before it may yet be cut short, and then this one must
	 * not have run */
	if (pg->has_limited || reads > 0)
		e = pg_settle(s);
	if (e != ERR_NONE || pg->is_skipping) {
		run_abandon(s, run);
		return e;
	}
	if (needs_description(s, portal))
		e = describe_for_us(s, name, portal);
	p = e == ERR_NONE ? front_expect(s, 'E') : NULL;
	if (p == NULL) {
		run_drop(run);
		return e != ERR_NONE ? e : front_out_of_memory(s);
	}
	p->run = run;
	p->portal = portal_share(portal);
	copy_expect(pg, p, reads);
	front_note_execute(pg, run);
	if (undo_is_wanted(run)) /* all at once: a part tells no count */
		pg_put_execute_all(&s->relay.upstream.out, name);
	else
		front_forward(s, r);
	if (pg->queue.count == 1)
		run_start(s, run);
	return undo_is_wanted(run) ? undo_execute(s) : ERR_NONE;
}

enum err
extended_execute(struct session *s, const struct message *r)
{
	struct pg *pg = pg_of(s);
	struct pg_execute execute;
	struct portal *portal = NULL;
	struct run *run;
	enum err e;

	if (pg_parse_execute(r->body, &execute) != ERR_NONE)
		return front_malformed(s);
	e = front_pass_bar(s);
	if (e == ERR_NONE)
		e = extended_find_portal(s, execute.portal, &portal);
	if (e != ERR_NONE || pg->is_skipping)
		return e;
	if (portal == NULL)
		return extended_refuse_missing(s, 'E', 'P', execute.portal);
	if (!pg_renew(s, portal->prepared))
		return front_out_of_memory(s);
	if (portal->has_no_values &&
	    portal->prepared->ruling->verdict.decision == THEN_APPROVE)
		return front_refuse(s, 'E', "0A000",
		    "the policy now asks for approval, and the values were "
		    "not kept for the approver: bind it again");
	portal_share(portal); /* holding may take long; names may change */
	e = pg_admit(s, 'E', portal->prepared->ruling, portal->values, &run);
	if (e == ERR_NONE && run != NULL && copy_is_masked(s, run))
		e = execute_copy(s, run);
	else if (e == ERR_NONE && run != NULL)
		e = forward_execute(s, r, execute.portal, portal, run);
	portal_drop(portal);
	return e;
}

enum err
pg_sync(struct session *s)
{
	struct pg *pg = pg_of(s);
	struct pending *p = front_expect(s, 'S');

	if (p == NULL)
		return front_out_of_memory(s);
	pg->batch++;
	pg->has_unsynced = false;
	pg->has_several = false;
	pg->is_skipping = false;
	pg_put_empty(&s->relay.upstream.out, 'S');
	return ERR_NONE;
}

enum err
pg_sync_ours(struct session *s)
{
	struct pg *pg = pg_of(s);
	enum err e = pg_sync(s);

	if (e == ERR_NONE) {
		queue_at(&pg->queue, pg->queue.count - 1)->is_ours = true;
		e = pg_settle(s);
	}
	return e;
}

/* Where an Execute was cut short that the server believes complete, the client
 * takes the batch for undone: Sync may not commit what else was in it. (Beside
 * a COPY that reads the client's data nothing can be awaited.) */
static enum err
undo_cut_batch(struct session *s)
{
	struct pg *pg = pg_of(s);
	enum err e = ERR_NONE;

	if (!pg->has_several)
		return ERR_NONE;
	if (pg->has_limited && pg->queue.readers == 0)
		e = pg_settle(s);
	if (e != ERR_NONE || !pg->must_roll_back || pg->status != 'I' ||
	    pg->is_in_block)
		return e;
	return pg_poison(s, NULL);
}

enum err
extended_sync(struct session *s, const struct message *r)
{
	enum err e;

	if (wire_end(&r->body) != ERR_NONE)
		return front_malformed(s);
	e = undo_cut_batch(s);
	return e == ERR_NONE ? copy_sync(s) : e;
}

enum err
extended_flush(struct session *s, const struct message *r)
{
	if (wire_end(&r->body) != ERR_NONE)
		return front_malformed(s);
	front_forward(s, r);
	return ERR_NONE;
}
