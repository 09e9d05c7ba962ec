/*
 * pg_backend.c - the server's messages: attributed to what was asked, masked,
 * counted, passed on.
 *
 * The rule: a message is passed on only when it is one that the pending
 * request at the front of the queue may be answered with, and a row only when
 * the treatment of its columns is known.  Anything else ends the session.
 */
#include <stdlib.h>

#include "common/log.h"
#include "worker/postgres/pg.h"
#include "worker/snapshot.h"

enum {
	LENGTH_MAX = 0x3fffffff
}; /* as the server's own limit: 1 GiB */

/* One message of the server, whole unless is_partial. */
struct answer {
	char type;
	const uint8_t *bytes; /* with its header */
	size_t total;
	struct wire body;
};

enum fate { /* what becomes of a message */
	FATE_PASS,
	FATE_DROP, /* swallowed, or written otherwise already */
};

typedef enum err (*handler)(
    struct session *s, const struct answer *a, enum fate *fate);

static enum err
unexpected(struct session *s, const struct answer *a)
{
	log_error("session %s: upstream %s sent message '%c' out of turn",
	    s->id, s->upstream->name, a->type);
	return pg_fatal(s, ENDING_UPSTREAM, "08P01",
	    "the database sent something that Sallyport does not expect");
}

static bool
front_is(struct pg *pg, const char *kinds)
{
	struct pending *p = queue_front(&pg->queue);

	return p != NULL && strchr(kinds, p->kind) != NULL;
}

/* The next request is now at the front: its clock starts. */
static void
advance(struct session *s)
{
	struct pg *pg = pg_of(s);
	struct pending *p;

	queue_pop(&pg->queue);
	p = queue_front(&pg->queue);
	if (p != NULL && p->run != NULL)
		run_start(s, p->run);
	else if (p == NULL)
		pg->is_barred = pg->has_limited = false;
}

/* --- results -------------------------------------------------------------- */

/* Whose rows these are, with the shape they have. */
static struct shape *
current_shape(struct pending *p)
{
	if (p->run->shape == NULL && p->portal != NULL)
		p->run->shape = shape_share(p->portal->shape);
	return p->run->shape;
}

static enum err
on_row_description(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);
	struct shape *shape = NULL;
	const struct ruling *j;
	enum err e;

	if (!front_is(pg, "QD") || (p->kind == 'Q' && p->run == NULL))
		return unexpected(s, a);
	if (p->is_ours || p->is_muted)
		*fate = FATE_DROP;
	if (p->kind == 'D' && p->target == 'S') {
		advance(s);
		return ERR_NONE;
	}
	j = p->kind == 'Q' ? p->run->ruling : p->portal->prepared->ruling;
	e = shape_read(s, j, a->body, p->portal, &shape);
	if (e != ERR_NONE)
		return unexpected(s, a);
	if (p->kind == 'Q') {
		shape_drop(p->run->shape);
		p->run->shape = shape;
		if (p->run->is_cut)
			*fate = FATE_DROP;
		return ERR_NONE;
	}
	shape_drop(p->portal->shape);
	p->portal->shape = shape;
	advance(s);
	return ERR_NONE;
}

static enum err
on_no_data(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);

	if (!front_is(pg, "D"))
		return unexpected(s, a);
	if (p->is_ours || p->is_muted)
		*fate = FATE_DROP;
	advance(s);
	return ERR_NONE;
}

static enum err
on_parameter_description(
    struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);

	if (!front_is(pg, "D") || queue_front(&pg->queue)->target != 'S')
		return unexpected(s, a);
	if (queue_front(&pg->queue)->is_muted)
		*fate = FATE_DROP;
	return ERR_NONE;
}

static enum err
on_data_row(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);
	struct shape *shape;
	enum err e;

	if (!front_is(pg, "QE") || p->run == NULL)
		return unexpected(s, a);
	*fate = FATE_DROP;
	if (p->is_muted)
		return ERR_NONE;
	shape = current_shape(p);
	if (shape == NULL && gate_protects(s->gate))
		return unexpected(s, a);
	if (shape != NULL && shape->is_denied)
		run_cut(s, p->run, "42501",
		    "the result computes with protected columns, which their "
		    "protection denies");
	if (!run_count_row(s, p, a->total))
		return ERR_NONE;
	if (shape == NULL || !shape->is_masked) {
		*fate = FATE_PASS;
		return ERR_NONE;
	}
	e = row_mask(s, shape, a->body, pg_out(s), &p->run->outcome.masked);
	return e == ERR_NONE ? e : unexpected(s, a);
}

/* --- the end of a request ------------------------------------------------- */

/* What a command tag tells of the transaction block. */
static void
note_block(struct pg *pg, struct text tag, const struct run *r)
{
	static const uint64_t partial = BIT(OP_SAVEPOINT) | BIT(OP_RELEASE);

	if (text_is(tag, TEXT("BEGIN")) ||
	    text_is(tag, TEXT("START TRANSACTION")))
		pg->is_in_block = true;
	else if (text_is(tag, TEXT("COMMIT")) ||
		 text_is(tag, TEXT("PREPARE TRANSACTION")) ||
		 (text_is(tag, TEXT("ROLLBACK")) &&
		     (r->ruling->operations & partial) == 0))
		pg->is_in_block = false;
}

/* The client gets our complaint in place of the completion. */
static void
put_cut(struct session *s, struct run *r)
{
	const struct refusal refusal = {
	    .sqlstate = r->sqlstate, .message = text_of(r->complaint)};

	memcpy(r->outcome.sqlstate, r->sqlstate, 5);
	pg_of(s)->must_roll_back |= undo_is_wanted(r);
	pg_put_refusal(pg_out(s), &refusal);
}

/* The client was told of an error that the server knows nothing of: what it
 * answers up to the next Sync is not for the client. */
static void
mute_batch(struct pg *pg)
{
	size_t i;

	for (i = 1; i < pg->queue.count; i++) {
		struct pending *p = queue_at(&pg->queue, i);

		if (p->kind == 'S')
			return;
		p->is_muted = true;
	}
	pg->is_skipping = true;
}

static uint64_t
changed_rows(struct text tag)
{
	if (text_starts(tag, TEXT("SELECT")) ||
	    text_starts(tag, TEXT("FETCH")) || text_starts(tag, TEXT("MOVE")))
		return 0;
	return pg_tag_count(tag);
}

static enum err
on_complete(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);
	struct wire body = a->body;
	struct text tag = a->type == 'C' ? wire_cstring(&body) : TEXT("");

	if (!front_is(pg, "QE"))
		return unexpected(s, a);
	if (p->run == NULL) { /* a query of ours */
		*fate = FATE_DROP;
		return ERR_NONE;
	}
	note_block(pg, tag, p->run);
	if (!undo_count(s, p->run, changed_rows(tag)))
		*fate = FATE_DROP;
	if (p->run->is_cut) {
		*fate = FATE_DROP;
		if (p->kind == 'Q') /* said once, at its ReadyForQuery */
			return ERR_NONE;
		put_cut(s, p->run);
		mute_batch(pg);
	}
	if (p->is_muted)
		*fate = FATE_DROP;
	if (p->kind == 'Q') /* several results; ReadyForQuery ends it */
		return ERR_NONE;
	run_finish(s, p->run);
	advance(s);
	return ERR_NONE;
}

static enum err
on_ready(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);
	struct wire body = a->body;

	if (!front_is(pg, "QS"))
		return unexpected(s, a);
	if (p->run != NULL) {
		if (p->run->is_cut && p->run->outcome.sqlstate[0] == '\0')
			put_cut(s, p->run);
		run_finish(s, p->run);
	}
	pg->status = (char)wire_u8(&body);
	pg->is_in_block = pg->is_unreported = false;
	/* else conclude() has yet to act on it */
	if (!p->keeps_ready && !p->is_ours)
		pg->must_roll_back = pg->is_undo_due = false;
	if (pg->status == 'I') {
		pg->changed = 0;
		names_end_transaction(pg->portals, p->batch);
		snapshot_schema_settled(s->gate);
	}
	if (p->is_ours || p->is_muted || p->keeps_ready)
		*fate = FATE_DROP;
	advance(s);
	if (pg->queue.count == 0) {
		pg->has_implicit_work = false;
		session_show_state(s, SLOT_WAITING);
	}
	return ERR_NONE;
}

static enum err
on_acknowledged(struct session *s, const struct answer *a, enum fate *fate)
{
	static const char kinds[][2] = {
	    ['1' - '1'] = "P", ['2' - '1'] = "B", ['3' - '1'] = "C"};
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);

	if (!front_is(pg, kinds[a->type - '1']))
		return unexpected(s, a);
	if (a->type == '1' && p->prepared != NULL)
		p->prepared->is_sure = true;
	if (a->type == '2' && p->portal != NULL)
		p->portal->is_sure = true;
	if (a->type == '3' && p->prepared != NULL)
		names_remove_value(pg->statements, p->prepared);
	if (a->type == '3' && p->portal != NULL)
		names_remove_value(pg->portals, p->portal);
	if (p->is_ours || p->is_muted)
		*fate = FATE_DROP;
	if (p->is_poison) /* the server parsed it? then nothing is sure */
		return unexpected(s, a);
	advance(s);
	return ERR_NONE;
}

/* --- errors and notices --------------------------------------------------- */

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
		return unexpected(s, a);
	return ERR_NONE;
}

static enum err
on_notice(struct session *s, const struct answer *a, enum fate *fate)
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

static enum err
on_error(struct session *s, const struct answer *a, enum fate *fate)
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
		put_cut(s, p->run);
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

/* --- the session's settings ----------------------------------------------- */

static enum err
on_parameter(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg_parameter p;

	*fate = FATE_PASS;
	if (pg_parse_parameter(a->body, &p) != ERR_NONE)
		return unexpected(s, a);
	return pg_note_parameter(s, &p);
}

/* What other sessions send may hold anything, and nothing tells what: to an
 * identity from which values are protected its payload is withheld. */
static enum err
on_notification(struct session *s, const struct answer *a, enum fate *fate)
{
	struct buffer *out;
	struct wire body = a->body;
	uint32_t pid = wire_u32(&body);
	struct text channel = wire_cstring(&body);
	struct text payload = wire_cstring(&body);
	size_t at;

	if (wire_end(&body) != ERR_NONE)
		return unexpected(s, a);
	*fate = FATE_PASS;
	if (payload.len == 0 || !gate_protects(s->gate))
		return ERR_NONE;
	*fate = FATE_DROP;
	out = pg_out(s);
	at = pg_message_begin(out, 'A');
	buffer_put_u32(out, pid);
	buffer_put_cstring(out, channel);
	buffer_put_cstring(out, TEXT("[masked]"));
	pg_message_end(out, at);
	return ERR_NONE;
}

static const handler handlers[128] = {
    ['T'] = on_row_description,
    ['n'] = on_no_data,
    ['t'] = on_parameter_description,
    ['D'] = on_data_row,
    ['C'] = on_complete,
    ['I'] = on_complete,
    ['s'] = on_complete,
    ['Z'] = on_ready,
    ['1'] = on_acknowledged,
    ['2'] = on_acknowledged,
    ['3'] = on_acknowledged,
    ['E'] = on_error,
    ['N'] = on_notice,
    ['S'] = on_parameter,
    ['A'] = on_notification,
};

/* --- the drain ------------------------------------------------------------ */

/* Is the rest of this row the client's as it is, so that it need not be held
 * whole? */
static bool
may_stream(struct session *s, char type)
{
	struct pending *p = queue_front(&pg_of(s)->queue);
	struct shape *shape;

	if (type != 'D' || !front_is(pg_of(s), "QE") || p->run == NULL)
		return false;
	shape = current_shape(p);
	if (shape == NULL)
		return !gate_protects(s->gate);
	return !shape->is_masked && !shape->is_denied;
}

/* Bytes of a large row pass, or are swallowed, as they come. */
static void
stream(struct session *s)
{
	struct pg *pg = pg_of(s);
	struct text have = peer_pending(&s->relay.upstream);
	size_t n = have.len < pg->pass ? have.len : pg->pass;

	if (!pg->swallows)
		buffer_put(pg_out(s), have.at, n);
	peer_consume(&s->relay.upstream, n);
	pg->pass -= n;
}

/* The message at the front, if it is there whole. ERR_NOT_FOUND: not yet. */
static enum err
next_answer(struct session *s, struct text have, struct answer *out)
{
	struct pg *pg = pg_of(s);
	struct wire w = wire_of(have.at, have.len);
	struct pending *p;
	uint32_t len;

	out->type = (char)wire_u8(&w);
	len = wire_u32(&w);
	if (w.bad)
		return ERR_NOT_FOUND;
	out->bytes = (const uint8_t *)have.at;
	out->total = (size_t)len + 1;
	if (len < 4 || len > LENGTH_MAX)
		return unexpected(s, out);
	if (out->total <= have.len) {
		out->body = wire_of(out->bytes + PG_HEADER, len - 4);
		return ERR_NONE;
	}
	if (out->total > RELAY_CHUNK && may_stream(s, out->type)) {
		p = queue_front(&pg->queue);
		pg->pass = out->total;
		pg->swallows = p->is_muted || !run_count_row(s, p, out->total);
		return ERR_NOT_FOUND;
	}
	if (out->total > PG_MASKED_ROW_MAX)
		return pg_fatal(s, ENDING_UPSTREAM, "54000",
		    "a row with masked columns is too long to be masked");
	return ERR_NOT_FOUND;
}

static enum err
handle(struct session *s, const struct answer *a, enum fate *fate)
{
	unsigned type = (unsigned char)a->type;
	handler h = type < 128 ? handlers[type] : NULL;

	*fate = FATE_PASS;
	return h == NULL ? unexpected(s, a) : h(s, a, fate);
}

/* Messages that pass as they are go out in runs, one copy each: extend the
 * run, or start one. */
static void
span_add(struct pg *pg, const struct answer *a)
{
	if (pg->span.len == 0)
		pg->span.at = (const char *)a->bytes;
	pg->span.len += a->total;
}

struct buffer *
pg_out(struct session *s)
{
	struct pg *pg = pg_of(s);

	if (pg->span.len > 0)
		buffer_put_text(&s->relay.client.out, pg->span);
	pg->span.len = 0;
	return &s->relay.client.out;
}

static enum err
drain_messages(struct session *s)
{
	struct text have = peer_pending(&s->relay.upstream);
	struct answer a = {0};
	size_t done = 0;
	enum fate fate = FATE_PASS;
	enum err e;

	for (;;) {
		e = next_answer(
		    s, (struct text){have.at + done, have.len - done}, &a);
		if (e == ERR_NONE)
			e = handle(s, &a, &fate);
		if (e != ERR_NONE)
			break;
		done += a.total;
		if (fate == FATE_PASS)
			span_add(pg_of(s), &a);
		else
			pg_out(s); /* what is behind the gap is no run */
	}
	pg_out(s);
	peer_consume(&s->relay.upstream, done);
	/* a message longer than the buffer: make room for it */
	if (e == ERR_NOT_FOUND && pg_of(s)->pass == 0 &&
	    have.len - done >= PG_HEADER &&
	    !peer_expect(&s->relay.upstream, a.total))
		e = ERR_MEMORY;
	return e == ERR_NOT_FOUND ? ERR_NONE : e;
}

enum err
pg_drain(void *session)
{
	struct session *s = session;
	struct pg *pg = pg_of(s);
	enum err e = ERR_NONE;

	/* a streamed row may end within what has come */
	do {
		if (pg->pass > 0)
			stream(s);
		if (pg->pass == 0)
			e = drain_messages(s);
	} while (e == ERR_NONE && pg->pass > 0 &&
		 peer_pending(&s->relay.upstream).len > 0);
	if (s->relay.client.out.failed)
		return ERR_MEMORY;
	return e;
}
