#!/usr/bin/python3
"""One large result, directly and through pgbouncer, haproxy, a bare relay
and Sallyport, in turn within each round: MB/s as the client reads it, and
the proxy's CPU seconds for one GB.

Narrow rows have ten columns of a few bytes, wide ones ten of a hundred.
"masked" reads the same table with one of its ten columns protected from who
asks; the other contenders just pass it.  Client and server share the
machine with the proxy, so the ratio and the CPU are the figures to go by.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

from contenders import (Contender, answering, clear, compile_tool, harness,
                        progress, start_pgbouncer, start_relay,
                        start_sallyport)

GB = 10 ** 9
COLUMNS = ", ".join(f"c{i}" for i in range(10))
KINDS = {
    "narrow": "SELECT * FROM narrow, generate_series(1, {n})",
    "narrow masked": "SELECT * FROM narrow_p, generate_series(1, {n})",
    "wide": "SELECT * FROM wide, generate_series(1, {n})",
    "wide masked": "SELECT * FROM wide_p, generate_series(1, {n})",
    "copy": "COPY (SELECT w.* FROM wide w, generate_series(1, {n})) TO STDOUT",
    "copy masked":
        "COPY (SELECT w.* FROM wide_p w, generate_series(1, {n})) TO STDOUT",
}
ROWS = {"narrow": 100_000, "wide": 10_000}


def fill(pg):
    values = {"narrow": "(i * 7 + {c}) % 1000",
              "wide": "rpad(md5((i * 10 + {c})::text), 100, 'x')"}
    for name, count in ROWS.items():
        columns = ", ".join(values[name].format(c=c) + f" AS c{c}"
                            for c in range(10))
        pg.ask(f"CREATE TABLE {name} AS SELECT {columns} "
               f"FROM generate_series(1, {count}) i", "bench")
        pg.ask(f"CREATE TABLE {name}_p AS TABLE {name}", "bench")
    pg.ask("GRANT SELECT ON ALL TABLES IN SCHEMA public TO public", "bench")
    pg.ask("ANALYZE", "bench")


def policy():
    return {
        "protect": [
            {"name": "one number in ten", "mask": "round",
             "columns": ["public.narrow_p.c5"]},
            {"name": "one text in ten", "mask": "last4",
             "columns": ["public.wide_p.c5"]}],
        "rules": [{"name": "agents may read", "who": {"agent": "*"},
                   "does": ["read", "copy-out"], "then": "allow"}]}


def start_haproxy(pg, folder):
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    if not os.path.exists(program):
        print("bench: haproxy is not installed, left out", file=sys.stderr)
        return None
    port, server = harness.free_port(), harness.Server()
    config = os.path.join(folder, "haproxy.cfg")
    with open(config, "w", encoding="ascii") as f:
        f.write(f"""global
    nbthread 1
defaults
    mode tcp
    timeout connect 5s
    timeout client 10m
    timeout server 10m
listen pg
    bind 127.0.0.1:{port}
    server db 127.0.0.1:{pg.port}
""")
    harness.give(config, 0o600)
    server.launch([program, "-db", "-f", config],
                  os.path.join(folder, "haproxy.log"))
    return Contender("haproxy", port, "sallyport_trust",
                     answering(server, port))


def process_memory(pid):
    """(private, proportional) KiB of a process."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        lines = dict(line.split(":", 1) for line in f if ":" in line)
    kib = {name: int(lines[name].split()[0])
           for name in ("Private_Clean", "Private_Dirty", "Pss")}
    return kib["Private_Clean"] + kib["Private_Dirty"], kib["Pss"]


def largest(server):
    """The most that a process of this server has now."""
    found = [(0, 0)]
    for pid in harness.children(server.process.pid):
        try:
            found.append(process_memory(pid))
        except OSError:
            continue  # it ended, or is not ours to look into
    return max(found)


def pull(x, tool, sql, peak=None):
    """(MB/s, proxy CPU seconds for one GB, rows). `peak` is given the
    largest memory of a process of the proxy, now and then."""
    before = x.meter.settle() if x.meter else 0
    client = subprocess.Popen(
        [tool, f"host=127.0.0.1 port={x.port} user={x.user} dbname=bench "
         "sslmode=disable gssencmode=disable", sql],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PGPASSWORD": harness.PASSWORDS["copilot"]})
    while peak is not None and client.poll() is None:
        peak.append(largest(x.server))
        time.sleep(0.05)
    printed, complaint = client.communicate()
    if client.returncode != 0:
        sys.exit(f"bench: reading through {x.name} failed: {complaint}")
    after = x.meter.settle() if x.meter else 0
    size, seconds, rows = printed.split()
    size = int(size)
    return (size / float(seconds) / 10 ** 6, (after - before) / size,
            int(rows))


def repeat_for(direct, tool, kind, wanted):
    """How often the table must be repeated for that many bytes."""
    sql = KINDS[kind].format(n=1)
    done = subprocess.run(
        [tool, f"host=127.0.0.1 port={direct.port} user={direct.user} "
         "dbname=bench sslmode=disable", sql],
        capture_output=True, text=True, check=True)
    return max(1, round(wanted / int(done.stdout.split()[0])))


def measure(contenders, tool, options):
    found = {kind: {x.name: [] for x in contenders} for kind in options.kinds}
    for kind in options.kinds:
        n = repeat_for(contenders[0], tool, kind, options.gigabytes * GB)
        sql = KINDS[kind].format(n=n)
        for number in range(options.rounds):
            rows = set()
            for x in contenders:
                progress(options, f"round {number + 1}/{options.rounds} "
                         f"{kind} {x.name}")
                rate, cpu, count = pull(x, tool, sql)
                found[kind][x.name].append((rate, cpu))
                rows.add(count)
            if len(rows) != 1:
                sys.exit(f"bench: {kind}: not the same rows: {rows}")
    return found


def summarise(found):
    table = {}
    for kind, runs in found.items():
        direct = [rate for rate, _ in runs["direct"]]
        table[kind] = {
            name: {"mb_per_s": statistics.median(r for r, _ in values),
                   "ratio": statistics.median(
                       r / d for (r, _), d in zip(values, direct)),
                   "cpu_s_per_gb": statistics.median(c for _, c in values)}
            for name, values in runs.items()}
    return table


def show(table, names):
    print("Streaming: MB/s as a ratio to direct · proxy CPU seconds for a GB")
    others = [n for n in names if n != "direct"]
    print(f"{'':15}{'direct MB/s':>12}" + "".join(f"{n:>16}" for n in others))
    for kind, row in table.items():
        print(f"{kind:15}{row['direct']['mb_per_s']:>12.0f}" + "".join(
            f"{row[n]['ratio']:>9.2f} · {row[n]['cpu_s_per_gb']:.2f}"
            for n in others))


def measure_memory(sallyport, tool):
    """Of the worker in KiB, (private, proportional): idle in a session, and
    at its peak during a result of 2 GB."""
    worker = harness.children(sallyport.server.process.pid)
    with sallyport.server.connect(database="bench") as c:
        c.execute("SELECT 1")
        busy = [s["pid"] for s in sallyport.server.json("sessions")]
        idle = max(process_memory(pid) for pid in busy if pid in worker)
    peak = [(0, 0)]
    pull(sallyport, tool, "SELECT w.* FROM wide w, generate_series(1, 190)",
         peak)
    return {"idle": idle, "peak": max(peak)}


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench stream", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--gigabytes", type=float, default=1.0,
                        help="of one result")
    parser.add_argument("--build", default="build")
    parser.add_argument("--kind", dest="kinds", action="append",
                        choices=list(KINDS), help="only this; repeatable")
    parser.add_argument("--only", metavar="NAME", action="append",
                        help="only this contender beside direct; repeatable")
    chosen = parser.parse_args()
    chosen.kinds = chosen.kinds or list(KINDS)
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
        fill(pg)
        tool = compile_tool("pull", folder, "-I/usr/include/postgresql",
                            "-lpq")
        contenders = [Contender("direct", pg.port, "sallyport_trust")]
        starts = {"relay": start_relay, "haproxy": start_haproxy,
                  "pgbouncer": start_pgbouncer}
        for name, start in starts.items():
            if not options.only or name in options.only:
                contenders.append(start(pg, folder))
        if not options.only or "sallyport" in options.only:
            programs = harness.install_programs(
                os.path.join(harness.ROOT, options.build), folder)
            world = harness.World(pg, programs, folder)
            sallyport, drain = start_sallyport(world, folder, policy())
            contenders.append(sallyport)
            servers.append(drain)
        contenders = [x for x in contenders if x]
        servers += [x.server for x in contenders
                    if x.server and x.name != "sallyport"]
        table = summarise(measure(contenders, tool, options))
        memory = {}
        if world and os.geteuid() == 0:  # workers show it to nobody else
            memory = measure_memory(sallyport, tool)
        progress(options, "")
        if options.json:
            print(json.dumps({"streaming": table, "memory_kib": memory},
                             indent=1))
            return 0
        show(table, [x.name for x in contenders])
        for when, (private, proportional) in memory.items():
            print(f"Memory of a worker, {when}: {private} KiB private, "
                  f"{proportional} KiB proportional")
        if world and not memory:
            print("Memory of a worker: only root can measure it")
    finally:
        clear(world, servers, contenders, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
