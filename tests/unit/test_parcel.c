/* links: common/parcel.c */
/* Messages with a descriptor beside them: whole, or not at all. */
#include "common/parcel.h"
#include "tests/unit/channel.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

START_TEST(parcel_and_descriptor_arrive_with_their_message)
{
	char bytes[16], head = 'h', got = 0;
	int pipes[2];
	struct parcel give = {.bytes = "parcel", .len = 6};
	struct parcel take = {.bytes = bytes, .size = sizeof(bytes)};

	ck_assert_int_eq(pipe(pipes), 0);
	give.fd = pipes[1];
	ck_assert_int_eq(
	    parcel_send(ends[0], &head, 1, &give, 0), ERR_NONE);
	ck_assert_int_eq(parcel_receive(ends[1], &got, 1, &take), ERR_NONE);
	ck_assert_int_eq(got, 'h');
	ck_assert_uint_eq(take.len, 6);
	ck_assert(memcmp(bytes, "parcel", 6) == 0);
	ck_assert_int_ge(take.fd, 0);
	ck_assert_int_ne(fcntl(take.fd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_eq((int)write(take.fd, "x", 1), 1);
	ck_assert_int_eq((int)read(pipes[0], bytes, 1), 1);
	close(take.fd);
	close(pipes[0]);
	close(pipes[1]);
}
END_TEST

/* The lowest descriptor that is free: none has been left open if it stays. */
static int
lowest_free(void)
{
	int fd = open("/dev/null", O_RDONLY);

	close(fd);
	return fd;
}

START_TEST(what_does_not_fit_is_dropped_with_its_descriptor)
{
	char bytes[4], head[2], got[2];
	struct parcel give = {.bytes = "parcel", .len = 6, .fd = STDIN_FILENO};
	struct parcel take = {.bytes = bytes, .size = sizeof(bytes)};
	int before = lowest_free();

	ck_assert_int_eq(
	    parcel_send(ends[0], head, 2, &give, 0), ERR_NONE);
	ck_assert_int_eq(
	    parcel_receive(ends[1], got, 2, &take), ERR_MALFORMED);
	ck_assert_int_eq(take.fd, -1);
	give.len = 0;
	ck_assert_int_eq(
	    parcel_send(ends[0], head, 1, &give, 0), ERR_NONE);
	ck_assert_int_eq(
	    parcel_receive(ends[1], got, 2, &take), ERR_MALFORMED);
	ck_assert_int_eq(take.fd, -1);
	ck_assert_int_eq(lowest_free(), before);
}
END_TEST

START_TEST(two_descriptors_are_none)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} room = {.bytes = {0}};
	char head = 'h', got;
	int fds[2] = {STDIN_FILENO, STDOUT_FILENO}, before = lowest_free();
	struct iovec part = {&head, 1};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1,
	    .msg_control = room.bytes, .msg_controllen = sizeof(room.bytes)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	struct parcel take = {.size = 0};

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	ck_assert_int_eq((int)sendmsg(ends[0], &m, 0), 1);
	ck_assert_int_eq(
	    parcel_receive(ends[1], &got, 1, &take), ERR_MALFORMED);
	ck_assert_int_eq(take.fd, -1);
	ck_assert_int_eq(lowest_free(), before);
}
END_TEST

START_TEST(descriptor_beside_nothing_is_closed)
{
	struct parcel give = {.fd = STDIN_FILENO};
	struct parcel take = {.size = 0};
	int before = lowest_free();
	char got;

	ck_assert_int_eq(parcel_send(ends[0], "", 0, &give, 0), ERR_NONE);
	ck_assert_int_eq(
	    parcel_receive(ends[1], &got, 1, &take), ERR_CLOSED);
	ck_assert_int_eq(take.fd, -1);
	ck_assert_int_eq(lowest_free(), before);
}
END_TEST

START_TEST(full_channel_is_told_and_not_waited_for)
{
	static char bytes[4096];
	struct parcel give = {.bytes = bytes, .len = sizeof(bytes), .fd = -1};
	enum err e = ERR_NONE;
	int i;

	for (i = 0; i < 100000 && e == ERR_NONE; i++)
		e = parcel_send(ends[0], "h", 1, &give, MSG_DONTWAIT);
	ck_assert_int_eq(e, ERR_INTERRUPTED);
}
END_TEST

START_TEST(nothing_there_is_told_apart_from_nobody_there)
{
	struct parcel take = {.size = 0};
	char got;

	ck_assert_int_eq(
	    parcel_receive(ends[1], &got, 1, &take), ERR_INTERRUPTED);
	close(ends[0]);
	ends[0] = -1;
	ck_assert_int_eq(
	    parcel_receive(ends[1], &got, 1, &take), ERR_CLOSED);
	ck_assert_int_eq(
	    parcel_send(ends[1], &got, 1, NULL, 0), ERR_CLOSED);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("parcel");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, channel_open, channel_close);
	tcase_add_test(all, parcel_and_descriptor_arrive_with_their_message);
	tcase_add_test(all, what_does_not_fit_is_dropped_with_its_descriptor);
	tcase_add_test(all, two_descriptors_are_none);
	tcase_add_test(all, descriptor_beside_nothing_is_closed);
	tcase_add_test(all, full_channel_is_told_and_not_waited_for);
	tcase_add_test(all, nothing_there_is_told_apart_from_nobody_there);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
