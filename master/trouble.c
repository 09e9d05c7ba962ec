/*
 * trouble.c - how each login upstream failed last.
 *
 * The rule: what is told is bounded, belongs to a login that exists, and is
 * shown, never followed.
 */
#include "master/trouble.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/board.h"

struct troubles {
	const struct settings *settings;
	struct trouble rows[]; /* upstream after upstream */
};

struct troubles *
troubles_new(const struct settings *s)
{
	struct troubles *t = calloc(1, sizeof(*t) +
		settings_login_count(s) * sizeof(struct trouble));

	if (t != NULL)
		t->settings = s;
	return t;
}

void
troubles_free(struct troubles *t)
{
	free(t);
}

static size_t
row_of(const struct troubles *t, size_t upstream, size_t login)
{
	size_t i, row = login;

	for (i = 0; i < upstream; i++)
		row += t->settings->upstreams[i].login_count;
	return row;
}

const struct trouble *
trouble_of(const struct troubles *t, size_t upstream, size_t login)
{
	return &t->rows[row_of(t, upstream, login)];
}

static bool
is_about_a_login(const struct troubles *t, const struct tiding *n)
{
	return n->upstream < t->settings->upstream_count &&
	    n->login < t->settings->upstreams[n->upstream].login_count;
}

/* Does the success of this login end that trouble of that one? */
static bool
is_over(const struct trouble *trouble, size_t login, size_t succeeded)
{
	return trouble->at != 0 &&
	    (login == succeeded || trouble->is_unconnected);
}

bool
tiding_is_news(const struct troubles *t, const struct tiding *n)
{
	size_t i;

	if (!is_about_a_login(t, n))
		return false;
	if (n->is_success == 0)
		return true;
	for (i = 0; i < t->settings->upstreams[n->upstream].login_count; i++) {
		if (is_over(trouble_of(t, n->upstream, i), i, n->login))
			return true;
	}
	return false;
}

static void
success_note(struct troubles *t, const struct tiding *n)
{
	const size_t count = t->settings->upstreams[n->upstream].login_count;
	struct trouble *rows = &t->rows[row_of(t, n->upstream, 0)];
	size_t i;

	for (i = 0; i < count; i++) {
		if (is_over(&rows[i], i, n->login))
			memset(&rows[i], 0, sizeof(rows[i]));
	}
}

void
tiding_note(struct troubles *t, const struct tiding *n, int64_t at_ms)
{
	struct trouble *row;

	if (!is_about_a_login(t, n))
		return;
	if (n->is_success != 0) {
		success_note(t, n);
		return;
	}
	row = &t->rows[row_of(t, n->upstream, n->login)];
	row->at = at_ms;
	row->is_unconnected = n->is_unconnected != 0;
	field_set(row->words, sizeof(row->words),
	    (struct text){n->words, strnlen(n->words, sizeof(n->words))});
}

bool
tiding_send(int control, const struct tiding *n)
{
	struct iovec part = {.iov_base = (void *)(uintptr_t)n,
	    .iov_len = sizeof(*n)};
	const struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};

	return sendmsg(control, &m, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	    (ssize_t)sizeof(*n);
}

/* A descriptor beside it finds no room, and the kernel drops it. */
enum tiding_got
tiding_take(int broker, struct tiding *out)
{
	ssize_t n = recv(broker, out, sizeof(*out), MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? TIDING_NONE
							 : TIDING_END;
	if (n == 0)
		return TIDING_END;
	if (n != (ssize_t)sizeof(*out))
		return TIDING_ODD;
	out->words[sizeof(out->words) - 1] = '\0';
	return TIDING_ONE;
}
