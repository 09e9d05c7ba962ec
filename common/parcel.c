/*
 * parcel.c - messages with a descriptor beside them.
 *
 * The rule: a message is whole or it is none, and a descriptor that came with
 * one that is not is closed.
 */
#include "common/parcel.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Room for one descriptor, aligned as the kernel wants. The kernel rounds it
 * up and fills it, so two fit, and both have to be looked at. */
union ancillary {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

enum {
	DESCRIPTORS_MAX =
	    (CMSG_SPACE(sizeof(int)) - CMSG_LEN(0)) / sizeof(int)
};

/* --- sending -------------------------------------------------------------- */

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
	/* sendmsg() takes parts that are not const, and leaves them so */
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
	return errno == EAGAIN || errno == ENOBUFS ? ERR_INTERRUPTED
						   : ERR_SYSTEM;
}

/* --- receiving ------------------------------------------------------------ */

/* Take the descriptors out of what came beside a message. True: there was at
 * most one, and nothing else. All are closed otherwise. */
static bool
descriptor_take(struct msghdr *m, int *fd_out)
{
	int fds[DESCRIPTORS_MAX];
	struct cmsghdr *header = CMSG_FIRSTHDR(m);
	bool is_sound = (m->msg_flags & MSG_CTRUNC) == 0;
	size_t count, i;

	if (header == NULL)
		return is_sound;
	if (header->cmsg_level != SOL_SOCKET ||
	    header->cmsg_type != SCM_RIGHTS || header->cmsg_len < CMSG_LEN(0))
		return false;
	count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	if (count > DESCRIPTORS_MAX)
		return false; /* there was no room for so many */
	memcpy(fds, CMSG_DATA(header), count * sizeof(int));
	if (is_sound && count == 1) {
		*fd_out = fds[0];
		return true;
	}
	for (i = 0; i < count; i++)
		close(fds[i]);
	return false;
}

enum err
parcel_receive(int channel, void *head, size_t head_len, struct parcel *parcel)
{
	union ancillary room;
	struct iovec parts[2] = {{.iov_base = head, .iov_len = head_len},
	    {.iov_base = parcel->bytes, .iov_len = parcel->size}};
	struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2,
	    .msg_control = room.bytes, .msg_controllen = sizeof(room.bytes)};
	bool is_sound;
	ssize_t n;

	parcel->fd = -1;
	parcel->len = 0;
	do
		n = recvmsg(channel, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return ERR_INTERRUPTED;
	if (n < 0)
		return errno == ECONNRESET ? ERR_CLOSED : ERR_SYSTEM;
	/* even beside nothing there may be one */
	is_sound = descriptor_take(&m, &parcel->fd) &&
	    (size_t)n >= head_len && (m.msg_flags & MSG_TRUNC) == 0;
	if (is_sound && n > 0) {
		parcel->len = (size_t)n - head_len;
		return ERR_NONE;
	}
	if (parcel->fd >= 0)
		close(parcel->fd);
	parcel->fd = -1;
	return n == 0 ? ERR_CLOSED : ERR_MALFORMED;
}
