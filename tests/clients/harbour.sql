-- What the drivers' scenario works on, beside the shop: a value of every type,
-- a table to write to, and functions that talk. Loaded by the owner.
SET client_min_messages = warning;

CREATE TYPE mood AS ENUM ('calm', 'rough');
CREATE TYPE crate AS (label text, weight numeric(6,2));
CREATE DOMAIN knots AS integer CHECK (VALUE BETWEEN 0 AND 40);

CREATE TABLE every_type (
    n        integer PRIMARY KEY,
    yes      boolean,
    small    smallint,
    big      bigint,
    single   real,
    twice    double precision,
    exact    numeric,
    price    money,
    words    text,
    short    varchar(20),
    padded   character(5),
    bytes    bytea,
    day      date,
    hour     time,
    hour_tz  timetz,
    moment   timestamp,
    instant  timestamptz,
    span     interval,
    id       uuid,
    host     inet,
    net      cidr,
    card     macaddr,
    plain    json,
    parsed   jsonb,
    markup   xml,
    fixed    bit(5),
    varying  bit varying(12),
    place    point,
    area     box,
    found    tsvector,
    many     integer[],
    grid     integer[],
    names    text[],
    sums     numeric[],
    instants timestamptz[],
    blobs    bytea[],
    range    int4range,
    while_at tstzrange,
    weather  mood,
    weathers mood[],
    box      crate,
    boxes    crate[],
    speed    knots,
    class    oid
);

INSERT INTO every_type VALUES
(1, true, 12, 123456789012, 1.5, 2.25, 12345.6789, 12.34,
    'plain words', 'short', 'pad', '\x00010203ff', '2024-02-29', '13:14:15.678',
    '13:14:15+02', '2024-02-29 13:14:15.123456', '2024-02-29 13:14:15.123456+00',
    '1 year 2 months 3 days 04:05:06.789', '00112233-4455-6677-8899-aabbccddeeff',
    '10.1.2.3', '10.1.2.0/24', '08:00:2b:01:02:03', '{"a": [1, null, "x"]}',
    '{"b": {"c": 2.50}}', '<a b="c">d</a>', B'10101', B'1100', '(1.5,-2)',
    '(3,4),(1,2)', 'anchor:1 compass:2', '{1,2,3}', '{{1,2},{3,4}}',
    '{one,"two words","with \"quotes\"",NULL}', '{1.50,-2.25}',
    '{"2024-02-29 13:14:15+00"}', ARRAY['\x00ff'::bytea, '\x01'],
    '[1,10)', '["2024-01-01 00:00+00","2024-06-01 00:00+00")', 'calm',
    '{calm,rough}', '("a label",12.50)', '{"(x,1)","(y,)"}',
    12, 1259),
(2, false, -32768, -9223372036854775808, -1e-30, 1e300,
    -99999999999999999999.000000001, -0.01, '', '', '', '', '0001-01-01',
    '00:00:00', '23:59:59.999999-12', '0001-01-01 00:00:00',
    '0001-01-02 00:00:00+00', '-1 day -00:00:01', '00000000-0000-0000-0000-000000000000',
    '::1', '2001:db8::/32', 'ff:ff:ff:ff:ff:ff', 'null', '[]', 'text',
    B'00000', B'', '(0,0)', '(0,0),(0,0)', '', '{}', '{}', '{}', '{}', '{}',
    '{}', 'empty', 'empty', 'rough', '{}', '(,)', '{}', 0, 0),
(3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL),
(4, true, 32767, 9223372036854775807, 3.4028235e38, 0.1, 1e50, 1e6,
    E'naïve 東京 🚢 it''s\t"quoted" \\ back\nline', 'ünïcode', 'ß',
    convert_to('東京', 'UTF8'), '9999-12-31', '23:59:59.999999', '12:00+14',
    '9999-12-30 23:59:59.999999', '9999-12-30 23:59:59.999999+00',
    '178 years -3 mons 00:00:00.000001', 'ffffffff-ffff-ffff-ffff-ffffffffffff',
    '192.0.2.7/24', '0.0.0.0/0', '00:00:00:00:00:00', '"\u00e9 \\"',
    '{"é": "\\", "n": 1e20}', '<x>é</x>', B'11111', B'101010101010', '(1e10,1e-10)',
    '(9,9),(-9,-9)', '''it s'':3A', '{NULL,-1}', '{{NULL,7}}', '{"","NULL",東京}',
    '{NaN,0}', '{NULL}', ARRAY[NULL, ''::bytea], '(,5]',
    '[,"2024-06-01 00:00+00"]', 'calm', '{NULL,calm}', '("q""uote, and (paren)",-1)',
    '{NULL}', 40, 4294967295),
-- what some languages have no value for
(5, NULL, NULL, NULL, 'NaN', '-Infinity', 'NaN', NULL, NULL, NULL, NULL, NULL,
    'infinity', '24:00:00', NULL, '-infinity', 'infinity', NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, '{Infinity}', '{-infinity}', NULL, NULL, '[,infinity)', NULL, NULL,
    NULL, NULL, NULL, NULL);

CREATE TABLE ledger (
    id     integer PRIMARY KEY,
    what   text NOT NULL,
    amount numeric(8,2) CONSTRAINT not_in_debt CHECK (amount >= 0),
    buyer  integer REFERENCES customers
);

-- Says `what` at the level NOTICE, WARNING, INFO or EXCEPTION.
CREATE FUNCTION speak(level text, what text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    IF level = 'EXCEPTION' THEN
        RAISE EXCEPTION '% was said', what USING ERRCODE = 'SP001',
            DETAIL = 'a detail of ' || what, HINT = 'a hint',
            SCHEMA = 'a schema', TABLE = 'a table', COLUMN = 'a column',
            DATATYPE = 'a type', CONSTRAINT = 'a constraint';
    ELSIF level = 'WARNING' THEN
        RAISE WARNING '%', what USING ERRCODE = '01SP1';
    ELSE
        RAISE NOTICE '%', what USING DETAIL = 'of ' || what, HINT = 'hint';
    END IF;
    RETURN what;
END
$$;

-- The same table's name in two schemas, told apart by search_path.
CREATE SCHEMA harbour;
CREATE TABLE harbour.products AS SELECT 'in the harbour'::text AS name;

GRANT USAGE ON SCHEMA harbour TO public;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE
    ON ALL TABLES IN SCHEMA public, harbour TO public;
-- so that the role clerk may not
REVOKE ALL ON ledger FROM public;
GRANT ALL ON ledger TO sallyport;
