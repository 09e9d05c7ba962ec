"""What psql asks by itself, with its backslash commands, and what it is told
when something is wrong."""

import os

import psycopg
import yaml

import harness

SHIPPED = os.path.join(harness.ROOT, "policies", "examples",
                       "read-only-agent.yaml")
# The command, and what it shows.
COMMANDS = [
    ("\\d", "public|customers|table|owner"),
    ("\\d+", "public|customers|table|owner|permanent|heap"),
    ("\\d customers", '"customers_pkey" PRIMARY KEY, btree (id)'),
    ("\\d+ customers", "email|text||not null||extended"),
    ("\\d orders", "FOREIGN KEY (customer_id) REFERENCES customers(id)"),
    ("\\d payments_2025", "Partition of: payments"),
    ("\\d customers_pkey", 'primary key, btree, for table "public.customers"'),
    ("\\d+ contacts", "View definition"),
    ("\\d public.*", '"customers_email_key" UNIQUE CONSTRAINT'),
    ("\\dt", "public|orders|table|owner"),
    ("\\dt+", "public|orders|table|owner|permanent|heap"),
    ("\\dt cust*", "public|customers|table|owner"),
    ("\\dv+", "public|contacts|view|owner"),
    ("\\di+", "public|customers_pkey|index|owner|customers"),
    ("\\dP+", "public|payments|owner"),
    ("\\l pristine", "pristine|owner|UTF8"),
    ("\\l+ pristine", "pristine|owner|UTF8"),
    ("\\df pg_catalog.lower", "pg_catalog|lower|text|text|func"),
    ("\\df+ pg_catalog.lower", "pg_catalog|lower|text|text|func"),
    ("\\dn", "public|"),
    ("\\dn+", "public|"),
    ("\\du", "owner|Superuser"),
    ("\\du+", "sallyport|"),
    ("\\dp customers", "public|customers|table"),
    ("\\dx+", "function plpgsql_call_handler()"),
    ("\\db", "pg_default|owner"),
    ("\\dT", ""),
    ("\\dX", ""),
    ("\\sv pg_catalog.pg_tables", "CREATE OR REPLACE VIEW pg_catalog.pg"),
]


def shipped_policy():
    with open(SHIPPED, encoding="utf-8") as f:
        return yaml.load(f, Loader=harness.YAML_LOADER)


def test_psql_describes_tables_for_agents(world):
    s = world.sallyport(policy=shipped_policy())
    wrong = []
    for command, want in COMMANDS:
        direct = world.pg.psql("shop", "-A", "-c", command)
        shown = s.psql(command, arguments=("-P", "tuples_only=off"))
        if shown.returncode or shown.stderr or want not in shown.stdout \
                or shown.stdout != direct:
            wrong.append(f"{command}: {shown.stderr}{shown.stdout}"
                         f"; directly: {direct}")
    assert not wrong, "\n".join(wrong)


def test_functions_and_operators_of_others_stay_unknown(world):
    s = world.sallyport(policy=shipped_policy())
    for sql in ("SELECT 1 OPERATOR(public.~~~) 2", "SELECT operator(1)",
                "SELECT operator(o.*) FROM orders o",
                "SELECT pg_sequence_last_value(1)",
                "SELECT pg_mcv_list_items(NULL)"):
        refused = s.psql(sql)
        assert "only functions that are known" in refused.stderr, \
            (sql, refused.stderr)


def refusal(connection, sql):
    try:
        connection.execute(sql)
    except psycopg.Error as e:
        return e.diag.sqlstate, e.diag.message_primary
    raise AssertionError(f"not refused: {sql}")


def test_errors_keep_the_names_that_the_client_typed(world):
    s = world.sallyport()
    with s.connect() as c:
        for sql, want in [
                ("SELECT * FROM nix", 'relation "nix" does not exist'),
                ("SELECT nix FROM customers", 'column "nix" does not exist'),
                ("SELECT NIX FROM customers", 'column "nix" does not exist'),
                ("SELECT c.nix FROM customers c",
                 "column c.nix does not exist"),
                ("SELECT nix(body) FROM tickets",
                 "function nix(text) does not exist"),
                ("SELECT id FROM customers c, orders o",
                 'column reference "id" is ambiguous'),
                ("SELECT city FROM customers WHERE id = 1 1",
                 'syntax error at or near "1"')]:
            assert refusal(c, sql)[1] == want, (sql, refusal(c, sql))


def test_errors_that_quote_what_was_read_keep_nothing(world):
    """Even if the client typed the same: then it would learn that it is so."""
    s = world.prepare(database=world.pg.copy_of_shop())
    for protect in s.policy["protect"]:
        if "columns" in protect:
            protect["predicates"] = "allow"
    s.policy["rules"].append({"name": "functions that run any text",
                              "has": ["escaping-function"], "then": "allow"})
    s.write_all()
    s.start()
    world.pg.ask("""
        CREATE FUNCTION chatty(n int) RETURNS text LANGUAGE plpgsql AS $$
        DECLARE found text; BEGIN
            EXECUTE 'SELECT ' || (SELECT quote_ident(email) FROM customers
                                   WHERE id = n) INTO found;
            RETURN found;
        END $$;
        CREATE FUNCTION rude(n int) RETURNS text LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'column "%" does not exist',
                (SELECT email FROM customers WHERE id = n)
                USING ERRCODE = '42703';
        END $$""", s.database)
    email = "bruno.berger1@example.org"
    with s.connect() as c:
        for sql, want in (
                (f'SELECT chatty(1) AS "{email}"', "42703"),
                (f'SELECT rude(1) AS "{email}"', "42703"),
                ("SELECT split_part(email, '.', 1)::regclass AS bruno "
                 "FROM customers WHERE id = 1", "42P01"),
                (f'SELECT email::int AS "{email}" FROM customers', "22P02")):
            sqlstate, message = refusal(c, sql)
            assert sqlstate.startswith(want), (sql, sqlstate, message)
            assert "bruno" not in message, (sql, message)


def test_refusals_name_what_nobody_knows(world):
    s = world.sallyport()
    with s.connect() as c:
        assert '"slect" is no statement' in refusal(c, "slect 1")[1]
        assert "calls query_to_xml()" in refusal(
            c, "SELECT query_to_xml('SELECT 1', true, true, '')")[1]
    told = s.operate("explain", "-i", "alice+copilot", "-u", "shop",
                     "SELECT public.f(1)")
    assert "function    public.f\n" in told, told
