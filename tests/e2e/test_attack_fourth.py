"""Ways around the gate that a fourth attacker found.

What this one looked for is text that Sallyport cannot read and the server
can, and statements whose records do not tell what ran.
"""

import pgwire
from expect import denied, ok
from pgwire import FLUSH, SYNC, bind, execute, message, parse, query
from test_attack import found, guarded, without_detectors
from test_attack_third import INT4EQ

# A constant of type `trap` runs code as soon as it is parsed.
TRAP = """
CREATE SEQUENCE sprung;
GRANT USAGE ON SEQUENCE sprung TO public;
CREATE FUNCTION spring(int) RETURNS boolean LANGUAGE plpgsql AS
'BEGIN PERFORM nextval(''sprung''); RAISE ''%'', (SELECT max(upper(email))
FROM customers WHERE id = 1) USING ERRCODE = ''42601''; END';
CREATE DOMAIN sprung_by AS int CHECK (spring(VALUE));
CREATE TYPE trap AS (a sprung_by);
"""

# Unreadable to Sallyport, in every way in which it says so.
UNREADABLE = [
    "{}, $0000000001", "{}, $4294967297", "{}, U&'x' UESCAPE $$a$$",
    "{}, U&'x' UESCAPE E'a'", "{}, U&'x' UESCAPE B'1'", "\v {}",
    "{}, 1e5$$a$$", "{}, U&'x' UESCAPE", "{}, 0x1F$$a$$", "{}, $1a$$a$$",
    "{}, 1_000", "{}, 0x1F", "{}, 1a", "{}, $1a", "{}, 1e", "{}, '", "{}, \"",
    "{}, $$", "{}, /*", "{}, \\", "{}, E'\\u12'", "{}, U&'\\12'",
    '{}, U&"\\12"', "{}, U&'!12' UESCAPE '!'", "{}, 1.5e+", "{}, E'\\xff'",
    "{}, @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@ 1"]


def test_text_shown_to_the_server_runs_no_code(world):
    s = guarded(world, database=world.pg.copy_of_shop())
    world.pg.ask(TRAP, s.database)
    trap = "SELECT '(5)'::trap"
    with s.wire() as w:
        for text in UNREADABLE:
            for way in (w.query, w.extended):
                replies = way(text.format(trap))
                heard = repr(replies.messages).encode()
                assert len(replies.errors) == 1, (text, replies.messages)
                assert not found(heard), (text, replies.messages)
                assert world.pg.ask("SELECT is_called FROM sprung",
                                    s.database)[0][0] is False, text


# --- settings that change when nobody expects it -----------------------------

# One constant, or a column, as standard_conforming_strings has it.
HIDDEN = r"SELECT '\'' , upper(email) FROM customers WHERE id = 1 --'"
TURN = "SELECT set_config('standard_conforming_strings', 'off', false)"


def direct(world, sallyport):
    """The same database, with nobody between."""
    w = pgwire.Wire(f"{world.pg.folder}/.s.PGSQL.{world.pg.port}")
    return w.login("owner", "", sallyport.database)


def run(sql, rows=0):
    return parse(sql) + bind() + execute(rows=rows)


def unbound(world):
    """Everything is allowed, and values are protected all the same."""
    policy = without_detectors()
    policy["rules"] = [{"name": "free", "does": ["any"], "then": "allow"}]
    policy["rules"] += [{"name": kind, "does": ["any"], "has": [kind],
                         "then": "allow"}
                        for kind in ("unknown-function", "escaping-function")]
    policy["examples"] = []
    s = world.writable(policy=policy)
    world.pg.ask("GRANT CREATE ON SCHEMA public TO public", s.database)
    return s


def test_code_left_for_the_end_of_a_transaction_changes_no_reading(world):
    """COMMIT runs the query of a cursor WITH HOLD; what it set is told at the
    next ReadyForQuery only."""
    s = unbound(world)
    for end in ("COMMIT", "COMMIT AND CHAIN", "END"):
        for parts, syncs in (((run(end), run(HIDDEN), SYNC), 1),
                             ((run(end), FLUSH, run(HIDDEN), SYNC), 1),
                             ((run(end), query(HIDDEN)), 1),
                             ((query(end), run(HIDDEN), SYNC), 2),
                             ((query(end), query(HIDDEN)), 2)):
            with s.wire() as w:
                ok(w.query("BEGIN"))
                ok(w.query("DECLARE c CURSOR WITH HOLD FOR " + TURN))
                replies = w.exchange(*parts, syncs=syncs)
            heard = repr(replies.messages).encode()
            assert not found(heard), (end, replies.messages)


def test_no_view_leads_to_the_settings(world):
    s = unbound(world)
    with s.wire() as w:
        ok(w.query("SELECT name FROM pg_settings LIMIT 1"))
        ok(w.query("CREATE TABLE kept AS SELECT name FROM pg_settings"))
        for sql in ("CREATE VIEW v AS SELECT * FROM pg_settings",
                    "CREATE OR REPLACE TEMP VIEW v AS SELECT * FROM "
                    "pg_catalog.pg_settings",
                    "CREATE RULE r AS ON UPDATE TO kept DO INSTEAD UPDATE "
                    "pg_settings SET setting = new.name"):
            denied(w.query(sql))


# --- records -----------------------------------------------------------------

def test_whatever_ends_a_statement_it_has_one_result(world):
    s = world.prepare(database=world.pg.copy_of_shop())
    s.policy["rules"][0]["limits"] = {"rows": 5}
    s.policy["rules"].append({"name": "calls", "does": ["function-call"],
                              "then": "allow"})
    s.write_all()
    s.start()
    rows = "SELECT id FROM customers"
    ways = {
        "a portal in parts": run(rows, 1) + execute(rows=1) * 3 + SYNC,
        "more than its rows": run(rows, 3) + execute(rows=9) + execute()
        + SYNC,
        "cut, and more behind it": run(rows) + run("SELECT 1") + SYNC,
        "no portal": execute("none") + run("SELECT 1") + SYNC,
        "cut behind a flush": run(rows) + FLUSH + run("SELECT 1") + SYNC,
        "a copy": query("COPY (SELECT name FROM customers WHERE id = 1) "
                        "TO STDOUT"),
        "a copy that is cut": query("COPY customers (name) TO STDOUT"),
        "a copy behind an error": run("SELECT 1/0")
        + run("COPY customers (name) TO STDOUT") + SYNC,
        "a copy that fails": query("COPY (SELECT name, 1/0 FROM customers) "
                                   "TO STDOUT"),
        "a call": INT4EQ,
        "a call that fails": message(b"F", INT4EQ[5:-7] + b"x\0\0"),
        "broken text": run("SELECT 1") + parse("SELECT 'open") + run("SELECT 2")
        + SYNC}
    for name, parts in ways.items():
        seen = len(s.sink.find("disconnect"))
        with s.wire() as w:
            try:
                w.exchange(parts)
            except pgwire.Closed:
                pass
        s.sink.wait("disconnect", seen + 1)
        allowed = [(r["session"], r["seq"]) for r in s.sink.find("statement")
                   if r["decision"] == "allow"]
        results = [(r["session"], r["statement_seq"])
                   for r in s.sink.find("result")]
        assert sorted(allowed) == sorted(results), name


# --- what COPY writes --------------------------------------------------------

VALUES = """
CREATE TABLE bytes AS SELECT n, at, overlay(repeat('-', width)
    PLACING chr(n) FROM at + 1 FOR 1) AS v
FROM generate_series(1, 128) n, generate_series(1, 19) width,
    generate_series(0, 17) at WHERE at < width AND width IN (at + 1, 9, 18);
INSERT INTO bytes SELECT 0, n, v FROM unnest(ARRAY['', NULL, '\\N', '\\.',
    '--------', 'NULL']) WITH ORDINALITY u (v, n);
GRANT SELECT ON bytes TO public
"""
TEXTS = [{"DELIMITER": f"E'\\x{ord(c):02x}'", **null}
         for c in "\t|, -\1~\x7f[]"
         for null in ({}, {"NULL": "''"}, {"NULL": "'NULL'"})]
CSVS = [{"DELIMITER": f"E'\\x{ord(d):02x}'", "QUOTE": f"E'\\x{ord(q):02x}'",
         "ESCAPE": f"E'\\x{ord(e):02x}'", "NULL": null}
        for d in ",-a" for q in "\"'x" for e in "\"\\-"
        for null in ("''", "'\\N'")]


def copied(w, sql):
    replies = ok(w.query(sql))
    return b"".join(replies.bodies(b"d"))


def test_masked_copy_writes_every_byte_as_the_server_does(world):
    s = guarded(world, database=world.pg.copy_of_shop())
    world.pg.ask(VALUES, s.database)
    with s.wire() as w, direct(world, s) as owner:
        for kind, sets in (("text", TEXTS), ("csv", CSVS)):
            for options in sets:
                way = ", ".join([f"FORMAT {kind}"] + [
                    f"{k} {v}" for k, v in options.items()])
                got, want = (copied(wire, f"""COPY (SELECT v, {ssn} FROM
                    bytes b, customers c WHERE c.id = 1
                    ORDER BY b.n, b.at, length(v)) TO STDOUT ({way})""")
                    for wire, ssn in ((w, "ssn"), (owner, "'[redacted]'")))
                assert len(want) > 100000 and got == want, way


# --- broken text in step with the server -------------------------------------

OPEN = "SELECT 'open"
COPY_IN = "COPY tickets (id) FROM STDIN"


def test_broken_text_leaves_the_session_as_at_the_server(world):
    s = world.writable()
    steps = {
        "a pipeline": (run("SELECT 1"), run(OPEN), run("SELECT 2"), SYNC,
                       run("SELECT 3"), SYNC),
        "with flushes": (run("SELECT 1"), FLUSH, parse(OPEN), FLUSH,
                         run("SELECT 2"), FLUSH, SYNC),
        "queries": (query(OPEN), query("SELECT 1"), query(OPEN)),
        "a query amid a batch": (run("SELECT 1"), query(OPEN),
                                 query("SELECT 2"), SYNC),
        "the unnamed statement": (parse("SELECT 1"), SYNC, query(OPEN),
                                  bind(), execute(), SYNC),
        "a failed transaction": (query("BEGIN"), query("SELECT 1/0"),
                                 query(OPEN), run(OPEN), SYNC,
                                 query("ROLLBACK")),
        "its own savepoint": (query("BEGIN"), query("SAVEPOINT a"),
                              query(OPEN), query("ROLLBACK TO a"),
                              query("SELECT 1"), query("COMMIT")),
        "implicit work": (run("DELETE FROM tickets WHERE id = 1"),
                          query(OPEN), query("SELECT count(*) FROM tickets "
                                             "WHERE id = 1")),
        "two in a batch": (run(OPEN), run(OPEN), SYNC, query("SELECT 1")),
        "behind a copy": (query(COPY_IN), message(b"f", b"no\0"),
                          query(OPEN), query("SELECT 1"))}
    for name, parts in steps.items():
        told = []
        for wire in (s.wire("alice"), direct(world, s)):
            with wire:
                wire.send(*parts, pgwire.TERMINATE)
                told.append([(k, b) if k in b"DZC" else (k, k == b"E" and
                             pgwire.error_fields(b)["C"])
                            for k, b in wire.rest().messages])
        assert told[0] == told[1], (name, *told)


HIDDEN_SETTER = """
    CREATE FUNCTION turns() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
        PERFORM set_config('standard_conforming_strings', 'off', false);
        RETURN 1; END $$;
    CREATE VIEW quiet AS SELECT turns() AS x"""


def test_text_after_code_that_nobody_named_is_read_as_it_will_be(world):
    """A view turns a setting between two texts of one batch."""
    s = guarded(world, database=world.pg.copy_of_shop())
    world.pg.ask(HIDDEN_SETTER, s.database)
    world.pg.ask("GRANT SELECT ON quiet TO public", s.database)
    hidden = r"SELECT '\' , ' , email || '' FROM customers -- '"
    with s.wire() as w:
        w.query("SELECT 1")
        replies = w.exchange(
            parse("SELECT * FROM quiet"), bind(),
            execute(), parse(hidden), bind(),
            execute(), SYNC)
        assert b"example.org" not in repr(replies.messages).encode()
        assert replies.errors, replies.messages
