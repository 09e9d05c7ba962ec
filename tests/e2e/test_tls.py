"""TLS with clients, and who proves what over it."""

import hashlib
import os
import ssl
import struct

import harness
import pgwire
from certificates import Authority
from tls_tools import (cancelled, fails, handshake_fails, server_certificate,
                       tls_psql, works)

ALPN = ["postgresql"]


# --- the client's side ------------------------------------------------------


def test_psql_with_every_sslmode(world):
    s = world.sallyport(tls={})
    for mode in ("disable", "allow", "prefer", "require", "verify-ca",
                 "verify-full"):
        works(tls_psql(s, sslmode=mode))
    s.sink.wait("disconnect", count=6)
    told = [r.get("tls", {}).get("version")
            for r in s.sink.find("connect")]
    assert told == [None, None] + ["TLSv1.3"] * 4


def test_every_kind_of_key_serves_every_version(world):
    for kind in ("rsa", "ec", "ec384", "ec521"):
        s = world.sallyport(tls={"kind": kind})
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with s.tls_wire(newest=version) as w:
                w.login("alice", "alice-secret")
                assert w.query("SELECT 1").rows == [[b"1"]]
        s.sink.wait("disconnect", count=2)
        told = [r["tls"]["version"] for r in s.sink.find("connect")]
        assert told == ["TLSv1.2", "TLSv1.3"]


def test_name_that_is_not_the_certificates_is_the_clients_refusal(world):
    s = world.sallyport(tls={})
    fails(tls_psql(s, sslmode="verify-full", host="localhost.localdomain",
                   hostaddr="127.0.0.1"), "does not match host name")
    other = Authority(os.path.join(s.folder, "other"), harness.give)
    fails(tls_psql(s, sslmode="verify-ca", sslrootcert=other.certificate),
          "certificate verify failed")
    assert "unknown ca" in s.sink.wait("login-failed", 2)["reason"]


def test_older_versions_of_tls_are_refused(world):
    s = world.sallyport(tls={})
    context = s.authority.context()
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    handshake_fails(s, context)


def test_ciphers_without_forward_secrecy_are_refused(world):
    s = world.sallyport(tls={"kind": "rsa"})
    context = s.authority.context(newest=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("AES256-GCM-SHA384:AES128-SHA")
    assert "no shared cipher" in handshake_fails(s, context)["reason"]


def test_clear_text_is_refused_where_tls_is_required(world):
    s = world.sallyport(tls={"required": True})
    fails(tls_psql(s, sslmode="disable"), "FATAL", "sslmode=require")
    with s.bare_wire() as w:
        w.send(pgwire.startup(user="alice", database="shop"))
        kinds = w.rest().kinds
        assert kinds == "E", f"asked for more than it may: {kinds}"
    assert s.sink.wait("login-failed", 2)["sqlstate"] == "28000"
    works(tls_psql(s, sslmode="require"))


def test_bytes_in_clear_behind_the_request_for_tls_are_refused(world):
    s = world.sallyport(tls={})
    for injected in (pgwire.startup(user="alice", database="shop"),
                     pgwire.query("SELECT 1"), b"\0"):
        with s.bare_wire() as w:
            w.send(pgwire.SSL_REQUEST + injected)
            answer = w.rest()
            assert answer.kinds == "E", answer.messages
            assert answer.errors[0]["C"] == "08P01"
    record = s.sink.wait("login-failed", 3)
    assert "in clear" in record["reason"]


def test_bytes_in_clear_instead_of_a_handshake_are_refused(world):
    s = world.sallyport(tls={})
    for said in (pgwire.startup(user="alice", database="shop"),
                 pgwire.SSL_REQUEST, b"GET / HTTP/1.0\r\n\r\n", b"\x16" * 99):
        with s.bare_wire() as w:
            w.send(pgwire.SSL_REQUEST)
            assert w.take(1) == b"S"
            w.send(said)
            try:
                rest = w.socket.recv(1000)
            except ConnectionError:
                rest = b""
            # an alert of TLS at most: no word of the protocol
            assert rest == b"" or rest[0] == 21, rest
    s.sink.wait("login-failed", 4)


def test_request_for_tls_inside_tls_is_refused(world):
    s = world.sallyport(tls={})
    for request in (pgwire.SSL_REQUEST, pgwire.GSSENC_REQUEST):
        with s.tls_wire() as w:
            w.send(request)
            assert w.rest().kinds == "E"
    s.sink.wait("login-failed", 2)


def test_request_for_gss_may_come_before_that_for_tls(world):
    s = world.sallyport(tls={})
    with s.bare_wire() as w:
        w.send(pgwire.GSSENC_REQUEST)
        assert w.take(1) == b"N"
        w.start_tls(s.authority.context())
        w.login("alice", "alice-secret")


def test_direct_tls_needs_alpn(world):
    s = world.sallyport(tls={})
    with s.tls_wire(direct=True, alpn=ALPN) as w:
        assert w.socket.selected_alpn_protocol() == "postgresql"
        w.login("alice", "alice-secret")
        assert w.query("SELECT 1").rows == [[b"1"]]
    with s.tls_wire(direct=True) as w:
        answer = w.rest()
        assert answer.kinds == "E" and "ALPN" in answer.errors[0]["M"]
    assert "ALPN" in s.sink.wait("login-failed")["reason"]
    handshake_fails(s, s.authority.context(alpn=["http/1.1", "h2"]), True)


def test_alpn_is_optional_after_a_request_but_must_be_ours(world):
    s = world.sallyport(tls={})
    with s.tls_wire(alpn=["h2", "postgresql"]) as w:
        assert w.socket.selected_alpn_protocol() == "postgresql"
        w.login("alice", "alice-secret")
    handshake_fails(s, s.authority.context(alpn=["h2"]))


def test_direct_tls_without_tls_is_malformed(world):
    s = world.sallyport()
    with s.bare_wire() as w:
        w.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 600)
        assert w.rest().kinds == "E"
    s.sink.wait("login-failed")


def test_unix_socket_has_no_tls(world):
    s = world.prepare(tls={"required": True})
    path = f"{s.folder}/.s.PGSQL.{s.port}"
    s.settings["listen"].append({"address": f"unix:{path}",
                                 "upstream": "shop"})
    s.write_all()
    s.start()
    with pgwire.Wire(path) as w:
        w.send(pgwire.SSL_REQUEST)
        assert w.take(1) == b"N"
        w.login("alice", "alice-secret")
        assert w.query("SELECT 1").rows == [[b"1"]]


# --- certificates of clients ------------------------------------------------


def test_client_certificate_is_recorded(world):
    s = world.sallyport(tls={"client_ca": True})
    mine = s.authority.issue("agent seven")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with s.tls_wire(certificate=mine, newest=version) as w:
            w.login("alice", "alice-secret")
    s.sink.wait("disconnect", count=2)
    told = [r["tls"] for r in s.sink.find("connect")]
    assert [t["subject"] for t in told] == ["CN=agent seven"] * 2
    with s.tls_wire() as w:  # none is fine
        w.login("alice", "alice-secret")
    assert "subject" not in s.sink.wait("connect", 3)["tls"]


def test_client_certificate_of_another_authority_or_time_is_refused(world):
    s = world.sallyport(tls={"client_ca": True})
    other = Authority(os.path.join(s.folder, "other"), harness.give)
    expired = s.authority.issue("agent", expired=True)
    assert "expired" in handshake_fails(
        s, s.authority.context(certificate=expired))["reason"]
    handshake_fails(
        s, s.authority.context(certificate=other.issue("agent")))


# --- channel binding --------------------------------------------------------


def end_point(certificate, digest="sha256"):
    with open(certificate, encoding="ascii") as f:
        der = ssl.PEM_cert_to_DER_cert(f.read())
    return hashlib.new(digest, der).digest()


def test_psql_requires_channel_binding(world):
    s = world.sallyport(tls={})
    works(tls_psql(s, sslmode="require", channel_binding="require"))
    assert s.sink.wait("connect")["tls"]["channel_binding"] is True
    works(tls_psql(s, sslmode="require", channel_binding="disable"))
    assert s.sink.wait("connect", 2)["tls"]["channel_binding"] is False
    fails(tls_psql(s, sslmode="disable", channel_binding="require"),
          "channel binding")


def test_binding_is_the_hash_of_the_certificates_own_algorithm(world):
    for kind, digest in (("rsa", "sha384"), ("ec", "sha512")):
        s = world.sallyport(tls={"kind": kind, "digest": digest})
        works(tls_psql(s, sslmode="require", channel_binding="require"))
        with s.tls_wire() as w:
            w.login("alice", "alice-secret",
                    binding=end_point(server_certificate(s), digest))
            assert w.mechanisms == [b"SCRAM-SHA-256-PLUS", b"SCRAM-SHA-256"]


def scram_answer(s, tls=True, **changes):
    """The kinds of what answers a SCRAM exchange with these changes."""
    wire = s.tls_wire() if tls else s.bare_wire()
    with wire as w:
        w.send(pgwire.startup(user="alice", database="shop"))
        kind, body = w.receive()
        assert kind == b"R" and body[:4] == struct.pack("!i", 10)
        w.mechanisms = body[4:].split(b"\0")[:-2]
        scram = pgwire.Scram("alice-secret",
                             changes.pop("binding", None))
        for name, value in changes.items():
            setattr(scram, name, value)
        first = scram.first()
        w.send(pgwire.message(b"p", pgwire.string(scram.mechanism)
               + struct.pack("!i", len(first)) + first))
        kind, body = w.receive()
        if kind == b"R":
            w.send(pgwire.message(b"p", scram.final(body[4:])))
            kind, body = w.receive()
        return kind, w.mechanisms


def test_binding_that_is_not_this_connections_is_refused(world):
    s = world.sallyport(tls={})
    right = end_point(server_certificate(s))
    table = [
        ({"binding": right}, b"R"),
        ({}, b"R"),
        ({"binding": b"x" * 32}, b"E"),
        ({"binding": right[:-1]}, b"E"),
        # "y": the offer of PLUS was taken away on the way
        ({"header": b"y,,"}, b"E"),
        ({"header": b"y,,", "mechanism": "SCRAM-SHA-256-PLUS"}, b"E"),
        ({"mechanism": "SCRAM-SHA-256-PLUS"}, b"E"),
        ({"binding": right, "mechanism": "SCRAM-SHA-256"}, b"E"),
        ({"binding": right, "header": b"p=tls-unique,,"}, b"E"),
        ({"binding": right, "header": b"p=tls-server-end-point,a=x,"}, b"E"),
        ({"binding": right, "mechanism": "SCRAM-SHA-512"}, b"E"),
    ]
    for changes, want in table:
        assert scram_answer(s, **changes)[0] == want, changes


def test_binding_that_was_tampered_with_is_told_from_malformed_messages(world):
    s = world.sallyport(tls={})
    right = end_point(server_certificate(s))
    table = [
        ({"header": b"y,,"}, "channel binding was stripped"),
        ({"binding": b"x" * 32}, "channel binding does not fit"),
        ({"binding": right[:-1]}, "channel binding does not fit"),
        ({"binding": right, "mechanism": "SCRAM-SHA-512"}, "malformed"),
        ({"mechanism": "SCRAM-SHA-256-PLUS"}, "malformed"),
    ]
    for number, (changes, reason) in enumerate(table):
        scram_answer(s, **changes)
        record = s.sink.wait("login-failed", number + 1)
        assert reason in record["reason"], (changes, record)
        assert record["sqlstate"] == \
            ("08P01" if reason == "malformed" else "28000"), record


def test_binding_is_not_offered_in_clear(world):
    s = world.sallyport(tls={})
    kind, mechanisms = scram_answer(s, tls=False)
    assert (kind, mechanisms) == (b"R", [b"SCRAM-SHA-256"])
    assert scram_answer(s, tls=False, header=b"y,,")[0] == b"R"
    assert scram_answer(s, tls=False, binding=b"x" * 32)[0] == b"E"


# --- the whole protocol over TLS --------------------------------------------


def test_drivers_over_tls(world):
    s = world.sallyport(tls={"required": True})
    with s.connect("alice+copilot", sslmode="verify-full",
                   sslrootcert=s.authority.certificate) as c:
        assert c.execute("SELECT count(*) FROM customers").fetchone()[0] > 0
        with c.transaction():
            c.execute("SELECT email FROM customers WHERE id = %s", (1,))
        with c.pipeline():
            cursors = [c.execute("SELECT %s::int", (i,)) for i in range(300)]
        assert [k.fetchone()[0] for k in cursors] == list(range(300))


def test_masks_and_refusals_over_tls(world):
    s = world.sallyport(tls={})
    with s.tls_wire() as w:
        w.login("alice+copilot", "copilot-secret")
        clear = world.pg.ask("SELECT email FROM customers WHERE id = 1")[0][0]
        shown = w.query("SELECT email FROM customers WHERE id = 1").rows[0][0]
        assert shown.decode() != clear
        assert w.query("DROP TABLE customers").errors[0]["C"] == "42501"
        assert w.query("SELECT 1").rows == [[b"1"]]


def pipelined(s, wire, size=8 << 20, piece=64 << 10):
    """Lots of bytes both ways at once. One thread: OpenSSL does not let two
    use a connection at the same time."""
    count = size // piece
    sent = b"".join(
        pgwire.bind((b"x" * piece,)) + pgwire.execute()
        for _ in range(count))
    wire.exchange(pgwire.parse("SELECT $1 || 'y'", types=(25,)), pgwire.SYNC)
    answered = wire.exchange_at_once(sent + pgwire.SYNC)
    assert not answered.errors
    assert [len(row) for row in answered.bodies(b"D")] == [piece + 7] * count


def test_large_pipelines_both_ways_do_not_deadlock(world):
    s = world.sallyport(tls={}, upstream={
        "tls": {"mode": "verify-full", "ca": world.pg.authority.certificate}})
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with s.tls_wire(newest=version) as w:
            w.login("alice", "alice-secret")
            pipelined(s, w)


def test_reader_that_lags_gets_everything(world):
    s = world.sallyport(tls={})
    with s.tls_wire() as w:
        w.login("alice", "alice-secret")
        w.send(pgwire.query("SELECT repeat('x', 1000) "
                            "FROM generate_series(1, 20000)"))
        harness.until(lambda: world.pg.ask(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'ClientWrite' "
            f"AND pid = {w.pid}"), "the server to wait for the reader")
        assert len(w.until(b"Z").rows) == 20000


def test_one_byte_at_a_time(world):
    """Messages that end in the middle of a record, and the other way."""
    s = world.sallyport(tls={})
    with s.tls_wire() as w:
        w.login("alice", "alice-secret")
        for byte in pgwire.query("SELECT 42"):
            w.send(bytes([byte]))
        assert w.until(b"Z").rows == [[b"42"]]
        w.send(b"".join(pgwire.query(f"SELECT {i}") for i in range(100)))
        told = [w.until(b"Z").rows[0][0] for _ in range(100)]
        assert told == [b"%d" % i for i in range(100)]


def test_goodbye_is_said(world):
    s = world.sallyport(tls={})
    with s.tls_wire() as w:
        w.login("alice", "alice-secret")
        w.send(pgwire.TERMINATE)
        assert w.socket.recv(1) == b""  # else: SSLEOFError
    s.sink.wait("disconnect", reason="client")


def test_client_that_hangs_up_ends_its_session(world):
    s = world.sallyport(tls={})
    w = s.tls_wire()
    w.login("alice", "alice-secret")
    w.socket.close()
    s.sink.wait("disconnect", reason="client")
    held = s.tls_wire()
    held.login("alice", "alice-secret")
    held.send(pgwire.query("SELECT pg_sleep(60)"))
    harness.until(lambda: s.json("sessions"), "the session")
    held.socket.close()
    s.sink.wait("disconnect", 2, reason="client")


def test_handshake_that_stalls_is_ended(world):
    s = world.sallyport(tls={}, settings={"login_deadline": "5s"})
    with s.bare_wire() as w:
        w.send(pgwire.SSL_REQUEST)
        assert w.take(1) == b"S"
        w.send(b"\x16\x03\x01\x02\x00\x01")
        assert w.socket.recv(1) == b""
    assert "deadline" in s.sink.wait("login-failed")["reason"]


# --- cancel -----------------------------------------------------------------


def test_cancel_over_tls_and_in_clear(world):
    s = world.sallyport(tls={"required": True}, upstream={
        "tls": {"mode": "verify-full", "ca": world.pg.authority.certificate}})

    def over_tls():
        with s.tls_wire() as other:
            other.send(pgwire.cancel_request(w.pid, w.key))
            assert other.rest().kinds == ""

    def in_clear():  # as PQcancel() of libpq does
        with s.bare_wire() as other:
            other.send(pgwire.cancel_request(w.pid, w.key))
            assert other.rest().kinds == ""

    with s.tls_wire() as w:
        w.login("alice", "alice-secret")
        cancelled(world.pg, w, over_tls)
        cancelled(world.pg, w, in_clear)
        assert w.query("SELECT 1").rows == [[b"1"]]


def test_refusing_worker_speaks_tls(world):
    s = world.sallyport(tls={}, settings={
        "workers": {"spare": 1, "max": 1}})

    def over_tls(direct):
        with s.tls_wire(direct=direct, alpn=ALPN) as other:
            other.send(pgwire.cancel_request(w.pid, w.key))
            assert other.rest().kinds == ""

    with s.tls_wire() as w:
        w.login("alice", "alice-secret", version=(3, 2))
        assert len(w.key) == 32
        cancelled(world.pg, w, lambda: over_tls(False))
        cancelled(world.pg, w, lambda: over_tls(True))
        for direct in (False, True):
            with s.tls_wire(direct=direct, alpn=ALPN) as other:
                other.send(pgwire.startup(user="alice", database="shop"))
                assert other.rest().errors[0]["C"] == "53300"
        fails(tls_psql(s, sslmode="verify-full"), "too many clients")
        fails(tls_psql(s, sslmode="disable"), "too many clients")
        with s.bare_wire() as other:
            other.send(pgwire.SSL_REQUEST + pgwire.SSL_REQUEST)
            try:  # no S, and nothing behind it is taken for TLS
                assert other.socket.recv(9) == b""
            except ConnectionResetError:
                pass
        assert w.query("SELECT 1").rows == [[b"1"]]
