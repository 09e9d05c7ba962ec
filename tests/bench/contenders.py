"""The ways to the database that the benchmarks compare, each started
privately, with a meter on its process tree.
"""

import os
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
sys.dont_write_bytecode = True

import harness  # noqa: E402

CPUACCT = "/sys/fs/cgroup/cpuacct"


class CpuMeter:
    """CPU nanoseconds of a process and all below it, the dead included."""

    def __init__(self, pid, name):
        self.pid, self.group = pid, None
        group = f"{CPUACCT}/sallyport-bench-{os.getpid()}-{name}"
        try:
            os.mkdir(group)
            for _ in range(2):  # again, for what was forked meanwhile
                for member in [pid, *harness.children(pid)]:
                    self.adopt(group, member)
            self.group = group
        except OSError:
            if os.path.isdir(group):
                os.rmdir(group)

    @staticmethod
    def adopt(group, member):
        try:
            with open(f"{group}/cgroup.procs", "w", encoding="ascii") as f:
                f.write(str(member))
        except ProcessLookupError:
            pass  # it has ended meanwhile

    def read(self):
        if self.group:
            with open(f"{self.group}/cpuacct.usage", encoding="ascii") as f:
                return int(f.read())
        ticks = 0
        for member in [self.pid, *harness.children(self.pid)]:
            try:
                with open(f"/proc/{member}/stat", encoding="ascii",
                          errors="replace") as f:
                    fields = f.read().rpartition(")")[2].split()
                ticks += sum(int(n) for n in fields[11:15])
            except (FileNotFoundError, ProcessLookupError):
                continue
        return ticks * (10 ** 9 // os.sysconf("SC_CLK_TCK"))

    def settle(self):
        """The reading once it stands still: all workers have ended."""
        last = self.read()
        for _ in range(50):
            time.sleep(0.02)
            now = self.read()
            if now - last < 200_000:
                return now
            last = now
        return last

    def close(self):
        if self.group:
            try:
                os.rmdir(self.group)
            except OSError:
                pass  # a process of it is still ending


class Contender:
    """A way to the database: where to connect, and what to meter."""

    def __init__(self, name, port, user, server=None):
        self.name, self.port, self.user, self.server = name, port, user, server
        self.meter = CpuMeter(server.process.pid, name) if server else None

    def tree(self):
        if self.server is None:
            return []
        pid = self.server.process.pid
        return [pid, *harness.children(pid)]


def compile_tool(name, folder, *more):
    program = os.path.join(folder, name)
    subprocess.run(["cc", "-O2", "-o", program,
                    os.path.join(HERE, name + ".c"), *more], check=True)
    os.chmod(program, 0o755)
    return program


def start_relay(pg, folder, user="sallyport_trust"):
    port, server = harness.free_port(), harness.Server()
    server.launch([compile_tool("relay", folder), str(port), str(pg.port),
                   "48"], os.path.join(folder, "relay.log"))
    return Contender("relay", port, user, answering(server, port))


def start_pgbouncer(pg, folder):
    program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    if not os.path.exists(program):
        print("bench: pgbouncer is not installed, left out", file=sys.stderr)
        return None
    port, server = harness.free_port(), harness.Server()
    config = os.path.join(folder, "pgbouncer.ini")
    with open(config, "w", encoding="ascii") as f:
        f.write(f"""[databases]
bench = host=127.0.0.1 port={pg.port} user=sallyport_trust
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = session
default_pool_size = 64
max_client_conn = 100
ignore_startup_parameters = extra_float_digits
""")
    harness.give(config, 0o600)
    server.launch([program, config], os.path.join(folder, "pgbouncer.log"))
    return Contender("pgbouncer", port, "sallyport_trust",
                     answering(server, port))


def answering(server, port):
    def listens():
        with open("/proc/net/tcp", encoding="ascii") as f:
            return f"0100007F:{port:04X} 00000000:0000 0A" in f.read()
    harness.until(listens, "a contender to listen")
    return server


def systemd_queue():
    """systemd lets 512 datagrams wait in a Unix socket, at every boot; the
    kernel alone ten. Where we may, set what users have, for the sink's socket
    only; gives the length that is in force."""
    knob, usual = "/proc/sys/net/unix/max_dgram_qlen", "512"
    with open(knob, encoding="ascii") as f:
        was = f.read().strip()
    try:
        with open(knob, "w", encoding="ascii") as f:
            f.write(usual)
    except OSError:
        return was, lambda: None

    def restore():
        with open(knob, "w", encoding="ascii") as f:
            f.write(was)
    return usual, restore


def start_sallyport(world, folder, policy, **settings):
    tls = settings.pop("tls", None)
    s = world.prepare(policy=policy, settings={
        "workers": {"spare": 4, "max": 64}, **settings},
        **({"tls": tls} if tls is not None else {}))
    s.sink.close()
    drain = harness.Server()
    length, restore = systemd_queue()
    try:
        drain.launch([compile_tool("drain", folder), s.sink.path],
                     os.path.join(folder, "drain.log"))
        harness.until(lambda: os.path.exists(s.sink.path), "the drain")
    finally:
        restore()
    drain.queue = length
    s.start()
    return Contender("sallyport", s.port, "alice+copilot", s), drain


def progress(options, text):
    if sys.stderr.isatty() and not options.json:
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def clear(world, servers, contenders, folder):
    """End all that was started, the first one last, and leave nothing."""
    if world:
        world.close()
    for server in reversed(servers):
        server.end(signal.SIGQUIT if isinstance(server, harness.Postgres)
                   else signal.SIGTERM)
    for x in contenders:
        if x.meter:
            x.meter.close()
    shutil.rmtree(folder, ignore_errors=True)
