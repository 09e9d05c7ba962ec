"""What everybody's tools say all day passes under the example policies,
with results as the database gives them."""

import difflib
import os
import subprocess

import alarms
import harness


def expect_no_alarm(world, *names):
    found = [c for name in names for c in alarms.false_alarms(world, name)]
    assert not found, f"{len(found)} false alarms\n" + "\n".join(found)


def test_names_and_literals_that_look_like_statements(world):
    expect_no_alarm(world, "names.sql")


def test_what_drivers_say_when_they_connect(world):
    expect_no_alarm(world, "connect.sql")


def test_what_orms_read(world):
    expect_no_alarm(world, "orm_reads.sql")


def test_what_orms_write(world):
    expect_no_alarm(world, "orm_writes.sql")


def test_temporary_tables_of_people_who_write(world):
    expect_no_alarm(world, "temporary.sql")


def test_tables_of_people_who_see_masks(world):
    expect_no_alarm(world, "own_tables.sql")


def test_what_bi_tools_read(world):
    expect_no_alarm(world, "bi.sql")


def test_what_agents_write_themselves(world):
    expect_no_alarm(world, "agents.sql")


def test_what_tools_ask_the_catalogue(world):
    expect_no_alarm(world, "introspection.sql")


# psql's commands that ask the catalogue, beside those of test_psql.
COMMANDS = """
    \\d+ articles|\\d articles_id_seq|\\d "Order Items"|\\dS pg_class|\\da|\\dA
    \\dA+|\\dAc|\\dAf|\\dAo btree|\\dAp btree|\\db|\\dc|\\dC|\\dd|\\dD|\\dD+|\\ddp
    \\dE|\\det|\\des+|\\deu|\\dew|\\df|\\df+ upper|\\dF|\\dF+ english|\\dFd|\\dFp
    \\dFt|\\dg|\\dg+|\\di|\\dl|\\dL|\\dL+|\\dm|\\dm+|\\dn+|\\do ||\\dO|\\dp|\\dP
    \\drds|\\dRp|\\dRp+|\\dRs|\\ds|\\ds+|\\dt *.*|\\dt+ public.*|\\dtS pg_c*|\\dT
    \\dT+ article_state|\\du|\\dv|\\dv+ contacts|\\dx|\\dX|\\dy|\\dconfig work*
    \\l pristine|\\z|\\z orders|\\sf pg_catalog.lower(text)|\\sv contacts|\\encoding"""


def psql_commands():
    words = COMMANDS.replace("\\do ||", "\\do =|").replace("\n", "|")
    return [c.strip() for c in words.split("|") if c.strip()]


def test_psql_describes_whatever_there_is(world):
    database = alarms.blog(world)
    s = world.sallyport(policy=alarms.policy_of(["read-only-agent"]),
                        identities=alarms.identities(), database=database)
    options = [o for i, c in enumerate(psql_commands())
               for o in ("-c", f"\\echo = {i}", "-c", c)]
    direct = subprocess.run(
        ["psql", "-X", "-A", "-h", world.pg.folder, "-p", str(world.pg.port),
         "-U", "sallyport", "-d", database, *options],
        capture_output=True, text=True, check=True)
    shown = s.psql("", arguments=("-P", "tuples_only=off", *options))
    assert "ERROR" not in direct.stderr, direct.stderr
    assert shown.stderr == direct.stderr, shown.stderr
    wrong = list(difflib.unified_diff(direct.stdout.splitlines(),
                                      shown.stdout.splitlines(), lineterm=""))
    assert len(direct.stdout.split("\n= ")) == len(psql_commands())
    assert not wrong, "\n".join(wrong)


def test_pg_dump_of_the_schema(world):
    database = alarms.blog(world)
    s = world.sallyport(policy=alarms.policy_of(["read-only-agent"]),
                        identities=alarms.identities(), database=database)
    dumps = [subprocess.run(
        ["pg_dump", "--schema-only", "-d", database, *where],
        env={**os.environ, "PGPASSWORD": harness.PASSWORDS["copilot"]},
        capture_output=True, text=True, check=False) for where in (
            ("-h", world.pg.folder, "-p", str(world.pg.port),
             "-U", "sallyport"),
            ("-h", "127.0.0.1", "-p", str(s.port), "-U", "alice+copilot"))]
    assert not dumps[0].stderr, dumps[0].stderr
    assert "CREATE TABLE public.customers" in dumps[0].stdout
    assert not dumps[1].stderr, dumps[1].stderr
    # \restrict has a key that each run makes up
    wrong = list(difflib.unified_diff(
        *([line for line in d.stdout.splitlines() if "restrict " not in line]
          for d in dumps), lineterm="", n=1))
    assert not wrong, "\n".join(wrong)


def test_django_asks_and_inspects(world):
    s = world.sallyport(policy=alarms.policy_of(["read-only-agent"]),
                        identities=alarms.identities())
    script = os.path.join(alarms.HERE, "django_shop.py")
    ways = [(world.pg.folder, world.pg.port, "sallyport", ""),
            ("127.0.0.1", s.port, "alice+copilot",
             harness.PASSWORDS["copilot"])]
    direct, through = [subprocess.run(
        ["/usr/bin/python3", script, *map(str, way), "shop"],
        capture_output=True, text=True, check=False) for way in ways]
    assert not direct.returncode, direct.stderr
    assert not through.returncode, through.stderr
    assert through.stdout == direct.stdout, through.stdout


def test_support_desk_and_batch_job(world):
    expect_no_alarm(world, "support.sql", "batch.sql")


# Beside what passes above stands what must not.
STILL_REFUSED = [
    "SELECT set_config('sallyport.user', 'carol', false)",
    "SELECT set_config(name, 'carol', false) FROM pg_settings "
    "WHERE name = 'sallyport.user'",
    "SELECT set_config(name, 'x', false) FROM pg_settings "
    "WHERE name = 'restrict_nonsystem_relation_kind' OR true",
    "SELECT set_config('search_path', city, false) FROM customers",
    "SELECT set_config('a.b', 'c', false), pg_read_file('PG_VERSION')",
    "SELECT information_schema.nix(1)",
    "SELECT public._pg_expandarray(ARRAY[1])",
    "DROP TABLE \"delete\"",
    "DELETE FROM \"delete\" WHERE \"from\" = 'x'",
    "UPDATE \"update\" SET \"set\" = 'x' WHERE id = 1",
    "SELECT 1 /* ' */; DROP TABLE orders; --'",
]


def refusal(connection, sql):
    """The words of a refusal."""
    answer = connection.pgconn.exec_(sql.encode())
    return answer.error_message.decode() if answer.status == alarms.FATAL \
        else f"not refused: {sql}"


def test_what_looks_like_them_is_still_refused(world):
    database = alarms.blog(world)
    s = world.sallyport(policy=alarms.policy_of(["read-only-agent"]),
                        identities=alarms.identities(), database=database)
    with s.connect() as c:
        wrong = [sql for sql in STILL_REFUSED
                 if "statement refused" not in refusal(c, sql)]
    assert not wrong, wrong


def test_somebody_elses_set_config_is_no_setting(world):
    database = alarms.blog(world)
    world.pg.ask("CREATE FUNCTION public.set_config(text, text, boolean) "
                 "RETURNS text LANGUAGE sql AS 'SELECT email FROM customers "
                 "LIMIT 1'", database)
    s = world.sallyport(policy=alarms.policy_of(["read-only-agent"]),
                        identities=alarms.identities(), database=database)
    with s.connect() as c:
        assert "statement refused" in refusal(
            c, "SELECT set_config('bytea_output', 'hex', false)")


def test_upserts_of_a_query_need_a_person(world):
    database = alarms.blog(world)
    s = world.sallyport(policy=alarms.policy_of(["dba-approval"]),
                        identities=alarms.identities(), database=database)
    with s.connect("alice") as c:
        c.execute("INSERT INTO authors (id, handle) VALUES (1, 'x') "
                  "ON CONFLICT (id) DO UPDATE SET handle = 'author1'")
        assert "nobody approved it" in refusal(
            c, "INSERT INTO authors (id, handle) SELECT id, handle "
            "FROM authors ON CONFLICT (id) DO UPDATE SET handle = 'x'")
        assert "nobody approved it" in refusal(
            c, "WITH gone AS (DELETE FROM comments) INSERT INTO authors (id, "
            "handle) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET "
            "handle = 'x'")
