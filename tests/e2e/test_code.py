"""Code that users brought into the database: what it can read is found out,
so it neither hides protected values nor spoils what is free."""

import os

import harness
import psycopg
import yaml
from expect import raises

CANARY = "bruno.berger1@example.org"

CODE = r"""
CREATE EXTENSION citext;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION hstore;
CREATE EXTENSION tablefunc;
CREATE SCHEMA app;
CREATE SCHEMA evil;

-- may read what is protected
CREATE FUNCTION email_of(n int) RETURNS text LANGUAGE sql STABLE AS
    'SELECT email FROM customers WHERE id = n';
CREATE FUNCTION email_atomic(n int) RETURNS text LANGUAGE sql STABLE
    BEGIN ATOMIC SELECT c.email FROM customers c WHERE id = n; END;
CREATE FUNCTION email_pl(n int) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE r customers%ROWTYPE;
BEGIN
    SELECT * INTO r FROM customers WHERE id = n;
    RETURN r.email;
END $$;
CREATE FUNCTION email_dynamic(n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
    EXECUTE 'SELECT ' || 'em' || 'ail FROM cust' || 'omers WHERE id = ' || n
        INTO found;
    RETURN found;
END $$;
CREATE FUNCTION app.deeper(n int) RETURNS text LANGUAGE sql AS
    'SELECT public.email_of(n)';
CREATE FUNCTION email_through(n int) RETURNS text LANGUAGE sql AS
    'SELECT app.deeper(n)';
CREATE FUNCTION email_xml(n int) RETURNS text LANGUAGE sql AS
    'SELECT query_to_xml(''SELECT em'' || ''ail FROM cust''
        || ''omers WHERE id = '' || n, true, false, '''')::text';
CREATE FUNCTION email_row(n int) RETURNS text LANGUAGE sql AS
    'SELECT to_jsonb(c)::text FROM customers c WHERE id = n';
CREATE FUNCTION email_renamed(n int) RETURNS text LANGUAGE sql AS
    'SELECT x.c FROM customers AS x (a, b, c) WHERE a = n';
CREATE FUNCTION email_rows() RETURNS TABLE (who int, said text)
    LANGUAGE sql AS 'SELECT id, email FROM customers WHERE id < 3';
CREATE FUNCTION email_default(n text DEFAULT email_of(1)) RETURNS text
    LANGUAGE sql AS 'SELECT n';
CREATE FUNCTION email_of_order(o orders) RETURNS text LANGUAGE sql AS
    'SELECT email FROM customers WHERE id = 1';
CREATE FUNCTION email_quoted(n int) RETURNS text LANGUAGE sql AS
    'SELECT "email" FROM "public"."customers" WHERE id = n';
CREATE PROCEDURE email_procedure(INOUT n text) LANGUAGE plpgsql AS $$
BEGIN SELECT email INTO n FROM customers WHERE id = n::int; END $$;
CREATE FUNCTION email_step(so text, n int) RETURNS text LANGUAGE sql AS
    'SELECT coalesce(so, '''') || email FROM customers WHERE id = n';
CREATE AGGREGATE email_aggregate(int) (SFUNC = email_step, STYPE = text);
CREATE FUNCTION email_plus(a int, b text) RETURNS text LANGUAGE sql AS
    'SELECT email || b FROM customers WHERE id = a';
CREATE OPERATOR ### (LEFTARG = int, RIGHTARG = text, FUNCTION = email_plus);
CREATE VIEW app.shown AS SELECT o.id, email_pl(1) AS seen FROM orders o;
CREATE MATERIALIZED VIEW app.kept AS
    SELECT o.id, email_of(1) AS seen FROM orders o WHERE id < 5;
CREATE VIEW app.written AS SELECT query_to_xml('SELECT email FROM customers
    WHERE id = 1', true, false, '')::text AS seen;
CREATE VIEW app.joined AS SELECT o.id, o.id ### 'x' AS seen FROM orders o;
CREATE TABLE app.people (id int, mail text,
    loud text GENERATED ALWAYS AS (upper(mail)) STORED,
    usual text DEFAULT email_of(1));
INSERT INTO app.people (id, mail) VALUES (1, 'bruno.berger1@example.org');

-- a rule, and a loopback
CREATE TABLE app.logged (id int, said text);
CREATE TABLE app.heard (said text);
CREATE RULE also AS ON INSERT TO app.logged DO ALSO
    INSERT INTO app.heard SELECT email FROM customers;
CREATE TABLE app.counted (id int);
CREATE RULE also AS ON INSERT TO app.counted DO ALSO
    UPDATE app.heard SET said = said || NEW.id;
CREATE EXTENSION postgres_fdw;

-- free of all that
CREATE FUNCTION add_tax(n numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS
    'SELECT round(n * 1.19, 2)';
CREATE FUNCTION count_orders(who int) RETURNS bigint LANGUAGE sql STABLE AS
    'SELECT count(*) FROM orders WHERE customer_id = who';
CREATE FUNCTION city_of(n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
    SELECT city INTO found FROM customers c WHERE c.id = n;
    RETURN lower(found);
END $$;
CREATE FUNCTION join_step(so text, n int) RETURNS text LANGUAGE sql AS
    'SELECT coalesce(so || ''-'', '''') || n';
CREATE AGGREGATE joined(int) (SFUNC = join_step, STYPE = text);
CREATE FUNCTION near(a int, b int) RETURNS boolean LANGUAGE sql AS
    'SELECT abs(a - b) < 3';
CREATE OPERATOR ~~~ (LEFTARG = int, RIGHTARG = int, FUNCTION = near);
CREATE FUNCTION is_even(n int) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    'SELECT n % 2 = 0';
CREATE DOMAIN even AS int CHECK (is_even(VALUE));
CREATE TYPE money2 AS (amount numeric, currency text);
CREATE FUNCTION abs(money2) RETURNS money2 LANGUAGE sql AS
    'SELECT ROW(abs(($1).amount), ($1).currency)::money2';
CREATE FUNCTION add_customer(n int, mail text) RETURNS int LANGUAGE sql AS
    'INSERT INTO customers (id, name, email, city, country, credit_limit,
        loyalty, created_at) VALUES (n, ''New'', mail, ''X'', ''DK'', 1, 1,
        now()) RETURNING id';
CREATE VIEW app.taxed AS SELECT id, add_tax(quantity) AS gross FROM orders;
"""

CASTS = r"""
CREATE TYPE ticket AS (n int);
CREATE FUNCTION email_of_ticket(t ticket) RETURNS text LANGUAGE sql AS
    'SELECT email FROM customers WHERE id = (t).n';
CREATE CAST (ticket AS text) WITH FUNCTION email_of_ticket(ticket);
CREATE FUNCTION ticket_of(n int) RETURNS ticket LANGUAGE sql AS
    'SELECT ROW(n)::ticket';
CREATE TABLE app.stubs (t ticket);
INSERT INTO app.stubs VALUES (ROW(1)::ticket);
GRANT ALL ON app.stubs TO public;
CREATE FUNCTION through_cast() RETURNS text LANGUAGE sql AS
    'SELECT t::text FROM app.stubs';
"""

DISGUISES = r"""
CREATE FUNCTION evil.lower(text) RETURNS text LANGUAGE sql AS
    'SELECT email FROM public.customers WHERE id = 1';
CREATE FUNCTION public.upper(varchar) RETURNS text LANGUAGE sql AS
    'SELECT email FROM public.customers WHERE id = 1';
CREATE FUNCTION public.repeat(text, smallint) RETURNS text
    LANGUAGE sql AS 'SELECT email FROM public.customers WHERE id = 1';
CREATE FUNCTION evil.concat_them(text, text) RETURNS text LANGUAGE sql AS
    'SELECT email FROM public.customers WHERE id = 1';
CREATE OPERATOR evil.|| (LEFTARG = text, RIGHTARG = text,
    FUNCTION = evil.concat_them);
CREATE FUNCTION evil.like_them(text, text) RETURNS bool LANGUAGE sql AS
    'SELECT left(email, 1) = ''b'' FROM public.customers WHERE id = 1';
CREATE OPERATOR evil.~~ (LEFTARG = text, RIGHTARG = text,
    FUNCTION = evil.like_them);
"""

# each gives the canary when asked directly
LEAKS = (
    "SELECT email_of(1)",
    "SELECT public.email_of(1)",
    'SELECT "email_of"(1)',
    "SELECT email_atomic(1)",
    "SELECT email_pl(1)",
    "SELECT email_dynamic(1)",
    "SELECT email_through(1)",
    "SELECT email_xml(1)",
    "SELECT email_row(1)",
    "SELECT email_renamed(1)",
    "SELECT said FROM email_rows()",
    "SELECT * FROM email_rows() AS x (a, b)",
    "SELECT (email_rows()).said",
    "SELECT email_default()",
    "SELECT email_of_order(o) FROM orders o LIMIT 1",
    "SELECT o.email_of_order FROM orders o LIMIT 1",
    "SELECT (o).email_of_order FROM orders o LIMIT 1",
    "SELECT email_quoted(1)",
    "CALL email_procedure('1')",
    "SELECT email_aggregate(1)",
    "SELECT email_aggregate(x) OVER () FROM generate_series(1, 1) x",
    "SELECT 1 ### ''",
    "SELECT 1 OPERATOR(public.###) ''",
    "SELECT upper(seen) FROM app.shown LIMIT 1",
    "SELECT seen FROM app.shown LIMIT 1",
    "SELECT seen FROM app.kept LIMIT 1",
    "SELECT seen FROM app.written",
    "SELECT seen FROM app.joined LIMIT 1",
    "SELECT lower(loud) FROM app.people",
    "SELECT usual FROM app.people",
    "SELECT x FROM (SELECT email_of(1) AS x) y",
    "WITH x AS (SELECT email_of(1) AS y) SELECT y FROM x",
    "SELECT coalesce(NULL, email_of(1))",
    "SELECT lower(seen) FROM app.kept LIMIT 1",
)

CASTING = (
    "SELECT ticket_of(1)::text",
    "SELECT CAST(ROW(1)::ticket AS text)",
    "SELECT t::text FROM app.stubs",
    "SELECT t::pg_catalog.text FROM app.stubs",
    "SELECT through_cast()",
)

# as many rows, the same values as directly
FREE = (
    "SELECT id, add_tax(quantity) FROM orders ORDER BY id LIMIT 5",
    "SELECT count_orders(1)",
    "SELECT city_of(1), city_of(2)",
    "SELECT joined(id ORDER BY id) FROM orders WHERE id < 5",
    "SELECT 1 ~~~ 2, 1 ~~~ 9",
    "SELECT 4::even",
    "SELECT gross FROM app.taxed ORDER BY id LIMIT 5",
    "SELECT upper(gross::text) FROM app.taxed ORDER BY id LIMIT 5",
    "SELECT similarity('word', 'two words')",
    "SELECT 'word' % 'words'",
    "SELECT 'a=>1'::hstore -> 'a', akeys('b=>2'::hstore)",
    "SELECT lower('ABC'::citext), replace('abc'::citext, 'B', 'x')",
    "SELECT abs(-5), abs(ROW(-1, 'EUR')::money2)::text",
    "SELECT count(*), max(ordered_at)::text FROM orders WHERE quantity > 2",
    "SELECT 'x'::citext = 'X', 1 = 1, 1 IN (1, 2), 'a' LIKE 'a%'",
    "SELECT pg_catalog.lower('ABC')",
)


def policy():
    p = harness.default_policy()
    p["protect"] = [one for one in p["protect"] if "values" not in one]
    p["protect"].append({"name": "mail", "columns": ["app.people.mail"],
                         "mask": "redact", "clear_for": [{"agent": "none"}]})
    p["rules"] += [
        {"name": "writes to app", "does": ["write"], "to": ["app.*"],
         "then": "allow"},
        {"name": "calls", "does": ["call"], "then": "allow"}]
    return p


def prepared(world, more="", **changes):
    s = world.prepare(database=world.pg.copy_of_shop(), policy=policy(),
                      **changes)
    world.pg.psql(s.database, "-q", "-v", "ON_ERROR_STOP=1", "-c",
                  "GRANT USAGE ON SCHEMA public TO public")
    with world.pg.connect(s.database) as c:
        c.execute(CODE)
        c.execute("GRANT ALL ON ALL TABLES IN SCHEMA app, public TO public")
        c.execute("GRANT USAGE ON SCHEMA app, evil TO public")
        if more:
            c.execute(more)
    return s.start()


def seen(connection, sql):
    """All that a client sees of it."""
    try:
        return repr(connection.execute(sql).fetchall())
    except psycopg.Error as e:
        return f"{e} {e.diag.message_detail} {e.diag.context}"


def test_code_that_reads_protected_columns_is_masked(world):
    s = prepared(world)
    wrong = []
    with s.connect() as c, world.pg.connect(s.database) as direct:
        for sql in LEAKS:
            assert CANARY in seen(direct, sql).lower(), (
                sql, seen(direct, sql))
            if CANARY in seen(c, sql).lower():
                wrong.append(sql)
    assert not wrong, wrong


def test_casts_that_read_protected_columns_are_masked(world):
    s = prepared(world, CASTS)
    with s.connect() as c, world.pg.connect(s.database) as direct:
        for sql in CASTING:
            assert CANARY in seen(direct, sql), (sql, seen(direct, sql))
            assert CANARY not in seen(c, sql), sql
        assert seen(c, "SELECT 5::numeric") == "[(Decimal('5'),)]"


def test_code_that_reads_nothing_protected_is_left_alone(world):
    s = prepared(world)
    wrong = []
    with s.connect() as c, world.pg.connect(s.database) as direct:
        for sql in FREE:
            if seen(c, sql) != seen(direct, sql):
                wrong.append((sql, seen(c, sql), seen(direct, sql)))
    assert not wrong, wrong


def test_search_path_and_better_matches_disguise_no_function(world):
    s = prepared(world, DISGUISES)
    with s.connect() as c, world.pg.connect(s.database) as direct:
        c.execute("SET search_path = evil, pg_catalog, public")
        direct.execute("SET search_path = evil, pg_catalog, public")
        for sql in ("SELECT lower('ABC')", "SELECT 'a' || 'b'",
                    "SELECT evil.lower('x')", "SELECT upper('x'::varchar)",
                    "SELECT repeat('x', 2::smallint)"):
            assert CANARY in seen(direct, sql), sql
            assert CANARY not in seen(c, sql), sql
        assert seen(c, "SELECT pg_catalog.lower('ABC')") == "[('abc',)]"
        record = s.sink.statement("'?' || '?'")
        assert "unknown-function" in record["traits"], record
        for sql in ("SELECT lower('ABC')", "SELECT upper('x'::varchar)",
                    "SELECT 1 WHERE 'a' LIKE 'b'", "SELECT 1 ~~~ 2",
                    "SELECT 4::even"):
            seen(c, sql)
            record = s.sink.find("statement")[-1]
            assert "unknown-function" in record["traits"], record


def test_functions_of_trusted_extensions_are_not_unknown(world):
    s = prepared(world)
    with s.connect() as c:
        for sql in ("SELECT similarity('a', 'b')", "SELECT 1 = 1",
                    "SELECT replace('abc'::citext, 'B', 'x')",
                    "SELECT abs(-1)", "SELECT o.quantity FROM orders o LIMIT 1"):
            c.execute(sql)
            record = s.sink.find("statement")[-1]
            assert not {"unknown-function", "opaque-function"} & set(
                record["traits"]), record


def test_procedure_that_stores_protected_values_is_refused(world):
    s = prepared(world, """
        CREATE TABLE app.copies (mail text);
        CREATE FUNCTION copy_mail() RETURNS void LANGUAGE sql AS
            'INSERT INTO app.copies SELECT email FROM public.customers'""")
    with s.connect() as c:
        with raises(psycopg.errors.InsufficientPrivilege):
            c.execute("SELECT copy_mail()")
        row = seen(c, "SELECT add_customer(5001, 'x@y.example')")
        assert row == "[(5001,)]", row
    assert world.pg.ask("SELECT count(*) FROM app.copies",
                        s.database) == [(0,)]


def test_rule_that_copies_protected_values_is_refused(world):
    s = prepared(world)
    with s.connect() as c:
        with raises(psycopg.errors.InsufficientPrivilege):
            c.execute("INSERT INTO app.logged VALUES (1, 'x')")
        record = s.sink.statement("app . logged")
        assert {"protected", "copies-protected"} <= set(record["traits"])
        assert seen(c, "SELECT upper('x'), count(*) FROM app.logged") == \
            "[('X', 0)]"
        assert seen(c, "INSERT INTO app.counted VALUES (1) RETURNING id + 1"
                    ) == "[(2,)]"


def test_foreign_table_shares_the_protection_of_its_relation(world):
    s = prepared(world)
    with world.pg.connect(s.database) as c:
        c.execute(f"""
            CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw
                OPTIONS (host '127.0.0.1', port '{world.pg.port}',
                         dbname '{s.database}');
            CREATE USER MAPPING FOR sallyport SERVER loop
                OPTIONS (user 'owner', password_required 'false');
            CREATE USER MAPPING FOR owner SERVER loop
                OPTIONS (user 'owner');
            CREATE FOREIGN TABLE app.far (id int, m text
                OPTIONS (column_name 'email'), city text) SERVER loop
                OPTIONS (schema_name 'public', table_name 'customers');
            GRANT ALL ON app.far TO public""")
    sql = "SELECT {} FROM app.far WHERE id = 1"
    with s.connect() as c, world.pg.connect(s.database) as direct:
        for what in ("m", "upper(m)", "far", "to_json(far)"):
            assert CANARY in seen(direct, sql.format(what)).lower(), what
            assert CANARY not in seen(c, sql.format(what)).lower(), what
        assert seen(c, sql.format("city")) == seen(direct, sql.format("city"))
        assert seen(c, sql.format("m")) == "[('b***@example.org',)]"


def test_function_made_a_moment_ago_is_looked_up(world):
    s = prepared(world)
    with s.connect(prepare_threshold=None) as c:
        c.execute("SELECT add_tax(1)")
        with world.pg.connect(s.database) as direct:
            direct.execute("CREATE FUNCTION fresh() RETURNS text LANGUAGE sql "
                           "AS 'SELECT email FROM customers WHERE id = 1'; "
                           "CREATE FUNCTION fresh_free() RETURNS int "
                           "LANGUAGE sql AS 'SELECT 7'")
        assert CANARY not in seen(c, "SELECT fresh()")
        harness.until(lambda: seen(c, "SELECT fresh_free()") == "[(7,)]",
                      "the new function to be known")
        assert CANARY not in seen(c, "SELECT fresh()")


def test_every_function_of_the_server_is_on_one_list(world):
    lists = listed()
    names = [name for part in ("clean", "opaque", "escaping")
             for name in lists[part]]
    twice = {name for name in names if names.count(name) > 1}
    there = {name for name, in world.pg.ask(
        "SELECT DISTINCT proname::text FROM pg_proc WHERE pronamespace = "
        "'pg_catalog'::regnamespace AND oid < 16384 AND prorettype NOT IN ("
        "SELECT oid FROM pg_type WHERE typname IN ('internal', 'trigger', "
        "'event_trigger', 'language_handler', 'fdw_handler', "
        "'index_am_handler', 'table_am_handler', 'tsm_handler', 'cstring')) "
        "AND NOT proargtypes::oid[] && "
        "ARRAY['internal'::regtype::oid, 'cstring'::regtype::oid]")}
    assert not twice, sorted(twice)
    assert not there - set(names), sorted(there - set(names))


def test_no_clean_function_takes_a_relation_and_reads_its_rows(world):
    clean = set(listed()["clean"])
    reading = {"table_to_xml", "query_to_xml", "cursor_to_xml", "ts_stat",
               "ts_rewrite", "currtid2", "lo_get", "lo_open", "loread",
               "pg_read_file", "pg_read_binary_file", "pg_ls_dir",
               "pg_stat_file", "set_config", "nextval", "setval", "currval",
               "lastval", "pg_notify", "pg_stat_get_activity",
               "pg_stat_get_backend_activity", "pg_terminate_backend",
               "pg_cancel_backend", "pg_sequence_last_value",
               "pg_logical_emit_message", "pg_export_snapshot",
               "pg_mcv_list_items", "pg_stats_ext_mcvlist_items",
               "pg_cursor", "pg_prepared_statement", "dblink", "crosstab",
               "connectby", "xpath_table"}
    assert not clean & reading, clean & reading
    there = world.pg.ask("SELECT count(*) FROM pg_proc WHERE proname = ANY(%s"
                         ")".replace("%s", "ARRAY['" + "','".join(
                             sorted(reading)) + "']"))
    assert there[0][0] >= 20


def listed():
    with open(os.path.join(harness.ROOT, "policies", "functions",
                           "postgres.yaml"), encoding="utf-8") as f:
        return yaml.load(f, Loader=harness.YAML_LOADER)
