/*
 * pool.h - how many workers there should be.  Pure: counts in, counts out.
 *
 * One worker serves one session and ends, so the pool is kept by starting
 * workers; stopping them is the exception (a reload, capacity that returned).
 */
#ifndef SALLYPORT_POOL_H
#define SALLYPORT_POOL_H

#include <stdbool.h>
#include <stdint.h>

enum {
	POOL_BURST = 32, /* forks in one turn of master's loop, at most */
	THROTTLE_FREE = 5, /* young deaths in a row before any waiting */
	THROTTLE_FIRST_MS = 100,
	THROTTLE_MOST_MS = 5000,
	YOUNG_MS = 1000, /* a child that fails before this age is young */
};

struct pool_counts {
	unsigned spare, max; /* what the settings ask for */
	unsigned starting, idle;
	unsigned busy;	  /* has a client */
	unsigned leaving; /* told to end before it had a client */
	bool has_refuser; /* the extra worker that says "too many" runs */
};

struct pool_plan {
	unsigned spawn;
	unsigned retire; /* idle workers to tell to end */
	bool wants_refuser; /* all `max` are busy */
};

/* starting + idle + busy + leaving + spawn never exceeds max, and
 * starting + idle + spawn never exceeds spare. */
struct pool_plan pool_plan(const struct pool_counts *counts);

/* Respawning a kind of child that dies young: at once for a few times, then
 * after a wait that doubles. Times are monotonic milliseconds. */
struct throttle {
	unsigned failures; /* in a row */
	int64_t not_before;
};

/* A child failed. `age_ms` is how long it lived; an old one's failure ends
 * the row. */
void throttle_failed(struct throttle *t, int64_t now_ms, int64_t age_ms);

/* A child did what it is for: the row ends. */
void throttle_succeeded(struct throttle *t);

/* Milliseconds until another may be started; 0: now. */
int64_t throttle_wait(const struct throttle *t, int64_t now_ms);

#endif
