"""Real drivers: each runs the same scenario directly and through Sallyport
under a policy that allows everything, and sees exactly the same; then each
reads customers in every way it knows under the shop's policy, and sees
masked values that it can decode, and nothing in clear."""

import contextlib
import difflib
import glob
import os
import subprocess
import tempfile

import harness

HERE = os.path.dirname(os.path.abspath(__file__))
ALLOW_ALL = {"rules": [
    {"name": "everything", "does": ["any", "unknown"], "then": "allow"},
    {"name": "what reaches out", "does": ["any", "unknown"],
     "has": ["escaping-function"], "then": "allow"}]}
LINES_MAX = 400  # of differences shown
PATIENCES = 12  # for each test: drivers may be slow to start
LIMIT_S = harness.PATIENCE * 4  # for a driver's run, of which it has two
JDBC = "/usr/share/java/postgresql.jar"

# The scenario. Each step has connections of its own; what it saw is printed
# as lines that start with its name.
SCENARIO = {
    "connection": "what the server says at login; startup options",
    "types": "a value of every type, arrays, NULLs, read as text",
    "binary": "the same in binary, where the driver can",
    "parameters": "what was read goes back as parameters, and is the same",
    "prepared": "a statement used 20 times, others beside it",
    "transaction": "savepoints, an error in the middle, commit, rollback",
    "cursor": "rows a few at a time, and not all of them",
    "batch": "many statements at once, one of them wrong",
    "several": "several statements in one query, one of them wrong",
    "copy": "in and out, text, CSV and binary, given up, wrong data",
    "notify": "LISTEN and NOTIFY between two connections",
    "cancel": "a running statement is cancelled; a timeout",
    "errors": "every field of an error",
    "large": "values of 5 MB in and out; many rows",
    "columns": "1600 columns, 1600 parameters",
    "notices": "every field of a notice",
    "settings": "time zone, date style, search_path, role",
    "lexing": "standard_conforming_strings off and on again",
    "two": "two connections wait for each other's lock",
    "socket": "a Unix socket",
    "empty": "no statement, no rows, no columns",
    "functions": "fast-path calls, large objects",
}

# command: before MODE HOST FOLDER PORT USER DATABASE
# lacks: steps that the driver has no means for
# ways: the fewest ways it reads customers in
DRIVERS = {
    "psql": {
        "command": ["./scenario_psql"], "ways": 5,
        "lacks": {"binary", "batch"}},
    "libpq": {
        "command": ["{made}/libpq"], "ways": 7,
        "lacks": set()},
    "psycopg": {
        "command": ["/usr/bin/python3", "scenario_psycopg.py"], "ways": 7,
        "lacks": {"functions", "lexing"}},
    "sqlalchemy": {
        "command": ["/usr/bin/python3", "-W", "ignore",
                    "scenario_sqlalchemy.py"], "ways": 4,
        "lacks": {"binary"}},
    "node_postgres": {
        "command": ["node", "scenario_pg.js"], "ways": 5,
        "lacks": {"functions", "lexing"}},
    "porsager": {
        "command": ["node", "scenario_postgres.js"], "ways": 4,
        "lacks": {"functions", "binary", "lexing"}},
    "jdbc": {
        "command": ["java", "-XX:TieredStopAtLevel=1", "-cp",
                    "{made}:" + JDBC, "Scenario"],
        "ways": 11, "lacks": {"socket", "lexing"}},
    "dbd_pg": {
        "command": ["/usr/bin/perl", "scenario.pl"], "ways": 5,
        "lacks": {"binary", "lexing"}},
}
# what the masked customers look like, from what they are in clear
MASKED = """
SELECT concat_ws('|', id, left(email, 1) || '***@' || split_part(email, '@', 2),
        repeat('*', length(card_number) - 4) || right(card_number, 4),
        extract(year FROM birth_date) || '-01-01',
        round(credit_limit, CASE WHEN credit_limit < 1000 THEN -1 ELSE -2 END
            )::numeric(10,2), city)
    FROM customers WHERE id <= 50 ORDER BY id"""


made = {}  # "folder": that of what is compiled, until this run ends


def prepare():
    """The scenarios that are programs to compile; what fails here is missed
    by the test that wants it."""
    made["folder"] = tempfile.TemporaryDirectory(prefix="sallyport-clients-")
    folder = made["folder"].name
    include = subprocess.run(["pg_config", "--includedir"], check=True,
                             capture_output=True, text=True).stdout.strip()
    for command in (
            [os.environ.get("CC", "gcc"), "-std=c11", "-Wall", "-Wextra",
             "-Werror", "-D_GNU_SOURCE", "-I", include, "-o",
             os.path.join(folder, "libpq"),
             *glob.glob(os.path.join(HERE, "libpq*.c")), "-lpq"],
            ["javac", "-cp", JDBC, "-d", folder,
             os.path.join(HERE, "Scenario.java")]):
        with contextlib.suppress(FileNotFoundError):
            subprocess.run(command, check=False)


def command_of(driver):
    return [part.format(made=made["folder"].name)
            for part in DRIVERS[driver]["command"]]


def harbour(world):
    """A copy of the shop with what the scenario needs; its name."""
    name = world.pg.copy_of_shop()
    with world.pg.connect("postgres") as c:
        c.execute("SELECT pg_advisory_lock(1)")  # tests run side by side
        if not c.execute("SELECT 1 FROM pg_roles WHERE rolname = 'clerk'"
                         ).fetchone():
            c.execute("CREATE ROLE clerk")
            c.execute("GRANT clerk TO sallyport")
    with open(os.path.join(HERE, "harbour.sql"), encoding="utf-8") as f:
        world.pg.ask(f.read(), name)
    return name


def started(world, **changes):
    """Sallyport on a TCP port, and on a Unix socket as PostgreSQL's."""
    s = world.prepare(database=harbour(world), **changes)
    s.settings["listen"].append(
        {"address": f"unix:{s.folder}/.s.PGSQL.{s.port}", "upstream": "shop"})
    s.write_all()
    return s.start()


def run(command, mode, where, password):
    """What the driver printed, as lines, and how it ended if not well."""
    process = subprocess.Popen(
        [*command, mode, *where], cwd=HERE, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "LANG": "C.UTF-8", "PGCLIENTENCODING": "UTF8",
             "PYTHONDONTWRITEBYTECODE": "1", "TZ": "UTC", "PGTZ": "UTC",
             "SQLALCHEMY_SILENCE_UBER_WARNING": "1", "PGPASSWORD": password})
    try:
        said = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        said = *process.communicate(), f"\nkilled after {LIMIT_S} s\n"
    lines = "".join(said).splitlines()
    if process.returncode != 0:
        lines.append(f"exit status {process.returncode}")
    return lines


def differences(theirs, ours):
    """As a diff, long lines cut."""
    def cut(lines):
        return [line if len(line) < 500 else
                f"{line[:450]}… {len(line)} {hash(line)}" for line in lines]
    return "\n".join(list(difflib.unified_diff(
        cut(theirs), cut(ours), "direct", "through Sallyport", lineterm="",
        n=1))[:LINES_MAX])


def steps_of(lines):
    return {line.partition(":")[0] for line in lines}


def same_through_sallyport(world, driver):
    command = command_of(driver)
    s = started(world, policy=ALLOW_ALL)
    theirs = run(command, "whole", ("127.0.0.1", world.pg.folder,
                                    str(world.pg.port), "sallyport",
                                    s.database), world.pg.PASSWORD)
    ours = run(command, "whole", ("127.0.0.1", s.folder, str(s.port),
                                  "alice+copilot", s.database),
               harness.PASSWORDS["copilot"])
    wrong = [line for line in theirs if ": STOPPED " in line or
             line.startswith("exit status")]
    assert not wrong, "directly:\n" + "\n".join(wrong + theirs[-5:])
    missing = set(SCENARIO) - DRIVERS[driver]["lacks"] - steps_of(theirs)
    assert not missing, f"steps not taken: {missing}"
    assert ours == theirs, differences(theirs, ours)


def customers_in_clear(world, database):
    return [value for row in world.pg.ask(
        "SELECT email, card_number, phone, ssn, iban FROM customers",
        database) for value in row]


def reads_only_masked(world, driver):
    command = command_of(driver)
    s = started(world)
    lines = run(command, "masked", ("127.0.0.1", s.folder, str(s.port),
                                    "alice+copilot", s.database),
                harness.PASSWORDS["copilot"])
    ways = {}
    for line in lines:
        way, _, row = line.partition("|")
        ways.setdefault(way, []).append(row)
    everything = "\n".join(lines)
    clear = [value for value in customers_in_clear(world, s.database)
             if value in everything]
    assert not clear, f"in clear: {clear[:5]}\n{everything[-3000:]}"
    assert len(ways) >= DRIVERS[driver]["ways"], everything[-3000:]
    want = [row[0] for row in world.pg.ask(MASKED, s.database)]
    for way, rows in ways.items():
        assert rows == want, \
            f"{way}: {everything[-3000:]}\nwanted {want[:2]}"


def named(kind, driver):
    """A test of this driver, with a name of its own."""
    def test(world):
        kind(world, driver)
    return test


for name in DRIVERS:
    globals()[f"test_{name}_sees_the_same_through_sallyport"] = named(
        same_through_sallyport, name)
    globals()[f"test_{name}_reads_only_masked_customers"] = named(
        reads_only_masked, name)


def test_psql_backslash_commands_work(world):
    s = world.sallyport(policy=ALLOW_ALL)
    for command in ("\\dt", "\\d customers", "\\l", "\\du", "\\df", "\\conninfo",
                    "\\dn", "\\dv", "\\di"):
        shown = s.psql(command)
        assert shown.returncode == 0, (command, shown.stderr)
        assert shown.stdout.strip() or command == "\\df", command
