/*
 * audit.c - records to the syslog socket, one datagram each.
 *
 * The rule: audit_send() says ERR_NONE only when the kernel has taken the
 * whole record for the sink.  A stopped reader fills the socket after about
 * ten datagrams: then we wait with a deadline, never for ever.
 * Framing: RFC 5424 chapter 6; `@cee:` is what rsyslog's mmjsonparse expects.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/audit.h"
#include "common/log.h"

enum {
	STAMP_LEN = 19
};

struct audit {
	struct sockaddr_un sink;
	int fd; /* -1: not connected */
	int (*opener)(void *context); /* NULL: this process may itself */
	void *opener_context;
	int facility;
	unsigned deadline_ms;
	struct audit_session *session; /* NULL: the daemon's own events */
	time_t stamp_second;	       /* what `stamp` shows, to the second */
	char stamp[32];		       /* "2026-01-31T23:59:59" */
	char priority[16];	       /* "<134>1 " */
	char prefix[300];	       /* syslog header from the host name on */
	/* Two records, used in turn: one in the making, one kept back. */
	struct record {
		struct json json;
		size_t body; /* where the object begins */
		uint64_t number; /* in the chain */
		char *bytes; /* AUDIT_RECORD_MAX, touched as far as used */
	} records[2];
	unsigned current;
	bool has_deferred;
	atomic_llong *failing_since; /* NULL: nobody is told */
	struct audit_chain *chain;   /* NULL: none */
	audit_open chain_open;
	void *chain_context;
	enum err chain_error; /* of opening it for the current record */
};

const char *
audit_node(void)
{
	static char node[256];

	if (node[0] == '\0' &&
	    (gethostname(node, sizeof(node) - 1) != 0 || node[0] == '\0'))
		snprintf(node, sizeof(node), "-");
	return node;
}

struct audit *
audit_new(const char *socket, int facility)
{
	struct audit *a = calloc(1, sizeof(*a));
	char *bytes = malloc(2 * (size_t)AUDIT_RECORD_MAX);

	if (a == NULL || bytes == NULL) {
		free(a);
		free(bytes);
		return NULL;
	}
	a->records[0].bytes = bytes;
	a->records[1].bytes = bytes + AUDIT_RECORD_MAX;
	a->fd = -1;
	a->facility = facility;
	a->deadline_ms = AUDIT_DEADLINE_MS;
	a->sink.sun_family = AF_UNIX;
	snprintf(a->sink.sun_path, sizeof(a->sink.sun_path), "%s", socket);
	snprintf(
	    a->priority, sizeof(a->priority), "<%d>1 ", facility | LOG_INFO);
	snprintf(a->prefix, sizeof(a->prefix), " %s sallyport %d ",
	    audit_node(), (int)getpid());
	return a;
}

void
audit_free(struct audit *a)
{
	if (a == NULL)
		return;
	if (a->fd >= 0)
		close(a->fd);
	free(a->records[0].bytes);
	free(a);
}

void
audit_leave(struct audit *a)
{
	if (a != NULL && a->fd >= 0)
		close(a->fd);
}

/* sendto() on a full queue waits this long, then says EAGAIN. */
static bool
deadline_apply(const struct audit *a)
{
	const struct timeval deadline = {.tv_sec = a->deadline_ms / 1000,
	    .tv_usec = a->deadline_ms % 1000 * 1000};

	return setsockopt(a->fd, SOL_SOCKET, SO_SNDTIMEO, &deadline,
		   sizeof(deadline)) == 0;
}

void
audit_set_deadline(struct audit *a, unsigned milliseconds)
{
	a->deadline_ms = milliseconds;
	/* a socket that does not take it is not written to any more */
	if (a->fd >= 0 && !deadline_apply(a)) {
		close(a->fd);
		a->fd = -1;
	}
}

void
audit_set_session(struct audit *a, struct audit_session *s)
{
	a->session = s;
}

void
audit_set_chain(struct audit *a, struct audit_chain *c, audit_open open,
    void *context)
{
	a->chain = c;
	a->chain_open = open;
	a->chain_context = context;
}

/* RFC 3339 in UTC with milliseconds; the date part is made once a second. */
static struct text
audit_time(struct audit *a, char out[40])
{
	struct timespec now;
	struct tm tm;
	long ms;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != a->stamp_second) {
		a->stamp_second = now.tv_sec;
		gmtime_r(&now.tv_sec, &tm);
		strftime(a->stamp, sizeof(a->stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	}
	ms = now.tv_nsec / 1000000;
	memcpy(out, a->stamp, STAMP_LEN);
	out[STAMP_LEN] = '.';
	out[STAMP_LEN + 1] = (char)('0' + ms / 100);
	out[STAMP_LEN + 2] = (char)('0' + ms / 10 % 10);
	out[STAMP_LEN + 3] = (char)('0' + ms % 10);
	out[STAMP_LEN + 4] = 'Z';
	return (struct text){out, STAMP_LEN + 5};
}

static void
audit_identity(struct json *j, const struct audit_session *s)
{
	const struct identity *id = s->identity;

	if (id == NULL || (id->user.len == 0 && id->agent.len == 0)) {
		if (s->login.len > 0)
			json_text(j, "login", s->login);
		if (id == NULL)
			return;
	}
	if (id->user.len > 0)
		json_text(j, "user", id->user);
	if (id->agent.len > 0)
		json_text(j, "agent", id->agent);
	if (id->group_count > 0)
		json_texts(j, "groups", id->groups, id->group_count);
	if (id->via.len > 0)
		json_text(j, "via", id->via);
	if (id->process.len > 0)
		json_text(j, "process", id->process);
	if (id->client.len > 0)
		json_text(j, "client", id->client);
}

static void
audit_session_fields(struct json *j, struct audit_session *s)
{
	json_cstring(j, "session", s->session);
	json_number(j, "seq", (int64_t)++s->seq);
	audit_identity(j, s);
	if (s->upstream.len > 0)
		json_text(j, "upstream", s->upstream);
	if (s->database.len > 0)
		json_text(j, "database", s->database);
}

/* A session counts its records itself, chain or none. */
static void
audit_chain_fields(struct audit *a, struct record *r)
{
	struct audit_chain *c = a->chain;

	a->chain_error = c->id[0] != '\0' || a->chain_open == NULL
	    ? ERR_NONE
	    : a->chain_open(a->chain_context, c);
	c->given = a->session != NULL ? a->session->seq : c->given + 1;
	r->number = c->given;
	json_cstring(&r->json, "chain", c->id);
	if (a->session == NULL)
		json_number(&r->json, "seq", (int64_t)r->number);
	if (c->lost > 0)
		json_number(&r->json, "lost", (int64_t)c->lost);
}

struct json *
audit_begin(struct audit *a, const char *event)
{
	struct record *r = &a->records[a->current];
	struct json *j = &r->json;
	char now[40];
	struct text stamp = audit_time(a, now);

	json_init(j, r->bytes, AUDIT_RECORD_MAX);
	/* <PRI>VERSION TIME HOST APP PROCID MSGID STRUCTURED-DATA MSG */
	json_raw(j, text_of(a->priority));
	json_raw(j, stamp);
	json_raw(j, text_of(a->prefix));
	json_raw(j, text_of(event));
	json_raw(j, TEXT(" - @cee: "));
	r->body = j->len;
	json_open(j, NULL, '{');
	json_text(j, "time", stamp);
	json_cstring(j, "node", audit_node());
	json_cstring(j, "event", event);
	if (a->session != NULL)
		audit_session_fields(j, a->session);
	if (a->chain != NULL)
		audit_chain_fields(a, r);
	return j;
}

void
audit_set_opener(struct audit *a, int (*open)(void *context), void *context)
{
	a->opener = open;
	a->opener_context = context;
}

/* A connected socket, or -1. */
static int
sink_open(const struct audit *a)
{
	int fd;

	if (a->opener != NULL)
		return a->opener(a->opener_context);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    connect(fd, (const struct sockaddr *)&a->sink,
		sizeof(a->sink)) == 0)
		return fd;
	close(fd);
	return -1;
}

static enum err
audit_reconnect(struct audit *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = sink_open(a);
	if (a->fd < 0)
		return ERR_SYSTEM;
	if (deadline_apply(a))
		return ERR_NONE;
	close(a->fd);
	a->fd = -1;
	return ERR_SYSTEM;
}

enum err
audit_connect(struct audit *a)
{
	return a->fd >= 0 ? ERR_NONE : audit_reconnect(a);
}

/* Give the sink what was kept back, if anything, and the current record with
 * `with_current`, in one call. What was taken is no longer kept back. */
static enum err
audit_write(struct audit *a, bool with_current)
{
	struct record *current = &a->records[a->current];
	struct record *kept = &a->records[!a->current];
	struct iovec parts[2];
	struct mmsghdr messages[2] = {0};
	unsigned count = 0;
	int sent;

	if (a->has_deferred)
		parts[count++] = (struct iovec){kept->bytes, kept->json.len};
	if (with_current)
		parts[count++] =
		    (struct iovec){current->bytes, current->json.len};
	messages[0].msg_hdr =
	    (struct msghdr){.msg_iov = &parts[0], .msg_iovlen = 1};
	messages[1].msg_hdr =
	    (struct msghdr){.msg_iov = &parts[1], .msg_iovlen = 1};
	do {
		sent = sendmmsg(a->fd, messages, count, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent > 0)
		a->has_deferred = false;
	if (sent == (int)count)
		return ERR_NONE;
	if (sent > 0) /* the first was taken: once more for the second */
		return with_current && count == 2 ? audit_write(a, true)
						  : ERR_NONE;
	return errno == EAGAIN || errno == EWOULDBLOCK ? ERR_DEADLINE
						       : ERR_SYSTEM;
}

static enum err
audit_try(struct audit *a, bool with_current)
{
	enum err e;

	if (a->fd >= 0) {
		e = audit_write(a, with_current);
		if (e != ERR_SYSTEM)
			return e;
	}
	/* not connected yet, or the sink was restarted under us */
	e = audit_reconnect(a);
	if (e == ERR_NONE)
		e = audit_write(a, with_current);
	return e;
}

void
audit_watch(struct audit *a, atomic_llong *failing_since)
{
	a->failing_since = failing_since;
}

static void
audit_note(struct audit *a, enum err e)
{
	struct timespec now;
	long long was = atomic_load(a->failing_since), is = 0;

	if ((e == ERR_NONE) == (was == 0))
		return;
	if (e != ERR_NONE) {
		clock_gettime(CLOCK_REALTIME, &now);
		is = (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	}
	if (!atomic_compare_exchange_strong(a->failing_since, &was, is))
		return;
	if (is != 0)
		log_error("the audit sink %s takes no records: statements "
			  "are refused until it does", a->sink.sun_path);
	else
		log_info("the audit sink %s takes records again",
		    a->sink.sun_path);
}

static enum err
audit_deliver(struct audit *a, bool with_current)
{
	enum err e = audit_try(a, with_current);

	if (a->failing_since != NULL)
		audit_note(a, e);
	return e;
}

/* The mac is of the whole object, and then becomes its last member. */
static enum err
audit_seal(struct audit *a, struct record *r)
{
	struct json *j = &r->json;
	char mac[AUDIT_MAC_SIZE];
	enum err e = a->chain_error;

	if (e == ERR_NONE)
		e = audit_chain_seal(a->chain, r->number,
		    (struct text){j->at + r->body, j->len - r->body}, mac);
	if (e != ERR_NONE)
		return e;
	j->len--;
	json_cstring(j, "mac", mac);
	json_close(j, '}');
	return j->overflowed ? ERR_TOO_LONG : ERR_NONE;
}

static enum err
audit_finish(struct audit *a)
{
	struct record *r = &a->records[a->current];

	json_close(&r->json, '}');
	if (r->json.overflowed)
		return ERR_TOO_LONG;
	return a->chain == NULL ? ERR_NONE : audit_seal(a, r);
}

/* The current record was taken, will be, or is lost; a next one says so. */
static enum err
audit_count(struct audit *a, enum err e)
{
	if (a->chain != NULL)
		a->chain->lost = e == ERR_NONE ? 0 : a->chain->lost + 1;
	return e;
}

enum err
audit_send(struct audit *a)
{
	enum err e = audit_finish(a);

	return audit_count(a, e == ERR_NONE ? audit_deliver(a, true) : e);
}

bool
audit_has_deferred(const struct audit *a)
{
	return a->has_deferred;
}

enum err
audit_flush(struct audit *a)
{
	return a->has_deferred ? audit_deliver(a, false) : ERR_NONE;
}

enum err
audit_defer(struct audit *a)
{
	enum err e = audit_finish(a);

	if (e == ERR_NONE)
		e = audit_flush(a);
	if (audit_count(a, e) != ERR_NONE)
		return e;
	a->has_deferred = true;
	a->current = !a->current;
	return ERR_NONE;
}
