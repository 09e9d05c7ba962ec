"""What psql asks the catalogue by itself: its backslash commands."""

import os

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
    ("\\l", "shop|owner|UTF8"),
    ("\\l+", "shop|owner|UTF8"),
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
    ("\\sv pg_catalog.pg_tables", "CREATE OR REPLACE VIEW pg_catalog.pg_tables"),
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
