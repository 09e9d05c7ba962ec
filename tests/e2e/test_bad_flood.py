"""Clients that never stop talking: they keep neither a worker nor the
operator's word from its turn."""

import threading

import harness
import pgwire


def flooded(wire, piece, stop):
    """Send `piece` again and again, and read whatever comes, until the end
    of the connection or `stop`; True when the other side ended it."""
    ended = threading.Event()

    def read():
        try:
            while wire.socket.recv(1 << 20):
                pass
        except OSError:
            pass
        ended.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        while not stop.is_set() and not ended.is_set():
            wire.socket.sendall(piece)
    except OSError:
        pass
    wire.socket.close()
    reader.join()
    return ended.is_set() and not stop.is_set()


def in_background(wire, piece):
    stop, result = threading.Event(), []
    thread = threading.Thread(
        target=lambda: result.append(flooded(wire, piece, stop)), daemon=True)
    thread.start()
    return thread, stop, result


def killed_in_full_flood(world, piece, before=b"", **more):
    s = world.sallyport(**more)
    wire = s.wire("alice")
    session = s.sink.wait("connect")["session"]
    wire.send(before)
    thread, stop, result = in_background(wire, piece)
    try:
        harness.until(lambda: s.json("sessions"), "the session to be shown")
        s.operate("kill", session)
        end = s.sink.wait("disconnect", session=session)
        assert end["reason"] == "killed by an operator", end
        thread.join(harness.PATIENCE)
        assert result == [True]
    finally:
        stop.set()
        thread.join()


def test_session_that_pipelines_without_end_is_killed(world):
    killed_in_full_flood(world, pgwire.SYNC * 10000)


def test_session_that_sends_statements_without_end_is_killed(world):
    killed_in_full_flood(world, pgwire.query("SELECT 1") * 1000)


def test_session_that_sends_refused_statements_without_end_is_killed(world):
    killed_in_full_flood(world, pgwire.query("DROP TABLE orders") * 1000)


def test_session_that_flushes_without_end_is_killed(world):
    killed_in_full_flood(world, pgwire.FLUSH * 10000)


def test_session_that_uploads_without_end_is_killed(world):
    killed_in_full_flood(
        world, pgwire.message(b"d", b"x\n" * 30000),
        pgwire.query("CREATE TEMP TABLE upload (t text)")
        + pgwire.query("COPY upload FROM STDIN"),
        policy={"rules": [{"name": "everything",
                           "does": ["read", "write", "ddl", "session"],
                           "then": "allow"}]})
