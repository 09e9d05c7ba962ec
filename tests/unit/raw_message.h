/*
 * raw_message.h - a message over a channel as no program of ours sends it.
 */
#ifndef SALLYPORT_TESTS_RAW_MESSAGE_H
#define SALLYPORT_TESTS_RAW_MESSAGE_H

#include <check.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

enum { RAW_DESCRIPTORS_MAX = 8 };

/* Any bytes, with any descriptors beside them. */
static inline void
raw_send(int channel, const void *bytes, size_t len, const int *fds,
    size_t count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(RAW_DESCRIPTORS_MAX * sizeof(int))];
	} room;
	struct iovec part = {(void *)(uintptr_t)bytes, len};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	memset(&room, 0, sizeof(room));
	if (count > 0) {
		message.msg_control = room.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		room.header.cmsg_level = SOL_SOCKET;
		room.header.cmsg_type = SCM_RIGHTS;
		room.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&room.header), fds, count * sizeof(int));
	}
	ck_assert_int_eq((int)sendmsg(channel, &message, 0), (int)len);
}

#endif
