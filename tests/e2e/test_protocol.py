"""Sallyport is PostgreSQL as far as a client can tell."""

import contextlib
import os
import select
import threading
import time

import psycopg
import psycopg.errors

import harness
import needs
import pgwire
from expect import fails, raises
from tamper import through_tamper


def test_simple_query_is_what_the_server_says(world):
    s = world.sallyport()
    direct = pgwire.Wire(f"{world.pg.folder}/.s.PGSQL.{world.pg.port}")
    direct.login("owner", "", "shop")
    with s.wire("alice") as w, direct:
        for sql in ("SELECT 1 AS one, 'x' AS two, NULL", "", ";",
                    "SELECT * FROM products ORDER BY id", "SELECT 1/0",
                    "SELECT nothing FROM nowhere", "SHOW server_version",
                    "SET extra_float_digits = 2", "BEGIN", "SAVEPOINT a",
                    "SELECT 1/0", "ROLLBACK TO a", "COMMIT",
                    "EXPLAIN SELECT 1", "SELECT 1; SELECT 2",
                    "VALUES (1, 'a'), (2, 'b')"):
            ours, theirs = w.query(sql), direct.query(sql)
            assert ours.kinds == theirs.kinds, sql
            assert ours.rows == theirs.rows, sql
            assert ours.tags == theirs.tags, sql
            assert ours.status == theirs.status, sql
            assert [e["C"] for e in ours.errors] == \
                [e["C"] for e in theirs.errors], sql


def test_extended_query_is_what_the_server_says(world):
    s = world.sallyport()
    direct = pgwire.Wire(f"{world.pg.folder}/.s.PGSQL.{world.pg.port}")
    direct.login("owner", "", "shop")
    flows = [
        [pgwire.parse("SELECT id, name, price FROM products WHERE id = $1",
                      "p", (23,)), pgwire.describe(b"S", "p"), pgwire.SYNC],
        [pgwire.bind((b"\0\0\0\5",), "q", "p", (1,), (1, 0, 1)),
         pgwire.describe(b"P", "q"), pgwire.execute("q"), pgwire.SYNC],
        [pgwire.bind(("5",), "", "p"), pgwire.execute(), pgwire.FLUSH,
         pgwire.close(b"S", "p"), pgwire.SYNC],
        [pgwire.bind(("5",), "", "p"), pgwire.execute(), pgwire.SYNC],
        [pgwire.parse("SELECT 1/$1::int"), pgwire.bind(("0",)),
         pgwire.execute(), pgwire.parse("SELECT 2"), pgwire.SYNC],
        [pgwire.parse(""), pgwire.bind(), pgwire.describe(b"P"),
         pgwire.execute(), pgwire.SYNC],
        [pgwire.parse("SELECT 1; SELECT 2"), pgwire.SYNC],
        [pgwire.parse("SELECT syntax error here"), pgwire.SYNC],
        [pgwire.describe(b"S", "nosuch"), pgwire.SYNC],
        [pgwire.close(b"P", "nosuch"), pgwire.SYNC],
        [pgwire.parse("BEGIN"), pgwire.bind(), pgwire.execute(),
         pgwire.parse("DECLARE c CURSOR FOR SELECT id FROM products "
                      "ORDER BY id"), pgwire.bind(), pgwire.execute(),
         pgwire.parse("FETCH 3 FROM c"), pgwire.bind(), pgwire.execute(),
         pgwire.parse("COMMIT"), pgwire.bind(), pgwire.execute(),
         pgwire.SYNC],
    ]
    with s.wire("alice") as w, direct:
        for number, parts in enumerate(flows):
            ours, theirs = w.exchange(*parts), direct.exchange(*parts)
            assert ours.kinds == theirs.kinds, (number, ours.kinds,
                                                ours.errors, theirs.kinds)
            assert ours.rows == theirs.rows, number
            assert ours.tags == theirs.tags, number
            assert [e["C"] for e in ours.errors] == \
                [e["C"] for e in theirs.errors], number


def test_flush_brings_replies_before_sync(world):
    s = world.sallyport()
    with s.wire() as w:
        w.send(pgwire.parse("SELECT 5", "s"), pgwire.describe(b"S", "s"),
               pgwire.FLUSH)
        assert w.until(b"T").kinds == "1tT"
        w.send(pgwire.bind((), "", "s"), pgwire.execute(), pgwire.FLUSH)
        assert w.until(b"C").rows == [[b"5"]]
        assert w.exchange(pgwire.SYNC).kinds == "Z"


def test_prepared_statements_work_across_transactions(world):
    s = world.sallyport()
    with s.connect("alice") as c:
        c.prepare_threshold = 0
        for i in range(1, 40):
            assert c.execute("SELECT name FROM products WHERE id = %s",
                             (i,)).fetchone()[0].endswith(f"No. {i}")


def test_no_prepared_statement_survives_into_another_session(world):
    s = world.sallyport()
    for _ in range(6):
        with s.wire("alice") as w:
            replies = w.exchange(pgwire.parse("SELECT 1", "mine"),
                                 pgwire.SYNC)
            assert replies.kinds == "1Z", replies.errors


def test_backend_pid_is_the_servers_own(world):
    s = world.sallyport()
    with s.connect("alice") as c:
        assert c.execute("SELECT pg_backend_pid()").fetchone() == \
            (c.info.backend_pid,)


def test_cancel_request_stops_the_running_statement(world):
    s = world.sallyport()
    with s.connect("alice") as c:
        backend = c.info.backend_pid

        def cancel_when_asleep():
            world.pg.await_sleep(backend)
            c.cancel()
        other = threading.Thread(target=cancel_when_asleep)
        other.start()
        with raises(psycopg.errors.QueryCanceled):
            c.execute("SELECT pg_sleep(60)")
        other.join()
        assert c.execute("SELECT 1").fetchone() == (1,)


def test_cancel_with_a_wrong_secret_stops_nothing(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        w.send(pgwire.query("SELECT pg_sleep(2)"))
        world.pg.await_sleep(w.pid)
        with s.bare_wire() as other:
            other.send(pgwire.cancel_request(w.pid, w.secret ^ 1))
            assert not other.rest().messages
        assert not w.until(b"Z").errors, "it was cancelled"


def test_secret_shown_to_the_client_is_not_the_servers(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        w.send(pgwire.query("SELECT pg_sleep(2)"))
        world.pg.await_sleep(w.pid)
        with pgwire.Wire(("127.0.0.1", world.pg.port)) as other:
            other.send(pgwire.cancel_request(w.pid, w.secret))
            other.rest()
        assert not w.until(b"Z").errors, "it was cancelled"


def test_parameter_status_reaches_the_client(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        assert w.parameters["server_version"].startswith("15")
        assert w.parameters["client_encoding"] == "UTF8"
        replies = w.query("SET TimeZone = 'Asia/Tokyo'")
        assert b"TimeZone\0Asia/Tokyo\0" in replies.bodies(b"S")


def test_notices_reach_the_client(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        replies = w.query("COMMIT")
        assert replies.notices[0]["C"] == "25P01"


def test_notifications_reach_a_listening_client(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        w.query("LISTEN news")
        world.pg.ask("NOTIFY news, 'ready'")
        kind, body = w.receive()  # comes unasked, between statements
        assert kind == b"A" and b"news\0ready\0" in body


def test_utf8_goes_through_unharmed(world):
    s = world.sallyport()
    with s.connect("alice") as c:
        text = "naïve – Ωμέγα – 東京 – 🚪"
        assert c.execute("SELECT %s::text", (text,)).fetchone() == (text,)
    shown = s.psql("SELECT 'naïve – 東京'", login="alice")
    assert shown.stdout == "naïve – 東京\n"


def test_errors_of_the_server_keep_their_fields(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        error = fails(w.query("SELECT nothing FROM products"), "42703")
        assert error["P"] == "8" and "nothing" in error["M"]


def test_large_result_streams_in_bounded_memory(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        w.query("SELECT 1")
        w.send(pgwire.query("SELECT i, repeat('x', 1000) FROM "
                            "generate_series(1, 200000) i"))
        rows, most = 0, 0
        while True:
            kind, _ = w.receive()
            rows += kind == b"D"
            if rows % 20000 == 1 and kind == b"D":
                most = max(most, max(resident(p) for p in s.workers()))
            if kind == b"Z":
                break
        assert rows == 200000
        assert most < 64 << 20, f"{most >> 20} MiB in one process"


def resident(pid):
    """Bytes that are this process's alone; a sanitizer's are not counted."""
    if needs.SANITIZED:
        return 0
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as f:
            fields = f.read().split()
        return (int(fields[1]) - int(fields[2])) * 4096
    except (FileNotFoundError, ProcessLookupError):
        return 0


def test_one_row_of_many_megabytes_goes_through(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        row = w.query("SELECT repeat('0123456789', 2000000)").rows[0][0]
        assert len(row) == 20_000_000 and row[-10:] == b"0123456789"


def test_large_requests_and_large_replies_at_once_do_not_deadlock(world):
    """A strictly read-one-write-the-other relay hangs here."""
    s = world.sallyport()
    count, size = 60, 300_000
    one = b"".join((pgwire.parse("SELECT repeat($1, 4)"),
                    pgwire.bind(("x" * size,)), pgwire.execute(),
                    pgwire.SYNC))
    with s.wire("alice") as w:
        w.socket.setblocking(False)
        left, seen, tail = one * count, 0, b""
        deadline = time.monotonic() + harness.PATIENCE * 3
        # Writes everything it can before it reads anything.
        while seen < count * size * 4:
            assert time.monotonic() < deadline, "stuck"
            readable, writable, _ = select.select(
                [w.socket], [w.socket] if left else [], [], 1)
            if writable:
                left = left[w.socket.send(left[:1 << 20]):]
            elif readable:
                tail = w.socket.recv(1 << 20)
                assert tail, "closed"
                seen += tail.count(b"x")


def test_bytes_that_arrive_one_by_one_are_understood(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        for byte in pgwire.query("SELECT 12345"):
            w.send(bytes([byte]))
        assert w.until(b"Z").rows == [[b"12345"]]


def test_terminate_ends_the_session(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        w.send(pgwire.TERMINATE)
        assert not w.rest().messages
    s.sink.wait("disconnect")


LONG = ("SELECT count(*) FROM generate_series(1, 100000000) a, "
        "generate_series(1, 100000000) b")


@contextlib.contextmanager
def left_behind(world, s, sql):
    """A statement that runs, until nobody waits for it."""
    # a server that would not look for a lost client by itself
    world.pg.ask(f"ALTER DATABASE {s.database} "
                 "SET client_connection_check_interval = 0")
    with s.wire("alice") as w:
        w.send(pgwire.query(sql))
        there = f"SELECT 1 FROM pg_stat_activity WHERE pid = {w.pid}"
        harness.until(lambda: world.pg.ask(there + " AND state = 'active'"),
                      "the statement to run")
        yield w
    harness.until(lambda: not world.pg.ask(there),
                  "the upstream session to end")


def test_client_that_vanishes_ends_the_upstream_session(world):
    s = world.writable()
    with left_behind(world, s, LONG):
        pass
    s.sink.wait("disconnect")


def test_last_statement_before_goodbye_runs_to_its_end(world):
    """Nobody reads its answer; with and without Terminate."""
    s = world.writable()
    world.pg.ask("CREATE TABLE notes (word text)", s.database)
    world.pg.ask("GRANT ALL ON notes TO PUBLIC", s.database)
    s.policy["rules"] = [{"name": "free", "does": ["any"], "then": "allow"}]
    s.policy["examples"] = []
    s.write_all()
    s.reload()
    for word, goodbye in (("one", pgwire.TERMINATE), ("two", b"")):
        with s.wire("alice") as w:
            w.send(pgwire.query(f"INSERT INTO notes SELECT '{word}' "
                                "FROM pg_sleep(0.05)"), goodbye)
    harness.until(lambda: sorted(world.pg.ask("SELECT word FROM notes",
                                              s.database))
                  == [("one",), ("two",)], "both rows")


def test_end_is_recorded_though_the_server_takes_no_cancel(world):
    s, tamper = through_tamper(world, {})
    with s.wire("alice") as w:
        w.send(pgwire.query(LONG))
        harness.until(lambda: world.pg.ask(
            "SELECT 1 FROM pg_stat_activity WHERE pid = %d "
            "AND state = 'active'" % w.pid), "the statement to run")
        tamper.is_deaf = True
    harness.until(lambda: tamper.held, "somebody to cancel")
    assert s.sink.find("disconnect")
    for held in tamper.held:
        held.close()
    tamper.close()
    world.pg.ask(f"SELECT pg_terminate_backend({w.pid})")


def test_worker_that_is_killed_ends_the_upstream_session(world):
    """Nobody cancels then: the server looks whether somebody waits."""
    s = world.writable()
    with left_behind(world, s, LONG):
        pid, = [x["pid"] for x in s.json("sessions")]
        harness.kill(pid)
    s.sink.wait("worker-died")


def test_client_cannot_have_the_server_not_look_for_it(world):
    s = world.writable()
    s.policy["rules"] = [{"name": "free", "does": ["any"], "then": "allow"}]
    s.policy["examples"] = []
    s.write_all()
    s.reload()
    name = "client_connection_check_interval"
    world.pg.ask(f"CREATE FUNCTION blind() RETURNS bigint LANGUAGE sql "
                 f"SET {name} = 0 AS $$ {LONG} $$", s.database)
    with raises(pgwire.ServerError) as caught:
        s.wire("alice", options=f"-c {name}=0")
    assert caught.error.fields["C"] == "42501", caught.error.fields
    with s.wire("alice") as w:
        for sql in (f"SET {name} = 0", f"SET LOCAL {name} TO 0",
                    f"SELECT set_config('{name}', '0', false)",
                    f'SET "{name}" = 0'):
            for way in (w.query, w.extended):
                fails(way(sql), "42501")
        assert w.query(f"SHOW {name}").rows == [[b"1s"]]
        assert w.query("RESET ALL; SHOW " + name).rows == [[b"1s"]]
    with left_behind(world, s, "SELECT blind()"):
        pass


def test_server_that_ends_the_session_is_told_to_the_client(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        world.pg.ask(f"SELECT pg_terminate_backend({w.pid})")
        w.send(pgwire.query("SELECT 1"))
        errors = w.rest().errors
        assert errors and errors[0]["C"] in ("57P01", "08006"), errors
    s.sink.wait("disconnect")


def test_bind_of_another_statements_name_cannot_smuggle_sql(world):
    """Parse of a denied statement leaves no statement behind to bind."""
    s = world.sallyport()
    with s.wire() as w:
        w.exchange(pgwire.parse("SELECT 1", "x"), pgwire.SYNC)
        w.exchange(pgwire.parse("DROP TABLE customers", "y"), pgwire.SYNC)
        replies = w.exchange(pgwire.bind((), "", "y"), pgwire.execute(),
                             pgwire.SYNC)
        assert fails(replies)["C"] == "26000"
        replies = w.exchange(pgwire.parse("SELECT 2", "x"), pgwire.SYNC)
        assert fails(replies)["C"] == "42P05"
        assert w.exchange(pgwire.bind((), "", "x"), pgwire.execute(),
                          pgwire.SYNC).rows == [[b"1"]]


def test_statement_closed_in_the_same_packet_is_bound_no_more(world):
    """While Bind waits to know of its portal, its statement goes."""
    s = world.sallyport()
    with s.wire("alice") as w:
        opened = w.exchange(
            pgwire.parse("BEGIN"), pgwire.bind(), pgwire.execute(),
            pgwire.parse("SELECT 1", "one"), pgwire.parse("SELECT 2", "two"),
            pgwire.bind((), "p", "two"), pgwire.SYNC)
        assert not opened.errors, opened.errors
        replies = w.exchange(
            pgwire.close(b"S", "one"), pgwire.close(b"P", "p"),
            pgwire.bind((), "p", "one"), pgwire.execute("p"), pgwire.SYNC)
        assert replies.kinds == "33EZ", replies.kinds
        assert replies.errors[0]["C"] == "26000", replies.errors
        assert w.query("ROLLBACK").tags == ["ROLLBACK"]


def test_bind_values_of_every_length_go_through(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        for size in (0, 1, 8191, 8192, 8193, 65535, 65536, 1_000_000):
            replies = w.extended("SELECT octet_length($1::bytea)",
                                 (b"\x5c" * size,), formats=(1,))
            assert replies.rows == [[str(size).encode()]], size
        assert w.extended("SELECT $1::text IS NULL", (None,)
                          ).rows == [[b"t"]]
        many = w.extended("SELECT " + "+".join(
            f"${i}::int" for i in range(1, 501)), range(500))
        assert many.rows == [[b"124750"]]


def test_names_in_use_and_not_in_use_are_told_in_the_servers_words(world):
    s = world.sallyport()
    direct = pgwire.Wire(f"{world.pg.folder}/.s.PGSQL.{world.pg.port}")
    direct.login("owner", "", "shop")
    parsed = pgwire.parse("SELECT 1", "one")
    with s.wire("alice") as w, direct:
        for parts in (
                [pgwire.bind(statement="none")], [pgwire.execute("none")],
                [pgwire.describe(b"S", "none")], [pgwire.bind(statement="")],
                [pgwire.describe(b"P", "none")], [parsed, parsed],
                [parsed, pgwire.bind((), "p", "one"),
                 pgwire.bind((), "p", "one")]):
            got, want = [[(e["C"], e["M"]) for e in x.exchange(
                *parts, pgwire.SYNC).errors] for x in (w, direct)]
            assert got == want and got, (parts, got, want)
            for x in (w, direct):
                x.exchange(pgwire.close(b"S", "one"), pgwire.SYNC)
