/*
 * pg_scrub.c - the server's errors and notices without what could quote
 * values.  Pure.
 *
 * The rule: what may be a value goes.  A message's words are the server's own
 * only when no code of users had a hand in it; then what it quotes is
 * blanked, else it is withheld.
 */
#include <ctype.h>
#include <strings.h>

#include "worker/postgres/wire/pg_wire.h"

/* Contexts of the server's own making that hold nothing but what the client
 * sent, or a place: one line each. Functions, triggers and the statements they
 * run, foreign keys' too, come with others. */
static const char *const plain_contexts[] = {
    "COPY ",
    "JSON data, line ",
    "parallel worker",
    "portal \"",
    "unnamed portal parameter $",
    "unnamed portal with parameters: ",
    "while locking tuple ",
    "while updating tuple ",
    "while deleting tuple ",
    "while inserting index tuple ",
    "while checking uniqueness of tuple ",
    "while rechecking updated tuple ",
};

static bool
is_plain_context(struct text context)
{
	size_t i;

	if (memchr(context.at, '\n', context.len) != NULL)
		return false;
	for (i = 0; i < sizeof(plain_contexts) / sizeof(plain_contexts[0]);
	     i++) {
		if (text_starts(context, text_of(plain_contexts[i])))
			return true;
	}
	return false;
}

bool
pg_error_is_foreign(const struct pg_error *e)
{
	return e->is_inner ||
	       (e->context.len > 0 && !is_plain_context(e->context));
}

bool
pg_quoted_name(struct text message, size_t i, struct text *out)
{
	size_t marks = 0, at, from = 0;

	*out = TEXT("");
	for (at = 0; at < message.len; at++) {
		if (message.at[at] != '"')
			continue;
		if (marks == 2 * i)
			from = at + 1;
		else if (marks == 2 * i + 1)
			*out = (struct text){message.at + from, at - from};
		marks++;
	}
	return marks % 2 == 0;
}

/* Where the quote that opens at `i` ends: at the last closing mark, because a
 * value may hold marks itself; without one, at the end. */
static size_t
quote_end(struct text message, size_t i)
{
	char close = message.at[i] == '(' ? ')' : message.at[i];
	size_t end;

	for (end = message.len; end > i + 1; end--) {
		if (message.at[end - 1] == close)
			return end;
	}
	return message.len;
}

/* Bytes of a character spelt out: 0xe9. */
static bool
is_hex_mark(struct text message, size_t i)
{
	return message.at[i] == '0' && i + 1 < message.len &&
	       message.at[i + 1] == 'x';
}

static size_t
hex_end(struct text message, size_t i)
{
	for (i += 2; i < message.len; i++) {
		if (!isxdigit((unsigned char)message.at[i]))
			break;
	}
	return i;
}

/* The server quotes identifiers and values alike; what stands in quotes, or
 * is a number, may be a value, so all of it goes. */
static void
put_blanked(struct buffer *b, struct text message)
{
	size_t i = 0;

	while (i < message.len) {
		char c = message.at[i];

		if (c == '"' || c == '\'' || c == '(') {
			buffer_put_text(b, TEXT("[masked]"));
			i = quote_end(message, i);
		} else if (is_hex_mark(message, i)) {
			buffer_put_u8(b, '*');
			i = hex_end(message, i);
		} else {
			buffer_put_u8(
			    b, c >= '0' && c <= '9' ? '*' : (uint8_t)c);
			i++;
		}
	}
}

/* Errors of these classes are worded by the server itself; any other message
 * may be a function's own words, made of whatever it has read. */
static bool
is_servers_class(struct text sqlstate)
{
	static const char *const classes[] = {"0A", "08", "21", "22", "23",
	    "25", "26", "28", "2B", "34", "3D", "3F", "40", "42", "53", "54",
	    "55", "57"};
	size_t i;

	for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (text_starts(sqlstate, text_of(classes[i])))
			return true;
	}
	return false;
}

/* Bytes of an unknown encoding could look like quotes and be none. */
static void
put_scrubbed_message(struct buffer *b, const struct pg_error *e)
{
	if (is_servers_class(e->sqlstate) && !pg_error_is_foreign(e) &&
	    text_is_utf8(e->message))
		put_blanked(b, e->message);
	else
		buffer_put_text(
		    b, TEXT("message withheld: it may quote protected values"));
}

/* The class alone does not say so: a cast to regclass quotes what it reads, and
 * so does SQL that a function puts together. But these cannot point at a place
 * in the client's text, or come with a context. */
bool
pg_error_is_of_text(const struct pg_error *e)
{
	return (text_starts(e->sqlstate, TEXT("42")) ||
		   text_starts(e->sqlstate, TEXT("22"))) &&
	       e->has_position && !e->is_inner && e->context.len == 0;
}

/* So that nobody can make a long search of it. */
enum { MESSAGE_SEARCHED_MAX = 1024, TYPED_SEARCHED_MAX = 64 * 1024 };

/* Letters of either case are the same: names are folded. */
static bool
has_words(struct text typed, struct text words)
{
	size_t i;

	if (typed.len > TYPED_SEARCHED_MAX)
		typed.len = TYPED_SEARCHED_MAX;
	for (i = 0; words.len > 0 && i + words.len <= typed.len; i++) {
		if (strncasecmp(typed.at + i, words.at, words.len) == 0)
			return true;
	}
	return false;
}

/* Of what is quoted, only what the client typed. */
static void
put_typed_words(struct buffer *b, struct text message, struct text typed)
{
	size_t i = 0, from;

	while (i < message.len) {
		char mark = message.at[i++];

		if (mark != '"' && mark != '\'') {
			buffer_put_u8(b, (uint8_t)mark);
			continue;
		}
		for (from = i; i < message.len && message.at[i] != mark; i++)
			;
		if (i < message.len && has_words(typed,
			(struct text){message.at + from, i - from}))
			buffer_put_text(b,
			    (struct text){message.at + from - 1, i - from + 2});
		else
			buffer_put_text(b, TEXT("[masked]"));
		i += i < message.len;
	}
}

static void
put_message(struct buffer *b, const struct pg_error *e, struct text typed)
{
	if (typed.len > 0 && e->message.len <= MESSAGE_SEARCHED_MAX &&
	    pg_error_is_of_text(e))
		put_typed_words(b, e->message, typed);
	else
		put_scrubbed_message(b, e);
}

/* Names of schema, table, column, type and constraint. RAISE lets a function
 * put whatever it likes there; what the server itself says of constraints comes
 * from these files of its source, which no function can claim. */
static bool
is_kept(uint8_t letter, const struct pg_error *e)
{
	static const char always[] = "SVCPFLR", names[] = "stcdn";
	static const struct text files[] = {{"domains.c", 9},
	    {"execExprInterp.c", 16}, {"execIndexing.c", 14},
	    {"execMain.c", 10}, {"execPartition.c", 15}, {"nbtinsert.c", 11},
	    {"ri_triggers.c", 13}};
	size_t i;

	if (memchr(always, letter, sizeof(always) - 1) != NULL)
		return true;
	if (memchr(names, letter, sizeof(names) - 1) == NULL)
		return false;
	if (!pg_error_is_foreign(e))
		return true;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (text_is(e->file, files[i]))
			return true;
	}
	return false;
}

enum err
pg_put_scrubbed(
    struct buffer *b, char type, struct wire body, struct text typed)
{
	size_t at = pg_message_begin(b, type);
	struct pg_error error;
	struct text value;
	uint8_t letter;

	if (pg_parse_error(body, &error) != ERR_NONE)
		return ERR_MALFORMED;
	for (letter = wire_u8(&body); letter != 0; letter = wire_u8(&body)) {
		value = wire_cstring(&body);
		if (letter != 'M' && !is_kept(letter, &error))
			continue;
		buffer_put_u8(b, letter);
		if (letter != 'M')
			buffer_put_text(b, value);
		else
			put_message(b, &error, typed);
		buffer_put_u8(b, 0);
	}
	buffer_put_u8(b, 0);
	pg_message_end(b, at);
	return wire_end(&body);
}
