#!/usr/bin/python3
"""Measure what a PostgreSQL proxy that masks columns keeps to itself.

A database full of unmistakable values is attacked: each attempt is first made
directly, where it must leak, then through the proxy, where it must be masked or
refused; and legitimate statements must have the same result both ways. Needs
psql and python3-yaml, a database of its own, and the address of its server.

    leaktest --load --direct DBHOST:5432 -d leaktest -U app
        fills the database and says which columns the proxy must protect
    leaktest HOST PORT --direct DBHOST:5432 -d leaktest -U agent --direct-user app
        the run; exit status 0 when nothing leaked and everything legitimate is
        right, 1 when not, 2 when it could not be run

Passwords: PGPASSWORD for the proxy, LEAKTEST_DIRECT_PASSWORD for the server
(where that is not set, PGPASSWORD too). The direct user should be the one by
whom the proxy logs in, so that both may do the same; for all attempts to be
possible it is a superuser of a server that serves nothing else.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

if importlib.util.find_spec("yaml") is None:
    print("leaktest: needs python3-yaml (apt-get install python3-yaml)",
          file=sys.stderr)
    sys.exit(2)

import canaries  # noqa: E402
import corpus  # noqa: E402
import judging  # noqa: E402
import sending  # noqa: E402

OUTCOMES = ("leaked", "masked", "refused", "broken", "skipped")
LEGITIMATE = ("right", "wrong", "refused", "skipped")


class Impossible(Exception):
    """It cannot be run; the message says what is missing."""


def arguments():
    p = argparse.ArgumentParser(
        prog="leaktest", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("host", nargs="?", metavar="HOST", help="of the proxy")
    p.add_argument("port", nargs="?", metavar="PORT", type=int)
    p.add_argument("-U", "--user", default=os.environ.get("PGUSER"),
                   help="whom the proxy must protect the columns from")
    p.add_argument("-d", "--database", default="leaktest")
    p.add_argument("--direct", metavar="HOST:PORT",
                   help="the database server itself")
    p.add_argument("--direct-user", metavar="USER")
    p.add_argument("--far", metavar="HOST:PORT", help="how the server reaches "
                   "itself, for a foreign table (default: as --direct)")
    p.add_argument("--tls", action="store_true",
                   help="speak TLS with the proxy (it is not verified)")
    p.add_argument("--load", action="store_true",
                   help="fill the database, say what to protect, and end")
    p.add_argument("--list", action="store_true",
                   help="print the corpus, and end")
    p.add_argument("--only", metavar="PART", default="",
                   help="only classes or names that have PART")
    p.add_argument("--json", action="store_true",
                   help="the score card for programs")
    p.add_argument("-v", "--verbose", action="store_true",
                   help="each result, not only what is bad")
    options = p.parse_args()
    if options.list:
        return options
    if not options.user or not options.direct:
        p.error("needs --user and --direct")
    if not options.load and options.port is None:
        p.error("needs the proxy's HOST and PORT")
    return options


# --- before the run ----------------------------------------------------------

def address(text):
    host, _, port = text.rpartition(":")
    return (host or "127.0.0.1", int(port)) if port.isdigit() else (text, 5432)


def direct_target(options):
    password = os.environ.get("LEAKTEST_DIRECT_PASSWORD",
                              os.environ.get("PGPASSWORD", ""))
    return sending.Target(*address(options.direct),
                          options.direct_user or options.user, password,
                          options.database)


def digest():
    """Which schema this corpus needs."""
    with open(os.path.join(HERE, "schema.sql"), "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()[:16]


def connect(target, what):
    try:
        return sending.Direct(target)
    except (OSError, *sending.LOST, sending.pgwire.ServerError) as e:
        raise Impossible(f"cannot log in to {what} at {target.host}:"
                         f"{target.port} as {target.user}: {e}") from e


def loaded(helper):
    """Which corpus the database is filled for, or None."""
    replies = helper.wire.query("SELECT corpus FROM public.leaktest")
    return None if replies.errors else replies.rows[0][0].decode()


def load(target, far=None):
    """Fill the database, which must be empty or ours."""
    helper = connect(target, "the database")
    if loaded(helper) is None and int(helper.value(
            "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p', 'v') "
            "AND relnamespace NOT IN ('pg_catalog'::regnamespace, "
            "'information_schema'::regnamespace, 'pg_toast'::regnamespace)")):
        raise Impossible(f"the database {target.database} holds something "
                         "else; leaktest fills only one of its own")
    host, port = far or (target.host, target.port)
    variables = {"far_host": host, "far_port": port, "far_user": target.user,
                 "far_password": target.password, "corpus": digest()}
    settings = [f"--set={k}={v}" for k, v in variables.items()]
    try:
        printed, status = target.psql("", "-q", "-f", os.path.join(
            HERE, "schema.sql"), *settings)
    except (OSError, subprocess.SubprocessError) as e:
        raise Impossible(f"psql: {e}") from e
    if status:
        raise Impossible("the schema could not be loaded: "
                         + printed.decode("utf-8", "replace")[-800:])


def instructions():
    lines = ["Have the proxy protect these columns from the user of the run, "
             "and", "whatever is derived from them (masks are a suggestion):",
             ""]
    return "\n".join(lines + [f"    {column:<34} {mask}" for column, mask
                              in corpus.protected().items()])


def possible(helper):
    """Which `needs` of entries are met here."""
    met = {e.decode() for e, in helper.do(
        "SELECT extname FROM pg_extension").rows}
    if helper.value("SELECT rolsuper FROM pg_roles "
                    "WHERE rolname = current_user") == "t":
        met.add("superuser")
    if helper.value("SHOW wal_level") == "logical":
        met.add("logical")
    if "pg_stat_statements" not in helper.value(
            "SHOW shared_preload_libraries"):
        met.discard("pg_stat_statements")
    met.add("database " + helper.value("SELECT current_database()"))
    version = int(helper.value("SHOW server_version_num")) // 10000
    return met | set(range(1, version + 1))


def chosen(only):
    """Attempts and legitimate statements whose class or name has `only`."""
    return [e for folder in ("attempts", "legitimate")
            for e in corpus.load(folder)
            if only in e.kind or only in e.name]


# --- the run -----------------------------------------------------------------

class Run:
    """The corpus against one proxy. `told` is called with each Result."""

    def __init__(self, direct, proxy, told=lambda result: None):
        self.helper = connect(direct, "the database")
        if loaded(self.helper) != digest():
            raise Impossible("the database is not filled for this corpus: "
                             "run with --load first")
        connect(proxy, "the proxy").wire.socket.close()
        if shutil.which("psql") is None:
            raise Impossible("psql is not installed")
        known, _ = canaries.read(self.helper.wire, corpus.protected())
        self.judge = judging.Judge(known, direct, proxy, self.helper)
        self.met = possible(self.helper)
        self.told, self.results = told, []

    def run(self, entries):
        for e in entries:
            for way in e.via:
                result = self.one(e, way)
                self.results.append(result)
                self.told(result)
        self.judge.close()
        return self.results

    def one(self, e, way):
        missing = [str(n) for n in e.needs if n not in self.met]
        if missing:
            return judging.Result(e, way, "skipped",
                                  f"needs {', '.join(missing)}")
        if e.is_attempt:
            return self.judge.attempt(e, way)
        return self.judge.legitimate(e, way)


# --- afterwards --------------------------------------------------------------

def tally(results):
    """{class: {outcome: number}}"""
    table = {}
    for r in results:
        row = table.setdefault(r.entry.kind, {})
        row[r.outcome] = row.get(r.outcome, 0) + 1
    return table


def print_table(title, results, outcomes):
    if any(r.outcome == "defect" for r in results):
        outcomes += ("defect",)
    table = tally(results)
    total = {}
    for row in table.values():
        for outcome, number in row.items():
            total[outcome] = total.get(outcome, 0) + number
    print(f"\n{title:<22}{'sent':>9}" + "".join(f"{o:>9}" for o in outcomes))
    for kind, row in [*table.items(), ("in all", total)]:
        print(f"{kind:<22}{sum(row.values()):>9}"
              + "".join(f"{row.get(o, 0) or '':>9}" for o in outcomes))


def describe(result):
    e = result.entry
    return (f"{result.outcome.upper()} {e.kind}: {e.name} ({result.way})\n"
            f"    {judging.statement_of(e)}\n    {result.why}")


def score_card(results):
    attempts = [r for r in results if r.entry.is_attempt]
    others = [r for r in results if not r.entry.is_attempt]
    if attempts:
        print_table("attempts", attempts, OUTCOMES)
    if others:
        print_table("legitimate", others, LEGITIMATE)
    count = len({(r.entry.kind, r.entry.name) for r in attempts})
    print(f"\n{count} attempts sent in {len(attempts)} ways, "
          f"{sum(r.outcome == 'leaked' for r in attempts)} leaked; "
          f"{len(others)} legitimate, "
          f"{sum(r.outcome == 'right' for r in others)} right")


def as_json(results):
    return json.dumps({
        "attempts": tally([r for r in results if r.entry.is_attempt]),
        "legitimate": tally([r for r in results if not r.entry.is_attempt]),
        "results": [{"class": r.entry.kind, "name": r.entry.name,
                     "way": r.way, "outcome": r.outcome, "why": r.why,
                     "statement": judging.statement_of(r.entry)}
                    for r in results]}, indent=1)


def print_list(entries):
    for e in entries:
        print(f"{'attempt' if e.is_attempt else 'legitimate'}  {e.kind}: "
              f"{e.name}  [{', '.join(e.via)}]\n"
              f"    {judging.statement_of(e)}")


class Progress:
    """Bad news at once; how far it is on a line that is written over."""

    def __init__(self, options, entries):
        self.options, self.done = options, 0
        self.all = sum(len(e.via) for e in entries)

    def __call__(self, result):
        self.done += 1
        if not self.options.json and (self.options.verbose or
                                      not result.is_good):
            print(describe(result), flush=True)
        if sys.stderr.isatty():
            end = "\n" if self.done == self.all else ""
            print(f"\r{self.done}/{self.all}", end=end, file=sys.stderr,
                  flush=True)


def main():
    options = arguments()
    try:
        entries = chosen(options.only)
        if options.list:
            print_list(entries)
            return 0
        direct = direct_target(options)
        if options.load:
            load(direct, options.far and address(options.far))
            print(instructions())
            return 0
        proxy = sending.Target(options.host, options.port, options.user,
                               os.environ.get("PGPASSWORD", ""),
                               options.database, options.tls)
        results = Run(direct, proxy, Progress(options, entries)).run(entries)
    except (Impossible, corpus.Wrong) as e:
        print(f"leaktest: {e}", file=sys.stderr)
        return 2
    if options.json:
        print(as_json(results))
    else:
        score_card(results)
    return 0 if results and all(r.is_good for r in results) else 1


if __name__ == "__main__":
    sys.exit(main())
