"""A private PostgreSQL, a private Sallyport in front of it, and a private
audit sink, each in a temporary folder with a port of its own.

Run by root, the servers run as an unprivileged user; nothing else needs
root.  Everything is ended by its process id.  No fixed sleeps: `until`
polls with a deadline.
"""

import contextlib
import ctypes
import itertools
import json
import os
import random
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import psycopg
import yaml

import needs
import pgwire
from certificates import Authority

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PATIENCE = float(os.environ.get("SALLYPORT_TEST_PATIENCE", "20"))
PASSWORDS = {"alice": "alice-secret", "bob": "bob-secret",
             "carol": "carol-secret", "sam": "sam-secret",
             "copilot": "copilot-secret", "nightly": "nightly-secret"}
VERIFIERS = {name: pgwire.scram_verifier(password)
             for name, password in PASSWORDS.items()}


def without_booleans(base):
    """PyYAML takes the key `on` for a truth value; YAML 1.2 does not."""
    resolvers = {first: [(tag, pattern) for tag, pattern in those
                         if not tag.endswith(":bool")]
                 for first, those in base.yaml_implicit_resolvers.items()}
    return type("Plain" + base.__name__, (base,),
                {"yaml_implicit_resolvers": resolvers})


YAML_LOADER = without_booleans(yaml.SafeLoader)
YAML_DUMPER = without_booleans(yaml.SafeDumper)
YAML_DUMPER.ignore_aliases = lambda *_: True


def until(question, what="a condition", timeout=None, every=0.01):
    """The first true answer; AssertionError at the deadline."""
    deadline = time.monotonic() + (timeout or PATIENCE)
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(every)


PORTS, SHARES = 500, 40  # in a share; from port 12000 on
shares = {}  # of each process: what keeps it, and its ports in turn


def share_of_ports():
    """Ports that no other process on this machine takes while this one lives:
    a name of the kernel's, of which there is one, says whose they are."""
    for i in range(SHARES):
        number = (os.getpid() + i) % SHARES
        name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            name.bind(f"\0sallyport-test-ports-{number}")
        except OSError:
            name.close()
            continue
        first = 12000 + number * PORTS
        ports = random.SystemRandom().sample(
            range(first, first + PORTS), PORTS)
        return name, itertools.cycle(ports)
    raise RuntimeError(f"{SHARES} processes of tests have ports already")


def free_port():
    """A port below those that the kernel gives to clients, who would take it
    again before the server is there."""
    if os.getpid() not in shares:
        shares[os.getpid()] = share_of_ports()
    for port in shares[os.getpid()][1]:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                continue
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def unprivileged():
    """Popen arguments that make root somebody else."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid,
                    "extra_groups": []}
        except KeyError:
            continue
    raise RuntimeError("no unprivileged user to run servers as")


def give(path, mode=0o755):
    """Make a path belong to the user the servers run as."""
    os.chmod(path, mode)
    user = unprivileged()
    if user:
        os.chown(path, user["user"], user["group"])
    return path


def die_with_parent():
    """In the child: end when this process ends, whatever ends it."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def alive(pid):
    """Is the process there and not a zombie?"""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii",
                  errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid):
    """Every process below `pid`, as a list of process ids."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="ascii",
                          errors="replace") as f:
                    fields = f.read().rpartition(")")[2].split()
                parents[int(entry)] = int(fields[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    found, more = [], [pid]
    while more:
        parent = more.pop()
        below = [p for p, pp in parents.items() if pp == parent]
        found += below
        more += below
    return found


def kill(pid):
    """It may have ended by itself."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_below(pid):
    """End every process below `pid`, and wait until they have."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        below = [p for p in children(pid) if alive(p)]
        if not below:
            break
        for each in below:
            kill(each)
        time.sleep(0.01)


class Server:
    """A child process that is ended with us."""

    process = None
    is_roots = False  # started by root as root, if we are root

    def launch(self, arguments, log, **more):
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, preexec_fn=die_with_parent,
                **self.account(), **more)

    def account(self):
        """Popen arguments that make it who it is to be."""
        return {} if self.is_roots else unprivileged()

    def end(self, sign, timeout=PATIENCE):
        """Send the signal and wait; its exit status. After the deadline
        the process is killed and the status None."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(sign)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None


class Postgres(Server):
    """A cluster with the shop, a template that tests copy when they write.

    Roles: `owner` (superuser, trusted on the Unix socket and TCP), and for
    Sallyport `sallyport` (SCRAM), `sallyport_md5`, `sallyport_trust`, and
    over TLS only `sallyport_tls` (SCRAM) and `sallyport_certificate` (a
    client certificate of `authority` in that name). Its own certificate, of
    the same authority, is for localhost, db.example and 127.0.0.1.
    """

    PASSWORD = "upstream-secret"

    def __init__(self, folder):
        self.folder = give(folder)
        self.port = free_port()
        self.binaries = self._binaries()
        self.databases = 0
        self.log = os.path.join(folder, "postgres.log")
        data = os.path.join(folder, "data")
        self._tool("initdb", "-D", data, "-U", "owner", "-A", "trust",
                   "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        with open(os.path.join(data, "pg_hba.conf"), "w",
                  encoding="ascii") as f:
            f.write("local all all trust\n"
                    "host all owner 127.0.0.1/32 trust\n"
                    "host all sallyport_md5 127.0.0.1/32 md5\n"
                    "hostssl all sallyport_tls 127.0.0.1/32 scram-sha-256\n"
                    "hostssl all sallyport_certificate 127.0.0.1/32 cert\n"
                    "host all sallyport_tls,sallyport_certificate "
                    "127.0.0.1/32 reject\n"
                    "host all sallyport_trust 127.0.0.1/32 trust\n"
                    "host all all 127.0.0.1/32 scram-sha-256\n")
        self.authority = Authority(os.path.join(folder, "authority"), give)
        certificate, key = self.authority.issue(
            "db", names=("localhost", "db.example"), addresses=("127.0.0.1",))
        self.launch([os.path.join(self.binaries, "postgres"), "-D", data,
                     "-c", "ssl=on", "-c", f"ssl_cert_file={certificate}",
                     "-c", f"ssl_key_file={key}",
                     "-c", f"ssl_ca_file={self.authority.certificate}",
                     "-p", str(self.port), "-k", folder,
                     "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off",
                     "-c", "max_connections=150", "-c", "full_page_writes=off",
                     "-c", "synchronous_commit=off",
                     "-c", "shared_buffers=64MB"], self.log)
        until(self._answers, "PostgreSQL to answer")
        self._fill()

    @staticmethod
    def _binaries():
        found = subprocess.run(["pg_config", "--bindir"], check=False,
                               capture_output=True, text=True).stdout.strip()
        for folder in (found, "/usr/lib/postgresql/15/bin"):
            if folder and os.path.exists(os.path.join(folder, "initdb")):
                return folder
        raise RuntimeError("PostgreSQL's initdb is not installed")

    def _tool(self, name, *arguments):
        subprocess.run([os.path.join(self.binaries, name), *arguments],
                       check=True, stdout=subprocess.DEVNULL,
                       cwd=self.folder, **unprivileged())

    def _answers(self):
        if self.process.poll() is not None:
            with open(self.log, encoding="utf-8") as f:
                raise AssertionError("PostgreSQL ended: " + f.read()[-2000:])
        try:
            self.connect("postgres").close()
            return True
        except psycopg.OperationalError:
            return False

    def _fill(self):
        with self.connect("postgres") as c:
            c.execute(f"CREATE ROLE sallyport LOGIN PASSWORD '{self.PASSWORD}'")
            c.execute("SET password_encryption = md5")
            c.execute("CREATE ROLE sallyport_md5 LOGIN "
                      f"PASSWORD '{self.PASSWORD}'")
            c.execute("CREATE ROLE sallyport_trust LOGIN")
            c.execute("CREATE ROLE sallyport_certificate LOGIN")
            c.execute("SET password_encryption = 'scram-sha-256'")
            c.execute("CREATE ROLE sallyport_tls LOGIN "
                      f"PASSWORD '{self.PASSWORD}'")
            c.execute("CREATE DATABASE shop")
        self.psql("shop", "-q", "-f", os.path.join(HERE, "shop.sql"))

    def connect(self, database="shop", user="owner", **more):
        return psycopg.connect(host=self.folder, port=self.port,
                               user=user, dbname=database, autocommit=True,
                               **more)

    def psql(self, database, *arguments):
        return subprocess.run(
            ["psql", "-X", "-h", self.folder, "-p", str(self.port),
             "-U", "owner", "-d", database, *arguments], check=True,
            capture_output=True, text=True).stdout

    def ask(self, sql, database="shop"):
        """The rows of one statement, asked behind Sallyport's back."""
        with self.connect(database) as c:
            cursor = c.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def await_sleep(self, backend):
        """Return once this backend is within pg_sleep(): what cancels it
        from now on does not come too early."""
        with self.connect("postgres") as c:
            until(lambda: c.execute(
                "SELECT 1 FROM pg_stat_activity WHERE pid = %s "
                "AND wait_event = 'PgSleep'", (backend,)).fetchone(),
                "the statement to sleep")

    def copy_of_shop(self):
        """A new database that a test may change; its name."""
        self.databases += 1
        name = f"shop_{os.getpid()}_{self.databases}"
        with self.connect("postgres") as c:
            c.execute(f"CREATE DATABASE {name} TEMPLATE pristine")
        return name

    def keep_pristine(self):
        """The template for copy_of_shop(), which nobody is connected to."""
        with self.connect("postgres") as c:
            c.execute("CREATE DATABASE pristine TEMPLATE shop")
        return self


def without_doubles(pairs):
    """A JSON object whose keys are all different."""
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError(f"a key is there twice: {[k for k, _ in pairs]}")
    return dict(pairs)


MARK = b"mark "  # no syslog line begins so


class Sink:
    """Where audit records go: a bound datagram socket and a thread."""

    def __init__(self, path):
        self.path = path
        self.records = []
        self.raw = []
        self.complaints = []  # records that are not good JSON
        self.socket = None
        self.is_open = False
        self.numbers, self.marks = itertools.count(1), 0
        self.marked = threading.Condition()
        self.open()

    def open(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o666)
        self.is_open = True
        threading.Thread(target=self._drain, args=(self.socket,),
                         daemon=True).start()

    def _drain(self, source):
        while True:
            try:
                datagram = source.recv(1 << 20)
            except OSError:
                return
            if not datagram:
                return
            if datagram.startswith(MARK):
                with self.marked:
                    self.marks = max(self.marks, int(datagram[len(MARK):]))
                    self.marked.notify_all()
                continue
            self.raw.append(datagram)
            _, cookie, rest = datagram.partition(b"@cee:")
            try:
                record = json.loads(rest, object_pairs_hook=without_doubles)
            except ValueError as wrong:
                cookie, record = b"", {}
                self.complaints.append(f"{wrong}: {datagram!r}")
            self.records.append(record if cookie else
                                {"event": "not an audit record",
                                 "text": datagram.decode("utf-8", "replace")})

    def close(self):
        """The sink is gone, as a dead syslog daemon is."""
        self.is_open = False
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        os.unlink(self.path)

    def catch_up(self):
        """What was sent before now is among the records: a mark that is sent
        now comes behind it."""
        mark = next(self.numbers)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
            own.sendto(MARK + b"%d" % mark, self.path)
        with self.marked:
            assert self.marked.wait_for(lambda: self.marks >= mark, PATIENCE)

    def find(self, event=None, **fields):
        """Records of this event that have these values, of those sent so
        far."""
        if self.is_open:
            self.catch_up()
        return [r for r in list(self.records)
                if (event is None or r.get("event") == event)
                and all(r.get(k) == v for k, v in fields.items())]

    def wait(self, event, count=1, **fields):
        """The last of `count` such records, when they are there."""
        return until(lambda: len(self.find(event, **fields)) >= count
                     and self.find(event, **fields),
                     f"{count} {event} record(s) with {fields}; there were "
                     f"{[r.get('event') for r in self.records]}")[-1]

    def statement(self, part, **fields):
        """The record of the statement whose canonical text has `part`."""
        def found():
            return [r for r in self.find("statement", **fields)
                    if part.lower() in (r.get("statement") or "").lower()]
        return until(found, f"a statement record with {part!r}; there were "
                     f"{[r.get('statement') for r in self.records]}")[-1]

    def outcome(self, part):
        """The record of the statement and that of its result, as one."""
        statement = self.statement(part)
        return {**statement, **self.wait(
            "result", session=statement["session"],
            statement_seq=statement["seq"])}


def default_policy():
    with open(os.path.join(HERE, "policy.yaml"), encoding="utf-8") as f:
        return yaml.load(f, Loader=YAML_LOADER)


def default_identities():
    """carol is the operating system user who runs the tests."""
    def password(name, **more):
        return {"password": VERIFIERS[name], **more}
    return {
        "people": {
            "alice": password("alice", groups=["analysts"]),
            "bob": password("bob", groups=["analysts"]),
            "carol": password("carol", groups=["dba"], uid=os.getuid()),
            "sam": password("sam", groups=["support-leads"]),
        },
        "agents": {
            "copilot": password("copilot", acts_for=[{"group": "analysts"}]),
            "nightly": password("nightly"),
        },
    }


class Sallyport(Server):
    """One daemon with its own configuration; ended by World.close()."""

    def __init__(self, world, folder, **changes):
        self.world, self.folder = world, give(folder)
        self.port = free_port()
        self.log = os.path.join(folder, "sallyport.log")
        self.control = os.path.join(folder, "control.sock")
        self.config = os.path.join(folder, "sallyport.yaml")
        self.policy = default_policy()
        self.identities = default_identities()
        self.settings = self._default_settings()
        self.authority = None  # of its own certificates, with tls={...}
        self.database = changes.pop("database", "shop")
        if needs.OVER_TLS:
            self.set_tls()
            self.settings["upstreams"]["shop"]["tls"] = {
                "mode": "verify-full",
                "ca": world.pg.authority.certificate}
        for name, value in changes.items():
            self._change(name, value)
        os.mkdir(os.path.join(folder, "policies.d"))
        os.mkdir(os.path.join(folder, "secrets"))
        os.mkdir(os.path.join(folder, "state"))
        for name in ("policies.d", "secrets", "state"):
            give(os.path.join(folder, name), 0o700)
        self.write("secrets/shop", Postgres.PASSWORD + "\n")
        self.sink = Sink(os.path.join(folder, "log.sock"))
        self.write_all()

    def _default_settings(self):
        return {
            "listen": [{"address": f"127.0.0.1:{self.port}",
                        "upstream": "shop"}],
            "upstreams": {"shop": {
                "engine": "postgres",
                "address": f"127.0.0.1:{self.world.pg.port}",
                "labels": {"environment": "production"},
                "login": {"user": "sallyport",
                          "password_file": "secrets/shop"}}},
            "identities": "identities.yaml",
            "policies": "policies.d",
            "workers": {"spare": 2, "max": 32},
            "state": "state",
            "control": "control.sock",
            "audit": {"socket": "log.sock"},
        }

    def _change(self, name, value):
        """Replace policy or identities, or change some of the settings."""
        if name == "settings":
            self.settings.update(value)
        elif name == "tls":
            self.set_tls(**value)
        elif name == "upstream":
            self.settings["upstreams"]["shop"].update(value)
        else:
            assert name in ("policy", "identities"), name
            setattr(self, name, value)

    def set_tls(self, required=False, kind="ec", client_ca=False, **more):
        """TLS on the first listener, with a certificate for localhost and
        127.0.0.1 of an authority of its own."""
        self.authority = Authority(os.path.join(self.folder, "tls"), give)
        certificate, key = self.authority.issue(
            "server", kind=kind, names=("localhost",),
            addresses=("127.0.0.1",), **more)
        self.settings["listen"][0]["tls"] = {
            "certificate": certificate, "key": key,
            "required": "true" if required else "false"}
        if client_ca:
            self.settings["listen"][0]["tls"]["client_ca"] = \
                self.authority.certificate

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(content if isinstance(content, str)
                    else yaml.dump(content, Dumper=YAML_DUMPER,
                                   sort_keys=False))
        return give(path, 0o600)

    def write_all(self):
        self.write("sallyport.yaml", self.settings)
        self.write("identities.yaml", self.identities)
        self.write("policies.d/10-shop.yaml", self.policy)

    # --- the daemon ---------------------------------------------------------

    def environment(self):
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8",
                "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=0:"
                "quarantine_size_mb=64:"
                "handle_segv=0",
                "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}

    def check(self):
        """sallyportd -t, finished."""
        return subprocess.run(
            [self.world.program("sallyportd"), "-t", "-c", self.config],
            capture_output=True, text=True, timeout=PATIENCE, check=False,
            env=self.environment(), cwd="/", **self.account())

    def start(self):
        self.launch([self.world.program("sallyportd"), "-f", "-c",
                     self.config], self.log, env=self.environment(), cwd="/")
        until(self._is_up, "Sallyport to be up")
        if self.sink.is_open:  # so that reload() waits for its own
            self.sink.wait("policy")
        return self

    def _is_up(self):
        if self.process.poll() is not None:
            raise AssertionError("sallyportd ended:\n" + self.log_text())
        # the sockets are bound before the policy is known to be good
        return "listening on" in self.log_text() and self._listens()

    def _listens(self):
        wanted = f"0100007F:{self.port:04X} 00000000:0000 0A"
        with open("/proc/net/tcp", encoding="ascii") as f:
            return wanted in f.read()

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def signal(self, sign):
        self.process.send_signal(sign)

    def workers(self):
        """Process ids of all below the master."""
        return children(self.process.pid)

    def buried(self):
        """The status, once all sessions have ended and master has buried
        their workers: a worker's death is on record by then."""
        def look():
            shown = self.json("status")
            is_over = not any(count for state, count
                              in shown["workers"].items()
                              if state not in ("starting", "idle"))
            return shown if is_over else None
        return until(look, "the workers of all sessions to be buried")

    def nobody_died(self):
        """All sessions have ended, and none by a crash of its worker."""
        count = self.buried()["workers_died"]
        records = self.sink.find("worker-died")
        assert not count and not records, (count, records)

    def complaints(self):
        """What a sanitizer said, a crash, a bad record; empty when all is
        well."""
        if self.sink.complaints:
            return "\n".join(self.sink.complaints)
        if not os.path.exists(self.log):
            return ""
        lines = self.log_text().splitlines()
        for i, line in enumerate(lines):
            if "Sanitizer" in line or "runtime error:" in line:
                return "\n".join(lines[i:i + 25])
        return ""

    # --- clients ------------------------------------------------------------

    def connect(self, login="alice+copilot", password=None, database=None,
                **more):
        """A psycopg connection, in autocommit unless asked otherwise."""
        more.setdefault("autocommit", True)
        if password is None:
            password = PASSWORDS[login.rpartition("+")[2]]
        return psycopg.connect(host="127.0.0.1", port=self.port, user=login,
                               password=password, connect_timeout=20,
                               dbname=database or self.database, **more)

    def wire(self, login="alice+copilot", database=None, **parameters):
        """A protocol-level connection that has logged in."""
        wire = self.bare_wire()
        wire.login(login, PASSWORDS[login.rpartition("+")[2]],
                   database or self.database, **parameters)
        return wire

    def tls_wire(self, timeout=PATIENCE, direct=False, name="localhost",
                 **more):
        """A connection under TLS that has not logged in."""
        wire = self.bare_wire(timeout)
        return wire.start_tls(self.authority.context(**more), direct, name)

    def bare_wire(self, timeout=PATIENCE):
        wire = pgwire.Wire(("127.0.0.1", self.port), timeout)
        if needs.OVER_TLS:
            wire.start_tls(self.authority.context())
        return wire

    def psql(self, sql, login="alice+copilot", database=None, arguments=(),
             **more):
        """psql on one or more statements, finished."""
        return subprocess.run(
            self.psql_command(login, database, *arguments, "-c", sql),
            env=self.psql_environment(login), capture_output=True, text=True,
            timeout=PATIENCE * 3, check=False, **more)

    def psql_command(self, login, database=None, *arguments):
        return ["psql", "-X", "-A", "-t", "-h", "127.0.0.1", "-p",
                str(self.port), "-U", login, "-d", database or self.database,
                *arguments]

    def psql_environment(self, login):
        return {**os.environ, "PGPASSWORD": PASSWORDS[login.rpartition("+")[2]]}

    # --- the operator -------------------------------------------------------

    def cli(self, *arguments, text=None, **more):
        """The operator's command, finished, as the user running the tests."""
        return subprocess.run(
            [self.world.program("sallyport"), *arguments], text=True,
            input=text or "", capture_output=True, timeout=PATIENCE,
            check=False, cwd=self.folder,
            env={**self.environment(), "SALLYPORT_CONFIG": self.config,
                 "SALLYPORT_CONTROL": self.control}, **more)

    def operate(self, *arguments, **more):
        """The operator's command, which must succeed; what it printed."""
        done = self.cli(arguments[0], "-c", self.config, *arguments[1:],
                        **more)
        assert done.returncode == 0, \
            f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def json(self, command, *arguments):
        """What the command says to programs; of a list, the list."""
        told = json.loads(self.operate(command, "--json", *arguments))
        return told.get(command, told) if isinstance(told, dict) else told

    def reload(self):
        """Write the configuration as it now is, SIGHUP, and wait for the
        record that says how it went."""
        before = len(self.sink.find("policy"))
        self.write_all()
        self.signal(signal.SIGHUP)
        return self.sink.wait("policy", before + 1)


class World:
    """What a test is given. One for each test; PostgreSQL is shared."""

    def __init__(self, pg, programs, folder):
        self.pg, self.programs = pg, programs
        self.folder = folder
        self.started = []

    def program(self, name):
        return os.path.join(self.programs, name)

    def prepare(self, **changes):
        """A configured Sallyport that is not running."""
        folder = os.path.join(self.folder, f"s{len(self.started)}")
        os.mkdir(folder)
        sallyport = Sallyport(self, folder, **changes)
        self.started.append(sallyport)
        return sallyport

    def sallyport(self, **changes):
        return self.prepare(**changes).start()

    def writable(self, **changes):
        """A Sallyport whose shop database is the test's own."""
        return self.sallyport(database=self.pg.copy_of_shop(), **changes)

    def close(self):
        """End what the test started; complaints of sanitizers."""
        complaints = []
        for sallyport in self.started:
            below = sallyport.workers() if sallyport.process else []
            if sallyport.process and sallyport.process.poll() is None:
                if sallyport.end(signal.SIGINT, 10) is None:
                    complaints.append("sallyportd did not end on SIGINT")
            for pid in below:
                if alive(pid):
                    kill(pid)
            complaints.append(sallyport.complaints())
            try:
                sallyport.sink.close()
            except OSError:
                pass  # the test closed it
        return "\n".join(c for c in complaints if c)


def install_programs(build, folder):
    """Copy the programs and the policy data to where the unprivileged user
    can read them, laid out as in the source tree."""
    programs = os.path.join(folder, "build")
    os.mkdir(programs)
    os.chmod(programs, 0o755)
    for name in ("sallyportd", "sallyport", "sallyport-verifier",
                 "sallyport-pam"):
        source = os.path.join(build, name)
        if not os.path.exists(source):
            sys.exit(f"{source} is not there: run make first")
        shutil.copy(source, programs)
    shutil.copytree(os.path.join(ROOT, "policies"),
                    os.path.join(folder, "policies"))
    return programs


def temporary_folder(prefix="sallyport-test-"):
    folder = tempfile.mkdtemp(prefix=prefix, dir="/tmp")
    return give(folder)
