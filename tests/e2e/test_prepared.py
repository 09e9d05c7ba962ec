"""EXECUTE: what a name leads to is judged, or nobody runs it."""

from expect import denied, ok
from pgwire import SYNC, parse

CLEAN = "SELECT city FROM customers WHERE id = 5"
EMAIL = "SELECT upper(email) FROM customers WHERE id = 5"
UNKNOWN = "not known to be prepared here"
# code that gives the name b to another statement
SWAP = f"""
    CREATE FUNCTION swap() RETURNS int LANGUAGE plpgsql AS $$BEGIN
        EXECUTE 'DEALLOCATE b';
        EXECUTE 'PREPARE b AS {EMAIL}';
        RETURN 1;
    END$$"""
EVERYTHING = {"name": "everything", "does": ["any", "unknown"],
              "then": "allow"}
ALL_FUNCTIONS = {**EVERYTHING, "name": "all functions",
                 "has": ["escaping-function"]}
PROTECT = [{"name": "emails", "columns": ["public.customers.email"],
            "mask": "redact", "clear_for": [{"agent": "none"}]}]


def allowing(*rules):
    return {"protect": PROTECT, "rules": list(rules)}


def with_swap(world, *rules):
    s = world.writable(policy=allowing(*rules))
    with world.pg.connect(s.database) as c:
        c.execute(SWAP)
    return s


def says(replies, text):
    """A refusal with these words."""
    denied(replies)
    assert text in replies.errors[0]["M"], replies.errors[0]["M"]


def count(world, s, table):
    """Is there such a table?"""
    return world.pg.ask(f"SELECT count(*) FROM pg_class WHERE relname = "
                        f"'{table}'", s.database)[0][0]


def test_execute_runs_beside_plain_statements_where_nothing_is_protected(
        world):
    s = world.sallyport()
    with s.wire("alice") as w:
        ok(w.query(f"PREPARE p AS {CLEAN}"))
        replies = ok(w.query("BEGIN; EXECUTE p; SELECT 7; COMMIT"))
    assert [r[0] for r in replies.rows][1:] == [b"7"], replies.rows
    assert len(replies.rows) == 2, replies.rows


def test_execute_beside_others_is_refused_where_values_are_protected(world):
    s = world.sallyport()
    with s.wire() as w:
        ok(w.query(f"PREPARE p AS {CLEAN}"))
        says(w.query("SELECT 7; EXECUTE p"), UNKNOWN)


def test_execute_of_what_the_same_text_prepares_is_refused(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        says(w.query(f"PREPARE p AS {CLEAN}; EXECUTE p"), UNKNOWN)


def test_two_executes_in_one_text_are_refused(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        ok(w.query(f"PREPARE p AS {CLEAN}"))
        says(w.query("EXECUTE p; EXECUTE p"), UNKNOWN)


def test_denied_statement_is_not_executed_beside_others(world):
    """What was prepared is judged under the policy of now."""
    s = world.writable(policy=allowing(EVERYTHING, {
        "name": "no deletes", "does": ["delete"], "then": "deny"}))
    s.policy["rules"].pop()
    s.reload()
    with s.wire("alice") as w:
        ok(w.query("PREPARE d AS DELETE FROM payments"))
        s.policy["rules"].append({"name": "no deletes", "does": ["delete"],
                                  "then": "deny"})
        s.reload()
        denied(w.query("BEGIN; EXECUTE d; COMMIT"))
        denied(w.query("EXECUTE d"))
    assert world.pg.ask("SELECT count(*) FROM payments", s.database)[0][0]


def test_table_is_made_of_what_a_prepared_statement_gives(world):
    s = world.writable(policy=allowing(EVERYTHING))
    with s.wire("alice") as w:
        ok(w.query(f"PREPARE p AS {CLEAN}"))
        ok(w.query("CREATE TEMPORARY TABLE made AS EXECUTE p"))
        assert len(ok(w.query("TABLE made")).rows) == 1


def test_protected_values_are_not_copied_by_way_of_execute(world):
    s = world.writable(policy=allowing(EVERYTHING))
    with s.wire() as w:
        for way in (f"PREPARE p AS {EMAIL}", parse(EMAIL, "q")):
            ok(w.query(way) if isinstance(way, str)
               else w.exchange(way, SYNC))
        denied(w.query("CREATE TABLE made AS EXECUTE p"))
        denied(w.query("CREATE TABLE made AS EXECUTE q"))
        denied(w.query("EXPLAIN ANALYZE CREATE TABLE made AS EXECUTE p"))
    assert count(world, s, "made") == 0


def test_code_run_by_execute_makes_other_names_unsure(world):
    """A prepared statement calls a function, which gives another name to
    another statement."""
    s = with_swap(world, EVERYTHING, ALL_FUNCTIONS)
    with s.wire() as w:
        ok(w.query("PREPARE a AS SELECT swap()"))
        ok(w.query(f"PREPARE b AS {CLEAN}"))
        ok(w.query("EXECUTE a"))
        says(w.query("EXECUTE b"), UNKNOWN)


def test_unseen_statement_runs_only_if_rules_name_what_it_may_be(world):
    calls = {**ALL_FUNCTIONS, "does": ["select"]}
    for rules, runs in (([EVERYTHING, calls], False),
                        ([EVERYTHING, ALL_FUNCTIONS], True)):
        s = with_swap(world, *rules)
        with s.wire("alice") as w:
            ok(w.query(f"PREPARE b AS {CLEAN}"))
            ok(w.query("SELECT swap()"))
            replies = w.query("EXECUTE b")
            if runs:
                assert len(ok(replies).rows) == 1
            else:
                says(replies, UNKNOWN)


def test_unseen_statement_is_refused_where_values_are_protected(world):
    s = with_swap(world, EVERYTHING, ALL_FUNCTIONS)
    with s.wire() as w:
        ok(w.query(f"PREPARE b AS {CLEAN}"))
        ok(w.query("SELECT swap()"))
        says(w.query("EXECUTE b"), UNKNOWN)


def test_unseen_statement_is_refused_under_a_limit_on_changed_rows(world):
    """Nobody can count what it changes."""
    s = with_swap(world, {**EVERYTHING, "limits": {"changed_rows": 5}},
                  ALL_FUNCTIONS)
    with s.wire("alice") as w:
        ok(w.query(f"PREPARE b AS {CLEAN}"))
        ok(w.query("SELECT swap()"))
        says(w.query("EXECUTE b"), "changed rows")
