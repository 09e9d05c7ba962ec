/* links: common/canonical.c common/flat.c common/words.c common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/arena.c common/text.c */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/canonical.h"
#include "tests/unit/suite.h"

static const struct lex_state usual = {.dialect = DIALECT_POSTGRES,
    .standard_conforming_strings = true,
    .is_utf8 = true};
static struct words *words;

static void
set_up(void)
{
	words = words_new();
	words_put(words, TEXT("select"))->flags =
	    WORD_KEYWORD | WORD_RESERVED;
	words_put(words, TEXT("from"))->flags = WORD_KEYWORD | WORD_RESERVED;
	words_put(words, TEXT("name"))->flags = WORD_KEYWORD;
}

static void
tear_down(void)
{
	words_free(words);
}

static struct canonical
canonical_of(const char *sql, struct arena *a)
{
	struct canonical c;
	struct lexed l;

	ck_assert_int_eq(
	    lexer_run(&usual, text_of(sql), a, &l), ERR_NONE);
	ck_assert_int_eq(
	    canonical_make(words, l.tokens, l.count, a, &c), ERR_NONE);
	return c;
}

static const struct {
	const char *sql, *want;
} canonical[] = {
    {"", ""},
    {"SELECT  a,b/*x*/FROM t", "select a , b from t"},
    {"select 'x', E'\\n', 1.5, $1, $$y$$", "select '?' , '?' , ? , $1 , '?'"},
    {"\"abc\" \"a1_$\" abc", "abc a1_$ abc"},
    {"\"Abc\" \"1a\" \"$a\"", "\"Abc\" \"1a\" \"$a\""},
    {"\"select\" \"name\" name", "\"select\" \"name\" name"},
    {"\"a b\" \"a(b\" \"a\"\"b\" \"50%\"", "\"a%20b\" \"a%28b\" \"a%22b\" \"50%25\""},
    {"\"\xc3\xa4\" \xc3\xa4", "\xc3\xa4 \xc3\xa4"},
    {"t.select x.from", "t . \"select\" x . \"from\""},
    {"t.name", "t . name"},
    {"a::int[1]", "a :: int [ ? ]"},
};

START_TEST(canonical_text_is_as_wanted)
{
	struct arena *a = arena_new(0);
	struct canonical c = canonical_of(canonical[_i].sql, a);

	ck_assert_msg(text_is(c.text, text_of(canonical[_i].want)),
	    "%s: %.*s", canonical[_i].sql, (int)c.text.len, c.text.at);
	arena_free(a);
}
END_TEST

static const struct {
	const char *sql, *want;
} flat[] = {
    {"a", "a\n"},
    {"a(b(c),d)e", "a ( ) e\na( b ( ) , d\nb( c\n"},
    {"((a))", "( )\n( ( )\n( a\n"},
    {"x ((a) b)", "x ( )\nx( ( ) b\nx( a\n"},
    {"a[1,(2)]", "a [ ]\na[ ? , ( )\n,( ?\n"},
    {"f()", "f ( )\nf(\n"},
    {"a (b;c (d); ) e", "a ( ) e\na( b\na( c ( )\na(\nc( d\n"},
    {"; ;a", "\n\na\n"},
    {"\"A b\" (x)", "\"A%20b\" ( )\n\"A%20b\"( x\n"},
};

START_TEST(flat_text_is_as_wanted)
{
	struct arena *a = arena_new(0);
	struct canonical c = canonical_of(flat[_i].sql, a);
	const char *why;
	struct flat f;
	char got[512] = "";
	size_t i, len = 0;

	ck_assert_int_eq(flat_make(&c, a, &f, &why), ERR_NONE);
	for (i = 0; i < f.line_count; i++)
		len += (size_t)snprintf(got + len, sizeof(got) - len, "%.*s\n",
		    (int)f.lines[i].span.len,
		    f.text.at + f.lines[i].span.at);
	ck_assert_str_eq(got, flat[_i].want);
	arena_free(a);
}
END_TEST

START_TEST(brackets_that_do_not_pair_are_refused)
{
	static const char *const broken[] = {"(", ")", "(]", "[)", "([)]", "a(b"};
	size_t i;

	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct arena *a = arena_new(0);
		struct canonical c = canonical_of(broken[i], a);
		const char *why;
		struct flat f;

		ck_assert_int_eq(flat_make(&c, a, &f, &why), ERR_MALFORMED);
		ck_assert_ptr_nonnull(why);
		arena_free(a);
	}
}
END_TEST

START_TEST(a_thousand_levels_and_no_more)
{
	char sql[2 * FLAT_DEPTH_MAX + 3];
	int extra;

	for (extra = 0; extra < 2; extra++) {
		struct arena *a = arena_new(0);
		size_t depth = FLAT_DEPTH_MAX + (size_t)extra;
		struct canonical c;
		const char *why;
		struct flat f;

		memset(sql, '(', depth);
		memset(sql + depth, ')', depth);
		sql[2 * depth] = '\0';
		c = canonical_of(sql, a);
		ck_assert_int_eq(flat_make(&c, a, &f, &why),
		    extra == 0 ? ERR_NONE : ERR_MALFORMED);
		arena_free(a);
	}
}
END_TEST

START_TEST(longest_contexts_fit_before_semicolons)
{
	struct arena *a = arena_new(0);
	struct canonical c;
	const char *why;
	char sql[400];
	struct flat f;

	snprintf(sql, sizeof(sql), "\"%063d\" (%0200d)", 0, 0);
	memset(sql + 1, ' ', 63);
	memset(sql + 67, ';', 200);
	c = canonical_of(sql, a);
	ck_assert_int_eq(flat_make(&c, a, &f, &why), ERR_NONE);
	ck_assert_uint_eq(f.line_count, 202);
	arena_free(a);
}
END_TEST

START_TEST(offsets_lead_back_to_tokens)
{
	struct arena *a = arena_new(0);
	struct canonical c = canonical_of("ab (cd) ef", a);
	const char *why;
	struct flat f;

	/* "ab ( ) ef\nab( cd" */
	ck_assert_int_eq(flat_make(&c, a, &f, &why), ERR_NONE);
	ck_assert_uint_eq(f.places[flat_place_at(&f, 0)].token, 0);
	ck_assert_uint_eq(f.places[flat_place_at(&f, 1)].token, 0);
	ck_assert_uint_eq(f.places[flat_place_at(&f, 7)].token, 4);
	ck_assert_uint_eq(f.places[flat_place_at(&f, 14)].token, 2);
	ck_assert_uint_eq(f.places[flat_place_at(&f, 15)].token, 2);
	arena_free(a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("canonical");
	TCase *t = tcase_create("canonical");

	suite_add_tcase(s, t);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, canonical_text_is_as_wanted, 0,
	    sizeof(canonical) / sizeof(canonical[0]));
	tcase_add_loop_test(
	    t, flat_text_is_as_wanted, 0, sizeof(flat) / sizeof(flat[0]));
	tcase_add_test(t, brackets_that_do_not_pair_are_refused);
	tcase_add_test(t, a_thousand_levels_and_no_more);
	tcase_add_test(t, longest_contexts_fit_before_semicolons);
	tcase_add_test(t, offsets_lead_back_to_tokens);
	return suite_run(s);
}
