"""A new policy is felt by open sessions; a bad one is not."""

import os
import signal

import harness
import pgwire
from expect import denied


def test_open_session_obeys_the_new_policy_from_its_next_statement(world):
    s = world.sallyport()
    with s.wire() as w:
        assert w.query("SELECT id FROM orders LIMIT 1").rows
        s.policy["rules"].append({
            "name": "orders are closed", "does": ["read"],
            "to": ["public.orders"], "then": "deny"})
        record = s.reload()
        assert "refused" not in str(record), record
        denied(w.query("SELECT id FROM orders LIMIT 1"), "orders are closed")
        s.policy["rules"].pop()
        s.reload()
        assert w.query("SELECT id FROM orders LIMIT 1").rows


def test_statement_prepared_before_is_judged_by_the_new_policy(world):
    s = world.sallyport()
    with s.wire() as w:
        w.exchange(pgwire.parse("SELECT id FROM orders LIMIT 1", "o"),
                   pgwire.SYNC)
        run = (pgwire.bind((), "", "o"), pgwire.execute(), pgwire.SYNC)
        assert w.exchange(*run).rows
        s.policy["rules"].append({
            "name": "orders are closed", "does": ["read"],
            "to": ["public.orders"], "then": "deny"})
        s.reload()
        denied(w.exchange(*run), "orders are closed")


def test_new_protection_masks_a_statement_prepared_before(world):
    s = world.sallyport()
    with s.wire() as w:
        w.exchange(pgwire.parse("SELECT city FROM customers WHERE id = 1",
                                "c"), pgwire.SYNC)
        run = (pgwire.bind((), "", "c"), pgwire.execute(), pgwire.SYNC)
        assert w.exchange(*run).rows == [[b"Aarhus"]]
        s.policy["protect"].append({
            "name": "cities", "columns": ["public.customers.city"],
            "mask": "redact"})
        s.reload()
        assert w.exchange(*run).rows == [[b"[redacted]"]]


def test_refused_reload_keeps_the_old_policy_and_says_why(world):
    s = world.sallyport()
    with s.wire() as w:
        s.policy["rules"].append({"name": "typo", "does": ["slect"],
                                  "then": "deny"})
        record = s.reload()
        assert "refused" in str(record), record
        assert w.query("SELECT 1").rows == [[b"1"]]
        denied(w.query("DROP TABLE customers"))
    assert "slect" in s.log_text()
    assert "10-shop.yaml" in s.log_text()
    status = s.operate("status")
    assert "slect" in status and "select" in status, status
    with s.wire() as w:
        denied(w.query("DROP TABLE customers"))


def test_policy_whose_examples_fail_is_not_taken(world):
    s = world.sallyport()
    s.policy["examples"].append({"as": "alice+copilot", "on": "shop",
                                 "sql": "DROP TABLE orders",
                                 "expect": "allow"})
    assert "refused" in str(s.reload())
    status = s.operate("status")
    assert "expected allow" in status, status
    s.policy["examples"].pop()
    assert "refused" not in str(s.reload())
    assert "expected allow" not in s.operate("status")


def test_policy_file_that_is_not_yaml_or_gone_is_refused(world):
    s = world.sallyport()
    path = "policies.d/10-shop.yaml"
    for content in ("rules: [", "\0\1\2", "- just\n- a list\n", "rules: 7\n",
                    "rules:\n  - {name: x, then: allow, then: deny}\n"):
        before = len(s.sink.find("policy"))
        s.write(path, content)
        s.signal(signal.SIGHUP)
        record = s.sink.wait("policy", before + 1)
        assert "refused" in str(record), (content, record)
    before = len(s.sink.find("policy"))
    os.unlink(os.path.join(s.folder, "identities.yaml"))
    s.signal(signal.SIGHUP)
    assert "refused" in str(s.sink.wait("policy", before + 1))
    with s.wire() as w:
        assert w.query("SELECT 1").rows == [[b"1"]]
        denied(w.query("DROP TABLE customers"))


def test_reload_by_the_operator_says_how_it_went(world):
    s = world.sallyport()
    s.operate("reload")
    s.write("policies.d/10-shop.yaml", "rules: [{name: x, then: perhaps}]\n")
    done = s.cli("reload", "-c", s.config)
    assert done.returncode != 0
    assert "perhaps" in done.stdout + done.stderr


def test_new_person_can_log_in_after_a_reload(world):
    s = world.sallyport()
    s.identities["people"]["erin"] = {
        "groups": ["analysts"],
        "password": pgwire.scram_verifier("erin-secret")}
    s.reload()
    with s.connect("erin", "erin-secret") as c:
        assert c.execute("SELECT 1").fetchone() == (1,)


def test_person_who_is_gone_is_refused_after_a_reload(world):
    s = world.sallyport()
    with s.wire("bob"):
        pass
    del s.identities["people"]["bob"]
    s.reload()
    with s.bare_wire() as w:
        w.send(pgwire.startup(user="bob", database="shop"))
        try:
            w.answer_login("bob", harness.PASSWORDS["bob"])
        except pgwire.ServerError as e:
            assert e.fields["C"] == "28P01"
        else:
            raise AssertionError("bob is still let in")


def test_generation_grows_with_each_reload(world):
    s = world.sallyport()
    first = s.json("status")["generation"]
    s.reload()
    s.reload()
    assert s.json("status")["generation"] == first + 2


def test_restart_on_the_same_state_goes_on(world):
    s = world.sallyport()
    first = s.json("status")["generation"]
    assert s.end(signal.SIGTERM) == 0
    s.start()
    assert s.json("status")["generation"] > first
    with s.wire() as w:
        denied(w.query("DROP TABLE customers"))


def test_protection_of_a_column_that_is_not_there_is_warned_of(world):
    s = world.sallyport()
    wanted = ('protection "typing": public.customers.emial matches no column '
              f"in shop/{s.database}")
    with s.wire() as w:
        w.query("SELECT 1 FROM customers LIMIT 1")
        assert s.json("status")["warnings"] == []
        s.policy["protect"].append({
            "name": "typing", "columns": ["public.customers.emial"],
            "mask": "redact"})
        s.reload()
        harness.until(lambda: s.json("status")["warnings"] == [wanted],
                      "the warning")
        assert wanted in s.operate("status")
        assert s.log_text().count(wanted) == 1, s.log_text()
        s.policy["protect"].pop()
        s.reload()
        harness.until(lambda: s.json("status")["warnings"] == [],
                      "the warning to go")
