/*
 * pg_back.h - what the handlers of the server's messages share.
 *
 *   pg_backend.c    whole messages, the table of handlers, what passes
 *   pg_results.c    RowDescription, DataRow, CommandComplete, ReadyForQuery …
 *   pg_complaints.c ErrorResponse, NoticeResponse, and what they may tell
 *   pg_tidings.c    what the server sends unasked
 */
#ifndef SALLYPORT_PG_BACK_H
#define SALLYPORT_PG_BACK_H

#include "worker/postgres/pg.h"

/* One message of the server, whole. */
struct answer {
	char type;
	const uint8_t *bytes; /* with its header */
	size_t total;
	struct wire body;
};

enum fate { /* what becomes of a message */
	FATE_PASS,
	FATE_DROP, /* swallowed, or written otherwise already */
};

/* A handler: attribute the message to the request at the front of the queue
 * and say what becomes of it. Anything but ERR_NONE ends the session. */
typedef enum err back_handler(
    struct session *s, const struct answer *a, enum fate *fate);

/* The server said what it may not say now: the session ends. */
enum err back_unexpected(struct session *s, const struct answer *a) MUST_CHECK;
/* Is the request at the front one of these kinds? */
bool back_front_is(struct pg *pg, const char *kinds);
/* The request at the front is answered: the next one's clock starts. */
void back_advance(struct session *s);
/* The row that answers a question of ours is kept. */
enum err back_on_answer(struct session *s, const struct answer *a) MUST_CHECK;
/* The client gets our complaint in place of the completion. */
void back_put_cut(struct session *s, struct run *r);
/* ReadyForQuery said so of the transaction of this request. */
void back_note_status(struct session *s, struct pending *p, struct wire body);
/* Whose rows these are, with the shape they have; NULL: not known. */
struct shape *back_current_shape(struct pending *p);

back_handler back_on_row_description, back_on_no_data,
    back_on_parameter_description, back_on_data_row, back_on_complete,
    back_on_ready, back_on_acknowledged;	      /* pg_results.c */
back_handler back_on_call_result; /* pg_fastpath.c */
back_handler back_on_error, back_on_notice;	      /* pg_complaints.c */
back_handler back_on_parameter, back_on_notification; /* pg_tidings.c */

#endif
