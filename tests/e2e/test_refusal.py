"""A refused statement is an ordinary error; the session goes on."""

import json

import psycopg
import psycopg.errors

import pgwire
from expect import denied, fails, raises

RULE = "no schema changes by agents in production"


def test_denied_drop_is_an_ordinary_error_and_the_session_goes_on(world):
    s = world.sallyport()
    with s.wire() as w:
        replies = w.query("DROP TABLE customers")
        detail = denied(replies, RULE, "drop")
        assert set(detail) >= {"rule", "decision", "operations", "relations"}
        assert any("customers" in r for r in detail["relations"]), detail
        assert replies.errors[0]["H"] == \
            "Schema changes go through migrations."
        assert replies.kinds == "EZ" and replies.status == "I"
        assert w.query("SELECT 1").rows == [[b"1"]]
    assert world.pg.ask("SELECT count(*) FROM customers") == [(1005,)]


def test_psql_and_psycopg_show_the_reason(world):
    s = world.sallyport()
    shown = s.psql("DROP TABLE customers")
    assert shown.returncode == 1
    assert RULE in shown.stderr
    assert "Schema changes go through migrations." in shown.stderr
    with s.connect() as c:
        with raises(psycopg.errors.InsufficientPrivilege) as caught:
            c.execute("DROP TABLE customers")
        diag = caught.error.diag
        assert diag.message_hint == "Schema changes go through migrations."
        assert json.loads(diag.message_detail)["rule"] == RULE
        assert c.execute("SELECT 1").fetchone() == (1,)


def test_denial_inside_a_transaction_leaves_the_transaction_as_it_was(world):
    s = world.writable()
    with s.wire() as w:
        w.query("BEGIN")
        w.query("UPDATE products SET stock = 1 WHERE id = 1")
        replies = w.query("DROP TABLE products")
        denied(replies)
        assert replies.status == "T"
        assert w.query("SELECT stock FROM products WHERE id = 1"
                       ).rows == [[b"1"]]
        assert w.query("COMMIT").tags == ["COMMIT"]
    assert world.pg.ask("SELECT stock FROM products WHERE id = 1",
                        s.database) == [(1,)]


def test_denial_in_a_failed_transaction_keeps_it_failed(world):
    s = world.sallyport()
    with s.wire() as w:
        w.query("BEGIN")
        w.query("SELECT 1/0")
        replies = w.query("DROP TABLE products")
        denied(replies)
        assert replies.status == "E"
        assert w.query("ROLLBACK").status == "I"


def test_denied_parse_skips_everything_up_to_sync(world):
    s = world.writable()
    with s.wire() as w:
        replies = w.exchange(
            pgwire.parse("DROP TABLE products"), pgwire.bind(),
            pgwire.describe(b"P"), pgwire.execute(),
            pgwire.parse("UPDATE products SET stock = 3 WHERE id = 1"),
            pgwire.bind(), pgwire.execute(), pgwire.SYNC,
            pgwire.parse("SELECT 7"), pgwire.bind(), pgwire.execute(),
            pgwire.SYNC, syncs=2)
        denied(replies, RULE)
        assert replies.kinds == "EZ12DCZ", replies.kinds
    assert world.pg.ask("SELECT stock FROM products WHERE id = 1",
                        s.database) == [(13,)]


def test_statements_before_a_denied_one_in_a_pipeline_are_rolled_back(world):
    s = world.writable()
    with s.wire() as w:
        replies = w.exchange(
            pgwire.parse("UPDATE products SET stock = 3 WHERE id = 1"),
            pgwire.bind(), pgwire.execute(),
            pgwire.parse("DROP TABLE products"), pgwire.bind(),
            pgwire.execute(), pgwire.SYNC)
        denied(replies, RULE)
        assert replies.kinds == "12CEZ", replies.kinds
        assert replies.status == "I"
    # As the server does with an error before Sync: the implicit transaction
    # is undone.
    assert world.pg.ask("SELECT stock FROM products WHERE id = 1",
                        s.database) == [(13,)]


def test_denial_comes_after_the_replies_that_precede_it(world):
    s = world.sallyport()
    with s.wire() as w:
        replies = w.exchange(
            pgwire.query("SELECT 1"), pgwire.query("DROP TABLE customers"),
            pgwire.query("SELECT 2"), syncs=3)
        assert replies.kinds == "TDCZEZTDCZ", replies.kinds
        denied(replies)


def test_several_statements_in_one_message_are_judged_whole(world):
    s = world.writable()
    with s.wire() as w:
        replies = w.query("UPDATE products SET stock = 3 WHERE id = 1; "
                          "DROP TABLE products; SELECT 1")
        denied(replies, RULE)
        assert replies.kinds == "EZ"
        replies = w.query("SELECT 1; SELECT 2;")
        assert replies.tags == ["SELECT 1", "SELECT 1"]
    assert world.pg.ask("SELECT stock FROM products WHERE id = 1",
                        s.database) == [(13,)]


def test_disguises_do_not_help(world):
    s = world.sallyport()
    with s.wire() as w:
        for sql in ("drop table customers", "DROP/**/TABLE customers",
                    "/* SELECT */ DROP TABLE customers",
                    "-- SELECT\nDROP TABLE customers",
                    "DROP TABLE \"customers\"", "  ;;DROP TABLE customers;",
                    "DROP/*/**/*/TABLE customers",
                    "SELECT E'\\'; DROP TABLE customers; --' ; "
                    "DROP TABLE customers",
                    "EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1",
                    "SELECT 1 INTO stolen",
                    "CREATE TABLE stolen AS SELECT * FROM customers",
                    "DO $$BEGIN EXECUTE 'DROP TABLE customers'; END$$",
                    "PREPARE p AS DROP TABLE customers",
                    "CALL nothing()", "ALTER TABLE customers ADD x int",
                    "GRANT SELECT ON customers TO public",
                    "TRUNCATE customers", "VACUUM", "LOAD 'x'",
                    "SET ROLE owner", "RESET ROLE",
                    "SET SESSION AUTHORIZATION owner"):
            replies = w.query(sql)
            error = fails(replies)
            assert error["C"] in ("42501", "42601"), (sql, error)
            assert replies.status == "I"
    assert world.pg.ask("SELECT count(*) FROM customers") == [(1005,)]


def test_what_no_rule_claims_is_denied(world):
    s = world.sallyport()
    with s.wire() as w:
        detail = denied(w.query("FROBNICATE THE shop"))
        assert "unknown" in detail["operations"], detail


def test_deny_wins_over_allow_whatever_the_order(world):
    s = world.prepare()
    s.policy["rules"].reverse()
    s.write_all()
    s.start()
    with s.wire() as w:
        denied(w.query("DROP TABLE customers"), RULE)


def test_observe_decides_nothing_and_is_recorded(world):
    s = world.prepare()
    s.policy["rules"].append({"name": "dry run", "does": ["select"],
                              "then": "observe"})
    s.write_all()
    s.start()
    with s.wire() as w:
        assert w.query("SELECT 41 + 1").rows == [[b"42"]]
    record = s.sink.statement("select ?")
    assert record["decision"] == "allow"
    assert "dry run" in str(record)


def test_person_may_do_what_the_agent_may_not(world):
    s = world.prepare()
    s.policy["rules"].append({"name": "people may change the schema",
                              "who": {"agent": "none"}, "does": ["ddl"],
                              "then": "allow"})
    s.write_all()
    s.start()
    with s.wire("alice") as person, s.wire() as agent:
        assert person.query("CREATE TEMPORARY TABLE mine (x int)"
                            ).tags == ["CREATE TABLE"]
        denied(agent.query("CREATE TEMPORARY TABLE mine (x int)"))


def test_rule_on_a_relation_speaks_for_that_relation_only(world):
    s = world.prepare()
    s.policy["rules"] = [
        {"name": "session", "does": ["session", "transaction"],
         "then": "allow"},
        {"name": "products only", "does": ["read"],
         "to": ["public.products"], "then": "allow"}]
    s.policy["examples"] = []
    s.write_all()
    s.start()
    with s.wire() as w:
        assert w.query("SELECT count(*) FROM products").rows == [[b"60"]]
        denied(w.query("SELECT count(*) FROM orders"))
        denied(w.query("SELECT count(*) FROM products, orders"))
        denied(w.query("SELECT (SELECT count(*) FROM orders) FROM products"))


def test_server_files_and_fast_path_and_unknown_messages_are_refused_clearly(world):
    s = world.sallyport()
    function_call = pgwire.message(b"F", b"\0\0\x05\x4c\0\0\0\0\0\0")
    for sent in (pgwire.query("COPY customers TO '/tmp/stolen'"),
                 pgwire.query("COPY customers TO PROGRAM 'cat'")):
        with s.wire("alice") as w:
            replies = w.exchange(sent)
            fails(replies)
            assert "H" not in replies.kinds and "G" not in replies.kinds
            assert w.query("SELECT 1").rows == [[b"1"]]
    for sent in (function_call, pgwire.message(b"~", b"what")):
        with s.wire("alice") as w:
            w.send(sent)
            assert fails(w.until(b"E"))["C"] in ("0A000", "08P01", "42501")
    with s.wire() as w:
        assert w.query("SELECT 1").rows == [[b"1"]]
