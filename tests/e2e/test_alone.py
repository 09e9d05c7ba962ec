"""One daemon for each state folder: a second one gives way and harms
nobody."""

import os
import signal
import subprocess

import harness


def second(s, **changes):
    """Start another daemon, with those settings changed; how it ended."""
    settings = {**s.settings, **changes}
    config = s.write("second.yaml", settings)
    return subprocess.run(
        [s.world.program("sallyportd"), "-f", "-c", config],
        capture_output=True, text=True, timeout=harness.PATIENCE,
        check=False, env=s.environment(), cwd="/", **s.account())


def other_address(s):
    listener = {**s.settings["listen"][0],
                "address": f"127.0.0.1:{harness.free_port()}"}
    return {"listen": [listener], "control": "second.sock"}


def test_second_daemon_says_who_runs_and_harms_nobody(world):
    s = world.sallyport()
    said = f"already running, pid {s.process.pid}: "
    with s.wire() as w:
        generation = s.json("status")["generation"]
        for changes in ({}, other_address(s)):
            done = second(s, **changes)
            assert done.returncode == 1, (changes, done)
            assert done.stderr.count("already running") == 1, done.stderr
            assert said in done.stderr, done.stderr
            assert "listening on" not in done.stderr, done.stderr
        assert w.query("SELECT 1").rows == [[b"1"]]
        assert s.json("status")["generation"] == generation
    with s.wire() as w:
        assert w.query("SELECT 1").rows == [[b"1"]]
    assert not os.path.exists(os.path.join(s.folder, "second.sock"))


def test_check_beside_a_running_daemon_is_no_second_one(world):
    s = world.sallyport()
    done = s.check()
    assert done.returncode == 0, done
    assert "already running" not in done.stdout + done.stderr, done


def test_folder_of_a_daemon_that_was_killed_is_free(world):
    s = world.sallyport()
    first, below = s.process.pid, s.workers()
    s.process.kill()
    s.process.wait()
    # who still holds its listeners ends by himself
    harness.until(lambda: not [p for p in below if harness.alive(p)],
                  "every child to end")
    s.start()
    assert s.process.pid != first
    with s.wire() as w:
        assert w.query("SELECT 1").rows == [[b"1"]]
    assert s.end(signal.SIGINT) == 0
