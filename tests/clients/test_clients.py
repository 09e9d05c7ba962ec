"""psql, psycopg 3 and node-postgres each see through Sallyport, under a
policy that allows everything, exactly what they see without it."""

import difflib
import os
import subprocess

import harness

HERE = os.path.dirname(os.path.abspath(__file__))
ALLOW_ALL = {"rules": [{"name": "everything", "does": ["any", "unknown"],
                        "then": "allow"}]}


def same_through_sallyport(world, command):
    """`command(host, port, user, database)` prints the same both ways."""
    s = world.sallyport(policy=ALLOW_ALL, database=world.pg.copy_of_shop())

    def printed(host, port, user):
        done = subprocess.run(
            command(host, str(port), user, s.database), check=False,
            capture_output=True, text=True, timeout=harness.PATIENCE * 3,
            cwd=HERE,
            env={**os.environ, "LANG": "C.UTF-8", "PGCLIENTENCODING": "UTF8",
                 "PGPASSWORD": harness.PASSWORDS["copilot"]})
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr
        return (done.stdout + done.stderr).splitlines()
    theirs = printed("127.0.0.1", world.pg.port, "sallyport_trust")
    ours = printed("127.0.0.1", s.port, "alice+copilot")
    assert len(theirs) > 20, theirs
    assert ours == theirs, "\n".join(difflib.unified_diff(
        theirs, ours, "direct", "through Sallyport", lineterm="", n=1))


def test_psql_sees_the_same_through_sallyport(world):
    same_through_sallyport(world, lambda host, port, user, database: [
        "psql", "-X", "-a", "-h", host, "-p", port, "-U", user, "-d",
        database, "-f", "scenario.sql"])


def test_psycopg_sees_the_same_through_sallyport(world):
    same_through_sallyport(world, lambda *where: [
        "/usr/bin/python3", "scenario.py", *where])


def test_node_postgres_sees_the_same_through_sallyport(world):
    same_through_sallyport(world, lambda *where: [
        "node", "scenario.js", *where])


def test_psql_backslash_commands_work(world):
    s = world.sallyport(policy=ALLOW_ALL)
    for command in ("\\dt", "\\d customers", "\\l", "\\du", "\\df", "\\conninfo",
                    "\\dn", "\\dv", "\\di"):
        shown = s.psql(command)
        assert shown.returncode == 0, (command, shown.stderr)
        assert shown.stdout.strip() or command == "\\df", command
