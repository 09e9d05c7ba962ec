"""Whoever guesses waits, and nobody else does."""

import os
import socket
import struct
import subprocess
import sys

import harness
import needs
import pgwire
from expect import refused_login

FREE = 5  # wrong proofs of one source for one name
WRONG = "wrong password"
THROTTLED = "throttled: too many wrong proofs"


def guess(s, login, times, password="wrong"):
    """Wrong passwords, one after the other; what the last one is told."""
    for _ in range(times):
        told = refused_login(s, login, password, "28P01")
    return told


class Proof:
    """A login of which only the proof is missing. The first wait is a second,
    so what is to be looked at within it must be ready before it begins."""

    def __init__(self, s, login, password="wrong", wire=None):
        self.wire = wire or s.bare_wire()
        scram = pgwire.Scram(password)
        self.wire.send(pgwire.startup(user=login, database=s.database))
        self._asked(10)
        first = scram.first()
        self.wire.send(pgwire.message(
            b"p", pgwire.string(scram.mechanism)
            + struct.pack("!i", len(first)) + first))
        self.final = pgwire.message(b"p", scram.final(self._asked(11)))

    def _asked(self, code):
        kind, body = self.wire.receive()
        assert kind == b"R" and struct.unpack_from("!i", body) == (code,), \
            (kind, body)
        return body[4:]

    def send(self):
        self.wire.send(self.final)

    def answer(self):
        """None: let in; or what it is told."""
        with self.wire as w:
            kind, body = w.receive()
            if kind == b"R":
                return None
            told = pgwire.error_fields(body)
            assert (kind, told["S"], told["C"]) == (b"E", "FATAL", "28P01"), \
                (kind, told)
            assert not w.rest().messages, "more after the fatal error"
            return told


def prove(*proofs):
    """One after the other, none of them right; what each is told."""
    told = []
    for proof in proofs:
        proof.send()
        told.append(proof.answer())
        assert told[-1], "let in"
    return told


def right(s, login):
    return Proof(s, login, harness.PASSWORDS[login.rpartition("+")[2]])


def reasons(s, count):
    s.sink.wait("login-failed", count)
    return [r["reason"] for r in s.sink.find("login-failed")]


def gets_in(s, login="alice", **more):
    try:
        s.connect(login, **more).close()
        return True
    except harness.psycopg.OperationalError as e:
        assert "password authentication failed" in str(e), e
        return False


def test_after_some_guesses_not_even_the_right_password_is_looked_at(world):
    s = world.sallyport()
    guess(s, "alice", FREE)
    first, last = prove(Proof(s, "alice"), right(s, "alice"))
    assert last == first, (last, first)
    assert reasons(s, FREE + 2) == [WRONG] * (FREE + 1) + [THROTTLED]
    harness.until(lambda: gets_in(s), "the wait to be over")
    # and all is forgotten then
    guess(s, "alice", FREE)
    assert gets_in(s)


def test_others_do_not_wait(world):
    s = world.sallyport()
    guess(s, "alice", FREE)
    prove(Proof(s, "alice"), Proof(s, "alice"))
    assert reasons(s, FREE + 2)[-1] == THROTTLED
    assert gets_in(s, "bob")
    assert gets_in(s, "nightly")
    assert gets_in(s, "alice+copilot")


def test_agents_guesses_count_whoever_it_acts_for(world):
    s = world.sallyport()
    names = ("alice+copilot", "bob+copilot", "copilot", "nobody+copilot")
    for i in range(FREE):
        guess(s, names[i % 4], 1)
    prove(Proof(s, "alice+copilot"), right(s, "alice+copilot"),
          right(s, "bob+copilot"), right(s, "eve+copilot"))
    assert reasons(s, FREE + 4)[-3:] == [THROTTLED] * 3


def test_names_nobody_has_are_treated_alike(world):
    s = world.sallyport()
    known, unknown = [
        prove(*[Proof(s, login) for _ in range(FREE + 3)])
        for login in ("alice", "mallory")]
    assert [t["M"].replace("mallory", "X") for t in unknown] == \
        [t["M"].replace("alice", "X") for t in known]
    assert len({tuple(sorted(t.items())) for t in known}) == 1
    told = reasons(s, 2 * (FREE + 3))
    assert [r == THROTTLED for r in told[:FREE + 3]] == \
        [r == THROTTLED for r in told[FREE + 3:]] == \
        [False] * (FREE + 1) + [True] * 2, told


def test_guesses_at_the_same_time_are_no_way_around(world):
    """All have been asked before the first of them answers."""
    s = world.sallyport()
    proofs = [Proof(s, "alice") for _ in range(20)]
    for proof in proofs:
        proof.send()
    assert all(proof.answer() for proof in proofs), "one was let in"
    told = reasons(s, 20)
    assert told.count(WRONG) == FREE + 1, told
    assert told.count(THROTTLED) == 20 - FREE - 1, told


def test_many_right_logins_at_the_same_time_do_not_wait(world):
    s = world.sallyport()
    proofs = [right(s, "alice") for _ in range(20)]
    for proof in proofs:
        proof.send()
    assert not any([proof.answer() for proof in proofs]), "one was refused"
    assert not s.sink.find("login-failed")


def test_reload_forgets_no_guesses(world):
    s = world.sallyport()
    guess(s, "alice", FREE + 1)
    guess(s, "bob", FREE)
    assert s.reload()["decision"] == "loaded"
    prove(Proof(s, "bob"), right(s, "bob"))
    assert reasons(s, 2 * FREE + 3)[-2:] == [WRONG, THROTTLED]


def test_giving_up_before_the_proof_is_no_guess(world):
    """psql does so, to ask its user for the password."""
    s = world.sallyport()
    for _ in range(FREE + 5):
        with s.bare_wire() as w:
            w.send(pgwire.startup(user="alice", database=s.database))
            assert w.receive()
    assert gets_in(s)


def test_source_that_rotates_names_waits(world):
    s = world.sallyport()
    for i in range(30):
        guess(s, f"name{i}", 1)
    prove(Proof(s, "name30"), right(s, "alice"))
    told = reasons(s, 32)
    assert [r == THROTTLED for r in told] == [False] * 31 + [True], told
    harness.until(lambda: gets_in(s), "the wait to be over")
    # it has proved alice now, and its guesses at others are no matter
    prove(Proof(s, "eve"), right(s, "bob"))
    assert reasons(s, 34)[-1] == THROTTLED
    assert gets_in(s)


CONNECT = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
socket.send_fds(socket.socket(fileno=int(sys.argv[2])), [b"x"], [s.fileno()])
"""


def connected_as(uid, path):
    """A connection of that account's to a Unix socket."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        subprocess.run(
            [sys.executable, "-c", CONNECT, path, str(theirs.fileno())],
            pass_fds=[theirs.fileno()], user=uid, cwd="/", check=True,
            timeout=harness.PATIENCE)
        _, (fd,), _, _ = socket.recv_fds(ours, 1, 1)
    return pgwire.Wire(socket.socket(fileno=fd))


def test_over_a_unix_socket_the_account_is_the_source(world):
    needs.root()
    s = world.prepare()
    path = os.path.join(s.folder, ".s.PGSQL.6432")
    s.settings["listen"].append({"address": "unix:" + path,
                                 "upstream": "shop"})
    s.write_all()
    s.start()

    def as_user(uid, password):
        return Proof(s, "alice", password, connected_as(uid, path))

    good = harness.PASSWORDS["alice"]
    guesses = [as_user(40001, "wrong") for _ in range(FREE + 1)]
    prove(*guesses, as_user(40001, good))
    other = as_user(40002, good)
    other.send()
    assert other.answer() is None
    assert reasons(s, FREE + 2) == [WRONG] * (FREE + 1) + [THROTTLED]
    assert gets_in(s)  # over TCP
