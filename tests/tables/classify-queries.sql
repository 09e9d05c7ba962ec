-- One text a line; the line of the same number in .want has what it can do.
select 1
select a, count(*) from public.t x, only b join "C d" on x.id = b.id where x.y in (1,'z') and t.a = $1 limit 10
select a from t limit all
select a from t fetch first 3 rows only
select a from (select b from c limit 1) d
SELECT "Email" FROM "Customers"
with x as (select a from t) select a from x
with recursive x(n) as (select 1 union all select n + 1 from x) select n from x
with x as (delete from t where id = 1 returning *) select a from x
with recursive x as (select 1) cycle a set b using temp table secret
(select 1) union (select a from b)
select a from t union all table u
values (1), (2)
table t
select * into temp foo from bar
select 1 into table x from y
select 1 insert into x from secret
select 1 as from, a from secret
select x.as from secret
select alias from secret
select distinct from secret
select a is distinct from b from t, u
select a from t join u on conflict = 1, secret
select a from f() with ordinality, secret
select a from t for update of t
select a from t where b = 'x' for no key update
select a from (b join c on true) left join (select 1 from d) e on e.x = b.x, lateral (select a from f) g
select extract(epoch from now()), substring(x from 1 for 2), trim(both from y) from t
select a from rows from (generate_series(1, 2), f(3)) as r(x), secret
select a from secret left join rows from (f(3)) with ordinality as r(x) on true
select a from secret, lateral rows from (f(a)) r
select a is not distinct from rows from (select 1 from d) x, secret
select a, rows from (select 1 from d) x, secret
select a from t tablesample system (10), secret
select a * b, a.b, count(*), sum(c * 2) from t
select a, * from t
select t.* from t
select distinct on (a) * from t
select t from t
select row_to_json(c) from customers c
select (c).email from customers c
select c::text from customers as c
select c from (select a from t) c
select t.a from t group by t.a
select lower(a), pg_catalog.lower(a) from t
select foo.lower(a) from t
select bar(a) from t
select "lower"(a), "Lower"(a) from t
select query_to_xml('select 1', true, false, '')
select nextval('s'), set_config('role', 'x', false)
select sum(a) filter (where b > 1) over (partition by c order by d), array[1, 2], x::varchar(3), coalesce(a, b) from t
select a from b where exists (select 1 from c where c.x = b.x) order by a
select a from t where b OPERATOR(pg_catalog.~) '^x$' COLLATE pg_catalog.default
select a from t order by b using operator ( "pg_catalog" . > )
select operator(pg_catalog.-) 1
select a from t where b operator(public.~~~) 'x'
select operator(a) from t
select operator(pg_catalog.*) from t pg_catalog
select "operator"(pg_catalog.a) from t pg_catalog
select a operator(pg_catalog.~) query_to_xml('select 1', true, true, '') from t
select pg_catalog.pg_table_size(1), pg_partition_ancestors(2), lower('x')
select pg_sequence_last_value(1), pg_mcv_list_items(null), pg_stat_get_backend_activity(1)
select public.pg_table_size(1)
