/* links: common/encoding.c common/encoding_data.c common/text.c common/arena.c */
#include <check.h>
#include <stdlib.h>

#include "common/encoding.h"
#include "tests/unit/suite.h"

static const struct encoding *
named(const char *name)
{
	return encoding_by_name(text_of(name));
}

static const struct {
	const char *encoding;
	struct text bytes, utf8;
} texts[] = {
    {"LATIN1", TEXT("J\xfcrgen"), TEXT("Jürgen")},
    {"WIN1252", TEXT("\x80 1"), TEXT("€ 1")},
    {"KOI8R", TEXT("\xe9\xd7\xc1\xce"), TEXT("Иван")},
    {"EUC_JP", TEXT("\xbb\xb3'"), TEXT("山'")},
    {"EUC_KR", TEXT("\xb1\xe8"), TEXT("김")},
    {"SJIS", TEXT("\x95\x5c"), TEXT("表")},
    {"LATIN1", TEXT(""), TEXT("")},
    {"SJIS", TEXT("plain"), TEXT("plain")},
    {"EUC_JP", TEXT("\x8f\xb0\xa1"), TEXT("丂")},
    {"EUC_TW", TEXT("\x8e\xa2\xa1\xa1"), TEXT("乂")},
    {"GB18030", TEXT("\x81\x30\x81\x30"), TEXT("\xc2\x80")},
    {"GB18030", TEXT("\x90\x30\x81\x30"), TEXT("\xf0\x90\x80\x80")},
    {"GB18030", TEXT("\x94\x39\xda\x33"), TEXT("💩")},
    {"GB18030", TEXT("\xe3\x32\x9a\x35"), TEXT("\xf4\x8f\xbf\xbf")},
    /* a letter and its mark are two characters, there as here */
    {"WIN1258", TEXT("a\xcc"), TEXT("a\xcc\x80")},
};

START_TEST(texts_are_converted_there_and_back)
{
	struct arena *a = arena_new(0);
	struct coder c = {0};
	struct text out;

	coder_set(&c, named(texts[_i].encoding));
	ck_assert_int_eq(
	    coder_to_utf8(&c, texts[_i].bytes, a, &out), ERR_NONE);
	ck_assert(text_is(out, texts[_i].utf8));
	ck_assert_int_eq(
	    coder_from_utf8(&c, texts[_i].utf8, a, &out), ERR_NONE);
	ck_assert(text_is(out, texts[_i].bytes));
	arena_free(a);
}
END_TEST

static const struct {
	const char *encoding;
	struct text bytes;
	enum err want;
} wrong[] = {
    {"WIN1252", TEXT("\x81"), ERR_MALFORMED},
    {"EUC_JP", TEXT("\xbb"), ERR_MALFORMED},
    {"EUC_JP", TEXT("\xbb'"), ERR_MALFORMED},
    {"SJIS", TEXT("\x95"), ERR_MALFORMED},
    {"GB18030", TEXT("\xe3\x32\x9a\x36"), ERR_MALFORMED},
    {"GB18030", TEXT("\x90\x30\x81"), ERR_MALFORMED},
    {"EUC_TW", TEXT("\x8e\xa2\xa1"), ERR_MALFORMED},
    {"MULE_INTERNAL", TEXT("\x81\xe9"), ERR_UNSUPPORTED},
    {"SQL_ASCII", TEXT("\xe9"), ERR_UNSUPPORTED},
};

START_TEST(what_cannot_be_converted_is_an_error)
{
	struct arena *a = arena_new(0);
	struct coder c = {0};
	struct text out;

	coder_set(&c, named(wrong[_i].encoding));
	ck_assert_int_eq(
	    coder_to_utf8(&c, wrong[_i].bytes, a, &out), wrong[_i].want);
	arena_free(a);
}
END_TEST

START_TEST(a_character_that_the_encoding_has_not_is_an_error)
{
	struct arena *a = arena_new(0);
	struct coder c = {0};
	struct text out;

	coder_set(&c, named("LATIN1"));
	ck_assert_int_eq(
	    coder_from_utf8(&c, TEXT("山"), a, &out), ERR_MALFORMED);
	arena_free(a);
}
END_TEST

START_TEST(a_change_of_encoding_changes_the_conversion)
{
	struct arena *a = arena_new(0);
	struct coder c = {0};
	struct text out;

	coder_set(&c, named("LATIN1"));
	ck_assert_int_eq(coder_to_utf8(&c, TEXT("\xa4"), a, &out), ERR_NONE);
	ck_assert(text_is(out, TEXT("¤")));
	coder_set(&c, named("LATIN9"));
	ck_assert_int_eq(coder_to_utf8(&c, TEXT("\xa4"), a, &out), ERR_NONE);
	ck_assert(text_is(out, TEXT("€")));
	coder_set(&c, named("UTF8"));
	ck_assert_ptr_null(c.encoding);
	arena_free(a);
}
END_TEST

/* client, server, whose bytes they are */
static const char *const pairs[][3] = {
    {"UTF8", "UTF8", "UTF8"},
    {"LATIN1", "UTF8", "LATIN1"},
    {"SQL_ASCII", "UTF8", "UTF8"},
    {"SQL_ASCII", "LATIN1", "LATIN1"},
    {"LATIN1", "SQL_ASCII", "SQL_ASCII"},
    {"UTF8", "SQL_ASCII", "UTF8"},
    {"SQL_ASCII", "SQL_ASCII", "SQL_ASCII"},
};

START_TEST(sql_ascii_converts_nothing)
{
	ck_assert_ptr_eq(
	    encoding_effective(named(pairs[_i][0]), named(pairs[_i][1])),
	    named(pairs[_i][2]));
}
END_TEST

START_TEST(unknown_encodings_are_unknown)
{
	ck_assert_ptr_null(named("UTF-8"));
	ck_assert_ptr_null(named("LATIN11"));
	ck_assert_ptr_null(named(""));
}
END_TEST

#define LOOP(test, table)                                                      \
	tcase_add_loop_test(                                                   \
	    c, test, 0, sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	Suite *s = suite_create("encoding");
	TCase *c = tcase_create("encoding");

	LOOP(texts_are_converted_there_and_back, texts);
	LOOP(what_cannot_be_converted_is_an_error, wrong);
	tcase_add_test(c, a_character_that_the_encoding_has_not_is_an_error);
	tcase_add_test(c, a_change_of_encoding_changes_the_conversion);
	LOOP(sql_ascii_converts_nothing, pairs);
	tcase_add_test(c, unknown_encodings_are_unknown);
	suite_add_tcase(s, c);
	return suite_run(s);
}
