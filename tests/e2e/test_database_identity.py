"""The database knows who is asking, and no SQL tells it otherwise: what works
at the server is tried through Sallyport under a policy that allows as much as
one can without escaping-function."""

import os

import harness
import pgwire
from expect import denied, ok
from test_fastpath import call

AS_MUCH_AS_CAN_BE = {"protect": [], "rules": [
    {"name": "everything", "does": ["any", "unknown"], "then": "allow"}]}
WITHOUT_ANY_BOUND = {"protect": [], "rules": [
    *AS_MUCH_AS_CAN_BE["rules"],
    {"name": "what reaches far", "does": ["any", "unknown"],
     "has": ["escaping-function"], "then": "allow"}]}
IDENTITY = os.path.join(harness.ROOT, "policies", "postgres", "identity.sql")
WHO = "SELECT pg_catalog.current_setting('sallyport.user', true)"
OWN = "'sally' || 'port.user'"

# What a database may have of its own, by those who mean no harm.
CODE = f"""
CREATE FUNCTION by_name(n text, v text) RETURNS text LANGUAGE plpgsql AS
    $$BEGIN RETURN set_config(n, v, false); END$$;
CREATE FUNCTION by_sql(n text) RETURNS text LANGUAGE sql AS
    $$SELECT set_config($1, 'carol', false)$$;
CREATE FUNCTION by_text(q text) RETURNS void LANGUAGE plpgsql AS
    $$BEGIN EXECUTE q; END$$;
CREATE FUNCTION by_caller(n text) RETURNS text LANGUAGE sql AS
    $$SELECT by_name(n, 'carol')$$;
CREATE FUNCTION by_view(n text) RETURNS int LANGUAGE plpgsql AS
    $$BEGIN UPDATE pg_settings SET setting = 'carol' WHERE name = n;
    RETURN 1; END$$;
CREATE FUNCTION by_maker() RETURNS text LANGUAGE plpgsql AS
    $$BEGIN CREATE OR REPLACE FUNCTION made() RETURNS text LANGUAGE plpgsql AS
    'BEGIN RETURN set_config(''sally'' || ''port.user'', ''carol'', false);
    END'; RETURN made(); END$$;
CREATE FUNCTION in_the_dark(text, text, boolean) RETURNS text
    LANGUAGE internal AS 'set_config_by_name';
CREATE FUNCTION other_reading(v text) RETURNS text LANGUAGE plpgsql AS
    $$DECLARE x text; BEGIN x := 'a\\' || '; EXECUTE v; x := --'
    - 1; RETURN x; END$$;
CREATE FUNCTION as_carol() RETURNS text LANGUAGE plpgsql AS
    $$BEGIN RETURN set_config({OWN}, 'carol', false); END$$;
CREATE FUNCTION as_carol(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS
    $$BEGIN RETURN set_config({OWN}, 'carol', false); END$$;
CREATE FUNCTION headed() RETURNS text LANGUAGE sql
    SET "sallyport.user" = 'carol' AS
    $$SELECT pg_catalog.current_setting('sallyport.user')$$;
CREATE PROCEDURE by_procedure(n text) LANGUAGE plpgsql AS
    $$BEGIN PERFORM set_config(n, 'carol', false); END$$;
CREATE AGGREGATE by_rows(text, boolean)
    (SFUNC = set_config, STYPE = text, INITCOND = 'sallyport.user');
CREATE OPERATOR ===> (LEFTARG = text, RIGHTARG = text, FUNCTION = by_name);
CREATE TYPE named AS (n text);
CREATE FUNCTION named_text(named) RETURNS text LANGUAGE plpgsql AS
    $$BEGIN RETURN set_config(($1).n, 'carol', false); END$$;
CREATE CAST (named AS text) WITH FUNCTION named_text(named);
CREATE DOMAIN checked AS text CHECK (as_carol() IS NOT NULL);
CREATE TABLE names (n text, v text);
CREATE FUNCTION on_names() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN PERFORM set_config(NEW.n, NEW.v, false); RETURN NEW; END$$;
CREATE TRIGGER t BEFORE INSERT ON names
    FOR EACH ROW EXECUTE FUNCTION on_names();
CREATE VIEW above_names AS SELECT * FROM names;
CREATE TABLE filled (id int, word text DEFAULT as_carol());
CREATE TABLE filled_by_system (id int,
    word text DEFAULT set_config({OWN}, 'carol', false));
CREATE TABLE bound (id int CHECK (as_carol() IS NOT NULL));
CREATE TABLE of_domain (id int, word checked);
CREATE TABLE computed (id int, n text,
    word text GENERATED ALWAYS AS (as_carol(n)) STORED);
CREATE TABLE indexed (id int, n text);
CREATE INDEX ON indexed (as_carol(n));
CREATE TABLE conditional (id int);
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RETURN NEW; END$$;
CREATE TRIGGER t BEFORE INSERT ON conditional FOR EACH ROW
    WHEN (as_carol() IS NOT NULL) EXECUTE FUNCTION nothing();
CREATE TABLE ruled (id int);
CREATE RULE r AS ON INSERT TO ruled DO ALSO SELECT as_carol();
CREATE TABLE guarded (id int);
INSERT INTO guarded VALUES (1);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON guarded USING (as_carol() IS NOT NULL);
CREATE TABLE guarded_by_system (id int);
INSERT INTO guarded_by_system VALUES (1);
ALTER TABLE guarded_by_system ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON guarded_by_system
    USING (set_config({OWN}, 'carol', false) IS NOT NULL);
CREATE VIEW seen AS SELECT as_carol() AS word;
CREATE VIEW seen_from_above AS SELECT word || '!' AS word FROM seen;
CREATE VIEW seen_by_system AS SELECT set_config(n, 'carol', false)
    FROM (VALUES ('sallyport.user')) v(n);
CREATE VIEW seen_by_domain AS SELECT n::checked FROM (VALUES ('x')) v(n);
CREATE FUNCTION reads_view() RETURNS text LANGUAGE sql AS
    $$SELECT word FROM seen_from_above$$;
GRANT ALL ON ALL TABLES IN SCHEMA public TO public;
GRANT CREATE ON SCHEMA public TO public;
"""

# Statements of one session each, that end with another sallyport.user.
IN_THE_DATABASE = (
    f"SELECT by_name({OWN}, 'carol')",
    "SELECT by_name('sallyport.user', 'carol')",
    "SELECT by_sql('sallyport.user')",
    "SELECT by_text('SET \"sallyport.user\" = carol')",
    "SELECT by_text('SET sally' || 'port.\"user\" = carol')",
    "SELECT by_caller('sallyport.user')",
    "SELECT public.by_caller('sallyport.user')",
    "SELECT \"by_caller\" ('sallyport.user')",
    "SELECT by_maker()",
    "SELECT in_the_dark('sallyport.user', 'carol', false)",
    "SET standard_conforming_strings = off; "
    "SELECT other_reading('SET sally' || 'port.\"user\" = carol')",
    "CALL by_procedure('sallyport.user')",
    "SELECT by_rows('carol', false)",
    "SELECT by_rows('carol', false) OVER ()",
    "SELECT 'sallyport.user' ===> 'carol'",
    "SELECT 'sallyport.user' OPERATOR(public.===>) 'carol'",
    "SELECT ROW('sallyport.user')::named::text",
    "SELECT CAST(ROW('sallyport.user')::named AS text)",
    "SELECT 'x'::checked",
    "SELECT checked 'x'",
    "INSERT INTO names VALUES ('sallyport.user', 'carol')",
    "INSERT INTO above_names VALUES ('sallyport.user', 'carol')",
    "WITH w AS (INSERT INTO names VALUES ('sallyport.user', 'carol') "
    "RETURNING 1) SELECT 1",
    "MERGE INTO names USING (SELECT 1) s ON false WHEN NOT MATCHED THEN "
    "INSERT VALUES ('sallyport.user', 'carol')",
    "INSERT INTO filled (id) VALUES (1)",
    "INSERT INTO filled_by_system (id) VALUES (1)",
    "INSERT INTO bound VALUES (1)",
    "INSERT INTO of_domain VALUES (1, 'x')",
    "INSERT INTO computed (id, n) VALUES (1, 'x')",
    "INSERT INTO indexed VALUES (1, 'x')",
    "INSERT INTO conditional VALUES (1)",
    "INSERT INTO ruled VALUES (1)",
    "SELECT * FROM guarded",
    "SELECT * FROM guarded_by_system",
    "TABLE seen",
    "SELECT * FROM seen_from_above",
    "SELECT * FROM seen_by_system",
    "SELECT * FROM seen_by_domain",
    "COPY (SELECT * FROM seen) TO STDOUT",
    "SELECT reads_view()",
    "PREPARE p AS SELECT by_name($1, $2); "
    "EXECUTE p('sallyport.user', 'carol')",
    "BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT "
    "by_name('sallyport.user', 'carol'); COMMIT",
    "EXPLAIN ANALYZE SELECT by_name('sallyport.user', 'carol')",
    "CREATE TABLE kept@ AS SELECT by_name('sallyport.user', 'carol')",
    "BEGIN; ALTER FUNCTION by_name RENAME TO harmless; "
    "SELECT harmless('sallyport.user', 'carol')",
    "BEGIN; CREATE SCHEMA s; ALTER FUNCTION by_name SET SCHEMA s; "
    "SELECT s.by_name('sallyport.user', 'carol')",
    "BEGIN; CREATE OPERATOR ~~~> (LEFTARG = text, RIGHTARG = text, "
    "FUNCTION = by_name); SELECT 'sallyport.user' ~~~> 'carol'",
    "BEGIN; CREATE TABLE t (n text, v text); CREATE TRIGGER t BEFORE INSERT "
    "ON t FOR EACH ROW EXECUTE FUNCTION on_names(); "
    "INSERT INTO t VALUES ('sallyport.user', 'carol')",
    "BEGIN; ALTER VIEW seen RENAME TO unseen; SELECT * FROM unseen",
    "BEGIN; CREATE VIEW v AS SELECT * FROM seen; SELECT * FROM v",
)

MAKE_DYNAMIC = ("CREATE FUNCTION {} RETURNS text LANGUAGE plpgsql AS "
                "$f$BEGIN EXECUTE 'SET sally' || 'port.\"user\" = carol'; "
                "RETURN 'x'; END$f$")
BROUGHT_ALONG = (
    "SET sallyport.\"user\" = 'carol'",
    "SET SESSION \"SALLYPORT\".\"user\" = 'carol'",
    "SET \"sallyport.user\" TO carol",
    r"""SET U&"\0073allyport.user" = carol""",
    "SET U&\"!0073allyport.user\" UESCAPE '!' = carol",
    "SELECT set_config('sallyport.user', 'carol', false)",
    "SELECT set_config('SallyPort.User', 'carol', false)",
    f"SELECT set_config({OWN}, 'carol', false)",
    "SELECT \"set_config\"(('sallyport.user'), 'carol', false)",
    "SELECT set_config(name, 'carol', false) FROM (SELECT "
    "'sallyport.user' AS name) s",
    "PREPARE p(text) AS SELECT set_config($1, 'carol', false); "
    "EXECUTE p('sallyport.user')",
    "DO $$BEGIN SET sallyport.\"user\" = 'carol'; END$$",
    "DO $$BEGIN EXECUTE 'SET sally' || 'port.\"user\" = carol'; END$$",
    f"DO $$BEGIN PERFORM set_config({OWN}, 'carol', false); END$$",
    "DO 'BEGIN EXECUTE format(''SET %I.\"user\" = carol'', ''sally'' || "
    "''port''); END'",
    r"""DO E'BEGIN EXECUTE \'SET sal\' || \'lyport."user" = carol\'; END'""",
    "DO LANGUAGE plpgsql $$DECLARE q text := 'SET sally' || "
    "'port.\"user\" = carol'; BEGIN IF true THEN EXECUTE q; END IF; END$$",
    "DO $$BEGIN CREATE FUNCTION g@() RETURNS text LANGUAGE plpgsql AS "
    "'BEGIN EXECUTE ''SET sally'' || ''port.\"user\" = carol''; RETURN 1; END'; "
    "PERFORM g@(); END$$",
    MAKE_DYNAMIC.format("g@()") + "; SELECT g@()",
    "BEGIN; " + MAKE_DYNAMIC.format("g@()") + "; SELECT g@()",
    "BEGIN; " + MAKE_DYNAMIC.format("pg_temp.g@()") +
    "; SELECT pg_temp.g@()",
    "CREATE FUNCTION g@() RETURNS text LANGUAGE sql AS "
    f"$$SELECT set_config({OWN}, 'carol', false)$$; SELECT g@()",
    "CREATE PROCEDURE g@() LANGUAGE plpgsql AS $$BEGIN EXECUTE 'SET sally' "
    "|| 'port.\"user\" = carol'; END$$; CALL g@()",
    "CREATE AGGREGATE g@(text, boolean) (SFUNC = set_config, STYPE = text, "
    "INITCOND = 'sallyport.user'); SELECT g@('carol', false)",
    "SELECT query_to_xml('select set_config(''sallyport.user'', ''carol'', "
    "false)', true, true, '')",
)


ATTACKS = IN_THE_DATABASE + BROUGHT_ALONG


def database(world):
    """A copy of the shop whose code sets what it is told."""
    name = world.pg.copy_of_shop()
    with world.pg.connect(name) as c:
        c.execute(CODE)
        c.execute(f"ALTER DATABASE {name} OWNER TO sallyport; "
                  "ALTER FUNCTION by_name OWNER TO sallyport; "
                  "ALTER VIEW seen OWNER TO sallyport; "
                  "ALTER TABLE names OWNER TO sallyport")
    world.pg.psql(name, "-q", "-f", IDENTITY)
    return name


def at_the_server(world, name, **settings):
    """As Sallyport logs in, but nobody in between; the server's own tests
    trust the account on its Unix socket."""
    wire = pgwire.Wire(f"{world.pg.folder}/.s.PGSQL.{world.pg.port}")
    return wire.login("sallyport", "", name, **settings)


ALICE = {"application_name": "alice", "sallyport.user": "alice",
         "sallyport.agent": ""}


def parts(text, number):
    """Its statements, which end where a semicolon is not in quotes."""
    text = text.replace("@", str(number))
    found, start, quote, i = [], 0, "", 0
    while i < len(text):
        here = next((q for q in ("$f$", "$$", "'", '"')
                     if text.startswith(q, i)), "")
        if quote:
            if here == quote:
                quote = ""
                i += len(here) - 1
        elif here:
            quote = here
            i += len(here) - 1
        elif text[i] == ";":
            found.append(text[start:i])
            start = i + 1
        i += 1
    return found + [text[start:]]


def who(wire):
    rows = wire.query(WHO).rows
    return rows[0][0].decode() if rows and rows[0][0] else None


def test_attacks_work_at_the_server(world):
    name = database(world)
    missed = []
    for number, attack in enumerate(ATTACKS):
        with at_the_server(world, name, **ALICE) as w:
            assert who(w) == "alice"
            told = [w.query(part).errors for part in parts(attack, number)]
            if who(w) != "carol":
                missed.append((attack, told, who(w)))
    assert not missed, missed


def test_no_attack_works_through_sallyport(world):
    name = database(world)
    s = world.sallyport(policy=AS_MUCH_AS_CAN_BE, database=name)
    worked = []
    for number, attack in enumerate(ATTACKS):
        with s.wire("alice") as w:
            refused = [error["M"] for part in parts(attack, number)
                       for error in w.query(part).errors]
            # the rest of a transaction, refused or not, may have failed
            was = who(w) or "alice"
            w.query("ROLLBACK")
            if {was, who(w)} != {"alice"} or not [
                    m for m in refused if "statement refused" in m]:
                worked.append((attack, refused, was))
    assert not worked, worked


def test_calls_by_number_and_by_parameter_are_refused(world):
    name = database(world)
    s = world.sallyport(policy=AS_MUCH_AS_CAN_BE, database=name)
    oid, = world.pg.ask("SELECT 'by_name'::regproc::oid::int", name)[0]
    system, = world.pg.ask("SELECT 'set_config'::regproc::oid::int", name)[0]
    flows = (
        [call(oid, b"sallyport.user", b"carol")],
        [call(system, b"sallyport.user", b"carol", b"t")],
        [pgwire.parse("SELECT by_name($1, $2)"),
         pgwire.bind(("sallyport.user", "carol")), pgwire.execute(),
         pgwire.SYNC],
        [pgwire.parse("SELECT set_config($1, 'carol', false)"),
         pgwire.bind(("sallyport.user",)), pgwire.execute(), pgwire.SYNC])
    with at_the_server(world, name, **ALICE) as direct, \
            s.wire("alice") as ours:
        for flow in flows:
            direct.query("SET sallyport.\"user\" = alice")
            direct.exchange(*flow)
            if flow != flows[1]:  # its last argument is in binary
                assert who(direct) == "carol", flow
            denied(ours.exchange(*flow))
            assert who(ours) == "alice", flow


# --- what needs no code ------------------------------------------------------

# Each is done in one session; `later` ones show in the next.
SETTINGS = (
    "SET SESSION sallyport.\"user\" TO carol",
    "BEGIN; SAVEPOINT s; SET LOCAL sallyport.\"user\" TO carol",
    "UPDATE pg_settings SET setting = 'carol' WHERE name = 'application_name'",
    "ALTER ROLE sallyport SET sallyport.\"user\" TO carol",
    "ALTER ROLE CURRENT_USER SET sallyport.\"user\" TO carol",
    "ALTER ROLE ALL IN DATABASE {db} SET \"sallyport.user\" TO carol",
    "ALTER DATABASE {db} SET sallyport.\"user\" TO carol",
    "ALTER SYSTEM SET application_name TO carol; SELECT pg_reload_conf()",
    "ALTER FUNCTION by_sql(text) SET sallyport.\"user\" TO carol",
    "CREATE FUNCTION h() RETURNS text LANGUAGE sql SET sallyport.\"user\" "
    "FROM CURRENT AS $$SELECT 1::text$$",
)
# These are allowed, and give back or leave what is right.
HARMLESS = (
    "RESET ALL", "DISCARD ALL", "SET ROLE sallyport", "RESET ROLE",
    "SET SESSION AUTHORIZATION DEFAULT", "BEGIN; SAVEPOINT s; ROLLBACK TO s; "
    "ROLLBACK", "SET search_path = public, pg_catalog",
    "SET application_name TO carol",
    "ALTER ROLE sallyport IN DATABASE {db} SET application_name TO carol",
    "ALTER DATABASE {db} SET application_name TO carol",
)
TOLD = ("SELECT pg_catalog.current_setting('sallyport.user'), "
        "sallyport_identity.\"user\"(), reset_val "
        "FROM pg_catalog.pg_settings "
        "WHERE name OPERATOR(pg_catalog.=) 'application_name'")


def test_no_setting_changes_who_asks(world):
    name = database(world)
    s = world.sallyport(policy=AS_MUCH_AS_CAN_BE, database=name)
    for attack in SETTINGS:
        with s.wire("alice") as w:
            replies = [w.query(part) for part in parts(
                attack.format(db=name), 0)]
            assert [e for r in replies for e in r.errors], attack
            w.query("ROLLBACK")
            assert w.query(TOLD).rows == [[b"alice"] * 3], attack
    for fine in HARMLESS:
        with s.wire("alice") as w:
            for part in parts(fine.format(db=name), 0):
                ok(w.query(part))
            assert w.query(TOLD).rows == [[b"alice"] * 3], fine
    with s.wire("alice") as w:
        assert w.query(TOLD).rows == [[b"alice"] * 3]
    for parameter in ("sallyport.user", "SALLYPORT.user", "Sallyport.Agent"):
        with s.bare_wire() as w:
            try:
                w.login("alice", harness.PASSWORDS["alice"], name,
                        **{parameter: "carol"})
            except pgwire.ServerError as e:
                assert e.fields["C"] == "42501", e.fields
            else:
                raise AssertionError(f"{parameter} went through")


def test_settings_of_roles_and_databases_change_nobody(world):
    """Who may make them does so at the server; what a connection says at its
    start is stronger."""
    name = database(world)
    s = world.sallyport(policy=AS_MUCH_AS_CAN_BE, database=name)
    with world.pg.connect(name) as c:
        for what in (f"DATABASE {name}", f"ROLE sallyport IN DATABASE {name}"):
            for setting in ("sallyport.\"user\"", "application_name"):
                c.execute(f"ALTER {what} SET {setting} TO carol")
    with at_the_server(world, name) as direct:
        assert who(direct) == "carol"
    with s.wire("alice") as w:
        for reset in ("SELECT 1", "RESET ALL", "DISCARD ALL"):
            ok(w.query(reset))
            assert w.query(TOLD).rows == [[b"alice"] * 3], reset


# --- row-level security ------------------------------------------------------

RLS = """
CREATE TABLE papers (owner text, secret boolean, body text);
INSERT INTO papers VALUES ('alice', false, 'plan'), ('alice', true, 'diary'),
    ('bob', false, 'notes'), ('carol', true, 'files');
ALTER TABLE papers ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON papers USING (
    owner = (SELECT sallyport_identity."user"())
    AND (NOT secret OR (SELECT sallyport_identity.agent()) IS NULL));
GRANT ALL ON papers TO public;
"""
SEEN = {"alice": {"plan", "diary"}, "alice+copilot": {"plan"},
        "bob": {"notes"}, "carol": {"files"}, "nightly": set()}


def papers(wire):
    return {row[0].decode() for row in
            wire.query("SELECT body FROM papers").rows}


def with_papers(world):
    name = database(world)
    with world.pg.connect(name) as c:
        c.execute(RLS)
    return name


def test_everybody_sees_the_rows_that_are_theirs(world):
    name = with_papers(world)
    s = world.sallyport(policy=AS_MUCH_AS_CAN_BE, database=name)
    for login, rows in SEEN.items():
        with s.wire(login) as w:
            assert papers(w) == rows, login
    # not through Sallyport: who says to be alice, and who only looks like it
    with world.pg.connect(name) as c:
        c.execute("CREATE ROLE stranger LOGIN; GRANT ALL ON SCHEMA public "
                  "TO stranger")
    try:
        wire = pgwire.Wire(f"{world.pg.folder}/.s.PGSQL.{world.pg.port}")
        with wire.login("stranger", "", name, **ALICE) as w:
            assert papers(w) == set()
            assert w.query("SELECT sallyport_identity.agent()").rows == \
                [[b"?"]]
    finally:
        world.pg.ask("DROP OWNED BY stranger; DROP ROLE stranger", name)


def test_no_attack_widens_what_is_seen(world):
    """Not even of those who may do what Sallyport cannot follow."""
    name = with_papers(world)
    s = world.sallyport(policy=WITHOUT_ANY_BOUND, database=name)
    spoof = ("SELECT by_name('sallyport.user', 'alice'), "
             "by_name('sallyport.agent', ''), "
             "by_name('application_name', 'alice')")
    for login, rows in SEEN.items():
        with s.wire(login) as w:
            w.query(spoof)
            told = w.query("SELECT pg_catalog.current_setting("
                           "'sallyport.user')").rows
            assert told == [[b"alice"]], (login, told)
            assert papers(w) <= rows, login
    for number, attack in enumerate(ATTACKS + SETTINGS + HARMLESS):
        with s.wire("alice+copilot") as w:
            for part in parts(attack.format(db=name) if "{db}" in attack
                              else attack, number):
                w.query(part)
            w.query("ROLLBACK")
            assert papers(w) <= {"plan"}, attack


SHADOWS = """
CREATE FUNCTION public.current_setting(text, boolean) RETURNS text
    LANGUAGE sql AS $$SELECT 'carol'$$;
CREATE FUNCTION public.split_part(text, text, int) RETURNS text
    LANGUAGE sql AS $$SELECT CASE WHEN $3 = 1 THEN 'carol' END$$;
CREATE FUNCTION public.same(text, text) RETURNS boolean
    LANGUAGE sql AS $$SELECT true$$;
CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = same);
CREATE TEMP TABLE pg_settings (name text, reset_val text);
INSERT INTO pg_settings VALUES ('application_name', 'carol');
CREATE TEMP TABLE logins (name name);
CREATE VIEW public.pg_settings AS SELECT 'application_name' AS name,
    'carol' AS reset_val;
SET search_path = pg_temp, public, pg_catalog
"""


def test_nothing_hides_who_asks(world):
    name = with_papers(world)
    s = world.sallyport(policy=AS_MUCH_AS_CAN_BE, database=name)
    with s.wire("alice+copilot") as w:
        shown = []
        for part in parts(SHADOWS, 0):
            shown += w.query(part).errors
        assert papers(w) == {"plan"}, shown
        assert w.query(TOLD).rows == \
            [[b"alice", b"alice", b"alice+copilot"]], shown


def test_who_is_left_to_clients_is_nobody(world):
    """The hard form is not there with `application_name: client`; what
    sallyport.user says holds."""
    name = with_papers(world)
    s = world.sallyport(policy=AS_MUCH_AS_CAN_BE, database=name,
                        upstream={"application_name": "client"})
    with s.wire("alice", application_name="carol") as w:
        assert who(w) == "alice"
        assert papers(w) == set()
        assert w.query("SELECT sallyport_identity.\"user\"(), "
                       "sallyport_identity.agent()").rows == [[None, b"?"]]


def test_an_agent_alone_is_told_from_a_person(world):
    s = world.sallyport(policy=AS_MUCH_AS_CAN_BE)
    with s.wire("nightly") as w:
        assert w.query("SHOW application_name").rows == [[b"+nightly"]]
        assert w.query("SELECT pg_catalog.current_setting('sallyport.agent'),"
                       " pg_catalog.current_setting('sallyport.user')"
                       ).rows == [[b"nightly", b""]]
