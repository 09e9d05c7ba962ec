/* links: common/flow.c common/flow_key.c common/flow_names.c common/flow_taint.c common/flow_use.c common/query.c common/query_call.c common/query_change.c common/query_combine.c common/query_expression.c common/query_from.c common/query_infix.c common/query_join.c common/query_operator.c common/query_primary.c common/query_select.c common/query_special.c common/query_tokens.c common/query_type.c common/query_with.c common/query_words.c common/lexer.c common/lexer_string.c common/lexer_number.c common/lexer_unicode.c common/arena.c common/text.c common/err.c */
#include <check.h>
#include <stdlib.h>

#include "common/flow.h"
#include "tests/unit/suite.h"

/* --- a catalogue of our own ------------------------------------------------
 * customers(id, name, email, city, salary, r): name, email, salary and r are
 * protected; orders(id, customer_id, name, total): nothing is; mails(id,
 * address, initial): a view, of email and of its first letter. */

static struct flow_column customers[] = {{{"id", 2}, TAINT_NONE, true},
    {{"name", 4}, TAINT_PLAIN, false}, {{"email", 5}, TAINT_PLAIN, false},
    {{"city", 4}, TAINT_NONE, false}, {{"salary", 6}, TAINT_PLAIN, false}};
static struct flow_column orders[] = {{{"id", 2}, TAINT_NONE, true},
    {{"customer_id", 11}, TAINT_NONE, false}, {{"name", 4}, TAINT_NONE, false},
    {{"total", 5}, TAINT_NONE, false}};
static struct flow_column mails[] = {{{"id", 2}, TAINT_NONE, false},
    {{"address", 7}, TAINT_PLAIN, false}, {{"initial", 7}, TAINT_DERIVED, false}};

static enum err
relation(void *context, const struct dotted *name, struct arena *a,
    struct flow_columns *out)
{
	struct text last = name->parts[name->count - 1];

	(void)context;
	(void)a;
	*out = (struct flow_columns){.is_exact = true};
	if (text_is(last, TEXT("customers")))
		*out = (struct flow_columns){.at = customers, .count = 5, .is_exact = true};
	else if (text_is(last, TEXT("orders")))
		*out = (struct flow_columns){.at = orders, .count = 4, .is_exact = true};
	else if (text_is(last, TEXT("mails")))
		*out = (struct flow_columns){.at = mails, .count = 3, .is_exact = true};
	return ERR_NONE;
}

static enum total
totality(void *context, struct text function)
{
	(void)context;
	if (text_is(function, TEXT("regexp_replace")) ||
	    text_is(function, TEXT("substr")))
		return TOTAL_FIRST;
	if (text_is(function, TEXT("max")))
		return TOTAL_PLAIN;
	return text_is(function, TEXT("lower")) ||
		       text_is(function, TEXT("to_jsonb")) ||
		       text_is(function, TEXT("coalesce")) ||
		       text_is(function, TEXT("count"))
		   ? TOTAL_ALWAYS
		   : TOTAL_NEVER;
}

static enum total
operator_totality(void *context, struct text operator)
{
	(void)context;
	return text_is(operator, TEXT("||")) || text_is(operator, TEXT("=")) ||
		       text_is(operator, TEXT("is"))
		   ? TOTAL_PLAIN
		   : TOTAL_NEVER;
}

static bool
is_storing(void *context, struct text function)
{
	(void)context;
	return text_is(function, TEXT("pg_notify"));
}

static enum taint
returns(void *context, const struct dotted *function, bool is_column)
{
	(void)context;
	(void)is_column;
	return text_is(function->parts[function->count - 1], TEXT("peek"))
		   ? TAINT_DERIVED
		   : TAINT_NONE;
}

static const struct flow_facts facts = {.relation = relation,
    .totality = totality,
    .operator_totality = operator_totality,
    .is_storing = is_storing,
    .returns = returns};

/* What came of it: outputs as - (clean), p (plain), d (derived), in ( ) when
 * their places are not known; then =, ! and > for an equality, a guess and a
 * copy; ? when it was not understood. */
static const char *
trace(const char *sql)
{
	static char answer[64];
	struct arena *a = arena_new(0);
	struct lex_state state = {.dialect = DIALECT_POSTGRES,
	    .standard_conforming_strings = true,
	    .is_utf8 = true};
	struct lexed lexed;
	struct flow flow;
	size_t i, n = 0;

	ck_assert_int_eq(lexer_run(&state, text_of(sql), a, &lexed), ERR_NONE);
	ck_assert_int_eq(
	    flow_trace(lexed.tokens, lexed.count, &facts, a, &flow), ERR_NONE);
	if (!flow.is_understood)
		answer[n++] = '?';
	if (flow.is_understood && !flow.outputs.is_exact)
		answer[n++] = '(';
	for (i = 0; flow.is_understood && i < flow.outputs.count; i++)
		answer[n++] = "-pd"[flow.outputs.at[i].taint];
	if (flow.is_understood && !flow.outputs.is_exact) {
		if (flow.outputs.is_open && flow.outputs.others != TAINT_NONE)
			answer[n++] = '*';
		answer[n++] = ')';
	}
	if (flow.equality.where != NULL)
		answer[n++] = '=';
	if (flow.guess.where != NULL)
		answer[n++] = '!';
	if (flow.copy.where != NULL)
		answer[n++] = '>';
	answer[n] = '\0';
	arena_free(a);
	return answer;
}

struct known {
	const char *sql, *want;
};

static void
check(const struct known *table, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		ck_assert_msg(strcmp(trace(table[i].sql), table[i].want) == 0,
		    "%s: %s, not %s", table[i].sql, trace(table[i].sql),
		    table[i].want);
}

#define CHECK(table) check(table, sizeof(table) / sizeof((table)[0]))

START_TEST(outputs_are_told_one_by_one)
{
	static const struct known table[] = {
	    {"SELECT id, email, city FROM customers", "-p-"},
	    {"SELECT count(*), max(email), max(city) FROM customers", "-d-"},
	    {"SELECT * FROM customers", "-pp-p"},
	    {"SELECT *, count(*) OVER () FROM customers", "-pp-p-"},
	    {"SELECT c.*, o.total FROM customers c JOIN orders o "
	     "ON o.customer_id = c.id", "-pp-p-"},
	    {"TABLE customers", "-pp-p"},
	    {"SELECT upper(o.name), lower(c.name) FROM customers c, orders o",
		"-d"},
	    {"SELECT name FROM orders", "-"},
	    {"SELECT (SELECT lower(name) FROM orders LIMIT 1) FROM customers",
		"-"},
	    {"SELECT id, address, initial FROM mails", "-pd"},
	    {"SELECT id + 1 FROM customers", "-"},
	    {"SELECT ctid, c.xmin FROM customers c", "--"},
	    {"SELECT EXISTS (SELECT * FROM customers)", "-"},
	    {"COPY (SELECT id, email FROM customers) TO STDOUT", "-p"},
	    {"EXPLAIN SELECT email FROM customers", "(p)"},
	    {"INSERT INTO customers (email) VALUES ('x') RETURNING id, email",
		"-p"},
	};

	CHECK(table);
}
END_TEST

START_TEST(protected_value_is_followed_under_other_names)
{
	static const struct known table[] = {
	    {"SELECT lower(x) FROM (SELECT email AS x FROM customers) s",
		"d"},
	    {"SELECT x, y FROM (SELECT id, email FROM customers) s (x, y)",
		"-p"},
	    {"WITH w (a, b) AS (SELECT id, email FROM customers) "
	     "SELECT a, lower(b), w.b FROM w", "-dp"},
	    {"WITH RECURSIVE w (a) AS (SELECT email FROM customers UNION ALL "
	     "SELECT lower(a) FROM w) SELECT a FROM w", "d"},
	    {"SELECT b FROM customers AS c (a, b, d)", "p"},
	    {"SELECT email FROM customers UNION ALL SELECT name FROM orders",
		"p"},
	    {"SELECT name FROM orders UNION ALL SELECT email FROM customers",
		"p"},
	    {"SELECT to_jsonb(c) FROM customers c", "d"},
	    {"SELECT to_jsonb(c.*) FROM customers c", "d"},
	    {"SELECT c FROM customers c", "d"},
	    {"SELECT customers FROM customers", "d"},
	    {"SELECT c.to_jsonb FROM customers c", "d"},
	    {"SELECT c.total FROM customers c, orders", "d"},
	    {"SELECT (c).email FROM customers c", "d!"},
	    {"SELECT (c).* FROM customers c", "(*)"},
	    {"SELECT s.x FROM customers c, LATERAL (SELECT c.email) s (x)",
		"p"},
	    {"SELECT x FROM customers c JOIN LATERAL (VALUES (c.email)) v (x) "
	     "ON true", "p"},
	    {"SELECT column1 FROM customers c, LATERAL (VALUES (c.email)) v",
		"p"},
	    {"SELECT max(x) FROM (SELECT x FROM (SELECT email x FROM customers) "
	     "a) b", "d"},
	    {"SELECT ROW(id, email) FROM customers", "d"},
	    {"SELECT (SELECT email FROM customers LIMIT 1)", "d"},
	    {"SELECT ARRAY(SELECT email FROM customers)", "d"},
	    {"SELECT j.b FROM (customers c CROSS JOIN orders o) AS j (a, b)",
		"p"},
	    {"UPDATE customers SET city = 'x' RETURNING lower(email), id",
		"d-"},
	    {"DELETE FROM customers c USING orders o WHERE c.id = o.id "
	     "RETURNING c, o.total", "d-"},
	    {"WITH w AS (UPDATE customers SET city = 'x' RETURNING *) "
	     "SELECT lower(email) FROM w", "d"},
	    {"SELECT value FROM customers c, jsonb_each(to_jsonb(c))", "d!"},
	    {"SELECT x FROM customers c, lower(c.email) x", "d!"},
	    {"SELECT peek(1), id FROM orders", "d-!"},
	    {"SELECT email AS id FROM customers", "p"},
	    {"SELECT o.peek FROM orders o", "d"},
	    {"SELECT (SELECT lower(public.customers.email) FROM orders AS "
	     "customers) FROM public.customers", "d"},
	    {"SELECT (SELECT to_jsonb(public.customers.*) FROM orders AS "
	     "customers) FROM public.customers", "d"},
	    {"SELECT (SELECT lower(btrim) FROM (SELECT trim(email) FROM "
	     "customers) x) FROM (SELECT 'x' AS btrim) z", "d!"},
	    {"WITH RECURSIVE t AS (SELECT id, 1 AS depth FROM customers UNION "
	     "ALL SELECT c.id, depth + 1 FROM t JOIN customers c ON c.id = "
	     "t.id + 1) SELECT * FROM t", "--"},
	    {"SELECT (o).peek, (o).total FROM orders o", "d-!"},
	};

	CHECK(table);
}
END_TEST

START_TEST(comparison_with_a_constant_is_an_equality)
{
	static const struct known table[] = {
	    {"SELECT id FROM customers WHERE email = 'x'", "-="},
	    {"SELECT id FROM customers WHERE 'x' = email AND id > 3", "-="},
	    {"SELECT id FROM customers WHERE email = $1 OR NOT name = 'y'",
		"-="},
	    {"SELECT id FROM customers WHERE email = 'x'::text", "-="},
	    {"SELECT id FROM (SELECT id, email AS e FROM customers) s "
	     "WHERE e = 'x'", "-="},
	    {"UPDATE customers SET city = 'z' WHERE email = $1", "="},
	    {"SELECT id FROM customers WHERE id = 3", "-"},
	    {"SELECT o.total FROM customers c JOIN orders o ON "
	     "o.customer_id = c.id WHERE o.name LIKE 'a%' ORDER BY o.name",
		"-"},
	    {"INSERT INTO customers (id, email) VALUES (1, 'x') "
	     "ON CONFLICT (email) DO NOTHING", "="},
	};

	CHECK(table);
}
END_TEST

START_TEST(primary_key_decides_what_else_it_is_grouped_with)
{
	static const struct known fine[] = {
	    {"SELECT id, email FROM customers GROUP BY id, email", "-p"},
	    {"SELECT id, email FROM customers GROUP BY email, id", "-p"},
	    {"SELECT c.id, c.name, c.email, count(o.id) FROM customers c LEFT "
	     "JOIN orders o ON o.customer_id = c.id GROUP BY c.id, c.name, "
	     "c.email", "-pp-"},
	    {"SELECT c.id, c.email FROM orders o, customers AS c "
	     "GROUP BY c.id, o.total, c.email", "-p"},
	};
	static const struct known guesses[] = {
	    {"SELECT city, email FROM customers GROUP BY city, email", "-p!"},
	    {"SELECT o.id, c.email FROM customers c, orders o "
	     "GROUP BY o.id, c.email", "-p!"},
	    {"SELECT a.id, b.email FROM customers a, customers b "
	     "GROUP BY a.id, b.email", "-p!"},
	    {"SELECT id, email FROM customers "
	     "GROUP BY GROUPING SETS ((id), (email))", "-p!"},
	    {"SELECT id, email FROM customers GROUP BY CUBE (id, email)",
		"-p!"},
	    {"SELECT id, email FROM customers GROUP BY id, ROLLUP (email)",
		"-p!"},
	    {"SELECT id FROM customers GROUP BY id, lower(email)", "-!"},
	    {"SELECT id, email FROM customers GROUP BY (id, email)", "-p!"},
	    {"SELECT id FROM customers GROUP BY id + 0, email", "-!"},
	    {"SELECT id, name FROM (SELECT * FROM customers) c "
	     "GROUP BY id, name", "-p!"},
	    {"WITH c AS (SELECT * FROM customers) SELECT id, name FROM c "
	     "GROUP BY id, name", "-p!"},
	    {"SELECT id FROM customers c (email, id, name) "
	     "GROUP BY id, name", "p!"},
	    {"SELECT id, initial FROM mails GROUP BY id, initial", "-d!"},
	    {"SELECT (SELECT count(*) FROM orders o GROUP BY c.id, c.email) "
	     "FROM customers c", "-!"},
	    {"SELECT id FROM customers GROUP BY id, email ORDER BY email",
		"-!"},
	    {"SELECT id FROM customers GROUP BY id, email HAVING email > 'x'",
		"-!"},
	};

	check(fine, sizeof(fine) / sizeof(*fine));
	check(guesses, sizeof(guesses) / sizeof(*guesses));
}
END_TEST

START_TEST(any_other_use_is_a_guess)
{
	static const struct known table[] = {
	    {"SELECT id FROM customers WHERE email LIKE 'a%'", "-!"},
	    {"SELECT id FROM customers WHERE email > 'a'", "-!"},
	    {"SELECT id FROM customers WHERE email || '' = 'a'", "-!"},
	    {"SELECT id FROM customers WHERE 'm' BETWEEN 'a' AND email = true",
		"-!"},
	    {"SELECT id FROM customers WHERE email IN ('a', 'b')", "-!"},
	    {"SELECT id FROM customers WHERE (email) = lower('A')", "-!"},
	    {"SELECT id FROM customers WHERE email = 'a' COLLATE \"x\"", "-!"},
	    {"SELECT id FROM customers WHERE email::char(1) = 'a'", "-!"},
	    {"SELECT id FROM customers WHERE email OPERATOR(public.=) 'a'",
		"-!"},
	    {"SELECT id FROM customers WHERE email = 'a'::mine", "-!"},
	    {"SELECT id FROM customers WHERE (email, id) = ('a', 1)", "-!"},
	    {"SELECT id FROM customers WHERE email = ANY ('{a,b}')", "-!"},
	    {"SELECT id FROM customers WHERE email = ALL ($1)", "-!"},
	    {"SELECT id FROM mails WHERE initial = 'a'", "-!"},
	    {"SELECT id FROM (SELECT id, left(email, 1) AS email FROM customers)"
	     " s WHERE email = 'a'", "-!"},
	    {"SELECT id FROM customers ORDER BY email", "-!"},
	    {"SELECT id, email FROM customers ORDER BY 2", "-p!"},
	    {"SELECT id, email FROM customers ORDER BY (2)", "-p!"},
	    {"SELECT id, email FROM customers ORDER BY ((2)) USING >", "-p!"},
	    {"SELECT id, email FROM customers ORDER BY 00002", "-p!"},
	    {"SELECT id, email FROM customers GROUP BY (1, 2)", "-p!"},
	    {"SELECT DISTINCT ON ((2)) id, email FROM customers", "-p!"},
	    {"SELECT id, trim(email) FROM customers ORDER BY btrim", "-d!"},
	    {"SELECT (SELECT c.email AS city) FROM customers c ORDER BY city",
		"d!"},
	    {"SELECT email LIKE 'a\\' FROM customers", "d!"},
	    {"SELECT CASE WHEN email = 'x' THEN (SELECT id FROM orders) END "
	     "FROM customers", "d!"},
	    {"SELECT email::text[] FROM customers", "d!"},
	    {"SELECT email::public.text FROM customers", "d!"},
	    {"SELECT CASE WHEN email = 'x' THEN 'z'::mine END FROM customers",
		"d!"},
	    {"SELECT CASE WHEN email = 'x' THEN $1::int4 END FROM customers",
		"d!"},
	    {"SELECT max(id) FILTER (WHERE email < 'a') FROM customers", "d!"},
	    {"SELECT max(email) OVER (PARTITION BY city) FROM customers", "d"},
	    {"SELECT max(id) OVER (PARTITION BY email) FROM customers", "d!"},
	    {"SELECT id, email FROM customers ORDER BY 1", "-p"},
	    {"SELECT id, email FROM customers ORDER BY 00002", "-p!"},
	    {"SELECT id, email FROM customers ORDER BY 00001", "-p"},
	    {"SELECT id, lower(email) AS x FROM customers ORDER BY x", "-d!"},
	    {"SELECT count(*) FROM customers GROUP BY email", "-!"},
	    {"SELECT count(*) AS n FROM customers GROUP BY city ORDER BY n",
		"-"},
	    {"SELECT city FROM customers GROUP BY city HAVING max(email) > 'x'",
		"-!"},
	    {"SELECT DISTINCT email FROM customers", "p="},
	    {"SELECT DISTINCT lower(email) FROM customers", "d!"},
	    {"SELECT DISTINCT c FROM customers c", "d!"},
	    {"SELECT DISTINCT city FROM customers", "-"},
	    {"SELECT DISTINCT ON (email) id FROM customers", "-!"},
	    {"SELECT email FROM customers INTERSECT SELECT 'x'", "p!"},
	    {"SELECT 'x' EXCEPT SELECT email FROM customers", "p!"},
	    {"SELECT email FROM customers UNION SELECT 'x'", "p!"},
	    {"SELECT DISTINCT e FROM (SELECT email AS e FROM customers UNION "
	     "ALL SELECT 'x') s", "p!"},
	    {"SELECT lower(email) FROM customers UNION SELECT 'x'", "d!"},
	    {"SELECT id FROM customers UNION SELECT 1", "-"},
	    {"SELECT row_number() OVER (ORDER BY email) FROM customers", "d!"},
	    {"SELECT id FROM customers LIMIT (SELECT length(email) FROM "
	     "customers)", "-!"},
	    {"SELECT id FROM customers, generate_series(1, length(email))",
		"d!"},
	    {"SELECT 1 / (length(email) - 5) FROM customers", "d!"},
	    {"SELECT CASE WHEN email LIKE 'a%' THEN 1/0 ELSE 1 END "
	     "FROM customers", "d!"},
	    {"SELECT regexp_replace('x', email, '') FROM customers", "d!"},
	    {"SELECT regexp_replace(email, 'x', '') FROM customers", "d"},
	    {"SELECT substr('x', 1, CASE WHEN email LIKE 'a%' THEN -1 ELSE 1 "
	     "END) FROM customers", "d!"},
	    {"SELECT lower(CASE WHEN email LIKE 'a%' THEN 'x' END) "
	     "FROM customers", "d!"},
	    {"SELECT email::int FROM customers", "d!"},
	    {"SELECT o.id FROM orders o JOIN customers c ON c.email = o.name",
		"-!"},
	    {"SELECT o.id FROM orders o JOIN customers c USING (name)", "-!"},
	    {"SELECT o.id FROM orders o NATURAL JOIN customers c", "-!"},
	    {"SELECT id FROM mails NATURAL JOIN (SELECT 1 AS id) s", "-"},
	    {"SELECT 1 WHERE 'x' IN (SELECT email FROM customers)", "-!"},
	    {"SELECT 1 WHERE EXISTS (SELECT 1 FROM customers WHERE email > 'a')",
		"-!"},
	    {"SELECT o.id FROM orders o WHERE EXISTS (SELECT 1 FROM customers c "
	     "WHERE c.id = o.customer_id)", "-"},
	    {"DELETE FROM customers WHERE email ~ 'a'", "!"},
	    {"MERGE INTO orders o USING customers c ON c.email = o.name "
	     "WHEN MATCHED THEN DELETE", "!"},
	    {"WITH x AS (SELECT 1 AS to_jsonb) SELECT c.to_jsonb "
	     "FROM customers c, x WHERE c.to_jsonb = 'x'", "d!"},
	    {"SELECT 1 FROM customers TABLESAMPLE system (length(email))",
		"-!"},
	};

	CHECK(table);
}
END_TEST

START_TEST(value_that_is_written_is_a_copy)
{
	static const struct known table[] = {
	    {"UPDATE customers SET city = email", ">"},
	    {"UPDATE customers SET email = 'x'", ""},
	    {"UPDATE orders o SET name = c.name FROM customers c", ">"},
	    {"INSERT INTO orders (name) SELECT email FROM customers", ">"},
	    {"INSERT INTO orders (name) SELECT city FROM customers", ""},
	    {"INSERT INTO orders (name) VALUES ((SELECT email FROM customers))",
		">"},
	    {"INSERT INTO customers (id, email) VALUES (1, 'x') "
	     "ON CONFLICT (id) DO UPDATE SET email = excluded.email", ""},
	    {"INSERT INTO customers (id, email) VALUES (1, 'x') "
	     "ON CONFLICT (id) DO UPDATE SET city = customers.email", ">"},
	    {"CREATE TABLE t AS SELECT email FROM customers", "(p)>"},
	    {"CREATE TABLE t AS SELECT city FROM customers", "(-)"},
	    {"SELECT email INTO t FROM customers", "p>"},
	    {"SELECT pg_notify('x', email) FROM customers", "d!>"},
	    {"MERGE INTO orders o USING customers c ON c.id = o.id "
	     "WHEN MATCHED THEN UPDATE SET name = c.email", ">"},
	    {"MERGE INTO orders o USING customers c ON c.id = o.id "
	     "WHEN NOT MATCHED THEN INSERT (name) VALUES (c.email)", ">"},
	};

	CHECK(table);
}
END_TEST

START_TEST(what_is_no_query_is_not_understood)
{
	static const struct known table[] = {
	    {"VACUUM customers", "?"},
	    {"COPY customers TO STDOUT", "?"},
	    {"SELECT", ""},
	    {"SELECT FROM WHERE", "?"},
	};

	CHECK(table);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("flow");
	TCase *cases = tcase_create("flow");

	tcase_add_test(cases, outputs_are_told_one_by_one);
	tcase_add_test(cases, protected_value_is_followed_under_other_names);
	tcase_add_test(cases, comparison_with_a_constant_is_an_equality);
	tcase_add_test(cases, primary_key_decides_what_else_it_is_grouped_with);
	tcase_add_test(cases, any_other_use_is_a_guess);
	tcase_add_test(cases, value_that_is_written_is_a_copy);
	tcase_add_test(cases, what_is_no_query_is_not_understood);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
