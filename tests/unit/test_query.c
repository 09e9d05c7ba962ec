/* links: common/query.c common/query_call.c common/query_change.c common/query_combine.c common/query_expression.c common/query_from.c common/query_infix.c common/query_join.c common/query_operator.c common/query_primary.c common/query_select.c common/query_special.c common/query_tokens.c common/query_type.c common/query_with.c common/query_words.c tests/unit/query_dump.c common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/arena.c common/text.c */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/query_words.h"
#include "tests/unit/query_dump.h"
#include "tests/unit/suite.h"

enum { MEGABYTE = 1 << 20 };

static const struct lex_state usual = {.dialect = DIALECT_POSTGRES,
    .standard_conforming_strings = true,
    .is_utf8 = true};

static enum err
parse(struct arena *a, struct text sql, struct lexed *l, struct query_tree *out)
{
	ck_assert_int_eq(lexer_run(&usual, sql, a, l), ERR_NONE);
	return query_parse(l->tokens, l->count, a, out);
}

/* The tree, or "declined"; free() it. */
static char *
tree_of(const char *sql)
{
	struct arena *a = arena_new(0);
	struct query_tree tree;
	struct lexed l;
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (parse(a, text_of(sql), &l, &tree) == ERR_NONE) {
		query_dump(to, l.tokens, &tree);
	} else {
		ck_assert_ptr_nonnull(tree.declined);
		ck_assert_uint_le(tree.declined_at, l.count);
		ck_assert_ptr_null(tree.query);
		fputs(" declined", to);
	}
	fclose(to);
	arena_free(a);
	return text;
}

static const struct {
	const char *sql, *want;
} expressions[] = {
    /* what binds tighter */
    {"a or b and not c = d", "(op or a (op and b (op not (op = c d))))"},
    {"a = b is null", "(op is (op = a b))"},
    {"a is null = b", "(op = (op is a) b)"},
    {"a || b < c + d * e ^ f", "(op < (op || a b) (op + c (op * d (op ^ e "
			       "f))))"},
    {"- a ^ b", "(op ^ (op - a) b)"},
    {"- a::int", "(op - (cast int4 a))"},
    {"- 1", "-1"},
    {"@ a + b", "(op @ (op + a b))"},
    {"@ a || b", "(op || (op @ a) b)"},
    {"a * not b + c", "(op * a (op not (op + b c)))"},
    {"a OPERATOR(pg_catalog.*) b + c", "(op pg_catalog.* a (op + b c))"},
    {"a at time zone b || c collate \"C\"",
	"(op || (op at a b) (op collate c))"},
    {"a between b and c and d", "(op and (op between a b c) d)"},
    {"a between b = c and d = e",
	"(op = (op between a (op = b c) d) e)"},
    {"a not between symmetric b and c", "(op not (op between a b c))"},
    {"a like b || c escape d", "(op like a (op || b c) d)"},
    {"a not similar to b", "(op not (op similar a b))"},
    {"a != b", "(op <> a b)"},
    {"a in (1, b)", "(op in a 1 b)"},
    {"a in (1) in (2)", "(op in (op in a 1) 2)"},
    {"a not in (select b)", "(op not (any in a (select (targets b))))"},
    {"a = any (b) = c", "(op = (any = a b) c)"},
    {"a = any (select b)", "(any = a (select (targets b)))"},
    {"a < all ((select b))", "(any < a (select (targets b)))"},
    {"a < all ((select b)::int[])",
	"(any < a (cast int4 (value (select (targets b)))))"},
    {"a not like any (b)", "(any !~~ a b)"},
    {"a is not distinct from b + 1", "(op is a (op + b 1))"},
    {"a ~~ b", "(op ~~ a b)"},
    {"a->'b'->>'c'", "(op ->> (op -> a 'b') 'c')"},
    {"a - b - c + d", "(op + (op - a b c) d)"},
    /* what stands between parentheses */
    {"((a))", "a"},
    {"((select 1))", "(value (select (targets 1)))"},
    {"((select 1) + 2)", "(op + (value (select (targets 1))) 2)"},
    {"((select 1), 2)", "(row (value (select (targets 1))) 2)"},
    {"((select 1) union select 2)",
	"(value (union (select (targets 1)) (select (targets 2))))"},
    {"((select 1) limit 2)", "(value (select (targets 1) (limit 2)))"},
    {"(select a).b", "(field b (value (select (targets a))))"},
    {"(a, b) = (select c, d)",
	"(op = (row a b) (value (select (targets c d))))"},
    {"((a, b) overlaps (c, d), 1)",
	"(row (op overlaps (row a b) (row c d)) 1)"},
    {"(values)", "values"},
    {"(values (1))", "(value (values (row 1)))"},
    /* names and what follows them */
    {"a.b[1:2].c", "(field c (index a.b 1 2))"},
    {"(a).*", "(field * a)"},
    {"a.*", "a.*"},
    {"\"select\".\"A\"", "select.A"},
    {"t.select", "t.select"},
    {"time", "time"},
    {"$1.a", "(field a $)"},
    /* constants */
    {"date '2020-01-01'", "(cast date '2020-01-01')"},
    {"interval '1' day to second (3)", "(cast interval '1')"},
    {"double precision '1'", "(cast float8 '1')"},
    {"float(3) '1'", "(cast float4 '1')"},
    {"timestamp with time zone 'x'", "(cast timestamptz 'x')"},
    {"s.mytype 'x'", "(cast mytype 'x')"},
    {"mytype(3) 'x'", "(cast mytype 'x')"},
    {"N'x'", "(cast bpchar 'x')"},
    {"b'01'", "'b01'"},
    {"a::s.t[]", "(cast t a)"},
    {"a::bit varying(3)", "(cast varbit a)"},
    {"cast(a as numeric(3, 1))", "(cast numeric a)"},
    /* calls */
    {"count(*)", "(call count *)"},
    {"s.f(distinct a order by b)", "(call s.f a b)"},
    {"f(a => 1, b := c)", "(call f 1 c)"},
    {"f(variadic a)", "(call f a)"},
    {"sum(a) filter (where b) over (partition by c order by d rows between "
     "e preceding and current row)",
	"(call sum over a b c d e)"},
    {"max(a) within group (order by b)", "(call max a b)"},
    {"left(a, 1)", "(call left a 1)"},
    {"extract(year from a)", "(call extract a)"},
    {"position(a in b)", "(call position b a)"},
    {"substring(a for b from c)", "(call substring a c b)"},
    {"substring(a similar b escape c)", "(call substring a b c)"},
    {"trim(both a from b, c)", "(call trim b c a)"},
    {"trim(from a)", "(call trim a)"},
    {"coalesce(a, b)", "(call coalesce a b)"},
    {"current_timestamp(3)", "(call current_timestamp)"},
    {"current_schema()", "(call current_schema)"},
    {"xmlelement(name a, xmlattributes(b as c), d)",
	"(call xmlelement b d)"},
    {"json_object('a', b)", "(call json_object 'a' b)"},
    /* the rest */
    {"case a when b then c else d end", "(case a b c d)"},
    {"array[[a], [b]]", "(list (list a) (list b))"},
    {"array(select a)", "(array (select (targets a)))"},
    {"exists (select)", "(exists (select))"},
    {"row()", "(row)"},
};

START_TEST(expression_has_the_servers_shape)
{
	char sql[512], want[512], *tree;

	snprintf(sql, sizeof(sql), "select %s", expressions[_i].sql);
	snprintf(want, sizeof(want), " (select (targets %s))",
	    expressions[_i].want);
	tree = tree_of(sql);
	ck_assert_str_eq(tree, want);
	free(tree);
}
END_TEST

static const struct {
	const char *sql, *want;
} statements[] = {
    {"select", "(select)"},
    {"select from t", "(select (from (relation t)))"},
    {"select *, t.*, a b, c as select from s.t",
	"(select (targets * t.* a (as b) c (as select)) (from (relation "
	"s.t)))"},
    {"select distinct on (a, b) c", "(select distinct (on a b) (targets c))"},
    {"select a into temp table s.x from t",
	"(select (targets a) (into s.x) (from (relation t)))"},
    {"table only t", "(select (targets *) (from (relation t)))"},
    {"values (1, default), (a, b)", "(values (row 1 default) (row a b))"},
    {"select a group by b, rollup (c, (d, e)), () having f",
	"(select (targets a) (group b c (row d e)) (having f))"},
    {"select a from t window w as (partition by b), v as (w order by c)",
	"(select (targets a) (from (relation t)) (windows b c))"},
    /* set operations */
    {"select 1 union select 2 intersect select 3",
	"(union (select (targets 1)) (intersect (select (targets 2)) "
	"(select (targets 3))))"},
    {"select 1 union all select 2 except select 3 order by 1 limit 2",
	"(except (union all (select (targets 1)) (select (targets 2))) "
	"(select (targets 3)) (order 1) (limit 2))"},
    {"(select 1 limit 1) union (select 2 order by 3)",
	"(union (select (targets 1) (limit 1)) (select (targets 2) (order "
	"3)))"},
    {"(select 1 order by 2) limit 3",
	"(select (targets 1) (order 2) (limit 3))"},
    {"select 1 offset 2 rows fetch first 3 rows with ties for update of t",
	"(select (targets 1) (limit 3) (offset 2))"},
    /* WITH */
    {"with recursive a (b) as not materialized (select 1) search depth first "
     "by b set s cycle b set c using p select 2",
	"(select (with a (columns b) (select (targets 1)) (compared b b) "
	"(added s c p)) (targets 2))"},
    {"with a as (delete from t returning b) table a",
	"(select (with a (delete (into (relation t)) (returning b))) "
	"(targets *) (from (relation a)))"},
    {"with a as (select 1) (select 2)",
	"(select (with a (select (targets 1))) (targets 2))"},
    /* FROM */
    {"table t union select from a, lateral (select b) as c (d)",
	"(union (select (targets *) (from (relation t))) (select (from "
	"(relation a) (query (select (targets b)) (as c) (columns d)))))"},
    {"select from a join b on c left join d using (e, f) as g",
	"(select (from (join (join (relation a) (relation b) (on c)) "
	"(relation d) (using e f) (as g))))"},
    {"select from a join b join c on d on e",
	"(select (from (join (relation a) (join (relation b) (relation c) "
	"(on d)) (on e))))"},
    {"select from a cross join b natural full join c",
	"(select (from (natural full (join (relation a) (relation b)) "
	"(relation c))))"},
    {"select from (a join b on c) as d (e)",
	"(select (from (join (relation a) (relation b) (on c) (as d) "
	"(columns e))))"},
    {"select from ((select 1) a join b on c)",
	"(select (from (join (query (select (targets 1)) (as a)) (relation "
	"b) (on c))))"},
    {"select from ((select 1) union select 2) a",
	"(select (from (query (union (select (targets 1)) (select (targets "
	"2))) (as a))))"},
    {"select from f(a) with ordinality as g (b, c)",
	"(select (from (function (calls (call f a)) ordinality (as g) "
	"(columns b c))))"},
    {"select from f(a) as (b int, c text[])",
	"(select (from (function (calls (call f a)) (columns b c))))"},
    {"select from rows from (f(), g(a) as (b int)) x",
	"(select (from (function (calls (call f) (call g a)) (as x) "
	"(columns b))))"},
    {"select from t tablesample system (a) repeatable (b)",
	"(select (from (relation t (sample a b))))"},
    {"select from xmltable('x' passing a columns b int path c, d for "
     "ordinality)",
	"(select (from (function (calls (call xmltable 'x' a c)) (columns b "
	"d))))"},
    {"select from current_date, values, rows",
	"(select (from (function (calls (call current_date))) (relation "
	"values) (relation rows)))"},
    /* changes */
    {"insert into s.t as u (a, b[c]) select d on conflict (a, lower(e)) where "
     "f do update set a = excluded.a, (b, c) = (select g) where h returning i",
	"(insert (into (relation s.t (as u))) (columns a b) (select (targets "
	"d)) on-conflict (conflict a (call lower e)) (set (columns a) "
	"excluded.a) (set (columns b c) (value (select (targets g)))) "
	"(conditions c f h) (returning i))"},
    {"insert into t default values on conflict on constraint c do nothing",
	"(insert (into (relation t)) on-conflict)"},
    {"insert into t (select a) returning with (old as o, new as n) o.a",
	"(insert (into (relation t)) (select (targets a)) (old-new o n) "
	"(returning o.a))"},
    {"update only t x set a = b from c where d",
	"(update (into (relation t (as x))) (set (columns a) b) (from "
	"(relation c)) (where d))"},
    {"update t set a = default where current of c",
	"(update (into (relation t)) (set (columns a) default))"},
    {"delete from t using a where b returning *",
	"(delete (into (relation t)) (from (relation a)) (where b) "
	"(returning *))"},
    {"merge into t using a on b when matched and c then update set d = e when "
     "not matched by target then insert (f, g) values (h, i) when not matched "
     "by source then delete when matched then do nothing returning j",
	"(merge (into (relation t)) (set (columns d) e) (set (columns f) h) "
	"(set (columns g) i) (from (relation a)) (conditions b c) (returning "
	"j))"},
    /* what may stand around */
    {"explain select 1", "explain (select (targets 1))"},
    {"explain (select 1)", "explain (select (targets 1))"},
    {"explain ((values (1)))", "explain (values (row 1))"},
    {"explain (analyze, format json) select 1",
	"explain (select (targets 1))"},
    {"explain analyze create table a as select 1",
	"explain create (select (targets 1))"},
    {"prepare a (int, text) as select $1",
	"prepare (select (targets $))"},
    {"declare a no scroll cursor with hold for select 1",
	"declare (select (targets 1))"},
    {"copy (delete from t) to stdout with (format csv)",
	"copy (delete (into (relation t)))"},
    {"create temp table a (b) on commit drop as select 1 with no data",
	"create (select (targets 1))"},
    {"create or replace view a as select 1 with local check option",
	"create (select (targets 1))"},
    {"create materialized view if not exists a as table t",
	"create (select (targets *) (from (relation t)))"},
};

START_TEST(statement_has_the_servers_shape)
{
	char want[1024], *tree = tree_of(statements[_i].sql);

	snprintf(want, sizeof(want), " %s", statements[_i].want);
	ck_assert_str_eq(tree, want);
	free(tree);
}
END_TEST

/* What the server refuses, what differs between its versions, what this is
 * not for. */
static const char *const declined[] = {
    "",
    "select 1;",
    "select 1 2",
    "select a b c",
    "select a +",
    "select (1",
    "select 1)",
    "select (a",
    "select a from",
    "select a where",
    "select a, from t",
    "select distinct",
    /* operators without an order */
    "select a = b = c",
    "select a < b = c",
    "select a like b like c",
    "select a between b and c in (d)",
    "select a between b and c between d and e",
    "select a is distinct from b is null",
    /* b_expr */
    "select a between b is null and c",
    "select a between b collate x and c",
    "select a between not b and c",
    "select a between b = any (c) and d",
    /* postfix operators ended with 13 */
    "select a !",
    "select a ! from t",
    /* keywords that differ, or that an alias without AS cannot be */
    "select system_user",
    "select normalize(a, nfc)",
    "select a day",
    "select a and",
    "select a is of (int)",
    /* words that are no names */
    "select user.a",
    "select left",
    "select a from left",
    "select int(1)",
    "select treat(a as int)",
    "select coalesce()",
    "select a.b.c.d.e",
    "select a.*.b",
    "select f(x).y",
    "select 'a' 'b'",
    "select x'f' 'b'",
    "select mytype b'01'",
    "select f(a) 'x'",
    "select array[1][1]",
    "select case end",
    "select exists select 1",
    "select (*)",
    "select f(*, a)",
    "select f(variadic a, b)",
    "select a at time",
    "select a in b",
    "select a in ()",
    "select a = any b",
    /* FROM */
    "select from (t)",
    "select from (select 1) union",
    "select from a join b",
    "select from a natural join b on c",
    "select from a cross join b on c",
    "select from lateral t",
    "select from (a join b on c) (d)",
    "select from rows from (f() as (a int)) as x (b)",
    "select from f() as (a)",
    /* queries */
    "select 1 limit 2 limit 3",
    "(select 1 limit 2) limit 3",
    "(select 1 order by 2) order by 3",
    "with a as (select 1) (with b as (select 2) select 3)",
    "select 1 union",
    "select 1 limit 2 union select 3",
    "select 1 fetch first row rows only",
    "with a select 1",
    "values",
    "values ()",
    "table",
    /* changes */
    "insert into t",
    "insert into t a values (1)",
    "insert into t () values (1)",
    "update t set a",
    "update t set set a = 1",
    "update t set a = b =",
    "delete t",
    "merge into t using a on b",
    "merge into t using a on b when not matched then insert (a) values (1, 2)",
    /* wrappers */
    "explain",
    "explain (analyze",
    "explain execute a",
    "prepare a",
    "declare a cursor select 1",
    "copy t to stdout",
    "copy (select 1) from stdin",
    "copy (select 1) to stdout; select 2",
    "create table a (b int)",
    "create table a as execute b",
    "create recursive view a (b) as select 1",
    "create view a as select 1 with",
    "select 1 with no data",
    "grant select on t to u",
    "call f()",
};

START_TEST(statement_without_a_sure_tree_is_declined)
{
	char *tree = tree_of(declined[_i]);

	ck_assert_msg(strcmp(tree, " declined") == 0, "%s: %s", declined[_i],
	    tree);
	free(tree);
}
END_TEST

/* head, then `count` times `middle`, then `tail`, then as many `end`. */
static enum err
parse_repeated(const char *head, const char *middle, const char *tail,
    const char *end, size_t count, unsigned *height_out, size_t *used_out)
{
	size_t room = strlen(head) + strlen(tail) + 1 +
	    count * (strlen(middle) + strlen(end)), i;
	char *sql = malloc(room), *to = sql;
	struct arena *a = arena_new(256 * (size_t)MEGABYTE);
	struct query_tree tree = {0};
	struct lexed l;
	enum err e;

	ck_assert_ptr_nonnull(sql);
	to = stpcpy(to, head);
	for (i = 0; i < count; i++)
		to = stpcpy(to, middle);
	to = stpcpy(to, tail);
	for (i = 0; i < count; i++)
		to = stpcpy(to, end);
	e = parse(a, text_of(sql), &l, &tree);
	*height_out = tree.query != NULL ? tree.query->height : 0;
	*used_out = arena_used(a);
	arena_free(a);
	free(sql);
	return e;
}

static const struct {
	const char *head, *middle, *tail, *end;
} nestings[] = {
    {"select ", "(", "1", ")"},
    {"select ", "f(", "1", ")"},
    {"select ", "(select ", "1", ")"},
    {"", "(", "select 1", ")"},
    {"select ", "not ", "1", ""},
    {"select ", "- ", "a", ""},
    {"select ", "array[", "1", "]"},
    {"select array", "[", "1", "]"},
    {"select ", "a[", "1", "]"},
    {"select ", "case when ", "1", " then 1 end"},
    {"select 1 in ", "(", "1", ")"},
    {"select a ", "= any (a ", "", ")"},
    {"select a between ", "(a ", "and a", ")"},
    {"select from ", "(", "a cross join b", ")"},
    {"select from ", "(a cross join ", "b", ")"},
    {"select from ", "a join ", "b", " on c"},
    {"select from ", "(select from ", "b", ")"},
    {"select 1 group by ", "grouping sets (", "a", ")"},
    {"with a as (", "with a as (", "select 1", ") select 1"},
    {"select ", "1 + 1 - ", "1", ""},
    {"select 1", "::int", "", ""},
    {"select a", "[1]", "", ""},
    {"select (a)", ".a", "", ""},
    {"select a", " is null", "", ""},
    {"select a", " in (1)", "", ""},
    {"select a", " collate c", "", ""},
    {"select 1", " union select 1 except select 1", "", ""},
    {"select from a", " cross join b", "", ""},
    {"select ", "(select 1 + 2 - ", "1", ")"},
    {"select ", "((select 1) + 2 - ", "1", ")"},
    {"select ", "(((select ", "1", ") + 1) - 1)"},
};

START_TEST(what_nests_too_deep_is_declined)
{
	unsigned height;
	size_t used;

	ck_assert_int_eq(
	    parse_repeated(nestings[_i].head, nestings[_i].middle,
		nestings[_i].tail, nestings[_i].end, 40000, &height, &used),
	    ERR_UNSUPPORTED);
}
END_TEST

START_TEST(what_is_built_is_not_higher_than_promised)
{
	unsigned height;
	size_t used, count;

	for (count = 1; count < 300; count += 7) {
		if (parse_repeated(nestings[_i].head, nestings[_i].middle,
			nestings[_i].tail, nestings[_i].end, count, &height,
			&used) == ERR_NONE)
			ck_assert_uint_le(height, QUERY_DEPTH_MAX);
	}
}
END_TEST

static const struct {
	const char *head, *middle, *tail;
} lists[] = {
    {"select a in (", "1, ", "2)"},
    {"select ", "a or ", "b"},
    {"select ", "a and ", "b"},
    {"select ", "a || ", "b"},
    {"select ", "1 + ", "b"},
    {"select ", "a = 1 and b <> 2 or ", "c"},
    {"select ", "a, ", "b"},
    {"select case ", "when a then b ", "end"},
    {"values ", "(1, 'x', null), ", "(1)"},
    {"select from ", "a, ", "b"},
    {"insert into t values ", "(1, default), ", "(2)"},
    {"update t set ", "a = 1, ", "b = 2"},
    {"select array[", "1, ", "2]"},
    {"select 1 order by ", "a desc, ", "b"},
    {"with ", "a as (select 1), ", "b as (select 2) select 3"},
};

/* Memory too: four times as long needs no more than about four times. */
START_TEST(long_lists_and_chains_are_flat_and_linear)
{
	unsigned height;
	size_t used, more;

	ck_assert_int_eq(parse_repeated(lists[_i].head, lists[_i].middle,
			     lists[_i].tail, "", 5000, &height, &used),
	    ERR_NONE);
	ck_assert_uint_le(height, 8);
	ck_assert_int_eq(parse_repeated(lists[_i].head, lists[_i].middle,
			     lists[_i].tail, "", 20000, &height, &more),
	    ERR_NONE);
	ck_assert_uint_le(height, 8);
	ck_assert_uint_le(more, used * 6);
}
END_TEST

START_TEST(without_memory_there_is_no_tree)
{
	struct arena *a = arena_new(0), *small;
	struct query_tree tree;
	struct lexed l;
	size_t ceiling;
	enum err e = ERR_MEMORY;

	ck_assert_int_eq(lexer_run(&usual,
			     text_of("with a as (select b, 1 + f(c) from t "
				     "join u using (d)) update v set e = 2"),
			     a, &l),
	    ERR_NONE);
	for (ceiling = 16; e == ERR_MEMORY; ceiling += 64) {
		small = arena_new(ceiling);
		e = query_parse(l.tokens, l.count, small, &tree);
		ck_assert(e == ERR_MEMORY || e == ERR_NONE);
		ck_assert((tree.query != NULL) == (e == ERR_NONE));
		arena_free(small);
	}
	ck_assert_uint_gt(ceiling, 1000);
	arena_free(a);
}
END_TEST

START_TEST(every_keyword_is_found_and_nothing_else)
{
#define CHECK_WORD(name, spelling, flags) \
	ck_assert_int_eq(query_word(TEXT(spelling)), WORD_##name);
	QUERY_WORDS(CHECK_WORD)
#undef CHECK_WORD
	ck_assert_int_eq(query_word(TEXT("")), NO_WORD);
	ck_assert_int_eq(query_word(TEXT("selec")), NO_WORD);
	ck_assert_int_eq(query_word(TEXT("selects")), NO_WORD);
	ck_assert_int_eq(query_word(TEXT("zzz")), NO_WORD);
}
END_TEST

START_TEST(quoted_words_are_names)
{
	char *tree = tree_of("select \"case\" \"from\" from \"left\" \"join\"");

	ck_assert_str_eq(tree,
	    " (select (targets case (as from)) (from (relation left (as "
	    "join))))");
	free(tree);
}
END_TEST

#define LENGTH(array) (int)(sizeof(array) / sizeof(*(array)))

int
main(void)
{
	Suite *s = suite_create("query");
	TCase *t = tcase_create("trees");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(
	    t, expression_has_the_servers_shape, 0, LENGTH(expressions));
	tcase_add_loop_test(
	    t, statement_has_the_servers_shape, 0, LENGTH(statements));
	tcase_add_loop_test(t, statement_without_a_sure_tree_is_declined, 0,
	    LENGTH(declined));
	tcase_add_loop_test(
	    t, what_nests_too_deep_is_declined, 0, LENGTH(nestings));
	tcase_add_loop_test(
	    t, what_is_built_is_not_higher_than_promised, 0, LENGTH(nestings));
	tcase_add_loop_test(
	    t, long_lists_and_chains_are_flat_and_linear, 0, LENGTH(lists));
	tcase_add_test(t, without_memory_there_is_no_tree);
	tcase_add_test(t, every_keyword_is_found_and_nothing_else);
	tcase_add_test(t, quoted_words_are_names);
	suite_add_tcase(s, t);
	return suite_run(s);
}
