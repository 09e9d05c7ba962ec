/*
 * pg_settings.c - what a client sets with its startup packet.
 *
 * A startup setting is under the same scrutiny as the SET it amounts to; a
 * few that only change how values look are free unless a rule denies them.
 */
#include <ctype.h>
#include <stdio.h>

#include "worker/postgres/login/pg_login.h"

/* Settings that only change how values look or how long things may take:
 * free unless a rule denies them by name. */
static const struct text harmless[] = {
    {"datestyle", 9},
    {"timezone", 8},
    {"intervalstyle", 13},
    {"extra_float_digits", 18},
    {"client_encoding", 15},
    {"geqo", 4},
    {"statement_timeout", 17},
    {"lock_timeout", 12},
    {"idle_in_transaction_session_timeout", 35},
    {"client_min_messages", 19},
};

static bool
is_harmless(struct text name)
{
	size_t i;

	for (i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		if (text_is_folded(name, harmless[i]))
			return true;
	}
	return false;
}

static bool
is_setting_name(struct text name)
{
	size_t i;

	for (i = 0; i < name.len; i++) {
		if (!isalnum((unsigned char)name.at[i]) && name.at[i] != '_' &&
		    name.at[i] != '.')
			return false;
	}
	return name.len > 0 && !isdigit((unsigned char)name.at[0]);
}

/* Words that a startup packet has for itself, and which are no settings there:
 * of two the server believes the last, and ours came first. */
static bool
is_protocols(struct text name)
{
	static const struct text words[] = {
	    {"user", 4}, {"database", 8}, {"options", 7}, {"replication", 11}};
	static const char extensions[] = "_pq_.";
	struct text head = {name.at, sizeof(extensions) - 1};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (text_is_folded(name, words[i]))
			return true;
	}
	return name.len >= head.len &&
	       text_is_folded(head, text_of(extensions));
}

/* The SET that a startup setting amounts to. */
static struct text
as_statement(struct session *s, struct text name, struct text value)
{
	size_t room = name.len + value.len * 2 + 32, i;
	char *text = arena_alloc(s->arena, room), *p;

	if (text == NULL)
		return (struct text){NULL, 0};
	p = text +
	    snprintf(text, room, "SET %.*s TO '", (int)name.len, name.at);
	for (i = 0; i < value.len; i++) {
		if (value.at[i] == '\'')
			*p++ = '\'';
		*p++ = value.at[i];
	}
	*p++ = '\'';
	return (struct text){text, (size_t)(p - text)};
}

static enum err
fail_setting(struct session *s, struct text name, struct text reason)
{
	char text[GATE_REASON_MAX + 128];

	snprintf(text, sizeof(text), "startup setting \"%.*s\" refused: %.*s",
	    (int)(name.len < 64 ? name.len : 64), name.at, (int)reason.len,
	    reason.at);
	return login_fail(s, "42501", text, text);
}

/* Judge one setting as the SET it amounts to, and keep it. */
static enum err
want_setting(struct session *s, struct login_settings *w, struct text name,
    struct text value)
{
	struct ruling *j;
	enum err e = ERR_NONE;

	if (text_is_folded(name, TEXT("application_name"))) {
		gate_claim(s->gate, value);
		return ERR_NONE;
	}
	if (is_protocols(name))
		return fail_setting(s, name, TEXT("no setting has that name"));
	if (!is_setting_name(name))
		return fail_setting(s, TEXT("?"), TEXT("not a setting name"));
	if (w->count == LOGIN_SETTINGS_MAX)
		return fail_setting(s, name, TEXT("too many settings"));
	j = gate_judge(s->gate, as_statement(s, name, value));
	if (j == NULL)
		return ERR_MEMORY;
	if (j->verdict.decision != THEN_ALLOW &&
	    (!is_harmless(name) || j->verdict.rule != NULL || j->is_forbidden))
		e = fail_setting(s, name, j->verdict.reason);
	ruling_drop(j);
	w->list[w->count++] = (struct setting_pair){name, value};
	return e;
}

static enum err
want_options(struct session *s, struct login_settings *w, struct text options)
{
	struct pg_setting option;
	enum err e;

	for (;;) {
		e = pg_next_option(&options, s->arena, &option);
		if (e == ERR_NOT_FOUND)
			return ERR_NONE;
		if (e == ERR_UNSUPPORTED)
			return fail_setting(s, TEXT("options"),
			    TEXT("only -c name=value is supported"));
		if (e == ERR_NONE)
			e = want_setting(s, w, option.name, option.value);
		if (e != ERR_NONE)
			return e;
	}
}

/* alice, alice+copilot, or +nightly of an agent without a person: what stands
 * before the plus is a person, what stands behind it an agent. */
static enum err
shown_name(struct session *s, struct text *out)
{
	const struct identity *id = &s->identity;
	const char *plus = id->agent.len > 0 ? "+" : "";
	const char *name = arena_printf(s->arena, "%.*s%s%.*s",
	    (int)id->user.len, id->user.at, plus, (int)id->agent.len,
	    id->agent.at);

	if (name == NULL)
		return ERR_MEMORY;
	*out = text_of(name);
	if (s->upstream->application_name == NAME_CLIENT)
		*out = s->gate->claims;
	return ERR_NONE;
}

/* Who it is, as settings of the connection's start: RESET and DISCARD give
 * these back, and no other way leads to them (own_settings.c). The value that
 * RESET would give application_name is nobody's to change at all, which is
 * what policies/postgres/identity.sql builds on. */
static enum err
tell_identity(struct session *s, struct login_settings *w)
{
	const struct identity *id = &s->identity;
	struct text shown;
	enum err e = shown_name(s, &shown);

	if (e != ERR_NONE)
		return e;
	w->list[w->count++] =
	    (struct setting_pair){TEXT("application_name"), shown};
	w->list[w->count++] =
	    (struct setting_pair){TEXT("sallyport.user"), id->user};
	w->list[w->count++] =
	    (struct setting_pair){TEXT("sallyport.agent"), id->agent};
	return ERR_NONE;
}

enum err
login_settings(struct session *s, const struct pg_startup *startup,
    struct login_settings *w)
{
	size_t i;
	enum err e = want_options(s, w, startup->options);

	if (e == ERR_NONE)
		e = replication_want(s, startup->replication, w);
	for (i = 0; i < startup->setting_count && e == ERR_NONE; i++)
		e = want_setting(s, w, startup->settings[i].name,
		    startup->settings[i].value);
	if (e != ERR_NONE)
		return e;
	if (w->count + 5 > LOGIN_SETTINGS_MAX)
		return fail_setting(
		    s, TEXT("options"), TEXT("too many settings"));
	e = tell_identity(s, w);
	if (e != ERR_NONE)
		return e;
	w->list[w->count++] = (struct setting_pair){
	    TEXT("client_connection_check_interval"), TEXT("1s")};
	return ERR_NONE;
}
