/*
 * porter_task.c - what may take long, in a child each.
 *
 * One rule: a child has what its task takes and nothing else: one socket, no
 * capabilities unless it looks at processes, and a time by which it is killed.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sandbox.h"
#include "master/porter_inner.h"

size_t
tasks_count(const struct porter *p, enum task_kind kind)
{
	size_t i, n = 0;

	for (i = 0; i < TASKS_MAX; i++)
		n += p->tasks[i].pid != 0 && p->tasks[i].kind == kind;
	return n;
}

static struct task *
task_room(struct porter *p)
{
	size_t i;

	for (i = 0; i < TASKS_MAX; i++) {
		if (p->tasks[i].pid == 0)
			return &p->tasks[i];
	}
	return NULL;
}

/* Close all from 3 on but these two. */
static void
descriptors_keep(int a, int b)
{
	int low = a < b ? a : b, high = a < b ? b : a;

	if (low > 3)
		close_range(3, (unsigned)low - 1, 0);
	if (high > low + 1)
		close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	close_range((unsigned)high + 1, ~0U, 0);
}

/* What it inherits of the porter, it gives up. */
static void
child_become(pid_t porter, int socket, int keep, bool is_privileged)
{
	static const int defaulted[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};
	size_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != porter)
		_exit(1);
	setpgid(0, 0);
	descriptors_keep(socket, keep >= 0 ? keep : socket);
	for (i = 0; i < sizeof(defaulted) / sizeof(*defaulted); i++)
		signal(defaulted[i], SIG_DFL);
	if (!is_privileged && sandbox_keep_capabilities(0) != ERR_NONE)
		_exit(1);
}

enum err
task_start(struct porter *p, const struct task *what, int keep,
    bool is_privileged, struct task **t_out, bool *is_child_out)
{
	struct task *t = task_room(p);
	pid_t porter = getpid(), pid;
	int ends[2];

	*t_out = t;
	*is_child_out = false;
	if (t == NULL)
		return ERR_TOO_LONG;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return ERR_SYSTEM;
	pid = fork();
	if (pid == 0) {
		child_become(porter, ends[1], keep, is_privileged);
		t->socket = ends[1];
		*is_child_out = true;
		return ERR_NONE;
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return ERR_SYSTEM;
	}
	*t = *what;
	t->pid = pid;
	t->socket = ends[0];
	return ERR_NONE;
}

void
task_answer(int socket, const void *answer, size_t len)
{
	ssize_t n;

	do {
		n = send(socket, answer, len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
}

/* It has answered, or died, or its time is over. */
static void
task_finish(struct porter *p, struct task *t)
{
	static _Alignas(max_align_t) char answer[TASK_ANSWER_MAX];
	ssize_t n = recv(
	    t->socket, answer, sizeof(answer), MSG_DONTWAIT | MSG_TRUNC);
	struct task what = *t;

	close(t->socket);
	t->socket = -1;
	kill(t->pid, SIGKILL);
	kill(-t->pid, SIGKILL); /* and those that it has started */
	what.done(p, &what, answer,
	    n > 0 && (size_t)n <= sizeof(answer) ? (size_t)n : 0);
}

void
task_turn(struct porter *p, struct task *t, bool has_event)
{
	if (t->pid == 0)
		return;
	if (t->socket >= 0 && (has_event || t->until <= monotonic_ms()))
		task_finish(p, t);
	if (t->socket < 0 && waitpid(t->pid, NULL, WNOHANG) != 0)
		*t = (struct task){0};
}
