/*
 * server_inner.h - what the writers of the server's tree share.
 *
 * Each writes one kind of node, with a space before it.
 */
#ifndef SALLYPORT_SERVER_INNER_H
#define SALLYPORT_SERVER_INNER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Members of a node: NULL, "" and false where there is none. */
const json_t *node_get(const json_t *node, const char *key);
const char *node_string(const json_t *node, const char *key);
bool node_is(const json_t *node, const char *key, const char *value);
bool node_is_true(const json_t *node, const char *key);

const json_t *list_at(const json_t *list, size_t i);
size_t list_size(const json_t *list);
/* A String node's value; that of the last of a list. */
const char *list_string(const json_t *node);
const char *list_last(const json_t *list_of_names);

/* Is it a node of that kind that nobody wrote? FETCH FIRST ROW is FETCH FIRST
 * 1 ROW. */
bool server_made_up(const json_t *node, const char *kind);

/* (what a b c); a.b.c */
void server_names(FILE *to, const char *what, const json_t *list);
void server_dotted(FILE *to, const json_t *list, bool is_system);
/* Expressions, one after another; in (what …), unless there are none. */
void server_each(FILE *to, const json_t *list);
void server_list(FILE *to, const char *what, const json_t *items);
void server_one(FILE *to, const char *what, const json_t *node);
void server_values(FILE *to, const json_t *targets);
void server_sort_keys(FILE *to, const json_t *keys);

void server_expression(FILE *to, const json_t *node);
void server_constant(FILE *to, const json_t *c);
void server_column(FILE *to, const json_t *c);
void server_indirection(
    FILE *to, const json_t *arg, const json_t *steps, size_t count);
void server_cast(FILE *to, const json_t *c);
void server_operator(FILE *to, const json_t *e);
void server_boolean(FILE *to, const json_t *e);
void server_call(FILE *to, const json_t *c);
void server_value(FILE *to, const json_t *e);
void server_xml(FILE *to, const json_t *e);
void server_window(FILE *to, const json_t *w);

void server_from(FILE *to, const json_t *node);
void server_from_list(FILE *to, const json_t *items);
void server_relation(FILE *to, const json_t *r);
void server_relation_name(FILE *to, const json_t *r);

void server_query(FILE *to, const json_t *node);
void server_targets(FILE *to, const char *what, const json_t *items);
void server_with(FILE *to, const json_t *clause);
/* word: insert, update, delete or merge */
void server_change(FILE *to, const json_t *s, const char *word);

#endif
