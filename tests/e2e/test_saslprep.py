"""Passwords beyond ASCII: what differs in spelling only is the same."""

import json
import os

import harness

# as they are told to PostgreSQL, and as they stand in Sallyport's file
SAME = (
    ("caf\u00e9", "cafe\u0301"),                # composed, and not
    ("\uff53\uff45\uff43ret \u2168", "secret IX"),  # wide letters, numerals
    ("a\u00a0b\u3000c", "a b c"),               # spaces
    ("soft\u00adhyphen", "softhyphen"),
    # what cannot be prepared is taken as it stands
    ("key \U0001f511", "key \U0001f511"),
    ("\u0627\u0031", "\u0627\u0031"),
    ("caf\u00e9\tb", "caf\u00e9\tb"),
    ("\u00ad", "\u00ad"),
)
DIFFERENT = (
    ("caf\u00e9", "cafe"),
    ("cafe\u0301\tb", "caf\u00e9\tb"),          # as they stand
    ("key \U0001f511", "key \U0001f512"),
)


def can_log_in_upstream(world, told, written):
    with world.pg.connect("postgres") as c:
        c.execute("DROP ROLE IF EXISTS accented")
        c.execute("CREATE ROLE accented LOGIN PASSWORD "
                  + harness.psycopg.sql.quote(told))
        s = world.prepare(upstream={"login": {
            "user": "accented", "password_file": "secrets/shop"}})
        s.write("secrets/shop", written + "\n")
        s.start()
        try:
            s.connect("alice").close()
            return True
        except harness.psycopg.OperationalError:
            return False
        finally:
            s.end(harness.signal.SIGINT)
            c.execute("DROP ROLE accented")


def test_postgresql_and_we_agree_on_what_a_password_is(world):
    for told, written in SAME:
        assert can_log_in_upstream(world, told, written), (told, written)
    for told, written in DIFFERENT:
        assert not can_log_in_upstream(world, told, written), (told, written)


def entry(s, password):
    """What `sallyport passwd` makes of a line on standard input."""
    done = s.cli("passwd", "--json", "alice", text=password + "\n")
    assert done.returncode == 0, done
    return json.loads(done.stdout)["password"]


def psql(s, password):
    done = harness.subprocess.run(
        s.psql_command("alice", None, "-c", "SELECT 1"), text=True,
        env={**os.environ, "PGPASSWORD": password}, capture_output=True,
        timeout=harness.PATIENCE, check=False)
    return done.returncode == 0


def test_libpq_and_we_agree_on_what_a_password_is(world):
    s = world.sallyport()
    for written, typed, is_same in (
            *((a, b, True) for a, b in SAME),
            *((b, a, True) for a, b in SAME),
            *((a, b, False) for a, b in DIFFERENT)):
        s.identities["people"]["alice"]["password"] = entry(s, written)
        assert s.reload()["decision"] == "loaded"
        assert psql(s, typed) == is_same, (written, typed)
