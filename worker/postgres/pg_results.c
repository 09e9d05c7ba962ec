/*
 * pg_results.c - results: their columns, their rows, their end.
 *
 * The rule: a row passes only when the treatment of its columns is known.
 */
#include "worker/postgres/copy/pg_copy.h"
#include "worker/snapshot.h"

/* Whose rows these are, with the shape they have. */
struct shape *
back_current_shape(struct pending *p)
{
	if (p->run->shape == NULL && p->portal != NULL)
		p->run->shape = shape_share(p->portal->shape);
	return p->run->shape;
}

enum err
back_on_row_description(
    struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);
	struct shape *shape = NULL;
	const struct ruling *j;
	enum err e;

	if (!back_front_is(pg, "QD") || (p->kind == 'Q' && p->run == NULL))
		return back_unexpected(s, a);
	if (p->copy != NULL)
		return copy_out_on_columns(s, a, fate);
	if (p->is_ours || p->is_muted)
		*fate = FATE_DROP;
	if (p->kind == 'D' && p->target == 'S') {
		back_advance(s);
		return ERR_NONE;
	}
	j = p->kind == 'Q' ? p->run->ruling : p->portal->prepared->ruling;
	e = shape_read(s, j, a->body, p->portal, &shape);
	if (e != ERR_NONE)
		return back_unexpected(s, a);
	if (p->kind == 'Q') {
		shape_drop(p->run->shape);
		p->run->shape = shape;
		if (p->run->is_cut)
			*fate = FATE_DROP;
		return ERR_NONE;
	}
	shape_drop(p->portal->shape);
	p->portal->shape = shape;
	back_advance(s);
	return ERR_NONE;
}

enum err
back_on_no_data(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);

	if (!back_front_is(pg, "D"))
		return back_unexpected(s, a);
	if (p->copy != NULL)
		return copy_out_on_columns(s, a, fate);
	if (p->is_ours || p->is_muted)
		*fate = FATE_DROP;
	back_advance(s);
	return ERR_NONE;
}

enum err
back_on_parameter_description(
    struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);

	if (!back_front_is(pg, "D") || queue_front(&pg->queue)->target != 'S')
		return back_unexpected(s, a);
	if (queue_front(&pg->queue)->is_muted)
		*fate = FATE_DROP;
	return ERR_NONE;
}

enum err
back_on_data_row(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);
	struct shape *shape;
	struct buffer *out;
	size_t had;
	enum err e;

	*fate = FATE_DROP;
	if (back_front_is(pg, "E") && p->is_asked)
		return back_on_answer(s, a);
	if (!back_front_is(pg, "QE") || p->run == NULL)
		return back_unexpected(s, a);
	if (p->is_muted)
		return ERR_NONE;
	shape = back_current_shape(p);
	if (shape == NULL && gate_protects(s->gate))
		return back_unexpected(s, a);
	if (shape != NULL && shape->is_denied)
		run_cut(s, p->run, "42501",
		    "the result computes with protected columns, which their "
		    "protection denies");
	if (p->copy != NULL)
		return copy_out_on_row(s, a, fate);
	if (!run_count_row(s, p, a->total))
		return ERR_NONE;
	if (shape == NULL || !shape->is_masked) {
		*fate = FATE_PASS;
		return ERR_NONE;
	}
	out = pg_out(s);
	had = out->len;
	e = row_mask(s, shape, a->body, out, &p->run->outcome.masked);
	if (e == ERR_NONE)
		return e;
	buffer_cut(out, had);
	return back_unexpected(s, a);
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
void
back_put_cut(struct session *s, struct run *r)
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
changed_rows(const struct run *r, struct text tag)
{
	const uint64_t changing = BIT(OP_INSERT) | BIT(OP_UPDATE) |
				  BIT(OP_DELETE) | BIT(OP_MERGE) |
				  BIT(OP_COPY_IN);

	if (text_starts(tag, TEXT("COPY")) && (r->operations & changing) == 0)
		return 0;
	if (text_starts(tag, TEXT("SELECT")) ||
	    text_starts(tag, TEXT("FETCH")) || text_starts(tag, TEXT("MOVE")))
		return 0;
	return pg_tag_count(tag);
}

enum err
back_on_complete(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);
	struct wire body = a->body;
	struct text tag = a->type == 'C' ? wire_cstring(&body) : TEXT("");
	enum err e;

	if (back_front_is(pg, "Y"))
		return copy_on_counted(s, a, fate);
	if (!back_front_is(pg, "QE"))
		return back_unexpected(s, a);
	if (p->run == NULL) { /* a query of ours */
		*fate = FATE_DROP;
		if (p->is_asked) {
			pg->question.is_answered = true;
			back_advance(s);
		}
		return ERR_NONE;
	}
	e = copy_note_complete(s, a, tag);
	if (e != ERR_NONE)
		return e;
	note_block(pg, tag, p->run);
	if (!undo_count(s, p->run, changed_rows(p->run, tag)))
		*fate = FATE_DROP;
	if (p->run->is_cut) {
		*fate = FATE_DROP;
		if (p->kind == 'Q') /* said once, at its ReadyForQuery */
			return ERR_NONE;
		back_put_cut(s, p->run);
		pg->must_roll_back |= pg->has_several;
		mute_batch(pg);
	}
	if (p->is_muted)
		*fate = FATE_DROP;
	if (p->copy != NULL && *fate == FATE_PASS) {
		copy_out_finish(s, p);
		*fate = FATE_DROP;
	}
	if (p->kind == 'Q') /* several results; ReadyForQuery ends it */
		return ERR_NONE;
	run_finish(s, p->run);
	back_advance(s);
	return ERR_NONE;
}

void
back_note_status(struct session *s, struct pending *p, struct wire body)
{
	struct pg *pg = pg_of(s);

	pg->status = (char)wire_u8(&body);
	pg->is_in_block = pg->is_unreported = false;
	if (pg->status != 'I')
		return;
	pg->changed = 0;
	pg->may_set_late = false;
	names_end_transaction(pg->portals, p->batch);
	snapshot_schema_settled(s->gate);
}

enum err
back_on_ready(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);

	if (back_front_is(pg, "Y"))
		return copy_on_counted(s, a, fate);
	if (!back_front_is(pg, "QSF"))
		return back_unexpected(s, a);
	if (p->run != NULL) {
		if (p->run->is_cut && p->run->outcome.sqlstate[0] == '\0')
			back_put_cut(s, p->run);
		run_finish(s, p->run);
	}
	back_note_status(s, p, a->body);
	/* else conclude() has yet to act on it */
	if (!p->keeps_ready && !p->is_ours)
		pg->must_roll_back = pg->is_undo_due = false;
	if (p->is_ours || p->is_muted || p->keeps_ready)
		*fate = FATE_DROP;
	back_advance(s);
	if (pg->queue.count == 0) {
		pg->has_implicit_work = false;
		session_show_state(s, SLOT_WAITING);
	}
	return ERR_NONE;
}

enum err
back_on_acknowledged(struct session *s, const struct answer *a, enum fate *fate)
{
	static const char kinds[][2] = {
	    ['1' - '1'] = "P", ['2' - '1'] = "B", ['3' - '1'] = "C"};
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);

	if (!back_front_is(pg, kinds[a->type - '1']))
		return back_unexpected(s, a);
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
	if (p->is_poison && !p->may_speak) /* then nothing is sure */
		return back_unexpected(s, a);
	pg->has_digested |= p->is_poison;
	/* it waits on the next one, too */
	if (p->run != NULL && pg->queue.count > 1) {
		queue_at(&pg->queue, 1)->run = p->run;
		p->run = NULL;
	}
	back_advance(s);
	return ERR_NONE;
}
