-- Ways to read customers with psql. See scenario_psql.
-- step: plain
SELECT id, email, card_number, birth_date, credit_limit, city
    FROM customers WHERE id <= 50 ORDER BY id;
-- step: by_cursor
\set FETCH_COUNT 7
SELECT id, email, card_number, birth_date, credit_limit, city
    FROM customers WHERE id <= 50 ORDER BY id;
-- step: as_csv
\pset format csv
\pset csv_fieldsep '|'
SELECT id, email, card_number, birth_date, credit_limit, city
    FROM customers WHERE id <= 50 ORDER BY id;
-- step: copied
\copy (SELECT id, email, card_number, birth_date, credit_limit, city FROM customers WHERE id <= 50 ORDER BY id) TO STDOUT (DELIMITER '|')
-- step: copied_as_csv
COPY (SELECT id, email, card_number, birth_date, credit_limit, city
    FROM customers WHERE id <= 50 ORDER BY id)
    TO STDOUT (FORMAT csv, DELIMITER '|');
