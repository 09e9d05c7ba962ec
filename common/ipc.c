/*
 * ipc.c - the shared memory between master and its children, and the
 * question a child may put to the broker.
 *
 * One rule: nobody ever waits for a process that may be dead.  Slots are
 * read under a sequence number with a bounded number of tries; everything
 * else is one compare-and-swap.  What is read from shared memory is bounded
 * and ended here, and believed by nobody.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/ipc.h"

enum {
	SNAPSHOT_TRIES = 200,
	SNAPSHOT_YIELDS = 10, /* of these, the last ones let others run */
	BROKER_DEADLINE_MS = 10000,
	RATE_PROBES = 8, /* buckets looked at for a key */
};

/* A rate bucket: tag of the key, minute, count. 26 bits of minutes last
 * until 2097. */
enum { COUNT_BITS = 24, MINUTE_BITS = 26, TAG_BITS = 14 };

struct scoreboard *
scoreboard_new(uint32_t slots)
{
	size_t size =
	    sizeof(struct scoreboard) + (size_t)slots * sizeof(struct slot);
	struct scoreboard *b = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (b == MAP_FAILED)
		return NULL;
	b->slot_count = slots;
	return b;
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

void
slot_open_schema(struct scoreboard *b, struct slot *s, bool is_open)
{
	if (atomic_exchange(&s->has_open_schema, is_open) == (int)is_open)
		return;
	if (is_open)
		atomic_fetch_add(&b->open_schemas, 1);
	else
		atomic_fetch_sub(&b->open_schemas, 1);
}

bool
schema_is_open_elsewhere(struct scoreboard *b, const struct slot *mine)
{
	uint32_t i;

	for (i = 0; atomic_load(&b->open_schemas) != 0 && i < b->slot_count;
	     i++) {
		const struct slot *s = &b->slots[i];

		if (s != mine && atomic_load(&s->has_open_schema) != 0 &&
		    atomic_load(&s->pid) != 0 &&
		    strncmp(s->database, mine->database,
			sizeof(mine->database)) == 0 &&
		    strncmp(s->upstream, mine->upstream,
			sizeof(mine->upstream)) == 0)
			return true;
	}
	return false;
}

struct request *
request_claim(struct scoreboard *b)
{
	size_t i;

	for (i = 0; i < REQUESTS_MAX; i++) {
		struct request *r = &b->requests[i];
		int free_state = REQUEST_FREE;

		if (!atomic_compare_exchange_strong(
			&r->state, &free_state, REQUEST_FILLING))
			continue;
		r->worker = getpid();
		memset((char *)r + offsetof(struct request, session), 0,
		    sizeof(*r) - offsetof(struct request, session));
		r->number = atomic_fetch_add(&b->next_request, 1) + 1;
		return r;
	}
	return NULL;
}

void
request_submit(struct request *r)
{
	atomic_store(&r->state, REQUEST_PENDING);
}

void
request_release(struct request *r)
{
	atomic_store(&r->state, REQUEST_FREE);
}

bool
request_settle(struct request *r, enum request_state to)
{
	int pending = REQUEST_PENDING;

	return atomic_compare_exchange_strong(&r->state, &pending, (int)to);
}

/* --- the broker ----------------------------------------------------------- */

/* Wait until the channel can be read. */
static enum err
channel_wait(int channel)
{
	int64_t deadline = clock_ms() + BROKER_DEADLINE_MS;

	for (;;) {
		struct pollfd p = {.fd = channel, .events = POLLIN};
		int64_t left = deadline - clock_ms();
		int n;

		if (left <= 0)
			return ERR_DEADLINE;
		n = poll(&p, 1, (int)left);
		if (n > 0)
			return ERR_NONE;
		if (n < 0 && errno != EINTR)
			return ERR_SYSTEM;
	}
}

static enum err
channel_send(int channel, const struct broker_request *request)
{
	ssize_t n;

	do
		n = send(channel, request, sizeof(*request), MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(*request))
		return ERR_NONE;
	return n < 0 && (errno == EPIPE || errno == ECONNRESET) ? ERR_CLOSED
								: ERR_SYSTEM;
}

enum err
broker_ask(int channel, const struct broker_request *request,
    struct broker_reply *reply_out)
{
	ssize_t n;
	enum err e;

	memset(reply_out, 0, sizeof(*reply_out));
	e = channel_send(channel, request);
	if (e == ERR_NONE)
		e = channel_wait(channel);
	if (e != ERR_NONE)
		return e;
	n = recv(channel, reply_out, sizeof(*reply_out),
	    MSG_DONTWAIT | MSG_TRUNC);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return ERR_CLOSED;
	if (n < 0)
		return ERR_SYSTEM;
	if (n != (ssize_t)sizeof(*reply_out) ||
	    reply_out->salt_len > BROKER_SALT_MAX ||
	    reply_out->signed_len > BROKER_SIGNATURE_MAX) {
		memset(reply_out, 0, sizeof(*reply_out));
		return ERR_MALFORMED;
	}
	reply_out->md5[sizeof(reply_out->md5) - 1] = '\0';
	return reply_out->granted ? ERR_NONE : ERR_REFUSED;
}
