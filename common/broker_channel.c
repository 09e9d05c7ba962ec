/*
 * broker_channel.c - asking the broker, and waiting for its answer.
 *
 * The rule: an answer is whole or it is none; a descriptor that came with
 * one that is not is closed.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/broker_channel.h"
#include "common/clock.h"

enum { BROKER_DEADLINE_MS = 15000 };

/* Room for one descriptor beside a message, aligned as the kernel wants. */
union ancillary {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/* Wait until the channel can be read. */
static enum err
channel_wait(int channel)
{
	int64_t deadline = clock_ms() + BROKER_DEADLINE_MS;

	for (;;) {
		struct pollfd p = {.fd = channel, .events = POLLIN};
		int64_t left = deadline - clock_ms();
		int n;

		if (left <= 0)
			return ERR_DEADLINE;
		n = poll(&p, 1, (int)left);
		if (n > 0)
			return ERR_NONE;
		if (n < 0 && errno != EINTR)
			return ERR_SYSTEM;
	}
}

static void
descriptor_attach(struct msghdr *m, union ancillary *room, int fd)
{
	struct cmsghdr *header;

	memset(room, 0, sizeof(*room));
	m->msg_control = room->bytes;
	m->msg_controllen = sizeof(room->bytes);
	header = CMSG_FIRSTHDR(m);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
}

enum err
parcel_send(int channel, const void *head, size_t head_len,
    const struct parcel *parcel, int flags)
{
	union ancillary room;
	struct iovec parts[2] = {
	    {.iov_base = (void *)(uintptr_t)head, .iov_len = head_len}};
	struct msghdr m = {.msg_iov = parts, .msg_iovlen = 1};
	size_t total = head_len;
	ssize_t n;

	if (parcel != NULL && parcel->len > 0) {
		parts[1] = (struct iovec){parcel->bytes, parcel->len};
		m.msg_iovlen = 2;
		total += parcel->len;
	}
	if (parcel != NULL && parcel->fd >= 0)
		descriptor_attach(&m, &room, parcel->fd);
	do
		n = sendmsg(channel, &m, MSG_NOSIGNAL | flags);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return (size_t)n == total ? ERR_NONE : ERR_SYSTEM;
	if (errno == EPIPE || errno == ECONNRESET)
		return ERR_CLOSED;
	return errno == EAGAIN ? ERR_INTERRUPTED : ERR_SYSTEM;
}

/* The descriptor beside a message, or -1. Padding leaves room for two: then
 * neither is wanted. */
static int
descriptor_take(struct msghdr *m)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(m);
	int fds[2];
	size_t len;

	if (header == NULL || header->cmsg_level != SOL_SOCKET ||
	    header->cmsg_type != SCM_RIGHTS)
		return -1;
	len = header->cmsg_len - CMSG_LEN(0);
	if (len > sizeof(fds))
		len = sizeof(fds);
	memcpy(fds, CMSG_DATA(header), len);
	if (len == sizeof(int))
		return fds[0];
	while (len >= sizeof(int)) {
		len -= sizeof(int);
		close(fds[len / sizeof(int)]);
	}
	return -1;
}

enum err
parcel_receive(int channel, void *head, size_t head_len, struct parcel *parcel)
{
	union ancillary room;
	struct iovec parts[2] = {{.iov_base = head, .iov_len = head_len},
	    {.iov_base = parcel->bytes, .iov_len = parcel->size}};
	struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2,
	    .msg_control = room.bytes, .msg_controllen = sizeof(room.bytes)};
	ssize_t n = recvmsg(channel, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	parcel->fd = -1;
	parcel->len = 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return ERR_INTERRUPTED;
	if (n < 0)
		return errno == ECONNRESET ? ERR_CLOSED : ERR_SYSTEM;
	if (n == 0)
		return ERR_CLOSED;
	parcel->fd = descriptor_take(&m);
	if ((size_t)n >= head_len &&
	    (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0) {
		parcel->len = (size_t)n - head_len;
		return ERR_NONE;
	}
	if (parcel->fd >= 0)
		close(parcel->fd);
	parcel->fd = -1;
	return ERR_MALFORMED;
}

static bool
reply_is_sound(const struct broker_reply *r)
{
	return r->signed_len <= BROKER_SIGNATURE_MAX &&
	       memchr(r->reason, 0, sizeof(r->reason)) != NULL &&
	       memchr(r->first, 0, sizeof(r->first)) != NULL &&
	       memchr(r->md5, 0, sizeof(r->md5)) != NULL;
}

enum err
broker_exchange(int channel, const struct broker_request *request,
    const struct parcel *give, struct broker_reply *reply_out,
    struct parcel *take)
{
	enum err e = parcel_send(channel, request, sizeof(*request), give, 0);

	memset(reply_out, 0, sizeof(*reply_out));
	take->fd = -1;
	take->len = 0;
	if (e == ERR_NONE)
		e = ERR_INTERRUPTED;
	while (e == ERR_INTERRUPTED) {
		e = channel_wait(channel);
		if (e == ERR_NONE)
			e = parcel_receive(
			    channel, reply_out, sizeof(*reply_out), take);
	}
	if (e == ERR_NONE && reply_is_sound(reply_out))
		return reply_out->granted ? ERR_NONE : ERR_REFUSED;
	if (take->fd >= 0)
		close(take->fd);
	take->fd = -1;
	take->len = 0;
	memset(reply_out, 0, sizeof(*reply_out));
	return e == ERR_NONE ? ERR_MALFORMED : e;
}

enum err
broker_ask(int channel, const struct broker_request *request,
    struct broker_reply *reply_out)
{
	struct parcel none = {.fd = -1};
	enum err e =
	    broker_exchange(channel, request, NULL, reply_out, &none);

	if (none.fd >= 0)
		close(none.fd);
	return e;
}

enum err
broker_open(int channel, const struct broker_request *request,
    struct broker_reply *reply_out, int *fd_out)
{
	struct parcel taken = {.fd = -1};
	enum err e =
	    broker_exchange(channel, request, NULL, reply_out, &taken);

	*fd_out = taken.fd;
	return e == ERR_NONE && taken.fd < 0 ? ERR_MALFORMED : e;
}
