/*
 * explain.c - the decision on a statement, with its reasons; nothing runs.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/policy.h"
#include "master/command/command.h"
#include "master/command/load.h"

static const char *
then_name(enum then then)
{
	static const char *const names[] = {[THEN_OBSERVE] = "observe",
	    [THEN_ALLOW] = "allow",
	    [THEN_APPROVE] = "approve",
	    [THEN_DENY] = "deny"};

	return (unsigned)then <= THEN_DENY ? names[then] : "deny";
}

static json_t *
text_json(struct text t)
{
	json_t *value = json_stringn(t.at == NULL ? "" : t.at, t.len);

	return value != NULL ? value : json_string("(not UTF-8)");
}

static json_t *
bits_json(uint64_t bits, unsigned count, const char *(*name)(unsigned))
{
	json_t *all = json_array();
	unsigned i;

	for (i = 0; i < count; i++) {
		if (bits & BIT(i))
			json_array_append_new(all, json_string(name(i)));
	}
	return all;
}

static const char *
operation_word(unsigned i)
{
	return operation_name((enum operation)i);
}

static const char *
trait_word(unsigned i)
{
	return trait_name((enum trait)i);
}

static json_t *
relation_json(const struct relation_use *r)
{
	char name[600];

	snprintf(name, sizeof(name), "%.*s%s%.*s", (int)r->schema.len,
	    r->schema.len > 0 ? r->schema.at : "", r->schema.len > 0 ? "." : "",
	    (int)r->name.len, r->name.at);
	return json_pack("{s:o, s:b, s:b, s:b}", "name",
	    text_json(text_of(name)), "read", r->is_read, "written",
	    r->is_written, "with", r->is_cte);
}

static json_t *
rule_json(const struct rule *r)
{
	char place[600];

	snprintf(place, sizeof(place), "%.*s:%zu", (int)r->file.len,
	    r->file.at, r->line);
	return json_pack("{s:o, s:s, s:o, s:o}", "name", text_json(r->name),
	    "then", then_name(r->then), "at", text_json(text_of(place)), "say",
	    text_json(r->say));
}

static json_t *
limits_json(const struct limits *l)
{
	const struct {
		const char *name;
		uint64_t value;
	} all[] = {{"rows", l->rows}, {"seconds", l->seconds},
	    {"statements_per_minute", l->statements_per_minute},
	    {"changed_rows", l->changed_rows}};
	json_t *out = json_object();
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (all[i].value != 0)
			json_object_set_new(out, all[i].name,
			    json_integer((json_int_t)all[i].value));
	}
	return out;
}

static void
verdict_add(json_t *to, const struct verdict *v)
{
	json_object_set_new(
	    to, "decision", json_string(then_name(v->decision)));
	json_object_set_new(to, "rule",
	    v->rule == NULL ? json_null() : text_json(v->rule->name));
	if (v->rule != NULL && v->rule->say.len > 0)
		json_object_set_new(to, "say", text_json(v->rule->say));
	json_object_set_new(to, "reason", text_json(v->reason));
	json_object_set_new(to, "limits", limits_json(&v->limits));
}

/* The columns of a relation are known when it runs, not here. */
static const char *
masking_words(const struct statement *s, const struct verdict *v)
{
	if ((s->traits & BIT(TRAIT_PROTECTED)) == 0 ||
	    v->decision == THEN_DENY)
		return "";
	return "columns of these relations are protected: outputs that can "
	       "hold their values leave masked, and other uses (WHERE, GROUP "
	       "BY ...) are refused unless `predicates` lets them through";
}

static json_t *
statement_json(const struct statement *s, const struct verdict *v)
{
	json_t *relations = json_array(), *matched = json_array(), *all;
	char fingerprint[FINGERPRINT_SIZE];
	size_t i;

	statement_fingerprint(s, fingerprint);
	for (i = 0; i < s->relation_count; i++)
		json_array_append_new(
		    relations, relation_json(&s->relations[i]));
	for (i = 0; i < v->matched_count; i++)
		json_array_append_new(matched, rule_json(v->matched[i]));
	all = json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "canonical",
	    text_json(s->canonical), "fingerprint", fingerprint,
	    "operations", bits_json(s->operations, OP_MAX, operation_word),
	    "traits", bits_json(s->traits, TRAIT_MAX, trait_word), "relations",
	    relations, "rules", matched);
	if (all != NULL && s->function.len > 0)
		json_object_set_new(all, "function", text_json(s->function));
	if (all != NULL) {
		json_object_set_new(
		    all, "masking", json_string(masking_words(s, v)));
		verdict_add(all, v);
	}
	return all;
}

static json_t *
judgement_json(const struct judgement *j)
{
	json_t *statements = json_array(), *all;
	size_t i;

	for (i = 0; i < j->classified.count; i++)
		json_array_append_new(statements,
		    statement_json(
			&j->classified.statements[i], &j->verdicts[i]));
	all = json_pack("{s:o}", "statements", statements);
	verdict_add(all, &j->verdict);
	return all;
}

/* --- for people ----------------------------------------------------------- */

static void
words_print(const char *title, const json_t *words)
{
	const json_t *word;
	size_t i;

	printf("%-12s", title);
	json_array_foreach(words, i, word)
	{
		fputs(i == 0 ? "" : ", ", stdout);
		text_print(stdout, json_string_value(word), 0);
	}
	puts(json_array_size(words) == 0 ? "-" : "");
}

static void
relations_print(const json_t *relations)
{
	const json_t *r;
	size_t i;

	printf("%-12s", "relations");
	json_array_foreach(relations, i, r)
	{
		bool is_read = json_is_true(json_object_get(r, "read"));
		bool is_written = json_is_true(json_object_get(r, "written"));

		fputs(i == 0 ? "" : ", ", stdout);
		text_print(stdout, member_text(r, "name"), 0);
		printf(" (%s%s%s)", is_read ? "read" : "",
		    is_read && is_written ? ", " : "",
		    is_written ? "written" : "");
	}
	puts(json_array_size(relations) == 0 ? "-" : "");
}

static void
rules_print(const json_t *rules)
{
	const json_t *r;
	size_t i;

	puts(json_array_size(rules) == 0 ? "no rule matches" : "rules");
	json_array_foreach(rules, i, r)
	{
		printf("  %-8s ", member_text(r, "then"));
		text_print(stdout, member_text(r, "name"), 0);
		fputs("  (", stdout);
		text_print(stdout, member_text(r, "at"), 0);
		puts(")");
	}
}

static void
limits_print(const json_t *limits)
{
	const char *name;
	const json_t *value;

	json_object_foreach((json_t *)(uintptr_t)limits, name, value)
		printf("%-12s%s %lld\n", "limit", name,
		    (long long)json_integer_value(value));
}

/* Its line, if it has something to say. */
static void
member_print(const json_t *of, const char *name)
{
	if (member_text(of, name)[0] == '\0')
		return;
	printf("%-12s", name);
	text_print(stdout, member_text(of, name), 0);
	putchar('\n');
}

static void
verdict_print(const json_t *v)
{
	printf("%-12s%s", "verdict", member_text(v, "decision"));
	if (member_text(v, "reason")[0] != '\0') {
		fputs(": ", stdout);
		text_print(stdout, member_text(v, "reason"), 0);
	}
	putchar('\n');
	member_print(v, "say");
	limits_print(json_object_get(v, "limits"));
}

static void
judgement_print(const json_t *all)
{
	const json_t *statements = json_object_get(all, "statements"), *s;
	size_t i;

	json_array_foreach(statements, i, s)
	{
		printf("%-12s", "statement");
		text_print(stdout, member_text(s, "canonical"), 0);
		putchar('\n');
		words_print("operations", json_object_get(s, "operations"));
		relations_print(json_object_get(s, "relations"));
		words_print("traits", json_object_get(s, "traits"));
		member_print(s, "function");
		rules_print(json_object_get(s, "rules"));
		verdict_print(s);
		member_print(s, "masking");
		putchar('\n');
	}
	if (json_array_size(statements) != 1)
		verdict_print(all);
}

/* --- */

static bool
identity_find(const struct loaded *l, const char *login, struct identity *out)
{
	enum err e =
	    identity_resolve(&l->identities, text_of(login), out);

	if (e == ERR_NONE)
		out->via = TEXT("scram-sha-256");
	else if (e == ERR_REFUSED)
		command_fail("%s: that agent may not act for that person",
		    login);
	else
		command_fail("%s: nobody in %s", login, l->settings.identities);
	return e == ERR_NONE;
}

static int
explain(const struct arguments *a, const struct loaded *l)
{
	const struct upstream *upstream =
	    settings_upstream(&l->settings, text_of(a->upstream));
	const char *database = a->database != NULL ? a->database : a->upstream;
	struct judgement judged;
	struct identity identity;
	struct place place;
	json_t *all;

	if (upstream == NULL)
		return command_fail("%s: no such upstream", a->upstream);
	if (!identity_find(l, a->identity, &identity))
		return EXIT_USAGE;
	place = upstream_place(upstream, text_of(database));
	/* an error inside is a deny with a reason: the judgement says it */
	if (policy_judge(&l->policy, &identity, &place,
		text_of(a->words[0]), time(NULL), l->arena,
		&judged) != ERR_NONE)
		judged.verdict.decision = THEN_DENY;
	all = judgement_json(&judged);
	if (a->is_json)
		json_print(all);
	else
		judgement_print(all);
	json_decref(all);
	return EXIT_DONE;
}

int
run_explain(const struct arguments *a)
{
	struct loaded l;
	int status = EXIT_USAGE;

	if (a->identity == NULL || a->upstream == NULL)
		return command_fail(
		    "explain needs -i IDENTITY and -u UPSTREAM");
	if (load_all(a->config, &l))
		status = explain(a, &l);
	load_release(&l);
	return status;
}
