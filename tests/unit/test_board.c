/* links: common/board.c common/slot.c common/request.c common/schema_news.c common/wish.c common/text.c */
/* Who can reach what of the shared memory; wishes and news of schemas. */
#include "common/board.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof(*(table))))

enum { SEATS = 4, MINE = 1, WAIT_MS = 5000 };

static struct scoreboard *board;
static struct board_files files;

static void
setup(void)
{
	board = scoreboard_new(SEATS, &files);
	ck_assert_ptr_nonnull(board);
}

/* --- who can reach what --------------------------------------------------- */

/* Places in the memory, by where they are. */
enum spot {
	NOTICES,
	NOTICES_END,
	DECISIONS,
	MY_DECISION,
	ANSWERS,
	COMMONS,
	MY_SEAT,
	SEAT_BEFORE,
	SEAT_AFTER,
	SEAT_AFTER_END,
	SPOTS
};

static volatile char *
spot_at(enum spot spot)
{
	switch (spot) {
	case NOTICES:
		return (char *)&board->generation;
	case NOTICES_END:
		return (char *)&board->control_heard - 1;
	case DECISIONS:
		return (char *)&board->control_heard;
	case MY_DECISION:
		return (char *)&board->decisions[MINE].word;
	case ANSWERS:
		return (char *)&board->answers[3].read_at;
	case COMMONS:
		return (char *)&board->rates[17];
	case MY_SEAT:
		return (char *)&board->seats[MINE].request;
	case SEAT_BEFORE:
		return (char *)&board->seats[MINE - 1].slot.state;
	case SEAT_AFTER:
		return (char *)&board->seats[MINE + 1].slot.state;
	default:
		return (char *)&board->seats[MINE + 2] - 1;
	}
}

static sigjmp_buf before_fault;

static void
on_fault(int number)
{
	siglongjmp(before_fault, number);
}

static bool
can_read(volatile char *at)
{
	if (sigsetjmp(before_fault, 1) != 0)
		return false;
	(void)*at;
	return true;
}

static bool
can_write(volatile char *at)
{
	if (sigsetjmp(before_fault, 1) != 0)
		return false;
	*at = *at;
	return true;
}

/* Its page, for calls that change mappings. */
static char *
page_of(volatile char *at)
{
	return (char *)((uintptr_t)at & ~(uintptr_t)(BOARD_PAGE - 1));
}

/* Nothing that a process can ask for makes it writable. */
static bool
stays_closed(volatile char *at)
{
	char *page = page_of(at);

	return mprotect(page, BOARD_PAGE, PROT_READ | PROT_WRITE) != 0 &&
	    madvise(page, BOARD_PAGE, MADV_REMOVE) != 0 && !can_write(at);
}

/* Run in a child of that role, as spawn.c makes one; its exit status. */
static int
as_role(enum board_role role, int (*run)(void))
{
	int status = 0;
	pid_t child;

	ck_assert_int_eq(board_withhold(board), ERR_NONE);
	ck_assert_int_eq(board_lend(board, role, MINE, true), ERR_NONE);
	child = fork();
	if (child == 0) {
		struct sigaction caught = {.sa_handler = on_fault};

		sigaction(SIGSEGV, &caught, NULL);
		sigaction(SIGBUS, &caught, NULL);
		if (board_confine(board, &files, role) != ERR_NONE)
			_exit(100);
		_exit(run());
	}
	ck_assert_int_eq(board_lend(board, role, MINE, false), ERR_NONE);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

enum right { NOTHING, READS, WRITES };

static const struct {
	enum board_role role;
	enum right want[SPOTS];
} rights[] = {
    {BOARD_WORKER, {[NOTICES] = READS, [NOTICES_END] = READS,
		       [DECISIONS] = READS, [MY_DECISION] = READS,
		       [ANSWERS] = READS, [COMMONS] = WRITES,
		       [MY_SEAT] = WRITES}},
    {BOARD_CATALOG, {[NOTICES] = READS, [NOTICES_END] = READS,
			[ANSWERS] = WRITES, [COMMONS] = READS}},
    {BOARD_STRANGER, {NOTHING}},
};

static int tried;

/* The first spot that is not as it should be, counted from 1. */
static int
spots_look(void)
{
	enum spot spot;

	for (spot = 0; spot < SPOTS; spot++) {
		volatile char *at = spot_at(spot);
		enum right want = rights[tried].want[spot];

		if (can_read(at) != (want != NOTHING) ||
		    can_write(at) != (want == WRITES) ||
		    (want != WRITES && !stays_closed(at)))
			return (int)spot + 1;
	}
	return 0;
}

START_TEST(each_role_reaches_what_is_its_own_and_no_more)
{
	tried = _i;
	ck_assert_int_eq(as_role(rights[_i].role, spots_look), 0);
}
END_TEST

/* mremap() grows a mapping over what follows in the same file. */
static int
seat_grow(void)
{
	struct seat *mine = &board->seats[MINE];
	char *grown = mremap(mine, sizeof(*mine), 3 * sizeof(*mine),
	    MREMAP_MAYMOVE);
	char *commons = mremap(board->wishes, BOARD_PAGE,
	    (size_t)64 * BOARD_PAGE, MREMAP_MAYMOVE);

	if (grown != MAP_FAILED && can_read(grown + sizeof(*mine)))
		return 1;
	if (commons != MAP_FAILED && can_read(commons + 60 * BOARD_PAGE))
		return 2;
	return 0;
}

START_TEST(grown_mapping_reaches_no_other_part)
{
	ck_assert_int_eq(as_role(BOARD_WORKER, seat_grow), 0);
}
END_TEST

/* The descriptors, had a child kept them. */
static int
files_try(void)
{
	int i;

	for (i = 0; i < BOARD_PARTS; i++) {
		if (files.parts[i] != -1)
			return i + 1;
	}
	return 0;
}

START_TEST(files_are_closed_in_children_and_sealed_in_any_case)
{
	int i;

	ck_assert_int_eq(as_role(BOARD_WORKER, files_try), 0);
	for (i = 0; i < BOARD_PARTS; i++) {
		int fd = files.parts[i];

		ck_assert_ptr_eq(mmap(NULL, BOARD_PAGE, PROT_WRITE,
				     MAP_SHARED, fd, 0),
		    MAP_FAILED);
		ck_assert_int_eq(pwrite(fd, "x", 1, 0), -1);
		ck_assert_int_eq(ftruncate(fd, 0), -1);
		ck_assert_int_eq(
		    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			0, BOARD_PAGE),
		    -1);
	}
}
END_TEST

static int
seat_sign(void)
{
	field_set(board->seats[MINE].slot.user, SLOT_NAME_MAX, TEXT("alice"));
	atomic_store(&board->clients_refused, 7);
	return atomic_load(&board->generation) == 5 ? 0 : 1;
}

START_TEST(what_may_be_written_is_seen_by_all)
{
	atomic_store(&board->generation, 5);
	ck_assert_int_eq(as_role(BOARD_WORKER, seat_sign), 0);
	ck_assert_str_eq(board->seats[MINE].slot.user, "alice");
	ck_assert_uint_eq(atomic_load(&board->clients_refused), 7);
}
END_TEST

START_TEST(too_many_seats_are_refused)
{
	ck_assert_ptr_null(scoreboard_new(BOARD_SEATS_MAX + 1, NULL));
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

/* --- schemas -------------------------------------------------------------- */

static struct schema_seen seen;

/* Master in a process of its own: notes what seat 1 tells, once. */
static pid_t
master_once(int wake)
{
	pid_t master = fork();
	uint64_t count;

	if (master != 0)
		return master;
	if (read(wake, &count, sizeof(count)) != sizeof(count))
		_exit(1);
	schema_note(board, MINE, &seen);
	_exit(0);
}

START_TEST(open_schema_is_known_to_all_others_before_it_is_granted)
{
	int wake = eventfd(0, EFD_CLOEXEC);
	uint64_t key = schema_key(TEXT("shop"), TEXT("one"));
	pid_t master = master_once(wake);

	ck_assert(!schema_is_open_elsewhere(board, 0, key));
	ck_assert_int_eq(
	    schema_open(board, MINE, wake, key, WAIT_MS), ERR_NONE);
	ck_assert(schema_is_open_elsewhere(board, 0, key));
	ck_assert(!schema_is_open_elsewhere(board, MINE, key));
	ck_assert(!schema_is_open_elsewhere(
	    board, 0, schema_key(TEXT("shop"), TEXT("two"))));
	waitpid(master, NULL, 0);
	close(wake);
}
END_TEST

START_TEST(schema_without_a_master_is_not_opened)
{
	int wake = eventfd(0, EFD_CLOEXEC);

	ck_assert_int_eq(schema_open(board, MINE, wake, 5, 20), ERR_DEADLINE);
	close(wake);
}
END_TEST

START_TEST(settled_schema_has_changed_at_its_time)
{
	struct slot *s = &board->seats[MINE].slot;
	int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int64_t at;

	ck_assert_int_eq(schema_open(board, MINE, wake, 5, 1), ERR_DEADLINE);
	schema_note(board, MINE, &seen);
	ck_assert_int_eq(schema_changed_at(board, 5), 0);
	at = schema_settle(s, wake);
	ck_assert(schema_is_open_elsewhere(board, 0, 5));
	schema_note(board, MINE, &seen);
	ck_assert(!schema_is_open_elsewhere(board, 0, 5));
	ck_assert_int_eq(schema_changed_at(board, 5), at);
	ck_assert_uint_eq(atomic_load(&board->open_schemas), 0);
	close(wake);
}
END_TEST

/* Settled and open again before master has looked. */
START_TEST(change_between_two_looks_is_not_lost)
{
	struct slot *s = &board->seats[MINE].slot;
	int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int64_t at;

	ck_assert_int_eq(schema_open(board, MINE, wake, 5, 1), ERR_DEADLINE);
	at = schema_settle(s, wake);
	ck_assert_int_eq(schema_open(board, MINE, wake, 5, 1), ERR_DEADLINE);
	schema_note(board, MINE, &seen);
	ck_assert_int_eq(schema_changed_at(board, 5), at);
	ck_assert(schema_is_open_elsewhere(board, 0, 5));
	close(wake);
}
END_TEST

START_TEST(time_to_come_is_not_believed)
{
	struct slot *s = &board->seats[MINE].slot;
	int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	atomic_store(&s->schema_key, 5);
	schema_settle(s, wake);
	atomic_store(&s->schema_settled_at, INT64_MAX);
	schema_note(board, MINE, &seen);
	ck_assert_int_le(schema_changed_at(board, 5), clock_ns());
	close(wake);
}
END_TEST

START_TEST(dead_worker_with_an_open_schema_may_have_changed_it)
{
	int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int64_t before = clock_ns();

	ck_assert_int_eq(schema_open(board, MINE, wake, 5, 1), ERR_DEADLINE);
	schema_note(board, MINE, &seen);
	schema_bury(board, MINE);
	ck_assert(!schema_is_open_elsewhere(board, 0, 5));
	ck_assert_int_ge(schema_changed_at(board, 5), before);
	ck_assert_uint_eq(atomic_load(&board->open_schemas), 0);
	close(wake);
}
END_TEST

/* --- wishes --------------------------------------------------------------- */

static struct wisher
wisher_for(struct text database)
{
	struct wisher w;

	ck_assert(wish_for(&w, board, TEXT("shop"), database));
	return w;
}

static size_t
row_of(const struct wisher *w)
{
	return (size_t)(w->wish - board->wishes);
}

START_TEST(wish_is_one_for_each_database)
{
	struct wish *a = wisher_for(TEXT("one")).wish;

	ck_assert_ptr_eq(wisher_for(TEXT("one")).wish, a);
	ck_assert_ptr_ne(wisher_for(TEXT("two")).wish, a);
	ck_assert_ptr_ne(wisher_for(TEXT("on")).wish, a);
}
END_TEST

START_TEST(wish_for_a_name_that_would_be_cut_is_refused)
{
	char name[SLOT_NAME_MAX];
	struct wisher w;

	memset(name, 'x', sizeof(name));
	ck_assert(!wish_for(&w, board, TEXT("shop"),
	    (struct text){name, sizeof(name)}));
	ck_assert(wish_for(&w, board, TEXT("shop"),
	    (struct text){name, sizeof(name) - 1}));
	ck_assert(!wish_for(&w, board, TEXT("shop"), (struct text){0}));
}
END_TEST

/* Fill the table with wishes whose reading failed and was then forgotten. */
static void
fill_with_failures(void)
{
	const int64_t old = clock_ns() - (WISH_REST_MS + 1000) * 1000000LL;
	char name[16];
	size_t i;

	for (i = 0; i < WISHES_MAX; i++) {
		struct wisher w;

		snprintf(name, sizeof(name), "bogus%zu", i);
		w = wisher_for(text_of(name));
		wish_done(board, row_of(&w), w.upstream, w.database, 5, true);
		atomic_store(&w.wish->used_at, old);
	}
}

START_TEST(failed_wish_that_nobody_wants_makes_room)
{
	struct wisher w;
	size_t i;

	fill_with_failures();
	for (i = 1; i < WISHES_MAX; i++)
		atomic_store(&board->answers[i].read_at, 5);
	w = wisher_for(TEXT("real"));
	ck_assert_uint_eq(row_of(&w), 0);
	ck_assert_int_eq(wish_read_at(&w), 0);
	/* the others' readings went well: none of them */
	ck_assert(!wish_for(&w, board, TEXT("shop"), TEXT("bogus0")));
}
END_TEST

START_TEST(wish_that_is_wanted_or_used_makes_no_room)
{
	struct wisher w;
	size_t i;

	fill_with_failures();
	for (i = 2; i < WISHES_MAX; i++)
		atomic_store(&board->answers[i].read_at, 5);
	wisher_for(TEXT("bogus0"));
	atomic_store(&board->wishes[1].wanted_at, 6);
	ck_assert(!wish_for(&w, board, TEXT("shop"), TEXT("real")));
}
END_TEST

/* A catalogue in a process of its own: serves one wish. */
static enum err
wish_served(struct wisher *w, struct text database, bool fails)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	pid_t catalog = fork();
	uint64_t count;
	enum err e;

	if (catalog == 0) {
		if (read(fd, &count, sizeof(count)) != sizeof(count))
			_exit(1);
		wish_done(board, row_of(w), TEXT("shop"), database,
		    clock_ns(), fails);
		_exit(0);
	}
	e = wish_make(w, fd, database.len == 3 ? WAIT_MS : 50);
	waitpid(catalog, NULL, 0);
	close(fd);
	return e;
}

START_TEST(wish_is_granted_refused_or_given_up)
{
	struct wisher w = wisher_for(TEXT("one"));
	int fd = eventfd(0, EFD_CLOEXEC);

	ck_assert_int_eq(wish_served(&w, TEXT("one"), false), ERR_NONE);
	ck_assert_uint_eq(wish_reading(&w), 1);
	ck_assert_int_eq(wish_served(&w, TEXT("one"), true), ERR_REFUSED);
	ck_assert_int_eq(wish_make(&w, fd, 20), ERR_DEADLINE);
	close(fd);
}
END_TEST

/* A worker has given the row another name. */
START_TEST(reading_of_another_database_grants_nothing)
{
	struct wisher w = wisher_for(TEXT("one"));

	ck_assert_int_eq(wish_served(&w, TEXT("other"), false), ERR_DEADLINE);
	ck_assert_int_eq(wish_read_at(&w), 0);
}
END_TEST

/* … and the session finds itself another row. */
START_TEST(wish_whose_row_was_taken_is_made_again)
{
	struct wisher w = wisher_for(TEXT("one"));
	struct wish *before = w.wish;
	int fd = eventfd(0, EFD_CLOEXEC);

	field_set(before->database, SLOT_NAME_MAX, TEXT("other"));
	ck_assert_int_eq(wish_make(&w, fd, 1), ERR_DEADLINE);
	ck_assert_ptr_ne(w.wish, before);
	ck_assert(wish_is_wanted(board, row_of(&w)));
	close(fd);
}
END_TEST

START_TEST(failed_reading_keeps_the_time_of_the_last_good_one)
{
	struct wisher w = wisher_for(TEXT("one"));
	int fd = eventfd(0, EFD_CLOEXEC);
	int64_t now = clock_ns();

	wish_done(board, row_of(&w), w.upstream, w.database, 5, false);
	wish_done(board, row_of(&w), w.upstream, w.database, now, true);
	ck_assert_int_eq(wish_read_at(&w), 5);
	ck_assert(wish_has_failed(board, row_of(&w)));
	/* at once: it has failed just now */
	ck_assert_int_eq(wish_catch_up(&w, 6, fd, WAIT_MS), ERR_REFUSED);
	ck_assert_int_eq(wish_catch_up(&w, 5, fd, WAIT_MS), ERR_NONE);
	close(fd);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {grown_mapping_reaches_no_other_part,
	    files_are_closed_in_children_and_sealed_in_any_case,
	    what_may_be_written_is_seen_by_all, too_many_seats_are_refused,
	    open_schema_is_known_to_all_others_before_it_is_granted,
	    schema_without_a_master_is_not_opened,
	    settled_schema_has_changed_at_its_time,
	    change_between_two_looks_is_not_lost, time_to_come_is_not_believed,
	    dead_worker_with_an_open_schema_may_have_changed_it,
	    wish_is_one_for_each_database,
	    wish_for_a_name_that_would_be_cut_is_refused,
	    failed_wish_that_nobody_wants_makes_room,
	    wish_that_is_wanted_or_used_makes_no_room,
	    wish_is_granted_refused_or_given_up,
	    reading_of_another_database_grants_nothing,
	    wish_whose_row_was_taken_is_made_again,
	    failed_reading_keeps_the_time_of_the_last_good_one};
	Suite *suite = suite_create("board");
	TCase *all = tcase_create("all");
	int i;

	tcase_add_checked_fixture(all, setup, NULL);
	for (i = 0; i < COUNT(tests); i++)
		tcase_add_test(all, tests[i]);
	tcase_add_loop_test(all, each_role_reaches_what_is_its_own_and_no_more,
	    0, COUNT(rights));
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
