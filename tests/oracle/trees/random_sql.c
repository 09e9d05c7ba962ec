/*
 * random_sql.c - statements made at random.
 *
 * A grammar of phrases, each a string in which $ and a letter stand for a
 * phrase of another kind. Operators are combined without parentheses, so that
 * precedence shows; not all of it is SQL, which both parsers must see alike.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/oracle/trees/random_sql.h"

enum { DEPTH_MAX = 9 };

struct random {
	uint64_t state;
	FILE *to;
	int depth;
};

/* Of each kind the first phrases are the short ones, taken when deep. */
static const struct kind {
	char letter;
	int short_count;
	const char *phrases[64];
} kinds[] = {
    {'c', 3,
	{"a", "t.b", "\"C d\"", "s.t.c", "name", "time", "value", "t.*",
	    "position", "a.b[1].c", "a[1:2]", "a[$e]", "a[:$e]", "int", "(a).b",
	    "(t).*", "(t.a).b[$e]", "year", "path", "merge"}},
    {'k', 4,
	{"1", "'x'", "null", "true", "1.5", "date '2020-01-01'",
	    "interval '1' day", "interval(3) '1'", "B'01'", "x'FF'", "E'a\\n'",
	    "$1", "numeric(3,1) '1'", "double precision '1'",
	    "timestamp with time zone 'x'", "mytype 'x'", "char 'x'", "s.t 'x'",
	    "bit varying(3) '1'", "N'x'",
	    "interval '1' "
	    "year to month",
	    "time(3) without time zone 'x'", "float(3) '1'", "json '1'",
	    "false", "current_date", "current_time(3)", "user",
	    "current_schema"}},
    {'o', 8,
	{"+", "-", "*", "/", "=", "<", "||", "^", "%", ">", "<=", ">=", "<>",
	    "!=", "->", "->>", "@>", "~", "!~*", "&&", "<->", "#",
	    "OPERATOR(pg_catalog.+)", "OPERATOR(s.@@)", "and", "or", "like",
	    "not like", "ilike", "not ilike", "similar to", "not similar to",
	    "is distinct from", "is not distinct from", "at time zone"}},
    {'u', 3, {"-", "+", "not", "@", "~", "!!", "|/", "OPERATOR(pg_catalog.-)"}},
    {'p', 4,
	{"is null", "is not null", "::int", "::text", "isnull", "notnull",
	    "is true", "is not false", "is unknown", "is document",
	    "is not document", "is normalized", "is not nfc normalized",
	    "collate \"C\"", "::numeric(3,2)", "::int[]",
	    "::timestamp with time zone", "::s.t", "::int array[3]", "in ($l)",
	    "not in ($l)", "in ($s)", "not in ($s)", "collate s.c",
	    "::double precision", "::character varying(3)",
	    "::interval day to second(3)", "::bit varying", "between $e and $e",
	    "not between $e and $e", "between symmetric $b and $e",
	    "like $e escape $e", "not similar to $e escape $e", "= any ($s)",
	    "> all ($e)", "like any ($e)", "not ilike all (array[$l])",
	    "<> some ($s)", "OPERATOR(s.=) any ($e)"}},
    {'b', 2, {"$c", "$k", "$b $o $b", "- $b", "($e)", "$b::int"}},
    {'l', 1, {"$e", "$e, $e", "$e, $e, $e"}},
    {'f', 2,
	{"f($l)", "count(*)", "count(distinct $e)", "g()",
	    "s.f($e, variadic $e)", "f(a => $e, b := $e)",
	    "sum($e) filter (where $e)", "sum($e) over ($w)", "f($e) over w",
	    "string_agg($e, ',' order by $y)",
	    "percentile_cont($e) within group (order by $y)", "coalesce($l)",
	    "nullif($e, $e)", "greatest($l)", "least($e)",
	    "extract(year from $e)", "extract('day' from $e)",
	    "overlay($e placing $e from $e for $e)",
	    "overlay($e placing $e from $e)", "position($b in $b)",
	    "substring($e from $e for $e)", "substring($e for $e)",
	    "substring($e for $e from $e)", "substring($l)",
	    "substring($e similar $e escape $e)", "trim($e)",
	    "trim(both $e from $e)", "trim(leading from $e)",
	    "trim($e from $l)", "cast($e as int)", "cast($e as s.t[])",
	    "collation for ($e)", "xmlelement(name x, $l)",
	    "xmlelement(name x, xmlattributes($e as y, $e), $e)",
	    "xmlforest($e as x)", "xmlconcat($l)",
	    "xmlparse(document $e preserve whitespace)",
	    "xmlserialize(content $e as text)", "xmlpi(name x, $e)",
	    "xmlexists($c passing by ref $c)", "normalize($e)",
	    "xmlroot($e, version $e, standalone yes)", "left($l)",
	    "replace($l)", "json_object($l)", "grouping($l)",
	    "current_schema()", "pg_catalog.substring($l)", "right($e, $e)",
	    "over($e)", "rows($e)"}},
    {'w', 1,
	{"", "w", "partition by $l", "order by $y", "w order by $y",
	    "partition by $e order by $y rows unbounded preceding",
	    "order by $y range between $e preceding and current row",
	    "rows between $e preceding and $e following exclude ties",
	    "groups between current row and unbounded following "
	    "exclude current row"}},
    {'e', 2,
	{"$c", "$k", "$e $o $e", "$e $o $e", "$e $o $e $o $e",
	    "$e $o $e $o $e $p", "$u $e", "$u $e $o $e", "$e $p", "$e $p",
	    "$e $o $e $p $o $e", "$u $e $p", "($e)", "(($e))", "$f", "$f",
	    "($e).x", "($e)[$e]", "($s)", "(($s))", "exists ($s)", "array[$l]",
	    "array[[$l],[$l]]", "array($s)", "row($l)", "($e, $e)",
	    "($e, $e) = ($s)", "($e, $e) overlaps ($e, $e)",
	    "row($e, $e) overlaps row($e, $e)", "row()", "array[]",
	    "case when $e then $e end", "($s).x",
	    "case $e when $e then $e when $e then $e else $e end",
	    "(($s) + $e)", "(($s), $e)", "(($s) union $s)", "(($s)::int)",
	    "(($s) limit 1)", "default"}},
    {'y', 1,
	{"$e", "$e desc", "$e asc nulls first", "$e nulls last", "$e using <",
	    "$e, $e desc",
	    "$e using operator(s.<) nulls "
	    "first"}},
    {'t', 2,
	{"$e", "*", "$e as x", "$e, $e as select", "$e x, $e", "$e as \"Y\", *",
	    "$e name", "$e desc", "t.*, $e value", "$e user", "$e end",
	    "$e type, $e path"}},
    {'r', 3,
	{"t", "s.t", "only t", "only (t)", "t *", "\"T\"", "t as x", "t x",
	    "t x (a, b)", "t as x (a)",
	    "t tablesample system "
	    "($e)",
	    "t x tablesample s.m ($e) repeatable ($e)", "($s) x",
	    "lateral ($s) as x (a, b)", "(($s)) x", "(($s) union $s) as x",
	    "f($l)", "f($l) x", "f($e) as x(a, b)",
	    "lateral f($e) with ordinality x",
	    "f($e) as x(a int, b "
	    "text collate \"C\")",
	    "f($e) as (a int)",
	    "rows from (f($e), g($e)) with ordinality as x(a, b)",
	    "rows from (f($e) as (a int, b text[]), g()) x", "current_date",
	    "coalesce($l) x", "cast($e as int) x",
	    "xmltable('x' passing $c columns a int path 'y' default $b "
	    "not null, b for ordinality) x",
	    "(values ($e), ($e)) v(a)",
	    "xmltable(xmlnamespaces('a' as b, default 'c'), $c passing "
	    "by value $c columns d text) as x",
	    "t name", "values", "rows", "f.g($e)", "t.u.v", "rows x"}},
    {'j', 1,
	{"$r", "$j join $j on $e", "$j left join $j using (a, b)",
	    "$j cross join $j", "$j natural join $j",
	    "$j full outer join $j on $e", "($j join $j on $e)",
	    "($j right join $j using (a)) as x", "$j natural full join $j",
	    "$j inner join $j using (a) as u",
	    "$j join $j join $j on $e "
	    "on $e",
	    "(($j cross join $j) x join $j on $e)", "(($s) x join $j on $e)",
	    "$j join ($j) on $e", "($j join $j on $e) x (a, b)"}},
    {'g', 1,
	{"$l", "()", "cube($l)", "rollup($l, $l)", "distinct $l",
	    "grouping sets ((), ($l), cube($e))", "$e, rollup($e), ()",
	    "all $l", "grouping sets (grouping sets ($e), ($e, $e))"}},
    {'m', 1,
	{"select $t", "select", "select $t from $j",
	    "select $t from $j where $e", "select distinct $t from $j",
	    "select distinct on ($l) $t from $r", "values ($l)",
	    "values ($e), ($e)", "table t", "table only t", "($s)",
	    "select $t from $j, $j where $e group by $g having $e",
	    "select $t from $j window w as ($w), v as ($w)", "select from t",
	    "select all $t from $r group by $g", "select $t into x from $r",
	    "select into temp table s.x $t", "select $t into unlogged x",
	    "(($s))"}},
    {'q', 1,
	{"$m", "$m union $q", "$m union all $m except $m",
	    "$m intersect $m union $m", "$m union $m intersect $m",
	    "$m except all $m intersect all $m", "($s) union distinct $m",
	    "$m union ($s)"}},
    {'s', 1,
	{"$q", "$q", "$q order by $y", "$q limit $e",
	    "$q order by $y limit $e offset $e", "$q offset $e limit all",
	    "$q fetch first $k rows only",
	    "$q offset $e rows fetch next "
	    "row only",
	    "$q order by $y fetch first (1) rows with ties", "$q for update",
	    "$q for share of t, s.u nowait limit $e",
	    "$q limit $e for no key update skip locked", "$h $q",
	    "$h $q order by $y", "$q offset $k rows", "$q limit null"}},
    {'h', 1,
	{"with x as ($s)", "with x as ($d), y(a, b) as ($s)",
	    "with recursive x(a) as ($s)", "with x as not materialized ($s)",
	    "with recursive x as materialized ($s) search depth first by "
	    "a, b set c",
	    "with recursive x(a, b) as ($s) cycle a set c to $k default "
	    "$k using d",
	    "with recursive x as ($s) search breadth first "
	    "by a set q cycle a, b set c using d"}},
    {'i', 1,
	{"a = $e", "a = $e, b = default", "a[$e] = $e", "a.b = $e",
	    "(a, b) = ($e, $e)", "(a, b) = ($s)", "(a) = row($e)",
	    "a = $e, (b, c[$e]) = row($l)"}},
    {'n', 1, {"", "returning $t", "returning *"}},
    {'d', 3,
	{"insert into t $s $n", "update t set $i where $e $n",
	    "delete from t where $e $n",
	    "insert into s.t as x (a, b[$e]) $s $n",
	    "insert into t default values $n",
	    "insert into t (a) overriding user value $s $n",
	    "insert into t (a) values ($e), (default) on conflict do "
	    "nothing $n",
	    "insert into t $s on conflict (a, lower($e) collate \"C\" "
	    "text_ops desc, ($e)) where $e do update set $i where $e $n",
	    "insert into t $m on conflict on constraint c do update set "
	    "$i $n",
	    "update only t x set $i from $j where $e $n",
	    "update t as x set $i where current of c $n",
	    "$h update t set $i $n", "delete from only t x using $j $n",
	    "$h delete from t *  $n", "$h insert into t ($s) $n",
	    "merge into t x using $r on $e when matched and $e then "
	    "update set $i when not matched then insert (a, b[$e]) "
	    "values ($e, default)",
	    "$h merge into t using ($s) y on $e when matched then delete "
	    "when not matched and $e then insert values ($l) when matched "
	    "then do nothing when not matched then insert default values",
	    "delete from t where current of c"}},
    {'z', 4,
	{"$s", "$s", "$d", "select $e", "explain $s",
	    "explain analyze verbose $d",
	    "explain (analyze, costs off) "
	    "$s",
	    "explain ($s)", "prepare p (int, text[]) as $d", "prepare p as $s",
	    "declare c no scroll cursor with hold for "
	    "$s",
	    "declare c binary insensitive cursor for $s",
	    "copy ($s) to stdout with (format csv)", "copy ($d) to 'x'",
	    "create table x as $s with no data",
	    "create temp table if not exists s.x (a, b) with (x = 1) on "
	    "commit drop tablespace y as $s",
	    "create or replace view x (a) as $s with cascaded check "
	    "option",
	    "create materialized view x as $s", "explain create table x as $s",
	    "create unlogged table x using heap as $s with data",
	    "explain declare c cursor for $s",
	    "create or replace temporary view x with "
	    "(security_barrier) as $s"}},
};

static size_t
pick(struct random *r, size_t below)
{
	r->state = r->state * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(r->state >> 33) % below;
}

static const struct kind *
kind_of(char letter)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (kinds[i].letter == letter)
			return &kinds[i];
	}
	return NULL;
}

static void
phrase(struct random *r, const struct kind *kind)
{
	size_t count = 0;
	const char *at;

	while (count < 64 && kind->phrases[count] != NULL)
		count++;
	/* the deeper, the likelier is a short one */
	if (pick(r, DEPTH_MAX) < (size_t)r->depth)
		count = (size_t)kind->short_count;
	r->depth++;
	for (at = kind->phrases[pick(r, count)]; *at != '\0'; at++) {
		if (at[0] == '$' && at[1] >= 'a' && at[1] <= 'z')
			phrase(r, kind_of(*++at));
		else
			fputc(*at, r->to);
	}
	r->depth--;
}

char *
random_sql(size_t seed)
{
	struct random r = {.state = seed * 2 + 1};
	char *text = NULL;
	size_t len, i;

	for (i = 0; i < 4; i++)
		pick(&r, 2);
	r.to = open_memstream(&text, &len);
	phrase(&r, kind_of('z'));
	fclose(r.to);
	return text;
}
