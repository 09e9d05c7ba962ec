/*
 * pg_extended.c - the extended query protocol, as the client speaks it.
 *
 * The rule: a name leads to what it leads to at the server; where that is not
 * sure, the server's answer is awaited first.
 */
#include <stdio.h>

#include "worker/postgres/copy/pg_copy.h"

enum { VALUES_KEPT_MAX = 4096 }; /* of a portal, in case it must be approved */

/* An error that the server would have found: said in its words, which clients
 * know, and with what follows from it. */
static enum err
fail(struct session *s, char kind, const char *sqlstate, const char *message)
{
	const struct refusal r = {.sqlstate = sqlstate,
	    .message = text_of(message),
	    .is_error = true};

	return pg_refuse_statement(s, kind, &r);
}

/* No prepared statement ('S') or portal ('P') has the name. */
static enum err
refuse_missing(struct session *s, char kind, char target, struct text name)
{
	char text[PG_NAME_MAX + 64];
	int len = (int)(name.len < PG_NAME_MAX ? name.len : PG_NAME_MAX);

	if (target == 'P') {
		snprintf(text, sizeof(text), "portal \"%.*s\" does not exist",
		    len, name.at);
		return fail(s, kind, "34000", text);
	}
	if (len == 0)
		return fail(s, kind, "26000",
		    "unnamed prepared statement does not exist");
	snprintf(text, sizeof(text),
	    "prepared statement \"%.*s\" does not exist", len, name.at);
	return fail(s, kind, "26000", text);
}

/* Give the new statement its name. A named one that exists already is for
 * the server to refuse; until it has, the name leads to the old one. */
static enum err
name_prepared(struct session *s, struct text name, struct prepared *p)
{
	struct pg *pg = pg_of(s);
	bool exists = name.len > 0 && names_get(pg->statements, name) != NULL;
	enum err e;

	if (exists) {
		e = pg_settle(s);
		if (e != ERR_NONE || !p->is_sure)
			return e;
	}
	if (names_count(pg->statements) >= PG_NAMES_MAX)
		return pg_fatal(s, ENDING_ERROR, "54000",
		    "too many prepared statements in one session");
	if (names_set(pg->statements, name, prepared_share(p)) != ERR_NONE) {
		prepared_drop(p);
		return front_out_of_memory(s);
	}
	return ERR_NONE;
}

static enum err
forward_parse(struct session *s, const struct message *r,
    const struct pg_parse *parse, struct ruling *j)
{
	struct pg *pg = pg_of(s);
	struct text body = {(const char *)r->body.at, r->body.left};
	struct prepared *p = prepared_new(j, parse->sql, body, pg->batch);
	struct pending *pending = p == NULL ? NULL : front_expect(s, 'P');
	enum err e;

	if (pending == NULL) {
		prepared_drop(p);
		return front_out_of_memory(s);
	}
	pending->prepared = prepared_share(p);
	if (parse->name.len > 0 && j->may_carry)
		s->gate->carries_later = true; /* to SQL's EXECUTE */
	front_forward(s, r);
	e = name_prepared(s, parse->name, p);
	prepared_drop(p);
	return e;
}

/* A text that only claims something, which another is to be prepared for. */
static enum err
forward_parse_instead(struct session *s, struct text name, struct ruling *j)
{
	struct buffer b = {.ceiling = PG_NAME_MAX + 256};
	struct message m = {.type = 'P'};
	struct pg_parse parse;
	enum err e;

	pg_put_parse(&b, name, j->instead);
	m.bytes = (struct text){(const char *)b.bytes, b.len};
	m.body = wire_of(m.bytes.at, m.bytes.len);
	wire_bytes(&m.body, PG_HEADER);
	e = b.failed ? ERR_TOO_LONG : pg_parse_parse(m.body, &parse);
	e = e == ERR_NONE ? forward_parse(s, &m, &parse, j)
			  : front_out_of_memory(s);
	buffer_free(&b);
	return e;
}

enum err
extended_parse(struct session *s, const struct message *r)
{
	struct pg_parse parse;
	struct ruling *j;
	enum err e;

	if (pg_parse_parse(r->body, &parse) != ERR_NONE)
		return front_malformed(s);
	e = front_pass_bar(s);
	if (e == ERR_NONE)
		e = front_pass_switch(s, parse.sql);
	if (e == ERR_NONE)
		e = front_make_room(s, r);
	if (e != ERR_NONE || pg_of(s)->is_skipping)
		return e;
	if (!front_is_fit_name(s, parse.name))
		return front_refuse_name(s, 'P');
	if (front_is_ambiguous(s, parse.sql))
		return front_refuse_ambiguous(s, 'P');
	j = gate_judge(s->gate, parse.sql);
	if (j == NULL)
		return front_out_of_memory(s);
	if (j->verdict.decision == THEN_DENY)
		e = pg_deny(s, 'P', j, TEXT(""));
	else if (j->instead.len > 0)
		e = forward_parse_instead(s, parse.name, j);
	else
		e = forward_parse(s, r, &parse, j);
	ruling_drop(j);
	return e;
}

/* Make sure that the server has the text we know under this name, whatever
 * code has run since: prepare it again. */
static enum err
prepare_again(struct session *s, struct text name, struct prepared *p)
{
	struct buffer *out = &s->relay.upstream.out;
	struct pending *close = front_expect(s, 'C'), *parse = NULL;
	size_t at;

	if (close != NULL) {
		close->is_ours = true;
		parse = front_expect(s, 'P');
	}
	if (parse == NULL)
		return front_out_of_memory(s);
	parse->is_ours = true;
	pg_put_close(out, 'S', name);
	at = pg_message_begin(out, 'P');
	buffer_put_text(out, p->message);
	pg_message_end(out, at);
	p->is_suspect = false;
	return ERR_NONE;
}

/* The statement of that name, as the server will see it; NULL: none. It is
 * borrowed from the name, which may go whenever an answer is awaited. A name
 * given in an earlier batch counts only when the server has confirmed it,
 * because a failure there would leave an older statement in its place. */
static enum err
find_prepared(struct session *s, struct text name, struct prepared **out)
{
	struct pg *pg = pg_of(s);
	struct prepared *p = names_get(pg->statements, name);
	enum err e = ERR_NONE;

	*out = NULL;
	if (!pg_is_fit_name(s, name))
		return ERR_NONE;
	if (p != NULL && !p->is_sure && p->batch != pg->batch) {
		e = pg_settle(s);
		p = names_get(pg->statements, name);
	}
	*out = p;
	if (e == ERR_NONE && p != NULL && p->is_suspect) {
		if (p->message.len == 0 || p->is_unreadable)
			*out = NULL; /* by SQL PREPARE: not ours to repeat */
		else
			e = prepare_again(s, name, p);
	}
	return e;
}

static enum err
forward_bind(struct session *s, const struct message *r, struct pg_bind *bind,
    struct prepared *prepared)
{
	struct pg *pg = pg_of(s);
	struct pending *p;
	struct portal *portal;
	bool drops = false;

	if (prepared->ruling->verdict.decision != THEN_APPROVE)
		drops = bind->values.len > VALUES_KEPT_MAX;
	if (drops) /* they are kept for an approver's eyes only */
		bind->values.len = 0;
	portal = portal_new(prepared, bind, pg->batch);
	if (portal == NULL)
		return front_out_of_memory(s);
	if (names_count(pg->portals) >= PG_NAMES_MAX) {
		portal_drop(portal);
		return pg_fatal(s, ENDING_ERROR, "54000",
		    "too many portals in one session");
	}
	p = front_expect(s, 'B');
	if (p == NULL ||
	    names_set(pg->portals, bind->portal, portal) != ERR_NONE) {
		portal_drop(portal);
		return front_out_of_memory(s);
	}
	portal->has_no_values = drops;
	p->portal = portal_share(portal);
	if (bind->portal.len > 0 && prepared->ruling->may_carry)
		s->gate->carries_later = true; /* to SQL's FETCH */
	front_forward(s, r);
	return ERR_NONE;
}

enum err
extended_bind(struct session *s, const struct message *r)
{
	struct pg *pg = pg_of(s);
	struct prepared *prepared = NULL;
	struct pg_bind bind;
	enum err e;

	if (pg_parse_bind(r->body, &bind) != ERR_NONE)
		return front_malformed(s);
	e = front_pass_bar(s);
	if (e == ERR_NONE)
		e = front_make_room(s, r);
	if (e == ERR_NONE && !pg->is_skipping && bind.portal.len > 0 &&
	    names_get(pg->portals, bind.portal) != NULL)
		e = pg_settle(s); /* the server will refuse a second one */
	/* last: what it finds may go while anything is awaited */
	if (e == ERR_NONE && !pg->is_skipping)
		e = find_prepared(s, bind.statement, &prepared);
	if (e != ERR_NONE || pg->is_skipping)
		return e;
	if (!front_is_fit_name(s, bind.portal))
		return front_refuse_name(s, 'B');
	if (bind.portal.len > 0 && names_get(pg->portals, bind.portal) != NULL)
		return fail(s, 'B', "42P03", "cursor already exists");
	if (prepared == NULL)
		return refuse_missing(s, 'B', 'S', bind.statement);
	if (!pg_renew(s, prepared))
		return front_out_of_memory(s);
	if (prepared->ruling->verdict.decision == THEN_DENY)
		return pg_deny(s, 'B', prepared->ruling, TEXT(""));
	/* functions can run a portal by its name */
	if (prepared->ruling->verdict.decision == THEN_APPROVE &&
	    bind.portal.len > 0)
		return pg_deny(s, 'B', prepared->ruling,
		    TEXT("a statement that needs approval is bound to the "
			 "unnamed portal only"));
	return forward_bind(s, r, &bind, prepared);
}

/* As find_prepared(), for portals. */
static enum err
find_portal(struct session *s, struct text name, struct portal **out)
{
	struct pg *pg = pg_of(s);
	struct portal *p = names_get(pg->portals, name);
	enum err e = ERR_NONE;

	*out = NULL;
	if (!pg_is_fit_name(s, name))
		return ERR_NONE;
	if (p != NULL && !p->is_sure && p->batch != pg->batch) {
		e = pg_settle(s);
		p = names_get(pg->portals, name);
	}
	*out = p;
	return e;
}

enum err
extended_describe(struct session *s, const struct message *r)
{
	struct pg *pg = pg_of(s);
	struct prepared *prepared = NULL;
	struct portal *portal = NULL;
	struct pg_target target;
	struct pending *p;
	enum err e;

	if (pg_parse_target(r->body, &target) != ERR_NONE)
		return front_malformed(s);
	e = front_pass_bar(s);
	if (e == ERR_NONE && target.kind == 'S')
		e = find_prepared(s, target.name, &prepared);
	else if (e == ERR_NONE)
		e = find_portal(s, target.name, &portal);
	if (e != ERR_NONE || pg->is_skipping)
		return e;
	if (prepared == NULL && portal == NULL)
		return refuse_missing(s, 'D', target.kind, target.name);
	p = front_expect(s, 'D');
	if (p == NULL)
		return front_out_of_memory(s);
	p->target = target.kind;
	p->prepared = prepared == NULL ? NULL : prepared_share(prepared);
	p->portal = portal == NULL ? NULL : portal_share(portal);
	if (portal != NULL)
		portal->is_described = true;
	front_forward(s, r);
	return ERR_NONE;
}

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
	       p->shape->reading != j->reading;
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
		run_drop(run);
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
		e = find_portal(s, execute.portal, &portal);
	if (e != ERR_NONE || pg->is_skipping)
		return e;
	if (portal == NULL)
		return refuse_missing(s, 'E', 'P', execute.portal);
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
extended_close(struct session *s, const struct message *r)
{
	struct pg *pg = pg_of(s);
	struct pg_target target;
	struct pending *p;
	enum err e;

	if (pg_parse_target(r->body, &target) != ERR_NONE)
		return front_malformed(s);
	e = front_pass_bar(s);
	if (e != ERR_NONE || pg->is_skipping)
		return e;
	if (!front_is_fit_name(s, target.name))
		return front_refuse_name(s, 'C');
	p = front_expect(s, 'C');
	if (p == NULL)
		return front_out_of_memory(s);
	/* the names go when the server has confirmed */
	if (target.kind == 'S') {
		p->prepared = names_get(pg->statements, target.name);
		if (p->prepared != NULL)
			prepared_share(p->prepared);
	} else {
		p->portal = names_get(pg->portals, target.name);
		if (p->portal != NULL)
			portal_share(p->portal);
	}
	front_forward(s, r);
	return ERR_NONE;
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
