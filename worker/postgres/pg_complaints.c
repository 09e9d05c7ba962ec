/*
 * pg_complaints.c - the server's errors and notices, and what an error ends.
 *
 * The rule: to an identity from which values are protected no complaint
 * passes as it is that could quote one.
 */
#include "common/detect.h"
#include "worker/postgres/copy/pg_copy.h"
#include "worker/reading.h"

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

/* --- may it quote a protected value? -------------------------------------- */

static bool
names_relation(const struct ruling *j, struct text name)
{
	size_t i, k;

	for (i = 0; i < j->text.count; i++) {
		const struct statement *st = &j->text.statements[i];

		for (k = 0; k < st->relation_count; k++) {
			if (text_is(st->relations[k].name, name))
				return true;
		}
	}
	return false;
}

/* May a relation of this name have protected columns? */
static bool
is_protected_relation(struct session *s, struct text schema, struct text name)
{
	struct gate *g = s->gate;
	struct relation_use use = {
	    .schema = schema, .name = name, .is_read = true};
	const struct statement one = {
	    .relations = &use, .relation_count = 1};
	struct touch touch;

	if (!reading_is_plain(g, name) || !reading_is_plain(g, schema) ||
	    g->protection == NULL)
		return true;
	arena_reset(g->scratch);
	return protection_touch(g->protection, &one, g->scratch, &touch) !=
		   ERR_NONE ||
	       touch.is_protected;
}

/* Foreign keys and the checks of a transaction's end may be about tables that
 * the statement does not name: the message says which. */
static bool
is_about_protected(struct session *s, const struct pg_error *error)
{
	struct text name;
	size_t i;

	if (is_protected_relation(s, error->schema, error->table) ||
	    !pg_quoted_name(error->message, 0, &name) || name.len == 0)
		return true;
	for (i = 0; name.len > 0; i++) {
		if (!pg_quoted_name(error->message, i, &name) ||
		    (name.len > 0 &&
			is_protected_relation(s, TEXT(""), name)))
			return true;
	}
	return false;
}

/* Are values that this statement reads or writes protected? */
static bool
reaches_protected(const struct ruling *j)
{
	return j == NULL || j->touch.is_protected || j->may_carry;
}

/* A view's own query, rules and row security may stumble over what their
 * statement cannot see; and a view that checks its option shows the whole row
 * below it. (Notices come of functions only, in a context.) */
static bool
is_of_inner(const struct ruling *j, const struct pg_error *error)
{
	if (text_starts(error->sqlstate, TEXT("44")))
		return true;
	return j->touch.runs_inner && error->table.len == 0 &&
	    !text_starts(error->sqlstate, TEXT("00")) &&
	    !text_starts(error->sqlstate, TEXT("01")) &&
	    !pg_error_is_of_text(error);
}

/* Could its text quote a protected value to this identity? */
static bool
must_scrub(
    struct session *s, const struct pending *p, const struct pg_error *error)
{
	const struct ruling *j = ruling_answered(p);

	if (!gate_protects(s->gate))
		return false;
	if (reaches_protected(j) || pg_error_is_foreign(error))
		return true;
	if (error->table.len > 0 && !names_relation(j, error->table))
		return is_about_protected(s, error);
	if (is_of_inner(j, error))
		return true;
	/* another table's key may be quoted in what is said of this one; and
	 * at its end a transaction checks what was deferred */
	if (text_starts(error->sqlstate, TEXT("23")))
		return error->table.len == 0 || is_about_protected(s, error);
	return (j->operations & BIT(OP_COMMIT)) != 0;
}

/* Values protected by their look, wherever they appear. */
static bool
has_finds(struct session *s, const struct pg_error *error)
{
	const struct text texts[] = {
	    error->message, error->detail, error->hint, error->context};
	const struct protection *p = s->gate->protection;
	uint64_t detectors = p == NULL ? 0 : protection_detectors(p);
	struct found found;
	size_t i;

	for (i = 0; detectors != 0 && i < sizeof(texts) / sizeof(texts[0]);
	     i++) {
		if (detect_next(detectors, texts[i], 0, &found))
			return true;
	}
	return false;
}

static enum err
scrub(struct session *s, const struct answer *a, enum fate *fate)
{
	const struct ruling *j = ruling_answered(queue_front(&pg_of(s)->queue));
	struct text typed = j == NULL ? TEXT("") : j->sql;

	*fate = FATE_DROP;
	if (pg_put_scrubbed(pg_out(s), a->type, a->body, typed) != ERR_NONE)
		return back_unexpected(s, a);
	return ERR_NONE;
}

/* As it is, or without what could quote protected values. */
static enum err
pass_scrubbed(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg_error error;

	if (pg_parse_error(a->body, &error) != ERR_NONE)
		return back_unexpected(s, a);
	if (must_scrub(s, queue_front(&pg_of(s)->queue), &error) ||
	    has_finds(s, &error))
		return scrub(s, a, fate);
	return ERR_NONE;
}

enum err
back_on_notice(struct session *s, const struct answer *a, enum fate *fate)
{
	return pass_scrubbed(s, a, fate);
}

/* Has the server answered a part of it, so that it was under way? */
static bool
has_begun(const struct pending *p)
{
	return p->copying != 0 ||
	       (p->run != NULL && (p->run->outcome.rows > 0 ||
				      p->run->outcome.bytes > 0));
}

/* May it be that this failed because of a Flush before it, and is skipped? See
 * copy_count_ready(). */
static bool
may_be_skipped(const struct pending *p, const struct answer *a)
{
	struct pg_error error;

	return strchr("QF", p->kind) != NULL && p->is_amid && !has_begun(p) &&
	       pg_parse_error(a->body, &error) == ERR_NONE &&
	       text_is(error.sqlstate, TEXT("57014"));
}

/* The server ends the session and says why; or a Flush found that the time of
 * its batch was over, and what comes up to Sync is skipped. */
static enum err
on_error_alone(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);

	if (pg->has_unsynced) {
		pg->is_skipping = true;
		pg->is_barred = false;
	}
	return pass_scrubbed(s, a, fate);
}

/* After an error the server ignores everything up to Sync: none of those
 * requests will be answered, and what they would have made does not exist. */
static void
drop_unanswered(struct session *s)
{
	struct pg *pg = pg_of(s);
	struct pending *p;

	for (p = queue_front(&pg->queue); p != NULL && strchr("SY", p->kind) == NULL;
	     p = queue_front(&pg->queue)) {
		if (p->prepared != NULL && !p->prepared->is_sure)
			names_remove_value(pg->statements, p->prepared);
		if (p->portal != NULL && !p->portal->is_sure)
			names_remove_value(pg->portals, p->portal);
		run_abandon(s, p->run);
		p->run = NULL;
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

/* Does it complain of the text before anybody made sense of it? It quotes
 * nothing but the text, then. */
static bool
is_of_tokens(const struct answer *a)
{
	static const struct text states[] = {
	    {"42601", 5}, /* syntax error */
	    {"42622", 5}, /* name too long */
	    {"22021", 5}, /* character not in repertoire */
	    {"22025", 5}, /* invalid escape sequence */
	    {"22P06", 5}, /* nonstandard use of escape character */
	    {"0A000", 5}, /* U& strings without conforming strings */
	};
	struct pg_error error;
	size_t i;

	if (pg_parse_error(a->body, &error) != ERR_NONE)
		return false;
	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (text_is(error.sqlstate, states[i]))
			return true;
	}
	return false;
}

enum err
back_on_error(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);
	enum err e = ERR_NONE;

	own_roll_back(&s->gate->own);
	if (p == NULL)
		return on_error_alone(s, a, fate);
	if (p->is_muted) {
		*fate = FATE_DROP;
	} else if (p->is_poison) {
		if (!p->may_speak || !is_of_tokens(a)) {
			buffer_put(pg_out(s), p->local.bytes, p->local.len);
			*fate = FATE_DROP;
		}
	} else if (p->run != NULL && p->run->is_cut) {
		back_put_cut(s, p->run);
		*fate = FATE_DROP;
	} else {
		e = pass_scrubbed(s, a, fate);
	}
	if (p->run != NULL && p->run->outcome.sqlstate[0] == '\0')
		note_error(p->run, a);
	if (e == ERR_NONE)
		e = may_be_skipped(p, a) ? copy_count_ready(s)
					 : copy_note_failed(s);
	if (e != ERR_NONE)
		return e;
	p = queue_front(&pg->queue); /* which may stand elsewhere now */
	if (strchr("QSFY", p->kind) != NULL) /* ReadyForQuery follows */
		return e;
	if (p->run != NULL)
		run_finish(s, p->run);
	drop_unanswered(s);
	return e;
}
