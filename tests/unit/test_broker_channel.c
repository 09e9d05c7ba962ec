/* links: common/broker_channel.c common/parcel.c */
/* The question to the broker: whole answers or none. */
#include "common/broker_channel.h"

#include <check.h>
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
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
