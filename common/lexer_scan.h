/*
 * lexer_scan.h - the scanner's state, shared by the lexer's files:
 *
 *   lexer.c          blanks, comments, words, operators; the loop
 *   lexer_number.c   numbers and parameters, which differ most by version
 *   lexer_string.c   every way to quote
 *   lexer_unicode.c  Unicode escapes, UESCAPE
 *
 * Positions are byte offsets into sql, always <= sql.len.  A scan_ function
 * starts at pos and leaves pos after what it took; on an error it has called
 * scan_refuse() or one of its kind, whose result it returns.
 */
#ifndef SALLYPORT_LEXER_SCAN_H
#define SALLYPORT_LEXER_SCAN_H

#include "common/lexer.h"

enum {
	LEXER_NAME_MAX = 63,	   /* bytes of a name the server keeps */
	VERTICAL_TAB_VERSION = 17, /* since which it is white space, and \v */
};

struct scanner {
	const struct lex_state *state;
	unsigned version; /* of the server; 0: any of those we know */
	struct text sql;
	size_t pos;
	struct arena *arena;
	size_t room; /* tokens that fit lexed->tokens */
	struct lexed *lexed;
};

/* Note why and where; ERR_MALFORMED. */
enum err scan_refuse(struct scanner *s, size_t at, const char *why) MUST_CHECK;
/* Likewise, for what no version of the server takes. */
enum err scan_fail(struct scanner *s, size_t at, const char *why) MUST_CHECK;
/* Likewise, for what the server of this version does not take; while the
 * version is not known, it may. */
enum err scan_fail_here(
    struct scanner *s, size_t at, const char *why) MUST_CHECK;

/* The byte at pos + ahead, or 0 past the end: sql holds no NUL. */
static inline unsigned char
scan_peek(const struct scanner *s, size_t ahead)
{
	size_t left = s->sql.len - s->pos;

	return ahead < left ? (unsigned char)s->sql.at[s->pos + ahead] : 0;
}

/* May this byte start / continue an unquoted name? */
bool scan_starts_name(unsigned char c);
bool scan_continues_name(unsigned char c);

static inline bool
scan_is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* 0..15, or -1: no hexadecimal digit. */
int scan_hex_value(unsigned char c);

/* Is it white space to the server's scanner? */
bool scan_is_blank(const struct scanner *s, unsigned char c);

/* Skip white space and comments. */
enum err scan_skip_blanks(struct scanner *s) MUST_CHECK;

/* Cut a name to what the server keeps, at a character's boundary. */
struct text scan_cut_name(const struct scanner *s, struct text name);

/* Is this name, written in quotes at `at`, surely this name to the server? */
enum err scan_check_name(
    struct scanner *s, size_t at, struct text name) MUST_CHECK;

/* Take what begins at pos: a number; a parameter. */
enum err scan_number(struct scanner *s, struct token *t) MUST_CHECK;
enum err scan_parameter(struct scanner *s, struct token *t) MUST_CHECK;

/* Take the next token, whatever it is; not at the end. */
enum err scan_next(struct scanner *s, struct token *t) MUST_CHECK;

/* Take what begins at pos: a string constant, with its prefix letters;
 * a quoted name; a dollar-quoted string.  Fill in kind and name. */
enum err scan_string(struct scanner *s, struct token *t) MUST_CHECK;
enum err scan_quoted_name(struct scanner *s, struct token *t) MUST_CHECK;
enum err scan_dollar_string(struct scanner *s, struct token *t) MUST_CHECK;

/* Does a string constant or a quoted name begin at pos, prefix included? */
bool scan_at_string(const struct scanner *s);
bool scan_at_quoted_name(const struct scanner *s);

/* A value being measured (at NULL), then written. */
struct unit {
	char *at;
	size_t len;
};

static inline void
unit_add(struct unit *u, unsigned char c)
{
	if (u->at != NULL)
		u->at[u->len] = (char)c;
	u->len++;
}

/* Add a code point as UTF-8, joining surrogates: `high` holds the first half
 * until its second comes. False: there is no such character. */
bool unit_add_escaped(struct unit *u, uint32_t point, uint32_t *high);

/* Exactly `digits` hex digits of `t` from `at`. */
bool scan_read_hex(struct text t, size_t at, size_t digits, uint32_t *out);

/* Is it U&'' or U&""? Then what ends it is UESCAPE, if that follows: take
 * that and undo the escapes. */
bool scan_is_unicode(const struct token *t);
enum err scan_finish_unicode(struct scanner *s, struct token *t) MUST_CHECK;

#endif
