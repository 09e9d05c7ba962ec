"""Versions of the protocol, options nobody knows, and keys to cancel with."""

import struct

import pgwire
from expect import fails


def login(s, version, **options):
    wire = s.bare_wire()
    # a parameter's name cannot have a dot in Python
    wire.login("alice", "alice-secret", version=version,
               **{f"_pq_.{name}": value for name, value in options.items()})
    return wire


def test_versions_are_taken_as_they_are_up_to_the_newest(world):
    s = world.sallyport()
    for version, negotiated, key in (
            ((3, 0), None, 4), ((3, 1), None, 4), ((3, 2), None, 32),
            ((3, 3), ((3, 2), []), 32), ((3, 9999), ((3, 2), []), 32)):
        with login(s, version) as w:
            assert w.negotiated == negotiated, (version, w.negotiated)
            assert len(w.key) == key, (version, w.key)
            assert w.query("SELECT 1").rows == [[b"1"]]


def test_options_nobody_knows_are_named(world):
    s = world.sallyport()
    for version, told in (((3, 0), (3, 0)), ((3, 2), (3, 2)),
                          ((3, 7), (3, 2))):
        with login(s, version, command_tag="on", other="1") as w:
            assert w.negotiated == (
                told, ["_pq_.command_tag", "_pq_.other"]), w.negotiated


def test_other_major_versions_are_refused(world):
    s = world.sallyport()
    for version in ((2, 0), (4, 0), (0, 0), (1, 2)):
        with s.bare_wire() as w:
            w.send(pgwire.startup(version, user="alice", database="shop"))
            answer = w.rest()
            assert answer.kinds == "E", (version, answer.messages)
    s.sink.wait("login-failed", 4)


def cancel(s, pid, key):
    with s.bare_wire() as other:
        other.send(pgwire.cancel_request(pid, key))
        assert other.rest().messages == []


def test_every_length_of_key_cancels(world):
    s = world.sallyport()
    for version in ((3, 0), (3, 2)):
        with login(s, version) as w:
            w.send(pgwire.query("SELECT pg_sleep(60)"))
            world.pg.await_sleep(w.pid)
            cancel(s, w.pid, w.key)
            assert fails(w.until(b"Z"))["C"] == "57014"


def test_key_that_is_not_the_whole_key_cancels_nothing(world):
    s = world.sallyport()
    for version in ((3, 0), (3, 2)):
        with login(s, version) as w:
            wrong = bytes([w.key[0] ^ 1]) + w.key[1:]
            last = w.key[:-1] + bytes([w.key[-1] ^ 128])
            w.send(pgwire.query("SELECT pg_sleep(1.5)"))
            world.pg.await_sleep(w.pid)
            for key in (wrong, last, w.key[:4] + b"\0", w.key + b"\0",
                        w.key[:-1], b"\0" * len(w.key), b"\0" * 256,
                        w.key * 8):
                if key != w.key and 4 <= len(key) <= 256:
                    cancel(s, w.pid, key)
            cancel(s, 0, w.key)
            assert not w.until(b"Z").errors, "it was cancelled"


def test_cancel_request_with_an_odd_key_is_refused(world):
    s = world.sallyport()
    for length in (0, 1, 3, 257, 4000):
        with s.bare_wire() as w:
            w.send(struct.pack("!iii", 12 + length, 80877102, 1)
                   + b"k" * length)
            w.rest()
    s.sink.wait("login-failed", 5)
    with s.wire("alice") as w:
        assert w.query("SELECT 1").rows == [[b"1"]]
