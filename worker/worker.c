/*
 * worker.c - a process that serves one session and ends.
 *
 * Spare workers wait in one epoll each, woken one at a time (EPOLLEXCLUSIVE),
 * so a new client wakes one of them and not the herd.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "worker/refuse.h"
#include "worker/session.h"
#include "worker/worker.h"

enum {
	LIFE = LISTENERS_MAX
}; /* tag of the life pipe among the listeners */

static void
on_term(int signal)
{
	(void)signal;
	session_drain_asked = 1;
}

static void
on_look(int signal)
{
	(void)signal; /* waking up is all: what for is on the board */
}

static void
set_signals(sigset_t *waiting)
{
	struct sigaction term = {.sa_handler = on_term};
	struct sigaction look = {.sa_handler = on_look};
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, waiting);
	sigdelset(waiting, SIGTERM);
	sigdelset(waiting, SIGUSR1);
	sigaction(SIGTERM, &term, NULL);
	sigaction(SIGUSR1, &look, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

/* Watch the listeners from now on: one that has a client already counts,
 * whoever else was woken for it. */
static bool
watch_listeners(const struct birth *b, int poll)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE};
	size_t i;

	for (i = 0; i < b->listener_count; i++) {
		event.data.u32 = (uint32_t)i;
		epoll_ctl(poll, EPOLL_CTL_DEL, b->listeners[i], NULL);
		if (epoll_ctl(poll, EPOLL_CTL_ADD, b->listeners[i], &event))
			return false;
	}
	return true;
}

static int
watch(const struct birth *b)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = LIFE};
	int poll = epoll_create1(EPOLL_CLOEXEC);

	if (poll < 0 || !watch_listeners(b, poll) ||
	    epoll_ctl(poll, EPOLL_CTL_ADD, b->life, &event) != 0)
		return -1;
	return poll;
}

/* A reload came after our birth: a client that comes now is for those who are
 * born after it, with the certificates and the broker of today. Master has
 * told us, but a client may wake us before the signal does. */
static bool
is_outdated(const struct birth *b)
{
	return atomic_load(&b->board->generation) != b->policy->generation;
}

/* The next client, or -1 when it is time to go. */
static int
next_client(
    const struct birth *b, int poll, const sigset_t *waiting, size_t *listener)
{
	struct epoll_event event;
	int n, fd;

	for (;;) {
		if (session_drain_asked)
			return -1;
		n = epoll_pwait(poll, &event, 1, -1, waiting);
		if (n < 0 && (errno != EINTR || !watch_listeners(b, poll)))
			return -1;
		if (n <= 0)
			continue;
		if (event.data.u32 == LIFE || is_outdated(b))
			return -1;
		*listener = event.data.u32;
		fd = accept4(b->listeners[*listener], NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
}

static void
be_idle(struct birth *b)
{
	atomic_store(&b->slot->state, SLOT_IDLE);
	if (b->is_awaited)
		wake_master(b->wake);
}

int
worker_main(struct birth *b)
{
	static struct provisions provisions;
	sigset_t waiting;
	size_t listener = 0;
	int poll, fd;

	set_signals(&waiting);
	if (!b->refuses && provisions_open(&provisions, b) != ERR_NONE)
		return EXIT_FAILURE;
	be_idle(b); /* before it waits, lest it be left out by those who go */
	poll = watch(b);
	if (poll < 0) {
		log_error("cannot wait for clients: errno %d", errno);
		return EXIT_FAILURE;
	}
	if (b->refuses) {
		refuse_clients(b, poll, &waiting);
	} else {
		fd = next_client(b, poll, &waiting, &listener);
		/* One that goes without a client may have been woken for one,
		 * as nobody else was then: it ends as a spare, and master has
		 * all who wait look (reap.c). One that is about to wait looks
		 * by itself. */
		if (fd < 0)
			return EXIT_SUCCESS;
		close(poll);
		session_run(b, &provisions, fd, listener);
	}
	atomic_store(&b->slot->state, SLOT_ENDING);
	return EXIT_SUCCESS;
}
