--: as alice+copilot under read-only-agent
-- What ORMs make of reading.

-- Django
SELECT "articles"."id", "articles"."author_id", "articles"."title", "articles"."slug" FROM "articles" WHERE "articles"."id" = 7 LIMIT 21;

--: masked name, email
SELECT "customers"."id", "customers"."name", "customers"."email", "customers"."city" FROM "customers" WHERE "customers"."id" = 7 LIMIT 21;

SELECT (1) AS "a" FROM "articles" WHERE "articles"."slug" = 'article-3' LIMIT 1;

SELECT COUNT(*) AS "__count" FROM "articles" WHERE NOT ("articles"."is_deleted");

SELECT COUNT(*) AS "__count" FROM "customers";

SELECT COUNT(*) AS "__count" FROM "customers" WHERE "customers"."city" = 'Aarhus';

SELECT "articles"."author_id", COUNT("articles"."id") AS "n", AVG("articles"."rating") AS "r" FROM "articles" GROUP BY "articles"."author_id" ORDER BY "n" DESC, "articles"."author_id" LIMIT 10;

SELECT DISTINCT "articles"."state" FROM "articles" ORDER BY 1;

SELECT "articles"."id", "authors"."id", "authors"."handle", "authors"."settings" FROM "articles" INNER JOIN "authors" ON ("articles"."author_id" = "authors"."id") WHERE ("articles"."state" = 'published' AND "authors"."handle"::text LIKE '%1%') ORDER BY "articles"."created_at" DESC LIMIT 20 OFFSET 20;

SELECT "articles"."id" FROM "articles" WHERE UPPER("articles"."title"::text) LIKE UPPER('%article 1%') ORDER BY "articles"."id" ASC;

SELECT "articles"."id" FROM "articles" WHERE ("articles"."created_at" AT TIME ZONE 'UTC')::date = '2025-01-05'::date ORDER BY 1;

SELECT "articles"."id" FROM "articles" WHERE "articles"."created_at" BETWEEN '2025-01-01T00:00:00+00:00'::timestamptz AND '2025-12-31T23:59:59.999999+00:00'::timestamptz ORDER BY 1;

SELECT EXTRACT('month' FROM "articles"."created_at" AT TIME ZONE 'UTC') AS "month", COUNT("articles"."id") AS "c" FROM "articles" GROUP BY EXTRACT('month' FROM "articles"."created_at" AT TIME ZONE 'UTC') ORDER BY 1;

SELECT DATE_TRUNC('day', "articles"."created_at" AT TIME ZONE 'UTC') AS "day", COUNT(*) AS "n" FROM "articles" GROUP BY 1 ORDER BY 1;

SELECT "articles"."id", CASE WHEN "articles"."views" > 100 THEN 'hot' ELSE 'cold' END AS "heat" FROM "articles" WHERE EXISTS(SELECT (1) AS "a" FROM "comments" U0 WHERE (U0."article_id" = ("articles"."id") AND U0."likes" > 3) LIMIT 1) ORDER BY 1;

SELECT "authors"."id", (SELECT U0."title" FROM "articles" U0 WHERE U0."author_id" = ("authors"."id") ORDER BY U0."created_at" DESC LIMIT 1) AS "newest" FROM "authors" ORDER BY 1;

SELECT "articles"."id" FROM "articles" WHERE "articles"."id" IN (1, 2, 3, 4, 5) ORDER BY 1;

SELECT "articles"."id" FROM "articles" WHERE "articles"."id" IN (SELECT U0."article_id" FROM "comments" U0 WHERE U0."likes" >= 10) ORDER BY 1;

SELECT "articles"."id" FROM "articles" WHERE NOT (EXISTS(SELECT (1) AS "a" FROM "comments" U1 WHERE U1."article_id" = ("articles"."id") LIMIT 1)) ORDER BY 1;

SELECT ("articles"."meta" -> 'words') AS "words" FROM "articles" WHERE "articles"."meta" @> '{"words": 100}' ORDER BY "articles"."id";

SELECT "articles"."id" FROM "articles" WHERE "articles"."tags" @> ARRAY['tag1']::text[] AND "articles"."tags" && ARRAY['tag2', 'tag3']::text[] ORDER BY 1;

SELECT "articles"."id", to_tsvector('english'::regconfig, COALESCE("articles"."body", '')) @@ plainto_tsquery('english'::regconfig, 'drop table') AS "found", ts_rank(to_tsvector("articles"."body"), plainto_tsquery('bobby')) AS "rank" FROM "articles" ORDER BY "articles"."id" LIMIT 5;

SELECT "django_migrations"."id", "django_migrations"."app", "django_migrations"."name", "django_migrations"."applied" FROM "django_migrations";

SELECT c.relname, CASE WHEN c.relispartition THEN 'p' WHEN c.relkind IN ('m', 'v') THEN 'v' ELSE 't' END FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v') AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1;

SELECT "articles"."id" FROM "articles" WHERE "articles"."id" = 7 FOR UPDATE;

SELECT "articles"."id" FROM "articles" WHERE "articles"."id" = 7 LIMIT 1 FOR UPDATE OF "articles" SKIP LOCKED;

--: with ["author1%", "5", "0"]
SELECT a.handle FROM authors AS a WHERE a.handle LIKE $1 ORDER BY a.id LIMIT $2 OFFSET $3;

EXPLAIN (FORMAT TEXT, COSTS FALSE) SELECT "articles"."id" FROM "articles" WHERE "articles"."id" = 7;

DECLARE "_django_curs_139872_sync_1" NO SCROLL CURSOR WITH HOLD FOR SELECT "articles"."id", "articles"."title" FROM "articles" ORDER BY "articles"."id";

FETCH FORWARD 10 FROM "_django_curs_139872_sync_1";

CLOSE "_django_curs_139872_sync_1";

-- SQLAlchemy
SELECT articles.id AS articles_id, articles.title AS articles_title, authors_1.id AS authors_1_id, authors_1.handle AS authors_1_handle FROM articles LEFT OUTER JOIN authors AS authors_1 ON authors_1.id = articles.author_id WHERE articles.state = 'published' ORDER BY articles.id LIMIT 10 OFFSET 0;

SELECT anon_1.articles_id AS anon_1_articles_id, anon_1.n AS anon_1_n FROM (SELECT articles.id AS articles_id, count(comments.id) AS n FROM articles LEFT OUTER JOIN comments ON articles.id = comments.article_id GROUP BY articles.id ORDER BY articles.id LIMIT 20) AS anon_1;

--: masked customers_email
SELECT customers.id AS customers_id, customers.email AS customers_email, count(orders.id) AS n FROM customers JOIN orders ON orders.customer_id = customers.id GROUP BY customers.id ORDER BY customers.id LIMIT 5;

--: with ["bruno.berger1@example.org"]
--: masked customers_email
SELECT customers.id AS customers_id, customers.email AS customers_email, customers.city AS customers_city FROM customers WHERE customers.email = $1;

SELECT count(*) AS count_1 FROM (SELECT articles.id AS articles_id FROM articles WHERE articles.is_deleted IS false) AS anon_1;

SELECT articles.id FROM articles WHERE articles.id IN (1, 2, 3) AND (articles.title ILIKE '%' || 'art' || '%') AND articles.state = CAST('review' AS article_state) ORDER BY articles.id;

SELECT articles_1.id, articles_1.author_id FROM articles AS articles_1 WHERE articles_1.author_id IN (1, 2, 3) ORDER BY articles_1.id;

SELECT EXISTS (SELECT 1 FROM articles WHERE articles.id = 3) AS anon_1;

SELECT CAST(articles.rating AS NUMERIC(10, 2)) AS rating, coalesce(articles.meta ->> 'words', '0') AS words, articles.meta #>> '{flags,0}' AS flag FROM articles ORDER BY articles.id LIMIT 3;

SELECT anon_1.id, anon_1.rn FROM (SELECT articles.id AS id, row_number() OVER (PARTITION BY articles.author_id ORDER BY articles.created_at DESC) AS rn FROM articles) AS anon_1 WHERE anon_1.rn <= 2 ORDER BY anon_1.id;

WITH RECURSIVE thread(id, depth) AS (SELECT comments.id AS id, 0 AS depth FROM comments WHERE comments.parent_id IS NULL UNION ALL SELECT c.id AS id, thread.depth + 1 AS anon_1 FROM comments AS c JOIN thread ON c.parent_id = thread.id) SELECT max(thread.depth) AS m, count(*) AS n FROM thread;

-- Prisma
SELECT "public"."articles"."id", "public"."articles"."title", "public"."articles"."state"::text FROM "public"."articles" WHERE ("public"."articles"."is_deleted" = false AND 1=1) ORDER BY "public"."articles"."id" ASC LIMIT 10 OFFSET 0;

--: with ["3", "1", "0"]
SELECT "public"."articles"."id", "public"."articles"."title" FROM "public"."articles" WHERE ("public"."articles"."id" = $1 AND 1=1) LIMIT $2 OFFSET $3;

--: masked email
SELECT "t1"."id", "t1"."email", "t1"."city" FROM "public"."customers" AS "t1" WHERE 1=1 ORDER BY "t1"."id" ASC LIMIT 5;

--: with ["1", "2", "3", "0"]
SELECT "public"."comments"."id", "public"."comments"."article_id" FROM "public"."comments" WHERE "public"."comments"."article_id" IN ($1,$2,$3) OFFSET $4;

SELECT COUNT(*) FROM (SELECT "public"."articles"."id" FROM "public"."articles" WHERE 1=1 OFFSET 0) AS "sub";

SELECT COUNT("public"."articles"."id") AS "_count._all", SUM("public"."articles"."views") AS "_sum.views", AVG("public"."articles"."rating") AS "_avg.rating" FROM "public"."articles" WHERE 1=1;

SELECT "t0"."id", COALESCE("aggr_selection_0_comments"."_aggr_count_comments", 0) AS "_aggr_count_comments" FROM "public"."articles" AS "t0" LEFT JOIN (SELECT "public"."comments"."article_id", COUNT(*) AS "_aggr_count_comments" FROM "public"."comments" WHERE 1=1 GROUP BY "public"."comments"."article_id") AS "aggr_selection_0_comments" ON ("t0"."id" = "aggr_selection_0_comments"."article_id") WHERE 1=1 ORDER BY "t0"."id" LIMIT 10;

SELECT "t0"."id", "t0_comments"."__prisma_data__" AS "comments" FROM "public"."articles" AS "t0" LEFT JOIN LATERAL (SELECT COALESCE(JSONB_AGG("__prisma_data__"), '[]') AS "__prisma_data__" FROM (SELECT "t3"."__prisma_data__" FROM (SELECT JSONB_BUILD_OBJECT('id', "t2"."id", 'body', "t2"."body") AS "__prisma_data__" FROM (SELECT "t1".* FROM "public"."comments" AS "t1" WHERE "t0"."id" = "t1"."article_id" /* root select */) AS "t2" /* inner select */) AS "t3" /* middle select */) AS "t4" /* outer select */) AS "t0_comments" ON TRUE ORDER BY "t0"."id" LIMIT 3;

SELECT tbl.relname AS table_name, namespace.nspname as namespace, tbl.relhassubclass, tbl.relrowsecurity FROM pg_class AS tbl INNER JOIN pg_namespace AS namespace ON namespace.oid = tbl.relnamespace WHERE tbl.relkind IN ('r','p') AND namespace.nspname = ANY ( '{public}' ) ORDER BY namespace, table_name;

SELECT EXISTS(SELECT 1 FROM pg_namespace WHERE nspname = 'public'), version(), current_setting('server_version_num')::integer as numeric_version;

-- Hibernate
select article0_.id as id1_0_, article0_.author_id as author_i2_0_, article0_.title as title3_0_ from articles article0_ where article0_.id=3;

select a1_0.id,a1_0.author_id,a2_0.id,a2_0.handle,a1_0.title from articles a1_0 left join authors a2_0 on a2_0.id=a1_0.author_id where a1_0.id=4;

--: with ["published", "10", "0"]
select a1_0.id,a1_0.title from articles a1_0 where a1_0.state=$1::article_state order by a1_0.created_at desc offset $3 rows fetch first $2 rows only;

select a1_0.id from articles a1_0 where a1_0.title like 'Art%' escape '' order by a1_0.id limit 3;

select count(a1_0.id) from articles a1_0;

select distinct a1_0.id,a1_0.handle from authors a1_0 join articles b1_0 on a1_0.id=b1_0.author_id where b1_0.views>10 order by a1_0.id;

select a1_0.id,a1_0.lock_version,a1_0.title from articles a1_0 where a1_0.id=3 for no key update;

select a1_0.id from articles a1_0 where a1_0.id=3 for share;

select a1_0.id from articles a1_0 where a1_0.id=3 for update of a1_0 nowait;

select c1_0.id, c1_0.city, (select count(*) from orders o1_0 where o1_0.customer_id=c1_0.id) from customers c1_0 where c1_0.id=7;

--: masked email
select c1_0.id, c1_0.email, (select count(*) from orders o1_0 where o1_0.customer_id=c1_0.id) from customers c1_0 where c1_0.id=7;

select start_value, minimum_value, increment from information_schema.sequences where sequence_schema = 'public' and sequence_name = 'articles_id_seq';

-- ActiveRecord
SELECT 1 AS one FROM "articles" WHERE "articles"."slug" = 'article-3' LIMIT 1;

--: with ["article-3", "1"]
SELECT 1 AS one FROM "articles" WHERE "articles"."slug" = $1 LIMIT $2;

--: with ["bruno.berger1@example.org", "1"]
SELECT 1 AS one FROM "customers" WHERE "customers"."email" = $1 LIMIT $2;

SELECT "articles".* FROM "articles" ORDER BY "articles"."id" ASC LIMIT 1;

--: masked name, email, phone, ssn, card_number, birth_date, iban, notes
SELECT "customers".* FROM "customers" WHERE "customers"."id" = 10 LIMIT 1;

SELECT "articles".* FROM "articles" WHERE "articles"."author_id" IN (1, 2) AND "articles"."is_deleted" = FALSE ORDER BY "articles"."id" ASC LIMIT 100;

SELECT COUNT(*) FROM "articles" INNER JOIN "authors" ON "authors"."id" = "articles"."author_id";

SELECT COUNT(DISTINCT "articles"."author_id") FROM "articles";

SELECT "articles"."id" AS t0_r0, "articles"."title" AS t0_r1, "comments"."id" AS t1_r0, "comments"."body" AS t1_r1 FROM "articles" LEFT OUTER JOIN "comments" ON "comments"."article_id" = "articles"."id" WHERE "articles"."id" IN (5, 6) ORDER BY 1, 3;

SELECT "articles"."state" AS articles_state, COUNT(*) AS count_all FROM "articles" GROUP BY "articles"."state" ORDER BY 1;

SELECT "articles".* FROM "articles" WHERE "articles"."created_at" >= '2025-01-02 00:00:00' AND "articles"."created_at" < '2025-01-04 00:00:00' ORDER BY id;

SELECT "schema_migrations"."version" FROM "schema_migrations" ORDER BY "schema_migrations"."version" ASC;

SELECT "ar_internal_metadata".* FROM "ar_internal_metadata" WHERE "ar_internal_metadata"."key" = 'environment' ORDER BY "ar_internal_metadata"."key" ASC LIMIT 1;

SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod, c.collname, col_description(a.attrelid, a.attnum) AS comment, attgenerated as attgenerated FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum LEFT JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation WHERE a.attrelid = '"articles"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;

SELECT c.relname FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY (current_schemas(false)) AND c.relname = 'articles' AND c.relkind IN ('r','v','m','p','f');

SELECT a.attname FROM (SELECT indrelid, indkey, generate_subscripts(indkey, 1) idx FROM pg_index WHERE indrelid = '"articles"'::regclass AND indisprimary) i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[i.idx] ORDER BY i.idx;

SELECT distinct i.relname, d.indisunique, d.indkey, pg_get_indexdef(d.indexrelid), t.oid, pg_catalog.obj_description(i.oid, 'pg_class') AS comment, d.indisvalid FROM pg_class t INNER JOIN pg_index d ON t.oid = d.indrelid INNER JOIN pg_class i ON d.indexrelid = i.oid LEFT JOIN pg_namespace n ON n.oid = t.relnamespace WHERE i.relkind IN ('i', 'I') AND d.indisprimary = 'f' AND t.relname = 'articles' AND n.nspname = ANY (current_schemas(false)) ORDER BY i.relname;

SELECT t2.oid::regclass::text AS to_table, a1.attname AS column, a2.attname AS primary_key, c.conname AS name, c.confupdtype AS on_update, c.confdeltype AS on_delete, c.convalidated AS valid FROM pg_constraint c JOIN pg_class t1 ON c.conrelid = t1.oid JOIN pg_class t2 ON c.confrelid = t2.oid JOIN pg_attribute a1 ON a1.attnum = c.conkey[1] AND a1.attrelid = t1.oid JOIN pg_attribute a2 ON a2.attnum = c.confkey[1] AND a2.attrelid = t2.oid JOIN pg_namespace t3 ON c.connamespace = t3.oid WHERE c.contype = 'f' AND t1.relname = 'articles' AND t3.nspname = ANY (current_schemas(false)) ORDER BY c.conname;

-- GORM
SELECT * FROM "articles" WHERE "articles"."is_deleted" = false AND "articles"."id" = 3 ORDER BY "articles"."id" LIMIT 1;

SELECT count(*) FROM "articles" WHERE views > 10 AND "articles"."is_deleted" = false;

SELECT "articles"."id","articles"."title","Author"."id" AS "Author__id","Author"."handle" AS "Author__handle" FROM "articles" LEFT JOIN "authors" "Author" ON "articles"."author_id" = "Author"."id" ORDER BY "articles"."id" LIMIT 3;

SELECT count(*) FROM information_schema.tables WHERE table_schema = CURRENT_SCHEMA() AND table_name = 'articles' AND table_type = 'BASE TABLE';

SELECT CURRENT_DATABASE();

SELECT c.column_name, c.is_nullable = 'YES', c.udt_name, c.character_maximum_length, c.numeric_precision, c.numeric_precision_radix, c.numeric_scale, c.datetime_precision, 8 * typlen, c.column_default, pd.description, c.identity_increment FROM information_schema.columns AS c JOIN pg_type AS pgt ON c.udt_name = pgt.typname LEFT JOIN pg_catalog.pg_description as pd ON pd.objsubid = c.ordinal_position AND pd.objoid = (SELECT oid FROM pg_catalog.pg_class WHERE relname = c.table_name AND relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = c.table_schema)) where table_catalog = current_database() AND table_schema = CURRENT_SCHEMA() AND table_name = 'articles' ORDER BY c.ordinal_position;

-- Sequelize
SELECT "id", "title", "created_at" AS "createdAt" FROM "articles" AS "Article" WHERE ("Article"."is_deleted" = false AND "Article"."views" BETWEEN 5 AND 50) ORDER BY "Article"."created_at" DESC LIMIT 10;

SELECT "Article".*, "comments"."id" AS "comments.id", "comments"."body" AS "comments.body" FROM (SELECT "Article"."id", "Article"."title" FROM "articles" AS "Article" WHERE "Article"."author_id" = 2 ORDER BY "Article"."id" LIMIT 2) AS "Article" LEFT OUTER JOIN "comments" AS "comments" ON "Article"."id" = "comments"."article_id" ORDER BY "Article"."id", "comments"."id";

SELECT count("Article"."id") AS "count" FROM "articles" AS "Article";

SELECT i.relname AS name, ix.indisprimary AS primary, ix.indisunique AS unique, ix.indkey AS indkey, array_agg(a.attnum) as column_indexes, array_agg(a.attname) AS column_names, pg_get_indexdef(ix.indexrelid) AS definition FROM pg_class t, pg_class i, pg_index ix, pg_attribute a WHERE t.oid = ix.indrelid AND i.oid = ix.indexrelid AND a.attrelid = t.oid AND t.relkind = 'r' and t.relname = 'articles' GROUP BY i.relname, ix.indexrelid, ix.indisprimary, ix.indisunique, ix.indkey ORDER BY i.relname;

-- TypeORM
SELECT "article"."id" AS "article_id", "article"."title" AS "article_title", "author"."id" AS "author_id" FROM "articles" "article" LEFT JOIN "authors" "author" ON "author"."id"="article"."author_id" WHERE "article"."id" = 3;

SELECT DISTINCT "distinctAlias"."article_id" AS "ids_article_id" FROM (SELECT "article"."id" AS "article_id", "comments"."id" AS "comments_id" FROM "articles" "article" LEFT JOIN "comments" "comments" ON "comments"."article_id"="article"."id") "distinctAlias" ORDER BY "article_id" ASC LIMIT 5;

SELECT COUNT(DISTINCT("article"."id")) AS "cnt" FROM "articles" "article" WHERE "article"."title" LIKE '%1%';

SELECT * FROM "information_schema"."tables" WHERE "table_schema" = 'public' AND "table_name" = 'articles';

-- EF Core
SELECT a."id", a."title" FROM "articles" AS a WHERE NOT (a."is_deleted") ORDER BY a."id" LIMIT 10 OFFSET 5;

SELECT t."id", c."id", c."body" FROM (SELECT a."id" FROM articles AS a ORDER BY a."id" LIMIT 3) AS t LEFT JOIN comments AS c ON t."id" = c."article_id" ORDER BY t."id", c."id";

SELECT EXISTS (SELECT 1 FROM articles AS a WHERE a.id = 3);

SELECT COALESCE(SUM(a.views), 0)::INT FROM articles AS a WHERE a.tags @> ARRAY['tag1']::text[];

SELECT a.id FROM articles AS a WHERE strpos(a.title, 'DELETE') > 0 OR a.title LIKE 'x%' ESCAPE '' ORDER BY a.id LIMIT 5;

SELECT t."Key", count(*)::INT AS "Count" FROM (SELECT date_part('month', a.created_at AT TIME ZONE 'UTC')::INT AS "Key" FROM articles AS a) AS t GROUP BY t."Key" ORDER BY 1;

-- jOOQ
select "public"."articles"."id", "public"."articles"."title" from "public"."articles" where ("public"."articles"."id" in (1, 2, 3) and 1 = 1) order by "public"."articles"."id" offset 0 rows fetch next 2 rows only;

select "alias_1"."id", row_number() over (order by "alias_1"."id" asc) as "rn" from (select "public"."articles"."id" from "public"."articles" where cast("public"."articles"."state" as varchar) = 'draft') as "alias_1" order by 1 fetch next 4 rows only;

select (select coalesce(jsonb_agg(jsonb_build_array("v0", "v1")), jsonb_build_array()) from (select "alias_0"."id" as "v0", "alias_0"."body" as "v1" from "public"."comments" as "alias_0" where "alias_0"."article_id" = "public"."articles"."id" order by 1) as "t") as "nested" from "public"."articles" where "public"."articles"."id" < 4 order by "public"."articles"."id";

-- Doctrine
SELECT t0.id AS id_1, t0.title AS title_2 FROM articles t0 WHERE t0.id = 3;

SELECT a0_.id AS id_0, a0_.title AS title_1, a1_.id AS id_2 FROM articles a0_ INNER JOIN authors a1_ ON a0_.author_id = a1_.id WHERE a0_.views > 5 ORDER BY a0_.id ASC LIMIT 3;

SELECT count(*) AS sclr_0 FROM (SELECT DISTINCT id_0 FROM (SELECT a0_.id AS id_0 FROM articles a0_) dctrn_result) dctrn_table;

-- Laravel
select * from "articles" where "articles"."author_id" = 3 and "articles"."author_id" is not null order by "id" limit 5;

select exists(select * from "articles" where "id" = 3) as "exists";

select count(*) as aggregate from "articles" where "title"::text like '%1%';

select * from "articles" where exists (select * from "comments" where "articles"."id" = "comments"."article_id" and "likes" > 15) order by "id";
