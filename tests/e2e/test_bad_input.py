"""Bytes no driver would send: an error or a closed connection, one record,
no crash, no growth, and the next client is served."""

import os
import struct
import time

import harness
import needs
import pgwire

HUGE = 0x7fffffff


def started(world, **settings):
    return world.sallyport(settings=settings)


def impatient(world):
    """Whoever has not logged in by then is told to go."""
    return started(world, login_deadline="2s")


def serves_in_time(sallyport):
    """The same as serves(), where a slow machine may need a few turns."""
    def served():
        try:
            serves(sallyport)
            return True
        except (pgwire.Closed, pgwire.ServerError, ConnectionError):
            return False
    harness.until(served, "a client to be served")


def ended_at_the_deadline(sallyport, logins):
    """There are so many that failed, and the last took too long."""
    record = sallyport.sink.wait("login-failed", logins)
    assert "deadline" in record["reason"], record


def serves(sallyport):
    with sallyport.wire("alice") as w:
        assert w.query("SELECT 1").rows == [[b"1"]]


def refused_at_startup(sallyport, sent, close=False):
    """The bytes lead to at most an error, an end, and one record."""
    before = len(sallyport.sink.find("login-failed"))
    with sallyport.bare_wire() as w:
        w.send(sent)
        if close:
            w.socket.shutdown(1)
        replies = w.rest()
        assert set(replies.kinds) <= {"E", "R"}, (sent, replies.messages)
        assert len(replies.errors) <= 1
    sallyport.sink.wait("login-failed", before + 1)
    serves(sallyport)
    assert len(sallyport.sink.find("login-failed")) == before + 1, sent


def test_startup_with_a_length_that_lies(world):
    s = started(world)
    for length in (0, 3, 4, 7, -1, -HUGE - 1, HUGE, 1 << 20):
        refused_at_startup(s, struct.pack("!i", length) + b"\0\3\0\0user\0")


def test_startup_that_is_malformed(world):
    s = started(world)
    good = pgwire.startup(user="alice", database="shop")
    cut = good[:-4]
    for sent in (
            struct.pack("!ii", 8, 196608),  # no terminator
            struct.pack("!ii", 9, 196608) + b"\0",  # no user
            struct.pack("!i", len(cut)) + cut[4:],  # ends inside a value
            struct.pack("!ii", 8, 0x00020000),  # protocol 2
            struct.pack("!ii", 9, 0x00040000) + b"\0",  # protocol 4
            struct.pack("!ii", 8, 0), struct.pack("!ii", 8, -1),
            struct.pack("!ii", 13, 196608) + b"user\0",  # name, no value
            struct.pack("!ii", 10, 196608) + b"\0\0",  # after the end
            b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS hello
            pgwire.query("SELECT 1")):
        refused_at_startup(s, sent, close=True)


def test_startup_parameters_of_odd_bytes(world):
    s = started(world)
    for user in (b"\xff\xfe", b"alice\n", b"al\x01ice", b"'; --", b"%s%n"):
        refused_at_startup(s, pgwire.startup(user=user, database="shop"),
                           close=True)


def test_thousands_of_startup_parameters(world):
    s = started(world)
    body = struct.pack("!i", 196608) + b"user\0alice\0"
    body += b"".join(b"p%d\0v\0" % i for i in range(1200)) + b"\0"
    refused_at_startup(s, struct.pack("!i", len(body) + 4) + body)


def test_repeated_ssl_requests_do_not_go_on_for_ever(world):
    s = started(world)
    with s.bare_wire() as w:
        try:
            for _ in range(1000):
                w.send(pgwire.SSL_REQUEST)
                if w.take(1) != b"N":
                    break
            else:
                raise AssertionError("1,000 requests were answered")
        except (pgwire.Closed, ConnectionError):
            pass
    serves(s)


def test_scram_messages_that_are_malformed(world):
    s = started(world)
    nonsense = [
        b"", b"SCRAM-SHA-256\0", b"SCRAM-SHA-256\0\xff\xff\xff\xff",
        b"SCRAM-SHA-256\0\x7f\xff\xff\xff", b"PLAIN\0\0\0\0\5alice",
        b"SCRAM-SHA-256-PLUS\0\0\0\0\6p=,n=,",
        b"SCRAM-SHA-256\0" + struct.pack("!i", 12) + b"n,,n=,r=abc\0",
        b"SCRAM-SHA-256\0" + struct.pack("!i", 7) + b"n,,r=\n,",
        b"SCRAM-SHA-256\0" + struct.pack("!i", 9) + b"y,,n=,r=a",
        b"SCRAM-SHA-256\0" + struct.pack("!i", 9) + b"n,a=x,n=,r=a"[:9],
        b"SCRAM-SHA-256\0" + struct.pack("!i", 6000) + b"n,,n=,r="
        + b"a" * 5992]
    for body in nonsense:
        refused_at_startup(s, pgwire.startup(user="alice", database="shop")
                           + pgwire.message(b"p", body), close=True)


def test_scram_final_that_is_malformed(world):
    s = started(world)
    for final in (b"", b"c=biws", b"c=biws,r=x,p=", b"c=eSws,r=%s,p=AAAA",
                  b"c=biws,r=%s,p=!!!!", b"c=biws,r=%s,p=" + b"A" * 4000,
                  b"c=biws,r=%s,x=y,p=AAAA", b"\0" * 40):
        before = len(s.sink.find("login-failed"))
        with s.bare_wire() as w:
            w.send(pgwire.startup(user="alice", database="shop"))
            w.receive()
            first = pgwire.Scram("x").first()
            w.send(pgwire.message(b"p", b"SCRAM-SHA-256\0"
                   + struct.pack("!i", len(first)) + first))
            _, body = w.receive()
            nonce = body[4:].split(b",")[0][2:]
            w.send(pgwire.message(b"p", final.replace(b"%s", nonce)))
            assert w.rest().kinds == "E"
        s.sink.wait("login-failed", before + 1)
    serves(s)


def test_silence_ends_at_the_login_deadline(world):
    s = impatient(world)
    for sent in (b"", b"\0\0", pgwire.startup(user="alice",
                                              database="shop")[:10],
                 pgwire.startup(user="alice", database="shop"),
                 pgwire.SSL_REQUEST):
        began = time.monotonic()
        before = len(s.sink.find("login-failed"))
        with s.bare_wire() as w:
            w.send(sent)
            if sent == pgwire.SSL_REQUEST:
                w.take(1)
            w.rest()
        assert time.monotonic() - began > 1, sent
        ended_at_the_deadline(s, before + 1)
    serves_in_time(s)


def test_drip_of_bytes_does_not_extend_the_login_deadline(world):
    s = impatient(world)
    before = len(s.sink.find("login-failed"))
    whole = pgwire.startup(user="alice", database="shop", of="no" * 50)
    with s.bare_wire() as w:
        w.socket.settimeout(0.3)
        try:
            for byte in whole[:-1]:  # never all of it
                w.send(bytes([byte]))
                try:
                    assert w.receive()[0] == b"E"
                    break
                except TimeoutError:
                    continue
            else:
                raise AssertionError("it could send to its end")
        except (pgwire.Closed, ConnectionError):
            pass
    ended_at_the_deadline(s, before + 1)
    serves_in_time(s)


def ended_in_session(sallyport, sent, close=False):
    """A logged-in client sends this: an error or an end, and no crash."""
    before = len(sallyport.sink.find("disconnect"))
    with sallyport.wire("alice") as w:
        w.send(sent)
        if close:
            w.socket.shutdown(1)
        replies = w.rest()
        assert "D" not in replies.kinds, (sent[:40], replies.messages)
        assert len(replies.errors) <= 1
    sallyport.sink.wait("disconnect", before + 1)
    sallyport.nobody_died()


def test_messages_with_lengths_that_lie(world):
    s = started(world)
    for kind in b"QPBEDCHSfFdcX":
        for length in (0, 3, -1, -HUGE - 1, HUGE):
            ended_in_session(s, bytes([kind]) + struct.pack("!i", length),
                             close=True)
    serves(s)


def test_message_longer_than_what_is_sent(world):
    s = started(world)
    for sent in (b"Q\0\0\1\0SELECT 1\0", b"Q", b"Q\0\0", b"P\0\0\0\x20x"):
        ended_in_session(s, sent, close=True)
    serves(s)


def test_message_bodies_that_lie(world):
    s = started(world)
    for sent in (
            pgwire.message(b"Q", b"SELECT 1"),  # no terminator
            pgwire.message(b"Q", b""),
            pgwire.message(b"Q", b"SELECT 1\0rest"),
            pgwire.message(b"P", b"x\0SELECT 1\0"),  # no count
            pgwire.message(b"P", b"x\0SELECT 1\0\0\5\0\0"),
            pgwire.message(b"P", b"x\0SELECT 1\0\xff\xff"),
            pgwire.message(b"P", b"\0SELECT 1\0\0\0rest"),
            pgwire.message(b"B", b"\0\0\0\0\0\5"),
            pgwire.message(b"B", b"\0\0\0\0\0\1\x7f\xff\xff\xff"),
            pgwire.message(b"B", b"\0\0\0\0\0\1\xff\xff\xff\xfe\0\0"),
            pgwire.message(b"B", b"\0\0\xff\xff"),
            pgwire.message(b"B", b"\0\0\0\1\0\7\0\0\0\0"),
            pgwire.message(b"E", b"\0"), pgwire.message(b"E", b"\0\0\0\0\0\0"),
            pgwire.message(b"D", b"Z\0"), pgwire.message(b"D", b"S"),
            pgwire.message(b"C", b"Q\0"), pgwire.message(b"C", b""),
            pgwire.message(b"S", b"rest"), pgwire.message(b"H", b"rest")):
        before = len(s.sink.find("disconnect"))
        with s.wire("alice") as w:
            w.send(sent, pgwire.SYNC, pgwire.TERMINATE)
            replies = w.rest()
            assert replies.errors, sent
            assert "D" not in replies.kinds, sent
        s.sink.wait("disconnect", before + 1)
    s.nobody_died()
    serves(s)


def test_messages_out_of_order(world):
    s = started(world)
    for sent in (pgwire.message(b"p", b"alice-secret\0"),
                 pgwire.message(b"d", b"data"), pgwire.message(b"c"),
                 pgwire.message(b"f", b"why\0"), pgwire.message(b"Z", b"I"),
                 pgwire.message(b"R", b"\0\0\0\0"),
                 pgwire.startup(user="carol", database="shop"),
                 pgwire.SSL_REQUEST):
        ended_in_session(s, sent, close=True)
    serves(s)
    with s.wire("alice") as w:  # Execute and Bind of nothing
        for parts in ((pgwire.execute("no"),), (pgwire.bind((), "", "no"),),
                      (pgwire.describe(b"P", "no"),)):
            replies = w.exchange(*parts, pgwire.SYNC)
            assert replies.kinds == "EZ", replies.kinds
        assert w.exchange(pgwire.SYNC, pgwire.SYNC, syncs=2).kinds == "ZZ"
        assert w.query("SELECT 1").rows == [[b"1"]]


def test_statement_with_nul_or_invalid_utf8_is_refused(world):
    s = started(world)
    with s.wire("alice") as w:
        for bad in (b"SELECT '\xff'", b"SELECT '\xc0\x80'",
                    b"SELECT \xed\xa0\x80", b"SELECT 1 -- \xf8"):
            for sent in (pgwire.query(bad), pgwire.parse(bad) + pgwire.SYNC):
                replies = w.exchange(sent)
                assert replies.kinds == "EZ", (bad, replies.kinds)
                assert replies.errors[0]["C"] in ("42501", "22021")
        assert w.query("SELECT 1").rows == [[b"1"]]
    s.sink.wait("statement", 8, decision="deny")
    assert len(s.sink.find("statement", decision="deny")) == 8
    ended_in_session(s, pgwire.message(b"Q", b"SELECT 1\0 DROP TABLE x\0"),
                     close=True)


def test_statement_of_100_megabytes_is_refused_without_growth(world):
    s = started(world)
    size = 100 << 20
    with s.wire("alice") as w:
        session = s.sink.wait("connect")["session"]
        w.send(b"Q" + struct.pack("!i", size + 5) + b"SELECT '")
        most = 0
        try:
            for _ in range(99):
                w.send(b"x" * (1 << 20))
                most = max([most, *(harness_rss(p) for p in s.workers())])
            w.send(b"x" * ((1 << 20) - 9) + b"'\0")
        except (ConnectionError, OSError):
            pass
        try:
            replies = w.until(b"Z", b"E")
            assert replies.errors[0]["C"] in ("42501", "54000", "08P01")
        except (pgwire.Closed, ConnectionError):
            pass
    assert most < 64 << 20, f"{most >> 20} MiB"
    serves(s)
    s.sink.wait("statement", decision="deny", session=session)


def harness_rss(pid):
    """Private bytes of a process; a sanitizer's are not counted."""
    if needs.SANITIZED:
        return 0
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as f:
            fields = f.read().split()
        return (int(fields[1]) - int(fields[2])) * 4096
    except (FileNotFoundError, ProcessLookupError):
        return 0


def test_statement_just_within_and_just_over_the_limit(world):
    s = started(world, statement_limit="64KiB")
    with s.wire("alice") as w:
        inside = "SELECT length('" + "x" * 60000 + "')"
        assert w.query(inside).rows == [[b"60000"]]
        replies = w.query("SELECT length('" + "x" * 70000 + "')")
        assert replies.kinds == "EZ", replies.kinds
        assert w.query("SELECT 1").rows == [[b"1"]]
        replies = w.exchange(pgwire.parse("SELECT '" + "x" * 70000 + "'"),
                             pgwire.bind(), pgwire.execute(), pgwire.SYNC)
        assert replies.kinds == "EZ", replies.kinds
        assert w.query("SELECT 1").rows == [[b"1"]]


def test_deeply_nested_statement_is_answered(world):
    s = started(world)
    with s.wire("alice") as w:
        for sql in ("SELECT " + "(" * 20000 + "1" + ")" * 20000,
                    "(" * 50000, ")" * 50000, "/*" * 50000,
                    "SELECT " + "-" * 50000, "SELECT $" + "a" * 50000 + "$",
                    "'" * 50001, "SELECT " + "1," * 100000 + "1",
                    ";" * 100000 + "SELECT 1", "SELECT 1;" * 2000):
            replies = w.query(sql)
            assert replies.status == "I", sql[:20]
        assert w.query("SELECT 1").rows == [[b"1"]]


def test_patterns_cannot_be_made_to_run_away(world):
    s = world.prepare()
    s.policy["rules"].pop()  # nothing is held
    s.policy["examples"] = []
    s.write_all()
    s.start()
    with s.wire("alice") as w:
        for sql in ("SELECT " + "a ( " * 3000 + ") " * 3000,
                    "WITH " + "x AS (SELECT 1), " * 2000 + "y AS (SELECT 1) "
                    "SELECT 1", "SELECT " + "select from where " * 20000,
                    "UPDATE " * 30000, "SELECT a" + " .a" * 40000):
            began = time.monotonic()
            replies = w.query(sql)
            assert replies.status == "I", sql[:20]
            assert time.monotonic() - began < harness.PATIENCE / 2, sql[:20]


def test_half_a_message_and_then_nothing_is_dropped_with_its_client(world):
    s = started(world)
    before = len(s.sink.find("disconnect"))
    w = s.wire("alice")
    w.send(b"Q\0\0\0\x50SELECT")
    w.socket.close()
    s.sink.wait("disconnect", before + 1)
    serves(s)


def test_clients_that_connect_and_vanish_cost_nothing(world):
    s = started(world)
    for _ in range(50):
        s.bare_wire().socket.close()
    serves(s)
    harness.until(lambda: len(s.workers()) <= 10, "the pool to settle")


def test_slow_clients_do_not_keep_others_out(world):
    s = started(world, login_deadline="600s")  # nobody waits so long
    slow = [s.bare_wire() for _ in range(20)]
    serves(s)
    for w in slow:
        w.socket.close()


def test_cancel_request_that_is_malformed(world):
    s = started(world)
    for sent in (struct.pack("!ii", 8, 80877102),
                 struct.pack("!iii", 12, 80877102, 1),
                 struct.pack("!iiiii", 20, 80877102, 1, 2, 3),
                 pgwire.cancel_request(0, 0), pgwire.cancel_request(-1, 0)):
        with s.bare_wire() as w:
            w.send(sent)
            assert set(w.rest().kinds) <= {"E"}
    serves(s)
