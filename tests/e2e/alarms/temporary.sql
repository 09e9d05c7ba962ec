--: as alice under dba-approval on a copy
-- Temporary tables, as BI tools and people's scripts make them.

CREATE TEMP TABLE scratch (id integer, note text);

SELECT * FROM scratch ORDER BY id;

CREATE LOCAL TEMPORARY TABLE "#Tableau_1_2_Connect" (x integer) ON COMMIT PRESERVE ROWS;

CREATE TEMPORARY TABLE tmp_totals AS SELECT status, count(*) AS n FROM orders GROUP BY status;

SELECT status, n FROM tmp_totals ORDER BY status;

SELECT t.status, t.n, p.name FROM tmp_totals t JOIN products p ON p.id = t.n / 100 ORDER BY t.status;

SELECT id, status INTO TEMPORARY TABLE tmp_orders FROM orders WHERE id < 4;

SELECT * FROM tmp_orders ORDER BY id;

CREATE TEMP VIEW new_orders AS SELECT id, customer_id FROM orders WHERE status = 'new';

SELECT count(*) FROM new_orders;

INSERT INTO scratch VALUES (1, 'one'), (2, 'two');

UPDATE scratch SET note = upper(note);

CREATE INDEX scratch_id ON scratch (id);

ANALYZE scratch;

SELECT s.id, s.note, o.status FROM scratch s JOIN orders o USING (id) ORDER BY 1;

DELETE FROM scratch;

TRUNCATE scratch;

SELECT count(*) FROM scratch;

DROP TABLE scratch;

DROP VIEW new_orders;

BEGIN;

CREATE TEMP TABLE brief ON COMMIT DROP AS SELECT id FROM orders WHERE id < 3;

INSERT INTO brief SELECT id FROM orders WHERE id = 3;

SELECT * FROM brief ORDER BY id;

COMMIT;
