"""Each identity is logged in to the database as the settings say: the first
of the `logins` that describes it, or `login`."""

import psycopg

OPEN = {"protect": [], "rules": [
    {"name": "everything", "does": ["any", "unknown"], "then": "allow"}]}
ALICE, ANALYSTS, JOBS = "login_alice", "login_analysts", "login_jobs"
LOGINS = [
    {"who": {"user": "alice", "agent": "none"}, "user": ALICE,
     "password_file": "secrets/alice"},
    {"who": {"group": "analysts"}, "user": ANALYSTS,
     "password_file": "secrets/analysts"},
    {"who": {"user": "none", "agent": "night*"}, "user": JOBS,
     "password_file": "secrets/jobs"},
]
AS_WHOM = {"alice": ALICE, "alice+copilot": ANALYSTS,
           "bob": ANALYSTS, "nightly": JOBS,
           "carol": "sallyport", "sam": "sallyport"}


def prepared(world, **changes):
    """The accounts stay with the server, which all tests share."""
    s = world.prepare(policy=OPEN, upstream={"logins": LOGINS}, **changes)
    for login in LOGINS:
        password = login["user"] + "-secret"
        s.write(login["password_file"], password + "\n")
        try:
            world.pg.ask(f"CREATE ROLE {login['user']} LOGIN "
                         f"PASSWORD '{password}'", "postgres")
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            pass  # another test was first
    return s


def session_user(s, login):
    with s.wire(login) as w:
        return w.query("SELECT session_user").rows[0][0].decode()


def test_first_login_that_matches_is_used(world):
    s = prepared(world).start()
    got = {login: session_user(s, login) for login in AS_WHOM}
    assert got == AS_WHOM, got


def test_rows_are_those_of_the_login(world):
    s = prepared(world, database=world.pg.copy_of_shop())
    with world.pg.connect(s.database) as c:
        c.execute("CREATE TABLE papers (owner name, body text); "
                  f"INSERT INTO papers VALUES ('{ALICE}', 'a'), "
                  f"('{ANALYSTS}', 'b'), ('{JOBS}', 'c'); "
                  "ALTER TABLE papers ENABLE ROW LEVEL SECURITY; "
                  "CREATE POLICY own ON papers USING (owner = session_user); "
                  "GRANT SELECT ON papers TO public")
    s.start()
    for login, rows in (("alice", [[b"a"]]), ("alice+copilot", [[b"b"]]),
                        ("nightly", [[b"c"]]), ("carol", [])):
        with s.wire(login) as w:
            for way in ("SELECT 1", "RESET ALL", "DISCARD ALL",
                        f"SET SESSION AUTHORIZATION {JOBS}",
                        f"SET ROLE {ALICE}"):
                w.query(way)
                assert w.query("SELECT body FROM papers").rows == rows, \
                    (login, way)


def test_login_of_nobody_is_told_by_the_check(world):
    s = prepared(world)
    logins = [{**LOGINS[0], "who": {"user": "alise"}}]
    s.settings["upstreams"]["shop"]["logins"] = logins
    s.write_all()
    done = s.check()
    assert done.returncode != 0
    assert "unknown user `alise` (did you mean `alice`?)" in done.stderr, \
        done.stderr


def test_password_that_is_missing_is_told_by_the_check(world):
    s = prepared(world)
    s.settings["upstreams"]["shop"]["logins"] = [
        {**LOGINS[0], "password_file": "secrets/nowhere"}]
    s.write_all()
    done = s.check()
    assert done.returncode != 0
    assert "secrets/nowhere: No such file" in done.stderr, done.stderr


def test_changed_logins_need_a_restart(world):
    s = prepared(world).start()
    s.settings["upstreams"]["shop"]["logins"] = LOGINS[1:]
    assert "`upstreams.logins` has changed: needs a restart" in str(s.reload())
    assert session_user(s, "alice") == ALICE
