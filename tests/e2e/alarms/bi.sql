--: as alice+copilot under read-only-agent
-- What BI tools make of reading.

-- Metabase
SELECT "source"."created_at" AS "created_at", "source"."count" AS "count" FROM (SELECT DATE_TRUNC('month', "public"."articles"."created_at") AS "created_at", COUNT(*) AS "count" FROM "public"."articles" GROUP BY DATE_TRUNC('month', "public"."articles"."created_at")) AS "source" ORDER BY "source"."created_at" ASC LIMIT 2000;

-- Metabase:: userID: 1 queryType: MBQL queryHash: 9f2a1d4c
SELECT "public"."orders"."id" AS "id", "public"."orders"."status" AS "status", "Products"."name" AS "Products__name", "Products"."price" AS "Products__price" FROM "public"."orders" LEFT JOIN "public"."products" AS "Products" ON "public"."orders"."product_id" = "Products"."id" ORDER BY "public"."orders"."id" ASC LIMIT 50;

SELECT CAST("public"."events"."at" AS date) AS "at", "public"."events"."kind" AS "kind", SUM("public"."events"."took") AS "sum", COUNT(distinct "public"."events"."visitor") AS "count" FROM "public"."events" WHERE "public"."events"."at" >= CAST('2025-06-02' AS date) AND "public"."events"."at" < CAST('2025-06-10' AS date) GROUP BY CAST("public"."events"."at" AS date), "public"."events"."kind" ORDER BY 1 ASC, 2 ASC;

SELECT FLOOR(("public"."orders"."quantity" / 2.0)) * 2.0 AS "quantity", COUNT(*) AS "count" FROM "public"."orders" GROUP BY FLOOR(("public"."orders"."quantity" / 2.0)) * 2.0 ORDER BY 1;

SELECT COUNT(*) AS "count" FROM "public"."customers" WHERE "public"."customers"."country" = 'DK';

SELECT "Customers"."city" AS "Customers__city", COUNT(*) AS "count", SUM("public"."orders"."quantity") AS "sum" FROM "public"."orders" LEFT JOIN "public"."customers" AS "Customers" ON "public"."orders"."customer_id" = "Customers"."id" GROUP BY "Customers"."city" ORDER BY "count" DESC, 1 ASC;

--: masked email
SELECT "source"."email" AS "email" FROM (SELECT "public"."customers"."id", "public"."customers"."email", "public"."customers"."city" FROM "public"."customers" WHERE "public"."customers"."city" = 'Faro') AS "source" ORDER BY "source"."id" LIMIT 10;

SELECT SUBSTRING("source"."title" FOR 30) AS "substring1" FROM (SELECT "public"."articles"."title" AS "title" FROM "public"."articles" ORDER BY "public"."articles"."id" LIMIT 10) AS "source";

SELECT * FROM (SELECT count(*) AS n FROM orders) AS "__mb" LIMIT 1048575;

-- Tableau
BEGIN;

DECLARE "SQL_CUR0x7f8a1c02d000" CURSOR WITH HOLD FOR SELECT "orders"."status" AS "status", SUM("orders"."quantity") AS "sum:quantity:ok" FROM "public"."orders" "orders" GROUP BY 1 ORDER BY 1;

FETCH 10000 IN "SQL_CUR0x7f8a1c02d000";

FETCH 10000 IN "SQL_CUR0x7f8a1c02d000";

CLOSE "SQL_CUR0x7f8a1c02d000";

COMMIT;

SELECT CAST("articles"."state" AS TEXT) AS "state", COUNT(1) AS "cnt:Number of Records:ok", SUM((CASE WHEN "articles"."views" > 100 THEN 1 ELSE 0 END)) AS "sum:Calculation_1:ok" FROM "public"."articles" "articles" GROUP BY 1 ORDER BY 1;

SELECT "t0"."city" AS "city", "t0"."measure" AS "measure" FROM (SELECT "customers"."city" AS "city", COUNT(DISTINCT "orders"."id") AS "measure" FROM "public"."orders" "orders" INNER JOIN "public"."customers" "customers" ON ("orders"."customer_id" = "customers"."id") GROUP BY 1) "t0" WHERE (("t0"."measure" >= 10) AND ("t0"."measure" <= 100000)) ORDER BY 1;

SELECT DATE_TRUNC( 'MONTH', CAST("orders"."ordered_at" AS TIMESTAMP) ) AS "tmn:ordered_at:ok", CAST(TRUNC(EXTRACT(YEAR FROM "orders"."ordered_at")) AS INTEGER) AS "yr:ordered_at:ok", (CASE WHEN (AVG("orders"."quantity")) = 0 THEN NULL ELSE SUM("orders"."quantity") / AVG("orders"."quantity") END) AS "usr:Ratio:ok" FROM "public"."orders" "orders" GROUP BY 1, 2 ORDER BY 1, 2;

SELECT 1 AS "COL" FROM "public"."orders" "orders" HAVING (COUNT(1) > 0);

SELECT "X__alias__0"."A" FROM (SELECT MIN("orders"."ordered_at") AS "A" FROM "public"."orders" "orders" HAVING COUNT(1) > 0) "X__alias__0";

SELECT NULL::text AS "TABLE_CAT", n.nspname AS "TABLE_SCHEM", c.relname AS "TABLE_NAME" FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = 'public' ORDER BY 3;

-- Power BI
select "_"."status" as "c3", count(*) as "a0" from (select "$Table"."id", "$Table"."status" from "public"."orders" "$Table") "_" group by "_"."status" order by 1 limit 1000001;

select "$Ordered"."id", "$Ordered"."name" from (select "id", "name" from "public"."products" "$Table") "$Ordered" order by "$Ordered"."id" limit 4096;

select TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE from INFORMATION_SCHEMA.tables where TABLE_SCHEMA not in ('information_schema', 'pg_catalog') order by TABLE_SCHEMA, TABLE_NAME;

select COLUMN_NAME, ORDINAL_POSITION, IS_NULLABLE, case when (data_type like '%unsigned%') then DATA_TYPE || ' unsigned' else DATA_TYPE end as DATA_TYPE from INFORMATION_SCHEMA.columns where TABLE_SCHEMA = 'public' and TABLE_NAME = 'articles' order by TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION;

select i.CONSTRAINT_SCHEMA || '_' || i.CONSTRAINT_NAME as INDEX_NAME, ii.COLUMN_NAME, ii.ORDINAL_POSITION, case when i.CONSTRAINT_TYPE = 'PRIMARY KEY' then 'Y' else 'N' end as PRIMARY_KEY from INFORMATION_SCHEMA.table_constraints i inner join INFORMATION_SCHEMA.key_column_usage ii on i.CONSTRAINT_SCHEMA = ii.CONSTRAINT_SCHEMA and i.CONSTRAINT_NAME = ii.CONSTRAINT_NAME and i.TABLE_SCHEMA = ii.TABLE_SCHEMA and i.TABLE_NAME = ii.TABLE_NAME where i.TABLE_SCHEMA = 'public' and i.TABLE_NAME = 'articles' and i.CONSTRAINT_TYPE in ('PRIMARY KEY', 'UNIQUE') order by 1, 3;

-- Looker
SELECT (DATE(articles.created_at )) AS "articles.created_date", COUNT(CASE WHEN (articles.state = 'published') THEN 1 ELSE NULL END) AS "articles.published_count", COALESCE(COALESCE(CAST((SUM(DISTINCT (CAST(FLOOR(COALESCE(articles.views ,0)*(1000000*1.0)) AS DECIMAL(65,0))) + ('x' || MD5(articles.id ::varchar))::bit(64)::bigint::DECIMAL(65)  *18446744073709551616 + ('x' || SUBSTR(MD5(articles.id ::varchar),17))::bit(64)::bigint::DECIMAL(65) ) - SUM(DISTINCT ('x' || MD5(articles.id ::varchar))::bit(64)::bigint::DECIMAL(65)  *18446744073709551616 + ('x' || SUBSTR(MD5(articles.id ::varchar),17))::bit(64)::bigint::DECIMAL(65)) ) AS DOUBLE PRECISION) / CAST((1000000*1.0) AS DOUBLE PRECISION), 0), 0) AS "articles.views" FROM public.articles AS articles GROUP BY (DATE(articles.created_at )) ORDER BY 1 DESC FETCH NEXT 500 ROWS ONLY;

WITH order_facts AS (SELECT customer_id, COUNT(*) AS lifetime_orders, MIN(ordered_at) AS first_order FROM orders GROUP BY 1) SELECT CASE WHEN order_facts.lifetime_orders = 1 THEN '1' WHEN order_facts.lifetime_orders < 4 THEN '2-3' ELSE '4 or more' END AS "order_facts.tier", COUNT(*) AS "order_facts.count" FROM order_facts GROUP BY 1 ORDER BY 1 LIMIT 500;


-- Superset
SELECT DATE_TRUNC('day', at) AS __timestamp, kind AS kind, sum(took) AS "SUM(took)" FROM public.events JOIN (SELECT kind AS kind__, sum(took) AS mme_inner__ FROM public.events WHERE at >= '2025-06-01 00:00:00.000000' AND at < '2025-07-01 00:00:00.000000' GROUP BY kind ORDER BY mme_inner__ DESC LIMIT 5) AS anon_1 ON kind = kind__ WHERE at >= TO_TIMESTAMP('2025-06-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') AND at < TO_TIMESTAMP('2025-07-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') GROUP BY kind, DATE_TRUNC('day', at) ORDER BY 1, 2 LIMIT 10000;

SELECT kind AS kind, COUNT(*) AS count FROM (SELECT * FROM events WHERE payload ->> 'page' = '/p/3') AS virtual_table GROUP BY kind ORDER BY count DESC, kind LIMIT 100;

SELECT city AS city, COUNT(*) AS count, AVG(loyalty) AS "AVG(loyalty)" FROM public.customers GROUP BY city ORDER BY count DESC, city LIMIT 1000;

-- Grafana
SELECT floor(extract(epoch from "at")/3600)*3600 AS "time", count(id) AS "events" FROM events WHERE "at" BETWEEN '2025-06-01T00:00:00Z' AND '2025-06-03T00:00:00Z' GROUP BY 1 ORDER BY 1;

SELECT extract(epoch from at) * 1000 AS "time", kind AS metric, took AS value FROM events WHERE extract(epoch from at) BETWEEN 1748736000 AND 1748786400 ORDER BY 1, 2;

SELECT time_bucket.t AS time, count(e.id) FROM generate_series('2025-06-01'::timestamptz, '2025-06-02'::timestamptz, interval '3 hours') AS time_bucket(t) LEFT JOIN events e ON e.at >= time_bucket.t AND e.at < time_bucket.t + interval '3 hours' GROUP BY 1 ORDER BY 1;

SELECT quote_ident(table_name) FROM information_schema.tables WHERE table_schema IN (SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), array_upper(string_to_array(current_setting('search_path'),','),1)) as i, string_to_array(current_setting('search_path'),',') s) ORDER BY table_name;

-- dbt
/* {"app": "dbt", "dbt_version": "1.5.0", "profile_name": "shop", "target_name": "dev", "connection_name": "list_shop"} */ select 'shop' as database, tablename as name, schemaname as schema, 'table' as type from pg_tables where schemaname ilike 'public' union all select 'shop' as database, viewname as name, schemaname as schema, 'view' as type from pg_views where schemaname ilike 'public' union all select 'shop' as database, matviewname as name, schemaname as schema, 'materialized_view' as type from pg_matviews where schemaname ilike 'public' order by 2;

/* {"app": "dbt"} */ select distinct nspname from pg_namespace order by 1;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error from (select id as unique_field, count(*) as n_records from orders where id is not null group by id having count(*) > 1) dbt_internal_test;

with all_values as (select status as value_field, count(*) as n_records from orders group by status) select * from all_values where value_field not in ('new', 'packed', 'shipped', 'delivered', 'returned');

with child as (select customer_id as from_field from orders where customer_id is not null), parent as (select id as to_field from customers) select from_field from child left join parent on child.from_field = parent.to_field where parent.to_field is null;

-- Redash
/* Username: someone@shop, Queue: queries, Job ID: 12345, Query Hash: d41d8cd98f, Scheduled: False */ SELECT status, count(*) FROM orders GROUP BY 1 ORDER BY 2 DESC, 1;

SELECT s.nspname as table_schema, c.relname as table_name, a.attname as column_name, null as data_type FROM pg_class c JOIN pg_namespace s ON c.relnamespace = s.oid AND s.nspname NOT IN ('pg_catalog', 'information_schema') JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE c.relkind IN ('m', 'f', 'p') UNION SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2, 3;

-- others
SELECT count(*) FROM events TABLESAMPLE SYSTEM (100);

SELECT count(*) FROM events TABLESAMPLE BERNOULLI (100) REPEATABLE (7);

SELECT kind, percentile_cont(0.5) WITHIN GROUP (ORDER BY took) AS p50, percentile_cont(ARRAY[0.9, 0.99]) WITHIN GROUP (ORDER BY took) AS tails FROM events GROUP BY kind ORDER BY kind;

SELECT width_bucket(took, 0, 125, 5) AS bucket, count(*) FROM events GROUP BY bucket ORDER BY bucket;

SELECT city, country, count(*) FROM customers GROUP BY GROUPING SETS ((city, country), (country), ()) ORDER BY 1 NULLS LAST, 2 NULLS LAST;

SELECT GROUPING(status) AS g, status, date_part('month', ordered_at) AS m, sum(quantity) FROM orders GROUP BY ROLLUP (status, date_part('month', ordered_at)) ORDER BY 1, 2, 3;

SELECT status, quantity, count(*) FROM orders GROUP BY CUBE (status, quantity) ORDER BY 1, 2;

SELECT id, took, avg(took) OVER (ORDER BY id ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS moving, lag(took) OVER w, first_value(took) OVER w, rank() OVER (PARTITION BY kind ORDER BY took DESC) FROM events WINDOW w AS (PARTITION BY kind ORDER BY id) ORDER BY id LIMIT 20;

SELECT count(*) FILTER (WHERE status = 'new') AS new, count(*) FILTER (WHERE status <> 'new') AS other, bool_or(quantity > 3), bool_and(quantity > 0), stddev(quantity), corr(quantity, product_id) FROM orders;

SELECT product_id, mode() WITHIN GROUP (ORDER BY status) FROM orders GROUP BY 1 ORDER BY 1 LIMIT 5;

COPY (SELECT status, count(*) FROM orders GROUP BY 1 ORDER BY 1) TO STDOUT WITH (FORMAT csv, HEADER true);

COPY orders TO STDOUT;

COPY (SELECT id, status FROM orders WHERE id < 10 ORDER BY id) TO STDOUT WITH CSV DELIMITER ';' QUOTE '"';

EXPLAIN SELECT count(*) FROM orders WHERE customer_id = 7;

EXPLAIN (VERBOSE, COSTS OFF) SELECT status FROM orders WHERE id = 7;
