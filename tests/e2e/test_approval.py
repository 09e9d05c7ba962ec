"""A statement waits on the wire until a person decides."""

import os
import threading

import psycopg
import psycopg.errors

import harness
import pgwire
from expect import fails, raises

DELETE = "DELETE FROM payments"


def held(sallyport, count=1):
    """The pending requests, when there are this many."""
    def look():
        pending = sallyport.json("approvals")
        return len(pending) == count and (pending or [None])
    return harness.until(look, f"{count} request(s)", every=0.05)


def number(request):
    return str(request["request"])


class Asking(threading.Thread):
    """A client whose statement is held, in a thread of its own."""

    def __init__(self, sallyport, sql=DELETE, login="alice+copilot"):
        super().__init__(daemon=True)
        self.wire = sallyport.wire(login)
        self.sql, self.replies = sql, None
        self.start()

    def run(self):
        try:
            self.replies = self.wire.query(self.sql)
        except (pgwire.Closed, OSError) as e:
            self.replies = e

    def answer(self):
        self.join(harness.PATIENCE)
        assert self.replies is not None, "still waiting"
        return self.replies


def test_approved_statement_goes_on(world):
    s = world.writable()
    asking = Asking(s)
    request, = held(s)
    assert "expires in 10m\n" in s.operate("approvals")
    assert request["user"] == "alice" and request["agent"] == "copilot"
    assert DELETE in request["statement"]
    assert world.pg.ask("SELECT count(*) FROM payments", s.database) \
        != [(0,)]
    s.operate("approve", number(request))
    replies = asking.answer()
    assert replies.tags == ["DELETE 2400"], replies.errors
    assert any(number(request) in n["M"] for n in replies.notices), \
        "no notice with the request's number"
    assert world.pg.ask("SELECT count(*) FROM payments", s.database) \
        == [(0,)]
    assert not s.json("approvals")
    assert "carol" in str(s.sink.wait("approval"))
    record = s.sink.outcome("delete from payments")
    assert 2400 in (record["rows"], record["changed"]), record


def test_denied_request_refuses_the_statement_and_the_session_goes_on(world):
    s = world.writable()
    asking = Asking(s)
    request, = held(s)
    s.operate("deny", number(request))
    error = fails(asking.answer(), "42501")
    assert "carol" in error["M"] + error.get("D", "")
    assert asking.wire.query("SELECT count(*) FROM payments"
                             ).rows == [[b"2400"]]
    s.sink.wait("approval")


def test_notice_with_the_number_comes_while_the_statement_waits(world):
    s = world.writable()
    with s.wire() as w:
        w.send(pgwire.query(DELETE))
        notice = w.until(b"N").notices[0]
        request, = held(s)
        assert number(request) in notice["M"]
        s.operate("approve", number(request))
        assert w.until(b"Z").tags == ["DELETE 2400"]


def test_held_inside_a_transaction_and_its_locks_stay(world):
    s = world.writable()
    with s.wire() as w:
        w.query("BEGIN")
        w.query("UPDATE products SET stock = 2 WHERE id = 1")
        w.send(pgwire.query("DELETE FROM tickets"))
        request, = held(s)
        s.operate("approve", number(request))
        assert w.until(b"Z").status == "T"
        w.query("ROLLBACK")
    assert world.pg.ask("SELECT count(*) FROM tickets", s.database) \
        == [(100,)]


def test_extended_protocol_statement_is_held_and_approved(world):
    s = world.writable()
    with s.wire() as w:
        w.send(pgwire.parse("UPDATE products SET stock = $1"),
               pgwire.bind((3,)), pgwire.execute(), pgwire.SYNC)
        request, = held(s)
        s.operate("approve", number(request))
        replies = w.until(b"Z")
        assert replies.tags == ["UPDATE 60"], replies.errors


def test_approval_is_for_the_bound_values_only(world):
    s = world.writable()
    with s.wire() as w:
        for value in (3, 4):
            w.send(pgwire.parse("UPDATE products SET stock = $1"),
                   pgwire.bind((value,)), pgwire.execute(), pgwire.SYNC)
            request, = held(s)
            s.operate("approve" if value == 3 else "deny", number(request))
            replies = w.until(b"Z")
            assert bool(replies.errors) == (value == 4)
    assert world.pg.ask("SELECT DISTINCT stock FROM products",
                        s.database) == [(3,)]


def test_psycopg_client_waits_and_goes_on(world):
    s = world.writable()
    with s.connect() as c:
        notices = []
        c.add_notice_handler(lambda d: notices.append(d.message_primary))

        def approve():
            request, = held(s)
            s.operate("approve", number(request))
        approver = threading.Thread(target=approve)
        approver.start()
        assert c.execute("DELETE FROM tickets").rowcount == 100
        approver.join()
        assert notices


def test_nobody_approves_their_own(world):
    s = world.prepare(database=world.pg.copy_of_shop())
    s.identities["people"]["carol"].pop("uid")
    s.identities["people"]["alice"].update(
        {"uid": os.getuid(), "groups": ["analysts", "dba"]})
    s.write_all()
    s.start()
    asking = Asking(s)
    request, = held(s)
    refused = s.cli("approve", "-c", s.config, number(request))
    assert refused.returncode != 0
    assert "own" in refused.stderr + refused.stdout
    assert held(s), "the request is gone"
    asking.wire.socket.shutdown(2)


def test_only_those_the_rule_names_approve(world):
    s = world.prepare(database=world.pg.copy_of_shop())
    s.identities["people"]["carol"].pop("uid")
    s.identities["people"]["sam"]["uid"] = os.getuid()
    s.write_all()
    s.start()
    asking = Asking(s)
    request, = held(s)
    refused = s.cli("approve", "-c", s.config, number(request))
    assert refused.returncode != 0, refused.stdout
    assert held(s), "the request is gone"
    asking.wire.socket.shutdown(2)


def test_operating_system_user_who_is_nobody_approves_nothing(world):
    s = world.prepare(database=world.pg.copy_of_shop())
    s.identities["people"]["carol"].pop("uid")
    s.write_all()
    s.start()
    asking = Asking(s)
    harness.until(lambda: s.sink.find("approval") or any(
        x.get("request") for x in s.json("sessions")), "the request")
    refused = s.cli("approve", "-c", s.config, "1")
    assert refused.returncode != 0, refused.stdout
    assert asking.is_alive()
    asking.wire.socket.shutdown(2)


def test_two_people_must_approve_when_the_rule_says_so(world):
    s = world.prepare(database=world.pg.copy_of_shop())
    s.policy["rules"][-1]["approve"]["of"] = 2
    s.identities["people"]["dave"] = {"groups": ["dba"]}
    s.write_all()
    s.start()
    asking = Asking(s)
    request, = held(s)
    s.operate("approve", number(request))
    s.cli("approve", "-c", s.config, number(request))  # carol again
    assert held(s), "one person approved twice"
    del s.identities["people"]["carol"]["uid"]
    s.identities["people"]["dave"]["uid"] = os.getuid()
    s.reload()
    s.operate("approve", number(request))
    assert asking.answer().tags == ["DELETE 2400"]


def test_request_expires(world):
    s = world.prepare(database=world.pg.copy_of_shop())
    s.policy["rules"][-1]["approve"]["within"] = "1s"
    s.write_all()
    s.start()
    with s.wire() as w:
        error = fails(w.query(DELETE), "42501")
        assert "in time" in error["M"], error
        assert not s.json("approvals")
        assert w.query("SELECT 1").rows == [[b"1"]]
    assert "in time" in s.sink.wait("statement", decision="deny")["reason"]


def test_client_that_leaves_withdraws_its_request(world):
    s = world.writable()
    w = s.wire()
    w.send(pgwire.query(DELETE))
    held(s)
    w.socket.close()
    held(s, count=0)
    assert world.pg.ask("SELECT count(*) FROM payments", s.database) \
        == [(2400,)]
    s.sink.wait("disconnect")


def test_cancel_ends_the_waiting(world):
    s = world.writable()
    with s.connect() as c:
        timer = threading.Thread(target=lambda: (held(s), c.cancel()))
        timer.start()
        with raises(psycopg.errors.QueryCanceled,
                    psycopg.errors.InsufficientPrivilege):
            c.execute(DELETE)
        timer.join()
        assert c.execute("SELECT 1").fetchone() == (1,)
    assert not s.json("approvals")


def test_number_that_does_not_exist_is_an_error(world):
    s = world.sallyport()
    for words in (("approve", "999"), ("deny", "999"), ("approve", "x"),
                  ("approve", "-1"), ("deny",)):
        done = s.cli(words[0], "-c", s.config, *words[1:])
        assert done.returncode in (1, 2), (words, done)
        assert done.stderr, words


def test_decided_request_cannot_be_decided_again(world):
    s = world.writable()
    asking = Asking(s)
    request, = held(s)
    s.operate("deny", number(request))
    fails(asking.answer())
    assert s.cli("approve", "-c", s.config, number(request)).returncode != 0
    assert world.pg.ask("SELECT count(*) FROM payments", s.database) \
        == [(2400,)]
