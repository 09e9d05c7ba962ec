/*
 * pg.h - one PostgreSQL session: what is known of both ends.
 *
 * A client may send thousands of messages before the first answer, so for
 * every message forwarded there is a struct pending in a queue, in the order
 * in which the server will answer.  What Sallyport itself has to say (a
 * refusal) waits in the same queue for its turn.
 *
 *   pg_frontend.c  the client's messages: judged, then forwarded
 *   pg_extended.c  those of the extended query protocol; pg_execute.c its
 *                  Execute and Sync (pg_front.h)
 *   pg_admit.c     may it run: recorded, held for a person (pg_values.c)
 *   pg_run.c       its execution: limits, outcome, effects on names
 *   pg_undo.c      limits on changed rows
 *   pg_queue.c     the pending answers; pg_names.c what has a name
 *   pg_backend.c   the server's messages: attributed, masked, passed on
 *   pg_results.c   those of results; pg_complaints.c errors and notices;
 *                  pg_tidings.c what comes unasked (pg_back.h)
 *   pg_rows.c      result columns and the masking of rows (pg_types.c)
 *   pg_reply.c     what Sallyport says itself
 *   pg_fastpath.c  function calls; pg_replicate.c replication commands
 *   pg_encoding.c  clients that speak another encoding than UTF-8
 *   login/         greeting, login at both ends, startup settings
 *   copy/          COPY from and to the client
 *   wire/          messages as bytes: parsed, built, checked, scrubbed; pure
 *   upstream/      connections to the server and queries of our own
 *   catalog/       the process that reads the server's catalogue
 */
#ifndef SALLYPORT_POSTGRES_PG_H
#define SALLYPORT_POSTGRES_PG_H

#include "worker/postgres/upstream/upstream.h"
#include "worker/postgres/wire/pg_wire.h"
#include "worker/postgres/wire/replication_text.h"
#include "worker/record.h"
#include "worker/session.h"

enum {
	PG_PENDING_MAX = 16384, /* answers awaited; then the client waits */
	PG_NAMES_MAX = 10000,	/* statements, or portals, of one session */
	PG_NAME_MAX = 63,	/* the server cuts longer names */
	PG_FUNCTIONS_KEPT = 32, /* of the fast path, by OID */
	/* of all prepared statements, portals and statements in flight */
	PG_NAME_BYTES_MAX = 256 * 1024 * 1024,
	PG_MASKED_ROW_MAX = 64 * 1024 * 1024, /* a row with masked columns */
};

/* What is done to one result column. */
struct column_plan {
	enum mask mask; /* MASK_NONE: nothing by origin */
	struct mask_type type;
	bool is_scanned; /* detectors look into its values */
};

/* The columns of a result as RowDescription told them; shared. */
struct shape {
	unsigned references;
	uint64_t generation, reading; /* under which it was made … */
	unsigned own_version;	      /* … and with which own relations */
	size_t count;
	bool is_masked; /* any column is masked or scanned */
	bool is_denied; /* a column is computed from a `derived: deny` */
	struct arena *types; /* of user types; NULL: there are none */
	struct column_plan columns[];
};

/* A prepared statement's name and text. */
struct prepared {
	unsigned references;
	struct ruling *ruling; /* renewed when stale */
	struct text sql; /* its own text: a ruling may be shared by texts that
			  * differ in their literals */
	struct text message; /* the Parse message's body; len 0: SQL PREPARE */
	uint64_t batch;	     /* in which it was parsed */
	bool is_sure;	     /* the server confirmed it */
	/* Code that could have replaced it at the server has run since. */
	bool is_suspect;
	/* The settings under which its text was read are others now. */
	bool is_unreadable;
};

struct portal {
	unsigned references;
	struct prepared *prepared;
	uint8_t *formats; /* of results, as Bind told them */
	uint16_t format_count;
	struct text values;  /* the parameters, in Bind's bytes */
	bool has_no_values;  /* they were too long to be kept */
	struct shape *shape; /* NULL: not described since Bind */
	bool is_described;
	bool is_cursor; /* of SQL's DECLARE: its columns say their format */
	uint64_t epoch; /* of the schema, when the cursor was declared */
	bool is_held;	/* WITH HOLD: it outlives its transaction */
	/* Code that could have replaced it has run since Bind: whatever it
	 * returns is masked strictly. */
	bool is_suspect;
	uint64_t rows; /* it gave so far, over all its Executes */
	uint64_t batch;
	bool is_sure;
	size_t bytes; /* of it and what it was bound with */
};

/* One execution of a text: its limits and what came of it so far. */
struct run {
	struct ruling *ruling;
	struct limits limits;
	uint64_t operations; /* the ruling's, and those of what it EXECUTEs */
	uint64_t traits;     /* likewise */
	struct shape *shape; /* of the rows now coming; NULL: unknown */
	struct outcome outcome;
	bool has_binary_result; /* of a function call */
	int64_t started;     /* CLOCK_MONOTONIC, ms; 0: not at the front yet */
	bool is_over;	     /* what came of it is on record */
	bool is_cut;	     /* over a limit or refused: rows are swallowed */
	char complaint[256]; /* why it was cut */
	const char *sqlstate;
};

/* An answer awaited, or a refusal awaiting its turn. */
struct pending {
	/* Q P B D E C S F: the client's message. c: no answer comes, the data of
	 * a COPY ended here. Y: Syncs are counted (pg_copy_in.c). */
	char kind;
	char target;   /* D: 'S' or 'P' */
	bool is_ours;  /* we asked, the client did not: swallow the answer */
	bool is_muted; /* the client was told of an error before it already */
	bool keeps_ready; /* Q: its ReadyForQuery is not for the client */
	bool is_amid;	  /* the batch that it is of was under way before it */
	bool is_asked;	/* E: the row is for pg->question */
	uint32_t result; /* F: the type of what the function gives */
	bool is_poison; /* sent to make the server fail; answer with `local` */
	bool may_speak; /* ... unless its complaint is of the text's tokens */
	struct prepared *prepared;
	struct portal *portal;
	struct run *run;
	uint64_t batch;
	struct buffer local; /* poison: the ErrorResponse to give */
	/* --- COPY */
	char copying;	 /* the server said G (in), H (out) or W (both) */
	bool may_read;	 /* it may read the client's data … */
	uint16_t reads;	 /* … so many times whose end was not sent yet */
	bool is_binary;	 /* H: the format */
	bool has_header; /* H: the next message is no row */
	bool is_unsure;	 /* S: the server may take it for the COPY's */
	bool adds_sync, is_counted; /* Y: one is ours; all were counted */
	unsigned syncs;		    /* Y: so many were answered */
	struct copy_out *copy;	    /* its rows leave as CopyData, masked */
};

/* What the server answered to a question of ours: the first row. */
struct question {
	bool is_answered; /* to the end */
	struct buffer row; /* DataRow's body; len 0: there was none */
};

struct known_function { /* a built-in one: it stays what it is */
	uint32_t oid, result;
	char name[PG_NAME_MAX + 1]; /* in pg_catalog */
};

struct queue {
	struct pending *ring;
	size_t size; /* power of two */
	size_t head, count;
	size_t readers; /* entries that may_read */
	size_t unsure;	/* entries that are is_unsure */
};

struct names; /* see pg_names.c */

struct pg {
	struct queue queue;
	struct names *statements; /* struct prepared by name */
	struct names *portals;	  /* struct portal by name */
	uint64_t batch;		  /* counts Sync and Query */
	char status;		  /* of the last ReadyForQuery: I T E */
	bool is_in_block;	  /* as far as command tags tell, since then */
	/* Something ran outside a block since the last Sync: a refusal must
	 * make the server undo it, as an error of its own would. */
	bool has_implicit_work;
	bool has_several; /* Executes since the last Sync, all undone by one */
	uint64_t changed;    /* rows, in the transaction that is open */
	bool is_undo_due;    /* a statement changed too many: see undo_reason */
	bool must_roll_back; /* nothing of the open query may be committed */
	char undo_reason[128];
	bool has_limited;  /* an Execute that may be cut short is in flight */
	bool has_unsynced; /* extended messages went out since the last Sync */
	bool is_skipping;  /* refused, or the server failed: the client's
			    * messages are ignored up to Sync */
	/* Something that may have changed a setting ran since the server's
	 * last ReadyForQuery, with which it reports such changes. */
	bool is_unreported;
	/* Likewise in the transaction that is open: code that it left for its
	 * end, as that of a cursor WITH HOLD, may yet change one. */
	bool may_set_late;
	bool is_barred; /* something not plain is in flight */
	bool has_digested; /* the server took what was to make it fail */
	/* A setting on which the reading of texts hangs was changed in this
	 * session: the end of a transaction may change it back. */
	bool has_switched;
	enum replication replication; /* what the startup packet asked for */
	struct question question; /* ours, about a function */
	struct known_function functions[PG_FUNCTIONS_KEPT];
	size_t function_count;
	size_t skip;	/* bytes of an oversized message still to be ignored */
	size_t upload;	/* bytes of a client's CopyData still to come */
	size_t current; /* bytes of the message being handled */
	bool is_feeding; /* only a COPY's data is taken from the client */
	size_t pass;	/* bytes of a large server message to pass unexamined */
	bool swallows;	/* ... or to swallow */
	struct text span; /* while draining: messages passing as they are */
	struct pg_upstream link;
	const struct tls *link_tls; /* the relay's own; NULL: in clear */
	bool is_bound; /* the client's proof is bound to its TLS channel */
	struct arena *row; /* what masking one row takes */
	uint8_t mask_key[MASK_KEY_LEN];
	bool is_over; /* Terminate came, or a fatal complaint was sent */
	bool is_unfinished; /* at its end something was still under way */
};

extern const struct protocol pg_protocol;

static inline struct pg *
pg_of(const struct session *s)
{
	return s->state;
}

/* --- pg_login.c */
enum err pg_greet(struct session *s) MUST_CHECK;
struct upstream_access pg_upstream_access(const struct session *s);
/* --- pg_greet.c */
bool pg_refuse(struct birth *b, struct guest *g, bool is_late);

/* --- pg_frontend.c: handle one whole client message. */
enum err pg_serve(struct session *s) MUST_CHECK;

/* Send a Sync in place of the client's Query, and wait for its answer. */
enum err pg_sync_ours(struct session *s) MUST_CHECK;
/* Send a Sync of our own making or the client's, its answer awaited. */
enum err pg_sync(struct session *s) MUST_CHECK;
/* Wait once, attending to signals and deadlines. */
enum err pg_wait(struct session *s, bool wants_client) MUST_CHECK;

/* --- pg_backend.c: the relay's drain. */
enum err pg_drain(void *session) MUST_CHECK;
/* The client's out buffer, whatever passes before this moment already in it:
 * the only way to write to the client. */
struct buffer *pg_out(struct session *s);

/* --- pg_reply.c: what Sallyport says itself */
struct refusal {
	const char *sqlstate;
	struct text message, detail, hint;
	/* A text without tokens: the server, asked to parse it, complains in
	 * words that clients know; in these only if it does not. len 0: none.
	 * Parsing runs nothing. */
	struct text broken;
	bool is_error; /* of the client's making, which the server would have
			* found, too: it fails, and with it its transaction */
};
/* An ordinary error in its turn; in an extended batch everything up to Sync
 * is then skipped. `kind` is the client's message ('Q', 'P', 'E' …). */
enum err pg_refuse_statement(
    struct session *s, char kind, const struct refusal *r) MUST_CHECK;
/* As above, in the words of a denied ruling. `reason` replaces its own
 * when its len is not 0; `request` a held request or 0. */
enum err pg_refuse_ruling(struct session *s, char kind, const struct ruling *j,
    struct text reason, uint64_t request) MUST_CHECK;
/* Make the server fail, and give the client this refusal in place of the
 * server's complaint: what is not committed is undone. */
/* NULL: it was told already. */
enum err pg_poison(struct session *s, const struct refusal *r) MUST_CHECK;
/* The ErrorResponse of a refusal, ready to go. */
void pg_put_refusal(struct buffer *b, const struct refusal *r);
/* The last word: FATAL, then the session ends. */
enum err pg_fatal(struct session *s, enum ending why, const char *sqlstate,
    const char *message) MUST_CHECK;
/* That of a session whose rights were taken away (rights.h). */
enum err pg_end_barred(struct session *s) MUST_CHECK;
void pg_notice(struct session *s, const char *message);
/* From now on the client may not understand our UTF-8. */
void pg_reply_in_ascii(bool is_so);

/* --- pg_queue.c */
/* A zeroed place at the end, or NULL when out of memory. */
struct pending *queue_push(struct queue *q, char kind);
struct pending *queue_front(struct queue *q);	     /* NULL: empty */
struct pending *queue_at(struct queue *q, size_t i); /* i < count */
void queue_pop(struct queue *q); /* drops what the entry holds */
/* Likewise `n` entries from the i-th on. */
void queue_remove(struct queue *q, size_t i, size_t n);
void queue_free(struct queue *q);
/* Wait until every answer has come, asking the server with a Flush. */
enum err pg_settle(struct session *s) MUST_CHECK;

/* --- pg_names.c */
struct names *names_new(void (*drop)(void *value));
void names_free(struct names *n);
void *names_get(const struct names *n, struct text name);
/* Takes over the caller's reference; what had the name is dropped. */
enum err names_set(struct names *n, struct text name, void *value) MUST_CHECK;
void names_remove(struct names *n, struct text name);
/* Only if the name still leads to this value. */
void names_remove_value(struct names *n, const void *value);
void names_clear(struct names *n);
/* The transaction of this batch is over: its portals are gone. */
void names_end_transaction(struct names *portals, uint64_t batch);
void names_each(struct names *n, void (*each)(void *value));
size_t names_count(const struct names *n);

/* `message`: the Parse message's body, copied, in which `sql` lies; or len 0,
 * and `sql` is the ruling's own. */
struct prepared *prepared_new(
    struct ruling *j, struct text sql, struct text message, uint64_t batch);
/* Bytes of all that is prepared or bound, and of rulings. */
size_t names_bytes(void);
struct prepared *prepared_share(struct prepared *p);
void prepared_drop(void *p);
struct portal *portal_new(
    struct prepared *p, const struct pg_bind *b, uint64_t batch);
struct portal *portal_share(struct portal *p);
void portal_drop(void *p);

/* --- pg_rows.c */
struct shape *shape_share(struct shape *s);
void shape_drop(struct shape *s);
/* What a RowDescription means under this ruling. A portal has its formats
 * from Bind; without one (simple query) those of the message count. */
enum err shape_read(struct session *s, const struct ruling *j, struct wire body,
    const struct portal *portal, struct shape **out) MUST_CHECK;
/* A DataRow written again with its protected values masked. */
enum err row_mask(struct session *s, const struct shape *shape,
    struct wire body, struct buffer *out, uint64_t *masked_out) MUST_CHECK;

/* --- pg_types.c */
/* What the type is made of, as the catalogue knows it; never NULL. What is not
 * static is in *arena, which is made when it is NULL and needed. */
const struct mask_shape *pg_type_shape(
    const struct gate *g, uint32_t oid, struct arena **arena);

/* The value of one column as it may leave; false: as it came. What it is
 * made of lives until the next row. */
bool column_mask(struct session *s, const struct column_plan *plan,
    struct text value, struct masked *out);
/* As above, of a value that is in UTF-8. */
bool column_mask_utf8(struct session *s, const struct column_plan *plan,
    struct text value, struct masked *out);

/* --- pg_encoding.c */
/* A setting's value changed: follow it, or end the session. */
enum err pg_note_parameter(
    struct session *s, const struct pg_parameter *p) MUST_CHECK;
/* As column_mask(), of a value beyond ASCII in another encoding. */
bool pg_mask_foreign(struct session *s, const struct column_plan *plan,
    struct text value, struct masked *out);
/* Is a text read the same whatever the settings are? */
bool pg_reads_alike(struct text sql);
/* Is the name of a statement or portal the same in all encodings? */
bool pg_is_fit_name(const struct session *s, struct text name);

/* --- pg_values.c: a line for each value in Bind's bytes: "-- $1 = 'x'" */
void pg_put_values(struct buffer *b, struct text values);

/* --- pg_undo.c: limits on changed rows */
/* Must this run be undone when it changes more than it may? */
bool undo_is_wanted(const struct run *r);
/* Its changes, or those of what it EXECUTEs (NULL: nothing), cannot be
 * counted, so a limit on them could not be kept. */
bool undo_is_uncountable(
    const struct ruling *j, const struct ruling *inner);
/* A completion changed so many rows. False: over the limit, and to be undone;
 * the completion is not for the client. */
bool undo_count(struct session *s, struct run *r, uint64_t changed);
/* Run a limited simple query to its end (takes the run over). */
enum err undo_query(
    struct session *s, struct text bytes, struct run *run) MUST_CHECK;
/* After a limited Execute was forwarded: wait for it, undo it if need be. */
enum err undo_execute(struct session *s) MUST_CHECK;

/* --- pg_admit.c */
/* Record what was decided, hold it if need be. ERR_NONE and *run_out set:
 * forward it. ERR_NONE and NULL: it was refused, the client has been told.
 * `j` may be NULL (out of memory): refused. */
enum err pg_admit(struct session *s, char kind, struct ruling *j,
    struct text values, struct run **run_out) MUST_CHECK;
/* Refuse and record, without running: a Parse or Bind denied. */
enum err pg_deny(struct session *s, char kind, const struct ruling *j,
    struct text reason) MUST_CHECK;
/* Make sure that the ruling is current. False: out of memory. */
bool pg_renew(struct session *s, struct prepared *p);

/* --- pg_run.c */
/* Takes over no reference. */
struct run *run_new(struct ruling *j, uint64_t seq);
void run_drop(struct run *r);
/* It is at the front: its clock runs. */
void run_start(struct session *s, struct run *r);
/* One row came; false when it is over its limit and must be swallowed. */
bool run_count_row(struct session *s, struct pending *p, size_t bytes);
/* How many rows more it may give; and rows counted all at once. */
uint64_t run_rows_left(const struct pending *p);
void run_count_rows(struct pending *p, uint64_t rows, size_t bytes);
void run_cut(struct session *s, struct run *r, const char *sqlstate,
    const char *complaint);
/* It was admitted and did not come to run, as something before it failed:
 * record that, and drop it. NULL is fine. */
void run_abandon(struct session *s, struct run *r);
/* It is over: record the outcome, note what it changed. */
void run_finish(struct session *s, struct run *r);
/* The relay's deadline passed: a time limit, perhaps. */
enum err pg_on_deadline(struct session *s) MUST_CHECK;
void pg_cancel_upstream(struct session *s);

#endif
