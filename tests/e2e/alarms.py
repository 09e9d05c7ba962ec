"""Statements that must pass: files of alarms/, run directly and through
Sallyport, and compared.

A file is paragraphs, one a message.  Lines that begin with `--:` are for us:

    --: as alice+copilot under read-only-agent, support-desk
            who runs what follows, under which example policies; `on a copy`
            after that: on a database of its own, which may be changed
    --: with ["7", null]        parameters; the message is then not for the
                                simple protocol
    --: masked name, email      these output columns leave masked, and no other
    --: differs version         these are not compared: each session has its
                                own
    --: needs 17                the server's version

All others' values must be the same, byte for byte, in text over the simple
protocol and in binary over the extended one.
"""

import json
import os
import re

import harness

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "alarms")
EXAMPLES = os.path.join(harness.ROOT, "policies", "examples")
TEXT, BINARY = 0, 1
COPY_OUT, FATAL = 3, 7  # libpq's ExecStatusType
HEADER = re.compile(r"^--: as (\S+) under ([a-z, -]+?)( on a copy)?$", re.M)


class Statement:
    """One paragraph of a file."""

    def __init__(self, place, text):
        notes = dict(line[4:].partition(" ")[::2]
                     for line in text.splitlines() if line.startswith("--: "))
        self.place = place
        self.sql = "\n".join(line for line in text.splitlines()
                             if not line.startswith("--:"))
        self.parameters = json.loads(notes.get("with", "null"))
        self.masked = re.split(", *", notes.get("masked", ""))
        self.differs = re.split(", *", notes.get("differs", ""))
        self.needs = int(notes.get("needs", "0"))

    def is_for(self, mode, version):
        return version >= self.needs * 10000 and \
            (mode == BINARY or self.parameters is None)


class File:
    """A file's statements and who runs them."""

    def __init__(self, name):
        with open(os.path.join(FOLDER, name), encoding="utf-8") as f:
            text = f.read()
        header = HEADER.match(text)
        assert header, f"{name}: the first line does not say who"
        self.login, policies, copy = header.groups()
        self.policies = re.split(", *", policies)
        self.is_changing = bool(copy)
        self.statements = list(self._read(name, text))

    @staticmethod
    def _read(name, text):
        line = 1
        for paragraph in re.split("(\n(?:[ \t]*\n)+)", text):
            if paragraph.strip() and not HEADER.match(paragraph):
                yield Statement(f"{name}:{line}", paragraph)
            line += paragraph.count("\n")


def example(name):
    with open(os.path.join(EXAMPLES, name + ".yaml"), encoding="utf-8") as f:
        return harness.yaml.load(f, Loader=harness.YAML_LOADER)


def policy_of(names):
    """The example policies together.  There are more statements here than
    they allow in a minute, and nobody who approves."""
    whole = {"protect": [], "rules": [], "examples": []}
    for part in map(example, names):
        for section, items in part.items():
            whole[section] += items
    for rule in whole["rules"]:
        rule.get("limits", {}).pop("statements_per_minute", None)
        if "approve" in rule:
            rule["approve"]["within"] = "1s"
    return {section: items for section, items in whole.items() if items}


def identities():
    """Those that the example policies speak of."""
    def password(name, **more):
        return {"password": harness.VERIFIERS[name], **more}
    return {
        "people": {"alice": password("alice", groups=["analysts"]),
                   "bob": password("bob", groups=["support"]),
                   "sam": password("sam",
                                   groups=["support", "support-leads"]),
                   "carol": password("carol", groups=["dba"]),
                   "dave": {"groups": ["dba"]}},
        "agents": {"copilot": password("copilot", acts_for=[
                       {"group": "analysts"}, {"group": "support"}]),
                   "nightly-sync": password("nightly", groups=["jobs"])}}


def password_of(login):
    proves = login.rpartition("+")[2]
    return harness.PASSWORDS[proves.partition("-")[0]]


def rows_of(result):
    return [[result.get_value(row, column)
             for column in range(result.nfields)]
            for row in range(result.ntuples)]


def columns_of(result):
    return [((result.fname(i) or b"").decode(), result.ftype(i),
             result.fmod(i)) for i in range(result.nfields)]


def copied(connection):
    """The data of a COPY TO STDOUT."""
    data = []
    while True:
        size, piece = connection.get_copy_data(0)
        if size <= 0:
            return data
        data.append(bytes(piece))


def answers(connection, statement, mode):
    """Everything that came back: (kind, tag, columns, rows) of each result;
    of an error its message for a tag."""
    values = [None if v is None else str(v).encode()
              for v in statement.parameters or []]
    if mode == TEXT:
        connection.send_query(statement.sql.encode())
    else:
        connection.send_query_params(statement.sql.encode(), values,
                                     result_format=BINARY)
    found = []
    while True:
        result = connection.get_result()
        if result is None:
            return found
        if result.status == COPY_OUT:
            found.append(("copy", "", [], copied(connection)))
        elif result.status == FATAL:
            found.append(("error", result.error_message.decode(), [], []))
        else:
            found.append(("rows", (result.command_status or b"").decode(),
                          columns_of(result), rows_of(result)))


def difference(statement, direct, through):
    """What differs between two results, in words; None: nothing."""
    for a, b in zip(direct[:2], through[:2]):
        if a != b:
            return f"{through[:2]}; directly {direct[:2]}"
    if direct[2] != through[2] or len(direct[3]) != len(through[3]):
        return "columns or number of rows"
    for i, (name, _, _) in enumerate(direct[2]):
        if name in statement.differs:
            continue
        a = [row[i] for row in direct[3]]
        b = [row[i] for row in through[3]]
        is_same = a == b
        is_empty = all(value is None for value in a)
        if is_same and name in statement.masked and not is_empty:
            return f"{name} is not masked"
        if not is_same and name not in statement.masked:
            odd = [pair for pair in zip(a, b) if pair[0] != pair[1]]
            return f"{name} is {odd[0][1]!r}; directly {odd[0][0]!r}"
    if not direct[2] and direct[3] != through[3]:
        return "what was copied"
    return None


def compare(statement, mode, direct, through):
    """One complaint, or None."""
    wrong = None
    if mode == TEXT and any(kind == "error" for kind, *_ in direct):
        wrong = f"is wrong: {direct[-1][1]}"
    elif len(direct) != len(through):
        wrong = f"{through}; directly {direct}"
    for a, b in zip(direct, through):
        wrong = wrong or difference(statement, a, b)
    return wrong and f"{statement.place}: {wrong}\n    {statement.sql}"


def run_all(connection, statements, mode):
    with connection:
        return [answers(connection.pgconn, s, mode) for s in statements]


def copy_database(world, template):
    """Another database like it, that nobody is connected to."""
    name = f"{template}_{len(world.started)}"
    with world.pg.connect("postgres") as c:
        c.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return name


def blog(world):
    """A database of shop and blog, of the test's own; its name."""
    database = world.pg.copy_of_shop()
    world.pg.psql(database, "-q", "-f", os.path.join(FOLDER, "schema.sql"))
    return database


def run_file(world, file, database, mode):
    """All complaints about a file's statements in one mode."""
    # what changes is run on two copies, directly and through Sallyport
    direct = copy_database(world, database) if file.is_changing else database
    sallyport = world.sallyport(policy=policy_of(file.policies),
                                identities=identities(), database=database)
    with world.pg.connect(direct, user="sallyport") as c:
        version = c.info.server_version
    chosen = [s for s in file.statements if s.is_for(mode, version)]
    wanted = run_all(world.pg.connect(direct, user="sallyport"), chosen, mode)
    shown = run_all(sallyport.connect(
        file.login, password=password_of(file.login)), chosen, mode)
    found = [compare(s, mode, a, b)
             for s, a, b in zip(chosen, wanted, shown)]
    return [c for c in found if c]


def false_alarms(world, name):
    """A file's statements, in text and in binary: what is not as it is
    directly."""
    file, found = File(name), []
    for mode in (TEXT, BINARY):
        found += run_file(world, file, blog(world), mode)
    return found
