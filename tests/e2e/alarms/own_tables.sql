--: as alice under dba-approval, support-desk on a copy
-- What scripts copy aside, while names and addresses of customers are masked.

CREATE TEMP TABLE aside AS SELECT id, city FROM customers WHERE id < 4;

SELECT * FROM aside ORDER BY id;

SELECT a.city, count(*), max(c.id) FROM aside a JOIN customers c ON c.city = a.city GROUP BY a.city ORDER BY 1;

SELECT upper(city) AS shouted, id + 1 FROM aside ORDER BY id;

INSERT INTO aside SELECT id, city FROM customers WHERE id = 5;

UPDATE aside SET city = 'nowhere' WHERE id = 5 RETURNING id, city;

BEGIN;

DROP TABLE IF EXISTS aside;

CREATE TEMP TABLE aside (id integer PRIMARY KEY, number integer);

INSERT INTO aside VALUES (1, 2) RETURNING id, number;

SELECT number, orders.status FROM aside JOIN orders USING (id);

COMMIT;

SELECT * FROM aside;
