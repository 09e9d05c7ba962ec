/*
 * lexer_unicode.c - Unicode escapes, in E'' and U& texts, and UESCAPE.
 *
 * The one rule: whether UESCAPE belongs to the text before it is found out as
 * the server's version does; before 13 its scanner looked for it byte by byte,
 * since then its parser does token by token.
 */
#include "common/lexer_scan.h"

enum { UESCAPE_TOKENS_VERSION = 13 };

bool
scan_read_hex(struct text t, size_t at, size_t digits, uint32_t *out)
{
	size_t i;

	*out = 0;
	if (at > t.len || digits > t.len - at)
		return false;
	for (i = 0; i < digits; i++) {
		int value = scan_hex_value((unsigned char)t.at[at + i]);

		if (value < 0)
			return false;
		*out = *out << 4 | (uint32_t)value;
	}
	return true;
}

/* As UTF-8. */
static void
unit_add_point(struct unit *u, uint32_t point)
{
	if (point < 0x80) {
		unit_add(u, (unsigned char)point);
		return;
	}
	if (point < 0x800) {
		unit_add(u, (unsigned char)(0xc0 | point >> 6));
	} else if (point < 0x10000) {
		unit_add(u, (unsigned char)(0xe0 | point >> 12));
		unit_add(u, (unsigned char)(0x80 | (point >> 6 & 0x3f)));
	} else {
		unit_add(u, (unsigned char)(0xf0 | point >> 18));
		unit_add(u, (unsigned char)(0x80 | (point >> 12 & 0x3f)));
		unit_add(u, (unsigned char)(0x80 | (point >> 6 & 0x3f)));
	}
	unit_add(u, (unsigned char)(0x80 | (point & 0x3f)));
}

bool
unit_add_escaped(struct unit *u, uint32_t point, uint32_t *high)
{
	bool is_low = point >= 0xdc00 && point <= 0xdfff;

	if ((*high != 0) != is_low || point == 0 || point > 0x10ffff)
		return false;
	if (point >= 0xd800 && point <= 0xdbff) {
		*high = point;
		return true;
	}
	if (is_low)
		point = 0x10000 + ((*high - 0xd800) << 10) + (point - 0xdc00);
	*high = 0;
	unit_add_point(u, point);
	return true;
}

/* --- UESCAPE -------------------------------------------------------------- */

struct uescape {
	bool is_there;
	unsigned char escape;
	size_t end; /* after it */
};

/* Does the word begin at pos, as part of a longer one perhaps? */
static bool
is_at_uescape(const struct scanner *s)
{
	static const char word[] = "uescape";
	size_t i;

	for (i = 0; i < sizeof(word) - 1; i++) {
		if ((scan_peek(s, i) | 0x20) != (unsigned char)word[i])
			return false;
	}
	return true;
}

static void
skip_but_block_comments(struct scanner *s)
{
	for (;;) {
		unsigned char c = scan_peek(s, 0);

		if (c != 0 && scan_is_blank(s, c)) {
			s->pos++;
		} else if (c == '-' && scan_peek(s, 1) == '-') {
			while (c != 0 && c != '\n' && c != '\r')
				s->pos++, c = scan_peek(s, 0);
		} else {
			break;
		}
	}
}

/* As before version 13: UESCAPE, white space, a single byte in quotes; all
 * else is no UESCAPE. */
static struct uescape
look_by_bytes(struct scanner *s)
{
	size_t start = s->pos;
	struct uescape u = {.is_there = false};

	skip_but_block_comments(s);
	if (is_at_uescape(s)) {
		s->pos += sizeof("uescape") - 1;
		skip_but_block_comments(s);
		u.escape = scan_peek(s, 1);
		u.is_there = scan_peek(s, 0) == '\'' && u.escape != 0 &&
			     u.escape != '\'' && scan_peek(s, 2) == '\'';
		u.end = s->pos + 3;
	}
	s->pos = start;
	return u;
}

/* The string that must follow UESCAPE: '', E'' or $$. */
static enum err
scan_escape_string(struct scanner *s, struct uescape *u)
{
	size_t at = s->pos;
	struct token t = {0};
	enum err e = scan_skip_blanks(s);
	unsigned char c = scan_peek(s, 0);

	if (e != ERR_NONE)
		return e;
	if (c == '\'' || c == '$' ||
	    ((c | 0x20) == 'e' && scan_peek(s, 1) == '\''))
		e = scan_next(s, &t);
	if (e != ERR_NONE)
		return e;
	if (t.raw.len == 0 || t.kind != TOKEN_STRING)
		return scan_fail_here(
		    s, at, "UESCAPE without a simple string");
	if (t.name.len != 1)
		return scan_fail_here(s, at, "invalid UESCAPE character");
	*u = (struct uescape){.is_there = true,
	    .escape = (unsigned char)t.name.at[0],
	    .end = s->pos};
	return ERR_NONE;
}

/* As since version 13: the next token, if it is the word. */
static enum err
look_by_tokens(struct scanner *s, struct uescape *out)
{
	const size_t word = sizeof("uescape") - 1;
	size_t start = s->pos;
	enum err e = scan_skip_blanks(s);

	*out = (struct uescape){.is_there = false};
	if (e == ERR_NONE && is_at_uescape(s) &&
	    !scan_continues_name(scan_peek(s, word))) {
		s->pos += word;
		e = scan_escape_string(s, out);
	}
	s->pos = start;
	return e;
}

static enum err
look_for_uescape(struct scanner *s, struct uescape *out)
{
	struct uescape other;
	enum err e;

	if (s->version != 0 && s->version < UESCAPE_TOKENS_VERSION) {
		*out = look_by_bytes(s);
		return ERR_NONE;
	}
	e = look_by_tokens(s, out);
	if (e != ERR_NONE || s->version != 0)
		return e;
	other = look_by_bytes(s);
	if (other.is_there != out->is_there ||
	    (other.is_there &&
		(other.end != out->end || other.escape != out->escape)))
		return scan_refuse(s, s->pos,
		    "UESCAPE in a form that not every version knows");
	return ERR_NONE;
}

static bool
is_fit_escape(const struct scanner *s, unsigned char c)
{
	/* a vertical tab is fit until it is white space */
	return c < 0x80 && scan_hex_value(c) < 0 && c != '+' && c != '\'' &&
	       c != '"' && !scan_is_blank(s, c) &&
	       (c != '\v' || s->version != 0);
}

/* --- U& texts ------------------------------------------------------------- */

/* One escape of a U& text at `at`, which is after the escape character;
 * how many bytes it took, 0 when it is none. */
static size_t
unicode_escape(struct text from, size_t at, uint32_t *point_out)
{
	if (at < from.len && from.at[at] == '+')
		return scan_read_hex(from, at + 1, 6, point_out) ? 7 : 0;
	return scan_read_hex(from, at, 4, point_out) ? 4 : 0;
}

static bool
unescape(struct text from, unsigned char escape, struct unit *u)
{
	uint32_t high = 0, point;
	size_t i = 0, took;

	while (i < from.len) {
		unsigned char c = (unsigned char)from.at[i++];
		bool is_escape = c == escape;

		if (is_escape && i < from.len &&
		    (unsigned char)from.at[i] == escape) {
			is_escape = false;
			i++;
		}
		if (!is_escape) {
			if (high != 0)
				return false;
			unit_add(u, c);
			continue;
		}
		took = unicode_escape(from, i, &point);
		if (took == 0 || !unit_add_escaped(u, point, &high))
			return false;
		i += took;
	}
	return high == 0;
}

/* The token's name with its escapes undone. */
static enum err
scan_unescape(struct scanner *s, struct token *t, unsigned char escape)
{
	size_t at = (size_t)(t->raw.at - s->sql.at);
	struct unit u = {.at = arena_alloc(s->arena, t->name.len + 1)};
	enum err e = ERR_NONE;

	if (u.at == NULL)
		return ERR_MEMORY;
	if (!unescape(t->name, escape, &u)) {
		/* 12 wraps code points that are too large */
		if (s->version >= UESCAPE_TOKENS_VERSION)
			return scan_fail(s, at, "invalid Unicode escape");
		return scan_refuse(s, at, "invalid Unicode escape");
	}
	t->name = (struct text){u.at, u.len};
	if (t->kind != TOKEN_QUOTED)
		return ERR_NONE;
	e = scan_check_name(s, at, t->name);
	t->name = scan_cut_name(s, t->name);
	return e;
}

bool
scan_is_unicode(const struct token *t)
{
	return (t->kind == TOKEN_QUOTED || t->kind == TOKEN_STRING) &&
	       t->raw.len > 2 && (t->raw.at[0] | 0x20) == 'u' &&
	       t->raw.at[1] == '&';
}

enum err
scan_finish_unicode(struct scanner *s, struct token *t)
{
	struct uescape u;
	enum err e = look_for_uescape(s, &u);

	if (e != ERR_NONE)
		return e;
	if (!u.is_there)
		return scan_unescape(s, t, '\\');
	if (!is_fit_escape(s, u.escape))
		return scan_fail_here(s, s->pos, "invalid UESCAPE character");
	s->pos = u.end;
	t->raw.len = s->pos - (size_t)(t->raw.at - s->sql.at);
	return scan_unescape(s, t, u.escape);
}
