"""Ways around the gate that were tried and must stay shut.

The policy has no detectors here: a value that leaves is not saved by its
looks.  An attempt may be refused, held, masked or end its session; what it
must not do is say in the clear what it looks for, or do it unrecorded.
"""

import ssl

import harness
import pgwire
from pgwire import SYNC, bind, close, describe, execute, parse, query

# Customer 1 as the agent must not see her, in any case or as hex.
CANARIES = ("bruno", "berger1", "555 0037", "101-02-0008",
            "4000008293489519", "de68373737", "1961-11-04",
            "4272756e6f", "6272756e6f")
LOUD = "SELECT upper(email) FROM customers WHERE id = 1"
CAST = "SELECT email::integer FROM customers WHERE id = 1"
INNOCENT = "SELECT city FROM customers WHERE id = 1"
ALL_PAYMENTS = "DELETE FROM payments RETURNING 1"
# The server looks at the first 63 bytes of a name only.
LONG = "n" * 63
ENDED = (pgwire.Closed, ConnectionError, ssl.SSLError)
HELD = b"statement held for approval"


def without_detectors():
    policy = harness.default_policy()
    policy["protect"] = [p for p in policy["protect"] if "columns" in p]
    return policy


def guarded(world, **changes):
    return world.sallyport(policy=without_detectors(), **changes)


def attempt(sallyport, *steps, login="alice+copilot"):
    """Everything a client is told when it takes these steps. A text is a
    simple query; bytes are messages that end in a Sync. A step that is held
    or ends the session ends the attempt; one that is not answered fails."""
    heard = b""
    with sallyport.bare_wire() as w:
        w.login(login, harness.PASSWORDS[login.rpartition("+")[2]],
                sallyport.database)
        try:
            for step in steps:
                w.send(query(step) if isinstance(step, str) else step)
                while not heard.endswith(b"\0Z"):
                    kind, body = w.receive()
                    heard += kind + body + b"\0" + kind
                    if kind == b"N" and HELD in body:
                        return heard
                heard += b"|"
        except ENDED:
            pass
    assert heard, steps
    return heard


def found(heard):
    text = heard.decode("latin-1").lower()
    return [c for c in CANARIES if c in text]


def stays_shut(sallyport, attempts, login="alice+copilot"):
    """None of these tells a protected value."""
    told = {name: found(attempt(sallyport, *steps, login=login))
            for name, steps in attempts.items()}
    told = {name: values for name, values in told.items() if values}
    assert not told, told


def payments(sallyport, world):
    return world.pg.ask("SELECT count(*) FROM payments",
                        sallyport.database)[0][0]


def nothing_is_deleted(world, attempts):
    """Each deletes all payments without a person's approval."""
    s = world.writable(policy=without_detectors())
    before = payments(s, world)
    for name, steps in attempts.items():
        attempt(s, *steps)
        assert payments(s, world) == before, name


# --- SQL in the arguments of functions -------------------------------------

def test_functions_that_run_sql_text_tell_nothing(world):
    xml = "query_to_xml('select * from customers where id=1',true,true,'')"
    words = ("ts_stat('select to_tsvector(''simple'',email) from customers "
             "where id=1')")
    stays_shut(guarded(world), {sql: (sql,) for sql in (
        f"SELECT {xml}",
        f"SELECT * FROM {xml} x",
        "SELECT table_to_xml('customers', true, true, '')",
        f"SELECT {words}",
        f"SELECT word || '' FROM {words}",
        "SELECT ts_rewrite('a'::tsquery, 'select ''a''::tsquery, "
        "to_tsquery(''simple'', split_part(name, '' '', 1)) "
        "from customers where id=1')",
    )})


def test_function_that_runs_sql_text_cannot_set_who_one_is(world):
    heard = attempt(guarded(world), "SELECT query_to_xml($$select set_config("
                    "'sallyport.user','carol',false)$$,true,true,'')",
                    "SELECT current_setting('sallyport.user') || '!'")
    assert b"carol!" not in heard, heard


def test_settings_view_cannot_be_written_to_change_guarded_settings(world):
    update = "UPDATE pg_settings SET setting = '{}' WHERE name = '{}'"
    heard = attempt(guarded(world),
                    update.format("carol", "application_name"),
                    "SELECT current_setting('application_name') || '!'",
                    update.format("off", "standard_conforming_strings"),
                    "SELECT current_setting('standard_conforming_strings')"
                    " || '!'", login="alice")
    assert b"carol!" not in heard and b"off!" not in heard, heard


def test_lexing_follows_settings_changed_in_the_same_pipeline(world):
    """The server reports a setting only at Sync."""
    s = guarded(world)
    hidden = (r"SELECT '\'' , upper(email) FROM customers "
              "WHERE id = 1 --'")
    ask = parse(hidden, "h") + bind(statement="h") + execute() + SYNC
    heard = attempt(s, parse("SELECT query_to_xml($$select set_config("
                             "'standard_conforming_strings','off',false)$$,"
                             "true,true,'')") + bind() + execute() + ask)
    assert not found(heard), found(heard)
    heard = attempt(s, parse("UPDATE pg_settings SET setting = 'off' WHERE "
                             "name = 'standard_conforming_strings'")
                    + bind() + execute() + ask, login="alice")
    assert not found(heard), "what ran is not what was judged"


# --- names -----------------------------------------------------------------

def test_cursors_and_prepared_statements_mask_derived_outputs(world):
    stays_shut(guarded(world), {
        "declare, fetch":
            ("BEGIN", f"DECLARE c CURSOR FOR {LOUD}", "FETCH ALL FROM c"),
        "hold":
            ("BEGIN", f"DECLARE c CURSOR WITH HOLD FOR {LOUD}", "COMMIT",
             "FETCH ALL FROM c"),
        "binary cursor":
            ("BEGIN", f"DECLARE c BINARY CURSOR FOR {LOUD}", "FETCH c"),
        "a cursor in place of another":
            ("BEGIN", f"DECLARE c CURSOR FOR {INNOCENT}",
             f"CLOSE c; DECLARE c CURSOR FOR {LOUD}", "FETCH ALL FROM c"),
        "prepare, execute": (f"PREPARE p AS {LOUD}", "EXECUTE p"),
        "prepare, execute as a portal":
            (f"PREPARE p AS {LOUD}", parse("EXECUTE p") + bind()
             + describe(b"P") + execute() + SYNC),
        "prepare, bind":
            (f"PREPARE p AS {LOUD}", bind(statement="p") + execute() + SYNC),
        "explain execute": (f"PREPARE p AS {LOUD}", "EXPLAIN EXECUTE p"),
    })


def test_sql_reaches_protocol_names_only_with_their_masks(world):
    """EXECUTE and FETCH know the names of Parse and Bind, too."""
    portal = bind(statement="s", portal="c") + SYNC
    stays_shut(guarded(world), {
        "execute": (parse(LOUD, "s") + SYNC, "EXECUTE s"),
        "execute with an error": (parse(CAST, "s") + SYNC, "EXECUTE s"),
        "fetch": ("BEGIN", parse(LOUD, "s") + portal, "FETCH ALL FROM c"),
        "fetch with an error":
            ("BEGIN", parse(CAST, "s") + portal, "FETCH ALL FROM c"),
        "fetch the rest":
            ("BEGIN", parse("SELECT upper(email) FROM customers "
                            "WHERE id < 3 ORDER BY id DESC", "s")
             + bind(statement="s", portal="c") + execute("c", 1) + SYNC,
             "FETCH ALL FROM c"),
        "cursor_to_xml":
            ("BEGIN", parse(LOUD, "s") + portal,
             "SELECT cursor_to_xml('c', 9, true, true, '')"),
    })


def test_long_names_are_the_servers_names(world):
    """Names that agree in their first 63 bytes are one name."""
    one, same = LONG + "x", LONG + "y"
    stays_shut(guarded(world), {
        "statement closed under its other name":
            (parse(INNOCENT, one) + SYNC, close(b"S", same) + SYNC,
             parse(LOUD, same) + SYNC,
             bind(statement=one) + execute() + SYNC),
        "and its errors":
            (parse(INNOCENT, one) + SYNC, close(b"S", same) + SYNC,
             parse(CAST, same) + SYNC,
             bind(statement=one) + execute() + SYNC),
        "portal closed under its other name":
            ("BEGIN", parse(INNOCENT, "a") + parse(LOUD, "b")
             + bind(statement="a", portal=one) + SYNC,
             close(b"P", same) + SYNC,
             bind(statement="b", portal=same) + SYNC,
             describe(b"P", one) + execute(one) + SYNC),
        "statement replaced by SQL":
            (parse(INNOCENT, one) + SYNC, f"DEALLOCATE {LONG}",
             f"PREPARE {LONG} AS {LOUD}",
             bind(statement=one) + execute() + SYNC),
    })


def test_names_made_before_an_error_in_the_same_text_are_known(world):
    """PREPARE and DEALLOCATE are not undone by an error after them."""
    text = f"DEALLOCATE a; PREPARE a AS {LOUD}; SELECT 1/0"
    stays_shut(guarded(world), {
        "bind": (parse(INNOCENT, "a") + SYNC, text,
                 bind(statement="a") + execute() + SYNC),
        "execute": (parse(INNOCENT, "a") + SYNC, text, "EXECUTE a"),
    })


# --- approval and audit ----------------------------------------------------

def test_statement_that_needs_a_person_runs_under_no_other_name(world):
    ready = parse(ALL_PAYMENTS, "d") + bind(statement="d", portal="c") + SYNC
    one, same = LONG + "x", LONG + "y"
    nothing_is_deleted(world, {
        "fetch": ("BEGIN", ready, "FETCH 1 FROM c", "COMMIT"),
        "move": ("BEGIN", ready, "MOVE ALL FROM c", "COMMIT"),
        "explain analyze in a portal":
            ("BEGIN", parse(f"EXPLAIN ANALYZE {ALL_PAYMENTS}", "d")
             + bind(statement="d", portal="c") + SYNC, "FETCH ALL FROM c",
             "COMMIT"),
        "cursor_to_xml":
            ("BEGIN", ready, "SELECT cursor_to_xml('c',9,true,true,'')",
             "COMMIT"),
        "execute": (parse(ALL_PAYMENTS, "d") + SYNC, "EXECUTE d"),
        "explain analyze execute":
            (parse(ALL_PAYMENTS, "d") + SYNC, "EXPLAIN ANALYZE EXECUTE d"),
        "the other name of a long one":
            (parse("SELECT 1", one) + SYNC, close(b"S", same) + SYNC,
             parse(ALL_PAYMENTS, same) + SYNC,
             bind(statement=one) + execute() + SYNC),
    })


def test_portal_run_by_fetch_is_recorded_as_what_it_is(world):
    s = world.writable(policy=without_detectors())
    attempt(s, "BEGIN", parse("DELETE FROM payments WHERE id = 2 RETURNING id",
                              "d") + bind(statement="d", portal="c") + SYNC,
            "FETCH ALL FROM c", "COMMIT")
    left = world.pg.ask("SELECT count(*) FROM payments WHERE id = 2",
                        s.database)[0][0]
    told = [r for r in s.sink.find("statement") if "delete from payments"
            in (r.get("statement") or "")]
    assert left == 1 or told, "a DELETE ran and no record says so"


def test_approver_sees_the_bound_values(world):
    s = world.writable()
    with s.wire() as w:
        w.send(parse("UPDATE orders SET status = $1", "u"),
               bind(("pwned",), statement="u"), execute(), SYNC)
        waiting, = harness.until(lambda: s.json("approvals"), "a request")
        shown = s.operate("approvals")
        s.operate("deny", str(waiting["request"]))
        w.until(b"Z")
    assert "pwned" in shown, shown


def test_end_of_a_long_statement_is_not_hidden_from_the_approver(world):
    s = world.writable()
    with s.wire() as w:
        w.send(query("UPDATE orders SET quantity = 1 /*" + " " * 9000
                     + "*/, status = 'pwned'"))
        waiting, = harness.until(lambda: s.json("approvals"), "a request")
        shown = s.operate("approvals")
        s.operate("deny", str(waiting["request"]))
        w.until(b"Z")
    assert "pwned" in shown or "ATTENTION" in shown, shown[-300:]


def test_approver_is_shown_no_terminal_escapes(world):
    s = world.writable()
    with s.wire() as w:
        w.send(query("DELETE FROM orders /* \x1b[2J\r\x9b1m\n9  fake */"))
        waiting, = harness.until(lambda: s.json("approvals"), "a request")
        shown = s.operate("approvals")
        s.operate("deny", str(waiting["request"]))
        w.until(b"Z")
    assert not set("\x1b\r\x9b") & set(shown), repr(shown)
    assert "\n9 " not in shown, repr(shown)


# --- writes that would launder ---------------------------------------------

def test_writes_cannot_launder_protected_values(world):
    s = world.writable(policy=without_detectors())
    source = "FROM customers c WHERE c.id = 1 AND tickets.id = 1"
    renamed = "FROM customers c(i, n, e) WHERE c.i = 1 AND tickets.id = 1"
    update = "UPDATE tickets SET body = "
    read = "SELECT body FROM tickets WHERE id IN (1, 900)"
    new = ("INSERT INTO customers AS k (id, name, email, city, country, "
           "credit_limit, loyalty, created_at) VALUES (1, 'x', 'y', 'c', "
           "'DK', 1, 1, now()) ON CONFLICT (id) DO UPDATE SET city = ")
    city = "SELECT city FROM customers WHERE id = 1"
    attempts = {
        "by its name": (f"{update} c.email {source}", read),
        "an alias of columns": (f"{update} c.e {renamed}", read),
        "a star's values": (f"{update} concat(c.*) {source}", read),
        "a row": (f"{update} ROW(c.*)::text {source}", read),
        "a function as an attribute":
            (f"{update} c.to_jsonb::text {source}", read),
        "after the RETURNING of a CTE":
            ("WITH x AS (UPDATE orders SET quantity = quantity WHERE id = 1 "
             f"RETURNING id) {update} c.email {source}", read),
        "SQL as an argument":
            ("INSERT INTO tickets VALUES (900, 1, query_to_xml('select email "
             "from customers where id=1',true,true,'')::text)", read),
        "its own table":
            ("UPDATE customers SET city = concat(customers.*) WHERE id = 1",
             city),
        "ON CONFLICT":
            (f"{new} concat(k.*) WHERE k.id = 1", city),
        "a large object":
            ("SELECT lo_from_bytea(777, (SELECT email::bytea FROM customers "
             "WHERE id = 1))", "SELECT convert_from(lo_get(777), 'UTF8')"),
        "an advisory lock":
            ("SELECT pg_advisory_lock(card_number::bigint) FROM customers "
             "WHERE id = 1", "SELECT classid::bigint * 4294967296 + "
             "objid::bigint FROM pg_locks WHERE locktype = 'advisory'"),
    }
    told = {}
    for name, steps in attempts.items():
        with world.pg.connect(s.database) as c:
            c.execute("UPDATE tickets SET body = 'nothing' WHERE id = 1")
            c.execute("DELETE FROM tickets WHERE id = 900")
            c.execute("UPDATE customers SET city = 'Aarhus' WHERE id = 1")
        told[name] = found(attempt(s, *steps))
    assert not any(told.values()), [n for n, values in told.items() if values]


def test_notifications_carry_no_protected_values(world):
    stays_shut(guarded(world), {
        "pg_notify": ("LISTEN ch", "SELECT pg_notify('ch', email) FROM "
                      "customers WHERE id = 1", "SELECT 1"),
        "SQL as an argument":
            ("LISTEN ch", "SELECT pg_notify('ch', query_to_xml('select email "
             "from customers where id=1',true,true,'')::text)", "SELECT 1"),
    })


# --- what held when it was tried -------------------------------------------

def test_rows_and_columns_in_disguise_are_masked(world):
    one = "FROM customers c WHERE id = 1"
    renamed = "customers{}c(i, n, e) WHERE i = 1"
    stays_shut(guarded(world), {sql: (sql,) for sql in (
        f"SELECT c {one}", f"SELECT c::text {one}",
        f"SELECT c.to_jsonb {one}", f"SELECT concat_ws('-', c.*) {one}",
        f"SELECT (jsonb_each_text(to_jsonb(c))).value {one}",
        f"SELECT (SELECT q.to_jsonb FROM (SELECT c) q) {one}",
        f"SELECT mode() WITHIN GROUP (ORDER BY c) {one}",
        "SELECT upper(e) FROM " + renamed.format(" "),
        "SELECT upper(e) FROM " + renamed.format(" AS "),
        "SELECT upper(e) FROM " + renamed.format(" * "),
        "SELECT upper(e) FROM ONLY (customers) c(i, n, e) WHERE i = 1",
        "SELECT upper(e) FROM customers/**/AS/**/c/**/(i, n, e) WHERE i = 1",
        "WITH t(i, n, e) AS (TABLE customers) SELECT upper(e) FROM t "
        "WHERE i = 1",
        r"""SELECT upper(U&"\0065mail") FROM customers WHERE id = 1""",
        """SELECT upper(U&"!0065mail" UESCAPE '!') """
        r"""FROM U&"c\0075stomers" WHERE id = 1""",
        "SELECT E'a'\n'b\\',' || upper(email) FROM customers "
        "WHERE id = 1 --'",
        "SELECT $a$ $$ $a$, upper(email) FROM customers WHERE id = 1 --$$",
        "SELECT 1 /* /* */ -- */ , upper(email) FROM customers WHERE id = 1",
        "SELECT email FROM customers FULL JOIN (SELECT email FROM customers "
        "WHERE id = 1) d USING (email) WHERE id = 1",
        "UPDATE customers c SET loyalty = c.loyalty WHERE id = 1 RETURNING c",
        "SELECT s::text FROM pg_stats s WHERE tablename = 'customers'",
        "SELECT most_common_vals::text, histogram_bounds::text "
        "FROM pg_stats WHERE tablename = 'customers'",
        CAST, "SELECT 1 FROM contacts WHERE id = 1 AND mail::date = 'today'",
    )})


def test_failed_pipelines_leave_the_old_meaning_of_a_name(world):
    failing = parse("SELECT 1/0", "z") + bind(statement="z") + execute()
    stays_shut(guarded(world), {
        "close and parse after an error":
            (parse(LOUD, "e") + SYNC, failing + close(b"S", "e")
             + parse(INNOCENT, "e") + SYNC,
             bind(statement="e") + execute() + SYNC),
        "unnamed, after a failed parse":
            (parse(LOUD) + SYNC, parse("SELECT x FROM nowhere") + SYNC,
             bind() + execute() + SYNC),
        "unnamed, after a refused parse":
            (parse(LOUD) + SYNC, parse("DROP TABLE customers") + SYNC,
             bind() + execute() + SYNC),
    })


def test_own_settings_cannot_be_set_in_any_spelling(world):
    s = guarded(world)
    for sql in ("SET \"SALLYPORT\".user = 'carol'",
                "SET \"sallyport.user\" = 'carol'",
                r"""SET U&"\0073allyport".user = 'carol'""",
                "SET sallyport/**/.user = carol",
                "SET \"APPLICATION_NAME\" = carol",
                "RESET ALL", "DISCARD ALL", 'RESET "SALLYPORT".user',
                r"""SELECT U&"set\005fconfig"('sallyport.user', 'carol',"""
                " false)"):
        heard = attempt(s, sql, "SELECT current_setting('sallyport.user') || "
                        "'+' || current_setting('sallyport.agent') || '=' || "
                        "current_setting('application_name') || '!'")
        assert b"alice+copilot=alice+copilot!" in heard, (sql, heard)


# --- other sessions --------------------------------------------------------

def test_agent_cannot_end_the_sessions_of_others(world):
    """All share one login at the database, so the server would let it."""
    s = guarded(world)
    with s.wire("bob") as other:
        attempt(s, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE usename = current_user AND pid <> pg_backend_pid() "
                f"AND pid = {other.pid}")
        assert other.query("SELECT 1").rows == [[b"1"]]


def test_prepared_texts_of_one_session_are_bounded(world):
    """400 MB of prepared statements are refused or end the session."""
    s = guarded(world)
    text = "SELECT '" + "x" * 1000000 + "'"
    refused = 0
    with s.wire() as w:
        try:
            for i in range(400):
                refused += b"C54000" in bytes(
                    b"".join(body for kind, body in w.exchange(
                        parse(text, f"s{i}"), SYNC).messages
                        if kind == b"E"))
        except ENDED:
            refused += 1
    assert refused, "400 MB of prepared texts were taken"


def test_half_open_connections_do_not_keep_others_from_an_answer(world):
    """With all workers taken, the next client is told so, whoever else
    says nothing, and before those are made to go."""
    s = guarded(world, settings={"workers": {"spare": 2, "max": 4},
                                 "audit": {"socket": "log.sock"},
                                 "login_deadline": "600s"})
    silent = [s.bare_wire() for _ in range(12)]
    try:
        with s.bare_wire() as w:
            w.send(pgwire.startup(user="alice", database=s.database))
            kind, _ = w.receive()
            assert kind in (b"E", b"R"), kind
    finally:
        for wire in silent:
            wire.socket.close()
