/*
 * protection.c - what of a policy applies to one identity.
 *
 * The rule: strict when in doubt.  What the policy says is split and filtered
 * once a session; what the catalogue says is cached until its next reading.
 */
#include <stdlib.h>

#include "common/protection_inner.h"

const struct column_protection protection_strict = {
    .mask = MASK_REDACT, .is_derived = true};

enum predicates
predicates_stricter(enum predicates a, enum predicates b)
{
	static const int strictness[] = {[PREDICATES_ALLOW] = 0,
	    [PREDICATES_EQUALITY] = 1, [PREDICATES_DENY] = 2};

	return strictness[a] >= strictness[b] ? a : b;
}

void
protection_add(struct column_protection *to, const struct protect *protect,
    bool is_derived)
{
	enum mask wanted = protect == NULL ? MASK_REDACT : protect->mask;
	enum mask mask;

	/* An excerpt of a value may be what the mask would have kept. */
	if (is_derived)
		wanted = mask_stricter(wanted, MASK_REDACT);
	mask = mask_stricter(to->mask, wanted);
	if (to->protect == NULL || mask != to->mask)
		to->protect = protect != NULL ? protect : to->protect;
	to->mask = mask;
	to->is_derived |= is_derived;
	to->is_denied |= is_derived && protect != NULL &&
	    protect->derived == DERIVED_DENY;
}

/* --- making one ----------------------------------------------------------- */

static bool
is_clear(const struct protect *protect, const struct identity *identity)
{
	size_t i;

	for (i = 0; i < protect->clear_for_count; i++) {
		if (who_matches(&protect->clear_for[i], identity))
			return true;
	}
	return false;
}

/* The part after the last dot is cut off `rest`; "*" when nothing is left. */
static struct text
last_part(struct text *rest)
{
	struct text part;
	size_t i = rest->len;

	if (rest->at == NULL)
		return TEXT("*");
	while (i > 0 && rest->at[i - 1] != '.')
		i--;
	part = (struct text){rest->at + i, rest->len - i};
	*rest = i == 0 ? (struct text){NULL, 0}
		       : (struct text){rest->at, i - 1};
	return part;
}

/* More dots than two belong to the schema's name. */
static struct protection_pattern
pattern_of(const struct protect *protect, struct text written)
{
	struct protection_pattern pattern = {.protect = protect};

	pattern.column = last_part(&written);
	pattern.table = last_part(&written);
	pattern.schema = written.at == NULL ? TEXT("*") : written;
	return pattern;
}

static void
apply(struct protection *p, const struct protect *protect)
{
	size_t i;

	for (i = 0; i < protect->column_count; i++)
		p->patterns[p->pattern_count++] =
		    pattern_of(protect, protect->columns[i]);
	for (i = 0; i < DETECT_MAX; i++) {
		if ((protect->detectors & BIT(i)) != 0)
			p->detector_masks[i] = mask_stricter(
			    p->detector_masks[i], protect->mask);
	}
	p->detectors |= protect->detectors;
	p->is_empty = false;
}

static size_t
count_patterns(const struct policy *policy)
{
	size_t i, count = 0;

	for (i = 0; i < policy->protect_count; i++)
		count += policy->protects[i].column_count;
	return count;
}

struct protection *
protection_new(const struct policy *policy, const struct identity *identity,
    struct store *catalog, struct text upstream, struct text database)
{
	struct protection *p = calloc(1, sizeof(*p));
	size_t i;

	if (p == NULL)
		return NULL;
	p->policy = policy;
	p->identity = identity;
	p->catalog = catalog;
	p->upstream = upstream;
	p->database = database;
	p->is_empty = true;
	p->cache = arena_new(PROTECTION_CACHE_MAX);
	p->scratch = arena_new(PROTECTION_FLOW_MAX);
	p->patterns =
	    calloc(count_patterns(policy) + 1, sizeof(*p->patterns));
	if (p->cache == NULL || p->scratch == NULL || p->patterns == NULL) {
		protection_free(p);
		return NULL;
	}
	for (i = 0; i < policy->protect_count; i++) {
		if (!is_clear(&policy->protects[i], identity))
			apply(p, &policy->protects[i]);
	}
	return p;
}

void
protection_free(struct protection *p)
{
	if (p == NULL)
		return;
	arena_free(p->cache);
	arena_free(p->scratch);
	free(p->patterns);
	free(p->steps);
	free(p);
}

/* --- small questions ------------------------------------------------------ */

bool
protection_is_empty(const struct protection *p)
{
	return p->is_empty;
}

uint64_t
protection_detectors(const struct protection *p)
{
	return p->detectors;
}

enum predicates
protection_predicates(const struct protection *p)
{
	enum predicates strictest = PREDICATES_ALLOW;
	size_t i;

	for (i = 0; i < p->pattern_count; i++)
		strictest = predicates_stricter(
		    strictest, p->patterns[i].protect->predicates);
	return strictest;
}

const enum mask *
protection_detector_masks(const struct protection *p)
{
	return p->detector_masks;
}

void
protection_refresh(struct protection *p, struct store *catalog)
{
	p->catalog = catalog;
	p->buckets = NULL;
	p->names = NULL;
	p->name_count = 0;
	p->codes = NULL;
	p->is_code_loaded = p->is_code_missing = false;
	p->code_count = 0;
	arena_reset(p->cache);
}

void
protection_sync(struct protection *p, uint64_t reading)
{
	if (reading == p->reading)
		return;
	p->reading = reading;
	protection_refresh(p, p->catalog);
}

/* --- outputs -------------------------------------------------------------- */

/* A whole row: whatever of it is protected, derived. */
static enum err
whole_row(struct protection *p, struct known_relation *r,
    struct column_protection *out)
{
	enum err e;
	size_t i;

	for (i = 0; i < r->relation.column_count; i++) {
		const struct column_state *c = &r->columns[i];

		e = protection_resolve(p, r, i);
		if (e != ERR_NONE)
			return e;
		if (c->found.mask == MASK_NONE)
			continue;
		protection_add(out, c->found.protect, true);
		out->mask = mask_stricter(out->mask, c->found.mask);
		out->is_denied |= c->found.is_denied;
	}
	return ERR_NONE;
}

enum err
protection_column(struct protection *p, uint32_t oid, int number,
    struct column_protection *out)
{
	struct column_protection found = {.mask = MASK_NONE};
	struct known_relation *r;
	int attnum = (int16_t)number; /* 65535 is -1, as it is on the wire */
	enum err e;

	*out = found;
	if (p->is_empty)
		return ERR_NONE;
	*out = protection_strict;
	e = protection_known(p, oid, &r);
	if (e != ERR_NONE)
		return e;
	if (attnum > 0 && (size_t)attnum > r->relation.column_count)
		return ERR_NOT_FOUND;
	if (attnum > 0) {
		e = protection_resolve(p, r, (size_t)attnum - 1);
		found = r->columns[attnum - 1].found;
	} else if (attnum == 0) {
		e = whole_row(p, r, &found);
	} /* else a system column (ctid, xmin …): never protected */
	if (e == ERR_NONE)
		*out = found;
	return e;
}

/* Can a protected value get into that column of the result? */
static bool
may_hold(const struct touch *t, const struct origin *origin)
{
	const struct flow *f = t->flow;

	if (!t->mentions)
		return false;
	return f == NULL || !f->is_understood || !f->outputs.is_exact ||
	    f->outputs.count != origin->count ||
	    origin->index >= origin->count ||
	    f->outputs.at[origin->index].taint != TAINT_NONE;
}

enum err
protection_output(struct protection *p, const struct touch *t,
    const struct origin *origin, struct column_protection *out)
{
	if (t->fills_rows && !p->is_empty) {
		*out = protection_strict;
		return ERR_NONE;
	}
	if (origin->relation != 0 || p->is_empty)
		return protection_column(
		    p, origin->relation, origin->number, out);
	*out = (struct column_protection){.mask = MASK_NONE};
	if (t->is_unknown)
		*out = protection_strict;
	else if (t->is_protected && may_hold(t, origin))
		*out = t->derived;
	return ERR_NONE;
}
