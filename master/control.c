/*
 * control.c - the control socket's child: one request, one reply.
 *
 * One rule: it parses as nobody in particular, and can do no more than read
 * the scoreboard, write decisions there, and put a byte on the orders pipe.
 * Who may come this far is control_door.c's.
 */
#include "master/control.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "master/record.h"
#include "common/hole.h"
#include "master/scoreboard.h"

/* --- replies -------------------------------------------------------------- */

json_t *
control_refusal(const char *format, ...)
{
	char words[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	return json_pack("{s:b, s:o}", "ok", 0, "error", report_text(words));
}

/* --- commands ------------------------------------------------------------- */

struct command {
	const char *name;
	bool is_owners; /* only root and the daemon's own account */
	json_t *(*run)(
	    struct master *m, const struct peer *peer, json_t *request);
};

static json_t *
run_status(struct master *m, const struct peer *peer, json_t *request)
{
	(void)peer;
	(void)request;
	return report_status(m);
}

static json_t *
run_sessions(struct master *m, const struct peer *peer, json_t *request)
{
	(void)peer;
	(void)request;
	return report_sessions(m);
}

static json_t *
run_approvals(struct master *m, const struct peer *peer, json_t *request)
{
	(void)peer;
	(void)request;
	return report_approvals(m);
}

static json_t *
run_decision(struct master *m, const struct peer *peer, json_t *request,
    bool is_approved)
{
	json_t *number = json_object_get(request, "request");

	if (!json_is_integer(number) || json_integer_value(number) <= 0)
		return control_refusal("which request? (a number)");
	return approval_decide(
	    m, peer, (uint64_t)json_integer_value(number), is_approved);
}

static json_t *
run_approve(struct master *m, const struct peer *peer, json_t *request)
{
	return run_decision(m, peer, request, true);
}

static json_t *
run_deny(struct master *m, const struct peer *peer, json_t *request)
{
	return run_decision(m, peer, request, false);
}

bool
control_order(struct master *m, char order)
{
	/* a full pipe is read anyway, and whoever fills it asks for nothing
	 * else */
	return write(m->orders[1], &order, 1) == 1;
}

static json_t *
lines_json(const char *text)
{
	json_t *lines = json_array();

	while (*text != '\0') {
		char line[1024];
		size_t len = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s",
		    (int)(len < sizeof(line) ? len : sizeof(line) - 1), text);
		json_array_append_new(lines, report_text(line));
		text += len + (text[len] == '\n');
	}
	return lines;
}

static json_t *
reload_outcome(struct master *m, const struct reload_result *result)
{
	json_t *lines = lines_json(result->text);

	if (result->is_failed)
		return json_pack("{s:b, s:s, s:o}", "ok", 0, "error",
		    "refused: the policy in force is unchanged", "lines",
		    lines);
	json_decref(lines);
	return json_pack("{s:b, s:I}", "ok", 1, "generation",
	    (json_int_t)atomic_load(&m->board->generation));
}

/* Ask master, then wait for an attempt that began after we asked. */
static json_t *
run_reload(struct master *m, const struct peer *peer, json_t *request)
{
	int64_t asked_at = unix_ms(), until = monotonic_ms();
	struct reload_result result;

	(void)peer;
	(void)request;
	if (!control_order(m, ORDER_RELOAD))
		return control_refusal("the daemon does not listen: %s",
		    strerror(errno));
	until += CONTROL_RELOAD_MS;
	do {
		poll(NULL, 0, 20);
		scoreboard_reload_result(m->board, &result);
	} while (result.reload_at < asked_at && monotonic_ms() < until);
	if (result.reload_at < asked_at)
		return control_refusal("no result after %d seconds; see "
				       "`sallyport status`",
		    CONTROL_RELOAD_MS / 1000);
	return reload_outcome(m, &result);
}

/* The next living worker that says it has this session; NULL. */
static struct child *
session_worker(struct master *m, const char *session, size_t *i)
{
	struct child *worker;
	struct slot copy;

	while ((worker = children_next(m->children, CHILD_WORKER, i))) {
		slot_snapshot(&m->board->seats[worker->index].slot, &copy);
		if (copy.session[0] != '\0' &&
		    strcmp(copy.session, session) == 0)
			return worker;
	}
	return NULL;
}

/* All of them: one that has been taken over may say what it likes, and who
 * does not obey is killed by master. */
static void
session_kill(struct master *m, const char *session)
{
	struct child *worker;
	size_t i = 0;

	while ((worker = session_worker(m, session, &i))) {
		struct decision *d = &m->board->decisions[worker->index];

		atomic_store(&d->killed_pid, worker->pid);
		atomic_store(&d->killed, session_number(session));
		atomic_fetch_add(&d->calls, 1);
	}
	control_order(m, ORDER_LOOK);
}

static enum err
kill_record(struct master *m, const struct peer *peer, const char *session)
{
	struct json *j;

	if (m->audit == NULL)
		return ERR_MEMORY;
	j = record_command(m, "kill", text_of(session));
	if (peer->person != NULL)
		json_text(j, "decided_by", peer->person->name);
	json_number(j, "decided_by_uid", peer->uid);
	return audit_send(m->audit);
}

static json_t *
run_kill(struct master *m, const struct peer *peer, json_t *request)
{
	const char *session =
	    json_string_value(json_object_get(request, "session"));
	size_t i = 0;
	enum err e;

	if (session == NULL || strlen(session) > SESSION_ID_LEN)
		return control_refusal("which session? (its id)");
	if (session_number(session) == 0 ||
	    session_worker(m, session, &i) == NULL)
		return control_refusal("there is no session %s", session);
	e = kill_record(m, peer, session);
	if (e != ERR_NONE)
		return control_refusal(
		    "no audit record could be written (%s): not killed",
		    err_text(e));
	session_kill(m, session);
	return json_pack("{s:b}", "ok", 1);
}

static const struct command commands[] = {
    {.name = "status", .run = run_status},
    {.name = "sessions", .run = run_sessions},
    {.name = "approvals", .run = run_approvals},
    {.name = "approve", .run = run_approve},
    {.name = "deny", .run = run_deny},
    {.name = "reload", .run = run_reload, .is_owners = true},
    {.name = "kill", .run = run_kill, .is_owners = true},
};

/* --- the child ------------------------------------------------------------ */

static json_t *
dispatch(struct master *m, const struct peer *peer, json_t *request)
{
	const char *name =
	    json_string_value(json_object_get(request, "command"));
	size_t i;

	hole_look(text_of(name == NULL ? "" : name));
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (name == NULL || strcmp(name, commands[i].name) != 0)
			continue;
		if (commands[i].is_owners && !peer->is_owner)
			return control_refusal(
			    "only root or the daemon's account may %s", name);
		return commands[i].run(m, peer, request);
	}
	return control_refusal("no such command");
}

/* False: `until` has passed first. */
static bool
is_ready(int fd, short events, int64_t until)
{
	struct pollfd p = {.fd = fd, .events = events};
	int64_t left = until - monotonic_ms();

	return left > 0 && poll(&p, 1, (int)left) > 0;
}

/* One line, newline cut off. False: too long, too slow, or closed. */
static bool
line_read(int fd, char *line, size_t size)
{
	int64_t until = monotonic_ms() + CONTROL_LINE_MS;
	size_t len = 0;

	while (len < size - 1 && is_ready(fd, POLLIN, until)) {
		ssize_t n = recv(fd, line + len, size - 1 - len, 0);

		if (n <= 0)
			return false;
		len += (size_t)n;
		line[len] = '\0';
		if (line[len - 1] == '\n')
			return memchr(line, '\0', len) == NULL;
	}
	return false;
}

static void
reply_write(int fd, const json_t *reply)
{
	int64_t until = monotonic_ms() + CONTROL_REPLY_MS;
	char *text = json_dumps(reply, JSON_COMPACT);
	size_t len = text == NULL ? 0 : strlen(text), sent = 0;

	if (text == NULL)
		return;
	text[len++] = '\n'; /* in place of the NUL */
	while (sent < len && is_ready(fd, POLLOUT, until)) {
		ssize_t n = send(fd, text + sent, len - sent,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN)
			break;
		sent += n > 0 ? (size_t)n : 0;
	}
	free(text);
}

int
control_main(
    struct master *m, int fd, const struct peer *peer, uint32_t place)
{
	char line[CONTROL_LINE_MAX];
	json_t *request, *reply;

	if (!line_read(fd, line, sizeof(line)))
		return EXIT_FAILURE;
	/* from here on it is at work, and not to be replaced */
	atomic_fetch_or(&m->board->control_heard, 1u << place);
	request = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(request))
		reply = control_refusal("not one JSON object on a line");
	else
		reply = dispatch(m, peer, request);
	if (reply == NULL)
		reply = control_refusal("%s", err_text(ERR_MEMORY));
	reply_write(fd, reply);
	json_decref(request);
	json_decref(reply);
	return EXIT_SUCCESS;
}
