/* links: common/ipc.c common/wish.c common/text.c */
/* The shared memory's promises, and the question to the broker. */
#include "common/ipc.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof(*(table))))

static struct scoreboard *board;

static void
setup(void)
{
	board = scoreboard_new(3);
	ck_assert_ptr_nonnull(board);
}

START_TEST(new_scoreboard_has_free_slots)
{
	uint32_t i;

	ck_assert_uint_eq(board->slot_count, 3);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(
		    atomic_load(&board->slots[i].state), SLOT_FREE);
}
END_TEST

START_TEST(snapshot_sees_what_was_written)
{
	struct slot *s = &board->slots[1], copy;

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
	struct slot *s = &board->slots[0], copy;

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
	struct slot *s = &board->slots[2], copy;
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

START_TEST(requests_are_numbered_and_bounded)
{
	struct request *r;
	uint64_t i;

	for (i = 1; i <= REQUESTS_MAX; i++) {
		r = request_claim(board);
		ck_assert_ptr_nonnull(r);
		ck_assert_uint_eq(r->number, i);
		ck_assert_int_eq(r->worker, getpid());
	}
	ck_assert_ptr_null(request_claim(board));
	request_release(&board->requests[17]);
	r = request_claim(board);
	ck_assert_ptr_eq(r, &board->requests[17]);
	ck_assert_uint_eq(r->number, REQUESTS_MAX + 1);
}
END_TEST

START_TEST(claimed_request_has_nothing_of_the_one_before)
{
	struct request *r = request_claim(board);

	field_set(r->approvers[0], SLOT_NAME_MAX, TEXT("carol"));
	atomic_store(&r->approver_count, 1);
	memset(r->digest, 1, sizeof(r->digest));
	request_release(r);
	r = request_claim(board);
	ck_assert_uint_eq(atomic_load(&r->approver_count), 0);
	ck_assert_str_eq(r->approvers[0], "");
	ck_assert_int_eq(r->digest[0], 0);
}
END_TEST

START_TEST(request_is_settled_once)
{
	struct request *r = request_claim(board);

	ck_assert(!request_settle(r, REQUEST_APPROVED)); /* not yet pending */
	request_submit(r);
	ck_assert(request_settle(r, REQUEST_EXPIRED));
	ck_assert(!request_settle(r, REQUEST_APPROVED));
	ck_assert_int_eq(atomic_load(&r->state), REQUEST_EXPIRED);
}
END_TEST

START_TEST(wish_is_one_for_each_database)
{
	struct wish *a = wish_for(board, TEXT("shop"), TEXT("one"));

	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_eq(wish_for(board, TEXT("shop"), TEXT("one")), a);
	ck_assert_ptr_ne(wish_for(board, TEXT("shop"), TEXT("two")), a);
	ck_assert_ptr_ne(wish_for(board, TEXT("shop"), TEXT("on")), a);
}
END_TEST

START_TEST(wish_for_a_name_that_would_be_cut_is_refused)
{
	char name[SLOT_NAME_MAX];

	memset(name, 'x', sizeof(name));
	ck_assert_ptr_null(wish_for(
	    board, TEXT("shop"), (struct text){name, sizeof(name)}));
	ck_assert_ptr_nonnull(wish_for(
	    board, TEXT("shop"), (struct text){name, sizeof(name) - 1}));
	ck_assert_ptr_null(wish_for(board, TEXT("shop"), (struct text){0}));
}
END_TEST

START_TEST(wishes_are_bounded)
{
	char name[] = "dbXX";
	int i;

	for (i = 0; i < WISHES_MAX; i++) {
		name[2] = (char)('A' + i / 16);
		name[3] = (char)('A' + i % 16);
		ck_assert_ptr_nonnull(
		    wish_for(board, TEXT("shop"), text_of(name)));
	}
	ck_assert_ptr_null(wish_for(board, TEXT("shop"), TEXT("more")));
}
END_TEST

/* Fill the table with wishes whose reading failed and was then forgotten. */
static void
fill_with_failures(void)
{
	char name[16];
	size_t i;

	for (i = 0; i < WISHES_MAX; i++) {
		struct wish *w;

		snprintf(name, sizeof(name), "bogus%zu", i);
		w = wish_for(board, TEXT("shop"), text_of(name));
		ck_assert_ptr_nonnull(w);
		w->wanted = 3;
		wish_done(w, 3, true);
		w->wanted_at -= WISH_REST_MS + 1000;
	}
}

START_TEST(failed_wish_that_nobody_wants_makes_room)
{
	struct wish *w;
	size_t i;

	fill_with_failures();
	for (i = 1; i < WISHES_MAX; i++)
		board->wishes[i].failed = 0;
	w = wish_for(board, TEXT("shop"), TEXT("real"));
	ck_assert_ptr_eq(w, &board->wishes[0]);
	ck_assert_str_eq(w->database, "real");
	ck_assert_int_eq(w->failed, 0);
	ck_assert_uint_eq(w->wanted, w->done);
	ck_assert_ptr_eq(wish_for(board, TEXT("shop"), TEXT("real")), w);
	/* the others' readings went well: none of them */
	ck_assert_ptr_null(wish_for(board, TEXT("shop"), TEXT("bogus0")));
}
END_TEST

START_TEST(wish_that_is_wanted_or_held_makes_no_room)
{
	struct slot *s = &board->slots[1];
	size_t i;

	fill_with_failures();
	for (i = 3; i < WISHES_MAX; i++)
		board->wishes[i].failed = 0;
	/* asked for just now, being read again, and a living session's */
	ck_assert_ptr_nonnull(wish_for(board, TEXT("shop"), TEXT("bogus0")));
	board->wishes[1].wanted++;
	field_set(s->upstream, sizeof(s->upstream), TEXT("shop"));
	field_set(s->database, sizeof(s->database), TEXT("bogus2"));
	s->state = SLOT_WAITING;
	ck_assert_ptr_null(wish_for(board, TEXT("shop"), TEXT("real")));
	s->state = SLOT_FREE; /* it has ended */
	ck_assert_ptr_eq(wish_for(board, TEXT("shop"), TEXT("real")),
	    &board->wishes[2]);
}
END_TEST

/* A catalogue in a process of its own: serves one wish. */
static void
catalog_once(struct wish *w, int fd, bool fails)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) != sizeof(count))
		_exit(1);
	wish_done(w, atomic_load(&w->wanted), fails);
	_exit(0);
}

static enum err
wish_served(bool fails)
{
	struct wish *w = wish_for(board, TEXT("shop"), TEXT("one"));
	int fd = eventfd(0, EFD_CLOEXEC);
	pid_t catalog = fork();
	enum err e;

	if (catalog == 0)
		catalog_once(w, fd, fails);
	e = wish_make(w, fd, 5000);
	waitpid(catalog, NULL, 0);
	close(fd);
	return e;
}

START_TEST(wish_is_granted_refused_or_given_up)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	struct wish *w = wish_for(board, TEXT("shop"), TEXT("nobody"));

	ck_assert_int_eq(wish_served(false), ERR_NONE);
	ck_assert_int_eq(wish_served(true), ERR_REFUSED);
	ck_assert_int_eq(wish_make(w, fd, 20), ERR_DEADLINE);
	close(fd);
}
END_TEST

/* The broker's end: answers with `len` bytes of `reply`, or hangs up. */
static enum err
ask_with_reply(const struct broker_reply *reply, size_t len,
    struct broker_reply *out)
{
	const struct broker_request q = {.kind = BROKER_CLIENT_START};
	int ends[2];
	pid_t broker;
	enum err e;

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	broker = fork();
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
	e = broker_ask(ends[0], &q, out);
	close(ends[0]);
	waitpid(broker, NULL, 0);
	return e;
}

START_TEST(broker_answer_is_taken_whole_or_not_at_all)
{
	struct broker_reply yes = {.granted = 1, .iterations = 4096};
	struct broker_reply no = {.granted = 0};
	struct broker_reply lie = {.granted = 1, .salt_len = 65};
	struct broker_reply out;

	ck_assert_int_eq(ask_with_reply(&yes, sizeof(yes), &out), ERR_NONE);
	ck_assert_uint_eq(out.iterations, 4096);
	ck_assert_int_eq(ask_with_reply(&no, sizeof(no), &out), ERR_REFUSED);
	ck_assert_int_eq(
	    ask_with_reply(&yes, sizeof(yes) - 1, &out), ERR_MALFORMED);
	ck_assert_uint_eq(out.granted, 0);
	ck_assert_int_eq(
	    ask_with_reply(&lie, sizeof(lie), &out), ERR_MALFORMED);
	ck_assert_int_eq(ask_with_reply(&yes, 0, &out), ERR_CLOSED);
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
	struct slot *s = &board->slots[0];

	slot_set_cancel_key(s, 7, TEXT("0123456789abcdef0123456789abcdef"));
	ck_assert_int_eq(
	    slot_has_cancel_key(s, cancels[_i].pid, cancels[_i].key),
	    cancels[_i].want);
}
END_TEST

START_TEST(slot_without_a_session_cannot_be_cancelled)
{
	struct slot *s = &board->slots[0];

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

int
main(void)
{
	const TTest *const tests[] = {new_scoreboard_has_free_slots,
	    snapshot_sees_what_was_written,
	    snapshot_of_a_dead_writers_slot_is_bounded_and_says_so,
	    snapshot_is_never_torn, rate_counts_to_its_limit_each_minute,
	    rate_keys_in_one_bucket_do_not_share_a_count,
	    rate_of_too_many_keys_refuses, requests_are_numbered_and_bounded,
	    claimed_request_has_nothing_of_the_one_before,
	    request_is_settled_once, wish_is_one_for_each_database,
	    wish_for_a_name_that_would_be_cut_is_refused, wishes_are_bounded,
	    failed_wish_that_nobody_wants_makes_room,
	    wish_that_is_wanted_or_held_makes_no_room,
	    wish_is_granted_refused_or_given_up,
	    broker_answer_is_taken_whole_or_not_at_all,
	    slot_without_a_session_cannot_be_cancelled};
	Suite *suite = suite_create("ipc");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed, i;

	tcase_add_checked_fixture(all, setup, NULL);
	for (i = 0; i < COUNT(tests); i++)
		tcase_add_test(all, tests[i]);
	tcase_add_loop_test(
	    all, field_is_cut_between_characters, 0, COUNT(fields));
	tcase_add_loop_test(
	    all, only_the_whole_key_cancels, 0, COUNT(cancels));
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
