-- A database full of values that cannot occur by chance: whoever sees one of
-- them has seen a protected cell. Loaded by scripts/leaktest with psql; the
-- variables far_host, far_port, far_user, far_password tell how the database
-- reaches itself for the foreign table.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET search_path = public;
DROP SCHEMA IF EXISTS public CASCADE;
CREATE SCHEMA public;
GRANT ALL ON SCHEMA public TO public;

DO $$
DECLARE
	extension text;
BEGIN
	FOREACH extension IN ARRAY ARRAY['hstore', 'dblink', 'tablefunc',
			'pg_trgm', 'pg_stat_statements', 'pageinspect', 'citext',
			'xml2', 'pgcrypto', 'fuzzystrmatch', 'unaccent', 'postgres_fdw',
			'file_fdw', 'pgrowlocks', 'pg_visibility', 'pgstattuple',
			'intarray', 'ltree', 'cube', 'lo'] LOOP
		BEGIN
			EXECUTE format('DROP EXTENSION IF EXISTS %I CASCADE', extension);
			EXECUTE format('CREATE EXTENSION %I SCHEMA public', extension);
		EXCEPTION WHEN OTHERS THEN
			RAISE WARNING 'extension % is not here: %', extension, SQLERRM;
		END;
	END LOOP;
END $$;

-- --- tables -----------------------------------------------------------------

CREATE TABLE customers (
	id int PRIMARY KEY,
	name text NOT NULL,
	email text NOT NULL UNIQUE,
	phone varchar(20),
	card_number varchar(19),
	ssn char(11),
	birth_date date,
	salary numeric(12, 2) CHECK (salary > 0),
	notes text,
	photo bytea,
	profile jsonb,
	tags text[],
	ip inet,
	token uuid,
	city text,
	tier varchar(10),
	created_at timestamptz NOT NULL,
	updated_at timestamptz NOT NULL
);
CREATE TABLE orders (
	id serial PRIMARY KEY,
	customer_id int NOT NULL REFERENCES customers,
	customer_email text REFERENCES customers (email),
	amount numeric(10, 2) NOT NULL,
	status text NOT NULL,
	"delete" text,
	"select" text,
	placed_at timestamptz NOT NULL
);
CREATE INDEX orders_by_customer ON orders (customer_id);
CREATE TABLE tickets (
	id serial PRIMARY KEY,
	customer_id int NOT NULL REFERENCES customers,
	subject text NOT NULL,
	body text,
	opened_at date NOT NULL
);
CREATE TABLE visits (
	customer_id int NOT NULL,
	visitor_email text,
	page text,
	day date NOT NULL
) PARTITION BY RANGE (day);
CREATE TABLE visits_january PARTITION OF visits
	FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE visits_february PARTITION OF visits
	FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE people (id int, nick text, email text);
CREATE TABLE staff (desk text, wage int) INHERITS (people);
CREATE DOMAIN contact_address AS text CHECK (VALUE LIKE '%@%');
CREATE TABLE leads (id int PRIMARY KEY, contact contact_address, source text);
CREATE TABLE vault (id int PRIMARY KEY, team text, word text);
ALTER TABLE vault ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON vault USING (true);

-- nothing here is anybody's secret
CREATE TABLE products (
	id int PRIMARY KEY,
	title text NOT NULL,
	price numeric(8, 2),
	"order" int,
	labels text[],
	sizes jsonb,
	added_on date
);
CREATE TABLE guesses (word text);
CREATE TABLE scratch (id serial PRIMARY KEY, word text, number numeric,
	doc jsonb, day date);
CREATE TABLE inbox (id serial PRIMARY KEY, word text);

INSERT INTO customers VALUES
(1, 'Bggfbbkfgt Fltrwgwfkf', 'gtwbpncmbrmn@example.com',
	'+453335159853', '5538958358949561', '992-99-9824', '1849-04-24', 3315216.15,
	'zqzkwslzvz dqblclcf', 'jvthxnczlcld',
	'{"nick": "wznmsrjvhb", "level": 1, "pets": ["jkrrkzfwr"]}',
	'{drvsmdxd,sqtgkfmr}', '238.229.195.147', '6fb7fb49-9f4a-41a3-a3a6-d1844669d272',
	'Aarhus', 'gold', '2026-01-01 08:00+00', '2026-02-01 09:30+00'),
(2, 'Bzcdqzbtgj Vdwzzqpvhh', 'pwpncfnlxxsn@example.com',
	'+452273266148', '9849197689217767', '907-90-7674', '1826-03-16', 6398528.88,
	'hhmwphfmws smfhtmpd', 'phmxjqzvlpdd',
	'{"nick": "xcgbwrvwgj", "level": 2, "pets": ["rxmsbfhrk"]}',
	'{nlmkpnzq,hqrfzqzs}', '141.136.113.203', '1ca4abc7-d923-4565-a969-85444f9672c4',
	'Bergen', 'silver', '2026-01-02 08:00+00', '2026-02-02 09:30+00'),
(3, 'Dqsvvrfmjf Wnrnrpzfxw', 'lghvbkbngdcv@example.com',
	'+453978121649', '8548225481423697', '937-34-9368', '1873-12-26', 3439831.96,
	'fpqggqgnmp msmfbtnc', 'vbxkrjklgjtt',
	'{"nick": "rwqndfkfwt", "level": 3, "pets": ["gkzvhzljf"]}',
	'{fzrpnrhw,ndqchlvn}', '153.238.214.151', '9592a853-6887-440d-a885-97e2efc36ac4',
	'Aarhus', 'gold', '2026-01-03 08:00+00', '2026-02-03 09:30+00'),
(4, 'Vjjmdrmxkp Ncvsjblhgj', 'kwplcnxbrpfp@example.com',
	'+453662998675', '8835929851029820', '924-53-2216', '1851-09-22', 7578510.32,
	'kqfjdjjtbq xwprhwlq', 'jhpmnmzsxjkf',
	'{"nick": "cscvnhswsb", "level": 4, "pets": ["gnqtgwvgf"]}',
	'{sxxlldqq,chngbfgb}', '108.119.237.150', 'd2dce998-fd20-4a00-aae1-6218b922237f',
	'Malmo', 'silver', '2026-01-04 08:00+00', '2026-02-04 09:30+00'),
(5, 'Hfxlmvgcmx Lpwzhmptcf', 'dqxxqjnmtvjp@example.com',
	'+458094180786', '3474732164560941', '928-67-8444', '1823-03-28', 4788298.42,
	'sqfcbkdwkp rbqdtcwv', 'wqpqxjcxsqlq',
	'{"nick": "wvdqppgwjt", "level": 5, "pets": ["jhzqztnxf"]}',
	'{ffsrrjbg,mnrqlxgl}', '199.132.148.196', '91ac30a9-c345-4b24-afca-8563a570d43c',
	'Bergen', 'gold', '2026-01-05 08:00+00', '2026-02-05 09:30+00'),
(6, 'Ntwvnhmphf Mpfmzbdftj', 'sltthmwjjnfn@example.com',
	'+456259202500', '8192825405450961', '981-74-1150', '1880-11-28', 2460061.53,
	'gzgbkrctpq dgdzzzwj', 'tgcltczgjplm',
	'{"nick": "rzddhjxlmj", "level": 6, "pets": ["jgqgswjcz"]}',
	'{bwknzdtb,spmljgqx}', '132.169.158.246', '40bf8736-149b-4812-a5ab-b43ec0c64ea2',
	'Aarhus', 'silver', '2026-01-06 08:00+00', '2026-02-06 09:30+00');

INSERT INTO orders (customer_id, customer_email, amount, status, "delete", "select", placed_at) VALUES
(6, 'sltthmwjjnfn@example.com', 15.50, 'open', 'kept 1', 'choice 1', '2026-03-01 10:00+00'),
(5, 'dqxxqjnmtvjp@example.com', 27.50, 'sent', 'kept 2', 'choice 2', '2026-03-02 10:00+00'),
(4, 'kwplcnxbrpfp@example.com', 39.50, 'paid', 'kept 3', 'choice 3', '2026-03-03 10:00+00'),
(3, 'lghvbkbngdcv@example.com', 51.50, 'open', 'kept 4', 'choice 0', '2026-03-04 10:00+00'),
(2, 'pwpncfnlxxsn@example.com', 63.50, 'sent', 'kept 5', 'choice 1', '2026-03-05 10:00+00'),
(1, 'gtwbpncmbrmn@example.com', 75.50, 'paid', 'kept 6', 'choice 2', '2026-03-06 10:00+00'),
(6, 'sltthmwjjnfn@example.com', 87.50, 'open', 'kept 7', 'choice 3', '2026-03-07 10:00+00'),
(5, 'dqxxqjnmtvjp@example.com', 99.50, 'sent', 'kept 8', 'choice 0', '2026-03-08 10:00+00'),
(4, 'kwplcnxbrpfp@example.com', 111.50, 'paid', 'kept 9', 'choice 1', '2026-03-09 10:00+00'),
(3, 'lghvbkbngdcv@example.com', 123.50, 'open', 'kept 10', 'choice 2', '2026-03-10 10:00+00'),
(2, 'pwpncfnlxxsn@example.com', 135.50, 'sent', 'kept 11', 'choice 3', '2026-03-11 10:00+00'),
(1, 'gtwbpncmbrmn@example.com', 147.50, 'paid', 'kept 12', 'choice 0', '2026-03-12 10:00+00');

INSERT INTO tickets (customer_id, subject, body, opened_at) VALUES
(1, 'delivery', 'Call mpwsfnwbbt about jvtccwqtf.', '2026-04-01'),
(2, 'question', 'Call hqpnmvkmsj about nnrphmqfr.', '2026-04-02'),
(3, 'refund', 'Call xjrxghvmlz about lrnwvztdx.', '2026-04-03'),
(4, 'delivery', 'Call gzcsrdfhvp about glddjcbgz.', '2026-04-04'),
(5, 'question', 'Call kjvpvpdwzv about kjbfnfrnt.', '2026-04-05'),
(6, 'refund', 'Call xkqtcrjfzf about wdnhtdxpr.', '2026-04-06');

INSERT INTO visits (customer_id, visitor_email, page, day) VALUES
(2, 'dmrwxpdthjh@example.com', '/page/1', '2026-02-02'),
(3, 'thfdstnhmxg@example.com', '/page/2', '2026-01-03'),
(4, 'mhlmxjdvxfh@example.com', '/page/0', '2026-02-04'),
(5, 'mggnrjffbcx@example.com', '/page/1', '2026-01-05'),
(6, 'kbdsnbswrrp@example.com', '/page/2', '2026-02-06'),
(1, 'lrjvjvrshhn@example.com', '/page/0', '2026-01-07'),
(2, 'nrmpbplcnkq@example.com', '/page/1', '2026-02-08'),
(3, 'mldgfkdfdcc@example.com', '/page/2', '2026-01-09');

INSERT INTO people VALUES
(1, 'nick1', 'dsprrscxtwz@example.com'),
(2, 'nick2', 'rlqvwsnfjfd@example.com'),
(3, 'nick3', 'xmfdrscxkdd@example.com');

INSERT INTO staff VALUES
(11, 'nick11', 'bhsvktbghxt@example.com', 'desk 11', 598451470),
(12, 'nick12', 'nvllfzbmmpc@example.com', 'desk 12', 606149855),
(13, 'nick13', 'gwdccsphfrd@example.com', 'desk 13', 228032695);

INSERT INTO leads VALUES
(1, 'jlkxdwpngns@example.com', 'fair'),
(2, 'rrssvttcvtd@example.com', 'fair'),
(3, 'ccnfntxgjwx@example.com', 'fair');

INSERT INTO vault VALUES
(1, 'team1', 'cdjmsgdpxldmmk'),
(2, 'team0', 'wdtsnkpktknpbf'),
(3, 'team1', 'ltqqcndpcwtfmj');

INSERT INTO products VALUES
(1, 'Anchor', 120.00, 3, '{iron,large}', '{"s": 1, "m": 2}', '2026-01-05'),
(2, 'Rope', 15.50, 1, '{hemp}', '{"s": 4}', '2026-01-09'),
(3, 'Lantern', 48.25, 2, '{brass,small}', '{"m": 7, "l": 0}', '2026-02-01'),
(4, 'DROP TABLE customers', 1.00, 5, '{joke}', NULL, '2026-02-11'),
(5, 'Chart', NULL, 4, '{}', '{"s": null}', NULL);
INSERT INTO scratch (word, number, day) VALUES
('first', 1.5, '2026-05-01'), ('second', 2.5, '2026-05-02');

-- --- what is derived from them ----------------------------------------------

ALTER TABLE customers
	ADD COLUMN email_key text GENERATED ALWAYS AS (upper(email)) STORED;

CREATE VIEW contacts AS
	SELECT id, email AS reach, city FROM customers;
CREATE VIEW contacts_again AS
	SELECT c.id AS number, c.reach AS at, o.amount
	FROM contacts c JOIN orders o ON o.customer_id = c.id;
CREATE VIEW labels AS
	SELECT id, upper(name) || '/' || city AS label, tier FROM customers;
CREATE VIEW everyone AS
	SELECT id, email FROM customers UNION ALL SELECT id, email FROM people;
CREATE VIEW harmless AS
	SELECT id, city, tier, created_at FROM customers;
CREATE VIEW whole AS
	SELECT c.id, c AS record, to_jsonb(c) AS document FROM customers c;
CREATE MATERIALIZED VIEW snapshot AS
	SELECT id, email, salary, city FROM customers;
CREATE MATERIALIZED VIEW totals AS
	SELECT city, count(*) AS customers FROM customers GROUP BY city;

CREATE FUNCTION customer_email(int) RETURNS text LANGUAGE sql STABLE AS
	'SELECT email FROM customers WHERE id = $1';
CREATE FUNCTION customer_emails() RETURNS SETOF text LANGUAGE sql STABLE AS
	'SELECT email FROM customers ORDER BY id';
CREATE FUNCTION customer_row(int) RETURNS customers LANGUAGE sql STABLE AS
	'SELECT * FROM customers WHERE id = $1';
CREATE FUNCTION customer_table() RETURNS TABLE (a int, b text)
	LANGUAGE sql STABLE AS 'SELECT id, ssn::text FROM customers';
CREATE FUNCTION find_email(int) RETURNS text LANGUAGE plpgsql STABLE AS
	'BEGIN RETURN (SELECT email FROM customers WHERE id = $1); END';
CREATE FUNCTION find_out(wanted int, OUT mail text, OUT earns numeric)
	LANGUAGE plpgsql STABLE AS
	'BEGIN SELECT email, salary INTO mail, earns FROM customers
	WHERE id = wanted; END';
CREATE FUNCTION definer_email(int) RETURNS text LANGUAGE sql STABLE
	SECURITY DEFINER SET search_path = public AS
	'SELECT email FROM customers WHERE id = $1';
CREATE FUNCTION run_text(text) RETURNS SETOF text LANGUAGE plpgsql AS
	'BEGIN RETURN QUERY EXECUTE $1; END';
CREATE FUNCTION mail_of(customers) RETURNS text LANGUAGE sql IMMUTABLE AS
	'SELECT $1.email';
CREATE FUNCTION complain(int) RETURNS int LANGUAGE plpgsql AS
	'BEGIN RAISE EXCEPTION ''%'', (SELECT email FROM customers
	WHERE id = $1); END';
CREATE FUNCTION mumble(int) RETURNS int LANGUAGE plpgsql AS
	'BEGIN RAISE NOTICE ''%'', (SELECT email FROM customers
	WHERE id = $1); RETURN $1; END';
CREATE PROCEDURE tell(INOUT word text) LANGUAGE plpgsql AS
	'BEGIN word := (SELECT email FROM customers ORDER BY id LIMIT 1); END';
CREATE FUNCTION add_vat(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS
	'SELECT round($1 * 1.25, 2)';

CREATE OPERATOR #@ (RIGHTARG = int, FUNCTION = customer_email);
CREATE TYPE card AS (mail text, number text);
CREATE FUNCTION customers_card(customers) RETURNS card LANGUAGE sql IMMUTABLE
	AS 'SELECT $1.email, $1.card_number::text';
CREATE CAST (customers AS card) WITH FUNCTION customers_card(customers);
CREATE FUNCTION join_words(text, text) RETURNS text LANGUAGE sql IMMUTABLE
	AS 'SELECT coalesce($1 || '' '', '''') || $2';
CREATE AGGREGATE words (text) (SFUNC = join_words, STYPE = text);
CREATE FUNCTION join_mails(text, customers) RETURNS text LANGUAGE sql
	IMMUTABLE AS 'SELECT coalesce($1 || '' '', '''') || $2.email';
CREATE AGGREGATE mails (customers) (SFUNC = join_mails, STYPE = text);

CREATE FUNCTION note_order() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN RAISE NOTICE ''order for %'', (SELECT email FROM customers
	WHERE id = new.customer_id); RETURN new; END';
CREATE TRIGGER note_order BEFORE UPDATE ON orders
	FOR EACH ROW WHEN (new.status = 'noted') EXECUTE FUNCTION note_order();
CREATE FUNCTION fill_inbox() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN new.word := coalesce(new.word, (SELECT email FROM customers
	ORDER BY id LIMIT 1)); RETURN new; END';
CREATE TRIGGER fill_inbox BEFORE INSERT ON inbox
	FOR EACH ROW EXECUTE FUNCTION fill_inbox();
CREATE VIEW asked AS SELECT 1 AS one;
CREATE RULE asked AS ON INSERT TO asked DO INSTEAD
	SELECT id, email FROM customers;

CREATE SERVER loopback FOREIGN DATA WRAPPER postgres_fdw
	OPTIONS (host :'far_host', port :'far_port', dbname :'DBNAME');
CREATE USER MAPPING FOR public SERVER loopback
	OPTIONS (user :'far_user', password :'far_password');
CREATE FOREIGN TABLE customers_far (id int, email text, city text)
	SERVER loopback OPTIONS (schema_name 'public', table_name 'customers');

COMMENT ON TABLE products IS 'What the shop sells';
GRANT ALL ON ALL TABLES IN SCHEMA public TO public;
GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO public;

-- what scripts/leaktest knows its own database by
CREATE VIEW leaktest AS SELECT :'corpus'::text AS corpus;
ANALYZE;
