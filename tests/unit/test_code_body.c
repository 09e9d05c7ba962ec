/* links: common/code_body.c common/code_whole.c common/code_trigger.c common/code_escape.c common/code_calls.c common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/arena.c common/text.c */
#include <check.h>
#include <stdlib.h>

#include "common/code_body.h"
#include "tests/unit/suite.h"

/* customers and orders are relations. */
static bool
is_relation(void *context, struct text name)
{
	(void)context;
	return text_is(name, TEXT("customers")) ||
	       text_is(name, TEXT("orders"));
}

static const char *sought;
static bool is_mentioned;
static enum code_kind sought_kind;
static bool is_run;

static enum err
take_name(void *context, struct text name)
{
	(void)context;
	is_mentioned |= sought != NULL && text_is(name, text_of(sought));
	return ERR_NONE;
}

static enum err
take_call(void *context, const struct code_call *call)
{
	(void)context;
	is_run |= call->kind == sought_kind &&
		  text_is(call->name, TEXT("orders"));
	return ERR_NONE;
}

static struct code_facts
facts_of(const char *body)
{
	static const struct code_listener listener = {
	    .is_relation = is_relation,
	    .take_name = take_name,
	    .take_call = take_call};
	struct arena *a = arena_new(0);
	struct code_facts facts = {0};

	is_mentioned = is_run = false;
	/* what the server words itself begins in capitals */
	ck_assert_int_eq(strncmp(body, "CREATE ", 7) == 0
		? code_header_read(text_of(body), a, &listener, &facts)
		: code_body_read(text_of(body), a, &listener, &facts),
	    ERR_NONE);
	arena_free(a);
	return facts;
}

static const char *const opaque[] = {
    "begin execute 'select 1' into x; end",
    "begin for r in execute q loop end loop; end",
    "begin open c for execute q; end",
    "declare c refcursor; begin fetch c into r; end",
    "select 'it\\'s'",
    "select 'open",
    "select $a$ open",
    "begin execute function; end",
    "begin set role to owner; end",
    "begin if a then reset all; end if; end",
};

static const char *const plain[] = {
    "select 1",
    "select e'it\\'s'",
    "declare i int; begin for i in 1..10 loop perform f(i); end loop; end",
    "<<outer>> begin x := y % 2; end",
    "select 'execute'",
    "select \"execute\" from orders",
    "begin update orders set id = 1; end",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path TO x AS $$$$",
};

START_TEST(what_is_made_at_run_time_is_opaque)
{
	ck_assert_msg(facts_of(opaque[_i]).is_opaque, "%s", opaque[_i]);
}
END_TEST

/* May change sallyport.user, for all that can be told. */
static const char *const escaping[] = {
    "begin execute 'set x.y = 1'; end",
    "begin execute format('set %I = 1', x); end",
    "begin return query execute q; end",
    "begin open c for execute q; end",
    "begin for r in execute q loop end loop; end",
    "execute prepared",
    "begin set sallyport.user = 'carol'; end",
    "begin if a then set local sallyport.user to 'carol'; end if; end",
    "begin set session \"SallyPort\".agent = x; end",
    "begin set \"sallyport.user\" = x; end",
    "begin set application_name = 'carol'; end",
    "select set_config('sallyport.user', 'carol', false)",
    "select set_config('SALLYPORT.USER', 'carol', false)",
    "select pg_catalog.set_config('application_name', 'carol', false)",
    "select set_config(e'sally\\x70ort.user', 'carol', false)",
    "select set_config(u&'\\0073allyport.user', 'carol', false)",
    "select set_config($1, 'carol', false)",
    "select set_config(name, 'carol', false)",
    "select set_config('sally' || 'port.user', 'carol', false)",
    "select set_config(('sallyport.user'), 'carol', false)",
    "select set_config(setting_name => 'x.y', new_value => 'z')",
    "select set_config(is_local => true, setting_name => x)",
    "select \"set_config\"(x, 'carol', false)",
    "select x.set_config",
    "begin update pg_settings set setting = 'x'; end",
    "update only pg_catalog . pg_settings set setting = 'x'",
    "insert into pg_proc select 1",
    "begin do $$begin end$$; end",
    "create function g() returns int language sql as $$select 1$$",
    "create or replace function g() returns int language sql as 'select 1'",
    "begin create operator = (function = f); end",
    "begin if a then create or replace view v as select 1; end if; end",
    "begin alter function f() set sallyport.user = 'carol'; end",
    "begin alter role current_user set sallyport.user = 'carol'; end",
    "alter database shop set sallyport.user = 'carol'",
    "begin import foreign schema x from server y into z; end",
    /* in another session's reading of backslashes */
    "begin x := 'a\\' || '; execute v; --'; end",
    "select 'open",
    "select 'it\\'s'",
    "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql"
    " SET \"sallyport.user\" TO 'carol' AS $$$$",
    "CREATE OR REPLACE PROCEDURE f() LANGUAGE plpgsql"
    " SET application_name TO 'carol' AS $$$$",
};

static const char *const tame[] = {
    "select 1",
    "select 'execute', \"execute\" from orders",
    "begin raise notice 'execute %', x; end",
    "begin set search_path = x; set local role to y; end",
    "begin reset sallyport.user; reset all; end",
    "select set_config('search_path', '', true)",
    "begin perform set_config('x.y', v, false); end",
    "select current_setting('sallyport.user')",
    "begin update orders set id = 1; insert into orders values (1); end",
    "begin create temp table t as select 1; create index on t (id); end",
    "begin create table t (id int); alter table t add x int; end",
    "begin fetch c into r; copy orders to stdout; end",
    "begin x := regexp_replace(y, '\\d+', '', 'g'); end",
    "create temporary view v as select 1",
    ("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql"
     " SET search_path TO 'pg_catalog', 'public' AS $$begin execute x; end$$"),
};

START_TEST(what_nobody_can_tell_escapes)
{
	ck_assert_msg(facts_of(escaping[_i]).escapes, "%s", escaping[_i]);
}
END_TEST

START_TEST(what_is_plain_does_not_escape)
{
	ck_assert_msg(!facts_of(tame[_i]).escapes, "%s", tame[_i]);
}
END_TEST

START_TEST(what_can_be_read_is_not_opaque)
{
	ck_assert_msg(!facts_of(plain[_i]).is_opaque, "%s", plain[_i]);
}
END_TEST

static const char *const storing[] = {
    "insert into orders values (1)",
    "begin update orders set id = 1; end",
    "merge into orders using x on true when matched then delete",
    "create temp table x as select 1",
    "begin notify x; end",
    "create view x as select 1",
};

static const char *const reading[] = {
    "select 1 from orders for update",
    "select 1 from orders for no key update",
    "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS $$select 1$$",
    "delete from orders",
    "select 'insert'",
};

START_TEST(writing_is_noticed)
{
	ck_assert_msg(facts_of(storing[_i]).stores, "%s", storing[_i]);
}
END_TEST

START_TEST(reading_is_no_writing)
{
	ck_assert_msg(!facts_of(reading[_i]).stores, "%s", reading[_i]);
}
END_TEST

static const char *const whole[] = {
    "select * from customers",
    "select c.* from customers c",
    "select id, * from customers",
    "select distinct * from customers",
    "delete from customers returning *",
    "select customers from customers",
    "select c from customers c",
    "select c from customers as c",
    "select to_jsonb(c) from customers c",
    "select c.to_jsonb from customers c",
    "select customers.text from customers",
    "select (c).text from customers c",
    "select x from customers as c (x)",
    "select x from customers c (x)",
    "table customers",
    "select o from orders, customers o",
    "select row(customers) from public.customers",
    "insert into orders select c from customers c",
};

static const char *const partial[] = {
    "select id from customers",
    "select c.id from customers c where c.id = 1",
    "select count(*) from customers",
    "select id * 2 from customers where f(id) * 3 > x[1] * 4",
    "select c.id from public.customers as c join orders o on o.id = c.id",
    "declare r customers%rowtype; begin select id into r from customers; end",
    "insert into customers (id) values (1)",
    "update customers set id = 1 where id = 2",
    "CREATE FUNCTION f() RETURNS TABLE (a int) AS $$ $$",
};

START_TEST(columns_that_are_used_without_their_names_are_noticed)
{
	ck_assert_msg(
	    facts_of(whole[_i]).takes_whole_relations, "%s", whole[_i]);
}
END_TEST

START_TEST(columns_by_name_are_no_whole_rows)
{
	ck_assert_msg(
	    !facts_of(partial[_i]).takes_whole_relations, "%s", partial[_i]);
}
END_TEST

static const char *const mentions[] = {
    "select email from customers",
    "select c . \"email\" from customers c",
    "select 1 from customers where email = 'x'",
    "insert into customers (id) select email from customers",
    "insert into customers (email) values (1) returning email",
    "update customers set notes = email",
    "update customers set email = 'x' where email = 'y'",
    "update customers set email = 'x' returning email",
    "update customers set id = (select email from customers)",
    "insert into customers (id) values (1) on conflict (email) do nothing",
    "select set, email = 1 from customers",
};

static const char *const targets[] = {
    "insert into customers (id, email) values (1, 'x')",
    "insert into public.customers (id, \"email\") values (1, 'x')",
    "update customers set email = 'x' where id = 1",
    "update only public.customers c set id = f(1, 2), email = 'x'",
    "select 'email' from customers",
    ("begin insert into customers (email) values (x); update orders set a = 1,"
     " email = 2; end"),
};

START_TEST(body_without_end_is_opaque_and_relations_without_end_are_whole)
{
	static char text[CODE_BODY_MAX + 2];
	size_t i, len = 0;

	memset(text, ' ', CODE_BODY_MAX);
	ck_assert(!facts_of(text).is_opaque);
	text[CODE_BODY_MAX] = ' ';
	ck_assert(facts_of(text).is_opaque);
	memset(text, 0, sizeof(text));
	for (i = 0; i < 2000; i++) {
		memcpy(text + len, "from orders ;", 13);
		len += 13;
	}
	ck_assert(facts_of(text).takes_whole_relations);
}
END_TEST

START_TEST(mention_of_a_column_is_a_use)
{
	sought = "email";
	facts_of(mentions[_i]);
	ck_assert_msg(is_mentioned, "%s", mentions[_i]);
}
END_TEST

START_TEST(column_that_is_only_written_is_not_used)
{
	sought = "email";
	facts_of(targets[_i]);
	ck_assert_msg(!is_mentioned, "%s", targets[_i]);
}
END_TEST

static const char *const filling[] = {
    "begin new.word := 'x'; return new; end",
    "begin new.word = 'x'; return new; end",
    "begin new.words[1][i] := 'x'; return new; end",
    "begin \"new\" := r; return new; end",
    "begin fill.new.word := 'x'; return new; end",
    "begin if a then new.word = 'x'; end if; return new; end",
    "begin select email into new.word from customers; return new; end",
    "begin select a, email into strict x, new.word from customers; end",
    "begin update orders set id = 1 returning id into new.word; end",
    "begin fetch c into new; return new; end",
    ("begin for new in select email from customers loop return new; end loop; "
     "end"),
    "declare n alias for new; begin n.word := 'x'; return new; end",
    "begin call fill(new.word); return new; end",
    "begin get stacked diagnostics new.word = message_text; return new; end",
    "begin return r; end",
    "begin return (select r from customers r); end",
    "begin return new.other; end",
};

static const char *const keeping[] = {
    "begin return new; end",
    "begin return old; end",
    "begin return null; end",
    "begin if new.status = 'x' then raise notice 'y'; end if; return new; end",
    "begin perform 1 from orders where id = new.id; return new; end",
    "begin insert into orders values (new.id); return new; end",
    ("begin select email into found from customers where id = new.id; "
     "return new; end"),
    "begin old.word := 'x'; return new; end",
};

START_TEST(trigger_that_changes_its_row_is_noticed)
{
	ck_assert_msg(facts_of(filling[_i]).changes_row, "%s", filling[_i]);
}
END_TEST

START_TEST(trigger_that_keeps_its_row_is_known)
{
	ck_assert_msg(!facts_of(keeping[_i]).changes_row, "%s", keeping[_i]);
}
END_TEST

START_TEST(trigger_is_known_by_its_header)
{
	ck_assert(facts_of("CREATE FUNCTION f() RETURNS trigger AS $$$$")
		      .returns_trigger);
	ck_assert(!facts_of("CREATE FUNCTION trigger() RETURNS int AS $$$$")
		       .returns_trigger);
}
END_TEST

static const char *const writing[] = {
    "insert into orders values (1)",
    "insert into public.\"orders\" (id) values (1)",
    "update orders set id = 1",
    "update only orders set id = 1",
    "delete from orders",
    "delete from only public.orders",
    "merge into orders o using x on true when matched then delete",
    "begin truncate customers, orders; end",
    "begin copy orders from '/x'; end",
};

static const char *const not_writing[] = {
    "select 1 from orders",
    "insert into customers select 1 from orders",
    "delete from customers using orders",
    "select id into x from orders",
};

START_TEST(what_runs_with_a_written_relation_is_told)
{
	sought_kind = CODE_TRIGGER;
	facts_of(writing[_i]);
	ck_assert_msg(is_run, "%s", writing[_i]);
}
END_TEST

START_TEST(what_is_only_read_runs_row_security_alone)
{
	sought_kind = CODE_TRIGGER;
	facts_of(not_writing[_i]);
	ck_assert_msg(!is_run, "%s", not_writing[_i]);
	sought_kind = CODE_SECURITY;
	facts_of(not_writing[_i]);
	ck_assert_msg(is_run, "%s", not_writing[_i]);
}
END_TEST

#define LOOP(test, list)                                                       \
	tcase_add_loop_test(c, test, 0, sizeof(list) / sizeof(*(list)))

int
main(void)
{
	Suite *suite = suite_create("code_body");
	TCase *c = tcase_create("code_body");

	LOOP(what_is_made_at_run_time_is_opaque, opaque);
	LOOP(what_can_be_read_is_not_opaque, plain);
	LOOP(what_nobody_can_tell_escapes, escaping);
	LOOP(what_is_plain_does_not_escape, tame);
	LOOP(writing_is_noticed, storing);
	LOOP(reading_is_no_writing, reading);
	LOOP(columns_that_are_used_without_their_names_are_noticed, whole);
	LOOP(columns_by_name_are_no_whole_rows, partial);
	tcase_add_test(c,
	    body_without_end_is_opaque_and_relations_without_end_are_whole);
	LOOP(mention_of_a_column_is_a_use, mentions);
	LOOP(column_that_is_only_written_is_not_used, targets);
	LOOP(trigger_that_changes_its_row_is_noticed, filling);
	LOOP(trigger_that_keeps_its_row_is_known, keeping);
	tcase_add_test(c, trigger_is_known_by_its_header);
	LOOP(what_runs_with_a_written_relation_is_told, writing);
	LOOP(what_is_only_read_runs_row_security_alone, not_writing);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
