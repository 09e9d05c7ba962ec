"""Large and slow: results, values, pipelines and readers that take long must
not make a session grow."""

import os
import select
import struct

import needs
import pgwire
from expect import fails, ok
from harness import PATIENCE, until

MB = 2 ** 20
# What a session may take beyond what it had when idle; the sanitizers keep
# freed memory (64 MiB, says the harness) and shadows of everything.
GROWTH = (160 if needs.SANITIZED else 8) * MB


def worker_of(s, w):
    """The process that serves this connection."""
    found = until(lambda: [x for x in s.json("sessions")
                           if x.get("backend_pid", w.pid) == w.pid],
                  "the session to be shown")
    assert len(found) == 1, found
    return found[0]["pid"]


def memory(pid):
    """Resident bytes that are this process's own."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as f:
        _, resident, shared = (int(n) for n in f.read().split()[:3])
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")


class Watch:
    """The largest memory of a worker, looked at now and then."""

    def __init__(self, s, w):
        self.pid = worker_of(s, w)
        self.idle = self.peak = memory(self.pid)

    def look(self):
        self.peak = max(self.peak, memory(self.pid))

    def check(self):
        self.look()
        assert self.peak - self.idle < GROWTH, (
            f"{self.idle / MB:.1f} MiB idle, {self.peak / MB:.1f} at its peak")


def drink(w, watch):
    """Read one answer to ReadyForQuery, keeping only its small messages:
    (bytes of rows, rows, the other messages)."""
    size = rows = 0
    others, buffer = [], bytearray()
    view = memoryview(bytearray(MB))
    skip = 0
    w.socket.settimeout(3 * PATIENCE)  # the server is long at it
    while True:
        n = w.socket.recv_into(view)
        assert n, "closed"
        watch.look()
        at = min(skip, n)
        skip -= at
        buffer += view[at:n]
        at = 0
        while len(buffer) - at >= 5:
            kind = buffer[at:at + 1]
            length, = struct.unpack_from("!i", buffer, at + 1)
            if kind in b"Dd":
                rows += 1
                size += length - 4
                skip = max(0, at + 1 + length - len(buffer))
                at = min(at + 1 + length, len(buffer))
                continue
            if len(buffer) - at < 1 + length:
                break
            others.append((bytes(kind), bytes(buffer[at + 5:at + 1 + length])))
            at += 1 + length
            if kind == b"Z":
                assert at == len(buffer)
                return size, rows, pgwire.Replies(others)
        del buffer[:at]


def test_two_gigabytes_pass_and_the_session_does_not_grow(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        watch = Watch(s, w)
        w.send(pgwire.query("SELECT repeat('x', 1000000) "
                            "FROM generate_series(1, 2000)"))
        size, rows, replies = drink(w, watch)
        assert rows == 2000 and size == 2000 * (1000000 + 6), (rows, size)
        assert replies.tags == ["SELECT 2000"]
        watch.check()
    s.sink.wait("result", bytes=2000 * (1000000 + 11), rows=2000)


def test_masked_result_of_a_gigabyte_does_not_make_the_session_grow(world):
    s = world.writable()
    world.pg.ask("CREATE TABLE scans AS SELECT email AS card_number, "
                 "repeat('0', 100000)::varbit AS page "
                 "FROM customers LIMIT 10; "
                 "GRANT SELECT ON scans TO PUBLIC", s.database)
    with s.wire() as w:
        watch = Watch(s, w)
        w.send(pgwire.query("SELECT card_number, page "
                            "FROM scans, generate_series(1, 1000)"))
        size, rows, replies = drink(w, watch)
        assert rows == 10000 and size > 10 ** 9, (rows, size)
        assert replies.tags == ["SELECT 10000"]
        watch.check()
    assert s.sink.wait("result", rows=10000)["masked"] == 10000


def test_value_of_a_gigabyte_passes_and_the_session_does_not_grow(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        watch = Watch(s, w)
        w.send(pgwire.query("SELECT repeat('x', 1000000000)"))
        size, rows, replies = drink(w, watch)
        assert (rows, size) == (1, 10 ** 9 + 6)
        assert replies.tags == ["SELECT 1"]
        watch.check()


def test_row_too_long_to_be_masked_is_refused_and_the_session_goes_on(world):
    s = world.sallyport()
    with s.wire() as w:
        watch = Watch(s, w)
        w.send(pgwire.query("SELECT email, repeat('x', 100000000) "
                            "FROM customers LIMIT 1"))
        size, rows, replies = drink(w, watch)
        assert (rows, size) == (0, 0)
        assert fails(replies, "54000")["M"].startswith("a row with masked")
        assert w.query("SELECT 1").rows == [[b"1"]]


def test_sixteen_hundred_columns_pass_and_the_protected_one_is_masked(world):
    s = world.sallyport()
    sql = "SELECT " + ", ".join(["id"] * 800 + ["email"] + ["id"] * 799)
    sql += " FROM customers ORDER BY id LIMIT 3"
    with s.wire("alice") as w, s.wire() as agent:
        clear, masked = w.query(sql).rows, agent.query(sql).rows
        binary = agent.extended(sql, results=[1]).rows
    assert [len(r) for r in clear + masked + binary] == [1600] * 9
    for plain, hidden, packed in zip(clear, masked, binary):
        assert [i for i in range(1600) if plain[i] != hidden[i]] == [800]
        assert plain[800] not in packed and packed[800] == hidden[800]


def test_reader_that_stalls_holds_the_server_back(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        watch = Watch(s, w)
        w.send(pgwire.query("SELECT repeat('x', 100000) "
                            "FROM generate_series(1, 3000)"))

        def stands_still(last=[]):
            with open(f"/proc/{watch.pid}/stat", encoding="ascii",
                      errors="replace") as f:
                last.append(f.read().rpartition(")")[2].split()[11:13])
            watch.look()
            return len(last) > 30 and all(t == last[-1] for t in last[-30:])
        until(stands_still, "the worker to wait for its client", every=0.02)
        watch.check()
        size, rows, _ = drink(w, watch)
        assert rows == 3000 and size == 3000 * 100006
        watch.check()


def test_ten_thousand_statements_in_one_session_leave_nothing(world):
    s = world.sallyport()
    with s.wire() as w:
        w.query("SELECT 1")
        watch = Watch(s, w)
        for start in range(0, 10000, 100):
            batch = [pgwire.query(f"SELECT id, {i} FROM products "
                                  f"WHERE id = {i} -- {i}")
                     for i in range(start, start + 100)]
            ok(w.exchange(*batch, syncs=100))
            watch.look()
        watch.check()
        assert w.query("SELECT 1").rows == [[b"1"]]
    end = s.sink.wait("disconnect")
    assert end["statements"] == 10002, end


def test_thousand_prepared_statements_all_stay(world):
    s = world.sallyport()
    with s.wire() as w:
        ok(w.exchange(*[pgwire.parse(f"SELECT {i}, $1::int", f"s{i}")
                        for i in range(1000)], pgwire.SYNC))
        replies = w.exchange(*[part for i in range(1000) for part in (
            pgwire.bind([b"7"], statement=f"s{i}"), pgwire.execute())],
                             pgwire.SYNC)
        ok(replies)
        assert replies.rows == [[b"%d" % i, b"7"] for i in range(1000)]


def both_ways(w, out, watch):
    """Send all of `out` while taking in what comes, as libpq does; the bytes
    that came up to and with ReadyForQuery."""
    sent, got = 0, bytearray()
    tail = pgwire.message(b"Z", b"I")
    total = 0
    w.socket.setblocking(False)
    while True:
        writes = [w.socket] if sent < len(out) else []
        ready, room, _ = select.select([w.socket], writes, [], 30)
        assert ready or room, f"stuck: {sent} sent, {total} received"
        if room:
            sent += w.socket.send(out[sent:sent + MB])
        if ready:
            got += w.socket.recv(MB)
            total += len(got) - min(len(got), len(tail))
            del got[:-len(tail)]
            watch.look()
        if sent == len(out) and got == tail:
            w.socket.settimeout(20)
            return total


def test_hundred_megabytes_each_way_in_one_pipeline_do_not_deadlock(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        watch = Watch(s, w)
        value = b"v" * MB
        parts = [pgwire.parse("SELECT $1::text", "echo")]
        for _ in range(100):
            parts += [pgwire.bind([value], statement="echo"),
                      pgwire.execute()]
        received = both_ways(w, memoryview(b"".join(parts) + pgwire.SYNC),
                             watch)
        assert received > 100 * MB
        assert w.query("SELECT 1").rows == [[b"1"]]
        watch.check()


def test_pipeline_of_thousands_with_errors_in_the_middle_keeps_step(world):
    s = world.sallyport()
    parts, rows, errors = [], [], 0
    for batch in range(600):
        has_failed = False
        for i in range(batch * 5, batch * 5 + 5):
            is_bad = i % 7 == 3
            parts += [pgwire.parse(f"SELECT {i}" + " / 0" * is_bad),
                      pgwire.bind(), pgwire.execute()]
            if not is_bad and not has_failed:
                rows.append([b"%d" % i])
            errors += is_bad and not has_failed
            has_failed |= is_bad
        parts.append(pgwire.SYNC)
    with s.wire() as w:
        replies = w.exchange(*parts, syncs=600)
        assert replies.rows == rows
        assert [e["C"] for e in replies.errors] == ["22012"] * errors
        assert w.query("SELECT 1").rows == [[b"1"]]
