/*
 * drain.c - stopping.
 *
 * One rule: it ends.  Sessions get their time, then SIGKILL; whatever is left
 * after that is killed too, and master leaves no child behind.
 */
#include <poll.h>
#include <signal.h>

#include "common/log.h"
#include "master/listen.h"
#include "master/record.h"
#include "master/start.h"
#include "master/supervise.h"

enum { LAST_MOMENT_MS = 1000 };

static void
listeners_stop(struct master *m)
{
	size_t i;

	for (i = 0; i < m->listener_count; i++) {
		listen_unlink(m->settings->listeners[i].address);
		descriptor_close(&m->listeners[i]);
	}
	m->listener_count = 0;
}

void
drain_begin(struct master *m, unsigned seconds)
{
	if (!m->is_draining) {
		log_info("stopping: %u seconds for sessions to end", seconds);
		notify_manager("STOPPING=1");
	}
	m->is_draining = true;
	m->drain_until = monotonic_ms() + (int64_t)seconds * 1000;
	atomic_store(&m->board->draining, 1);
	listeners_stop(m);
	children_signal(m->children, CHILD_WORKER, SIGTERM);
}

void
drain_step(struct master *m)
{
	if (children_count(m->children, CHILD_WORKER) == 0)
		m->is_finished = true;
	else if (monotonic_ms() >= m->drain_until)
		children_signal(m->children, CHILD_WORKER, SIGKILL);
}

void
drain_finish(struct master *m)
{
	static const enum child_kind idle_kinds[] = {
	    CHILD_CATALOG, CHILD_PUBLISHER, CHILD_CONTROL};
	int64_t until = monotonic_ms() + LAST_MOMENT_MS;
	size_t i;

	m->is_draining = true;
	start_undo(m);
	for (i = 0; i < sizeof(idle_kinds) / sizeof(*idle_kinds); i++)
		children_signal(m->children, idle_kinds[i], SIGTERM);
	descriptor_close(&m->broker); /* it wipes its secrets and ends */
	while (children_count(m->children, CHILD_KINDS) > 0) {
		if (monotonic_ms() >= until)
			children_signal(m->children, CHILD_KINDS, SIGKILL);
		poll(NULL, 0, 5);
		reap_all(m);
	}
	record_stop(m, m->exit_status == 0 ? "told to" : "could not start");
	log_info("stopped");
}
