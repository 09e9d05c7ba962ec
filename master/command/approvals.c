/*
 * approvals.c - statements that wait for a person, and the person's word.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "master/command/command.h"

static void
field_print(const char *title, const char *text)
{
	if (text[0] == '\0')
		return;
	printf("  %-10s ", title);
	text_print(stdout, text, 0);
	putchar('\n');
}

static void
approvers_print(const json_t *request)
{
	const json_t *names = json_object_get(request, "approvers");
	const json_t *name;
	size_t i;

	printf("  %-10s %zu of %" PRId64, "approved", json_array_size(names),
	    member_number(request, "needed"));
	json_array_foreach(names, i, name)
	{
		fputs(i == 0 ? ": " : ", ", stdout);
		text_print(stdout, json_string_value(name), 0);
	}
	putchar('\n');
}

/* Rounded up: what has just been held for 10m has 10m left. */
static void
left_write(const json_t *r, char out[24])
{
	int64_t now = now_ms(), end = member_number(r, "expires_at");

	age_write(now, end + (end - now < 120 * 1000 ? 999 : 59999), out);
}

/* Who and how long, on one line. */
static void
heading_print(const json_t *r)
{
	const char *user = member_text(r, "user");
	const char *agent = member_text(r, "agent");
	char waits[24], left[24];

	age_write(member_number(r, "created_at"), now_ms(), waits);
	left_write(r, left);
	printf("%" PRId64 "  ", member_number(r, "request"));
	text_print(stdout, user, 0);
	if (agent[0] != '\0') {
		fputs(user[0] != '\0' ? " through " : "", stdout);
		text_print(stdout, agent, 0);
	}
	fputs(" at ", stdout);
	text_print(stdout, member_text(r, "upstream"), 0);
	putchar('/');
	text_print(stdout, member_text(r, "database"), 0);
	printf(", waits %s, expires in %s\n", waits, left);
}

static void
request_print(const json_t *r)
{
	const char *text = member_text(r, "statement");
	int64_t all = member_number(r, "statement_bytes");

	heading_print(r);
	field_print("rule", member_text(r, "rule"));
	field_print("say", member_text(r, "say"));
	field_print("session", member_text(r, "session"));
	if (member_number(r, "needed") > 1)
		approvers_print(r);
	field_print("statement", text);
	if (all > (int64_t)strlen(text))
		printf("  %-10s only the first %zu of %" PRId64
		       " bytes are shown\n",
		    "ATTENTION", strlen(text), all);
}

static int
approvals_print(const struct arguments *a, const json_t *all)
{
	const json_t *request;
	size_t i;

	(void)a;
	if (json_array_size(all) == 0)
		puts("nothing waits for approval");
	json_array_foreach(all, i, request)
		request_print(request);
	return EXIT_DONE;
}

int
run_approvals(const struct arguments *a)
{
	return client_show(
	    a, client_request("approvals"), "approvals", approvals_print);
}

static int
decision_print(const struct arguments *a, const json_t *reply)
{
	const char *result = member_text(reply, "result");
	long long number = strtoll(a->words[0], NULL, 10);

	if (strcmp(result, "counted") == 0)
		printf("request %lld: approved by you; %" PRId64
		       " more needed\n",
		    number, member_number(reply, "missing"));
	else
		printf("request %lld: %s\n", number, result);
	return EXIT_DONE;
}

static int
decide(const struct arguments *a, const char *command)
{
	json_t *request = client_request(command);
	char *end;
	long long number;

	errno = 0;
	number = strtoll(a->words[0], &end, 10);
	if (errno != 0 || *end != '\0' || number <= 0) {
		json_decref(request);
		return command_fail(
		    "%s: not the number of a request", a->words[0]);
	}
	json_object_set_new(request, "request", json_integer(number));
	return client_show(a, request, NULL, decision_print);
}

int
run_approve(const struct arguments *a)
{
	return decide(a, "approve");
}

int
run_deny(const struct arguments *a)
{
	return decide(a, "deny");
}
