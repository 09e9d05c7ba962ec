/*
 * lexer.h - SQL text into tokens, as the server's scanner sees them.
 *
 * A token borrows from the SQL text.  Where the server would see something
 * else than we do, or we cannot know, the lexer refuses: an error here is a
 * denied statement, never a guess.  Source: src/backend/parser/scan.l of
 * PostgreSQL 12 to 18 and documentation chapter 4.1.
 */
#ifndef SALLYPORT_LEXER_H
#define SALLYPORT_LEXER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/text.h"

/* Versions of the server whose scanner is known, each in its own rules. */
enum { LEXER_VERSION_FIRST = 12, LEXER_VERSION_LAST = 18 };

enum dialect { DIALECT_POSTGRES, DIALECT_MYSQL, DIALECT_SQLITE, DIALECT_MAX };

enum token_kind {
	TOKEN_WORD,	  /* unquoted name or keyword */
	TOKEN_QUOTED,	  /* "name", U&"name" */
	TOKEN_STRING,	  /* any string constant: '', E'', U&'', $$ $$, B'' */
	TOKEN_NUMBER,
	TOKEN_PARAMETER,  /* $1 */
	TOKEN_OPERATOR,	  /* a run of operator characters, :: and := too */
	TOKEN_PUNCTUATION /* one of ( ) [ ] , ; . : */
};

struct token {
	enum token_kind kind;
	struct text raw;  /* as written, with its quotes */
	struct text name; /* WORD: folded as the server folds; QUOTED: unquoted,
			   * unescaped; both cut to the server's 63 bytes.
			   * STRING: the value. Else the same as raw. */
};

/* This unquoted word, given as the server folds it? */
static inline bool
token_is_word(const struct token *t, struct text word)
{
	return t->kind == TOKEN_WORD && text_is(t->name, word);
}

/* A word, quoted or not? (It may be a keyword.) */
static inline bool
token_is_name(const struct token *t)
{
	return t->kind == TOKEN_WORD || t->kind == TOKEN_QUOTED;
}

/* This bracket, comma, semicolon, dot or colon? */
static inline bool
token_is_mark(const struct token *t, char mark)
{
	return t->kind == TOKEN_PUNCTUATION && t->raw.at[0] == mark;
}

/* The session's state that changes how text is lexed. */
struct lex_state {
	enum dialect dialect;
	bool standard_conforming_strings;
	bool is_utf8; /* client_encoding is UTF8 (else single-byte ASCII
		       * superset); text is validated */
	/* Names beyond ASCII may be other names to the server: refuse them. */
	bool doubts_names;
	/* The server's own encoding is not UTF-8: it folds and cuts names
	 * beyond ASCII in ways of its own. */
	bool is_foreign_server;
	/* The server's major version. One that is not known (0: not told):
	 * what versions read in different ways is refused. */
	unsigned version;
};

/* Does the server refuse, too, what the lexer refused? */
enum lexer_fault {
	FAULT_FOR_US,	  /* perhaps not; it may be whole to it */
	FAULT_FOR_SERVER, /* surely: an open quote and the like */
};

struct lexed {
	struct token *tokens; /* in the arena */
	size_t count;
	const char *error; /* why it was refused, static; NULL if it was not */
	size_t error_at;   /* byte offset of the trouble in the text */
	enum lexer_fault fault;
	struct text trace_comment; /* the last comment that holds `=`, for
				    * claims such as traceparent; or len 0 */
};

/* Lex all of `sql` (which may hold several statements).
 * ERR_MALFORMED: refused, see error; ERR_TOO_LONG: over 1,000,000 tokens;
 * ERR_MEMORY.  Never reads past sql.len; a NUL byte is a refusal. */
enum err lexer_run(const struct lex_state *state, struct text sql,
    struct arena *a, struct lexed *out) MUST_CHECK;

#endif
