/* links: worker/postgres/copy/copy_format.c common/wire.c common/text.c */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/suite.h"
#include "worker/postgres/copy/copy_format.h"

static struct buffer out;

static void
start(void)
{
	out = (struct buffer){.ceiling = 0};
}

static void
finish(void)
{
	buffer_free(&out);
}

/* One field of a row of `columns`, as it is written. */
static struct text
written(const struct copy_format *f, size_t columns, struct text value,
    bool is_quoted)
{
	struct copy_row r = {.format = f, .out = &out, .columns = columns};

	buffer_clear(&out, 1024);
	r.has_begun = false;
	copy_row_value(&r, value, is_quoted);
	return (struct text){(const char *)out.bytes, out.len};
}

static const struct {
	const char *name;
	char delimiter;
	struct text value, want;
} texts[] = {
    {"plain", '\t', TEXT("abc"), TEXT("abc")},
    {"empty", '\t', TEXT(""), TEXT("")},
    {"letters", '\t', TEXT("\b\f\n\r\t\v"), TEXT("\\b\\f\\n\\r\\t\\v")},
    {"backslash", '\t', TEXT("a\\N"), TEXT("a\\\\N")},
    {"delimiter", '|', TEXT("a|\tb"), TEXT("a\\|\\tb")},
    {"a control character", '\t', TEXT("\001"), TEXT("\001")},
    {"beyond ASCII", '\t', TEXT("\xc3\xa4"), TEXT("\xc3\xa4")},
};

START_TEST(text_is_escaped)
{
	struct copy_format f = copy_format_default(COPY_TEXT);

	f.delimiter = texts[_i].delimiter;
	ck_assert_msg(
	    text_is(written(&f, 2, texts[_i].value, false), texts[_i].want),
	    "%s", texts[_i].name);
}
END_TEST

static const struct {
	const char *name;
	size_t columns;
	bool is_quoted;
	char quote, escape;
	struct text value, want;
} rows[] = {
    {"plain", 2, false, '"', '"', TEXT("abc"), TEXT("abc")},
    {"forced", 2, true, '"', '"', TEXT("abc"), TEXT("\"abc\"")},
    {"like NULL", 2, false, '"', '"', TEXT(""), TEXT("\"\"")},
    {"delimiter", 2, false, '"', '"', TEXT("a,b"), TEXT("\"a,b\"")},
    {"quote", 2, false, '"', '"', TEXT("a\"b"), TEXT("\"a\"\"b\"")},
    {"line", 2, false, '"', '"', TEXT("a\nb"), TEXT("\"a\nb\"")},
    {"escape", 2, true, '"', '!', TEXT("!\""), TEXT("\"!!!\"\"")},
    {"escape alone", 2, false, '"', '!', TEXT("!"), TEXT("!")},
    {"a letter quotes", 2, false, 'x', 'y', TEXT("axy"), TEXT("xayxyyx")},
    {"the end marker", 1, false, '"', '"', TEXT("\\."), TEXT("\"\\.\"")},
    {"it among others", 2, false, '"', '"', TEXT("\\."), TEXT("\\.")},
};

START_TEST(csv_is_quoted)
{
	struct copy_format f = copy_format_default(COPY_CSV);

	f.quote = rows[_i].quote;
	f.escape = rows[_i].escape;
	ck_assert_msg(text_is(written(&f, rows[_i].columns, rows[_i].value,
				  rows[_i].is_quoted),
			  rows[_i].want),
	    "%s", rows[_i].name);
}
END_TEST

START_TEST(binary_has_lengths)
{
	struct copy_format f = copy_format_default(COPY_BINARY);
	struct copy_row r = {.format = &f, .out = &out, .columns = 2};

	copy_row_begin(&r);
	copy_row_value(&r, TEXT("ab"), false);
	copy_row_null(&r);
	copy_row_end(&r);
	copy_put_trailer(&out);
	ck_assert(text_is((struct text){(const char *)out.bytes, out.len},
	    TEXT("\0\2\0\0\0\2ab\xff\xff\xff\xff\xff\xff")));
	buffer_clear(&out, 0);
	copy_put_signature(&out);
	ck_assert(text_is((struct text){(const char *)out.bytes, out.len},
	    TEXT("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0")));
}
END_TEST

START_TEST(null_is_the_null_string_and_delimiters_stand_between)
{
	struct copy_format f = copy_format_default(COPY_TEXT);
	struct copy_row r = {.format = &f, .out = &out, .columns = 3};

	copy_row_begin(&r);
	copy_row_null(&r);
	copy_row_value(&r, TEXT("a"), false);
	copy_row_null(&r);
	copy_row_end(&r);
	ck_assert(text_is((struct text){(const char *)out.bytes, out.len},
	    TEXT("\\N\ta\t\\N\n")));
}
END_TEST

static const struct {
	const char *name;
	struct copy_format format;
} unreadable[] = {
    {"a letter", {.kind = COPY_TEXT, .delimiter = 'e'}},
    {"a backslash", {.kind = COPY_TEXT, .delimiter = '\\'}},
    {"a new line", {.kind = COPY_CSV, .delimiter = '\n', .quote = '"'}},
    {"quote as delimiter", {.kind = COPY_CSV, .delimiter = ',', .quote = ','}},
    {"quote in NULL",
	{.kind = COPY_CSV, .delimiter = ',', .quote = 'N', .null = TEXT("N")}},
    {"delimiter in NULL",
	{.kind = COPY_TEXT, .delimiter = '|', .null = TEXT("a|b")}},
    {"line end in NULL",
	{.kind = COPY_TEXT, .delimiter = '|', .null = TEXT("\r")}},
    {"binary header", {.kind = COPY_BINARY, .has_header = true}},
};

START_TEST(formats_that_nobody_can_read_again_are_refused)
{
	ck_assert_msg(copy_format_check(&unreadable[_i].format) != NULL, "%s",
	    unreadable[_i].name);
}
END_TEST

START_TEST(default_formats_are_fine)
{
	struct copy_format f = copy_format_default((enum copy_kind)_i);

	ck_assert_ptr_null(copy_format_check(&f));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("copy_format");
	TCase *c = tcase_create("copy_format");

	tcase_add_checked_fixture(c, start, finish);
	tcase_add_loop_test(
	    c, text_is_escaped, 0, sizeof(texts) / sizeof(texts[0]));
	tcase_add_loop_test(
	    c, csv_is_quoted, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(c, binary_has_lengths);
	tcase_add_test(c, null_is_the_null_string_and_delimiters_stand_between);
	tcase_add_loop_test(c, formats_that_nobody_can_read_again_are_refused,
	    0, sizeof(unreadable) / sizeof(unreadable[0]));
	tcase_add_loop_test(c, default_formats_are_fine, 0, 3);
	suite_add_tcase(s, c);
	return suite_run(s);
}
