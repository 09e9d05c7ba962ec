/*
 * policy_decide.c - the decision.
 *
 * The rule: whatever cannot be found out counts against the statement, and
 * what no rule speaks for is denied.
 */
#include <string.h>

#include "common/policy_docket.h"
#include "common/policy_touch.h"
#include "common/policy_when.h"
#include "common/regex.h"

/* A decision under way. */
struct weighing {
	const struct statement *statement;
	time_t now;
	struct arena *arena;
	struct touches touches;
	bool has_escaping; /* an allow or approve rule that matched asks for
			    * escaping-function by name */
	uint64_t named;	  /* operations matched by allow and approve rules */
	uint64_t covered; /* operations allowed on any relation, or on none */
	/* Per operation the set of relations it is allowed on; NULL: none. */
	uint64_t *covers[OP_MAX];
	const struct rule *deny, *approve, *allow;
	struct verdict *out;
};

/* --- conditions ---------------------------------------------------------- */

static bool
traits_match(const struct rule *r, uint64_t traits)
{
	return (r->has == 0 || (r->has & traits) != 0) &&
	    (r->lacks == 0 || (r->lacks & ~traits) != 0);
}

/* All conditions but who, on, `does` and `to`. */
static enum err
conditions_hold(const struct weighing *w, const struct rule *r, bool *out)
{
	*out = traits_match(r, w->statement->traits) &&
	    when_holds(r->when, w->now);
	if (!*out || r->matches.len == 0)
		return ERR_NONE;
	*out = false;
	if (r->pattern == NULL)
		return ERR_REGEX;
	return pattern_matches(r->pattern, w->statement->canonical, out);
}

/* --- one rule ------------------------------------------------------------ */

/* Does a rule with `to` that denies, asks or observes concern a relation? */
static enum err
touches_meant(struct weighing *w, const struct rule *r, uint64_t operations,
    bool *out)
{
	unsigned touch = r->does == 0 ? TOUCH_ANY
				      : touch_of(operations);
	enum err err;
	size_t i;

	*out = r->to_count == 0;
	for (i = 0; i < w->touches.count && !*out; i++) {
		struct touched *t = &w->touches.at[i];

		if ((t->touch & touch) == 0)
			continue;
		err = touched_resolve(&w->touches, t);
		if (err != ERR_NONE)
			return err;
		*out = touched_may_be_meant(t, r);
	}
	return ERR_NONE;
}

static size_t
set_words(const struct weighing *w)
{
	return w->touches.count / 64 + 1;
}

/* The relations a rule that allows means for sure, as a set. */
static enum err
meant_set(struct weighing *w, const struct rule *r, uint64_t **set_out)
{
	uint64_t *set = arena_array(w->arena, set_words(w), sizeof(*set));
	enum err err;
	size_t i;

	if (set == NULL)
		return ERR_MEMORY;
	for (i = 0; i < w->touches.count; i++) {
		err = touched_resolve(&w->touches, &w->touches.at[i]);
		if (err != ERR_NONE)
			return err;
		if (touched_is_surely_meant(&w->touches.at[i], r))
			set[i / 64] |= BIT(i % 64);
	}
	*set_out = set;
	return ERR_NONE;
}

/* Add the set's relations that `op` touches to what it is allowed on. */
static enum err
cover_operation(struct weighing *w, enum operation op, const uint64_t *set,
    bool *any_out)
{
	unsigned touch = touch_of(BIT(op));
	size_t i;

	if (w->covers[op] == NULL)
		w->covers[op] = arena_array(
		    w->arena, set_words(w), sizeof(*set));
	if (w->covers[op] == NULL)
		return ERR_MEMORY;
	for (i = 0; i < w->touches.count; i++) {
		if ((w->touches.at[i].touch & touch) == 0 ||
		    (set[i / 64] & BIT(i % 64)) == 0)
			continue;
		w->covers[op][i / 64] |= BIT(i % 64);
		*any_out = true;
	}
	return ERR_NONE;
}

/* Note what a rule that allows speaks for; false: for nothing here. */
static enum err
cover(struct weighing *w, const struct rule *r, uint64_t operations,
    bool *any_out)
{
	uint64_t *set = NULL;
	enum err err = ERR_NONE;
	int op;

	*any_out = r->to_count == 0;
	if (r->to_count == 0) {
		w->covered |= operations;
		return ERR_NONE;
	}
	err = meant_set(w, r, &set);
	for (op = 0; op < OP_MAX && err == ERR_NONE; op++) {
		if (operations & BIT(op))
			err = cover_operation(
			    w, (enum operation)op, set, any_out);
	}
	return err;
}

static uint64_t
tighter(uint64_t a, uint64_t b)
{
	if (a == 0 || b == 0)
		return a | b;
	return a < b ? a : b;
}

static void
tighten_limits(struct limits *l, const struct limits *other)
{
	l->rows = tighter(l->rows, other->rows);
	l->seconds = tighter(l->seconds, other->seconds);
	l->statements_per_minute = tighter(
	    l->statements_per_minute, other->statements_per_minute);
	l->changed_rows = tighter(l->changed_rows, other->changed_rows);
}

/* Which of two rules of one kind speaks: the one that asks for more people,
 * else by name, so that the order of rules tells nothing. */
static const struct rule *
foremost(const struct rule *a, const struct rule *b)
{
	size_t len;
	int order;

	if (a == NULL)
		return b;
	if (a->approve_of != b->approve_of)
		return a->approve_of > b->approve_of ? a : b;
	len = a->name.len < b->name.len ? a->name.len : b->name.len;
	order = len == 0 ? 0 : memcmp(a->name.at, b->name.at, len);
	if (order == 0)
		return a->name.len <= b->name.len ? a : b;
	return order < 0 ? a : b;
}

static void
note_match(struct weighing *w, const struct rule *r, uint64_t operations)
{
	w->out->matched[w->out->matched_count++] = r;
	if (r->then == THEN_DENY)
		w->deny = foremost(w->deny, r);
	if (r->then != THEN_ALLOW && r->then != THEN_APPROVE)
		return;
	w->named |= operations;
	w->has_escaping |= (r->has & BIT(TRAIT_ESCAPING_FUNCTION)) != 0;
	tighten_limits(&w->out->limits, &r->limits);
	if (r->then == THEN_APPROVE)
		w->approve = foremost(w->approve, r);
	else
		w->allow = foremost(w->allow, r);
}

/* A rule that concerns the identity at the place, and these operations of the
 * statement. */
static enum err
weigh_rule(struct weighing *w, const struct rule *r, uint64_t operations)
{
	bool holds;
	enum err err;

	if (operations == 0)
		return ERR_NONE;
	err = conditions_hold(w, r, &holds);
	if (err == ERR_NONE && holds)
		err = r->then == THEN_ALLOW
		    ? cover(w, r, operations, &holds)
		    : touches_meant(w, r, operations, &holds);
	if (err == ERR_NONE && holds)
		note_match(w, r, operations);
	return err;
}

/* --- the verdict --------------------------------------------------------- */

static enum err
conclude(struct weighing *w, enum then decision, const struct rule *rule,
    const char *reason)
{
	w->out->decision = decision;
	w->out->rule = rule;
	w->out->reason = text_of(reason);
	if (reason != NULL)
		return ERR_NONE;
	w->out->decision = THEN_DENY;
	w->out->reason = TEXT("out of memory");
	return ERR_MEMORY;
}

/* `allowed by rule "…"`, by far the most frequent of all: not by printf. */
static enum err
conclude_rule(struct weighing *w, enum then decision, const struct rule *r,
    const char *verb)
{
	struct text parts[] = {
	    text_of(verb), TEXT(" rule \""), r->name, TEXT("\"")};
	size_t len = 0, i;
	char *at = arena_alloc(w->arena, strlen(verb) + r->name.len + 16);

	for (i = 0; at != NULL && i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].len > 0)
			memcpy(at + len, parts[i].at, parts[i].len);
		len += parts[i].len;
	}
	return conclude(w, decision, r, at);
}

/* A rule about functions leaves one wondering which. */
static enum err
conclude_denied(struct weighing *w)
{
	static const uint64_t functions = BIT(TRAIT_ESCAPING_FUNCTION) |
	    BIT(TRAIT_OPAQUE_FUNCTION) | BIT(TRAIT_UNKNOWN_FUNCTION);
	struct text f = w->statement->function;
	const struct rule *r = w->deny;

	if ((r->has & functions) == 0 || f.len == 0)
		return conclude_rule(w, THEN_DENY, r, "denied by");
	return conclude(w, THEN_DENY, r,
	    arena_printf(w->arena, "denied by rule \"%.*s\": it calls %.*s()",
		(int)r->name.len, r->name.at, (int)f.len, f.at));
}

static const char *
uncovered_relation(struct weighing *w, enum operation op,
    const struct relation_use *use)
{
	return arena_printf(w->arena, "no rule allows %s on %.*s%s%.*s",
	    operation_name(op), (int)use->schema.len,
	    use->schema.len > 0 ? use->schema.at : "",
	    use->schema.len > 0 ? "." : "", (int)use->name.len, use->name.at);
}

/* Is this operation allowed on all it touches? If not, why. */
static enum err
check_operation(struct weighing *w, enum operation op, bool *allowed_out,
    const char **reason_out)
{
	unsigned touch = touch_of(BIT(op));
	const uint64_t *set = w->covers[op];
	size_t i, relations = 0;
	enum err err;

	*allowed_out = true;
	for (i = 0; i < w->touches.count; i++) {
		struct touched *t = &w->touches.at[i];

		err = touched_resolve(&w->touches, t);
		if (err != ERR_NONE)
			return err;
		if ((t->touch & touch) == 0 || t->is_ignored)
			continue;
		relations++;
		if (set != NULL && (set[i / 64] & BIT(i % 64)) != 0)
			continue;
		*allowed_out = false;
		*reason_out = uncovered_relation(w, op, t->use);
		return ERR_NONE;
	}
	if (relations > 0)
		return ERR_NONE;
	/* Rules with `to` do not speak for what touches no relation. */
	*allowed_out = false;
	*reason_out = arena_printf(
	    w->arena, "no rule allows %s", operation_name(op));
	return ERR_NONE;
}

static enum err
conclude_by_cover(struct weighing *w)
{
	const char *reason = NULL;
	bool allowed = true;
	enum err err;
	int op;

	for (op = 0; op < OP_MAX; op++) {
		if ((w->touches.operations & ~w->covered & BIT(op)) == 0)
			continue;
		err = check_operation(
		    w, (enum operation)op, &allowed, &reason);
		if (err != ERR_NONE)
			return err;
		if (!allowed)
			return conclude(w, THEN_DENY, NULL, reason);
	}
	return conclude_rule(w, THEN_ALLOW, w->allow, "allowed by");
}

/* The words it begins with, two at most, up to a constant or a mark. */
static struct text
first_words(struct text canonical)
{
	size_t len = 0, words = 0, i;

	for (i = 0; i < canonical.len && words < 2; i++) {
		char c = canonical.at[i];

		if (c != ' ' && c != '_' && !(c >= 'a' && c <= 'z'))
			break;
		if (c != ' ' &&
		    (i + 1 == canonical.len || canonical.at[i + 1] == ' ')) {
			len = i + 1;
			words++;
		}
	}
	canonical.len = len;
	return canonical;
}

static const char *
unknown_statement(struct weighing *w)
{
	struct text words = first_words(w->statement->canonical);

	if (w->statement->operations != BIT(OP_UNKNOWN) || words.len == 0 ||
	    words.len > 64)
		return "nobody knows all that this statement does, and no "
		       "rule names unknown";
	return arena_printf(w->arena,
	    "\"%.*s\" is no statement Sallyport knows, and no rule names "
	    "unknown",
	    (int)words.len, words.at);
}

static const char *
escaping_statement(struct weighing *w)
{
	struct text f = w->statement->function;

	if (f.len == 0)
		return "it runs or makes code that may do anything (runs SQL "
		       "made at run time, sets what nobody can tell, or "
		       "cannot be read), and no rule has escaping-function";
	return arena_printf(w->arena,
	    "it calls %.*s(), which reaches past the statement (runs SQL "
	    "given as text, or touches other sessions, files, servers or "
	    "settings), and no rule has escaping-function",
	    (int)f.len, f.at);
}

static enum err
conclude_all(struct weighing *w)
{
	if (w->deny != NULL)
		return conclude_denied(w);
	if (w->touches.operations & ~w->named & BIT(OP_UNKNOWN))
		return conclude(w, THEN_DENY, NULL, unknown_statement(w));
	if ((w->statement->traits & BIT(TRAIT_ESCAPING_FUNCTION)) != 0 &&
	    !w->has_escaping)
		return conclude(w, THEN_DENY, NULL, escaping_statement(w));
	if (w->approve != NULL)
		return conclude_rule(
		    w, THEN_APPROVE, w->approve, "approval needed by");
	return conclude_by_cover(w);
}

/* An error is a denial; `r` is the rule at work, or NULL. */
static enum err
conclude_error(struct weighing *w, const struct rule *r, enum err err)
{
	const char *reason = NULL;

	if (r != NULL)
		reason = arena_printf(w->arena, "rule \"%.*s\": %s",
		    (int)r->name.len, r->name.at, err_text(err));
	w->out->decision = THEN_DENY;
	w->out->rule = r;
	w->out->reason = text_of(reason != NULL ? reason : err_text(err));
	return err;
}

/* Take the statement; there may be so many rules to look at. */
static enum err
begin(struct weighing *w, const struct statement *s, struct arena *a,
    struct verdict *out, size_t rules)
{
	w->statement = s;
	w->arena = w->touches.arena = a;
	w->out = out;
	*out = (struct verdict){.decision = THEN_DENY};
	out->matched = arena_array(a, rules, sizeof(*out->matched));
	return out->matched == NULL ? ERR_MEMORY
				    : touches_gather(&w->touches, s);
}

static enum err
finish(struct weighing *w)
{
	enum err err = conclude_all(w);

	return err == ERR_NONE ? ERR_NONE : conclude_error(w, NULL, err);
}

enum err
policy_decide(const struct policy *p, const struct identity *id,
    const struct place *place, const struct statement *s, time_t now,
    relation_resolver resolve, void *context, struct arena *a,
    struct verdict *out)
{
	struct weighing w = {
	    .now = now, .touches = {.resolve = resolve, .context = context}};
	enum err err = begin(&w, s, a, out, p->rule_count);
	size_t i;

	if (err != ERR_NONE)
		return conclude_error(&w, NULL, err);
	for (i = 0; i < p->rule_count; i++) {
		if (!rule_concerns(&p->rules[i], id, place))
			continue;
		err = weigh_rule(&w, &p->rules[i],
		    rule_operations(&p->rules[i]) & w.touches.operations);
		if (err != ERR_NONE)
			return conclude_error(&w, &p->rules[i], err);
	}
	return finish(&w);
}

/* The rules of one word of the docket's sets, in the policy's order. */
static enum err
weigh_some(struct weighing *w, const struct docket *d, uint64_t set,
    size_t first, uint64_t initials)
{
	for (; set != 0; set &= set - 1) {
		const struct docket_rule *r =
		    &d->rules[first + (size_t)__builtin_ctzll(set)];
		enum err err = ERR_NONE;

		if (r->rule->to_count == 0 || (r->initials & initials) != 0)
			err = weigh_rule(w, r->rule,
			    r->operations & w->touches.operations);
		if (err != ERR_NONE)
			return conclude_error(w, r->rule, err);
	}
	return ERR_NONE;
}

enum err
docket_decide(const struct docket *d, const struct statement *s, time_t now,
    relation_resolver resolve, void *context, struct arena *a,
    struct verdict *out)
{
	struct weighing w = {
	    .now = now, .touches = {.resolve = resolve, .context = context}};
	enum err err = begin(&w, s, a, out, d->count);
	uint64_t initials;
	size_t i;

	if (err != ERR_NONE)
		return conclude_error(&w, NULL, err);
	initials = touches_initials(&w.touches);
	for (i = 0; i < d->words && err == ERR_NONE; i++)
		err = weigh_some(&w, d,
		    docket_set(d, w.touches.operations, i), i * 64, initials);
	return err == ERR_NONE ? finish(&w) : err;
}

void
verdict_tighten(struct verdict *v, const struct verdict *other)
{
	struct limits limits = v->limits;
	bool is_stricter = other->decision > v->decision ||
	    (other->decision == v->decision && other->rule != NULL &&
		v->rule != NULL &&
		other->rule->approve_of > v->rule->approve_of);

	tighten_limits(&limits, &other->limits);
	if (is_stricter)
		*v = *other;
	v->limits = limits;
}
