/*
 * upstream_io.c - connecting, sending and receiving under a deadline.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/broker_channel.h"
#include "common/clock.h"
#include "worker/postgres/upstream/upstream_io.h"
#include "worker/postgres/wire/pg_wire.h"

int64_t
upstream_now(void)
{
	return clock_ms();
}

static enum err
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = events};
	int64_t left;
	int n;

	do {
		left = deadline - upstream_now();
		if (left <= 0)
			return ERR_DEADLINE;
		n = poll(&p, 1, (int)left);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? ERR_SYSTEM : n == 0 ? ERR_DEADLINE : ERR_NONE;
}

/* As wait_for(), or at once when TLS has something already. */
static enum err
wait_transport(const struct pg_upstream *u, short events, int64_t deadline)
{
	if (u->tls == NULL)
		return wait_for(u->fd, events, deadline);
	if (events == POLLIN && tls_transport.has_pending(u->tls))
		return upstream_now() < deadline ? ERR_NONE : ERR_DEADLINE;
	return wait_for(
	    u->fd, tls_transport.interest(u->tls, events), deadline);
}

enum err
upstream_send(struct pg_upstream *u, const struct buffer *b, int64_t deadline)
{
	size_t done = 0, left;
	ssize_t n;
	enum err e;

	if (b->failed)
		return ERR_MEMORY;
	while (done < b->len) {
		left = b->len - done;
		n = u->tls != NULL
			? tls_transport.send(u->tls, b->bytes + done, left)
			: send(u->fd, b->bytes + done, left,
			      MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN) {
			e = wait_transport(u, POLLOUT, deadline);
			if (e != ERR_NONE)
				return e;
		} else if (n < 0 && errno != EINTR) {
			return ERR_SYSTEM;
		}
		done += n > 0 ? (size_t)n : 0;
	}
	return ERR_NONE;
}

/* --- TLS ------------------------------------------------------------------ */

static enum err
refuse(struct pg_upstream *u, const char *why, const char *detail)
{
	snprintf(u->reason, sizeof(u->reason), "%s%s%s", why,
	    detail[0] != '\0' ? ": " : "", detail);
	return ERR_REFUSED;
}

/* SSLRequest, and the one byte that answers it. Whatever comes with that byte
 * was not said under TLS, and somebody on the way could have put it there. */
static enum err
ask_for_tls(struct pg_upstream *u, int64_t deadline)
{
	struct buffer b = {0};
	char answer, more;
	ssize_t n;
	enum err e;

	buffer_put_u32(&b, 8);
	buffer_put_u32(&b, PG_CODE_SSL);
	e = upstream_send(u, &b, deadline);
	buffer_free(&b);
	if (e == ERR_NONE)
		e = wait_for(u->fd, POLLIN, deadline);
	if (e != ERR_NONE)
		return e;
	n = recv(u->fd, &answer, 1, MSG_DONTWAIT);
	if (n != 1)
		return n == 0 ? ERR_CLOSED : ERR_SYSTEM;
	if (answer != 'S')
		return refuse(u, "the server does not offer TLS", "");
	if (recv(u->fd, &more, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
		return refuse(
		    u, "the server sent bytes in clear before TLS began", "");
	return ERR_NONE;
}

static enum err
shake_hands(struct pg_upstream *u, int64_t deadline)
{
	short events = 0;
	enum err e = tls_handshake(u->tls, &events);

	while (e == ERR_INTERRUPTED) {
		e = wait_for(u->fd, events, deadline);
		if (e == ERR_NONE)
			e = tls_handshake(u->tls, &events);
	}
	if (e == ERR_REFUSED)
		return refuse(u, "the TLS handshake with the server failed",
		    tls_failure(u->tls));
	return e;
}

/* The name the certificate is to be for: that given, or the address's host. */
static bool
server_name(const struct upstream *to, char *out, size_t size)
{
	const char *name = to->tls_server_name, *colon;
	int len;

	if (name != NULL) {
		len = snprintf(out, size, "%s", name);
		return len > 0 && (size_t)len < size;
	}
	name = to->address;
	colon = strrchr(name, ':');
	if (colon == NULL)
		return false;
	len = (int)(colon - name);
	if (name[0] == '[' && len > 2)
		name++, len -= 2;
	len = snprintf(out, size, "%.*s", len, name);
	return len > 0 && (size_t)len < size;
}

enum err
upstream_secure(struct pg_upstream *u, const struct upstream *to,
    SSL_CTX *context, bool is_anonymous, int64_t deadline)
{
	char name[256];
	enum err e;

	if (context == NULL)
		return to->tls_mode == TLS_DISABLE
			   ? ERR_NONE
			   : refuse(u, "TLS is not set up", "");
	if (!server_name(to, name, sizeof(name)))
		return ERR_TOO_LONG;
	e = ask_for_tls(u, deadline);
	if (e != ERR_NONE)
		return e;
	u->tls = tls_connect(
	    context, u->fd, name, to->tls_mode == TLS_VERIFY_FULL);
	if (u->tls == NULL)
		return ERR_MEMORY;
	if (is_anonymous)
		tls_be_anonymous(u->tls);
	return shake_hands(u, deadline);
}

/* --- receiving ------------------------------------------------------------ */

/* At least `need` bytes in u->in. */
static enum err
receive(struct pg_upstream *u, size_t need, int64_t deadline)
{
	size_t left;
	ssize_t n;
	enum err e;

	while (u->in.len < need) {
		if (!buffer_reserve(&u->in, need - u->in.len))
			return ERR_MEMORY;
		e = wait_transport(u, POLLIN, deadline);
		if (e != ERR_NONE)
			return e;
		left = u->in.size - u->in.len;
		n = u->tls != NULL
			? tls_transport.receive(
			      u->tls, u->in.bytes + u->in.len, left)
			: recv(u->fd, u->in.bytes + u->in.len, left, 0);
		if (n == 0)
			return ERR_CLOSED;
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return ERR_SYSTEM;
		u->in.len += n > 0 ? (size_t)n : 0;
	}
	return ERR_NONE;
}

enum err
upstream_receive(struct pg_upstream *u, size_t most, int64_t deadline,
    struct upstream_message *out)
{
	struct wire w;
	uint32_t len;
	enum err e = receive(u, PG_HEADER, deadline);

	if (e != ERR_NONE)
		return e;
	w = wire_of(u->in.bytes, PG_HEADER);
	out->type = (char)wire_u8(&w);
	len = wire_u32(&w);
	if (len < 4 || len > most)
		return ERR_MALFORMED;
	out->total = (size_t)len + 1;
	e = receive(u, out->total, deadline);
	if (e == ERR_NONE)
		out->body = wire_of(u->in.bytes + PG_HEADER, len - 4);
	return e;
}

/* A connection in the making: is it made? */
static enum err
finish_connecting(int fd, int64_t deadline)
{
	socklen_t len = sizeof(int);
	int error = 0;
	enum err e = wait_for(fd, POLLOUT, deadline);

	if (e != ERR_NONE)
		return e;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
	    error == 0)
		return ERR_NONE;
	errno = error;
	return ERR_SYSTEM;
}

enum err
upstream_connect(const struct upstream_access *access, int64_t deadline,
    struct pg_upstream *u, uint32_t *login_out)
{
	struct broker_request q = {
	    .kind = BROKER_UPSTREAM_CONNECT, .place = access->place};
	struct broker_reply reply = {.has_more = 1};
	enum err e = ERR_NOT_FOUND;

	for (; e != ERR_NONE && reply.has_more; q.attempt++) {
		e = broker_open(access->broker, &q, &reply, &u->fd);
		if (e != ERR_NONE && e != ERR_REFUSED)
			return e;
		if (e == ERR_NONE) {
			e = finish_connecting(u->fd, deadline);
			if (e != ERR_NONE) {
				close(u->fd);
				u->fd = -1;
			}
		}
	}
	if (e == ERR_REFUSED && strcmp(reply.reason, BROKER_SUPERSEDED) == 0)
		snprintf(u->reason, sizeof(u->reason), "%s", reply.reason);
	*login_out = reply.login;
	return e;
}
