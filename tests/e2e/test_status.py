"""`sallyport status` tells what keeps clients out: logins upstream that
fail, and helpers that are missing."""

import os
import socket
import threading

import harness
import pgwire
from expect import raises

REFUSED = (OSError, pgwire.Closed, pgwire.ServerError)


def troubles(s):
    shop = [u for u in s.json("status")["upstreams"]
            if u["upstream"] == "shop"]
    assert len(shop) == 1, shop
    return shop[0]["troubles"]


def is_refused(s, **more):
    with raises(*REFUSED):
        s.wire(**more)


def test_login_that_fails_is_shown_until_it_succeeds(world):
    s = world.sallyport()
    assert troubles(s) == []
    assert "FAILING" not in s.operate("status")
    s.write("secrets/shop", "not the password\n")
    s.reload()
    is_refused(s)
    failed = harness.until(lambda: troubles(s), "the trouble")
    assert len(failed) == 1, failed
    assert failed[0]["login"] == "sallyport", failed
    assert "password authentication failed" in failed[0]["text"], failed
    assert failed[0]["connected"] is True and failed[0]["at"] > 0, failed
    shown = s.operate("status")
    assert "upstream FAILING" in shown, shown
    assert "shop as sallyport: password authentication failed" in shown, shown
    # a reload mends nothing by itself, and forgets nothing
    s.reload()
    assert troubles(s) == failed
    s.write("secrets/shop", world.pg.PASSWORD + "\n")
    s.reload()
    with s.wire():
        harness.until(lambda: troubles(s) == [], "the end of the trouble")
    assert "FAILING" not in s.operate("status")


class Road:
    """A way to the server that can be closed and opened."""

    def __init__(self, port):
        self.to, self.port = port, harness.free_port()
        self.listener = None

    def open(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                one, _ = self.listener.accept()
            except OSError:
                return
            other = socket.create_connection(("127.0.0.1", self.to))
            for pair in ((one, other), (other, one)):
                threading.Thread(target=self._pass_on, args=pair,
                                 daemon=True).start()

    @staticmethod
    def _pass_on(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def test_server_that_is_not_there_is_shown_until_it_is(world):
    road = Road(world.pg.port)
    s = world.sallyport(upstream={"address": f"127.0.0.1:{road.port}"})
    is_refused(s)
    failed = harness.until(lambda: troubles(s), "the trouble")
    assert "Connection refused" in failed[0]["text"], failed
    assert failed[0]["connected"] is False, failed
    road.open()
    try:
        with s.wire():
            harness.until(lambda: troubles(s) == [], "the end of it")
    finally:
        road.listener.close()


def test_database_that_is_not_there_is_its_clients_mistake(world):
    s = world.sallyport()
    for count in range(1, 6):
        is_refused(s, database="nowhere")
        s.sink.wait("login-failed", count, sqlstate="3D000")
        assert troubles(s) == []


def helper(s, name):
    found = [h for h in s.json("status")["helpers"] if h["helper"] == name]
    assert len(found) == 1, found
    return found[0]


def pid_of(s, name):
    """The helper's process; None: it has none at the moment."""
    for pid in harness.children(s.process.pid):
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii") as f:
                if name in f.read():
                    return pid
        except (FileNotFoundError, ProcessLookupError):
            pass
    return None


def test_helper_that_died_is_shown(world):
    s = world.sallyport()
    names = {h["helper"] for h in s.json("status")["helpers"]}
    assert names == {"broker", "porter", "verifier", "catalog"}, names
    for name in names:
        harness.until(lambda n=name: helper(s, n)["running"], name)
        assert helper(s, name)["deaths"] == 0, name
    assert "helper" not in s.operate("status")
    harness.kill(harness.until(lambda: pid_of(s, "porter"), "the porter"))
    harness.until(lambda: helper(s, "porter")["deaths"] == 1
                  and helper(s, "porter")["running"], "another porter")
    assert "signal 9" in helper(s, "porter")["died_of"]
    shown = s.operate("status")
    assert "helper restarted   porter, died 1 times" in shown, shown
    assert helper(s, "verifier")["deaths"] == 0


def test_helper_that_dies_again_and_again_is_shown_as_missing(world):
    s = world.sallyport()

    def is_missing():
        pid = pid_of(s, "catalog")
        if pid is not None:
            harness.kill(pid)
        return not helper(s, "catalog")["running"] \
            and "helper MISSING" in s.operate("status")
    harness.until(is_missing, "a catalogue that is missing")
    assert helper(s, "catalog")["upstream"] == "shop"
    harness.until(lambda: helper(s, "catalog")["running"], "it again")
