/*
 * slot.c - what a worker shows of itself, and the rates that all count.
 *
 * One rule: nobody ever waits for a process that may be dead.  Slots are
 * read under a sequence number with a bounded number of tries; everything
 * else is one compare-and-swap.  What is read from shared memory is bounded
 * and ended here, and believed by nobody.
 */
#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/board.h"

enum {
	SNAPSHOT_TRIES = 200,
	SNAPSHOT_YIELDS = 10, /* of these, the last ones let others run */
	RATE_PROBES = 8, /* buckets looked at for a key */
};

/* A rate bucket: tag of the key, minute, count. 26 bits of minutes last
 * until 2097. */
enum { COUNT_BITS = 24, MINUTE_BITS = 26, TAG_BITS = 14 };

int64_t
clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* An odd number left by a dead owner stays odd: begin and end of the next
 * owner still make a pair. */
void
slot_write_begin(struct slot *s)
{
	unsigned now =
	    atomic_load_explicit(&s->sequence, memory_order_relaxed);

	atomic_store_explicit(&s->sequence, now | 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
}

void
slot_write_end(struct slot *s)
{
	unsigned now =
	    atomic_load_explicit(&s->sequence, memory_order_relaxed);

	atomic_store_explicit(
	    &s->sequence, (now | 1) + 1, memory_order_release);
}

#define END(field) ((field)[sizeof(field) - 1] = '\0')

static void
slot_end_texts(struct slot *s)
{
	END(s->session);
	END(s->user);
	END(s->agent);
	END(s->upstream);
	END(s->database);
	END(s->client);
	END(s->statement);
}

bool
slot_snapshot(const struct slot *s, struct slot *copy)
{
	bool is_still = false;
	int i;

	for (i = 0; i < SNAPSHOT_TRIES && !is_still; i++) {
		unsigned before = atomic_load_explicit(
		    &s->sequence, memory_order_acquire);

		if (i >= SNAPSHOT_TRIES - SNAPSHOT_YIELDS)
			sched_yield();
		memcpy(copy, s, sizeof(*copy));
		atomic_thread_fence(memory_order_acquire);
		is_still = (before & 1) == 0 &&
		    before == atomic_load_explicit(
				  &s->sequence, memory_order_relaxed);
	}
	slot_end_texts(copy);
	return is_still;
}

void
field_set(char *field, size_t size, struct text value)
{
	size_t len = value.len;

	if (size == 0)
		return;
	if (len > size - 1) {
		len = size - 1;
		while (len > 0 && (value.at[len] & 0xc0) == 0x80)
			len--;
	}
	if (len > 0)
		memcpy(field, value.at, len);
	field[len] = '\0';
}

void
slot_set_cancel_key(struct slot *s, int32_t backend_pid, struct text key)
{
	uint64_t words[CANCEL_KEY_MAX / 8] = {0};
	size_t i;

	if (key.len > sizeof(words))
		key.len = sizeof(words);
	if (key.len > 0)
		memcpy(words, key.at, key.len);
	atomic_store(&s->backend_pid, 0);
	for (i = 0; i < CANCEL_KEY_MAX / 8; i++)
		atomic_store(&s->cancel_key[i], words[i]);
	atomic_store(&s->cancel_key_len, (unsigned)key.len);
	atomic_store(&s->backend_pid, backend_pid);
}

bool
slot_has_cancel_key(struct slot *s, int32_t backend_pid, struct text key)
{
	uint64_t theirs[CANCEL_KEY_MAX / 8] = {0};
	uint64_t difference = 0;
	size_t i;

	if (backend_pid == 0 || atomic_load(&s->backend_pid) != backend_pid ||
	    key.len == 0 || key.len > sizeof(theirs) ||
	    atomic_load(&s->cancel_key_len) != key.len)
		return false;
	memcpy(theirs, key.at, key.len);
	for (i = 0; i < CANCEL_KEY_MAX / 8; i++)
		difference |= atomic_load(&s->cancel_key[i]) ^ theirs[i];
	return difference == 0;
}

void
wake_master(int wake)
{
	const uint64_t one = 1;
	ssize_t n = write(wake, &one, sizeof(one));

	(void)n; /* full: master is about to look in any case */
}

void
seat_post_cancel(
    struct seat *mine, int wake, int32_t backend_pid, struct text key)
{
	size_t i = 0;

	while (i < CANCELS_MAX && atomic_load(&mine->cancels[i].is_posted))
		i++;
	if (i == CANCELS_MAX || key.len == 0 || key.len > CANCEL_KEY_MAX)
		return;
	mine->cancels[i].backend_pid = backend_pid;
	mine->cancels[i].key_len = (uint32_t)key.len;
	memcpy(mine->cancels[i].key, key.at, key.len);
	atomic_store(&mine->cancels[i].is_posted, 1);
	wake_master(wake);
}

/* Count in one bucket. False: it belongs to another key this minute. */
static bool
bucket_count(struct rate_bucket *bucket, uint64_t mine, uint64_t limit,
    bool *within_out)
{
	const uint64_t counts = ((uint64_t)1 << COUNT_BITS) - 1;
	const uint64_t minute_mask = ((uint64_t)1 << MINUTE_BITS) - 1;
	uint64_t old = atomic_load(&bucket->minute_and_count), next;

	do {
		uint64_t count = 0;

		if ((old & ~counts) == mine)
			count = old & counts;
		else if ((old & counts) != 0 &&
		    (old >> COUNT_BITS & minute_mask) ==
			(mine >> COUNT_BITS & minute_mask))
			return false;
		*within_out = count < limit;
		if (!*within_out || count == counts)
			return true;
		next = mine | (count + 1);
	} while (!atomic_compare_exchange_weak(
	    &bucket->minute_and_count, &old, next));
	return true;
}

bool
rate_take(struct scoreboard *b, uint64_t key, uint64_t limit, int64_t now_s)
{
	uint64_t minute =
	    (uint64_t)(now_s / 60) & (((uint64_t)1 << MINUTE_BITS) - 1);
	uint64_t tag = key >> (64 - TAG_BITS);
	uint64_t mine =
	    tag << (COUNT_BITS + MINUTE_BITS) | minute << COUNT_BITS;
	bool is_within = false;
	uint64_t i;

	for (i = 0; i < RATE_PROBES; i++) {
		struct rate_bucket *bucket =
		    &b->rates[(key + i) & (RATE_BUCKETS - 1)];

		if (bucket_count(bucket, mine, limit, &is_within))
			return is_within;
	}
	/* a full neighbourhood: nothing counts this key, so it may not pass */
	return false;
}
