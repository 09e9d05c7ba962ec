/*
 * upstream_io.c - connecting, sending and receiving under a deadline.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "worker/postgres/pg_wire.h"
#include "worker/postgres/upstream_io.h"

int64_t
upstream_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
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

enum err
upstream_send(struct pg_upstream *u, const struct buffer *b, int64_t deadline)
{
	size_t done = 0;
	ssize_t n;
	enum err e;

	if (b->failed)
		return ERR_MEMORY;
	while (done < b->len) {
		e = wait_for(u->fd, POLLOUT, deadline);
		if (e != ERR_NONE)
			return e;
		n = send(u->fd, b->bytes + done, b->len - done, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return ERR_SYSTEM;
		done += n > 0 ? (size_t)n : 0;
	}
	return ERR_NONE;
}

/* At least `need` bytes in u->in. */
static enum err
receive(struct pg_upstream *u, size_t need, int64_t deadline)
{
	ssize_t n;
	enum err e;

	while (u->in.len < need) {
		if (!buffer_reserve(&u->in, need - u->in.len))
			return ERR_MEMORY;
		e = wait_for(u->fd, POLLIN, deadline);
		if (e != ERR_NONE)
			return e;
		n = recv(
		    u->fd, u->in.bytes + u->in.len, u->in.size - u->in.len, 0);
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

static enum err
connect_unix(const char *path, int *fd_out)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(sa.sun_path))
		return ERR_TOO_LONG;
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERR_SYSTEM;
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
		close(fd);
		return ERR_SYSTEM;
	}
	*fd_out = fd;
	return ERR_NONE;
}

static enum err
connect_one(const struct addrinfo *ai, int64_t deadline, int *fd_out)
{
	socklen_t len = sizeof(int);
	int fd, error = 0, one = 1;
	enum err e = ERR_NONE;

	fd = socket(ai->ai_family,
	    ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, ai->ai_protocol);
	if (fd < 0)
		return ERR_SYSTEM;
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) != 0) {
		if (errno != EINPROGRESS)
			e = ERR_SYSTEM;
		else
			e = wait_for(fd, POLLOUT, deadline);
		if (e == ERR_NONE &&
		    (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 ||
			error != 0)) {
			errno = error;
			e = ERR_SYSTEM;
		}
	}
	if (e != ERR_NONE) {
		close(fd);
		return e;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	*fd_out = fd;
	return ERR_NONE;
}

static enum err
connect_tcp(const char *address, int64_t deadline, int *fd_out)
{
	const struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *all = NULL, *ai;
	const char *colon = strrchr(address, ':');
	char host[256];
	size_t len;
	enum err e = ERR_NOT_FOUND;

	if (colon == NULL)
		return ERR_MALFORMED;
	len = (size_t)(colon - address);
	if (len >= 2 && address[0] == '[' && address[len - 1] == ']')
		address++, len -= 2;
	if (len >= sizeof(host))
		return ERR_TOO_LONG;
	memcpy(host, address, len);
	host[len] = '\0';
	if (getaddrinfo(host, colon + 1, &hints, &all) != 0)
		return ERR_NOT_FOUND;
	for (ai = all; ai != NULL && e != ERR_NONE; ai = ai->ai_next)
		e = connect_one(ai, deadline, fd_out);
	freeaddrinfo(all);
	return e;
}

enum err
upstream_connect(const struct upstream *u, int64_t deadline, int *fd_out)
{
	if (strncmp(u->address, "unix:", 5) == 0)
		return connect_unix(u->address + 5, fd_out);
	return connect_tcp(u->address, deadline, fd_out);
}
