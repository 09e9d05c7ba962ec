/*
 * schema_news.c - who is changing which database's schema, told by master.
 *
 * One rule: before a session's change can be committed all others know of it,
 * and they know of it until they know that it is settled.  What a session
 * says is in its own seat; master alone repeats it, where no worker can take
 * it back.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/board.h"

enum { NS_PER_MS = 1000000 };

uint64_t
schema_key(struct text upstream, struct text database)
{
	uint64_t key = text_hash(upstream) * 31 + text_hash(database);

	return key == 0 ? 1 : key;
}

static atomic_llong *
change_of(struct scoreboard *b, uint64_t key)
{
	return &b->schema_changed[key & (SCHEMA_CHANGES - 1)];
}

/* --- the owner's ---------------------------------------------------------- */

static unsigned
slot_tell(struct slot *s, int wake)
{
	unsigned serial = atomic_fetch_add(&s->schema_serial, 1) + 1;

	wake_master(wake);
	return serial;
}

/* Until master has noted what was told. */
static enum err
notice_wait(struct notice *n, unsigned serial, int timeout_ms)
{
	int64_t deadline = clock_ns() + (int64_t)timeout_ms * NS_PER_MS;

	for (;;) {
		unsigned noted = atomic_load(&n->schema_noted);
		int64_t left = deadline - clock_ns();
		struct timespec timeout = {.tv_sec = left / 1000000000,
		    .tv_nsec = left % 1000000000};

		if (noted == serial)
			return ERR_NONE;
		if (left <= 0)
			return ERR_DEADLINE;
		if (syscall(SYS_futex, &n->schema_noted, FUTEX_WAIT, noted,
			&timeout, NULL, 0) < 0 &&
		    errno != EAGAIN && errno != EINTR && errno != ETIMEDOUT)
			return ERR_SYSTEM;
	}
}

enum err
schema_open(struct scoreboard *b, uint32_t place, int wake, uint64_t key,
    int timeout_ms)
{
	struct slot *s = &b->seats[place].slot;

	atomic_store(&s->schema_key, key);
	atomic_store(&s->schema_is_open, 1);
	return notice_wait(
	    &b->notices[place], slot_tell(s, wake), timeout_ms);
}

int64_t
schema_settle(struct slot *s, int wake)
{
	int64_t now = clock_ns();

	atomic_store(&s->schema_settled_at, now);
	atomic_fetch_add(&s->schema_settled, 1);
	atomic_store(&s->schema_is_open, 0);
	slot_tell(s, wake);
	return now;
}

/* --- everybody's ---------------------------------------------------------- */

bool
schema_is_open_elsewhere(struct scoreboard *b, uint32_t place, uint64_t key)
{
	uint32_t i;

	for (i = 0; atomic_load(&b->open_schemas) != 0 && i < b->slot_count;
	     i++) {
		if (i != place &&
		    atomic_load(&b->notices[i].open_schema) == key)
			return true;
	}
	return false;
}

int64_t
schema_changed_at(const struct scoreboard *b, uint64_t key)
{
	return atomic_load(&b->schema_changed[key & (SCHEMA_CHANGES - 1)]);
}

/* --- master's ------------------------------------------------------------- */

static void
change_note(struct scoreboard *b, uint64_t key, int64_t at)
{
	atomic_llong *change = change_of(b, key);

	if (atomic_load(change) < at)
		atomic_store(change, at);
}

static void
notice_open(struct scoreboard *b, struct notice *n, uint64_t key)
{
	uint64_t before = atomic_load(&n->open_schema);

	if (before == 0 && key != 0)
		atomic_fetch_add(&b->open_schemas, 1);
	atomic_store(&n->open_schema, key);
	if (before != 0 && key == 0)
		atomic_fetch_sub(&b->open_schemas, 1);
}

void
schema_note(struct scoreboard *b, uint32_t place, struct schema_seen *seen)
{
	struct slot *s = &b->seats[place].slot;
	struct notice *n = &b->notices[place];
	unsigned serial = atomic_load(&s->schema_serial);
	/* before the count: a change seen to be over has been counted */
	bool is_open = atomic_load(&s->schema_is_open) != 0;
	unsigned settled = atomic_load(&s->schema_settled);
	uint64_t key = atomic_load(&s->schema_key);
	int64_t at = atomic_load(&s->schema_settled_at), now = clock_ns();

	if (serial == seen->serial)
		return;
	/* a time to come would have nobody believe any reading until then */
	if (settled != seen->settled)
		change_note(b, key, at < now ? at : now);
	notice_open(b, n, is_open ? key : 0);
	*seen = (struct schema_seen){.serial = serial, .settled = settled};
	atomic_store(&n->schema_noted, serial);
	syscall(SYS_futex, &n->schema_noted, FUTEX_WAKE, INT_MAX, NULL, NULL,
	    0);
}

void
schema_bury(struct scoreboard *b, uint32_t place)
{
	struct slot *s = &b->seats[place].slot;
	struct notice *n = &b->notices[place];

	/* it may have been committed, or be at this moment */
	if (atomic_load(&s->schema_is_open) != 0)
		change_note(b, atomic_load(&s->schema_key), clock_ns());
	notice_open(b, n, 0);
	atomic_store(&n->schema_noted, 0);
	atomic_store(&s->schema_serial, 0);
	atomic_store(&s->schema_settled, 0);
	atomic_store(&s->schema_is_open, 0);
	atomic_store(&s->schema_key, 0);
}
