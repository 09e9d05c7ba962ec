/*
 * policy_rule.c - the tables of a rule, and what a rule may not say.
 *
 * The rule: a rule that could never match, never decide or never be obeyed
 * is a mistake, and a mistake in a policy is told before it is in force.
 */
#include <stdio.h>
#include <string.h>

#include "common/policy_rule.h"
#include "common/policy_when.h"
#include "common/regex.h"
#include "common/who.h"

enum {
	APPROVERS_NEEDED_MAX = 8,
	SAY_MAX = 250, /* bytes */
};

static const struct vocabulary operations = {
    "operation", operation_set, operation_words};
static const struct vocabulary traits = {"trait", trait_bit, trait_words};

static const struct choice thens[] = {
    {"allow", THEN_ALLOW, false},
    {"approve", THEN_APPROVE, false},
    {"deny", THEN_DENY, false},
    {"observe", THEN_OBSERVE, false},
    {NULL, 0, false},
};

/* --- on ------------------------------------------------------------------ */

/* Every label key an upstream has, and the two words that are no labels. */
static const char **
on_words(struct reading *r, const struct settings *s, size_t *count_out)
{
	size_t room = 2, i, k;
	const char **words;

	for (i = 0; i < s->upstream_count; i++)
		room += s->upstreams[i].label_count;
	words = reading_array(r, room, sizeof(*words));
	*count_out = 0;
	if (words == NULL)
		return NULL;
	words[(*count_out)++] = "upstream";
	words[(*count_out)++] = "database";
	for (i = 0; i < s->upstream_count; i++) {
		const struct upstream *u = &s->upstreams[i];

		for (k = 0; k < u->label_count; k++)
			words[(*count_out)++] = u->labels[k].key.at;
	}
	return words;
}

/* A label no upstream has may be one of another machine's; one that is
 * nearly the name of something here is a slip. */
static void
check_label(struct reading *r, const struct node *key)
{
	const struct policy_names *names = r->context;
	const char **words;
	size_t count, i;

	words = on_words(r, names->settings, &count);
	for (i = 0; i < count; i++) {
		if (text_is(key->text, text_of(words[i])))
			return;
	}
	if (text_suggest(key->text, words, count) != NULL)
		reading_unknown(r, key, "label", words, count);
}

/* Every value the upstreams have for that label. */
static const char **
label_values(struct reading *r, const struct settings *s, struct text key,
    size_t *count_out)
{
	size_t room = 0, i, k;
	const char **values;

	for (i = 0; i < s->upstream_count; i++)
		room += s->upstreams[i].label_count;
	values = reading_array(r, room, sizeof(*values));
	*count_out = 0;
	for (i = 0; values != NULL && i < s->upstream_count; i++) {
		const struct upstream *u = &s->upstreams[i];

		for (k = 0; k < u->label_count; k++) {
			if (text_is(u->labels[k].key, key) &&
			    u->labels[k].value.at != NULL)
				values[(*count_out)++] = u->labels[k].value.at;
		}
	}
	return values;
}

/* As for a label: what is nearly a value here is a slip, and a rule with it
 * would match nowhere. */
static void
check_label_value(
    struct reading *r, struct text key, const struct node *value)
{
	const struct policy_names *names = r->context;
	char what[100];
	const char **values;
	size_t count, i;

	values = label_values(r, names->settings, key, &count);
	for (i = 0; i < count; i++) {
		if (text_is(value->text, text_of(values[i])))
			return;
	}
	if (who_is_glob(value->text) ||
	    text_suggest(value->text, values, count) == NULL)
		return;
	snprintf(what, sizeof(what), "value of label `%.63s`:", key.at);
	reading_unknown(r, value, what, values, count);
}

static void
read_label(struct reading *r, const struct node *key, const struct node *value,
    void *out)
{
	struct on *on = out;
	size_t count = reading_scalar_count(r, value), i;
	struct label *grown;

	check_label(r, key);
	if (value->kind == NODE_LIST && value->count == 0)
		reading_complain(r, value, "`%.80s` is empty", key->text.at);
	grown = reading_array(r, on->label_count + count, sizeof(*grown));
	if (grown == NULL)
		return;
	if (on->label_count > 0)
		memcpy(grown, on->labels, on->label_count * sizeof(*grown));
	for (i = 0; i < count; i++) {
		struct label *label = &grown[on->label_count + i];

		const struct node *word = reading_scalar(value, i);

		label->key = key->text;
		if (reading_text(r, word, &label->value))
			check_label_value(r, key->text, word);
	}
	on->labels = grown;
	on->label_count += count;
}

static bool
upstream_exists(const struct settings *s, struct text word)
{
	return who_is_glob(word) || settings_upstream(s, word) != NULL;
}

void
policy_complain_of_upstream(struct reading *r, const struct node *word)
{
	const struct policy_names *names = r->context;
	const struct settings *s = names->settings;
	const char **known = reading_array(
	    r, s->upstream_count, sizeof(*known));
	size_t i;

	if (known == NULL)
		return;
	for (i = 0; i < s->upstream_count; i++)
		known[i] = s->upstreams[i].name;
	reading_unknown(r, word, "upstream", known, s->upstream_count);
}

static void
check_on(struct reading *r, const struct node *map, void *out)
{
	const struct policy_names *names = r->context;
	const struct on *on = out;
	const struct node *value = yaml_get(map, "upstream");
	size_t i;

	for (i = 0; i < on->upstream_count; i++) {
		const struct node *word = reading_scalar(value, i);

		if (!upstream_exists(names->settings, word->text))
			policy_complain_of_upstream(r, word);
	}
}

static const struct schema on_schema = {
    .what = "an on",
    .size = sizeof(struct on),
    .check = check_on,
    .other = read_label,
    .rows = (const struct row[]){
	{"upstream", ROW_TEXTS(on, upstream)},
	{"database", ROW_TEXTS(on, database)},
	{0},
    },
};

/* --- rules --------------------------------------------------------------- */

#define LIMIT(field) .offset = offsetof(struct limits, field), .min = 1

static const struct schema limits_schema = {
    .what = "limits",
    .size = sizeof(struct limits),
    .rows = (const struct row[]){
	{"rows", FIELD_NUMBER, LIMIT(rows), .max = 1000000000000},
	{"seconds", FIELD_NUMBER, LIMIT(seconds), .max = 86400},
	{"statements_per_minute", FIELD_NUMBER, LIMIT(statements_per_minute),
	    .max = 1000000},
	{"changed_rows", FIELD_NUMBER, LIMIT(changed_rows),
	    .max = 1000000000000},
	{0},
    },
};

#define RULE(field) .offset = offsetof(struct rule, field)

static const struct schema approve_schema = {
    .what = "an approve",
    .size = sizeof(struct rule),
    .rows = (const struct row[]){
	{"by", ROW_STRUCTS(rule, approve_by), .is_required = true,
	    .schema = &who_person_schema},
	{"of", FIELD_UNSIGNED, RULE(approve_of), .fallback = "1", .min = 1,
	    .max = APPROVERS_NEEDED_MAX},
	{"within", FIELD_SECONDS, RULE(approve_within_s), .min = 1,
	    .max = 86400},
	{0},
    },
};

void
policy_check_length(struct reading *r, const struct node *map, const char *key,
    struct text value, size_t most)
{
	if (value.len > most)
		reading_complain(r, yaml_get(map, key),
		    "`%s` is longer than %zu bytes", key, most);
}

static void
check_matches(struct reading *r, const struct node *map, struct text source)
{
	struct pattern *pattern = NULL;
	const char *message = "out of memory";
	enum err err;

	if (source.len == 0)
		return;
	err = pattern_new(source, r->arena, &pattern, &message);
	if (err == ERR_INVALID)
		reading_complain(r, yaml_get(map, "matches"), "%s", message);
	else if (err != ERR_NONE)
		r->err = err;
	pattern_free(pattern);
}

void
policy_check_glob_parts(struct reading *r, const struct node *map,
    const char *key, const struct text *globs, size_t count, size_t least,
    size_t most, const char *expected)
{
	size_t i, k;

	for (i = 0; i < count; i++) {
		size_t parts = 1;
		bool has_empty = false;
		const char *start = globs[i].at;

		for (k = 0; k < globs[i].len; k++) {
			if (globs[i].at[k] != '.')
				continue;
			parts++;
			has_empty |= &globs[i].at[k] == start;
			start = &globs[i].at[k + 1];
		}
		has_empty |= start == globs[i].at + globs[i].len;
		if (globs[i].len > 0 &&
		    (has_empty || parts < least || parts > most))
			reading_complain(r,
			    reading_scalar(yaml_get(map, key), i),
			    "`%.80s` is not %s", globs[i].at, expected);
	}
}

/* The people who could approve, were they asked. */
static size_t
count_approvers(const struct rule *rule, const struct identities *ids)
{
	size_t i, k, count = 0;

	for (i = 0; i < ids->person_count; i++) {
		struct identity person = {.user = ids->people[i].name,
		    .groups = ids->people[i].groups,
		    .group_count = ids->people[i].group_count};
		bool may = false;

		for (k = 0; k < rule->approve_by_count && !may; k++)
			may = who_matches(&rule->approve_by[k], &person);
		count += may;
	}
	return count;
}

static void
check_approvers(struct reading *r, const struct node *approve,
    const struct rule *rule)
{
	const struct policy_names *names = r->context;
	size_t before = diagnostics_count(r->diagnostics), people;

	who_check_list(r, yaml_get(approve, "by"), names->identities);
	/* Unknown names were told; nobody of them would only be an echo. */
	if (diagnostics_count(r->diagnostics) != before ||
	    rule->approve_by_count == 0)
		return;
	people = count_approvers(rule, names->identities);
	if (people < rule->approve_of)
		reading_complain(r, approve,
		    "only %zu people can approve, but `of` is %u", people,
		    rule->approve_of);
}

static void
check_approve(struct reading *r, const struct node *map,
    const struct rule *rule)
{
	const struct node *approve = yaml_get(map, "approve");

	if (rule->then == THEN_APPROVE && approve == NULL)
		reading_complain(r, yaml_get(map, "then"),
		    "`then: approve` needs `approve: {by: …}`: who may");
	else if (rule->then != THEN_APPROVE && approve != NULL)
		reading_complain(
		    r, approve, "`approve` is only for `then: approve`");
	else if (approve != NULL)
		check_approvers(r, approve, rule);
}

static void
check_traits(struct reading *r, const struct node *map,
    const struct rule *rule)
{
	int t;

	for (t = 0; t < TRAIT_MAX; t++) {
		if (rule->has & rule->lacks & BIT(t))
			reading_complain(r, yaml_get(map, "lacks"),
			    "`%s` is both in `has` and in `lacks`",
			    trait_name((enum trait)t));
	}
}

/* One that is missing or wrong has been told already. */
static bool
has_then(const struct node *map)
{
	const struct node *then = yaml_get(map, "then");
	size_t i;

	for (i = 0; then != NULL && thens[i].word != NULL; i++) {
		if (text_is(then->text, text_of(thens[i].word)))
			return true;
	}
	return false;
}

static void
check_rule(struct reading *r, const struct node *map, void *out)
{
	const struct policy_names *names = r->context;
	const struct node *who = yaml_get(map, "who");
	const struct node *limits = yaml_get(map, "limits");
	struct rule *rule = out;

	rule->file = text_of(map->file);
	rule->line = map->line;
	policy_check_length(r, map, "name", rule->name, RULE_NAME_MAX);
	policy_check_length(r, map, "say", rule->say, SAY_MAX);
	if (who != NULL)
		who_check_names(r, who, names->identities);
	check_matches(r, map, rule->matches);
	policy_check_glob_parts(r, map, "to", rule->to, rule->to_count, 1, 2,
	    "a relation such as public.orders");
	check_traits(r, map, rule);
	if (!has_then(map))
		return;
	check_approve(r, map, rule);
	if (limits != NULL && rule->then == THEN_DENY)
		reading_complain(r, limits, "limits on what is denied");
	if (limits != NULL && rule->then == THEN_OBSERVE)
		reading_complain(r, limits, "limits on what is only observed");
}

const struct schema policy_rule_schema = {
    .what = "a rule",
    .size = sizeof(struct rule),
    .check = check_rule,
    .rows = (const struct row[]){
	{"name", FIELD_TEXT, RULE(name), .is_required = true},
	{"who", FIELD_STRUCT, RULE(who), .schema = &who_schema},
	{"on", FIELD_STRUCT, RULE(on), .schema = &on_schema},
	{"does", FIELD_BITS, RULE(does), .vocabulary = &operations},
	{"to", ROW_TEXTS(rule, to)},
	{"has", FIELD_BITS, RULE(has), .vocabulary = &traits},
	{"lacks", FIELD_BITS, RULE(lacks), .vocabulary = &traits},
	{"matches", FIELD_TEXT, RULE(matches)},
	{"when", FIELD_CUSTOM, RULE(when), .read = when_read},
	{"then", FIELD_CHOICE, RULE(then), .is_required = true,
	    .choices = thens},
	{"say", FIELD_TEXT, RULE(say)},
	{"limits", FIELD_STRUCT, RULE(limits), .schema = &limits_schema},
	{"approve", FIELD_STRUCT, .schema = &approve_schema},
	{0},
    },
};
