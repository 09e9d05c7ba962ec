/*
 * broker_channel.c - asking the broker, and waiting for its answer.
 *
 * The rule: an answer is whole and to this question, or it is none; a
 * descriptor that came with one that is not is closed.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/broker_channel.h"
#include "common/clock.h"

enum { BROKER_DEADLINE_MS = 15000 };

/* Questions this process has asked, over whatever channel. */
static uint64_t last_serial;

/* Wait until the channel can be read. */
static enum err
channel_wait(int channel, int64_t deadline)
{
	for (;;) {
		struct pollfd p = {.fd = channel, .events = POLLIN};
		int64_t left = deadline - clock_ms();
		int n;

		if (left <= 0)
			return ERR_DEADLINE;
		n = poll(&p, 1, (int)left);
		if (n > 0)
			return ERR_NONE;
		if (n < 0 && errno != EINTR)
			return ERR_SYSTEM;
	}
}

static bool
reply_is_sound(const struct broker_reply *r)
{
	return r->signed_len <= BROKER_SIGNATURE_MAX &&
	       memchr(r->reason, 0, sizeof(r->reason)) != NULL &&
	       memchr(r->first, 0, sizeof(r->first)) != NULL &&
	       memchr(r->md5, 0, sizeof(r->md5)) != NULL;
}

static enum err
question_send(int channel, const struct broker_request *request,
    const struct parcel *give)
{
	struct broker_request q = *request;
	enum err e;

	q.serial = ++last_serial;
	e = parcel_send(channel, &q, sizeof(q), give, 0);
	explicit_bzero(&q, sizeof(q)); /* it may have a proof in it */
	return e;
}

static void
answer_drop(struct broker_reply *reply, struct parcel *take)
{
	if (take->fd >= 0)
		close(take->fd);
	take->fd = -1;
	take->len = 0;
	explicit_bzero(reply, sizeof(*reply));
}

/* The answer to the last question; those to others came too late. */
static enum err
answer_receive(
    int channel, struct broker_reply *reply_out, struct parcel *take)
{
	const int64_t deadline = clock_ms() + BROKER_DEADLINE_MS;
	enum err e;

	do {
		e = channel_wait(channel, deadline);
		if (e == ERR_NONE)
			e = parcel_receive(
			    channel, reply_out, sizeof(*reply_out), take);
		if (e == ERR_NONE && reply_out->serial != last_serial) {
			answer_drop(reply_out, take);
			e = ERR_INTERRUPTED;
		}
	} while (e == ERR_INTERRUPTED);
	return e;
}

enum err
broker_exchange(int channel, const struct broker_request *request,
    const struct parcel *give, struct broker_reply *reply_out,
    struct parcel *take)
{
	enum err e = question_send(channel, request, give);

	memset(reply_out, 0, sizeof(*reply_out));
	take->fd = -1;
	take->len = 0;
	if (e == ERR_NONE)
		e = answer_receive(channel, reply_out, take);
	if (e == ERR_NONE && reply_is_sound(reply_out))
		return reply_out->granted ? ERR_NONE : ERR_REFUSED;
	answer_drop(reply_out, take);
	return e == ERR_NONE ? ERR_MALFORMED : e;
}

enum err
broker_ask(int channel, const struct broker_request *request,
    struct broker_reply *reply_out)
{
	struct parcel none = {.fd = -1};
	enum err e =
	    broker_exchange(channel, request, NULL, reply_out, &none);

	if (none.fd >= 0)
		close(none.fd);
	return e;
}

enum err
broker_tell(int channel, const struct broker_request *request)
{
	return parcel_send(channel, request, sizeof(*request), NULL, 0);
}

enum err
broker_open(int channel, const struct broker_request *request,
    struct broker_reply *reply_out, int *fd_out)
{
	struct parcel taken = {.fd = -1};
	enum err e =
	    broker_exchange(channel, request, NULL, reply_out, &taken);

	*fd_out = taken.fd;
	return e == ERR_NONE && taken.fd < 0 ? ERR_MALFORMED : e;
}
