/*
 * scoreboard.c - master's reading and writing of shared memory.
 *
 * One rule: what is read here was written by somebody else and decides
 * nothing about whom master signals or how much it allocates.
 */
#include "master/scoreboard.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

enum { READ_TRIES = 1000 };

const char *
slot_state_name(int state)
{
	static const char *const names[SLOT_STATES] = {
	    [SLOT_FREE] = "free",
	    [SLOT_STARTING] = "starting",
	    [SLOT_IDLE] = "idle",
	    [SLOT_LOGIN] = "login",
	    [SLOT_WAITING] = "waiting",
	    [SLOT_RUNNING] = "running",
	    [SLOT_HELD] = "held",
	    [SLOT_ENDING] = "ending",
	};

	return state >= 0 && state < SLOT_STATES ? names[state] : "?";
}

static uint32_t
refuser_slot(const struct master *m)
{
	return m->board->slot_count - 1;
}

bool
scoreboard_is_spare(const struct master *m, const struct child *worker)
{
	int state = atomic_load(&m->board->seats[worker->index].slot.state);

	return !worker->has_served &&
	    (state == SLOT_STARTING || state == SLOT_IDLE);
}

void
scoreboard_count(struct master *m, struct pool_counts *out)
{
	struct child *worker;
	size_t i = 0;

	*out = (struct pool_counts){.spare = m->settings->workers_spare,
	    .max = m->settings->workers_max};
	while ((worker = children_next(m->children, CHILD_WORKER, &i))) {
		int state = atomic_load(&m->board->seats[worker->index].slot.state);

		if (worker->index == refuser_slot(m))
			out->has_refuser = true;
		else if (!scoreboard_is_spare(m, worker))
			out->busy++;
		else if (worker->is_retired)
			out->leaving++;
		else if (state == SLOT_IDLE)
			out->idle++;
		else
			out->starting++;
	}
}

uint32_t
scoreboard_free_slot(const struct master *m)
{
	uint32_t i;

	for (i = 0; i < refuser_slot(m); i++) {
		const struct slot *s = &m->board->seats[i].slot;

		if (atomic_load(&s->state) == SLOT_FREE &&
		    atomic_load(&s->pid) == 0)
			return i;
	}
	return m->board->slot_count;
}

void
scoreboard_bury(struct master *m, uint32_t slot)
{
	struct seat *seat = &m->board->seats[slot];
	struct decision *d = &m->board->decisions[slot];
	struct slot *s = &seat->slot;
	const size_t first = offsetof(struct slot, session);

	decision_give(d, 0);
	atomic_store(&d->calls, 0);
	atomic_store(&d->killed, 0);
	slot_write_begin(s);
	memset((char *)s + first, 0, sizeof(*s) - first);
	slot_write_end(s);
	memset(&seat->request, 0, sizeof(seat->request));
	memset(seat->cancels, 0, sizeof(seat->cancels));
	schema_bury(m->board, slot);
	slot_set_cancel_key(s, 0, TEXT(""));
	atomic_store(&s->pid, 0);
	atomic_store(&s->state, SLOT_FREE);
}

bool
scoreboard_is_held(
    const struct scoreboard *board, uint32_t place, uint64_t *word_out)
{
	const struct request *r = &board->seats[place].request;
	uint64_t word = atomic_load(&board->decisions[place].word);

	*word_out = word;
	return decision_number(word) != 0 &&
	    decision_verdict(word) == PEOPLE_UNDECIDED &&
	    atomic_load(&r->state) == REQUEST_PENDING &&
	    atomic_load(&r->number) == decision_number(word);
}

void
scoreboard_reloaded(struct master *m, int64_t started_at, bool is_failed,
    const char *text, uint64_t generation)
{
	struct scoreboard *b = m->board;
	unsigned now = atomic_load_explicit(&b->sequence, memory_order_relaxed);

	atomic_store_explicit(&b->sequence, now | 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	b->reload_at = started_at;
	b->reload_failed = is_failed;
	snprintf(b->reload_text, sizeof(b->reload_text), "%s", text);
	if (!is_failed) {
		b->loaded_at = unix_ms();
		atomic_store(&b->generation, generation);
	}
	atomic_store_explicit(
	    &b->sequence, (now | 1) + 1, memory_order_release);
}

void
scoreboard_reload_result(
    const struct scoreboard *board, struct reload_result *out)
{
	bool is_still = false;
	int i;

	for (i = 0; i < READ_TRIES && !is_still; i++) {
		unsigned before = atomic_load_explicit(
		    &board->sequence, memory_order_acquire);

		if (i > 0)
			sched_yield();
		out->loaded_at = board->loaded_at;
		out->reload_at = board->reload_at;
		out->is_failed = board->reload_failed != 0;
		memcpy(out->text, board->reload_text, sizeof(out->text));
		atomic_thread_fence(memory_order_acquire);
		is_still = (before & 1) == 0 &&
		    before ==
			atomic_load_explicit(
			    &board->sequence, memory_order_relaxed);
	}
	out->text[sizeof(out->text) - 1] = '\0';
}
