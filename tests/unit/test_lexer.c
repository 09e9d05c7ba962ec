/* links: common/lexer.c common/lexer_string.c common/arena.c common/text.c */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/lexer.h"

static const struct lex_state usual = {.dialect = DIALECT_POSTGRES,
    .standard_conforming_strings = true,
    .is_utf8 = true};

/* All tokens as kind letter and value, e.g. "Wselect N1 O+ N2". */
static const char *
tokens_of(const struct lex_state *state, struct text sql)
{
	static const char letters[] = "WQSNPO.";
	static char out[4096];
	struct arena *a = arena_new(0);
	struct lexed l;
	size_t i, len = 0;

	out[0] = '\0';
	if (lexer_run(state, sql, a, &l) != ERR_NONE) {
		ck_assert_ptr_nonnull(l.error);
		ck_assert_uint_le(l.error_at, sql.len);
		snprintf(out, sizeof(out), "REFUSED");
		arena_free(a);
		return out;
	}
	for (i = 0; i < l.count; i++) {
		const struct token *t = &l.tokens[i];

		len += (size_t)snprintf(out + len, sizeof(out) - len,
		    "%s%c%.*s", i ? " " : "", letters[t->kind],
		    (int)t->name.len, t->name.at);
	}
	arena_free(a);
	return out;
}

static const struct {
	const char *sql, *want;
} table[] = {
    {"", ""},
    {"  \t\r\n\f", ""},
    {"SELECT a+1", "Wselect Wa O+ N1"},
    {"-- x\nselect", "Wselect"},
    {"/* a /* b */ c */ x", "Wx"},
    {"/**/x/***/y", "Wx Wy"},
    {"a--b", "Wa"},
    {"a-- b\rc", "Wa Wc"},
    {"a /*+ b */ c", "Wa Wc"},
    {"a*/*c*/b", "Wa O* Wb"},
    {"a+-1", "Wa O+ O- N1"},
    {"a=-1", "Wa O= O- N1"},
    {"a@-1", "Wa O@- N1"},
    {"a<>b<=c>=d!=e", "Wa O<> Wb O<= Wc O>= Wd O!= We"},
    {"a=>b", "Wa O=> Wb"},
    {"a::int:=1", "Wa O:: Wint O:= N1"},
    {"a:::b", "Wa O:: .: Wb"},
    {"a[1:2]", "Wa .[ N1 .: N2 .]"},
    {"1..2", "N1 O.. N2"},
    {"1...5", "N1 O.. N.5"},
    {".5 1. 1.5 1.e5 1e+5 1.5.6", "N.5 N1. N1.5 N1.e5 N1e+5 N1.5 N.6"},
    {"$1+$23", "P$1 O+ P$23"},
    {"foo$1 a$b$c", "Wfoo$1 Wa$b$c"},
    {"'a''b' ''", "Sa'b S"},
    {"'a\\'", "Sa\\"},
    {"'a'\n'b'", "Sab"},
    {"'a' -- c\n 'b'", "Sab"},
    {"'a'\n--c\n'b'", "Sab"},
    {"'a' 'b'", "Sa Sb"},
    {"'a' /* \n */ 'b'", "Sa Sb"},
    {"E'a'\n'\\x41'", "SaA"},
    {"E'\\'\\n\\101\\x41\\u0041\\U00000041\\q'", "S'\nAAAAq"},
    {"E'\\uD83D\\uDE00'", "S\xf0\x9f\x98\x80"},
    {"n'a' B'01' x'fF'", "Sa S01 SfF"},
    {"B'1''0'", "S1 S0"},
    {"U&'d\\0061t\\+000061'", "Sdata"},
    {"U&'d!0061' UESCAPE '!'", "Sda"},
    {"U&'a\\\\b'", "Sa\\b"},
    {"U&\"d\\0061ta\"", "Qdata"},
    {"u&\"d!0061\" /* x */ uescape '!' b", "Qda Wb"},
    {"u & 'a'", "Wu O& Sa"},
    {"ub'1' e 'x'", "Wub S1 We Sx"},
    {"\"A\"\"b\" \"C d\"", "QA\"b QC d"},
    {"$$a$b$$ $x$ $$ $y$ $x$", "Sa$b S $$ $y$ "},
    {"$a$b$a$c$a$", "Sb Wc$a$"},
    {"ÄÖ é É", "WÄÖ Wé WÉ"},
    {"a;b,(c).d", "Wa .; Wb ., .( Wc .) .. Wd"},
};

static const char *const refused[] = {"/* /* */", "'a", "E'a\\'", "E'\\'",
    "\"a", "\"\"", "$$a", "$a$ $b$", "$a", "a $ b", "1a", "1_000", "0x1F",
    "1e", "1e+", "1.5x", "1.a", "$1a", "$1234567890", "a\vb", "{", "\\",
    "\x01", "U&'\\00'", "U&'\\0000'", "U&'\\D800'", "U&'\\D800x'",
    "U&'a' UESCAPE", "U&'a' UESCAPE 'a'", "U&'a' UESCAPE '!!'",
    "U&'a' UESCAPE E'!'", "E'\\u12'", "E'\\uD83D'", "E'\\uDE00'", "E'\\0'",
    "E'\\xff'", "U&\"\\0000\"", "\xff", "'\xc3'", "B'1"};

START_TEST(tokens_are_those_of_the_server)
{
	ck_assert_str_eq(
	    tokens_of(&usual, text_of(table[_i].sql)), table[_i].want);
}
END_TEST

START_TEST(doubtful_text_is_refused)
{
	ck_assert_str_eq(
	    tokens_of(&usual, text_of(refused[_i])), "REFUSED");
}
END_TEST

static const struct {
	const char *sql;
	enum lexer_fault want;
} faults[] = {
    {"'a", FAULT_FOR_ALL},
    {"\"\"", FAULT_FOR_ALL},
    {"{", FAULT_FOR_ALL},
    {"$a", FAULT_FOR_ALL},
    {"E'\\u12'", FAULT_FOR_ALL},
    {"U&'a' UESCAPE 'a'", FAULT_FOR_ALL},
    {"1_000", FAULT_FOR_15},
    {"$1a", FAULT_FOR_15},
    {"a\vb", FAULT_FOR_15},
    {"$0000000001", FAULT_FOR_US},
    {"U&'a' UESCAPE E'!'", FAULT_FOR_US},
    {"U&'a' UESCAPE $$!$$", FAULT_FOR_US},
};

START_TEST(fault_tells_which_servers_refuse_it_too)
{
	struct arena *a = arena_new(0);
	struct lexed l;

	ck_assert_int_eq(
	    lexer_run(&usual, text_of(faults[_i].sql), a, &l), ERR_MALFORMED);
	ck_assert_int_eq(l.fault, faults[_i].want);
	arena_free(a);
}
END_TEST

START_TEST(nul_is_refused)
{
	ck_assert_str_eq(tokens_of(&usual, TEXT("a\0b")), "REFUSED");
	ck_assert_str_eq(tokens_of(&usual, TEXT("'\0'")), "REFUSED");
}
END_TEST

START_TEST(backslash_escapes_when_strings_do_not_conform)
{
	struct lex_state old = {.dialect = DIALECT_POSTGRES,
	    .standard_conforming_strings = false,
	    .is_utf8 = true};

	ck_assert_str_eq(tokens_of(&old, TEXT("'a\\'b' c")), "Sa'b Wc");
	ck_assert_str_eq(tokens_of(&old, TEXT("n'a\\'b'")), "Sa'b");
	ck_assert_str_eq(tokens_of(&old, TEXT("B'1\\'")), "S1\\");
	ck_assert_str_eq(tokens_of(&old, TEXT("'a\\'")), "REFUSED");
	ck_assert_str_eq(tokens_of(&old, TEXT("U&'a'")), "REFUSED");
	ck_assert_str_eq(tokens_of(&old, TEXT("$$\\$$")), "S\\");
}
END_TEST

START_TEST(names_beyond_ascii_must_be_sure)
{
	static const struct {
		const char *sql;
		bool is_doubted, is_foreign; /* refused then */
	} names[] = {
	    {"select é", true, true},
	    {"select \"é\"", true, false},
	    {"select \"äääääääääääääääääääääääääääääää\"", true, true},
	    {"select 'é' || $$é$$ -- é", false, false},
	    {"select e", false, false},
	};
	struct lex_state doubting = usual, foreign = usual;
	struct arena *a = arena_new(0);
	struct lexed l;
	size_t i;

	doubting.doubts_names = true;
	foreign.is_foreign_server = true;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct text sql = text_of(names[i].sql);

		ck_assert_int_eq(lexer_run(&usual, sql, a, &l), ERR_NONE);
		ck_assert_int_eq(lexer_run(&doubting, sql, a, &l) != ERR_NONE,
		    names[i].is_doubted);
		ck_assert_int_eq(lexer_run(&foreign, sql, a, &l) != ERR_NONE,
		    names[i].is_foreign);
	}
	arena_free(a);
}
END_TEST

START_TEST(names_beyond_ascii_need_utf8)
{
	struct lex_state latin = {.dialect = DIALECT_POSTGRES,
	    .standard_conforming_strings = true,
	    .is_utf8 = false};

	ck_assert_str_eq(tokens_of(&latin, TEXT("'\xe9' a")), "S\xe9 Wa");
	ck_assert_str_eq(tokens_of(&latin, TEXT("caf\xe9")), "REFUSED");
	ck_assert_str_eq(tokens_of(&latin, TEXT("\"caf\xe9\"")), "REFUSED");
}
END_TEST

START_TEST(names_are_cut_at_63_bytes_between_characters)
{
	char sql[80] = "", want[80] = "W";

	memset(sql, 'x', 62);
	memcpy(sql + 62, "\xc3\xa9yz", 5);
	memset(want + 1, 'x', 62);
	want[63] = '\0';
	ck_assert_str_eq(tokens_of(&usual, text_of(sql)), want);
	sql[61] = (char)0xc3;
	memcpy(sql + 62, "\xa9yz", 4);
	memcpy(want + 62, "\xc3\xa9", 3);
	ck_assert_str_eq(tokens_of(&usual, text_of(sql)), want);
}
END_TEST

START_TEST(last_comment_with_a_claim_is_kept)
{
	struct arena *a = arena_new(0);
	struct lexed l;

	ck_assert_int_eq(
	    lexer_run(&usual, TEXT("/*a='1'*/ x /*b='2'*/ -- note"), a, &l),
	    ERR_NONE);
	ck_assert(text_is(l.trace_comment, TEXT("/*b='2'*/")));
	arena_free(a);
}
END_TEST

START_TEST(raw_spans_its_uescape)
{
	struct arena *a = arena_new(0);
	struct lexed l;

	ck_assert_int_eq(
	    lexer_run(&usual, TEXT("U&'!0061' UESCAPE '!'"), a, &l),
	    ERR_NONE);
	ck_assert_uint_eq(l.count, 1);
	ck_assert_uint_eq(l.tokens[0].raw.len, 21);
	arena_free(a);
}
END_TEST

START_TEST(a_million_tokens_and_no_more)
{
	struct arena *a = arena_new(0);
	size_t len = 1000001;
	char *sql = malloc(len);
	struct lexed l;

	memset(sql, '(', len);
	ck_assert_int_eq(
	    lexer_run(&usual, (struct text){sql, len - 1}, a, &l), ERR_NONE);
	ck_assert_int_eq(
	    lexer_run(&usual, (struct text){sql, len}, a, &l), ERR_TOO_LONG);
	ck_assert_ptr_nonnull(l.error);
	free(sql);
	arena_free(a);
}
END_TEST

START_TEST(no_memory_is_an_error)
{
	struct arena *a = arena_new(64);
	struct lexed l;

	ck_assert_int_eq(
	    lexer_run(&usual, TEXT("select 1"), a, &l), ERR_MEMORY);
	arena_free(a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("lexer");
	TCase *t = tcase_create("lexer");
	SRunner *runner = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_loop_test(t, tokens_are_those_of_the_server, 0,
	    sizeof(table) / sizeof(table[0]));
	tcase_add_loop_test(t, doubtful_text_is_refused, 0,
	    sizeof(refused) / sizeof(refused[0]));
	tcase_add_loop_test(t, fault_tells_which_servers_refuse_it_too, 0,
	    sizeof(faults) / sizeof(faults[0]));
	tcase_add_test(t, nul_is_refused);
	tcase_add_test(t, backslash_escapes_when_strings_do_not_conform);
	tcase_add_test(t, names_beyond_ascii_need_utf8);
	tcase_add_test(t, names_beyond_ascii_must_be_sure);
	tcase_add_test(t, names_are_cut_at_63_bytes_between_characters);
	tcase_add_test(t, last_comment_with_a_claim_is_kept);
	tcase_add_test(t, raw_spans_its_uescape);
	tcase_add_test(t, a_million_tokens_and_no_more);
	tcase_add_test(t, no_memory_is_an_error);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
