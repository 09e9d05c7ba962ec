-- The shop: about 1,000 customers with made-up personal data, their orders
-- and payments.  Every value is computed from the row's number, so each
-- loading gives the same shop.  Used by the end-to-end tests, the benchmark
-- and the demo.

\set ON_ERROR_STOP on
SET client_min_messages = warning;

BEGIN;

-- Helpers, dropped again at the end ---------------------------------------

-- `digits` with the check digit that satisfies Luhn's formula.
CREATE FUNCTION luhn(digits text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT digits || (10 - sum(CASE WHEN place % 2 = 1
            THEN digit * 2 / 10 + digit * 2 % 10 ELSE digit END) % 10) % 10
      FROM (SELECT substr(reverse(digits), i, 1)::int AS digit, i AS place
              FROM generate_series(1, length(digits)) i) places
$$;

-- A German IBAN of 18 digits, with its two check digits (mod 97).
CREATE FUNCTION iban(account text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT 'DE' || lpad((98 - (account || '131400')::numeric % 97)::text,
        2, '0') || account
$$;

-- The n-th of some words.
CREATE FUNCTION pick(n bigint, words text[]) RETURNS text
    LANGUAGE sql IMMUTABLE AS $$
    SELECT words[1 + n % array_length(words, 1)]
$$;

-- Tables -------------------------------------------------------------------

CREATE TABLE customers (
    id           integer PRIMARY KEY,
    name         text NOT NULL,
    email        text NOT NULL UNIQUE,
    phone        text,
    ssn          char(11),
    card_number  varchar(19),
    birth_date   date,
    iban         text,
    city         text NOT NULL,
    country      char(2) NOT NULL,
    credit_limit numeric(10,2) NOT NULL,
    loyalty      integer NOT NULL,
    notes        text,
    created_at   timestamptz NOT NULL
);

INSERT INTO customers
SELECT n,
    first || ' ' || last,
    lower(first) || '.' || lower(last) || n || '@example.'
        || pick(n, '{com,org,net}'),
    '+1 ' || 201 + n % 700 || ' 555 ' || lpad((n * 37 % 10000)::text, 4, '0'),
    100 + n % 500 || '-' || lpad((1 + n % 98)::text, 2, '0') || '-'
        || lpad((1 + n * 7 % 9998)::text, 4, '0'),
    luhn('4' || lpad((n::bigint * 7919 * 104729 % 100000000000000)::text,
        14, '0')),
    date '1945-01-01' + (n * 6151 % 21900),
    iban(lpad((n::bigint * 6700417 * 31 % 1000000000000000)::text, 18, '37')),
    pick(n / 3, '{Aarhus,Bergen,Cork,Delft,Evora,Faro,Ghent,Hull}'),
    pick(n / 3, '{DK,NO,IE,NL,PT,PT,BE,GB}'),
    500 + n * 131 % 9500 + 0.50,
    n * 17 % 1000,
    CASE WHEN n % 10 = 0 THEN 'Prefers mail to ' || lower(last) || n
        || '@home.example, never the office.' END,
    timestamptz '2024-01-01 08:00+00' + n * interval '11 hours'
FROM (SELECT n,
        pick(n, '{Ada,Bruno,Chloe,Dmitri,Elena,Farid,Greta,Hugo,Ines,Jonas,'
            'Kira,Luca,Mina,Nadia,Oscar,Petra,Quentin,Rosa,Samir,Tessa}')
            AS first,
        pick(n / 20 + n, '{Abbott,Berger,Castellan,Dufour,Eriksen,Fontaine,'
            'Greaves,Holm,Ivers,Jansen,Kowal,Lindqvist,Marchetti,Novak,'
            'Oakes,Pereira,Quill,Rasmussen,Silva,Thorne,Ulrich,Varga,'
            'Whitlock}') AS last
        FROM generate_series(1, 1000) n) people;

CREATE TABLE products (
    id    integer PRIMARY KEY,
    name  text NOT NULL,
    price numeric(8,2) NOT NULL,
    stock integer NOT NULL CHECK (stock >= 0)
);

INSERT INTO products
SELECT n, pick(n, '{Lantern,Anchor,Compass,Sextant,Barometer,Spyglass}')
        || ' No. ' || n,
    5 + n * 7 % 200 + 0.99, n * 13 % 50
FROM generate_series(1, 60) n;

CREATE TABLE orders (
    id          integer PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers,
    product_id  integer NOT NULL REFERENCES products,
    quantity    integer NOT NULL,
    status      text NOT NULL,
    ordered_at  timestamptz NOT NULL
);

INSERT INTO orders
SELECT n, 1 + n * 7 % 1000, 1 + n % 60, 1 + n % 4,
    pick(n, '{new,packed,shipped,delivered,returned}'),
    timestamptz '2025-01-01 09:00+00' + n * interval '5 hours'
FROM generate_series(1, 3000) n;

CREATE TABLE payments (
    id          integer NOT NULL,
    order_id    integer NOT NULL,
    card_number varchar(19) NOT NULL,
    amount      numeric(10,2) NOT NULL,
    paid_at     date NOT NULL
) PARTITION BY RANGE (paid_at);
CREATE TABLE payments_2025 PARTITION OF payments
    FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE payments_2026 PARTITION OF payments
    FOR VALUES FROM ('2026-01-01') TO ('2028-01-01');

INSERT INTO payments
SELECT o.id, o.id, c.card_number, o.quantity * p.price, o.ordered_at::date
FROM orders o JOIN customers c ON c.id = o.customer_id
    JOIN products p ON p.id = o.product_id
WHERE o.status <> 'new';

CREATE TABLE tickets (
    id          integer PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers,
    body        text NOT NULL
);

-- Personal data where no column's name gives it away.
INSERT INTO tickets
SELECT n, n,
    CASE n % 5
    WHEN 0 THEN 'Please write to ' || email || ' about order ' || n || '.'
    WHEN 1 THEN 'Charged twice on card ' || card_number || ', see receipt.'
    WHEN 2 THEN 'My number changed, now ' || phone || '; call after six.'
    WHEN 3 THEN 'Refund to ' || iban || ', thank you.'
    ELSE 'The form wants ' || ssn || ' and the server is 192.0.2.'
        || n % 250 || '.'
    END
FROM generate_series(1, 100) n JOIN customers ON id = n;

-- What is computed from them ------------------------------------------------

CREATE VIEW contacts AS SELECT id, name, email AS mail, phone FROM customers;

CREATE VIEW shouted AS SELECT id, upper(email) AS loud FROM customers;

CREATE MATERIALIZED VIEW best_customers AS
SELECT c.id, c.email, count(*) AS orders, sum(o.quantity) AS things
FROM customers c JOIN orders o ON o.customer_id = c.id
GROUP BY c.id, c.email;

CREATE TABLE vip_customers (perk text) INHERITS (customers);
INSERT INTO vip_customers
SELECT id + 100000, name, 'vip.' || email, phone, ssn, card_number, birth_date,
    iban, city, country, credit_limit, loyalty, notes, created_at, 'lounge'
FROM ONLY customers WHERE id <= 5;

DROP FUNCTION luhn(text), iban(text), pick(bigint, text[]);

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO public;

COMMIT;
VACUUM ANALYZE;
