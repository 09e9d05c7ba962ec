/*
 * client.c - one question to the daemon over its control socket.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/config.h"
#include "master/command/command.h"

enum { REPLY_MAX = 64 * 1024 * 1024 };

json_t *
client_request(const char *command)
{
	return json_pack("{s:s}", "command", command);
}

void
json_print(const json_t *value)
{
	/* what strangers wrote may be meant for the terminal */
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
}

/* Where the daemon listens: -s, or what the settings say. */
static bool
socket_path(const struct arguments *a, struct sockaddr_un *out)
{
	struct arena *arena = arena_new(0);
	struct diagnostics *d = arena == NULL ? NULL : diagnostics_new(arena);
	struct settings settings;
	const char *path = a->socket;
	bool is_found = false;
	size_t i;

	if (path == NULL && d != NULL &&
	    settings_load(a->config, arena, d, &settings) == ERR_NONE)
		path = settings.control;
	if (path != NULL && strlen(path) < sizeof(out->sun_path)) {
		memcpy(out->sun_path, path, strlen(path) + 1);
		is_found = true;
	} else if (path != NULL) {
		command_fail("%s: the path is too long", path);
	}
	for (i = 0; path == NULL && d != NULL && i < diagnostics_count(d); i++)
		fprintf(stderr, "%s\n", diagnostics_line(d, i));
	arena_free(arena);
	return is_found;
}

static int
daemon_connect(const struct arguments *a)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (!socket_path(a, &address))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 &&
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	command_fail("%s: %s%s", address.sun_path, strerror(errno),
	    errno == ENOENT || errno == ECONNREFUSED
		? ": is sallyportd running?"
		: "");
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Whether it was taken is told by the answer: a daemon that refuses at once
 * has answered before it was asked. */
static void
request_send(int fd, const json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t len = text == NULL ? 0 : strlen(text);

	if (text == NULL)
		return;
	text[len] = '\n'; /* in place of the NUL */
	(void)send(fd, text, len + 1, MSG_NOSIGNAL);
	free(text);
}

/* One line; NULL: none, or too much. The caller frees. What comes after the
 * newline is not waited for: a daemon that refuses without reading leaves a
 * connection that ends in an error. */
static char *
reply_read(int fd, size_t *len_out)
{
	size_t size = 0, len = 0;
	char *text = NULL;
	ssize_t n = 1;

	while (n > 0 && len < REPLY_MAX &&
	    (len == 0 || text[len - 1] != '\n')) {
		if (len == size) {
			char *more = realloc(text, size + 65536);

			if (more == NULL)
				break;
			text = more;
			size += 65536;
		}
		n = read(fd, text + len, size - len);
		if (n > 0)
			len += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	if (len > 0 && text[len - 1] == '\n') {
		*len_out = len;
		return text;
	}
	free(text);
	return NULL;
}

static json_t *
exchange(int fd, const json_t *request)
{
	json_error_t where;
	json_t *reply = NULL;
	char *text = NULL;
	size_t len;

	if (request != NULL) {
		request_send(fd, request);
		text = reply_read(fd, &len);
	}
	if (text != NULL)
		reply = json_loadb(text, len, 0, &where);
	free(text);
	if (!json_is_object(reply)) {
		json_decref(reply);
		command_fail("the daemon gave no answer");
		return NULL;
	}
	return reply;
}

static void
refusal_print(const json_t *reply)
{
	const json_t *line;
	size_t i;

	fputs("sallyport: ", stderr);
	text_print(stderr, member_text(reply, "error"), 0);
	fputc('\n', stderr);
	json_array_foreach(json_object_get(reply, "lines"), i, line)
	{
		text_print(stderr, json_string_value(line), 0);
		fputc('\n', stderr);
	}
}

json_t *
client_ask(const struct arguments *a, json_t *request, int *status_out)
{
	int fd = daemon_connect(a);
	json_t *reply = fd < 0 ? NULL : exchange(fd, request);

	*status_out = EXIT_USAGE;
	json_decref(request);
	if (fd >= 0)
		close(fd);
	if (reply == NULL || json_is_true(json_object_get(reply, "ok")))
		return reply;
	if (a->is_json)
		json_print(reply);
	else
		refusal_print(reply);
	json_decref(reply);
	*status_out = EXIT_NO;
	return NULL;
}

int
client_show(const struct arguments *a, json_t *request, const char *member,
    int (*print)(const struct arguments *a, const json_t *what))
{
	int status;
	json_t *reply = client_ask(a, request, &status);
	const json_t *what;

	if (reply == NULL)
		return status;
	what = member == NULL ? reply : json_object_get(reply, member);
	if (a->is_json) {
		json_print(what);
		status = EXIT_DONE;
	} else {
		status = print(a, what);
	}
	json_decref(reply);
	return status;
}
