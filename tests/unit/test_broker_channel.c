/* links: common/broker_channel.c common/parcel.c */
/* The question to the broker: whole answers or none. */
#include "common/broker_channel.h"
#include "tests/unit/channel.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What it is asked next. */
static struct broker_request
take_question(void)
{
	struct broker_request q;

	if (recv(ends[1], &q, sizeof(q), 0) != sizeof(q))
		_exit(1);
	return q;
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
		struct broker_reply answer = *reply;

		close(ends[0]);
		answer.serial = take_question().serial;
		if (len > 0 && send(ends[1], &answer, len, 0) < 0)
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

/* --- answers that come late ----------------------------------------------- */

static int
descriptor_count(void)
{
	int fd, count = 0;

	for (fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* As when nobody waited for them any more: two answers to other questions, a
 * descriptor beside each, before the one to this. */
static void
answer_late(void)
{
	const struct broker_request q = take_question();
	const uint64_t wrong[] = {q.serial - 1, q.serial + 1};
	struct broker_reply answer = yes;
	size_t i;

	for (i = 0; i < 2; i++) {
		answer.serial = wrong[i];
		answer.login = 99;
		if (parcel_send(ends[1], &answer, sizeof(answer),
			&(struct parcel){.fd = ends[1]}, 0) != ERR_NONE)
			_exit(1);
	}
	answer = no;
	answer.serial = q.serial;
	if (send(ends[1], &answer, sizeof(answer), 0) < 0)
		_exit(1);
}

START_TEST(answer_to_another_question_is_dropped_with_what_it_brought)
{
	const struct broker_request q = {.kind = BROKER_CLIENT_START};
	int before = descriptor_count(), fd, status;
	struct broker_reply out;
	pid_t broker = fork();

	if (broker == 0) {
		close(ends[0]);
		answer_late();
		_exit(0);
	}
	ck_assert_int_eq(
	    broker_open(ends[0], &q, &out, &fd), ERR_REFUSED);
	ck_assert_str_eq(out.reason, "wrong");
	ck_assert_uint_eq(out.login, 0);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(waitpid(broker, &status, 0), broker);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(descriptor_count(), before);
}
END_TEST

START_TEST(each_question_has_a_number_of_its_own)
{
	const struct broker_request q = {.kind = BROKER_CLIENT_START};
	struct broker_reply out;
	int status, i;
	pid_t broker = fork();

	if (broker == 0) {
		struct broker_reply answer = yes;
		uint64_t last = 0;

		close(ends[0]);
		for (i = 0; i < 3; i++) {
			answer.serial = take_question().serial;
			if (answer.serial <= last ||
			    send(ends[1], &answer, sizeof(answer), 0) < 0)
				_exit(1);
			last = answer.serial;
		}
		_exit(0);
	}
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(broker_ask(ends[0], &q, &out), ERR_NONE);
	ck_assert_int_eq(waitpid(broker, &status, 0), broker);
	ck_assert_int_eq(status, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("broker_channel");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, channel_open, channel_close);
	tcase_add_loop_test(all, answer_is_taken_whole_or_not_at_all, 0,
	    sizeof(answers) / sizeof(answers[0]));
	tcase_add_test(
	    all, answer_to_another_question_is_dropped_with_what_it_brought);
	tcase_add_test(all, each_question_has_a_number_of_its_own);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
