/*
 * pool.c - the arithmetic of the pool and of patience.
 *
 * One rule: no system calls here; whoever reads the counts passes them in.
 */
#include "master/pool.h"

static unsigned
at_most(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

struct pool_plan
pool_plan(const struct pool_counts *counts)
{
	struct pool_plan plan = {0};
	unsigned ready = counts->starting + counts->idle;
	unsigned all = ready + counts->busy + counts->leaving;

	if (ready > counts->spare)
		plan.retire = at_most(ready - counts->spare, counts->idle);
	else if (all < counts->max)
		plan.spawn = at_most(
		    at_most(counts->spare - ready, counts->max - all),
		    POOL_BURST);
	plan.wants_refuser = counts->busy >= counts->max;
	return plan;
}

void
throttle_failed(struct throttle *t, int64_t now_ms, int64_t age_ms)
{
	int64_t wait = THROTTLE_FIRST_MS;
	unsigned i;

	if (age_ms >= YOUNG_MS) {
		throttle_succeeded(t);
		return;
	}
	t->failures++;
	if (t->failures <= THROTTLE_FREE)
		return;
	for (i = THROTTLE_FREE + 1; i < t->failures; i++) {
		wait *= 2;
		if (wait >= THROTTLE_MOST_MS)
			break;
	}
	t->not_before =
	    now_ms + (wait < THROTTLE_MOST_MS ? wait : THROTTLE_MOST_MS);
}

void
throttle_succeeded(struct throttle *t)
{
	t->failures = 0;
	t->not_before = 0;
}

int64_t
throttle_wait(const struct throttle *t, int64_t now_ms)
{
	return t->not_before > now_ms ? t->not_before - now_ms : 0;
}
