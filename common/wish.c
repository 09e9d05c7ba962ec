/*
 * wish.c - wishes for catalogues, in the shared memory of ipc.h: a worker asks
 * for a fresh reading of a database, the catalog process serves it.
 *
 * One rule: a wish is a number that only grows.  Who waits, waits until the
 * number served has come up to his own, and never beyond a deadline.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/ipc.h"

enum {
	WISH_FREE = 0,
	WISH_FILLING = 1,
	WISH_USED = 2,
};

static bool
wish_is_for(struct wish *w, struct text upstream, struct text database)
{
	return atomic_load(&w->state) == WISH_USED &&
	    strnlen(w->upstream, SLOT_NAME_MAX) == upstream.len &&
	    strnlen(w->database, SLOT_NAME_MAX) == database.len &&
	    memcmp(w->upstream, upstream.at, upstream.len) == 0 &&
	    memcmp(w->database, database.at, database.len) == 0;
}

/* Its reading failed, and nobody has asked for it in a while. */
static bool
wish_is_idle(struct wish *w)
{
	return atomic_load(&w->failed) != 0 &&
	    atomic_load(&w->wanted) == atomic_load(&w->done) &&
	    clock_ms() - atomic_load(&w->wanted_at) > WISH_REST_MS;
}

/* A living session of that database holds on to the wish. One whose slot
 * will not hold still is believed to. */
static bool
wish_is_held(struct scoreboard *b, const struct wish *w)
{
	struct slot copy;
	uint32_t i;

	for (i = 0; i < b->slot_count; i++) {
		if (atomic_load(&b->slots[i].state) == SLOT_FREE)
			continue;
		if (!slot_snapshot(&b->slots[i], &copy) ||
		    (strncmp(copy.upstream, w->upstream, SLOT_NAME_MAX) == 0 &&
			strncmp(copy.database, w->database, SLOT_NAME_MAX) ==
			    0))
			return true;
	}
	return false;
}

/* Claim a forgotten one. Who was asking for it just then has set wanted_at
 * before looking at the state again, and we look at wanted_at after changing
 * the state: one of the two gives way. */
static bool
wish_forget(struct scoreboard *b, struct wish *w)
{
	int used = WISH_USED;

	if (!wish_is_idle(w) || wish_is_held(b, w) ||
	    !atomic_compare_exchange_strong(&w->state, &used, WISH_FILLING))
		return false;
	if (wish_is_idle(w))
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
		if (wish_forget(b, &b->wishes[i]))
			return &b->wishes[i];
	}
	return NULL;
}

struct wish *
wish_for(struct scoreboard *b, struct text upstream, struct text database)
{
	struct wish *w;
	size_t i;

	/* a name that was cut would be another database's */
	if (upstream.len == 0 || upstream.len >= SLOT_NAME_MAX ||
	    database.len == 0 || database.len >= SLOT_NAME_MAX)
		return NULL;
	for (i = 0; i < WISHES_MAX; i++) {
		w = &b->wishes[i];
		if (!wish_is_for(w, upstream, database))
			continue;
		atomic_store(&w->wanted_at, clock_ms());
		if (wish_is_for(w, upstream, database))
			return w;
	}
	w = wish_claim(b);
	if (w == NULL)
		return NULL;
	/* `wanted` and `done` go on from where they were: a late reading of
	 * another database then serves nobody */
	field_set(w->upstream, sizeof(w->upstream), upstream);
	field_set(w->database, sizeof(w->database), database);
	w->warnings[0] = '\0';
	atomic_store(&w->failed, 0);
	atomic_store(&w->wanted_at, clock_ms());
	atomic_store(&w->state, WISH_USED);
	return w;
}

static long
futex(atomic_uint *word, int operation, unsigned value,
    const struct timespec *timeout)
{
	return syscall(SYS_futex, word, operation, value, timeout, NULL, 0);
}

/* Have the catalogue process look at its wishes. */
static enum err
wish_kick(struct wish *w, int catalog_fd)
{
	uint64_t one = 1;

	atomic_store(&w->wanted_at, clock_ms());
	if (write(catalog_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		return ERR_SYSTEM;
	return ERR_NONE;
}

/* Ask for a fresh reading; gives the value that `done` will then have. */
static enum err
wish_ask(struct wish *w, int catalog_fd, unsigned *mine_out)
{
	*mine_out = atomic_fetch_add(&w->wanted, 1) + 1;
	return wish_kick(w, catalog_fd);
}

static enum err
wish_wait(struct wish *w, unsigned mine, int timeout_ms)
{
	int64_t deadline = clock_ms() + timeout_ms;

	for (;;) {
		unsigned done = atomic_load(&w->done);
		int64_t left = deadline - clock_ms();
		struct timespec timeout;

		if ((int)(done - mine) >= 0)
			return atomic_load(&w->failed) ? ERR_REFUSED
						       : ERR_NONE;
		if (left <= 0)
			return ERR_DEADLINE;
		timeout.tv_sec = left / 1000;
		timeout.tv_nsec = left % 1000 * 1000000;
		if (futex(&w->done, FUTEX_WAIT, done, &timeout) < 0 &&
		    errno != EAGAIN && errno != EINTR && errno != ETIMEDOUT)
			return ERR_SYSTEM;
	}
}

enum err
wish_make(struct wish *w, int catalog_fd, int timeout_ms)
{
	unsigned mine;
	enum err e = wish_ask(w, catalog_fd, &mine);

	return e == ERR_NONE ? wish_wait(w, mine, timeout_ms) : e;
}

void
wish_changed(struct wish *w, int catalog_fd)
{
	/* without a signal, whoever needs it asks again */
	atomic_store(&w->changed, atomic_fetch_add(&w->wanted, 1) + 1);
	if (catalog_fd >= 0)
		(void)wish_kick(w, catalog_fd);
}

bool
wish_is_outdated(const struct wish *w)
{
	return (int)(atomic_load(&w->done) - atomic_load(&w->changed)) < 0;
}

enum err
wish_catch_up(struct wish *w, int catalog_fd, int timeout_ms)
{
	enum err e = wish_kick(w, catalog_fd);

	return e == ERR_NONE
	    ? wish_wait(w, atomic_load(&w->changed), timeout_ms)
	    : e;
}

void
wish_done(struct wish *w, uint32_t served, bool failed)
{
	atomic_store(&w->failed, failed);
	atomic_store(&w->done, served);
	futex(&w->done, FUTEX_WAKE, INT_MAX, NULL);
}
