"""The process itself as the proof: its executable, its digest, its user."""

import contextlib
import hashlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile

import harness
import needs
import pgwire
import tokens
from expect import raises
from rooted import rooted

PSQL = os.path.realpath("/usr/lib/postgresql/15/bin/psql")
NOBODY = "password authentication failed"


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def somebody():
    """An account that is neither root nor the one that Sallyport runs as."""
    return pwd.getpwnam("games" if needs.is_root() else
                        pwd.getpwuid(os.getuid()).pw_name)


def as_user(account):
    """Popen arguments of a client of that account."""
    if not needs.is_root():
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid,
            "extra_groups": []}


def identities(**job):
    """`job` is proved by its process alone, and may act for alice."""
    known = harness.default_identities()
    known["agents"]["job"] = {"acts_for": [{"user": "alice"}], **job}
    return known


def with_socket(s):
    """Listen on a Unix socket, too."""
    s.settings["listen"].append(
        {"address": f"unix:{s.folder}/.s.PGSQL.{s.port}", "upstream": "shop"})
    s.write_all()
    return s


@contextlib.contextmanager
def attesting(world, **job):
    """A Sallyport that can see whoever connects: root's, or, if we are not
    root, that of our own account."""
    if needs.is_root():
        with rooted(world, identities=identities(**job)) as s:
            try:
                yield with_socket(s).start()
            except AssertionError:
                print(s.log_text())  # it is removed with the folder
                raise
    else:
        yield with_socket(
            world.prepare(identities=identities(**job))).start()


def client(s, program=PSQL, login="job", host=None, account=None, **more):
    """A statement by psql, finished."""
    return subprocess.run(
        [program, "-X", "-A", "-t", "-h", host or s.folder, "-p", str(s.port),
         "-U", login, "-d", "shop", "-c", "SELECT 1"],
        capture_output=True, text=True, check=False, cwd="/",
        timeout=harness.PATIENCE * 3,
        env={"PATH": os.environ["PATH"], "PGPASSWORD": "nonsense",
             "HOME": "/", **more},
        **as_user(account or somebody()))


def enters(s, *arguments, **more):
    """The record of the connection."""
    before = len(s.sink.find("connect"))
    done = client(s, *arguments, **more)
    assert done.stdout == "1\n", done.stderr
    return s.sink.wait("connect", before + 1)


def is_refused(s, reason, *arguments, **more):
    before = len(s.sink.find("login-failed"))
    done = client(s, *arguments, **more)
    assert done.returncode == 2 and NOBODY in done.stderr, done
    record = s.sink.wait("login-failed", before + 1)
    assert reason in record["reason"], record
    return record


# --- what it runs -------------------------------------------------------------


def test_process_with_the_right_executable_enters_without_a_password(world):
    with attesting(world, executable=PSQL) as s:
        record = enters(s)
        assert record["agent"] == "job" and record["via"] == "process"
        assert "user" not in record
        assert record["process"] == PSQL, record
        assert record["peer"]["uid"] == somebody().pw_uid


def test_process_with_another_executable_is_refused(world):
    with attesting(world, executable="/usr/bin/env") as s:
        record = is_refused(s, "another process")
        for wanted in (" pid ", f"uid {somebody().pw_uid}",
                       f"its executable is {PSQL}"):
            assert wanted in record["reason"], record


def test_process_over_tcp_is_unknown(world):
    with attesting(world, executable=PSQL) as s:
        is_refused(s, "the process is unknown", host="127.0.0.1")


def test_executable_of_the_right_digest_enters(world):
    with attesting(world, executable=PSQL, sha256=digest(PSQL)) as s:
        for _ in range(2):  # made, and then remembered
            peer = enters(s)["peer"]
            assert peer["sha256"] == digest(PSQL) and \
                peer["executable"] == PSQL, peer


def test_executable_of_another_digest_is_refused(world):
    with attesting(world, executable=PSQL, sha256="0" * 64) as s:
        record = is_refused(s, "another process")
        assert f"its sha256 is {digest(PSQL)}" in record["reason"], record


def test_process_acts_for_a_person(world):
    with attesting(world, executable=PSQL) as s:
        record = enters(s, login="alice+job")
        assert record["user"] == "alice" and record["agent"] == "job"
        is_refused(s, "", login="bob+job")


def test_process_proves_nobody_else(world):
    with attesting(world, executable=PSQL) as s:
        for login in ("alice", "copilot", "alice+copilot", "nobody"):
            is_refused(s, "", login=login)


# --- as whom it runs ----------------------------------------------------------


def test_process_of_the_right_user_enters(world):
    with attesting(world, uid=somebody().pw_uid) as s:
        assert enters(s)["via"] == "process"


def test_process_of_another_user_is_refused(world):
    with attesting(world, uid=4242) as s:
        is_refused(s, "another process")


def test_right_executable_of_another_user_is_refused(world):
    with attesting(world, executable=PSQL, uid=4242) as s:
        is_refused(s, "another process")


def test_right_user_with_another_executable_is_refused(world):
    with attesting(world, executable="/usr/bin/env",
                   uid=somebody().pw_uid) as s:
        is_refused(s, "another process")


# --- a process that cannot be seen -----------------------------------------------

CONNECTS_AND_ENDS = """
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
with socket.socket(fileno=0) as parent:
    socket.send_fds(parent, [b"x"], [client.fileno()])
"""


def wire_of_nobody(s):
    """A connection whose process has ended: of it the user alone is known, as
    of one in another PID namespace."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        subprocess.run(
            [sys.executable, "-c", CONNECTS_AND_ENDS,
             f"{s.folder}/.s.PGSQL.{s.port}"], check=True, stdin=theirs,
            timeout=harness.PATIENCE)
        _, (descriptor,), _, _ = socket.recv_fds(ours, 1, 1)
    wire = s.bare_wire()
    wire.socket.close()
    wire.socket = socket.socket(fileno=descriptor)
    wire.socket.settimeout(harness.PATIENCE)
    return wire


def test_user_of_a_process_that_has_ended_is_known(world):
    with attesting(world, uid=os.getuid()) as s, wire_of_nobody(s) as w:
        w.login("job", "nonsense")
        assert w.query("SELECT 1").rows == [[b"1"]]
        record = s.sink.wait("connect")
        assert record["via"] == "process" and "process" not in record, record
        assert record["peer"]["uid"] == os.getuid(), record
        assert "executable" not in record["peer"], record


def test_executable_of_a_process_that_has_ended_is_not_known(world):
    with attesting(world, executable=os.path.realpath(sys.executable),
                   uid=os.getuid()) as s, wire_of_nobody(s) as w:
        with raises(pgwire.ServerError) as caught:
            w.login("job", "nonsense")
        assert caught.error.fields["C"] == "28P01"
        assert "the process is unknown" in \
            s.sink.wait("login-failed")["reason"]


def test_token_over_a_unix_socket_needs_no_process(world):
    key = tokens.Key()
    known = identities(uid=4242)
    known["people"]["alice"] = {"groups": ["analysts"]}
    known["tokens"] = [{"issuer": tokens.NAME, "audience": "sallyport",
                        "keys": "jwks.json"}]
    s = with_socket(world.prepare(identities=known))
    s.write("jwks.json", tokens.key_set(key))
    s.start()
    with wire_of_nobody(s) as w:
        w.login("alice", key.token())
        assert w.query("SELECT 1").rows == [[b"1"]]


# --- together with a password -------------------------------------------------


def test_password_and_process_are_both_needed(world):
    password = harness.VERIFIERS["nightly"]
    right = harness.PASSWORDS["nightly"]
    with attesting(world, executable=PSQL, password=password) as s:
        record = enters(s, PGPASSWORD=right)
        assert set(record["via"].split("+")) == {"process", "scram-sha-256"}
        is_refused(s, "", PGPASSWORD="wrong")
        is_refused(s, "the process is unknown", host="127.0.0.1",
                   PGPASSWORD=right)
    with attesting(world, executable="/usr/bin/env",
                   password=password) as s:
        is_refused(s, "another process", PGPASSWORD=right)


# --- executables that somebody could have changed ------------------------------


@contextlib.contextmanager
def copy_of_psql():
    """A program in a folder that only root can write to; both root's."""
    folder = tempfile.mkdtemp(prefix="sallyport-test-", dir="/var/lib")
    try:
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "job")
        shutil.copy(PSQL, path)
        os.chmod(path, 0o755)
        yield path
    finally:
        shutil.rmtree(folder)


def spoiled(world, spoil):
    """Is a copy refused after this, which was good before?"""
    needs.root()
    with copy_of_psql() as path, attesting(world, executable=path) as s:
        enters(s, path)
        spoil(path, somebody())
        is_refused(s, "another process", path)


def test_executable_of_the_processs_own_user_is_refused(world):
    spoiled(world, lambda path, who: os.chown(path, who.pw_uid, 0))


def test_executable_that_all_can_write_is_refused(world):
    spoiled(world, lambda path, _: os.chmod(path, 0o757))


def test_executable_that_a_group_can_write_is_refused(world):
    spoiled(world, lambda path, _: os.chmod(path, 0o775))


def test_executable_in_a_folder_that_all_can_write_is_refused(world):
    spoiled(world, lambda path, _: os.chmod(os.path.dirname(path), 0o777))


def test_executable_in_a_folder_of_the_processs_user_is_refused(world):
    spoiled(world, lambda path, who: os.chown(os.path.dirname(path),
                                              who.pw_uid, 0))


def test_link_to_the_executable_is_not_its_path(world):
    needs.root()
    with copy_of_psql() as path:
        os.symlink(path, path + "-link")
        with attesting(world, executable=path + "-link") as s:
            is_refused(s, "another process", path + "-link")


def test_rule_that_names_a_process_believes_genuine_ones_only(world):
    """A path alone says what the process likes: whoever can write the file
    can be anything."""
    needs.root()
    with copy_of_psql() as path, rooted(
            world, identities=identities(), policy={"rules": [
                {"name": "that program reads", "who": {"process": path},
                 "does": ["select"], "then": "allow"}]}) as s:
        with_socket(s).start()
        secret = harness.PASSWORDS["alice"]
        told = enters(s, path, login="alice", PGPASSWORD=secret)
        assert told["process"] == path and told["peer"]["genuine"], told
        os.chown(path, somebody().pw_uid, 0)
        done = client(s, path, login="alice", PGPASSWORD=secret)
        assert "refused" in done.stderr and done.stdout == "", done
        told = s.sink.wait("connect", 2)
        assert "process" not in told and not told["peer"]["genuine"], told
        assert told["peer"]["executable"] == path


def later(s, path, change):
    """A client whose program is changed after it was started: psql at
    PostgreSQL itself, which then connects to Sallyport."""
    process = subprocess.Popen(
        [path, "-X", "-A", "-t", "-h", s.world.pg.folder, "-p",
         str(s.world.pg.port), "-U", "owner", "-d", "shop"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, bufsize=1, cwd="/",
        env={"PATH": os.environ["PATH"], "PGPASSWORD": "nonsense"},
        **as_user(somebody()))
    try:
        process.stdin.write("SELECT 'is up';\n")
        assert process.stdout.readline() == "is up\n"
        change(path)
        return process.communicate(
            f'\\c "host={s.folder} port={s.port} user=job dbname=shop"\n'
            "SELECT current_setting('application_name');\n",
            timeout=harness.PATIENCE)[0]
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def changed_later(world, change, is_good=False):
    needs.root()
    with copy_of_psql() as path, \
            attesting(world, executable=path) as s:
        told = later(s, path, change)
        if is_good:
            assert "You are now connected" in told, told
        else:
            assert NOBODY in told, told
            assert "another process" in \
                s.sink.wait("login-failed")["reason"]


def test_executable_that_stays_as_it_was_enters(world):
    changed_later(world, lambda path: None, is_good=True)


def test_deleted_executable_is_refused(world):
    changed_later(world, os.unlink)


def test_replaced_executable_is_refused(world):
    def replace(path):
        shutil.copy(path, path + ".new")
        os.replace(path + ".new", path)
    changed_later(world, replace)


def test_executable_that_was_moved_is_refused(world):
    changed_later(world, lambda path: os.rename(path, path + ".old"))


# --- not started as root --------------------------------------------------------


def test_without_root_others_executables_prove_nobody(world):
    needs.root()
    s = with_socket(world.prepare(identities=identities(
        executable=PSQL))).start()
    harness.until(lambda: "executables of other users' processes cannot be "
                  "seen" in s.log_text(), "the porter to say so")
    is_refused(s, "another process")
    own = pwd.getpwuid(harness.unprivileged()["user"])
    assert enters(s, account=own)["via"] == "process"


def test_porter_that_dies_is_replaced(world):
    s = with_socket(world.prepare(identities=identities(
        uid=somebody().pw_uid))).start()
    enters(s)
    for sign in (9, 11):
        os.kill(porter_of(s), sign)
        harness.until(lambda: client(s).stdout == "1\n", "a new porter")
        assert s.psql("SELECT 1").stdout == "1\n"
    assert "porter died" in s.log_text()


def porter_of(s):
    """The one porter that has not been told to go."""
    def look():
        found = []
        for pid in harness.children(s.process.pid):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/comm", encoding="ascii") as f:
                    if f.read() == "porter\n":
                        found.append(pid)
        return found
    return harness.until(lambda: len(look()) == 1 and look(),
                         "one porter")[0]


def test_reload_has_a_porter_that_knows_the_new_identities(world):
    with attesting(world, executable=PSQL) as s:
        enters(s)
        before = porter_of(s)
        s.identities["agents"]["job"]["sha256"] = "0" * 64
        s.reload()
        is_refused(s, "another process")
        s.identities["agents"]["job"]["sha256"] = digest(PSQL)
        s.reload()
        enters(s)
        harness.until(lambda: not harness.alive(before),
                      "the old porter to end")
