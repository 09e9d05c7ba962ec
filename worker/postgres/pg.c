/*
 * pg.c - PostgreSQL, as session.c sees it.
 */
#include "worker/postgres/pg.h"

enum { LINGER_MS = 1000 }; /* as long as client_connection_check_interval */

static bool
pg_is_quiet(const struct session *s)
{
	return pg_of(s)->queue.count == 0;
}

static const char *
last_words(const struct session *s, const char **sqlstate)
{
	*sqlstate = "57P01";
	switch (s->ending) {
	case ENDING_DRAIN:
		return "terminating connection: Sallyport is stopping";
	case ENDING_KILLED:
		return "terminating connection: ended by an operator";
	case ENDING_EXPIRED:
		return "terminating connection: what proved your identity has "
		       "expired";
	case ENDING_ERROR:
		*sqlstate = "XX000";
		return "terminating connection: internal error";
	default:
		return NULL;
	}
}

/* What was under way has an end on record, too, though nobody knows it. */
static void
record_unfinished(struct session *s)
{
	struct queue *q = &pg_of(s)->queue;
	size_t i;

	for (i = 0; i < q->count; i++) {
		struct run *r = queue_at(q, i)->run;

		if (r == NULL)
			continue;
		pg_of(s)->is_unfinished = true;
		if (r->outcome.sqlstate[0] == '\0')
			memcpy(r->outcome.sqlstate, "08006", 5);
		run_finish(s, r);
	}
}

/* The last word unless it was said. */
static void
pg_farewell(struct session *s)
{
	const char *sqlstate, *words = last_words(s, &sqlstate);

	if (words != NULL && s->has_ending &&
	    pg_fatal(s, s->ending, sqlstate, words) == ERR_NONE)
		return;
	record_unfinished(s);
}

/* A client may send its last statement, say goodbye and not wait: that runs to
 * its end, if that is soon, as with a server that looks for its client once a
 * second. It does not go on where nobody waits for it, past every limit. */
static bool
is_to_be_cancelled(struct session *s)
{
	const bool is_clients_wish = !s->has_ending || s->ending == ENDING_CLIENT;

	return pg_of(s)->is_unfinished &&
	    !relay_await_end(
		&s->relay.upstream, is_clients_wish ? LINGER_MS : 0);
}

/* Goodbye to the server, too. */
static void
pg_leave(struct session *s)
{
	struct pg *pg = pg_of(s);

	pg_put_empty(&s->relay.upstream.out, 'X');
	relay_farewell(&s->relay.upstream);
	if (is_to_be_cancelled(s))
		pg_cancel_upstream(s);
	queue_free(&pg->queue);
	names_free(pg->statements);
	names_free(pg->portals);
	arena_free(pg->row);
	buffer_free(&pg->question.row);
	pg_upstream_close(&pg->link);
}

const struct protocol pg_protocol = {
    .engine = ENGINE_POSTGRES,
    .name = "postgres",
    .greet = pg_greet,
    .serve = pg_serve,
    .is_quiet = pg_is_quiet,
    .notice = pg_notice,
    .farewell = pg_farewell,
    .leave = pg_leave,
    .refuse = pg_refuse,
};
