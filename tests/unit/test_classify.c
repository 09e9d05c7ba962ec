/* links: common/classify.c common/class_reader.c common/class_catch.c common/class_names.c common/class_settle.c common/class_rules.c common/class_file.c common/class_need.c common/canonical.c common/flat.c common/words.c common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/regex.c common/vocab.c common/arena.c common/text.c common/err.c common/yaml.c common/diagnostics.c */
#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/classify.h"
#include "tests/unit/suite.h"

static const struct lex_state usual = {.dialect = DIALECT_POSTGRES,
    .standard_conforming_strings = true,
    .is_utf8 = true};
static struct classifier *classifier;

static struct text
read_file(const char *path)
{
	static char bytes[2][512 * 1024];
	static size_t turn;
	char *to = bytes[turn++ % 2];
	FILE *file = fopen(path, "r");
	size_t len;

	if (file == NULL) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	len = fread(to, 1, sizeof(bytes[0]), file);
	fclose(file);
	return (struct text){to, len};
}

static void
set_up(void)
{
	struct arena *a = arena_new(0);
	const char *message = "";
	struct text classes = read_file("policies/classes/postgres.yaml");
	struct text functions = read_file("policies/functions/postgres.yaml");
	enum err e = classifier_new(DIALECT_POSTGRES, "classes", classes,
	    "functions", functions, a, &classifier, &message);

	if (e != ERR_NONE) {
		fprintf(stderr, "%s\n", message);
		exit(EXIT_FAILURE);
	}
	arena_free(a);
}

static void
tear_down(void)
{
	classifier_free(classifier);
}

static void
put(char *out, size_t size, const char *word)
{
	size_t len = strlen(out);

	snprintf(out + len, size - len, "%s%s",
	    len == 0 || out[len - 1] == ' ' ? "" : " ", word);
}

static void
put_relation(char *out, size_t size, const struct relation_use *r)
{
	char word[200];

	snprintf(word, sizeof(word), "%.*s%s%.*s:%s%s%s", (int)r->schema.len,
	    r->schema.len ? r->schema.at : "", r->schema.len ? "." : "",
	    (int)r->name.len, r->name.at, r->is_read ? "r" : "",
	    r->is_written ? "w" : "", r->is_cte ? "c" : "");
	put(out, size, word);
}

static void
put_statement(char *out, size_t size, const struct statement *s)
{
	size_t i;
	char word[200];

	for (i = 0; i < OP_MAX; i++) {
		if (s->operations & BIT(i))
			put(out, size, operation_name((enum operation)i));
	}
	put(out, size, "|");
	for (i = 0; i < TRAIT_MAX; i++) {
		if (s->traits & BIT(i))
			put(out, size, trait_name((enum trait)i));
	}
	put(out, size, "|");
	for (i = 0; i < s->relation_count; i++)
		put_relation(out, size, &s->relations[i]);
	if (s->subject.len == 0 && s->value.len == 0)
		return;
	snprintf(word, sizeof(word), "| %.*s=%.*s", (int)s->subject.len,
	    s->subject.len ? s->subject.at : "", (int)s->value.len,
	    s->value.len ? s->value.at : "");
	put(out, size, word);
}

/* operations | traits | relations [| subject=value] of each statement */
static const char *
described(struct text sql)
{
	static char out[8192];
	struct arena *a = arena_new(0);
	struct classified c;
	enum err e = classify_text(classifier, &usual, sql, a, &c);
	size_t i;

	out[0] = '\0';
	if (e != ERR_NONE) {
		snprintf(out, sizeof(out), "REFUSED %s", c.error);
	}
	for (i = 0; i < c.count; i++) {
		put(out, sizeof(out), i == 0 ? "" : ";");
		put_statement(out, sizeof(out), &c.statements[i]);
	}
	arena_free(a);
	return out;
}

static struct text
next_line(struct text *rest)
{
	const char *end = memchr(rest->at, '\n', rest->len);
	struct text line = {rest->at,
	    end == NULL ? rest->len : (size_t)(end - rest->at)};
	size_t took = line.len + (end != NULL);

	rest->at += took;
	rest->len -= took;
	return line;
}

static void
check_table(const char *sql_file, const char *want_file)
{
	struct text sqls = read_file(sql_file), wants = read_file(want_file);
	size_t line = 0;

	while (sqls.len > 0) {
		struct text sql = next_line(&sqls), want = next_line(&wants);
		const char *got = described(sql);

		line++;
		ck_assert_msg(text_is(want, text_of(got)),
		    "%s:%zu: %.*s\nwant %.*s\ngot  %s", sql_file, line,
		    (int)sql.len, sql.at, (int)want.len, want.at, got);
	}
	ck_assert_uint_eq(wants.len, 0);
}

START_TEST(tables_are_as_wanted)
{
	char want[256];
	glob_t files;
	size_t i;

	ck_assert_int_eq(
	    glob("tests/tables/classify-*.sql", 0, NULL, &files), 0);
	for (i = 0; i < files.gl_pathc; i++) {
		const char *sql = files.gl_pathv[i];

		snprintf(want, sizeof(want), "%.*s.want",
		    (int)strlen(sql) - 4, sql);
		check_table(sql, want);
	}
	globfree(&files);
}
END_TEST

/* Print what .want would be, to read and keep: test_classify FILE.sql */
static int
print_table(const char *file)
{
	struct text sqls;

	set_up();
	sqls = read_file(file);
	while (sqls.len > 0)
		puts(described(next_line(&sqls)));
	tear_down();
	return EXIT_SUCCESS;
}

START_TEST(statements_mention_their_names)
{
	struct arena *a = arena_new(0);
	struct classified c;
	const struct statement *s;

	ck_assert_int_eq(
	    classify_text(classifier, &usual,
		TEXT("select c.Email, \"Phone No\", t.user from customers c"),
		a, &c),
	    ERR_NONE);
	s = &c.statements[0];
	ck_assert(statement_mentions(s, TEXT("email")));
	ck_assert(statement_mentions(s, TEXT("Phone No")));
	ck_assert(statement_mentions(s, TEXT("user")));
	ck_assert(statement_mentions(s, TEXT("customers")));
	ck_assert(!statement_mentions(s, TEXT("select")));
	ck_assert(!statement_mentions(s, TEXT("Email")));
	ck_assert(!statement_mentions(s, TEXT("")));
	arena_free(a);
}
END_TEST

START_TEST(raw_text_is_each_statements_own)
{
	struct arena *a = arena_new(0);
	struct classified c;

	ck_assert_int_eq(classify_text(classifier, &usual,
			     TEXT(" ; select 1 ;;/*x*/ select 'a' ; "), a, &c),
	    ERR_NONE);
	ck_assert_uint_eq(c.count, 2);
	ck_assert(text_is(c.statements[0].raw, TEXT("select 1")));
	ck_assert(text_is(c.statements[1].raw, TEXT("select 'a'")));
	ck_assert(c.statements[1].traits & BIT(TRAIT_MULTI));
	arena_free(a);
}
END_TEST

/* The function that a refusal would name. */
static const struct {
	const char *sql, *function;
} functions[] = {
    {"select lower(a), count(*) from t", ""},
    {"select lower(a), f(b), g(c) from t", "f"},
    {"select f(nextval('s'))", "nextval"},
    {"select f(1), nextval('s'), query_to_xml('x', true, true, '')",
	"query_to_xml"},
    {"select dblink('x'), pg_read_file('y')", "dblink"},
    {"select public.lower(a) from t", "public.lower"},
    {"select pg_catalog.nextval('s')", "pg_catalog.nextval"},
    {"select \"F\"(1)", "F"},
    {"select a operator(pg_catalog.=) b from t", ""},
    {"select a operator(public.=) b from t", "operator"},
};

START_TEST(function_that_reaches_furthest_is_named)
{
	struct arena *a = arena_new(0);
	struct classified c;

	ck_assert_int_eq(classify_text(classifier, &usual,
	    text_of(functions[_i].sql), a, &c), ERR_NONE);
	ck_assert(text_is(
	    c.statements[0].function, text_of(functions[_i].function)));
	arena_free(a);
}
END_TEST

START_TEST(fingerprint_forgets_literals_and_layout)
{
	struct arena *a = arena_new(0);
	char prints[3][FINGERPRINT_SIZE];
	struct classified c;
	size_t i;

	ck_assert_int_eq(
	    classify_text(classifier, &usual,
		TEXT("select A from t where b=1; select a/**/from T where "
		     "\"b\" = 2;select a from t where c = 1"),
		a, &c),
	    ERR_NONE);
	ck_assert_uint_eq(c.count, 3);
	for (i = 0; i < c.count; i++)
		statement_fingerprint(&c.statements[i], prints[i]);
	ck_assert_str_eq(prints[0], prints[1]);
	ck_assert_str_ne(prints[0], prints[2]);
	ck_assert_uint_eq(strlen(prints[0]), 16);
	arena_free(a);
}
END_TEST

START_TEST(every_ceiling_of_memory_is_a_refusal)
{
	size_t ceiling;

	for (ceiling = 1; ceiling < 20000; ceiling += 97) {
		struct arena *a = arena_new(ceiling);
		struct classified c;
		enum err e = classify_text(classifier, &usual,
		    TEXT("with x as (select 1) select A, lower(b) from t, u "
			 "where t.a = U&'\\0061' limit 1"),
		    a, &c);

		if (e != ERR_NONE) {
			ck_assert_int_eq(e, ERR_MEMORY);
			ck_assert_ptr_nonnull(c.error);
		}
		arena_free(a);
	}
}
END_TEST

START_TEST(more_than_a_thousand_relations_are_refused)
{
	struct arena *a = arena_new(0);
	char *sql = malloc(20000);
	int len = sprintf(sql, "select 1 from t");
	struct classified c;
	int i;

	for (i = 0; i < 1000; i++)
		len += sprintf(sql + len, ", t%d", i);
	ck_assert_int_eq(classify_text(classifier, &usual,
			     (struct text){sql, (size_t)len}, a, &c),
	    ERR_TOO_LONG);
	ck_assert_ptr_nonnull(c.error);
	free(sql);
	arena_free(a);
}
END_TEST

/* As many parameters as the protocol carries, under the ceiling of a ruling,
 * in which the text itself has its place too. */
START_TEST(statement_of_65535_parameters_fits_a_ruling)
{
	struct arena *a = arena_new(48 * 1024 * 1024);
	size_t size = 65535 * 16 + 16, len = 0;
	char *sql = malloc(size);
	struct classified c;
	int i;

	for (i = 0; i < 65535; i++)
		len += (size_t)snprintf(sql + len, size - len, "%s($%d::text)",
		    i == 0 ? "values" : ", ", i + 1);
	ck_assert_int_eq(classify_text(classifier, &usual,
			     (struct text){sql, len}, a, &c),
	    ERR_NONE);
	ck_assert_uint_eq(c.count, 1);
	ck_assert_uint_eq(c.statements[0].operations, BIT(OP_SELECT));
	free(sql);
	arena_free(a);
}
END_TEST

START_TEST(other_dialects_are_refused)
{
	struct lex_state mysql = {.dialect = DIALECT_MYSQL,
	    .standard_conforming_strings = true,
	    .is_utf8 = true};
	struct arena *a = arena_new(0);
	struct classified c;

	ck_assert_int_eq(
	    classify_text(classifier, &mysql, TEXT("select 1"), a, &c),
	    ERR_UNSUPPORTED);
	ck_assert_ptr_nonnull(c.error);
	arena_free(a);
}
END_TEST

START_TEST(broken_rules_are_refused_with_their_place)
{
	static const struct {
		const char *yaml, *want;
	} broken[] = {
	    {"", "c:1:1: a mapping is wanted here"},
	    {"[", "c:"},
	    {"rules: []\nfoo: 1", "c:2:1: unknown key foo"},
	    {"rules:\n - {name: x, first: a, operations: slect}",
		"c:2:36: unknown operation slect"},
	    {"rules:\n - {name: x, first: a, operations: read}",
		"c:2:36: unknown operation read"},
	    {"rules:\n - {name: x, first: a, pattern: '('}", "c:2:33: pattern"},
	    {"rules:\n - {name: x, first: a, pattern: '(?<rd>a)'}",
		"c:2:33: a group's name says nothing: rd"},
	    {"rules:\n - {name: x, pattern: '${X}'}", "c:2:23: unknown macro"},
	    {"define: {X: '${X}a'}\nrules:\n - {name: x, pattern: '${X}'}",
		"c:3:23: "},
	    {"rules:\n - {first: x}", "c:2:4: a rule without a name"},
	    {"rules: []", "c:1:1: query, inner"},
	};
	struct arena *a = arena_new(0);
	struct classifier *c;
	const char *message;
	size_t i;

	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		ck_assert_int_eq(
		    classifier_new(DIALECT_POSTGRES, "c",
			text_of(broken[i].yaml), "f", TEXT("clean: [a]"), a,
			&c, &message),
		    ERR_INVALID);
		ck_assert_ptr_null(c);
		ck_assert_msg(
		    text_starts(text_of(message), text_of(broken[i].want)),
		    "want %s got %s", broken[i].want, message);
	}
	arena_free(a);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *s = suite_create("classify");
	TCase *t = tcase_create("classify");

	if (argc > 1)
		return print_table(argv[1]);
	suite_add_tcase(s, t);
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, tables_are_as_wanted);
	tcase_add_test(t, statements_mention_their_names);
	tcase_add_test(t, raw_text_is_each_statements_own);
	tcase_add_test(t, fingerprint_forgets_literals_and_layout);
	tcase_add_loop_test(t, function_that_reaches_furthest_is_named, 0,
	    (int)(sizeof(functions) / sizeof(functions[0])));
	tcase_add_test(t, every_ceiling_of_memory_is_a_refusal);
	tcase_add_test(t, more_than_a_thousand_relations_are_refused);
	tcase_add_test(t, statement_of_65535_parameters_fits_a_ruling);
	tcase_add_test(t, other_dialects_are_refused);
	tcase_add_test(t, broken_rules_are_refused_with_their_place);
	return suite_run(s);
}
