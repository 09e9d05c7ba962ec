"""Certificates and keys as files: checked, reloaded, kept apart."""

import os
import subprocess

import harness
import test_tls_upstream
from certificates import Authority
from tls_tools import fails, server_certificate, tls_psql, works


def test_settings_of_tls_are_checked(world):
    s = world.prepare(tls={})
    listen, shop = s.settings["listen"][0], s.settings["upstreams"]["shop"]
    good = dict(listen["tls"])
    issue = s.authority.issue
    other, _ = issue("other")
    _, encrypted = issue("encrypted")
    subprocess.run(["openssl", "ec", "-in", encrypted, "-out", encrypted,
                    "-aes128", "-passout", "pass:x"], check=True,
                   capture_output=True)
    harness.give(encrypted, 0o600)
    open_to_all = issue("open")
    os.chmod(open_to_all[1], 0o644)

    keyless = s.write("keyless.pem", "nothing\n")

    def pair(kind):
        certificate, key = issue("x", kind=kind)
        return {"certificate": certificate, "key": key}

    table = [
        ({"certificate": other}, "not the key of the certificate"),
        ({"certificate": "none.crt"}, "none.crt: No such file"),
        ({"key": "none.key"}, "none.key: No such file"),
        ({"certificate": good["key"]}, "no certificate in it"),
        ({"key": keyless}, "no private key in it"),
        ({"client_ca": good["key"]}, "no certificate in it"),
        ({"key": encrypted}, "it has a passphrase"),
        ({"key": open_to_all[1]}, "must not be readable by others"),
        (pair("ed25519"), "only RSA and EC"),
        (pair("small"), "2048 to 4096 bits"),
        (pair("secp256k1"), "P-256, P-384 or P-521"),
        ({"required": "perhaps"}, "expected true or false"),
        ({"ciphers": "ALL"}, "unknown key in a listener's tls"),
    ]
    for change, want in table:
        listen["tls"] = {**good, **change}
        s.write_all()
        done = s.check()
        assert done.returncode == 1 and want in done.stderr, \
            (change, done.stderr)
        assert f"{s.config}:" in done.stderr, done.stderr
    listen["tls"] = good
    for tls, want in (
            ({"mode": "disable", "ca": "x"}, "no use"),
            ({"mode": "require", "key": "x"}, "only of use together"),
            ({"mode": "prefer"}, "mode"),
            ({"mode": "verify-full", "ca": "none.pem"}, "none.pem: No such")):
        shop["tls"] = tls
        s.write_all()
        done = s.check()
        assert done.returncode == 1 and want in done.stderr, \
            (tls, done.stderr)
    shop["tls"] = {"mode": "require"}
    shop["address"] = "unix:/run/postgresql/.s.PGSQL.5432"
    s.write_all()
    assert "no TLS on a Unix socket" in s.check().stderr


def test_certificate_that_has_expired_is_warned_of(world):
    s = world.prepare(tls={"expired": True})
    done = s.check()
    assert done.returncode == 0 and "has expired" in done.stderr, done
    s.start()
    fails(tls_psql(s, sslmode="verify-full"), "certificate verify failed")


def replace_pair(s, kind="ec", **more):
    """Write a new certificate and key where the present ones are."""
    path = server_certificate(s)
    return s.authority.issue("renewed", kind=kind, names=("localhost",),
                             file=os.path.basename(path)[:-4], **more)


def shown_certificate(s):
    with s.tls_wire() as w:
        return w.socket.getpeercert(True)


def test_certificates_reload_and_sessions_go_on(world):
    s = world.sallyport(tls={})
    with s.tls_wire() as w:
        w.login("alice", "alice-secret")
        before = shown_certificate(s)
        for kind in ("rsa", "ec384"):
            replace_pair(s, kind)
            # not before it is told
            assert shown_certificate(s) == before
            assert s.reload()["decision"] == "loaded"
            now = shown_certificate(s)
            assert now != before
            before = now
            works(tls_psql(s, sslmode="verify-full",
                           channel_binding="require"))
        assert w.query("SELECT 1").rows == [[b"1"]]


def test_broken_certificate_refuses_the_reload(world):
    s = world.sallyport(tls={})
    before = shown_certificate(s)
    _, key = replace_pair(s)
    with open(key, "w", encoding="ascii") as f:
        f.write("nothing\n")
    record = s.reload()
    assert record["decision"] != "loaded" and "no private key" in str(record)
    assert shown_certificate(s) == before
    works(tls_psql(s, sslmode="verify-full", channel_binding="require"))
    replace_pair(s)
    assert s.reload()["decision"] == "loaded"
    assert shown_certificate(s) != before


def test_ca_of_the_upstream_reloads(world):
    s = world.prepare()
    path = os.path.join(s.folder, "db-ca.pem")
    with open(world.pg.authority.certificate, encoding="ascii") as f:
        right = f.read()
    other = Authority(os.path.join(s.folder, "other"), harness.give)
    with open(other.certificate, encoding="ascii") as f:
        s.write("db-ca.pem", f.read())
    s.settings["upstreams"]["shop"].update(test_tls_upstream.upstream_tls(
        world, ca=path))
    s.write_all()
    s.start()
    test_tls_upstream.upstream_fails(s)
    s.write("db-ca.pem", right)
    assert s.reload()["decision"] == "loaded"
    test_tls_upstream.upstream_works(s)
