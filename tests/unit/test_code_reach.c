/* links: worker/postgres/catalog/code_reach.c worker/postgres/catalog/code_walk.c worker/postgres/catalog/catalog_code.c worker/postgres/catalog/code_attached.c worker/postgres/catalog/catalog_rows.c common/code_body.c common/code_whole.c common/code_trigger.c common/code_escape.c common/code_calls.c common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/arena.c common/text.c */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/suite.h"
#include "worker/postgres/catalog/code_reach.h"

/* --- a list of functions, and relations of our own ------------------------ */

enum { CUSTOMERS = 20000, ORDERS };

static struct column columns[] = {{.name = {"id", 2}},
    {.name = {"email", 5}}};
static struct relation relations[] = {
    {CUSTOMERS, {"public", 6}, {"customers", 9}, 'r', columns, 2},
    {ORDERS, {"public", 6}, {"orders", 6}, 'r', columns, 1},
};

enum function_listing
classifier_lists(const struct classifier *c, struct text function)
{
	(void)c;
	if (text_is(function, TEXT("query_to_xml")))
		return FUNCTION_OPAQUE;
	return text_is(function, TEXT("lower")) ||
		       text_is(function, TEXT("abs"))
	    ? FUNCTION_CLEAN
	    : FUNCTION_UNLISTED;
}

bool
classifier_escapes(const struct classifier *c, struct text function)
{
	return classifier_lists(c, function) == FUNCTION_OPAQUE;
}

bool
classifier_trusts(const struct classifier *c, struct text extension)
{
	(void)c;
	return text_is(extension, TEXT("citext"));
}

static char place;
static struct arena *arena;
static struct code_list list;
static struct code_reach *reach;

enum step { BUILTINS, FUNCTIONS, LINKS, TEXTS, ATTACHED };

static void
add(enum step step, const char *const *fields, size_t count)
{
	struct text row[9];
	size_t i;

	for (i = 0; i < count; i++)
		row[i] = text_of(fields[i]);
	ck_assert_int_eq(code_steps[step].row(&list, row, count), ERR_NONE);
}

#define ADD(step, ...)                                                         \
	add(step, (const char *const[]){__VA_ARGS__},                          \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* A function of users, in SQL. */
static void
add_sql(const char *oid, const char *name, const char *body)
{
	ADD(FUNCTIONS, oid, name, "sql", NULL, "0", body, "header", "f", "0");
}

static void
setup(void)
{
	arena = arena_new(0);
	list = (struct code_list){.arena = arena,
	    .classifier = (const struct classifier *)(void *)&place};
	ADD(BUILTINS, "870", "lower");
	ADD(BUILTINS, "1574", "nextval");
	ADD(BUILTINS, "2923", "query_to_xml");
	ADD(BUILTINS, "3000", "brand_new");
}

static void
teardown(void)
{
	arena_free(arena);
}

static void
follow(void)
{
	ck_assert_int_eq(
	    code_reach_new(&list, relations, 2, &reach), ERR_NONE);
}

static struct code
named(enum code_kind kind, const char *name, bool *is_there)
{
	struct code *all;
	uint64_t *hashes;
	size_t count, i;

	ck_assert_int_eq(
	    code_reach_all(reach, &all, &hashes, &count), ERR_NONE);
	for (i = 1; i < count; i++)
		ck_assert_uint_lt(hashes[i - 1], hashes[i]);
	*is_there = false;
	for (i = 0; i < count; i++) {
		if (all[i].kind == kind && text_is(all[i].name, text_of(name))) {
			*is_there = true;
			return all[i];
		}
	}
	return (struct code){0};
}

static struct code
function(const char *name)
{
	bool is_there;
	struct code code = named(CODE_FUNCTION, name, &is_there);

	ck_assert_msg(is_there, "%s is not there", name);
	return code;
}

static bool
reads(struct code code, uint32_t relation, unsigned number)
{
	size_t i;

	for (i = 0; i < code.source_count; i++) {
		if (code.sources[i].relation == relation &&
		    code.sources[i].number ==
			(number | COLUMN_SOURCE_DERIVED))
			return true;
	}
	return false;
}

/* --- what is read --------------------------------------------------------- */

START_TEST(columns_that_a_body_mentions_are_read)
{
	add_sql("16400", "f", "select email from customers");
	add_sql("16401", "g", "select id from customers");
	add_sql("16402", "h", "select * from customers");
	add_sql("16403", "i", "select email from orders");
	follow();
	ck_assert(reads(function("f"), CUSTOMERS, 2));
	ck_assert(!reads(function("f"), CUSTOMERS, 1));
	ck_assert(!reads(function("g"), CUSTOMERS, 2));
	ck_assert(reads(function("h"), CUSTOMERS, 0));
	ck_assert_uint_eq(function("i").source_count, 0);
}
END_TEST

START_TEST(calls_are_followed_by_any_name_and_in_circles)
{
	add_sql("16400", "a", "select b(1)");
	add_sql("16401", "b", "select public.c(1), a(2)");
	add_sql("16402", "c", "select email from customers");
	add_sql("16403", "d", "select o . c from orders o");
	add_sql("16404", "alone", "select alone(1)");
	follow();
	ck_assert(reads(function("a"), CUSTOMERS, 2));
	ck_assert(reads(function("b"), CUSTOMERS, 2));
	ck_assert(reads(function("d"), CUSTOMERS, 2));
	ck_assert_uint_eq(function("alone").source_count, 0);
	ck_assert(!function("alone").is_opaque);
}
END_TEST

START_TEST(functions_of_one_name_are_one)
{
	add_sql("16400", "f", "select 1");
	add_sql("16401", "f", "select email from customers");
	follow();
	ck_assert(reads(function("f"), CUSTOMERS, 2));
}
END_TEST

START_TEST(operators_casts_checks_and_rules_lead_to_functions)
{
	bool is_there;

	add_sql("16400", "f", "select email from customers");
	add_sql("16401", "g", "select 1 === 2");
	add_sql("16402", "pure", "select 1");
	ADD(LINKS, "1", "===", "0", "0", "16400", "0");
	ADD(LINKS, "2", "ticket", "0", "0", "16400", "1");
	ADD(LINKS, "0", "total", "16500", "1", "16400", "0");
	ADD(FUNCTIONS, "16500", "total", "internal", NULL, "0", NULL, NULL,
	    "a", "0");
	ADD(TEXTS, "2", "known", "CHECK (f(VALUE) IS NOT NULL)");
	ADD(TEXTS, "2", "positive", "CHECK (VALUE > 0)");
	ADD(TEXTS, "4", "logged", "insert into x select email from customers");
	follow();
	ck_assert(reads(function("g"), CUSTOMERS, 2));
	ck_assert(reads(function("total"), CUSTOMERS, 2));
	ck_assert(!function("total").is_opaque);
	ck_assert(reads(named(CODE_OPERATOR, "===", &is_there), CUSTOMERS, 2));
	ck_assert(reads(named(CODE_TYPE, "ticket", &is_there), CUSTOMERS, 2));
	ck_assert(reads(named(CODE_TYPE, "known", &is_there), CUSTOMERS, 2));
	ck_assert(
	    reads(named(CODE_RELATION, "logged", &is_there), CUSTOMERS, 2));
	named(CODE_TYPE, "positive", &is_there);
	ck_assert(!is_there);
}
END_TEST

/* A trigger function of users, in PL/pgSQL. */
static void
add_trigger(const char *oid, const char *name, const char *body)
{
	ADD(FUNCTIONS, oid, name, "plpgsql", NULL, "0", body,
	    "CREATE OR REPLACE FUNCTION f() RETURNS trigger", "f", "0");
}

START_TEST(triggers_lead_to_functions_and_store_where_they_fill_rows)
{
	bool is_there;
	struct code code;

	add_trigger("16400", "fill", "begin select email into new.word from "
				     "customers; return new; end");
	add_trigger("16401", "look", "begin perform email from customers; "
				     "return new; end");
	add_sql("16402", "write", "insert into orders (id) values (1)");
	add_sql("16403", "read", "select id from orders");
	ADD(ATTACHED, "7", "orders", "0", "0", "16400", "0");
	ADD(ATTACHED, "6", "customers", "0", "0", "16401", "0");
	follow();
	code = named(CODE_ROWS, "orders", &is_there);
	ck_assert(reads(code, CUSTOMERS, 2) && code.stores);
	code = named(CODE_TRIGGER, "customers", &is_there);
	ck_assert(reads(code, CUSTOMERS, 2) && !code.stores);
	code = function("write");
	ck_assert(reads(code, CUSTOMERS, 2) && code.stores);
	ck_assert(!reads(function("read"), CUSTOMERS, 2));
}
END_TEST

/* --- what cannot be known ------------------------------------------------- */

START_TEST(what_cannot_be_read_may_read_anything)
{
	static const char *const opaque[] = {
	    "c", "dynamic", "xml", "new", "calls"};
	size_t i;

	ADD(FUNCTIONS, "16400", "c", "c", NULL, "0", NULL, "header", "f", "0");
	add_sql("16401", "dynamic", "begin execute x; end");
	add_sql("16402", "xml", "select query_to_xml(x)");
	add_sql("16403", "new", "select brand_new(1)");
	add_sql("16404", "calls", "select c(1)");
	add_sql("16405", "fine", "select lower(nextval('x')::text)");
	follow();
	for (i = 0; i < sizeof(opaque) / sizeof(*opaque); i++)
		ck_assert_msg(
		    function(opaque[i]).is_opaque, "%s", opaque[i]);
	ck_assert(!function("fine").is_opaque);
}
END_TEST

START_TEST(built_in_functions_are_judged_by_their_lists)
{
	struct code code;

	follow();
	ck_assert_int_eq(code_reach_function(reach, 870, &code), ERR_NONE);
	ck_assert(!code.is_opaque);
	ck_assert_int_eq(code_reach_function(reach, 1574, &code), ERR_NONE);
	ck_assert(!code.is_opaque);
	ck_assert_int_eq(code_reach_function(reach, 2923, &code), ERR_NONE);
	ck_assert(code.is_opaque);
	ck_assert_int_eq(code_reach_function(reach, 3000, &code), ERR_NONE);
	ck_assert(code.is_opaque);
	ck_assert_int_eq(code_reach_function(reach, 99999, &code), ERR_NONE);
	ck_assert(code.is_opaque);
}
END_TEST

/* --- whom to trust -------------------------------------------------------- */

START_TEST(c_functions_of_listed_extensions_are_trusted)
{
	ADD(FUNCTIONS, "16400", "similar", "c", "citext", "0", NULL, "header",
	    "f", "0");
	ADD(FUNCTIONS, "16401", "other", "c", "evil", "0", NULL, "header",
	    "f", "0");
	ADD(FUNCTIONS, "16402", "query_to_xml", "c", "citext", "0", NULL,
	    "header", "f", "0");
	ADD(FUNCTIONS, "16403", "mixed", "c", "citext", "0", NULL, "header",
	    "f", "0");
	add_sql("16404", "mixed", "select 1");
	follow();
	ck_assert(function("similar").is_trusted);
	ck_assert(!function("similar").is_opaque);
	ck_assert(!function("other").is_trusted);
	ck_assert(function("other").is_opaque);
	ck_assert(!function("query_to_xml").is_trusted);
	ck_assert(!function("mixed").is_trusted);
}
END_TEST

START_TEST(disguise_is_what_may_be_meant_by_a_built_in_name)
{
	add_sql("16400", "lower", "select 1");
	ADD(FUNCTIONS, "16401", "abs", "sql", NULL, "1", "select 1", "header",
	    "f", "0");
	follow();
	ck_assert(function("lower").is_disguise);
	ck_assert(!function("abs").is_disguise);
	ck_assert(!function("abs").is_trusted);
}
END_TEST

START_TEST(systems_own_sql_is_kept_only_when_it_reads_users_relations)
{
	bool is_there;

	add_sql("1215", "obj_description", "select 1 from pg_description");
	add_sql("1216", "replaced", "select email from customers");
	follow();
	named(CODE_FUNCTION, "obj_description", &is_there);
	ck_assert(!is_there);
	named(CODE_FUNCTION, "replaced", &is_there);
	ck_assert(is_there);
}
END_TEST

START_TEST(rows_that_make_no_sense_are_refused)
{
	struct text none[9] = {{NULL, 0}};
	size_t i;

	for (i = 0; i < code_step_count; i++) {
		ck_assert_int_eq(
		    code_steps[i].row(&list, none, 1), ERR_MALFORMED);
		ck_assert_int_eq(
		    code_steps[i].row(&list, none, 9), ERR_MALFORMED);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("code_reach");
	TCase *c = tcase_create("code_reach");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c,
	    triggers_lead_to_functions_and_store_where_they_fill_rows);
	tcase_add_test(c, columns_that_a_body_mentions_are_read);
	tcase_add_test(c, calls_are_followed_by_any_name_and_in_circles);
	tcase_add_test(c, functions_of_one_name_are_one);
	tcase_add_test(
	    c, operators_casts_checks_and_rules_lead_to_functions);
	tcase_add_test(c, what_cannot_be_read_may_read_anything);
	tcase_add_test(c, built_in_functions_are_judged_by_their_lists);
	tcase_add_test(c, c_functions_of_listed_extensions_are_trusted);
	tcase_add_test(c, disguise_is_what_may_be_meant_by_a_built_in_name);
	tcase_add_test(
	    c, systems_own_sql_is_kept_only_when_it_reads_users_relations);
	tcase_add_test(c, rows_that_make_no_sense_are_refused);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
