/* links: common/classify.c common/class_reader.c common/class_catch.c common/class_names.c common/class_settle.c common/class_rules.c common/class_file.c common/class_need.c common/canonical.c common/flat.c common/words.c common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/regex.c common/vocab.c common/arena.c common/text.c common/err.c common/yaml.c common/diagnostics.c */
/*
 * How much work a statement can make of the class rules: it must grow no
 * faster than the statement does, or be refused.
 *
 * Work is counted, not timed: this program takes PCRE2's functions' place so
 * that every pattern is compiled with a callout before each of its items,
 * and is matched by the interpreter, which calls them.
 */
#include <check.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/classify.h"
#include "common/regex.h"
#include "tests/unit/suite.h"

enum {
	AUTO_CALLOUT = 0x4, /* PCRE2_AUTO_CALLOUT */
	NO_JIT = -45,	    /* PCRE2_ERROR_JIT_BADOPTION */
	FILE_MAX = 1 << 20,
	WORDS_MAX = 256, /* of one rule */
	SEEN_MAX = 1 << 16,
	SMALL = 500,	/* bytes of the smaller statement … */
	TIMES = 8,	/* … and how much larger the other is … */
	TIMES_MAX = 12, /* … and its work may be */
	LARGE = 256 * 1024,
	STEPS_A_BYTE_MAX = 400
};

static size_t steps;

static int
count_step(void *block, void *data)
{
	(void)block;
	(void)data;
	steps++;
	return 0;
}

static void *
real(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	ck_assert_ptr_nonnull(function);
	return function;
}

void *pcre2_compile_8(const void *pattern, size_t len, uint32_t options,
    int *error, size_t *offset, void *context);
int pcre2_jit_compile_8(void *code, uint32_t options);
void *pcre2_match_context_create_8(void *general);
int pcre2_set_callout_8(
    void *context, int (*callout)(void *, void *), void *data);

void *
pcre2_compile_8(const void *pattern, size_t len, uint32_t options, int *error,
    size_t *offset, void *context)
{
	void *(*compile)(const void *, size_t, uint32_t, int *, size_t *,
	    void *) = real("pcre2_compile_8");

	return compile(
	    pattern, len, options | AUTO_CALLOUT, error, offset, context);
}

int
pcre2_jit_compile_8(void *code, uint32_t options)
{
	(void)code;
	(void)options;
	return NO_JIT;
}

void *
pcre2_match_context_create_8(void *general)
{
	void *(*create)(void *) = real("pcre2_match_context_create_8");
	void *context = create(general);

	pcre2_set_callout_8(context, count_step, NULL);
	return context;
}

static struct classifier *classifier;
static char *classes; /* the file of class rules */

static char *
read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *bytes = calloc(1, FILE_MAX);

	ck_assert_msg(f != NULL && bytes != NULL, "%s", path);
	ck_assert_uint_lt(fread(bytes, 1, FILE_MAX - 1, f), FILE_MAX - 1);
	fclose(f);
	return bytes;
}

static void
set_up(void)
{
	struct arena *a = arena_new(0);
	const char *message = NULL;
	char *functions = read_file("policies/functions/postgres.yaml");

	classes = read_file("policies/classes/postgres.yaml");
	ck_assert_msg(classifier_new(DIALECT_POSTGRES, "classes",
			  text_of(classes), "functions", text_of(functions), a,
			  &classifier, &message) == ERR_NONE,
	    "%s", message);
	free(functions);
	arena_free(a);
}

static void
tear_down(void)
{
	classifier_free(classifier);
	free(classes);
}

/* Where words stand: in a statement of their own, in a query, in a group. */
static const struct frame {
	const char *before, *after;
} frames[] = {
    {"%s ", ""},
    {"select a %s ", ""},
    {"select a from b where %s (", ")"},
};

enum { FRAMES = sizeof(frames) / sizeof(frames[0]) };

/* `head` in a frame, with `piece` again and again up to so many bytes. */
static enum err
classify_repeated(const struct frame *frame, const char *head,
    const char *piece, size_t bytes)
{
	static const struct lex_state state = {.dialect = DIALECT_POSTGRES,
	    .standard_conforming_strings = true,
	    .is_utf8 = true};
	static char sql[LARGE + 8192];
	struct arena *a = arena_new(0);
	size_t len = (size_t)sprintf(sql, frame->before, head);
	size_t piece_len = strlen(piece);
	struct classified c;
	enum err e;

	for (; len < bytes; len += piece_len + 1) {
		memcpy(sql + len, piece, piece_len);
		sql[len + piece_len] = ' ';
	}
	len += (size_t)sprintf(sql + len, "%s", frame->after);
	steps = 0;
	e = classify_text(
	    classifier, &state, (struct text){sql, len}, a, &c);
	arena_free(a);
	return e;
}

/* Twice the same, one larger: is the work in proportion, or refused? */
static void
expect_in_proportion(
    const struct frame *frame, const char *head, const char *piece)
{
	size_t small;

	if (classify_repeated(frame, head, piece, SMALL) != ERR_NONE)
		return;
	small = steps;
	if (classify_repeated(frame, head, piece, SMALL * TIMES) != ERR_NONE)
		return;
	ck_assert_msg(steps <= small * TIMES_MAX,
	    "%s+ %s %s %s ...: %zu steps for %d bytes, %zu for %d",
	    frame->before, head, piece, piece, small, SMALL, steps,
	    SMALL * TIMES);
}

struct rule_words {
	char words[WORDS_MAX][32];
	size_t count;
	char heads[WORDS_MAX][32];
	size_t head_count;
};

static void
add_word(char (*words)[32], size_t *count, struct text word)
{
	size_t i;

	for (i = 0; i < *count; i++) {
		if (text_is(text_of(words[i]), word))
			return;
	}
	if (*count < WORDS_MAX && word.len < sizeof(words[0]))
		snprintf(words[(*count)++], sizeof(words[0]), "%.*s",
		    (int)word.len, word.at);
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || c == '_';
}

/* All words of a rule's text; those of its `first` are heads, too. */
static void
read_words(struct rule_words *w, struct text rule)
{
	const char *first = strstr(rule.at, "first:"), *end, *at;
	const char *rule_end = rule.at + rule.len;

	w->count = w->head_count = 0;
	for (at = rule.at; at < rule_end; at = end) {
		bool is_head;

		for (end = at; end < rule_end && is_letter(*end); end++)
			;
		if (end == at) {
			end++;
			continue;
		}
		add_word(w->words, &w->count, (struct text){at, (size_t)(end - at)});
		is_head = first != NULL && at > first + 5 &&
		    memchr(first, ':', (size_t)(at - first)) ==
			memrchr(first, ':', (size_t)(at - first));
		if (is_head)
			add_word(w->heads, &w->head_count,
			    (struct text){at, (size_t)(end - at)});
	}
}

static bool
is_new(const char *head, const char *word)
{
	static uint64_t seen[SEEN_MAX];
	uint64_t hash = text_hash(text_of(head)) * 31 + text_hash(text_of(word));
	size_t at = hash % SEEN_MAX;

	while (seen[at] != 0 && seen[at] != hash)
		at = (at + 1) % SEEN_MAX;
	if (seen[at] == hash)
		return false;
	seen[at] = hash;
	return true;
}

static void
try_word(const char *head, const char *word)
{
	static const char *const shapes[] = {"%s", "%s ( ) a", ", a %s"};
	char piece[64];
	size_t i, k;

	for (i = 0; i < FRAMES; i += 2) {
		for (k = 0; k < sizeof(shapes) / sizeof(shapes[0]); k++) {
			snprintf(piece, sizeof(piece), shapes[k], word);
			expect_in_proportion(&frames[i], head, piece);
		}
	}
}

static void
try_rule(const struct rule_words *w, const char *head)
{
	size_t i;

	for (i = 0; i < w->count; i++) {
		if (is_new(head, w->words[i]))
			try_word(head, w->words[i]);
	}
}

/* All words of the rule in their order, very often. */
static void
try_whole_rule(const struct rule_words *w, const char *head)
{
	char piece[WORDS_MAX * 33];
	size_t i, len = 0;
	enum err e;

	for (i = 0; i < w->count; i++)
		len += (size_t)sprintf(piece + len, "%s ", w->words[i]);
	e = classify_repeated(&frames[0], head, piece, LARGE);
	ck_assert_msg(
	    e != ERR_NONE || steps <= (size_t)LARGE * STEPS_A_BYTE_MAX,
	    "%s %s: %zu steps", head, piece, steps);
}

/* Text from one "\n  - " to the next. */
static struct text
next_rule(const char **at)
{
	const char *begin = strstr(*at, "\n  - "), *end;

	if (begin == NULL)
		return (struct text){NULL, 0};
	end = strstr(begin + 1, "\n  - ");
	*at = end != NULL ? end : begin + strlen(begin);
	return (struct text){begin + 1, (size_t)(*at - begin - 1)};
}

START_TEST(work_for_every_rules_own_words_grows_with_the_text)
{
	static struct rule_words w;
	const char *at = strstr(classes, "\nrules:");
	struct text rule;
	size_t i, rules = 0;

	for (rule = next_rule(&at); rule.at != NULL; rule = next_rule(&at)) {
		read_words(&w, rule);
		for (i = 0; i < w.head_count; i++)
			try_rule(&w, w.heads[i]);
		rules++;
	}
	ck_assert_uint_gt(rules, 100);
}
END_TEST

START_TEST(large_statements_of_rules_words_are_bounded)
{
	static struct rule_words w;
	const char *at = strstr(classes, "\nrules:");
	struct text rule;

	for (rule = next_rule(&at); rule.at != NULL; rule = next_rule(&at)) {
		read_words(&w, rule);
		if (w.head_count > 0)
			try_whole_rule(&w, w.heads[0]);
	}
}
END_TEST

static const char *const pieces[] = {"a ,", "a", "( )", "a . a .", "a ( ) ,",
    "as a", "a as b ,", "join a on b", "join a using ( a )", "from a", ", ( )",
    "and a = b", "or ? = 1", "or a is null or", "not", "union select a",
    "union table a", "with a as ( select 1 )", "create table a ( b int )",
    "grant select on a to b", "create view a as select b", "on conflict",
    "on conflict do update set a = 1", "update a set", "'x'", "case when a then",
    "end", "= a", "a = a or", "begin atomic", "begin atomic select 1 ;",
    "for update of a", "default a", "default a ( )", "returning a", "* ,", "[ ]",
    "set a", "where", "where a", "cascade", "on delete cascade", "is", "\"A b\"",
    "\"a\" . \"b\"", "::a", ":: a . b", "a :: b ( 1 )", "only", "lateral",
    "rows from", "fetch first 1 rows only", "limit 1", "insert into a", "delete from a",
    "merge into a", "when matched then", "then insert", "treat ( a as b )",
    "add column a int default f ( b )", "alter a type b using c",
    "a , b from c where", "partition of a", "references a ( b )"};

static const char *const heads[] = {"", "select", "select a from", "insert into a",
    "update a set", "delete from a using", "merge into a using b on", "with a as",
    "create table a", "create table a as select", "create view a as select",
    "create schema a", "create function f ( )", "create function f ( ) begin atomic",
    "create rule a as on insert to b do", "create index on a ( b )", "alter table a",
    "alter default privileges", "create publication a for", "create statistics",
    "create trigger a", "grant a", "revoke a on", "drop table", "comment on",
    "copy a", "explain", "declare a cursor for", "prepare a as", "set", "vacuum",
    "lock", "truncate", "values", "table", "execute a", "security label", "fetch",
    "alter publication a", "create domain a", "alter function a ( )"};

START_TEST(work_for_many_arrangements_grows_with_the_text)
{
	size_t i = (size_t)_i, k, f;

	for (k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++) {
		for (f = 0; f < FRAMES; f += 2)
			expect_in_proportion(&frames[f], heads[i], pieces[k]);
	}
}
END_TEST

/* The counters do count: this pattern's work is not in proportion. */
START_TEST(work_that_grows_faster_is_noticed)
{
	static char subject[4000];
	struct arena *a = arena_new(0);
	struct pattern *p;
	const char *message;
	size_t small;
	bool matches;

	memset(subject, 'a', sizeof(subject));
	ck_assert_int_eq(
	    pattern_new(TEXT("a.*?[bc]"), a, &p, &message), ERR_NONE);
	steps = 0;
	(void)!pattern_matches(p, (struct text){subject, 500}, &matches);
	small = steps;
	steps = 0;
	(void)!pattern_matches(p, (struct text){subject, 4000}, &matches);
	ck_assert_uint_gt(steps, small * TIMES_MAX);
	pattern_free(p);
	arena_free(a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("steps");
	TCase *t = tcase_create("steps");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 600);
	tcase_add_test(t, work_that_grows_faster_is_noticed);
	tcase_add_loop_test(t, work_for_many_arrangements_grows_with_the_text,
	    0, sizeof(heads) / sizeof(heads[0]));
	tcase_add_test(t, work_for_every_rules_own_words_grows_with_the_text);
	tcase_add_test(t, large_statements_of_rules_words_are_bounded);
	suite_add_tcase(s, t);
	return suite_run(s);
}
