"""What the tests of TLS say more than once."""

import ssl
import subprocess

import harness
import pgwire
from expect import raises


def tls_psql(s, sql="SELECT 1", login="alice", **options):
    """psql with these connection parameters, finished."""
    options.setdefault("sslrootcert", s.authority.certificate)
    options.setdefault("host", "localhost")
    conninfo = " ".join(f"{k}={v}" for k, v in {
        "port": s.port, "user": login, "dbname": s.database,
        **options}.items())
    return subprocess.run(["psql", "-X", "-A", "-t", conninfo, "-c", sql],
                          env=s.psql_environment(login), check=False,
                          capture_output=True, text=True,
                          timeout=harness.PATIENCE)


def works(done):
    assert (done.returncode, done.stdout) == (0, "1\n"), \
        f"{done.returncode} {done.stdout!r} {done.stderr!r}"


def fails(done, *words):
    assert done.returncode == 2 and done.stdout == "", done
    for word in words:
        assert word in done.stderr, done.stderr


def handshake_fails(s, context, direct=False, name="localhost"):
    """The server's or the client's side says no; recorded as such."""
    before = len(s.sink.find("login-failed"))
    with s.bare_wire() as w:
        with raises((ssl.SSLError, ConnectionError, pgwire.Closed)):
            w.start_tls(context, direct, name)
            w.login("alice", "alice-secret")  # TLS 1.3 tells it late
    record = s.sink.wait("login-failed", before + 1)
    assert record["reason"].startswith("TLS handshake failed: "), record
    return record


def cancelled(pg, wire, how):
    """A statement that sleeps is cancelled by what `how` sends."""
    wire.send(pgwire.query("SELECT pg_sleep(60)"))
    pg.await_sleep(wire.pid)
    how()
    error, = wire.until(b"Z").errors
    assert error["C"] == "57014", error


def server_certificate(s):
    return s.settings["listen"][0]["tls"]["certificate"]
