/*
 * policy_touch.h - which relations of a statement a rule means; only for
 * policy_decide.c.
 */
#ifndef SALLYPORT_POLICY_TOUCH_H
#define SALLYPORT_POLICY_TOUCH_H

#include "common/policy.h"

/* How operations touch relations; how a relation is touched. */
enum {
	TOUCH_READ = 1,
	TOUCH_WRITE = 2,
	TOUCH_ANY = TOUCH_READ | TOUCH_WRITE,
};

/* A relation of the statement and where its name may lead. */
struct touched {
	const struct relation_use *use;
	unsigned touch;
	bool is_resolved;
	bool is_ignored; /* only the name of a WITH query */
	bool has_more;	 /* candidates that did not fit */
	struct text *schemas;
	size_t schema_count;
};

/* All of a statement's relations. */
struct touches {
	relation_resolver resolve;
	void *context;
	struct arena *arena;
	struct touched *at;
	size_t count;
	uint64_t operations; /* the statement's, and what they imply */
};

/* Take a statement's relations and operations; resolve, context and arena are
 * set already.  No operation at all is OP_UNKNOWN; a relation that none of
 * them answers for adds one.  ERR_MEMORY. */
enum err touches_gather(
    struct touches *all, const struct statement *s) MUST_CHECK;

/* Names by their first byte: which a rule with `to` can mean, and which the
 * statement has. Without a bit in common the rule means none of them. */
uint64_t rule_initials(const struct rule *r);
uint64_t touches_initials(const struct touches *all);

/* How any of these operations may touch relations. */
unsigned touch_of(uint64_t operations);

/* Find out, once, where its name may lead. Due before the next two. */
enum err touched_resolve(
    struct touches *all, struct touched *t) MUST_CHECK;

/* For a rule with `to` that denies, asks or observes: may it be meant? */
bool touched_may_be_meant(const struct touched *t, const struct rule *r);

/* For a rule with `to` that allows: is it meant for sure? */
bool touched_is_surely_meant(const struct touched *t, const struct rule *r);

#endif
