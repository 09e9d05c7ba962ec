/*
 * pg_front.h - what the handlers of the client's messages share.
 *
 *   pg_frontend.c  whole messages, the table of handlers, simple query
 *   pg_fastpath.c  FunctionCall
 *   pg_extended.c  Parse, Bind, Describe, Close
 *   pg_execute.c   Execute, Sync, Flush
 */
#ifndef SALLYPORT_PG_FRONT_H
#define SALLYPORT_PG_FRONT_H

#include "worker/postgres/pg.h"

/* One message of the client, whole. */
struct message {
	char type;
	struct text bytes; /* with its header */
	struct wire body;
};

/* Send the message on as it is. */
void front_forward(struct session *s, const struct message *r);
/* The ways to end the session here. */
enum err front_malformed(struct session *s) MUST_CHECK;
enum err front_out_of_memory(struct session *s) MUST_CHECK;
/* An ordinary error for a message of this kind. */
enum err front_refuse(struct session *s, char kind, const char *sqlstate,
    const char *message) MUST_CHECK;
/* Would the server know a statement or portal by this very name? */
bool front_is_fit_name(const struct session *s, struct text name);
enum err front_refuse_name(struct session *s, char kind) MUST_CHECK;
/* A place in the queue for the answer to an extended-query message. */
struct pending *front_expect(struct session *s, char kind);
/* What is in flight may change how the next text is to be read or judged:
 * wait for it. */
enum err front_pass_bar(struct session *s) MUST_CHECK;
/* As above, for what may change a setting back when it ends. */
enum err front_pass_switch(struct session *s, struct text sql) MUST_CHECK;
/* Does the reading of this text hang on a setting that may have changed
 * without our knowing? */
bool front_is_ambiguous(const struct session *s, struct text sql);
enum err front_refuse_ambiguous(struct session *s, char kind) MUST_CHECK;
/* Room for the names and texts that this message brings. */
enum err front_make_room(struct session *s, const struct message *r) MUST_CHECK;

/* A statement without a text to judge is refused, on record. */
enum err front_refuse_recorded(struct session *s, char type, size_t total,
    const char *sqlstate, const char *reason) MUST_CHECK;

/* An Execute goes out: what its failure would undo, and whether it may yet be
 * cut short. */
void front_note_execute(struct pg *pg, const struct run *run);

enum err fastpath_call(struct session *s, const struct message *r) MUST_CHECK;

/* No prepared statement ('S') or portal ('P') has the name, said in the
 * server's words, which clients know. */
enum err extended_refuse_missing(struct session *s, char kind, char target,
    struct text name) MUST_CHECK;
/* The portal of that name, as the server will see it; NULL: none. Borrowed
 * until the next wait. */
enum err extended_find_portal(
    struct session *s, struct text name, struct portal **out) MUST_CHECK;
enum err extended_parse(struct session *s, const struct message *r) MUST_CHECK;
enum err extended_bind(struct session *s, const struct message *r) MUST_CHECK;
enum err extended_describe(
    struct session *s, const struct message *r) MUST_CHECK;
enum err extended_execute(
    struct session *s, const struct message *r) MUST_CHECK;
enum err extended_close(struct session *s, const struct message *r) MUST_CHECK;
enum err extended_sync(struct session *s, const struct message *r) MUST_CHECK;
enum err extended_flush(struct session *s, const struct message *r) MUST_CHECK;

#endif
