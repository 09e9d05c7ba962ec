-- Everything else; the last lines must be unknown or refused.
create table a (id int primary key default nextval('x'), b int references c (id), like d including all)
create temp table a as select b from c
create table a as execute p
create unique index concurrently i on t (lower(a))
create or replace view v as select a from t
create materialized view v as table t
create function f() returns int language sql as 'drop table x'
create function f() returns int begin atomic select 1; delete from t; end; drop table x
create function f() returns int language sql set role = x as ''
create rule r as on insert to t do also (delete from u where a = 1; update v set x = 1; notify n)
create policy p on t for select using (true)
create trigger g before update on t for each row execute function f()
create role r superuser
create user mapping for x server y
create schema s create table t (a int) create view v as select a from u
alter table t add column a int references u
alter table t attach partition p for values in (1)
alter role r superuser
alter default privileges grant select on tables to r
alter system set work_mem = 1
drop table a, s.b cascade
drop role r
drop function f(int)
comment on column s.t.a is 'x'
grant select (a), update on a, b to c, d
revoke all on all tables in schema s from r
grant a to b
reassign owned by a to b
security label on table t is 'x'
refresh materialized view concurrently v
reindex table t
cluster t using i
import foreign schema s from server x into y
set role postgres
set "Role" = 'x'
set local role none
set U&"rol\0065" to 'x'
set session authorization default
set search_path to a, b
set "Sallyport".User = 'x'
set time zone 'UTC'
set transaction read only
set session characteristics as transaction read write
reset role
reset all
show search_path
discard all
prepare p (int) as delete from t where a = $1
execute p(1)
deallocate p
declare c cursor with hold for select a from t
fetch next from c
move 5 in c
close c
listen x; notify x, 'y'; unlisten *
begin; commit
start transaction isolation level serializable
rollback to savepoint a
savepoint a
release a
prepare transaction 'x'
commit prepared 'x'
lock table a, b in share mode
call f(1)
do $$ begin end $$
load 'x'
vacuum full analyze t
analyze t (a), u
checkpoint
start_replication slot x logical 0
foo bar
foo (select 1)
create something new
update t
( 1 ) + 1
select (1
select 1)
select a[1)
