-- PostgreSQL 12 and 13 only, then what came with 16, 17 and 18.
select a ! from t where !! b > 0
copy t from stdin using delimiters '|'
create trigger a before insert on t for each row execute procedure f()
grant a to b with inherit true, set false, admin option granted by c
create statistics on a, lower(b) from s.t
vacuum (skip_database_stats, only_database_stats, buffer_usage_limit '1MB')
reindex (verbose) database
select json_array(a), json_object(b: c), json_arrayagg(a order by b), a is json object with unique keys from t
select json_exists(a, '$.b'), json_value(a, '$' returning int default f(1) on empty), json_query(a, '$' with wrapper), json_scalar(1), json_serialize(a) from t
select * from t, json_table(t.a, '$' columns (b int path '$.b', nested path '$.c' columns (d text exists path '$', e for ordinality), f text default g(1) on error)) as j
merge into t using u on t.a = u.a when not matched by source then delete when not matched by target then insert (a) values (u.a) when matched then update set a = 1 returning merge_action(), t.*
with m as (merge into t using u on true when matched then delete returning *) select * from m
copy (merge into t using u on true when matched then delete returning a) to stdout
copy t from stdin (on_error ignore, reject_limit 5, log_verbosity verbose, force_null *)
explain (serialize, memory, analyze false) select a from t
explain (costs off, "analyze") delete from t
explain (u&"!0061nalyze" uescape '!') delete from t
vacuum ("analyze") t
alter table t alter a set expression as (f(b)), set access method default
grant maintain on t, s.u to r
create event trigger e on login execute function f()
select any_value(a), system_user from t
update t set a = 1 where b = 2 returning with (old as o, new n) o.a, n.*
delete from t where b = 2 returning with (old as o) *
insert into t values (1) on conflict (a) do update set a = 2 returning old.a, new.*
create table t (a int, b int generated always as (a * 2) virtual, c int check (c > 0) not enforced, constraint k primary key (a, d without overlaps), foreign key (a, period d) references s.u (a, period d))
alter table t add constraint k not null a not valid, alter constraint m not enforced, alter constraint n inherit
vacuum only t, only s.u
analyze only t (a), u
alter default privileges grant select on large objects to r
create foreign table t (like u including all) server s
-- what only the parser of the whole grammar brought to light
create schema s create view v as select a from t create table n as_ (a int)
create schema s create table a (b int references c) create table p partition of a default create view v as table x grant create, select on a to r
create schema s create view a as values (1) create temp view b as with w as (select 1) select * from w, z
alter default privileges for role a revoke grant option for all on tables from b
set session x from current
select treat('/etc/passwd' as pg_read_file)
select treat(a as s.mine), treat(b as int) from t
select set(1), conflict(2), like('a', 'b') from t where c like ('x')
create index on t (a) where f(b)
create domain d as int default nextval('s')
alter table t alter a set default nextval('s'), alter b type int using f(b)
create function f() returns int return g(1)
copy t from stdin where f(a)
comment on column t.a is 'x'
explain analyze create temp table n as select 1
copy t to '/tmp/x'
select a from t fetch first null rows only
drop function f, g
select gcd((a)::int, 1), interval '1 s' second(2), a::bit varying(3) from t
merge into t using (values (1)) as v(a) on t.a = v.a when not matched then insert (a) values (v.a)
merge into t using u on true when matched then update set a = case when b then insert(1) end
select a is distinct from rows from (select 1) x, customers
alter table t add foreign key (a) references u on delete cascade
create function set() returns int language sql as ''
alter function f() set schema s
