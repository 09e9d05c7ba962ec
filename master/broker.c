/*
 * broker.c - answering challenges with secrets that stay here.
 *
 * One rule: a request that is not permitted in its channel's phase is recorded,
 * gets "no" and ends the channel's use; a second one is recorded and ends the
 * channel, as records may keep everybody waiting.  Never parses a client's bytes and
 * opens nothing: that is done on errands by others (errand.h), for whom it
 * never waits.  Trusts nothing a channel sends: workers speak to clients.
 */
#include "master/broker.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/audit.h"
#include "common/log.h"
#include "master/broker_inner.h"
#include "master/spawn.h"

enum { OTHERS = 3 }; /* who are heard beside channels: master, two helpers */

/* --- answers -------------------------------------------------------------- */

enum answer
broker_no(struct response *r, const char *reason)
{
	snprintf(r->reply.reason, sizeof(r->reply.reason), "%s", reason);
	return ANSWER_NO;
}

static void
response_init(struct response *r)
{
	memset(&r->reply, 0, sizeof(r->reply));
	r->who = NULL;
	r->fd = -1;
}

/* Of an identity, without the zeros at its end. */
static size_t
length_sent(const struct broker_identity *who)
{
	static const uint64_t zeros;
	const char *bytes = (const char *)who;
	size_t n = sizeof(*who);

	_Static_assert(sizeof(*who) % sizeof(zeros) == 0, "no rest");
	while (n > 0 && memcmp(bytes + n - sizeof(zeros), &zeros,
			    sizeof(zeros)) == 0)
		n -= sizeof(zeros);
	return n;
}

/* To that question (broker_request.serial). False: the channel is to be
 * closed. */
static bool
response_send(
    int fd, uint64_t question, enum answer answer, struct response *r)
{
	struct parcel parcel = {.fd = r->fd};
	char reason[sizeof(r->reply.reason)];
	enum err e;

	if (answer == ANSWER_YES && r->who != NULL) {
		parcel.bytes = (void *)(uintptr_t)r->who;
		parcel.len = length_sent(r->who);
	}
	if (answer != ANSWER_YES) {
		bool has_more = r->reply.has_more != 0;

		memcpy(reason, r->reply.reason, sizeof(reason));
		OPENSSL_cleanse(&r->reply, sizeof(r->reply));
		memcpy(r->reply.reason, reason, sizeof(reason));
		r->reply.has_more = has_more;
		parcel.fd = -1;
	}
	r->reply.granted = answer == ANSWER_YES;
	r->reply.serial = question;
	e = parcel_send(
	    fd, &r->reply, sizeof(r->reply), &parcel, MSG_DONTWAIT);
	OPENSSL_cleanse(&r->reply, sizeof(r->reply));
	descriptor_close(&r->fd);
	return e == ERR_NONE;
}

/* --- requests ------------------------------------------------------------- */

static bool
request_is_bounded(const struct broker_request *q)
{
	return q->kind < BROKER_KINDS && q->salt_len <= BROKER_SALT_MAX &&
	    q->auth_len <= BROKER_AUTH_MESSAGE_MAX;
}

static enum answer
request_answer(struct broker *b, struct channel *c, const struct question *q,
    struct response *r)
{
	const struct broker_request *request = q->request;
	const struct permission *p = NULL;

	if (request_is_bounded(request))
		p = &broker_permitted[c->phase][request->kind];
	if (p == NULL || p->answer == NULL ||
	    (p->most > 0 && c->counts[request->kind] >= p->most)) {
		broker_record_refusal(b, c, request->kind);
		if (c->was_refused)
			return ANSWER_END;
		c->was_refused = true;
		/* others have less than a worker whose use is over */
		if (c->of == CHANNEL_WORKER)
			c->phase = PHASE_OVER;
		c->serial = 0;
		return broker_no(r, "not permitted now");
	}
	if (p->most > 0)
		c->counts[request->kind]++;
	c->asked = request->kind;
	c->question = request->serial;
	return p->answer(b, c, q, r);
}

/* False: the channel is to be closed. */
static bool
channel_serve(struct broker *b, struct channel *c, int fd)
{
	struct broker_request request;
	struct parcel parcel = {.bytes = b->parcel, .size = sizeof(b->parcel)};
	struct question q = {.request = &request};
	struct response r;
	enum answer answer;
	enum err e = parcel_receive(fd, &request, sizeof(request), &parcel);

	if (e == ERR_INTERRUPTED)
		return true;
	if (e != ERR_NONE) {
		if (e != ERR_CLOSED)
			log_warning("a request of the wrong size: channel "
				    "closed");
		return false;
	}
	q.parcel = (struct text){(const char *)b->parcel, parcel.len};
	q.fd = parcel.fd;
	response_init(&r);
	answer = request_answer(b, c, &q, &r);
	descriptor_close(&parcel.fd);
	OPENSSL_cleanse(b->parcel, parcel.len);
	return answer == ANSWER_LATER || answer == ANSWER_NONE ||
	       (answer != ANSWER_END &&
		   response_send(fd, request.serial, answer, &r));
}

/* --- errands -------------------------------------------------------------- */

static bool
is_for_verifier(uint32_t kind)
{
	return kind == ERRAND_TOKEN || kind == ERRAND_CERTIFICATE;
}

enum answer
broker_send_errand(struct broker *b, struct channel *c, struct errand *e,
    struct text parcel, int fd, struct response *r)
{
	int to = is_for_verifier(e->kind) ? b->verifier : b->porter;

	e->serial = ++b->last_serial;
	if (to < 0 || errand_send(to, e, parcel, fd) != ERR_NONE)
		return broker_no(r, is_for_verifier(e->kind)
					? "the verifier is not available"
					: "the porter is not available");
	c->serial = e->serial;
	c->errand = e->kind;
	c->before = c->phase;
	c->phase = PHASE_WAITING;
	return ANSWER_LATER;
}

/* Its place; b->count: it has gone in the meantime. */
static size_t
channel_waiting(const struct broker *b, uint64_t serial)
{
	size_t i;

	for (i = 0; serial != 0 && i < b->count; i++) {
		if (b->channels[i]->serial == serial)
			return i;
	}
	return b->count;
}

static void channel_close(struct broker *b, size_t i);

/* An outcome for the channel at `i`, whose phase is again what it was. */
static void
outcome_deliver(struct broker *b, size_t i, const struct outcome *o, int fd)
{
	struct response r;
	struct channel *c;
	outcome_fn act;
	enum answer answer;

	response_init(&r);
	r.fd = fd;
	if (i == b->count) {
		descriptor_close(&r.fd);
		return;
	}
	c = b->channels[i];
	c->serial = 0;
	if (c->phase == PHASE_WAITING)
		c->phase = c->before;
	act = broker_outcomes[c->asked];
	answer = act == NULL ? broker_no(&r, "nothing was asked for")
			     : act(b, c, o, &r);
	if (!response_send(c->fd, c->question, answer, &r))
		channel_close(b, i);
}

/* Whoever waits for one that will not come back learns that. */
static void
errands_fail(struct broker *b, bool of_verifier)
{
	struct outcome o = {
	    .result = OUTCOME_FAILED, .reason = "not available"};
	size_t i = b->count;

	while (i-- > 0) {
		const struct channel *c = b->channels[i];

		if (c->serial == 0 ||
		    of_verifier != is_for_verifier(c->errand))
			continue;
		o.serial = c->serial;
		o.kind = c->errand;
		outcome_deliver(b, i, &o, -1);
	}
}

/* Is it of the errand that is out, and from whom that was given to? Serials
 * are no secret, and facts of one kind are not to be read as another's. */
static bool
outcome_is_due(const struct broker *b, size_t i, const struct outcome *o,
    const int *helper)
{
	return is_for_verifier(o->kind) == (helper == &b->verifier) &&
	    (i == b->count || b->channels[i]->errand == o->kind);
}

/* What the porter or verifier has brought. One that brings what it was not
 * sent for is somebody else's by now. */
static void
helper_serve(struct broker *b, int *helper)
{
	struct outcome o;
	enum err e;
	size_t i;
	int fd;

	while ((e = outcome_receive(*helper, &o, &fd)) == ERR_NONE) {
		i = channel_waiting(b, o.serial);
		if (!outcome_is_due(b, i, &o, helper)) {
			descriptor_close(&fd);
			e = ERR_MALFORMED;
			break;
		}
		if (!broker_sink_came(b, &o, fd))
			outcome_deliver(b, i, &o, fd);
	}
	if (e == ERR_INTERRUPTED)
		return;
	log_error(
	    "the %s has gone", helper == &b->porter ? "porter" : "verifier");
	descriptor_close(helper);
	errands_fail(b, helper == &b->verifier);
}

/* --- channels ------------------------------------------------------------- */

static void
channel_free(struct channel *c)
{
	free(c->process);
	free(c->certificate);
	free(c->who);
	OPENSSL_cleanse(c, sizeof(*c));
	free(c);
}

static void
channel_close(struct broker *b, size_t i)
{
	close(b->channels[i]->fd);
	channel_free(b->channels[i]);
	b->count--;
	if (i == b->count)
		return; /* it was the last: nobody moves */
	b->channels[i] = b->channels[b->count];
	b->channels[i]->place = i;
}

/* What is closed is not watched any more. `of`: the descriptor's place in the
 * broker, or its channel. */
static bool
watch(struct broker *b, int fd, void *of)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = of};

	if (epoll_ctl(b->watched, EPOLL_CTL_ADD, fd, &event) == 0)
		return true;
	log_error("cannot watch a channel: %m");
	return false;
}

static void
helper_take(struct broker *b, int *helper, int fd)
{
	if (*helper >= 0) {
		descriptor_close(helper);
		errands_fail(b, helper == &b->verifier);
	}
	*helper = fd;
	if (!watch(b, fd, helper))
		descriptor_close(helper);
	if (helper == &b->porter)
		broker_sink_renew(b);
}

static void
channel_add(struct broker *b, const struct broker_grant *grant, int fd)
{
	static const enum phase first[] = {
	    [CHANNEL_WORKER] = PHASE_NEW,
	    [CHANNEL_CATALOG] = PHASE_CATALOG,
	    [CHANNEL_REFUSER] = PHASE_REFUSER,
	    [CHANNEL_COMMAND] = PHASE_COMMAND,
	};
	struct channel *c =
	    b->count < b->max ? calloc(1, sizeof(*c)) : NULL;

	if (c == NULL || !watch(b, fd, c)) {
		log_error("no room for another channel");
		free(c);
		close(fd);
		return;
	}
	c->fd = fd;
	c->place = b->count;
	c->phase = first[grant->kind];
	c->of = grant->kind;
	c->slot = grant->slot < b->board->slot_count ? grant->slot : 0;
	c->has_upstream = grant->kind == CHANNEL_CATALOG;
	if (c->has_upstream)
		c->index = (struct login_index){.upstream = grant->upstream,
		    .login = b->settings->upstreams[grant->upstream]
				 .login_count -
			     1};
	b->channels[b->count++] = c;
}

static void
grant_take(struct broker *b, const struct broker_grant *grant, int fd)
{
	if (grant->kind == CHANNEL_PORTER)
		helper_take(b, &b->porter, fd);
	else if (grant->kind == CHANNEL_VERIFIER)
		helper_take(b, &b->verifier, fd);
	else
		channel_add(b, grant, fd);
}

/* Another broker has taken over. A worker that belongs to this one may still
 * get a client, but nobody logs in here any more: who may is not known. */
static void
control_closed(struct broker *b)
{
	descriptor_close(&b->control);
}

/* False: nothing is left to read. */
static bool
control_serve(struct broker *b)
{
	struct broker_grant grant;
	struct parcel beside = {.fd = -1};
	enum err e =
	    parcel_receive(b->control, &grant, sizeof(grant), &beside);

	if (e == ERR_INTERRUPTED)
		return false;
	if (e == ERR_CLOSED || e == ERR_SYSTEM) {
		control_closed(b);
		return false;
	}
	if (e == ERR_NONE && beside.fd >= 0)
		grant_take(b, &grant, beside.fd);
	return true;
}

/* One turn: everybody who has something to say is heard once.  False: somebody
 * was heard who may have closed others' channels, so that what is said of
 * those is not true any more. */
static bool
event_serve(struct broker *b, void *of)
{
	struct channel *c = of;

	if (of == &b->porter || of == &b->verifier) {
		helper_serve(b, of);
		return false;
	}
	if (!channel_serve(b, c, c->fd))
		channel_close(b, c->place);
	return true;
}

/* Master comes first: what it did before a channel spoke is known when it
 * does. */
static void
turn_serve(struct broker *b, int count)
{
	bool has_more = false;
	int i;

	for (i = 0; i < count; i++)
		has_more |= b->events[i].data.ptr == &b->control;
	if (has_more) {
		while (control_serve(b))
			;
		return;
	}
	for (i = 0; i < count; i++) {
		if (!event_serve(b, b->events[i].data.ptr))
			return;
	}
}

static bool
broker_init(struct broker *b, const struct master *m, int control)
{
	*b = (struct broker){.master = m,
	    .settings = m->settings,
	    .board = m->board,
	    .penalties = m->penalties,
	    .control = control,
	    .porter = -1,
	    .verifier = -1,
	    .sink = -1,
	    .max = m->board->slot_count + m->settings->upstream_count +
		CONTROL_CHILDREN_MAX + 8};
	b->channels = calloc(b->max, sizeof(struct channel *));
	b->events = calloc(b->max + OTHERS, sizeof(*b->events));
	b->watched = epoll_create1(EPOLL_CLOEXEC);
	if (b->channels == NULL || b->events == NULL || b->watched < 0 ||
	    !watch(b, control, &b->control))
		return false;
	b->audit =
	    audit_new(m->settings->audit_socket, m->settings->audit_facility);
	b->secrets = secrets_load(m->settings);
	b->signer = signer_load(m->settings, m->tls);
	return b->audit != NULL && b->secrets != NULL && b->signer != NULL;
}

int
broker_main(const struct master *m, int control)
{
	static struct broker b; /* it is large */
	bool is_loaded;
	int count;

	/* it ends when nobody needs it; a service manager's SIGTERM to
	 * everybody must not take it from sessions that are still draining */
	signal(SIGTERM, SIG_IGN);
	is_loaded = broker_init(&b, m, control);
	spawn_drop_for_now(m);
	if (!is_loaded)
		return EXIT_FAILURE;
	/* later ones are the porter's: the broker opens nothing */
	if (audit_connect(b.audit) != ERR_NONE)
		log_warning("no way to the audit sink: %m");
	audit_set_opener(b.audit, broker_sink_take, &b);
	spawn_confine(m, CONFINE_BROKER);
	while (b.control >= 0 || b.count > 0) {
		count = epoll_wait(
		    b.watched, b.events, (int)b.max + OTHERS, -1);
		if (count < 0 && errno != EINTR)
			break;
		turn_serve(&b, count);
	}
	while (b.count > 0)
		channel_close(&b, b.count - 1);
	secrets_wipe(b.secrets);
	signer_wipe(b.signer);
	return EXIT_SUCCESS;
}
