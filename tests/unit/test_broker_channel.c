/* links: common/broker_channel.c */
/* The question to the broker: whole answers, and descriptors that go along. */
#include "common/broker_channel.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int ends[2];

static void
setup(void)
{
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static void
teardown(void)
{
	close(ends[0]);
	close(ends[1]);
}

/* The broker's end: answers with `len` bytes of `reply`, or hangs up. */
static enum err
ask_with_reply(const struct broker_reply *reply, size_t len,
    struct broker_reply *out)
{
	const struct broker_request q = {.kind = BROKER_CLIENT_START};
	pid_t broker = fork();
	enum err e;

	if (broker == 0) {
		struct broker_request got;

		close(ends[0]);
		if (recv(ends[1], &got, sizeof(got), 0) != sizeof(got))
			_exit(1);
		if (len > 0 && send(ends[1], reply, len, 0) < 0)
			_exit(1);
		_exit(0);
	}
	close(ends[1]);
	ends[1] = -1;
	e = broker_ask(ends[0], &q, out);
	waitpid(broker, NULL, 0);
	return e;
}

static struct broker_reply yes = {.granted = 1, .login = 3};
static struct broker_reply no = {.reason = "wrong"};
static struct broker_reply endless, too_long = {.granted = 1,
    .signed_len = BROKER_SIGNATURE_MAX + 1};

static const struct {
	const struct broker_reply *reply;
	size_t len;
	enum err want;
} answers[] = {
    {&yes, sizeof(yes), ERR_NONE},
    {&no, sizeof(no), ERR_REFUSED},
    {&yes, sizeof(yes) - 1, ERR_MALFORMED},
    {&endless, sizeof(endless), ERR_MALFORMED},
    {&too_long, sizeof(too_long), ERR_MALFORMED},
    {&yes, 0, ERR_CLOSED},
};

START_TEST(answer_is_taken_whole_or_not_at_all)
{
	struct broker_reply out;

	endless.granted = 1;
	memset(endless.first, 'x', sizeof(endless.first));
	ck_assert_int_eq(
	    ask_with_reply(answers[_i].reply, answers[_i].len, &out),
	    answers[_i].want);
	ck_assert_uint_eq(out.granted, answers[_i].want == ERR_NONE);
	if (answers[_i].want == ERR_REFUSED)
		ck_assert_str_eq(out.reason, "wrong");
}
END_TEST

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
	(void)!parcel_receive(ends[1], &got, 1, &take);
	ck_assert_int_eq(take.fd, -1);
	ck_assert_int_eq(lowest_free(), before);
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
	Suite *suite = suite_create("broker_channel");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_loop_test(all, answer_is_taken_whole_or_not_at_all, 0,
	    sizeof(answers) / sizeof(answers[0]));
	tcase_add_test(all, parcel_and_descriptor_arrive_with_their_message);
	tcase_add_test(all, what_does_not_fit_is_dropped_with_its_descriptor);
	tcase_add_test(all, two_descriptors_are_none);
	tcase_add_test(all, nothing_there_is_told_apart_from_nobody_there);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
