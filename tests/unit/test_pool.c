/* links: master/pool.c */
/* How many workers to start and stop, and how long to wait. */
#include "master/pool.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof(*(table))))

static const struct {
	const char *when;
	struct pool_counts have;
	struct pool_plan want;
} plans[] = {
    {"nothing runs yet", {.spare = 4, .max = 8}, {.spawn = 4}},
    {"spares are ready", {.spare = 4, .max = 8, .idle = 4}, {0}},
    {"spares are on their way", {.spare = 4, .max = 8, .starting = 4}, {0}},
    {"a spare was taken", {.spare = 4, .max = 8, .idle = 3, .busy = 1},
	{.spawn = 1}},
    {"max leaves room for one more",
	{.spare = 4, .max = 8, .idle = 1, .busy = 6}, {.spawn = 1}},
    {"max is reached by ready and busy together",
	{.spare = 4, .max = 8, .idle = 2, .busy = 6}, {0}},
    {"leaving workers still count",
	{.spare = 4, .max = 4, .leaving = 4}, {0}},
    {"leaving workers leave room",
	{.spare = 4, .max = 8, .leaving = 6}, {.spawn = 2}},
    {"all are busy", {.spare = 4, .max = 8, .busy = 8},
	{.wants_refuser = true}},
    {"all are busy and the refuser is there",
	{.spare = 4, .max = 8, .busy = 8, .has_refuser = true},
	{.wants_refuser = true}},
    {"capacity has returned",
	{.spare = 4, .max = 8, .busy = 7, .has_refuser = true}, {.spawn = 1}},
    {"one is the whole pool", {.spare = 1, .max = 1}, {.spawn = 1}},
    {"the whole pool of one is busy", {.spare = 1, .max = 1, .busy = 1},
	{.wants_refuser = true}},
    {"too many spares", {.spare = 2, .max = 8, .idle = 5}, {.retire = 3}},
    {"too many, but none of them idle",
	{.spare = 2, .max = 8, .starting = 5}, {0}},
    {"too many, one of them idle",
	{.spare = 2, .max = 8, .starting = 4, .idle = 1}, {.retire = 1}},
    {"many at once come in bursts", {.spare = 1000, .max = 10000},
	{.spawn = POOL_BURST}},
    {"more than max (a count gone wrong) starts nothing",
	{.spare = 4, .max = 8, .busy = 9}, {.wants_refuser = true}},
};

START_TEST(plan_keeps_spares_within_max)
{
	struct pool_plan plan = pool_plan(&plans[_i].have);

	ck_assert_msg(plan.spawn == plans[_i].want.spawn &&
		plan.retire == plans[_i].want.retire &&
		plan.wants_refuser == plans[_i].want.wants_refuser,
	    "%s: spawn %u retire %u refuser %d", plans[_i].when, plan.spawn,
	    plan.retire, plan.wants_refuser);
}
END_TEST

/* Whatever the counts, the promises of pool.h hold. */
START_TEST(plan_never_exceeds_its_bounds)
{
	struct pool_counts c = {.spare = 3, .max = 6};

	for (c.starting = 0; c.starting < 8; c.starting++)
		for (c.idle = 0; c.idle < 8; c.idle++)
			for (c.busy = 0; c.busy < 8; c.busy++)
				for (c.leaving = 0; c.leaving < 8;
				     c.leaving++) {
					struct pool_plan p = pool_plan(&c);
					unsigned all = c.starting + c.idle +
					    c.busy + c.leaving;

					ck_assert(p.spawn == 0 ||
					    all + p.spawn <= c.max);
					ck_assert(p.spawn == 0 ||
					    c.starting + c.idle + p.spawn <=
						c.spare);
					ck_assert(p.retire <= c.idle);
				}
}
END_TEST

START_TEST(young_deaths_wait_longer_each_time_up_to_a_bound)
{
	struct throttle t = {0};
	int64_t now = 1000, last = 0;
	int i;

	for (i = 0; i < THROTTLE_FREE; i++) {
		throttle_failed(&t, now, 10);
		ck_assert_int_eq(throttle_wait(&t, now), 0);
	}
	for (i = 0; i < 100; i++) {
		int64_t wait;

		throttle_failed(&t, now, 10);
		wait = throttle_wait(&t, now);
		ck_assert(wait >= last && wait >= THROTTLE_FIRST_MS);
		ck_assert(wait <= THROTTLE_MOST_MS);
		last = wait;
	}
	ck_assert_int_eq(last, THROTTLE_MOST_MS);
	ck_assert_int_eq(throttle_wait(&t, now + THROTTLE_MOST_MS), 0);
}
END_TEST

START_TEST(old_failure_or_success_ends_the_row)
{
	struct throttle t = {0};
	int i;

	for (i = 0; i < 20; i++)
		throttle_failed(&t, 1000, 10);
	ck_assert(throttle_wait(&t, 1000) > 0);
	throttle_failed(&t, 1000, YOUNG_MS);
	ck_assert_int_eq(throttle_wait(&t, 1000), 0);
	for (i = 0; i < 20; i++)
		throttle_failed(&t, 1000, 10);
	throttle_succeeded(&t);
	ck_assert_int_eq(throttle_wait(&t, 1000), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pool");
	TCase *all = tcase_create("all");

	tcase_add_loop_test(
	    all, plan_keeps_spares_within_max, 0, COUNT(plans));
	tcase_add_test(all, plan_never_exceeds_its_bounds);
	tcase_add_test(
	    all, young_deaths_wait_longer_each_time_up_to_a_bound);
	tcase_add_test(all, old_failure_or_success_ends_the_row);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
