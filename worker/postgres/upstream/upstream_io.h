/*
 * upstream_io.h - bytes to and from a server, under a deadline.
 */
#ifndef SALLYPORT_UPSTREAM_IO_H
#define SALLYPORT_UPSTREAM_IO_H

#include "worker/postgres/upstream/upstream.h"

/* CLOCK_MONOTONIC, ms. Deadlines below are of this clock. */
int64_t upstream_now(void);

/* A connection to the upstream, u->fd, by the broker's leave; *login_out:
 * which of its logins is ours. ERR_REFUSED: the broker said no, or could not;
 * u->reason is then BROKER_SUPERSEDED or left as it was. */
enum err upstream_connect(const struct upstream_access *access,
    int64_t deadline, struct pg_upstream *u, uint32_t *login_out) MUST_CHECK;

/* Ask for TLS on the connected u->fd and shake hands, or do nothing when
 * `context` is NULL. On failure u->reason says why. ERR_REFUSED: the server
 * has no TLS, or not what the settings ask for. */
enum err upstream_secure(struct pg_upstream *u, const struct upstream *to,
    SSL_CTX *context, bool is_anonymous, int64_t deadline) MUST_CHECK;

/* Send all of it. ERR_MEMORY when the buffer had failed. */
enum err upstream_send(
    struct pg_upstream *u, const struct buffer *b, int64_t deadline) MUST_CHECK;

struct upstream_message {
	char type;
	struct wire body;
	size_t total; /* with its header; to be dropped from `in` when done */
};

/* The next whole message, at the front of u->in; the caller drops `total`
 * bytes when done. A length over `most`: ERR_MALFORMED. */
enum err upstream_receive(struct pg_upstream *u, size_t most, int64_t deadline,
    struct upstream_message *out) MUST_CHECK;

#endif
