/* links: common/own.c common/classify.c common/class_reader.c common/class_catch.c common/class_names.c common/class_settle.c common/class_rules.c common/class_file.c common/class_need.c common/canonical.c common/flat.c common/words.c common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/regex.c common/vocab.c common/arena.c common/text.c common/err.c common/yaml.c common/diagnostics.c */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/own.h"
#include "tests/unit/suite.h"

static struct classifier *classifier;
static struct arena *arena;
static struct own_relations own;

static struct text
read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *bytes = arena_alloc(arena, 512 * 1024);

	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(bytes);
	return (struct text){bytes, fread(bytes, 1, 512 * 1024, file)};
}

static void
set_up(void)
{
	const char *message = "";

	arena = arena_new(0);
	own = (struct own_relations){0};
	ck_assert_int_eq(
	    classifier_new(DIALECT_POSTGRES, "classes",
		read_file("policies/classes/postgres.yaml"), "functions",
		read_file("policies/functions/postgres.yaml"), arena,
		&classifier, &message),
	    ERR_NONE);
}

static void
tear_down(void)
{
	classifier_free(classifier);
	arena_free(arena);
}

static const struct statement *
statement(const char *sql)
{
	static const struct lex_state usual = {.dialect = DIALECT_POSTGRES,
	    .standard_conforming_strings = true,
	    .is_utf8 = true};
	struct classified *text = arena_alloc(arena, sizeof(*text));

	ck_assert_int_eq(
	    classify_text(classifier, &usual, text_of(sql), arena, text),
	    ERR_NONE);
	ck_assert_uint_eq(text->count, 1);
	return &text->statements[0];
}

/* t temporary, v a view, q made by a query, e may exist, r has relatives, b
 * brief; then the name. */
static const char *
creation(const char *sql)
{
	static char answer[128];
	struct creation c;

	creation_read(statement(sql), &c);
	if (c.relation == NULL)
		return "-";
	snprintf(answer, sizeof(answer), "%s%s%s%s%s%s %.*s.%.*s",
	    c.is_temporary ? "t" : "", c.is_view ? "v" : "",
	    c.has_query ? "q" : "", c.may_exist ? "e" : "",
	    c.has_relatives ? "r" : "", c.is_brief ? "b" : "",
	    (int)c.relation->schema.len, c.relation->schema.at,
	    (int)c.relation->name.len, c.relation->name.at);
	return answer;
}

START_TEST(creation_is_read_off_its_text)
{
	static const struct {
		const char *sql, *want;
	} known[] = {
	    {"CREATE TABLE t (a int)", " .t"},
	    {"CREATE TABLE s.t AS SELECT 1", "q s.t"},
	    {"CREATE TEMP TABLE \"T\" (a int)", "t .T"},
	    {"CREATE LOCAL TEMPORARY TABLE t (a int) ON COMMIT DROP", "tb .t"},
	    {"CREATE TABLE pg_temp.t (a int)", "t pg_temp.t"},
	    {"CREATE UNLOGGED TABLE IF NOT EXISTS t (a int)", "e .t"},
	    {"CREATE TABLE IF NOT EXISTS t AS VALUES (1)", "qe .t"},
	    {"CREATE OR REPLACE TEMP VIEW t AS SELECT 1", "tvq .t"},
	    {"CREATE MATERIALIZED VIEW t AS SELECT 1 FROM u", "vq .t"},
	    {"SELECT a INTO TEMP t FROM u", "tq .t"},
	    {"SELECT a INTO t FROM u", "q .t"},
	    {"CREATE TABLE t (LIKE u)", "r .t"},
	    {"CREATE TABLE t () INHERITS (u)", "r .t"},
	    {"CREATE TABLE t PARTITION OF u DEFAULT", "r .t"},
	    {"CREATE TABLE t OF u", "r .t"},
	    /* they create nothing, or nothing of the kind */
	    {"CREATE FOREIGN TABLE t (a int) SERVER s", "-"},
	    {"CREATE INDEX i ON t (a)", "-"},
	    {"CREATE SEQUENCE t", "-"},
	    {"CREATE SCHEMA s CREATE TABLE t (a int)", "-"},
	    {"CREATE TABLE t AS EXECUTE p", "-"},
	    {"EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1", "-"},
	    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "-"},
	    {"CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO u SELECT 1",
		"-"},
	    {"INSERT INTO t SELECT 1", "-"},
	    {"SELECT a AS into_ FROM u", "-"},
	    {"ALTER TABLE t RENAME TO u", "-"},
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		ck_assert_msg(strcmp(creation(known[i].sql), known[i].want) == 0,
		    "%s: %s, not %s", known[i].sql, creation(known[i].sql),
		    known[i].want);
}
END_TEST

/* --- the list ------------------------------------------------------------- */

static void
apply(enum own_change change, const char *schema, const char *name,
    bool is_temporary)
{
	const struct relation_use use = {
	    .schema = text_of(schema), .name = text_of(name)};
	const struct own_effect e = {.change = change,
	    .relations = &use,
	    .count = 1,
	    .is_temporary = is_temporary};
	unsigned version = own.version;

	own_apply(&own, &e);
	if (change == OWN_CREATED && !own.is_over)
		ck_assert_uint_ne(own.version, version);
}

static bool
has(const char *schema, const char *name)
{
	bool is_temporary;

	return own_has(&own, text_of(schema), text_of(name), &is_temporary);
}

START_TEST(temporary_relation_has_two_names_and_another_one)
{
	apply(OWN_CREATED, "", "t", true);
	apply(OWN_CREATED, "", "u", false);
	apply(OWN_CREATED, "s", "w", false);
	ck_assert(has("", "t") && has("pg_temp", "t") && !has("public", "t"));
	ck_assert(has("", "u") && !has("pg_temp", "u") && !has("public", "u"));
	ck_assert(has("s", "w") && !has("", "w"));
}
END_TEST

START_TEST(commit_keeps_what_is_temporary_alone)
{
	const struct relation_use use = {.name = TEXT("b")};
	const struct own_effect brief = {.change = OWN_CREATED,
	    .relations = &use,
	    .count = 1,
	    .is_temporary = true,
	    .is_brief = true};

	apply(OWN_CREATED, "", "t", true);
	apply(OWN_CREATED, "", "u", false);
	own_apply(&own, &brief);
	ck_assert(has("", "b"));
	own_commit(&own);
	ck_assert(has("", "t") && !has("", "u") && !has("", "b"));
}
END_TEST

START_TEST(rollback_takes_what_is_not_committed)
{
	apply(OWN_CREATED, "", "t", true);
	own_commit(&own);
	apply(OWN_CREATED, "", "u", true);
	own_note_oid(&own, 17);
	apply(OWN_ROLLED_BACK, "", "x", false);
	ck_assert(has("", "t") && !has("", "u") && !own_has_oid(&own, 17));
	/* … and what was dropped in between is not believed to be the same */
	apply(OWN_DROPPED, "", "t", false);
	apply(OWN_CREATED, "", "t", true);
	own_roll_back(&own);
	ck_assert(!has("", "t"));
}
END_TEST

START_TEST(drop_forgets_the_name_in_every_schema)
{
	apply(OWN_CREATED, "", "t", false);
	apply(OWN_DROPPED, "public", "t", false);
	ck_assert(!has("", "t"));
}
END_TEST

START_TEST(doubt_empties_the_list_and_code_ends_it)
{
	apply(OWN_CREATED, "", "t", true);
	apply(OWN_DOUBTED, "", "x", false);
	ck_assert(!has("", "t"));
	apply(OWN_CREATED, "", "t", true);
	ck_assert(has("", "t"));
	apply(OWN_OVER, "", "x", false);
	ck_assert(!has("", "t"));
	apply(OWN_CREATED, "", "t", true);
	ck_assert(!has("", "t"));
}
END_TEST

START_TEST(list_and_names_are_bounded)
{
	char name[80];
	size_t i;

	for (i = 0; i < OWN_MAX; i++) {
		snprintf(name, sizeof(name), "t%zu", i);
		apply(OWN_CREATED, "", name, true);
	}
	ck_assert(has("", "t63"));
	own_apply(&own, &(struct own_effect){.change = OWN_CREATED,
			    .relations = &(struct relation_use){
				.name = TEXT("one more")},
			    .count = 1});
	ck_assert(!has("", "one more"));
	own_clear(&own);
	memset(name, 'x', 64);
	own_apply(&own, &(struct own_effect){.change = OWN_CREATED,
			    .relations = &(struct relation_use){
				.name = {name, 64}},
			    .count = 1});
	ck_assert_uint_eq(own.count, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("own");
	TCase *all = tcase_create("own");

	tcase_add_checked_fixture(all, set_up, tear_down);
	tcase_add_test(all, creation_is_read_off_its_text);
	tcase_add_test(all, temporary_relation_has_two_names_and_another_one);
	tcase_add_test(all, commit_keeps_what_is_temporary_alone);
	tcase_add_test(all, rollback_takes_what_is_not_committed);
	tcase_add_test(all, drop_forgets_the_name_in_every_schema);
	tcase_add_test(all, doubt_empties_the_list_and_code_ends_it);
	tcase_add_test(all, list_and_names_are_bounded);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
