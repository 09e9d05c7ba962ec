/*
 * query_dump.h - a query's tree as an S-expression, for tests and the oracle.
 *
 * What the server's tree does not tell apart is not told apart here either: a
 * constant with a type is a cast, a signed number is a constant.
 */
#ifndef SALLYPORT_QUERY_DUMP_H
#define SALLYPORT_QUERY_DUMP_H

#include <stdio.h>

#include "common/query.h"

void query_dump(
    FILE *to, const struct token *tokens, const struct query_tree *tree);

#endif
