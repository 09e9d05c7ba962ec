"""What one message leaves behind for the next: names, queues, buffers."""

import time

import harness
import pgwire
from pgwire import (FLUSH, SYNC, bind, close, describe, execute, parse, query)
from expect import denied, fails

UPPER = "SELECT upper(name) FROM customers WHERE id = 5"
CLEAN = "SELECT upper(city) FROM customers WHERE id = 5"


def clear_name(world):
    return world.pg.ask(UPPER)[0][0].encode()


def memory_of(sallyport):
    """Resident bytes of all its processes."""
    total = 0
    for pid in sallyport.workers():
        try:
            with open(f"/proc/{pid}/statm", encoding="ascii") as f:
                total += int(f.read().split()[1]) * 4096
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def tells_memory(world):
    """A sanitizer keeps what was freed."""
    with open(world.program("sallyportd"), "rb") as f:
        return b"__asan_init" not in f.read()


# --- names that lead to something else by another way -----------------------

def test_sql_execute_of_a_statement_parsed_by_message_is_masked(world):
    s = world.sallyport()
    with s.wire() as w:
        w.exchange(parse(UPPER, "s1"), SYNC)
        replies = w.query("EXECUTE s1")
    assert clear_name(world) not in [r[0] for r in replies.rows], replies.rows


def test_sql_fetch_from_a_portal_bound_by_message_is_refused(world):
    s = world.sallyport()
    with s.wire() as w:
        w.query("BEGIN")
        w.exchange(parse(UPPER), bind(portal="p1"), SYNC)
        denied(w.query("FETCH ALL FROM p1"))
        denied(w.query("MOVE ALL FROM p1"))


def test_named_portal_of_a_statement_that_needs_approval_is_refused(world):
    s = world.sallyport()
    with s.wire() as w:
        w.query("BEGIN")
        denied(w.exchange(parse("DELETE FROM payments"), bind(portal="p1"),
                          SYNC))


def test_execute_judged_before_its_statement_was_parsed_is_masked(world):
    s = world.sallyport()
    with s.wire() as w:
        w.exchange(parse("EXECUTE s1", "x"), SYNC)
        w.exchange(parse(UPPER, "s1"), SYNC)
        replies = w.exchange(bind(statement="x"), describe(b"P"), execute(),
                             SYNC)
    assert clear_name(world) not in [r[0] for r in replies.rows], replies.rows


def test_execute_described_before_its_statement_was_replaced_is_masked(world):
    s = world.sallyport()
    with s.wire() as w:
        w.query("BEGIN")
        w.exchange(parse(CLEAN, "s1"), parse("EXECUTE s1", "x"),
                   bind(portal="p", statement="x"), describe(b"P", "p"), SYNC)
        w.exchange(close(b"S", "s1"), parse(UPPER, "s1"), SYNC)
        replies = w.exchange(execute("p"), SYNC)
    assert clear_name(world) not in [r[0] for r in replies.rows], \
        (replies.kinds, replies.rows)


def test_fetch_described_before_its_portal_was_replaced_is_masked(world):
    s = world.sallyport()
    with s.wire() as w:
        w.query("BEGIN")
        w.exchange(parse("SELECT status FROM orders LIMIT 1"),
                   bind(portal="c"), parse("FETCH 1 FROM c"),
                   bind(portal="f"), describe(b"P", "f"), SYNC)
        w.exchange(close(b"P", "c"),
                   parse("SELECT name FROM customers WHERE id = 5"),
                   bind(portal="c"), SYNC)
        replies = w.exchange(execute("f"), SYNC)
    clear = world.pg.ask("SELECT name FROM customers WHERE id = 5")[0][0]
    assert clear.encode() not in [r[0] for r in replies.rows], replies.rows


def test_statement_replaced_by_a_text_that_failed_is_not_trusted(world):
    s = world.sallyport()
    with s.wire() as w:
        w.query(f"PREPARE a AS {CLEAN}")
        w.query(f"DEALLOCATE a; PREPARE a AS {UPPER}; SELECT 1/0")
        replies = w.exchange(bind(statement="a"), describe(b"P"), execute(),
                             SYNC)
    assert clear_name(world) not in [r[0] for r in replies.rows], replies.rows


# --- bounds -----------------------------------------------------------------

def test_slow_reader_of_a_large_result_costs_no_memory(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        before = memory_of(s)
        w.send(query("SELECT repeat('x', 1000) "
                     "FROM generate_series(1, 150000)"))
        taken = most = turns = 0
        while taken < 140_000_000:
            taken += len(w.socket.recv(100_000))
            turns += 1
            time.sleep(0.001)
            if turns % 200 == 0:
                most = max(most, memory_of(s))
    assert most - before < 8 << 20 or not tells_memory(world), \
        (before, most)


def test_client_that_reads_no_refusals_costs_no_memory(world):
    s = world.sallyport()
    with s.wire() as w:
        w.socket.settimeout(2)
        before = memory_of(s)
        denied = query("DROP TABLE a") * 1000
        try:
            for _ in range(300):
                w.send(denied)
        except TimeoutError:
            pass
        after = memory_of(s)
    assert after - before < 20 << 20 or not tells_memory(world), \
        (before, after)


def test_refusing_clients_does_not_grow(world):
    s = world.sallyport(settings={"workers": {"spare": 1, "max": 1}})
    with s.wire("alice"):
        def refused():
            for _ in range(100):
                with s.bare_wire() as w:
                    w.send(pgwire.startup(user="alice", database="shop"))
                    assert fails(w.rest())["C"] == "53300"
        refused()
        before = memory_of(s)
        for _ in range(9):
            refused()
        grown = memory_of(s) - before
        assert grown < 256 << 10 or not tells_memory(world), grown


# --- order ------------------------------------------------------------------

def test_query_refused_among_ignored_messages_is_ignored(world):
    s = world.sallyport()
    with s.wire() as w:
        replies = w.exchange(parse("SELECT 1/0"), bind(), execute(),
                             query("DROP TABLE customers"), SYNC,
                             query("SELECT 7"), syncs=2)
        assert replies.kinds == "1EZTDCZ", replies.kinds
        assert replies.rows == [[b"7"]]


def test_closing_a_statement_while_its_execution_is_held(world):
    s = world.sallyport()
    s.policy["rules"].append(
        {"name": "executing needs a person", "does": ["execute"],
         "then": "approve", "approve": {"by": [{"group": "dba"}]}})
    s.reload()
    with s.wire() as w:
        w.exchange(parse("SHOW timezone", "a"), SYNC)
        w.send(close(b"S", "a"), query("EXECUTE a"))
        held = harness.until(lambda: s.json("approvals"), "a held statement")
        s.operate("approve", str(held[0]["request"]))
        replies = w.until(b"Z")
        assert fails(replies)["C"] in ("26000", "42501"), replies.errors


def test_call_of_an_unknown_function_is_refused_on_record(world):
    s = world.sallyport()
    with s.wire() as w:
        body = b"\0\0\0\1\0\0\0\0\0\0"
        fails(w.exchange(pgwire.message(b"F", body)), "42883")
    s.sink.wait("statement", decision="deny")


def test_cancel_reaches_a_stream_that_never_pauses(world):
    s = world.sallyport()
    with s.wire("alice") as w, s.bare_wire() as other:
        w.send(query("SELECT repeat('x', 200) "
                     "FROM generate_series(1, 40000000)"))
        come = 0
        while come < 64 << 20:
            come += len(w.socket.recv(1 << 20))
        other.send(pgwire.cancel_request(w.pid, w.secret))
        last = b""
        while b"57014" not in last:
            last = last[-100:] + w.socket.recv(1 << 20)
            assert b"SELECT 40000000" not in last, "it came to its end"


def test_cut_result_does_not_cancel_the_next_statement(world):
    s = world.prepare()
    s.policy["rules"].append({"name": "ten rows", "does": ["read"],
                              "then": "allow", "limits": {"rows": 10}})
    s.write_all()
    s.start()
    with s.wire("alice") as w:
        for _ in range(100):
            fails(w.query("SELECT repeat('x', 100) "
                          "FROM generate_series(1, 300)"), "54000")
            replies = w.query("SELECT count(*) FROM customers")
            assert replies.rows == [[b"1005"]], replies.messages


def test_large_row_after_a_cut_result_stays_unsent(world):
    """The batch failed for the client: nothing of it may follow."""
    s = world.prepare()
    s.policy["rules"].append({"name": "two rows", "does": ["read"],
                              "then": "allow", "limits": {"rows": 2}})
    s.write_all()
    s.start()
    with s.wire("alice") as w:
        replies = w.exchange(
            parse("SELECT generate_series(1, 3)"), bind(), execute(),
            parse("SELECT repeat('x', 200000)"), bind(), execute(), SYNC)
        assert "D" not in replies.kinds.partition("E")[2], replies.kinds
        fails(replies, "54000")
        assert w.query("SELECT 7").rows == [[b"7"]]


def test_limit_on_changed_rows_says_why_in_a_batch(world):
    s = world.prepare(database=world.pg.copy_of_shop())
    s.policy["rules"].append(
        {"name": "few rows", "does": ["update"], "then": "allow",
         "limits": {"changed_rows": 5}})
    s.write_all()
    s.start()
    with s.wire() as w:
        replies = w.extended("UPDATE orders SET status = status "
                             "WHERE id < 100")
        assert "allowed" in fails(replies, "54000")["M"], replies.errors


def test_limited_query_among_ignored_messages_is_ignored(world):
    s = world.prepare(database=world.pg.copy_of_shop())
    s.policy["rules"].append(
        {"name": "few rows", "does": ["update"], "then": "allow",
         "limits": {"changed_rows": 5}})
    s.write_all()
    s.start()
    with s.wire() as w:
        replies = w.exchange(
            parse("SELECT 1/0"), bind(), execute(),
            query("UPDATE orders SET status = 'seen' WHERE id = 7"), SYNC)
        assert replies.kinds == "1EZ", replies.kinds
    assert world.pg.ask("SELECT count(*) FROM orders WHERE status = 'seen'",
                        s.database) == [(0,)]


def test_cursors_end_with_their_transaction_unless_held(world):
    s = world.sallyport()
    with s.wire() as w:
        w.query("BEGIN")
        w.query("DECLARE c CURSOR FOR SELECT id FROM orders")
        w.query("DECLARE h CURSOR WITH HOLD FOR SELECT id FROM orders")
        w.query("COMMIT")
        replies = w.exchange(parse("SELECT 1"), bind(portal="c"),
                             execute("c"), SYNC)
        assert replies.kinds == "12DCZ", (replies.kinds, replies.errors)
        replies = w.exchange(execute("h", 1), SYNC)
        assert replies.kinds == "DsZ", (replies.kinds, replies.errors)


def test_texts_of_prepared_statements_are_bounded(world):
    s = world.sallyport()
    filler = "SELECT '" + "x" * 8_000_000 + "'"
    with s.wire("alice") as w:
        w.socket.settimeout(harness.PATIENCE * 3)
        try:
            for i in range(40):
                w.send(parse(filler, f"s{i}"), FLUSH)
        except (BrokenPipeError, ConnectionResetError):
            pass
        errors = w.rest().errors
    assert errors and errors[-1]["C"] == "54000", errors
    with s.wire("alice") as w:
        assert w.query("SELECT 7").rows == [[b"7"]]


def test_text_beyond_ascii_follows_a_schema_change_in_one_batch(world):
    s = world.prepare(database=world.pg.copy_of_shop())
    s.policy["rules"] = [{"name": "free", "does": ["any"], "then": "allow"}]
    s.policy["examples"] = []
    s.write_all()
    world.pg.ask("GRANT CREATE ON SCHEMA public TO public", s.database)
    s.start()
    insert = "INSERT INTO words VALUES ('caf\u00e9 \\ bar')"
    with s.wire() as w:
        replies = w.exchange(*[part for sql in (
            "CREATE TABLE words (word text)", insert,
            "COMMENT ON TABLE words IS '\u00e9\\'", "TABLE words")
            for part in (pgwire.parse(sql), pgwire.bind(), pgwire.execute())],
            pgwire.SYNC)
        assert not replies.errors, replies.errors
        assert replies.tags == ["CREATE TABLE", "INSERT 0 1", "COMMENT",
                                "SELECT 1"]
        # a SET of the batch is not known before its Sync
        error = fails(w.exchange(*[part for sql in (
            "SET standard_conforming_strings = off", insert)
            for part in (pgwire.parse(sql), pgwire.bind(), pgwire.execute())],
            pgwire.SYNC))
        assert "Sync" in error["M"], error
