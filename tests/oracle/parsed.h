/*
 * parsed.h - a text as libpg_query reads it.
 */
#ifndef SALLYPORT_ORACLE_PARSED_H
#define SALLYPORT_ORACLE_PARSED_H

#include <stdbool.h>
#include <stddef.h>

/* The parse tree as JSON; NULL: the parser refuses. The caller frees. */
char *parsed_tree(const char *sql);

/* Take out where things stand in the text, so that equal trees are equal
 * texts. In place. */
void parsed_forget_places(char *tree);

struct scanned {
	size_t start, end; /* bytes of the text */
	int kind;	   /* enum scanned_kind, or another of the parser's */
	int keyword;	   /* 0: it is none */
};

enum scanned_kind {
	SCANNED_NAME = 258,
	SCANNED_STRING = 261,
	SCANNED_INTEGER = 266,
	SCANNED_LINE_COMMENT = 275,
	SCANNED_COMMENT = 276,
};

/* The tokens; false: it has none or too many. */
bool parsed_scan(const char *sql, struct scanned *tokens, size_t room,
    size_t *count_out);

#endif
