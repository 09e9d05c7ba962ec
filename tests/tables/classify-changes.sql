-- Changing rows; `where` must be each statement's own, and must say something.
insert into t (a, b) values (1, lower('x'))
insert into t values (1) on conflict (a) do update set b = 2 where t.x = 1 returning id
insert into t as q select a from s
insert into t with x as (select 1) select a from x
insert into t default values returning *
update t set a = 1
update t set a = 1 where b = 2
update only s.t * as q set (a, b) = (1, 2) from z where q.id = z.id
update t set a = 1 where (b = 2)
update t set a = 1 where 1 = 1
update t set a = 1 where true
update t set a = 1 where $1
update t set a = 1 where (((1 = 1)))
update t set a = 1 where b = 2 or true
update t set a = 1 where b = 2 or (1 = 1)
update t set a = 1 where not false
update t set a = 1 where id = id
update t set a = 1 where id is null or id is not null
update t set a = 1 returning a as where
update t set a = b.where from b
update t set a = (select 1 from u where x = 1)
with x as (select 1) update t set a = 1 where b = 2
with x as (update t set a = 1 returning a) delete from u where id in (select a from x)
delete from t
delete from t where id = 3
delete from t using a, b join c on true where t.x = a.x
delete from t where current of c
delete from only (t) where a = 1
explain delete from t
explain analyze delete from t where a = 2
explain (analyze, buffers) update t set a = 1
explain (costs off) select a from t
merge into t using s on t.a = s.a when matched then update set a = 1 when not matched then insert (a) values (1)
merge into t using (select a from s) q on t.a = q.a when matched then delete
truncate a, only b cascade
copy t to stdout
copy t (a) to stdout
copy t from stdin
copy (select a from t) to stdout
copy (delete from t returning a) to stdout
copy t to '/tmp/x'
copy t from '/tmp/x'
copy t to program 'x'
copy t from program 'x'
