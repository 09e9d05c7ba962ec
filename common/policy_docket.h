/*
 * policy_docket.h - the rules that concern one identity at one place, sorted
 * by what they speak of; only for policy_docket.c and policy_decide.c.
 */
#ifndef SALLYPORT_POLICY_DOCKET_H
#define SALLYPORT_POLICY_DOCKET_H

#include "common/policy.h"

struct docket_rule {
	const struct rule *rule;
	uint64_t initials;   /* rule_initials() */
	uint64_t operations; /* rule_operations() */
};

struct docket {
	struct docket_rule *rules; /* in the policy's order */
	size_t count;
	size_t words; /* of 64 rules each */
	/* For each operation the set of rules that speak of it. */
	uint64_t *sets;
};

/* The rules of 64, beginning with 64 * `word`, that speak of any of these. */
static inline uint64_t
docket_set(const struct docket *d, uint64_t operations, size_t word)
{
	uint64_t set = 0;

	for (; operations != 0; operations &= operations - 1)
		set |= d->sets[(size_t)__builtin_ctzll(operations) * d->words +
		    word];
	return set;
}

/* Do its who and on hold? */
bool rule_concerns(const struct rule *r, const struct identity *id,
    const struct place *place);

/* The operations it speaks of. An unknown statement is allowed or asked for
 * only by a rule that names `unknown`. */
uint64_t rule_operations(const struct rule *r);

#endif
