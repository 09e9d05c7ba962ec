/*
 * relay.c - the one poll().
 *
 * The rule: neither `out` grows past RELAY_BOUND by reading more, because a
 * peer is read only while the other's `out` is below it; and both sides are
 * always in the same poll(), so that waiting for one never stops the other.
 * A transport (TLS) may hold bytes that poll() knows nothing of: then nothing
 * is waited for.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "worker/relay.h"

int64_t
relay_now(void)
{
	return clock_ms();
}

void
peer_init(struct peer *p, int fd, size_t in_ceiling)
{
	*p = (struct peer){.fd = fd, .in.ceiling = in_ceiling};
}

void
peer_set_transport(
    struct peer *p, const struct transport *transport, void *state)
{
	p->transport = transport;
	p->transport_state = state;
}

void
peer_close(struct peer *p)
{
	if (p->transport != NULL)
		p->transport->close(p->transport_state);
	p->transport = NULL;
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	p->is_closed = true;
	buffer_free(&p->in);
	buffer_free(&p->out);
}

struct text
peer_pending(const struct peer *p)
{
	if (p->in.bytes == NULL)
		return (struct text){"", 0};
	return (struct text){
	    (const char *)p->in.bytes + p->start, p->in.len - p->start};
}

void
peer_consume(struct peer *p, size_t n)
{
	p->start += n;
	if (p->start < p->in.len)
		return;
	p->start = 0;
	/* give back what one large message needed */
	buffer_clear(&p->in, 4 * RELAY_CHUNK);
}

bool
peer_expect(struct peer *p, size_t n)
{
	size_t have = p->in.len - p->start;

	if (p->start > 0) {
		buffer_drop(&p->in, p->start);
		p->start = 0;
		p->in.len = have;
	}
	return n <= have || buffer_reserve(&p->in, n - have);
}

static size_t
peer_unsent(const struct peer *p)
{
	return p->out.len - p->sent;
}

bool
peer_is_full(const struct peer *p)
{
	return peer_unsent(p) >= RELAY_BOUND;
}

/* Forget what was sent, lest a peer that always lags a little makes `out`
 * grow for ever.  Only when less remains than went: moving it costs no more
 * than having sent it. */
static void
peer_forget_sent(struct peer *p)
{
	if (p->sent < peer_unsent(p))
		return;
	buffer_drop(&p->out, p->sent);
	p->sent = 0;
}

static ssize_t
bytes_send(struct peer *p, const uint8_t *bytes, size_t len)
{
	if (p->transport != NULL)
		return p->transport->send(p->transport_state, bytes, len);
	return send(p->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static ssize_t
bytes_receive(struct peer *p, uint8_t *bytes, size_t size)
{
	if (p->transport != NULL)
		return p->transport->receive(p->transport_state, bytes, size);
	return recv(p->fd, bytes, size, MSG_DONTWAIT);
}

static void
peer_send(struct peer *p)
{
	ssize_t n;

	if (p->out.failed) /* bytes are missing: none may follow them */
		p->is_closed = true;
	while (peer_unsent(p) > 0 && !p->is_closed) {
		n = bytes_send(p, p->out.bytes + p->sent, peer_unsent(p));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			peer_forget_sent(p);
			return;
		}
		if (n < 0) {
			p->is_closed = true;
			return;
		}
		p->sent += (size_t)n;
		p->bytes_out += (uint64_t)n;
	}
	if (p->is_closed)
		return;
	p->sent = 0;
	buffer_clear(&p->out, 4 * RELAY_CHUNK);
}

/* Take in what is there: as much as `in` has room for, at least a chunk. */
static enum err
peer_receive(struct peer *p)
{
	ssize_t n;

	if (p->in.size - p->in.len < RELAY_CHUNK / 2 &&
	    !peer_expect(p, p->in.len - p->start + RELAY_CHUNK))
		return ERR_TOO_LONG;
	n = bytes_receive(p, p->in.bytes + p->in.len, p->in.size - p->in.len);
	if (n > 0) {
		p->in.len += (size_t)n;
		p->bytes_in += (uint64_t)n;
	} else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK &&
				 errno != EINTR)) {
		p->is_closed = true;
	}
	return ERR_NONE;
}

static short
interest(const struct peer *p, bool wants_bytes)
{
	short events = POLLRDHUP;

	if (wants_bytes)
		events |= POLLIN;
	if (peer_unsent(p) > 0)
		events |= POLLOUT;
	return p->transport == NULL
		   ? events
		   : p->transport->interest(p->transport_state, events);
}

static bool
has_pending(const struct peer *p)
{
	return p->transport != NULL &&
	       p->transport->has_pending(p->transport_state);
}

/* Is there, or may there be, something to be received? With a transport it
 * may take room to send before it can receive. */
static bool
is_readable(const struct peer *p, const struct pollfd *fd)
{
	if (p->transport != NULL)
		return fd->revents != 0 || has_pending(p);
	return (fd->revents & (POLLIN | POLLHUP)) != 0;
}

/* `is_ready`: there is something to do, so look and don't wait. */
static enum err
relay_poll(struct relay *r, struct pollfd *fds, bool is_ready)
{
	struct timespec left = {0}, *timeout = NULL;
	int64_t ms;
	int n;

	bool is_alarm = r->alarm != 0 &&
			(r->deadline == 0 || r->alarm < r->deadline);
	enum err late = is_alarm ? ERR_INTERRUPTED : ERR_DEADLINE;

	if (r->deadline != 0 || is_alarm) {
		ms = (is_alarm ? r->alarm : r->deadline) - relay_now();
		if (ms <= 0)
			return late;
		left.tv_sec = ms / 1000;
		left.tv_nsec = ms % 1000 * 1000000;
		timeout = &left;
	}
	if (is_ready) {
		left = (struct timespec){0};
		timeout = &left;
	}
	n = ppoll(fds, 3, timeout, &r->waiting);
	if (n < 0)
		return errno == EINTR ? ERR_INTERRUPTED : ERR_SYSTEM;
	return n == 0 && !is_ready ? late : ERR_NONE;
}

/* A peer that hung up while we don't want its bytes is gone for us: there is
 * nobody to hold a statement for. */
static void
note_hangup(struct peer *p, const struct pollfd *fd)
{
	if ((fd->revents & (POLLERR | POLLNVAL)) != 0 ||
	    ((fd->revents & (POLLHUP | POLLRDHUP)) != 0 &&
		(fd->events & POLLIN) == 0 && fd->fd >= 0))
		p->is_closed = true;
}

static bool
is_full(const struct relay *r)
{
	return peer_is_full(&r->client) || peer_is_full(&r->upstream);
}

enum err
relay_turn(struct relay *r, bool wants_client)
{
	struct pollfd fds[3];
	bool reads_upstream, reads_client, was_full = is_full(r);
	enum err e;

	peer_send(&r->upstream);
	peer_send(&r->client);
	if (r->client.is_closed || r->upstream.is_closed)
		return ERR_CLOSED;
	if (was_full && !is_full(r))
		return ERR_NONE; /* there may be nothing else to wait for */
	reads_client = wants_client && !peer_is_full(&r->upstream);
	reads_upstream = !peer_is_full(&r->client);
	fds[0] = (struct pollfd){
	    .fd = r->client.fd, .events = interest(&r->client, reads_client)};
	fds[1] = (struct pollfd){.fd = r->upstream.fd,
	    .events = interest(&r->upstream, reads_upstream)};
	if (!reads_upstream) {
		/* that it hung up is found out when it is read again; until
		 * then poll() must not wake us for it again and again */
		fds[1].events &= (short)~POLLRDHUP;
		if (fds[1].events == 0)
			fds[1].fd = -1;
	}
	fds[2] = (struct pollfd){.fd = r->life, .events = POLLIN};
	e = relay_poll(r, fds,
	    (reads_client && has_pending(&r->client)) ||
		(reads_upstream && has_pending(&r->upstream)));
	if (e != ERR_NONE)
		return e;
	if (fds[2].revents != 0)
		return ERR_CLOSED;
	note_hangup(&r->client, &fds[0]);
	if (reads_client && is_readable(&r->client, &fds[0]))
		e = peer_receive(&r->client);
	if (e == ERR_NONE && reads_upstream &&
	    is_readable(&r->upstream, &fds[1])) {
		e = peer_receive(&r->upstream);
		if (e == ERR_NONE)
			e = r->drain(r->context);
	}
	return e;
}

void
relay_farewell(struct peer *p)
{
	if (p->fd >= 0)
		peer_send(p);
}

bool
relay_await_end(struct peer *p, int deadline_ms)
{
	const int64_t deadline = relay_now() + deadline_ms;
	struct pollfd fd = {.fd = p->fd, .events = POLLIN};
	char ignored[4096];
	int64_t left = deadline_ms;
	ssize_t n;

	while (p->fd >= 0 && !p->is_closed && left > 0) {
		n = poll(&fd, 1, (int)left);
		if (n > 0)
			n = recv(p->fd, ignored, sizeof(ignored), MSG_DONTWAIT);
		if (fd.revents != 0 && (n == 0 || (n < 0 && errno != EAGAIN)))
			p->is_closed = true;
		fd.revents = 0;
		left = deadline - relay_now();
	}
	return p->fd < 0 || p->is_closed;
}

void
relay_flush_client(struct relay *r, int deadline_ms)
{
	int64_t deadline = relay_now() + deadline_ms, left;
	struct pollfd fd = {.fd = r->client.fd};

	for (peer_send(&r->client);
	     peer_unsent(&r->client) > 0 && !r->client.is_closed;
	     peer_send(&r->client)) {
		left = deadline - relay_now();
		fd.events = interest(&r->client, false);
		if (left <= 0 || poll(&fd, 1, (int)left) == 0)
			return;
	}
}
