/*
 * scanner.h - what PostgreSQL's own scanner makes of a text (libpg_query).
 *
 * Its tokens are put together as its parser does where the lexer's are one: N
 * and a string, a U& text and its UESCAPE.
 */
#ifndef SALLYPORT_ORACLE_SCANNER_H
#define SALLYPORT_ORACLE_SCANNER_H

#include <pg_query.h>

#include "common/lexer.h"

enum { SCANNED_MAX = 1 << 16 };

struct scanned_token {
	enum token_kind kind;
	size_t start, end;
	bool has_end; /* it is not told where U& texts end */
};

struct scanned {
	bool is_error;	    /* it has no tokens */
	bool has_stranger;  /* a character that the grammar does not know */
	bool has_unicode;   /* U&: escapes are looked into by the parser */
	/* Here libpg_query is not PostgreSQL's scanner: it knows `?` as a
	 * parameter, takes $1abc in versions since 15, and 1abc in 15, and
	 * does not join two strings with a comment between. */
	bool is_peculiar;
	size_t count;
	struct scanned_token tokens[SCANNED_MAX];
};

typedef PgQueryScanResult (*scan_function)(const char *sql);

void scanner_run(scan_function scan, unsigned version, const char *sql,
    struct scanned *out);

#endif
