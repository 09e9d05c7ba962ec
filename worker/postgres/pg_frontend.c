/*
 * pg_frontend.c - the client's messages: judged, then forwarded.
 *
 * The rule: bytes go upstream only from a handler in the table below, and a
 * handler forwards only what it has parsed whole and what the gate admitted.
 */
#include <stdio.h>

#include "worker/postgres/copy/pg_copy.h"
#include "worker/postgres/pg_replicate.h"
#include "worker/snapshot.h"

enum {
	MESSAGE_MAX = 0x3fffffff, /* as the server's own limit: 1 GiB */
	RESULT_DELAY_MS = 20,	  /* results are recorded this late */
};

enum err
pg_wait(struct session *s, bool wants_client)
{
	enum err e;

	/* idle: a result that waits for company does not wait for long */
	if (s->relay.deadline == 0 && audit_has_deferred(s->audit))
		s->relay.deadline = relay_now() + RESULT_DELAY_MS;
	e = session_turn(s, wants_client);
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

void
front_forward(struct session *s, const struct message *r)
{
	buffer_put_text(&s->relay.upstream.out, r->bytes);
}

enum err
front_malformed(struct session *s)
{
	return pg_fatal(
	    s, ENDING_PROTOCOL, "08P01", "malformed message from the client");
}

enum err
front_out_of_memory(struct session *s)
{
	return pg_fatal(s, ENDING_ERROR, "53200", "out of memory");
}

enum err
front_refuse(
    struct session *s, char kind, const char *sqlstate, const char *message)
{
	const struct refusal r = {
	    .sqlstate = sqlstate, .message = text_of(message)};

	return pg_refuse_statement(s, kind, &r);
}

/* The server would cut a longer name, and so have one for two of ours. */
bool
front_is_fit_name(const struct session *s, struct text name)
{
	return name.len <= PG_NAME_MAX && pg_is_fit_name(s, name);
}

enum err
front_refuse_name(struct session *s, char kind)
{
	return front_refuse(s, kind, "42622",
	    "names of statements and portals may have 63 bytes, and "
	    "characters beyond ASCII only under client_encoding UTF8");
}

/* A place in the queue for the answer to an extended-query message. */
struct pending *
front_expect(struct session *s, char kind)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_push(&pg->queue, kind);

	if (p != NULL) {
		p->batch = pg->batch;
		p->is_amid = pg->has_unsynced;
	}
	pg->has_unsynced = true;
	return p;
}

/* What is in flight may change how the next text is to be read or judged:
 * wait for it. */
enum err
front_pass_bar(struct session *s)
{
	return pg_of(s)->is_barred ? pg_settle(s) : ERR_NONE;
}

/* The end of a transaction takes a setting made in it back: what hangs on one
 * is read when that is known. */
enum err
front_pass_switch(struct session *s, struct text sql)
{
	return pg_of(s)->has_switched && !pg_reads_alike(sql) ? pg_settle(s)
							      : ERR_NONE;
}

bool
front_is_ambiguous(const struct session *s, struct text sql)
{
	const struct pg *pg = pg_of(s);

	if (!pg->is_unreported &&
	    (!pg->has_implicit_work ||
		(s->gate->lex.standard_conforming_strings &&
		    !pg->has_switched)))
		return false;
	return !pg_reads_alike(sql);
}

enum err
front_refuse_ambiguous(struct session *s, char kind)
{
	return front_refuse(s, kind, "0A000",
	    "how this text is read hangs on settings that an earlier "
	    "statement of the batch may have changed: send a Sync before it");
}

/* What is kept of statements is bounded: wait until those in flight are over;
 * what is left then are names, of which there are too many. */
enum err
front_make_room(struct session *s, const struct message *r)
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
forward_query(struct session *s, const struct message *r, struct run *run)
{
	struct pg *pg = pg_of(s);
	uint16_t reads = copy_reads(run->ruling);
	struct pending *p;
	enum err e = reads > 0 ? pg_settle(s) : ERR_NONE;

	if (e != ERR_NONE || pg->is_skipping) {
		run_abandon(s, run);
		return e;
	}
	p = front_expect(s, 'Q');
	if (p == NULL) {
		run_drop(run);
		return front_out_of_memory(s);
	}
	p->run = run;
	p->portal = fetched_cursor(s, run->ruling);
	copy_expect(pg, p, reads);
	pg->batch++;
	pg->has_unsynced = false;
	if (run->ruling->instead.len > 0)
		pg_put_query(&s->relay.upstream.out, run->ruling->instead);
	else
		front_forward(s, r);
	if (pg->queue.count == 1)
		run_start(s, run);
	return ERR_NONE;
}

static enum err
on_query(struct session *s, const struct message *r)
{
	struct pg *pg = pg_of(s);
	struct wire body = r->body;
	struct text sql = wire_cstring(&body);
	struct ruling *j;
	struct run *run;
	enum err e = wire_end(&body);

	if (e != ERR_NONE)
		return front_malformed(s);
	e = front_pass_bar(s);
	if (e == ERR_NONE)
		e = front_pass_switch(s, sql);
	if (e == ERR_NONE)
		e = front_make_room(s, r);
	if (e != ERR_NONE || pg->is_skipping)
		return e;
	if (front_is_ambiguous(s, sql))
		return front_refuse_ambiguous(s, 'Q');
	j = pg->replication == REPLICATION_NONE ? gate_judge(s->gate, sql)
						: replication_judge(s, sql);
	e = pg_admit(s, 'Q', j, TEXT(""), &run);
	ruling_drop(j);
	if (e != ERR_NONE || run == NULL)
		return e;
	if (undo_is_wanted(run))
		return undo_query(s, r->bytes, run);
	if (copy_is_masked(s, run))
		return copy_out_run(s, 'Q', run, false);
	return forward_query(s, r, run);
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
enum err
front_refuse_recorded(struct session *s, char type, size_t total,
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
	return front_refuse(s, type, sqlstate, reason);
}

static const struct {
	enum err (*handle)(struct session *s, const struct message *r);
	bool ends_skipping; /* handled even while messages are ignored */
	bool is_copys;	    /* a server that reads COPY data takes it, too */
} handlers[128] = {
    ['Q'] = {.handle = on_query},
    ['P'] = {.handle = extended_parse},
    ['B'] = {.handle = extended_bind},
    ['D'] = {.handle = extended_describe},
    ['E'] = {.handle = extended_execute},
    ['C'] = {.handle = extended_close},
    ['H'] = {.handle = extended_flush, .is_copys = true},
    ['F'] = {.handle = fastpath_call},
    ['c'] = {.handle = copy_on_end, .is_copys = true},
    ['f'] = {.handle = copy_on_end, .is_copys = true},
    ['S'] = {.handle = extended_sync,
	.ends_skipping = true,
	.is_copys = true},
    ['X'] = {.handle = on_terminate, .ends_skipping = true},
};

static enum err
dispatch(struct session *s, const struct message *r)
{
	unsigned type = (unsigned char)r->type;
	bool is_copys = type < 128 && handlers[type].is_copys;
	enum err e = is_copys ? ERR_NONE : copy_pass_bar(s, r->type);

	if (e != ERR_NONE)
		return e;
	if (type >= 128 || handlers[type].handle == NULL)
		return pg_fatal(s, ENDING_PROTOCOL, "08P01",
		    "unknown message type from the client");
	if (pg_of(s)->is_feeding && !is_copys) {
		pg_of(s)->current = 0; /* its time has not come */
		return ERR_NONE;
	}
	if (pg_of(s)->is_skipping && !handlers[type].ends_skipping)
		return ERR_NONE;
	if (pg_of(s)->replication != REPLICATION_NONE &&
	    memchr("PBDECF", r->type, 6) != NULL)
		return front_refuse(s, r->type, "08P01",
		    "extended query protocol and function calls are not "
		    "supported in a replication connection");
	return handlers[type].handle(s, r);
}

/* A statement over the ceiling: its bytes are ignored as they come, and the
 * client gets an ordinary error. */
static enum err
refuse_oversized(struct session *s, char type, size_t total)
{
	struct pg *pg = pg_of(s);
	char text[128];
	enum err e;

	if (strchr("cfHS", type) != NULL)
		return pg_fatal(
		    s, ENDING_PROTOCOL, "08P01", "invalid message length");
	e = copy_pass_bar(s, type);
	if (e != ERR_NONE)
		return e;
	pg->skip = total;
	if (pg->is_skipping)
		return ERR_NONE;
	snprintf(text, sizeof(text),
	    "message of %zu bytes is over the statement limit of %zu", total,
	    s->settings->statement_limit);
	return front_refuse_recorded(s, type, total, "54000", text);
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
		return pg_fatal(
		    s, ENDING_PROTOCOL, "08P01", "invalid message length");
	total = (size_t)len + 1;
	if (total > COPY_SMALL_MAX && strchr("cfHS", out->type) != NULL)
		return pg_fatal(
		    s, ENDING_PROTOCOL, "08P01", "invalid message length");
	if (total > s->settings->statement_limit)
		return refuse_oversized(s, out->type, total);
	if (total > have.len)
		return peer_expect(&s->relay.client, total)
			   ? ERR_NOT_FOUND
			   : front_out_of_memory(s);
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
	e = copy_serve_data(s);
	if (e != ERR_NOT_FOUND)
		return e;
	e = next_request(s, &r);
	if (e == ERR_NOT_FOUND)
		return pg_wait(s, true);
	if (e != ERR_NONE || pg->skip > 0)
		return e;
	pg->current = r.bytes.len;
	e = dispatch(s, &r);
	if (s->relay.upstream.out.failed || pg_out(s)->failed)
		return front_out_of_memory(s);
	peer_consume(&s->relay.client, pg->current);
	pg->current = 0;
	return e;
}
