/* links: common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/arena.c common/text.c */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/lexer.h"
#include "tests/unit/suite.h"

static const struct lex_state usual = {.dialect = DIALECT_POSTGRES,
    .standard_conforming_strings = true,
    .is_utf8 = true,
    .version = 15};

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
    {"U&'d!0061' UESCAPE E'!'", "Sda"},
    {"U&'d!0061' UESCAPE $$!$$", "Sda"},
    {"U&'d!0061'uescape'!'", "Sda"},
    {"U&'d\\0061' uescapes '!'", "Sda Wuescapes S!"},
    {"E'\\v'", "Sv"},
    {"$1$$a$$ $000000001", "P$1 Sa P$000000001"},
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
    "U&'a' UESCAPE B'1'", "U&'a' UESCAPE n'!'", "U&'a' UESCAPE U&'!'",
    "U&'a' UESCAPE '!'\n'!'", "U&'a' UESCAPE $1", "E'\\u12'", "E'\\uD83D'", "E'\\uDE00'", "E'\\0'",
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
    {"'a", FAULT_FOR_SERVER},
    {"\"\"", FAULT_FOR_SERVER},
    {"{", FAULT_FOR_SERVER},
    {"$a", FAULT_FOR_SERVER},
    {"E'\\u12'", FAULT_FOR_SERVER},
    {"1_000", FAULT_FOR_SERVER},
    {"$1a", FAULT_FOR_SERVER},
    {"a\vb", FAULT_FOR_SERVER},
    {"U&'a' UESCAPE", FAULT_FOR_SERVER},
    {"$0000000001", FAULT_FOR_US},
    {"1e5$$a$$", FAULT_FOR_US},
};

/* What a text is to each version; "" is a refusal, ? one that only says that
 * nobody can tell. */
enum { V12, V13, V14, V15, V16, V17, V18, VERSIONS };
#define SAME7(x) {x, x, x, x, x, x, x}
#define SINCE15(old, now) {old, old, old, now, now, now, now}
#define SINCE16(old, v15, now) {old, old, old, v15, now, now, now}
#define SINCE17(old, now) {old, old, old, old, old, now, now}

static const struct {
	const char *sql, *want[VERSIONS], *unknown;
} versions[] = {
    /* numbers */
    {"1.5e-5 1. .5 1..2", SAME7("N1.5e-5 N1. N.5 N1 O.. N2"),
	"N1.5e-5 N1. N.5 N1 O.. N2"},
    {"123abc", SINCE15("N123 Wabc", ""), "?"},
    {"1.5x", SINCE15("N1.5 Wx", ""), "?"},
    {"1.a", SINCE15("N1. Wa", ""), "?"},
    {"1e", SINCE15("N1 We", ""), "?"},
    {"1e+x", SINCE15("N1 We O+ Wx", ""), "?"},
    {"1e5e6", SINCE15("N1e5 We6", ""), "?"},
    {"1e'\\''", SINCE15("N1 S'", ""), "?"},
    {"1u&'\\0061'", SINCE15("N1 Sa", ""), "?"},
    {"1\xc3\xa9", SINCE15("N1 W\xc3\xa9", ""), "?"},
    {"1_000", SINCE16("N1 W_000", "", "N1_000"), "?"},
    {"1__0", SINCE15("N1 W__0", ""), "?"},
    {"1_", SINCE15("N1 W_", ""), "?"},
    {"1._5", SINCE15("N1. W_5", ""), "?"},
    {"1_0.2_5e1_0",
	SINCE16("N1 W_0 N.2 W_5e1_0", "", "N1_0.2_5e1_0"), "?"},
    {"0x1F 0X_1f", SINCE16("N0 Wx1f N0 Wx_1f", "", "N0x1F N0X_1f"), "?"},
    {"0o17 0b1_1", SINCE16("N0 Wo17 N0 Wb1_1", "", "N0o17 N0b1_1"), "?"},
    {"0x", SINCE15("N0 Wx", ""), "?"},
    {"0x_", SINCE15("N0 Wx_", ""), "?"},
    {"0x1Fg", SINCE15("N0 Wx1fg", ""), "?"},
    {"0o8", SINCE15("N0 Wo8", ""), "?"},
    {"0b12", {"N0 Wb12", "N0 Wb12", "N0 Wb12", "", "?", "?", ""}, "?"},
    {"0x1F.5", SINCE16("N0 Wx1f N.5", "", "N0x1F N.5"), "?"},
    {"1_0..2", {"N1 W_0 O.. N2", "N1 W_0 O.. N2", "N1 W_0 O.. N2", "", "?",
		   "N1_0 O.. N2", "N1_0 O.. N2"},
	"?"},
    {"1e5$$a$$", {"N1e5 Sa", "N1e5 Sa", "N1e5 Sa", "?", "?", "?", ""}, "?"},
    {"1e+5$$a$$ 1$$a$$", SAME7("N1e+5 Sa N1 Sa"), "N1e+5 Sa N1 Sa"},
    /* parameters */
    {"$1abc", SINCE15("P$1 Wabc", ""), "?"},
    {"$1_0", SINCE15("P$1 W_0", ""), "?"},
    {"$1$2", SAME7("P$1 P$2"), "P$1 P$2"},
    {"$4294967297", SAME7("?"), "?"},
    /* the vertical tab */
    {"a\vb", SINCE17("", "Wa Wb"), "?"},
    {"'a'\v\n'b'", SINCE17("", "Sab"), "?"},
    {"E'a\\vb'", SINCE17("Savb", "Sa\vb"), "?"},
    {"U&'a\v0062' UESCAPE '\v'", SINCE17("Sab", ""), "?"},
    /* UESCAPE */
    {"U&'!0061' UESCAPE '!'", SAME7("Sa"), "Sa"},
    {"U&'!0061' --x\n UESCAPE\n--y\n'!'", SAME7("Sa"), "Sa"},
    {"U&'!0061' /**/ UESCAPE '!'", {"S!0061 Wuescape S!", "Sa", "Sa", "Sa",
				       "Sa", "Sa", "Sa"},
	"?"},
    {"U&\"!0061\" UESCAPE E'!'", {"Q!0061 Wuescape S!", "Qa", "Qa", "Qa",
				     "Qa", "Qa", "Qa"},
	"?"},
    {"U&'a' UESCAPE", {"Sa Wuescape", "", "", "", "", "", ""}, "?"},
    {"U&'a' UESCAPE 'xy'",
	{"Sa Wuescape Sxy", "", "", "", "", "", ""}, "?"},
    {"U&'!0061' UESCAPE '!'\n'b'", {"Sa Sb", "", "", "", "", "", ""}, "?"},
    {"U&'a' UESCAPE 'A'", SAME7(""), "?"},
    {"U&'\\+210000'", {"?", "", "", "", "", "", ""}, "?"},
};

static const char *
tokens_in_version(const char *sql, unsigned version)
{
	struct lex_state state = usual;
	struct arena *a = arena_new(0);
	struct lexed l;
	const char *out;

	state.version = version;
	out = tokens_of(&state, text_of(sql));
	if (lexer_run(&state, text_of(sql), a, &l) != ERR_NONE)
		out = l.fault == FAULT_FOR_SERVER ? "" : "?";
	arena_free(a);
	return out;
}

START_TEST(each_version_has_tokens_of_its_own)
{
	const unsigned others[] = {0, 11, 19, 9};
	const char *sql = versions[_i].sql;
	size_t i;

	for (i = 0; i < VERSIONS; i++)
		ck_assert_str_eq(
		    tokens_in_version(sql, LEXER_VERSION_FIRST + (unsigned)i),
		    versions[_i].want[i]);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_str_eq(
		    tokens_in_version(sql, others[i]), versions[_i].unknown);
}
END_TEST

START_TEST(fault_tells_whether_the_server_refuses_it_too)
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
	    {"select u&\"\\00e9\"", true, false},
	    /* 63 bytes to a server in LATIN1, more to us */
	    {"select u&\"\\00e9abcdefghijklmnopqrstuvwxyz"
	     "abcdefghijklmnopqrstuvwxyzabcdefghij\"",
		true, true},
	    {"select E'\\xc3\\xa9'", false, true},
	    {"select E'\\u00e9'", false, false},
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

	suite_add_tcase(s, t);
	tcase_add_loop_test(t, tokens_are_those_of_the_server, 0,
	    sizeof(table) / sizeof(table[0]));
	tcase_add_loop_test(t, doubtful_text_is_refused, 0,
	    sizeof(refused) / sizeof(refused[0]));
	tcase_add_loop_test(t, each_version_has_tokens_of_its_own, 0,
	    sizeof(versions) / sizeof(versions[0]));
	tcase_add_loop_test(t, fault_tells_whether_the_server_refuses_it_too, 0,
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
	return suite_run(s);
}
