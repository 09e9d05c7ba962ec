"""Ways around the gate that a second attacker found.

As in test_attack: no detectors, and an attempt may be refused, held, masked
or end its session.  What the second one looked for is code that runs without
the look of a call, rows that change without being counted, and catalogues
that are a moment old.
"""

import harness
from pgwire import SYNC, bind, execute, parse, query
from test_attack import attempt, found, guarded, stays_shut, without_detectors

WHO = ("SELECT current_setting('sallyport.user') || '!'")
BECOME_CAROL = "select set_config('sallyport.user', 'carol', false)"
VIEW = "CREATE OR REPLACE VIEW seen AS SELECT id, {} AS x FROM customers"


# --- columns reached without their names ------------------------------------

def test_alias_of_columns_may_be_an_unreserved_keyword(world):
    """FROM customers AS by(i, n, e): `by` is a name like any other."""
    tails = [f"customers {alias}(i, n, e) WHERE i = 1" for alias in (
        "by", "AS by", "as set", "within", "AS over", "filter", "AS exists",
        "AS values", "* set")]
    tails += ["ONLY (customers) within(i, n, e) WHERE i = 1",
              "public.customers AS over(i, n, e) WHERE i = 1"]
    stays_shut(guarded(world), {t: (f"SELECT upper(e) FROM {t}",)
                                for t in tails})


def test_write_cannot_launder_under_an_alias_that_is_a_keyword(world):
    s = world.writable(policy=without_detectors())
    world.pg.ask("UPDATE tickets SET body = 'nothing'", s.database)
    heard = attempt(s, "UPDATE tickets SET body = e FROM customers AS "
                    "by(i, n, e) WHERE tickets.id = 1 AND i = 1",
                    "SELECT body FROM tickets WHERE id = 1")
    assert not found(heard), found(heard)


def test_name_of_a_cte_hides_no_function_called_as_an_attribute(world):
    stays_shut(guarded(world), {name: (
        f"WITH {name} AS (SELECT 1) SELECT (c.{name})::text "
        f"FROM customers c, {name} WHERE c.id = 1",)
        for name in ("to_jsonb", "row_to_json", "to_json")})


# --- functions --------------------------------------------------------------

def test_function_that_escapes_does_so_under_its_long_name_too(world):
    s = guarded(world)
    for call in (
            f"{s.database}.pg_catalog.query_to_xml($${BECOME_CAROL}$$, "
            "true, true, '')",
            f'"{s.database}" . "pg_catalog" . "query_to_xml"('
            f"$${BECOME_CAROL}$$, true, true, '')"):
        heard = attempt(s, f"SELECT {call}::text", WHO)
        assert b"carol!" not in heard, call


def test_function_with_its_long_name_cannot_end_another_session(world):
    s = guarded(world)
    with s.wire("bob") as other:
        attempt(s, f"SELECT {s.database}.pg_catalog."
                f"pg_terminate_backend({other.pid})")
        assert other.query("SELECT 1").rows == [[b"1"]]


def test_function_of_an_extension_escapes_with_its_schema_too(world):
    s = world.writable(policy=without_detectors())
    world.pg.ask("CREATE EXTENSION tablefunc", s.database)
    heard = attempt(s, "SELECT * FROM public.crosstab('select 1, 2, "
                    "set_config(''sallyport.user'', ''carol'', false)') "
                    "AS t (a int, b text)", WHO)
    assert b"carol!" not in heard, heard


def test_function_in_fetch_first_is_a_call(world):
    s = world.writable(policy=without_detectors())
    attempt(s, "SELECT 1 FETCH FIRST lo_creat(-1) ROWS ONLY")
    count = world.pg.ask("SELECT count(*) FROM pg_largeobject_metadata",
                         s.database)
    assert count == [(0,)], "lo_creat() ran"


def test_write_cannot_launder_a_column_whose_name_needs_quotes(world):
    s = world.writable(policy=without_detectors())
    world.pg.ask('CREATE VIEW people AS SELECT id, email AS "E-mail", '
                 'phone AS "home phone" FROM customers; '
                 "GRANT SELECT ON people TO public; "
                 "UPDATE tickets SET body = 'nothing'", s.database)
    for name in ('"E-mail"', '"home phone"'):
        heard = attempt(s, f"UPDATE tickets SET body = {name} FROM people p "
                        "WHERE tickets.id = 1 AND p.id = 1",
                        "SELECT body FROM tickets WHERE id = 1")
        assert not found(heard), (name, found(heard))


def test_sequence_and_seed_keep_no_protected_value(world):
    s = world.writable(policy=without_detectors())
    world.pg.ask("CREATE SEQUENCE kept; GRANT ALL ON SEQUENCE kept TO public",
                 s.database)
    attempt(s, "SELECT count(nextval('kept')) FROM generate_series(1, "
            "(SELECT ascii(email) FROM customers WHERE id = 1))")
    last = world.pg.ask("SELECT last_value FROM kept", s.database)
    assert last != [(ord("b"),)], "a sequence counts a protected value"
    with s.wire() as w:
        w.query("SELECT setseed((SELECT ascii(email) / 1000.0 FROM customers "
                "WHERE id = 1))")
        told = w.query("SELECT random()").rows[0][0]
    with world.pg.connect(s.database) as c:
        c.execute("SELECT setseed(%s / 1000.0)", (ord("b"),))
        expected = c.execute("SELECT random()::text").fetchone()[0]
    assert told.decode() != expected, "the seed is a protected value"


# --- rows that change -------------------------------------------------------

UPDATE = "UPDATE products SET price = 1 WHERE id <= 60"


def limited(world, **reads):
    policy = without_detectors()
    if reads:
        policy["rules"][0]["limits"] = reads
    policy["rules"][1]["limits"] = {"changed_rows": 5}
    return world.writable(policy=policy)


def test_rows_count_as_changed_whatever_statement_changes_them(world):
    s = limited(world)
    returning = f"{UPDATE} RETURNING 1"
    kept = {}
    for name, steps in {
            "in a CTE": (f"WITH x AS ({returning}) SELECT 1",),
            "in a CTE of a write": (
                f"WITH x AS ({returning}) UPDATE products SET stock = stock "
                "WHERE id = 61",),
            "explain analyze": (f"EXPLAIN ANALYZE {UPDATE}",),
            "execute": (f"PREPARE p AS {UPDATE}", "EXECUTE p"),
            "a part of a portal": (
                parse(returning) + bind() + execute(rows=1) + SYNC,),
    }.items():
        attempt(s, *steps)
        kept[name] = world.pg.ask(
            "SELECT count(*) FROM products WHERE price = 1", s.database)[0][0]
        world.pg.ask("UPDATE products SET price = 2", s.database)
    assert max(kept.values()) <= 5, kept


def test_write_after_a_cut_result_is_kept_if_it_is_said_to_be(world):
    """The cut one is over; nothing of it undoes the next batch."""
    s = limited(world, rows=10)
    with s.wire() as w:
        w.query("SELECT id FROM products")
        replies = w.exchange(
            parse("UPDATE products SET price = 7 WHERE id = 1"), bind(),
            execute(), SYNC)
    kept = world.pg.ask("SELECT count(*) FROM products WHERE price = 7",
                        s.database)
    assert replies.tags == ["UPDATE 1"] and kept == [(1,)], \
        (replies.tags, replies.errors, kept)


# --- catalogues that are a moment old ---------------------------------------

def with_view(world):
    """bob may replace the view `seen`; it shows cities."""
    policy = without_detectors()
    policy["rules"][2]["does"].append("ddl")
    s = world.writable(policy=policy)
    world.pg.ask(VIEW.format("city") + "; ALTER VIEW seen OWNER TO sallyport; "
                 "GRANT CREATE ON SCHEMA public TO sallyport", s.database)
    return s


def test_schema_change_committed_amid_a_message_is_waited_for(world):
    s = with_view(world)
    look = "SELECT x FROM seen WHERE id = 1"
    with s.wire() as w, s.wire("bob") as other:
        assert w.query(look).rows == [[b"Aarhus"]]
        other.send(query(VIEW.format("email")
                         + "; COMMIT; SELECT pg_sleep(2)"))
        harness.until(lambda: "email" in world.pg.ask(
            "SELECT pg_get_viewdef('seen'::regclass)", s.database)[0][0])
        replies = w.query(look)
        other.until(b"Z")
    assert not found(repr(replies.messages).encode()), replies.messages


def test_held_cursor_keeps_the_masks_it_was_opened_with(world):
    s = with_view(world)
    with s.wire() as w, s.wire("bob") as other:
        assert not other.query(VIEW.format("email")).errors
        w.query("BEGIN")
        w.query("DECLARE c CURSOR WITH HOLD FOR SELECT x FROM seen "
                "WHERE id = 1")
        w.query("COMMIT")
        assert not other.query(VIEW.format("city")).errors
        replies = w.query("FETCH ALL FROM c")
    assert not found(repr(replies.messages).encode()), replies.messages


# --- approval and audit -----------------------------------------------------

def test_approver_sees_values_bound_before_approval_was_needed(world):
    s = world.writable(policy=without_detectors())
    with s.wire() as w:
        w.query("BEGIN")
        w.exchange(parse("UPDATE orders SET status = $1 WHERE id = 1", "u"),
                   bind(("pwned",), portal="p", statement="u"), SYNC)
        s.policy["rules"].append(
            {"name": "updates need a person", "does": ["update"],
             "then": "approve", "approve": {"by": [{"group": "dba"}]}})
        s.reload()
        w.send(execute("p"), SYNC)
        kind, _ = w.receive()
        if kind == b"E":  # refused: nobody is asked
            return
        waiting, = harness.until(lambda: s.json("approvals"), "a request")
        shown = s.operate("approvals")
        s.operate("deny", str(waiting["request"]))
        w.until(b"Z")
    assert "pwned" in shown, shown


def test_claims_of_one_statement_are_not_those_of_the_next(world):
    s = guarded(world)
    with s.wire() as w:
        w.query("SELECT 41 /* traceparent='aaaa' */")
        w.query("SELECT 42")
    s.sink.wait("statement", 2)
    claims = [r.get("claims") for r in s.sink.find("statement")]
    assert claims == [{"traceparent": "aaaa"}, None], claims
