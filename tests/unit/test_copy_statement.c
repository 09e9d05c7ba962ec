/* links: worker/postgres/copy/copy_statement.c worker/postgres/copy/copy_options.c worker/postgres/copy/copy_format.c worker/postgres/wire/pg_put.c common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/wire.c common/text.c common/arena.c */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/suite.h"
#include "worker/postgres/copy/copy_statement.h"

static struct arena *arena;

static void
start(void)
{
	arena = arena_new(1 << 20);
}

static void
finish(void)
{
	arena_free(arena);
}

static enum err
read_sql(const char *sql, struct copy_statement *out)
{
	const struct lex_state state = {.dialect = DIALECT_POSTGRES,
	    .standard_conforming_strings = true,
	    .is_utf8 = true};
	struct lexed l;

	ck_assert_int_eq(lexer_run(&state, text_of(sql), arena, &l), ERR_NONE);
	return copy_statement_read(l.tokens, l.count, arena, out);
}

static const struct {
	const char *sql, *query;
} queries[] = {
    {"COPY t TO STDOUT", "SELECT * FROM ONLY \"t\""},
    {"copy T to stdin;", "SELECT * FROM ONLY \"t\""},
    {"COPY BINARY t TO STDOUT", "SELECT * FROM ONLY \"t\""},
    {"COPY \"T\".u (a, \"B\"\"c\") TO STDOUT",
	"SELECT \"a\", \"B\"\"c\" FROM ONLY \"T\".\"u\""},
    {"COPY stdout(stdin)TO STDOUT", "SELECT \"stdin\" FROM ONLY \"stdout\""},
    {"COPY d.s.t TO STDOUT CSV", "SELECT * FROM ONLY \"d\".\"s\".\"t\""},
    {"COPY (SELECT 1) TO STDOUT", "      SELECT 1"},
    {"COPY/*(*/((SELECT ')')) TO STDOUT", "          (SELECT ')')"},
    {"COPY (WITH x AS (TABLE y) SELECT 1 -- )\n) TO STDOUT",
	"      WITH x AS (TABLE y) SELECT 1 -- )\n"},
};

START_TEST(the_query_gives_what_is_copied)
{
	struct buffer b = {.ceiling = 0};
	struct copy_statement c;

	ck_assert_int_eq(read_sql(queries[_i].sql, &c), ERR_NONE);
	copy_put_query(&b, &c, text_of(queries[_i].sql));
	buffer_put_u8(&b, 0);
	ck_assert_str_eq((const char *)b.bytes, queries[_i].query);
	buffer_free(&b);
}
END_TEST

static const struct {
	const char *options;
	enum copy_kind kind;
	bool has_header;
	char delimiter, quote, escape;
	const char *null;
} options[] = {
    {"", COPY_TEXT, false, '\t', 0, 0, "\\N"},
    {"WITH", COPY_TEXT, false, '\t', 0, 0, "\\N"},
    {"DELIMITERS ';'", COPY_TEXT, false, ';', 0, 0, "\\N"},
    {"USING DELIMITERS ';' WITH NULL ''", COPY_TEXT, false, ';', 0, 0, ""},
    {"DELIMITER AS '|' NULL AS 'n'", COPY_TEXT, false, '|', 0, 0, "n"},
    {"CSV HEADER", COPY_CSV, true, ',', '"', '"', ""},
    {"WITH CSV QUOTE 'q'", COPY_CSV, false, ',', 'q', 'q', ""},
    {"CSV ESCAPE AS E'\\''", COPY_CSV, false, ',', '"', '\'', ""},
    {"BINARY", COPY_BINARY, false, '\t', 0, 0, "\\N"},
    {"(FORMAT CSV, header)", COPY_CSV, true, ',', '"', '"', ""},
    {"(format 'csv', HEADER FALSE)", COPY_CSV, false, ',', '"', '"', ""},
    {"WITH (\"format\" csv, \"null\" '-', header 1)", COPY_CSV, true, ',', '"',
	'"', "-"},
    {"(FORMAT binary)", COPY_BINARY, false, '\t', 0, 0, "\\N"},
    {"(DELIMITER $$,$$, ENCODING 'UTF8')", COPY_TEXT, false, ',', 0, 0, "\\N"},
    {"(DELIMITER U&'\\0021')", COPY_TEXT, false, '!', 0, 0, "\\N"},
    {"/* CSV */ -- BINARY\n(NULL '(')", COPY_TEXT, false, '\t', 0, 0, "("},
};

START_TEST(options_are_read_in_both_spellings)
{
	const char *sql =
	    arena_printf(arena, "COPY t TO STDOUT %s", options[_i].options);
	struct copy_statement c;

	ck_assert_msg(read_sql(sql, &c) == ERR_NONE, "%s: %s", sql, c.error);
	ck_assert_int_eq(c.format.kind, options[_i].kind);
	ck_assert_int_eq(c.format.has_header, options[_i].has_header);
	ck_assert_int_eq(c.format.delimiter, options[_i].delimiter);
	ck_assert_int_eq(c.format.quote, options[_i].quote);
	ck_assert_int_eq(c.format.escape, options[_i].escape);
	ck_assert(text_is(c.format.null, text_of(options[_i].null)));
}
END_TEST

START_TEST(columns_to_be_quoted_are_read_in_both_spellings)
{
	struct copy_statement c;

	ck_assert_int_eq(
	    read_sql("COPY t TO STDOUT CSV FORCE QUOTE a, \"B\"", &c),
	    ERR_NONE);
	ck_assert_uint_eq(c.quoted_count, 2);
	ck_assert(text_is(c.quoted[1], TEXT("B")));
	ck_assert_int_eq(
	    read_sql("COPY t TO STDOUT (FORMAT csv, FORCE_QUOTE (a, b))", &c),
	    ERR_NONE);
	ck_assert_uint_eq(c.quoted_count, 2);
	ck_assert_int_eq(
	    read_sql("COPY t TO STDOUT (FORMAT csv, FORCE_QUOTE *)", &c),
	    ERR_NONE);
	ck_assert(c.quotes_all);
}
END_TEST

static const char *const refused[] = {
    "COPY t FROM STDIN",
    "COPY t TO 'stdout'",
    "COPY t TO \"stdout\"",
    "COPY t TO PROGRAM 'stdout'",
    "COPY t TO STDOUT STDOUT",
    "COPY t TO STDOUT; SELECT 1",
    "SELECT 1",
    "COPY",
    "COPY t",
    "COPY a.b.c.d TO STDOUT",
    "COPY t () TO STDOUT",
    "COPY t (a, a) TO STDOUT",
    "COPY t (a, \"a\") TO STDOUT",
    "COPY () TO STDOUT",
    "COPY (DROP TABLE t) TO STDOUT",
    "COPY (\"select\" 1) TO STDOUT",
    "COPY (SELECT 1; SELECT 2) TO STDOUT",
    "COPY (SELECT $1) TO STDOUT",
    "COPY (SELECT 1 TO STDOUT",
    "COPY (COPY t TO STDOUT) TO STDOUT",
    "COPY BINARY t TO STDOUT BINARY",
    "COPY BINARY t TO STDOUT (FORMAT text)",
    "COPY t TO STDOUT USING ','",
    "COPY t TO STDOUT (FORMAT 'CSV')",
    "COPY t TO STDOUT (FORMAT xml)",
    "COPY t TO STDOUT (\"FORMAT\" csv)",
    "COPY t TO STDOUT (FORMAT csv, FORMAT csv)",
    "COPY t TO STDOUT (FORMAT csv",
    "COPY t TO STDOUT (FORMAT csv) HEADER",
    "COPY t TO STDOUT ()",
    "COPY t TO STDOUT (HEADER match)",
    "COPY t TO STDOUT (FREEZE)",
    "COPY t TO STDOUT (DELIMITER '')",
    "COPY t TO STDOUT (DELIMITER ',,')",
    "COPY t TO STDOUT (DELIMITER '\xc3\xa4')",
    "COPY t TO STDOUT (QUOTE '\"')",
    "COPY t TO STDOUT (ENCODING 'LATIN1')",
    "COPY t TO STDOUT (FORMAT csv, FORCE_QUOTE a)",
    "COPY t TO STDOUT CSV FORCE NOT NULL a",
    "COPY t TO STDOUT CSV FORCE",
    "COPY t TO STDOUT BINARY NULL ''",
    "COPY t TO STDOUT CSV CSV",
};

START_TEST(what_is_not_read_surely_is_refused)
{
	struct copy_statement c;

	ck_assert_msg(
	    read_sql(refused[_i], &c) == ERR_UNSUPPORTED, "%s", refused[_i]);
	ck_assert_ptr_nonnull(c.error);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("copy_statement");
	TCase *c = tcase_create("copy_statement");

	tcase_add_checked_fixture(c, start, finish);
	tcase_add_loop_test(c, the_query_gives_what_is_copied, 0,
	    sizeof(queries) / sizeof(queries[0]));
	tcase_add_loop_test(c, options_are_read_in_both_spellings, 0,
	    sizeof(options) / sizeof(options[0]));
	tcase_add_test(c, columns_to_be_quoted_are_read_in_both_spellings);
	tcase_add_loop_test(c, what_is_not_read_surely_is_refused, 0,
	    sizeof(refused) / sizeof(refused[0]));
	suite_add_tcase(s, c);
	return suite_run(s);
}
