/* links: common/clean_output.c common/protection_evasive.c common/classify.c common/class_reader.c common/class_rules.c common/class_file.c common/canonical.c common/flat.c common/words.c common/lexer.c common/lexer_string.c common/regex.c common/vocab.c common/arena.c common/text.c common/err.c common/yaml.c common/diagnostics.c */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clean_output.h"
#include "common/protection_inner.h"

static const struct lex_state usual = {DIALECT_POSTGRES, true, true};
static struct classifier *classifier;

static struct text
read_file(const char *path, char *to, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t len;

	if (file == NULL) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	len = fread(to, 1, size, file);
	fclose(file);
	return (struct text){to, len};
}

static void
set_up(void)
{
	static char classes[256 * 1024], functions[256 * 1024];
	struct arena *a = arena_new(0);
	const char *message = "";

	ck_assert_int_eq(classifier_new(DIALECT_POSTGRES, "classes",
			     read_file("policies/classes/postgres.yaml",
				 classes, sizeof(classes)),
			     "functions",
			     read_file("policies/functions/postgres.yaml",
				 functions, sizeof(functions)),
			     a, &classifier, &message),
	    ERR_NONE);
	arena_free(a);
}

static void
tear_down(void)
{
	classifier_free(classifier);
}

/* The protected columns of this test; all else is a column, too. */
static struct text protected_columns[] = {
    {"email", 5}, {"ssn", 3}, {"e-mail", 6}, {"Card", 4}};

static bool
is_any_column(void *context, struct text name)
{
	(void)context;
	return !text_is(name, TEXT("to_jsonb"));
}

/* What protection_touch() would say of a statement on customers. */
static struct touch
touch_of(const struct statement *s)
{
	struct touch t = {.is_protected = true,
	    .columns = protected_columns,
	    .column_count =
		sizeof(protected_columns) / sizeof(protected_columns[0])};
	size_t i;

	t.has_other_ways =
	    (s->traits & (BIT(TRAIT_STAR) | BIT(TRAIT_WHOLE_ROW))) != 0 ||
	    protection_is_evasive(s, is_any_column, NULL);
	t.mentions = t.has_other_ways;
	for (i = 0; i < t.column_count; i++)
		t.mentions |= statement_mentions(s, t.columns[i]);
	return t;
}

static bool
is_clean(const char *sql, size_t i, size_t count)
{
	struct arena *a = arena_new(0);
	struct classified c;
	struct touch t;
	bool clean;

	ck_assert_int_eq(
	    classify_text(classifier, &usual, text_of(sql), a, &c), ERR_NONE);
	t = touch_of(&c.statements[0]);
	clean = statement_output_is_clean(&c.statements[0], &t, i, count);
	arena_free(a);
	return clean;
}

/* A letter for each output: c is clean, - is not. */
static const struct {
	const char *sql, *outputs;
} lists[] = {
    {"select count(*), max(email) from customers", "c-"},
    {"select max(email), count(*) as n from customers", "-c"},
    {"select lower(city), upper(email), 1 + 1 from customers", "c-c"},
    {"select count(*) from_, min(ssn) from customers where id < 10", "c-"},
    {"select coalesce(city, 'x'), left(email, 1) from customers limit 5", "c-"},
    {"select lower(city), count(*), max(email) from customers group by city",
	"cc-"},
    {"select lower(city), max(email) from customers group by city "
     "order by city limit 3",
	"c-"},
    {"select (select count(*) from orders), max(email) from customers", "c-"},
    {"select count(*), (select max(email) from customers) from orders", "c-"},
    {"select row_number() over (order by city), lower(email) from customers",
	"c-"},
    {"select extract(year from born), lower(email) from customers", "c-"},
    {"select count(*), max(\"Card\") from customers", "c-"},
    {"select lower(city) as email, lower(ssn) from customers", "--"},
    {"select count(*) filter (where email = 'x'), max(email) from customers",
	"--"},
    {"select row_number() over (order by email), lower(ssn) from customers",
	"--"},
    {"select count(*), max(U&\"\\0065mail\") from customers", "c-"},
};

START_TEST(outputs_without_a_mention_are_clean)
{
	const char *want = lists[_i].outputs;
	size_t count = strlen(want), i;

	for (i = 0; i < count; i++)
		ck_assert_msg(
		    is_clean(lists[_i].sql, i, count) == (want[i] == 'c'),
		    "%s: %zu", lists[_i].sql, i);
	ck_assert(!is_clean(lists[_i].sql, count, count));
	for (i = 0; i < count; i++) {
		ck_assert(!is_clean(lists[_i].sql, i, count - 1));
		ck_assert(!is_clean(lists[_i].sql, i, count + 1));
	}
}
END_TEST

/* No output of these may be called clean, however many there are. */
static const char *const attacks[] = {
    /* the tail carries it under another name */
    "select count(*), upper(x) from (select email as x from customers) d, b",
    "select count(*), m || '' from (select max(ssn) m from customers) d "
    "where 'a' < email",
    "select count(*), lower(email) from customers where ssn like '1%'",
    "select lower(a), email || '' from customers c (a, b)",
    "select lower(a), email || '' from customers as c (a)",
    "select lower(x), max(email) from customers, lateral (select ssn) d(x)",
    "select count(*), max(email) from generate_series(1, "
    "(select ascii(email) from customers))",
    "select lower(a), max(email) from customers join b using (ssn)",
    "select count(*), max(email) from customers having max(ssn) > '5'",
    "select rank() over w, max(email) from customers window w as "
    "(order by ssn)",
    "select count(*), max(email) from customers order by max(email)",
    /* set operations mix the lists */
    "select lower(city), max(email) from customers union select lower(x), "
    "'' from b",
    "select '', max(email) from customers union all select ssn, '' from b",
    "select '', max(email) from customers intersect table b",
    "select city || '', max(email) from customers except select 'x', 'y'",
    "(select lower(city), max(email) from customers)",
    "with x as (select max(email) e from customers) select e || '', 1 from x",
    "with customers as (select 1) select count(*), max(email) from customers",
    "values (1, 'email')",
    "table customers",
    /* stars shift the list */
    "select b.*, count(*), max(email) from customers, b",
    "select *, max(email) from customers",
    "select (f).*, max(email) from customers",
    "select count(*), (c).*, email || '' from customers c",
    "select 2 * 3, max(email) from customers",
    /* a label that looks like a clause */
    "select 1 as from, lower(email), lower(city) from customers",
    "select a is distinct from email, lower(city) from customers",
    "select 1 as union, lower(email) from customers",
    /* whole rows, functions as columns */
    "select lower(c::text), max(email) from customers c",
    "select count(c), max(email) from customers c",
    "select c.to_jsonb, max(email) from customers c",
    /* sorted by a protected output */
    "select count(*), left(email, 1) from customers group by 2",
    "select count(*), left(email, 1) as e from customers group by e",
    "select count(*), left(email, 1) e from customers group by (e)",
    "select count(*), left(email, 1) \"e\" from customers group by rollup (e)",
    "select lower(city), left(email, 1) from customers order by 2 limit 1",
    "select lower(city), left(email, 1) e from customers order by e desc",
    "select lower(city), left(email, 1) e from customers order by 1, (2)",
    "select distinct lower(city), left(email, 1) from customers",
    "select distinct on (email) lower(city), 1 from customers",
    /* names that are not spelt as they are */
    "select lower(\"e-mail\"), max(email) from customers",
    "select lower(U&\"e\\002Dmail\"), max(email) from customers",
    "select count(*), max(\"e-mail\") from customers",
    /* hidden code, other statements */
    "select query_to_xml('select 1', true, true, ''), max(email) from "
    "customers",
    "select f(1), max(email) from customers",
    "select count(*), max(email) into temp t from customers",
    "explain select count(*), max(email) from customers",
    "insert into b select count(*), max(email) from customers",
    "update customers set city = 'x' returning lower(city), lower(email)",
    "select count(*), max(email) from customers; select 1",
    /* no relation, or no mention that would explain itself */
    "select count(*), 'email'",
    "select count(*), 1 from customers",
    "select",
};

START_TEST(nothing_else_is_clean)
{
	size_t i, count;

	for (count = 0; count < 6; count++) {
		for (i = 0; i < count; i++)
			ck_assert_msg(!is_clean(attacks[_i], i, count),
			    "%s: %zu of %zu", attacks[_i], i, count);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("clean_output");
	TCase *t = tcase_create("clean_output");
	SRunner *r;
	int failed;

	tcase_add_unchecked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, outputs_without_a_mention_are_clean, 0,
	    (int)(sizeof(lists) / sizeof(lists[0])));
	tcase_add_loop_test(t, nothing_else_is_clean, 0,
	    (int)(sizeof(attacks) / sizeof(attacks[0])));
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
