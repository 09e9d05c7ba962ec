/*
 * mutate.c - see mutate.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "mutate.h"
#include "parsed.h"
#include "report.h"
#include "spell.h"

enum { TRIES = 6 };

/* Where a statement can stand in another: before and after it. */
static const struct {
	const char *before, *after;
} nests[] = {
    {"explain ", ""},
    {"explain analyze ", ""},
    {"explain (verbose, analyze, costs off) ", ""},
    {"prepare p_ (int) as ", ""},
    {"declare c_ scroll cursor with hold for ", ""},
    {"create temp table t_ as ", " with no data"},
    {"create materialized view v_ as ", ""},
    {"create or replace view s_.v_ as ", ""},
    {"copy (", ") to stdout"},
    {"with w_ as (", ") select count(*) from w_"},
    {"with w_ as materialized (", ") delete from t_ where a = 1"},
    {"with recursive v_ as (select 1), w_ (a) as (", ") table w_"},
    {"select * from (", ") as s_"},
    {"select a_, exists (", ") from b_"},
    {"select array(", ")"},
    {"insert into s_.t_ ", ""},
    {"insert into t_ (a) ", " on conflict do nothing"},
    {"(", ")"},
    {"((", ") union all select 1) limit 1"},
    {"update t_ set a = (", ") where b = 1"},
    {"merge into t_ using (", ") as s_ on t_.a = 1 when matched then delete"},
    {"create rule r_ as on insert to t_ do instead ", ""},
    {"create rule r_ as on update to t_ do also (", "; notify n_)"},
    {"create function f_() returns int begin atomic ", "; select 1; end"},
    {"create procedure f_() begin atomic select 1; ", "; end"},
    {"create schema s_ ", ""},
    {"explain declare c_ cursor for ", ""},
    {"explain analyze create table t_ as ", ""},
    {"select 1; ", ""},
    {"begin; ", "; commit"},
};

enum { NESTS = sizeof(nests) / sizeof(nests[0]) };

/* Without the semicolon and what comes after it. */
static size_t
length_of_statement(const char *sql)
{
	size_t len = strlen(sql);

	while (len > 0 && strchr("; \n\t", sql[len - 1]) != NULL)
		len--;
	return len;
}

/* A routine's body takes no other statements, though its grammar does. */
static bool
fits(const char *sql, size_t which)
{
	static const char *const first[] = {"select", "insert", "update",
	    "delete", "merge", "with", "values", "table", "("};
	size_t i;

	if (strstr(nests[which].before, "begin atomic") == NULL)
		return true;
	for (i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		if (strncasecmp(sql, first[i], strlen(first[i])) == 0)
			return true;
	}
	return false;
}

static char *
nest(const char *sql, size_t which)
{
	size_t len = length_of_statement(sql);
	size_t room = len + strlen(nests[which].before) +
	    strlen(nests[which].after) + 2;
	char *out = malloc(room);

	/* the new line ends a comment that ends the statement */
	if (out != NULL)
		snprintf(out, room, "%s%.*s\n%s", nests[which].before,
		    (int)len, sql, nests[which].after);
	return out;
}

static bool
mutate_nested(const char *sql, struct chance *c, struct mutation *out)
{
	size_t i, start = chance_below(c, NESTS);

	out->is_nested = true;
	for (i = 0; i < TRIES; i++) {
		size_t which = (start + i * 7) % NESTS;

		if (!fits(sql, which))
			continue;
		out->sql = nest(sql, which);
		out->tree = out->sql == NULL ? NULL : parsed_tree(out->sql);
		if (out->tree != NULL)
			return true;
		free(out->sql);
	}
	return false;
}

static bool
is_same_tree(const char *sql, const char *tree)
{
	char *other = parsed_tree(sql), *own = strdup(tree);
	bool same = false;

	if (other != NULL && own != NULL) {
		parsed_forget_places(other);
		parsed_forget_places(own);
		same = strcmp(other, own) == 0;
	}
	free(other);
	free(own);
	return same;
}

static bool
mutate_spelt(const char *sql, const char *tree, struct chance *c,
    char *(*spell)(const char *, struct chance *), struct mutation *out)
{
	size_t i;

	for (i = 0; i < TRIES; i++) {
		out->sql = spell(sql, c);
		if (out->sql == NULL)
			return false;
		if (is_same_tree(out->sql, tree))
			return true;
		free(out->sql);
	}
	return false;
}

bool
mutate(const char *sql, const char *tree, size_t number, struct mutation *out)
{
	/* every seed but 0 will do */
	struct chance c = {
	    (text_hash(text_of(sql)) + number * 0x9e3779b97f4a7c15) | 1};

	*out = (struct mutation){0};
	(void)chance_below(&c, 2);
	switch (number % 6) {
	case 2:
		return mutate_spelt(sql, tree, &c, spell_quoted, out);
	case 3:
		out->has_more_parentheses = true;
		return mutate_spelt(sql, tree, &c, spell_parenthesised, out);
	case 4:
	case 5:
		return mutate_nested(sql, &c, out);
	default:
		return mutate_spelt(sql, tree, &c, spell_otherwise, out);
	}
}

void
mutation_free(struct mutation *m)
{
	free(m->sql);
	free(m->tree);
}

static bool
is_same_use(const struct relation_use *a, const struct relation_use *b)
{
	return text_is(a->schema, b->schema) && text_is(a->name, b->name) &&
	    a->is_read == b->is_read && a->is_written == b->is_written &&
	    a->is_cte == b->is_cte;
}

static bool
is_same_relations(const struct statement *a, const struct statement *b)
{
	size_t i, k;

	if (a->relation_count != b->relation_count)
		return false;
	for (i = 0; i < a->relation_count; i++) {
		for (k = 0; k < b->relation_count; k++) {
			if (is_same_use(&a->relations[i], &b->relations[k]))
				break;
		}
		if (k == b->relation_count)
			return false;
	}
	return true;
}

/* A name in quotes that is a keyword of any kind keeps them. */
static bool
is_same_but_quotes(struct text a, struct text b)
{
	size_t i = 0, k = 0;

	while (i < a.len || k < b.len) {
		if (i < a.len && a.at[i] == '"')
			i++;
		else if (k < b.len && b.at[k] == '"')
			k++;
		else if (i == a.len || k == b.len || a.at[i++] != b.at[k++])
			return false;
	}
	return true;
}

/* What a parenthesis may change: a keyword before it may be taken for a
 * function, a constant in it for a WHERE that always holds, and `(a) = a`
 * for one that does not. */
static bool
is_same_traits(uint64_t a, uint64_t b, const struct mutation *m)
{
	if (m->has_more_parentheses) {
		a = (a & ~BIT(TRAIT_WHERE)) | (b & BIT(TRAIT_WHERE));
		a |= b & BIT(TRAIT_UNKNOWN_FUNCTION);
	}
	return a == b;
}

static const char *
difference(const struct statement *a, const struct statement *b,
    const struct mutation *m)
{
	if (a->operations != b->operations)
		return "operations";
	if (!is_same_traits(a->traits, b->traits, m))
		return "traits";
	if (!is_same_relations(a, b))
		return "relations";
	if (!m->has_more_parentheses && !text_is(a->function, b->function))
		return "function";
	if (!text_is(a->subject, b->subject))
		return "subject";
	if (!m->has_more_parentheses &&
	    !is_same_but_quotes(a->canonical, b->canonical))
		return "canonical text";
	return NULL;
}

bool
mutate_is_same(const struct classifier *c, const struct lex_state *state,
    const char *sql, const struct mutation *m, struct arena *a)
{
	struct classified one, other;
	const char *what = NULL;
	size_t i;

	if (classify_text(c, state, text_of(sql), a, &one) != ERR_NONE)
		return true; /* reported where it was judged */
	if (classify_text(c, state, text_of(m->sql), a, &other) != ERR_NONE) {
		report_find(true, "CHANGED", other.error);
		return false;
	}
	if (one.count != other.count)
		what = "statements";
	for (i = 0; what == NULL && i < one.count; i++)
		what = difference(&one.statements[i], &other.statements[i], m);
	if (what != NULL)
		report_find(true, "CHANGED", what);
	return what == NULL;
}
