/* links: common/text.c */
#include <check.h>
#include <stdlib.h>

#include "common/text.h"
#include "tests/unit/suite.h"

static const struct {
	const char *pattern, *whole;
	bool matches;
} globs[] = {
    {"", "", true},
    {"*", "", true},
    {"*", "anything", true},
    {"a*", "abc", true},
    {"*c", "abc", true},
    {"a*c*e", "abcde", true},
    {"a?c", "abc", true},
    {"a?c", "ac", false},
    {"", "a", false},
    {"a", "", false},
    {"a*b", "acbd", false},
    {"*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
};

START_TEST(globs_match_the_whole_text)
{
	ck_assert_int_eq(text_glob(text_of(globs[_i].pattern),
			     text_of(globs[_i].whole)),
	    globs[_i].matches);
}
END_TEST

static const struct {
	struct text t;
	bool is_valid;
} encodings[] = {
    {TEXT("plain"), true},
    {TEXT("\xc3\xa9"), true},
    {TEXT("\xe2\x82\xac"), true},
    {TEXT("\xf0\x9f\x98\x80"), true},
    {TEXT("\xc0\x80"), false},	       /* overlong NUL */
    {TEXT("\xc3"), false},	       /* cut */
    {TEXT("\xe0\x80\xaf"), false},     /* overlong */
    {TEXT("\xed\xa0\x80"), false},     /* surrogate */
    {TEXT("\xf4\x90\x80\x80"), false}, /* past U+10FFFF */
    {TEXT("\xff"), false},
    {TEXT("a\x80z"), false},
};

START_TEST(utf8_is_told_from_what_is_not)
{
	ck_assert_int_eq(
	    text_is_utf8(encodings[_i].t), encodings[_i].is_valid);
}
END_TEST

START_TEST(a_slip_of_the_pen_finds_its_word)
{
	static const char *const words[] = {"listen", "upstreams", "policies"};

	ck_assert_str_eq(text_suggest(TEXT("lisetn"), words, 3), "listen");
	ck_assert_str_eq(
	    text_suggest(TEXT("upstream"), words, 3), "upstreams");
	ck_assert_ptr_null(text_suggest(TEXT("entirely"), words, 3));
	ck_assert_ptr_null(text_suggest(TEXT(""), words, 3));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("text");
	TCase *c = tcase_create("text");

	tcase_add_loop_test(c, globs_match_the_whole_text, 0,
	    sizeof(globs) / sizeof(globs[0]));
	tcase_add_loop_test(c, utf8_is_told_from_what_is_not, 0,
	    sizeof(encodings) / sizeof(encodings[0]));
	tcase_add_test(c, a_slip_of_the_pen_finds_its_word);
	suite_add_tcase(s, c);
	return suite_run(s);
}
