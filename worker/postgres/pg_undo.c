/*
 * pg_undo.c - statements that may change only so many rows.
 *
 * `limits: {changed_rows: N}` can be checked only when the statement has run,
 * so it must still be possible to undo it then: a simple query outside a
 * transaction gets one of ours around it; in an extended batch, and inside
 * the client's transaction, the server is made to fail before anything is
 * committed.  What a transaction changed counts together.
 *
 * The rule: between a limited statement and what commits it there is always
 * a pg_settle(), so that its count is known.
 */
#include <stdio.h>

#include "worker/postgres/copy/pg_copy.h"

static const uint64_t changing =
    BIT(OP_INSERT) | BIT(OP_UPDATE) | BIT(OP_DELETE) | BIT(OP_MERGE) |
    BIT(OP_COPY_IN);

static const uint64_t transactions =
    BIT(OP_BEGIN) | BIT(OP_COMMIT) | BIT(OP_ROLLBACK) | BIT(OP_SAVEPOINT) |
    BIT(OP_RELEASE) | BIT(OP_PREPARE_TRANSACTION);

bool
undo_is_wanted(const struct run *r)
{
	bool returns = (r->ruling->traits & BIT(TRAIT_RETURNING)) != 0;

	bool may_be_cut =
	    r->limits.rows != 0 || r->ruling->touch.derived.is_denied;

	return (r->limits.changed_rows != 0 || (may_be_cut && returns)) &&
	       (r->operations & changing) != 0;
}

bool
undo_count(struct session *s, struct run *r, uint64_t changed)
{
	struct pg *pg = pg_of(s);

	r->outcome.changed += changed;
	pg->changed += changed;
	if (!undo_is_wanted(r) || r->limits.changed_rows == 0 ||
	    pg->changed <= r->limits.changed_rows)
		return true;
	pg->is_undo_due = pg->must_roll_back = true;
	snprintf(pg->undo_reason, sizeof(pg->undo_reason),
	    "%llu rows changed, %llu are allowed; it was undone",
	    (unsigned long long)pg->changed,
	    (unsigned long long)r->limits.changed_rows);
	memcpy(r->outcome.sqlstate, "54000", 5);
	return false;
}

/* Has it a write within WITH, whose rows no command tag counts? */
static bool
has_hidden_write(const struct classified *text)
{
	static const struct text hidden[] = {{"( insert into ", 14},
	    {"( update ", 9}, {"( delete from ", 14}, {"( merge into ", 13}};
	size_t i, k;

	for (i = 0; i < text->count; i++) {
		struct text t = text->statements[i].canonical;

		/* COPY ( UPDATE … RETURNING … ) gives a line for each */
		if (text_starts(t, TEXT("copy ("))) {
			t.at += 6;
			t.len -= 6;
		}
		for (k = 0; k < sizeof(hidden) / sizeof(hidden[0]); k++) {
			if (memmem(t.at, t.len, hidden[k].at,
				hidden[k].len) != NULL)
				return true;
		}
	}
	return false;
}

bool
undo_is_uncountable(const struct ruling *j, const struct ruling *inner)
{
	uint64_t limit = j->verdict.limits.changed_rows;
	uint64_t operations = j->operations;

	if (inner != NULL) {
		limit |= inner->verdict.limits.changed_rows;
		operations |= inner->operations;
	}
	if (limit != 0 && (operations & BIT(OP_UNKNOWN)) != 0)
		return true;
	if (limit == 0 || (operations & changing) == 0)
		return false;
	return (operations & BIT(OP_EXPLAIN)) != 0 ||
	    has_hidden_write(&j->text) ||
	    (inner != NULL && has_hidden_write(&inner->text));
}

static struct refusal
undo_refusal(const struct pg *pg)
{
	return (struct refusal){
	    .sqlstate = "54000", .message = text_of(pg->undo_reason)};
}

/* A query of our own, its answer swallowed (but for an error, when it is the
 * client's to know). Afterwards pg->status tells how it stands. */
static enum err
ask(struct session *s, const char *sql, bool is_muted)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_push(&pg->queue, 'Q');

	if (p == NULL)
		return pg_fatal(s, ENDING_ERROR, "53200", "out of memory");
	p->batch = pg->batch++;
	p->is_ours = true;
	p->is_muted = is_muted;
	pg_put_query(&s->relay.upstream.out, text_of(sql));
	return pg_settle(s);
}

/* Run it with its ReadyForQuery kept back. */
static enum err
run_query(struct session *s, struct text bytes, struct run *run)
{
	struct pg *pg = pg_of(s);
	struct pending *p;
	enum err e;

	if (copy_is_masked(s, run)) {
		e = copy_out_run(s, 'Q', run, true);
		return e == ERR_NONE ? pg_settle(s) : e;
	}
	p = queue_push(&pg->queue, 'Q');
	if (p == NULL) {
		run_drop(run);
		return pg_fatal(s, ENDING_ERROR, "53200", "out of memory");
	}
	p->run = run;
	p->batch = pg->batch++;
	p->keeps_ready = true;
	copy_expect(pg, p, copy_reads(run->ruling));
	buffer_put_text(&s->relay.upstream.out, bytes);
	run_start(s, run);
	return copy_settle(s);
}

/* How the transaction around it ends; and the client is told. */
static enum err
conclude(struct session *s, bool is_ours)
{
	struct pg *pg = pg_of(s);
	struct refusal r = undo_refusal(pg);
	enum err e = ERR_NONE;

	if (is_ours)
		e = pg->must_roll_back || pg->status == 'E'
			? ask(s, "ROLLBACK", true)
			: ask(s, "COMMIT", false);
	else if (pg->must_roll_back)
		e = ask(s, "refused by sallyport", true);
	if (e != ERR_NONE)
		return e;
	if (pg->is_undo_due)
		pg_put_refusal(pg_out(s), &r);
	pg->is_undo_due = pg->must_roll_back = false;
	pg_put_ready(pg_out(s), pg->status);
	return ERR_NONE;
}

enum err
undo_query(struct session *s, struct text bytes, struct run *run)
{
	static const struct refusal mixed = {.sqlstate = "42501",
	    .message = {"a message with several statements and transaction "
			"control cannot be kept to its changed_rows",
		87}};
	struct pg *pg = pg_of(s);
	bool is_ours = false;
	enum err e;

	if ((run->ruling->operations & transactions) != 0) {
		run_abandon(s, run);
		return pg_refuse_statement(s, 'Q', &mixed);
	}
	e = pg_settle(s);
	if (e == ERR_NONE && pg->is_skipping) { /* up to Sync, this one too */
		run_abandon(s, run);
		return ERR_NONE;
	}
	if (e == ERR_NONE && pg->has_unsynced) /* a Query ends a batch */
		e = pg_sync_ours(s);
	pg->must_roll_back = false;
	if (e == ERR_NONE && pg->status == 'I') {
		is_ours = true;
		e = ask(s, "BEGIN", true);
	}
	if (e != ERR_NONE) {
		run_abandon(s, run);
		return e;
	}
	e = run_query(s, bytes, run);
	return e == ERR_NONE ? conclude(s, is_ours) : e;
}

enum err
undo_execute(struct session *s)
{
	struct pg *pg = pg_of(s);
	struct refusal r;
	enum err e = copy_settle(s);

	if (e != ERR_NONE || !pg->must_roll_back)
		return e;
	r = undo_refusal(pg);
	pg->must_roll_back = false;
	if (!pg->is_undo_due) /* cut short, and the client was told why */
		return pg_poison(s, NULL);
	pg->is_undo_due = false;
	return pg_poison(s, &r);
}
