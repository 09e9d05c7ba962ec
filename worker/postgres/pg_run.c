/*
 * pg_run.c - a statement's execution: its limits, its outcome, and what it
 * changed of the names we keep.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "worker/postgres/copy/pg_copy.h"
#include "worker/own_relations.h"
#include "worker/snapshot.h"

struct run *
run_new(struct ruling *j, uint64_t seq)
{
	struct run *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->ruling = ruling_share(j);
	r->limits = j->verdict.limits;
	r->operations = j->operations;
	r->traits = j->traits;
	r->outcome.seq = seq;
	return r;
}

void
run_drop(struct run *r)
{
	if (r == NULL)
		return;
	ruling_drop(r->ruling);
	shape_drop(r->shape);
	free(r);
}

/* --- while it runs -------------------------------------------------------- */

void
run_start(struct session *s, struct run *r)
{
	if (r->started != 0)
		return;
	r->started = relay_now();
	s->relay.deadline =
	    r->limits.seconds == 0
		? 0
		: r->started + (int64_t)r->limits.seconds * 1000;
}

void
run_cut(struct session *s, struct run *r, const char *sqlstate,
    const char *complaint)
{
	if (r->is_cut)
		return;
	r->is_cut = true;
	r->sqlstate = sqlstate;
	snprintf(r->complaint, sizeof(r->complaint), "%s", complaint);
	copy_stop_reading(s, r->complaint);
	pg_cancel_upstream(s);
}

/* A base backup and the log come as CopyData, too, and are no rows. */
static bool
gives_rows(const struct pending *p)
{
	return p->copying == 0 ||
	       (p->run->operations & BIT(OP_REPLICATION)) == 0 ||
	       (p->run->operations & BIT(OP_COPY_OUT)) != 0;
}

uint64_t
run_rows_left(const struct pending *p)
{
	const struct run *r = p->run;
	uint64_t rows = p->portal != NULL ? p->portal->rows : r->outcome.rows;

	if (r->is_cut)
		return 0;
	if (r->limits.rows == 0 || !gives_rows(p))
		return UINT64_MAX;
	return rows < r->limits.rows ? r->limits.rows - rows : 0;
}

void
run_count_rows(struct pending *p, uint64_t rows, size_t bytes)
{
	p->run->outcome.bytes += bytes;
	if (!gives_rows(p))
		return;
	if (p->portal != NULL)
		p->portal->rows += rows;
	p->run->outcome.rows += rows;
}

bool
run_count_row(struct session *s, struct pending *p, size_t bytes)
{
	struct run *r = p->run;
	char text[128];

	if (r->is_cut)
		return false;
	if (run_rows_left(p) == 0) {
		snprintf(text, sizeof(text),
		    "the result has more than the %llu rows allowed",
		    (unsigned long long)r->limits.rows);
		run_cut(s, r, "54000", text);
		return false;
	}
	run_count_rows(p, 1, bytes);
	return true;
}

enum err
pg_on_deadline(struct session *s)
{
	struct pending *front = queue_front(&pg_of(s)->queue);
	char text[128];

	s->relay.deadline = 0;
	if (audit_flush(s->audit) != ERR_NONE)
		log_error("session %s: a result could not be recorded", s->id);
	if (front == NULL || front->run == NULL ||
	    front->run->limits.seconds == 0)
		return ERR_NONE;
	snprintf(text, sizeof(text),
	    "the statement ran longer than the %llu seconds allowed",
	    (unsigned long long)front->run->limits.seconds);
	run_cut(s, front->run, "57014", text);
	return ERR_NONE;
}

void
pg_cancel_upstream(struct session *s)
{
	const struct pg_upstream *link = &pg_of(s)->link;
	const struct upstream_access access = pg_upstream_access(s);
	enum err e =
	    pg_upstream_cancel(&access, link->backend_pid, link->cancel_key);

	if (e != ERR_NONE)
		log_warning("session %s: cannot cancel at upstream %s: %s",
		    s->id, s->upstream->name, err_text(e));
}

/* The name now leads to this, or, when it cannot be kept, nowhere. */
static bool
keep_name(struct names *n, struct text name, void *value)
{
	if (value != NULL && names_count(n) < PG_NAMES_MAX &&
	    names_bytes() < PG_NAME_BYTES_MAX &&
	    names_set(n, name, value) == ERR_NONE)
		return true;
	names_remove(n, name);
	return false;
}

/* A cursor may be described and executed by its name, as a portal. */
static void
note_cursor(struct session *s, struct ruling *j, struct text name, bool is_held)
{
	const struct pg_bind bind = {.formats = (const uint8_t *)""};
	struct pg *pg = pg_of(s);
	struct prepared *p = prepared_new(j, j->sql, TEXT(""), 0);
	struct portal *portal =
	    p == NULL ? NULL : portal_new(p, &bind, pg->batch);

	prepared_drop(p);
	if (portal != NULL) {
		portal->epoch = gate_schema_epoch(s->gate);
		portal->is_cursor = portal->is_sure = true;
		portal->is_held = is_held;
	}
	if (!keep_name(pg->portals, name, portal))
		portal_drop(portal);
}

static void
note_prepared(struct session *s, struct ruling *j, struct text name)
{
	struct prepared *p = prepared_new(j, j->sql, TEXT(""), 0);

	if (p != NULL)
		p->is_sure = true;
	if (!keep_name(pg_of(s)->statements, name, p))
		prepared_drop(p);
}

/* CLOSE, DEALLOCATE: one name, or all where none is given. */
static void
forget(struct names *n, struct text name)
{
	if (name.len > 0)
		names_remove(n, name);
	else
		names_clear(n);
}

/* A text of several statements failed: which of them ran, nobody knows, and
 * names outlive a transaction. So those it could have changed lead nowhere. */
static void
forget_names(struct session *s, const struct statement *st)
{
	const uint64_t statements =
	    BIT(OP_PREPARE) | BIT(OP_DEALLOCATE) | BIT(OP_DISCARD);
	struct pg *pg = pg_of(s);

	if ((st->operations & statements) != 0)
		forget(pg->statements, st->subject);
	if ((st->operations & (BIT(OP_DECLARE) | BIT(OP_CLOSE))) != 0)
		forget(pg->portals, st->subject);
}

/* Does this DECLARE say WITH HOLD? (Quoted names have no spaces here.) */
static bool
is_held(const struct statement *st)
{
	static const char words[] = " with hold for ";

	return memmem(st->canonical.at, st->canonical.len, words,
		   sizeof(words) - 1) != NULL;
}

/* What a successful statement changed of the names we keep. */
static void
note_names(struct session *s, struct ruling *j, const struct statement *st)
{
	struct pg *pg = pg_of(s);

	if ((st->operations & BIT(OP_DECLARE)) != 0)
		note_cursor(s, j, st->subject, is_held(st));
	if ((st->operations & BIT(OP_CLOSE)) != 0)
		forget(pg->portals, st->subject);
	if ((st->operations & BIT(OP_DISCARD)) != 0)
		names_clear(pg->statements);
	if ((st->operations & BIT(OP_DEALLOCATE)) != 0)
		forget(pg->statements, st->subject);
	if ((st->operations & BIT(OP_PREPARE)) != 0)
		note_prepared(s, j, st->subject);
}

static void
suspect_prepared(void *value)
{
	((struct prepared *)value)->is_suspect = true;
}

static void
suspect_portal(void *value)
{
	struct portal *p = value;

	p->is_suspect = true;
	shape_drop(p->shape);
	p->shape = NULL;
}

/* May something else have the name of a cursor now, and we were not told?
 * (A FETCH runs the code of its cursor; where that is not the server's, what is
 * fetched later is masked strictly anyway.) */
static bool
may_replace_cursors(const struct run *r, uint64_t code)
{
	static const uint64_t leaving =
	    BIT(OP_DECLARE) | BIT(OP_FETCH) | BIT(OP_MOVE) | BIT(OP_CLOSE) |
	    BIT(OP_PREPARE) | BIT(OP_DEALLOCATE) | BIT(OP_EXPLAIN) |
	    BIT(OP_SELECT) | BIT(OP_SHOW) | BIT(OP_SET) | BIT(OP_RESET) |
	    BIT(OP_SET_TRANSACTION) | BIT(OP_ROLLBACK) | BIT(OP_LISTEN) |
	    BIT(OP_UNLISTEN) | BIT(OP_NOTIFY);

	return (r->traits & code) != 0 ||
	       (!r->ruling->is_plain && (r->operations & ~leaving) != 0);
}

/* Code may have run, and what it did to names stays, even if it failed. */
static void
note_effects(struct session *s, const struct run *r, bool has_failed)
{
	struct ruling *j = r->ruling;
	const uint64_t code =
	    BIT(TRAIT_OPAQUE_FUNCTION) | BIT(TRAIT_UNKNOWN_FUNCTION);
	struct pg *pg = pg_of(s);
	size_t i;

	if ((r->traits & code) != 0 ||
	    (r->operations & (BIT(OP_DO) | BIT(OP_CALL))) != 0)
		names_each(pg->statements, suspect_prepared);
	pg->may_set_late |= j->may_set;
	if (may_replace_cursors(r, code))
		names_each(pg->portals, suspect_portal);
	for (i = 0; i < j->text.count; i++) {
		if (!has_failed)
			note_names(s, j, &j->text.statements[i]);
		else if (j->text.count > 1)
			forget_names(s, &j->text.statements[i]);
	}
}

static void
record_outcome(struct session *s, struct run *r)
{
	r->is_over = true;
	if (r->ruling->text.count == 0)
		return; /* an empty query */
	if (record_result(s->gate, &r->outcome) != ERR_NONE) {
		s->gate->results_lost++;
		log_error("session %s: a result could not be recorded", s->id);
	}
}

void
run_abandon(struct session *s, struct run *r)
{
	if (r != NULL && !r->is_over) {
		memcpy(r->outcome.sqlstate, "25P02", 5);
		record_outcome(s, r);
	}
	run_drop(r);
}

void
run_finish(struct session *s, struct run *r)
{
	struct outcome *o = &r->outcome;

	if (r->started != 0)
		o->ms = relay_now() - r->started;
	note_effects(s, r, o->sqlstate[0] != '\0');
	if (o->sqlstate[0] != '\0')
		own_roll_back(&s->gate->own);
	else
		own_succeeded(s->gate, r->ruling);
	s->slot->rows += o->rows;
	s->slot->masked += o->masked;
	s->relay.deadline = 0;
	record_outcome(s, r);
}
