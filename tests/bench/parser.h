/*
 * parser.h - PostgreSQL's own parser (libpg_query), to compare with.
 */
#ifndef SALLYPORT_BENCH_PARSER_H
#define SALLYPORT_BENCH_PARSER_H

#include "common/text.h"

/* Parse a text, which has a NUL after it, and drop the tree. Ends the program
 * when the parser refuses it: nothing would be compared. */
void parser_raw(struct text sql); /* the server's raw_parser() alone */
void parser_full(struct text sql); /* pg_query_parse(): the tree as JSON */

#endif
