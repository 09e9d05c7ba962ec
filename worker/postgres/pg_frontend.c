/*
 * pg_frontend.c - the client's messages: judged, then forwarded.
 *
 * The rule: bytes go upstream only from a handler in the table below, and a
 * handler forwards only what it has parsed whole and what the gate admitted.
 */
#include <stdio.h>

#include "worker/postgres/pg.h"
#include "worker/snapshot.h"

enum {
	MESSAGE_MAX = 0x3fffffff, /* as the server's own limit: 1 GiB */
	RESULT_DELAY_MS = 20,	  /* results are recorded this late */
};

/* One message of the client, whole. */
struct message {
	char type;
	struct text bytes; /* with its header */
	struct wire body;
};

enum err
pg_wait(struct session *s, bool wants_client)
{
	enum err e;

	/* idle: a result that waits for company does not wait for long */
	if (s->relay.deadline == 0 && audit_has_deferred(s->audit))
		s->relay.deadline = relay_now() + RESULT_DELAY_MS;
	e = relay_turn(&s->relay, wants_client);
	if (e == ERR_CLOSED)
		return session_lost(s);
	if (e == ERR_DEADLINE)
		return pg_on_deadline(s);
	if (e == ERR_INTERRUPTED) {
		e = session_attend(s);
		if (e == ERR_INTERRUPTED) {
			pg_cancel_upstream(s);
			e = ERR_NONE;
		}
	}
	return e;
}

static void
forward(struct session *s, const struct message *r)
{
	buffer_put_text(&s->relay.upstream.out, r->bytes);
}

static enum err
malformed(struct session *s)
{
	return pg_fatal(s, ENDING_PROTOCOL, "08P01",
	    "malformed message from the client");
}

static enum err
out_of_memory(struct session *s)
{
	return pg_fatal(s, ENDING_ERROR, "53200", "out of memory");
}

static enum err
refuse(struct session *s, char kind, const char *sqlstate, const char *message)
{
	const struct refusal r = {
	    .sqlstate = sqlstate, .message = text_of(message)};

	return pg_refuse_statement(s, kind, &r);
}

/* The server would cut a longer name, and so have one for two of ours. */
static enum err
refuse_long_name(struct session *s, char kind)
{
	return refuse(s, kind, "42622",
	    "names of statements and portals may have 63 bytes");
}

/* A place in the queue for the answer to an extended-query message. */
static struct pending *
expect(struct session *s, char kind)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_push(&pg->queue, kind);

	if (p != NULL)
		p->batch = pg->batch;
	pg->has_unsynced = true;
	return p;
}

/* What is in flight may change how the next text is to be read or judged:
 * wait for it. */
static enum err
pass_bar(struct session *s)
{
	return pg_of(s)->is_barred ? pg_settle(s) : ERR_NONE;
}

/* What is kept of statements is bounded: wait until those in flight are over;
 * what is left then are names, of which there are too many. */
static enum err
make_room(struct session *s, const struct message *r)
{
	enum err e = ERR_NONE;

	if (names_bytes() + r->bytes.len > PG_NAME_BYTES_MAX)
		e = pg_settle(s);
	if (e == ERR_NONE && names_bytes() + r->bytes.len > PG_NAME_BYTES_MAX)
		e = pg_fatal(s, ENDING_ERROR, "54000",
		    "the prepared statements of one session take too much "
		    "memory");
	return e;
}

/* --- simple query --------------------------------------------------------- */

/* FETCH: the cursor it reads, so that its rows count together. */
static struct portal *
fetched_cursor(struct session *s, const struct ruling *j)
{
	const struct statement *st = j->text.statements;
	struct portal *p = NULL;

	if (j->text.count == 1 && (st->operations & BIT(OP_FETCH)) != 0)
		p = names_get(pg_of(s)->portals, st->subject);
	return p == NULL ? NULL : portal_share(p);
}

static enum err
on_query(struct session *s, const struct message *r)
{
	struct pg *pg = pg_of(s);
	struct wire body = r->body;
	struct text sql = wire_cstring(&body);
	struct ruling *j;
	struct pending *p;
	struct run *run;
	enum err e = wire_end(&body);

	if (e != ERR_NONE)
		return malformed(s);
	e = pass_bar(s);
	if (e == ERR_NONE)
		e = make_room(s, r);
	if (e != ERR_NONE || pg->is_skipping)
		return e;
	j = gate_judge(s->gate, sql);
	e = pg_admit(s, 'Q', j, TEXT(""), &run);
	ruling_drop(j);
	if (e != ERR_NONE || run == NULL)
		return e;
	if (undo_is_wanted(run))
		return undo_query(s, r->bytes, run);
	p = expect(s, 'Q');
	if (p == NULL) {
		run_drop(run);
		return out_of_memory(s);
	}
	p->run = run;
	p->portal = fetched_cursor(s, run->ruling);
	pg->batch++;
	pg->has_unsynced = false;
	forward(s, r);
	if (pg->queue.count == 1)
		run_start(s, run);
	return ERR_NONE;
}

/* --- extended query ------------------------------------------------------- */

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
		return out_of_memory(s);
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
	struct pending *pending = p == NULL ? NULL : expect(s, 'P');
	enum err e;

	if (pending == NULL) {
		prepared_drop(p);
		return out_of_memory(s);
	}
	pending->prepared = prepared_share(p);
	if (parse->name.len > 0 && j->may_carry)
		s->gate->carries_later = true; /* to SQL's EXECUTE */
	forward(s, r);
	e = name_prepared(s, parse->name, p);
	prepared_drop(p);
	return e;
}

/* Does the reading of this text hang on a setting that may have changed
 * without our knowing? */
static bool
is_ambiguous(struct session *s, struct text sql)
{
	struct pg *pg = pg_of(s);
	size_t i;

	if (!pg->is_unreported &&
	    (s->gate->lex.standard_conforming_strings ||
		!pg->has_implicit_work))
		return false;
	for (i = 0; i < sql.len; i++) {
		if (sql.at[i] == '\\' || (unsigned char)sql.at[i] >= 0x80)
			return true;
	}
	return false;
}

static enum err
on_parse(struct session *s, const struct message *r)
{
	struct pg_parse parse;
	struct ruling *j;
	enum err e;

	if (pg_parse_parse(r->body, &parse) != ERR_NONE)
		return malformed(s);
	e = pass_bar(s);
	if (e == ERR_NONE)
		e = make_room(s, r);
	if (e != ERR_NONE || pg_of(s)->is_skipping)
		return e;
	if (parse.name.len > PG_NAME_MAX)
		return refuse_long_name(s, 'P');
	if (is_ambiguous(s, parse.sql))
		return refuse(s, 'P', "0A000",
		    "how this text is read hangs on settings that an earlier "
		    "statement of the batch may have changed: send a Sync "
		    "before it");
	j = gate_judge(s->gate, parse.sql);
	if (j == NULL)
		return out_of_memory(s);
	if (j->verdict.decision == THEN_DENY)
		e = pg_deny(s, 'P', j, TEXT(""));
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
	struct pending *close = expect(s, 'C'), *parse = NULL;
	size_t at;

	if (close != NULL) {
		close->is_ours = true;
		parse = expect(s, 'P');
	}
	if (parse == NULL)
		return out_of_memory(s);
	parse->is_ours = true;
	at = pg_message_begin(out, 'C');
	buffer_put_u8(out, 'S');
	buffer_put_cstring(out, name);
	pg_message_end(out, at);
	at = pg_message_begin(out, 'P');
	buffer_put_text(out, p->message);
	pg_message_end(out, at);
	p->is_suspect = false;
	return ERR_NONE;
}

/* The statement of that name, as the server will see it; NULL: none. A name
 * given in an earlier batch counts only when the server has confirmed it,
 * because a failure there would leave an older statement in its place. */
static enum err
find_prepared(struct session *s, struct text name, struct prepared **out)
{
	struct pg *pg = pg_of(s);
	struct prepared *p = names_get(pg->statements, name);
	enum err e = ERR_NONE;

	if (p != NULL && !p->is_sure && p->batch != pg->batch) {
		e = pg_settle(s);
		p = names_get(pg->statements, name);
	}
	*out = p;
	if (e == ERR_NONE && p != NULL && p->is_suspect) {
		if (p->message.len == 0)
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

	if (prepared->ruling->verdict.decision != THEN_APPROVE)
		bind->values.len = 0; /* kept for the request only */
	portal = portal_new(prepared, bind, pg->batch);
	if (portal == NULL)
		return out_of_memory(s);
	if (names_count(pg->portals) >= PG_NAMES_MAX) {
		portal_drop(portal);
		return pg_fatal(s, ENDING_ERROR, "54000",
		    "too many portals in one session");
	}
	p = expect(s, 'B');
	if (p == NULL ||
	    names_set(pg->portals, bind->portal, portal) != ERR_NONE) {
		portal_drop(portal);
		return out_of_memory(s);
	}
	p->portal = portal_share(portal);
	if (bind->portal.len > 0 && prepared->ruling->may_carry)
		s->gate->carries_later = true; /* to SQL's FETCH */
	forward(s, r);
	return ERR_NONE;
}

static enum err
on_bind(struct session *s, const struct message *r)
{
	struct pg *pg = pg_of(s);
	struct prepared *prepared = NULL;
	struct pg_bind bind;
	enum err e;

	if (pg_parse_bind(r->body, &bind) != ERR_NONE)
		return malformed(s);
	e = pass_bar(s);
	if (e == ERR_NONE)
		e = make_room(s, r);
	if (e == ERR_NONE && !pg->is_skipping)
		e = find_prepared(s, bind.statement, &prepared);
	if (e == ERR_NONE && !pg->is_skipping && bind.portal.len > 0 &&
	    names_get(pg->portals, bind.portal) != NULL)
		e = pg_settle(s); /* the server will refuse a second one */
	if (e != ERR_NONE || pg->is_skipping)
		return e;
	if (bind.portal.len > PG_NAME_MAX)
		return refuse_long_name(s, 'B');
	if (bind.portal.len > 0 && names_get(pg->portals, bind.portal) != NULL)
		return refuse(s, 'B', "42P03", "cursor already exists");
	if (prepared == NULL)
		return refuse(
		    s, 'B', "26000", "prepared statement does not exist");
	if (!pg_renew(s, prepared))
		return out_of_memory(s);
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

	if (p != NULL && !p->is_sure && p->batch != pg->batch) {
		e = pg_settle(s);
		p = names_get(pg->portals, name);
	}
	*out = p;
	return e;
}

static enum err
on_describe(struct session *s, const struct message *r)
{
	struct pg *pg = pg_of(s);
	struct prepared *prepared = NULL;
	struct portal *portal = NULL;
	struct pg_target target;
	struct pending *p;
	enum err e;

	if (pg_parse_target(r->body, &target) != ERR_NONE)
		return malformed(s);
	e = pass_bar(s);
	if (e == ERR_NONE && target.kind == 'S')
		e = find_prepared(s, target.name, &prepared);
	else if (e == ERR_NONE)
		e = find_portal(s, target.name, &portal);
	if (e != ERR_NONE || pg->is_skipping)
		return e;
	if (prepared == NULL && portal == NULL)
		return target.kind == 'S'
		    ? refuse(s, 'D', "26000",
			  "prepared statement does not exist")
		    : refuse(s, 'D', "34000", "portal does not exist");
	p = expect(s, 'D');
	if (p == NULL)
		return out_of_memory(s);
	p->target = target.kind;
	p->prepared = prepared == NULL ? NULL : prepared_share(prepared);
	p->portal = portal == NULL ? NULL : portal_share(portal);
	if (portal != NULL)
		portal->is_described = true;
	forward(s, r);
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
	struct pending *p = expect(s, 'D');

	if (p == NULL)
		return out_of_memory(s);
	p->is_ours = true;
	p->target = 'P';
	p->portal = portal_share(portal);
	portal->is_described = true;
	pg_put_describe_portal(&s->relay.upstream.out, name);
	return ERR_NONE;
}

static enum err
forward_execute(struct session *s, const struct message *r, struct text name,
    struct portal *portal, struct run *run)
{
	struct pg *pg = pg_of(s);
	struct pending *p;
	enum err e = ERR_NONE;

	/* a row limit may yet fail an Execute before it, and then this one
	 * must not have run */
	if (pg->has_limited)
		e = pg_settle(s);
	if (e != ERR_NONE || pg->is_skipping) {
		run_drop(run);
		return e;
	}
	if (needs_description(s, portal))
		e = describe_for_us(s, name, portal);
	p = e == ERR_NONE ? expect(s, 'E') : NULL;
	if (p == NULL) {
		run_drop(run);
		return e != ERR_NONE ? e : out_of_memory(s);
	}
	p->run = run;
	p->portal = portal_share(portal);
	pg->has_implicit_work = true;
	pg->has_limited |= run->limits.rows != 0;
	forward(s, r);
	if (pg->queue.count == 1)
		run_start(s, run);
	return undo_is_wanted(run) ? undo_execute(s) : ERR_NONE;
}

static enum err
on_execute(struct session *s, const struct message *r)
{
	struct pg *pg = pg_of(s);
	struct pg_execute execute;
	struct portal *portal = NULL;
	struct run *run;
	enum err e;

	if (pg_parse_execute(r->body, &execute) != ERR_NONE)
		return malformed(s);
	e = pass_bar(s);
	if (e == ERR_NONE)
		e = find_portal(s, execute.portal, &portal);
	if (e != ERR_NONE || pg->is_skipping)
		return e;
	if (portal == NULL)
		return refuse(s, 'E', "34000", "portal does not exist");
	if (!pg_renew(s, portal->prepared))
		return out_of_memory(s);
	portal_share(portal); /* holding may take long; names may change */
	e = pg_admit(
	    s, 'E', portal->prepared->ruling, portal->values, &run);
	if (e == ERR_NONE && run != NULL)
		e = forward_execute(s, r, execute.portal, portal, run);
	portal_drop(portal);
	return e;
}

static enum err
on_close(struct session *s, const struct message *r)
{
	struct pg *pg = pg_of(s);
	struct pg_target target;
	struct pending *p;
	enum err e;

	if (pg_parse_target(r->body, &target) != ERR_NONE)
		return malformed(s);
	e = pass_bar(s);
	if (e != ERR_NONE || pg->is_skipping)
		return e;
	if (target.name.len > PG_NAME_MAX)
		return refuse_long_name(s, 'C');
	p = expect(s, 'C');
	if (p == NULL)
		return out_of_memory(s);
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
	forward(s, r);
	return ERR_NONE;
}

enum err
pg_sync(struct session *s)
{
	struct pg *pg = pg_of(s);
	struct pending *p = expect(s, 'S');

	if (p == NULL)
		return out_of_memory(s);
	pg->batch++;
	pg->has_unsynced = false;
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

static enum err
on_sync(struct session *s, const struct message *r)
{
	return wire_end(&r->body) != ERR_NONE ? malformed(s) : pg_sync(s);
}

static enum err
on_flush(struct session *s, const struct message *r)
{
	if (wire_end(&r->body) != ERR_NONE)
		return malformed(s);
	forward(s, r);
	return ERR_NONE;
}

/* --- the rest ------------------------------------------------------------- */

static enum err
on_terminate(struct session *s, const struct message *r)
{
	/* what it sent before still runs to its end, as at the server */
	enum err e = pg_settle(s);

	(void)r;
	pg_of(s)->is_over = true;
	return e != ERR_NONE ? e : session_end(s, ENDING_CLIENT);
}

/* Refuse a message that has no text to judge, on record. */
static enum err
refuse_recorded(struct session *s, char type, size_t total,
    const char *sqlstate, const char *reason)
{
	struct json *j = audit_begin(s->audit, "statement");

	json_raw(j, TEXT(",\"statement\":null"));
	json_number(j, "statement_bytes", (int64_t)total);
	json_cstring(j, "decision", "deny");
	json_cstring(j, "reason", reason);
	if (audit_send(s->audit) != ERR_NONE)
		return pg_fatal(s, ENDING_AUDIT, "58030",
		    "the audit trail takes no records");
	return refuse(s, type, sqlstate, reason);
}

static enum err
on_function_call(struct session *s, const struct message *r)
{
	return refuse_recorded(s, 'F', r->bytes.len, "0A000",
	    "fast-path function calls are not supported in this version");
}

/* Left over from a COPY that is no more: the server ignores it, too. */
static enum err
on_stray_copy(struct session *s, const struct message *r)
{
	(void)s, (void)r;
	return ERR_NONE;
}

static const struct {
	enum err (*handle)(struct session *s, const struct message *r);
	bool ends_skipping; /* handled even while messages are ignored */
} handlers[128] = {
    ['Q'] = {.handle = on_query},
    ['P'] = {.handle = on_parse},
    ['B'] = {.handle = on_bind},
    ['D'] = {.handle = on_describe},
    ['E'] = {.handle = on_execute},
    ['C'] = {.handle = on_close},
    ['H'] = {.handle = on_flush},
    ['F'] = {.handle = on_function_call},
    ['d'] = {.handle = on_stray_copy},
    ['c'] = {.handle = on_stray_copy},
    ['f'] = {.handle = on_stray_copy},
    ['S'] = {.handle = on_sync, .ends_skipping = true},
    ['X'] = {.handle = on_terminate, .ends_skipping = true},
};

static enum err
dispatch(struct session *s, const struct message *r)
{
	unsigned type = (unsigned char)r->type;

	if (type >= 128 || handlers[type].handle == NULL)
		return pg_fatal(s, ENDING_PROTOCOL, "08P01",
		    "unknown message type from the client");
	if (pg_of(s)->is_skipping && !handlers[type].ends_skipping)
		return ERR_NONE;
	return handlers[type].handle(s, r);
}

/* A statement over the ceiling: its bytes are ignored as they come, and the
 * client gets an ordinary error. */
static enum err
refuse_oversized(struct session *s, char type, size_t total)
{
	struct pg *pg = pg_of(s);
	char text[128];

	pg->skip = total;
	if (pg->is_skipping || type == 'd')
		return ERR_NONE;
	snprintf(text, sizeof(text),
	    "message of %zu bytes is over the statement limit of %zu", total,
	    s->settings->statement_limit);
	return refuse_recorded(s, type, total, "54000", text);
}

static void
skip_bytes(struct session *s)
{
	struct pg *pg = pg_of(s);
	size_t have = peer_pending(&s->relay.client).len;
	size_t n = have < pg->skip ? have : pg->skip;

	peer_consume(&s->relay.client, n);
	pg->skip -= n;
}

/* The client's next message, if it is there whole. ERR_NOT_FOUND: wait. */
static enum err
next_request(struct session *s, struct message *out)
{
	struct text have = peer_pending(&s->relay.client);
	struct wire w = wire_of(have.at, have.len);
	size_t total;
	uint32_t len;

	out->type = (char)wire_u8(&w);
	len = wire_u32(&w);
	if (w.bad)
		return ERR_NOT_FOUND;
	if (len < 4 || len > MESSAGE_MAX)
		return pg_fatal(s, ENDING_PROTOCOL, "08P01",
		    "invalid message length");
	total = (size_t)len + 1;
	if (total > s->settings->statement_limit)
		return refuse_oversized(s, out->type, total);
	if (total > have.len)
		return peer_expect(&s->relay.client, total)
		    ? ERR_NOT_FOUND
		    : out_of_memory(s);
	out->bytes = (struct text){have.at, total};
	out->body = wire_of(have.at + PG_HEADER, total - PG_HEADER);
	return ERR_NONE;
}

enum err
pg_serve(struct session *s)
{
	struct pg *pg = pg_of(s);
	struct message r = {0};
	enum err e;

	if (pg->skip > 0)
		skip_bytes(s);
	if (pg->skip > 0)
		return pg_wait(s, true);
	/* the answers awaited and what waits to be sent are bounded: too much,
	 * and the client waits */
	if (pg->queue.count >= PG_PENDING_MAX ||
	    peer_is_full(&s->relay.client) || peer_is_full(&s->relay.upstream))
		return pg_wait(s, false);
	e = next_request(s, &r);
	if (e == ERR_NOT_FOUND)
		return pg_wait(s, true);
	if (e != ERR_NONE || pg->skip > 0)
		return e;
	e = dispatch(s, &r);
	if (s->relay.upstream.out.failed || pg_out(s)->failed)
		return out_of_memory(s);
	peer_consume(&s->relay.client, r.bytes.len);
	return e;
}
