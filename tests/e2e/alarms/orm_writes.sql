--: as alice under dba-approval, read-only-agent on a copy
-- What ORMs make of writing, by a person who may write.

BEGIN;

INSERT INTO "articles" ("author_id", "title", "slug", "body", "tags", "meta", "views", "state") VALUES (1, 'New', 'new-1', 'DROP TABLE articles;', '{a,b}', '{"x": 1}', 3, 'draft') RETURNING "articles"."id";

INSERT INTO "articles" ("author_id", "title", "slug") VALUES (1, 'A', 'bulk-a'), (2, 'B', 'bulk-b'), (3, 'C', 'bulk-c') RETURNING "id";

--: with ["4", "Parameters", "with-parameters"]
INSERT INTO articles (author_id, title, slug) VALUES ($1, $2, $3) RETURNING id, lock_version;

UPDATE "articles" SET "title" = 'Renamed', "views" = ("articles"."views" + 1) WHERE "articles"."id" = 3;

--: with ["where 1 = 1", "4"]
UPDATE articles SET body=$1 WHERE articles.id = $2;

UPDATE "articles" SET "updated_at" = '2025-05-05 00:00+00', "is_deleted" = TRUE WHERE "articles"."id" IN (5, 6, 7);

UPDATE "articles" SET "lock_version" = "lock_version" + 1, "title" = 'Locked' WHERE "articles"."id" = 8 AND "articles"."lock_version" = 0;

update articles set author_id=2,body='b',lock_version=1 where id=9 and lock_version=0;

DELETE FROM "comments" WHERE "comments"."id" = 599;

DELETE FROM "comments" WHERE "comments"."id" IN (590, 591, 592);

DELETE FROM "comments" WHERE "comments"."id" IN (SELECT U0."id" FROM "comments" U0 INNER JOIN "articles" U1 ON (U0."article_id" = U1."id") WHERE U1."is_deleted" AND U0."id" > 595);

INSERT INTO "article_tags" ("article_id", "tag_id") VALUES (1, 11), (2, 11) ON CONFLICT DO NOTHING;

INSERT INTO authors (handle, biography) VALUES ('author1', 'Twice') ON CONFLICT (handle) DO UPDATE SET biography = EXCLUDED.biography, updated_at = '2025-01-01' RETURNING id, handle, (xmax = 0) AS inserted;

INSERT INTO "authors" ("handle") VALUES ('author2') ON CONFLICT ("handle") DO UPDATE SET "updated_at"='2025-01-01' WHERE "authors"."id" = 2 RETURNING "id";

INSERT INTO "public"."comments" ("article_id","body","likes") VALUES (1,'Prisma',0) RETURNING "public"."comments"."id";

UPDATE "public"."comments" SET "likes" = 5 WHERE ("public"."comments"."id" = 1 AND 1=1) RETURNING "public"."comments"."id", "public"."comments"."likes";

DELETE FROM "public"."comments" WHERE ("public"."comments"."id" = 588 AND 1=1) RETURNING "public"."comments"."id";

SAVEPOINT active_record_1;

INSERT INTO "customers" ("id", "name", "email", "city", "country", "credit_limit", "loyalty", "created_at") VALUES (5001, 'Zoe Zimmer', 'zoe@example.org', 'Cork', 'IE', 10, 1, '2025-01-01') RETURNING "id";

--: with ["Zed Zimmer", "zed@example.org", "5002"]
INSERT INTO customers (id, name, email, city, country, credit_limit, loyalty, created_at) VALUES ($3, $1, $2, 'Cork', 'IE', 10, 1, '2025-01-01');

UPDATE "customers" SET "email" = 'new@example.org', "phone" = NULL WHERE "customers"."id" = 5001;

--: with ["newer@example.org", "5001"]
UPDATE "customers" SET "email" = $1 WHERE "customers"."id" = $2;

UPDATE customers SET city = 'Hull' WHERE id = 7 RETURNING id, city;

UPDATE customers SET loyalty = loyalty + 1 WHERE city = 'Cork';

--: masked email
UPDATE customers SET loyalty = loyalty + 1 WHERE id = 8 RETURNING id, email, loyalty;

--: with ["zed@example.org"]
DELETE FROM customers WHERE email = $1;

DELETE FROM "customers" WHERE "customers"."id" = 5001;

ROLLBACK TO SAVEPOINT active_record_1;

RELEASE SAVEPOINT active_record_1;

SELECT nextval('articles_id_seq');

select nextval ('articles_id_seq');

SELECT currval('articles_id_seq');

SELECT lastval();

SELECT CURRVAL(pg_get_serial_sequence('"articles"','id'));

SELECT "articles".* FROM "articles" WHERE "articles"."id" = 12 LIMIT 1 FOR UPDATE;

select id from orders where id = 3 for no key update skip locked;

UPDATE articles AS a SET views = v.views FROM (VALUES (20, 5), (21, 6)) AS v (id, views) WHERE a.id = v.id;

UPDATE articles SET state = CASE id WHEN 22 THEN 'draft'::article_state WHEN 23 THEN 'review'::article_state ELSE state END WHERE id IN (22, 23);

UPDATE articles SET (title, body) = ('T', 'B') WHERE id = 24;

WITH stale AS (SELECT id FROM articles WHERE is_deleted ORDER BY id LIMIT 3 FOR UPDATE SKIP LOCKED) DELETE FROM articles USING stale WHERE articles.id = stale.id RETURNING articles.id;

WITH moved AS (DELETE FROM order_notes WHERE id > 95 RETURNING *) INSERT INTO order_notes SELECT id + 1000, order_id, note, updated_at FROM moved;

INSERT INTO order_notes (id, order_id, note) SELECT o.id + 5000, o.id, 'from ' || o.status FROM orders o WHERE o.id < 5 RETURNING id, note;

INSERT INTO comments (article_id, body) SELECT a.id, 'Generated' FROM articles a WHERE a.id BETWEEN 30 AND 32;

INSERT INTO "update" VALUES (100, 'set');

UPDATE "update" SET "set" = 'x' WHERE id = 100;

DELETE FROM "delete" WHERE "from" = 'from 1';

UPDATE "Order Items" SET delete = true, update = 'insert', "where" = 'delete from' WHERE "select" = 4;

INSERT INTO "Order Items" (id, "select", delete, "from") VALUES (900, 1, false, '2025-01-01') RETURNING id, "select", delete;

ROLLBACK;

BEGIN;

LOCK TABLE "articles" IN SHARE ROW EXCLUSIVE MODE;

INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('blog', '0002', '2025-01-02T00:00:00+00:00'::timestamptz) RETURNING "django_migrations"."id";

INSERT INTO "schema_migrations" ("version") VALUES ('20250301000000') RETURNING "version";

SELECT pg_advisory_xact_lock(4242);

SET CONSTRAINTS ALL IMMEDIATE;

SET CONSTRAINTS ALL DEFERRED;

COMMIT;

COPY comments (article_id, body) TO STDOUT;
