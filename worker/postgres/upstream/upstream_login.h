/*
 * upstream_login.h - proving ourselves to a PostgreSQL server, and it itself
 * to us: from the startup message to ReadyForQuery.
 */
#ifndef SALLYPORT_POSTGRES_UPSTREAM_LOGIN_H
#define SALLYPORT_POSTGRES_UPSTREAM_LOGIN_H

#include "worker/postgres/upstream/upstream.h"

/* bytes of a server's message until then; its parameters have no more */
enum { UPSTREAM_LOGIN_MESSAGE_MAX = 64 * 1024 };

/* As that login of the upstream, which exists, over a link that is connected
 * and secured. Until `deadline` (upstream_now(), ms). What went wrong is in
 * the link's `reason` and `sqlstate`, where the server or broker said it.
 * ERR_REFUSED: a setting that would say who logs in to what, the broker, or
 * the server; ERR_UNSUPPORTED, ERR_MALFORMED, ERR_TOO_LONG, and what the
 * link's reading and writing give. */
enum err upstream_log_in(const struct upstream_access *access, size_t login,
    struct text database, const struct setting_pair *settings,
    size_t setting_count, int64_t deadline,
    struct pg_upstream *link) MUST_CHECK;

/* An ErrorResponse: its words into `reason` and `sqlstate`. ERR_REFUSED, or
 * ERR_MALFORMED: it is none. */
enum err upstream_refused(struct pg_upstream *u, struct wire body) MUST_CHECK;

#endif
