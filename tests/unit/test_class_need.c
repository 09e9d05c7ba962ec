/* links: common/class_need.c common/text.c common/regex.c common/arena.c common/err.c */
#include <check.h>
#include <stdlib.h>

#include "common/class_need.h"
#include "common/regex.h"
#include "tests/unit/suite.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define B "(?<![^ ])"
#define E "(?![^ ])"

/* What is in a text of tokens with one space between. */
static struct presence
presence_of(const char *string)
{
	struct text rest = text_of(string), token;
	struct presence seen = {0, 0};
	size_t i;

	while (rest.len > 0) {
		const char *space = memchr(rest.at, ' ', rest.len);

		token = rest;
		if (space != NULL)
			token.len = (size_t)(space - rest.at);
		if (token.len > 0 && token.at[0] >= 'a')
			seen.words |= presence_of_word(text_hash(token));
		for (i = 0; i < token.len; i++)
			seen.marks |= presence_of_mark(token.at[i]);
		rest.at += token.len + (space != NULL);
		rest.len -= token.len + (space != NULL);
	}
	return seen;
}

/* Those that match what the text does not say are not to be tried; those that
 * do match always are. */
static const struct {
	const char *pattern, *text;
	bool is_met;
} needs[] = {
    {"^where current of ", "where current of c", true},
    {"^where current of ", "where a = b", false},
    {B "references ([a-z]+)", "a int references b", true},
    {B "references ([a-z]+)", "a int", false},
    {" cascade$", "drop table a cascade", true},
    {" cascade$", "drop table a", false},
    {"^limit" E, "limit ?", true},
    {"^limit" E, "fetch ?", false},
    {B "," E "|" B "\\. \\*", "a , b", true},
    {B "," E "|" B "\\. \\*", "a . b", false},
    {"(?:" B ", |" B "join )b", "a join b", true},
    {"(?:" B ", |" B "join )b", "a b", false},
    {"a (?=.*" B "join )b", "a b", false},
    {"(?<=\\) )over \\( \\)", "f ( ) over ( )", true},
    {"(?<=\\) )over \\( \\)", "f over", false},
    /* what may be missing is not needed */
    {"^a(?: join b)?+$", "a", true},
    {"^a(?: join b)*$", "a", true},
    {"^a(?: join b){0,2}$", "a", true},
    {"^a(?: join b){1,2}$", "a", false},
    {"^a \\(? b", "a  b", true},
    {"^vacuum (?:full )*analyze$", "vacuum analyze", true},
    /* nor what must not be there */
    {"^limit (?!all$|null$)", "limit ?", true},
    {B "from(?<!distinct from)" E, "from a", true},
    /* a part of a token is no token */
    {"references", "myreferences", true},
    {"i?like ", "ilike ", true},
    {"not(?:null)? x", "notnull x", true},
    {"colou?r ", "color ", true},
    {"^ab(?:c|d) ", "abc e", true},
    {"(?:ab )?+c ", "c e", true},
    {"[a-z ]cd e", "bcd e", true},
    {".cd e", "bcd e", true},
    {"\\x61cd ", "acd e", true},
    /* nor what is not understood */
    {"(?i:role) x", "ROLE x", true},
    {"(?i)role ", "ROLE x", true},
    {"\\brole ", "role x", true},
    {"[[:alpha:]]ole ", "role x", true},
    {"(?|role |a )", "a b", true},
    {"(a)?(?(1)b |c )", "c d", true},
    {"\\Qa|b\\E c ", "a|b c d", true},
    {"(?#join )a", "a", true},
    {"a(?# ) b", "a b", true},
    /* one of several will do, however many there are */
    {"^(?:a|b |c |d |e |f |g |h |i )", "a", true},
    {"^(?:a |b |c |d |e |f |g |h |i )", "i x", true},
};

START_TEST(what_can_match_is_tried_and_what_cannot_often_is_not)
{
	struct presence seen = presence_of(needs[_i].text);
	struct need need;

	need_of(text_of(needs[_i].pattern), false, &need);
	ck_assert_uint_ge(need.count, 1);
	ck_assert_int_eq(need_is_met(&need, &seen), needs[_i].is_met);
}
END_TEST

/* Each pattern on each text. */
START_TEST(whatever_pcre2_matches_has_its_needs_met)
{
	struct arena *a = arena_new(0);
	struct pattern *p = NULL;
	const char *why = NULL;
	bool matches = false;
	struct need need;
	size_t i;

	need_of(text_of(needs[_i].pattern), false, &need);
	ck_assert_int_eq(
	    pattern_new(text_of(needs[_i].pattern), a, &p, &why), ERR_NONE);
	for (i = 0; i < COUNT(needs); i++) {
		struct presence seen = presence_of(needs[i].text);

		ck_assert_int_eq(
		    pattern_matches(p, text_of(needs[i].text), &matches),
		    ERR_NONE);
		ck_assert(!matches || need_is_met(&need, &seen));
	}
	pattern_free(p);
	arena_free(a);
}
END_TEST

/* Only alternatives with a group that catches. */
static const struct {
	const char *pattern, *text;
	bool is_met;
} catching[] = {
    {":: [a-z]+|(?<function>[a-z]+) \\( \\)", "a :: b", false},
    {":: [a-z]+|(?<function>[a-z]+) \\( \\)", "f ( )", true},
    {B "(?::: [a-z]+|(?<function>[a-z]+) \\( \\))", "a :: b", false},
    {"(?<_same>[a-z]+) = \\k<_same>|(?<read>[a-z]) ,", "a = a", false},
    /* two places that may catch: either */
    {"(?::: b|(?<read>[a-z]) ,)(?: (?<write>[a-z]))?", ":: b c", true},
    {"(?=(?<read>[a-z]) x )a|b", "a x b", true},
    /* none: nothing can be said */
    {"a b |c d ", "e", true},
};

START_TEST(where_only_groups_matter_the_rest_is_not_tried)
{
	struct presence seen = presence_of(catching[_i].text);
	struct need need;

	need_of(text_of(catching[_i].pattern), true, &need);
	ck_assert_int_eq(need_is_met(&need, &seen), catching[_i].is_met);
}
END_TEST

static const struct {
	const char *pattern, *words; /* with a space after each; "": none */
} first_words[] = {
    {B "(?:from|group by|on(?= conflict ))" E, "from group on "},
    {B "(?<! as )(?:(?=update a)update|(?<!x )table(?= b))" E,
	"update table "},
    {B "(?:(?:from(?<!a from)|where)|(?<= as )(?:select|for))" E,
	"from where select for "},
    /* no word, or one that may go on, or may not begin a token */
    {"(?:from|where)" E, ""},
    {B "(?:from|where)", ""},
    {B "(?:from|[a-z]+)" E, ""},
    {B "(?:from|)" E, ""},
    {B "(?:from|i?like)" E, ""},
    {B "(?:from[a-z]*)" E, ""},
    {B "(?:(?:from|a) b|c)" E, ""},
    {B "(?:from)?" E, ""},
    {B "from|where" E, ""},
    {B "(?:from)" E "|b", ""},
    {"", ""},
};

START_TEST(words_that_begin_a_match_are_found_or_none)
{
	struct text words[FIRST_WORDS_MAX];
	size_t count =
	    need_first_words(text_of(first_words[_i].pattern), words), i;
	char found[256] = "";

	for (i = 0; i < count; i++) {
		strncat(found, words[i].at, words[i].len);
		strcat(found, " ");
	}
	ck_assert_str_eq(found, first_words[_i].words);
}
END_TEST

START_TEST(groups_within_groups_come_to_an_end)
{
	char pattern[3 * 4000 + 1];
	struct presence nothing = {0, 0};
	struct need need;
	size_t i;

	for (i = 0; i < 4000; i++)
		memcpy(pattern + 3 * i, "(?:", 4);
	need_of(text_of(pattern), true, &need);
	ck_assert(need_is_met(&need, &nothing));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("class_need");
	TCase *c = tcase_create("all");

	tcase_add_loop_test(c,
	    what_can_match_is_tried_and_what_cannot_often_is_not, 0,
	    COUNT(needs));
	tcase_add_loop_test(
	    c, whatever_pcre2_matches_has_its_needs_met, 0, COUNT(needs));
	tcase_add_loop_test(c,
	    where_only_groups_matter_the_rest_is_not_tried, 0,
	    COUNT(catching));
	tcase_add_loop_test(c, words_that_begin_a_match_are_found_or_none, 0,
	    COUNT(first_words));
	tcase_add_test(c, groups_within_groups_come_to_an_end);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
