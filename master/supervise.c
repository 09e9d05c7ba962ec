/*
 * supervise.c - the calm loop in the middle.
 *
 * One rule: it never waits for anything but ppoll(), and every turn looks at
 * everything anew: what is missing is started, what has ended is buried.
 * Trusts its own tables only; the scoreboard is read for counts.
 */
#include "master/supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "master/attend.h"
#include "master/control.h"
#include "master/heap.h"
#include "master/publish.h"
#include "master/record.h"
#include "master/scoreboard.h"
#include "master/spawn.h"
#include "master/trouble.h"

enum {
	TURN_MS = 5000, /* at least one turn in this time */
	WAKE_BYTES_A_TURN = 64 * 1024, /* a pipe's worth */
	TIDINGS_A_TURN = 256,
};

static volatile sig_atomic_t got_hangup, got_terminate, got_interrupt,
    got_reopen, got_child;

static void
on_signal(int number)
{
	if (number == SIGHUP)
		got_hangup = 1;
	else if (number == SIGTERM)
		got_terminate = 1;
	else if (number == SIGINT)
		got_interrupt = 1;
	else if (number == SIGUSR1)
		got_reopen = 1;
	else if (number == SIGCHLD)
		got_child = 1;
}

/* Signals arrive only inside ppoll(). */
static void
signals_prepare(void)
{
	static const int taken[] = {SIGHUP, SIGTERM, SIGINT, SIGUSR1, SIGCHLD};
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t blocked;
	size_t i;

	sigemptyset(&blocked);
	for (i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
		sigaddset(&blocked, taken[i]);
		sigaction(taken[i], &action, NULL);
	}
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

/* --- what to do ----------------------------------------------------------- */

static void
orders_read(struct master *m)
{
	char orders[64];
	ssize_t n;

	while ((n = read(m->orders[0], orders, sizeof(orders))) > 0) {
		if (memchr(orders, ORDER_RELOAD, (size_t)n) != NULL)
			m->is_reload_wanted = true;
	}
}

static void
sink_reopen(struct master *m)
{
	if (record_open(m) == ERR_NONE)
		log_info("logs reopened");
}

static void
signals_take(struct master *m)
{
	if (got_hangup) {
		got_hangup = 0;
		m->is_reload_wanted = true;
	}
	if (got_reopen) {
		got_reopen = 0;
		sink_reopen(m);
	}
	if (got_terminate) {
		got_terminate = 0;
		if (!m->is_draining)
			drain_begin(m, m->settings->drain_deadline_s);
	}
	if (got_interrupt) {
		got_interrupt = 0;
		drain_begin(m, 0);
	}
}

/* waitpid() looks at every child there is. */
static void
children_take(struct master *m)
{
	if (!got_child)
		return;
	got_child = 0;
	reap_all(m);
}

static void
lines_log(const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		log_error("%.*s", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

/* New sessions are to have the new policy and the new secrets. */
static void
generation_begin(struct master *m)
{
	struct child *child;
	size_t i = 0;

	/* the old broker lingers: its sessions may be about to log in */
	while ((child = children_next(m->children, CHILD_BROKER, &i)))
		child->is_retired = true;
	helpers_retire(m);
	/* told at once, whatever child has not yet closed its copy */
	if (m->broker >= 0)
		shutdown(m->broker, SHUT_RDWR);
	descriptor_close(&m->broker);
	children_signal(m->children, CHILD_CATALOG, SIGTERM);
	spares_retire(m);
}

static void
publication_take(struct master *m)
{
	enum err e;

	heap_loosen();
	m->settled = 0;
	e = publish_finish(m);
	if (e != ERR_NONE) {
		lines_log(m->publication.text);
		log_error(m->policy == NULL
			? "policy refused: not starting"
			: "policy refused: the one in force stays");
		record_policy(m, m->publication.text);
		m->is_finished = m->policy == NULL;
		m->exit_status = m->is_finished ? EXIT_FAILURE
						: m->exit_status;
		return;
	}
	log_info("policy generation %llu in force: %zu rules, %zu protections",
	    (unsigned long long)m->policy->generation, m->policy->rule_count,
	    m->policy->protect_count);
	/* whoever reads that it is loaded finds no worker of the old one */
	generation_begin(m);
	record_policy(m, NULL);
	notify_parent(m);
}

static void
reload_begin(struct master *m)
{
	enum err e = publish_start(m);

	m->is_reload_wanted = false;
	if (e == ERR_NONE)
		return;
	log_error("cannot start the publisher: %s: %m", err_text(e));
	scoreboard_reloaded(m, unix_ms(), true,
	    "the publisher could not be started\n", 0);
	if (m->policy == NULL) {
		m->is_finished = true;
		m->exit_status = EXIT_FAILURE;
	}
}

/* --- keeping children alive ----------------------------------------------- */

static bool
is_due(const struct master *m, enum child_kind kind)
{
	return throttle_wait(&m->throttles[kind], monotonic_ms()) == 0;
}

/* A start that failed is tried again, ever more patiently. */
static void
spawn_failed(struct master *m, enum child_kind kind, enum err e)
{
	log_error(
	    "cannot start a %s: %s: %m", child_kind_name(kind), err_text(e));
	throttle_failed(&m->throttles[kind], monotonic_ms(), 0);
}

/* Too many old brokers: the oldest's sessions have logged in long ago. */
static void
brokers_bound(struct master *m)
{
	struct child *child, *oldest = NULL;
	size_t i = 0;

	if (children_count(m->children, CHILD_BROKER) < BROKERS_MAX)
		return;
	while ((child = children_next(m->children, CHILD_BROKER, &i))) {
		if (oldest == NULL || child->born_at < oldest->born_at)
			oldest = child;
	}
	if (oldest != NULL)
		child_signal(oldest, SIGKILL);
}

static void
broker_keep(struct master *m)
{
	enum err e;

	if (m->broker >= 0 || !is_due(m, CHILD_BROKER))
		return;
	brokers_bound(m);
	e = spawn_broker(m);
	if (e != ERR_NONE)
		spawn_failed(m, CHILD_BROKER, e);
	else
		m->is_broker_mute = false;
}

static bool
has_helper(struct master *m, enum child_kind kind)
{
	struct child *child;
	size_t i = 0;

	while ((child = children_next(m->children, kind, &i))) {
		if (!child->is_retired)
			return true;
	}
	return false;
}

static void
helper_keep(struct master *m, enum child_kind kind,
    enum err (*spawn)(struct master *m))
{
	enum err e;

	if (m->broker < 0 || has_helper(m, kind) || !is_due(m, kind))
		return;
	e = spawn(m);
	if (e != ERR_NONE)
		spawn_failed(m, kind, e);
}

/* Nobody can log in without them, so nobody is started that needs them. */
static bool
helpers_are_there(struct master *m)
{
	helper_keep(m, CHILD_PORTER, spawn_porter);
	helper_keep(m, CHILD_VERIFIER, spawn_verifier);
	return has_helper(m, CHILD_PORTER) && has_helper(m, CHILD_VERIFIER);
}

static bool
has_catalog(struct master *m, uint32_t upstream)
{
	struct child *child;
	size_t i = 0;

	while ((child = children_next(m->children, CHILD_CATALOG, &i))) {
		if (child->index == upstream)
			return true;
	}
	return false;
}

static void
catalogs_keep(struct master *m)
{
	uint32_t i;
	enum err e;

	for (i = 0; i < m->settings->upstream_count; i++) {
		if (m->broker < 0 || has_catalog(m, i) ||
		    !is_due(m, CHILD_CATALOG))
			continue;
		e = spawn_catalog(m, i);
		if (e != ERR_NONE)
			spawn_failed(m, CHILD_CATALOG, e);
	}
}

static void
workers_spawn(struct master *m, unsigned count)
{
	enum err e = ERR_NONE;

	for (; count > 0 && e == ERR_NONE && m->broker >= 0 &&
	     is_due(m, CHILD_WORKER);
	     count--) {
		uint32_t slot = scoreboard_free_slot(m);

		if (slot == m->board->slot_count)
			return;
		e = spawn_worker(m, slot);
	}
	if (e != ERR_NONE)
		spawn_failed(m, CHILD_WORKER, e);
}

static void
workers_retire(struct master *m, unsigned count)
{
	struct child *worker;
	size_t i = 0;

	while (count > 0 &&
	    (worker = children_next(m->children, CHILD_WORKER, &i))) {
		if (worker->is_retired || !scoreboard_is_spare(m, worker) ||
		    worker->index == m->board->slot_count - 1)
			continue;
		child_signal(worker, SIGTERM);
		count--;
	}
}

/* The worker of the last slot, which tells clients that all are busy. */
static void
refuser_keep(struct master *m, bool is_wanted)
{
	uint32_t last = m->board->slot_count - 1;
	struct child *child;
	size_t i = 0;
	enum err e;

	if (!atomic_exchange(&m->board->worker_ceiling_reached, is_wanted) &&
	    is_wanted)
		log_warning("all %u workers are busy: refusing clients",
		    m->settings->workers_max);
	while ((child = children_next(m->children, CHILD_WORKER, &i))) {
		if (child->index != last)
			continue;
		if (!is_wanted && !child->is_retired)
			child_signal(child, SIGTERM);
		return;
	}
	if (!is_wanted || m->broker < 0 || !is_due(m, CHILD_WORKER))
		return;
	e = spawn_worker(m, last);
	if (e != ERR_NONE)
		spawn_failed(m, CHILD_WORKER, e);
}

static void
pool_keep(struct master *m)
{
	struct pool_counts counts;
	struct pool_plan plan;

	scoreboard_count(m, &counts);
	plan = pool_plan(&counts);
	refuser_keep(m, plan.wants_refuser);
	workers_retire(m, plan.retire);
	workers_spawn(m, plan.spawn);
}

/* Once, when the first spares stand in accept(). */
static void
announce(struct master *m)
{
	struct pool_counts counts;
	size_t i;

	scoreboard_count(m, &counts);
	if (m->is_announced || counts.idle + counts.busy < counts.spare)
		return;
	m->is_announced = true;
	for (i = 0; i < m->settings->listener_count; i++)
		log_info("listening on %s for upstream %s",
		    m->settings->listeners[i].address,
		    m->settings->listeners[i].upstream);
	notify_manager("READY=1");
}

static void
keep_up(struct master *m)
{
	if (m->is_reload_wanted && !m->publication.is_running)
		reload_begin(m);
	if (m->policy == NULL || m->is_finished)
		return;
	broker_keep(m);
	if (!helpers_are_there(m))
		return;
	catalogs_keep(m);
	if (m->settled != m->policy->generation)
		heap_settle();
	m->settled = m->policy->generation;
	pool_keep(m);
	announce(m);
}

/* --- waiting -------------------------------------------------------------- */

/* Until the next thing that happens by the clock. */
static int64_t
turn_timeout(const struct master *m)
{
	int64_t now = monotonic_ms(), soonest = TURN_MS;
	int kind;

	for (kind = 0; kind < CHILD_KINDS; kind++) {
		int64_t wait = throttle_wait(&m->throttles[kind], now);

		if (wait > 0 && wait < soonest)
			soonest = wait;
	}
	if (m->is_draining && m->drain_until - now < soonest)
		soonest = m->drain_until - now;
	/* past the drain's deadline it waits for children just killed */
	return soonest > 0 ? soonest : 100;
}

static void
wake_read(struct master *m)
{
	char bytes[WAKE_BYTES_A_TURN];

	if (read(m->wake[0], bytes, sizeof(bytes)) < 0 && errno != EAGAIN)
		log_error("cannot read who woke master: %m");
}

/* What the broker has to tell of upstreams. One that hangs up has died, as
 * waitpid() is about to tell, or cannot be given channels any more. */
static void
tidings_read(struct master *m)
{
	enum tiding_got got = TIDING_ONE;
	struct tiding n;
	int i;

	for (i = 0; i < TIDINGS_A_TURN && got == TIDING_ONE; i++) {
		got = tiding_take(m->broker, &n);
		if (got == TIDING_ONE)
			tiding_note(m->troubles, &n, unix_ms());
	}
	m->is_broker_mute = got == TIDING_END;
}

static void
events_wait(struct master *m)
{
	bool has_room = children_count(m->children, CHILD_CONTROL) <
	    CONTROL_CHILDREN_MAX;
	struct pollfd polls[] = {
	    {.fd = m->wake[0], .events = POLLIN},
	    {.fd = m->orders[0], .events = POLLIN},
	    {.fd = m->publication.pipe, .events = POLLIN},
	    /* nobody is served before there is a policy to know them by */
	    {.fd = m->policy != NULL && has_room ? m->control : -1,
		.events = POLLIN},
	    {.fd = m->is_broker_mute ? -1 : m->broker, .events = POLLIN},
	};
	int64_t wait = turn_timeout(m);
	const struct timespec timeout = {
	    .tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000};
	sigset_t none;

	sigemptyset(&none);
	if (ppoll(polls, sizeof(polls) / sizeof(*polls), &timeout, &none) <= 0)
		return;
	if (polls[0].revents != 0)
		wake_read(m);
	if (polls[1].revents != 0)
		orders_read(m);
	if (polls[2].revents != 0)
		publish_read(m);
	if (polls[4].revents != 0)
		tidings_read(m);
	if (polls[3].revents != 0)
		control_accept(m);
}

int
supervise(struct master *m)
{
	signals_prepare();
	record_start(m);
	m->is_reload_wanted = true; /* the first load is a reload from none */
	while (!m->is_finished) {
		if (m->is_draining)
			drain_step(m);
		else
			keep_up(m);
		if (m->is_finished)
			break;
		events_wait(m);
		signals_take(m);
		attend_workers(m);
		children_take(m);
		if (publish_is_over(m) && !m->is_draining)
			publication_take(m);
	}
	drain_finish(m);
	return m->exit_status;
}
