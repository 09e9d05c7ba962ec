/* links: common/protection_block.c common/protection_words.c common/code_body.c common/code_whole.c common/code_trigger.c common/code_escape.c common/code_calls.c common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/arena.c common/text.c */
#include <check.h>

#include "common/protection_inner.h"
#include "tests/unit/suite.h"

/* --- customers (id, email), of which email is protected; orders (id) ------- */

enum { CUSTOMERS = 20000, ORDERS };

static struct column columns[] = {{.name = {"id", 2}}, {.name = {"email", 5}}};
static struct known_relation relations[] = {
    {.relation = {CUSTOMERS, {"public", 6}, {"customers", 9}, 'r', columns, 2}},
    {.relation = {ORDERS, {"public", 6}, {"orders", 6}, 'r', columns, 1}},
};
static enum predicates predicates;

enum err
protection_named(struct protection *p, struct text name, uint32_t *oids,
    size_t max, size_t *count_out)
{
	size_t i;

	(void)p, (void)max;
	*count_out = 0;
	for (i = 0; i < 2; i++) {
		if (text_is(name, relations[i].relation.name))
			oids[(*count_out)++] = relations[i].relation.oid;
	}
	return ERR_NONE;
}

enum err
protection_known(
    struct protection *p, uint32_t oid, struct known_relation **out)
{
	(void)p;
	*out = &relations[oid - CUSTOMERS];
	return ERR_NONE;
}

/* leak() reads customers.email, open() anything. */
enum err
protection_code_named(struct protection *p, enum code_kind kind,
    struct text name, const struct code **out)
{
	static struct column_source email = {CUSTOMERS, 2};
	static const struct code leak = {.sources = &email, .source_count = 1};
	static const struct code open = {.is_opaque = true};

	(void)p;
	if (kind == CODE_FUNCTION && text_is(name, TEXT("leak")))
		*out = &leak;
	else if (kind == CODE_FUNCTION && text_is(name, TEXT("open")))
		*out = &open;
	else
		return ERR_NOT_FOUND;
	return ERR_NONE;
}

enum err
protection_code_reads(
    struct protection *p, const struct code *c, struct touch *out)
{
	size_t i;

	(void)p;
	out->is_code_open |= c->is_opaque;
	for (i = 0; i < c->source_count; i++)
		out->is_code_protected |=
		    c->sources[i].relation == CUSTOMERS &&
		    c->sources[i].number != 1;
	out->predicates = predicates;
	return ERR_NONE;
}

enum function_listing
classifier_lists(const struct classifier *c, struct text function)
{
	(void)c;
	return text_is(function, TEXT("query_to_xml")) ||
		       text_is(function, TEXT("set_config"))
		   ? FUNCTION_OPAQUE
		   : FUNCTION_UNLISTED;
}

bool
classifier_reveals(const struct classifier *c, struct text function)
{
	(void)c;
	return !text_is(function, TEXT("set_config"));
}

bool
protection_function_exposes(struct protection *p, struct text function)
{
	(void)p, (void)function;
	return false;
}

bool
statement_mentions(const struct statement *s, struct text name)
{
	size_t i;

	for (i = 0; i < s->token_count; i++) {
		if (s->tokens[i].kind == TOKEN_WORD &&
		    text_is(s->tokens[i].name, name))
			return true;
	}
	return false;
}

/* --- a statement ---------------------------------------------------------- */

static char place;

static struct touch
touch_of(const char *sql, bool has_catalog)
{
	static const struct lex_state state = {
	    .standard_conforming_strings = true, .is_utf8 = true};
	struct policy policy = {.classifiers = {
		[DIALECT_POSTGRES] = (struct classifier *)(void *)&place}};
	struct protection p = {.policy = &policy,
	    .catalog = has_catalog ? (struct store *)(void *)&place : NULL};
	struct arena *a = arena_new(0);
	struct touch out = {0};
	struct statement s = {0};
	struct lexed lexed;

	ck_assert_int_eq(lexer_run(&state, text_of(sql), a, &lexed), ERR_NONE);
	s.tokens = lexed.tokens;
	s.token_count = lexed.count;
	s.operations = text_is(lexed.tokens[0].name, TEXT("do"))
	    ? BIT(OP_DO)
	    : text_is(lexed.tokens[0].name, TEXT("alter")) ? BIT(OP_ALTER)
	    : text_is(lexed.tokens[0].name, TEXT("create")) ? BIT(OP_CREATE)
							     : BIT(OP_SELECT);
	protection_brought(&p, &s, &out);
	arena_free(a);
	return out;
}

/* --- blocks --------------------------------------------------------------- */

static const struct {
	const char *sql;
	enum block want;
} blocks[] = {
    {"do $$ begin perform id from customers; end $$", BLOCK_FREE},
    {"do $$ begin insert into orders values (1); end $$", BLOCK_FREE},
    {"do $$ begin perform set_config('a', 'b', false); end $$", BLOCK_FREE},
    {"do $$ begin raise notice 'email of customers'; end $$", BLOCK_FREE},
    {"do 'begin null; end' language plpgsql", BLOCK_FREE},
    {"do language 'PLpgSQL' 'begin null; end'", BLOCK_FREE},
    {"select 'email', customers", BLOCK_FREE},
    {"do $$ begin perform email from customers; end $$", BLOCK_READS},
    {"do $$ begin perform c from customers c; end $$", BLOCK_READS},
    {"do $$ begin perform 1 from customers where email = 'x'; end $$",
	BLOCK_READS},
    {"do 'begin perform \"email\" from customers; end'", BLOCK_READS},
    {"do u&'begin perform \\0065mail from customers; end'", BLOCK_READS},
    {"do $$ begin perform leak(); end $$", BLOCK_READS},
    {"do $$ begin insert into orders select email from customers; end $$",
	BLOCK_STORES},
    {"do $$ begin perform set_config('a', email, true) from customers; end $$",
	BLOCK_STORES},
    {"do $$ begin execute 'select 1'; end $$", BLOCK_OPEN},
    {"do $$ begin perform query_to_xml(x); end $$", BLOCK_OPEN},
    {"do $$ begin perform open(); end $$", BLOCK_OPEN},
    {"do $$ begin set role owner; end $$", BLOCK_OPEN},
    {"do $$ print(1) $$ language plpython3u", BLOCK_OPEN},
    {"do language \"c\" 'x'", BLOCK_OPEN},
    {"do $$ begin perform 'open $$", BLOCK_OPEN},
};

START_TEST(block_is_read_for_what_it_may_do)
{
	enum block got;

	predicates = PREDICATES_EQUALITY;
	got = touch_of(blocks[_i].sql, true).block;
	ck_assert_msg(got == blocks[_i].want, "%s: %d", blocks[_i].sql, got);
}
END_TEST

START_TEST(block_may_read_what_may_be_guessed_at_but_store_nothing)
{
	predicates = PREDICATES_ALLOW;
	ck_assert_int_eq(
	    touch_of("do 'begin perform email from customers; end'", true).block,
	    BLOCK_FREE);
	ck_assert_int_eq(
	    touch_of("do 'begin insert into orders select email from customers;"
		     " end'", true).block,
	    BLOCK_STORES);
}
END_TEST

START_TEST(block_without_a_catalogue_may_do_anything)
{
	struct touch t = touch_of("do 'begin null; end'", false);

	ck_assert_int_eq(t.block, BLOCK_OPEN);
	ck_assert_int_eq(t.makes, MAKES_READER);
}
END_TEST

/* --- what is made --------------------------------------------------------- */

static const struct {
	const char *sql;
	enum makes want;
} makings[] = {
    {"create table t (type text, function int)", MAKES_NOTHING},
    {"create temp table t as select id from customers", MAKES_NOTHING},
    {"create unique index on t (id)", MAKES_NOTHING},
    {"create schema s", MAKES_NOTHING},
    {"create type mood as enum ('sad')", MAKES_NOTHING},
    {"alter table t add column x int", MAKES_NOTHING},
    {"do $$ begin null; end $$", MAKES_NOTHING},
    {"select 1", MAKES_NOTHING},
    {"create operator o.= (leftarg = text, rightarg = text, function = "
     "text_gt)", MAKES_MEANING},
    {"create view v as select email from customers", MAKES_MEANING},
    {"create or replace temp view v as select id from customers",
	MAKES_NOTHING},
    {"create materialized view v as select 1", MAKES_NOTHING},
    {"create view v as select open() as x", MAKES_MEANING},
    {"alter view v rename to w", MAKES_MEANING},
    {"create schema s create view v as select 1", MAKES_MEANING},
    {"create schema s create view v as select email from customers",
	MAKES_READER},
    {"create function f() returns int language sql as 'select 1'",
	MAKES_MEANING},
    {"create or replace function f() returns int return 1", MAKES_MEANING},
    {"create trigger t before insert on orders for each row execute function "
     "f()", MAKES_MEANING},
    {"create domain d as int check (value > 0)", MAKES_MEANING},
    {"create cast (text as int) with inout", MAKES_MEANING},
    {"create type t as (a int)", MAKES_MEANING},
    {"alter table customers rename column email to x", MAKES_MEANING},
    {"alter table customers set schema other", MAKES_MEANING},
    {"alter table t inherit customers", MAKES_MEANING},
    {"do $$ begin create type t as (a int); end $$", MAKES_MEANING},
    {"create function f() returns text language sql as 'select email from "
     "customers'", MAKES_READER},
    {"create function f() returns text return (select max(email) from "
     "customers)", MAKES_READER},
    {"create function f() returns int language c as 'x'", MAKES_READER},
    {"create function view() returns int language c as 'x'", MAKES_READER},
    {"create function f() returns int as 'begin execute x; end' language "
     "plpgsql", MAKES_READER},
    {"create operator ### (rightarg = int, function = leak)", MAKES_MEANING},
    {"create domain d as int check (leak(value))", MAKES_READER},
    {"do $$ begin create view v as select 1; end $$", MAKES_READER},
};

START_TEST(what_a_statement_makes_is_told)
{
	enum makes got;

	predicates = PREDICATES_EQUALITY;
	got = touch_of(makings[_i].sql, true).makes;
	ck_assert_msg(got == makings[_i].want, "%s: %d", makings[_i].sql, got);
}
END_TEST

#define LOOP(test, list)                                                       \
	tcase_add_loop_test(c, test, 0, sizeof(list) / sizeof(*(list)))

int
main(void)
{
	Suite *suite = suite_create("protection_block");
	TCase *c = tcase_create("protection_block");

	LOOP(block_is_read_for_what_it_may_do, blocks);
	tcase_add_test(
	    c, block_may_read_what_may_be_guessed_at_but_store_nothing);
	tcase_add_test(c, block_without_a_catalogue_may_do_anything);
	LOOP(what_a_statement_makes_is_told, makings);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
