/*
 * porter_process.c - who is at the other end of a Unix socket.
 *
 * One rule: everything told is of one process, and of that which connected.
 *
 * The kernel keeps with the connection who called connect(): the user, and
 * (SO_PEERPIDFD, Linux 6.5 and later) the process itself, whatever becomes of
 * its number.  /proc/PID is opened while that process lives, which a look at
 * the pidfd at the end proves: then all that was read through that folder is
 * of it, and of no other that got its number.
 *
 * Before 6.5 the kernel tells a number only (SO_PEERCRED).  Between connect()
 * and our look its process may have ended and another got the number; the
 * socket tells no time to compare the new one's start with.  What remains is:
 * whoever may run programs as the same user (it must be that of connect())
 * may pass off one of them that it starts for the one that connected.
 *
 * Where there is no such process any more, or it is in a pid namespace that is
 * none of ours, the user alone is told.
 *
 * With either kernel a process is told by what it runs when it is looked at.
 * Its user can start the very program with a connection that another program
 * made, or under a debugger: `executable` is worth as much as the user's
 * other programs can be trusted.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "master/accepted.h"
#include "master/porter_inner.h"

#ifndef SO_PEERPIDFD
enum { SO_PEERPIDFD = 77 };
#endif

/* The process that is looked at. */
struct look {
	const struct porter *porter;
	bool may_wait;
	struct ucred peer;
	int pidfd;
	int proc;	  /* /proc/PID */
	int executable;   /* O_PATH, or -1 */
	struct statx status; /* of the executable */
	struct outcome *outcome;
};

enum looked {
	LOOKED,	 /* the outcome is complete */
	LOOK_FAR, /* it takes a task: nothing was told yet */
};

struct look_answer {
	struct outcome outcome;
	struct statx status;
};

_Static_assert(sizeof(struct look_answer) <= TASK_ANSWER_MAX, "it fits");

/* As whom it connected is known whatever becomes of the process, and wherever
 * it is: the kernel keeps that with the connection. */
static struct outcome
user_alone(uint64_t serial, uid_t uid, const char *why)
{
	struct outcome o = outcome_of(serial, ERRAND_PROCESS, OUTCOME_YES);

	o.process.uid = uid;
	snprintf(o.reason, sizeof(o.reason), "%s", why);
	return o;
}

static enum looked
look_failed(struct look *l, const char *why)
{
	*l->outcome = user_alone(l->outcome->serial, l->peer.uid, why);
	return LOOKED;
}

/* --- which process -------------------------------------------------------- */

/* Was it accepted at a listener of ours? Of any other socket, as of a channel
 * that master has made, the kernel may name master. */
static bool
is_accepted(const struct settings *s, int fd)
{
	static const char prefix[] = "unix:";
	struct sockaddr_storage own;
	const struct sockaddr_un *at = (const struct sockaddr_un *)&own;
	char address[sizeof(prefix) + sizeof(at->sun_path)];
	size_t i;

	if (!socket_is_stream(fd, &own) || own.ss_family != AF_UNIX)
		return false;
	snprintf(address, sizeof(address), "%s%.*s", prefix,
	    (int)sizeof(at->sun_path), at->sun_path);
	for (i = 0; i < s->listener_count; i++) {
		if (strcmp(address, s->listeners[i].address) == 0)
			return true;
	}
	return false;
}

/* Who called connect()? errno on failure: it is no such socket. */
static bool
peer_find(const struct settings *s, int fd, struct ucred *peer)
{
	socklen_t len = sizeof(*peer);

	errno = ENOTCONN;
	if (!is_accepted(s, fd) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &len) != 0)
		return false;
	errno = ENOTCONN;
	return peer->uid != (uid_t)-1;
}

static bool
process_find(int fd, const struct ucred *peer, int *pidfd_out)
{
	socklen_t size = sizeof(*pidfd_out);

	if (peer->pid <= 0) {
		errno = ESRCH; /* of another pid namespace */
		return false;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, pidfd_out, &size) == 0) {
		fcntl(*pidfd_out, F_SETFD, FD_CLOEXEC);
		return true;
	}
	if (errno != ENOPROTOOPT)
		return false;
	*pidfd_out = pidfd_open(peer->pid, 0);
	return *pidfd_out >= 0;
}

static bool
is_alive(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}

/* --- what /proc tells ------------------------------------------------------ */

/* The file's text, terminated and perhaps cut. */
static bool
proc_read(int proc, const char *name, char *out, size_t size)
{
	int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Does it run as the user that connected, in every respect? The name in this
 * file is the process's choice, but a line's end in it is escaped. */
static bool
is_of_user(int proc, uid_t user)
{
	char text[4096], *line;
	unsigned real, effective, saved, of_files;

	if (!proc_read(proc, "status", text, sizeof(text)))
		return false;
	line = strstr(text, "\nUid:\t");
	return line != NULL &&
	    sscanf(line + 6, "%u %u %u %u", &real, &effective, &saved,
		&of_files) == 4 &&
	    real == user && effective == user && saved == user &&
	    of_files == user;
}

/* Its place in the one hierarchy there is; "" where there is none. */
static void
cgroup_read(int proc, char *out, size_t size)
{
	char text[4096], *line = text;

	out[0] = '\0';
	if (!proc_read(proc, "cgroup", text, sizeof(text)))
		return;
	while (line != NULL && strncmp(line, "0::", 3) != 0) {
		line = strchr(line, '\n');
		line = line == NULL ? NULL : line + 1;
	}
	if (line != NULL)
		snprintf(out, size, "%.*s", (int)strcspn(line + 3, "\n"),
		    line + 3);
}

/* --- its executable -------------------------------------------------------- */

/* Why it is not known is for the record: the rest is told all the same. */
static bool
executable_open(struct look *l)
{
	struct process_facts *facts = &l->outcome->process;
	char path[sizeof(facts->executable)];
	ssize_t len = readlinkat(l->proc, "exe", path, sizeof(path));

	l->executable = openat(l->proc, "exe", O_PATH | O_CLOEXEC);
	if (l->executable < 0 || len <= 0 || (size_t)len == sizeof(path) ||
	    path[0] != '/' ||
	    !file_status(l->executable, "", AT_EMPTY_PATH, l->may_wait,
		&l->status)) {
		snprintf(l->outcome->reason, sizeof(l->outcome->reason),
		    "its executable cannot be seen: %s",
		    l->executable < 0 ? strerror(errno) : "no path");
		return false;
	}
	memcpy(facts->executable, path, (size_t)len);
	facts->executable[len] = '\0';
	return true;
}

/* In a task: the file is opened once more, for reading now. */
static bool
executable_digest(struct look *l)
{
	struct statx before = {0}, after;
	int fd = openat(l->proc, "exe", O_RDONLY | O_CLOEXEC);
	bool is_made = fd >= 0 &&
	    file_status(fd, "", AT_EMPTY_PATH, true, &before) &&
	    file_is_same(&before, &l->status) &&
	    digest_make(fd, l->outcome->process.sha256) &&
	    file_status(fd, "", AT_EMPTY_PATH, true, &after) &&
	    memcmp(&before.stx_ctime, &after.stx_ctime,
		sizeof(before.stx_ctime)) == 0;

	if (fd >= 0)
		close(fd);
	l->status = before;
	return is_made;
}

static enum looked
executable_look(struct look *l, const char *known_digest)
{
	struct process_facts *facts = &l->outcome->process;
	const char *why = "";
	enum genuine genuine = file_genuine(l->porter, facts->executable,
	    &l->status, l->peer.uid, l->may_wait, &why);

	if (genuine == GENUINE_FAR)
		return LOOK_FAR;
	facts->is_genuine = genuine == GENUINE_YES;
	snprintf(l->outcome->reason, sizeof(l->outcome->reason), "%s", why);
	if (!l->porter->wants_digests)
		return LOOKED;
	if (known_digest != NULL) {
		memcpy(facts->sha256, known_digest, sizeof(facts->sha256));
		return LOOKED;
	}
	if (!l->may_wait)
		return LOOK_FAR;
	if (!executable_digest(l))
		return look_failed(l, "its executable cannot be read");
	return LOOKED;
}

/* --- all of it ------------------------------------------------------------- */

static enum looked
facts_collect(struct look *l, struct porter *remembers)
{
	struct process_facts *facts = &l->outcome->process;
	const char *known = NULL;

	facts->uid = l->peer.uid;
	facts->pid = l->peer.pid;
	if (!is_of_user(l->proc, l->peer.uid))
		return look_failed(
		    l, "its process is not of the user that connected");
	cgroup_read(l->proc, facts->cgroup, sizeof(facts->cgroup));
	if (!executable_open(l))
		return LOOKED;
	if (!l->may_wait && file_is_far(l->porter, &l->status))
		return LOOK_FAR;
	if (remembers != NULL)
		known = digest_known(remembers, &l->status);
	return executable_look(l, known);
}

/* `remembers`: the porter, or NULL in a task. */
static enum looked
process_look(struct look *l, struct porter *remembers)
{
	char path[32];
	enum looked looked;

	l->executable = -1;
	snprintf(path, sizeof(path), "/proc/%d", (int)l->peer.pid);
	l->proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (l->proc < 0)
		return look_failed(l, "its process cannot be seen");
	looked = facts_collect(l, remembers);
	close(l->proc);
	if (l->executable >= 0)
		close(l->executable);
	if (looked == LOOKED && !is_alive(l->pidfd))
		return look_failed(l, "its process has ended");
	return looked;
}

static void
look_done(
    struct porter *p, const struct task *t, const void *answer, size_t len)
{
	static struct look_answer a;

	if (len == sizeof(a)) {
		memcpy(&a, answer, sizeof(a));
		if (a.outcome.process.sha256[0] != '\0' &&
		    a.outcome.result == OUTCOME_YES)
			digest_remember(
			    p, &a.status, a.outcome.process.sha256);
	} else {
		a.outcome = user_alone(0, t->uid,
		    "its executable took too long to look at");
	}
	a.outcome.serial = t->serial;
	porter_answer(p, &a.outcome, -1);
}

/* Once more, where it may take long. */
static enum err
look_in_task(struct porter *p, struct look *l)
{
	const struct task what = {.kind = TASK_LOOK,
	    .until = monotonic_ms() + LOOK_MS,
	    .serial = l->outcome->serial,
	    .uid = l->peer.uid,
	    .done = look_done};
	static struct look_answer a;
	struct task *t;
	bool is_child;
	enum err e = task_start(p, &what, l->pidfd, true, &t, &is_child);

	if (e != ERR_NONE || !is_child)
		return e;
	a.outcome = outcome_of(0, ERRAND_PROCESS, OUTCOME_YES);
	l->outcome = &a.outcome;
	l->may_wait = true;
	process_look(l, NULL);
	a.status = l->status;
	task_answer(t->socket, &a, sizeof(a));
	_exit(0);
}

void
errand_process(
    struct porter *p, const struct errand *e, struct text parcel, int fd)
{
	static struct outcome o;
	struct look l = {.porter = p, .outcome = &o};

	(void)parcel;
	if (!peer_find(p->settings, fd, &l.peer)) {
		porter_refuse(p, e, OUTCOME_FAILED,
		    "nobody is at its other end: %s", strerror(errno));
		return;
	}
	if (!process_find(fd, &l.peer, &l.pidfd)) {
		o = user_alone(e->serial, l.peer.uid, strerror(errno));
		porter_answer(p, &o, -1);
		return;
	}
	o = outcome_of(e->serial, ERRAND_PROCESS, OUTCOME_YES);
	if (process_look(&l, p) != LOOKED) {
		if (look_in_task(p, &l) == ERR_NONE) {
			close(l.pidfd);
			return;
		}
		look_failed(&l, "too many processes to look at at a time");
	}
	porter_answer(p, &o, -1);
	close(l.pidfd);
}
