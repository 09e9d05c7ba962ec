"""PostgreSQL's own suites and those of drivers: how each is run on one of the
ways, and what it says passed."""

import glob
import os
import re
import shutil
import subprocess

import fetch
import harness

PATIENCE = 900  # seconds, for one run of a suite
GO_PATH = "/usr/share/gocode"


class Outcome:
    """What one run of a suite came to."""

    def __init__(self, passed, texts=None):
        self.passed = passed  # {test: bool}
        self.texts = texts or {}  # {test: what it printed}


def finish(arguments, folder, environment, log):
    """Run to the end as the unprivileged user; its exit status."""
    with open(log, "w", encoding="utf-8") as f:
        try:
            return subprocess.run(
                arguments, check=False, stdin=subprocess.DEVNULL, stdout=f,
                stderr=subprocess.STDOUT, cwd=folder, env=environment,
                preexec_fn=harness.die_with_parent, timeout=PATIENCE,
                **harness.unprivileged()).returncode
        except subprocess.TimeoutExpired:
            f.write(f"\nended after {PATIENCE} seconds\n")
            return None


def read(path):
    """A file's text; empty when it is not there."""
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def make_folder(path):
    os.mkdir(path)
    return harness.give(path)


def give_tree(folder):
    for path, _folders, files in os.walk(folder):
        harness.give(path)
        for name in files:
            if not os.path.islink(os.path.join(path, name)):
                harness.give(os.path.join(path, name), 0o644)


def texts_of(folder):
    found = {}
    for path in glob.glob(os.path.join(folder, "*.out")):
        found[os.path.basename(path)[:-4]] = read(path)
    return found


class Regress:
    """src/test/regress: psql scripts and the output expected of them."""

    name = "regress"
    folder = "src/test/regress"
    program = "regress/pg_regress"
    schedule = "parallel_schedule"
    database = "regression"
    line = re.compile(r"^(?:test|    ) ?\s*(\S+)\s+\.\.\. (ok|FAILED)", re.M)

    def __init__(self, peer):
        self.peer = peer

    def libraries(self, folder):
        """regress.so, built; with those that it stands beside."""
        os.mkdir(folder)
        include = self.peer.include
        fetch.run(["gcc", "-O1", "-fPIC", "-shared", "-w",
                   f"-I{include}/15/server", f"-I{include}/internal",
                   f"{self.peer.source}/src/test/regress/regress.c", "-o",
                   f"{folder}/regress.so"])
        for name in ("autoinc.so", "refint.so"):
            shutil.copy(f"{self.peer.server_libraries}/{name}", folder)

    def prepare(self, folder):
        shutil.copytree(f"{self.peer.source}/{self.folder}", folder)
        self.libraries(f"{folder}/lib")
        give_tree(folder)
        os.chmod(f"{folder}/lib/regress.so", 0o755)

    def run(self, way):
        folder = f"{way.folder}/{self.name}"
        self.prepare(folder)
        way.cluster.create(self.database)
        log = f"{way.folder}/{self.name}.log"
        finish(
            [f"{self.peer.programs}/{self.program}", "--use-existing",
             f"--dbname={self.database}",
             "--inputdir=.", f"--outputdir={folder}", f"--dlpath={folder}/lib",
             f"--bindir={self.peer.binaries}", "--host=127.0.0.1",
             f"--port={way.port}", "--user=postgres",
             "--max-concurrent-tests=20",
             f"--schedule={folder}/{self.schedule}"],
            folder, way.environment(), log)
        printed = read(log)
        passed = {m[1]: m[2] == "ok" for m in self.line.finditer(printed)}
        if not passed:
            fetch.give_up(f"{self.name} did not run:\n{printed}")
        return Outcome(passed, texts_of(f"{folder}/results"))


class Isolation(Regress):
    """src/test/isolation: several sessions in a given order of steps."""

    name = "isolation"
    folder = "src/test/isolation"
    program = "isolation/pg_isolation_regress"
    schedule = "isolation_schedule"
    database = "isolation_regression"

    def libraries(self, folder):
        os.mkdir(folder)
        with open(f"{folder}/regress.so", "w", encoding="ascii"):
            pass


class Pipeline:
    """src/test/modules/libpq_pipeline: what libpq does in pipelines, and what
    both sides then say on the wire."""

    name = "pipeline"
    rows = 700

    def __init__(self, peer):
        self.peer = peer

    def build(self, folder):
        """Of the peer's own source, against the peer's own libpq."""
        include = self.peer.include
        libraries = self.peer.server_libraries
        program = f"{folder}/libpq_pipeline"
        fetch.run(
            ["gcc", "-O1", "-w", f"-I{include}", f"-I{include}/15/server",
             f"-I{include}/internal", f"{self.peer.source}/src/test/modules/"
             "libpq_pipeline/libpq_pipeline.c", "-o", program,
             f"-L{self.peer.libpq}", "-l:libpq.so.5", f"-L{libraries}",
             "-lpgcommon", "-lpgport", "-lm"])
        harness.give(program)
        return program

    def run(self, way):
        folder = f"{way.folder}/{self.name}"
        make_folder(folder)
        program = self.build(folder)
        passed, texts = {}, {}
        finish([program, "tests"], folder, way.environment(),
               f"{folder}/tests.log")
        names = read(f"{folder}/tests.log").split()
        for name in names:
            trace = f"{folder}/{name}.trace"
            done = finish(
                [program, "-r", str(self.rows), "-t", trace, name,
                 "dbname=postgres"], folder, way.environment(),
                f"{folder}/{name}.log")
            texts[name] = read(trace) + read(f"{folder}/{name}.log")
            passed[name] = done == 0 and self.is_as_traced(name, trace)
        return Outcome(passed, texts)

    def is_as_traced(self, name, trace):
        """Is it what the source says should be on the wire, if it does?"""
        wanted = (f"{self.peer.source}/src/test/modules/libpq_pipeline/"
                  f"traces/{name}.trace")
        return not os.path.exists(wanted) or read(wanted) == read(trace)


class Go:
    """The tests of a driver in Go, as Debian ships its source."""

    line = re.compile(r"\s*--- (PASS|FAIL|SKIP): (\S+)")
    turn = re.compile(r"=== (?:RUN|CONT|NAME|PAUSE)\s+(\S+)")
    database = "pqgotest"
    setup = ""
    options = ()

    def __init__(self, peer):
        self.peer = peer

    def environment(self, way):
        return {**way.environment(), "GO111MODULE": "off",
                "GOPATH": GO_PATH, "GOCACHE": f"{self.peer.cache}/go",
                "PGDATABASE": self.database, "TZ": "UTC"}

    def build(self, package, folder, way):
        """The package's tests, a program; None when it has none."""
        program = f"{folder}/{package.replace('/', '_')}.test"
        fetch.run(["go", "test", "-vet=off", "-c", "-o", program,
                   f"{self.root}/{package}".rstrip("/")], cwd=folder,
                  env=self.environment(way))
        if not os.path.exists(program):
            return None
        return harness.give(program)

    def run(self, way):
        folder = f"{way.folder}/{self.name}"
        make_folder(folder)
        way.cluster.create(self.database)
        for statement in self.setup:
            way.cluster.psql(self.database, statement)
        passed, texts = {}, {}
        for package in self.packages:
            program = self.build(package, folder, way)
            if program is None:
                continue
            finish([program, "-test.v", "-test.timeout=200s", *self.options],
                   f"{GO_PATH}/src/{self.root}/{package}",
                   self.environment(way), f"{program}.log")
            self.take(package, read(f"{program}.log"), passed, texts)
        return Outcome(passed, texts)

    def take(self, package, printed, passed, texts):
        """What passed, and what each test said meanwhile."""
        said, current = {}, ""
        for line in printed.splitlines():
            if m := self.turn.match(line):
                current = m[1]
            elif m := self.line.match(line):
                if m[1] != "SKIP":
                    passed[f"{package}{m[2]}"] = m[1] == "PASS"
            else:
                said.setdefault(current, []).append(line)
        texts.update({f"{package}{test}": "\n".join(lines)
                      for test, lines in said.items()})


class LibPq(Go):
    """github.com/lib/pq"""

    name = "libpq-go"
    root = "github.com/lib/pq"
    packages = ("", "hstore/", "scram/", "auth/kerberos/", "oid/")
    setup = ("CREATE EXTENSION hstore",)


class Pgx(Go):
    """github.com/jackc/pgx and what belongs to it"""

    name = "pgx"
    root = "github.com/jackc"
    packages = ("pgconn/", "pgconn/stmtcache/", "pgproto3/v2/",
                "pgx/v4/", "pgx/v4/pgxpool/",
                "pgx/v4/stdlib/")
    database = "pgx_test"
    setup = ("CREATE EXTENSION hstore",
             "CREATE DOMAIN uint64 AS numeric(20,0)")

    def environment(self, way):
        inherited = super().environment(way)
        where = (f"host=127.0.0.1 port={way.port} user=postgres "
                 f"password={inherited['PGPASSWORD']} dbname={self.database} "
                 "sslmode=disable")
        return {**{k: v for k, v in inherited.items()
                   if not k.startswith("PG")},
                "PGX_TEST_DATABASE": where, "PGX_TEST_CONN_STRING": where,
                "PGX_TEST_TCP_CONN_STRING": where}
