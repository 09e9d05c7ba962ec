/*
 * json.c - one JSON object into a fixed buffer.
 *
 * The rule: what json.len covers never exceeds the buffer, and text that is
 * not valid UTF-8 becomes U+FFFD, so that a record is always valid JSON.  So
 * does a zero byte: programs on a record's way end a string there (rsyslog's
 * JSON library does), and would lose what stands behind it.
 */
#include <stdio.h>

#include "common/json.h"

void
json_init(struct json *j, char *buffer, size_t size)
{
	*j = (struct json){.at = buffer, .size = size};
}

void
json_raw(struct json *j, struct text bytes)
{
	if (j->overflowed || bytes.len > j->size - j->len) {
		j->overflowed = true;
		return;
	}
	memcpy(j->at + j->len, bytes.at, bytes.len);
	j->len += bytes.len;
}

static void
json_char(struct json *j, char c)
{
	json_raw(j, (struct text){&c, 1});
}

/* Bytes that stand for themselves in a JSON string. */
static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Length of the UTF-8 sequence at the start of `t`; 0: not valid. */
static size_t
sequence_length(struct text t)
{
	size_t n;

	for (n = 2; n <= 4 && n <= t.len; n++) {
		if (text_is_utf8((struct text){t.at, n}))
			return n;
	}
	return 0;
}

static void
json_escape(struct json *j, unsigned char c)
{
	char code[8];

	if (c == '\0')
		snprintf(code, sizeof(code), "\\ufffd");
	else if (c == '"' || c == '\\')
		snprintf(code, sizeof(code), "\\%c", c);
	else if (c == '\n')
		snprintf(code, sizeof(code), "\\n");
	else
		snprintf(code, sizeof(code), "\\u%04x", c);
	json_raw(j, text_of(code));
}

static void
json_quoted(struct json *j, struct text value)
{
	size_t i = 0, run;

	json_char(j, '"');
	while (i < value.len) {
		for (run = i;
		     run < value.len && is_plain((unsigned char)value.at[run]);)
			run++;
		json_raw(j, (struct text){value.at + i, run - i});
		if (run == value.len)
			break;
		i = run + 1;
		if ((unsigned char)value.at[run] < 0x80) {
			json_escape(j, (unsigned char)value.at[run]);
		} else {
			struct text tail = {value.at + run, value.len - run};
			size_t n = sequence_length(tail);

			json_raw(j, n == 0 ? TEXT("\\ufffd")
					   : (struct text){tail.at, n});
			i = run + (n == 0 ? 1 : n);
		}
	}
	json_char(j, '"');
}

/* What goes before a value: a comma if one is due, and its key. */
static void
json_key(struct json *j, const char *key)
{
	if (j->comma)
		json_char(j, ',');
	j->comma = true;
	if (key == NULL)
		return;
	json_char(j, '"');
	json_raw(j, text_of(key));
	json_raw(j, TEXT("\":"));
}

void
json_text(struct json *j, const char *key, struct text value)
{
	json_key(j, key);
	json_quoted(j, value);
}

void
json_cstring(struct json *j, const char *key, const char *value)
{
	json_text(j, key, text_of(value));
}

void
json_number(struct json *j, const char *key, int64_t value)
{
	char digits[24], *p = digits + sizeof(digits);
	uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	json_key(j, key);
	do {
		*--p = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (value < 0)
		*--p = '-';
	json_raw(j, (struct text){p, (size_t)(digits + sizeof(digits) - p)});
}

void
json_bool(struct json *j, const char *key, bool value)
{
	json_key(j, key);
	json_raw(j, value ? TEXT("true") : TEXT("false"));
}

void
json_open(struct json *j, const char *key, char bracket)
{
	json_key(j, key);
	json_char(j, bracket);
	j->comma = false;
}

void
json_close(struct json *j, char bracket)
{
	json_char(j, bracket);
	j->comma = true;
}

void
json_element(struct json *j, struct text value)
{
	json_text(j, NULL, value);
}

void
json_texts(
    struct json *j, const char *key, const struct text *values, size_t count)
{
	size_t i;

	json_open(j, key, '[');
	for (i = 0; i < count; i++)
		json_element(j, values[i]);
	json_close(j, ']');
}
