/*
 * pg.c - PostgreSQL, as session.c sees it.
 */
#include "worker/postgres/pg.h"

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

/* What was under way has an end on record, too, though nobody knows it. False:
 * nothing was. */
static bool
record_unfinished(struct session *s)
{
	struct queue *q = &pg_of(s)->queue;
	bool is_any = false;
	size_t i;

	for (i = 0; i < q->count; i++) {
		struct run *r = queue_at(q, i)->run;

		if (r == NULL)
			continue;
		is_any = true;
		if (r->outcome.sqlstate[0] == '\0')
			memcpy(r->outcome.sqlstate, "08006", 5);
		run_finish(s, r);
	}
	return is_any;
}

/* The last word unless it was said; and goodbye to the server, too. */
static void
pg_farewell(struct session *s)
{
	struct pg *pg = pg_of(s);
	const char *sqlstate, *words = last_words(s, &sqlstate);

	if (words != NULL && s->has_ending &&
	    pg_fatal(s, s->ending, sqlstate, words) == ERR_NONE)
		return;
	/* it is not to go on where nobody waits for it, past every limit */
	if (record_unfinished(s) && !s->relay.upstream.is_closed)
		pg_cancel_upstream(s);
	pg_put_empty(&s->relay.upstream.out, 'X');
	relay_farewell(&s->relay.upstream);
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
    .refuse = pg_refuse,
};
