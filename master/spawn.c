/*
 * spawn.c - forking children.
 *
 * One rule: whatever a child must not have is gone before its role begins,
 * and if that fails the child ends.  Only what is not to have our memory is
 * exec'd; the policy master has loaded is shared copy-on-write.
 */
#include "master/spawn.h"

#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/parcel.h"
#include "master/broker.h"
#include "master/capability.h"
#include "master/porter.h"
#include "master/program.h"
#include "master/penalty.h"
#include "master/chain.h"

void
descriptor_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
signals_reset(void)
{
	/* SIGUSR1 only ever wakes: until a role waits for it, it is nothing */
	static const int ignored[] = {SIGHUP, SIGINT, SIGPIPE, SIGUSR1};
	static const int defaulted[] = {SIGTERM, SIGCHLD};
	struct sigaction action = {.sa_handler = SIG_IGN};
	sigset_t none;
	size_t i;

	for (i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		sigaction(ignored[i], &action, NULL);
	action.sa_handler = SIG_DFL;
	for (i = 0; i < sizeof(defaulted) / sizeof(*defaulted); i++)
		sigaction(defaulted[i], &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
listeners_close(struct master *m)
{
	size_t i;

	for (i = 0; i < m->listener_count; i++)
		descriptor_close(&m->listeners[i]);
}

/* What is left is what some role needs: listeners, wake and life (workers),
 * catalogs, and for control children orders and the lock. */
static void
descriptors_reset(struct master *m, enum child_kind kind)
{
	descriptor_close(&m->control);
	descriptor_close(&m->broker);
	descriptor_close(&m->life[1]);
	descriptor_close(&m->wake[0]);
	descriptor_close(&m->orders[0]);
	descriptor_close(&m->publication.pipe);
	descriptor_close(&m->report);
	descriptor_close(&m->alone);
	if (kind != CHILD_CONTROL) {
		descriptor_close(&m->orders[1]);
		descriptor_close(&m->control_lock);
	}
	if (kind != CHILD_WORKER) {
		descriptor_close(&m->wake[1]);
		listeners_close(m);
	}
	if (kind != CHILD_BROKER)
		m->penalties = NULL; /* it was not born with them */
	audit_leave(m->audit);
	m->audit = NULL;
	chain_leave(m, kind == CHILD_BROKER);
}

/* What each may do with the shared memory; who is not named here has none. */
static const enum board_role board_roles[CHILD_KINDS] = {
    [CHILD_WORKER] = BOARD_WORKER,
    [CHILD_BROKER] = BOARD_BROKER,
    [CHILD_CATALOG] = BOARD_CATALOG,
    [CHILD_CONTROL] = BOARD_OPERATOR,
};

/* In the child: only what is its own from here on. */
static void
board_leave(struct master *m, enum board_role role)
{
	if (board_confine(m->board, &m->board_files, role) != ERR_NONE) {
		log_error("cannot give up the shared memory: %m: ending");
		_exit(EXIT_FAILURE);
	}
	if (role == BOARD_STRANGER)
		m->board = NULL;
}

/* Around a fork(): what of the shared memory the child is born with. */
static enum err
memory_lend(struct master *m, enum child_kind kind, uint32_t index,
    bool is_lent)
{
	if (kind == CHILD_BROKER &&
	    madvise(m->penalties, penalties_size(),
		is_lent ? MADV_DOFORK : MADV_DONTFORK) != 0)
		return ERR_SYSTEM;
	return board_lend(m->board, board_roles[kind], index, is_lent);
}

enum err
spawn_fork(struct master *m, enum child_kind kind, uint32_t index,
    struct child **child_out)
{
	const enum board_role role = board_roles[kind];
	struct child *row = children_room(m->children);
	sigset_t all, before;
	pid_t pid;

	*child_out = NULL;
	if (row == NULL)
		return ERR_TOO_LONG;
	if (memory_lend(m, kind, index, true) != ERR_NONE)
		return ERR_SYSTEM;
	/* no handler of master's may run in the child */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		log_role(child_kind_name(kind));
		prctl(PR_SET_NAME, child_kind_name(kind), 0, 0, 0);
		descriptors_reset(m, kind);
		board_leave(m, role);
		signals_reset();
		return ERR_NONE;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (memory_lend(m, kind, index, false) != ERR_NONE)
		log_error("shared memory stays lent: %m");
	if (pid < 0)
		return ERR_SYSTEM;
	*row = (struct child){.pid = pid, .kind = kind, .index = index,
	    .born_at = monotonic_ms()};
	*child_out = row;
	return ERR_NONE;
}

void
spawn_drop(const struct master *m)
{
	enum err e = account_become(&m->account);

	if (e == ERR_NONE)
		e = sandbox_quieten();
	if (e == ERR_NONE)
		return;
	log_error("cannot drop privileges (%s: %m): ending", err_text(e));
	_exit(EXIT_FAILURE);
}

void
spawn_drop_for_now(const struct master *m)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) {
		log_error("cannot keep a capability: %m: ending");
		_exit(EXIT_FAILURE);
	}
	spawn_drop(m);
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == 0 &&
	    sandbox_keep_capabilities(CAPABILITY(CAP_SYS_CHROOT)) == ERR_NONE)
		return;
	log_error("cannot drop capabilities: %m: ending");
	_exit(EXIT_FAILURE);
}

int
spawn_open_nothing(void *context)
{
	(void)context;
	return -1;
}

/* In the child, once: what it enters, and no other role's. */
static const struct sandbox *
sandbox_of(const struct master *m, enum confinement role)
{
	confine_leave_others(m->confine, role);
	return &m->confine->sandboxes[role];
}

void
spawn_confine(const struct master *m, enum confinement role)
{
	const char *failed = NULL;

	log_set_opener(spawn_open_nothing, NULL);
	if (sandbox_enter(sandbox_of(m, role), &failed) == ERR_NONE)
		return;
	log_error("cannot be confined: %s: %m: ending", failed);
	_exit(EXIT_FAILURE);
}

/* A channel to the broker: our child's end in `fd_out`. */
static enum err
channel_open(struct master *m, const struct broker_grant *grant, int *fd_out)
{
	int ends[2];
	enum err e;

	*fd_out = -1;
	if (m->broker < 0)
		return ERR_CLOSED;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return ERR_SYSTEM;
	/* without waiting: a broker that does not take it is stuck, and the
	 * caller tries later */
	e = parcel_send(m->broker, grant, sizeof(*grant),
	    &(struct parcel){.fd = ends[0]}, MSG_DONTWAIT);
	close(ends[0]);
	if (e == ERR_NONE)
		*fd_out = ends[1];
	else
		close(ends[1]);
	return e;
}

static struct birth
birth_of(struct master *m, int channel)
{
	struct birth b = {.board = m->board,
	    .listener_count = m->listener_count,
	    .broker = channel,
	    .wake = m->wake[1],
	    .catalog = m->catalogs[0],
	    .life = m->life[0],
	    .tls = m->tls,
	    .settings = m->settings,
	    .policy = m->policy};

	memcpy(b.listeners, m->listeners, sizeof(b.listeners));
	memcpy(b.catalogs, m->catalogs, sizeof(b.catalogs));
	return b;
}

static enum err
worker_fork(struct master *m, uint32_t slot, int channel)
{
	struct slot *s = &m->board->seats[slot].slot;
	struct child *child;
	struct birth b;
	enum err e;

	atomic_store(&s->state, SLOT_STARTING);
	e = spawn_fork(m, CHILD_WORKER, slot, &child);
	if (e != ERR_NONE) {
		atomic_store(&s->state, SLOT_FREE);
		return e;
	}
	if (child != NULL) {
		atomic_store(&s->pid, child->pid);
		return ERR_NONE;
	}
	atomic_store(&s->pid, getpid());
	spawn_drop_for_now(m);
	b = birth_of(m, channel);
	b.place = slot;
	b.slot = s;
	b.is_awaited = !m->is_announced;
	b.refuses = slot == m->board->slot_count - 1;
	b.sandbox =
	    sandbox_of(m, b.refuses ? CONFINE_REFUSER : CONFINE_WORKER);
	_exit(m->roles->worker(&b));
}

enum err
spawn_worker(struct master *m, uint32_t slot)
{
	const bool refuses = slot == m->board->slot_count - 1;
	const struct broker_grant grant = {
	    .kind = refuses ? CHANNEL_REFUSER : CHANNEL_WORKER,
	    .slot = slot};
	int channel;
	enum err e = channel_open(m, &grant, &channel);

	if (e == ERR_NONE)
		e = worker_fork(m, slot, channel);
	descriptor_close(&channel);
	return e;
}

enum err
spawn_broker(struct master *m)
{
	struct child *child;
	int ends[2];
	enum err e;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return ERR_SYSTEM;
	e = spawn_fork(m, CHILD_BROKER, 0, &child);
	if (e == ERR_NONE && child == NULL) {
		close(ends[1]);
		descriptor_close(&m->life[0]);
		_exit(broker_main(m, ends[0]));
	}
	close(ends[0]);
	if (e != ERR_NONE) {
		close(ends[1]);
		return e;
	}
	descriptor_close(&m->broker);
	m->broker = ends[1];
	return ERR_NONE;
}

enum err
spawn_catalog(struct master *m, uint32_t upstream)
{
	const struct broker_grant grant = {
	    .kind = CHANNEL_CATALOG, .upstream = upstream};
	struct child *child;
	struct birth b;
	int channel;
	enum err e = channel_open(m, &grant, &channel);

	if (e == ERR_NONE)
		e = spawn_fork(m, CHILD_CATALOG, upstream, &child);
	if (e == ERR_NONE && child == NULL) {
		spawn_drop(m);
		b = birth_of(m, channel);
		b.listener_count = 0;
		b.upstream = upstream;
		b.catalog = m->catalogs[upstream];
		b.sandbox = sandbox_of(m, CONFINE_CATALOG);
		_exit(m->roles->catalog(&b));
	}
	descriptor_close(&channel);
	return e;
}

int
spawn_command_channel(struct master *m)
{
	const struct broker_grant grant = {.kind = CHANNEL_COMMAND};
	int channel = -1;

	if (m->settings->audit_key_file != NULL &&
	    channel_open(m, &grant, &channel) != ERR_NONE)
		log_warning("no channel to the broker for a command");
	return channel;
}

enum err
spawn_porter(struct master *m)
{
	const struct broker_grant grant = {.kind = CHANNEL_PORTER};
	struct child *child;
	int channel;
	enum err e = channel_open(m, &grant, &channel);

	if (e == ERR_NONE)
		e = spawn_fork(m, CHILD_PORTER, 0, &child);
	if (e == ERR_NONE && child == NULL)
		_exit(porter_main(m, channel));
	descriptor_close(&channel);
	return e;
}

/* A program of its own: what it parses is sent by strangers. */
static _Noreturn void
verifier_become(const struct master *m, int channel)
{
	char path[PROGRAM_PATH_MAX];

	signal(SIGTERM, SIG_IGN); /* it ends when its broker does */
	spawn_drop(m);
	if (program_find("sallyport-verifier", path, sizeof(path)))
		program_become(path, m->settings->file, channel);
	log_error("%s: cannot be run: %m", path);
	_exit(EXIT_FAILURE);
}

enum err
spawn_verifier(struct master *m)
{
	const struct broker_grant grant = {.kind = CHANNEL_VERIFIER};
	struct child *child;
	int channel;
	enum err e = channel_open(m, &grant, &channel);

	if (e == ERR_NONE)
		e = spawn_fork(m, CHILD_VERIFIER, 0, &child);
	if (e == ERR_NONE && child == NULL)
		verifier_become(m, channel);
	descriptor_close(&channel);
	return e;
}
