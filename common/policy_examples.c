/*
 * policy_examples.c - statements judged without a session.
 *
 * The rule: the same classifier and the same decision as at the gate; only
 * the catalogue is missing.
 */
#include <string.h>

#include "common/policy_file.h"

enum { SQL_SHOWN_MAX = 120 }; /* bytes of a failed example's statement */

/* --- judging ------------------------------------------------------------- */

static bool
is_clear_for(const struct protect *p, const struct identity *id)
{
	size_t i;

	for (i = 0; i < p->clear_for_count; i++) {
		if (who_matches(&p->clear_for[i], id))
			return true;
	}
	return false;
}

/* Is it a relation one of the protected columns may be in? */
static bool
has_protected_column(
    const struct protect *p, struct text schema, struct text name)
{
	size_t i;

	for (i = 0; i < p->column_count; i++) {
		struct text relation = p->columns[i];
		const char *dot = memrchr(relation.at, '.', relation.len);

		if (dot != NULL)
			relation.len = (size_t)(dot - relation.at);
		if (policy_glob_matches(relation, schema, name))
			return true;
	}
	return false;
}

static bool
is_protected(const struct policy *p, const struct identity *id,
    const struct relation_use *use)
{
	struct text schema;
	size_t i;

	(void)policy_resolve_public(NULL, use->schema, use->name, &schema, 1);
	for (i = 0; i < p->protect_count; i++) {
		if (has_protected_column(&p->protects[i], schema, use->name) &&
		    !is_clear_for(&p->protects[i], id))
			return true;
	}
	return false;
}

/* The traits that depend on the policy. */
static uint64_t
protection_traits(const struct policy *p, const struct identity *id,
    const struct statement *s)
{
	bool writes = false, touches = false, copies = false;
	size_t i;

	for (i = 0; i < s->relation_count; i++) {
		const struct relation_use *use = &s->relations[i];
		bool here = is_protected(p, id, use);

		writes |= use->is_written;
		touches |= here;
		copies |= here && use->is_read;
	}
	return (touches ? BIT(TRAIT_PROTECTED) : 0) |
	    (copies && writes ? BIT(TRAIT_COPIES_PROTECTED) : 0);
}

static enum err
judge_statements(const struct policy *p, const struct identity *id,
    const struct place *place, time_t now, struct arena *a,
    struct judgement *out)
{
	enum err err = ERR_NONE;
	size_t i;

	out->verdicts = arena_array(
	    a, out->classified.count, sizeof(*out->verdicts));
	if (out->verdicts == NULL)
		return ERR_MEMORY;
	for (i = 0; i < out->classified.count && err == ERR_NONE; i++) {
		struct statement *s = &out->classified.statements[i];
		struct verdict *v = &out->verdicts[i];

		s->traits |= protection_traits(p, id, s);
		err = policy_decide(
		    p, id, place, s, now, policy_resolve_public, NULL, a, v);
		if (err != ERR_NONE)
			out->classified.count = i + 1; /* judged so far */
		if (i == 0)
			out->verdict = *v;
		else
			verdict_tighten(&out->verdict, v);
	}
	return err;
}

static void
deny(struct judgement *out, const char *reason)
{
	out->verdict = (struct verdict){
	    .decision = THEN_DENY, .reason = text_of(reason)};
}

enum err
policy_judge(const struct policy *p, const struct identity *id,
    const struct place *place, struct text sql, time_t now, struct arena *a,
    struct judgement *out)
{
	const struct lex_state state = {.dialect = DIALECT_POSTGRES,
	    .standard_conforming_strings = true,
	    .is_utf8 = true};
	enum err err;

	memset(out, 0, sizeof(*out));
	deny(out, "no class rules are loaded");
	if (p->classifiers[DIALECT_POSTGRES] == NULL)
		return ERR_NOT_FOUND;
	err = classify_text(p->classifiers[DIALECT_POSTGRES], &state, sql, a,
	    &out->classified);
	if (err != ERR_NONE) {
		deny(out, out->classified.error != NULL ? out->classified.error
							: err_text(err));
		out->classified.count = 0;
		return err == ERR_MEMORY ? err : ERR_NONE;
	}
	out->verdict = (struct verdict){
	    .decision = THEN_ALLOW, .reason = TEXT("no statement in it")};
	err = judge_statements(p, id, place, now, a, out);
	if (err == ERR_NONE)
		return err;
	if (out->verdict.decision != THEN_DENY)
		deny(out, err_text(err));
	/* The verdict tells of a pattern that ran away; memory is ours. */
	return err == ERR_MEMORY ? err : ERR_NONE;
}

/* --- examples ------------------------------------------------------------ */

/* A statement on one line, cut: for a complaint. */
static const char *
one_line(struct arena *a, struct text sql)
{
	bool is_cut = sql.len > SQL_SHOWN_MAX;
	size_t len = is_cut ? SQL_SHOWN_MAX : sql.len, i;
	char *line;

	while (is_cut && len > 0 && (sql.at[len] & 0xc0) == 0x80)
		len--; /* not within a character */
	line = arena_printf(
	    a, "%.*s%s", (int)len, sql.at, is_cut ? "..." : "");
	for (i = 0; line != NULL && i < len; i++) {
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = ' ';
	}
	return line;
}

static const char *
decision_word(enum then decision)
{
	static const char *const words[] = {
	    [THEN_OBSERVE] = "observe",
	    [THEN_ALLOW] = "allow",
	    [THEN_APPROVE] = "approve",
	    [THEN_DENY] = "deny",
	};

	return words[decision];
}

/* The login is one (its names were checked when it was read), as if from
 * this host with a password. */
static enum err
example_identity(const struct identities *ids, struct text as,
    struct identity *out)
{
	enum err err = identity_resolve(ids, as, out);

	out->via = TEXT("scram-sha-256");
	out->client = TEXT("127.0.0.1:5432");
	return err;
}

enum err
policy_example_run(const struct settings *s, const struct policy *p,
    const struct example *e, struct arena *a, bool *passed_out,
    const char **text_out)
{
	const struct upstream *u = settings_upstream(s, e->on);
	struct identity id;
	struct judgement j;
	struct place place;
	const char *sql;
	enum err err;

	*passed_out = false;
	*text_out = "out of memory";
	err = example_identity(&p->identities, e->as, &id);
	if (err != ERR_NONE || u == NULL)
		return err != ERR_NONE ? err : ERR_NOT_FOUND;
	place = upstream_place(u, e->database.len > 0 ? e->database : e->on);
	err = policy_judge(p, &id, &place, e->sql, time(NULL), a, &j);
	if (err != ERR_NONE)
		return err;
	*passed_out = j.verdict.decision == e->expect;
	sql = one_line(a, e->sql);
	if (sql == NULL)
		return ERR_MEMORY;
	*text_out = arena_printf(a, "expected %s, got %s because: %.*s: %s",
	    decision_word(e->expect), decision_word(j.verdict.decision),
	    (int)j.verdict.reason.len, j.verdict.reason.at, sql);
	return *text_out == NULL ? ERR_MEMORY : ERR_NONE;
}

static enum err
run_all(const struct settings *s, const struct policy *p,
    const struct policy_file *f, struct arena *a,
    struct example_result *results)
{
	enum err err = ERR_NONE;
	size_t i;

	for (i = 0; i < f->example_count && err == ERR_NONE; i++) {
		const struct example *e = &f->examples[i];

		results[i].file = e->node->file;
		results[i].line = e->node->line;
		err = policy_example_run(s, p, e, a, &results[i].has_passed,
		    &results[i].text);
	}
	return err;
}

enum err
policy_test_file(const struct settings *s, const struct policy *p,
    const char *file, struct arena *a, struct diagnostics *d,
    struct example_result **results_out, size_t *count_out)
{
	struct policy_names names = {s, &p->identities};
	struct reading r = {.arena = a, .diagnostics = d, .context = &names};
	size_t before = diagnostics_count(d);
	struct policy_file f;
	enum err err;

	*results_out = NULL;
	*count_out = 0;
	err = policy_file_read_examples(&r, file, &f);
	if (err == ERR_NONE && diagnostics_count(d) != before)
		err = ERR_INVALID;
	if (err != ERR_NONE)
		return err;
	*results_out = arena_array(a, f.example_count, sizeof(**results_out));
	if (*results_out == NULL)
		return ERR_MEMORY;
	*count_out = f.example_count;
	return run_all(s, p, &f, a, *results_out);
}
