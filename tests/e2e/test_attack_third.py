"""Ways around the gate that a third attacker found.

As in test_attack: no detectors.  What the third one looked for is answers
taken for those of another statement, and names of Sallyport's own.
"""

import struct

import harness
from pgwire import (FLUSH, SYNC, bind, cancel_request, describe, execute,
                    message, parse, query)
from test_attack import found, guarded, without_detectors

VIEW = "CREATE OR REPLACE VIEW seen AS SELECT id, {} AS x FROM customers"
LOUD = "SELECT upper(email) FROM customers WHERE id = 1"


# --- cursors that are older than the catalogue ------------------------------

def test_held_cursor_keeps_its_masks_however_it_is_fetched(world):
    """The view `seen` showed addresses when the cursor was opened."""
    policy = without_detectors()
    policy["rules"][2]["does"].append("ddl")
    s = world.writable(policy=policy)
    world.pg.ask(VIEW.format("email") + "; ALTER VIEW seen OWNER TO "
                 "sallyport; GRANT CREATE ON SCHEMA public TO sallyport",
                 s.database)
    with s.wire() as w, s.wire("bob") as other:
        w.query("BEGIN")
        w.query("DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT x FROM seen "
                "WHERE id = 1")
        w.query("COMMIT")
        assert not other.query(VIEW.format("city")).errors
        heard = [w.query(text) for text in (
            "FETCH FIRST FROM c", "SELECT 1; FETCH FIRST FROM c",
            "FETCH FIRST FROM c; SELECT 1")]
        heard.append(w.extended("FETCH FIRST FROM c"))
        fresh = w.query("BEGIN; DECLARE d CURSOR FOR SELECT x FROM seen "
                        "WHERE id = 1; FETCH d; COMMIT")
    for replies in heard:
        assert [b"[redacted]"] in replies.rows, replies.messages
        assert not found(repr(replies.messages).encode()), replies.messages
    assert fresh.rows == [[b"Aarhus"]], fresh.messages


# --- answers taken for another statement's ----------------------------------

def expire_amid_batch(world, w):
    """Nothing is awaited, and the server's time for the batch is over; it
    says so when it reads the next message."""
    w.query("SET statement_timeout = 20")
    w.send(parse("SELECT 1"), FLUSH)
    assert w.receive()[0] == b"1"
    world.pg.ask("SELECT pg_sleep(0.1)")


def test_rows_are_not_taken_for_another_querys_after_a_timeout(world):
    """The server fails at the Flush and skips both queries behind it."""
    s = guarded(world)
    with s.wire() as w:
        expire_amid_batch(world, w)
        w.send(FLUSH, query("SELECT 'first'"), query("SELECT 'clean'"), SYNC,
               query(LOUD), query("SELECT 'over'"))
        heard = w.rest().messages
    assert not found(repr(heard).encode()), heard


def test_timeout_between_the_messages_of_a_batch_ends_as_at_the_server(world):
    s = guarded(world)
    for name, parts, syncs, kinds in (
            ("sync", (SYNC,), 1, "EZ"),
            ("query", (query("SELECT 1"),), 1, "EZ"),
            ("query and sync", (query("SELECT 1"), SYNC), 2, "EZZ"),
            ("execute", (bind(), describe(b"P"), execute(), SYNC), 1, "EZ"),
            ("flush", (FLUSH, bind(), execute(), SYNC), 1, "EZ"),
            ("flush and query", (FLUSH, query("SELECT 1"), SYNC), 1, "EZ")):
        with s.wire() as w:
            expire_amid_batch(world, w)
            replies = w.exchange(*parts, syncs=syncs)
            assert replies.kinds == kinds, (name, replies.messages)
            assert replies.errors[0]["C"] == "57014", (name, replies.messages)
            assert w.query("SET statement_timeout = 0").kinds == "CZ", name
            assert w.query("SELECT 2").rows == [[b"2"]], name
            last = w.query(LOUD)
            assert len(last.rows) == 1 and not found(
                repr(last.messages).encode()), (name, last.messages)


def test_messages_after_a_flush_that_timed_out_are_ignored_up_to_sync(world):
    s = guarded(world)
    with s.wire() as w:
        expire_amid_batch(world, w)
        w.send(FLUSH)
        assert w.receive()[0] == b"E"
        replies = w.exchange(bind(), execute(), query("SELECT 1"), SYNC)
        assert replies.kinds == "Z", replies.messages
        assert w.query("SELECT 2").rows == [[b"2"]]


def test_cancelled_statement_of_a_batch_ends_it_as_at_the_server(world):
    s = guarded(world)
    with s.wire() as w:
        w.send(parse("SELECT pg_sleep(61.25)"), bind(), execute(), SYNC)
        # other tests sleep, too
        harness.until(lambda: world.pg.ask(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' "
            "AND query LIKE '%(61.25)'"), "the statement to run")
        with s.bare_wire() as other:
            other.send(cancel_request(w.pid, w.key))
            other.rest()
        replies = w.until(b"Z")
        assert replies.errors[0]["C"] == "57014", replies.messages
        assert w.extended("SELECT 2").rows == [[b"2"]]


# --- names and errors of Sallyport's own ------------------------------------

def call(oid, *arguments):
    body = struct.pack("!Ihhh", oid, 1, 0, len(arguments))
    for a in arguments:
        body += struct.pack("!i", len(a)) + a
    return message(b"F", body + struct.pack("!h", 0))


INT4EQ = call(65, b"1", b"1")


def test_name_of_our_own_question_is_no_hindrance(world):
    policy = without_detectors()
    policy["rules"].append({"name": "calls", "does": ["function-call"],
                            "then": "allow"})
    s = world.sallyport(policy=policy)
    for step in (query('DECLARE "sallyport.question" CURSOR WITH HOLD FOR '
                       "SELECT 1"),
                 parse("SELECT 1", "sallyport.question") + SYNC):
        with s.wire() as w:
            assert not w.exchange(step).errors
            replies = w.exchange(INT4EQ)
            assert replies.kinds == "VZ", replies.messages
            again = w.exchange(bind(statement="sallyport.question"), SYNC)
            assert again.errors[0]["C"] == "26000", again.messages


def test_error_of_the_client_ends_its_transaction_as_at_the_server(world):
    s = guarded(world)
    for name, parts in {
            "a statement that is not there": bind(statement="none"),
            "to be described": describe(b"S", "none"),
            "a portal that is not there": execute("none"),
            "a portal that is": bind(portal="p") + bind(portal="p"),
            "a view copied": parse("COPY contacts TO STDOUT") + bind()
            + execute(),
    }.items():
        with s.wire() as w:
            w.exchange(parse("SELECT 1"), SYNC)
            w.exchange(parse("BEGIN", "begin"), bind(statement="begin"),
                       execute(), parse("SELECT 1"), SYNC)
            replies = w.exchange(parts, SYNC)
            assert replies.status == "E", (name, replies.messages)
            assert w.query("COMMIT").tags == ["ROLLBACK"], name
