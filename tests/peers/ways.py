"""The two ways to the same kind of database: directly, and through Sallyport
with a policy that allows everything."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import harness  # noqa: E402

USER = "postgres"
PASSWORD = "peer-secret"
SETTINGS = {
    "listen_addresses": "127.0.0.1", "fsync": "off",
    "max_connections": "100", "max_prepared_transactions": "10",
    "full_page_writes": "off", "synchronous_commit": "on",
    "wal_level": "logical", "password_encryption": "scram-sha-256",
}
POLICY = {"rules": [
    {"name": "everything", "does": ["any", "unknown"], "then": "allow"},
    {"name": "all functions", "does": ["any", "unknown"],
     "has": ["escaping-function"], "then": "allow"},
]}


class Remarkable(list):
    """Audit records without those of ordinary statements, of which there are
    too many to keep."""

    def append(self, record):
        if record.get("event") not in ("result", "connect", "disconnect") \
                and record.get("decision") != "allow":
            super().append(record)


class Forgotten(list):
    """Datagrams nobody asks for."""

    def append(self, _datagram):
        pass


class Cluster(harness.Server):
    """A PostgreSQL of its own for one run of one suite."""

    def __init__(self, folder, peer):
        self.folder = harness.give(folder)
        self.port = harness.free_port()
        self.binaries = peer.binaries
        data = os.path.join(folder, "data")
        subprocess.run(
            [f"{self.binaries}/initdb", "-D", data, "-U", USER, "-A",
             "trust", "-E", "UTF8", "--no-locale", "--no-sync"], check=True,
            stdout=subprocess.DEVNULL, cwd=folder, **harness.unprivileged())
        arguments = [f"{self.binaries}/postgres", "-D", data, "-p",
                     str(self.port), "-k", folder]
        for name, value in SETTINGS.items():
            arguments += ["-c", f"{name}={value}"]
        self.launch(arguments, os.path.join(folder, "postgres.log"))
        harness.until(self.answers, "PostgreSQL to answer", 60)

    def answers(self):
        done = subprocess.run(
            [f"{self.binaries}/pg_isready", "-q", "-h", "127.0.0.1", "-p",
             str(self.port)], check=False)
        return done.returncode == 0

    def psql(self, database, sql):
        subprocess.run(
            [f"{self.binaries}/psql", "-X", "-q", "-h", "127.0.0.1",
             "-p", str(self.port), "-U", USER, "-d", database, "-v",
             "ON_ERROR_STOP=1", "-c", sql],
            check=True, stdout=subprocess.DEVNULL)

    def create(self, database):
        """As pg_regress makes one."""
        self.psql("postgres", f'CREATE DATABASE "{database}" '
                  "TEMPLATE template0")
        for setting in ("lc_messages TO 'C'", "lc_monetary TO 'C'",
                        "lc_numeric TO 'C'", "lc_time TO 'C'",
                        "bytea_output TO 'hex'",
                        "timezone_abbreviations TO 'Default'"):
            self.psql("postgres", f'ALTER DATABASE "{database}" '
                      f"SET {setting}")


class Direct:
    name = "direct"

    def __init__(self, folder, peer, _build):
        self.folder, self.peer = folder, peer
        self.cluster = Cluster(folder, peer)
        self.port = self.cluster.port

    def environment(self):
        return {"PATH": f"{self.peer.binaries}:{os.environ['PATH']}",
                "LD_LIBRARY_PATH": self.peer.libpq,
                "HOME": self.folder, "LANG": "C.UTF-8", "PGHOST": "127.0.0.1",
                "PGPORT": str(self.port), "PGUSER": USER,
                "PGPASSWORD": PASSWORD, "PGSSLMODE": "disable"}

    def refusals(self):
        return []

    def close(self):
        """End it; what went wrong beyond what clients saw."""
        self.cluster.end(harness.signal.SIGINT, 30)
        return ""


class Through(Direct):
    name = "through"

    def __init__(self, folder, peer, build):
        super().__init__(folder, peer, build)
        above = os.path.join(folder, "sallyport")
        os.mkdir(above)
        self.world = harness.World(self.cluster, harness.install_programs(
            build, harness.give(above)), above)
        sallyport = self.world.prepare(
            policy=POLICY,
            identities={"people": {USER: {
                "password": harness.pgwire.scram_verifier(PASSWORD)}}},
            settings={"workers": {"spare": 4, "max": 90},
                      "statement_limit": "64MiB"},
            upstream={"application_name": "client",
                      "login": {"user": USER,
                                "password_file": "secrets/shop"}})
        sallyport.sink.records = Remarkable()
        sallyport.sink.raw = Forgotten()
        sallyport.start()
        self.port = sallyport.port
        self.sallyport = sallyport

    def refusals(self):
        """What Sallyport refused, or lost: (reason, statement)."""
        return [(r.get("reason") or r.get("event"), r.get("statement") or "")
                for r in list(self.sallyport.sink.records)
                if r.get("decision") == "deny" or r["event"] in (
                    "worker-died", "login-failed")]

    def close(self):
        said = self.world.close()
        return said + super().close()
