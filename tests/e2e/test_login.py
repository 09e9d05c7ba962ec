"""Who gets in, as whom, and what the others are told."""

import socket
import struct

import psycopg

import harness
import pgwire
from expect import refused_login, raises


def test_agent_logs_in_for_a_person(world):
    s = world.sallyport()
    with s.connect("alice+copilot") as c:
        assert c.execute("SELECT 1").fetchone() == (1,)
    record = s.sink.wait("connect")
    assert (record["user"], record["agent"]) == ("alice", "copilot")
    assert record["groups"] == ["analysts"]
    assert "scram" in record["via"]


def test_person_logs_in_alone(world):
    s = world.sallyport()
    with s.connect("alice") as c:
        assert c.execute("SELECT 1").fetchone() == (1,)
    record = s.sink.wait("connect")
    assert record["user"] == "alice"
    assert not record.get("agent")


def test_agent_logs_in_alone(world):
    s = world.sallyport()
    with s.connect("nightly") as c:
        assert c.execute("SELECT 1").fetchone() == (1,)
    record = s.sink.wait("connect")
    assert record["agent"] == "nightly"
    assert not record.get("user")


def test_wrong_password_is_refused_with_28P01(world):
    s = world.sallyport()
    refused_login(s, "alice", "wrong", "28P01")
    assert s.sink.wait("login-failed")["sqlstate"] == "28P01"


def test_persons_password_does_not_prove_the_agent(world):
    s = world.sallyport()
    refused_login(s, "alice+copilot", harness.PASSWORDS["alice"], "28P01")


def test_unknown_user_looks_like_a_wrong_password(world):
    s = world.sallyport()
    unknown = refused_login(s, "mallory", "wrong", "28P01")
    known = refused_login(s, "alice", "wrong", "28P01")
    assert unknown["M"].replace("mallory", "X") == \
        known["M"].replace("alice", "X")
    s.sink.wait("login-failed", count=2)


def test_unknown_user_gets_the_same_salt_each_time(world):
    s = world.sallyport()

    def salt(user):
        with s.bare_wire() as w:
            w.send(pgwire.startup(user=user, database="shop"))
            w.receive()
            first = pgwire.Scram("x").first()
            w.send(pgwire.message(b"p", b"SCRAM-SHA-256\0"
                   + struct.pack("!i", len(first)) + first))
            _, body = w.receive()
            return body.split(b",")[1:3]
    assert salt("mallory") == salt("mallory")
    assert salt("mallory") != salt("eve")


def test_agent_that_may_not_act_for_the_person_is_refused(world):
    s = world.sallyport()
    refused_login(s, "carol+copilot", harness.PASSWORDS["copilot"])
    refused_login(s, "alice+nightly", harness.PASSWORDS["nightly"])
    s.sink.wait("login-failed", count=2)
    assert not s.sink.find("connect")


def test_unknown_agent_and_odd_names_are_refused(world):
    s = world.sallyport()
    for login in ("alice+", "+copilot", "+", "alice+copilot+copilot",
                  "copilot+alice", "alice+mallory", "a" * 500, "ALICE"):
        refused_login(s, login, "alice-secret")
    s.sink.wait("login-failed", count=8)


def test_unknown_database_is_the_servers_own_3D000(world):
    s = world.sallyport()
    refused_login(s, "alice", harness.PASSWORDS["alice"], "3D000",
                  database="nosuch")
    with s.connect("alice") as c:
        assert c.execute("SELECT 1").fetchone() == (1,)


def test_missing_user_is_refused(world):
    s = world.sallyport()
    with s.bare_wire() as w:
        w.send(pgwire.startup(database="shop"))
        assert w.rest().errors[0]["C"] in ("28000", "28P01", "08P01")


def test_password_sent_before_it_is_asked_proves_nothing(world):
    s = world.sallyport()
    with s.bare_wire() as w:
        w.send(pgwire.startup(user="alice", database="shop"),
               pgwire.message(b"p", b"alice-secret\0"),
               pgwire.query("SELECT 1"))
        assert b"D" not in [kind for kind, _ in w.rest().messages]


def test_ssl_and_gss_are_answered_no_and_the_session_goes_on(world):
    s = world.sallyport()
    with s.bare_wire() as w:
        w.send(pgwire.SSL_REQUEST)
        assert w.take(1) == b"N"
        w.send(pgwire.GSSENC_REQUEST)
        assert w.take(1) == b"N"
        w.login("alice", "alice-secret", s.database)
        assert w.query("SELECT 1").rows == [[b"1"]]


def test_tls_required_by_the_client_fails_clearly(world):
    s = world.sallyport()
    with raises(psycopg.OperationalError) as caught:
        s.connect("alice", sslmode="require")
    assert "SSL" in str(caught.error)


def test_startup_parameters_reach_the_server(world):
    s = world.sallyport()
    with s.connect("alice", options="-c statement_timeout=4321 "
                   "-c TimeZone=Asia/Tokyo -c DateStyle=German") as c:
        assert c.execute("SHOW statement_timeout").fetchone() == ("4321ms",)
        assert c.execute("SHOW TimeZone").fetchone() == ("Asia/Tokyo",)
        assert c.execute("SHOW DateStyle").fetchone()[0].startswith("German")
    with s.wire("alice", TimeZone="Europe/Oslo", DateStyle="SQL, DMY") as w:
        assert w.parameters["TimeZone"] == "Europe/Oslo"
        assert w.parameters["DateStyle"] == "SQL, DMY"


def test_startup_parameters_are_judged_as_the_set_they_amount_to(world):
    s = world.prepare()
    s.policy["rules"].append({
        "name": "no work_mem", "matches": r"\bwork_mem\b", "then": "deny",
        "who": {"agent": "*"}})
    s.write_all()
    s.start()
    for parameters in ({"work_mem": "1GB"}, {"options": "-c work_mem=1GB"},
                       {"options": "--work-mem=1GB"}):
        with s.bare_wire() as w:
            w.send(pgwire.startup(user="alice+copilot", database="shop",
                                  **parameters))
            with raises(pgwire.ServerError, pgwire.Closed) as caught:
                w.answer_login("alice+copilot", "copilot-secret")
                raise AssertionError(f"{parameters} went through")
            if isinstance(caught.error, pgwire.ServerError):
                assert caught.error.fields["C"] == "42501"
    s.sink.wait("login-failed", count=3)


def test_client_cannot_choose_who_it_is_upstream(world):
    s = world.sallyport()
    for parameters in ({"session_authorization": "owner"}, {"role": "owner"},
                       {"options": "-c role=owner"},
                       {"options": "-c session_authorization=owner"},
                       {"replication": "true"}, {"replication": "database"},
                       {"options": "-c sallyport.user=carol"},
                       {"sallyport.user": "carol"}):
        with s.bare_wire() as w:
            w.send(pgwire.startup(user="alice+copilot", database="shop",
                                  **parameters))
            with raises(pgwire.ServerError, pgwire.Closed):
                w.answer_login("alice+copilot", "copilot-secret")
                raise AssertionError(f"{parameters} went through")


def test_application_name_of_the_client_is_a_claim(world):
    s = world.sallyport()
    with s.connect("alice+copilot", application_name="payroll") as c:
        c.execute("SELECT 1")
    record = s.sink.wait("connect")
    assert record["claims"]["application_name"] == "payroll"
    assert record["user"] == "alice"


def test_the_database_can_see_who_it_is(world):
    s = world.sallyport()
    with s.connect("alice+copilot", application_name="carol") as c:
        pid = c.info.backend_pid
        name, = world.pg.ask("SELECT application_name FROM pg_stat_activity"
                             f" WHERE pid = {pid}")[0]
        assert "alice" in name and "copilot" in name and "carol" not in name
        assert c.execute("SELECT current_setting('sallyport.user', true), "
                         "current_setting('sallyport.agent', true)"
                         ).fetchone() == ("alice", "copilot")


def test_upstream_login_is_sallyports_own_and_never_the_clients(world):
    s = world.sallyport()
    with s.connect("alice") as c:
        assert c.execute("SELECT session_user").fetchone() == ("sallyport",)


def upstream_login_works(world, user, password=True):
    login = {"user": user}
    if password:
        login["password_file"] = "secrets/shop"
    s = world.sallyport(upstream={"login": login})
    with s.connect("alice+copilot") as c:
        assert c.execute("SELECT session_user").fetchone() == (user,)


def test_upstream_with_md5_password(world):
    upstream_login_works(world, "sallyport_md5")


def test_upstream_with_trust(world):
    upstream_login_works(world, "sallyport_trust", password=False)


def test_upstream_over_its_unix_socket(world):
    address = f"unix:{world.pg.folder}/.s.PGSQL.{world.pg.port}"
    s = world.sallyport(upstream={
        "address": address, "login": {"user": "sallyport"}})
    with s.connect("alice") as c:
        assert c.execute("SELECT session_user").fetchone() == ("sallyport",)


def test_upstream_that_does_not_ask_for_the_password_is_not_trusted(world):
    """It may be anybody: whoever has the password asks for it."""
    address = f"unix:{world.pg.folder}/.s.PGSQL.{world.pg.port}"
    s = world.sallyport(upstream={"address": address})
    refused_login(s, "alice", harness.PASSWORDS["alice"])
    assert "proved nothing" in s.sink.wait("login-failed")["reason"]


def test_wrong_upstream_password_is_refused_without_details(world):
    s = world.prepare()
    s.write("secrets/shop", "not-the-password\n")
    s.start()
    fields = refused_login(s, "alice", harness.PASSWORDS["alice"])
    assert "not-the-password" not in str(fields)
    s.sink.wait("login-failed")


def test_upstream_that_is_down_is_a_clear_error(world):
    with socket.socket() as held:  # bound, never listening: refuses
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        s = world.sallyport(upstream={"address": f"127.0.0.1:{port}"})
        fields = refused_login(s, "alice", harness.PASSWORDS["alice"])
        assert fields["C"].startswith("08") or fields["C"] == "57P03"
        s.sink.wait("login-failed")


def test_clients_listen_on_a_unix_socket_too(world):
    s = world.prepare()
    path = f"{s.folder}/.s.PGSQL.{s.port}"
    s.settings["listen"].append({"address": f"unix:{path}",
                                 "upstream": "shop"})
    s.write_all()
    s.start()
    with pgwire.Wire(path) as w:
        w.login("alice", "alice-secret")
        assert w.query("SELECT 1").rows == [[b"1"]]


def test_options_name_no_other_database_or_account(world):
    """Of two words the server believes the last; those that say who logs in
    to what are no settings, whatever a policy allows."""
    s = world.prepare(policy={"rules": [
        {"name": "everything", "does": ["any"], "then": "allow"}]},
        upstream={"login": {"user": "sallyport_trust"}})
    s.start()
    for options in ("-c database=postgres", "-c Database=postgres",
                    "--database=postgres", "-c user=owner", "-c USER=owner",
                    "-c options=-c\\ role=owner", "-c replication=database",
                    "-c replication=true", "-c _pq_.x=1", "-c _PQ_.x=1",
                    "-c work_mem=1MB -c database=postgres"):
        with s.bare_wire() as w:
            try:
                w.login("alice", harness.PASSWORDS["alice"], "shop",
                        options=options)
            except pgwire.ServerError as refused:
                assert refused.fields["C"] == "42501", (options, refused)
            else:
                raise AssertionError(f"{options} went through: " + str([
                    w.query("SELECT current_database(), session_user").rows]))
    with s.bare_wire() as w:
        w.login("alice", harness.PASSWORDS["alice"], "shop",
                options="-c work_mem=1MB")
        assert w.query("SELECT current_database(), session_user").rows[0] \
            == [b"shop", b"sallyport_trust"]


def test_beginning_of_a_login_name_that_is_too_long_is_on_record(world):
    s = world.sallyport()
    for name in ("x" * 132, "\u00e9" * 100, "y" * 5000):
        before = len(s.sink.find("login-failed"))
        refused_login(s, name, "nonsense", "08P01")
        record = s.sink.wait("login-failed", before + 1)
        assert "too long" in record["reason"], record
        assert name.startswith(record["login"]), record
        assert 130 <= len(record["login"].encode()) <= 131, record
