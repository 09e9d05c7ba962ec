/*
 * lexer_string.c - every way to quote: '' E'' U&'' N'' B'' X'' $$ $$ "" U&"".
 * The escapes of the U& forms are undone in lexer_unicode.c.
 *
 * The one rule: the end of a string must be where the server sees it; all of
 * an attacker's text could hide behind a quote that we misplace.
 */
#include "common/lexer_scan.h"

enum form {
	FORM_PLAIN,   /* '' : escapes as standard_conforming_strings says */
	FORM_ESCAPE,  /* E'' */
	FORM_BITS,    /* B'' X'': no way to write a quote in it */
	FORM_UNICODE, /* U&'' */
};

/* How the text at pos is quoted; the prefix's length. false: no string. */
static bool
scan_form(const struct scanner *s, enum form *form_out, size_t *prefix_out)
{
	unsigned char c = scan_peek(s, 0), next = scan_peek(s, 1);

	*form_out = FORM_PLAIN;
	*prefix_out = c == '\'' ? 0 : 1;
	if (c == '\'')
		return true;
	if (next == '&' && scan_peek(s, 2) == '\'' && (c | 0x20) == 'u') {
		*form_out = FORM_UNICODE;
		*prefix_out = 2;
		return true;
	}
	if (next != '\'')
		return false;
	switch (c | 0x20) {
	case 'e':
		*form_out = FORM_ESCAPE;
		return true;
	case 'b':
	case 'x':
		*form_out = FORM_BITS;
		return true;
	case 'n':
		return true;
	default:
		return false;
	}
}

bool
scan_at_string(const struct scanner *s)
{
	enum form form;
	size_t prefix;

	return scan_form(s, &form, &prefix);
}

bool
scan_at_quoted_name(const struct scanner *s)
{
	return scan_peek(s, 0) == '"' ||
	    ((scan_peek(s, 0) | 0x20) == 'u' && scan_peek(s, 1) == '&' &&
		scan_peek(s, 2) == '"');
}

/* Skip blanks and -- comments up to a quote that continues the string: at
 * least one newline between, and a comment only before a newline. false:
 * pos is where it was. */
static bool
scan_continues_string(struct scanner *s)
{
	size_t start = s->pos;
	bool newline = false;
	unsigned char c;

	while ((c = scan_peek(s, 0)) != 0) {
		if (c == '\n' || c == '\r') {
			newline = true;
			s->pos++;
		} else if (scan_is_blank(s, c)) {
			s->pos++;
		} else if (c == '-' && scan_peek(s, 1) == '-') {
			while (c != 0 && c != '\n' && c != '\r') {
				s->pos++;
				c = scan_peek(s, 0);
			}
		} else {
			break;
		}
	}
	if (c == '\'' && newline) {
		s->pos++;
		return true;
	}
	s->pos = start;
	return false;
}

/* \ooo and \xhh: a byte; 0..3 octal, 1..2 hex digits. */
static bool
scan_byte_escape(struct scanner *s, unsigned *byte_out)
{
	unsigned char c = scan_peek(s, 0);
	size_t digits = 0;

	*byte_out = 0;
	if (c == 'x' && scan_hex_value(scan_peek(s, 1)) >= 0) {
		s->pos++;
		while (digits < 2 && scan_hex_value(scan_peek(s, digits)) >= 0)
			*byte_out = *byte_out << 4 |
			    (unsigned)scan_hex_value(scan_peek(s, digits++));
	} else {
		while (digits < 3 && (c = scan_peek(s, digits)) >= '0' &&
		    c <= '7') {
			*byte_out = *byte_out << 3 | (unsigned)(c - '0');
			digits++;
		}
	}
	s->pos += digits;
	return digits > 0;
}

/* After a backslash of an E'' string. */
static enum err
scan_escape(struct scanner *s, struct unit *u, uint32_t *high)
{
	static const char from[] = "bfnrtv", to[] = "\b\f\n\r\t\v";
	unsigned char c = scan_peek(s, 0);
	size_t digits = c == 'u' ? 4 : c == 'U' ? 8 : 0;
	const char *known;
	uint32_t point;
	unsigned byte;

	if (digits > 0) {
		if (!scan_read_hex(s->sql, s->pos + 1, digits, &point) ||
		    !unit_add_escaped(u, point, high))
			return scan_fail(s, s->pos, "invalid Unicode escape");
		s->pos += 1 + digits;
		return ERR_NONE;
	}
	if (*high != 0)
		return scan_fail(s, s->pos, "half a Unicode surrogate pair");
	if (scan_byte_escape(s, &byte)) {
		if ((byte & 0xff) == 0)
			return scan_fail(s, s->pos, "an escaped NUL byte");
		/* it is of the server's encoding, and the text in UTF-8 */
		if ((byte & 0x80) != 0 && s->state->is_foreign_server)
			return scan_refuse(s, s->pos,
			    "a byte of an encoding that is not UTF8");
		unit_add(u, (unsigned char)byte);
		return ERR_NONE;
	}
	if (c == 'v' && s->version == 0)
		return scan_refuse(
		    s, s->pos, "\\v, which is a v to some versions");
	known = c == 0 || (c == 'v' && s->version < VERTICAL_TAB_VERSION)
		    ? NULL
		    : strchr(from, c);
	unit_add(u, known != NULL ? (unsigned char)to[known - from] : c);
	s->pos += c != 0;
	return ERR_NONE;
}

/* Up to and with the closing quote of one piece of a string. */
static enum err
scan_piece(struct scanner *s, enum form form, struct unit *u)
{
	size_t start = s->pos;
	uint32_t high = 0;
	enum err e = ERR_NONE;
	unsigned char c;

	while (e == ERR_NONE && (c = scan_peek(s, 0)) != 0) {
		s->pos++;
		if (c == '\\' && form == FORM_ESCAPE) {
			e = scan_escape(s, u, &high);
			continue;
		}
		if (high != 0)
			return scan_fail(
			    s, start, "half a Unicode surrogate pair");
		if (c == '\'' &&
		    (form == FORM_BITS || scan_peek(s, 0) != '\''))
			return ERR_NONE;
		s->pos += c == '\'';
		unit_add(u, c);
	}
	return e != ERR_NONE ? e
			     : scan_fail(s, start, "unterminated string");
}

/* All pieces of a string; pos is after its first quote. */
static enum err
scan_pieces(struct scanner *s, enum form form, struct unit *u)
{
	enum err e;

	do
		e = scan_piece(s, form, u);
	while (e == ERR_NONE && scan_continues_string(s));
	return e;
}

/* Measure, then borrow the text when it stands there as it is, else write
 * the value out. */
static enum err
scan_value(struct scanner *s, enum form form, struct token *t)
{
	size_t start = s->pos, end;
	struct unit u = {0};
	enum err e = scan_pieces(s, form, &u);

	if (e != ERR_NONE)
		return e;
	end = s->pos;
	if (u.len == end - start - 1) {
		t->name = (struct text){s->sql.at + start, u.len};
		return ERR_NONE;
	}
	u = (struct unit){.at = arena_alloc(s->arena, u.len + 1)};
	if (u.at == NULL)
		return ERR_MEMORY;
	s->pos = start;
	e = scan_pieces(s, form, &u);
	t->name = (struct text){u.at, u.len};
	return e;
}

enum err
scan_string(struct scanner *s, struct token *t)
{
	size_t start = s->pos, prefix;
	enum form form;
	enum err e;

	scan_form(s, &form, &prefix);
	if (form == FORM_PLAIN && !s->state->standard_conforming_strings)
		form = FORM_ESCAPE;
	if (form == FORM_UNICODE && !s->state->standard_conforming_strings)
		return scan_fail(s, start,
		    "U& strings need standard_conforming_strings");
	s->pos += prefix + 1;
	t->kind = TOKEN_STRING;
	e = scan_value(s, form, t);
	/* only escapes can have made it so */
	if (e == ERR_NONE && s->state->is_utf8 && form == FORM_ESCAPE &&
	    !text_is_utf8(t->name))
		return scan_fail(s, start, "a string of invalid UTF-8");
	return e;
}

/* The name between its quotes, each "" one ". */
static enum err
scan_undouble(struct scanner *s, struct text inside, struct text *out)
{
	char *copy = arena_copy(s->arena, inside.at, inside.len);
	size_t i, len = 0;

	if (copy == NULL)
		return ERR_MEMORY;
	for (i = 0; i < inside.len; i++) {
		copy[len++] = inside.at[i];
		i += inside.at[i] == '"';
	}
	*out = (struct text){copy, len};
	return ERR_NONE;
}

/* Find the closing quote; pos is after the opening one, then after it. */
static enum err
scan_inside_name(struct scanner *s, struct text *inside_out)
{
	size_t start = s->pos;
	bool doubled = false, foreign = false;
	enum err e = ERR_NONE;
	unsigned char c;

	while ((c = scan_peek(s, 0)) != 0) {
		s->pos++;
		if (c == '"' && scan_peek(s, 0) != '"')
			break;
		foreign |= c >= 0x80;
		doubled |= c == '"';
		s->pos += c == '"';
	}
	if (c == 0)
		return scan_fail(s, start - 1, "unterminated quoted name");
	*inside_out = (struct text){s->sql.at + start, s->pos - 1 - start};
	if (inside_out->len == 0)
		return scan_fail(s, start - 1, "an empty quoted name");
	if (foreign)
		e = scan_check_name(s, start - 1, *inside_out);
	if (e == ERR_NONE && doubled)
		e = scan_undouble(s, *inside_out, inside_out);
	return e;
}

enum err
scan_quoted_name(struct scanner *s, struct token *t)
{
	bool is_unicode = scan_peek(s, 0) != '"';
	enum err e;

	s->pos += is_unicode ? 3 : 1;
	t->kind = TOKEN_QUOTED;
	e = scan_inside_name(s, &t->name);
	/* U&"" is cut after its escapes are undone */
	if (e == ERR_NONE && !is_unicode)
		t->name = scan_cut_name(s, t->name);
	return e;
}

/* The delimiter at pos: $$ or $tag$. 0: there is none. */
static size_t
dollar_delimiter(const struct scanner *s)
{
	size_t len = 1;
	unsigned char c = scan_peek(s, len);

	if (scan_starts_name(c)) {
		while (scan_continues_name(c) && c != '$')
			c = scan_peek(s, ++len);
	}
	return c == '$' ? len + 1 : 0;
}

enum err
scan_dollar_string(struct scanner *s, struct token *t)
{
	size_t start = s->pos, len = dollar_delimiter(s), left;
	const char *delimiter = s->sql.at + start, *end;

	if (len == 0)
		return scan_fail(s, start, "a stray $");
	s->pos += len;
	left = s->sql.len - s->pos;
	end = memmem(s->sql.at + s->pos, left, delimiter, len);
	if (end == NULL)
		return scan_fail(s, start, "unterminated dollar quote");
	t->kind = TOKEN_STRING;
	t->name.at = s->sql.at + s->pos;
	t->name.len = (size_t)(end - t->name.at);
	s->pos += t->name.len + len;
	return ERR_NONE;
}
