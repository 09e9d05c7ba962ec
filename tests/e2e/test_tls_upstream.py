"""TLS with the database."""

import os
import socket
import ssl
import threading

import psycopg

import harness
import pgwire
from certificates import Authority
from expect import raises
from tls_tools import cancelled


def upstream_tls(world, user="sallyport_tls", **tls):
    tls.setdefault("mode", "verify-full")
    if tls["mode"] == "verify-full":
        tls.setdefault("ca", world.pg.authority.certificate)
    login = {"user": user}
    if user != "sallyport_certificate":
        login["password_file"] = "secrets/shop"
    return {"tls": tls, "login": login}


def upstream_works(s, user="sallyport_tls"):
    with s.connect("alice") as c:
        assert c.execute("SELECT session_user, ssl, version "
                         "FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
                         ).fetchone() == (user, True, "TLSv1.3")
    told = s.sink.wait("connect")
    assert told["upstream_tls"]["version"] == "TLSv1.3"


def upstream_fails(s, *words):
    with raises(psycopg.OperationalError) as caught:
        s.connect("alice")
    assert "cannot be reached" in str(caught.error), caught.error
    reason = s.sink.wait("login-failed")["reason"]
    for word in words:
        assert word in reason, reason


def test_upstream_with_tls(world):
    port = world.pg.port
    for change in (
            {"tls": {"mode": "require"}},
            {},
            {"address": f"localhost:{port}"},
            {"tls": {"server_name": "db.example"}},
            {"tls": {"mode": "require",
                     "ca": world.pg.authority.certificate,
                     "server_name": "whatever.example"}}):
        upstream = upstream_tls(world, **change.pop("tls", {}))
        s = world.sallyport(upstream={**upstream, **change})
        upstream_works(s)
        # masks need the catalogue's own connection
        with s.connect("alice+copilot") as c:
            c.execute("SELECT email FROM customers LIMIT 1")


class Translator:
    """Somebody who ends Sallyport's TLS and begins one of his own with the
    database, as whoever has any certificate could under `mode: require`."""

    def __init__(self, world, certificate, key):
        self.world = world
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
                assert client.recv(100) == pgwire.SSL_REQUEST
                client.sendall(b"S")
                client = self.context.wrap_socket(client, server_side=True)
                server = pgwire.Wire(("127.0.0.1", self.world.pg.port))
                server.start_tls(self.world.pg.authority.context())
            except OSError:
                return
            for one, other in ((client, server.socket),
                               (server.socket, client)):
                threading.Thread(target=self._carry, args=(one, other),
                                 daemon=True).start()

    @staticmethod
    def _carry(one, other):
        try:
            while piece := one.recv(65536):
                other.sendall(piece)
            other.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def test_upstream_login_is_bound_to_its_channel(world):
    """A proof that was made for another's certificate is none here."""
    other = Authority(os.path.join(world.folder, "other"), harness.give)
    between = Translator(world, *other.issue("whoever"))
    s = world.sallyport(upstream={**upstream_tls(world, mode="require"),
                                  "address": between.address})
    upstream_fails(s, "channel binding")
    between.socket.close()
    s = world.sallyport(upstream=upstream_tls(world, mode="require"))
    upstream_works(s)


def test_upstream_with_our_certificate(world):
    for kind in ("ec", "rsa"):
        certificate, key = world.pg.authority.issue(
            "sallyport_certificate", kind=kind)
        s = world.sallyport(upstream=upstream_tls(
            world, "sallyport_certificate", certificate=certificate, key=key))
        upstream_works(s, "sallyport_certificate")
        with s.wire("alice") as w:  # a cancel request shows no certificate
            cancelled(world.pg, w, lambda: send_cancel(s, w))


def send_cancel(s, w):
    with s.bare_wire() as other:
        other.send(pgwire.cancel_request(w.pid, w.key))
        other.rest()


def test_upstream_whose_certificate_does_not_fit_is_refused(world):
    other = Authority(os.path.join(world.folder, "other"), harness.give)
    for tls, words in (
            ({"server_name": "other.example"}, ["ostname mismatch"]),
            ({"server_name": "127.0.0.2"}, ["IP address mismatch"]),
            ({"ca": other.certificate}, ["certificate"]),
            ({"mode": "require", "ca": other.certificate}, ["certificate"]),
            ({"ca": "/etc/ssl/certs/ca-certificates.crt"}, ["certificate"])):
        if not os.path.exists(tls.get("ca", "/")):
            continue
        upstream_fails(world.sallyport(
            upstream=upstream_tls(world, **tls)), *words)


class Between:
    """Somebody between Sallyport and the database, who answers the request
    for TLS with these bytes, and keeps what is said then."""

    def __init__(self, answer):
        self.answer, self.heard, self.resets = answer, [], 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
                with client:
                    client.settimeout(harness.PATIENCE)
                    assert client.recv(100) == pgwire.SSL_REQUEST
                    client.sendall(self.answer)
                    self.heard.append(client.recv(1000))
            except ConnectionResetError:
                self.resets += 1
            except OSError:
                return


def test_upstream_that_is_kept_from_tls_gets_no_word_in_clear(world):
    for answer, word in ((b"N", "does not offer TLS"),
                         (b"E", "does not offer TLS"),
                         (b"S" + b"R\0\0\0\x08\0\0\0\0", "")):
        for mode in ("require", "verify-full"):
            between = Between(answer)
            s = world.sallyport(upstream={
                **upstream_tls(world, mode=mode), "address": between.address})
            upstream_fails(s, word)
            harness.until(lambda: between.heard or between.resets, "the end")
            for heard in between.heard:  # TLS at most
                assert heard[:1] in (b"", b"\x16", b"\x15"), heard
            between.socket.close()
