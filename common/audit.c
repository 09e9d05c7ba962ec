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
	int facility;
	unsigned deadline_ms;
	char node[256];
	struct audit_session *session; /* NULL: the daemon's own events */
	time_t stamp_second;	       /* what `stamp` shows, to the second */
	char stamp[32];		       /* "2026-01-31T23:59:59" */
	char priority[16];	       /* "<134>1 " */
	char prefix[300];	       /* syslog header from the host name on */
	/* Two records, used in turn: one in the making, one kept back. */
	struct record {
		struct json json;
		char bytes[AUDIT_RECORD_MAX];
	} records[2];
	unsigned current;
	bool has_deferred;
	atomic_llong *failing_since; /* NULL: nobody is told */
};

struct audit *
audit_new(const char *socket, int facility)
{
	struct audit *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->fd = -1;
	a->facility = facility;
	a->deadline_ms = AUDIT_DEADLINE_MS;
	a->sink.sun_family = AF_UNIX;
	snprintf(a->sink.sun_path, sizeof(a->sink.sun_path), "%s", socket);
	if (gethostname(a->node, sizeof(a->node) - 1) != 0 ||
	    a->node[0] == '\0')
		snprintf(a->node, sizeof(a->node), "-");
	snprintf(
	    a->priority, sizeof(a->priority), "<%d>1 ", facility | LOG_INFO);
	snprintf(a->prefix, sizeof(a->prefix), " %s sallyport %d ", a->node,
	    (int)getpid());
	return a;
}

void
audit_free(struct audit *a)
{
	if (a == NULL)
		return;
	if (a->fd >= 0)
		close(a->fd);
	free(a);
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

struct json *
audit_begin(struct audit *a, const char *event)
{
	struct record *r = &a->records[a->current];
	struct json *j = &r->json;
	char now[40];
	struct text stamp = audit_time(a, now);

	json_init(j, r->bytes, sizeof(r->bytes));
	/* <PRI>VERSION TIME HOST APP PROCID MSGID STRUCTURED-DATA MSG */
	json_raw(j, text_of(a->priority));
	json_raw(j, stamp);
	json_raw(j, text_of(a->prefix));
	json_raw(j, text_of(event));
	json_raw(j, TEXT(" - @cee: "));
	json_open(j, NULL, '{');
	json_text(j, "time", stamp);
	json_cstring(j, "node", a->node);
	json_cstring(j, "event", event);
	if (a->session != NULL)
		audit_session_fields(j, a->session);
	return j;
}

static enum err
audit_connect(struct audit *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (a->fd < 0)
		return ERR_SYSTEM;
	if (deadline_apply(a) &&
	    connect(
		a->fd, (const struct sockaddr *)&a->sink, sizeof(a->sink)) == 0)
		return ERR_NONE;
	close(a->fd);
	a->fd = -1;
	return ERR_SYSTEM;
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
	e = audit_connect(a);
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

enum err
audit_send(struct audit *a)
{
	struct json *j = &a->records[a->current].json;

	json_close(j, '}');
	if (j->overflowed)
		return ERR_TOO_LONG;
	return audit_deliver(a, true);
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
	struct json *j = &a->records[a->current].json;
	enum err e;

	json_close(j, '}');
	if (j->overflowed)
		return ERR_TOO_LONG;
	e = audit_flush(a);
	if (e != ERR_NONE)
		return e;
	a->has_deferred = true;
	a->current = !a->current;
	return ERR_NONE;
}
