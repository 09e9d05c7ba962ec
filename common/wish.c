/*
 * wish.c - wishes for catalogues, in the shared memory of board.h: a worker
 * asks for a fresh reading of a database, the catalog process serves it.
 *
 * One rule: what a session believes comes from the answers, which only
 * catalogues write, under its own database's name.  The wishes, which every
 * worker can write, only say what to read next.  Who waits, waits until a
 * reading was begun after he asked, and never beyond a deadline.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/board.h"

enum {
	WISH_FREE = 0,
	WISH_FILLING = 1,
	WISH_USED = 2,
	NS_PER_MS = 1000000,
	ANSWER_TRIES = 200,
	WISH_PAUSE_MS = 1000, /* after a reading that failed */
};

/* What there is to be believed about a database. */
struct reading {
	int64_t read_at, tried_at;
};

/* --- answers -------------------------------------------------------------- */

static bool
name_is(const char *field, struct text name)
{
	return strnlen(field, SLOT_NAME_MAX) == name.len &&
	    memcmp(field, name.at, name.len) == 0;
}

/* That of this database in a row; none, when the row has another's. */
static struct reading
answer_read(const struct wish_answer *a, struct text upstream, struct text database)
{
	const struct reading none = {0, 0};
	int i;

	for (i = 0; i < ANSWER_TRIES; i++) {
		unsigned before = atomic_load(&a->sequence);
		struct reading r = {.read_at = atomic_load(&a->read_at),
		    .tried_at = atomic_load(&a->tried_at)};
		bool is_mine = name_is(a->upstream, upstream) &&
		    name_is(a->database, database);

		atomic_thread_fence(memory_order_acquire);
		if ((before & 1) == 0 && before == atomic_load(&a->sequence))
			return is_mine ? r : none;
		sched_yield();
	}
	return none;
}

static const struct wish_answer *
answer_to(const struct wisher *w)
{
	return &w->board->answers[w->wish - w->board->wishes];
}

static struct reading
wisher_read(const struct wisher *w)
{
	if (w->wish == NULL)
		return (struct reading){0, 0};
	return answer_read(answer_to(w), w->upstream, w->database);
}

int64_t
wish_read_at(const struct wisher *w)
{
	return wisher_read(w).read_at;
}

uint64_t
wish_reading(const struct wisher *w)
{
	return w->wish == NULL
	    ? 0
	    : atomic_load_explicit(&answer_to(w)->done, memory_order_acquire);
}

bool
wish_is_wanted(const struct scoreboard *b, size_t row)
{
	return atomic_load(&b->wishes[row].wanted_at) >
	    atomic_load(&b->answers[row].tried_at);
}

bool
wish_has_failed(const struct scoreboard *b, size_t row)
{
	return atomic_load(&b->answers[row].tried_at) >
	    atomic_load(&b->answers[row].read_at);
}

/* --- finding a row -------------------------------------------------------- */

static bool
wish_is_for(struct wish *w, struct text upstream, struct text database)
{
	return atomic_load(&w->state) == WISH_USED &&
	    name_is(w->upstream, upstream) && name_is(w->database, database);
}

/* Its reading failed, and nobody has asked for it in a while. */
static bool
wish_is_idle(struct scoreboard *b, size_t row)
{
	struct wish *w = &b->wishes[row];
	int64_t rest = clock_ns() - atomic_load(&w->used_at);

	return wish_has_failed(b, row) && !wish_is_wanted(b, row) &&
	    rest > (int64_t)WISH_REST_MS * NS_PER_MS;
}

/* Claim a forgotten one. Who was asking for it just then has set used_at
 * before looking at the state again, and we look at used_at after changing
 * the state: one of the two gives way. */
static bool
wish_forget(struct scoreboard *b, size_t row)
{
	struct wish *w = &b->wishes[row];
	int used = WISH_USED;

	if (!wish_is_idle(b, row) ||
	    !atomic_compare_exchange_strong(&w->state, &used, WISH_FILLING))
		return false;
	if (wish_is_idle(b, row))
		return true;
	atomic_store(&w->state, WISH_USED);
	return false;
}

/* A row to fill: a free one, else a forgotten one; NULL. */
static struct wish *
wish_claim(struct scoreboard *b)
{
	size_t i;

	for (i = 0; i < WISHES_MAX; i++) {
		int free_state = WISH_FREE;

		if (atomic_compare_exchange_strong(&b->wishes[i].state,
			&free_state, WISH_FILLING))
			return &b->wishes[i];
	}
	for (i = 0; i < WISHES_MAX; i++) {
		if (wish_forget(b, i))
			return &b->wishes[i];
	}
	return NULL;
}

static struct wish *
wish_find(struct scoreboard *b, struct text upstream, struct text database)
{
	struct wish *w;
	size_t i;

	for (i = 0; i < WISHES_MAX; i++) {
		w = &b->wishes[i];
		if (!wish_is_for(w, upstream, database))
			continue;
		atomic_store(&w->used_at, clock_ns());
		if (wish_is_for(w, upstream, database))
			return w;
	}
	w = wish_claim(b);
	if (w == NULL)
		return NULL;
	field_set(w->upstream, sizeof(w->upstream), upstream);
	field_set(w->database, sizeof(w->database), database);
	atomic_store(&w->wanted_at, 0);
	atomic_store(&w->used_at, clock_ns());
	atomic_store(&w->state, WISH_USED);
	return w;
}

bool
wish_for(struct wisher *w, struct scoreboard *b, struct text upstream,
    struct text database)
{
	*w = (struct wisher){.board = b,
	    .upstream = upstream,
	    .database = database,
	    .key = schema_key(upstream, database)};
	/* a name that was cut would be another database's */
	if (upstream.len > 0 && upstream.len < SLOT_NAME_MAX &&
	    database.len > 0 && database.len < SLOT_NAME_MAX)
		w->wish = wish_find(b, upstream, database);
	return w->wish != NULL;
}

/* --- asking --------------------------------------------------------------- */

static long
futex(const atomic_uint *word, int operation, unsigned value,
    const struct timespec *timeout)
{
	return syscall(SYS_futex, word, operation, value, timeout, NULL, 0);
}

/* The row may have been given to another database meanwhile. */
static bool
wish_keep(struct wisher *w)
{
	if (w->wish != NULL && wish_is_for(w->wish, w->upstream, w->database))
		return true;
	return wish_for(w, w->board, w->upstream, w->database);
}

void
wish_ask(struct wisher *w, int64_t since, int catalog_fd)
{
	uint64_t one = 1;
	ssize_t n;

	if (!wish_keep(w))
		return;
	atomic_store(&w->wish->used_at, clock_ns());
	if (atomic_load(&w->wish->wanted_at) < since)
		atomic_store(&w->wish->wanted_at, since);
	n = write(catalog_fd, &one, sizeof(one));
	(void)n; /* full: the catalogue is about to look in any case */
}

static enum err
wish_wait(struct wisher *w, int64_t since, int timeout_ms)
{
	int64_t deadline = clock_ns() + (int64_t)timeout_ms * NS_PER_MS;

	for (;;) {
		const struct wish_answer *a = answer_to(w);
		unsigned done = atomic_load(&a->done);
		struct reading r = wisher_read(w);
		int64_t left = deadline - clock_ns();
		struct timespec timeout = {.tv_sec = left / 1000000000,
		    .tv_nsec = left % 1000000000};

		if (r.read_at >= since)
			return ERR_NONE;
		if (r.tried_at >= since)
			return ERR_REFUSED;
		if (left <= 0)
			return ERR_DEADLINE;
		if (futex(&a->done, FUTEX_WAIT, done, &timeout) < 0 &&
		    errno != EAGAIN && errno != EINTR && errno != ETIMEDOUT)
			return ERR_SYSTEM;
	}
}

enum err
wish_make(struct wisher *w, int catalog_fd, int timeout_ms)
{
	return wish_catch_up(w, clock_ns(), catalog_fd, timeout_ms);
}

enum err
wish_catch_up(
    struct wisher *w, int64_t since, int catalog_fd, int timeout_ms)
{
	struct reading r = wisher_read(w);
	int64_t now = clock_ns();

	if (r.tried_at >= since && r.read_at < since) {
		/* it failed: once more, but not without a pause */
		if (now - r.tried_at < (int64_t)WISH_PAUSE_MS * NS_PER_MS)
			return ERR_REFUSED;
		since = now;
	}
	wish_ask(w, since, catalog_fd);
	if (w->wish == NULL)
		return ERR_REFUSED;
	return wish_wait(w, since, timeout_ms);
}

/* --- the catalogue's ------------------------------------------------------ */

void
wish_done(struct scoreboard *b, size_t row, struct text upstream,
    struct text database, int64_t begun_at, bool failed)
{
	struct wish_answer *a = &b->answers[row];
	unsigned now = atomic_load(&a->sequence);
	bool is_other =
	    !name_is(a->upstream, upstream) || !name_is(a->database, database);

	atomic_store(&a->sequence, now | 1);
	atomic_thread_fence(memory_order_release);
	field_set(a->upstream, sizeof(a->upstream), upstream);
	field_set(a->database, sizeof(a->database), database);
	if (!failed)
		atomic_store(&a->read_at, begun_at);
	else if (is_other)
		atomic_store(&a->read_at, 0);
	atomic_store(&a->tried_at, begun_at);
	atomic_store(&a->sequence, (now | 1) + 1);
	atomic_fetch_add(&a->done, 1);
	futex(&a->done, FUTEX_WAKE, INT_MAX, NULL);
}
