--: as alice+copilot under read-only-agent
-- Columns, tables, aliases, literals and comments that look like statements.

SELECT "select", delete, update, "grant", insert FROM "Order Items" ORDER BY id;

SELECT o.delete, o.update, o.insert, o.truncate, o.copy FROM "Order Items" o WHERE o.delete AND NOT o.truncate ORDER BY o.id;

SELECT o."order", o."limit", o."offset", o."group" FROM "Order Items" AS o ORDER BY o."order", o.id LIMIT 10 OFFSET 5;

SELECT "where", where_clause, "from", "user", "table" FROM "Order Items" WHERE "where" IS NOT NULL ORDER BY "from";

SELECT updated_at, deleted_at FROM "Order Items" WHERE deleted_at IS NULL AND updated_at > '2025-01-10' ORDER BY updated_at DESC;

SELECT "DROP TABLE" FROM "Order Items" WHERE "DROP TABLE" = 'DROP TABLE customers;' AND id < 5 ORDER BY id;

SELECT "DROP TABLE" AS "DELETE FROM x; --" FROM "Order Items" WHERE id = 1;

SELECT execute, "do", call, "returning" FROM "Order Items" WHERE id < 4 ORDER BY id;

SELECT "camelCase", "with ""quote", "größe" FROM "Order Items" WHERE "größe" > 3 ORDER BY "größe";

SELECT max(update) AS update, min(insert) AS insert, count(delete) AS delete FROM "Order Items";

SELECT id AS select, id AS update, id AS delete, id AS "where" FROM products ORDER BY 1 LIMIT 3;

SELECT id delete, id update FROM products ORDER BY 1 LIMIT 3;

SELECT update.id, update."set" FROM "update" update ORDER BY update.id;

SELECT delete.id FROM "delete" AS delete WHERE delete."from" LIKE 'from %' ORDER BY 1;

SELECT * FROM "update" ORDER BY id;

SELECT * FROM "delete" WHERE "from" <> 'delete from orders' ORDER BY id;

SELECT u.id, u.login, u.is_admin FROM "user" u ORDER BY u.id;

SELECT "user".login FROM "user" WHERE "user".is_admin ORDER BY "user".id;

SELECT sum(amount) FROM "GRANT";

SELECT g.amount FROM "GRANT" g WHERE g.amount > 1000 ORDER BY g.amount;

TABLE "update" ORDER BY id;

TABLE "delete" ORDER BY id LIMIT 2;

SELECT * FROM (SELECT id, delete AS deleted FROM "Order Items") AS insert ORDER BY id LIMIT 4;

WITH delete AS (SELECT id FROM "delete") SELECT count(*) FROM delete;

WITH "insert into" AS (SELECT id FROM "Order Items" WHERE delete) SELECT count(*) FROM "insert into";

WITH updated AS (SELECT id, updated_at FROM articles) SELECT max(updated_at) FROM updated;

WITH inserted_rows AS (SELECT 1 AS deleted_count), deleted_rows AS (SELECT 2 AS updated_count) SELECT * FROM inserted_rows, deleted_rows;

SELECT 'DROP TABLE customers' AS sql;

SELECT 'it''s; DELETE FROM orders; --' AS sql;

SELECT E'it\'s; DELETE FROM orders; --' AS sql;

SELECT $$DROP TABLE customers; DELETE FROM orders$$ AS sql;

SELECT $q$ GRANT ALL ON customers TO public; $$ $q$ AS sql;

SELECT U&'DROP \0054ABLE' AS sql;

SELECT title FROM articles WHERE title LIKE '%DELETE%' ORDER BY id;

SELECT title FROM articles WHERE title ILIKE '%drop table%' OR body ILIKE '%DROP TABLE%' ORDER BY id LIMIT 3;

SELECT id FROM articles WHERE body = 'x'' OR 1=1; DROP TABLE students; --' ORDER BY id;

SELECT count(*) FROM events WHERE kind = 'drop table';

SELECT count(*) FROM events WHERE kind IN ('delete', 'update', 'insert', 'drop table', 'truncate');

/* DROP TABLE customers; */ SELECT count(*) FROM orders;

SELECT count(*) -- DELETE FROM orders
FROM orders;

SELECT /* /* nested */ DELETE */ count(*) FROM orders /* WHERE */ WHERE /* TRUE */ status = 'new' -- ; DROP TABLE orders

-- update statistics before delete
SELECT count(*) FROM orders;

SELECT count(*) FROM orders; -- then grant

SELECT count(*) FROM orders;;

/* app='shop',action='delete_user',route='/users/:id/delete' */ SELECT status FROM orders WHERE id = 7;

SELECT status FROM orders WHERE id = 7 /* traceparent='00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' */;

SELECT 1 AS "SELECT * FROM customers";

SELECT "o".* FROM "orders" AS "o" WHERE "o"."status" = 'new; update' ORDER BY 1;

SELECT count(*) AS "update" FROM orders GROUP BY status ORDER BY "update", status;

SELECT status AS "group", count(*) AS "order" FROM orders GROUP BY "group" ORDER BY "order" DESC, "group";

SELECT CASE WHEN delete THEN 'deleted' ELSE 'kept' END AS "delete?", count(*) FROM "Order Items" GROUP BY 1 ORDER BY 1;

SELECT replace('delete me', 'delete', 'update') AS replaced;

SELECT left('grant', 3), right('revoke', 3), overlay('truncate' placing 'X' from 1 for 2), position('drop' in 'dropdown'), substring('execute' from 2 for 3), trim(both 'x' from 'xcopyx');

SELECT (payload ->> 'update')::boolean AS update, count(*) FROM events GROUP BY 1 ORDER BY 1;

SELECT payload -> 'update' FROM events ORDER BY id LIMIT 3;

SELECT 'a' IS DISTINCT FROM 'b' AS "from", 'delete' IS NOT NULL AS "is";

SELECT date_part('day', "from") FROM "Order Items" WHERE "from" BETWEEN '2025-01-02' AND '2025-01-05' ORDER BY 1;

SELECT EXTRACT(year FROM updated_at) AS y FROM articles GROUP BY y ORDER BY y;

SELECT version, update.id FROM (SELECT 1 AS version) v, "update" update ORDER BY 2;

SELECT set_byte('\x1234'::bytea, 0, 99), 'set role admin' AS set, 'reset' AS reset, 'show' AS show;

SELECT current, next, prior FROM (VALUES (1, 2, 3)) AS t (current, next, prior);

SELECT key, value, type, name, data, level, position, role, action FROM (SELECT 1 AS key, 2 AS value, 3 AS type, 4 AS name, 5 AS data, 6 AS level, 7 AS position, 8 AS role, 9 AS action) language;

SELECT year, month, day, hour FROM (SELECT 2025 AS year, 1 AS month, 2 AS day, 3 AS hour) AS "interval";

SELECT schema_name, owner, location, comment FROM (SELECT 'a' AS schema_name, 'b' AS owner, 'c' AS location, 'd' AS comment) AS policy;
