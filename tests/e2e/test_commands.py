"""The operator's command: tables for people, JSON for programs."""

import json
import os
import subprocess
import sys
import time

import harness
import needs
import pgwire

DENIED = "no schema changes by agents in production"
COMMANDS = ("status", "sessions", "explain", "test", "approvals", "approve",
            "deny", "reload", "passwd")


def test_every_command_has_help(world):
    s = world.prepare()
    whole = s.cli("--help")
    assert whole.returncode == 0
    for command in COMMANDS:
        assert command in whole.stdout, command
        done = s.cli(command, "--help")
        assert done.returncode == 0, (command, done.stderr)
        assert f"sallyport {command}" in done.stdout, command


def test_wrong_usage_exits_with_2(world):
    s = world.prepare()
    for words in ((), ("nosuch",), ("status", "--nosuch"), ("explain",),
                  ("status", "extra"), ("test",), ("passwd",)):
        done = s.cli(*words)
        assert done.returncode == 2, (words, done)
        assert done.stderr, words
        assert not words or done.stderr.count("\n") == 1, done.stderr
    assert "did you mean `status`?" in s.cli("statsu").stderr


def test_daemon_that_is_not_there_is_a_clear_failure(world):
    s = world.prepare()
    for command in ("status", "sessions", "approvals", "reload"):
        done = s.cli(command, "-c", s.config)
        assert done.returncode == 2, (command, done)
        assert "control.sock" in done.stderr, done.stderr


def test_status_tells_what_is_running(world):
    s = world.sallyport()
    with s.wire() as w:
        w.query("SELECT 1")
        shown = s.operate("status")
        assert "generation" in shown.lower(), shown
        status = s.json("status")
        assert status["generation"] >= 1
        assert str(s.process.pid) in json.dumps(status)


def test_sessions_show_who_does_what(world):
    s = world.sallyport()
    with s.wire() as w:
        w.query("SELECT count(*) FROM orders")
        w.query("DROP TABLE orders")
        session, = harness.until(lambda: s.json("sessions"), "the session")
        assert session["user"] == "alice" and session["agent"] == "copilot"
        assert session["upstream"] == "shop"
        assert session["database"] == s.database
        assert session["statements"] >= 1 and session["denied"] >= 1
        shown = s.operate("sessions")
        assert "alice" in shown and "copilot" in shown
    harness.until(lambda: not s.json("sessions"), "the session to end")


def test_sessions_never_show_literals(world):
    s = world.sallyport()
    with s.wire() as w:
        w.query("SELECT 'canary4711'")
        assert "canary" not in s.operate("sessions") + json.dumps(
            s.json("sessions"))


def test_explain_shows_the_verdict_and_runs_nothing(world):
    s = world.prepare()  # no daemon is needed
    asked = ("-i", "alice+copilot", "-u", "shop")
    done = s.cli("explain", "-c", s.config, *asked, "DROP TABLE customers")
    assert done.returncode in (0, 1), done.stderr
    for word in ("drop", "customers", "deny", DENIED):
        assert word in done.stdout, (word, done.stdout)
    done = s.cli("explain", "-c", s.config, "--json", *asked,
                 "DELETE FROM orders")
    told = json.loads(done.stdout)
    assert "approve" in json.dumps(told)
    assert "delete" in json.dumps(told)
    assert "writes without WHERE" in json.dumps(told)


def test_explain_of_an_unknown_identity_or_upstream_fails(world):
    s = world.prepare()
    for identity, upstream in (("mallory", "shop"), ("alice", "nosuch"),
                               ("carol+copilot", "shop")):
        done = s.cli("explain", "-c", s.config, "-i", identity, "-u",
                     upstream, "SELECT 1")
        assert done.returncode == 2 and done.stderr, done


def test_explain_prints_what_the_rule_says(world):
    s = world.prepare()
    asked = ("-c", s.config, "-i", "alice+copilot", "-u", "shop",
             "DROP TABLE customers")
    assert "say         Schema changes go through migrations." in s.cli(
        "explain", *asked).stdout
    told = json.loads(s.cli("explain", "--json", *asked).stdout)
    assert told["say"] == "Schema changes go through migrations."


def test_policy_whose_example_fails_can_still_be_looked_at(world):
    s = world.prepare()
    example = {"as": "alice+copilot", "on": "shop", "sql": "DROP TABLE t",
               "expect": "allow"}
    s.policy["examples"].append(example)
    s.write_all()
    done = s.cli("explain", "-c", s.config, "-i", "alice+copilot", "-u",
                 "shop", "SELECT 1")
    assert done.returncode == 0 and "allow" in done.stdout, done
    assert "warning: " in done.stderr, done.stderr
    assert "10-shop.yaml:" in done.stderr, done.stderr
    done = s.cli("test", "-c", s.config, os.path.join(
        s.folder, "policies.d", "10-shop.yaml"))
    assert done.returncode == 1, done
    assert "3 passed, 1 failed" in done.stdout, done.stdout
    good = s.write("good.yaml", {"examples": [
        {**example, "expect": "deny"}]})
    done = s.cli("test", "-c", s.config, good)
    assert done.returncode == 1, done  # the policy would not load
    assert "1 passed, 0 failed" in done.stdout, done.stdout


def test_file_that_is_not_there_is_told_first(world):
    s = world.prepare()
    s.write("identities.yaml", "people: [alice]\n")
    done = s.cli("test", "-c", s.config, "nosuch.yaml")
    assert done.returncode == 2, done
    assert done.stderr == "sallyport: nosuch.yaml: No such file or " \
        "directory\n", done.stderr


def test_test_runs_examples_from_files(world):
    s = world.prepare()
    example = {"as": "alice+copilot", "on": "shop",
               "sql": "SELECT 1", "expect": "allow"}
    good = s.write("good.yaml", {"examples": [example] * 3})
    bad = s.write("bad.yaml", {"examples": [
        example, {**example, "sql": "DROP TABLE products"}]})
    done = s.cli("test", "-c", s.config, good)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3" in done.stdout
    done = s.cli("test", "-c", s.config, good, bad)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "expected allow, got deny" in done.stdout
    assert "bad.yaml:" in done.stdout


def test_passwd_makes_an_entry_that_logs_in(world):
    s = world.prepare()
    done = s.cli("passwd", "erin", text="erin-secret\n")
    assert done.returncode == 0, done.stderr
    assert "erin-secret" not in done.stdout + done.stderr
    entry = harness.yaml.safe_load(done.stdout)
    s.identities["people"].update(
        {"erin": {**entry["erin"], "groups": ["analysts"]}})
    s.write_all()
    s.start()
    with s.connect("erin", "erin-secret") as c:
        assert c.execute("SELECT 1").fetchone() == (1,)


def test_passwd_refuses_an_empty_password_and_odd_names(world):
    s = world.prepare()
    for name, password in (("erin", "\n"), ("erin", ""), ("a+b", "x\n"),
                           ("", "x\n"), ("x" * 64, "x\n")):
        done = s.cli("passwd", name, text=password)
        assert done.returncode in (1, 2), (name, password, done)
        assert not done.stdout.strip(), done.stdout


def test_approvals_as_a_table(world):
    s = world.sallyport()
    with s.wire() as w:
        w.send(pgwire.query("DELETE FROM payments"))
        w.until(b"N")
        shown = s.operate("approvals")
        for word in ("alice", "copilot", "DELETE FROM payments"):
            assert word in shown, (word, shown)
        s.operate("deny", str(s.json("approvals")[0]["request"]))
        w.until(b"Z")


def test_control_socket_survives_nonsense(world):
    s = world.sallyport()
    for sent in (b"", b"\0" * 10, b"{}\n", b"{\"command\": 7}\n", b"x" * 1000,
                 b"[" * 100000, b"{\"command\": \"approve\", \"request\": "
                 b"\"-1\"}\n", b"\xff\xfe\n"):
        with harness.socket.socket(harness.socket.AF_UNIX) as c:
            c.settimeout(harness.PATIENCE)
            c.connect(s.control)
            try:
                c.sendall(sent)
                c.shutdown(1)
                while c.recv(65536):
                    pass
            except ConnectionError:
                pass
        assert s.json("status")["generation"] >= 1
    assert s.process.poll() is None


def control_connections(s, count):
    """Connections to the control socket that say nothing."""
    made = []
    for _ in range(count):
        c = harness.socket.socket(harness.socket.AF_UNIX)
        c.settimeout(harness.PATIENCE)
        c.connect(s.control)
        made.append(c)
    return made


def test_silent_control_client_does_not_stop_the_others(world):
    s = world.sallyport()
    silent = control_connections(s, 20)
    assert s.json("status")["generation"] >= 1
    with s.wire() as w:
        assert w.query("SELECT 1").rows == [[b"1"]]
    silent += control_connections(s, 4)
    assert s.json("status")["generation"] >= 1
    for c in silent:
        c.close()


def test_half_a_control_request_does_not_hold_a_place(world):
    s = world.sallyport()
    halves = control_connections(s, 4)
    for c in halves:
        c.sendall(b"{")
    began = time.monotonic()
    assert s.json("status")["generation"] >= 1
    for c in halves:  # replaced, or past the deadline for a line
        try:
            assert c.recv(100) == b""
        except ConnectionResetError:
            pass
        c.close()
    assert time.monotonic() - began < harness.PATIENCE


STRANGER = """
import socket, sys, time
made = []
for _ in range(100):
    c = socket.socket(socket.AF_UNIX)
    c.settimeout(20)
    c.connect(sys.argv[1])
    made.append(c)
print(made[-1].recv(1000).decode(), end="", flush=True)
sys.stdin.read()
"""


def test_stranger_is_refused_at_once_and_in_nobodys_way(world):
    needs.root()
    s = world.sallyport()
    with subprocess.Popen(
            [sys.executable, "-c", STRANGER, s.control],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            user=65534, group=65534, extra_groups=[]) as stranger:
        reply = json.loads(stranger.stdout.readline())
        assert reply == {"ok": False, "error":
                         "uid 65534 is nobody in identities.yaml"}, reply
        assert s.json("status")["generation"] >= 1
        stranger.stdin.close()
    done = s.cli("status", "-s", s.control, user=65534, group=65534,
                 extra_groups=[])
    assert done.returncode == 1, done
    assert "nobody in identities.yaml" in done.stderr, done


def test_people_leave_places_to_the_daemons_owner(world):
    needs.root()
    s = world.prepare()
    uids = range(70001, 70006)
    for uid in uids:
        s.identities["people"][f"p{uid}"] = {"groups": [], "uid": uid}
    s.write_all()
    s.start()
    crowd = [subprocess.Popen(
        [sys.executable, "-c", STRANGER, s.control], stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL, user=uid, group=uid, extra_groups=[])
             for uid in uids]
    for _ in range(5):
        assert s.json("status")["generation"] >= 1
    for process in crowd:
        process.stdin.close()
        process.kill()
        process.wait()
