"""The protocol's fast path: a function by its number, under the same rules as
by its name."""

import os
import struct

import pgwire
from expect import denied, fails
from pgwire import SYNC, bind, describe, execute, parse, query

ALLOWED = {"protect": [], "rules": [
    {"name": "everything", "does": ["any"], "then": "allow"},
    {"name": "what reaches far", "does": ["any"],
     "has": ["escaping-function"], "then": "allow"}]}


def call(oid, *values, formats=(), result=0):
    """FunctionCall; the values are bytes, or None."""
    body = struct.pack("!I", oid)
    body += struct.pack(f"!H{len(formats)}H", len(formats), *formats)
    body += struct.pack("!H", len(values))
    for value in values:
        body += struct.pack("!i", -1) if value is None else \
            struct.pack("!i", len(value)) + value
    return pgwire.message(b"F", body + struct.pack("!H", result))


def oid_of(world, name, database="shop"):
    """By its signature: reverse(text)."""
    return world.pg.ask(f"SELECT '{name}'::regprocedure::oid", database)[0][0]


def result(replies):
    """The function's result; None for NULL."""
    body, = replies.bodies(b"V")
    length, = struct.unpack_from("!i", body)
    assert len(body) == 4 + max(length, 0)
    return None if length < 0 else body[4:]


def calling(world, **more):
    """Under the shop's rules, and one for calls."""
    s = world.prepare(**more)
    s.policy["rules"] += [
        {"name": "calls", "does": ["function-call"], "then": "allow"},
        {"name": "functions of ours", "does": ["read", "function-call"],
         "has": ["unknown-function"], "then": "allow"}]
    s.write_all()
    return s.start()


def test_calls_are_what_the_server_says(world):
    s = world.sallyport(policy=ALLOWED)
    direct = pgwire.Wire(f"{world.pg.folder}/.s.PGSQL.{world.pg.port}")
    direct.login("owner", "", "shop")
    reverse, plus = (oid_of(world, n) for n in ("reverse(text)",
                                              "int4pl(int4,int4)"))
    flows = [
        [call(reverse, b"abc")],
        [call(reverse, None)],
        [call(plus, b"2", b"40")],
        [call(plus, b"\0\0\0\2", b"\0\0\0\7", formats=(1,), result=1)],
        [call(plus, b"2", b"\0\0\0\7", formats=(0, 1), result=1)],
        [call(plus, b"x", b"1")],
        [call(plus, b"1")],
        [call(4294967295)],
        [query("BEGIN"), call(reverse, b"in"), query("SAVEPOINT a"),
         call(plus, b"x", b"1"), call(reverse, b"failed"),
         query("ROLLBACK TO a"), call(reverse, b"again"), query("COMMIT")],
        # it ends a batch that has no Sync, and is ignored in a failed one
        [parse("SELECT 5"), bind(), execute(), call(reverse, b"batch")],
        [parse("SELECT 1/0"), bind(), execute(), call(reverse, b"skipped"),
         SYNC],
        # the unnamed statement and portal stay as they are
        [query("BEGIN"), parse("SELECT $1::int"), bind(("4",)),
         describe(b"P"), call(reverse, b"x"), execute(), SYNC,
         bind(("5",)), execute(), SYNC, query("COMMIT")],
    ]
    with s.wire("alice") as w, direct:
        for number, parts in enumerate(flows):
            told = []
            for wire in (w, direct):
                ends = sum(part[:1] in (b"Q", b"F", b"S") for part in parts)
                ends -= number == 10
                replies = wire.exchange(*parts, syncs=ends)
                told.append((replies.kinds, replies.rows, replies.status,
                             replies.bodies(b"V"),
                             [e["C"] for e in replies.errors]))
            assert told[0] == told[1], (number, told)


def test_large_objects_go_through(world):
    s = world.writable(policy=ALLOWED)
    content = os.urandom(100_000)
    source = os.path.join(world.folder, "in")
    target = os.path.join(world.folder, "out")
    with open(source, "wb") as f:
        f.write(content)
    done = s.psql(f"\\lo_import {source}", "alice")
    assert done.returncode == 0, done.stderr
    number = done.stdout.split()[-1]
    done = s.psql(f"\\lo_export {number} {target}", "alice")
    assert done.returncode == 0, done.stderr
    with open(target, "rb") as f:
        assert f.read() == content
    record = s.sink.statement("loread")
    assert "function-call" in record["operations"], record
    assert "escaping-function" in record["traits"], record
    assert s.psql(f"\\lo_unlink {number}", "alice").returncode == 0


def test_large_results_stream(world):
    s = world.writable(policy=ALLOWED)
    size = 70 << 20
    with s.wire("alice") as w:
        rows = w.query("SELECT lo_from_bytea(0, convert_to(repeat('x', "
                       f"{size}), 'UTF8'))").rows
        oid = oid_of(world, "lo_get(oid)")
        replies = w.exchange(call(oid, rows[0][0], result=1))
        assert result(replies) == b"x" * size
        assert w.query("SELECT 7").rows == [[b"7"]]


def test_call_refused_in_a_batch_undoes_the_batch(world):
    s = calling(world, database=world.pg.copy_of_shop())
    far = oid_of(world, "lo_get(oid)")
    with s.wire() as w:
        replies = w.exchange(
            parse("UPDATE orders SET status = 'lost' WHERE id = 1"), bind(),
            execute(), call(far, b"1"))
        assert replies.kinds == "12CEZ", (replies.kinds, replies.errors)
        assert fails(replies)["C"] == "42501" and replies.status == "I"
        assert w.query("SELECT 7").rows == [[b"7"]]
    assert world.pg.ask("SELECT count(*) FROM orders WHERE status = 'lost'",
                        s.database) == [(0,)]


def test_calls_are_judged_as_their_function(world):
    s = calling(world)
    reverse, trim = oid_of(world, "reverse(text)"), oid_of(world, "btrim(text)")
    with s.wire() as w:
        replies = w.exchange(call(reverse, b"abc"))
        assert replies.kinds == "VZ" and result(replies) == b"cba"
        assert result(w.exchange(call(trim, b"a@example.com"))) == \
            b"[redacted]"
        for name in ("lo_get(oid)", "pg_read_file(text)",
                     "query_to_xml(text,boolean,boolean,text)",
                     "pg_terminate_backend(int4,int8)",
                     "set_config(text,text,boolean)"):
            oid = oid_of(world, name)
            fails(w.exchange(call(oid, b"1")), "42501")
        assert result(w.exchange(call(trim, b" abc "))) == b"abc"
    record = s.sink.statement("reverse")
    assert record["operations"] == ["select", "function-call"], record
    assert s.sink.outcome("reverse ")["rows"] == 1
    assert s.sink.statement("lo_get", decision="deny")


def test_calls_need_a_rule(world):
    s = world.sallyport()
    with s.wire() as w:
        denied(w.exchange(call(oid_of(world, "reverse(text)"), b"abc")))
        assert w.query("SELECT 7").rows == [[b"7"]]


def test_results_of_functions_that_may_read_are_withheld(world):
    database = world.pg.copy_of_shop()
    world.pg.psql(database, "-q", "-c", """
        CREATE FUNCTION tell(int) RETURNS text LANGUAGE sql AS
            'SELECT name FROM customers WHERE id = $1'""")
    s = calling(world, database=database)
    oid = oid_of(world, "tell(int)", database)
    name, = world.pg.ask("SELECT tell(5)", database)[0]
    with s.wire() as w, s.wire("alice") as clear:
        for form in (0, 1):
            assert result(clear.exchange(call(oid, b"5", result=form))) == \
                name.encode()
            replies = w.exchange(call(oid, b"5", result=form))
            assert len(replies.errors) == 1 and not replies.bodies(b"V")
    assert s.sink.statement("tell")


def test_a_number_leads_to_the_function_it_now_has(world):
    """A function of users that was dropped, and another that got its name."""
    s = calling(world, database=world.pg.copy_of_shop())
    with s.wire() as w:
        with world.pg.connect(s.database) as c:
            c.execute("CREATE FUNCTION nice() RETURNS text LANGUAGE sql "
                      "AS $$SELECT 'nice'$$")
        oid = oid_of(world, "nice()", s.database)
        assert result(w.exchange(call(oid))) == b"nice"
        with world.pg.connect(s.database) as c:
            c.execute("ALTER FUNCTION nice() RENAME TO nasty")
        w.exchange(call(oid))
        assert s.sink.statement("nasty")
        with world.pg.connect(s.database) as c:
            c.execute("DROP FUNCTION nasty()")
        fails(w.exchange(call(oid)), "42883")


def test_names_of_functions_are_the_systems_whatever_the_search_path(world):
    s = world.writable(policy=ALLOWED)
    with world.pg.connect(s.database) as c:
        c.execute("CREATE SCHEMA evil; SET search_path = evil;"
                  "CREATE FUNCTION same(oid, oid) RETURNS bool LANGUAGE sql "
                  "AS 'SELECT true'; CREATE OPERATOR = (LEFTARG = oid, "
                  "RIGHTARG = oid, FUNCTION = same);"
                  "CREATE TABLE pg_proc (oid oid, proname name, "
                  "pronamespace oid, prorettype oid);"
                  "GRANT USAGE ON SCHEMA evil TO public")
    with s.wire("alice") as w:
        w.query("SET search_path = evil, pg_catalog")
        oid = oid_of(world, "btrim(text)")
        assert result(w.exchange(call(oid, b" abc "))) == b"abc"
    assert s.sink.statement("pg_catalog . btrim")


def test_call_that_needs_approval_is_held(world):
    s = world.prepare()
    s.policy["rules"].append(
        {"name": "calls need a person", "does": ["function-call"],
         "then": "approve", "approve": {"by": [{"group": "dba"}]}})
    s.write_all()
    s.start()
    reverse = oid_of(world, "reverse(text)")
    with s.wire("alice") as w:
        w.send(call(reverse, b"abc"))
        w.until(b"N")
        held = s.json("approvals")
        assert len(held) == 1 and "abc" in held[0]["statement"], held
        s.operate("approve", str(held[0]["request"]))
        assert result(w.until(b"Z")) == b"cba"


def test_calls_that_lie_are_refused(world):
    s = world.sallyport(policy=ALLOWED)
    number = oid_of(world, "reverse(text)")
    reverse = struct.pack("!I", number)
    one = struct.pack("!i", 3) + b"abc"
    for body in (b"", reverse, reverse + b"\0\0", reverse + b"\0\0\0\1",
                 reverse + b"\0\0\0\2" + one + b"\0\0",
                 reverse + b"\xff\xff\0\1" + one + b"\0\0",
                 reverse + b"\0\0\xff\xff" + one + b"\0\0",
                 reverse + b"\0\0\0\1" + struct.pack("!i", -2) + b"\0\0",
                 reverse + b"\0\0\0\1" + struct.pack("!i", 1 << 30) + b"\0\0",
                 reverse + b"\0\0\0\1" + one + b"\0\0\0"):
        with s.wire("alice") as w:
            w.send(pgwire.message(b"F", body))
            fails(w.rest(), "08P01")
    with s.wire("alice") as w:
        for lie in (call(number, b"x", formats=(2,)), call(number, b"x", result=7),
                    call(number, b"x", formats=(0, 0)),
                    call(number, *[b"x"] * 101)):
            fails(w.exchange(lie), "08P01")
        assert result(w.exchange(call(number, b"xy"))) == b"yx"
    s.sink.wait("statement", decision="deny")
