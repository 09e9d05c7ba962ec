"""What a process that was taken over can do: nothing that it did not do
before.  A build with a deliberate hole (tests/hole/hole.c) makes the system
calls that a client chooses."""

import contextlib
import json
import math
import os
import re
import signal
import socket
import subprocess

import harness
import needs
import pgwire
import rooted

KILLED = "signal 31"
SPARE = {"workers": {"spare": 6, "max": 32}}

# Who has just ended has no files in /proc.
GONE = (FileNotFoundError, ProcessLookupError)
# A name is cut after 15 characters.
HELPERS = ("broker", "catalog", "porter", "sallyport-verif")
PORTERS = 1 << 2 | 1 << 19  # CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE
CROWDED = {"Max processes": 0, "Max data size": 4 << 30,
           "Max msgqueue size": 0}
QUIET = {**CROWDED, "Max open files": 512, "Max locked memory": 0}
# The porter has children and looks at others: no limits.
LIMITS = {"worker": QUIET, "catalog": QUIET, "publisher": QUIET,
          "broker": CROWDED, "porter": {},
          "sallyport-verif": {**QUIET, "Max open files": 16,
                              "Max file size": 0,
                              "Max address space": 512 << 20}}

# x86_64's numbers. {…} is filled in by the test.
OPENAT, EXECVE, SOCKET, PTRACE, KILL = 257, 59, 41, 101, 62
PROCESS_VM_READV, CLONE, MMAP, MPROTECT = 310, 56, 9, 10
PRCTL, PR_SET_DUMPABLE = 157, 4

# each works in a process without walls
ATTEMPTS = {
    "open a file": f'{OPENAT} -100 "/etc/passwd" 0',
    "look for a file": '262 -100 "/etc/passwd" @ 0',
    "open a socket": f"{SOCKET} 1 2 0",
    "make sockets": "53 1 1 0 @",
    "be traced": f"{PTRACE} 0 0 0 0",
    "probe a process": f"{KILL} {{victim}} 0",
    "stop a process": f"{KILL} {{victim}} 18",
    "signal a thread": "234 {victim} {victim} 18",
    "read another worker's memory":
        f"{PROCESS_VM_READV} {{victim}} & 1 & 1 0",
    "fork": f"{CLONE} 17 0 0 0 0",
    "make memory executable": f"{MPROTECT} @ 4096 7",
    "map executable memory": f"{MMAP} 0 4096 7 0x22 -1 0",
    "be looked into": f"{PRCTL} {PR_SET_DUMPABLE} 1 0 0 0",
    "change a mode": '90 "{folder}/mine" 0600',
    "change a name": '82 "{folder}/mine" "{folder}/mine"',
    "remove a file": '87 "{folder}/mine"',
    "set an account": "105 {uid}",
    "leave a name space": "272 0",
    "change the personality": "135 0xffffffff",
    "make a file of memory": '319 "x" 0',
    "wait for descriptors": "291 0",
    "own a descriptor's signals": "72 0 8 0",
    "make a shared descriptor wait": "72 0 4 0",
}
# and these may be forbidden to everybody; here they kill all the same
MORE = {
    "mount": '165 "none" "/mnt" "tmpfs" 0 0',
    "load a program into the kernel": "321 0 @ 64",
    "set up a ring": "425 1 @",
    "handle faults": "323 1",
    "ask for keys": "250 0 -3 0",
    "count events": "298 @ 0 -1 -1 0",
    "open by handle": "304 -100 @ 0",
    "accept others' clients": "288 3 0 0 0",
    "do as 32-bit programs do": "0x40000101 -100 @ 0",
    "wait with priority": "202 @ 6 0 0 0 0",
    "send to an address": "44 2 @ 1 0 @ 16",
}


def prepare():
    """The build with the hole."""
    made = subprocess.run(
        ["make", f"BUILD={os.environ['SALLYPORT_BUILD']}", "-j2", "hole"],
        cwd=harness.ROOT, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"]})
    assert made.returncode == 0, made.stdout + made.stderr


def hole_programs(folder):
    """As harness.install_programs leaves them."""
    os.mkdir(folder)
    os.chmod(folder, 0o755)
    return harness.install_programs(
        os.path.join(os.environ["SALLYPORT_BUILD"], "hole", "build"), folder)


def with_hole(world):
    folder = os.path.join(world.folder, "hole")
    return harness.World(world.pg, hole_programs(folder), folder)


class Wide(harness.Sallyport):
    """Walls are left out, to see that the attempts work without them."""

    def environment(self):
        return {**super().environment(), "SALLYPORT_HOLE": "wide"}


@contextlib.contextmanager
def ordinary(world, kind=harness.Sallyport):
    """Started by an ordinary user; with the hole."""
    own = with_hole(world)
    folder = os.path.join(own.folder, "s")
    os.mkdir(folder)
    s = kind(own, folder, settings=dict(SPARE))
    own.started.append(s)
    world.started.append(s)
    s.start()
    yield s


def worker_of(s, wire):
    client = "127.0.0.1:%d" % wire.socket.getsockname()[1]
    return harness.until(
        lambda: [x for x in s.json("sessions") if x["client"] == client],
        "the worker's session")[0]


def through_hole(attempt, **names):
    return pgwire.query("HOLE: " + attempt.format(**names))


def log_has(s, number):
    """What the attempt returned, from the log; None: it never did."""
    found = re.findall(rf"hole: {number} returned (-?\d+)", s.log_text())
    return int(found[-1]) if found else None


def each_is_killed_and_recorded(s):
    made = 0
    with s.wire("bob") as other:
        names = {"victim": worker_of(s, other)["pid"], "folder": s.folder,
                 "uid": os.getuid()}
        for name, attempt in {**ATTEMPTS, **MORE}.items():
            with s.wire() as taken:
                session = worker_of(s, taken)
                taken.send(through_hole(attempt, **names))
                taken.rest()
            made += 1
            record = s.sink.wait("worker-died", made)
            assert KILLED in record["reason"], (name, record)
            assert record["session"] == session["session"], name
            assert record["user"] == "alice", name
            assert other.query("SELECT 1").rows == [[b"1"]], name
        assert s.process.poll() is None
    # nothing that was asked for was done
    assert "returned" not in s.log_text()
    assert len(s.sink.find("worker-died")) == made


def test_attempts_of_a_worker_taken_over_are_killed_and_recorded(world):
    needs.hole()
    with ordinary(world) as s:
        each_is_killed_and_recorded(s)


def test_attempts_are_killed_with_workers_of_another_account(world):
    needs.hole()
    needs.root()
    with rooted.rooted(with_hole(world), settings=dict(SPARE)) as s:
        s.start()
        each_is_killed_and_recorded(s)


def test_attempts_work_where_there_are_no_walls(world):
    needs.hole()
    with ordinary(world, Wide) as s, s.wire("bob") as other:
        victim = worker_of(s, other)["pid"]
        other.query(f"HOLE: {PRCTL} {PR_SET_DUMPABLE} 1 0 0 0")
        assert log_has(s, PRCTL) == 0
        with open(os.path.join(s.folder, "mine"), "w", encoding="ascii"):
            pass
        harness.give(os.path.join(s.folder, "mine"), 0o644)
        names = {"victim": victim, "folder": s.folder,
                 "uid": os.stat(f"/proc/{victim}").st_uid}
        for name, attempt in ATTEMPTS.items():
            number = int(attempt.split()[0])
            with s.wire() as taken:
                taken.query("HOLE: " + attempt.format(**names))
            returned = log_has(s, number)
            assert returned is not None and returned >= 0, (name, returned)
        # execve() does not return
        with s.wire() as taken:
            pid = worker_of(s, taken)["pid"]
            taken.send(through_hole(f'{EXECVE} "/bin/true" 0 0'))
            taken.rest()
        harness.until(lambda: not harness.alive(pid), "the program to end")
        other.socket.close()
        s.buried()
        assert not [r for r in s.sink.find("worker-died")
                    if KILLED in r["reason"]]


def test_worker_executes_nothing(world):
    needs.hole()
    with ordinary(world) as s, s.wire() as taken:
        worker_of(s, taken)
        taken.send(through_hole(f'{EXECVE} "/bin/true" 0 0'))
        taken.rest()
        assert KILLED in s.sink.wait("worker-died")["reason"]


def broker_channel_of(pid):
    """The worker's only SOCK_SEQPACKET socket."""
    with open("/proc/net/unix", encoding="ascii") as f:
        channels = {"socket:[%s]" % line.split()[6] for line in f
                    if line.split()[4] == "0005"}
    found = [int(fd) for fd in os.listdir(f"/proc/{pid}/fd")
             if os.readlink(f"/proc/{pid}/fd/{fd}") in channels]
    assert len(found) == 1, found
    return found[0]


def test_worker_asking_the_broker_out_of_turn_is_recorded_and_cut_off(world):
    needs.hole()
    needs.root()
    with ordinary(world) as s, s.wire() as other, s.wire() as taken:
        other.query("SELECT 1")
        session = worker_of(s, taken)
        channel = broker_channel_of(session["pid"])
        for asked in range(2):  # for nothing that there is
            taken.query(f"HOLE: 1 {channel} @ 4096")
            assert log_has(s, 1) == 4096, asked
            told = s.sink.wait("request-refused")
            assert told["session"] == session["session"], told
            assert told["pid"] == session["pid"], told
            assert told["kind"] == 0 and told["login"] != "", told

        def is_cut_off():
            taken.query(f"HOLE: 1 {channel} @ 4096")
            return log_has(s, 1) == -1

        harness.until(is_cut_off, "the broker to close the channel")
        assert len(s.sink.find("request-refused")) == 2
        assert other.query("SELECT 1").rows == [[b"1"]]
        assert s.psql("SELECT 1").returncode == 0


def test_request_out_of_turn_is_recorded_after_the_sink_was_restarted(world):
    needs.hole()
    needs.root()
    with ordinary(world) as s:
        for times in (1, 2):
            with s.wire() as taken:
                channel = broker_channel_of(worker_of(s, taken)["pid"])
                s.sink.close()
                s.sink.open()
                # the worker has found its way before
                harness.until(lambda w=taken: w.query("SELECT 1").rows,
                              "service")
                taken.query(f"HOLE: 1 {channel} @ 4096")
                s.sink.wait("request-refused", times)
        assert "died" not in s.log_text(), s.log_text()


def broker_answers(s, login):
    with contextlib.suppress(OSError, pgwire.Closed, pgwire.ServerError):
        with s.bare_wire() as w:
            w.login(login, "nonsense", s.database)


def broker_attempts(s):
    """Through the name that a client gives, which the broker looks up."""
    for made, number in enumerate((SOCKET, KILL), 1):
        broker_answers(s, f"HOLE: {number} 1 1 0")
        harness.until(
            lambda n=made: len(re.findall("broker died: pid [0-9]+, "
                                          + KILLED, s.log_text())) == n,
            "the broker to be killed")
        harness.until(lambda: s.psql("SELECT 1").returncode == 0,
                      "the next broker", every=0.2)
    assert "returned" not in s.log_text()


def test_broker_taken_over_can_open_nothing(world):
    needs.hole()
    with ordinary(world) as s:
        broker_attempts(s)


def control_ask(s, command):
    with socket.socket(socket.AF_UNIX) as c:
        c.settimeout(harness.PATIENCE)
        c.connect(s.control)
        c.sendall(json.dumps({"command": command}).encode() + b"\n")
        return c.recv(4096)


def test_control_child_taken_over_can_open_nothing(world):
    needs.hole()
    with ordinary(world) as s:
        for made, number in enumerate((SOCKET, OPENAT, EXECVE), 1):
            assert control_ask(s, f"HOLE: {number} 1 1 0") == b""
            harness.until(
                lambda n=made: s.log_text().count(
                    "control child died of signal 31") == n,
                "the child to be killed")
        assert s.json("status")
        assert "returned" not in s.log_text()


def test_holes_of_broker_and_control_work_without_walls(world):
    needs.hole()
    with ordinary(world, Wide) as s:
        control_ask(s, f"HOLE: {SOCKET} 1 1 0")
        harness.until(lambda: (log_has(s, SOCKET) or 0) > 0, "a socket")
        broker_answers(s, f"HOLE: {PRCTL} {PR_SET_DUMPABLE} 0 0 0 0")
        harness.until(lambda: log_has(s, PRCTL) == 0, "the broker's answer")


def test_daemon_with_a_hole_says_so(world):
    with ordinary(world) as s:
        assert "UNSAFE: this build has a deliberate hole" in s.log_text()


def test_build_with_a_hole_is_not_installed(world):
    hole_programs(os.path.join(world.folder, "unused"))
    build = os.path.join(os.environ["SALLYPORT_BUILD"], "hole", "build")
    target = os.path.join(world.folder, "installed")
    done = subprocess.run(
        ["make", f"BUILD={build}", "HOLE=1", f"DESTDIR={target}", "install"],
        cwd=harness.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "not installed" in done.stdout, done
    assert not os.path.exists(target)


# --- what is told -------------------------------------------------------------

def test_check_tells_the_separation(world):
    needs.walls()
    s = world.prepare()
    done = s.check()
    assert done.returncode == 0, done
    rows = {line.split()[0]: line for line in done.stdout.splitlines()[2:]}
    assert set(rows) >= {"master", "worker", "refuser", "broker", "porter",
                         "verifier", "catalog", "publisher", "control"}
    assert "none (Landlock)" in rows["worker"], rows["worker"]
    assert re.search(r" \d\d +none ", rows["worker"]), rows["worker"]
    assert re.search(r" none +as its account$", rows["porter"]), rows
    if os.geteuid() == 0:  # the harness starts it as somebody else
        assert "not started as root" in done.stdout


def test_check_by_root_tells_of_empty_roots(world):
    needs.walls()
    needs.root()
    with rooted.rooted(world) as s:
        done = s.check()
        assert done.returncode == 0, done
        assert re.search(r"worker +nobody .*none \(empty root, Landlock\)",
                         done.stdout), done.stdout
        # capabilities reach further than accounts
        assert re.search(r"porter +nobody .* 2 +all to read, "
                         "else as its account\n", done.stdout), done.stdout
        assert re.search(r"master +root .* 7 +all\n", done.stdout), \
            done.stdout
        assert "missing" not in done.stdout, done.stdout
        assert os.listdir(s.path("state")) == []


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f)


def begun(s):
    """Id and status of each process below master whose role has begun. From
    its fork until it has left behind what is not its own, a child has all
    signals blocked, SIGUSR2 among them, which nobody blocks later."""
    found = []
    for pid in s.workers():
        with contextlib.suppress(*GONE):
            shown = status(pid)
            is_blocked = int(shown["SigBlk"], 16) >> (signal.SIGUSR2 - 1) & 1
            if harness.alive(pid) and not is_blocked:
                found.append((pid, shown))
    return found


def by_name(s, names, filters=0):
    """Process ids, once there is one of each name that has so many filters;
    the last wall is a filter."""
    def look():
        found = {shown["Name"]: pid for pid, shown in begun(s)
                 if int(shown["Seccomp_filters"]) >= filters}
        return found if set(names) <= set(found) else None
    return harness.until(look, f"{names} with {filters} filters")


def limits(pid):
    """The most that each can be set to; infinity is unlimited."""
    with open(f"/proc/{pid}/limits", encoding="ascii") as f:
        rows = re.findall(r"^(Max .+?)  +\S+ +(\S+)", f.read(), re.M)
    return {name: math.inf if hard == "unlimited" else int(hard)
            for name, hard in rows}


def has_walls(s, name, pid):
    """A filter, no new privileges, no capability that is not its own, limits,
    and no dump for anybody to look into."""
    shown, most = status(pid), limits(pid)
    assert shown["Seccomp"] == "2", (name, shown)
    assert int(shown["Seccomp_filters"]) == 2, (name, shown)
    assert shown["NoNewPrivs"] == "1", name
    own = PORTERS if name == "porter" and s.is_roots else 0
    for held in ("CapPrm", "CapEff", "CapInh", "CapBnd", "CapAmb"):
        if held != "CapBnd" or s.is_roots:
            wanted = own if held in ("CapPrm", "CapEff") else 0
            assert int(shown[held], 16) == wanted, (name, held, shown)
    for what, wanted in {**LIMITS[name], "Max core file size": 0}.items():
        assert most[what] <= wanted, (name, what, most)
    for file in ("mem", "environ", "maps"):
        assert os.stat(f"/proc/{pid}/{file}").st_uid == 0, (name, file)


def walled(s, names):
    found = by_name(s, names, filters=2)
    for name in names:
        has_walls(s, name, found[name])
    return found


def descriptors(pid):
    """Where each leads, and how it was opened; none of who has ended."""
    found = []
    with contextlib.suppress(*GONE):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(*GONE):  # it was closed meanwhile
                found.append((os.readlink(f"/proc/{pid}/fd/{fd}"),
                              descriptor_flags(pid, fd)))
    return found


def descriptor_flags(pid, fd):
    with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as f:
        return int(re.search(r"flags:\s+(\d+)", f.read()).group(1), 8)


def test_nobody_but_master_reads_what_wakes_it(world):
    s = world.sallyport(settings={"workers": {"spare": 1, "max": 2}})
    with s.wire() as w:
        serving = worker_of(s, w)["pid"]
        read_by_master = {to for to, flags in descriptors(s.process.pid)
                          if to.startswith("pipe:")
                          and flags & os.O_ACCMODE == os.O_RDONLY}
        wakes = {to for to, flags in descriptors(serving)
                 if to in read_by_master
                 and flags & os.O_ACCMODE == os.O_WRONLY}
        assert len(wakes) == 1, descriptors(serving)
        by_name(s, HELPERS)
        for pid, shown in begun(s):
            for to, flags in descriptors(pid):
                if to in wakes:
                    assert shown["Name"] == "worker", shown
                    assert flags & os.O_ACCMODE == os.O_WRONLY
                    assert flags & os.O_NONBLOCK


def entrances(pid):
    return [to for to, flags in descriptors(pid)
            if "landlock" in to or flags & os.O_PATH]


def test_what_a_process_entered_by_is_closed_behind_it(world):
    s = world.sallyport(settings={"workers": {"spare": 1, "max": 2}})
    with s.wire() as w:
        found = by_name(s, HELPERS)
        for pid in [*(found[name] for name in HELPERS),
                    worker_of(s, w)["pid"]]:
            harness.until(lambda p=pid: not entrances(p),
                          f"{entrances(pid)} of {status(pid)} to be closed")
            assert descriptors(pid), status(pid)


def test_every_process_is_confined(world):
    needs.walls()
    s = world.sallyport(settings={"workers": {"spare": 1, "max": 2}})
    with s.wire() as w:
        walled(s, HELPERS)
        has_walls(s, "worker", worker_of(s, w)["pid"])


def met_publisher(s):
    """Reload, and stop the publisher within its walls; None: it was over
    before it was seen."""
    before = len(s.sink.find("policy"))
    s.signal(signal.SIGHUP)

    def look():
        for pid, shown in begun(s):
            if shown["Name"] == "publisher" and \
                    int(shown["Seccomp_filters"]) >= 2:
                with contextlib.suppress(*GONE):
                    os.kill(pid, signal.SIGSTOP)
                    return [pid]
        return len(s.sink.find("policy")) > before and [None]
    return harness.until(look, "the publisher, or its end", every=0)[0]


def publisher_is_walled(s):
    """It comes and goes: it is met in the middle of the many examples of a
    reload, of this one or the next."""
    s.policy["examples"] *= 1000
    s.write_all()
    pid = harness.until(lambda: met_publisher(s), "a publisher to be met")
    before = len(s.sink.find("policy"))
    try:
        harness.until(lambda: status(pid)["State"].startswith("T"),
                      "it to stop")
        has_walls(s, "publisher", pid)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert s.sink.wait("policy", before + 1)["decision"] == "loaded"


def test_publisher_is_confined(world):
    needs.walls()
    publisher_is_walled(world.sallyport())


def test_started_by_root_only_master_and_porter_keep_capabilities(world):
    needs.walls()
    needs.root()
    with rooted.rooted(world) as s:
        s.start()
        with s.wire() as w:
            found = walled(s, HELPERS)
            pid = worker_of(s, w)["pid"]
            has_walls(s, "worker", pid)
            for of in (pid, found["broker"]):
                assert int(status(of)["CapPrm"], 16) == 0
                root = os.readlink(f"/proc/{of}/root")
                assert "(deleted)" in root, root
                assert status(of)["Uid"].split()[0] != "0"
        assert bin(int(status(s.process.pid)["CapPrm"], 16)).count("1") == 7
        assert int(status(s.process.pid)["CapBnd"], 16) == 0
        publisher_is_walled(s)


def test_session_that_outlives_a_reload_has_the_new_policy(world):
    """Without machine code for the new patterns, and to the same effect."""
    s = world.sallyport()
    with s.wire() as w:
        assert w.query("SELECT count(*) FROM customers").rows
        s.policy["rules"].append(
            {"name": "no counting", "does": ["select"], "then": "deny",
             "matches": r"count\s*\("})
        s.reload()
        refused = w.query("SELECT count(*) FROM customers").errors
        assert refused and refused[0]["C"] == "42501", refused
        assert w.query("SELECT 1").rows == [[b"1"]]
    s.nobody_died()
