"""A server that lies, stops or speaks nonsense while Sallyport logs in: the
client hears that the database cannot be reached, the record says why, and
nobody waits for ever."""

import socket
import ssl
import struct
import threading

import psycopg

import harness
import pgwire
from expect import raises

OK = pgwire.message(b"R", struct.pack("!i", 0))
READY = pgwire.message(b"Z", b"I")
KEY = pgwire.message(b"K", struct.pack("!ii", 4711, 7))
SASL = pgwire.message(b"R", struct.pack("!i", 10) + b"SCRAM-SHA-256\0\0")
NOTICE = pgwire.message(b"N", b"SNOTICE\0C00000\0Mhello\0\0")


def challenge(text):
    return pgwire.message(b"R", struct.pack("!i", 11) + text)


def final(text):
    return pgwire.message(b"R", struct.pack("!i", 12) + text)


def raw(kind, length, body=b""):
    return kind + struct.pack("!I", length & 0xffffffff) + body


class Impostor:
    """Plays a script to everybody who comes: bytes are sent, a number of
    bytes is waited for, a function is given the connection. A string with
    {nonce} in it has the client's nonce there. At the end it hangs up."""

    def __init__(self, script):
        self.script = script
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,),
                             daemon=True).start()

    def _serve(self, client):
        client.settimeout(harness.PATIENCE)
        try:
            size, = struct.unpack("!i", self._take(client, 4))
            self._take(client, size - 4)
            nonce = b""
            for step in self.script:
                if callable(step):
                    client = step(client)
                elif step == "message":
                    _, size = struct.unpack("!ci", self._take(client, 5))
                    body = self._take(client, size - 4)
                    _, found, rest = body.partition(b"r=")
                    nonce = rest if found and not nonce else nonce
                else:
                    client.sendall(step.replace(b"{nonce}", nonce))
        except (OSError, struct.error, ssl.SSLError):
            pass
        finally:
            client.close()

    @staticmethod
    def _take(client, size):
        taken = b""
        while len(taken) < size:
            piece = client.recv(size - len(taken))
            if not piece:
                raise OSError("hung up")
            taken += piece
        return taken


def refused(world, *scripts, **upstream):
    """What the records say after a login at servers that play these."""
    impostor = Impostor([])
    s = world.sallyport(upstream={
        "address": f"127.0.0.1:{impostor.port}", **upstream})
    try:
        for number, impostor.script in enumerate(scripts):
            with raises(psycopg.OperationalError) as caught:
                s.connect("alice")
            assert "cannot be reached" in str(caught.error), \
                (impostor.script, caught.error)
            s.sink.wait("login-failed", number + 1)
        assert not s.sink.find("connect")
        assert not s.sink.find("worker-died")
        return [r["reason"] for r in s.sink.find("login-failed")]
    finally:
        s.signal(15)
        impostor.close()


GOOD = b"r={nonce}abc,s=QUJDRA==,i=4096"


def scram(*rest):
    """The script up to Sallyport's proof, and the rest."""
    return [SASL, "message", challenge(GOOD), "message", *rest]


def test_servers_that_let_us_in_without_their_proof(world):
    scripts = (
        scram(OK, KEY, READY), scram(READY), scram(KEY, READY),
        [SASL, "message", OK, KEY, READY], [SASL, "message", READY],
        [READY], [KEY, READY],
        scram(final(b"v=" + b"A" * 43 + b"="), OK, KEY, READY),
        scram(final(b"v="), OK, READY), scram(final(b""), OK, READY),
        scram(final(b"e=other-error"), OK, READY),
        scram(final(b"v=" + b"A" * 4096), OK, READY))
    for script, reason in zip(scripts, refused(world, *scripts)):
        assert "malformed" in reason or "did not prove" in reason, \
            (script, reason)


def test_servers_that_ask_out_of_turn(world):
    refused(world,
            [challenge(b"r=abc,s=QUJDRA==,i=4096"), "message", OK, READY],
            [final(b"v=AAAA"), OK, READY],
            [SASL, "message", SASL, "message", OK, READY],
            scram(challenge(GOOD), "message", OK, READY),
            [OK, OK, KEY, READY], [OK, SASL, "message", READY],
            [pgwire.message(b"R", struct.pack("!i", 5) + b"salt"),
             "message", SASL, "message", READY])


def test_challenges_that_lie(world):
    refused(world, *(
        [SASL, "message", challenge(text), "message", OK, READY] for text in (
            b"", b"r=", b"r={nonce},s=QUJDRA==,i=4096",
            b"r=other,s=QUJDRA==,i=4096", b"r={nonce}a,s=!!,i=4096",
            b"r={nonce}a,s=,i=4096", b"r={nonce}a,s=QUJDRA==,i=0",
            b"r={nonce}a,s=QUJDRA==,i=-1",
            b"r={nonce}a,s=QUJDRA==,i=4294967297",
            b"r={nonce}a,s=QUJDRA==,i=999999999",
            b"r={nonce}a,s=" + b"QUJD" * 60 + b",i=4096",
            b"r={nonce}" + b"a" * 2000 + b",s=QUJDRA==,i=4096",
            b"r={nonce}a\0,s=QUJDRA==,i=4096", b"\xff" * 300)))


def test_messages_that_lie_while_logging_in(world):
    refused(world,
            [raw(b"R", 0)], [raw(b"R", 3)], [raw(b"R", -1)],
            [raw(b"R", 0x7fffffff)], [raw(b"R", 4)], [raw(b"R", 7, b"\0\0\0")],
            [raw(b"N", 100_000_000)], [raw(b"E", 4)],
            [pgwire.message(b"E", b"Mno end")],
            [pgwire.message(b"R", struct.pack("!i", 0) + b"more")],
            [pgwire.message(b"R", struct.pack("!i", 10) + b"SCRAM-SHA-256")],
            [pgwire.message(b"R", struct.pack("!i", 10) + b"PLAIN\0\0")],
            [pgwire.message(b"R", struct.pack("!i", 5) + b"sal")],
            [pgwire.message(b"R", struct.pack("!i", 3))],
            [pgwire.message(b"R", struct.pack("!i", 99))],
            [OK, pgwire.message(b"K", b"\0")],
            [OK, pgwire.message(b"K", struct.pack("!iii", 1, 2, 3))],
            [OK, pgwire.message(b"S", b"no value\0")],
            [OK, pgwire.message(b"S", b"a\0b\0c\0")],
            [OK, pgwire.message(b"Z", b"")], [OK, pgwire.message(b"Z", b"Q")],
            [OK, pgwire.message(b"T", b"\0\0")],
            [OK, pgwire.message(b"D", b"\0\0")], [OK, b"\0\0\0\0\4"],
            [OK, *[pgwire.message(b"S", b"x\0" + b"v" * 8000 + b"\0")] * 20,
             KEY, READY],
            [b"HTTP/1.1 400 Bad Request\r\n\r\n"], [b"\xff" * 4096])


def test_servers_that_hang_up_at_each_step(world):
    whole = scram(OK, pgwire.message(b"S", b"server_version\0" b"15.0\0"), KEY)
    refused(world, *(whole[:steps] for steps in range(len(whole))),
            *([SASL[:cut]] for cut in (1, 3, 5, 8)),
            *([OK, KEY[:cut]] for cut in (1, 3, 5, 8)))


def endlessly(message):
    def pour(client):
        while True:
            client.sendall(message * 1000)
    return pour


def under_tls(world):
    certificate, key = world.pg.authority.issue(
        "impostor", names=("localhost",), addresses=("127.0.0.1",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def shake(client):
        client.sendall(b"S")
        client = context.wrap_socket(client, server_side=True)
        size, = struct.unpack("!i", client.recv(4))
        client.recv(size - 4)
        return client
    return shake


def test_notices_without_end_meet_the_deadline(world):
    reason, = refused(world, [endlessly(NOTICE)])
    assert reason == "deadline passed", reason


def test_notices_without_end_under_tls_meet_the_deadline(world):
    reason, = refused(world, [under_tls(world), endlessly(NOTICE)],
                      tls={"mode": "verify-full",
                           "ca": world.pg.authority.certificate})
    assert reason == "deadline passed", reason


def test_nonsense_in_place_of_tls(world):
    refused(world,
            [b"S", b"nonsense" * 100], [b"S" + b"\x16\x03\x01\xff\xff" * 20],
            [b"S", b"\x15\x03\x03\0\2\2\x28"],  # an alert
            [b"S", b"\x16\x03\x03\0\0"], [b"S", b"\x17\x03\x03\x40\0" * 99],
            [b"S"], [b"N"], [b"E" + b"\0\0\0\x10SERROR\0\0"], [b"X"], [b""],
            tls={"mode": "require"})
