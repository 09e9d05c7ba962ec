/* links: common/arena.c */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "tests/unit/suite.h"

START_TEST(memory_comes_zeroed_even_after_a_reset)
{
	struct arena *a = arena_new(0);
	char *p;
	size_t i;

	p = arena_alloc(a, 100);
	memset(p, 'x', 100);
	arena_reset(a);
	p = arena_alloc(a, 100);
	for (i = 0; i < 100; i++)
		ck_assert_int_eq(p[i], 0);
	arena_free(a);
}
END_TEST

START_TEST(the_ceiling_holds_to_the_byte)
{
	struct arena *a = arena_new(1024);

	ck_assert_ptr_nonnull(arena_alloc(a, 1008));
	ck_assert_ptr_nonnull(arena_alloc(a, 16));
	ck_assert_ptr_null(arena_alloc(a, 1));
	arena_reset(a);
	ck_assert_ptr_null(arena_alloc(a, 1025));
	ck_assert_ptr_nonnull(arena_alloc(a, 1024));
	arena_free(a);
}
END_TEST

START_TEST(sizes_that_overflow_are_refused)
{
	struct arena *a = arena_new(0);
	volatile size_t huge = SIZE_MAX;

	ck_assert_ptr_null(arena_alloc(a, huge));
	ck_assert_ptr_null(arena_array(a, huge / 2, 3));
	ck_assert_ptr_null(arena_copy(a, "", huge));
	arena_free(a);
}
END_TEST

START_TEST(large_and_small_live_side_by_side)
{
	struct arena *a = arena_new(0);
	char *small = arena_copy(a, "small", 5), *large, *other;

	large = arena_alloc(a, 100000);
	other = arena_printf(a, "%s-%d", "other", 7);
	memset(large, 'l', 100000);
	ck_assert_str_eq(small, "small");
	ck_assert_str_eq(other, "other-7");
	arena_free(a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("arena");
	TCase *c = tcase_create("arena");

	tcase_add_test(c, memory_comes_zeroed_even_after_a_reset);
	tcase_add_test(c, the_ceiling_holds_to_the_byte);
	tcase_add_test(c, sizes_that_overflow_are_refused);
	tcase_add_test(c, large_and_small_live_side_by_side);
	suite_add_tcase(s, c);
	return suite_run(s);
}
