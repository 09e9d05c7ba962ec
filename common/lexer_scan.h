/*
 * lexer_scan.h - the scanner's state, shared by lexer.c and lexer_string.c.
 *
 * Positions are byte offsets into sql, always <= sql.len.  A scan_ function
 * starts at pos and leaves pos after what it took; on an error it has called
 * scan_refuse() or scan_fail(), whose result it returns.
 */
#ifndef SALLYPORT_LEXER_SCAN_H
#define SALLYPORT_LEXER_SCAN_H

#include "common/lexer.h"

enum { LEXER_NAME_MAX = 63 }; /* bytes of a name the server keeps */

struct scanner {
	const struct lex_state *state;
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

/* Cut a name to what the server keeps, at a character's boundary. */
struct text scan_cut_name(const struct scanner *s, struct text name);

/* May names beyond ASCII be taken for what they say? */
bool scan_is_sure_name(const struct scanner *s);

/* Take what begins at pos: a string constant, with its prefix letters;
 * a quoted name; a dollar-quoted string.  Fill in kind and name. */
enum err scan_string(struct scanner *s, struct token *t) MUST_CHECK;
enum err scan_quoted_name(struct scanner *s, struct token *t) MUST_CHECK;
enum err scan_dollar_string(struct scanner *s, struct token *t) MUST_CHECK;

/* Does a string constant or a quoted name begin at pos, prefix included? */
bool scan_at_string(const struct scanner *s);
bool scan_at_quoted_name(const struct scanner *s);

/* Undo the escapes of a U& token in place, once it is known whether UESCAPE
 * follows. */
enum err scan_unescape(struct scanner *s, struct token *t,
    unsigned char escape) MUST_CHECK;

#endif
