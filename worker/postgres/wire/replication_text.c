/*
 * replication_text.c - what a replication connection asks for, and its
 * commands.  Pure.
 *
 * The rule: the server reads a text by the replication grammar when its first
 * word there is a command's; only such a text is judged otherwise than as SQL.
 * Source: src/backend/replication/repl_scanner.l of PostgreSQL 15.
 */
#include <ctype.h>

#include "worker/postgres/wire/replication_text.h"

/* As the server's parse_bool(): any unique beginning of a word. */
static bool
is_truth(struct text value, struct text word, size_t shortest)
{
	return value.len >= shortest && value.len <= word.len &&
	       text_is_folded(value, (struct text){word.at, value.len});
}

enum replication
replication_of(struct text value)
{
	static const struct {
		struct text word;
		size_t shortest;
		enum replication means;
	} words[] = {
	    {{"true", 4}, 1, REPLICATION_PHYSICAL},
	    {{"yes", 3}, 1, REPLICATION_PHYSICAL},
	    {{"on", 2}, 2, REPLICATION_PHYSICAL},
	    {{"1", 1}, 1, REPLICATION_PHYSICAL},
	    {{"false", 5}, 1, REPLICATION_NONE},
	    {{"no", 2}, 1, REPLICATION_NONE},
	    {{"off", 3}, 2, REPLICATION_NONE},
	    {{"0", 1}, 1, REPLICATION_NONE},
	};
	size_t i;

	if (value.at == NULL)
		return REPLICATION_NONE;
	if (text_is(value, TEXT("database")))
		return REPLICATION_LOGICAL;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (is_truth(value, words[i].word, words[i].shortest))
			return words[i].means;
	}
	return REPLICATION_INVALID;
}

/* --- commands ------------------------------------------------------------- */

/* In capitals only: in small letters the server takes them for SQL. */
static const struct text commands[] = {
    {"IDENTIFY_SYSTEM", 15},
    {"BASE_BACKUP", 11},
    {"START_REPLICATION", 17},
    {"CREATE_REPLICATION_SLOT", 23},
    {"DROP_REPLICATION_SLOT", 21},
    {"ALTER_REPLICATION_SLOT", 22},
    {"READ_REPLICATION_SLOT", 21},
    {"TIMELINE_HISTORY", 16},
    {"UPLOAD_MANIFEST", 15},
};

struct command { /* being read, and written as tokens of SQL */
	struct text rest;
	struct buffer *out;
	size_t words;
};

static size_t
run_of(struct text t, size_t from, bool (*belongs)(unsigned char c))
{
	size_t end = from;

	while (end < t.len && belongs((unsigned char)t.at[end]))
		end++;
	return end - from;
}

static bool
is_hex(unsigned char c)
{
	return c < 0x80 && isxdigit(c);
}

static bool
is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_name_start(unsigned char c)
{
	return c >= 0x80 || isalpha(c) || c == '_';
}

static bool
is_name_part(unsigned char c)
{
	return is_name_start(c) || is_digit(c) || c == '$';
}

static bool
is_space(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r' && c != '\v');
}

/* A place in the log, 16/B374D848; 0: there is none. */
static size_t
place_length(struct text t)
{
	size_t high = run_of(t, 0, is_hex), low;

	if (high == 0 || high >= t.len || t.at[high] != '/')
		return 0;
	low = run_of(t, high + 1, is_hex);
	return low == 0 ? 0 : high + 1 + low;
}

/* A quoted text with its quotes, each of them inside doubled; 0: no end. */
static size_t
quoted_length(struct text t)
{
	size_t i;

	for (i = 1; i < t.len; i++) {
		if (t.at[i] != t.at[0])
			continue;
		if (i + 1 == t.len || t.at[i + 1] != t.at[0])
			return i + 1;
		i++;
	}
	return 0;
}

static void
take(struct command *c, size_t n, bool is_place)
{
	struct text token = {c->rest.at, n};
	bool is_string = token.at[0] == '\'';

	if (c->words++ > 0)
		buffer_put_u8(c->out, ' ');
	if (is_place)
		buffer_put_u8(c->out, '\'');
	/* a backslash is nothing here and may be something in SQL */
	if (is_string && memchr(token.at, '\\', token.len) != NULL)
		buffer_put_text(c->out, TEXT("'?'"));
	else
		buffer_put_text(c->out, token);
	if (is_place)
		buffer_put_u8(c->out, '\'');
	c->rest.at += n;
	c->rest.len -= n;
}

/* One token; false: none that the server's scanner has. */
static bool
take_token(struct command *c)
{
	unsigned char first = (unsigned char)c->rest.at[0];
	size_t place = place_length(c->rest), n = 0;

	if (is_name_start(first))
		n = run_of(c->rest, 0, is_name_part);
	else if (is_digit(first))
		n = run_of(c->rest, 0, is_digit);
	else if (first == '\'' || first == '"')
		n = quoted_length(c->rest);
	else if (strchr("(),;.", first) != NULL)
		n = 1;
	if (place > n)
		take(c, place, true);
	else if (n > 0)
		take(c, n, false);
	return place > 0 || n > 0;
}

static void
skip_spaces(struct command *c)
{
	size_t n = run_of(c->rest, 0, is_space);

	c->rest.at += n;
	c->rest.len -= n;
}

static bool
begins_command(struct text sql)
{
	size_t n = run_of(sql, 0, is_name_part), i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (text_is((struct text){sql.at, n}, commands[i]))
			return true;
	}
	return false;
}

bool
replication_read(struct text sql, struct buffer *out)
{
	struct command c = {.rest = sql, .out = out};

	skip_spaces(&c);
	if (!begins_command(c.rest))
		return false;
	while (c.rest.len > 0) {
		if (!take_token(&c))
			return false;
		skip_spaces(&c);
	}
	return !out->failed;
}
