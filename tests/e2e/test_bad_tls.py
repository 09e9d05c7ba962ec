"""Clients who ask for TLS and then say something else: one record, no
crash, and the next client is served."""

import socket
import ssl
import struct

import pgwire


def record(kind, body, version=b"\3\1", length=None):
    return bytes([kind]) + version + struct.pack(
        "!H", len(body) if length is None else length) + body


def hello():
    """What a real client says first."""
    come, gone = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    client = context.wrap_bio(come, gone, server_hostname="localhost")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return gone.read()


def serves(s):
    with s.tls_wire() as w:
        w.login("alice", "alice-secret")
        assert w.query("SELECT 1").rows == [[b"1"]]


def refused(s, *sent, direct=False):
    """It ends, is recorded once as a login that failed, and nobody dies."""
    before = len(s.sink.find("login-failed"))
    with pgwire.Wire(("127.0.0.1", s.port)) as w:
        if not direct:
            w.send(pgwire.SSL_REQUEST)
            assert w.take(1) == b"S"
        try:
            w.send(*sent)
            w.socket.shutdown(1)
            while w.socket.recv(65536):
                pass
        except OSError:
            pass
    s.sink.wait("login-failed", before + 1)
    assert len(s.sink.find("login-failed")) == before + 1, sent
    assert not s.sink.find("connect")
    s.nobody_died()


def lies():
    good = hello()
    body = good[5:]
    yield from (good[:cut] for cut in (1, 4, 5, 6, 20, len(good) - 1))
    yield good + good  # a second one, where something else is due
    yield good + record(23, b"data before there are keys")
    yield good + record(20, b"\1") * 50
    yield good + record(21, b"\2\x28")  # an alert, and giving up
    yield record(21, b"\1\0")
    yield record(21, b"\1\x5a") * 500  # warnings without end
    yield record(22, body, version=b"\0\2")
    yield record(22, body, version=b"\3\0")
    yield record(22, body, length=0xffff)
    yield record(22, b"\1\xff\xff\xff" + body[4:])
    yield record(22, b"") * 100
    yield record(22, b"\1\0\xff\xff") + record(22, b"x" * 16000) * 4
    yield record(22, b"\2" + body[1:])  # a server's hello
    yield record(22, body[:60] + b"\xff" * (len(body) - 60))
    yield record(24, b"\1\x40\0")  # a heartbeat that asks for too much
    yield record(99, b"?")


def test_handshakes_that_lie(world):
    s = world.sallyport(tls={})
    for sent in lies():
        refused(s, sent)
    serves(s)


def test_handshakes_that_lie_from_the_first_byte(world):
    s = world.sallyport(tls={})
    for sent in lies():
        if sent[0] == 22:
            refused(s, sent, direct=True)
    serves(s)


def test_garbage_within_an_established_connection(world):
    s = world.sallyport(tls={})
    for garbage in (b"\xff" * 100, record(23, b"x" * 100), record(22, hello()),
                    record(23, b"x", length=0xffff), record(21, b"\1\0"),
                    pgwire.query("SELECT 1")):
        w = s.tls_wire()
        w.login("alice", "alice-secret")
        before = len(s.sink.find("disconnect"))
        # past the TLS of the wire, on its descriptor
        with socket.socket(fileno=w.socket.detach()) as raw:
            raw.settimeout(20)
            raw.sendall(garbage)
            raw.shutdown(1)
            try:
                while raw.recv(65536):
                    pass
            except OSError:
                pass
        s.sink.wait("disconnect", before + 1)
        assert not s.sink.find("statement")
        s.nobody_died()
    serves(s)
