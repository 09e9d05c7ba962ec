-- The drivers' scenario for psql. See scenario_psql.
-- step: connection
SELECT current_user, session_user, current_database();
\encoding
\echo :SERVER_VERSION_NUM :ENCODING
\dt
\d ledger
\d+ every_type
\dT+
\df speak
\dn
\l pristine
-- step: types
\pset null (null)
SELECT * FROM every_type ORDER BY n;
\x on
SELECT * FROM every_type ORDER BY n;
\x off
\pset format csv
SELECT * FROM every_type ORDER BY n;
SELECT * FROM every_type \gdesc
-- step: parameters
CREATE TEMP TABLE again (LIKE every_type);
SELECT words AS w, exact AS e FROM every_type WHERE n = 4 \gset
INSERT INTO again (n, words, exact) VALUES (4, :'w', :e);
SELECT e.n, a.words = e.words, a.exact = e.exact
    FROM again a JOIN every_type e USING (n);
-- step: prepared
PREPARE of AS SELECT count(*), max(status) FROM orders WHERE customer_id = $1;
SELECT format('EXECUTE of(%s)', n) FROM generate_series(0, 19) n \gexec
EXECUTE of('x');
SELECT name, statement, parameter_types FROM pg_prepared_statements;
DEALLOCATE of;
EXECUTE of(1);
-- step: transaction
TRUNCATE ledger;
\echo :AUTOCOMMIT
BEGIN;
INSERT INTO ledger VALUES (1, 'kept', 1);
SAVEPOINT here;
INSERT INTO ledger VALUES (1, 'twice', 1);
SELECT 1;
ROLLBACK TO here;
COMMIT;
\set ON_ERROR_ROLLBACK on
BEGIN;
INSERT INTO ledger VALUES (2, 'kept', 1);
INSERT INTO ledger VALUES (2, 'twice', 1);
COMMIT;
BEGIN;
INSERT INTO ledger VALUES (3, 'lost', 1);
ROLLBACK;
COMMIT;
TABLE ledger;
-- step: cursor
\set FETCH_COUNT 10
SELECT id, status FROM orders ORDER BY id LIMIT 25;
SELECT 10 / (5 - n) FROM generate_series(1, 9) n;
\unset FETCH_COUNT
BEGIN;
DECLARE part SCROLL CURSOR WITH HOLD FOR SELECT id FROM orders ORDER BY id;
FETCH 3 part;
FETCH BACKWARD 1 part;
COMMIT;
FETCH LAST FROM part;
CLOSE part;
FETCH part;
-- step: several
SELECT 1 AS one \; SELECT 2 AS two \; TRUNCATE ledger;
INSERT INTO ledger VALUES (9, 'undone', 1) \; SELECT 1/0 \; SELECT 2;
\set SHOW_ALL_RESULTS off
SELECT 1 AS one \; SELECT 2 AS two;
TABLE ledger;
-- step: copy
CREATE TEMP TABLE again (LIKE every_type);
COPY every_type TO STDOUT;
COPY every_type TO STDOUT (FORMAT csv, HEADER, NULL 'none');
\copy (SELECT id, status FROM orders ORDER BY id LIMIT 5) TO STDOUT
\copy every_type TO PROGRAM 'cat >/tmp/sallyport-copied-$PPID' BINARY
\copy again FROM PROGRAM 'cat /tmp/sallyport-copied-$PPID' BINARY
\! rm -f /tmp/sallyport-copied-$PPID
SELECT e.n, a::text = e::text FROM again a JOIN every_type e USING (n)
    ORDER BY n;
TRUNCATE ledger;
COPY ledger (id, what) FROM STDIN;
1	a
2	b
\.
COPY ledger (id, what) FROM STDIN (FORMAT csv);
3,"c, d"
\.
COPY ledger (id, what) FROM STDIN;
4	lost
1	twice
\.
COPY ledger FROM STDIN;
5
\.
COPY nowhere TO STDOUT;
TABLE ledger;
-- step: notify
LISTEN gale;
NOTIFY gale;
NOTIFY gale, 'naïve 東京';
\! psql -X -q -c "NOTIFY gale, 'from another'"
SELECT 1;
UNLISTEN gale;
NOTIFY gale;
-- step: errors
TRUNCATE ledger;
\set VERBOSITY verbose
SELECT 1/0;
SELECT nothing;
SELEC 1;
SELECT 'x'::int;
SELECT 41::knots;
SELECT * FROM nowhere;
INSERT INTO ledger VALUES (1, NULL, 1);
INSERT INTO ledger VALUES (1, 'one', 1), (1, 'again', 1);
INSERT INTO ledger VALUES (1, 'one', -1);
INSERT INTO ledger VALUES (1, 'one', 1, 0);
SELECT speak('EXCEPTION', 'a word');
DO $$ BEGIN PERFORM nothing; END $$;
\errverbose
\echo :LAST_ERROR_SQLSTATE :LAST_ERROR_MESSAGE :ERROR :ROW_COUNT
-- step: large
\o /dev/null
SELECT repeat('naïve 東京 ', 400000) AS big \gset
\o
SELECT length(:'big');
-- step: columns
SELECT 'SELECT ' || string_agg(format('%s AS column_%s', n, n), ',')
    FROM generate_series(1, 1600) n \gexec
-- step: notices
COMMIT;
DROP TABLE IF EXISTS nowhere;
SELECT speak('NOTICE', 'a word');
\set VERBOSITY verbose
SELECT speak('WARNING', 'two');
SET client_min_messages = error;
SELECT speak('WARNING', 'unheard');
-- step: settings
SET TimeZone = 'Asia/Tokyo';
SELECT instant, day FROM every_type WHERE n = 1;
SET DateStyle = 'SQL, DMY';
SELECT instant, day FROM every_type WHERE n = 1;
SET search_path = harbour, public;
SELECT * FROM products LIMIT 1;
RESET search_path;
SELECT * FROM products ORDER BY id LIMIT 1;
SET ROLE clerk;
SELECT current_user, session_user;
TABLE ledger;
RESET ROLE;
SET nonsense = 1;
DISCARD ALL;
SHOW TimeZone;
-- step: lexing
SET standard_conforming_strings = off;
SELECT 'a\tb', 'it\'s';
SHOW standard_conforming_strings;
DISCARD ALL;
SELECT 'a\tb';
-- step: two
TRUNCATE ledger;
BEGIN;
INSERT INTO ledger VALUES (1, 'one', 1);
\! psql -X -a -c "SELECT count(*) FROM ledger" -c "SET lock_timeout = 50" -c "INSERT INTO ledger VALUES (1, 'other', 1)" 2>&1
COMMIT;
\! psql -X -a -c "TABLE ledger"
-- step: socket
\! psql -X -a -h "$FOLDER" -c "SELECT id, name FROM products ORDER BY id LIMIT 3" 2>&1
-- step: empty
;
SELECT;
SELECT 1 WHERE false;
SELECT '';
-- step: functions
\lo_import harbour.sql 'a comment'
SELECT convert_from(lo_get(:LASTOID), 'UTF8') LIKE '-- What the drivers%';
\lo_export :LASTOID /dev/null
\lo_unlink :LASTOID
\lo_unlink 31
-- step: cancel
SET statement_timeout = '20s';
\! (for i in `seq 200`; do [ "`psql -XAt -c "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"`" = 1 ] && kill -INT $PPID && break; done) >/dev/null 2>&1 &
SELECT pg_sleep(60);
