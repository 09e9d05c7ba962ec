"""Passwords that PAM checks."""

import concurrent.futures
import contextlib
import os
import subprocess
import tempfile

import psycopg

import harness
import needs
import pgwire

NOBODY = "password authentication failed"
PASSWORD = "a secret of PAM's"
CHECK = f"""#!/bin/sh
# what pam_exec gives it: the password on standard input
password=$(/usr/bin/tr -d '\\000')
[ "$PAM_USER/$password" = "alice/{PASSWORD}" ] ||
	[ "$PAM_USER/$password" = "job/{PASSWORD}" ]
"""
RENAMES = """
#include <security/pam_modules.h>
int pam_sm_authenticate(pam_handle_t *h, int f, int c, const char **v)
{
	(void)f, (void)c, (void)v;
	return pam_set_item(h, PAM_USER, "bob");
}
int pam_sm_setcred(pam_handle_t *h, int f, int c, const char **v)
{
	(void)h, (void)f, (void)c, (void)v;
	return PAM_SUCCESS;
}
"""


@contextlib.contextmanager
def service(auth, account="required pam_permit.so"):
    """The name of a service of PAM that is there for so long."""
    handle, path = tempfile.mkstemp(prefix="sallyport-test-", dir="/etc/pam.d")
    # PAM looks for it in lower case
    lower = path.lower()
    os.rename(path, lower)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as f:
            f.write(f"auth {auth}\naccount {account}\n")
        os.chmod(lower, 0o644)
        yield os.path.basename(lower)
    finally:
        os.unlink(lower)


@contextlib.contextmanager
def script(text=CHECK):
    """What a service runs, as a line for it."""
    with tempfile.TemporaryDirectory(prefix="sallyport-pam-") as folder:
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "check")
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(path, 0o755)
        yield f"required pam_exec.so expose_authtok quiet {path}"


def started(world, name):
    """alice and an agent whose passwords that service checks."""
    known = harness.default_identities()
    known["people"]["alice"] = {"groups": ["analysts"], "pam": name}
    known["agents"]["job"] = {"pam": name, "acts_for": [{"user": "sam"}]}
    s = world.prepare(identities=known)
    s.settings["listen"].append(
        {"address": f"unix:{s.folder}/.s.PGSQL.{s.port}", "upstream": "shop"})
    s.write_all()
    return s.start()


def connect(s, login="alice", password=PASSWORD):
    return psycopg.connect(host=s.folder, port=s.port, user=login,
                           password=password, dbname="shop", autocommit=True)


def enters(s, *arguments):
    before = len(s.sink.find("connect"))
    with connect(s, *arguments) as c:
        assert c.execute("SELECT 1").fetchone() == (1,)
    return s.sink.wait("connect", before + 1)


def is_refused(s, reason, *arguments):
    before = len(s.sink.find("login-failed"))
    try:
        connect(s, *arguments).close()
        raise AssertionError(f"{arguments} got in")
    except psycopg.OperationalError as error:
        assert NOBODY in str(error), error
    record = s.sink.wait("login-failed", before + 1)
    assert reason in record["reason"], record


def test_password_that_pam_takes_enters(world):
    needs.root()
    with script() as auth, service(auth) as name:
        s = started(world, name)
        record = enters(s)
        assert record["user"] == "alice" and record["via"] == "pam"
        record = enters(s, "sam+job")
        assert record["user"] == "sam" and record["agent"] == "job"
        told = b"".join(s.sink.raw) + s.log_text().encode()
        assert PASSWORD.encode() not in told


def test_password_that_pam_refuses_does_not_enter(world):
    needs.root()
    with script() as auth, service(auth) as name:
        s = started(world, name)
        for password in ("wrong", PASSWORD + "x", PASSWORD[:-1], "x" * 511):
            is_refused(s, "PAM", "alice", password)


def test_password_that_is_none_is_not_asked_about(world):
    needs.root()
    with service("required pam_permit.so") as name:
        s = started(world, name)
        enters(s)
        is_refused(s, "", "alice", "x" * 512)


def test_password_of_pam_is_of_its_user_only(world):
    needs.root()
    with script(CHECK.replace("alice/", "bob/")) as auth, \
            service(auth) as name:
        is_refused(started(world, name), "PAM", "alice")


def test_account_that_pam_has_closed_does_not_enter(world):
    needs.root()
    with script() as auth, service(auth, "required pam_deny.so") as name:
        is_refused(started(world, name), "PAM")


def test_service_that_is_not_there_is_not_other(world):
    needs.root()
    with service("required pam_permit.so") as name:
        s = started(world, name)
        enters(s)
    is_refused(s, "there is no service " + name)


def test_module_that_proves_another_user_is_refused(world):
    needs.root()
    with tempfile.TemporaryDirectory(prefix="sallyport-pam-") as folder:
        os.chmod(folder, 0o755)
        module = os.path.join(folder, "renames.so")
        subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-o", module,
                        "-"], input=RENAMES, text=True, check=True)
        os.chmod(module, 0o755)
        with service(f"required {module}") as name:
            is_refused(started(world, name), "another user")


def test_password_is_not_asked_for_in_clear(world):
    needs.root()
    needs.clear()
    with script() as auth, service(auth) as name:
        s = started(world, name)
        with pgwire.Wire(("127.0.0.1", s.port)) as w:
            w.send(pgwire.startup(user="alice", database="shop"))
            answers = w.rest()
        assert answers.kinds == "E", answers
        assert "in clear" in s.sink.wait("login-failed")["reason"]


def sleepers(path):
    """What a service has started: pam_exec gives it a life of its own, and
    whatever it has started in turn."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if path.encode() in f.read():
                    found += [int(pid), *harness.children(int(pid))]
    return found


def test_pam_that_hangs_holds_up_nobody_else(world):
    needs.root()
    with script("#!/bin/sh\n/usr/bin/sleep 600\n:\n") as auth, \
            service(auth) as name, \
            concurrent.futures.ThreadPoolExecutor() as threads:
        path = auth.split()[-1]
        s = started(world, name)
        waiting = threads.submit(is_refused, s, "PAM does not answer")
        try:
            harness.until(lambda: len(sleepers(path)) > 1, "PAM to be asked")
            with s.wire("bob") as w:
                assert w.query("SELECT 1").rows == [[b"1"]]
            assert not waiting.done()
            waiting.result()
        finally:
            for pid in sleepers(path):
                harness.kill(pid)
