/*
 * channel.h - a channel between two processes that are both the test.
 */
#ifndef SALLYPORT_TESTS_CHANNEL_H
#define SALLYPORT_TESTS_CHANNEL_H

#include <check.h>
#include <sys/socket.h>
#include <unistd.h>

static int ends[2];

static inline void
channel_open(void)
{
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static inline void
channel_close(void)
{
	close(ends[0]);
	close(ends[1]);
}

#endif
