"""Whoever guesses waits, and nobody else does."""

import os

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
    first = guess(s, "alice", 1)
    guess(s, "alice", FREE)  # which makes one more than are free
    last = guess(s, "alice", 1, harness.PASSWORDS["alice"])
    assert last == first, (last, first)
    assert reasons(s, FREE + 2) == [WRONG] * (FREE + 1) + [THROTTLED]
    harness.until(lambda: gets_in(s), "the wait to be over")
    # and all is forgotten then
    guess(s, "alice", FREE)
    assert gets_in(s)


def test_others_do_not_wait(world):
    s = world.sallyport()
    guess(s, "alice", FREE + 2)
    assert reasons(s, FREE + 2)[-1] == THROTTLED
    assert gets_in(s, "bob")
    assert gets_in(s, "nightly")
    assert gets_in(s, "alice+copilot")


def test_agents_guesses_count_whoever_it_acts_for(world):
    s = world.sallyport()
    for i in range(FREE + 1):
        login = ("alice+copilot", "bob+copilot", "copilot",
                 f"nobody{i}+copilot")[i % 4]
        guess(s, login, 1)
    for login in ("alice+copilot", "bob+copilot", "eve+copilot"):
        guess(s, login, 1, harness.PASSWORDS["copilot"])
    assert reasons(s, FREE + 4)[-3:] == [THROTTLED] * 3


def test_names_nobody_has_are_treated_alike(world):
    s = world.sallyport()
    known = [guess(s, "alice", 1) for _ in range(FREE + 3)]
    unknown = [guess(s, "mallory", 1) for _ in range(FREE + 3)]
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
    wires = []
    for _ in range(20):
        w = s.bare_wire()
        w.send(pgwire.startup(user="alice", database=s.database))
        wires.append(w)
    for w in wires:
        with w:
            try:
                w.answer_login("alice", "wrong")
            except pgwire.ServerError as e:
                assert e.fields["C"] == "28P01", e.fields
    told = reasons(s, 20)
    assert told.count(WRONG) == FREE + 1, told
    assert told.count(THROTTLED) == 20 - FREE - 1, told


def test_many_right_logins_at_the_same_time_do_not_wait(world):
    s = world.sallyport()
    wires = []
    for _ in range(20):
        w = s.bare_wire()
        w.send(pgwire.startup(user="alice", database=s.database))
        wires.append(w)
    for w in wires:
        with w:
            w.answer_login("alice", harness.PASSWORDS["alice"])
    assert not s.sink.find("login-failed")


def test_reload_forgets_no_guesses(world):
    s = world.sallyport()
    guess(s, "alice", FREE + 1)
    guess(s, "bob", FREE)
    assert s.reload()["decision"] == "loaded"
    guess(s, "bob", 1)
    guess(s, "bob", 1)
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
    for i in range(31):
        guess(s, f"name{i}", 1)
    guess(s, "alice", 1, harness.PASSWORDS["alice"])
    told = reasons(s, 32)
    assert [r == THROTTLED for r in told] == [False] * 31 + [True], told
    harness.until(lambda: gets_in(s), "the wait to be over")
    # it has proved alice now, and its guesses at others are no matter
    guess(s, "eve", 1)
    guess(s, "bob", 1, harness.PASSWORDS["bob"])
    assert reasons(s, 34)[-1] == THROTTLED
    assert gets_in(s)


def test_over_a_unix_socket_the_account_is_the_source(world):
    needs.root()
    s = world.prepare()
    path = os.path.join(s.folder, ".s.PGSQL.6432")
    s.settings["listen"].append({"address": "unix:" + path,
                                 "upstream": "shop"})
    s.write_all()
    s.start()

    def as_user(uid, password):
        done = harness.subprocess.run(
            ["psql", "-X", "-h", s.folder, "-p", "6432", "-U", "alice",
             "-d", s.database, "-Atc", "SELECT 1"], user=uid, cwd="/",
            env={**os.environ, "PGPASSWORD": password, "HOME": "/"},
            capture_output=True, text=True, timeout=harness.PATIENCE,
            check=False)
        return done.returncode == 0

    for _ in range(FREE + 1):
        assert not as_user(40001, "wrong")
    assert not as_user(40001, harness.PASSWORDS["alice"])
    assert as_user(40002, harness.PASSWORDS["alice"])
    assert gets_in(s)  # over TCP
