/*
 * server_tree.h - libpg_query's tree as the S-expression of query_dump.h.
 */
#ifndef SALLYPORT_SERVER_TREE_H
#define SALLYPORT_SERVER_TREE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* false: the statement is none that the query parser is for. */
bool server_tree(FILE *to, const json_t *statement);

#endif
