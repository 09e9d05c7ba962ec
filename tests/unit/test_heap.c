/* links: master/heap.c */
#include <check.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "master/heap.h"
#include "tests/unit/suite.h"

enum {
	PIECES = 4000,
	GROWTH_MAX = 1024 * 1024, /* of what malloc() keeps in lists */
};

/* Sanitizers bring an allocator of their own, without a heap to speak of. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_OTHER_HEAP true
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_OTHER_HEAP true
#endif
#ifndef HAS_OTHER_HEAP
#define HAS_OTHER_HEAP false
#endif

static void *pieces[PIECES];

/* Sizes of all kinds, from those with a list of their own to large ones. */
static size_t
piece_size(size_t i)
{
	return i % 40 == 0 ? 3000 + 200 * (i / 40) : 1 + i * 7 % 1500;
}

/* Every other piece becomes a hole. */
static void
holes_make(void)
{
	size_t i;

	for (i = 0; i < PIECES; i++) {
		pieces[i] = malloc(piece_size(i));
		ck_assert_ptr_nonnull(pieces[i]);
	}
	for (i = 0; i < PIECES; i += 2)
		free(pieces[i]);
}

/* Where memory stands that was there before. */
static uintptr_t
last_kept(void)
{
	uintptr_t last = 0;
	size_t i;

	for (i = 1; i < PIECES; i += 2) {
		if ((uintptr_t)pieces[i] > last &&
		    (uintptr_t)pieces[i] < (uintptr_t)sbrk(0))
			last = (uintptr_t)pieces[i];
	}
	return last;
}

static size_t
allocated_below(uintptr_t limit)
{
	size_t i, n = 0;

	for (i = 0; i < PIECES; i++)
		n += (uintptr_t)malloc(piece_size(i)) < limit;
	return n;
}

START_TEST(memory_comes_from_holes_before)
{
	if (HAS_OTHER_HEAP)
		return;
	holes_make();
	ck_assert_uint_gt(allocated_below(last_kept()), PIECES / 4);
}
END_TEST

START_TEST(memory_comes_from_behind_everything_when_settled)
{
	if (HAS_OTHER_HEAP)
		return;
	holes_make();
	heap_settle();
	ck_assert_uint_eq(allocated_below(last_kept()), 0);
}
END_TEST

START_TEST(holes_are_free_again_when_it_is_settled_anew)
{
	size_t first, i;

	holes_make();
	heap_settle();
	first = mallinfo2().arena;
	for (i = 0; i < 100; i++) {
		void *loaded;

		heap_loosen();
		loaded = malloc(100 * 1024);
		free(pieces[1]);
		pieces[1] = loaded;
		heap_settle();
	}
	ck_assert_uint_le(mallinfo2().arena, first + GROWTH_MAX);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("heap");
	TCase *all = tcase_create("all");

	tcase_add_test(all, memory_comes_from_holes_before);
	tcase_add_test(all, memory_comes_from_behind_everything_when_settled);
	tcase_add_test(all, holes_are_free_again_when_it_is_settled_anew);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
