/* links: common/regex.c common/arena.c common/text.c */
#include <check.h>
#include <stdlib.h>

#include "common/regex.h"
#include "tests/unit/suite.h"

static struct pattern *
compiled(const char *source)
{
	struct arena *a = arena_new(0);
	struct pattern *p;
	const char *message;

	ck_assert_int_eq(
	    pattern_new(text_of(source), a, &p, &message), ERR_NONE);
	arena_free(a);
	return p;
}

START_TEST(pattern_matches_anywhere)
{
	struct pattern *p = compiled("b+$");
	bool matches;

	ck_assert_int_eq(pattern_matches(p, TEXT("aab"), &matches), ERR_NONE);
	ck_assert(matches);
	ck_assert_int_eq(pattern_matches(p, TEXT("ba"), &matches), ERR_NONE);
	ck_assert(!matches);
	ck_assert_int_eq(
	    pattern_matches(p, (struct text){NULL, 0}, &matches), ERR_NONE);
	ck_assert(!matches);
	pattern_free(p);
}
END_TEST

START_TEST(dollar_is_only_the_very_end)
{
	struct pattern *p = compiled("^a$");
	bool matches;

	ck_assert_int_eq(pattern_matches(p, TEXT("a\n"), &matches), ERR_NONE);
	ck_assert(!matches);
	pattern_free(p);
}
END_TEST

START_TEST(bytes_that_are_no_utf8_are_matched_as_bytes)
{
	struct pattern *p = compiled("^\\xff.$");
	bool matches;

	ck_assert_int_eq(
	    pattern_matches(p, TEXT("\xff\xfe"), &matches), ERR_NONE);
	ck_assert(matches);
	pattern_free(p);
}
END_TEST

START_TEST(runaway_pattern_is_an_error_and_not_no_match)
{
	struct pattern *p = compiled("^(?:(?:a|aa)+b?)+$");
	char many[4001];
	bool matches = true;

	memset(many, 'a', sizeof(many));
	many[sizeof(many) - 1] = '!';
	ck_assert_int_eq(
	    pattern_matches(p, (struct text){many, sizeof(many)}, &matches),
	    ERR_REGEX);
	ck_assert(!matches);
	pattern_free(p);
}
END_TEST

START_TEST(broken_patterns_are_refused_with_a_message)
{
	static const char *const broken[] = {"(", "a{2,1}", "[z-a]", "(*UTF)a",
	    "(a)(a)(a)(a)(a)(a)(a)(a)(a)(a)(a)(a)(a)(a)(a)(a)"};
	size_t i;

	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct arena *a = arena_new(0);
		struct pattern *p;
		const char *message;

		ck_assert_int_eq(
		    pattern_new(text_of(broken[i]), a, &p, &message),
		    ERR_INVALID);
		ck_assert_ptr_null(p);
		ck_assert_ptr_nonnull(message);
		arena_free(a);
	}
}
END_TEST

START_TEST(groups_have_names_and_catch)
{
	struct pattern *p = compiled("(?<read>\\w+)(?<alias>x)?(-)");
	struct match m;
	bool found;

	ck_assert_uint_eq(pattern_group_count(p), 3);
	ck_assert_str_eq(pattern_group_name(p, 1), "read");
	ck_assert_str_eq(pattern_group_name(p, 2), "alias");
	ck_assert_ptr_null(pattern_group_name(p, 3));
	ck_assert_int_eq(
	    pattern_find(p, TEXT("ab-cd-"), 3, &m, &found), ERR_NONE);
	ck_assert(found);
	ck_assert(text_is(m.groups[1], TEXT("cd")));
	ck_assert_ptr_null(m.groups[2].at);
	ck_assert_int_eq(
	    pattern_find(p, TEXT("ab-cd-"), 6, &m, &found), ERR_NONE);
	ck_assert(!found);
	ck_assert_int_eq(
	    pattern_find(p, TEXT("ab-cd-"), 99, &m, &found), ERR_NONE);
	ck_assert(!found);
	pattern_free(p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("regex");
	TCase *t = tcase_create("regex");

	suite_add_tcase(s, t);
	tcase_add_test(t, pattern_matches_anywhere);
	tcase_add_test(t, dollar_is_only_the_very_end);
	tcase_add_test(t, bytes_that_are_no_utf8_are_matched_as_bytes);
	tcase_add_test(t, runaway_pattern_is_an_error_and_not_no_match);
	tcase_add_test(t, broken_patterns_are_refused_with_a_message);
	tcase_add_test(t, groups_have_names_and_catch);
	return suite_run(s);
}
