/* links: worker/postgres/wire/pg_wire.c worker/postgres/wire/pg_put.c worker/postgres/wire/pg_scrub.c common/wire.c common/text.c common/arena.c */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/suite.h"
#include "worker/postgres/wire/pg_wire.h"

#define BYTES(literal) wire_of((literal), sizeof(literal) - 1)

START_TEST(startup_gives_its_settings)
{
	struct pg_startup s;

	ck_assert_int_eq(
	    pg_parse_startup(
		BYTES("\0\3\0\0user\0alice\0database\0shop\0"
		      "_pq_.new\0x\0DateStyle\0ISO\0"), /* and the last NUL */
		&s),
	    ERR_MALFORMED);
	ck_assert_int_eq(
	    pg_parse_startup(
		BYTES("\0\3\0\0user\0alice\0database\0shop\0"
		      "_pq_.new\0x\0DateStyle\0ISO\0\0"),
		&s),
	    ERR_NONE);
	ck_assert(text_is(s.user, TEXT("alice")));
	ck_assert(text_is(s.database, TEXT("shop")));
	ck_assert_uint_eq(s.unknown_option_count, 1);
	ck_assert_uint_eq(s.setting_count, 1);
	ck_assert(text_is(s.settings[0].value, TEXT("ISO")));
}
END_TEST

static const struct {
	const char *name;
	struct text body;
	enum err want;
} startups[] = {
    {"nothing", TEXT(""), ERR_MALFORMED},
    {"protocol 2", TEXT("\0\2\0\0"), ERR_UNSUPPORTED},
    {"garbage after", TEXT("\0\3\0\0user\0a\0\0x"), ERR_MALFORMED},
    {"no value", TEXT("\0\3\0\0user\0"), ERR_MALFORMED},
    {"a cancel cut short", TEXT("\x04\xd2\x16\x2e\0\0\0\1"), ERR_MALFORMED},
    {"a cancel with a short key", TEXT("\x04\xd2\x16\x2e\0\0\0\1abc"),
	ERR_MALFORMED},
    {"an SSL request with more", TEXT("\x04\xd2\x16\x2fx"), ERR_MALFORMED},
};

START_TEST(startup_that_lies_is_refused)
{
	struct pg_startup s;
	struct text b = startups[_i].body;

	ck_assert_int_eq(
	    pg_parse_startup(wire_of(b.at, b.len), &s), startups[_i].want);
}
END_TEST

static const struct {
	const char *options;
	enum err want; /* of the first call */
	const char *name, *value;
} options[] = {
    {"-c a=b", ERR_NONE, "a", "b"},
    {"-ca=b", ERR_NONE, "a", "b"},
    {"  --search-path=x,y ", ERR_NONE, "search_path", "x,y"},
    {"-c a=b\\ c", ERR_NONE, "a", "b c"},
    {"-c a=\\\\", ERR_NONE, "a", "\\"},
    {"", ERR_NOT_FOUND, NULL, NULL},
    {"   ", ERR_NOT_FOUND, NULL, NULL},
    {"-c", ERR_UNSUPPORTED, NULL, NULL},
    {"-c a", ERR_UNSUPPORTED, NULL, NULL},
    {"-c =b", ERR_UNSUPPORTED, NULL, NULL},
    {"-e", ERR_UNSUPPORTED, NULL, NULL},
    {"--", ERR_UNSUPPORTED, NULL, NULL},
    {"a=b", ERR_UNSUPPORTED, NULL, NULL},
};

START_TEST(options_are_split_as_the_server_does)
{
	struct arena *a = arena_new(0);
	struct text rest = text_of(options[_i].options);
	struct pg_setting s;

	ck_assert_int_eq(pg_next_option(&rest, a, &s), options[_i].want);
	if (options[_i].name != NULL) {
		ck_assert(text_is(s.name, text_of(options[_i].name)));
		ck_assert(text_is(s.value, text_of(options[_i].value)));
	}
	arena_free(a);
}
END_TEST

START_TEST(bind_counts_are_not_believed)
{
	struct pg_bind b;

	ck_assert_int_eq(pg_parse_bind(BYTES("\0\0\0\0\0\0\0\0"), &b),
	    ERR_NONE);
	/* one parameter of three bytes, one format */
	ck_assert_int_eq(
	    pg_parse_bind(
		BYTES("p\0s\0\0\0\0\1\0\0\0\3abc\0\1\0\1"), &b),
	    ERR_NONE);
	ck_assert(pg_bind_is_binary(b.formats, b.format_count, 7));
	/* as many as fit in 16 bits, and none there */
	ck_assert_int_eq(
	    pg_parse_bind(BYTES("\0\0\xff\xff\0\0"), &b), ERR_MALFORMED);
	ck_assert_int_eq(
	    pg_parse_bind(BYTES("\0\0\0\0\xff\xff"), &b), ERR_MALFORMED);
	ck_assert_int_eq(
	    pg_parse_bind(BYTES("\0\0\0\0\0\1\xff\xff\xff\xfe\0\0"), &b),
	    ERR_MALFORMED);
	ck_assert_int_eq(
	    pg_parse_bind(BYTES("\0\0\0\0\0\1\x7f\xff\xff\xff\0\0"), &b),
	    ERR_MALFORMED);
	ck_assert_int_eq(
	    pg_parse_bind(BYTES("\0\0\0\0\0\0\0\2\0\1"), &b), ERR_MALFORMED);
}
END_TEST

static const struct {
	const char *tag;
	uint64_t count;
} tags[] = {
    {"UPDATE 5", 5},
    {"INSERT 0 12", 12},
    {"DELETE 0", 0},
    {"CREATE TABLE", 0},
    {"", 0},
    {"7", 0},
};

START_TEST(command_tags_give_their_number)
{
	ck_assert_uint_eq(
	    pg_tag_count(text_of(tags[_i].tag)), tags[_i].count);
}
END_TEST

static const struct {
	const char *name;
	struct text fields, gone, kept, typed;
} errors[] = {
    {"a cast that quotes",
	TEXT("SERROR\0C22P02\0Minvalid input syntax for type integer: "
	     "\"eve@secret.example\"\0\0"),
	TEXT("eve@secret"), TEXT("invalid input syntax"), TEXT("")},
    {"a value that holds quotes",
	TEXT("SERROR\0C22P02\0Minvalid: \"a\"b secret \"c\"\0\0"),
	TEXT("secret"), TEXT("22P02"), TEXT("")},
    {"detail with the row",
	TEXT("SERROR\0C23505\0Mduplicate key\0DKey (email)=(eve@secret)\0"
	     "ncustomers_email_key\0\0"),
	TEXT("eve@secret"), TEXT("customers_email_key"), TEXT("")},
    {"raised by a function",
	TEXT("SERROR\0CP0001\0Mfound eve@secret\0\0"), TEXT("eve@secret"),
	TEXT("P0001"), TEXT("")},
    {"a number",
	TEXT("SERROR\0C22003\0Mvalue 4111111111111111 is out of range\0\0"),
	TEXT("4111"), TEXT("out of range"), TEXT("")},
    {"a quote never closed",
	TEXT("SERROR\0C22P02\0Mbad \"secret\0\0"), TEXT("secret"),
	TEXT("bad"), TEXT("")},
    {"a relation the client typed",
	TEXT("SERROR\0C42P01\0Mrelation \"nix\" does not exist\0P15\0\0"),
	TEXT("masked"), TEXT("\"nix\" does not"), TEXT("select * from NIX")},
    {"a function the client typed",
	TEXT("SERROR\0C42883\0Mfunction nix(integer) does not exist\0P8\0"
	     "HNo function matches\0\0"),
	TEXT("HNo"), TEXT("nix(integer) does"), TEXT("select nix(1)")},
    {"a name the client did not type",
	TEXT("SERROR\0C42703\0Mcolumn \"eve\" does not exist\0P15\0\0"),
	TEXT("eve"), TEXT("column [masked] does"), TEXT("select f(1)")},
    {"typed and untyped names in turn",
	TEXT("SERROR\0C42804\0Mcolumn \"a\" is \"eve\" not \"b\"\0P1\0\0"),
	TEXT("eve"), TEXT("\"a\" is [masked] not \"b\""), TEXT("a b")},
    {"a cast to regclass of what a row holds: no position",
	TEXT("SERROR\0C42P01\0Mrelation \"eve\" does not exist\0\0"),
	TEXT("eve"), TEXT("relation [masked]"),
	TEXT("select 1 as eve, email::regclass")},
    {"SQL made by a function: internal query",
	TEXT("SERROR\0C42703\0Mcolumn \"eve\" does not exist\0P1\0p8\0"
	     "qselect eve\0\0"),
	TEXT("eve"), TEXT("withheld"), TEXT("select 1 as eve, f(1)")},
    {"raised by a function: context",
	TEXT("SERROR\0C42703\0Mcolumn \"eve\" does not exist\0P1\0"
	     "WPL/pgSQL function f() line 1\0\0"),
	TEXT("eve"), TEXT("withheld"), TEXT("select 1 as eve, f(1)")},
    {"a constant the client typed",
	TEXT("SERROR\0C22P02\0Minvalid input: \"eve\"\0P8\0\0"),
	TEXT("masked"), TEXT("\"eve\""), TEXT("select 'eve'::int")},
    {"a value like one that was typed: no position",
	TEXT("SERROR\0C22P02\0Minvalid input: \"eve\"\0\0"),
	TEXT("eve"), TEXT("invalid"), TEXT("select 'eve' = email::int")},
    {"a value of another class, though it was typed",
	TEXT("SERROR\0C23514\0Mno partition for \"eve\"\0P1\0\0"),
	TEXT("eve"), TEXT("partition"), TEXT("select 'eve'::int")},
    {"no text is known",
	TEXT("SERROR\0C42P01\0Mrelation \"nix\" does not exist\0P15\0\0"),
	TEXT("nix"), TEXT("relation [masked]"), TEXT("")},
    {"a typed quote never closed",
	TEXT("SERROR\0C42601\0Mnear \"eve\0P15\0\0"), TEXT("eve"),
	TEXT("near [masked]"), TEXT("eve")},
};

START_TEST(scrubbed_errors_quote_nothing)
{
	struct buffer b = {0};
	struct text f = errors[_i].fields, gone = errors[_i].gone,
		    kept = errors[_i].kept, typed = errors[_i].typed;

	ck_assert_int_eq(
	    pg_put_scrubbed(&b, 'E', wire_of(f.at, f.len), typed), ERR_NONE);
	ck_assert_ptr_null(memmem(b.bytes, b.len, gone.at, gone.len));
	ck_assert_ptr_nonnull(memmem(b.bytes, b.len, kept.at, kept.len));
	buffer_free(&b);
}
END_TEST

/* A server's state with words of a function's own, or behind its context. */
static const struct {
	const char *what;
	struct text fields, gone, kept;
} foreign[] = {
    {"raised with a server's state",
	TEXT("SERROR\0C22012\0Meve adams\0"
	     "WPL/pgSQL function f() line 1 at RAISE\0\0"),
	TEXT("eve"), TEXT("withheld")},
    {"names raised by a function",
	TEXT("SERROR\0C23505\0Mx\0WPL/pgSQL function f()\0seve\0teve\0"
	     "ceve\0deve\0neve\0Fpl_exec.c\0\0"),
	TEXT("eve"), TEXT("pl_exec.c")},
    {"names of a constraint, from a file of somebody else's",
	TEXT("SERROR\0C23505\0Mx\0WPL/pgSQL function f()\0"
	     "neve\0Fmain.c\0\0"),
	TEXT("eve"), TEXT("main.c")},
    {"names of a constraint, from no file at all",
	TEXT("SERROR\0C23505\0Mx\0WPL/pgSQL function f()\0neve\0\0"),
	TEXT("eve"), TEXT("23505")},
    {"names of a constraint that a function met",
	TEXT("SERROR\0C23505\0Meve\0WPL/pgSQL function f()\0"
	     "npets_key\0Fnbtinsert.c\0\0"),
	TEXT("eve"), TEXT("npets_key")},
    {"a statement run by a foreign key",
	TEXT("SERROR\0C23503\0Mkey eve is there\0"
	     "WSQL statement \"DELETE FROM ONLY t\"\0\0"),
	TEXT("eve"), TEXT("withheld")},
    {"a context that only begins as a plain one",
	TEXT("SERROR\0C22012\0Meve adams\0"
	     "WCOPY t, line 1\nPL/pgSQL function f()\0\0"),
	TEXT("eve"), TEXT("withheld")},
    {"about a text that the client never sent",
	TEXT("SERROR\0C42703\0Mno eve\0p3\0qselect eve\0\0"),
	TEXT("eve"), TEXT("withheld")},
    {"a plain context",
	TEXT("SERROR\0C22P02\0Minvalid input \"eve\"\0"
	     "WCOPY t, line 1, column id: \"eve\"\0\0"),
	TEXT("eve"), TEXT("invalid input [masked]")},
    {"a bound value",
	TEXT("SERROR\0C22P02\0Minvalid input \"eve\"\0"
	     "Wunnamed portal parameter $1 = 'eve'\0\0"),
	TEXT("eve"), TEXT("invalid input [masked]")},
    {"bytes spelt out",
	TEXT("SERROR\0C22P05\0Mbyte sequence 0xd0 0xad in it\0\0"),
	TEXT("ad "), TEXT("sequence * * in")},
    {"quotes in no known encoding",
	TEXT("SERROR\0C22P02\0Minvalid \xe9 eve\0\0"), TEXT("eve"),
	TEXT("withheld")},
};

START_TEST(words_of_others_are_withheld)
{
	struct buffer b = {0};
	struct text f = foreign[_i].fields, gone = foreign[_i].gone,
		    kept = foreign[_i].kept;

	ck_assert_int_eq(
	    pg_put_scrubbed(&b, 'E', wire_of(f.at, f.len), gone), ERR_NONE);
	ck_assert_msg(memmem(b.bytes, b.len, gone.at, gone.len) == NULL, "%s",
	    foreign[_i].what);
	ck_assert_msg(memmem(b.bytes, b.len, kept.at, kept.len) != NULL, "%s",
	    foreign[_i].what);
	buffer_free(&b);
}
END_TEST

START_TEST(quoted_names_come_in_order)
{
	struct text name, m = TEXT("on \"a\" and \"b c\"");

	ck_assert(pg_quoted_name(m, 0, &name) && text_is(name, TEXT("a")));
	ck_assert(pg_quoted_name(m, 1, &name) && text_is(name, TEXT("b c")));
	ck_assert(pg_quoted_name(m, 2, &name) && name.len == 0);
	ck_assert(!pg_quoted_name(TEXT("on \"a\" and \"b"), 0, &name));
}
END_TEST

static const struct {
	struct text body;
	enum err want;
} calls[] = {
    {TEXT("\0\0\0\7\0\0\0\0\0\0"), ERR_NONE},
    {TEXT("\0\0\0\7\0\1\0\1\0\1\0\0\0\1x\0\1"), ERR_NONE},
    {TEXT("\0\0\0\7\0\0\0\1\377\377\377\377\0\0"), ERR_NONE},
    {TEXT(""), ERR_MALFORMED},
    {TEXT("\0\0\0\7\0\0\0\0\0"), ERR_MALFORMED},
    {TEXT("\0\0\0\7\0\0\0\0\0\0x"), ERR_MALFORMED},
    {TEXT("\0\0\0\7\0\0\0\1\377\377\377\376\0\0"), ERR_MALFORMED},
    {TEXT("\0\0\0\7\0\0\0\1\177\377\377\377\0\0"), ERR_MALFORMED},
    {TEXT("\0\0\0\7\377\377\0\0\0\0"), ERR_MALFORMED},
};

START_TEST(function_calls_that_lie_are_malformed)
{
	struct text b = calls[_i].body;
	struct pg_call call;

	ck_assert_int_eq(
	    pg_parse_call(wire_of(b.at, b.len), &call), calls[_i].want);
	if (calls[_i].want != ERR_NONE)
		return;
	ck_assert_uint_eq(call.function, 7);
	ck_assert_uint_eq(call.values.len, b.len - 6);
	ck_assert(!call.has_odd_formats);
}
END_TEST

#define LOOP(test, table)                                                      \
	tcase_add_loop_test(                                                   \
	    c, test, 0, sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	Suite *s = suite_create("pg_wire");
	TCase *c = tcase_create("pg_wire");

	tcase_add_test(c, startup_gives_its_settings);
	LOOP(startup_that_lies_is_refused, startups);
	LOOP(options_are_split_as_the_server_does, options);
	tcase_add_test(c, bind_counts_are_not_believed);
	LOOP(command_tags_give_their_number, tags);
	LOOP(scrubbed_errors_quote_nothing, errors);
	LOOP(words_of_others_are_withheld, foreign);
	tcase_add_test(c, quoted_names_come_in_order);
	LOOP(function_calls_that_lie_are_malformed, calls);
	suite_add_tcase(s, c);
	return suite_run(s);
}
