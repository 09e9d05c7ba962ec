"""What each process has in its memory, in the middle of a session.

Every readable page of every process is searched for every secret there is,
in every form in which it might be kept.  The search itself is tested in the
same run: it finds what was planted in the session, and the broker's secrets
in the broker.  Only root can look.
"""

import base64
import hashlib
import hmac
import os
import socket
import subprocess

import harness
import needs
import pgwire
import test_chain
import test_tls_upstream
from rooted import rooted
from test_sandbox import HELPERS, begun

CHUNK = 1 << 24
OVERLAP = 1 << 12  # longer than any secret
PLANTED = "planted-4f1d7b-in-a-prepared-statement"


def sha256(key, text):
    return hmac.digest(key, text, "sha256")


class Secrets:
    """Names and bytes; `needed` are those that the broker must have."""

    def __init__(self):
        self.forms, self.needed = {}, set()

    def add(self, name, *forms, needed=False):
        for i, form in enumerate(forms):
            assert len(form) >= 10, f"{name} might be there by chance"
            self.forms[(name, i)] = form
        if needed:
            self.needed.add(name)

    def number(self, name, value, needed=False):
        """As files have it, and as OpenSSL keeps it: least word first."""
        value = value.lstrip(b"\0")
        self.add(name, value, value[::-1], needed=needed)

    def scram(self, name, password, salt, iterations, salted_needed=False):
        """All that can be derived from a password."""
        salted = hashlib.pbkdf2_hmac(
            "sha256", password.encode(), salt, iterations)
        client = sha256(salted, b"Client Key")
        keys = {"SaltedPassword": salted, "ClientKey": client,
                "StoredKey": hashlib.sha256(client).digest(),
                "ServerKey": sha256(salted, b"Server Key")}
        for key, value in keys.items():
            self.add(f"{name} {key}", value, base64.b64encode(value),
                     value.hex().encode(),
                     needed=salted_needed and key == "SaltedPassword")

    def verifier(self, name, text, password):
        """Of identities.yaml."""
        _, first, second = text.split("$")
        iterations, salt = first.split(":")
        self.scram(name, password, base64.b64decode(salt), int(iterations))
        self.add(f"{name} verifier", second.encode(), needed=True)
        self.add(f"{name} password", password.encode())

    def private_key(self, name, path):
        """The numbers, and the lines of the file."""
        text = subprocess.run(
            ["openssl", "pkey", "-in", path, "-noout", "-text"], check=True,
            capture_output=True, text=True).stdout
        for part in ("priv", "privateExponent", "prime1", "prime2",
                     "exponent1", "exponent2", "coefficient"):
            if f"\n{part}:" in text:
                digits = text.split(f"\n{part}:\n")[1].split("\n")
                lines = []
                for line in digits:
                    if not line.startswith("    "):
                        break
                    lines.append(line.strip().replace(":", ""))
                self.number(f"{name} {part}", bytes.fromhex("".join(lines)),
                            needed=part in ("priv", "prime1", "prime2"))
        with open(path, encoding="ascii") as f:
            for i, line in enumerate(f.read().splitlines()[1:-1]):
                if len(line) == 64:
                    self.add(f"{name} line {i}", line.encode())

    def chain(self, name, record):
        """Keys of records of a chain up to this one, which are all gone."""
        session = "" if record["chain"].endswith(".0") else record["session"]
        parts = ("sallyport audit chain", record["node"], record["chain"],
                 session)
        key = sha256(test_chain.KEY.strip().encode(),
                     b"".join(p.encode() + b"\0" for p in parts))
        for i in range(record["seq"]):
            self.add(f"{name} key of record {i + 1}", key, key.hex().encode())
            key = sha256(key, b"next")
        return key  # of the next record

    def found_in(self, bytes_):
        return {name for (name, _), form in self.forms.items()
                if form in bytes_}


def mappings(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
        for line in f:
            fields = line.split(maxsplit=5)
            start, end = (int(x, 16) for x in fields[0].split("-"))
            name = fields[5].strip() if len(fields) > 5 else ""
            if "r" in fields[1] and not name.startswith("[v"):
                yield start, end, name


def chunks(pid):
    """Every readable page. Of a store only what its file has."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, name in mappings(pid):
            if name.endswith(".mdb"):
                with open(name, "rb") as f:
                    yield f.read()
                continue
            assert end - start < 1 << 32, name
            for at in range(start, end, CHUNK):
                try:
                    memory.seek(at)
                    yield memory.read(min(CHUNK + OVERLAP, end - at))
                except OSError:
                    pass  # a guard page


def search(pid, secrets, seen):
    """Names of those that are there, in a list; empty: the process has ended.
    What was looked at before, as the text of a library, is not again."""
    found, size = set(), 0
    try:
        for chunk in chunks(pid):
            size += len(chunk)
            mark = hashlib.sha1(chunk).digest()
            if mark not in seen:
                seen[mark] = secrets.found_in(chunk)
            found |= seen[mark]
    except (FileNotFoundError, ProcessLookupError):
        return []
    assert size > 1 << 20 or not harness.alive(pid), \
        f"only {size} bytes of {pid}"
    return [found] if harness.alive(pid) else []


def search_all(pids, secrets, seen):
    living = [found for pid in pids for found in search(pid, secrets, seen)]
    return living and [set().union(*living)]


def search_command(s, secrets, seen):
    """The child that serves an operator, who is silent: nobody waits for him
    for long."""
    with socket.socket(socket.AF_UNIX) as command:
        command.connect(s.control)
        pids = harness.until(lambda: processes(s).get("control"),
                             "a command's child")
        return search_all(pids, secrets, seen)


def all_secrets(world, s):
    secrets = Secrets()
    secrets.add("upstream password", world.pg.PASSWORD.encode(), needed=True)
    stored = world.pg.ask("SELECT rolpassword FROM pg_authid "
                          "WHERE rolname = 'sallyport_tls'")[0][0]
    iterations, salt = stored.split("$")[1].split(":")
    secrets.scram("upstream", world.pg.PASSWORD, base64.b64decode(salt),
                  int(iterations), salted_needed=True)
    for who, password in harness.PASSWORDS.items():
        secrets.verifier(who, harness.VERIFIERS[who], password)
    for listener in s.settings["listen"]:
        secrets.private_key(listener["address"], listener["tls"]["key"])
    secrets.private_key("upstream",
                        s.settings["upstreams"]["shop"]["tls"]["key"])
    secrets.add("audit key", test_chain.KEY.strip().encode(),
                bytes.fromhex(test_chain.KEY.strip()), needed=True)
    return secrets


def fill(world, s):
    """Two listeners with keys of both kinds, an upstream that wants SCRAM and
    takes a certificate, an audit key."""
    test_chain.chain(s)
    certificate, key = s.authority.issue(
        "second", kind="ec", names=("localhost",), addresses=("127.0.0.1",))
    s.settings["listen"].append({
        "address": f"127.0.0.1:{harness.free_port()}", "upstream": "shop",
        "tls": {"certificate": certificate, "key": key}})
    upstream = s.settings["upstreams"]["shop"]
    upstream.update(test_tls_upstream.upstream_tls(world))
    certificate, key = world.pg.authority.issue(
        "sallyport_tls", file=f"memory-{os.getpid()}")
    for what, path in (("certificate", certificate), ("key", key),
                       ("ca", world.pg.authority.certificate)):
        with open(path, encoding="ascii") as f:
            upstream["tls"][what] = s.write(f"secrets/upstream.{what}",
                                            f.read())
    s.write_all()
    return s


def processes(s):
    """Process ids by name; of children those that have left behind what is
    master's."""
    found = {"master": [s.process.pid]}
    for pid, shown in begun(s):
        found.setdefault(shown["Name"], []).append(pid)
    return found


def everybody(s):
    """The same, once there is one of each, and a spare worker."""
    wanted = {"master", "worker", *HELPERS}

    def look():
        found = processes(s)
        return found if wanted <= set(found) and \
            len(found["worker"]) >= 3 else None
    return harness.until(look, f"{wanted}; there are {set(processes(s))}")


def search_everybody(s, secrets, seen):
    """By the name of the process. When one has ended in the search, who came
    in its place is searched."""
    found = {}
    for kind in sorted(set(everybody(s)) - {"control"}):
        found[kind], = harness.until(
            lambda k=kind: search_all(everybody(s).get(k, []), secrets, seen),
            f"the memory of {kind}")
    return found


def look_around(world, s):
    """In mid-session: which secrets there are, and who has them."""
    secrets = all_secrets(world, s)
    secrets.add("planted", PLANTED.encode())
    with s.tls_wire() as w, s.tls_wire() as another:
        another.send(pgwire.startup(user="bob", database="shop"))
        another.until(b"R")  # a login under way
        w.login("alice", "alice-secret")
        w.exchange(pgwire.parse(f"SELECT '{PLANTED}'::text", "kept"),
                   pgwire.bind(statement="kept"), pgwire.execute(),
                   pgwire.SYNC)
        w.query("SELECT 1")
        last = s.sink.wait("result", 2)
        secrets.add("session's next key", secrets.chain("session's", last))
        last = [r for r in s.sink.find() if r["chain"].endswith(".0")][-1]
        secrets.add("master's next key", secrets.chain("master's", last))
        seen, found = {}, {}
        found["control"], = harness.until(
            lambda: search_command(s, secrets, seen), "a command's memory")
        found |= search_everybody(s, secrets, seen)
        assert w.query("SELECT 1").rows
    return secrets, found


def secrets_are_the_brokers(secrets, found):
    own = {"worker": {"planted", "session's next key"},
           "master": {"master's next key"}}
    broker = found.pop("broker")
    for kind, there in found.items():
        wanted = own.get(kind, set())
        assert there >= wanted, f"the search is blind: {kind}: {there}"
        assert there == wanted, f"{kind} has {sorted(there - wanted)}"
    assert broker >= secrets.needed, secrets.needed - broker
    useless = {n for n in broker if n == "planted" or "next key" in n
               or n in {f"{who} password" for who in harness.PASSWORDS}}
    assert not useless, f"even the broker has no use for {useless}"


def test_secrets_are_in_the_brokers_memory_alone(world):
    needs.little_memory()
    needs.root()
    s = fill(world, world.prepare(tls={"kind": "rsa"})).start()
    secrets_are_the_brokers(*look_around(world, s))


def test_secrets_of_a_daemon_of_roots_are_the_brokers_too(world):
    """Master forks workers as root, which has read more."""
    needs.little_memory()
    needs.root()
    with rooted(world, tls={"kind": "rsa"}) as s:
        fill(world, s).take()
        s.start()
        secrets_are_the_brokers(*look_around(world, s))
