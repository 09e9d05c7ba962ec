"""The program that runs these tests."""

import os
import re
import signal
import subprocess
import sys

import harness

LONG = "processes.drain_has_a_deadline"


def below(process):
    """What runs for it, as {process id: command line}."""
    found = {}
    for pid in harness.children(process.pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                found[pid] = f.read().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def with_a_daemon(process):
    found = below(process)
    return found if any("sallyportd" in line for line in found.values()) \
        else None


def stopped_by(sign):
    """Stop a run whose servers are up; what it printed."""
    with subprocess.Popen(
            [sys.executable, os.path.join(harness.HERE, "run"), "-j1", "-b",
             os.environ["SALLYPORT_BUILD"], "-k", LONG],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            preexec_fn=harness.die_with_parent) as process:
        try:
            there = harness.until(lambda: with_a_daemon(process), "a daemon")
            assert any("postgres" in line for line in there.values()), there
            there.update(below(process))
            process.send_signal(sign)
            printed, _ = process.communicate(timeout=harness.PATIENCE)
        finally:
            harness.kill_below(process.pid)
            process.kill()
    left = {p: line for p, line in there.items() if harness.alive(p)}
    assert not left, left
    data, = {match for line in there.values()
             for match in re.findall(r"postgres -D (\S+)", line)}
    assert not os.path.exists(data), data
    assert process.returncode == 128 + sign, (process.returncode, printed)
    return printed


def test_run_that_is_stopped_ends_with_all_that_it_started():
    for sign in (signal.SIGTERM, signal.SIGINT):
        printed = stopped_by(sign)
        assert f"stopped by signal {int(sign)}" in printed, printed
        assert "passed" not in printed, printed


def test_two_processes_have_no_port_in_common():
    """Not even if they would begin with the same ones."""
    ask = ("import os\n"
           "os.getpid = lambda: 7\n"
           "import harness\n"
           "print(*{harness.free_port() for _ in range(100)}, flush=True)\n"
           "input()\n")
    runs, seen = [], []
    try:
        for _ in range(3):
            runs.append(subprocess.Popen(
                [sys.executable, "-c", ask], cwd=harness.HERE, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            seen += runs[-1].stdout.readline().split()
    finally:
        for run in runs:
            run.communicate("\n")
    assert len(seen) == len(set(seen)) == 300, len(seen)
