#!/usr/bin/python3
"""pgbench, select-only, directly and through pgbouncer, a bare relay and
Sallyport, in turn within each round.

Throughput swings with the machine, so it is shown as a ratio to direct
within the same round, the median of all rounds.  The steady figure is the
CPU time of the proxy's whole process tree for one transaction.  Latency is
measured with client, proxy and server on one core, because waking an idle
virtual core costs more than any proxy does.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys

from contenders import (Contender, clear, harness, progress, start_pgbouncer,
                        start_relay, start_sallyport)

MODES = ("simple", "extended", "prepared")
CLIENTS = (1, 8, 32)


def bench_policy():
    """Fifty rules and ten protections, one on the table that is read."""
    rules = [
        {"name": "agents may read", "who": {"agent": "*"},
         "does": ["read", "session", "transaction"], "then": "allow",
         "limits": {"rows": 100000, "seconds": 60}},
        {"name": "no schema changes", "who": {"agent": "*"},
         "on": {"environment": "production"}, "does": ["ddl", "privilege"],
         "then": "deny"},
        {"name": "writes without WHERE", "does": ["update", "delete"],
         "lacks": ["where"], "then": "approve",
         "approve": {"by": [{"group": "dba"}]}}]
    rules += [{"name": f"team {i} keeps its tables",
               "who": {"group": "analysts"}, "does": ["read", "write"],
               "to": [f"team{i}.*", f"public.team{i}_*"], "then": "deny"}
              for i in range(35)]
    rules += [{"name": f"pattern {i}", "matches": rf"\bforbidden_{i}\b",
               "then": "deny"} for i in range(12)]
    protect = [{"name": f"column {i}", "columns": [f"public.customers.c{i}"],
                "mask": "redact"} for i in range(7)]
    protect += [
        {"name": "filler", "columns": ["public.pgbench_accounts.filler"],
         "mask": "redact"},
        {"name": "emails", "columns": ["public.*.email"], "mask": "email"},
        {"name": "anywhere", "values": ["email", "credit_card", "us_ssn",
                                        "phone", "iban"], "mask": "redact"}]
    return {"protect": protect, "rules": rules}


def pgbench(x, mode, clients, seconds, *more):
    done = subprocess.run(
        ["pgbench", "-n", "-S", "-M", mode, "-c", str(clients), "-j",
         str(min(clients, 2)), "-T", str(seconds), "-h", "127.0.0.1",
         "-p", str(x.port), "-U", x.user, *more, "bench"],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PGPASSWORD": harness.PASSWORDS["copilot"]})
    if done.returncode != 0:
        sys.exit(f"bench: pgbench through {x.name} failed:\n"
                 + done.stderr)
    return done.stdout


def run(x, mode, clients, seconds):
    """(transactions per second, proxy CPU microseconds for one)"""
    before = x.meter.settle() if x.meter else 0
    printed = pgbench(x, mode, clients, seconds)
    after = x.meter.settle() if x.meter else 0
    rate = float(re.search(r"tps = ([0-9.]+)", printed).group(1))
    count = int(re.search(r"actually processed: (\d+)",
                          printed).group(1))
    return rate, (after - before) / count / 1000


def median_latency(x, mode, seconds, folder):
    """Of one client, in microseconds."""
    prefix = os.path.join(folder, "latency")
    pgbench(x, mode, 1, seconds, "-l", f"--log-prefix={prefix}")
    times = []
    for file in os.listdir(folder):
        if file.startswith("latency."):
            path = os.path.join(folder, file)
            with open(path, encoding="ascii") as f:
                times += [int(line.split()[2]) for line in f]
            os.unlink(path)
    return statistics.median(times)


def measure(contenders, options):
    """{mode: {clients: {name: [(tps, µs), …]}}}, in alternated rounds."""
    found = {m: {c: {x.name: [] for x in contenders} for c in CLIENTS}
             for m in MODES}
    for number in range(options.rounds):
        for mode in MODES:
            for clients in CLIENTS:
                for x in contenders:
                    progress(options, f"round {number + 1}/{options.rounds} "
                             f"{mode} {clients} {x.name}")
                    found[mode][clients][x.name].append(
                        run(x, mode, clients, options.seconds))
    return found


def measure_latency(contenders, pg, options, folder):
    """{mode: {name: p50 µs}}, everything on one core."""
    every_core = os.sched_getaffinity(0)
    one = {min(every_core)}

    def pin(cores):
        tree = [pg.process.pid, *harness.children(pg.process.pid)]
        for x in contenders:
            tree += x.tree()
        for pid in [0, *tree]:
            try:
                os.sched_setaffinity(pid, cores)
            except ProcessLookupError:
                continue
    found = {m: {x.name: [] for x in contenders} for m in MODES}
    pin(one)
    try:
        for number in range(options.rounds):
            for mode in MODES:
                for x in contenders:
                    progress(options, f"latency {number + 1}/"
                             f"{options.rounds} {mode} {x.name}")
                    found[mode][x.name].append(
                        median_latency(x, mode, options.seconds, folder))
    finally:
        pin(every_core)
    return {m: {n: statistics.median(v) for n, v in row.items()}
            for m, row in found.items()}


def summarise(found):
    """Medians: {mode: {clients: {name: {tps, ratio, cpu_us}}}}"""
    table = {}
    for mode, by_clients in found.items():
        table[mode] = {}
        for clients, runs in by_clients.items():
            direct = [tps for tps, _ in runs["direct"]]
            table[mode][clients] = {
                name: {"tps": statistics.median(t for t, _ in values),
                       "ratio": statistics.median(
                           t / d for (t, _), d in zip(values, direct)),
                       "cpu_us": statistics.median(c for _, c in values)}
                for name, values in runs.items()}
    return table


def show(table, latency, names):
    print("pgbench select-only: TPS as a ratio to direct · proxy CPU µs for "
          "one transaction")
    print(f"{'':10}{'clients':>8}{'direct TPS':>12}"
          + "".join(f"{n:>18}" for n in names if n != "direct"))
    for mode, by_clients in table.items():
        for clients, row in by_clients.items():
            cells = "".join(
                f"{row[n]['ratio']:>9.2f} · {row[n]['cpu_us']:>5.1f} "
                for n in names if n != "direct")
            print(f"{mode:10}{clients:>8}{row['direct']['tps']:>12.0f}"
                  f"{cells}")
    print("\nLatency of one client, median, all on one core, µs")
    print(" " * 18 + "".join(f"{n:>12}" for n in names))
    for mode, row in latency.items():
        print(f"{mode:18}" + "".join(f"{row[n]:>12.1f}" for n in names))
    if "relay" in names and "sallyport" in names:
        worst = max((row["sallyport"]["cpu_us"] - row["relay"]["cpu_us"],
                     mode, clients) for mode, by in table.items()
                    for clients, row in by.items())
        print(f"\nSallyport's CPU beyond the bare relay's: at most "
              f"{worst[0]:.1f} µs a transaction ({worst[1]}, {worst[2]} "
              "clients)")


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true",
                        help="one round of one second each: about a minute")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int, help="of one pgbench run")
    parser.add_argument("--build", default="build")
    parser.add_argument("--only", metavar="NAME", action="append",
                        help="only this contender beside direct; repeatable")
    chosen = parser.parse_args()
    chosen.rounds = chosen.rounds or (1 if chosen.quick else 3)
    chosen.seconds = chosen.seconds or (1 if chosen.quick else 3)
    return chosen


def main():
    options = arguments()
    folder = harness.temporary_folder("sallyport-bench-")
    servers, contenders, world = [], [], None
    try:
        pg_folder = os.path.join(folder, "pg")
        os.mkdir(pg_folder)
        pg = harness.Postgres(pg_folder)
        servers.append(pg)
        with pg.connect("postgres") as c:
            c.execute("CREATE DATABASE bench")
        subprocess.run(["pgbench", "-i", "-q", "-s", "5", "-h", pg.folder,
                        "-p", str(pg.port), "-U", "owner", "bench"],
                       check=True, capture_output=True)
        pg.ask("GRANT SELECT ON ALL TABLES IN SCHEMA public TO public",
               "bench")
        wanted = options.only or ["relay", "pgbouncer", "sallyport"]
        contenders = [Contender("direct", pg.port, "sallyport_trust")]
        if "relay" in wanted:
            contenders.append(start_relay(pg, folder))
        if "pgbouncer" in wanted:
            contenders.append(start_pgbouncer(pg, folder))
        if "sallyport" in wanted:
            programs = harness.install_programs(
                os.path.join(harness.ROOT, options.build), folder)
            world = harness.World(pg, programs, folder)
            sallyport, drain = start_sallyport(world, folder, bench_policy())
            contenders.append(sallyport)
            servers.append(drain)
        contenders = [x for x in contenders if x]
        servers += [x.server for x in contenders
                    if x.server and x.name != "sallyport"]
        for x in contenders:  # warm up, and see that each works
            run(x, "prepared", 2, 1)
        table = summarise(measure(contenders, options))
        latency = measure_latency(contenders, pg, options, folder)
        progress(options, "")
        if options.json:
            print(json.dumps({"throughput": table, "latency_us": latency,
                              "rounds": options.rounds,
                              "seconds": options.seconds}, indent=1))
        else:
            show(table, latency, [x.name for x in contenders])
            if world:
                print(f"The audit sink's socket held {drain.queue} records.")
    finally:
        clear(world, servers, contenders, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
