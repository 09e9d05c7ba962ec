/* links: master/penalty.c common/siphash.c common/text.c */
/* Throttling: who waits how long, who does not, and in a full table. */
#include "master/penalty.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static const uint8_t key[PENALTY_KEY_LEN] = "0123456789abcde";
static struct penalties *penalties;

static void
setup(void)
{
	penalties = penalties_init(calloc(1, penalties_size()), key);
	ck_assert_ptr_nonnull(penalties);
}

static void
teardown(void)
{
	free(penalties);
}

/* How long somebody waits; 0: not at all. */
static int64_t
wait_of(const char *source, const char *name, int64_t now)
{
	int64_t wait = -1;
	bool may = penalty_permits(
	    penalties, text_of(source), text_of(name), now, &wait);

	ck_assert_int_eq(may, wait == 0);
	return wait;
}

static void
wrong_proof(const char *source, const char *name, int64_t now)
{
	penalty_failed(penalties, text_of(source), text_of(name), now);
}

static void
wrong_proofs(const char *source, const char *name, int64_t now, unsigned times)
{
	while (times-- > 0)
		wrong_proof(source, name, now);
}

/* The n-th of something, in one of four buffers. */
static const char *
nth(const char *format, unsigned n)
{
	static char texts[4][64];
	static unsigned turn;
	char *out = texts[turn++ % 4];

	snprintf(out, sizeof(texts[0]), format, n >> 16 & 255, n >> 8 & 255,
	    n & 255);
	return out;
}

START_TEST(five_failures_are_free_and_then_each_doubles_the_wait)
{
	static const int64_t waits[] = {0, 0, 0, 0, 0, 1000, 2000, 4000, 8000,
	    16000, 32000, 60000, 60000, 60000};
	int64_t now = 7;
	size_t i;

	for (i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
		ck_assert_int_eq(wait_of("1.2.3.4:1", "alice", now), 0);
		wrong_proof("1.2.3.4:1", "alice", now);
		ck_assert_int_eq(
		    wait_of("1.2.3.4:1", "alice", now), waits[i]);
		now += waits[i];
	}
}
END_TEST

START_TEST(wait_ends_when_it_says)
{
	wrong_proofs("1.2.3.4:1", "alice", 0, 6);
	ck_assert_int_eq(wait_of("1.2.3.4:9", "alice", 0), 1000);
	ck_assert_int_eq(wait_of("1.2.3.4:9", "alice", 999), 1);
	ck_assert_int_eq(wait_of("1.2.3.4:9", "alice", 1000), 0);
}
END_TEST

START_TEST(failures_are_forgotten_after_fifteen_minutes)
{
	const int64_t later = PENALTY_FORGET_MS;

	wrong_proofs("1.2.3.4:1", "alice", 0, 20);
	wrong_proofs("1.2.3.4:1", "alice", later, 5);
	ck_assert_int_eq(wait_of("1.2.3.4:1", "alice", later), 0);
	wrong_proof("1.2.3.4:1", "alice", later);
	ck_assert_int_eq(wait_of("1.2.3.4:1", "alice", later), 1000);
}
END_TEST

START_TEST(success_ends_the_wait_of_that_source_and_name)
{
	wrong_proofs("1.2.3.4:1", "alice", 0, 8);
	penalty_succeeded(
	    penalties, TEXT("1.2.3.4:1"), TEXT("alice"), 4000);
	wrong_proofs("1.2.3.4:1", "alice", 4000, 5);
	ck_assert_int_eq(wait_of("1.2.3.4:1", "alice", 4000), 0);
}
END_TEST

START_TEST(others_do_not_wait)
{
	wrong_proofs("1.2.3.4:1", "alice", 0, 10);
	ck_assert_int_gt(wait_of("1.2.3.4:1", "alice", 0), 0);
	ck_assert_int_eq(wait_of("1.2.3.4:1", "bob", 0), 0);
	ck_assert_int_eq(wait_of("1.2.3.5:1", "alice", 0), 0);
	ck_assert_int_eq(wait_of("unix", "alice", 0), 0);
}
END_TEST

/* {one source, another, are they the same?} */
static const struct {
	const char *one, *other;
	bool is_same;
} sources[] = {
    {"10.0.0.1:1", "10.0.0.1:65535", true},
    {"10.0.0.1:1", "10.0.0.2:1", false},
    {"10.0.0.1:1", "[::ffff:10.0.0.1]:2", true},
    {"[2001:db8::1]:1", "[2001:db8::ffff:1]:2", true},
    {"[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false},
    {"[fe80::1%eth0]:1", "[fe80::2%eth1]:2", true},
    {"[::1]:1", "10.0.0.1:1", false},
    {"unix", "unix", true},
    {"unix:1000", "unix:1001", false},
    {"unix:1000", "unix", false},
    {"", "unix", false},
    {"10.0.0.1", "10.0.0.2", false},
    {"[", "[]", false},
    {"[::1", "[::2", false},
};

START_TEST(source_is_the_network_and_not_the_port)
{
	bool is_same;

	wrong_proofs(sources[_i].one, "alice", 0, 6);
	ck_assert_int_gt(wait_of(sources[_i].one, "alice", 0), 0);
	is_same = wait_of(sources[_i].other, "alice", 0) > 0;
	ck_assert_int_eq(is_same, sources[_i].is_same);
}
END_TEST

START_TEST(source_that_rotates_names_waits)
{
	unsigned i;

	for (i = 0; i < PENALTY_SOURCE_FREE; i++)
		wrong_proof("1.2.3.4:1", nth("name%u.%u.%u", i), 0);
	ck_assert_int_eq(wait_of("1.2.3.4:1", "alice", 0), 0);
	wrong_proof("1.2.3.4:1", "mallory", 0);
	ck_assert_int_eq(wait_of("1.2.3.4:1", "alice", 0), 1000);
	ck_assert_int_eq(wait_of("1.2.3.5:1", "alice", 0), 0);
	wrong_proof("1.2.3.4:1", "eve", 1000);
	ck_assert_int_eq(wait_of("1.2.3.4:1", "alice", 1000), 2000);
}
END_TEST

START_TEST(source_that_fails_now_and_then_does_not_wait)
{
	int64_t now = 0;
	unsigned i;

	for (i = 0; i < 600; i++) {
		now += PENALTY_SOURCE_WITHIN_MS / PENALTY_SOURCE_FREE;
		wrong_proof("1.2.3.4:1", nth("name%u.%u.%u", i), now);
		ck_assert_int_eq(wait_of("1.2.3.4:1", "alice", now), 0);
	}
}
END_TEST

START_TEST(name_that_many_sources_try_makes_strangers_wait)
{
	unsigned i;

	for (i = 0; i < PENALTY_NAME_FREE; i++)
		wrong_proof(nth("10.%u.%u.%u:1", i), "alice", 0);
	ck_assert_int_eq(wait_of("1.2.3.4:1", "alice", 0), 0);
	for (i = 100; i < 120; i++)
		wrong_proof(nth("10.%u.%u.%u:1", i), "alice", 0);
	ck_assert_int_eq(
	    wait_of("1.2.3.4:1", "alice", 0), PENALTY_NAME_WAIT_MAX_MS);
	ck_assert_int_eq(wait_of("1.2.3.4:1", "bob", 0), 0);
}
END_TEST

START_TEST(strangers_do_not_lock_the_rightful_out)
{
	const int64_t day = PENALTY_PROVED_MS;
	unsigned i;

	penalty_succeeded(penalties, TEXT("1.2.3.4:1"), TEXT("alice"), 0);
	for (i = 0; i < 200; i++)
		wrong_proof(nth("10.%u.%u.%u:1", i), "alice", day - 1);
	for (i = 0; i < 40; i++)
		wrong_proof("1.2.3.4:1", nth("name%u.%u.%u", i), day - 1);
	ck_assert_int_eq(wait_of("1.2.3.4:2", "alice", day - 1), 0);
	ck_assert_int_gt(wait_of("1.2.3.4:2", "bob", day - 1), 0);
	ck_assert_int_gt(wait_of("1.2.3.9:2", "alice", day - 1), 0);
	ck_assert_int_gt(wait_of("1.2.3.4:2", "alice", day), 0);
}
END_TEST

START_TEST(rightful_wait_for_their_own_mistakes)
{
	penalty_succeeded(penalties, TEXT("1.2.3.4:1"), TEXT("alice"), 0);
	wrong_proofs("1.2.3.4:1", "alice", 1, 6);
	ck_assert_int_eq(wait_of("1.2.3.4:1", "alice", 1), 1000);
}
END_TEST

START_TEST(what_is_forgiven_has_not_happened)
{
	unsigned i;

	for (i = 0; i < 200; i++) {
		wrong_proof("1.2.3.4:1", "alice", i);
		penalty_forgive(
		    penalties, TEXT("1.2.3.4:1"), TEXT("alice"));
	}
	ck_assert_int_eq(wait_of("1.2.3.4:1", "alice", i), 0);
	ck_assert_int_eq(wait_of("1.2.3.4:1", "bob", i), 0);
}
END_TEST

/* Somebody with a password of their own must not end waits with it. */
START_TEST(being_forgiven_does_not_end_the_wait_for_other_names)
{
	unsigned i;

	for (i = 0; i < 36; i++)
		wrong_proof("1.2.3.4:1", nth("name%u.%u.%u", i), 0);
	ck_assert_int_gt(wait_of("1.2.3.4:1", "alice", 0), 1000);
	wrong_proof("1.2.3.4:1", "mallory", 0);
	penalty_forgive(penalties, TEXT("1.2.3.4:1"), TEXT("mallory"));
	penalty_succeeded(penalties, TEXT("1.2.3.4:1"), TEXT("mallory"), 0);
	ck_assert_int_gt(wait_of("1.2.3.4:1", "alice", 0), 1000);
}
END_TEST

/* More sources and names than there is room for, all within the time that
 * failures count, and enough of each that all places are well used. */
static void
flood(int64_t now)
{
	unsigned i;

	for (i = 0; i < 200000; i++)
		wrong_proof(nth("10.%u.%u.%u:1", i % 65536 + 65536),
		    nth("flood%u.%u.%u", i % 50000), now);
}

START_TEST(full_table_gives_guessers_no_more_guesses)
{
	int64_t now = 1000000;
	unsigned looked_at = 0, i;

	flood(now);
	/* a source of its own with each guess, so only the name counts */
	for (i = 0; i < 20000; i++) {
		const char *source = nth("11.%u.%u.%u:1", i);

		if (wait_of(source, "alice", now) > 0)
			continue;
		looked_at++;
		wrong_proof(source, "alice", now);
	}
	ck_assert_uint_le(looked_at, PENALTY_NAME_FREE + 1);
}
END_TEST

/* A thousand in turn, some of which share their place, while all others
 * there have done as much or more: they do not push each other out. */
START_TEST(newcomers_to_a_full_table_do_not_make_room_for_each_other)
{
	unsigned looked_at = 0, i;

	for (i = 0; i < 40000; i++)
		wrong_proofs(nth("10.%u.%u.%u:1", i), nth("flood%u.%u.%u", i),
		    0, PENALTY_PAIR_FREE);
	for (i = 1; i <= 20000; i++) {
		const char *source = nth("11.%u.%u.%u:1", i % 1000);
		const char *name = nth("guess%u.%u.%u", i % 1000);

		if (wait_of(source, name, i / 1000) > 0)
			continue;
		looked_at++;
		wrong_proof(source, name, i / 1000);
	}
	/* once, but for those who found room */
	ck_assert_uint_le(looked_at, 1300);
}
END_TEST

START_TEST(full_table_locks_nobody_out)
{
	unsigned i;

	flood(0);
	for (i = 0; i < 1000; i++) {
		const char *source = nth("12.%u.%u.%u:1", i);
		const char *name = nth("person%u.%u.%u", i);

		ck_assert_int_eq(wait_of(source, name, 0), 0);
		/* a first mistake costs no more than the first wait */
		wrong_proof(source, name, 0);
		ck_assert_int_le(
		    wait_of(source, name, 0), PENALTY_WAIT_FIRST_MS);
	}
}
END_TEST

START_TEST(memory_is_bounded)
{
	ck_assert_uint_le(penalties_size(), 2 * 1024 * 1024);
}
END_TEST

/* Who does not know the key cannot tell who shares a place with whom: with
 * another key it is somebody else. */
START_TEST(places_hang_on_the_key)
{
	struct penalties *other =
	    penalties_init(calloc(1, penalties_size()), (const uint8_t *)
		"another key 0123");
	uint64_t *one = (uint64_t *)(void *)penalties;
	uint64_t *two = (uint64_t *)(void *)other;
	size_t words = penalties_size() / sizeof(*one), i, used = 0, same = 0;

	wrong_proof("1.2.3.4:1", "alice", 1);
	penalty_failed(other, TEXT("1.2.3.4:1"), TEXT("alice"), 1);
	for (i = PENALTY_KEY_LEN / sizeof(*one); i < words; i++) {
		used += one[i] > 1000000;
		same += one[i] > 1000000 && one[i] == two[i];
	}
	ck_assert_uint_eq(used, 3); /* a pair, a source, a name */
	ck_assert_uint_eq(same, 0);
	free(other);
}
END_TEST

int
main(void)
{
	TCase *cases = tcase_create("penalty");
	Suite *suite = suite_create("penalty");

	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(
	    cases, five_failures_are_free_and_then_each_doubles_the_wait);
	tcase_add_test(cases, wait_ends_when_it_says);
	tcase_add_test(cases, failures_are_forgotten_after_fifteen_minutes);
	tcase_add_test(
	    cases, success_ends_the_wait_of_that_source_and_name);
	tcase_add_test(cases, others_do_not_wait);
	tcase_add_loop_test(cases, source_is_the_network_and_not_the_port, 0,
	    (int)(sizeof(sources) / sizeof(*sources)));
	tcase_add_test(cases, source_that_rotates_names_waits);
	tcase_add_test(cases, source_that_fails_now_and_then_does_not_wait);
	tcase_add_test(
	    cases, name_that_many_sources_try_makes_strangers_wait);
	tcase_add_test(cases, strangers_do_not_lock_the_rightful_out);
	tcase_add_test(cases, rightful_wait_for_their_own_mistakes);
	tcase_add_test(cases, what_is_forgiven_has_not_happened);
	tcase_add_test(
	    cases, being_forgiven_does_not_end_the_wait_for_other_names);
	tcase_add_test(cases, full_table_gives_guessers_no_more_guesses);
	tcase_add_test(
	    cases, newcomers_to_a_full_table_do_not_make_room_for_each_other);
	tcase_add_test(cases, full_table_locks_nobody_out);
	tcase_add_test(cases, memory_is_bounded);
	tcase_add_test(cases, places_hang_on_the_key);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
