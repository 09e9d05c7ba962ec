"""Signed tokens in place of passwords: who gets in with one, and who does
not."""

import json
import os
import signal
import struct
import subprocess
import sys
import time

import psycopg

import harness
import needs
import pgwire
import tokens
from expect import raises, refused_login
from test_sandbox import by_name

NOBODY = "password authentication failed"


def issuer(**more):
    return {"issuer": tokens.NAME, "audience": "sallyport",
            "keys": "jwks.json", **more}


def identities(**entry):
    """alice and dora have no proof but a token, nor have the agents."""
    known = harness.default_identities()
    known["people"]["alice"] = {"groups": ["analysts"]}
    known["people"]["dora"] = {"groups": ["support-leads"]}
    known["agents"]["copilot"] = {"acts_for": [{"group": "analysts"}]}
    known["agents"]["nightly"] = {}
    known["tokens"] = [issuer(**entry)]
    return known


def started(world, *keys, **entry):
    """A Sallyport that believes tokens of these keys, over TLS and a Unix
    socket."""
    s = world.prepare(identities=identities(**entry), tls={})
    s.settings["listen"].append(
        {"address": f"unix:{s.folder}/.s.PGSQL.{s.port}", "upstream": "shop"})
    s.write("jwks.json", tokens.key_set(*keys))
    s.write_all()
    return s.start()


def connect(s, login, token, **more):
    return s.connect(login, token, sslmode="verify-full",
                     sslrootcert=s.authority.certificate, **more)


def enters(s, login, token):
    """The record of the connection."""
    before = len(s.sink.find("connect"))
    with connect(s, login, token) as c:
        assert c.execute("SELECT 1").fetchone() == (1,)
    return s.sink.wait("connect", before + 1)


def stays_out(s, login, token, reason):
    """The client learns no more than of a wrong password; the record has the
    reason, and no part of the token."""
    before = len(s.sink.find("login-failed"))
    with raises(psycopg.OperationalError) as caught:
        connect(s, login, token).close()
    assert NOBODY in str(caught.error), caught.error
    record = s.sink.wait("login-failed", before + 1)
    assert reason in record["reason"], record["reason"]
    for piece in token.split("."):
        assert len(piece) < 20 or piece not in str(record), record
    return record


# --- what is right -----------------------------------------------------------


def test_token_of_each_algorithm_opens_a_connection(world):
    keys = [tokens.Key(alg, alg) for alg in
            ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")]
    s = started(world, *keys)
    for key in keys:
        record = enters(s, "alice", key.token())
        assert record["user"] == "alice" and "token" in record["via"], record


def test_token_through_psql(world):
    key = tokens.Key()
    s = started(world, key)
    done = subprocess.run(
        ["psql", "-X", "-A", "-t",
         f"host=localhost port={s.port} user=alice dbname={s.database} "
         f"sslmode=verify-full sslrootcert={s.authority.certificate}",
         "-c", "SELECT 1"], check=False, capture_output=True, text=True,
        timeout=harness.PATIENCE,
        env={**os.environ, "PGPASSWORD": key.token()})
    assert (done.returncode, done.stdout) == (0, "1\n"), done


def test_token_through_psql_on_a_unix_socket(world):
    key = tokens.Key()
    s = started(world, key)
    done = subprocess.run(
        ["psql", "-X", "-A", "-t", "-h", s.folder, "-p", str(s.port), "-U",
         "alice", "-d", s.database, "-c", "SELECT 1"], check=False,
        capture_output=True, text=True, timeout=harness.PATIENCE,
        env={**os.environ, "PGPASSWORD": key.token()})
    assert (done.returncode, done.stdout) == (0, "1\n"), done


def jdbc(s, login, token):
    here = os.path.join(harness.ROOT, "tests", "clients")
    return subprocess.run(
        ["java", "-XX:TieredStopAtLevel=1", "-cp",
         "/usr/share/java/postgresql.jar", "Token.java",
         f"jdbc:postgresql://localhost:{s.port}/{s.database}?"
         f"sslmode=verify-full&sslrootcert={s.authority.certificate}", login],
        cwd=here, check=False, capture_output=True, text=True,
        timeout=harness.PATIENCE * 3,
        env={**os.environ, "PGPASSWORD": token})


def test_token_through_jdbc(world):
    key = tokens.Key()
    s = started(world, key)
    done = jdbc(s, "alice+copilot", key.token(act={"sub": "copilot"}))
    assert (done.returncode, done.stdout) == (0, "1\n"), done
    done = jdbc(s, "alice+copilot", key.token())
    assert done.returncode == 1 and "28P01" in done.stdout, done


def test_agent_in_the_token_acts_for_the_person(world):
    key = tokens.Key()
    s = started(world, key)
    record = enters(s, "alice+copilot", key.token(act={"sub": "copilot"}))
    assert (record["user"], record["agent"]) == ("alice", "copilot")
    assert record["groups"] == ["analysts"]


def test_agent_alone_is_the_tokens_subject(world):
    key = tokens.Key()
    s = started(world, key)
    record = enters(s, "nightly", key.token("nightly"))
    assert record["agent"] == "nightly" and not record.get("user"), record


def test_chain_of_actors_is_recorded_whole(world):
    key = tokens.Key()
    s = started(world, key)
    chain = {"sub": "copilot", "act": {"sub": "planner", "iss": "https://x"}}
    record = enters(s, "alice+copilot", key.token(act=chain))
    assert record["agent"] == "copilot"
    assert json.loads(record["token"]["act"]) == chain, record
    assert record["token"]["issuer"] == tokens.NAME, record


def test_groups_of_the_token_are_the_persons_too(world):
    key = tokens.Key()
    s = started(world, key, groups="realm.roles")
    record = enters(s, "dora+copilot", key.token(
        "dora", act={"sub": "copilot"}, realm={"roles": ["analysts"]}))
    assert set(record["groups"]) == {"support-leads", "analysts"}, record
    stays_out(s, "dora+copilot", key.token("dora", act={"sub": "copilot"}),
              "the agent may not act for this person")


# --- what is wrong -----------------------------------------------------------


def test_tokens_that_are_wrong_open_nothing(world):
    key, stranger = tokens.Key(), tokens.Key()
    rsa = tokens.Key("rsa", "RS256")
    s = started(world, key, rsa)
    now = int(time.time())
    wrong = {
        "expired": key.token(life=-60),
        "not valid yet": key.token(nbf=now + 120),
        "issued in the future": key.token(iat=now + 120),
        "audience is not ours": key.token(aud=["shop", "sallyport-test"]),
        "is not one of ours": key.token(iss=tokens.NAME + "/"),
        "signatures by `none`": key.token(
            header={"alg": "none", "kid": None}, sign=lambda _: b"none"),
        "not a signed token of three parts": key.token(
            header={"alg": "none"}, sign=lambda _: b""),
        "signature does not fit key kid=first": stranger.token(),
        "the issuer has no key kid=else": key.token(header={"kid": "else"}),
        "signatures by `HS256`": rsa.token(
            header={"alg": "HS256"}, sign=tokens.hmac_with(rsa.pem())),
        "signature does not fit key kid=rsa": rsa.token(
            sign=tokens.hmac_with(rsa.pem())),
        "is not for its `alg`": key.token(
            header={"alg": "RS256"}, sign=rsa.sign),
        "its header has `jwk`": stranger.token(
            header={"jwk": stranger.public()}),
        "its header has `crit`": key.token(header={"crit": ["exp"]}),
        "logout+jwt": key.token(header={"typ": "logout+jwt"}),
    }
    for reason, token in wrong.items():
        stays_out(s, "alice", token, reason)
        enters(s, "alice", key.token())  # lest failures be throttled


def test_token_proves_nobody_else(world):
    key = tokens.Key()
    s = started(world, key)
    acting = {"act": {"sub": "copilot"}}
    for login, token, reason in (
            ("alice", key.token("dora"), "somebody else's"),
            ("dora", key.token("alice"), "somebody else's"),
            ("alice+copilot", key.token("dora", **acting),
             "somebody else's"),
            ("alice", key.token(**acting), "names an agent"),
            ("alice+copilot", key.token(), "names no agent"),
            ("alice+copilot", key.token(act={"sub": "nightly"}),
             "names another agent"),
            # the one who acts now is the outermost
            ("alice+copilot", key.token(
                act={"sub": "nightly", "act": {"sub": "copilot"}}),
             "names another agent"),
            ("copilot", key.token("alice", **acting), "somebody else's"),
            ("nightly", key.token("nightly", **acting), "somebody else's"),
            ("dora+copilot", key.token("dora", **acting),
             "may not act for this person"),
            ("mallory", key.token("mallory"), "unknown user")):
        stays_out(s, login, token, reason)
        enters(s, "alice+copilot", key.token(**acting))  # as above
        enters(s, "alice", key.token())


def test_actor_is_in_act_and_nowhere_else(world):
    key = tokens.Key()
    s = started(world, key)
    named = {"act.sub": "copilot"}
    for login, claims in (
            ("alice+copilot", {**named, "act": {"sub": "nightly"}}),
            ("alice+copilot", {**named, "act": {"sub": "copilot"}}),
            ("alice+copilot", named),
            ("alice", named)):
        stays_out(s, login, key.token(**claims), "is no part of its `act`")
    enters(s, "alice+copilot", key.token(act={"sub": "copilot"}))


def test_claim_that_could_be_one_of_two_opens_nothing(world):
    key = tokens.Key()
    s = started(world, key, user="login.name", groups="realm.roles")
    for one in ({"login": {"name": "alice"}}, {"login.name": "alice"}):
        record = enters(s, "alice", key.token(**one, realm={"roles": "dba"}))
        assert set(record["groups"]) == {"analysts", "dba"}, record
        stays_out(s, "alice", key.token(
            **one, **{"realm.roles": "dba"}, realm={"roles": "dba"}),
            "two claims that `realm.roles` could mean")
    for literal, stepped in (("alice", "dora"), ("dora", "alice")):
        stays_out(s, "alice", key.token(
            **{"login.name": literal}, login={"name": stepped}),
            "two claims that `login.name` could mean")


def test_token_is_no_password_where_a_password_is_asked_for(world):
    key = tokens.Key()
    s = started(world, key)
    stays_out(s, "bob", key.token("bob"), "wrong password")
    with connect(s, "bob", harness.PASSWORDS["bob"]) as c:
        assert c.execute("SELECT 1").fetchone() == (1,)


def test_token_is_not_asked_for_in_clear(world):
    key = tokens.Key()
    s = started(world, key)
    with pgwire.Wire(("127.0.0.1", s.port)) as w:
        w.send(pgwire.startup(user="alice", database="shop"))
        answer = w.rest()
    assert answer.kinds == "E", answer.messages
    assert answer.errors[0]["C"] == "28000", answer.errors
    assert "clear" in s.sink.wait("login-failed")["reason"]


def test_token_sent_in_clear_before_it_is_asked_for_proves_nothing(world):
    key = tokens.Key()
    s = started(world, key)
    with pgwire.Wire(("127.0.0.1", s.port)) as w:
        w.send(pgwire.startup(user="alice", database="shop"),
               pgwire.message(b"p", pgwire.string(key.token())))
        assert w.rest().kinds == "E"
    s.sink.wait("login-failed")
    assert not s.sink.find("connect")


def test_texts_that_are_no_tokens_are_refused(world):
    key = tokens.Key()
    s = started(world, key)
    for text, reason in (("hunter2", "not a signed token of three parts"),
                         ("a.b.c", "base64url"),
                         ("." * 100, "not a signed token of three parts"),
                         ("e30.e30.e30", "its header has no `alg`")):
        record = stays_out(s, "alice", text, reason)
        assert "hunter2" not in str(record)


def test_token_that_is_too_long_is_refused(world):
    key = tokens.Key()
    s = started(world, key)
    for size in (16 * 1024, 60 * 1024, 1 << 20):
        with s.tls_wire() as w:
            w.send(pgwire.startup(user="alice", database="shop"))
            w.receive()
            with raises(OSError, pgwire.ServerError, pgwire.Closed):
                w.send(b"p" + struct.pack("!i", size + 5),
                       b"x" * size + b"\0")
                raise pgwire.ServerError(w.rest().errors[0])
    s.sink.wait("login-failed", 3)
    enters(s, "alice", key.token())


# --- again -------------------------------------------------------------------


def test_token_opens_several_connections_where_that_is_allowed(world):
    key = tokens.Key()
    s = started(world, key, once="false")
    token = key.token(jti="one")
    with connect(s, "alice", token), connect(s, "alice", token):
        pass
    s.sink.wait("disconnect", 2)


def test_token_that_is_replayed_opens_no_second_connection(world):
    key = tokens.Key()
    s = started(world, key)
    token = key.token(jti="one")
    with connect(s, "alice", token):  # while it is open, and after its end
        stays_out(s, "alice", token, "opened a connection before")
    stays_out(s, "alice", token, "opened a connection before")
    nameless = key.token(jti=None)
    enters(s, "alice", nameless)
    stays_out(s, "alice", nameless, "opened a connection before")
    # nor after a reload, with another verifier
    assert s.reload()["decision"] == "loaded"
    stays_out(s, "alice", token, "opened a connection before")
    enters(s, "alice", key.token(jti="two"))


# --- keys --------------------------------------------------------------------


def test_keys_change_with_a_reload(world):
    old, new = tokens.Key("old"), tokens.Key("new")
    s = started(world, old)
    with connect(s, "alice", old.token()) as c:  # they have been read
        stays_out(s, "alice", new.token(), "no key kid=new")
        s.write("jwks.json", tokens.key_set(new))
        s.reload()
        enters(s, "alice", new.token())
        stays_out(s, "alice", old.token(), "no key kid=old")
        assert c.execute("SELECT 1").fetchone() == (1,)


def test_keys_that_are_wrong_are_told_and_the_old_stay(world):
    key = tokens.Key()
    s = started(world, key)
    enters(s, "alice", key.token())  # the keys have been read
    s.write("jwks.json", '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}')
    before = len(s.sink.find("policy"))
    s.signal(signal.SIGHUP)
    record = s.sink.wait("policy", before + 1)
    assert "a symmetric key" in str(record), record
    enters(s, "alice", key.token())


def test_check_tells_what_is_wrong_with_keys(world):
    s = world.prepare(identities=identities())
    done = s.check()
    assert done.returncode == 1, done
    assert "identities.yaml:" in done.stderr and \
        "jwks.json: No such file" in done.stderr, done.stderr
    s.write("jwks.json", '{"keys": [')
    assert "jwks.json:1:" in s.check().stderr
    s.write("jwks.json", tokens.key_set(tokens.Key("a"), tokens.Key("a")))
    assert "its `kid` is that of keys[0], too" in s.check().stderr
    s.write("jwks.json", tokens.key_set(tokens.Key()))
    assert s.check().returncode == 0, s.check()


# --- the end -----------------------------------------------------------------


def test_session_ends_when_its_token_expires(world):
    key = tokens.Key()
    s = started(world, key, skew=0)
    with s.tls_wire() as w:
        w.login("alice", key.token(life=10))
        first = w.query("SELECT 1")
        assert first.rows == [[b"1"]]
        told = w.rest()
    assert told.kinds.endswith("E"), told.messages
    assert s.sink.wait("disconnect")["reason"].endswith("expired")
    notices = first.notices + told.notices
    assert any("expires" in n["M"] for n in notices), notices


def test_session_of_an_expired_token_ends_in_the_middle_of_a_statement(world):
    key = tokens.Key()
    s = started(world, key, skew=0)
    with s.tls_wire() as w:
        w.login("alice", key.token(life=10))
        w.send(pgwire.query("SELECT pg_sleep(600)"))
        assert w.rest().kinds.endswith("E")
    assert s.sink.wait("disconnect")["reason"].endswith("expired")


# --- the verifier ------------------------------------------------------------


def verifiers(s):
    """Process ids of the verifiers there are."""
    found = []
    for pid in s.workers():
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if b"sallyport-verifier" in f.read().split(b"\0")[0]:
                    found.append(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def broker(s):
    return by_name(s, ["broker"])["broker"]


def memory(pid):
    """All that a process can read of its own."""
    parts = []
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, \
            open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            where, rights = line.split()[:2]
            start, end = (int(n, 16) for n in where.split("-"))
            if rights[0] != "r" or "[v" in line:
                continue
            mem.seek(start)
            try:
                parts.append(mem.read(end - start))
            except OSError:
                continue
    return b"\0".join(parts)


def test_verifier_holds_no_password_verifier(world):
    """Only root may look."""
    needs.little_memory()
    needs.root()
    key = tokens.Key()
    s = started(world, key)
    enters(s, "alice", key.token())
    found, secrets = memory(verifiers(s)[0]), memory(broker(s))
    assert tokens.NAME.encode() in found, "looked in the wrong place"
    for name in ("bob", "carol", "sam"):
        _, stored, server = harness.VERIFIERS[name].replace(":", "$").rsplit(
            "$", 2)
        assert stored.encode() in secrets, "not a thing to be looked for"
        assert stored.encode() not in found, name
        assert server.encode() not in found, name


def test_verifier_that_dies_is_replaced(world):
    key = tokens.Key()
    s = started(world, key)
    enters(s, "alice", key.token())
    dead = verifiers(s)
    assert len(dead) == 1, dead
    os.kill(dead[0], signal.SIGKILL)
    harness.until(lambda: verifiers(s) not in ([], dead), "another verifier")
    harness.until(lambda: _enters_again(s, key), "tokens to be believed")


def _enters_again(s, key):
    try:
        connect(s, "alice", key.token()).close()
        return True
    except psycopg.OperationalError:
        return False


def test_nobody_logs_in_with_the_empty_token(world):
    key = tokens.Key()
    s = started(world, key)
    with s.tls_wire() as w:
        w.send(pgwire.startup(user="alice", database="shop"))
        assert w.receive() == (b"R", struct.pack("!i", 3))
        w.send(pgwire.message(b"p", b"\0"))
        assert w.rest().kinds == "E"
    s.sink.wait("login-failed")
    if not needs.OVER_TLS:
        refused_login(s, "alice", key.token(), "28000")


# --- a verifier that was taken over ------------------------------------------

IMPOSTOR = """#!{python} -ISE
import socket, struct
asked = socket.socket(fileno=3)
while message := asked.recv(1 << 18):
    serial, = struct.unpack_from("<Q", message)
    asked.send(struct.pack("<QIII", serial, 1, {kind}, 0) + bytes({rest}))
"""
# kinds of errands; what "yes" has beyond its head and 256 bytes of reason
ANSWERS = {"PAM": (5, 4), "CERTIFICATE": (7, 4 + 8856)}


def with_impostor(world, name, kind, rest):
    """A world whose verifier says yes to everything, as if it was asked for
    something else."""
    folder = os.path.join(world.folder, name)
    os.mkdir(folder)
    os.chmod(folder, 0o755)
    own = harness.World(
        world.pg, harness.install_programs(world.programs, folder), folder)
    own.started = world.started
    path = own.program("sallyport-verifier")
    with open(path, "w", encoding="ascii") as f:
        f.write(IMPOSTOR.format(
            python=sys.executable, kind=kind, rest=256 + rest))
    return own


def test_yes_to_what_was_not_asked_is_no_and_harms_nobody(world):
    for name, (kind, rest) in ANSWERS.items():
        key = tokens.Key()
        s = started(with_impostor(world, name, kind, rest), key)
        # it brings what it was not sent for, so it is not heard any more
        stays_out(s, "alice", key.token(), "not available")
        harness.until(lambda s=s: "the verifier has gone" in s.log_text(),
                      "the broker to notice")
        assert "broker died" not in s.log_text(), s.log_text()
        assert s.psql("SELECT 1", "bob").returncode == 0, name
