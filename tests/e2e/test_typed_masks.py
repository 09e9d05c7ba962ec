"""Every built-in type under every mask, in text and in binary.

What leaves is a value of its type, or NULL: the database takes it back as
input in the format in which it came, psycopg decodes it, and it is not the
original.
"""

import os
import re
import signal

import psycopg

import harness

MASKS = ("redact", "null", "email", "last4", "pseudonym", "hash", "year",
         "round")
# what `year` and `round` may leave as it is: January 1st, 10, 2.5e7
COARSE = ("year", "round")

SCALARS = {
    "bool": ["true", "false"],
    "int2": ["0", "32767", "-32768", "7", "1234"],
    "int4": ["2147483647", "-2147483648", "631"],
    "int8": ["9223372036854775807", "-9223372036854775808",
             "4000008293489519"],
    "float4": ["NaN", "Infinity", "-Infinity", "-0", "1.17549435e-38",
               "3.4028235e38", "0.1"],
    "float8": ["NaN", "Infinity", "-Infinity", "-0", "5e-324",
               "1.7976931348623157e308", "123456.789"],
    "numeric": ["NaN", "Infinity", "-Infinity", "0", "-0.0001", "631.50",
                "1" + "0" * 1000, "-9999.99", "0.000000001234", "10000.0001",
                "9" * 40 + "." + "9" * 20],
    "money": ["$0.00", "-$1,234.56", "92233720368547758.07"],
    "text": ["", "Bruno Berger", 'a "quoted" \\ back, slash', "NULL", "null",
             "{a,b}", "(a,b)", "Łódź \U0001f600", "bruno@example.org",
             " spaces ", "\t", "4111-1111-1111-1111"],
    "varchar(20)": ["Bruno", "a,b"],
    "char(8)": ["Bruno", "a\"b"],
    "name": ["bruno"],
    '"char"': ["x"],
    "bytea": ["\\x", "\\x00ff5c27", "Bruno"],
    "date": ["infinity", "-infinity", "2020-03-04", "0044-03-15 BC",
             "12345-06-07", "4714-11-24 BC", "5874897-12-31", "2020-02-29"],
    "time": ["00:00", "12:34:56.789", "24:00", "01:02"],
    "timetz": ["12:34:56.789+05:30", "00:00+00", "24:00-15:59"],
    "timestamp": ["infinity", "-infinity", "2020-03-04 05:06:07.891",
                  "0044-03-15 12:00 BC", "12345-06-07 01:02:03",
                  "294276-12-31 23:59:59.999999", "4714-11-24 00:00 BC"],
    "timestamptz": ["infinity", "2020-03-04 05:06:07.891+02",
                    "0044-03-15 12:00+00 BC", "12345-06-07 01:02:03+00",
                    "4714-11-24 00:00+00 BC", "1890-01-02 03:04:05+00"],
    "interval": ["0", "1 year 2 mons -3 days 04:05:06.7", "-1 year",
                 "178000000 years", "-178000000 years", "100000:00:00"],
    "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "inet": ["192.0.2.1", "192.0.2.1/24", "2001:db8::1",
             "::ffff:192.0.2.1/96"],
    "cidr": ["10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0"],
    "macaddr": ["08:00:2b:01:02:03"],
    "macaddr8": ["08:00:2b:01:02:03:04:05"],
    "json": ['{"a": [1, "b\\"c"]}', "1", '"Bruno"', "null"],
    "jsonb": ['{"a": [1, "b\\"c"]}', "1", '"Bruno"', "null"],
    "xml": ["<a>Bruno</a>", "Bruno"],
    "bit(5)": ["10101"],
    "varbit": ["10101", ""],
    "point": ["(1,2)"],
    "line": ["{1,2,3}"],
    "lseg": ["[(1,2),(3,4)]"],
    "box": ["(3,4),(1,2)"],
    "path": ["[(1,2),(3,4)]", "((1,2),(3,4))"],
    "polygon": ["((1,2),(3,4),(5,6))"],
    "circle": ["<(1,2),3>"],
    "pg_lsn": ["16/B374D848"],
    "tid": ["(1,2)"],
    "oid": ["0", "4294967295", "16384"],
    "regclass": ["pg_class"],
    "regtype": ["integer"],
    "tsvector": ["'bruno':1 'berger':2"],
    "tsquery": ["'bruno' & 'berger'"],
    "jsonpath": ["$.\"a\""],
    "xid": ["7"],
    "xid8": ["7"],
}

# a type and its values, made of the types below
NESTED = {
    "int4[]": ["{631,NULL,-5}", "[0:1][2:3]={{1234,5678},{7,8}}", "{}",
               "{NULL}"],
    "text[]": ['{a,"b c","d\\"e\\\\f",NULL,"NULL","","{}"}',
               '{{"Łódź","x,y"},{z,"null"}}', "[-2:-1]={p,q}", "{}"],
    "varchar(9)[]": ["{Bruno}"],
    "numeric[]": ["{NaN,631.50,-0.5}"],
    "float8[]": ["{NaN,631.5,Infinity}"],
    "date[]": ["{2020-03-04,infinity,0044-03-15 BC}"],
    "timestamptz[]": ['{"2020-03-04 05:06:07+00",NULL}'],
    "box[]": ["{(3,4),(1,2);(7,8),(5,6)}"],
    "bytea[]": ['{"\\\\x00ff","\\\\x"}'],
    "json[]": ['{"{\\"a\\": 1}",NULL}'],
    "jsonb[]": ['{"{\\"a\\": 1}",NULL}'],
    "uuid[]": ["{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"],
    "bool[]": ["{t,f,NULL}"],
    "inet[]": ["{192.0.2.1,2001:db8::1/64}"],
    "money[]": ['{"$1,234.56"}'],
    "interval[]": ["{1 day}"],
    "oidvector": ["1 2 3"],
    "int2vector": ["1 2 3"],
    "int4range": ["[631,1234)", "empty", "(,)", "[631,)", "[631,633)"],
    "int8range": ["(,4000008293489519)"],
    "numrange": ["[631.5,1234.25]", "(629,631.50)", "[629,631.50]", "empty",
                 "[NaN,NaN]"],
    "daterange": ["[2020-03-04,2021-05-06)", "[2020-03-04,2020-05-06)",
                  "[2020-03-04,infinity)"],
    "tsrange": ['["2020-03-04 05:06:07","2021-05-06 00:00:00"]',
                '["2020-03-04 05:06:07","2020-05-06 00:00:00"]'],
    "tstzrange": ['("2020-03-04 05:06:07+00",)'],
    "int4multirange": ["{[1,5),[631,1234)}", "{}", "{[630,634),[641,650)}"],
    "nummultirange": ["{[1,628),[631,1234)}", "{[1,400),[631,1234)}"],
    "datemultirange": ["{[2020-03-04,2021-05-06),[2023-01-02,)}"],
    "int4range[]": ['{"[631,1234)",empty,NULL}'],
    "daterange[]": ['{"[2020-03-04,2021-05-06)"}'],
    "int4multirange[]": ['{"{[631,1234)}"}'],
    "mail": ["bruno@example.org", 'a"b'],
    "mail[]": ['{bruno@example.org,NULL,"a\\"b"}'],
    "amount": ["631.5"],
    "amount[]": ["{631.5,NULL}"],
    "tags": ["{a,b}"],
    "tags[]": ['{"{a,b}","{\\"c d\\",NULL}"}'],
    "mood": ["sad"],
    "mood[]": ["{sad,NULL}"],
    "person": ['("Bruno ""B"" \\\\ Berger",631,2020-03-04,sad,"{a,""b c""}")',
               "(,,,,)", '("",1,,,)'],
    "person[]": ['{"(Bruno,631,2020-03-04,sad,\\"{a}\\")",NULL}'],
    "place": ['("(Bruno,631,2020-03-04,sad,""{a,\\\\""b c\\\\""}"")",'
              '"{bruno@example.org}","[631,1234)")'],
    "place[]": ['{"(\\"(Bruno,631,2020-03-04,sad,{a})\\",{x},\\"[1,2)\\")"}'],
    "guest": ['("Bruno",631,2020-03-04,sad,{a})'],
    "amounts": ["[631.5,1234.25)", "[629,631.50)"],
    "amountsmulti": ["{[1,2),[631,1234)}"],
    "textrange": ['["a b",c)'],
    "nothing": ["()"],
    "citext": ["Bruno@Example.org", "Bruno, \"B\""],
    "citext[]": ['{Bruno@Example.org,"Bruno, \\"B\\""}'],
    "hstore": ["mail=>bruno@example.org, b=>NULL"],
    "hstore[]": ['{"a=>b"}'],
    "pets": ["(Rex,2020-03-04)"],
    "pets[]": ['{"(Rex,2020-03-04)"}'],
}

TYPES = """
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE DOMAIN mail AS text;
CREATE DOMAIN amount AS numeric(12, 2);
CREATE DOMAIN tags AS text[];
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TYPE person AS (name text, limits int4, gone int8, born date,
    feels mood, tags text[]);
ALTER TYPE person DROP ATTRIBUTE gone;
CREATE DOMAIN guest AS person;
CREATE TYPE place AS (who person, mails mail[], span int4range);
CREATE TYPE amounts AS RANGE (subtype = numeric,
    multirange_type_name = amountsmulti);
CREATE TYPE textrange AS RANGE (subtype = text);
CREATE TYPE nothing AS ();
CREATE TABLE pets (name text, gone int, born date);
ALTER TABLE pets DROP COLUMN gone;
"""


def columns():
    """(name, type, values) of every column of the tables."""
    every = {**SCALARS, **NESTED}
    return [(f"c{i}", name, every[name]) for i, name in enumerate(every)]


def policy():
    rules = harness.default_policy()["rules"]
    protect = [{"name": mask, "columns": [f"public.m_{mask}.c*"],
                "mask": mask, "clear_for": [{"agent": "none"}]}
               for mask in MASKS]
    return {"protect": protect, "rules": rules}


def prepared(world):
    """A Sallyport before one table for each mask, with the same rows."""
    s = world.prepare(policy=policy(), database=world.pg.copy_of_shop())
    list_of_columns = columns()
    with world.pg.connect(s.database) as c:
        c.execute("SET DateStyle = ISO")
        c.execute(TYPES)
        defined = ", ".join(f"{n} {t}" for n, t, _ in list_of_columns)
        c.execute(f"CREATE TABLE clear (id int, {defined})")
        rows = max(len(v) for _, _, v in list_of_columns)
        names = ", ".join(n for n, _, _ in list_of_columns)
        for i in range(rows):
            values = [v[i] if i < len(v) else None
                      for _, _, v in list_of_columns]
            marks = ", ".join(f"%s::text::{t}" if v is not None
                              else "%s::text::" + t
                              for (_, t, _), v in zip(list_of_columns, values))
            c.execute(f"INSERT INTO clear (id, {names}) VALUES ({i}, {marks})",
                      values)
        for mask in MASKS:
            c.execute(f"CREATE TABLE m_{mask} AS TABLE clear")
        c.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO sallyport")
    return s.start()


def raw(connection, table, binary, names):
    """Rows of bytes, as they are on the wire."""
    result = connection.pgconn.exec_params(
        f"SELECT {names} FROM {table} ORDER BY id".encode(), [], None, None,
        binary)
    assert result.status == psycopg.pq.ExecStatus.TUPLES_OK, \
        result.error_message
    return [[result.get_value(r, c) for c in range(result.nfields)]
            for r in range(result.ntuples)]


def takes_back(connection, type_name, value, binary):
    """The database's own words for the value it is given; AssertionError if
    it does not take it."""
    result = connection.pgconn.exec_params(
        f"SELECT ($1::{type_name})::text".encode(), [value], None, [binary], 0)
    assert result.status == psycopg.pq.ExecStatus.TUPLES_OK, \
        (type_name, value, result.error_message)
    return result.get_value(0, 0)


def check_column(direct, mask, column, clear, masked, binary):
    """What the database understands of each value; None for NULL."""
    _, type_name, _ = column
    understood = []
    for was, now in zip(clear, masked):
        where = (mask, type_name, "binary" if binary else "text", was, now)
        if was is None:
            assert now is None, where
        assert now is None or now != was or mask in COARSE, where
        understood.append(now if now is None else
                          takes_back(direct, type_name, now, binary))
    return understood


def check_mask(s, world, mask, settings=""):
    """Both formats of every column; {(type, is_binary): what the database
    understands of the values}."""
    every = columns()
    names = ", ".join(n for n, _, _ in every)
    understood = {}
    with s.connect() as agent, world.pg.connect(s.database) as direct:
        for c in (agent, direct):
            c.execute("SET DateStyle = ISO")
            if settings:
                c.execute(settings)
        for binary in (0, 1):
            clear = raw(direct, "clear", binary, names)
            masked = raw(agent, f"m_{mask}", binary, names)
            assert len(clear) == len(masked) > 5
            for i, column in enumerate(every):
                understood[column[1], binary] = check_column(
                    direct, mask, column, [r[i] for r in clear],
                    [r[i] for r in masked], binary)
    return understood


def psycopg_decodes(s, mask):
    for binary in (False, True):
        with s.connect() as agent:
            cursor = agent.cursor(binary=binary)
            for name, type_name, _ in columns():
                try:
                    cursor.execute(f"SELECT {name} FROM m_{mask}")
                    cursor.fetchall()
                except psycopg.DataError as e:
                    # Python has no year 12345, and none before 1
                    assert "year" in str(e) or "too " in str(e) or \
                        "Python" in str(e), (mask, type_name, binary, e)


# of which types each mask makes values, not only NULLs; in both formats
MAKES = {
    "redact": {"text", "varchar(20)", "name", "json", "jsonb", "xml",
               "text[]", "json[]", "jsonb[]", "mail", "mail[]", "tags",
               "tags[]", "person", "person[]", "place", "place[]", "guest",
               "int4[]", "mood[]", "pets", "pets[]",
               "citext", "citext[]"},
    "null": set(),
    "email": {"text", "text[]", "citext", "citext[]", "mail", "mail[]",
              "place"},
    "last4": {"text", '"char"', "text[]", "mail[]", "person"},
    "pseudonym": {"int2", "int4", "int8", "float4", "float8", "numeric",
                  "money", "text", "name", "bytea", "date", "time", "timetz",
                  "timestamp", "timestamptz", "uuid", "inet", "cidr",
                  "macaddr", "macaddr8", "oid", "int4[]", "text[]",
                  "numeric[]", "float8[]", "date[]", "timestamptz[]",
                  "bytea[]", "uuid[]", "inet[]", "money[]", "amount",
                  "amount[]", "person", "person[]", "place", "place[]"},
    "hash": {"text", "uuid", "xml", "text[]", "uuid[]", "person"},
    "year": {"date", "timestamp", "timestamptz", "date[]", "timestamptz[]",
             "daterange", "tsrange", "tstzrange", "datemultirange",
             "daterange[]", "person"},
    "round": {"int2", "int4", "int8", "float4", "float8", "numeric", "money",
              "oid", "int4[]", "numeric[]", "float8[]", "money[]",
              "int4range", "int8range", "numrange", "int4multirange",
              "nummultirange", "int4range[]", "int4multirange[]", "amount",
              "amount[]", "amounts", "amountsmulti", "person", "place"},
}


def check_formats_agree(mask, understood):
    """A value has the same mask in both formats, if it has one in both."""
    for _, type_name, values in columns():
        for i, value in enumerate(values):
            both = [understood[type_name, binary][i] for binary in (0, 1)]
            assert None in both or both[0] == both[1], \
                (mask, type_name, value, both)


def test_masked_values_of_every_type_are_values_of_the_type(world):
    s = prepared(world)
    for mask in MASKS:
        understood = check_mask(s, world, mask)
        check_formats_agree(mask, understood)
        made = {key for key, values in understood.items() if any(values)}
        lost = {(t, binary) for t in MAKES[mask] for binary in (0, 1)} - made
        assert not lost, (mask, lost)
        assert mask != "null" or not made, made


def test_masked_values_of_every_type_are_decoded_by_psycopg(world):
    s = prepared(world)
    for mask in MASKS:
        psycopg_decodes(s, mask)


def test_masks_follow_every_style_of_output(world):
    s = prepared(world)
    styles = ["SET DateStyle = 'SQL, DMY'", "SET DateStyle = 'SQL, MDY'",
              "SET DateStyle = German", "SET DateStyle = 'Postgres, DMY'",
              "SET DateStyle = 'Postgres, MDY'", "SET DateStyle = 'ISO, DMY'",
              "SET bytea_output = escape", "SET extra_float_digits = 0",
              "SET extra_float_digits = -15", "SET xmlbinary = hex",
              "SET TimeZone = 'Asia/Kathmandu'",
              "SET TimeZone = 'America/St_Johns'"]
    styles += [f"SET IntervalStyle = {style}" for style in
               ("sql_standard", "postgres", "postgres_verbose", "iso_8601")]
    for style in styles:
        for mask in ("pseudonym", "year", "round", "redact"):
            check_mask(s, world, mask, style)


def test_row_of_a_protected_table_is_masked_column_by_column(world):
    s = world.sallyport()
    with s.wire() as w:
        sql = "SELECT p FROM payments_2025 p LIMIT 1"
        for replies in (w.query(sql), w.extended(sql, results=(1,))):
            value, = replies.rows[0]
            assert b"[redacted]" in value, value
            assert b"4000" not in value and b"2025" not in value, value


def test_detectors_look_into_arrays_and_rows(world):
    s = world.sallyport()
    sql = ("SELECT ARRAY['a', '4000008293489519', 'x ' || 'c' || chr(64) || "
           "'d.org, y', NULL]")
    with s.connect() as c:
        for binary in (False, True):
            row = c.cursor(binary=binary).execute(sql).fetchone()
            assert row == (["a", "[redacted]", "x [redacted], y", None],), row
        row = c.cursor(binary=True).execute(
            "SELECT ROW(1, '4000008293489519'::text)").fetchone()
        assert row == ((1, "[redacted]"),), row


def test_length_before_a_value_hides_no_card_number(world):
    """In binary an element follows its length, which may look like a digit."""
    s = world.sallyport()
    card = "4000008293489519"
    with s.wire() as w:
        for spaces in range(30, 48):  # lengths 0 … 9 of ASCII, and around
            text = card + " " * (spaces - len(card) + 10)
            replies = w.extended(f"SELECT ARRAY['{text}']", results=(1,))
            assert card.encode() not in (replies.rows[0][0] or b""), spaces


def test_catalogue_of_an_older_version_is_made_again(world):
    """The store's format is a number under the key F."""
    s = world.sallyport()
    with s.connect() as c:
        c.execute("SELECT email FROM customers WHERE id = 1")
    s.end(signal.SIGTERM)
    path = os.path.join(s.folder, "state", "catalog", "data.mdb")
    with open(path, "r+b") as f:
        content = f.read()
        found = list(re.finditer(rb"F[\x02-\x40]\0{7}", content))
        assert found
        for at in found:
            f.seek(at.start() + 1)
            f.write(b"\x01")
    s.start()
    with s.connect() as c:
        row = c.execute("SELECT email FROM customers WHERE id = 1").fetchone()
        assert row == ("b***@example.org",), row
