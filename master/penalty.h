/*
 * penalty.h - who has guessed wrong too often, and how long they wait.
 *
 * Three counts of wrong proofs: of one source for one name, of one source for
 * all names, and of all sources for one name.  Each has some that are free;
 * every further one doubles a wait, during which no proof is looked at.  A
 * source that has proved a name within a day is held up by its own mistakes
 * with that name only: strangers cannot lock the rightful out.
 *
 * Memory is one piece of fixed size without pointers, so it can be shared by
 * the brokers before and after a reload; a torn write at worst misjudges one
 * count.  When it is full, newcomers take the place of whoever did least, and
 * begin with that one's count, as far as failures are free: rotating sources
 * or names buys nobody more guesses, and costs the rightful a second at their
 * first mistake.  Nothing here tells whether a name exists.
 *
 * To be used where the proof is at hand, not earlier: permits, look at it,
 * then failed or succeeded.  Where looking takes time (another process does
 * it), count it as failed first, lest many are looked at in parallel, and
 * take that back with penalty_forgive() if it was right.
 *
 * `source` is the client as in struct identity: "127.0.0.1:40112",
 * "[2001:db8::1]:40112" (the /64 counts), "unix" with what is known about who
 * it is behind it.  `name` is whose proof it is, not the login: of
 * `alice+copilot`, whom copilot proves, it is copilot; otherwise everybody
 * copilot acts for would give a guesser another five.
 */
#ifndef SALLYPORT_PENALTY_H
#define SALLYPORT_PENALTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

enum {
	/* a source with a name */
	PENALTY_PAIR_FREE = 5,
	PENALTY_PAIR_WITHIN_MS = 15 * 60 * 1000,
	PENALTY_PAIR_WAIT_MAX_MS = 60 * 1000,
	/* a source with any name */
	PENALTY_SOURCE_FREE = 30,
	PENALTY_SOURCE_WITHIN_MS = 60 * 1000,
	PENALTY_SOURCE_WAIT_MAX_MS = 60 * 1000,
	/* a name from anywhere */
	PENALTY_NAME_FREE = 100,
	PENALTY_NAME_WITHIN_MS = 10 * 60 * 1000,
	PENALTY_NAME_WAIT_MAX_MS = 30 * 1000,

	PENALTY_WAIT_FIRST_MS = 1000, /* doubled by each further failure */
	PENALTY_FORGET_MS = 15 * 60 * 1000,   /* since the last failure */
	PENALTY_PROVED_MS = 24 * 3600 * 1000, /* since the last success */

	PENALTY_PAIRS = 16384, /* powers of two */
	PENALTY_SOURCES = 4096,
	PENALTY_NAMES = 4096,
	PENALTY_PROVED = 16384,
	PENALTY_KEY_LEN = 16,
};

struct penalties;

/* Bytes of memory that penalties_init() fills. */
size_t penalties_size(void);

/* `memory` is aligned for any type and lives as long as what is returned;
 * `key` is random, and a secret: who knew it could choose whom to push out. */
struct penalties *penalties_init(
    void *memory, const uint8_t key[PENALTY_KEY_LEN]);

/* May somebody at `source` try to prove `name` now? Times are monotonic, ms.
 * False: not before *wait_ms_out (> 0). Changes nothing. */
bool penalty_permits(const struct penalties *p, struct text source,
    struct text name, int64_t now_ms, int64_t *wait_ms_out);

/* A proof that was permitted was wrong. */
void penalty_failed(struct penalties *p, struct text source, struct text name,
    int64_t now_ms);

/* It was right. */
void penalty_succeeded(struct penalties *p, struct text source,
    struct text name, int64_t now_ms);

/* A proof was right that was counted as failed before it was looked at: to be
 * called once, before penalty_succeeded(). */
void penalty_forgive(
    struct penalties *p, struct text source, struct text name);

#endif
