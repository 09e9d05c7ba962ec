/*
 * refuse.c - the worker that answers when all others are busy.
 *
 * The only process that has more than one client at a time: it reads no more
 * of any than its protocol's refuse() needs to see whether it wants to cancel,
 * and waits for none, so none can hold it up.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/sandbox.h"
#include "common/tls_key.h"
#include "worker/refuse.h"
#include "worker/session.h"

enum {
	CLIENTS_MAX = 256,  /* at a time; more: the first is answered at once */
	PATIENCE_MS = 1000, /* for a client's greeting */
};

struct lobby {
	struct birth *birth;
	struct guest guests[CLIENTS_MAX]; /* in the order of their coming */
	size_t count;
};

static void
dismiss(struct lobby *l, size_t i)
{
	if (l->guests[i].tls != NULL)
		tls_transport.close(l->guests[i].tls);
	close(l->guests[i].fd);
	memmove(&l->guests[i], &l->guests[i + 1],
	    (--l->count - i) * sizeof(l->guests[0]));
	atomic_fetch_add(&l->birth->board->clients_refused, 1);
}

static void
admit(struct lobby *l, size_t listener)
{
	const struct settings *s = l->birth->settings;
	const struct upstream *u =
	    &s->upstreams[s->listeners[listener].upstream_index];
	int fd;

	for (;;) {
		fd = accept4(l->birth->listeners[listener], NULL, NULL,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		if (l->count == CLIENTS_MAX) {
			l->guests[0].protocol->refuse(
			    l->birth, &l->guests[0], true);
			dismiss(l, 0);
		}
		l->guests[l->count++] = (struct guest){.fd = fd,
		    .listener = listener,
		    .events = POLLIN,
		    .until = relay_now() + PATIENCE_MS,
		    .protocol = protocol_for(u->engine)};
	}
}

/* Answer whoever spoke, or has been silent for too long. */
static void
answer(struct lobby *l, const struct pollfd *fds)
{
	int64_t now = relay_now();
	size_t i = l->count;
	bool is_late;

	while (i-- > 0) {
		struct guest *g = &l->guests[i];

		is_late = now >= g->until;
		if ((fds[i].revents != 0 || is_late) &&
		    g->protocol->refuse(l->birth, g, is_late))
			dismiss(l, i);
	}
}

static void
wait_ms(struct timespec *out, const struct lobby *l)
{
	int64_t left =
	    l->count == 0 ? PATIENCE_MS : l->guests[0].until - relay_now();

	if (left < 0)
		left = 0;
	*out = (struct timespec){left / 1000, left % 1000 * 1000000};
}

/* A signal gets through only to a poll() that sleeps, and clients who come
 * without a pause leave it no sleep. */
static void
let_signals_through(const sigset_t *waiting)
{
	sigset_t blocked;

	sigprocmask(SIG_SETMASK, waiting, &blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

void
refuse_clients(struct birth *b, int accepting, const sigset_t *waiting)
{
	static struct lobby lobby;
	static struct supply log;
	const char *failed = NULL;
	struct pollfd fds[CLIENTS_MAX + 2];
	struct timespec timeout;
	size_t i, n;

	lobby.birth = b;
	provisions_log(&log, b->broker);
	if (sandbox_enter(b->sandbox, &failed) != ERR_NONE) {
		log_error("cannot be confined: %s: %m", failed);
		return;
	}
	tls_key_ask(b->broker);
	/* who was let in is answered, whatever ends us meanwhile */
	while (!session_drain_asked || lobby.count > 0) {
		n = lobby.count;
		for (i = 0; i < n; i++)
			fds[i] = (struct pollfd){.fd = lobby.guests[i].fd,
			    .events = lobby.guests[i].events};
		fds[n] = (struct pollfd){
		    .fd = session_drain_asked ? -1 : accepting,
		    .events = POLLIN};
		fds[n + 1] = (struct pollfd){.fd = b->life, .events = POLLIN};
		wait_ms(&timeout, &lobby);
		let_signals_through(waiting);
		if (ppoll(fds, n + 2, &timeout, waiting) < 0)
			continue;
		if (fds[n + 1].revents != 0)
			break;
		answer(&lobby, fds);
		for (i = 0; fds[n].revents != 0 && i < b->listener_count; i++)
			admit(&lobby, i);
	}
	for (; lobby.count > 0; dismiss(&lobby, 0))
		lobby.guests[0].protocol->refuse(b, &lobby.guests[0], true);
}
