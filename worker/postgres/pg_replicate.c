/*
 * pg_replicate.c - replication connections.
 *
 * Such a connection is an operation of its own: what the write-ahead log
 * carries cannot be masked.  So it is for those from whom nothing is protected
 * and who are allowed `replication`, and each of its commands is judged and
 * recorded with that operation besides its own.
 *
 * The rule: nothing is sent on such a connection without that operation, and
 * a stream goes on for as long only as its command would be allowed now.
 * Source: PostgreSQL documentation, chapter 55.4.
 */
#include <stdio.h>

#include "worker/postgres/login/pg_login.h"
#include "worker/postgres/pg_replicate.h"
#include "worker/postgres/wire/replication_text.h"
#include "worker/snapshot.h"

/* --- the startup packet --------------------------------------------------- */

/* Judge the connection as its first command. */
static enum err
judge_connection(struct session *s)
{
	struct ruling *j = gate_judge(s->gate, TEXT("IDENTIFY_SYSTEM"));
	char reason[GATE_REASON_MAX + 64];
	enum err e = ERR_NONE;

	if (j == NULL)
		return ERR_MEMORY;
	if (j->verdict.decision != THEN_ALLOW) {
		snprintf(reason, sizeof(reason),
		    "replication connection refused: %.*s",
		    (int)j->verdict.reason.len, j->verdict.reason.at);
		e = login_fail(s, "42501", reason, reason);
	}
	ruling_drop(j);
	return e;
}

enum err
replication_want(
    struct session *s, struct text value, struct login_settings *w)
{
	static const struct text spelt[] = {
	    [REPLICATION_PHYSICAL] = {"true", 4},
	    [REPLICATION_LOGICAL] = {"database", 8}};
	enum replication kind = replication_of(value);
	enum err e;

	if (kind == REPLICATION_NONE)
		return ERR_NONE;
	if (kind == REPLICATION_INVALID)
		return login_fail(s, "22023",
		    "invalid value for startup parameter \"replication\"",
		    "invalid value for startup parameter \"replication\"");
	e = judge_connection(s);
	if (e != ERR_NONE)
		return e;
	pg_of(s)->replication = kind;
	s->gate->also |= BIT(OP_REPLICATION);
	w->list[w->count++] =
	    (struct setting_pair){TEXT("replication"), spelt[kind]};
	return ERR_NONE;
}

/* --- commands ------------------------------------------------------------- */

struct ruling *
replication_judge(struct session *s, struct text sql)
{
	struct buffer b = {.ceiling = 0};
	struct ruling *j = gate_judge(s->gate,
	    replication_read(sql, &b)
		? (struct text){(const char *)b.bytes, b.len}
		: sql);

	buffer_free(&b);
	return j;
}

/* Judge the command again, under another policy than before. */
static enum err
judge_again(struct session *s, struct run *r)
{
	struct ruling *j = gate_judge(s->gate, r->ruling->sql);
	bool may_go_on = j != NULL && j->verdict.decision != THEN_DENY;

	if (!may_go_on) {
		ruling_drop(j);
		if (s->gate->is_barred)
			return pg_end_barred(s);
		return pg_fatal(s, ENDING_POLICY, "42501",
		    "the policy changed: it does not allow this replication");
	}
	ruling_drop(r->ruling);
	r->ruling = j;
	return ERR_NONE;
}

enum err
replication_go_on(struct session *s)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);

	if (pg->replication == REPLICATION_NONE || p == NULL ||
	    p->run == NULL || p->copying == 0 ||
	    (snapshot_is_current(s->gate) &&
		p->run->ruling->generation == s->gate->policy->generation))
		return ERR_NONE;
	return judge_again(s, p->run);
}
