/* links: common/board.c common/slot.c common/request.c common/text.c */
/* What a worker shows of itself, held statements, and the rates. */
#include "common/board.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof(*(table))))

static struct scoreboard *board;

static void
setup(void)
{
	board = scoreboard_new(3, NULL);
	ck_assert_ptr_nonnull(board);
}

START_TEST(new_scoreboard_has_free_slots)
{
	uint32_t i;

	ck_assert_uint_eq(board->slot_count, 3);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(
		    atomic_load(&board->seats[i].slot.state), SLOT_FREE);
}
END_TEST

START_TEST(snapshot_sees_what_was_written)
{
	struct slot *s = &board->seats[1].slot, copy;

	slot_write_begin(s);
	field_set(s->user, sizeof(s->user), TEXT("alice"));
	s->rows = 7;
	slot_write_end(s);
	ck_assert(slot_snapshot(s, &copy));
	ck_assert_str_eq(copy.user, "alice");
	ck_assert_uint_eq(copy.rows, 7);
}
END_TEST

START_TEST(snapshot_of_a_dead_writers_slot_is_bounded_and_says_so)
{
	struct slot *s = &board->seats[0].slot, copy;

	slot_write_begin(s); /* and never ends */
	memset(s->statement, 'x', sizeof(s->statement));
	ck_assert(!slot_snapshot(s, &copy));
	ck_assert_uint_eq(strlen(copy.statement), SLOT_STATEMENT_MAX - 1);
	/* the next owner's writes are whole again */
	slot_write_begin(s);
	field_set(s->statement, sizeof(s->statement), TEXT("SELECT ?"));
	slot_write_end(s);
	ck_assert(slot_snapshot(s, &copy));
	ck_assert_str_eq(copy.statement, "SELECT ?");
}
END_TEST

static void
scribble(struct slot *s)
{
	uint64_t i;

	for (i = 1;; i++) {
		slot_write_begin(s);
		s->rows = i;
		memset(s->statement, (int)('a' + i % 26), 1000);
		s->masked = i;
		slot_write_end(s);
		if (i % 8 == 0) /* a machine with one core runs readers too */
			usleep(20);
	}
}

START_TEST(snapshot_is_never_torn)
{
	struct slot *s = &board->seats[2].slot, copy;
	pid_t writer = fork();
	int i, j;

	if (writer == 0)
		scribble(s);
	for (i = 0; i < 500; i++) {
		if (!slot_snapshot(s, &copy) || copy.rows == 0)
			continue;
		ck_assert_uint_eq(copy.rows, copy.masked);
		for (j = 1; j < 1000; j++)
			ck_assert_int_eq(copy.statement[j], copy.statement[0]);
	}
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
}
END_TEST

static const struct {
	const char *value;
	size_t size;
	const char *want;
} fields[] = {
    {"", 4, ""},
    {"abc", 4, "abc"},
    {"abcd", 4, "abc"},
    {"ab\xc3\xa4", 4, "ab"},		 /* ä does not fit whole */
    {"ab\xc3\xa4", 5, "ab\xc3\xa4"},
    {"\xe2\x82\xac\xe2\x82\xac", 6, "\xe2\x82\xac"}, /* two euro signs */
    {"\xf0\x9f\x98\x80", 4, ""},
    {"abc", 1, ""},
};

START_TEST(field_is_cut_between_characters)
{
	char field[16];

	memset(field, '#', sizeof(field));
	field_set(field, fields[_i].size, text_of(fields[_i].value));
	ck_assert_str_eq(field, fields[_i].want);
	ck_assert_int_eq(field[fields[_i].size], '#');
}
END_TEST

START_TEST(rate_counts_to_its_limit_each_minute)
{
	int i;

	for (i = 0; i < 5; i++)
		ck_assert(rate_take(board, 0x1234567812345678, 5, 600));
	ck_assert(!rate_take(board, 0x1234567812345678, 5, 659));
	ck_assert(rate_take(board, 0x1234567812345678, 5, 660));
}
END_TEST

START_TEST(rate_keys_in_one_bucket_do_not_share_a_count)
{
	const uint64_t a = 0x1000000000000007, b = 0x2000000000000007;

	ck_assert(rate_take(board, a, 1, 0));
	ck_assert(!rate_take(board, a, 1, 0));
	ck_assert(rate_take(board, b, 1, 0));
	ck_assert(!rate_take(board, b, 1, 0));
	ck_assert(!rate_take(board, a, 1, 59));
}
END_TEST

START_TEST(rate_of_too_many_keys_refuses)
{
	uint64_t i, passed = 0;

	for (i = 1; i <= 100; i++)
		passed += rate_take(board, i << 52 | 9, 1, 0);
	ck_assert_uint_lt(passed, 100);
	ck_assert_uint_ge(passed, 8);
}
END_TEST

static const struct {
	int32_t pid;
	struct text key;
	bool want;
} cancels[] = {
    {7, TEXT("0123456789abcdef0123456789abcdef"), true},
    {8, TEXT("0123456789abcdef0123456789abcdef"), false},
    {0, TEXT("0123456789abcdef0123456789abcdef"), false},
    {7, TEXT("0123456789abcdef0123456789abcdeF"), false},
    {7, TEXT("X123456789abcdef0123456789abcdef"), false},
    {7, TEXT("0123456789abcdef0123456789abcdef0"), false},
    {7, TEXT("0123"), false},
    {7, TEXT(""), false},
};

START_TEST(only_the_whole_key_cancels)
{
	struct slot *s = &board->seats[0].slot;

	slot_set_cancel_key(s, 7, TEXT("0123456789abcdef0123456789abcdef"));
	ck_assert_int_eq(
	    slot_has_cancel_key(s, cancels[_i].pid, cancels[_i].key),
	    cancels[_i].want);
}
END_TEST

START_TEST(slot_without_a_session_cannot_be_cancelled)
{
	struct slot *s = &board->seats[0].slot;

	ck_assert(!slot_has_cancel_key(s, 0, TEXT("")));
	ck_assert(!slot_has_cancel_key(s, 0, TEXT("\0\0\0\0")));
	slot_set_cancel_key(s, 7, TEXT("0123"));
	ck_assert(slot_has_cancel_key(s, 7, TEXT("0123")));
	ck_assert(!slot_has_cancel_key(s, 7, TEXT("0123\0")));
	slot_set_cancel_key(s, 0, TEXT(""));
	ck_assert(!slot_has_cancel_key(s, 7, TEXT("0123")));
	ck_assert(!slot_has_cancel_key(s, 0, TEXT("")));
}
END_TEST

/* What has been posted, as master finds it. */
static int
posted(const struct seat *seat)
{
	int i, n = 0;

	for (i = 0; i < CANCELS_MAX; i++)
		n += atomic_load(&seat->cancels[i].is_posted);
	return n;
}

START_TEST(cancel_requests_are_posted_whole_and_bounded)
{
	struct seat *seat = &board->seats[0];
	int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), i;
	char key[CANCEL_KEY_MAX + 1];
	uint64_t count = 0;

	memset(key, 'k', sizeof(key));
	seat_post_cancel(seat, wake, 7, (struct text){key, sizeof(key)});
	seat_post_cancel(seat, wake, 7, (struct text){key, 0});
	ck_assert_int_eq(posted(seat), 0);
	for (i = 0; i < CANCELS_MAX + 3; i++)
		seat_post_cancel(
		    seat, wake, 7, (struct text){key, CANCEL_KEY_MAX});
	ck_assert_int_eq(posted(seat), CANCELS_MAX);
	ck_assert_int_eq(seat->cancels[3].backend_pid, 7);
	ck_assert_uint_eq(seat->cancels[3].key_len, CANCEL_KEY_MAX);
	ck_assert_int_eq(read(wake, &count, sizeof(count)), sizeof(count));
	ck_assert_uint_eq(count, CANCELS_MAX);
	close(wake);
}
END_TEST

/* --- held statements ------------------------------------------------------ */

static struct request *held;
static struct decision *decision;

/* A worker holds a statement under the number 7. */
static void
hold(void)
{
	int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	held = &board->seats[1].request;
	decision = &board->decisions[1];
	ck_assert_uint_eq(request_ask(held, decision, wake), 0);
	ck_assert_uint_eq(atomic_load(&held->asked), 1);
	decision_give(decision, 7);
	request_submit(held, 7);
	close(wake);
}

static bool
decide(enum verdict_of_people verdict, struct text by)
{
	uint64_t word = atomic_load(&decision->word);

	return decision_take(decision, &word, by, verdict);
}

START_TEST(word_of_a_decision_keeps_its_parts)
{
	uint64_t word = decision_word(
	    (UINT64_C(1) << 48) - 1, APPROVERS_MAX, PEOPLE_DENIED);

	ck_assert_uint_eq(decision_number(word), (UINT64_C(1) << 48) - 1);
	ck_assert_uint_eq(decision_approvals(word), APPROVERS_MAX);
	ck_assert_int_eq(decision_verdict(word), PEOPLE_DENIED);
}
END_TEST

START_TEST(approved_request_is_approved_even_when_it_was_to_expire)
{
	hold();
	ck_assert(decide(PEOPLE_APPROVED, TEXT("carol")));
	ck_assert(request_is_taken(held, 7));
	ck_assert_int_eq(request_settle(held, decision, REQUEST_EXPIRED),
	    REQUEST_APPROVED);
	ck_assert(request_is_taken(held, 7));
	ck_assert_str_eq(decision->decided_by, "carol");
}
END_TEST

START_TEST(withdrawn_request_is_told_from_a_taken_one)
{
	hold();
	ck_assert_int_eq(request_settle(held, decision, REQUEST_WITHDRAWN),
	    REQUEST_WITHDRAWN);
	ck_assert(decide(PEOPLE_APPROVED, TEXT("carol")));
	ck_assert(!request_is_taken(held, 7));
}
END_TEST

START_TEST(decision_about_a_number_that_is_gone_is_nothing)
{
	uint64_t word;

	hold();
	word = atomic_load(&decision->word);
	decision_give(decision, 8);
	request_submit(held, 8);
	ck_assert(!decision_take(
	    decision, &word, TEXT("carol"), PEOPLE_APPROVED));
	ck_assert_int_eq(request_settle(held, decision, REQUEST_EXPIRED),
	    REQUEST_EXPIRED);
	ck_assert_uint_eq(
	    decision_approvals(atomic_load(&decision->word)), 0);
}
END_TEST

/* A worker that says it holds what another was given the number for. */
START_TEST(decision_does_not_settle_a_request_of_another_number)
{
	hold();
	ck_assert(decide(PEOPLE_APPROVED, TEXT("carol")));
	request_submit(held, 9);
	ck_assert_int_eq(request_settle(held, decision, REQUEST_EXPIRED),
	    REQUEST_EXPIRED);
}
END_TEST

START_TEST(approvals_are_counted_to_their_bound)
{
	char name[] = "person 0";
	int i;

	hold();
	for (i = 0; i < APPROVERS_MAX; i++) {
		name[7] = (char)('0' + i);
		ck_assert(decide(PEOPLE_UNDECIDED, text_of(name)));
	}
	ck_assert(!decide(PEOPLE_APPROVED, TEXT("one more")));
	ck_assert_uint_eq(decision_approvals(atomic_load(&decision->word)),
	    APPROVERS_MAX);
	ck_assert_str_eq(decision->approvers[3], "person 3");
	ck_assert(decide(PEOPLE_DENIED, TEXT("dora")));
	ck_assert_int_eq(request_settle(held, decision, REQUEST_EXPIRED),
	    REQUEST_DENIED);
}
END_TEST

START_TEST(copy_of_a_request_is_ended)
{
	struct request copy;

	hold();
	memset(held->text, 'x', sizeof(held->text));
	memset(held->user, 'x', sizeof(held->user));
	request_copy(held, &copy);
	ck_assert_uint_eq(strlen(copy.text), REQUEST_TEXT_MAX - 1);
	ck_assert_uint_eq(strlen(copy.user), SLOT_NAME_MAX - 1);
}
END_TEST

static const struct {
	const char *id;
	uint64_t want;
} ids[] = {
    {"0123456789abcdef", UINT64_C(0x0123456789abcdef)},
    {"ffffffffffffffff", UINT64_MAX},
    {"0123456789abcde", 0},
    {"0123456789abcdef0", 0},
    {"0123456789abcdeg", 0},
    {"0x23456789abcdef", 0},
    {" 123456789abcdef", 0},
    {"-123456789abcdef", 0},
    {"", 0},
};

START_TEST(only_a_whole_id_is_a_sessions_number)
{
	ck_assert_uint_eq(session_number(ids[_i].id), ids[_i].want);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {new_scoreboard_has_free_slots,
	    snapshot_sees_what_was_written,
	    snapshot_of_a_dead_writers_slot_is_bounded_and_says_so,
	    snapshot_is_never_torn, rate_counts_to_its_limit_each_minute,
	    rate_keys_in_one_bucket_do_not_share_a_count,
	    rate_of_too_many_keys_refuses,
	    slot_without_a_session_cannot_be_cancelled,
	    cancel_requests_are_posted_whole_and_bounded,
	    word_of_a_decision_keeps_its_parts,
	    approved_request_is_approved_even_when_it_was_to_expire,
	    withdrawn_request_is_told_from_a_taken_one,
	    decision_about_a_number_that_is_gone_is_nothing,
	    decision_does_not_settle_a_request_of_another_number,
	    approvals_are_counted_to_their_bound, copy_of_a_request_is_ended};
	Suite *suite = suite_create("slot");
	TCase *all = tcase_create("all");
	int i;

	tcase_add_checked_fixture(all, setup, NULL);
	for (i = 0; i < COUNT(tests); i++)
		tcase_add_test(all, tests[i]);
	tcase_add_loop_test(
	    all, field_is_cut_between_characters, 0, COUNT(fields));
	tcase_add_loop_test(
	    all, only_the_whole_key_cancels, 0, COUNT(cancels));
	tcase_add_loop_test(
	    all, only_a_whole_id_is_a_sessions_number, 0, COUNT(ids));
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
