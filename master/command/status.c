/*
 * status.c - what the daemon is doing: status, sessions, kill, reload.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "master/command/command.h"

enum { MISHAP_SHOWN_MS = 60 * 60 * 1000 }; /* after it was mended */

static void
time_print(const char *title, int64_t at_ms)
{
	time_t at = (time_t)(at_ms / 1000);
	char stamp[64] = "-", age[24];
	struct tm parts;

	if (at_ms != 0 && localtime_r(&at, &parts) != NULL)
		strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S %z", &parts);
	age_write(at_ms, now_ms(), age);
	printf("%-18s %s (%s ago)\n", title, stamp, age);
}

static void
number_print(const char *title, const json_t *object, const char *key)
{
	printf("%-18s %" PRId64 "\n", title, member_number(object, key));
}

static void
workers_print(const json_t *workers)
{
	const char *state;
	const json_t *count;

	printf("%-18s", "workers");
	json_object_foreach((json_t *)(uintptr_t)workers, state, count)
		printf(" %s %" PRId64, state,
		    (int64_t)json_integer_value(count));
	putchar('\n');
}

/* One error a line, indented. */
static void
lines_print(const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		char line[1024];

		snprintf(line, sizeof(line), "%.*s",
		    (int)(len < sizeof(line) ? len : sizeof(line) - 1), text);
		fputs("  ", stdout);
		text_print(stdout, line, 0);
		putchar('\n');
		text += len + (text[len] == '\n');
	}
}

static void
reload_print(const json_t *reload)
{
	bool has_failed = json_is_true(json_object_get(reload, "failed"));

	time_print(has_failed ? "reload REFUSED" : "last reload",
	    member_number(reload, "at"));
	if (has_failed)
		lines_print(member_text(reload, "text"));
}

static void
warnings_print(const json_t *warnings)
{
	const json_t *line;
	size_t i;

	json_array_foreach(warnings, i, line)
	{
		printf("%-18s ", "WARNING");
		text_print(stdout, json_string_value(line), 0);
		putchar('\n');
	}
}

/* Logins that failed and have not succeeded since. */
static void
troubles_print(const json_t *upstream)
{
	const json_t *one;
	char title[160];
	size_t i;

	json_array_foreach(json_object_get(upstream, "troubles"), i, one)
	{
		time_print("upstream FAILING", member_number(one, "at"));
		snprintf(title, sizeof(title), "%s as %s: ",
		    member_text(upstream, "upstream"),
		    member_text(one, "login"));
		fputs("  ", stdout);
		text_print(stdout, title, 0);
		text_print(stdout, member_text(one, "text"), 0);
		putchar('\n');
	}
}

static void
upstreams_print(const json_t *upstreams)
{
	const json_t *upstream;
	size_t i;

	json_array_foreach(upstreams, i, upstream)
		troubles_print(upstream);
}

/* What is missing, and what was lately. */
static void
helper_print(const json_t *h)
{
	bool is_there = json_is_true(json_object_get(h, "running"));
	int64_t died_at = member_number(h, "died_at");

	if (is_there && now_ms() - died_at > MISHAP_SHOWN_MS)
		return;
	printf("%-18s %s", is_there ? "helper restarted" : "helper MISSING",
	    member_text(h, "helper"));
	if (json_object_get(h, "upstream") != NULL) {
		fputs(" of ", stdout);
		text_print(stdout, member_text(h, "upstream"), 0);
	}
	if (died_at != 0)
		printf(", died %" PRId64 " times, the last time of ",
		    member_number(h, "deaths"));
	text_print(stdout, member_text(h, "died_of"), 0);
	putchar('\n');
}

static void
helpers_print(const json_t *helpers)
{
	const json_t *one;
	size_t i;

	json_array_foreach(helpers, i, one)
		helper_print(one);
}

static int
status_print(const struct arguments *a, const json_t *s)
{
	bool is_draining = json_is_true(json_object_get(s, "draining"));
	bool is_full = json_is_true(json_object_get(s, "full"));

	(void)a;
	printf("%-18s %s (pid %" PRId64 ")\n", "sallyportd",
	    is_draining ? "draining" : is_full ? "full" : "running",
	    member_number(s, "pid"));
	time_print("started", member_number(s, "started_at"));
	printf("%-18s generation %" PRId64 ", %" PRId64 " rules, %" PRId64
	       " protections\n",
	    "policy", member_number(s, "generation"),
	    member_number(s, "rules"), member_number(s, "protections"));
	time_print("policy loaded", member_number(s, "loaded_at"));
	reload_print(json_object_get(s, "reload"));
	warnings_print(json_object_get(s, "warnings"));
	upstreams_print(json_object_get(s, "upstreams"));
	helpers_print(json_object_get(s, "helpers"));
	if (member_number(s, "audit_failing_since") != 0)
		time_print("audit FAILING",
		    member_number(s, "audit_failing_since"));
	workers_print(json_object_get(s, "workers"));
	number_print("held requests", s, "held");
	number_print("sessions so far", s, "sessions_total");
	number_print("clients refused", s, "clients_refused");
	number_print("workers died", s, "workers_died");
	return EXIT_DONE;
}

int
run_status(const struct arguments *a)
{
	return client_show(a, client_request("status"), NULL, status_print);
}

static const struct column_title session_titles[] = {{"SESSION", 16},
    {"STATE", 0}, {"USER", 20}, {"AGENT", 20}, {"UPSTREAM", 16},
    {"DATABASE", 16}, {"CLIENT", 21}, {"SINCE", 0}, {"STATEMENTS", 0},
    {"DENIED", 0}, {"ROWS", 0}, {"STATEMENT", 60}};

static void
cell_number(struct table *t, const json_t *object, const char *key)
{
	char number[24];

	snprintf(number, sizeof(number), "%" PRId64,
	    member_number(object, key));
	table_cell(t, number);
}

static void
session_add(struct table *t, const json_t *s)
{
	static const char *const texts[] = {"session", "state", "user",
	    "agent", "upstream", "database", "client"};
	char age[24];
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		table_cell(t, member_text(s, texts[i]));
	age_write(member_number(s, "connected_at"), now_ms(), age);
	table_cell(t, age);
	cell_number(t, s, "statements");
	cell_number(t, s, "denied");
	cell_number(t, s, "rows");
	table_cell(t, member_text(s, "statement"));
}

static int
sessions_print(const struct arguments *a, const json_t *sessions)
{
	struct table *t = table_new(session_titles,
	    sizeof(session_titles) / sizeof(*session_titles));
	const json_t *session;
	size_t i;

	(void)a;
	if (t == NULL)
		return command_fail("out of memory");
	json_array_foreach(sessions, i, session)
		session_add(t, session);
	table_print(t, stdout);
	return EXIT_DONE;
}

int
run_sessions(const struct arguments *a)
{
	return client_show(
	    a, client_request("sessions"), "sessions", sessions_print);
}

static int
kill_print(const struct arguments *a, const json_t *reply)
{
	(void)reply;
	printf("session %s is told to end\n", a->words[0]);
	return EXIT_DONE;
}

int
run_kill(const struct arguments *a)
{
	json_t *request = client_request("kill");

	json_object_set_new(request, "session", json_string(a->words[0]));
	return client_show(a, request, NULL, kill_print);
}

static int
reload_told(const struct arguments *a, const json_t *reply)
{
	(void)a;
	printf("policy generation %" PRId64 " is in force\n",
	    member_number(reply, "generation"));
	return EXIT_DONE;
}

int
run_reload(const struct arguments *a)
{
	return client_show(a, client_request("reload"), NULL, reload_told);
}
