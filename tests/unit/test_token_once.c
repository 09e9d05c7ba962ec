/* links: master/verifier/token_once.c common/err.c */
/*
 * The memory of used tokens: what it holds, for how long, and that it says no
 * rather than forget.
 */
#include <check.h>
#include <stdlib.h>

#include "master/verifier/token_once.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

enum { NOW = 1800000000, ROW = 64 /* digests that begin alike */ };

static struct once *once;

static void
setup(void)
{
	scratch_make();
	ck_assert_int_eq(once_open(scratch_path("tokens"), &once), ERR_NONE);
}

static void
teardown(void)
{
	once_close(once);
	scratch_remove();
}

static enum err
use(struct once *o, unsigned row, unsigned number, int64_t until, int64_t now)
{
	uint8_t digest[ONCE_DIGEST_LEN] = {
	    [1] = (uint8_t)row, [2] = (uint8_t)number};

	return once_use(o, digest, until, now);
}

START_TEST(what_was_used_is_used_until_it_expires)
{
	ck_assert_int_eq(use(once, 1, 1, NOW + 60, NOW), ERR_NONE);
	ck_assert_int_eq(use(once, 1, 1, NOW + 60, NOW), ERR_REFUSED);
	ck_assert_int_eq(use(once, 1, 1, NOW + 90, NOW + 59), ERR_REFUSED);
	ck_assert_int_eq(use(once, 1, 1, NOW + 90, NOW + 60), ERR_NONE);
	ck_assert_int_eq(use(once, 1, 1, NOW + 90, NOW + 61), ERR_REFUSED);
}
END_TEST

START_TEST(full_memory_refuses_what_is_new_and_forgets_nothing)
{
	unsigned i;

	for (i = 0; i < ROW; i++)
		ck_assert_int_eq(
		    use(once, 1, i, NOW + 60 + i, NOW), ERR_NONE);
	ck_assert_int_eq(use(once, 1, ROW, NOW + 60, NOW), ERR_TOO_LONG);
	for (i = 0; i < ROW; i++)
		ck_assert_int_eq(
		    use(once, 1, i, NOW + 60 + i, NOW), ERR_REFUSED);
	/* others have rows of their own */
	ck_assert_int_eq(use(once, 2, 0, NOW + 60, NOW), ERR_NONE);
	/* and the first that has expired makes room for one */
	ck_assert_int_eq(use(once, 1, ROW, NOW + 99, NOW + 60), ERR_NONE);
	ck_assert_int_eq(
	    use(once, 1, ROW + 1, NOW + 99, NOW + 60), ERR_TOO_LONG);
}
END_TEST

START_TEST(two_at_a_time_share_one_memory)
{
	struct once *other;

	ck_assert_int_eq(once_open(scratch_path("tokens"), &other), ERR_NONE);
	ck_assert_int_eq(use(once, 1, 1, NOW + 60, NOW), ERR_NONE);
	ck_assert_int_eq(use(other, 1, 1, NOW + 60, NOW), ERR_REFUSED);
	ck_assert_int_eq(use(other, 1, 2, NOW + 60, NOW), ERR_NONE);
	once_close(other);
	ck_assert_int_eq(use(once, 1, 2, NOW + 60, NOW), ERR_REFUSED);
}
END_TEST

START_TEST(files_of_others_are_refused)
{
	struct once *other;
	struct stat st;
	FILE *file;

	ck_assert_int_eq(
	    once_open(scratch_write("short", "text"), &other), ERR_MALFORMED);
	ck_assert_int_eq(stat(scratch_path("tokens"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	/* of the right length, with nothing of ours in it */
	file = fopen(scratch_path("long"), "w");
	ck_assert_int_eq(ftruncate(fileno(file), st.st_size), 0);
	fclose(file);
	ck_assert_int_eq(
	    once_open(scratch_path("long"), &other), ERR_MALFORMED);
	/* a link leads anywhere */
	ck_assert_int_eq(
	    symlink(scratch_path("tokens"), scratch_path("link")), 0);
	ck_assert_int_eq(once_open(scratch_path("link"), &other), ERR_SYSTEM);
	ck_assert_int_eq(once_open(scratch_folder, &other), ERR_SYSTEM);
	ck_assert_ptr_null(other);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("token_once");
	TCase *t = tcase_create("token_once");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_was_used_is_used_until_it_expires);
	tcase_add_test(t, full_memory_refuses_what_is_new_and_forgets_nothing);
	tcase_add_test(t, two_at_a_time_share_one_memory);
	tcase_add_test(t, files_of_others_are_refused);
	suite_add_tcase(s, t);
	return suite_run(s);
}
