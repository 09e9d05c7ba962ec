"""Whatever a session sets, it is judged and masked as before."""

import pgwire
from expect import denied, fails, ok
from pgwire import query

ALLOWED = {"protect": [], "rules": [
    {"name": "everything", "does": ["any"], "then": "allow"},
    {"name": "what reaches far", "does": ["any"],
     "has": ["escaping-function"], "then": "allow"}]}


def told(replies):
    return b"".join(body for _, body in replies.messages)


def clear_email(world):
    return world.pg.ask("SELECT upper(email) FROM customers WHERE id = 5"
                        )[0][0].encode()


def free(world, *does):
    """Agents may do nearly everything; values are protected all the same."""
    s = world.prepare(database=world.pg.copy_of_shop())
    s.policy["rules"] = [
        {"name": "free", "does": ["any"], "then": "allow"},
        {"name": "functions", "does": ["any"], "has": ["unknown-function"],
         "then": "allow"}]
    s.policy["examples"] = []
    s.write_all()
    with world.pg.connect(s.database) as c:
        c.execute(f"GRANT CREATE, TEMPORARY ON DATABASE {s.database} "
                  "TO public; GRANT CREATE ON SCHEMA public TO public")
    return s.start()


# --- search_path, roles, looks ----------------------------------------------

def test_no_search_path_leads_past_the_masks(world):
    s = free(world)
    email = clear_email(world)
    loud = "SELECT upper(email) FROM customers WHERE id = 5"
    with s.wire() as w:
        assert w.query(loud).rows == [[None]]
        for path in ("public", "pg_catalog, public", "nowhere, public",
                     "pg_temp, public", "\"$user\", public",
                     "information_schema, public"):
            assert not w.query(f"SET search_path = {path}").errors
            replies = w.query(loud)
            assert replies.rows == [[None]], (path, replies.rows)
        # the path and what hangs on it, in one message and in one pipeline
        replies = w.query("SET search_path = pg_catalog; "
                          "SET search_path = public; " + loud)
        assert email not in told(replies), replies.messages
        replies = w.exchange(query("SET search_path = nowhere"),
                             query("SET search_path = public"), query(loud),
                             syncs=3)
        assert email not in told(replies), replies.messages


def test_a_temporary_table_of_the_same_name_hides_nothing(world):
    s = free(world)
    email = clear_email(world)
    loud = "SELECT upper(email) FROM customers WHERE id = 5"
    with s.wire() as w:
        assert not w.query("CREATE TEMP TABLE customers (id int, city text)"
                           ).errors
        w.query("INSERT INTO customers VALUES (5, 'mine')")
        for turn in ("SELECT 1", "DISCARD TEMP",
                     "CREATE TEMP TABLE orders (id int, city text)",
                     "SET search_path = public, pg_temp"):
            assert not w.query(turn).errors, turn
            assert email not in told(w.query(loud)), turn
            assert email not in told(w.query(
                loud.replace("customers", "public.customers"))), turn


def test_functions_and_operators_in_front_of_the_systems_hide_nothing(world):
    s = free(world)
    email = clear_email(world)
    with s.wire() as w:
        for sql in (
                "CREATE SCHEMA mine",
                "CREATE FUNCTION mine.upper(int) RETURNS text LANGUAGE sql "
                "AS 'SELECT email FROM public.customers WHERE id = $1'",
                "SET search_path = mine, pg_catalog, public",
                "SELECT upper(5)", "SELECT mine.upper(5)",
                "SELECT lower(upper(5))"):
            assert email.lower() not in told(w.query(sql)).lower(), sql


def test_roles_change_nothing_of_what_is_masked(world):
    s = free(world)
    with world.pg.connect(s.database) as c:
        c.execute("DO $$BEGIN CREATE ROLE reader; EXCEPTION WHEN "
                  "duplicate_object THEN NULL; END$$;"
                  "GRANT reader TO sallyport;"
                  "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    loud = "SELECT upper(email) FROM customers WHERE id = 5"
    with s.wire() as w:
        for change in ("SET ROLE reader", "RESET ROLE",
                       "SET SESSION ROLE 'reader'", "SET ROLE NONE",
                       "SET LOCAL role = reader",
                       "SET SESSION AUTHORIZATION sallyport",
                       "RESET SESSION AUTHORIZATION"):
            assert not w.query(change).errors, change
            replies = w.query(loud)
            assert replies.rows == [[None]], (change, replies.messages)
    assert s.sink.statement("set role reader")["operations"] == ["set-role"]
    strict = world.sallyport()
    with strict.wire() as w:
        for change in ("SET ROLE reader", "SET role TO reader",
                       "SET \"role\" = reader",
                       "SELECT pg_catalog.set_config('role', 'reader', "
                       "false)",
                       "SET SESSION AUTHORIZATION DEFAULT"):
            denied(w.query(change))


def test_masks_hold_for_every_look_of_a_value(world):
    s = free(world)
    dates = {str(d) for d, in world.pg.ask(
        "SELECT birth_date FROM customers WHERE id < 20")}
    with s.wire() as w:
        for setting in ("DateStyle = 'ISO, DMY'", "DateStyle = 'SQL, DMY'",
                        "DateStyle = 'SQL, MDY'", "DateStyle = German",
                        "DateStyle = 'Postgres, MDY'",
                        "bytea_output = escape", "IntervalStyle = iso_8601",
                        "TimeZone = 'Asia/Tokyo'", "xmlbinary = hex",
                        "extra_float_digits = -15",
                        "transform_null_equals = on",
                        "backslash_quote = on", "escape_string_warning = off",
                        "quote_all_identifiers = on",
                        "default_transaction_isolation = serializable"):
            assert not w.query(f"SET {setting}").errors, setting
            rows = w.query("SELECT birth_date, email FROM customers "
                           "WHERE id < 20").rows
            assert len(rows) == 19, setting
            for date, email in rows:
                assert date is None or date.startswith(b"01") or \
                    date.endswith(b"-01-01"), (setting, date)
                assert date is None or date.decode() not in dates - {
                    d for d in dates if d.endswith("01-01")}, setting
                assert b"***@" in email, (setting, email)


# --- the startup packet's options -------------------------------------------

def test_options_are_read_as_the_server_reads_them(world):
    s = world.sallyport(policy=ALLOWED)
    direct = f"{world.pg.folder}/.s.PGSQL.{world.pg.port}"
    for options in ("-c work_mem=77kB", "-cwork_mem=77kB", "--work_mem=77kB",
                    "--work-mem=77kB", "-c work-mem=77kB",
                    "  -c   work_mem=77kB  ",
                    "-c search_path=\"a\\ b\",public", "-c search_path=",
                    "-c search_path=\"a\\\\b\"", "-c timezone=Asia/Tokyo",
                    "-c IntervalStyle=postgres_verbose",
                    "-c application_name=mine", "-c extra.thing=it\\'s"):
        answers = []
        for wire in (s.bare_wire(), pgwire.Wire(direct)):
            with wire as w:
                login = ("alice", "alice-secret") if not answers else \
                    ("owner", "")
                w.login(*login, "shop", options=options)
                answers.append([w.query(f"SHOW {name}").rows for name in (
                    "work_mem", "search_path", "timezone", "geqo",
                    "intervalstyle")])
        assert answers[0] == answers[1], (options, answers)
    for options in ("-d 5", "-e", "work_mem=1", "-c work_mem", "-c", "--",
                    "-c work_mem=x", "-c sallyport.user=carol",
                    "-c SALLYPORT.user=carol", "--sallyport.user=carol",
                    "-c sallyport.u\\ser=carol"):
        with s.bare_wire() as w:
            try:
                w.login("alice", "alice-secret", "shop", options=options)
            except pgwire.ServerError as e:
                assert e.fields["S"] == "FATAL", e.fields
            else:
                raise AssertionError(f"{options} went through")


# --- who the database thinks it is -------------------------------------------

OWN = ("SET sallyport.user = 'carol'", "SET LOCAL sallyport.agent TO 'x'",
       "SET \"sallyport.user\" = 'carol'", "SET \"SALLYPORT.USER\" = 'carol'",
       "SET \"SallyPort\".\"User\" = carol", "SET SESSION SALLYPORT.user = 1",
       r"""SET U&"\0053allyport".user = 'carol'""",
       "ALTER ROLE sallyport SET sallyport.user = 'carol'",
       "ALTER ROLE ALL SET \"SALLYPORT.USER\" TO 'carol'",
       "ALTER DATABASE {db} SET sallyport.user = 'carol'",
       "ALTER SYSTEM SET sallyport.user = 'carol'",
       "CREATE FUNCTION as_carol() RETURNS text LANGUAGE sql SET "
       "sallyport.user = 'carol' AS 'SELECT 1::text'",
       "ALTER FUNCTION lower(text) SET sallyport.user TO 'carol'",
       "DO $$BEGIN SET sallyport.user = 'carol'; END$$",
       "DO $$BEGIN EXECUTE 'SET /**/ sallyport.user TO carol'; END$$",
       "SELECT set_config('sallyport.user', 'carol', false)",
       "SELECT set_config('SallyPort.User', 'carol', false)",
       "SELECT pg_catalog.set_config('sallyport.user', 'carol', false)",
       "SELECT set_config('sally' || 'port.user', 'carol', false)",
       "SELECT set_config(setting_name => 'sallyport.user', new_value => "
       "'carol', is_local => false)",
       "SELECT set_config(n, 'carol', false) FROM (VALUES ('sallyport.user')) "
       "v(n)",
       r"SELECT set_config(E'sally\x70ort.user', 'carol', false)",
       "UPDATE pg_settings SET setting = 'carol' WHERE name = "
       "'sallyport.user'",
       "RESET sallyport.user", "RESET ALL", "DISCARD ALL")


def test_nobody_sets_who_he_is_under_any_policy(world):
    s = world.sallyport(policy=ALLOWED, database=world.pg.copy_of_shop())
    asking = "SELECT current_setting('sallyport.user', true)"
    with s.wire("alice") as w:
        for sql in OWN:
            w.query(sql.format(db=s.database))
            assert w.query(asking).rows == [[b"alice"]], sql
        replies = w.exchange(
            pgwire.parse("SELECT set_config($1, 'carol', false)"),
            pgwire.bind(("sallyport.user",)), pgwire.execute(), pgwire.SYNC)
        denied(replies)
    with s.wire("alice") as w:
        assert w.query(asking).rows == [[b"alice"]]


def test_settings_are_set_where_the_policy_allows_it(world):
    s = world.sallyport(policy=ALLOWED,
                        upstream={"application_name": "client"})
    with s.wire("alice", application_name="yours") as w:
        for sql, shown in (
                ("SELECT 1", b"yours"),
                ("SET application_name = 'mine'", b"mine"),
                ("SELECT set_config('application_name', current_setting("
                 "'application_name') || '/7', false)", b"mine/7"),
                ("RESET application_name", b"yours")):
            assert not w.query(sql).errors, sql
            assert w.query("SHOW application_name").rows == [[shown]], sql
    s = world.sallyport()
    with s.wire() as w:
        # as clients' libraries do to be sure of it
        assert not w.query("SELECT pg_catalog.set_config('search_path', '', "
                           "false);").errors
        assert w.query("SHOW search_path").rows == [[b""]]
        denied(w.query("SELECT pg_catalog.set_config('application_name', "
                       "'carol', false)"))
        # nobody else has a function of that name
        assert not w.query("SELECT set_config('search_path', '', false)").errors
        fails(w.query("SELECT pg_catalog.set_config('search_path', "
                      "(SELECT email FROM customers LIMIT 1), false)"))
    assert s.sink.statement("set_config")["operations"] == ["select", "set"]


def test_application_name_that_is_set_is_a_claim_and_shows_the_identity(world):
    s = world.sallyport(policy=ALLOWED)
    shown = [[b"alice+copilot"]]
    with s.wire() as w:
        for number, sql in enumerate((
                "SET application_name = 'carol 0'",
                "set /* x */ SESSION application_name TO 'carol 1';",
                "SET LOCAL application_name = E'carol\\x20\\x32'")):
            ok(w.query(sql))
            assert w.query("SHOW application_name").rows == shown, sql
            claims = s.sink.statement("show application_name")["claims"]
            assert claims["application_name"] == f"carol {number}", sql
            s.sink.records.clear()
        assert ok(w.extended("SET application_name = 'carol'")).tags == ["SET"]
        ok(w.exchange(pgwire.parse("SET application_name = 'x'", "named"),
                      pgwire.bind(statement="named"), pgwire.execute(),
                      pgwire.bind(statement="named"), pgwire.execute(),
                      pgwire.SYNC))
        assert w.query("SHOW application_name").rows == shown
        for sql in ("SET application_name = 'carol'; SELECT 1",
                    "SELECT 1; SET LOCAL application_name = 'carol'",
                    'SET "application_name" = 1; SET TIME ZONE 0'):
            denied(w.query(sql))
        ok(w.query('SET "application_name" TO \'carol\''))
        assert w.query("SHOW application_name").rows == shown
        assert w.query(
            "SELECT setting, reset_val FROM pg_settings "
            "WHERE name = 'application_name'").rows == [shown[0] * 2]
