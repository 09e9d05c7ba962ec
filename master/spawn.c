/*
 * spawn.c - forking children.
 *
 * One rule: whatever a child must not have is gone before its role begins,
 * and if that fails the child ends.  Nothing is exec'd: the policy master has
 * loaded is shared copy-on-write.
 */
#include "master/spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "master/broker.h"

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
	static const int ignored[] = {SIGHUP, SIGINT, SIGPIPE};
	static const int defaulted[] = {SIGTERM, SIGCHLD, SIGUSR1};
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

/* What is left is what some role needs: listeners and life (workers), wake,
 * catalogs, and for control children orders and the lock. */
static void
descriptors_reset(struct master *m, enum child_kind kind)
{
	descriptor_close(&m->control);
	descriptor_close(&m->broker);
	descriptor_close(&m->life[1]);
	descriptor_close(&m->orders[0]);
	descriptor_close(&m->publication.pipe);
	descriptor_close(&m->report);
	if (kind != CHILD_CONTROL) {
		descriptor_close(&m->orders[1]);
		descriptor_close(&m->control_lock);
	}
	if (kind != CHILD_WORKER)
		listeners_close(m);
	audit_free(m->audit);
	m->audit = NULL;
}

enum err
spawn_fork(struct master *m, enum child_kind kind, uint32_t index,
    struct child **child_out)
{
	struct child *row = children_room(m->children);
	sigset_t all, before;
	pid_t pid;

	*child_out = NULL;
	if (row == NULL)
		return ERR_TOO_LONG;
	/* no handler of master's may run in the child */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		log_role(child_kind_name(kind));
		prctl(PR_SET_NAME, child_kind_name(kind), 0, 0, 0);
		descriptors_reset(m, kind);
		signals_reset();
		return ERR_NONE;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
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
		e = child_confine();
	if (e == ERR_NONE)
		return;
	log_error("cannot drop privileges (%s: %m): ending", err_text(e));
	_exit(EXIT_FAILURE);
}

/* Hand the broker its end of a channel. It never waits: a broker that does
 * not take it is stuck, and the caller tries later. */
static enum err
channel_grant(int broker, const struct broker_grant *grant, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} ancillary;
	struct iovec part = {
	    .iov_base = (void *)(uintptr_t)grant, .iov_len = sizeof(*grant)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1,
	    .msg_control = ancillary.bytes,
	    .msg_controllen = sizeof(ancillary.bytes)};
	struct cmsghdr *header;

	memset(&ancillary, 0, sizeof(ancillary));
	header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	if (sendmsg(broker, &message, MSG_DONTWAIT | MSG_NOSIGNAL) !=
	    (ssize_t)sizeof(*grant))
		return ERR_SYSTEM;
	return ERR_NONE;
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
	e = channel_grant(m->broker, grant, ends[0]);
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
	    .wake = m->wake,
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
	struct slot *s = &m->board->slots[slot];
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
	spawn_drop(m);
	b = birth_of(m, channel);
	b.slot = s;
	b.refuses = slot == m->board->slot_count - 1;
	_exit(m->roles->worker(&b));
}

enum err
spawn_worker(struct master *m, uint32_t slot)
{
	const bool refuses = slot == m->board->slot_count - 1;
	const struct broker_grant grant = {
	    .kind = refuses ? CHANNEL_REFUSER : CHANNEL_WORKER};
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
		_exit(m->roles->catalog(&b));
	}
	descriptor_close(&channel);
	return e;
}
