/*
 * upstream.h - a connection to a PostgreSQL server, logged in as Sallyport.
 *
 * The password stays in the broker: the server's challenge goes there and
 * the proof comes back.  Used by a session (which then relays over the
 * connection) and by the catalogue process (which queries over it).
 * Source: PostgreSQL documentation, chapter 55, "Message Flow".
 */
#ifndef SALLYPORT_POSTGRES_UPSTREAM_H
#define SALLYPORT_POSTGRES_UPSTREAM_H

#include <stdint.h>

#include "common/config.h"
#include "common/err.h"
#include "common/text.h"
#include "common/wire.h"
#include "worker/tls.h"

enum {
	UPSTREAM_DEADLINE_MS = 15000,	     /* connect and log in */
	UPSTREAM_ROW_MAX = 64 * 1024 * 1024, /* a row of upstream_query() */
	UPSTREAM_REASON_MAX = 512,
};

struct setting_pair { /* a startup parameter */
	struct text name, value;
};

/* By whose authority a connection is made. */
struct upstream_access {
	const struct upstream *upstream;
	uint32_t place; /* its index in the settings */
	SSL_CTX *tls; /* tls_upstream_context(); NULL: in clear */
	int broker;   /* channel */
};

struct pg_upstream {
	int fd;		  /* -1: closed */
	struct tls *tls;  /* NULL: in clear */
	struct buffer in; /* received and not consumed yet */
	int32_t backend_pid;
	uint32_t cancel_key;
	/* Every ParameterStatus message of the login, whole, to be sent on. */
	struct buffer parameters;
	char reason[UPSTREAM_REASON_MAX]; /* why opening failed, in words */
	char sqlstate[6];		  /* of the server's refusal, or "" */
};

/* Connect and log in to `database` with the given further startup
 * parameters. On failure out->reason says why, to the broker, too, unless it
 * is a client's (upstream.c), and nothing is left open.
 * ERR_SYSTEM (no connection), ERR_REFUSED (the server or broker said no),
 * ERR_MALFORMED, ERR_DEADLINE, ERR_UNSUPPORTED (authentication method). */
enum err pg_upstream_open(const struct upstream_access *access,
    struct text database, const struct setting_pair *settings,
    size_t setting_count, struct pg_upstream *out) MUST_CHECK;

/* A login that has succeeded, by who does not begin a session (SESSION tells
 * it, too): for `sallyport status`. */
void pg_upstream_succeeded(const struct upstream_access *access);

void pg_upstream_close(struct pg_upstream *u);

/* A row's fields in text format; a NULL's `at` is NULL. Borrowed until the
 * callback returns. Anything but ERR_NONE ends the query with that error. */
typedef enum err (*pg_row)(
    void *context, const struct text *fields, size_t count);

/* One simple query with one result, waited for at most `timeout_ms` between
 * two messages of the server. The server's own error: ERR_REFUSED, words in
 * u->reason; the connection is usable after that. After any other error it
 * is not. */
enum err pg_upstream_query(struct pg_upstream *u, const char *sql, pg_row row,
    void *context, int timeout_ms) MUST_CHECK;

/* Open a connection of its own, with TLS as for a session but without a
 * certificate of ours, and send a CancelRequest. Best effort. */
enum err pg_upstream_cancel(const struct upstream_access *access,
    int32_t backend_pid, uint32_t cancel_key) MUST_CHECK;

#endif
