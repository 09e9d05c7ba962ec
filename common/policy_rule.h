/*
 * policy_rule.h - what the tables of a policy file share; only for
 * policy_rule.c and policy_file.c.
 */
#ifndef SALLYPORT_POLICY_RULE_H
#define SALLYPORT_POLICY_RULE_H

#include "common/policy_file.h"

enum { RULE_NAME_MAX = 120 /* bytes; also of a protect's name */ };

/* Fills a struct rule. r->context is a struct policy_names. */
extern const struct schema policy_rule_schema;

/* Complain when a key's text is longer than `most` bytes. */
void policy_check_length(struct reading *r, const struct node *map,
    const char *key, struct text value, size_t most);

/* Complain about each glob of a key that has not `least` to `most` parts, or
 * an empty one. `expected` says what it should be. */
void policy_check_glob_parts(struct reading *r, const struct node *map,
    const char *key, const struct text *globs, size_t count, size_t least,
    size_t most, const char *expected);

/* There is no upstream of that name: which is near? */
void policy_complain_of_upstream(
    struct reading *r, const struct node *word);

#endif
