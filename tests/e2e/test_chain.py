"""Records that cannot be changed afterwards: the chain, and `verify`."""

import hashlib
import hmac
import json
import os
import shutil
import signal

import harness
from test_processes import worker_of

KEY = "0123456789abcdef" * 4 + "\n"
SESSIONS = 3


def chain(s):
    """From now on its records are sealed."""
    s.write("secrets/audit.key", KEY)
    s.settings["audit"]["key_file"] = "secrets/audit.key"
    s.write_all()
    return s


def chained(world, **changes):
    """A Sallyport whose records are sealed, not yet started."""
    return chain(world.prepare(**changes))


def lines_of(s):
    """The records as a log has them."""
    return [raw.partition(b"@cee: ")[2].decode() for raw in s.sink.raw]


def verify(s, lines, *arguments):
    """What `sallyport verify` finds in such a file, and its exit status."""
    path = s.write("day.json", "".join(line + "\n" for line in lines))
    return verify_files(s, path, *arguments)


def verify_files(s, *arguments):
    done = s.cli("verify", "--json", "-c", s.config, *arguments)
    assert done.returncode in (0, 1), done
    told = json.loads(done.stdout)
    assert told["as_written"] == (done.returncode == 0), told
    assert told["as_written"] == (not told["findings"]), told
    return told


def kinds(told):
    return sorted(f["kind"] for f in told["findings"])


def day(world):
    """A whole life: some sessions, a refused login, a reload, a worker that
    dies; and its records."""
    s = chained(world).start()
    for i in range(SESSIONS):
        with s.wire() as w:
            for k in range(4):
                w.query(f"SELECT {k}, name FROM customers WHERE id = {i}")
            w.query("DROP TABLE customers")
    with s.bare_wire() as w:
        try:
            w.login("alice", "wrong", "shop")
        except harness.pgwire.ServerError:
            pass
    s.sink.wait("login-failed")
    s.reload()
    with s.wire("alice") as w:
        w.query("SELECT 1")
    s.sink.wait("disconnect", SESSIONS + 1)
    kill_a_worker(s)
    assert s.end(signal.SIGTERM) == 0
    s.sink.wait("stop")
    return s, lines_of(s)


def kill_a_worker(s):
    with s.wire("bob") as w:
        w.query("SELECT 1")
        os.kill(worker_of(s, w), signal.SIGKILL)
        s.sink.wait("worker-died")


def mac_of(chain, number, record, node, session):
    """As the manual says, made without Sallyport."""
    def mac(key, text):
        return hmac.new(key, text, hashlib.sha256).digest()
    parts = ("sallyport audit chain", node, chain, session)
    key = mac(KEY.strip().encode(), b"".join(p.encode() + b"\0"
                                             for p in parts))
    for _ in range(number - 1):
        key = mac(key, b"next")
    return mac(key, record.encode())[:16].hex()


# --- what is written --------------------------------------------------------


def test_every_record_is_sealed_and_the_day_verifies(world):
    s, lines = day(world)
    records = [json.loads(line) for line in lines]
    assert {r["event"] for r in records} >= {
        "start", "stop", "policy", "connect", "disconnect", "statement",
        "result", "login-failed", "worker-died"}
    for r in records:
        assert list(r)[-1] == "mac" and len(r["mac"]) == 32, r
        assert r["chain"] and r["seq"] > 0, r
    told = verify(s, lines)
    assert told["findings"] == [], told
    assert told["records"] == len(lines)
    assert told["chains"] == told["whole"] == SESSIONS + 4
    assert [r["seq"] for r in records if r["chain"].endswith(".0")] == \
        list(range(1, 6))


def test_mac_is_what_the_manual_says(world):
    s, lines = day(world)
    for line in lines:
        record = json.loads(line)
        text, _, rest = line.rpartition(',"mac":"')
        assert rest == record["mac"] + '"}'
        session = "" if record["chain"].endswith(".0") \
            else record["session"]
        assert record["mac"] == mac_of(
            record["chain"], record["seq"], text + "}", record["node"],
            session), line


def test_records_that_the_sink_did_not_take_are_told_as_lost(world):
    s = chained(world).start()
    with s.wire() as w:
        w.query("SELECT 1")
        s.sink.close()
        for _ in range(3):
            assert w.query("SELECT 2").errors
        s.sink.open()
        harness.until(lambda: w.query("SELECT 3").rows, "service again")
    s.sink.wait("disconnect")
    s.end(signal.SIGTERM)
    s.sink.wait("stop")
    told = verify(s, lines_of(s))
    assert kinds(told) == ["lost"], told
    finding = told["findings"][0]
    assert finding["last"] - finding["first"] >= 2
    assert "not taken by the sink" in finding["text"]


def test_decisions_of_operators_have_a_chain_of_their_own(world):
    s = chained(world, policy={"rules": [
        {"name": "hold", "does": ["delete"], "then": "approve",
         "approve": {"by": [{"group": "dba"}]}},
        {"name": "rest", "does": ["read", "insert", "update", "delete"],
         "then": "allow"}]}, database=world.pg.copy_of_shop()).start()
    with s.wire() as w:
        w.send(harness.pgwire.query("DELETE FROM tickets WHERE id = 1"))
        number = harness.until(lambda: s.json("approvals"),
                               "a held request")[0]["request"]
        s.operate("approve", str(number))
        assert w.until(b"Z").tags == ["DELETE 1"]
        session = s.sink.find("connect")[0]["session"]
    s.sink.wait("disconnect")
    decision = s.sink.wait("approval")
    assert decision["session"] == session
    assert decision["chain"].endswith("c") and decision["seq"] == 1
    s.end(signal.SIGTERM)
    s.sink.wait("stop")
    assert verify(s, lines_of(s))["findings"] == []


def test_log_of_a_running_daemon_is_a_part(world):
    s = chained(world).start()
    with s.wire("alice") as w:
        w.query("SELECT 1")
    s.sink.wait("disconnect")
    path = s.write("day.json", "".join(x + "\n" for x in lines_of(s)))
    whole = s.cli("verify", "-c", s.config, path)
    assert whole.returncode == 1 and "Then --part" in whole.stdout, whole
    part = s.cli("verify", "--part", "-c", s.config, path)
    assert part.returncode == 0 and "--part" not in part.stdout, part
    changed = s.write("changed.json", "".join(
        x.replace("alice", "alicf") + "\n" for x in lines_of(s)))
    part = s.cli("verify", "--part", "-c", s.config, changed)
    assert part.returncode == 1 and "--part" not in part.stdout, part


def test_books_count_the_lives_of_the_daemon(world):
    s = chained(world).start()
    for _ in range(2):
        with s.wire("alice") as w:
            w.query("SELECT 1")
        s.end(signal.SIGTERM)
        before = len(s.sink.find("start"))
        s.start()
        s.sink.wait("start", before + 1)
    s.end(signal.SIGTERM)
    s.sink.wait("stop", 3)
    lines = lines_of(s)
    books = [int(r["chain"].split(".")[0]) for r in s.sink.find("start")]
    assert books == [books[0], books[0] + 1, books[0] + 2]
    assert verify(s, lines)["findings"] == []
    without = [line for line in lines if f'"chain":"{books[1]}.' not in line]
    told = verify(s, without)
    assert [(f["kind"], f["first"], f["last"]) for f in told["findings"]] \
        == [("no-book", books[1], books[1])], told


# --- what is found ----------------------------------------------------------


def victim(lines, event="statement", nth=2):
    """The number of a line in mid-session, and its record."""
    found = [i for i, line in enumerate(lines)
             if json.loads(line)["event"] == event]
    return found[nth], json.loads(lines[found[nth]])


def only(told, kind, record, line=None):
    """The one finding names this record."""
    assert kinds(told) == [kind], told
    finding = told["findings"][0]
    assert (finding["chain"], finding["first"], finding["last"]) == \
        (record["chain"], record["seq"], record["seq"]), told
    if line is not None:
        assert finding["line"] == line + 1, (finding, line)


def test_every_tampering_is_found_and_named(world):
    s, lines = day(world)
    at, record = victim(lines)

    changed = list(lines)
    changed[at] = changed[at].replace("customers", "customerz", 1)
    assert changed[at] != lines[at]
    only(verify(s, changed), "changed", record, at)

    only(verify(s, lines[:at] + lines[at + 1:]), "missing", record)

    other = next(i for i in range(at + 1, len(lines))
                 if json.loads(lines[i])["chain"] == record["chain"])
    swapped = list(lines)
    swapped[at], swapped[other] = swapped[other], swapped[at]
    told = verify(s, swapped)
    assert set(kinds(told)) == {"reordered"}, told
    assert record["seq"] in [f["first"] for f in told["findings"]]

    only(verify(s, lines[:at] + [lines[at]] + lines[at:]), "repeated", record,
         at + 1)

    added = dict(record, statement="select ?")
    only(verify(s, lines[:at] + [json.dumps(added)] + lines[at:]), "added",
         record, at)

    told = verify(s, lines[:at] + ['{"event":"statement","node":"x"}']
                  + lines[at:])
    assert kinds(told) == ["unsealed"]
    assert told["findings"][0]["line"] == at + 1


def test_session_that_is_gone_is_missed_by_its_number(world):
    s, lines = day(world)
    _, record = victim(lines)
    without = [line for line in lines
               if json.loads(line)["chain"] != record["chain"]]
    told = verify(s, without)
    assert kinds(told) == ["no-chain"], told
    book, number = record["chain"].split(".")
    assert told["findings"][0]["first"] == int(number)
    assert told["findings"][0]["chain"] == book
    # be it the last: master knows how many there were
    numbers = [int(json.loads(line)["chain"].split(".")[1])
               for line in lines]
    last = [line for line in lines
            if int(json.loads(line)["chain"].split(".")[1]) != max(numbers)]
    assert "no-chain" in kinds(verify(s, last))


def test_end_that_is_cut_off_is_found(world):
    s, lines = day(world)
    told = verify(s, lines[:-1])
    assert kinds(told) == ["no-end"], told  # the daemon's own
    assert told["findings"][0]["chain"].endswith(".0")
    at, record = victim(lines, "disconnect", 0)
    told = verify(s, lines[:at] + lines[at + 1:])
    assert kinds(told) == ["no-end"], told
    assert told["findings"][0]["chain"] == record["chain"]
    assert told["findings"][0]["first"] == record["seq"] - 1
    # one that a worker's death has ended has no other end
    died = next(json.loads(line) for line in lines
                if json.loads(line)["event"] == "worker-died")
    of_dead = [line for line in lines
               if json.loads(line).get("session") == died["session"]]
    assert len(of_dead) >= 3
    cut = [line for line in lines
           if not (json.loads(line).get("session") == died["session"]
                   and json.loads(line)["event"] in ("statement", "result"))]
    assert kinds(verify(s, cut)) == ["missing"], died


def test_part_of_a_log_may_begin_and_end_anywhere(world):
    s, lines = day(world)
    at, _ = victim(lines)
    for part in (lines[:at], lines[at:], lines[at - 3:at + 6]):
        assert verify(s, part, "--part")["findings"] == []
        assert set(kinds(verify(s, part))) <= {"no-start", "no-end",
                                               "no-chain"}
        assert verify(s, part)["findings"]
    first = s.write("one.json", "\n".join(lines[:at]) + "\n")
    second = s.write("two.json", "\n".join(lines[at:]) + "\n")
    assert verify_files(s, first, second)["findings"] == []
    told = verify_files(s, second, first)
    assert "reordered" in kinds(told), told
    # a hole in the part is one all the same
    hole = lines[at - 3:at] + lines[at + 1:at + 6]
    assert "missing" in kinds(verify(s, hole, "--part"))
    # and behind a `stop` nothing is under way
    cut = [line for line in lines
           if json.loads(line)["event"] != "disconnect"]
    assert set(kinds(verify(s, cut, "--part"))) == {"no-end"}


def test_worker_cannot_tell_what_only_master_knows(world):
    """Whoever has taken over a worker has the key of its next record."""
    s, lines = day(world)
    at, record = victim(lines, "disconnect", 0)
    for event, more in (("stop", {}), ("policy", {"decision": "loaded"}),
                        ("approval", {"decided_by": "carol"})):
        forged = {k: v for k, v in record.items() if k != "mac"}
        forged.update(event=event, **more)
        text = json.dumps(forged, separators=(",", ":"), ensure_ascii=False)
        mac = mac_of(record["chain"], record["seq"], text, record["node"],
                     record["session"])
        line = text[:-1] + f',"mac":"{mac}"}}'
        told = verify(s, lines[:at] + [line] + lines[at + 1:])
        assert "usurped" in kinds(told), (event, told)


def test_members_that_only_look_alike_are_another_record(world):
    s, lines = day(world)
    at, record = victim(lines)
    user = f'"user":"{record["user"]}"'
    assert user in lines[at]
    for wrong, kind in (
            # one name that swallows a member
            (lines[at].replace(f'{user},"agent":"copilot"',
                               '"user\\":\\"alice\\",\\"agent":"copilot"'),
             "damaged"),
            (lines[at].replace(user, user + ',"user":"bob"'), "damaged"),
            (lines[at].replace(user, '"user":"bob",' + user), "damaged"),
            (lines[at].replace(user, user.replace("alice", "alic\\u0065 ")),
             "changed"),
            (lines[at].replace('"seq":', '"seq":1e0,"x":'), "damaged"),
            (lines[at].replace(user + ",", ""), "changed")):
        assert wrong != lines[at]
        told = verify(s, lines[:at] + [wrong] + lines[at + 1:])
        assert kind in kinds(told), (wrong, told)
    # another spelling of the same record is none
    for same in (lines[at].replace(user, user.replace("alice",
                                                      "alic\\u0065")),
                 lines[at].replace('":', '" : '), " " + lines[at] + "\r"):
        told = verify(s, lines[:at] + [same] + lines[at + 1:])
        assert told["findings"] == [], (same, told)


def test_lines_of_syslog_verify_as_well(world):
    s, _ = day(world)
    lines = ["Nov 23 10:00:00 host kernel: something else"]
    lines += [raw.decode() for raw in s.sink.raw]
    told = verify(s, lines)
    assert told["findings"] == [] and told["other_lines"] == 1


def test_another_key_verifies_nothing(world):
    s, lines = day(world)
    s.write("other.key", "f" * 64)
    path = s.write("day.json", "\n".join(lines) + "\n")
    done = s.cli("verify", "-k", os.path.join(s.folder, "other.key"), path)
    assert done.returncode == 1
    assert "is it another key's file?" in done.stdout, done.stdout
    done = s.cli("verify", "-c", s.config, path)
    assert done.returncode == 0 and "as written" in done.stdout, done
    for arguments in (["-k", "/nonexistent", path], ["/nonexistent"], []):
        done = s.cli("verify", "-c", s.config, *arguments)
        assert done.returncode == 2 and done.stderr, done


# --- the key ----------------------------------------------------------------


def test_key_that_is_none_keeps_the_daemon_from_starting(world):
    for content, mode, reason in (("short\n", 0o600, "no audit key"),
                                  (KEY, 0o644, "read"),
                                  (None, 0, "No such file")):
        s = chained(world)
        path = os.path.join(s.folder, "secrets", "audit.key")
        if content is None:
            os.unlink(path)
        else:
            s.write("secrets/audit.key", content)
            os.chmod(path, mode)
        assert reason in s.check().stderr, s.check()
        assert s.check().returncode != 0
        try:
            s.start()
        except AssertionError as wrong:
            assert reason in str(wrong), wrong
        else:
            raise AssertionError("it started")


def test_nobody_is_served_when_the_audit_key_is_lost(world):
    """A broker without it gives out no chain; the old policy stays."""
    s = chained(world).start()
    path = os.path.join(s.folder, "secrets", "audit.key")
    os.rename(path, path + ".away")
    assert s.reload()["decision"] == "refused"
    os.rename(path + ".away", path)
    with s.wire("alice") as w:
        assert w.query("SELECT 1").rows


# --- through rsyslog --------------------------------------------------------


def test_records_verify_behind_a_real_rsyslog(world):
    """As README has it: mmjsonparse, and $!all-json as the line."""
    program = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
    s = chained(world)
    s.settings["audit"]["literals"] = "keep"
    s.write_all()
    s.sink.close()
    output = os.path.join(s.folder, "audit.json")
    config = s.write("rsyslog.conf", f"""
$MaxMessageSize 64k
module(load="imuxsock" SysSock.Use="off")
module(load="mmjsonparse")
input(type="imuxsock" Socket="{s.sink.path}" CreatePath="off"
	UseSpecialParser="off" ParseHostname="on")
template(name="record" type="string" string="%$!all-json%\\n")
local4.* {{
	action(type="mmjsonparse")
	action(type="omfile" file="{output}" template="record"
		fileCreateMode="0600")
	stop
}}
""")
    daemon = harness.Server()
    daemon.launch([program, "-n", "-f", config, "-i",
                   os.path.join(s.folder, "rsyslog.pid")],
                  os.path.join(s.folder, "rsyslog.log"))

    def has(event):
        with open(output, encoding="utf-8") as f:
            return f'"event": "{event}"' in f.read()
    try:
        harness.until(lambda: os.path.exists(s.sink.path),
                      "rsyslogd's socket")
        s.start()
        with s.wire() as w:
            for odd in ("a/b", "\\u00e9 é ß 😀", "\x01\x02\t\x7f", "'' \"",
                        "</script>", "\u2028", "x" * 9000):
                w.query(f"SELECT '{odd}' AS \"näme\" FROM customers")
            w.query("SELECT -9223372036854775808, 1e300, 0.5")
        assert s.end(signal.SIGTERM) == 0
        harness.until(lambda: has("stop"), "the records in the file",
                      every=0.1)
    finally:
        daemon.end(signal.SIGTERM)
        s.sink.open()
    told = verify_files(s, output)
    assert told["findings"] == [] and told["records"] >= 20, told
    with open(output, encoding="utf-8") as f:
        lines = f.read().rstrip("\n").split("\n")
    at, record = victim(lines)
    only(verify(s, lines[:at] + lines[at + 1:]), "missing", record)
