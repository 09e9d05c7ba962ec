"""Certificates of clients: who they prove, and who not."""

import datetime
import hashlib
import os
import ssl

import psycopg

import harness
import pgwire
import tokens
from certificates import Authority
from expect import raises
from tls_tools import handshake_fails

SPIFFE = "URI:spiffe://shop.example/agent/nightly"


def certified(world, crl=None, **more):
    """Sallyport with people and agents of every sort of certificate; `crl`:
    what is revoked from the start."""
    s = world.prepare(tls={"client_ca": True, **more})
    people, agents = s.identities["people"], s.identities["agents"]
    people["dora"] = {"groups": ["analysts"],
                      "certificate": "email:Dora@Shop.example"}
    people["erin"] = {"groups": ["analysts"], "certificate": "cn:erin",
                      "password": harness.VERIFIERS["bob"]}
    agents["nightly"] = {
        "certificate": "spiffe://shop.example/agent/nightly"}
    agents["sync"] = {"certificate": ["dns:sync.shop.example",
                                      "uri:https://shop.example/sync"]}
    agents["scribe"] = {"certificate": "cn:scribe",
                        "acts_for": [{"group": "analysts"}]}
    agents["clerk"] = {"certificate": "cn:clerk", "needs_person": "true",
                       "acts_for": [{"group": "analysts"}]}
    agents["both"] = {"certificate": "cn:both",
                      "password": harness.VERIFIERS["nightly"],
                      "acts_for": [{"group": "analysts"}]}
    # every agent may look, whoever it is
    s.policy["rules"].append({
        "name": "certified", "who": {"via": ["*certificate*"]},
        "does": ["read"], "then": "allow"})
    if crl is not None:
        s.settings["listen"][0]["tls"]["client_crl"] = \
            s.authority.revoke(*crl)
    s.write_all()
    s.start()
    return s


def proved(s, login, certificate, password="", newest=None):
    """Logged in with that; the record that says how."""
    before = len(s.sink.find("connect"))
    with s.tls_wire(certificate=certificate, newest=newest) as w:
        w.login(login, password)
        assert w.query("SELECT 1").rows == [[b"1"]]
        return s.sink.wait("connect", before + 1)


def refused(s, login, certificate, password="guessed", reason=""):
    """Not logged in, in the words of a wrong password."""
    before = len(s.sink.find("login-failed"))
    with s.tls_wire(certificate=certificate) as w:
        with raises(pgwire.ServerError) as caught:
            w.login(login, password)
    fields = caught.error.fields
    assert fields["C"] == "28P01", fields
    assert fields["M"] == \
        f'password authentication failed for user "{login}"', fields
    record = s.sink.wait("login-failed", before + 1)
    assert reason in record["reason"], record
    return record


def proved_at(s, login, *names, common_name="anything", **more):
    return proved(s, login, s.authority.issue(
        common_name, also=names, **more))


# --- names ------------------------------------------------------------------


def test_every_kind_of_name_proves_its_own(world):
    s = certified(world)
    for login, names, cn in (
            ("nightly", [SPIFFE], None),
            ("nightly", ["DNS:other.example", SPIFFE], "other"),
            ("sync", ["DNS:sync.shop.example"], None),
            ("sync", ["DNS:Sync.SHOP.example", "DNS:x.example"], "x"),
            ("sync", ["URI:https://shop.example/sync"], None),
            ("dora", ["email:Dora@SHOP.example"], "x"),
            ("scribe", [], "scribe")):
        told = proved_at(s, login, *names, common_name=cn)
        assert told["via"] == "certificate", told
        assert told["tls"].get("subject", "") == (f"CN={cn}" if cn else "")


BAD_ID, ANOTHER_URI = "SPIFFE ID", "another URI beside"
NO_NAME, ELSE = "no name in the certificate", "somebody else's"
LOOK_ALIKES = (
    ("nightly", [], "spiffe://shop.example/agent/nightly", ELSE),
    ("nightly", ["URI:spiffe://shop.example/agent/nightly2"], None, ELSE),
    ("nightly", ["URI:spiffe://shop.example/agent/Nightly"], None, ELSE),
    ("nightly", ["URI:spiffe://shop.example/agent/x/../nightly"],
     None, BAD_ID),
    ("nightly", [SPIFFE + "?x"], None, BAD_ID),
    ("nightly", ["URI:SPIFFE://shop.example/agent/nightly"], None, BAD_ID),
    ("nightly", [SPIFFE, "URI:https://shop.example/x"], None, ANOTHER_URI),
    ("nightly", [SPIFFE, SPIFFE], None, "twice"),
    ("nightly", ["DNS:nightly"], "nightly", ELSE),
    ("sync", ["DNS:*.shop.example"], None, NO_NAME),
    ("sync", ["DNS:sync.shop.example.evil.example"], None, ELSE),
    ("sync", ["email:x@sync.shop.example"], "sync.shop.example", ELSE),
    ("sync", ["URI:https://shop.example/Sync"], None, ELSE),
    ("dora", ["email:dora@Shop.example"], None, ELSE),
    ("dora", [], "Dora@shop.example", ELSE),
    ("scribe", ["DNS:scribe"], "Scribe", ELSE),
    ("scribe", [SPIFFE + "?x"], "scribe", BAD_ID),
)


def test_names_that_only_look_alike_prove_nobody(world):
    for i, (login, names, cn, why) in enumerate(LOOK_ALIKES):
        if i % 4 == 0:  # who is wrong too often would have to wait
            s = certified(world)
        refused(s, login, s.authority.issue(cn, also=names), reason=why)


def test_every_kind_of_key_and_version_proves(world):
    s = certified(world)
    for kind in ("ec", "ec384", "ec521", "rsa", "ed25519"):
        mine = s.authority.issue(None, kind=kind, also=[SPIFFE])
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            told = proved(s, "nightly", mine, newest=version)
            assert told["via"] == "certificate", (kind, told)


def test_server_with_an_rsa_key_takes_certificates_too(world):
    s = certified(world, kind="rsa")
    mine = s.authority.issue(None, also=[SPIFFE])
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        proved(s, "nightly", mine, newest=version)


def test_handshake_in_two_rounds_proves(world):
    """A HelloRetryRequest: the client guesses another group."""
    s = certified(world)
    mine = s.authority.issue(None, also=[SPIFFE])
    before = len(s.sink.find("connect"))
    with s.bare_wire() as w:
        context = s.authority.context(certificate=mine)
        context.set_ecdh_curve("secp521r1")
        w.start_tls(context)
        w.login("nightly", "")
        assert w.query("SELECT 1").rows == [[b"1"]]
    assert s.sink.wait("connect", before + 1)["via"] == "certificate"


# --- who may use what -------------------------------------------------------


def test_certificate_is_its_owners_alone(world):
    s = certified(world)
    nightly = s.authority.issue(None, also=[SPIFFE])
    sync = s.authority.issue(None, names=["sync.shop.example"])
    refused(s, "sync", nightly, reason="somebody else's")
    refused(s, "nightly", sync, reason="somebody else's")
    refused(s, "dora", sync, reason="somebody else's")
    # nor is it a password
    refused(s, "copilot", nightly, reason="")
    refused(s, "alice", nightly, reason="")
    refused(s, "mallory", nightly, reason="unknown user")
    proved(s, "nightly", nightly)


def test_certificate_does_not_harm_who_needs_none(world):
    s = certified(world)
    mine = s.authority.issue(None, also=[SPIFFE])
    told = proved(s, "alice", mine, "alice-secret")
    assert told["via"] == "scram-sha-256"


def test_nobody_without_a_certificate(world):
    s = certified(world)
    refused(s, "nightly", None, reason="no client certificate")
    refused(s, "dora", None, reason="no client certificate")
    refused(s, "erin", None, "bob-secret", reason="no client certificate")
    refused(s, "alice+scribe", None, "alice-secret",
            reason="no client certificate")
    with s.bare_wire() as w:  # nor in clear
        with raises(pgwire.ServerError):
            w.login("nightly", "nightly-secret")


def test_certificate_and_password_are_both_needed(world):
    s = certified(world)
    erin, both = s.authority.issue("erin"), s.authority.issue("both")
    assert proved(s, "erin", erin, "bob-secret")["via"] == \
        "certificate+scram-sha-256"
    assert proved(s, "both", both, "nightly-secret")["via"] == \
        "certificate+scram-sha-256"
    refused(s, "erin", erin, "wrong")
    refused(s, "erin", both, "bob-secret", reason="somebody else's")
    refused(s, "both", both, "wrong")
    refused(s, "both", None, "nightly-secret", reason="no client certificate")


def test_agent_by_certificate_acts_for_a_person(world):
    s = certified(world)
    scribe = s.authority.issue("scribe")
    told = proved(s, "alice+scribe", scribe)
    assert (told["user"], told["agent"]) == ("alice", "scribe")
    assert told["via"] == "certificate"
    refused(s, "carol+scribe", scribe, "carol-secret", reason="may not act")
    refused(s, "alice+copilot", scribe, "alice-secret")
    refused(s, "mallory+scribe", scribe, reason="unknown user")


def test_agent_by_certificate_and_person_by_password(world):
    s = certified(world)
    clerk = s.authority.issue("clerk")
    told = proved(s, "alice+clerk", clerk, "alice-secret")
    assert (told["user"], told["agent"]) == ("alice", "clerk")
    assert told["via"] == "certificate+scram-sha-256"
    assert told["proved"] == {"user": "scram-sha-256",
                              "agent": "certificate"}
    refused(s, "alice+clerk", clerk, "guessed")
    refused(s, "alice+clerk", clerk, "bob-secret")
    refused(s, "alice+clerk", None, "alice-secret",
            reason="no client certificate")
    refused(s, "alice+clerk", s.authority.issue("scribe"), "alice-secret",
            reason="somebody else's")


def test_token_stands_in_for_no_persons_certificate(world):
    s, key = certified(world), tokens.Key()
    s.identities["people"]["gina"] = {"groups": ["analysts"]}
    s.identities["tokens"] = [{"issuer": tokens.NAME,
                               "audience": "sallyport",
                               "keys": "jwks.json"}]
    s.write("jwks.json", tokens.key_set(key))
    assert s.reload()["decision"] == "loaded"
    clerk = s.authority.issue("clerk")
    told = proved(s, "gina+clerk", clerk, key.token("gina"))
    assert told["proved"] == {"user": "token", "agent": "certificate"}
    why = "own proof is a certificate"
    refused(s, "dora+clerk", clerk, key.token("dora"), reason=why)
    refused(s, "erin+clerk", clerk, key.token("erin"), reason=why)
    refused(s, "erin+clerk", clerk, "bob-secret", reason=why)
    refused(s, "alice+clerk", clerk, key.token("alice"), reason="password")
    refused(s, "dora", clerk, key.token("dora"), reason="somebody else's")
    # an agent whose word is enough needs no proof of hers
    told = proved(s, "dora+scribe", s.authority.issue("scribe"))
    assert told["proved"] == {"user": "agent", "agent": "certificate"}


def test_record_shows_the_certificate(world):
    s = certified(world)
    certificate, key = s.authority.issue("scribe", days=(None, 2))
    told = proved(s, "scribe", (certificate, key))
    with open(certificate, encoding="ascii") as f:
        der = ssl.PEM_cert_to_DER_cert(f.read())
    assert told["certificate"]["subject"] == "CN=scribe"
    assert told["certificate"]["sha256"] == hashlib.sha256(der).hexdigest()
    ends = datetime.datetime.fromtimestamp(
        told["expires"], datetime.timezone.utc)
    left = ends - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(days=1) < left <= datetime.timedelta(days=2)


def test_session_ends_with_its_certificate(world):
    s = certified(world)
    mine = s.authority.issue("scribe", days=(None, 10 / 86400))
    with s.tls_wire(certificate=mine) as w:
        w.login("scribe", "")
        end = w.rest()
    assert end.errors[-1]["C"] == "57P01", end.messages
    record = s.sink.wait("disconnect")
    assert "expired" in record["reason"], record


def test_psycopg_with_a_certificate(world):
    s = certified(world)
    certificate, key = s.authority.issue(None, also=[SPIFFE])
    more = {"sslmode": "verify-full", "sslrootcert": s.authority.certificate,
            "sslcert": certificate, "sslkey": key}
    with s.connect("nightly", "", **more) as c:
        assert c.execute("SELECT 1").fetchone() == (1,)
    with raises(psycopg.OperationalError):
        s.connect("sync", "", **more)


# --- which certificates -----------------------------------------------------


def test_certificate_that_is_not_in_force_or_not_a_clients_is_refused(world):
    s = certified(world)
    other = Authority(os.path.join(s.folder, "other"), harness.give)
    namesake = Authority(os.path.join(s.folder, "same"), harness.give,
                         "test authority")
    issue = s.authority.issue
    for certificate, why in (
            (issue("scribe", expired=True), "expired"),
            (issue("scribe", days=(1, 2)), "not yet valid"),
            (issue("scribe", usage="serverAuth"), "purpose"),
            (issue("scribe", usage="emailProtection"), "purpose"),
            (other.issue("scribe"), "issuer"),
            (namesake.issue("scribe"), "issuer"),
            ((other.certificate, other.key), "self-signed")):
        record = handshake_fails(
            s, s.authority.context(certificate=certificate))
        assert why in record["reason"], record
    proved(s, "scribe", issue("scribe", usage="clientAuth"))
    proved(s, "scribe", issue("scribe", usage="serverAuth,clientAuth"))
    # an authority's own is good in a handshake, but is nobody's
    refused(s, "scribe", issue("scribe", ca=True), reason="is a CA's")


def test_certificate_of_an_intermediate_authority(world):
    s = certified(world)
    middle = Authority(os.path.join(s.folder, "middle"), harness.give)
    middle.certificate, middle.key = s.authority.issue("middle", ca=True)
    certificate, key = middle.issue("scribe")
    alone = (certificate, key)
    handshake_fails(s, s.authority.context(certificate=alone))
    chain = os.path.join(s.folder, "chain.pem")
    with open(chain, "w", encoding="ascii") as out:
        for path in (certificate, middle.certificate):
            with open(path, encoding="ascii") as f:
                out.write(f.read())
    proved(s, "scribe", (chain, key))


# --- revocation -------------------------------------------------------------


def test_revoked_certificate_is_refused_after_a_reload(world):
    s = certified(world, crl=())
    mine, stolen = s.authority.issue("scribe"), s.authority.issue("scribe")
    proved(s, "scribe", mine)
    proved(s, "scribe", stolen)
    s.authority.revoke(stolen[0])
    assert s.reload()["decision"] == "loaded"
    record = harness.until(
        lambda: refusal(s, stolen), "the revocation to be known")
    assert "revoked" in record["reason"], record
    proved(s, "scribe", mine)


def refusal(s, certificate):
    """What comes of a handshake with it; None: nothing yet. A spare worker of
    before the reload may still be there."""
    try:
        return handshake_fails(s, s.authority.context(
            certificate=certificate))
    except AssertionError:
        return None


def test_crl_that_has_expired_proves_nobody(world):
    s = certified(world, crl=())
    mine = s.authority.issue("scribe")
    proved(s, "scribe", mine)
    s.authority.revoke(hours=-1)
    assert s.reload()["decision"] == "loaded"
    harness.until(lambda: "has expired" in s.log_text(), "a warning")
    record = harness.until(lambda: refusal(s, mine), "the CRL to be known")
    assert "CRL has expired" in record["reason"], record
    with s.tls_wire() as w:  # others are not concerned
        w.login("alice", "alice-secret")


def test_crl_of_another_authority_covers_nobody(world):
    s = certified(world, crl=())
    other = Authority(os.path.join(s.folder, "other"), harness.give, "other")
    mine = s.authority.issue("scribe")
    other.revoke(path=s.settings["listen"][0]["tls"]["client_crl"])
    assert s.reload()["decision"] == "loaded"
    record = harness.until(lambda: refusal(s, mine), "the CRL to be known")
    assert "CRL" in record["reason"], record


def test_crl_that_is_none_is_refused(world):
    s = certified(world, crl=())
    path = s.settings["listen"][0]["tls"]["client_crl"]
    mine = s.authority.issue("scribe")
    with open(path, "w", encoding="ascii") as f:
        f.write("nothing\n")
    record = s.reload()
    assert record["decision"] != "loaded" and "no CRL" in str(record)
    proved(s, "scribe", mine)  # all is as it was
    done = s.check()
    assert done.returncode == 1 and "no CRL in it" in done.stderr
    os.unlink(path)
    done = s.check()
    assert done.returncode == 1 and "No such file" in done.stderr
