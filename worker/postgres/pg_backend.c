/*
 * pg_backend.c - the server's messages: attributed to what was asked, masked,
 * counted, passed on.
 *
 * The rule: a message is passed on only when it is one that the pending
 * request at the front of the queue may be answered with, and a row only when
 * the treatment of its columns is known.  Anything else ends the session.
 */
#include "common/log.h"
#include "worker/postgres/copy/pg_copy.h"
#include "worker/postgres/pg_replicate.h"

enum { LENGTH_MAX = 0x3fffffff }; /* as the server's own limit: 1 GiB */

enum err
back_unexpected(struct session *s, const struct answer *a)
{
	log_error("session %s: upstream %s sent message '%c' out of turn",
	    s->id, s->upstream->name, a->type);
	return pg_fatal(s, ENDING_UPSTREAM, "08P01",
	    "the database sent something that Sallyport does not expect");
}

bool
back_front_is(struct pg *pg, const char *kinds)
{
	struct pending *p = queue_front(&pg->queue);

	return p != NULL && strchr(kinds, p->kind) != NULL;
}

/* The next request is now at the front: its clock starts. */
void
back_advance(struct session *s)
{
	struct pg *pg = pg_of(s);
	struct pending *p;

	queue_pop(&pg->queue);
	p = queue_front(&pg->queue);
	while (p != NULL && p->kind == 'c') {
		queue_pop(&pg->queue);
		p = queue_front(&pg->queue);
	}
	if (p != NULL && p->run != NULL)
		run_start(s, p->run);
	else if (p == NULL)
		pg->is_barred = pg->has_limited = false;
}

static back_handler *const handlers[128] = {
    ['T'] = back_on_row_description,
    ['n'] = back_on_no_data,
    ['t'] = back_on_parameter_description,
    ['D'] = back_on_data_row,
    ['C'] = back_on_complete,
    ['I'] = back_on_complete,
    ['s'] = back_on_complete,
    ['Z'] = back_on_ready,
    ['1'] = back_on_acknowledged,
    ['2'] = back_on_acknowledged,
    ['3'] = back_on_acknowledged,
    ['E'] = back_on_error,
    ['N'] = back_on_notice,
    ['S'] = back_on_parameter,
    ['A'] = back_on_notification,
    ['G'] = copy_on_in,
    ['H'] = copy_on_out,
    ['W'] = copy_on_both,
    ['d'] = copy_on_data,
    ['c'] = copy_on_done,
    ['V'] = back_on_call_result,
};

/* --- the drain ------------------------------------------------------------ */

/* Is the rest of this row the client's as it is, so that it need not be held
 * whole? */
static bool
may_stream(struct session *s, char type)
{
	struct pending *p = queue_front(&pg_of(s)->queue);
	struct shape *shape;

	if (type == 'V') /* a function's result */
		return back_front_is(pg_of(s), "F") && p->run != NULL &&
		       !gate_protects(s->gate);
	if (type == 'd')
		return p != NULL && (p->copying == 'H' || p->copying == 'W');
	if (type != 'D' || !back_front_is(pg_of(s), "QE") || p->run == NULL ||
	    p->copy != NULL)
		return false;
	shape = back_current_shape(p);
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
		return back_unexpected(s, out);
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
	if (out->total <= PG_MASKED_ROW_MAX)
		return ERR_NOT_FOUND;
	p = queue_front(&pg->queue);
	if (out->type != 'D' || !back_front_is(pg, "QE") || p->run == NULL)
		return back_unexpected(s, out);
	run_cut(s, p->run, "54000",
	    "a row with masked columns is longer than 64 MiB");
	pg->pass = out->total;
	pg->swallows = true;
	return ERR_NOT_FOUND;
}

/* Rows that pass as they are, as many as there are whole: the bytes they
 * take. Most of a large result comes through here. */
static size_t
pass_rows(struct session *s, struct text have)
{
	struct wire w = wire_of(have.at, have.len), whole = w;
	struct pending *p = queue_front(&pg_of(s)->queue);
	char type = have.len < PG_HEADER ? 0 : have.at[0];
	uint64_t rows = 0, most;
	uint32_t len;

	if ((type != 'D' && type != 'd') || !may_stream(s, type))
		return 0;
	if (type == 'd' && !copy_is_rows_only(p))
		return 0;
	most = p->is_muted ? 0 : run_rows_left(p);
	while (rows < most && wire_u8(&w) == type) {
		len = wire_u32(&w);
		if (w.bad || len < 4 || len - 4 > w.left)
			break;
		wire_bytes(&w, len - 4);
		whole = w;
		rows++;
	}
	run_count_rows(p, rows, have.len - whole.left);
	return have.len - whole.left;
}

static enum err
handle(struct session *s, const struct answer *a, enum fate *fate)
{
	unsigned type = (unsigned char)a->type;
	back_handler *h = type < 128 ? handlers[type] : NULL;

	*fate = FATE_PASS;
	if (h == NULL || pg_check_answer(a->type, a->body) != ERR_NONE)
		return back_unexpected(s, a);
	return h(s, a, fate);
}

/* Messages that pass as they are go out in runs, one copy each: extend the
 * run, or start one. */
static void
span_add(struct pg *pg, const char *at, size_t len)
{
	if (pg->span.len == 0)
		pg->span.at = at;
	pg->span.len += len;
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
	size_t done = 0, rows;
	enum fate fate = FATE_PASS;
	enum err e;

	for (;;) {
		rows = pass_rows(
		    s, (struct text){have.at + done, have.len - done});
		if (rows > 0)
			span_add(pg_of(s), have.at + done, rows);
		done += rows;
		e = next_answer(
		    s, (struct text){have.at + done, have.len - done}, &a);
		if (e == ERR_NONE)
			e = handle(s, &a, &fate);
		if (e != ERR_NONE)
			break;
		done += a.total;
		if (fate == FATE_PASS)
			span_add(pg_of(s), (const char *)a.bytes, a.total);
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
			e = replication_go_on(s);
		if (e == ERR_NONE && pg->pass == 0)
			e = drain_messages(s);
	} while (e == ERR_NONE && pg->pass > 0 &&
		 peer_pending(&s->relay.upstream).len > 0);
	if (s->relay.client.out.failed)
		return ERR_MEMORY;
	return e;
}
