"""COPY from and to the client, masked and not."""

import pgwire
from expect import denied, fails
from harness import until

CANARIES = (b"bruno.berger1@example.org", b"Bruno Berger", b"101-02-0008",
            b"4000008293489519", b"DE68373737373207712927",
            b"+1 202 555 0037")
DONE = pgwire.message(b"c")


def data(*pieces):
    return b"".join(pgwire.message(b"d", piece) for piece in pieces)


def give_up(reason="no more"):
    return pgwire.message(b"f", pgwire.string(reason))


def copied(replies):
    """The bytes of all CopyData messages."""
    return b"".join(replies.bodies(b"d"))


def direct(world, database="shop"):
    w = pgwire.Wire(("127.0.0.1", world.pg.port))
    return w.login("owner", "", database=database)


def holds_no_canary(bytes_out):
    assert not [c for c in CANARIES if c in bytes_out], bytes_out[:2000]


# --- out, with nothing protected ---------------------------------------------

OUT = ("COPY customers TO STDOUT",
       "COPY customers (email, id) TO STDOUT CSV HEADER",
       "COPY customers TO STDOUT (FORMAT binary)",
       "COPY (SELECT * FROM orders ORDER BY id) TO STDOUT "
       "WITH (FORMAT csv, HEADER, DELIMITER ';', FORCE_QUOTE *)",
       "COPY (SELECT 1 WHERE false) TO STDOUT (FORMAT binary)",
       "COPY (SELECT repeat('x', 1000000), n FROM generate_series(1, 5) n) "
       "TO STDOUT")


def test_unprotected_copy_out_is_byte_for_byte_the_servers(world):
    s = world.sallyport()
    with s.wire("alice") as w, direct(world) as d:
        for sql in OUT:
            ours, theirs = w.query(sql), d.query(sql)
            assert ours.messages == theirs.messages, sql
            ours, theirs = w.extended(sql), d.extended(sql)
            assert ours.messages == theirs.messages, sql


def test_copies_and_other_statements_share_a_message(world):
    s = world.sallyport()
    sql = ("SELECT 1; COPY (SELECT 2) TO STDOUT; SELECT 3; "
           "COPY (SELECT 4) TO STDOUT CSV")
    with s.wire("alice") as w, direct(world) as d:
        assert w.query(sql).messages == d.query(sql).messages


def test_result_event_has_rows_and_bytes_of_copy_out(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        out = copied(w.query("COPY products TO STDOUT"))
    record = s.sink.outcome("copy products to stdout")
    assert record["rows"] == 60 and record["bytes"] >= len(out), record
    assert record["operations"] == ["copy-out"], record


# --- out, masked -------------------------------------------------------------

MASKED = ("COPY customers TO STDOUT",
          "COPY public.customers(id,name,email,phone,ssn,card_number,"
          "birth_date,iban,city,country,credit_limit,loyalty,notes,"
          "created_at) TO STDOUT WITH CSV HEADER QUOTE AS ''''",
          "COPY customers TO STDOUT (FORMAT binary)",
          "COPY BINARY customers TO STDOUT",
          "COPY customers TO STDOUT USING DELIMITERS '|' WITH NULL AS '-'",
          "COPY (SELECT * FROM customers) TO STDOUT "
          "(FORMAT csv, DELIMITER ';', NULL '~', QUOTE '@', ESCAPE '!', "
          "FORCE_QUOTE (email, notes), ENCODING 'utf-8')",
          "COPY (TABLE customers) TO STDOUT (FORMAT 'text', HEADER true)")
OPTIONS = ("", "CSV HEADER QUOTE AS ''''", "(FORMAT binary)",
           "(FORMAT binary)", "USING DELIMITERS '|' WITH NULL AS '-'",
           "(FORMAT csv, DELIMITER ';', NULL '~', QUOTE '@', ESCAPE '!', "
           "FORCE_NULL (name))", "(FORMAT text, HEADER true)")


def read_back(world, bytes_in, options):
    """What the server reads these bytes as, as rows of customers."""
    with world.pg.connect() as c:
        c.execute("CREATE TEMP TABLE again (LIKE customers)")
        c.execute("ALTER TABLE again ALTER email DROP NOT NULL, "
                  "ALTER name DROP NOT NULL")
        with c.cursor().copy(f"COPY again FROM STDIN {options}") as copy:
            copy.write(bytes_in)
        return c.execute("SELECT * FROM again ORDER BY id").fetchall()


def test_masked_copy_reads_back_and_holds_nothing_protected(world):
    s = world.sallyport()
    with s.connect("alice+copilot") as c:
        wanted = c.execute(
            "SELECT * FROM ONLY customers ORDER BY id").fetchall()
    with s.wire() as w:
        for sql, options in zip(MASKED, OPTIONS):
            for replies in (w.query(sql), w.extended(sql)):
                assert not replies.errors, (sql, replies.errors)
                out = copied(replies)
                holds_no_canary(out)
                rows = read_back(world, out, options)
                rows = [r for r in rows if r[0] <= 1000]  # a child's
                assert len(rows) == 1000
                for ours, theirs in zip(rows, wanted):
                    assert ours[0] == theirs[0] and ours[2] == theirs[2]
                    assert ours[4].strip() == theirs[4].strip()
                    assert ours[5:9] == theirs[5:9], (sql, ours, theirs)


def test_masked_copy_looks_like_the_servers_own(world):
    """The kinds and counts of messages, formats, tags; and where nothing is
    masked every byte, whatever the format's options."""
    s = world.sallyport()
    plain = ("COPY (SELECT * FROM (VALUES (1, E'a\\tb\\\\c\\nd', NULL), "
             "(2, '', 'x;\"y'), (3, '\\.', '~'), (4, E'\\b\\f\\r\\v|', "
             "'-')) v(a, b, c)) TO STDOUT ")
    options = ("", "(DELIMITER '|', NULL '')", "CSV", "CSV HEADER",
               "CSV NULL '~' DELIMITER ';'", "CSV QUOTE 'x' ESCAPE 'y'",
               "CSV FORCE QUOTE b, c", "CSV FORCE QUOTE *", "BINARY",
               "(FORMAT csv, HEADER off)", "(HEADER)",
               "(FORMAT binary, FREEZE false)",
               "CSV QUOTE '\\' ESCAPE '\"'", "(DELIMITER E'\\x0b')")
    with s.wire() as w, direct(world) as d:
        for option in options:
            ours, theirs = w.query(plain + option), d.query(plain + option)
            if "FREEZE" in option:
                denied(ours)
                continue
            assert ours.messages == theirs.messages, (
                option, ours.messages, theirs.messages)
        for sql in ("COPY (SELECT 'x' WHERE false) TO STDOUT BINARY",
                    "COPY (SELECT '\\.') TO STDOUT CSV",
                    "COPY (SELECT FROM generate_series(1, 3)) TO STDOUT",
                    "COPY (SELECT 1/(n - 3) FROM generate_series(1, 5) n) "
                    "TO STDOUT"):
            ours, theirs = w.query(sql), d.query(sql)
            assert ours.kinds == theirs.kinds, sql
            assert copied(ours) == copied(theirs), sql
            ours, theirs = w.extended(sql), d.extended(sql)
            assert ours.kinds == theirs.kinds, sql


def test_agent_copies_what_psycopg_reads(world):
    s = world.sallyport()
    sql = "COPY (SELECT id, email, birth_date FROM customers WHERE id = 1) " \
          "TO STDOUT"
    with s.connect("alice+copilot") as c:
        with c.cursor().copy(sql) as copy:
            copy.set_types(["int4", "text", "date"])
            assert [r[1] for r in copy.rows()] == ["b***@example.org"]
        with c.cursor().copy(sql + " (FORMAT binary)") as copy:
            copy.set_types(["int4", "text", "date"])
            row = list(copy.rows())[0]
        assert row[0] == 1 and row[1] == "b***@example.org"
        assert row[2].isoformat() == "1961-01-01"
        assert c.execute("SELECT 1").fetchone() == (1,)


def test_detectors_look_into_copied_text(world):
    s = world.sallyport()
    with s.wire() as w:
        out = copied(w.query("COPY (SELECT body FROM tickets) TO STDOUT CSV"))
        lines = out.splitlines()
        assert len(lines) == 100
        assert not [n for n in lines if b"[redacted]" not in n], out
    record = s.sink.outcome("copy ( select body from tickets ) to stdout")
    assert record["masked"] == 100 and record["rows"] == 100, record


def test_copy_out_obeys_row_limits(world):
    s = world.prepare()
    s.policy["rules"].append(
        {"name": "few rows", "does": ["read"], "then": "allow",
         "limits": {"rows": 10}})
    s.write_all()
    s.start()
    for login in ("alice", "alice+copilot"):
        with s.wire(login) as w:
            for options in ("", "CSV HEADER", "BINARY"):
                within = w.query("COPY (SELECT id FROM products WHERE id <= "
                                 f"10) TO STDOUT {options}")
                assert within.tags == ["COPY 10"], (login, options)
                over = w.query(f"COPY products (id) TO STDOUT {options}")
                assert fails(over, "54000") and not over.tags
                header = options == "CSV HEADER"
                assert len(over.bodies(b"d")) <= 10 + header, options
                over = w.extended(f"COPY products TO STDOUT {options}")
                assert fails(over, "54000") and not over.tags
            assert w.query("SELECT 1").rows == [[b"1"]]


ATTACKS = (
    # the same question as a text in disguise
    "copy/**/customers--x\n(email)/*TO STDIN*/to/**/stdout",
    'COPY "customers" ("email") TO STDOUT',
    'COPY public."customers" (U&"\\0065mail") TO STDOUT',
    "COPY customers (email) TO STDIN",
    # delimiters and NULL strings that move the bounds of values
    "COPY customers (id, email) TO STDOUT (DELIMITER '*')",
    "COPY customers (id, email) TO STDOUT (DELIMITER '@')",
    "COPY customers (id, email) TO STDOUT CSV DELIMITER 'e' QUOTE '@'",
    "COPY customers (email) TO STDOUT (NULL 'bruno.berger1@example.org')",
    "COPY customers (email) TO STDOUT CSV NULL 'bruno.berger1@example.org'",
    "COPY customers (email) TO STDOUT CSV QUOTE 'b' ESCAPE 'r'",
    # ways around the relation
    "COPY (SELECT mail FROM contacts) TO STDOUT",
    "COPY (SELECT loud FROM shouted) TO STDOUT",
    "COPY vip_customers TO STDOUT",
    "COPY payments_2025 TO STDOUT",
    "COPY (WITH x AS (SELECT email e FROM customers) SELECT e FROM x) "
    "TO STDOUT",
    "COPY (SELECT c FROM customers c) TO STDOUT",
    "COPY (SELECT c.* FROM (SELECT email AS id FROM customers) c) TO STDOUT",
    "COPY (SELECT max(email) FROM customers) TO STDOUT BINARY",
    "COPY (SELECT email || '' FROM customers) TO STDOUT",
    "COPY customers (customers) TO STDOUT",
    "COPY ((SELECT email FROM customers)) TO STDOUT",
    "COPY (VALUES ((SELECT email FROM customers WHERE id = 1))) TO STDOUT",
    "COPY (SELECT array_agg(email) FROM customers) TO STDOUT",
    "COPY (SELECT row_to_json(c) FROM customers c) TO STDOUT",
)


def test_no_copy_carries_a_protected_value_out(world):
    s = world.sallyport()
    everything = [value.encode() for row in world.pg.ask(
        "SELECT email, ssn, card_number, iban FROM customers")
        for value in row]
    with s.wire() as w:
        for sql in ATTACKS:
            for replies in (w.query(sql), w.extended(sql)):
                told = b"".join(b for _, b in replies.messages)
                found = [v for v in everything if v in told
                         and v.decode() not in sql]
                assert not found, (sql, found[:3], told[:500])
                assert "H" in replies.kinds or replies.errors, sql
                assert b"BRUNO" not in told, sql
        assert w.query("SELECT 1").rows == [[b"1"]]


REFUSED = (
    "COPY customers TO STDOUT (ENCODING 'LATIN1')",
    "COPY customers TO STDOUT (FORMAT csv, FORMAT csv)",
    "COPY customers TO STDOUT (FORMAT xml)",
    "COPY customers TO STDOUT (FORMAT csv, DELIMITER '12')",
    "COPY customers TO STDOUT (NEW_OPTION 1)",
    "COPY customers TO STDOUT CSV QUOTE ','",
    "COPY customers TO STDOUT BINARY DELIMITER ','",
    "COPY customers TO STDOUT (HEADER maybe)",
    "COPY customers (email, email) TO STDOUT",
    "COPY (DELETE FROM tickets WHERE id = 1) TO STDOUT",
    "COPY (SELECT email INTO stolen FROM customers) TO STDOUT",
    "COPY (DROP TABLE tickets) TO STDOUT",
    "COPY (SELECT 1); DROP TABLE tickets; SELECT (1) TO STDOUT",
    "COPY customers TO STDOUT; SELECT 1",
    "SELECT 1; COPY customers TO STDOUT",
    "COPY (COPY customers TO STDOUT) TO STDOUT",
    "COPY (EXECUTE something) TO STDOUT",
    "COPY (SELECT $1) TO STDOUT",
    "COPY contacts TO STDOUT",
    "COPY payments TO STDOUT",
    "COPY customers (nosuch) TO STDOUT",
    "COPY nosuch TO STDOUT",
    "COPY customers TO STDOUT CSV FORCE QUOTE nosuch",
)


def test_copy_that_cannot_be_masked_is_refused_and_runs_not(world):
    s = world.sallyport()
    with s.wire() as w:
        for sql in REFUSED:
            for replies in (w.query(sql), w.extended(sql)):
                assert len(replies.errors) == 1, (sql, replies.errors)
                assert "d" not in replies.kinds, sql
                assert w.query("SELECT 1").rows == [[b"1"]], sql
        assert w.query("SELECT count(*) FROM tickets").rows == [[b"100"]]


def test_copy_leaves_out_what_the_server_leaves_out(world):
    """Generated and dropped columns, none at all, other relations of the
    name, and 1,600 columns."""
    database = world.pg.copy_of_shop()
    with world.pg.connect(database) as c:
        c.execute("CREATE TABLE odd (gone int, a int, b int GENERATED ALWAYS "
                  "AS (a * 2) STORED, email text, c text)")
        c.execute("ALTER TABLE odd DROP gone")
        c.execute("INSERT INTO odd VALUES (1, DEFAULT, 'e@e.example', 'c')")
        c.execute("CREATE TABLE bare ()")
        c.execute("INSERT INTO bare DEFAULT VALUES")
        c.execute("CREATE TABLE wide (%s)" % ", ".join(
            f"c{n} int" for n in range(1600)))
        c.execute("INSERT INTO wide (c0, c1599) VALUES (1, 2)")
        c.execute("CREATE SCHEMA other")
        c.execute("CREATE TABLE other.customers (email int, id text)")
        c.execute("INSERT INTO other.customers VALUES (7, 'fine')")
        c.execute("GRANT USAGE ON SCHEMA other TO public")
        c.execute("GRANT ALL ON ALL TABLES IN SCHEMA public, other TO public")
    s = world.prepare(database=database)
    s.policy["protect"].append(
        {"name": "odd", "columns": ["public.odd.email"], "mask": "redact",
         "clear_for": [{"agent": "none"}]})
    s.write_all()
    s.start()
    with s.wire() as w, direct(world, database) as d:
        out = w.query("COPY odd TO STDOUT CSV HEADER")
        assert copied(out) == b"a,email,c\n1,[redacted],c\n", out.messages
        fails(w.query("COPY odd (b) TO STDOUT"), "42P10")
        for sql in ("COPY bare TO STDOUT", "COPY bare TO STDOUT BINARY",
                    "COPY wide TO STDOUT", "COPY wide TO STDOUT BINARY",
                    "COPY (SELECT * FROM wide) TO STDOUT CSV HEADER"):
            assert w.query(sql).messages == d.query(sql).messages, sql
        out = w.exchange(pgwire.query("BEGIN; SET LOCAL search_path TO other"),
                         pgwire.query("COPY customers TO STDOUT"),
                         pgwire.query("COMMIT"), syncs=3)
        assert copied(out) == b"7\tfine\n", out.messages
        holds_no_canary(copied(w.query("COPY customers TO STDOUT")))


def test_copy_of_changes_is_counted_and_undone(world):
    database = world.pg.copy_of_shop()
    s = world.prepare(database=database)
    s.policy["rules"][1]["limits"] = {"changed_rows": 5}
    s.policy["rules"][2]["limits"] = {"changed_rows": 5}
    s.write_all()
    s.start()
    few, many = (f"COPY (UPDATE products SET stock = stock + 1 WHERE id <= "
                 f"{n} RETURNING id) TO STDOUT" for n in (5, 6))

    def stock():
        return world.pg.ask("SELECT sum(stock) FROM products", database)[0][0]
    for login in ("alice", "alice+copilot"):
        with s.wire(login) as w:
            before = stock()
            assert w.query(few).tags == ["COPY 5"]
            assert stock() == before + 5
            for replies in (w.query(many), w.extended(many)):
                fails(replies, "54000")
                assert not replies.tags and stock() == before + 5
            assert w.extended(few).tags == ["COPY 5"]
            assert w.query("SELECT 1").rows == [[b"1"]]


# --- in ----------------------------------------------------------------------

def fresh(world):
    """A Sallyport before a shop of its own, with a table to copy into."""
    database = world.pg.copy_of_shop()
    with world.pg.connect(database) as c:
        c.execute("CREATE TABLE box (id int PRIMARY KEY, word text)")
        c.execute("GRANT ALL ON box TO public")
    s = world.prepare(database=database)
    s.policy["rules"].append(
        {"name": "agents copy in", "who": {"agent": "*"}, "to": ["public.*"],
         "does": ["copy-in"], "then": "allow"})
    return s


def box(world, s):
    return world.pg.ask("SELECT id, word FROM box ORDER BY id", s.database)


def ends_ready(w):
    replies = w.until(b"Z")
    assert w.query("SELECT 'next'").rows == [[b"next"]]
    return replies


def test_copy_in_of_every_format_by_psycopg(world):
    s = fresh(world)
    s.write_all()
    s.start()
    for first, login in ((0, "alice"), (100, "alice+copilot")):
        with s.connect(login) as c:
            with c.cursor().copy("COPY box FROM STDIN") as copy:
                copy.write_row((first + 1, "a\tb"))
            with c.cursor().copy("COPY box FROM STDIN CSV") as copy:
                copy.write(f'{first + 2},"x,y"\n')
            with c.cursor().copy("COPY box FROM STDIN BINARY") as copy:
                copy.set_types(["int4", "text"])
                copy.write_row((first + 3, "bin"))
            assert c.execute("SELECT 1").fetchone() == (1,)
    assert [w for _, w in box(world, s)] == ["a\tb", "x,y", "bin"] * 2
    record = s.sink.outcome("copy box from stdin csv")
    assert record["rows"] == 1 and record["changed"] == 1, record
    assert record["operations"] == ["copy-in"] and record["bytes"] > 8


def extended(sql):
    return (pgwire.parse(sql) + pgwire.bind() + pgwire.describe(b"P")
            + pgwire.execute())


IN = "COPY box FROM STDIN"
SCRIPTS = {
    "simple": ((pgwire.query(IN), data(b"1\ta\n", b"2\tb\n"), DONE), 1),
    "split rows": ((pgwire.query(IN), data(b"1", b"\ta\n2\t", b"b\n"), DONE),
                   1),
    "two in one message": ((pgwire.query(f"{IN}; SELECT 5; {IN}"),
                            data(b"1\ta\n"), DONE, data(b"2\tb\n"), DONE), 1),
    "a sync within": ((pgwire.query(IN), pgwire.SYNC, pgwire.FLUSH,
                       data(b"1\ta\n"), pgwire.SYNC, DONE), 1),
    "failed by the client": ((pgwire.query(IN), data(b"1\ta\n"), give_up()),
                             1),
    "bad data": ((pgwire.query(IN), data(b"x\n"), data(b"1\ta\n"), DONE), 1),
    "no such table": ((pgwire.query("COPY nosuch FROM STDIN"),
                       data(b"1\ta\n"), DONE), 1),
    "a view": ((pgwire.query("COPY contacts FROM STDIN"), data(b"1\ta\n"),
                DONE), 1),
    "stray data": ((data(b"1\ta\n"), DONE, give_up(),
                    pgwire.query("SELECT 1")), 1),
    "extended": ((extended(IN), data(b"1\ta\n"), DONE, pgwire.SYNC), 1),
    "extended as libpq": ((extended(IN), pgwire.SYNC, data(b"1\ta\n"), DONE,
                           pgwire.SYNC), 1),
    "extended, bad data": ((extended(IN), data(b"x\n"), data(b"2\ta\n"), DONE,
                            extended("SELECT 7"), pgwire.SYNC), 1),
    "extended, syncs before bad data":
        ((extended(IN), pgwire.SYNC, data(b"1\ta\n"), pgwire.SYNC,
          data(b"x\n"), DONE, pgwire.SYNC), 1),
    "extended, sync after bad data":
        ((extended(IN), data(b"x\n"), pgwire.SYNC, data(b"2\ta\n"), DONE,
          pgwire.SYNC), 2),
    "extended, syncs around bad data":
        ((extended(IN), pgwire.SYNC, data(b"x\n"), pgwire.SYNC, DONE,
          pgwire.SYNC, pgwire.query("SELECT 8")), 3),
    "simple, sync after bad data":
        ((pgwire.query(IN), data(b"x\n"), pgwire.SYNC, DONE,
          pgwire.query("SELECT 8")), 3),
    "simple, sync before bad data":
        ((pgwire.query(IN), pgwire.SYNC, data(b"x\n"), DONE,
          pgwire.query("SELECT 8")), 2),
    "extended, no such table, two syncs":
        ((extended("COPY nosuch FROM STDIN"), pgwire.SYNC, data(b"1\ta\n"),
          DONE, pgwire.SYNC), 2),
    "extended, then more": ((extended(IN), data(b"1\ta\n"), DONE,
                             extended("SELECT count(*) FROM box"),
                             pgwire.SYNC), 1),
    "extended, failed by the client":
        ((extended(IN), data(b"1\ta\n"), give_up(), pgwire.SYNC), 1),
    "two batches": ((extended(IN), data(b"1\ta\n"), DONE, pgwire.SYNC,
                     extended(IN), data(b"2\tb\n"), DONE, pgwire.SYNC), 2),
    "an end marker within": ((pgwire.query(IN), data(b"1\ta\n\\.\n9\tz\n"),
                              DONE), 1),
}


def test_copy_in_scripts_end_as_at_the_server(world):
    s = fresh(world)
    s.write_all()
    s.start()
    for name, (parts, syncs) in SCRIPTS.items():
        with direct(world, s.database) as d:
            d.query("TRUNCATE box")
            theirs = d.exchange(*parts, syncs=syncs)
            assert d.query("SELECT 'next'").rows == [[b"next"]], name
        rows = box(world, s)
        world.pg.ask("TRUNCATE box", s.database)
        with s.wire("alice") as w:
            ours = w.exchange(*parts, syncs=syncs)
            assert w.query("SELECT 'next'").rows == [[b"next"]], name
        assert ours.messages == theirs.messages, (
            name, ours.messages, theirs.messages)
        assert box(world, s) == rows, name


def test_other_messages_within_copy_in_end_the_session(world):
    s = fresh(world)
    s.write_all()
    s.start()
    for part in (pgwire.query("SELECT 1"), pgwire.parse("SELECT 1"),
                 pgwire.execute(), pgwire.message(b"~", b"?"),
                 pgwire.message(b"S", b"x" * 20000), b"d\0\0\0\2",
                 pgwire.TERMINATE):
        for start in (pgwire.query(IN), extended(IN)):
            with s.wire("alice") as w:
                w.send(start)
                w.until(b"G")
                w.send(data(b"1\ta\n"), part)
                ended = w.rest()
                assert "Z" not in ended.kinds, ended.messages
                assert part == pgwire.TERMINATE or fails(ended, "08P01")
    assert box(world, s) == []
    record = s.sink.outcome("copy box from stdin")
    assert record["sqlstate"] == "08006", record


def test_messages_larger_than_a_statement_may_be_stream_in(world):
    s = fresh(world)
    s.settings["statement_limit"] = "64KiB"
    s.write_all()
    s.start()
    piece = b"z" * 3_000_000
    with s.wire("alice") as w:
        w.send(pgwire.query(IN))
        w.until(b"G")
        w.send(data(b"1\t" + piece + b"\n", b"2\tb\n"), DONE)
        assert ends_ready(w).tags == ["COPY 2"]
        # thrown away, when nobody reads it
        w.send(data(b"3\t" + piece + b"\n"), DONE)
        assert w.query("SELECT 1").rows == [[b"1"]]
    assert [len(word) for _, word in box(world, s)] == [len(piece), 1]


def test_server_error_while_the_client_pumps_does_not_deadlock(world):
    s = fresh(world)
    s.write_all()
    s.start()
    piece = data(b"1\t" + b"y" * 60000 + b"\n") * 16
    with s.wire("alice") as w:
        w.send(pgwire.query(IN))
        w.until(b"G")
        for _ in range(40):  # the second row has the first one's key
            w.send(piece)
        w.send(DONE)
        fails(ends_ready(w), "23505")
    assert box(world, s) == []


def test_client_gone_in_mid_copy_leaves_nothing(world):
    s = fresh(world)
    s.write_all()
    s.start()
    with s.wire("alice") as w:
        w.send(pgwire.query(IN))
        w.until(b"G")
        w.send(data(b"1\ta\n"), b"d\0\1\0\0half")
    assert s.sink.outcome("copy box from stdin")["sqlstate"] == "08006"
    until(lambda: not world.pg.ask(
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'COPY box%' "
        "AND state = 'active'"), "the server to give up")
    assert box(world, s) == []


def test_time_limit_ends_a_copy_that_waits_for_data(world):
    s = fresh(world)
    s.policy["rules"].append(
        {"name": "quick", "does": ["copy-in"], "then": "allow",
         "limits": {"seconds": 1}})
    s.write_all()
    s.start()
    for start, end in ((pgwire.query(IN), b""),
                       (extended(IN) + pgwire.SYNC, DONE + pgwire.SYNC)):
        with s.wire("alice") as w:
            w.send(start)
            w.until(b"G")
            w.send(data(b"1\ta\n"))
            fails(w.until(b"E"), "57014")
            w.send(end)
            ends_ready(w)
    assert box(world, s) == []


def test_cancel_in_mid_copy_is_the_servers(world):
    s = fresh(world)
    s.write_all()
    s.start()
    with s.wire("alice") as w:
        w.send(pgwire.query("COPY (SELECT repeat('x', 9000), pg_sleep(0.01) FROM "
                            "generate_series(1, 100000)) TO STDOUT"))
        w.until(b"d")
        with s.bare_wire() as other:
            other.send(pgwire.cancel_request(w.pid, w.secret))
            other.rest()
        fails(ends_ready(w), "57014")


def test_changed_rows_undo_a_copy_in(world):
    s = fresh(world)
    s.policy["rules"].append(
        {"name": "a few", "does": ["copy-in"], "then": "allow",
         "limits": {"changed_rows": 2}})
    s.write_all()
    s.start()
    rows = [b"1\ta\n", b"2\tb\n", b"3\tc\n"]
    with s.wire("alice") as w:
        for start, end in ((pgwire.query(IN), b""),
                           (extended(IN), pgwire.SYNC),
                           (extended(IN) + pgwire.SYNC, pgwire.SYNC)):
            w.send(start)
            w.until(b"G")
            w.send(data(*rows), DONE, end)
            fails(ends_ready(w), "54000")
            assert box(world, s) == []
            w.send(start, data(*rows[:2]), DONE, end)
            assert ends_ready(w).tags == ["COPY 2"]
            assert len(box(world, s)) == 2
            world.pg.ask("TRUNCATE box", s.database)


def test_copy_in_waits_for_approval(world):
    s = fresh(world)
    s.policy["rules"].append(
        {"name": "ask first", "does": ["copy-in"], "then": "approve",
         "approve": {"by": [{"group": "dba"}], "of": 1, "within": "10m"}})
    s.write_all()
    s.start()
    with s.wire("alice") as w:
        w.send(pgwire.query(IN), data(b"1\ta\n"), DONE)
        w.until(b"N")
        assert box(world, s) == []
        s.operate("approve", "1")
        assert ends_ready(w).tags == ["COPY 1"]
        w.send(pgwire.query(IN), data(b"2\ta\n"), DONE)
        w.until(b"N")
        s.operate("deny", "2")
        fails(ends_ready(w), "42501")
    assert len(box(world, s)) == 1


def test_errors_of_copy_in_quote_nothing_protected(world):
    s = fresh(world)
    s.write_all()
    s.start()
    row = ("5001\tX\tbruno.berger1@example.org\t\\N\t\\N\t\\N\t\\N\t\\N\tC\t"
           "DK\t1\t1\t\\N\tnow\n").encode()
    with s.wire() as w:
        w.send(pgwire.query("COPY customers FROM STDIN"), data(row), DONE)
        error = fails(ends_ready(w), "23505")
        assert "bruno" not in str(error), error


def test_files_and_programs_are_operations_of_their_own(world):
    s = world.sallyport()
    for login in ("alice", "alice+copilot"):
        with s.wire(login) as w:
            for target, operation in (
                    ("TO '/tmp/x'", "copy-file"),
                    ("TO E'stdout'", "copy-file"),
                    ("TO /* STDOUT */ $$STDOUT$$", "copy-file"),
                    ("FROM 'stdin'", "copy-file"),
                    ("TO PROGRAM 'cat'", "copy-program"),
                    ("FROM PROGRAM 'stdin'", "copy-program"),
                    ("TO program U&'stdout'", "copy-program")):
                replies = w.query(f"COPY products {target}")
                if "$$" in target:
                    assert replies.errors, target
                    continue
                assert operation in denied(replies)["operations"], target


def test_psql_copies_both_ways(world):
    s = fresh(world)
    s.write_all()
    s.start()
    out = s.psql("\\copy (SELECT email FROM customers WHERE id = 1) to stdout")
    assert out.stdout == "b***@example.org\n", (out.stdout, out.stderr)
    out = s.psql("\\copy box from program 'printf \"1,a\\n2,b\\n\"' csv",
                 login="alice")
    assert out.stdout == "COPY 2\n", (out.stdout, out.stderr)


# --- the two together --------------------------------------------------------

def test_masked_copy_in_a_transaction_leaves_it_as_the_server_would(world):
    s = world.sallyport()
    good = "COPY (SELECT email FROM customers WHERE id = 1) TO STDOUT"
    with s.wire() as w:
        assert w.query("BEGIN").status == "T"
        for _ in range(3):
            replies = w.query(good)
            assert copied(replies) == b"b***@example.org\n"
            assert replies.status == "T" and replies.tags == ["COPY 1"]
        w.query("SAVEPOINT a")
        fails(w.query("COPY customers TO STDOUT (FORMAT xml)"))
        assert copied(w.query(good)), "a refusal left the transaction whole"
        assert fails(w.query("COPY (SELECT 1/0) TO STDOUT"), "22012")
        assert w.query("SELECT 1").status == "E"
        assert w.query("ROLLBACK TO a").status == "T"
        fails(w.extended("COPY (SELECT nosuch FROM customers) TO STDOUT"),
              "42703")
        assert w.query("ROLLBACK TO a").status == "T"
        assert w.extended(good).status == "T"
        assert w.query("COMMIT").status == "I"
        assert w.query(good).status == "I"


def test_pipeline_with_masked_copies_keeps_its_order(world):
    s = world.sallyport()
    part = extended("COPY (SELECT email FROM customers WHERE id = 1) "
                    "TO STDOUT")
    with s.wire() as w:
        replies = w.exchange(*(extended(f"SELECT {n}") + part
                               for n in range(5)), pgwire.SYNC)
        assert not replies.errors, replies.errors
        assert replies.rows == [[b"%d" % n] for n in range(5)]
        assert copied(replies) == b"b***@example.org\n" * 5
        replies = w.exchange(part, extended("COPY nosuch TO STDOUT"), part,
                             extended("SELECT 9"), pgwire.SYNC)
        fails(replies, "42P01")
        assert replies.tags == ["COPY 1"] and not replies.rows
        replies = w.exchange(extended("SELECT 1"), pgwire.query(
            "COPY (SELECT email FROM customers WHERE id = 1) TO STDOUT"))
        assert copied(replies) == b"b***@example.org\n"
        assert replies.kinds.count("Z") == 1


def test_name_of_our_own_statement_leads_a_client_nowhere(world):
    """A client's statement of the same name is another one than that of a
    COPY that failed half-way and left its own behind."""
    s = world.sallyport()
    name = "sallyport copy"
    with s.wire() as w:
        w.exchange(pgwire.parse("SELECT city FROM customers", name),
                   pgwire.SYNC)
        fails(w.query("COPY (SELECT email, 1/(id - 1) FROM customers) "
                      "TO STDOUT"), "22012")
        replies = w.exchange(pgwire.bind(statement=name), pgwire.execute(),
                             pgwire.SYNC)
        fails(replies, "26000")
        for sql in (f'EXECUTE "{name}"', f'FETCH ALL FROM "{name}"'):
            replies = w.query(sql)
            assert replies.errors and not replies.rows, sql
        assert w.query("COPY (SELECT 1) TO STDOUT").tags == ["COPY 1"]


def test_relation_replaced_between_copies_is_described_anew(world):
    database = world.pg.copy_of_shop()
    s = world.sallyport(database=database)
    with s.wire() as w, world.pg.connect(database) as c:
        assert b"b***@example.org" in copied(w.query(
            "COPY customers (email, city) TO STDOUT"))
        c.execute("ALTER TABLE customers RENAME email TO hidden")
        c.execute("ALTER TABLE customers RENAME city TO email")
        c.execute("ALTER TABLE customers RENAME hidden TO city")
        out = copied(w.query("COPY customers (email, city) TO STDOUT"))
        assert b"bruno.berger1@example.org" not in out, out[:300]
        c.execute("CREATE VIEW fresh AS SELECT city AS innocent "
                  "FROM customers")
        c.execute("GRANT SELECT ON fresh TO public")
        out = copied(w.query("COPY (TABLE fresh) TO STDOUT"))
        assert b"bruno.berger1@example.org" not in out, out[:300]


def test_temporary_table_of_a_protected_name_is_what_is_copied(world):
    s = world.sallyport()
    with s.wire() as w:
        w.query("BEGIN")
        replies = w.query("CREATE TEMP TABLE customers (email text)")
        if replies.errors:  # by the policy
            w.query("ROLLBACK")
        for _ in range(2):
            holds_no_canary(copied(w.query("COPY customers TO STDOUT")))


def test_derived_deny_refuses_the_copy_before_anything_runs(world):
    s = world.prepare()
    for protect in s.policy["protect"]:
        if protect["name"] == "customer email":
            protect["derived"] = "deny"
    s.write_all()
    s.start()
    with s.wire() as w:
        for sql in ("COPY (SELECT upper(email) FROM customers) TO STDOUT",
                    "COPY (SELECT c FROM customers c) TO STDOUT BINARY"):
            for replies in (w.query(sql), w.extended(sql)):
                fails(replies, "42501")
                assert "H" not in replies.kinds, replies.kinds
        assert copied(w.query(
            "COPY (SELECT email FROM customers WHERE id = 1) TO STDOUT"))
    assert s.sink.outcome("copy ( select c from customers c ) to stdout "
                          "binary")["sqlstate"] == "42501"


def test_other_encodings_are_masked_or_refused(world):
    s = world.sallyport()
    with s.wire() as w:
        assert not w.query("SET client_encoding TO LATIN1").errors
        replies = w.query("COPY (SELECT U&'\\00e4;', 1) TO STDOUT CSV "
                          "DELIMITER ';'")
        assert copied(replies) == b'"\xe4;";1\n', replies.messages
        out = copied(w.query("COPY customers (email) TO STDOUT"))
        assert b"b***@example.org" in out
        holds_no_canary(out)
        fails(w.query("COPY customers TO STDOUT (ENCODING 'UTF8')"))
        w.query("SET client_encoding TO SJIS")
        replies = w.query("COPY customers (email) TO STDOUT")
        assert replies.errors and "d" not in replies.kinds
        holds_no_canary(b"".join(b for _, b in replies.messages))


def test_large_values_stream_out_in_every_format(world):
    s = world.sallyport()
    size = 70 * 1024 * 1024
    with s.connect("alice") as c:
        for options in ("", "CSV HEADER", "BINARY"):
            with c.cursor().copy(
                    f"COPY (SELECT repeat('x', {size}) AS big) "
                    f"TO STDOUT {options}") as copy:
                assert sum(bytes(b).count(b"x") for b in copy) == size
            assert c.execute("SELECT 1").fetchone() == (1,)


def test_killed_session_in_mid_copy_ends_at_the_server_too(world):
    s = fresh(world)
    s.write_all()
    s.start()
    with s.wire("alice") as w:
        w.send(pgwire.query(IN))
        w.until(b"G")
        w.send(data(b"1\ta\n"))
        session = s.json("sessions")[0]["session"]
        s.operate("kill", session)
        fails(w.rest(), "57P01")
    until(lambda: not world.pg.ask(
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'COPY box%' "
        "AND state = 'active'"), "the server to give up")
    assert box(world, s) == []
    assert s.sink.outcome("copy box from stdin")["sqlstate"] == "08006"
