/*
 * pg_copy_in.c - COPY FROM STDIN: the client's data goes to the server.
 *
 * The rule: at every moment either it is known whether the server reads COPY
 * data, or nothing is sent to it that means different things in the two
 * cases.  Only Sync is sent all the same, because clients do; which of them
 * the server ignored is found out by counting (kind 'Y'), never guessed.
 */
#include "worker/postgres/copy/pg_copy.h"
#include "worker/snapshot.h"

enum { MESSAGE_MAX = 0x3fffffff }; /* as the server's own limit: 1 GiB */

uint16_t
copy_reads(const struct ruling *j)
{
	const uint64_t elsewhere = BIT(OP_COPY_FILE) | BIT(OP_COPY_PROGRAM);
	uint16_t reads = 0;
	size_t i;

	for (i = 0; i < j->text.count; i++) {
		uint64_t operations = j->text.statements[i].operations;

		if ((operations & BIT(OP_COPY_IN)) != 0 &&
		    (operations & elsewhere) == 0)
			reads++;
	}
	return reads;
}

void
copy_expect(struct pg *pg, struct pending *p, uint16_t reads)
{
	if (reads == 0)
		return;
	p->reads = reads;
	p->may_read = true;
	pg->queue.readers++;
}

/* The request that may be reading the client's data: the last that was sent,
 * but for Syncs, unless its data has ended. NULL: nobody reads any. */
static struct pending *
reader_of(struct pg *pg)
{
	size_t i;

	if (pg->queue.readers == 0)
		return NULL;
	for (i = pg->queue.count; i-- > 0;) {
		struct pending *p = queue_at(&pg->queue, i);

		if (p->kind != 'S' && p->kind != 'c')
			return p->reads > 0 ? p : NULL;
	}
	return NULL;
}

/* --- the client's messages ------------------------------------------------ */

static void
put_data(struct session *s, struct pending *reader, struct text bytes)
{
	struct buffer *out = &s->relay.upstream.out;

	buffer_put_text(out, bytes);
	reader->run->outcome.bytes += bytes.len;
}

/* Whole CopyData messages, as many as there are: the bytes they take. */
static size_t
whole_messages(struct text have)
{
	struct wire w = wire_of(have.at, have.len), whole = w;
	uint32_t len;

	while (wire_u8(&w) == 'd') {
		len = wire_u32(&w);
		if (w.bad || len < 4 || len - 4 > w.left)
			break;
		wire_bytes(&w, len - 4);
		whole = w;
	}
	return have.len - whole.left;
}

/* Of a message that is not there whole, what is there goes on as a message
 * of its own: where one ends means nothing to the server, and between two we
 * can have our say. */
static void
serve_part(struct session *s)
{
	struct pg *pg = pg_of(s);
	struct text have = peer_pending(&s->relay.client);
	struct pending *reader = reader_of(pg);
	size_t at;

	if (have.len > pg->upload)
		have.len = pg->upload;
	if (reader != NULL && have.len > 0) {
		at = pg_message_begin(&s->relay.upstream.out, 'd');
		put_data(s, reader, have);
		pg_message_end(&s->relay.upstream.out, at);
	}
	pg->upload -= have.len;
	peer_consume(&s->relay.client, have.len);
}

enum err
copy_serve_data(struct session *s)
{
	struct pg *pg = pg_of(s);
	struct text have = peer_pending(&s->relay.client);
	struct wire w = wire_of(have.at, have.len);
	struct pending *reader = reader_of(pg);
	uint32_t len;
	uint8_t type;

	if (pg->upload > 0) {
		serve_part(s);
		return have.len == 0 ? pg_wait(s, true) : ERR_NONE;
	}
	type = wire_u8(&w);
	len = wire_u32(&w);
	if (w.bad || type != 'd')
		return ERR_NOT_FOUND;
	if (len < 4 || len > MESSAGE_MAX)
		return pg_fatal(
		    s, ENDING_PROTOCOL, "08P01", "invalid message length");
	have.len = whole_messages(have);
	if (have.len > 0) {
		if (reader != NULL)
			put_data(s, reader, have);
		peer_consume(&s->relay.client, have.len);
		return ERR_NONE;
	}
	pg->upload = len - 4;
	peer_consume(&s->relay.client, PG_HEADER);
	return ERR_NONE;
}

enum err
copy_pass_bar(struct session *s, char type)
{
	struct pg *pg = pg_of(s);
	struct pending *reader;
	enum err e = ERR_NONE;

	if (pg->queue.readers == 0 && pg->queue.unsure == 0)
		return ERR_NONE;
	for (reader = reader_of(pg); reader != NULL; reader = reader_of(pg)) {
		if (reader->copying != 0 && type == 'X')
			return session_end(s, ENDING_CLIENT);
		if (reader->copying != 0)
			return pg_fatal(s, ENDING_PROTOCOL, "08P01",
			    "unexpected message type during COPY from stdin");
		e = pg_wait(s, false);
		if (e != ERR_NONE)
			return e;
	}
	return pg->queue.unsure > 0 ? pg_settle(s) : ERR_NONE;
}

enum err
copy_on_end(struct session *s, const struct message *r)
{
	struct pg *pg = pg_of(s);
	struct pending *reader = reader_of(pg), *end;

	if (reader == NULL) /* nobody reads: the server would ignore it, too */
		return ERR_NONE;
	reader->reads--;
	end = queue_push(&pg->queue, 'c');
	if (end == NULL)
		return front_out_of_memory(s);
	front_forward(s, r);
	return ERR_NONE;
}

enum err
copy_sync(struct session *s)
{
	struct pg *pg = pg_of(s);
	bool is_unsure = reader_of(pg) != NULL;
	enum err e = pg_sync(s);

	if (e != ERR_NONE || !is_unsure)
		return e;
	queue_at(&pg->queue, pg->queue.count - 1)->is_unsure = true;
	if (++pg->queue.unsure > COPY_SYNCS_MAX)
		return pg_fatal(s, ENDING_PROTOCOL, "08P01",
		    "too many Sync messages during COPY");
	return ERR_NONE;
}

enum err
copy_settle(struct session *s)
{
	struct pg *pg = pg_of(s);
	bool was_feeding = pg->is_feeding;
	enum err e = ERR_NONE;

	if (reader_of(pg) != NULL) {
		peer_consume(&s->relay.client, pg->current);
		pg->current = 0;
	}
	pg->is_feeding = true;
	while (e == ERR_NONE && reader_of(pg) != NULL)
		e = pg_serve(s);
	pg->is_feeding = was_feeding;
	return e == ERR_NONE ? pg_settle(s) : e;
}

void
copy_stop_reading(struct session *s, const char *reason)
{
	struct pending *p = queue_front(&pg_of(s)->queue);
	struct buffer *out = &s->relay.upstream.out;
	size_t at;

	if (p == NULL || p->copying != 'G' || p->reads == 0)
		return;
	p->reads = 0;
	at = pg_message_begin(out, 'f');
	buffer_put_cstring(out, text_of(reason));
	pg_message_end(out, at);
}

/* --- the server's --------------------------------------------------------- */

enum err
copy_on_in(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);

	if (!back_front_is(pg, "QE") || !p->may_read || p->copying != 0 ||
	    p->is_muted)
		return back_unexpected(s, a);
	p->copying = 'G';
	if (p->run->is_cut) {
		*fate = FATE_DROP;
		copy_stop_reading(s, p->run->complaint);
	}
	return ERR_NONE;
}

/* Entries behind the front up to the end of the COPY's data: Syncs that the
 * server ignored, and the end. False: it has not ended. */
static bool
drop_read(struct pg *pg)
{
	size_t n = 1;

	while (n < pg->queue.count && queue_at(&pg->queue, n)->kind == 'S')
		n++;
	if (n >= pg->queue.count || queue_at(&pg->queue, n)->kind != 'c')
		return false;
	/* a batch goes on that seemed to be over */
	pg->has_unsynced |= n > 1 && queue_front(&pg->queue)->kind == 'E';
	queue_remove(&pg->queue, 1, n);
	return true;
}

enum err
copy_note_complete(struct session *s, const struct answer *a, struct text tag)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);

	if (p->copying == 'G' && !drop_read(pg))
		return back_unexpected(s, a);
	if (p->copying == 'G')
		p->run->outcome.rows += pg_tag_count(tag);
	p->copying = 0;
	return ERR_NONE;
}

/* How many ReadyForQuery come? The server gets a query whose answer is known:
 * as many as it gives before. If it may skip up to a Sync, it needs one of
 * ours first. */
static enum err
count_ready(struct session *s, bool is_skipping)
{
	struct pg *pg = pg_of(s);
	struct buffer *out = &s->relay.upstream.out;
	struct pending *p = queue_push(&pg->queue, 'Y');

	if (p == NULL)
		return front_out_of_memory(s);
	p->is_ours = p->is_unsure = true;
	pg->queue.unsure++;
	p->batch = pg->batch++;
	p->adds_sync = is_skipping;
	if (is_skipping) {
		pg_put_empty(out, 'S');
		pg->is_skipping = true;
	}
	pg_put_query(out, TEXT(""));
	return ERR_NONE;
}

enum err
copy_count_ready(struct session *s)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);

	if (p->run != NULL)
		run_finish(s, p->run);
	queue_pop(&pg->queue);
	for (p = queue_front(&pg->queue); p != NULL;
	     p = queue_front(&pg->queue)) {
		if (strchr("Sc", p->kind) == NULL)
			return pg_fatal(s, ENDING_UPSTREAM, "57014",
			    "a query was cancelled amid a batch, and whether "
			    "those behind it are skipped cannot be told");
		queue_pop(&pg->queue);
	}
	return count_ready(s, true);
}

enum err
copy_note_failed(struct session *s)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue), *next;
	bool was_reading = p->copying == 'G';

	p->copying = 0;
	p->reads = 0;
	if (!was_reading || pg->queue.count < 2)
		return ERR_NONE;
	next = queue_at(&pg->queue, 1);
	if (next->kind != 'S' || !next->is_unsure)
		return ERR_NONE;
	/* which of the Syncs did the server take for the COPY's? */
	queue_remove(&pg->queue, 1, pg->queue.count - 1);
	return count_ready(s, p->kind == 'E');
}

static void
pass_syncs(struct session *s, struct pending *p)
{
	struct pg *pg = pg_of(s);
	unsigned i, answered = p->syncs - p->adds_sync;

	for (i = 0; i < answered; i++)
		pg_put_ready(pg_out(s), pg->status);
	if (answered > 0)
		pg->is_skipping = false;
	p->is_counted = true;
}

enum err
copy_on_counted(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);

	*fate = FATE_DROP;
	if (a->type == 'I') {
		if (p->is_counted || p->syncs < p->adds_sync)
			return back_unexpected(s, a);
		pass_syncs(s, p);
		return ERR_NONE;
	}
	back_note_status(s, p, a->body);
	if (++p->syncs > PG_PENDING_MAX + 2) /* the client's, and ours */
		return back_unexpected(s, a);
	if (p->is_counted)
		back_advance(s);
	return ERR_NONE;
}
