/*
 * porter_connect.c - sockets to upstreams, the audit sink and the log.
 *
 * One rule: connect() is begun here and waited for by whoever gets the
 * descriptor.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "master/porter_inner.h"

/* --- those that wait ------------------------------------------------------ */

static bool
waiter_add(struct porter *p, const struct waiter *w)
{
	size_t i;

	for (i = 0; i < WAITERS_MAX; i++) {
		if (!p->waiters[i].is_used) {
			p->waiters[i] = *w;
			p->waiters[i].is_used = true;
			return true;
		}
	}
	return false;
}

static void
connect_refuse(struct porter *p, const struct waiter *w, const char *why)
{
	struct outcome o =
	    outcome_of(w->serial, ERRAND_CONNECT, OUTCOME_FAILED);

	o.has_more = w->attempt + 1 < p->places[w->place].known.count;
	snprintf(o.reason, sizeof(o.reason), "%s: %s",
	    p->settings->upstreams[w->place].address, why);
	porter_answer(p, &o, -1);
}

/* --- connecting ----------------------------------------------------------- */

/* A connection in the making, or -1 (errno). */
static int
connect_begin(const union address *to, socklen_t len)
{
	const int family = to->any.sa_family, one = 1;
	int fd = socket(
	    family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (fd < 0)
		return -1;
	if (family != AF_UNIX) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	}
	if (connect(fd, &to->any, len) == 0 || errno == EINPROGRESS)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* A Unix socket's queue is full: it is tried again for a while, since
 * connect() does not tell when there is room. */
static void
wait_for_room(struct porter *p, const struct waiter *w)
{
	struct waiter again = *w;
	int64_t now = monotonic_ms();

	if (again.give_up == 0)
		again.give_up = now + BUSY_MS;
	again.until = now + BUSY_AGAIN_MS;
	if (again.until > again.give_up || !waiter_add(p, &again))
		connect_refuse(p, w, "its queue of connections is full");
}

static void
connect_now(struct porter *p, const struct waiter *w)
{
	const struct whereabouts *place = &p->places[w->place];
	struct outcome o = outcome_of(w->serial, ERRAND_CONNECT, OUTCOME_YES);
	int fd;

	if (w->attempt >= place->known.count) {
		connect_refuse(p, w, place->known.count == 0
			? "its name cannot be resolved"
			: "there are no more addresses");
		return;
	}
	fd = connect_begin(&place->known.list[w->attempt].address,
	    place->known.list[w->attempt].len);
	if (fd < 0 && errno == EAGAIN) {
		wait_for_room(p, w);
		return;
	}
	if (fd < 0) {
		connect_refuse(p, w, strerror(errno));
		return;
	}
	o.has_more = w->attempt + 1 < place->known.count;
	porter_answer(p, &o, fd);
}

void
errand_connect(
    struct porter *p, const struct errand *e, struct text parcel, int fd)
{
	int64_t now = monotonic_ms();
	struct waiter w = {
	    .serial = e->serial, .place = e->place, .attempt = e->attempt};
	struct whereabouts *place = &p->places[e->place % UPSTREAMS_MAX];

	(void)parcel;
	(void)fd;
	if (e->place >= p->settings->upstream_count ||
	    e->place >= UPSTREAMS_MAX) {
		porter_refuse(p, e, OUTCOME_NO, "no such upstream");
		return;
	}
	/* the next address is of the list that the first one was of */
	if ((e->attempt > 0 && place->known.count > 0) ||
	    place_is_ready(p, e->place, now)) {
		connect_now(p, &w);
		return;
	}
	w.until = now + (place->known.count > 0 ? NAME_GRACE_MS : NAME_MS);
	if (!waiter_add(p, &w))
		connect_refuse(p, &w, "too many wait for its address");
}

void
waiters_serve(struct porter *p, uint32_t place)
{
	size_t i;

	for (i = 0; i < WAITERS_MAX; i++) {
		struct waiter w = p->waiters[i];

		if (!w.is_used || w.place != place || w.give_up != 0)
			continue;
		p->waiters[i].is_used = false;
		connect_now(p, &w);
	}
}

void
waiters_turn(struct porter *p, int64_t now)
{
	size_t i;

	for (i = 0; i < WAITERS_MAX; i++) {
		struct waiter w = p->waiters[i];

		if (!w.is_used || w.until > now)
			continue;
		p->waiters[i].is_used = false;
		connect_now(p, &w);
	}
}

int64_t
waiters_next(const struct porter *p)
{
	int64_t next = INT64_MAX;
	size_t i;

	for (i = 0; i < WAITERS_MAX; i++) {
		if (p->waiters[i].is_used && p->waiters[i].until < next)
			next = p->waiters[i].until;
	}
	return next;
}

/* --- the sink, the log ---------------------------------------------------- */

/* A datagram socket that is connected to this path, or -1 (errno). */
static int
datagrams_to(const char *path, int flags)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd, error;

	if (strlen(path) >= sizeof(to.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(to.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | flags, 0);
	if (fd < 0 ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int
socket_to_log(void)
{
	return datagrams_to("/dev/log", SOCK_NONBLOCK);
}

static void
socket_answer(struct porter *p, const struct errand *e, int fd)
{
	struct outcome o = outcome_of(e->serial, e->kind, OUTCOME_YES);

	if (fd >= 0)
		porter_answer(p, &o, fd);
	else
		porter_refuse(p, e, OUTCOME_FAILED, "%s", strerror(errno));
}

void
errand_sink(
    struct porter *p, const struct errand *e, struct text parcel, int fd)
{
	(void)parcel;
	(void)fd;
	socket_answer(p, e, datagrams_to(p->settings->audit_socket, 0));
}

void
errand_log(
    struct porter *p, const struct errand *e, struct text parcel, int fd)
{
	(void)parcel;
	(void)fd;
	socket_answer(p, e, socket_to_log());
}
