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


def next_record(s, before):
    """The record of the next statement, when it has come."""
    harness.until(lambda: len(s.sink.find("statement")) > before,
                  "the statement to be recorded")
    return s.sink.find("statement")[before]


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
        s.sink.statement("pg_catalog . lower")
        for sql in ("SELECT lower('ABC')", "SELECT upper('x'::varchar)",
                    "SELECT 1 WHERE 'a' LIKE 'b'", "SELECT 1 ~~~ 2",
                    "SELECT 4::even"):
            before = len(s.sink.find("statement"))
            seen(c, sql)
            record = next_record(s, before)
            assert "unknown-function" in record["traits"], record


def test_functions_of_trusted_extensions_are_not_unknown(world):
    s = prepared(world)
    with s.connect() as c:
        for sql in ("SELECT similarity('a', 'b')", "SELECT 1 = 1",
                    "SELECT replace('abc'::citext, 'B', 'x')",
                    "SELECT abs(-1)", "SELECT o.quantity FROM orders o LIMIT 1"):
            before = len(s.sink.find("statement"))
            c.execute(sql)
            record = next_record(s, before)
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


# What runs without being named. The client may write to everything in app.
ATTACHED = r"""
CREATE TABLE app.inbox (id serial PRIMARY KEY, word text, at timestamptz);
CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.word := (SELECT email FROM public.customers WHERE id = 1);
    RETURN NEW;
END $$;
CREATE FUNCTION spread() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO app.heard SELECT email FROM public.customers;
    RETURN NULL;
END $$;
CREATE FUNCTION dynamic() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'SELECT em' || 'ail FROM public.cust' || 'omers WHERE id = 1'
        INTO NEW.word;
    RETURN NEW;
END $$;
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.at := '2026-01-01'; RETURN NEW; END $$;
CREATE FUNCTION audited() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO app.trail VALUES (TG_OP, to_jsonb(coalesce(NEW, OLD)));
    RETURN NULL;
END $$;
CREATE FUNCTION looked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.customers WHERE email = NEW.word) THEN
        RAISE NOTICE 'nobody but %', (SELECT min(email) FROM public.customers);
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION copying(n int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO app.heard SELECT email FROM public.customers;
    RETURN n;
END $$;
CREATE TABLE app.trail (what text, row jsonb);

CREATE TABLE app.filled (LIKE app.inbox INCLUDING ALL);
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON app.filled
    FOR EACH ROW EXECUTE FUNCTION fill();
CREATE VIEW app.filled_view AS SELECT id, word FROM app.filled;
CREATE FUNCTION write_filled() RETURNS void LANGUAGE sql AS
    'INSERT INTO app.filled DEFAULT VALUES';
CREATE TABLE app.parent (LIKE app.inbox INCLUDING ALL) PARTITION BY RANGE (id);
CREATE TABLE app.part PARTITION OF app.parent FOR VALUES FROM (0) TO (1000000);
CREATE TRIGGER t BEFORE INSERT ON app.part
    FOR EACH ROW EXECUTE FUNCTION fill();
CREATE TABLE app.whole (LIKE app.inbox INCLUDING ALL) PARTITION BY RANGE (id);
CREATE TABLE app.whole_part PARTITION OF app.whole
    FOR VALUES FROM (0) TO (1000000);
CREATE TRIGGER t AFTER INSERT ON app.whole
    FOR EACH ROW EXECUTE FUNCTION spread();
CREATE TABLE app.spreading (LIKE app.inbox INCLUDING ALL);
CREATE TRIGGER t AFTER INSERT OR DELETE ON app.spreading
    FOR EACH STATEMENT EXECUTE FUNCTION spread();
CREATE TRIGGER u AFTER TRUNCATE ON app.spreading
    FOR EACH STATEMENT EXECUTE FUNCTION spread();
CREATE TABLE app.owner (id int PRIMARY KEY);
INSERT INTO app.owner VALUES (1);
CREATE TABLE app.owned (id int REFERENCES app.owner ON DELETE CASCADE);
CREATE TRIGGER t AFTER DELETE ON app.owned
    FOR EACH ROW EXECUTE FUNCTION spread();
CREATE TABLE app.referred (id int PRIMARY KEY);
CREATE TABLE app.referring (id int REFERENCES app.referred);
CREATE TRIGGER t BEFORE TRUNCATE ON app.referring
    FOR EACH STATEMENT EXECUTE FUNCTION spread();
CREATE VIEW app.instead AS SELECT 1 AS id, 'x'::text AS word;
CREATE TRIGGER t INSTEAD OF INSERT ON app.instead
    FOR EACH ROW EXECUTE FUNCTION fill();
CREATE TABLE app.defaulted (id int, n int DEFAULT copying(1));
CREATE TABLE app.checked (id int CHECK (copying(id) = id));
CREATE DOMAIN app.checked_id AS int CHECK (copying(VALUE) = VALUE);
CREATE TABLE app.checked_by_domain (id app.checked_id);
CREATE TABLE app.secured (id int);
INSERT INTO app.secured VALUES (1);
ALTER TABLE app.secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON app.secured USING (copying(id) = id);
CREATE TABLE app.chained (LIKE app.inbox INCLUDING ALL);
CREATE FUNCTION chain() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO app.filled DEFAULT VALUES; RETURN NULL; END';
CREATE TRIGGER t AFTER INSERT ON app.chained
    FOR EACH ROW EXECUTE FUNCTION chain();

CREATE TABLE app.open (LIKE app.inbox INCLUDING ALL);
CREATE TRIGGER t BEFORE INSERT ON app.open
    FOR EACH ROW EXECUTE FUNCTION dynamic();

CREATE TABLE app.dated (LIKE app.inbox INCLUDING ALL);
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON app.dated
    FOR EACH ROW EXECUTE FUNCTION touched();
CREATE TABLE app.logged_rows (LIKE app.inbox INCLUDING ALL);
CREATE TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON app.logged_rows
    FOR EACH ROW EXECUTE FUNCTION audited();
CREATE TRIGGER t AFTER INSERT OR UPDATE ON customers
    FOR EACH ROW EXECUTE FUNCTION audited();
CREATE TABLE app.looking (LIKE app.inbox INCLUDING ALL);
CREATE TRIGGER t BEFORE INSERT ON app.looking
    FOR EACH ROW EXECUTE FUNCTION looked();
INSERT INTO app.dated (id, word) VALUES (500, 'old');
INSERT INTO app.logged_rows (id, word) VALUES (500, 'old');
CREATE TABLE app.off (LIKE app.inbox INCLUDING ALL);
CREATE TRIGGER t BEFORE INSERT ON app.off
    FOR EACH ROW EXECUTE FUNCTION fill();
ALTER TABLE app.off DISABLE TRIGGER t;
GRANT ALL ON ALL SEQUENCES IN SCHEMA app, public TO public;
"""

# each leaves an address where it can be read, when run directly
COPYING = (
    "INSERT INTO app.filled DEFAULT VALUES RETURNING word",
    "INSERT INTO app.filled (word) VALUES ('x')",
    "WITH w AS (INSERT INTO app.filled DEFAULT VALUES RETURNING *) "
    "SELECT word FROM w",
    "UPDATE app.filled SET at = now()",
    "MERGE INTO app.filled USING (SELECT 1) s ON false WHEN NOT MATCHED THEN "
    "INSERT (id) VALUES (5)",
    "INSERT INTO app.filled_view DEFAULT VALUES",
    "SELECT write_filled()",
    "INSERT INTO app.parent DEFAULT VALUES RETURNING word",
    "INSERT INTO app.part DEFAULT VALUES",
    "INSERT INTO app.whole DEFAULT VALUES",
    "INSERT INTO app.whole_part DEFAULT VALUES",
    "INSERT INTO app.spreading DEFAULT VALUES",
    "DELETE FROM app.spreading",
    "TRUNCATE app.spreading",
    "DELETE FROM app.owner",
    "TRUNCATE app.referred CASCADE",
    "INSERT INTO app.instead VALUES (1, 'x') RETURNING word",
    "INSERT INTO app.defaulted (id) VALUES (1)",
    "INSERT INTO app.checked VALUES (1)",
    "INSERT INTO app.checked_by_domain VALUES (1)",
    "SELECT id FROM app.secured",
    "INSERT INTO app.chained DEFAULT VALUES",
)

# as directly
HARMLESS = (
    "INSERT INTO app.dated (word) VALUES ('x') RETURNING id, word, at",
    "UPDATE app.dated SET word = 'y' WHERE id > 0 RETURNING word, at",
    "INSERT INTO app.logged_rows (word) VALUES ('x') RETURNING word",
    "DELETE FROM app.logged_rows WHERE id > 0 RETURNING upper(word)",
    "UPDATE customers SET city = city WHERE id = 1 RETURNING id, city",
    "INSERT INTO app.looking (word) VALUES ('x') RETURNING id, word",
    "INSERT INTO app.off (word) VALUES ('x') RETURNING word",
    "INSERT INTO orders (id, customer_id, product, quantity, ordered_at) "
    "VALUES (90001, 1, 'x', 1, now()) RETURNING id, quantity + 1",
)


def open_policy():
    """What is refused is refused for what it would show."""
    p = policy()
    p["rules"] = [
        {"name": "everything", "does": ["any"], "then": "allow"},
        {"name": "code", "does": ["any"], "has": ["unknown-function"],
         "then": "allow"}]
    p.pop("examples")
    return p


def attached(world):
    policy = open_policy()
    policy["rules"].append({"name": "triggers that run any text",
                            "has": ["escaping-function"], "then": "allow"})
    s = world.prepare(database=world.pg.copy_of_shop(), policy=policy)
    with world.pg.connect(s.database) as c:
        c.execute(CODE)
        c.execute(ATTACHED)
        c.execute("GRANT USAGE ON SCHEMA app, public TO public; GRANT ALL ON "
                  "ALL TABLES IN SCHEMA app, public TO public")
    return s.start()


def count(world, s):
    return world.pg.ask(
        "SELECT (SELECT count(*) FROM app.heard) + (SELECT count(*) FROM "
        "app.filled) + (SELECT count(*) FROM app.parent)", s.database)


def test_trigger_that_stores_protected_values_is_refused(world):
    s = attached(world)
    wrong = []
    with s.connect() as c:
        before = count(world, s)
        for sql in COPYING:
            if "statement refused: " not in seen(c, sql):
                wrong.append((sql, seen(c, sql)))
        assert not wrong, wrong
        assert count(world, s) == before
        record = s.sink.statement("app . owner")
        assert "copies-protected" in record["traits"], record
    with world.pg.connect(s.database) as direct:
        for sql in COPYING:
            direct.execute("TRUNCATE app.heard; ALTER TABLE app.filled "
                           "DISABLE TRIGGER t; INSERT INTO app.filled (word) "
                           "VALUES ('old') ON CONFLICT DO NOTHING; "
                           "ALTER TABLE app.filled ENABLE TRIGGER t; "
                           "INSERT INTO app.owner VALUES (1) ON CONFLICT "
                           "DO NOTHING; INSERT INTO app.owned VALUES (1); "
                           "SET ROLE sallyport")
            got = seen(direct, sql).lower()
            direct.execute("RESET ROLE")
            left = direct.execute(
                "SELECT (SELECT count(*) FROM app.heard) + (SELECT count(*) "
                "FROM app.filled WHERE word <> 'old') + (SELECT count(*) FROM "
                "app.parent)").fetchone()
            assert CANARY in got or left[0] > 0, (sql, got)
            direct.execute("TRUNCATE app.filled, app.parent")


def test_rows_that_an_unreadable_trigger_fills_are_masked(world):
    s = attached(world)
    with s.connect() as c, world.pg.connect(s.database) as direct:
        for sql in ("INSERT INTO app.open DEFAULT VALUES RETURNING word",
                    "INSERT INTO app.open DEFAULT VALUES RETURNING upper(word)",
                    "WITH w AS (INSERT INTO app.open DEFAULT VALUES "
                    "RETURNING word) SELECT word FROM w"):
            assert CANARY in seen(direct, sql).lower(), sql
            assert "[redacted]" in seen(c, sql), (sql, seen(c, sql))
        assert seen(c, "INSERT INTO app.open DEFAULT VALUES") == \
            seen(direct, "INSERT INTO app.open DEFAULT VALUES")


def test_triggers_that_read_nothing_else_are_left_alone(world):
    s = attached(world)
    notices = []
    with s.connect() as c, world.pg.connect(s.database) as direct:
        c.add_notice_handler(lambda n: notices.append(n.message_primary))
        for sql in HARMLESS:
            with direct.transaction(force_rollback=True):
                want = seen(direct, sql)
            direct.execute("SELECT setval(c.oid, 1, false) FROM pg_class c "
                           "WHERE relkind = 'S' AND relnamespace = "
                           "'app'::regnamespace")
            with c.transaction(force_rollback=True):
                got = seen(c, sql)
            assert got == want, (sql, got, want)
    assert len(notices) == 1 and CANARY not in notices[0], notices


FREE_BLOCKS = (
    "DO $$ BEGIN INSERT INTO app.heard VALUES ('x'); END $$",
    "DO $$ DECLARE n int; BEGIN SELECT count(*) INTO n FROM customers; "
    "IF n > 1 THEN DELETE FROM app.heard; END IF; END $$",
    "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_type WHERE typname = 'moods') "
    "THEN RAISE NOTICE 'none'; END IF; END $$",
    "DO LANGUAGE plpgsql $$ BEGIN PERFORM city FROM customers; END $$",
)
BLOCKS = (
    "DO $$ BEGIN PERFORM email FROM customers; END $$",
    "DO $$ BEGIN RAISE NOTICE '%', (SELECT c FROM customers c LIMIT 1); END $$",
    "DO 'BEGIN PERFORM \"email\" FROM customers; END'",
    "DO E'BEGIN PERFORM em\\x61il FROM customers; END'",
    "DO $$ BEGIN EXECUTE 'SELECT 1'; END $$",
    "DO $$ BEGIN PERFORM email_of(1); END $$",
    "DO $$ BEGIN PERFORM email_dynamic(1); END $$",
    "DO $$ BEGIN PERFORM query_to_xml('select 1', true, false, ''); END $$",
    "DO $$ BEGIN PERFORM upper(seen) FROM app.shown; END $$",
    "DO $$ BEGIN INSERT INTO app.filled DEFAULT VALUES; END $$",
    "DO $$ BEGIN SET client_min_messages = debug; END $$",
    "DO LANGUAGE plperl $$ 1 $$",
)


def test_block_that_mentions_what_is_protected_is_refused(world):
    s = attached(world)
    refused = "statement refused: the block "
    with s.connect() as c:
        for sql in BLOCKS:
            assert refused in seen(c, sql), (sql, seen(c, sql))
        for sql in FREE_BLOCKS:
            c.execute(sql)
        # for those who see everything it is their own business
    with s.connect("carol") as c:
        c.execute(BLOCKS[0])


MADE = (
    ("CREATE OPERATOR app.= (LEFTARG = text, RIGHTARG = text, FUNCTION = "
     "text_gt)",
     "SELECT id FROM customers WHERE email = 'b'"),
    ("CREATE TEMP VIEW v AS SELECT email_dynamic(1) AS m",
     "SELECT 1 FROM v WHERE m LIKE 'b%'"),
    ("CREATE FUNCTION app.yes(int) RETURNS bool LANGUAGE sql AS 'SELECT "
     "email LIKE ''b%'' FROM public.customers WHERE id = $1'",
     "SELECT id FROM orders WHERE app.yes(id)"),
    ("CREATE FUNCTION app.same(int, int) RETURNS bool LANGUAGE sql AS "
     "'SELECT email LIKE ''b%'' FROM public.customers WHERE id = $1'; "
     "CREATE OPERATOR app.~~~~ (LEFTARG = int, RIGHTARG = int, FUNCTION = "
     "app.same)",
     "SELECT id FROM orders WHERE id OPERATOR(app.~~~~) 1"),
    ("DO $$ BEGIN CREATE VIEW app.v AS SELECT 1; END $$",
     "SELECT id FROM orders WHERE id = 1"),
)


def test_what_a_transaction_made_is_not_used_before_it_is_committed(world):
    policy = open_policy()
    policy["rules"].append({"name": "functions that run any text",
                            "has": ["escaping-function"], "then": "allow"})
    s = world.prepare(database=world.pg.copy_of_shop(), policy=policy)
    with world.pg.connect(s.database) as c:
        c.execute(CODE)
        c.execute("GRANT ALL ON ALL TABLES IN SCHEMA app, public TO public; "
                  "GRANT ALL ON SCHEMA app, public TO public; "
                  "ALTER TABLE customers OWNER TO sallyport")
    s.start()
    with s.connect() as c:
        for made, used in MADE:
            with c.transaction(force_rollback=True):
                if made.startswith("DO"):  # is not even let through
                    assert "the block may" in seen(c, made)
                    continue
                c.execute(made, prepare=False)
                assert "COMMIT" in seen(c, used), (used, seen(c, used))
            # in one message, and without any of it
            both = f"BEGIN; {made}; {used}; ROLLBACK"
            assert "COMMIT" in seen(c, both), (both, seen(c, both))
        assert seen(c, "SELECT id FROM customers WHERE email = 'b'") == "[]"
        with c.transaction(force_rollback=True):
            c.execute("CREATE TABLE app.fresh (id int)")
            c.execute("SELECT id FROM customers WHERE email = 'b'")
            c.execute("INSERT INTO app.fresh VALUES (1)")
