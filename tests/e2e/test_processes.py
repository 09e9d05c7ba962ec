"""Processes die; others do not notice."""

import os
import signal

import harness
import pgwire
from expect import raises

SLOW = ("SELECT count(*) FROM generate_series(1, 100000) a, "
        "generate_series(1, 100000) b")


def running(sallyport, part="generate_series"):
    """The one session that runs such a statement, from the scoreboard."""
    def look():
        found = [x for x in sallyport.json("sessions")
                 if part in (x.get("statement") or "")
                 and x.get("state") == "running"]
        return found
    return harness.until(look, "a running statement", every=0.05)[0]


def worker_of(sallyport, wire):
    """The worker that holds this client's connection."""
    client = "127.0.0.1:%d" % wire.socket.getsockname()[1]

    def look():
        return [x["pid"] for x in sallyport.json("sessions")
                if x["client"] == client]
    return harness.until(look, "the worker's session")[0]


def costs_only_its_client(world, sign):
    s = world.sallyport()
    with s.wire() as victim, s.wire("bob") as other:
        victim.send(pgwire.query(SLOW))
        session = running(s)
        os.kill(worker_of(s, victim), sign)
        victim.rest()
        assert other.query("SELECT 1").rows == [[b"1"]]
        record = s.sink.wait("worker-died")
        assert record["user"] == "alice" and record["agent"] == "copilot"
        assert "generate_series" in record["statement"]
        assert record["session"] == session["session"]
        with s.wire() as w:
            assert w.query("SELECT 1").rows == [[b"1"]]


def test_worker_killed_in_mid_statement_costs_only_its_own_client(world):
    costs_only_its_client(world, signal.SIGKILL)


def test_worker_that_crashes_costs_only_its_own_client(world):
    costs_only_its_client(world, signal.SIGSEGV)


def test_session_of_a_dead_worker_leaves_the_scoreboard(world):
    s = world.sallyport()
    with s.wire() as w:
        harness.until(lambda: len(s.json("sessions")) == 1, "the session")
        os.kill(worker_of(s, w), signal.SIGKILL)
        harness.until(lambda: not s.json("sessions"), "an empty scoreboard")


def test_dying_spare_workers_are_replaced(world):
    s = world.sallyport()
    pid = s.process.pid
    with s.wire() as w:
        kept = worker_of(s, w)
        victims = [p for p in s.workers() if p != kept]
        for victim in victims:
            if harness.alive(victim):
                os.kill(victim, signal.SIGKILL)
        harness.until(lambda: not any(map(harness.alive, victims)),
                      "the others to be dead")
        harness.until(lambda: s.psql("SELECT 1").returncode == 0,
                      "the next client to be served", every=0.3)
        assert w.query("SELECT 1").rows == [[b"1"]]
    assert s.process.poll() is None and s.process.pid == pid


def test_master_that_is_killed_takes_all_its_children_along(world):
    s = world.sallyport()
    w = s.wire()
    below = s.workers()
    assert len(below) >= 2
    s.process.kill()
    s.process.wait()
    harness.until(lambda: not [p for p in below if harness.alive(p)],
                  "every child to end")
    w.rest()


def test_sigterm_lets_the_running_statement_end_and_tells_idle_ones(world):
    s = world.sallyport()
    with s.wire() as busy, s.wire("bob") as idle:
        busy.send(pgwire.query("SELECT count(*) FROM generate_series(1, "
                               "4000000)"))
        running(s)
        s.signal(signal.SIGTERM)
        goodbye = idle.rest().errors
        assert goodbye and goodbye[0]["C"] == "57P01", goodbye
        replies = busy.rest()
        assert replies.rows == [[b"4000000"]], replies.errors
        with raises(OSError, pgwire.Closed, pgwire.ServerError):
            s.wire()
        assert s.process.wait(harness.PATIENCE) == 0
    assert s.sink.find("stop")


def test_drain_has_a_deadline(world):
    s = world.prepare()
    s.settings["drain_deadline"] = "1s"
    s.write_all()
    s.start()
    with s.wire() as w:
        w.send(pgwire.query(SLOW))
        running(s)
        s.signal(signal.SIGTERM)
        assert s.process.wait(harness.PATIENCE) == 0
        assert not w.rest().rows, "its statement was waited for"
    assert "stopping: 1 seconds" in s.log_text()
    assert "drain's deadline" in s.sink.wait("worker-died")["reason"]


def test_sigint_stops_at_once(world):
    """Not when the statement or the drain's deadline is over: each is
    longer than anybody waits here."""
    s = world.sallyport(settings={"drain_deadline": "1h"})
    with s.wire() as w:
        w.send(pgwire.query(SLOW))
        running(s)
        below = s.workers()
        assert s.end(signal.SIGINT) == 0
        assert not w.rest().rows, "its statement was waited for"
        harness.until(lambda: not [p for p in below if harness.alive(p)],
                      "every child to end")


def test_sigusr1_does_no_harm(world):
    s = world.sallyport()
    with s.wire() as w:
        s.signal(signal.SIGUSR1)
        assert w.query("SELECT 1").rows == [[b"1"]]
        with s.wire("bob") as other:
            assert other.query("SELECT 1").rows == [[b"1"]]


def test_one_client_too_many_gets_53300_and_not_a_hang(world):
    s = world.sallyport(settings={"workers": {"spare": 1, "max": 3}})
    clients = [s.wire() for _ in range(3)]
    for _ in range(3):
        with raises(pgwire.ServerError) as caught:
            s.wire()
        assert caught.error.fields["C"] == "53300", caught.error.fields
    assert clients[0].query("SELECT 1").rows == [[b"1"]]
    clients[1].socket.close()

    def served():
        try:
            with s.wire() as w:
                return w.query("SELECT 1").rows == [[b"1"]]
        except pgwire.ServerError:
            return False
    harness.until(served, "room for a client", every=0.05)


def test_who_was_let_in_to_be_refused_is_refused_in_words(world):
    """Room is made between a client's greeting and its answer: the process
    that had let it in goes, and does not leave it without a word."""
    s = world.sallyport(settings={"workers": {"spare": 1, "max": 2}})
    clients = [s.wire(), s.wire("bob")]
    with s.bare_wire() as late:
        late.send(pgwire.SSL_REQUEST)
        assert late.take(1) == b"N"  # there is nobody else to say it
        clients[0].socket.close()
        harness.until(lambda: not s.json("status")["full"],
                      "room for a client")
        late.send(pgwire.startup(user="alice+copilot", database=s.database))
        assert late.rest().errors[0]["C"] == "53300"


def test_cancel_works_even_when_all_workers_are_busy(world):
    s = world.sallyport(settings={"workers": {"spare": 1, "max": 2}})
    with s.wire() as one, s.wire("bob"):
        one.send(pgwire.query(SLOW))
        running(s)
        with s.bare_wire() as other:
            other.send(pgwire.cancel_request(one.pid, one.secret))
            other.rest()
        assert one.until(b"Z").errors[0]["C"] == "57014"


def test_pool_keeps_spares_and_grows_with_its_clients(world):
    s = world.sallyport(settings={"workers": {"spare": 2, "max": 20}})
    clients = [s.wire() for _ in range(12)]
    for w in clients:
        assert w.query("SELECT 1").rows == [[b"1"]]
    for w in clients:
        w.socket.close()
    harness.until(lambda: not s.json("sessions"), "all sessions to end")
    harness.until(lambda: len(s.workers()) <= 8, "the pool to shrink")


def test_many_sessions_one_after_another_leave_nothing_behind(world):
    s = world.sallyport()

    def descriptors():
        return len(os.listdir(f"/proc/{s.process.pid}/fd"))
    for _ in range(5):
        s.wire().socket.close()
    before = descriptors()
    for _ in range(60):
        with s.wire() as w:
            w.query("SELECT 1")
    harness.until(lambda: descriptors() <= before + 2,
                  "master's descriptors to come back")
    harness.until(lambda: len(s.workers()) <= 8, "workers to end")
    s.sink.wait("disconnect", count=65)


def test_held_statement_ends_with_the_drain(world):
    s = world.sallyport()
    with s.wire() as w:
        w.send(pgwire.query("DELETE FROM payments"))
        w.until(b"N")
        s.signal(signal.SIGTERM)
        assert w.rest().errors
        assert s.process.wait(harness.PATIENCE) == 0
    assert world.pg.ask("SELECT count(*) FROM payments") == [(2400,)]


def shown(path):
    """What /proc shows of a process: of an undumpable one only to root."""
    try:
        with open(path, "rb") as f:
            return f.read()
    except PermissionError:
        assert os.getuid() != 0
        return b""


def test_no_secret_is_in_any_process_title_or_environment(world):
    s = world.sallyport()
    with s.wire():
        for pid in [s.process.pid, *s.workers()]:
            for name in ("cmdline", "environ"):
                assert b"secret" not in shown(f"/proc/{pid}/{name}").replace(
                    b"secrets/", b""), (pid, name)
