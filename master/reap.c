/*
 * reap.c - burying children.
 *
 * One rule: a worker's slot and what it held are free again before its
 * process number can be anybody else's; whatever it died of, master goes on.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/log.h"
#include "master/attend.h"
#include "master/publish.h"
#include "master/record.h"
#include "master/scoreboard.h"
#include "master/supervise.h"

static void
end_describe(int status, char *out, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(out, size, "signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else
		snprintf(out, size, "exit status %d", WEXITSTATUS(status));
}

/* Ended as it should, or because we told it to. */
static bool
is_orderly(const struct child *child, int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == 0;
	return child->is_retired && WTERMSIG(status) == SIGTERM;
}

static void
worker_died(struct master *m, const struct child *child, int status)
{
	struct slot last;
	char how[96];

	slot_snapshot(&m->board->seats[child->index].slot, &last);
	if (child->is_killed && last.session[0] == '\0')
		return; /* a spare we had no time to wait for */
	end_describe(status, how, sizeof(how));
	if (child->is_killed)
		snprintf(how, sizeof(how), "%s",
		    child->doomed_at != 0 ? "killed by an operator"
					  : "killed at the drain's deadline");
	log_error("worker-died: pid %d, %s; session %s, user %s, agent %s, "
		  "upstream %s, database %s, statement: %s",
	    (int)child->pid, how, last.session, last.user, last.agent,
	    last.upstream, last.database, last.statement);
	record_worker_died(m, &last, how);
	atomic_fetch_add(&m->board->workers_died, 1);
}

static void
worker_ended(struct master *m, const struct child *child, int status)
{
	struct throttle *throttle = &m->throttles[CHILD_WORKER];
	struct schema_seen last_told = child->schema;
	int64_t now = monotonic_ms();

	if (is_orderly(child, status)) {
		throttle_succeeded(throttle);
	} else {
		worker_died(m, child, status);
		throttle_failed(throttle, now, now - child->born_at);
	}
	/* it may have been woken for a client, as nobody else was then */
	if (scoreboard_is_spare(m, child))
		attend_waiting(m);
	schema_note(m->board, child->index, &last_told);
	scoreboard_bury(m, child->index);
}

/* A broker or catalogue is never done on its own. */
static void
service_failed(struct master *m, const struct child *child, int status)
{
	int64_t now = monotonic_ms();
	char how[96];

	end_describe(status, how, sizeof(how));
	log_error("%s died: pid %d, %s", child_kind_name(child->kind),
	    (int)child->pid, how);
	m->mishaps[child->kind].count++;
	m->mishaps[child->kind].at = unix_ms();
	field_set(m->mishaps[child->kind].how,
	    sizeof(m->mishaps[child->kind].how), text_of(how));
	throttle_failed(
	    &m->throttles[child->kind], now, now - child->born_at);
}

void
spares_retire(struct master *m)
{
	struct child *worker;
	size_t i = 0;

	while ((worker = children_next(m->children, CHILD_WORKER, &i))) {
		if (scoreboard_is_spare(m, worker) ||
		    worker->index == m->board->slot_count - 1)
			child_signal(worker, SIGTERM);
	}
}

void
helpers_retire(struct master *m)
{
	struct child *child;
	size_t i = 0;

	while ((child = children_next(m->children, CHILD_KINDS, &i))) {
		if (child->kind == CHILD_PORTER ||
		    child->kind == CHILD_VERIFIER)
			child->is_retired = true;
	}
}

static void
broker_ended(struct master *m, const struct child *child, int status)
{
	if (child->is_retired || child->is_killed || m->is_draining)
		return;
	service_failed(m, child, status);
	/* the channels of those born with it are dead */
	helpers_retire(m);
	descriptor_close(&m->broker);
	children_signal(m->children, CHILD_CATALOG, SIGTERM);
	spares_retire(m);
}

/* Nobody but a broker's end ends them. */
static void
helper_ended(struct master *m, const struct child *child, int status)
{
	if (!child->is_retired && !child->is_killed && !m->is_draining)
		service_failed(m, child, status);
}

static void
catalog_ended(struct master *m, const struct child *child, int status)
{
	if (child->is_retired || m->is_draining)
		return;
	service_failed(m, child, status);
}

static void
publisher_ended(struct master *m, const struct child *child, int status)
{
	(void)child;
	publish_exited(m, status);
}

static void
control_ended(struct master *m, const struct child *child, int status)
{
	(void)m;
	if (WIFSIGNALED(status) && !child->is_killed)
		log_warning("control child died of signal %d",
		    WTERMSIG(status));
}

static void (*const endings[CHILD_KINDS])(
    struct master *m, const struct child *child, int status) = {
    [CHILD_WORKER] = worker_ended,
    [CHILD_BROKER] = broker_ended,
    [CHILD_CATALOG] = catalog_ended,
    [CHILD_PUBLISHER] = publisher_ended,
    [CHILD_CONTROL] = control_ended,
    [CHILD_PORTER] = helper_ended,
    [CHILD_VERIFIER] = helper_ended,
};

void
reap_all(struct master *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *row = children_find(m->children, pid);
		struct child child;

		if (row == NULL)
			continue;
		child = *row;
		children_remove(row);
		endings[child.kind](m, &child, status);
	}
}
