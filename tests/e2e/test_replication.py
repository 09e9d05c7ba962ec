"""Replication connections: for those who may, and from whom nothing is
protected."""

import os
import shutil
import signal
import subprocess

import harness
import pgwire
from expect import fails

ALLOWED = {"protect": [], "rules": [
    {"name": "everything", "does": ["any"], "then": "allow"},
    {"name": "what reaches far", "does": ["any"],
     "has": ["escaping-function"], "then": "allow"}]}


class Source(harness.Postgres):
    """A server of its own that may be replicated."""

    def _fill(self):
        with self.connect("postgres") as c:
            c.execute("CREATE ROLE sallyport LOGIN REPLICATION "
                      f"PASSWORD '{self.PASSWORD}'")
            c.execute("CREATE DATABASE shop")
            for name, value in (("wal_level", "logical"),
                                ("max_wal_senders", "8"),
                                ("max_replication_slots", "8")):
                c.execute(f"ALTER SYSTEM SET {name} = {value}")
        with self.connect("shop") as c:
            c.execute("CREATE TABLE goods (id int PRIMARY KEY, name text)")
            c.execute("GRANT ALL ON goods TO public")
            c.execute("GRANT pg_read_all_settings TO sallyport")
        with open(os.path.join(self.folder, "data", "pg_hba.conf"), "a",
                  encoding="ascii") as f:
            f.write("host replication all 127.0.0.1/32 scram-sha-256\n")
        self.end(signal.SIGINT)
        self.launch([os.path.join(self.binaries, "postgres"), "-D",
                     os.path.join(self.folder, "data"), "-p", str(self.port),
                     "-k", self.folder, "-c", "listen_addresses=127.0.0.1",
                     "-c", "fsync=off"], self.log)
        harness.until(self._answers, "PostgreSQL to answer")


class source:
    """`with source(world) as (pg, s)`: the server, and Sallyport before it."""

    def __init__(self, world, policy=None):
        self.world, self.policy = world, policy or ALLOWED

    def __enter__(self):
        self.shared = self.world.pg
        folder = os.path.join(self.world.folder, "source")
        os.mkdir(folder)
        self.world.pg = Source(folder)
        return self.world.pg, self.world.sallyport(policy=self.policy)

    def __exit__(self, *_):
        for s in self.world.started:
            s.end(signal.SIGINT)
        self.world.pg.end(signal.SIGQUIT)
        self.world.pg = self.shared


def tool(pg, s, name, *arguments, login="alice"):
    return [os.path.join(pg.binaries, name), "-h", "127.0.0.1", "-p",
            str(s.port), "-U", login, *arguments]


def run(pg, s, name, *arguments, login="alice"):
    done = subprocess.run(tool(pg, s, name, *arguments, login=login),
                          env=s.psql_environment(login), capture_output=True,
                          text=True, timeout=harness.PATIENCE * 3,
                          check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_base_backup_comes_through_whole(world):
    with source(world) as (pg, s):
        folder = os.path.join(world.folder, "backup")
        for more in (("-X", "none"), ("-X", "fetch", "-Ft")):
            run(pg, s, "pg_basebackup", "-D", folder, "-c", "fast", *more)
            found = os.listdir(folder)
            assert "backup_manifest" in found, found
            if "-Ft" not in more:
                verify = os.path.join(pg.binaries, "pg_verifybackup")
                subprocess.run([verify, "-n", folder], check=True,
                               stdout=subprocess.DEVNULL)
            shutil.rmtree(folder)
        s.sink.wait("connect", user="alice")
        record = s.sink.statement("base_backup")
        assert "replication" in record["operations"], record
        assert record["decision"] == "allow", record


def test_write_ahead_log_streams(world):
    with source(world) as (pg, s):
        folder = os.path.join(world.folder, "wal")
        os.mkdir(folder)
        run(pg, s, "pg_receivewal", "-D", folder, "--create-slot", "--slot",
            "tape")
        with subprocess.Popen(
                tool(pg, s, "pg_receivewal", "-D", folder, "--slot", "tape",
                     "--synchronous"),
                env=s.psql_environment("alice"), stderr=subprocess.PIPE,
                text=True) as receiver:
            try:
                harness.until(lambda: os.listdir(folder)
                              or receiver.poll() is not None, "a WAL file")
                assert receiver.poll() is None, receiver.stderr.read()
                with pg.connect() as c:
                    c.execute("INSERT INTO goods VALUES (1, 'lamp')")
                    c.execute("SELECT pg_switch_wal()")
                harness.until(
                    lambda: any(not name.endswith(".partial")
                                for name in os.listdir(folder)),
                    "a finished WAL file")
            finally:
                receiver.send_signal(signal.SIGINT)
            assert receiver.wait(harness.PATIENCE) == 0, \
                receiver.stderr.read()
        for part in ("start_replication", "create_replication_slot"):
            record = s.sink.statement(part)
            assert "replication" in record["operations"], record


def test_changes_stream_decoded(world):
    with source(world) as (pg, s):
        output = os.path.join(world.folder, "changes")
        run(pg, s, "pg_recvlogical", "-d", "shop", "--slot", "news", "-P",
            "test_decoding", "--create-slot")
        with pg.connect() as c:
            c.execute("INSERT INTO goods VALUES (7, 'compass')")

        def received():
            with open(output, encoding="utf-8") as f:
                return "compass" in f.read()

        with subprocess.Popen(
                tool(pg, s, "pg_recvlogical", "-d", "shop", "--slot", "news",
                     "--start", "-f", output, "-s", "1"),
                env=s.psql_environment("alice"), stderr=subprocess.PIPE,
                text=True) as receiver:
            try:
                harness.until(lambda: receiver.poll() is not None
                              or os.path.exists(output) and received(),
                              "the change")
                assert receiver.poll() is None, receiver.stderr.read()
            finally:
                receiver.send_signal(signal.SIGINT)
            receiver.wait(harness.PATIENCE)
        run(pg, s, "pg_recvlogical", "-d", "shop", "--slot", "news",
            "--drop-slot")
        assert pg.ask("SELECT count(*) FROM pg_replication_slots") == [(0,)]


def test_walsender_takes_its_commands_and_sql_on_record(world):
    with source(world) as (pg, s):
        with s.wire("alice", replication="database") as w:
            replies = w.query("IDENTIFY_SYSTEM")
            assert replies.kinds == "TDCZ", replies.errors
            assert replies.rows[0][3] == b"shop"
            assert w.query("SHOW wal_level").rows == [[b"logical"]]
            assert w.query("SELECT name FROM goods").kinds == "TCZ"
            replies = w.query("CREATE_REPLICATION_SLOT nine TEMPORARY "
                              "LOGICAL test_decoding (SNAPSHOT 'nothing')")
            assert replies.kinds == "TDCZ", replies.errors
            fails(w.query("identify_system"), "42601")
            fails(w.query("START_REPLICATION 0/1A2B3C4 FROM nowhere"),
                  "42601")
            fails(w.exchange(pgwire.parse("SELECT 1"), pgwire.SYNC), "08P01")
            fails(w.exchange(pgwire.message(b"F", b"\0\0\3\xbb" + b"\0" * 6)),
                  "08P01")
            assert w.query("SELECT 7").rows == [[b"7"]]
        for part in ("identify_system", "show wal_level",
                     "select name from goods", "select ?"):
            record = s.sink.statement(part)
            assert "replication" in record["operations"], record
        assert "replication" in s.sink.wait("connect")["settings"]
        with s.wire("alice", replication="1") as w:
            assert w.query("IDENTIFY_SYSTEM").rows[0][3] is None
            fails(w.query("SELECT 1"), "0A000")


def test_row_limits_count_rows_and_not_what_replication_sends(world):
    few = {"protect": [], "rules": [{**rule, "limits": {"rows": 20}}
                                    for rule in ALLOWED["rules"]]}
    with source(world, few) as (pg, s):
        folder = os.path.join(world.folder, "backup")
        run(pg, s, "pg_basebackup", "-D", folder, "-c", "fast", "-X", "none")
        with s.wire("alice", replication="database") as w:
            start = w.query("IDENTIFY_SYSTEM").rows[0][2].decode()
            rows = "COPY (SELECT generate_series(1, {})) TO STDOUT"
            assert w.query(rows.format(20)).tags == ["COPY 20"]
            fails(w.query(rows.format(21)), "54000")
            fails(w.query("SELECT generate_series(1, 21)"), "54000")
            with pg.connect() as c:
                c.execute("INSERT INTO goods SELECT i, repeat('x', 100) "
                          "FROM generate_series(1, 50000) i")
            w.send(pgwire.query(f"START_REPLICATION PHYSICAL {start}"))
            assert w.receive()[0] == b"W"
            large = 0  # in messages longer than a row that is held whole
            while large <= 20:
                kind, body = w.receive()
                assert kind == b"d", body
                large += len(body) > 64 * 1024


def change(pg, name):
    pg.ask(f"INSERT INTO goods SELECT count(*), '{name}' FROM goods")


def change_streams(pg, w, name):
    change(pg, name)
    streamed = b""
    while name.encode() not in streamed:
        kind, body = w.receive()
        assert kind == b"d", body
        streamed = body


def test_running_stream_ends_when_the_policy_no_longer_allows_it(world):
    goods = {"name": "names", "columns": ["public.goods.name"],
             "mask": "redact"}
    denial = {"name": "no copies", "does": ["replication"], "then": "deny"}
    with source(world) as (pg, s):
        allowed = s.policy
        for policy in ({"protect": [goods], "rules": allowed["rules"]},
                       {"protect": [], "rules": [*allowed["rules"], denial]}):
            s.policy = allowed
            s.reload()
            with s.wire("alice", replication="database") as w:
                at = w.query("IDENTIFY_SYSTEM").rows[0][2].decode()
                w.send(pgwire.query(f"START_REPLICATION PHYSICAL {at}"))
                assert w.receive()[0] == b"W"
                change_streams(pg, w, "lamp")
                s.reload()  # of the same
                change_streams(pg, w, "compass")
                s.policy = policy
                s.reload()
                change(pg, "unheard-of")
                rest = w.rest()
                assert fails(rest)["C"] == "42501", rest.errors
                assert b"unheard-of" not in b"".join(
                    body for _, body in rest.messages)
        s.sink.wait("disconnect", 2, reason="the policy changed")


# --- everybody else ----------------------------------------------------------

def refused(s, login="alice", **parameters):
    """The login fails; its error."""
    with s.bare_wire() as w:
        w.send(pgwire.startup(user=login, database=s.database, **parameters))
        try:
            w.answer_login(login, harness.PASSWORDS[login.rpartition("+")[2]])
        except pgwire.ServerError as e:
            return e.fields
    raise AssertionError(f"{login} was let in with {parameters}")


def test_replication_needs_a_rule(world):
    s = world.sallyport()
    s.policy["protect"] = []
    s.reload()
    for value in ("true", "database", "on", "1", "YES", "t"):
        for login in ("alice", "alice+copilot"):
            error = refused(s, login, replication=value)
            assert error["C"] == "42501" and "replication" in error["M"], \
                error
    s.sink.wait("login-failed", sqlstate="42501")
    assert refused(s, replication="perhaps")["C"] == "22023"
    for value in ("false", "off", "0", "no", "f"):
        with s.wire("alice", replication=value) as w:
            fails(w.query("IDENTIFY_SYSTEM"))


def test_replication_is_not_for_those_from_whom_values_are_protected(world):
    policy = dict(ALLOWED)
    policy["protect"] = [{"name": "names", "columns": ["public.goods.name"],
                          "mask": "redact", "clear_for": [{"agent": "none"}]}]
    with source(world, policy) as (_, s):
        with s.wire("alice", replication="database") as w:
            assert w.query("IDENTIFY_SYSTEM").kinds == "TDCZ"
            error = refused(s, "alice+copilot", replication="database")
            assert error["C"] == "42501" and "protected" in error["M"], error
            s.policy["protect"][0].pop("clear_for")
            s.reload()
            fails(w.query("IDENTIFY_SYSTEM"), "42501")
            fails(w.query("SELECT 1"), "42501")


def test_replication_commands_in_other_sessions_are_refused(world):
    s = world.sallyport(policy=ALLOWED)
    with s.wire("alice") as w:
        for sql in ("IDENTIFY_SYSTEM", "START_REPLICATION 0/1000000",
                    "BASE_BACKUP", "create_replication_slot a physical"):
            fails(w.query(sql))
        assert w.query("SELECT 7").rows == [[b"7"]]
