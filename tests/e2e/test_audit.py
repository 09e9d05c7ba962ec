"""Everything is on record, or it does not happen."""

import json
import os
import re
import shutil
import signal
import socket

import psycopg.errors

import harness
import pgwire
from expect import fails, raises

ALWAYS = {"time", "node", "session", "seq", "event", "user", "agent",
          "client", "upstream", "database"}
STATEMENT = ALWAYS | {"groups", "via", "statement", "fingerprint",
                      "operations", "relations", "traits", "decision", "rule",
                      "rows", "ms"}


def test_every_statement_is_recorded_with_its_fields(world):
    s = world.sallyport()
    with s.wire() as w:
        w.query("SELECT id, city FROM customers WHERE id < 4")
    record = s.sink.outcome("from customers")
    assert STATEMENT <= set(record), STATEMENT - set(record)
    assert record["user"] == "alice" and record["agent"] == "copilot"
    assert record["upstream"] == "shop"
    assert record["database"] == s.database
    assert record["operations"] == ["select"]
    assert record["relations"] == ["public.customers"] or \
        record["relations"] == ["customers"], record
    assert "where" in record["traits"]
    assert record["decision"] == "allow"
    assert record["rule"] == "agents may read"
    assert record["rows"] == 3 and record["masked"] == 0
    assert record["client"].startswith("127.0.0.1:")


def test_records_of_a_session_are_numbered_without_gaps(world):
    s = world.sallyport()
    with s.wire() as w:
        for i in range(10):
            w.query(f"SELECT {i}")
        w.query("DROP TABLE x")
    s.sink.wait("disconnect")
    session = s.sink.find("connect")[0]["session"]
    numbers = [r["seq"] for r in s.sink.find(session=session)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    events = [r["event"] for r in s.sink.find(session=session)]
    assert events[0] == "connect" and events[-1] == "disconnect"
    assert events.count("statement") >= 11


def test_records_are_rfc5424_with_the_cee_cookie(world):
    s = world.sallyport()
    with s.wire() as w:
        w.query("SELECT 1")
    s.sink.wait("disconnect")
    frame = re.compile(rb"<(\d+)>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?"
                       rb"(Z|[+-]\d\d:\d\d) \S+ \S+ \S+ \S+ (-|\[.*?\]) "
                       rb"@cee: ?\{.*\}$", re.S)
    for datagram in s.sink.raw:
        found = frame.match(datagram)
        assert found, datagram
        assert int(found.group(1)) >> 3 == 20  # local4
        assert b"\n" not in datagram


def test_denied_statement_is_recorded_with_its_rule(world):
    s = world.sallyport()
    with s.wire() as w:
        w.query("DROP TABLE customers")
    record = s.sink.statement("drop table customers")
    assert record["decision"] == "deny"
    assert record["rule"] == "no schema changes by agents in production"
    assert record["reason"]


def test_failed_statement_is_recorded_with_its_sqlstate(world):
    s = world.sallyport()
    with s.wire() as w:
        w.query("SELECT 1/0")
    assert s.sink.outcome("select ? / ?")["sqlstate"] == "22012"


def test_literals_are_redacted(world):
    s = world.sallyport()
    with s.wire() as w:
        w.query("SELECT 'canary4711' || $$canary4712$$ || E'canary\\4713'")
        w.query("SELECT 87654321 -- canary4714")
        w.query("/* canary4715 */ SELECT 1")
        w.extended("SELECT $1::text", ("canary4716",))
        w.query("DROP TABLE x; SELECT 'canary4717'")
        w.query("SELECT 'canary4718' FROM nowhere")
        w.query("SELECT 'canary4719'::int")
    s.sink.wait("disconnect")
    everything = b"\n".join(s.sink.raw)
    assert b"canary" not in everything
    assert b"87654321" not in everything
    assert "canary" not in s.log_text()


def test_literals_are_kept_when_the_settings_say_so(world):
    s = world.prepare()
    s.settings["audit"]["literals"] = "keep"
    s.write_all()
    s.start()
    with s.wire() as w:
        w.query("SELECT 'canary4711'")
    s.sink.wait("disconnect")
    assert b"canary4711" in b"\n".join(s.sink.raw)


def test_no_password_appears_anywhere(world):
    s = world.sallyport()
    with s.wire(), s.wire("alice"):
        pass
    with s.wire("alice") as w:
        w.query("ALTER ROLE alice PASSWORD 'hunter2canary'")
        w.query("SET x.y = 'hunter2canary'")
    s.sink.wait("disconnect", count=3)
    everything = b"\n".join(s.sink.raw) + s.log_text().encode()
    for secret in ("hunter2canary", *harness.PASSWORDS.values(),
                   world.pg.PASSWORD, *harness.VERIFIERS.values()):
        assert secret.encode() not in everything, secret


def test_start_policy_connect_disconnect_and_stop_are_recorded(world):
    s = world.sallyport()
    with s.wire() as w:
        w.query("SELECT 1")
    disconnect = s.sink.wait("disconnect")
    connect = s.sink.find("connect")[0]
    assert connect["session"] == disconnect["session"]
    assert s.end(signal.SIGTERM) == 0
    s.sink.wait("start")
    s.sink.wait("policy")
    s.sink.wait("stop")


def test_each_statement_of_the_extended_protocol_is_recorded(world):
    s = world.sallyport()
    with s.wire() as w:
        w.exchange(pgwire.parse("SELECT $1::int + 5", "p"), pgwire.SYNC)
        for i in range(3):
            w.exchange(pgwire.bind((i,), "", "p"), pgwire.execute(),
                       pgwire.SYNC)
    s.sink.wait("disconnect")
    assert len(s.sink.find("result", rows=1)) == 3, s.sink.records
    numbers = {r["seq"] for r in s.sink.find("statement")}
    assert {r["statement_seq"] for r in s.sink.find("result")} <= numbers


def test_pipelined_statements_are_recorded_each(world):
    s = world.sallyport()
    one = (pgwire.parse("SELECT 1"), pgwire.bind(), pgwire.execute(),
           pgwire.SYNC)
    with s.wire() as w:
        w.exchange(*one * 100, syncs=100)
    s.sink.wait("disconnect")
    assert len(s.sink.find("result", rows=1)) == 100


def test_very_long_statement_is_recorded_in_part(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        columns = ", ".join(f"id AS column_number_{i}" for i in range(1500))
        w.query(f"SELECT {columns} FROM products WHERE id = 1")
    record = s.sink.statement("column_number_1")
    assert record["decision"] == "allow"
    assert len(record["statement"]) <= 16384
    assert record["statement_bytes"] > 16384


def test_refused_when_the_sink_is_gone_and_resumed_when_it_is_back(world):
    s = world.sallyport()
    with s.wire() as w:
        assert w.query("SELECT 1").rows == [[b"1"]]
        s.sink.close()
        for replies in (w.query("SELECT 2"), w.extended("SELECT 2")):
            error = fails(replies)
            assert "audit" in (error["M"] + error.get("D", "")).lower()
            assert not replies.rows
        s.sink.open()
        assert harness.until(lambda: w.query("SELECT 3").rows,
                             "statements to be served again") == [[b"3"]]
        assert w.extended("SELECT 4").rows == [[b"4"]]


def test_nobody_new_gets_in_while_the_sink_is_gone(world):
    s = world.sallyport()
    with s.wire():
        s.sink.close()
        with raises(pgwire.ServerError, pgwire.Closed):
            s.wire()
        s.sink.open()
        with s.wire() as w:
            assert w.query("SELECT 1").rows == [[b"1"]]


def test_write_is_not_run_when_it_cannot_be_recorded(world):
    s = world.writable()
    with s.wire() as w:
        s.sink.close()
        fails(w.query("UPDATE products SET stock = 7 WHERE id = 1"))
        assert world.pg.ask("SELECT stock FROM products WHERE id = 1",
                            s.database) == [(13,)]
        s.sink.open()


def test_sink_that_takes_nothing_is_a_refusal_after_a_deadline(world):
    """A stopped syslog daemon: the socket is there, the queue is full."""
    s = world.sallyport()
    with s.wire() as w:
        s.sink.close()
        stuck = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        stuck.bind(s.sink.path)
        os.chmod(s.sink.path, 0o666)
        refused = None
        for _ in range(40):
            replies = w.query("SELECT 1")
            if replies.errors:
                refused = replies
                break
        assert refused, "served without a record"
        stuck.close()
        s.sink.open()
        harness.until(lambda: w.query("SELECT 3").rows, "service again")


def test_real_rsyslog_writes_the_records_as_json(world):
    program = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
    s = world.prepare()
    s.sink.close()
    output = os.path.join(s.folder, "audit.json")
    config = s.write("rsyslog.conf", f"""
module(load="imuxsock" SysSock.Use="off")
module(load="mmjsonparse")
input(type="imuxsock" Socket="{s.sink.path}" CreatePath="off"
	UseSpecialParser="off" ParseHostname="on")
template(name="json" type="list") {{
	property(name="$!all-json")
	constant(value="\\n")
}}
action(type="mmjsonparse")
if $parsesuccess == "OK" then
	action(type="omfile" file="{output}" template="json")
""")
    daemon = harness.Server()
    daemon.launch([program, "-n", "-f", config, "-i",
                   os.path.join(s.folder, "rsyslog.pid")],
                  os.path.join(s.folder, "rsyslog.log"))
    try:
        harness.until(lambda: os.path.exists(s.sink.path),
                      "rsyslogd's socket")
        s.start()
        with s.wire() as w:
            w.query("SELECT count(*) FROM customers")

        def records():
            if not os.path.exists(output):
                return None
            with open(output, encoding="utf-8") as f:
                lines = [json.loads(line) for line in f]
            return [r for r in lines if r.get("event") == "disconnect"] \
                and lines
        lines = harness.until(records, "the records in the file", every=0.1)
        assert any("from customers" in r.get("statement", "")
                   and r["user"] == "alice" for r in lines), lines
    finally:
        daemon.end(signal.SIGTERM)
        s.sink.open()


def test_psycopg_shows_the_reason_when_the_sink_is_gone(world):
    s = world.sallyport()
    with s.connect() as c:
        s.sink.close()
        with raises(psycopg.errors.Error) as caught:
            c.execute("SELECT 1")
        assert "audit" in str(caught.error).lower()
        s.sink.open()


def test_status_tells_that_the_sink_takes_no_records(world):
    s = world.sallyport()
    with s.wire() as w:
        assert w.query("SELECT 1").rows
        s.sink.close()
        fails(w.query("SELECT 1"))
        assert s.json("status")["audit_failing_since"] > 0
        assert "audit FAILING" in s.operate("status")
        assert "takes no records" in s.log_text()
        s.sink.open()
        harness.until(lambda: w.query("SELECT 1").rows, "a served statement",
                      every=0.1)
        assert s.json("status")["audit_failing_since"] == 0
    assert "takes records again" in s.log_text()


def test_every_statement_that_was_let_through_has_one_result(world):
    """Those behind an error of their batch, too, which never came to run."""
    s = world.writable()
    ways = [pgwire.parse(sql) + pgwire.bind() + pgwire.execute()
            for sql in ("SELECT 1", "SELECT 1/0", "SELECT 2", "SELECT 3",
                        "DELETE FROM tickets WHERE id = 1 RETURNING id")]
    s.policy["rules"][1]["limits"] = {"changed_rows": 1}
    s.write_all()
    s.reload()
    with s.wire() as w:
        w.exchange(*ways, pgwire.SYNC)
        w.query("BEGIN")
        w.query("SELECT 1/0")
        w.query("SELECT 4")
        w.exchange(ways[1], ways[4], pgwire.SYNC)
        w.query("ROLLBACK")
        w.exchange(ways[1], pgwire.query("UPDATE tickets SET body = '' "
                                         "WHERE id = 1"), pgwire.SYNC)
    s.sink.wait("disconnect")
    allowed = [r["seq"] for r in s.sink.find("statement")
               if r["decision"] == "allow"]
    results = [r["statement_seq"] for r in s.sink.find("result")]
    assert len(allowed) >= 8
    assert sorted(allowed) == sorted(results), (allowed, results)
