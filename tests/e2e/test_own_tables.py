"""Relations that a session makes itself: their contents pass, as long as
nothing protected can be in them."""

import harness
from expect import denied, fails, ok
from pgwire import SYNC, bind, describe, execute, parse

NAME = "SELECT name FROM customers WHERE id = 5"
# whoever may do anything, and yet sees masks
OPEN = [{"name": "everything", "does": ["any"], "then": "allow"},
        {"name": "code nobody looked at", "does": ["any"],
         "has": ["unknown-function"], "then": "allow"}]
# and whose code may run text, too
ESCAPING = OPEN + [{"name": "code that runs text", "does": ["any"],
                    "has": ["escaping-function"], "then": "allow"}]
ASIDE = "CREATE TEMP TABLE aside AS SELECT id, city FROM customers"
CITY = "SELECT city FROM aside WHERE id = 5"


def opened(world):
    """A Sallyport on a copy of the shop where agents may do anything."""
    return started(world, OPEN)


def started(world, rules):
    return world.writable(
        policy={"protect": harness.default_policy()["protect"],
                "rules": rules},
        upstream={"login": {"user": "owner"}})


def shown(replies):
    return [v for row in replies.rows for v in row]


def values(replies):
    return shown(ok(replies))


def secret(sallyport, world):
    return world.pg.ask(NAME, sallyport.database)[0][0].encode()


def real_city(sallyport, world):
    return world.pg.ask("SELECT city FROM customers WHERE id = 5",
                        sallyport.database)[0][0].encode()


def stays_masked(world, *steps, rules=OPEN):
    """The answer to the last step."""
    s = started(world, rules)
    name = secret(s, world)
    with s.wire(database=s.database) as w:
        told = [w.query(step) for step in steps]
    # refused by us, or what was refused is then missed by the server
    for error in [e for replies in told for e in replies.errors]:
        assert '"decision"' in error.get("D", "") or error["C"] == "42P01", \
            error
    found = [v for replies in told for row in replies.rows for v in row]
    assert not [v for v in found if v and name.lower() in v.lower()], found
    return told[-1]


# --- what passes ------------------------------------------------------------

def test_table_made_in_the_transaction_passes(world):
    s = opened(world)
    with s.wire(database=s.database) as w:
        for begin in ("BEGIN", "SELECT 1"):
            ok(w.query(begin))
            ok(w.query(ASIDE))
            assert values(w.query(CITY)) == [real_city(s, world)]
            assert values(w.query("SELECT upper(city) FROM aside "
                                  "WHERE id = 5")) == \
                [real_city(s, world).upper()]
            ok(w.query("DROP TABLE aside"))
            w.query("COMMIT")


def test_table_that_is_not_temporary_passes_in_its_transaction(world):
    s = opened(world)
    with s.wire(database=s.database) as w:
        ok(w.query("BEGIN"))
        ok(w.query("CREATE TABLE kept (id integer, word text)"))
        ok(w.query("CREATE INDEX kept_id ON kept (id)"))
        assert values(w.query("INSERT INTO kept VALUES (1, 'one') "
                              "RETURNING id, word")) == [b"1", b"one"]
        ok(w.query("CREATE VIEW seen AS SELECT id, city FROM customers"))
        assert values(w.query("SELECT city FROM seen WHERE id = 5")) == \
            [real_city(s, world)]
        ok(w.query("COMMIT"))
        assert values(w.query("SELECT word FROM kept")) == [b"one"]


def test_table_and_its_reader_in_one_message_pass(world):
    s = opened(world)
    with s.wire(database=s.database) as w:
        assert real_city(s, world) in values(w.query(ASIDE + "; " + CITY))
        assert real_city(s, world) in values(w.query(
            "DROP TABLE IF EXISTS aside; " + ASIDE + "; " + CITY))


def test_table_made_by_the_extended_protocol_passes(world):
    s = opened(world)
    with s.wire(database=s.database) as w:
        replies = w.exchange(
            parse(ASIDE), bind(), execute(), parse(CITY), bind(),
            describe(b"P"), execute(), SYNC)
        assert values(replies) == [real_city(s, world)]
        assert values(w.extended(CITY)) == [real_city(s, world)]


def test_cursor_over_an_own_table_passes(world):
    s = opened(world)
    with s.wire(database=s.database) as w:
        ok(w.query("BEGIN"))
        ok(w.query(ASIDE))
        ok(w.query("DECLARE c CURSOR FOR " + CITY))
        assert values(w.query("FETCH ALL FROM c")) == [real_city(s, world)]


def test_join_of_an_own_table_masks_what_is_protected_and_no_more(world):
    s = opened(world)
    with s.wire(database=s.database) as w:
        ok(w.query(ASIDE))
        city, name = values(w.query(
            "SELECT a.city, c.name FROM aside a JOIN customers c USING (id) "
            "WHERE id = 5"))
    assert city == real_city(s, world) and name != secret(s, world)


# --- what does not ----------------------------------------------------------

def test_renamed_relation_is_not_the_own_one(world):
    stays_masked(world, "CREATE TEMP TABLE t (id integer, name text)",
                 "DROP TABLE t", "BEGIN",
                 "ALTER TABLE customers RENAME TO t",
                 "SELECT upper(name) FROM t WHERE id = 5")
    stays_masked(world, "CREATE TEMP TABLE t (id integer, name text)",
                 "SET search_path = public, pg_temp", "BEGIN",
                 "ALTER TABLE customers RENAME TO t",
                 "SELECT upper(name) FROM t WHERE id = 5",
                 "COMMIT", "SELECT upper(name) FROM t WHERE id = 5")


def test_renamed_relation_beside_a_temporary_one_in_one_message(world):
    stays_masked(world, "SET search_path = public, pg_temp",
                 "CREATE TEMP TABLE t (id integer, name text); "
                 "ALTER TABLE customers RENAME TO t; "
                 "SELECT upper(name) FROM t WHERE id = 5")


def test_copies_are_refused(world):
    for sql in ("CREATE TEMP TABLE t AS SELECT name FROM customers",
                "CREATE TEMP TABLE t AS SELECT upper(name) FROM customers",
                "SELECT name INTO TEMP t FROM customers",
                "CREATE TEMP VIEW t AS SELECT * FROM customers"):
        denied(stays_masked(world, sql))
    denied(stays_masked(world, "CREATE TEMP TABLE t (name text)",
                        "INSERT INTO t SELECT name FROM customers"))


def test_own_name_of_a_relation_that_is_protected_stays_strict(world):
    stays_masked(world, "SET search_path = public, pg_temp",
                 "CREATE TEMP TABLE customers (id integer, name text)",
                 "SELECT upper(name) FROM customers WHERE id = 5")


def test_what_is_not_understood_masks_everything_until_it_is_committed(world):
    city = "SELECT city FROM customers WHERE id = 5"
    s = opened(world)
    for sql in ("CREATE TABLE t (LIKE customers)",
                "CREATE TABLE t () INHERITS (customers)",
                "CREATE TABLE t (LIKE orders); SELECT 1",
                "CREATE SCHEMA elsewhere",
                "CREATE DOMAIN word AS text",
                "CREATE SEQUENCE numbers",
                "ALTER TABLE orders RENAME TO sales",
                "DROP SCHEMA IF EXISTS nowhere"):
        with s.wire(database=s.database) as w:
            ok(w.query("BEGIN"))
            assert values(w.query(city)) == [real_city(s, world)]
            ok(w.query(sql))
            assert shown(w.query(city)) != [real_city(s, world)], sql
            ok(w.query("ROLLBACK"))
            assert values(w.query(city)) == [real_city(s, world)], sql


def test_table_that_was_there_already_is_not_the_own_one(world):
    s = opened(world)
    with s.wire(database=s.database) as w:
        ok(w.query("SELECT 1 FROM customers"))
        with world.pg.connect(s.database) as c:
            c.execute("CREATE VIEW t AS SELECT id, name FROM customers")
        fails(w.query("CREATE TABLE t (id integer, name text)"), "42P07")
        ok(w.query("CREATE TABLE IF NOT EXISTS t (id integer, name text)"))
        found = w.query("SELECT upper(name) FROM t WHERE id = 5")
    assert secret(s, world).upper() not in values(found)


def test_rolled_back_table_is_forgotten(world):
    stays_masked(world, "BEGIN", "SAVEPOINT a",
                 "CREATE TABLE t (id integer, name text)",
                 "ROLLBACK TO a", "ALTER TABLE customers RENAME TO t",
                 "SELECT upper(name) FROM t WHERE id = 5")
    s = opened(world)
    with s.wire(database=s.database) as w:
        fails(w.query("BEGIN; CREATE TEMP TABLE t (id integer, name text); "
                      "ROLLBACK; SELECT upper(name) FROM t"), "42P01")


def test_code_may_replace_an_own_table(world):
    stays_masked(
        world, "CREATE FUNCTION f() RETURNS integer LANGUAGE plpgsql AS "
        "$$ BEGIN EXECUTE 'CREATE VIEW public.t AS SELECT * FROM cust' || "
        "'omers'; RETURN 1; END $$", "SET search_path = public, pg_temp",
        "CREATE TEMP TABLE t (id integer, name text)", "SELECT f()",
        "SELECT upper(name) FROM t WHERE id = 5", rules=ESCAPING)


def test_trigger_on_protected_rows_is_refused(world):
    s = opened(world)
    with s.wire(database=s.database) as w:
        ok(w.query("CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS "
                   "$$ BEGIN RETURN NEW; END $$"))
        for kind in ("TRIGGER", "OR REPLACE TRIGGER"):
            replies = w.query(f"CREATE {kind} t AFTER UPDATE ON customers "
                              "FOR EACH ROW EXECUTE FUNCTION g()")
            assert "whole rows" in replies.errors[0]["M"], replies.messages
        ok(w.query("CREATE TRIGGER t AFTER UPDATE ON orders "
                   "FOR EACH ROW EXECUTE FUNCTION g()"))


def test_trigger_may_fill_an_own_table(world):
    stays_masked(
        world, "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO kept VALUES (NEW.id, NEW.name); RETURN NEW; "
        "END $$", "CREATE TRIGGER t AFTER UPDATE ON customers FOR EACH ROW "
        "EXECUTE FUNCTION f()",
        "CREATE TEMP TABLE kept (id integer, word text)",
        "UPDATE customers SET city = city WHERE id = 5",
        "SELECT upper(word) FROM kept")


def test_rule_may_fill_an_own_table(world):
    stays_masked(
        world, "BEGIN", "CREATE TABLE kept (id integer, word text)",
        "CREATE RULE r AS ON UPDATE TO customers DO ALSO "
        "INSERT INTO kept VALUES (OLD.id, OLD.name)",
        "UPDATE customers SET city = city WHERE id = 5",
        "SELECT upper(word) FROM kept")


def test_policy_that_protects_more_forgets_what_was_clean(world):
    s = opened(world)
    with s.wire(database=s.database) as w:
        ok(w.query("CREATE TEMP VIEW v AS SELECT id, city FROM customers"))
        assert values(w.query("SELECT city FROM v WHERE id = 5")) == \
            [real_city(s, world)]
        s.policy["protect"].append(
            {"name": "cities", "columns": ["public.customers.city"],
             "mask": "redact", "clear_for": [{"agent": "none"}]})
        s.write_all()
        s.reload()
        assert real_city(s, world) not in \
            values(w.query("SELECT city FROM v WHERE id = 5"))


# --- rules that speak of temporary relations --------------------------------

def test_temporary_trait_is_for_own_temporary_relations_alone(world):
    s = started(world, [
        {"name": "reads", "does": ["read", "session", "transaction"],
         "then": "allow"},
        {"name": "temporary", "does": ["create", "drop", "write"],
         "has": ["temporary"], "then": "allow"}])
    with s.wire(database=s.database) as w:
        ok(w.query(ASIDE))
        ok(w.query("DELETE FROM aside"))
        denied(w.query("DELETE FROM orders"))
        denied(w.query("WITH gone AS (DELETE FROM orders RETURNING 1) "
                       "INSERT INTO aside SELECT 1, 'x' FROM gone"))
        ok(w.query("CREATE TEMP TABLE orders (id integer)"))
        denied(w.query("DELETE FROM orders"))
        ok(w.query("DELETE FROM pg_temp.orders"))
        denied(w.query("DROP TABLE aside, orders"))
        ok(w.query("DROP TABLE aside"))
        denied(w.query("DROP TABLE aside"))
