"""What becomes of open sessions when identities.yaml takes away what their
people and agents may be."""

import socket
import threading

import harness
import pgwire
import test_logins
import tokens
from expect import denied, fails, ok
from test_approval import Asking, held, number
from test_replication import change, change_streams, source

GROUPS = {"protect": [
    {"name": "cities", "columns": ["public.customers.city"],
     "mask": "redact", "clear_for": [{"group": "support-leads"}]}],
    "rules": [
        {"name": "all read", "does": ["read", "transaction"],
         "then": "allow"},
        {"name": "all write", "does": ["write"], "then": "allow"},
        {"name": "analysts ask", "who": {"group": "analysts"},
         "does": ["delete"], "lacks": ["where"], "then": "approve",
         "approve": {"by": [{"group": "dba"}]}},
        {"name": "leads do not write", "who": {"group": "support-leads"},
         "does": ["write"], "then": "deny"}]}
CITY = "SELECT city FROM customers WHERE id = 1"
UPDATE = "UPDATE products SET stock = 4242"


def identities(**people):
    """With somebody else in each group that the policy names."""
    known = harness.default_identities()
    known["people"].update({"dora": {"groups": ["support-leads"]},
                            "erin": {"groups": ["analysts"]}, **people})
    return known


def reload(s):
    assert "refused" not in str(s.reload()), s.log_text()


def is_ended(s, replies, reason):
    """One FATAL error, an end, and a record of each."""
    error = fails(replies, "57P01")
    assert error["S"] == "FATAL" and reason in error["M"], error
    denial = s.sink.wait("statement", decision="deny")
    assert reason in denial["reason"], denial
    end = s.sink.wait("disconnect", session=denial["session"])
    assert end["reason"] == "its rights were taken away", end
    return denial


def test_session_of_a_person_who_is_gone_ends(world):
    s = world.writable(policy=GROUPS, identities=identities())
    for login in ("alice", "alice+copilot"):
        s.identities = identities()
        reload(s)
        before = len(s.sink.find("disconnect"))
        with s.wire(login) as w, s.wire("bob") as other:
            ok(w.query("SELECT 1"))
            del s.identities["people"]["alice"]
            reload(s)
            w.send(pgwire.query(UPDATE))
            record = is_ended(s, w.rest(), "person is known no more")
            assert record["user"] == "alice", record
            assert len(s.sink.find("disconnect")) == before + 1
            ok(other.query("SELECT 1"))
        s.sink.wait("disconnect", before + 2)  # none comes in the next turn
        s.sink.records.clear()
    assert world.pg.ask("SELECT count(*) FROM products WHERE stock = 4242",
                        s.database) == [(0,)]


def test_session_of_an_agent_that_is_gone_ends(world):
    s = world.sallyport(policy=GROUPS, identities=identities())
    for login in ("copilot", "alice+copilot"):
        s.identities = identities()
        reload(s)
        with s.wire(login) as w:
            ok(w.query("SELECT 1"))
            del s.identities["agents"]["copilot"]
            reload(s)
            w.send(pgwire.query("SELECT 1"))
            is_ended(s, w.rest(), "agent is known no more")
        s.sink.records.clear()


def test_agent_ends_for_whom_it_may_act_no_more(world):
    s = world.sallyport(policy=GROUPS, identities=identities())
    with s.wire("bob+copilot") as w, s.wire("alice+copilot") as other:
        s.identities["people"]["bob"]["groups"] = []
        reload(s)
        w.send(pgwire.query("SELECT 1"))
        is_ended(s, w.rest(), "the agent may not act for this person")
        ok(other.query("SELECT 1"))


def test_statement_prepared_before_does_not_run_for_who_is_gone(world):
    s = world.writable(policy=GROUPS, identities=identities())
    with s.wire("alice") as w:
        ok(w.exchange(pgwire.parse(UPDATE + " WHERE id = 1", "u"),
                      pgwire.SYNC))
        del s.identities["people"]["alice"]
        reload(s)
        w.send(pgwire.bind((), "", "u"), pgwire.execute(), pgwire.SYNC)
        is_ended(s, w.rest(), "person is known no more")
    assert world.pg.ask("SELECT count(*) FROM products WHERE stock = 4242",
                        s.database) == [(0,)]


def test_transaction_of_who_is_gone_is_undone(world):
    s = world.writable(policy=GROUPS, identities=identities())
    with s.wire("bob") as w:
        ok(w.query("BEGIN"))
        ok(w.query(UPDATE + " WHERE id = 1"))
        del s.identities["people"]["bob"]
        reload(s)
        w.send(pgwire.query("COMMIT"))
        is_ended(s, w.rest(), "person is known no more")
    harness.until(lambda: world.pg.ask(
        "SELECT count(*) FROM pg_locks l JOIN pg_database d "
        f"ON l.database = d.oid WHERE datname = '{s.database}' "
        "AND mode = 'RowExclusiveLock'") == [(0,)], "the rollback")
    assert world.pg.ask("SELECT count(*) FROM products WHERE stock = 4242",
                        s.database) == [(0,)]


def test_session_goes_on_with_the_groups_of_now(world):
    s = world.writable(policy=GROUPS, identities=identities())
    with s.wire("sam") as w:
        assert w.query(CITY).rows == [[b"Aarhus"]]
        denied(w.query(UPDATE + " WHERE id = 1"), "leads do not write")
        s.identities["people"]["sam"]["groups"] = []
        reload(s)
        assert w.query(CITY).rows == [[b"[redacted]"]]
        assert not s.sink.statement("select city").get("groups")
        ok(w.query(UPDATE + " WHERE id = 1"))
        s.identities["people"]["sam"]["groups"] = ["support-leads"]
        reload(s)
        assert w.query(CITY).rows == [[b"Aarhus"]]
        assert s.sink.statement("select city")["groups"] == ["support-leads"]
        denied(w.query(UPDATE + " WHERE id = 1"), "leads do not write")


def test_groups_of_the_token_stay(world):
    key = tokens.Key()
    known = identities(sam={"groups": ["support-leads"]})
    known["tokens"] = [{"issuer": tokens.NAME, "audience": "sallyport",
                        "keys": "jwks.json", "groups": "groups"}]
    s = world.prepare(policy=GROUPS, identities=known, tls={})
    s.write("jwks.json", tokens.key_set(key))
    s.start()
    with s.connect("sam", key.token("sam", groups=["support-leads", "dba"]),
                   sslmode="require") as kept, \
            s.connect("sam", key.token("sam", groups=["dba"]),
                      sslmode="require") as lost:
        for c in (kept, lost):
            assert c.execute(CITY).fetchone() == ("Aarhus",)
        s.identities["people"]["sam"]["groups"] = []
        reload(s)
        assert kept.execute(CITY).fetchone() == ("Aarhus",)
        assert s.sink.statement("select city")["groups"] == \
            ["support-leads", "dba"]
        assert lost.execute(CITY).fetchone() == ("[redacted]",)
        assert s.sink.statement("select city")["groups"] == ["dba"]


# --- held statements ------------------------------------------------------------


def test_held_statement_of_who_is_gone_does_not_run(world):
    s = world.writable(policy=GROUPS, identities=identities())
    with s.wire("alice") as w:
        w.send(pgwire.query("DELETE FROM payments"))
        request, = held(s)
        del s.identities["people"]["alice"]
        reload(s)
        s.operate("approve", number(request))
        is_ended(s, w.rest(), "person is known no more")
    assert world.pg.ask("SELECT count(*) FROM payments", s.database) \
        == [(2400,)]


def test_held_statement_is_judged_by_the_groups_of_now(world):
    s = world.writable(policy=GROUPS, identities=identities())
    asking = Asking(s, login="bob")
    request, = held(s)
    s.identities["people"]["bob"]["groups"] = ["analysts", "support-leads"]
    reload(s)
    s.operate("approve", number(request))
    denied(asking.answer(), "leads do not write")
    assert world.pg.ask("SELECT count(*) FROM payments", s.database) \
        == [(2400,)]


# --- a stream -------------------------------------------------------------------


def test_replication_of_who_is_gone_ends(world):
    with source(world) as (pg, s):
        with s.wire("alice", replication="database") as w:
            at = w.query("IDENTIFY_SYSTEM").rows[0][2].decode()
            w.send(pgwire.query(f"START_REPLICATION PHYSICAL {at}"))
            assert w.receive()[0] == b"W"
            change_streams(pg, w, "lamp")
            del s.identities["people"]["alice"]
            reload(s)
            change(pg, "unheard-of")
            rest = w.rest()
            assert fails(rest, "57P01")["S"] == "FATAL"
            assert b"unheard-of" not in b"".join(
                body for _, body in rest.messages)
            s.sink.wait("disconnect", reason="its rights were taken away")


# --- accounts at the database ------------------------------------------------------


def test_session_ends_whose_account_at_the_database_is_anothers_now(world):
    s = test_logins.prepared(world).start()
    with s.wire("bob") as w, s.wire("carol") as other:
        assert w.query("SELECT session_user").rows == \
            [[test_logins.ANALYSTS.encode()]]
        s.identities["people"]["bob"]["groups"] = ["dba"]
        s.identities["people"]["carol"]["groups"] = []
        reload(s)
        w.send(pgwire.query("SELECT 1"))
        is_ended(s, w.rest(), "another account")
        ok(other.query("SELECT 1"))
    assert test_logins.session_user(s, "bob") == "sallyport"


# --- a reload in the middle of a login ------------------------------------------------


class Old(threading.Thread):
    """A server that has let nobody in so far: what it answers is the second
    thing it is asked for, and it waits for leave to say so."""

    REFUSAL = pgwire.message(
        b"E", b"SERROR\0VERROR\0C42704\0Mno such setting\0\0")

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.asked, self.may_answer = threading.Event(), threading.Event()
        self.connections = 0
        self.start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                startup = client.recv(65536)
                if b"sallyport.user\0alice\0" not in startup:
                    continue  # the catalogue's
                self.connections += 1
                self.asked.set()
                self.may_answer.wait(harness.PATIENCE)
                client.sendall(self.REFUSAL)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def test_login_proved_before_a_reload_connects_no_more_after_it(world):
    old = Old()
    try:
        s = world.sallyport(upstream={
            "address": f"127.0.0.1:{old.port}",
            "login": {"user": "sallyport_trust"}, "tls": {"mode": "disable"}})
        with s.bare_wire() as w:
            told = []

            def log_in():
                try:
                    w.login("alice", harness.PASSWORDS["alice"])
                except pgwire.ServerError as refused:
                    told.append(refused.fields)

            client = threading.Thread(target=log_in, daemon=True)
            client.start()
            assert old.asked.wait(harness.PATIENCE)
            reload(s)
            old.may_answer.set()
            client.join(harness.PATIENCE)
        assert told and told[0]["C"] == "57P03", told
        assert "reloaded" in told[0]["M"], told
        record = s.sink.wait("login-failed")
        assert "reloaded" in record["reason"], record
        assert old.connections == 1
    finally:
        old.close()
