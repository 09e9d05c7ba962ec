#!/usr/bin/python3
"""PostgreSQL's own suites and the drivers' own, each run directly and through
Sallyport with a policy that allows everything. Prints what differs; exit
status 1 when a difference is not explained in tests/peers/explained.yaml."""

import argparse
import collections
import difflib
import os
import shutil
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "e2e")]
sys.dont_write_bytecode = True

import yaml  # noqa: E402

import fetch  # noqa: E402
import harness  # noqa: E402
import suites  # noqa: E402
import ways  # noqa: E402

ALL = {suite.name: suite for suite in (
    suites.Regress, suites.Isolation, suites.Pipeline, suites.LibPq,
    suites.Pgx)}
# to be read by the user that the server runs as
DEFAULT_CACHE = os.path.join(
    "/var/cache" if os.geteuid() == 0 else os.path.expanduser("~/.cache"),
    "sallyport-peers")
SHOWN_LINES = 12  # of each difference; all of it is in the folder of --keep
SHOWN_REFUSALS = 12


def arguments():
    p = argparse.ArgumentParser(
        prog="scripts/peer-suites", description=__doc__)
    p.add_argument("suites", nargs="*", metavar="SUITE",
                   help=f"of {' '.join(ALL)} (default: all)")
    p.add_argument("-b", "--build", default="build",
                   help="the folder with the programs (%(default)s)")
    p.add_argument("--cache", default=DEFAULT_CACHE,
                   help="where downloads are kept (%(default)s)")
    p.add_argument("-k", "--keep", metavar="FOLDER",
                   help="leave outputs, logs and differences there")
    p.add_argument("--through-only", action="store_true",
                   help="don't run directly: whatever fails differs")
    options = p.parse_args()
    for name in options.suites:
        if name not in ALL:
            p.error(f"{name} is none of {' '.join(ALL)}")
    options.suites = options.suites or list(ALL)
    return options


def explained():
    """{suite: {test: why it differs}}"""
    path = os.path.join(HERE, "explained.yaml")
    with open(path, encoding="utf-8") as f:
        return yaml.safe_load(f) or {}


def keep_folder(way, suite, options):
    """What the run left, without the database."""
    if options.keep:
        shutil.copytree(
            way.folder, os.path.join(options.keep, suite.name, way.name),
            dirs_exist_ok=True, ignore=shutil.ignore_patterns(
                "data", "*.sock", ".s.*", "*.test", "tablespace*"))


def run_way(suite, kind, options):
    folder = harness.temporary_folder("sallyport-peers-")
    fetch.say(f"{suite.name}, {kind.name}")
    started = time.monotonic()
    way = kind(folder, suite.peer, options.build)
    try:
        outcome = suite.run(way)
        outcome.refusals = way.refusals()
    finally:
        complaints = way.close()
        keep_folder(way, suite, options)
        shutil.rmtree(folder, ignore_errors=True)
    outcome.complaints = complaints
    fetch.say(f"{suite.name}, {kind.name}: {sum(outcome.passed.values())} of "
              f"{len(outcome.passed)} passed in "
              f"{time.monotonic() - started:.0f} s")
    return outcome


class Comparison:
    """Two outcomes of one suite and what is known of their differences."""

    def __init__(self, suite, direct, through, reasons):
        self.suite, self.direct, self.through = suite, direct, through
        tests = list(direct.passed if direct else through.passed)
        tests += [t for t in through.passed if t not in tests]
        self.differing = [t for t in tests if through.passed.get(t) !=
                          (direct.passed.get(t) if direct else True)]
        self.reasons = reasons
        self.unexplained = [t for t in self.differing if t not in reasons]
        self.settled = [t for t in reasons if t not in self.differing]

    def is_good(self):
        return not self.unexplained and not self.through.complaints

    def row(self):
        through = self.through.passed
        direct = self.direct.passed if self.direct else None
        return [self.suite.name,
                "-" if direct is None else
                f"{sum(direct.values())} of {len(direct)}",
                f"{sum(through.values())} of {len(through)}",
                f"{len(self.differing)}" if not self.differing else
                f"{len(self.differing)}, "
                f"{len(self.differing) - len(self.unexplained)} explained"]

    def difference(self, test):
        """The lines that the two ways print differently."""
        direct = self.direct.texts.get(test, "") if self.direct else ""
        through = self.through.texts.get(test, "")
        return list(difflib.unified_diff(
            direct.splitlines(), through.splitlines(), "direct", "through",
            n=0, lineterm=""))[2:]

    def show(self):
        for test in self.differing:
            why = self.reasons.get(test)
            print(f"\n{self.suite.name} {test}: "
                  + (f"differs because {why}" if why else "DIFFERS"))
            lines = self.difference(test) if self.direct else []
            for line in lines[:0 if why else SHOWN_LINES]:
                print(f"    {line[:150]}")
        for test in self.settled:
            print(f"\n{self.suite.name} {test}: explained, "
                  "but does not differ (any more)")
        self.show_refusals()
        if self.through.complaints:
            print(f"\n{self.suite.name}: {self.through.complaints}")

    def show_refusals(self):
        """What Sallyport refused, though the policy allows everything."""
        counted = collections.Counter(
            reason for reason, _statement in self.through.refusals)
        if counted:
            print(f"\n{self.suite.name}: refused in spite of the policy")
        for reason, count in counted.most_common(SHOWN_REFUSALS):
            print(f"    {count:5} {reason}")

    def keep(self, folder):
        folder = os.path.join(folder, self.suite.name, "differences")
        os.makedirs(folder, exist_ok=True)
        for test in self.differing:
            with open(os.path.join(folder, test.replace("/", "_")), "w",
                      encoding="utf-8") as f:
                f.writelines(line + "\n" for line in self.difference(test))
        with open(os.path.join(folder, "refusals"), "w",
                  encoding="utf-8") as f:
            f.writelines(f"{reason}\t{statement}\n" for reason, statement
                         in self.through.refusals)


def print_table(rows):
    rows = [["suite", "direct passed", "through passed", "differences"],
            *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    print()
    for row in rows:
        print("  ".join(c.ljust(w) for c, w in zip(row, widths)).rstrip())


def main():
    options = arguments()
    fetch.install(options.suites)
    peer = fetch.Peer(options.cache)
    fetch.say(f"PostgreSQL {peer.version}")
    reasons = explained()
    comparisons = []
    for name in options.suites:
        suite = ALL[name](peer)
        direct = None if options.through_only else run_way(
            suite, ways.Direct, options)
        through = run_way(suite, ways.Through, options)
        comparisons.append(Comparison(suite, direct, through,
                                      reasons.get(name) or {}))
        if options.keep:
            comparisons[-1].keep(options.keep)
    for comparison in comparisons:
        comparison.show()
    print_table([comparison.row() for comparison in comparisons])
    return 0 if all(c.is_good() for c in comparisons) else 1


if __name__ == "__main__":
    sys.exit(main())
