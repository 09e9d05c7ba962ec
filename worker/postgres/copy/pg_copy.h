/*
 * pg_copy.h - COPY from and to the client.
 *
 *   pg_copy_in.c    the client's data, and what else it may say meanwhile
 *   pg_copy_out.c   the server's data, as it is
 *   pg_copy_mask.c  the same for identities from which values are protected;
 *                   pg_copy_rows.c its columns and rows (pg_copy_mask.h)
 *
 * A server that reads COPY data takes whatever comes next for it: CopyData,
 * CopyDone, CopyFail; it ignores Sync and Flush, and anything else is an
 * error.  One that does not read COPY data ignores the first three.  So what
 * a message means hangs on how far the server is, and while that is not known
 * only those five are sent on.
 */
#ifndef SALLYPORT_PG_COPY_H
#define SALLYPORT_PG_COPY_H

#include "worker/postgres/pg_back.h"
#include "worker/postgres/pg_front.h"

enum {
	COPY_SMALL_MAX = 10000, /* of CopyDone, CopyFail, Sync and Flush; as
				 * the server's PQ_SMALL_MESSAGE_LIMIT */
	COPY_SYNCS_MAX = 1000,	/* the client's Syncs within one COPY */
};

/* --- the client's side ---------------------------------------------------- */

/* How many times may this text read the client's data? */
uint16_t copy_reads(const struct ruling *j);

/* The request just sent may read it so many times. */
void copy_expect(struct pg *pg, struct pending *p, uint16_t reads);

/* The CopyData at the head of what the client sent: passed on, or dropped
 * when nobody reads it. ERR_NOT_FOUND: there is none. */
enum err copy_serve_data(struct session *s) MUST_CHECK;

/* Before any message of this type but those that COPY may read: wait until it
 * is known that the server does not read COPY data. */
enum err copy_pass_bar(struct session *s, char type) MUST_CHECK;

/* CopyDone, CopyFail; and a Sync, which the server may take for the COPY's. */
enum err copy_on_end(struct session *s, const struct message *r) MUST_CHECK;
enum err copy_sync(struct session *s) MUST_CHECK;

/* As pg_settle(), taking the client's data for the COPY that is under way.
 * The message being handled is consumed: it may not be looked at again. */
enum err copy_settle(struct session *s) MUST_CHECK;

/* The COPY that reads the client's data fails for a reason of ours: the
 * server is told to give up. */
void copy_stop_reading(struct session *s, const char *reason);

/* --- the server's side ---------------------------------------------------- */

back_handler copy_on_in, copy_on_out, copy_on_both, copy_on_data, copy_on_done;

/* Is each CopyData that comes a row? */
bool copy_is_rows_only(const struct pending *p);

/* The request at the front is complete, or failed: what the client sent for
 * its COPY is accounted for. */
enum err copy_note_complete(struct session *s, const struct answer *a,
    struct text tag) MUST_CHECK;
enum err copy_note_failed(struct session *s) MUST_CHECK;

/* The server cancelled, and perhaps not the Query or call at the front, which
 * others of its batch went before: between them statement_timeout runs on, and
 * a Flush, which has no answer, can be what finds it over. Then the server
 * skips the Query, too. So the ReadyForQuery that come are counted and passed
 * on; with anything but Syncs behind the Query the session ends. */
enum err copy_count_ready(struct session *s) MUST_CHECK;

/* The answers to Syncs that the server may have ignored: kind 'Y'. */
back_handler copy_on_counted;

/* --- masked --------------------------------------------------------------- */

struct copy_out; /* a COPY TO STDOUT whose rows we write */

void copy_out_drop(struct copy_out *c); /* NULL is fine */

/* Why this COPY to the client cannot be masked, in words; len 0: it can, or
 * there is nothing to mask. */
struct text copy_out_refusal(struct session *s, const struct ruling *j);

/* Are its rows written by us? */
bool copy_is_masked(struct session *s, const struct run *run);

/* Run it in place of the client's Query or Execute (`kind`); takes the run
 * over. `keeps_ready`: its ReadyForQuery is not for the client. */
enum err copy_out_run(struct session *s, char kind, struct run *run,
    bool keeps_ready) MUST_CHECK;

/* Its columns, its rows, its end. */
back_handler copy_out_on_columns, copy_out_on_row;
void copy_out_finish(struct session *s, struct pending *p);

#endif
