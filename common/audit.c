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
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/audit.h"

struct audit {
	struct sockaddr_un sink;
	int fd; /* -1: not connected */
	int facility;
	char node[256];
	struct audit_session *session; /* NULL: the daemon's own events */
	time_t stamp_second; /* what `stamp` shows, to the second */
	char stamp[32];	     /* "2026-01-31T23:59:59" */
	struct json json;
	char record[AUDIT_RECORD_MAX];
};

struct audit *
audit_new(const char *socket, int facility)
{
	struct audit *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->fd = -1;
	a->facility = facility;
	a->sink.sun_family = AF_UNIX;
	snprintf(a->sink.sun_path, sizeof(a->sink.sun_path), "%s", socket);
	if (gethostname(a->node, sizeof(a->node) - 1) != 0 ||
	    a->node[0] == '\0')
		snprintf(a->node, sizeof(a->node), "-");
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
	int len;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != a->stamp_second) {
		a->stamp_second = now.tv_sec;
		gmtime_r(&now.tv_sec, &tm);
		strftime(a->stamp, sizeof(a->stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	}
	len = snprintf(out, 40, "%s.%03ldZ", a->stamp,
	    now.tv_nsec / 1000000);
	return (struct text){out, (size_t)len};
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
	struct json *j = &a->json;
	char now[40], header[640];
	struct text stamp = audit_time(a, now);
	int len;

	json_init(j, a->record, sizeof(a->record));
	/* <PRI>VERSION TIME HOST APP PROCID MSGID STRUCTURED-DATA MSG */
	len = snprintf(header, sizeof(header),
	    "<%d>1 %s %s sallyport %d %s - @cee: ", a->facility | LOG_INFO,
	    now, a->node, (int)getpid(), event);
	json_raw(j, (struct text){header, (size_t)len});
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
	const struct timeval deadline = {
	    .tv_sec = AUDIT_DEADLINE_MS / 1000,
	    .tv_usec = AUDIT_DEADLINE_MS % 1000 * 1000};

	if (a->fd >= 0)
		close(a->fd);
	a->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (a->fd < 0)
		return ERR_SYSTEM;
	/* sendto() on a full queue waits this long, then says EAGAIN */
	if (setsockopt(a->fd, SOL_SOCKET, SO_SNDTIMEO, &deadline,
		sizeof(deadline)) == 0 &&
	    connect(a->fd, (const struct sockaddr *)&a->sink,
		sizeof(a->sink)) == 0)
		return ERR_NONE;
	close(a->fd);
	a->fd = -1;
	return ERR_SYSTEM;
}

static enum err
audit_write(struct audit *a)
{
	ssize_t sent;

	do {
		sent = send(a->fd, a->record, a->json.len, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent >= 0 && (size_t)sent == a->json.len)
		return ERR_NONE;
	if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return ERR_DEADLINE;
	return ERR_SYSTEM;
}

enum err
audit_send(struct audit *a)
{
	enum err e;

	json_close(&a->json, '}');
	if (a->json.overflowed)
		return ERR_TOO_LONG;
	if (a->fd >= 0) {
		e = audit_write(a);
		if (e != ERR_SYSTEM)
			return e;
	}
	/* not connected yet, or the sink was restarted under us */
	e = audit_connect(a);
	if (e == ERR_NONE)
		e = audit_write(a);
	return e;
}
