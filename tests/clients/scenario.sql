-- The drivers' scenario with psql: what it printed.
\set VERBOSITY verbose
\set SHOW_CONTEXT never
SELECT id, name, price, stock FROM products ORDER BY id LIMIT 5;
SELECT email, birth_date, credit_limit FROM customers WHERE id = 7;
SELECT 1 AS one \; SELECT 2 AS two;
\x on
SELECT * FROM customers WHERE id = 3;
\x off
BEGIN;
UPDATE products SET stock = stock + 1 WHERE id = 3;
SELECT stock FROM products WHERE id = 3;
SAVEPOINT before;
SELECT 1/0;
ROLLBACK TO before;
ROLLBACK;
SELECT nothing;
SELEC 1;
INSERT INTO products VALUES (1, 'x', 1, 1);
COMMIT;
PREPARE three AS SELECT $1::int + 3;
EXECUTE three(4);
DEALLOCATE three;
\set FETCH_COUNT 10
SELECT id, status FROM orders ORDER BY id LIMIT 25;
\unset FETCH_COUNT
SELECT 'SELECT ' || n FROM generate_series(1, 3) n \gexec
SELECT 'naïve 東京', ARRAY[1,2], NULL;
SET TimeZone = 'Asia/Tokyo';
SHOW TimeZone;
\encoding
\pset null (null)
SELECT NULL;
