/*
 * policy_docket.c - which rules concern whom, where, doing what.
 *
 * The rule: what is left out of a docket could not have matched, whatever the
 * statement.
 */
#include <stdlib.h>

#include "common/policy_docket.h"
#include "common/policy_touch.h"

#define EVERY_KNOWN_OPERATION (BIT(OP_MAX) - 1 - BIT(OP_UNKNOWN))

static bool
any_text(const struct text *globs, size_t count, struct text value)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (text_glob(globs[i], value))
			return true;
	}
	return count == 0;
}

static bool
label_matches(const struct label *wanted, const struct place *place)
{
	size_t i;

	for (i = 0; i < place->label_count; i++) {
		if (text_is(place->labels[i].key, wanted->key) &&
		    text_glob(wanted->value, place->labels[i].value))
			return true;
	}
	return false;
}

/* Each label the rule names must hold; several values of one are any of. */
static bool
labels_match(const struct on *on, const struct place *place)
{
	size_t i, k;

	for (i = 0; i < on->label_count; i++) {
		bool holds = false;

		for (k = 0; k < on->label_count && !holds; k++)
			holds = text_is(on->labels[i].key, on->labels[k].key) &&
			    label_matches(&on->labels[k], place);
		if (!holds)
			return false;
	}
	return true;
}

static bool
on_matches(const struct on *on, const struct place *place)
{
	return any_text(on->upstream, on->upstream_count, place->upstream) &&
	    any_text(on->database, on->database_count, place->database) &&
	    labels_match(on, place);
}

bool
rule_concerns(const struct rule *r, const struct identity *id,
    const struct place *place)
{
	return who_matches(&r->who, id) && on_matches(&r->on, place);
}

uint64_t
rule_operations(const struct rule *r)
{
	uint64_t does = r->does == 0 ? EVERY_KNOWN_OPERATION : r->does;
	bool is_permitting = r->then == THEN_ALLOW || r->then == THEN_APPROVE;

	if (!is_permitting &&
	    (does & EVERY_KNOWN_OPERATION) == EVERY_KNOWN_OPERATION)
		does |= BIT(OP_UNKNOWN);
	return does;
}

static void
add_rule(struct docket *d, const struct rule *r)
{
	uint64_t operations = rule_operations(r);
	size_t i = d->count++;

	d->rules[i] = (struct docket_rule){r, rule_initials(r), operations};
	for (; operations != 0; operations &= operations - 1)
		d->sets[(size_t)__builtin_ctzll(operations) * d->words +
		    i / 64] |= BIT(i % 64);
}

struct docket *
docket_new(const struct policy *p, const struct identity *id,
    const struct place *place)
{
	struct docket *d = calloc(1, sizeof(*d));
	size_t i;

	if (d == NULL)
		return NULL;
	d->words = p->rule_count / 64 + 1;
	d->rules = calloc(p->rule_count + 1, sizeof(*d->rules));
	d->sets = calloc(64 * d->words, sizeof(*d->sets));
	if (d->rules == NULL || d->sets == NULL) {
		docket_free(d);
		return NULL;
	}
	for (i = 0; i < p->rule_count; i++) {
		if (rule_concerns(&p->rules[i], id, place))
			add_rule(d, &p->rules[i]);
	}
	return d;
}

static bool
frees_escaping(const struct docket_rule *d)
{
	const struct rule *r = d->rule;

	return r->then == THEN_ALLOW &&
	    r->has == BIT(TRAIT_ESCAPING_FUNCTION) && r->lacks == 0 &&
	    r->to_count == 0 && r->matches.len == 0 && r->when == NULL &&
	    (d->operations & EVERY_KNOWN_OPERATION) == EVERY_KNOWN_OPERATION;
}

bool
docket_frees_escaping(const struct docket *d)
{
	bool is_free = false;
	size_t i;

	for (i = 0; i < d->count; i++) {
		const struct rule *r = d->rules[i].rule;

		if (frees_escaping(&d->rules[i]))
			is_free = true;
		else if (((r->has | r->lacks) &
			     BIT(TRAIT_ESCAPING_FUNCTION)) != 0)
			return false;
	}
	return is_free;
}

void
docket_free(struct docket *d)
{
	if (d == NULL)
		return;
	free(d->rules);
	free(d->sets);
	free(d);
}
