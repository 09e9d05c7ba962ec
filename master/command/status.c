/*
 * status.c - what the daemon is doing: status, sessions, kill, reload.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "master/command/command.h"

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

static void
status_print(const json_t *s)
{
	bool is_draining = json_is_true(json_object_get(s, "draining"));
	bool is_full = json_is_true(json_object_get(s, "full"));

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
	if (member_number(s, "audit_failing_since") != 0)
		time_print("audit FAILING",
		    member_number(s, "audit_failing_since"));
	workers_print(json_object_get(s, "workers"));
	number_print("held requests", s, "held");
	number_print("sessions so far", s, "sessions_total");
	number_print("clients refused", s, "clients_refused");
	number_print("workers died", s, "workers_died");
}

int
run_status(const struct arguments *a)
{
	int status;
	json_t *reply = client_ask(a, client_request("status"), &status);

	if (reply == NULL)
		return status;
	if (a->is_json)
		json_print(reply);
	else
		status_print(reply);
	json_decref(reply);
	return EXIT_DONE;
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
sessions_print(const json_t *sessions)
{
	struct table *t = table_new(session_titles,
	    sizeof(session_titles) / sizeof(*session_titles));
	const json_t *session;
	size_t i;

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
	int status;
	json_t *reply = client_ask(a, client_request("sessions"), &status);

	if (reply == NULL)
		return status;
	if (a->is_json)
		json_print(json_object_get(reply, "sessions"));
	else
		status = sessions_print(json_object_get(reply, "sessions"));
	json_decref(reply);
	return a->is_json ? EXIT_DONE : status;
}

int
run_kill(const struct arguments *a)
{
	json_t *request = client_request("kill");
	json_t *reply;
	int status;

	json_object_set_new(request, "session", json_string(a->words[0]));
	reply = client_ask(a, request, &status);
	if (reply == NULL)
		return status;
	if (a->is_json)
		json_print(reply);
	else
		printf("session %s is told to end\n", a->words[0]);
	json_decref(reply);
	return EXIT_DONE;
}

int
run_reload(const struct arguments *a)
{
	int status;
	json_t *reply = client_ask(a, client_request("reload"), &status);

	if (reply == NULL)
		return status;
	if (a->is_json)
		json_print(reply);
	else
		printf("policy generation %" PRId64 " is in force\n",
		    member_number(reply, "generation"));
	json_decref(reply);
	return EXIT_DONE;
}
