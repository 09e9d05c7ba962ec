/*
 * copy_statement.h - a COPY … TO STDOUT, read off its tokens.
 *
 * Pure.  What is not read surely, by the server's own grammar, is refused.
 * Source: PostgreSQL documentation, COPY; src/backend/parser/gram.y (15).
 */
#ifndef SALLYPORT_COPY_STATEMENT_H
#define SALLYPORT_COPY_STATEMENT_H

#include "common/lexer.h"
#include "worker/postgres/copy/copy_format.h"

enum {
	COPY_COLUMNS_MAX = 1664,
	COPY_NAME_PARTS = 3, /* database, schema, relation */
};

struct copy_statement {
	bool is_query;
	struct text query; /* what stands in COPY ( … ), as it was written */
	struct text relation[COPY_NAME_PARTS];
	size_t relation_parts;
	struct text *columns; /* in the arena */
	size_t column_count;  /* 0: none were given */
	struct copy_format format;
	struct text *quoted; /* FORCE_QUOTE's columns, in the arena */
	size_t quoted_count;
	bool quotes_all;
	bool has_encoding; /* ENCODING 'UTF8' was given; no other passes */
	const char *error; /* why it was refused, static */
};

/* Texts borrow from the tokens. ERR_UNSUPPORTED: refused, see error;
 * ERR_MEMORY (error is set, too). */
enum err copy_statement_read(const struct token *tokens, size_t count,
    struct arena *a, struct copy_statement *out) MUST_CHECK;

/* The query that gives the rows it copies. Positions in the text are those in
 * `sql`, the whole statement, when it copies a query: what stands around the
 * query becomes spaces. */
void copy_put_query(
    struct buffer *b, const struct copy_statement *c, struct text sql);

#endif
