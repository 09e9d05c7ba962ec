"""The ways in which statements are sent, and what is heard.

A way is a function that has a session carry out the steps of an entry, the last
of which is the one that matters, and returns every message that came back.
"""

import os
import re
import socket
import ssl
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import pgwire  # noqa: E402
from pgwire import (SYNC, bind, describe, execute, message, parse,  # noqa: E402
                    query)

PATIENCE = 20
# after these a connection is not what it was, even after ROLLBACK
LASTS = re.compile(r"\b(prepare|set|reset|discard|listen|with\s+hold|load"
                   r"|temp(orary)?|advisory|set_config|set_limit|setseed"
                   r"|dblink\w*|connect|call|do)\b", re.I)
LOST = (pgwire.Closed, ConnectionError, socket.timeout, TimeoutError,
        struct.error, ssl.SSLError)


class Answer:
    """All that a client heard: messages, or what psql printed."""

    def __init__(self, messages=(), printed=b"", lost=None, status=0):
        self.messages, self.printed = list(messages), printed
        self.lost, self.status = lost, status

    @property
    def heard(self):
        """Everything in which values can be, as one text to search."""
        return self.printed + b"\n".join(
            body for kind, body in self.messages if kind in b"DENASdCTVtG")

    @property
    def rows(self):
        return [pgwire.data_row(b) if kind == b"D" else b.split(b"\t")
                for kind, b in self.messages if kind in b"Dd"]

    @property
    def errors(self):
        return [pgwire.error_fields(b) for kind, b in self.messages
                if kind == b"E"]

    @property
    def complaint(self):
        """The first error in words, or None."""
        for e in self.errors:
            return f"{e.get('C')}: {e.get('M')}"
        for line in self.printed.decode("utf-8", "replace").splitlines():
            if re.search(r"\b(ERROR|FATAL):", line):
                return line
        return self.lost

    def shape(self, guess=""):
        """What of it a guess may change; the guess itself is blanked, a
        short one where it is a word of its own."""
        word = re.escape(guess.encode())
        if len(guess) < 4:
            word = rb"(?<![0-9A-Za-z])" + word + rb"(?![0-9A-Za-z])"

        def blank(text):
            return re.sub(word, b"?", text) if guess else text
        said = []
        for kind, body in self.messages:
            if kind in b"EN":
                fields = pgwire.error_fields(body)
                said.append((kind, fields.get("C"), [
                    blank(fields.get(f, "").encode()) for f in "MDH"]))
            elif kind in b"DdCAV":
                said.append((kind, blank(body)))
        return said, blank(self.printed), self.lost


class Target:
    """A server or a proxy, and who we are there."""

    def __init__(self, host, port, user, password, database, tls=False):
        self.host, self.port = host, int(port)
        self.user, self.password = user, password
        self.database, self.tls = database, tls

    def connect(self):
        address = f"{self.host}/.s.PGSQL.{self.port}" \
            if self.host.startswith("/") else (self.host, self.port)
        wire = pgwire.Wire(address, PATIENCE)
        if self.tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            wire.start_tls(context)
        return wire.login(self.user, self.password, self.database)

    def psql(self, script, *arguments):
        """psql on a script, finished; (output and errors, status)."""
        done = subprocess.run(
            ["psql", "-X", "-h", self.host, "-p", str(self.port), "-U",
             self.user, "-d", self.database, *arguments],
            input=script.encode(), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=PATIENCE * 2, check=False,
            env={**os.environ, "PGPASSWORD": self.password, "PGSSLMODE":
                 "require" if self.tls else "disable", "LANG": "C.UTF-8",
                 "PSQL_PAGER": "", "PGAPPNAME": "leaktest"})
        return done.stdout, done.returncode


class Session:
    """A connection that is used again as long as nothing stays in it, and
    another one beside it for the steps that ask for it."""

    def __init__(self, target, direct):
        self.target, self.direct = target, direct
        self.wire = self.second = None
        self.oids = {}

    def close(self):
        for wire in (self.wire, self.second):
            if wire is not None:
                wire.socket.close()
        self.wire = self.second = None

    def perform(self, entry, way, before=()):
        """The entry, sent one way; its Answer. `before` is done first, in
        the same transaction, and not heard."""
        if way == "psql":
            return self._psql(entry)
        heard, lost = [], None
        try:
            if self.wire is None:
                self.wire = self.target.connect()
            if not entry.commits:
                self._exchange(query("BEGIN"))
            for sql in before:
                self._exchange(query(sql))
            heard += WAYS[way](self, entry)
            if not entry.commits:
                heard += self._exchange(query("ROLLBACK"))
        except LOST as e:
            lost = f"connection lost: {type(e).__name__}"
        except pgwire.ServerError as e:
            lost = f"login refused: {e}"
        if lost or self.second or entry.commits or LASTS.search(
                repr(entry.steps)) or way in ("sql-prepare", "named"):
            self.close()
        for sql in entry.after:
            self.direct.do(sql)
        return Answer(heard, lost=lost)

    def _psql(self, entry):
        script = entry.psql or ";\n".join(
            s if isinstance(s, str) else s["sql"] for s in entry.steps) + ";"
        wrapped = script if entry.commits else \
            f"BEGIN;\n{script.rstrip()}\nROLLBACK;\n"
        try:
            printed, status = self.target.psql(
                wrapped, "-q", "-v", "VERBOSITY=verbose")
        except subprocess.TimeoutExpired:
            return Answer(lost="psql did not finish")
        for sql in entry.after:
            self.direct.do(sql)
        return Answer(printed=printed, status=status)

    def _exchange(self, *parts, data=None, syncs=1):
        """Send, and read up to the last ReadyForQuery; give what is asked for
        by COPY on the way."""
        self.wire.send(*parts)
        heard = []
        while syncs:
            kind, body = self.wire.receive()
            heard.append((kind, body))
            if kind == b"G":
                self.wire.send(message(b"d", (data or "").encode()),
                               message(b"c"))
            syncs -= kind == b"Z"
        return heard

    def step(self, step, send):
        """One step; `send` makes messages of plain SQL."""
        if isinstance(step, str):
            return self._exchange(*send(step))
        if "direct" in step:
            self.direct.do(step["direct"])
            return []
        if "other" in step:
            if self.second is None:
                self.second = self.target.connect()
            return self.second.query(step["other"]).messages
        if "call" in step:
            return self._exchange(self._call(step))
        return self._exchange(*send(step["sql"]), data=step["data"])

    def _call(self, step):
        """The message that calls a function without SQL."""
        name = step["call"]
        if name not in self.oids:
            self.oids[name] = int(self.direct.value(
                f"SELECT '{name}'::regprocedure::oid"))
        args = [str(a).encode() for a in step.get("args", [])]
        body = struct.pack("!ihh", self.oids[name], 0, len(args))
        for a in args:
            body += struct.pack("!i", len(a)) + a
        return message(b"F", body + struct.pack("!h", 0))

    def all_but_last(self, entry, send):
        heard = []
        for step in entry.steps[:-1]:
            heard += self.step(step, send)
        return heard


class Direct:
    """Behind the proxy's back: to prepare, to clean up, to look."""

    def __init__(self, target):
        self.wire = target.connect()

    def do(self, sql):
        replies = self.wire.query(sql)
        if replies.errors:
            raise RuntimeError(f"{sql}: {replies.errors[0].get('M')}")
        return replies

    def value(self, sql):
        return self.do(sql).rows[0][0].decode()


def plain(sql):
    return [query(sql)]


def extended(results=(), values=(), name=""):
    def send(sql):
        return [parse(sql, name), bind(values, statement=name,
                                       results=results),
                describe(b"P"), execute(), SYNC]
    return send


def way_simple(session, entry):
    return session.all_but_last(entry, plain) + session.step(
        entry.steps[-1], plain)


def way_extended(session, entry):
    return session.all_but_last(entry, extended()) + session.step(
        entry.steps[-1], extended(values=entry.values))


def way_binary(session, entry):
    return session.all_but_last(entry, extended()) + session.step(
        entry.steps[-1], extended((1,), entry.values))


def way_named(session, entry):
    """A named statement, executed twice, described in between."""
    def send(sql):
        return [parse(sql, "again"), describe(b"S", "again"),
                bind(entry.values, statement="again"), execute(),
                bind(entry.values, statement="again", results=(1,)),
                execute(), SYNC]
    return session.all_but_last(entry, extended()) + session.step(
        entry.steps[-1], send)


def way_parts(session, entry):
    """A portal whose rows are fetched one or two at a time."""
    def send(sql):
        return [parse(sql), bind(entry.values, portal="part"),
                execute("part", 1), describe(b"P", "part"),
                execute("part", 2), execute("part"), SYNC]
    return session.all_but_last(entry, extended()) + session.step(
        entry.steps[-1], send)


def way_pipeline(session, entry):
    """All steps in one batch."""
    parts = []
    for step in entry.steps:
        parts += [parse(step), bind(), describe(b"P"), execute()]
    return session._exchange(*parts, SYNC)


def way_together(session, entry):
    """All steps in one message."""
    return session._exchange(query("; ".join(entry.steps)))


def copied(options):
    def way(session, entry):
        last = f"COPY ({entry.steps[-1]}) TO STDOUT {options}"
        return session.all_but_last(entry, plain) + session.step(last, plain)
    return way


def way_cursor(session, entry):
    heard = session.all_but_last(entry, plain)
    for sql in (f"DECLARE looking CURSOR FOR {entry.steps[-1]}",
                "FETCH 2 FROM looking", "FETCH ALL FROM looking"):
        heard += session.step(sql, plain)
    return heard


def way_binary_cursor(session, entry):
    heard = session.all_but_last(entry, plain)
    for sql in (f"DECLARE looking BINARY SCROLL CURSOR FOR "
                f"{entry.steps[-1]}", "MOVE 1 FROM looking",
                "FETCH BACKWARD ALL FROM looking",
                "FETCH FORWARD ALL FROM looking"):
        heard += session.step(sql, plain)
    return heard


def way_sql_prepare(session, entry):
    heard = session.all_but_last(entry, plain)
    for sql in (f"PREPARE readied AS {entry.steps[-1]}", "EXECUTE readied"):
        heard += session.step(sql, plain)
    return heard


WAYS = {
    "simple": way_simple, "extended": way_extended, "binary": way_binary,
    "named": way_named, "parts": way_parts, "pipeline": way_pipeline,
    "together": way_together, "cursor": way_cursor,
    "binary-cursor": way_binary_cursor, "sql-prepare": way_sql_prepare,
    "copy-text": copied(""), "copy-csv": copied("(FORMAT csv, HEADER)"),
    "copy-binary": copied("(FORMAT binary)"),
}
