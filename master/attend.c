/*
 * attend.c - master as the one who passes things on between workers.
 *
 * One rule: what a worker asks for it gets for itself alone.  It names no
 * process, no place and no other session: whom a cancel request is for is
 * found by its key, and whoever is woken is a row of master's own table.
 * Everything read here is of a fixed size and decides nothing else.
 */
#include "master/attend.h"

#include <signal.h>

#include "master/scoreboard.h"

static void
number_give(struct master *m, struct child *worker)
{
	unsigned asked =
	    atomic_load(&m->board->seats[worker->index].request.asked);

	if (asked == worker->asked)
		return;
	worker->asked = asked;
	decision_give(&m->board->decisions[worker->index], ++m->requests);
	child_signal(worker, SIGUSR1);
}

/* Whose key this is: pids of servers may be the same in several. */
static void
cancel_pass(struct master *m, const struct cancel *c)
{
	struct text key = {(const char *)c->key, c->key_len};
	struct child *worker;
	size_t i = 0;

	if (key.len > sizeof(c->key))
		return;
	while ((worker = children_next(m->children, CHILD_WORKER, &i))) {
		if (!slot_has_cancel_key(&m->board->seats[worker->index].slot,
			c->backend_pid, key))
			continue;
		atomic_fetch_add(&m->board->notices[worker->index].cancels, 1);
		child_signal(worker, SIGUSR1);
	}
}

static void
cancels_take(struct master *m, struct child *worker)
{
	struct seat *seat = &m->board->seats[worker->index];
	size_t i;

	for (i = 0; i < CANCELS_MAX; i++) {
		struct cancel copy;

		if (!atomic_load(&seat->cancels[i].is_posted))
			continue;
		copy = seat->cancels[i];
		atomic_store(&seat->cancels[i].is_posted, 0);
		cancel_pass(m, &copy);
	}
}

/* Operators have decided something about it. */
static void
calls_take(struct master *m, struct child *worker)
{
	const struct decision *d = &m->board->decisions[worker->index];
	unsigned calls = atomic_load(&d->calls);

	if (calls == worker->calls)
		return;
	worker->calls = calls;
	if (atomic_load(&d->killed) != 0 && worker->doomed_at == 0 &&
	    atomic_load(&d->killed_pid) == worker->pid)
		worker->doomed_at = monotonic_ms();
	child_signal(worker, SIGUSR1);
}

/* Its session was to end, and has had the time to. */
static void
doom_meet(struct child *worker)
{
	if (worker->doomed_at != 0 && !worker->is_killed &&
	    monotonic_ms() - worker->doomed_at >= KILL_GRACE_MS)
		child_signal(worker, SIGKILL);
}

void
attend_workers(struct master *m)
{
	struct child *worker;
	size_t i = 0;

	while ((worker = children_next(m->children, CHILD_WORKER, &i))) {
		const struct seat *seat = &m->board->seats[worker->index];

		if (atomic_load(&seat->slot.state) > SLOT_IDLE)
			worker->has_served = true;
		number_give(m, worker);
		schema_note(m->board, worker->index, &worker->schema);
		cancels_take(m, worker);
		calls_take(m, worker);
		doom_meet(worker);
	}
}

void
attend_waiting(struct master *m)
{
	struct child *worker;
	size_t i = 0;

	while ((worker = children_next(m->children, CHILD_WORKER, &i))) {
		if (scoreboard_is_spare(m, worker))
			child_signal(worker, SIGUSR1);
	}
}
