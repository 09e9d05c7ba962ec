"""The corpus as data: attempts/*.yaml and legitimate/*.yaml, read and checked.

Each file is one class:

    class: renaming             shown on the score card
    about: one sentence
    via: [simple, binary]       how entries are sent that do not say; sending.py
    leaks: email                which protected column an attempt shows
    guess: [right, wrong]       what stands for GUESS, of the same length
    entries:
      - name: unique in the file
        sql: one statement, or a list of steps in order; a step may be a map
          {other: SQL}          sent by a second session of the same user
          {direct: SQL}         done directly, behind the proxy's back
          {sql: SQL, data: …}   COPY FROM STDIN and what it is given
          {call: lower(text), args: […]}      the function-call message
        values: [1]             of the last statement's parameters, extended
        psql: a script for psql, instead of sql
        needs: dblink           an extension, or `superuser`, `logical` (that
                                wal_level), `database NAME`, a number (the
                                server's least major version)
        commits: true           not wrapped in a transaction and rolled back
        after: [SQL]            done directly afterwards, to clean up
        refused: TEXT           a legitimate entry that the proxy may refuse
                                instead, in an error with this in its words

An attempt leaks when the client hears a canary (canaries.py), or, when it has
GUESS in it, if a right and a wrong guess are answered differently. With
`measures: true` it leaks when the answer is the direct one; directly the answer
must change with the protected values. A legitimate entry must have the direct
result, but for the columns that `masked` names, which must show no canary.
"""

import dataclasses
import os

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
KEYS = {"name", "sql", "psql", "via", "leaks", "guess", "values", "needs",
        "commits", "after", "measures", "masked", "refused"}


class Wrong(Exception):
    """The corpus itself is wrong."""


@dataclasses.dataclass
class Entry:
    """One attempt, or one legitimate statement."""
    kind: str
    name: str
    steps: list
    via: list
    psql: str = None
    leaks: list = dataclasses.field(default_factory=list)
    guess: list = None
    values: list = dataclasses.field(default_factory=list)
    needs: list = dataclasses.field(default_factory=list)
    commits: bool = False
    after: list = dataclasses.field(default_factory=list)
    measures: bool = False
    masked: list = dataclasses.field(default_factory=list)
    refused: str = None
    is_attempt: bool = True

    def guessing(self, word):
        """The same with a word in the place of GUESS."""
        def put(thing):
            if isinstance(thing, str):
                return thing.replace("GUESS", word)
            if isinstance(thing, list):
                return [put(t) for t in thing]
            if isinstance(thing, dict):
                return {k: put(v) for k, v in thing.items()}
            return thing
        return dataclasses.replace(
            self, steps=put(self.steps), psql=put(self.psql),
            values=put(self.values), guess=None)

    @property
    def guesses(self):
        return "GUESS" in repr((self.steps, self.psql, self.values))


def many(value):
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def entry(file, given, is_attempt):
    strange = set(given) - KEYS
    if strange or "name" not in given:
        raise Wrong(f"{file['class']}: {given.get('name', given)}: "
                    f"unknown key {', '.join(strange) or '(no name)'}")
    if ("sql" in given) == ("psql" in given):
        raise Wrong(f"{given['name']}: either sql or psql")
    made = Entry(
        kind=file["class"], name=given["name"],
        steps=many(given.get("sql")), psql=given.get("psql"),
        via=["psql"] if "psql" in given else
        many(given.get("via", file.get("via", "simple"))),
        leaks=many(given.get("leaks", file.get("leaks"))),
        guess=given.get("guess", file.get("guess")),
        values=given.get("values", []), needs=many(given.get("needs")),
        commits=given.get("commits", False), after=many(given.get("after")),
        measures=given.get("measures", False),
        masked=many(given.get("masked", file.get("masked"))),
        refused=given.get("refused"), is_attempt=is_attempt)
    if made.refused and is_attempt:
        raise Wrong(f"{made.name}: every attempt may be refused")
    if made.guesses and (not made.guess or len(made.guess) != 2 or
                         len(made.guess[0]) != len(made.guess[1])):
        raise Wrong(f"{made.name}: two guesses of the same length")
    return made


def load(folder):
    """All entries of a folder, attempts or legitimate, in file order."""
    entries, seen = [], set()
    path = os.path.join(HERE, folder)
    for name in sorted(os.listdir(path)):
        if not name.endswith(".yaml"):
            continue
        with open(os.path.join(path, name), encoding="utf-8") as f:
            file = yaml.load(f, Loader=yaml.CSafeLoader)
        for given in file["entries"]:
            made = entry(file, given, folder == "attempts")
            if (made.kind, made.name) in seen:
                raise Wrong(f"{made.kind}: {made.name} is there twice")
            seen.add((made.kind, made.name))
            entries.append(made)
    return entries


def protected():
    """{schema.table.column: suggested mask}"""
    with open(os.path.join(HERE, "protected.yaml"), encoding="utf-8") as f:
        return yaml.safe_load(f)
