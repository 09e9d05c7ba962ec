#!/usr/bin/python3
"""Connections per second, SCRAM-SHA-256 at both ends: directly, through
pgbouncer and Sallyport, in turn within each round, in clear and under TLS.

A client connects, logs in and leaves, and asks nothing.  Direct is the
server's own rate.  "pgbouncer" keeps its server connections and gives one to
many clients, which is what a pooler is for; "pgbouncer, own" opens one for
each client, as Sallyport does, whose sessions share nothing.  "relay" is the
floor of what moving a login's bytes costs: processes that stay and examine
nothing, between the client and the server.  Shown are the
rate as a ratio to direct within the same round, the median of all rounds, and
the CPU time of the proxy's whole process tree for one connection.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys

from bench import bench_policy
from contenders import (Contender, answering, clear, harness, progress,
                        start_relay, start_sallyport)

CLIENTS = (1, 8)
PASSWORD = harness.PASSWORDS["copilot"]
LOGIN = "alice+copilot"


def start_pgbouncer(pg, folder, name, keeps):
    program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    if not os.path.exists(program):
        print("bench: pgbouncer is not installed, left out", file=sys.stderr)
        return None
    port, server = harness.free_port(), harness.Server()
    users = os.path.join(folder, name.replace(", ", "-") + ".users")
    config = os.path.join(folder, name.replace(", ", "-") + ".ini")
    certificate, key = pg.authority.issue(
        "pgbouncer", names=("localhost",), addresses=("127.0.0.1",))
    with open(users, "w", encoding="ascii") as f:
        f.write(f'"{LOGIN}" "{harness.VERIFIERS["copilot"]}"\n'
                f'"sallyport" "{pg.PASSWORD}"\n')
    with open(config, "w", encoding="ascii") as f:
        f.write(f"""[databases]
postgres = host=127.0.0.1 port={pg.port} user=sallyport
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = session
default_pool_size = 64
max_client_conn = 100
server_lifetime = {3600 if keeps else 0}
client_tls_sslmode = allow
client_tls_cert_file = {certificate}
client_tls_key_file = {key}
log_connections = 0
log_disconnections = 0
""")
    harness.give(users, 0o600)
    harness.give(config, 0o600)
    server.launch([program, config], os.path.join(folder, name + ".log"))
    return Contender(name, port, LOGIN, answering(server, port))


def connect(x, script, clients, seconds, tls):
    """pgbench, which connects for each transaction; what it printed."""
    done = subprocess.run(
        ["pgbench", "-n", "-C", "-f", script, "-c", str(clients), "-j",
         str(min(clients, 2)), "-T", str(seconds), "-h", "127.0.0.1",
         "-p", str(x.port), "-U", x.user, "postgres"],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PGPASSWORD": x.password,
             "PGSSLMODE": "require" if tls else "disable"})
    if done.returncode != 0:
        sys.exit(f"bench: pgbench through {x.name} failed:\n" + done.stderr)
    return done.stdout


def run(x, *more):
    """(connections per second, proxy CPU microseconds for one)"""
    before = x.meter.settle() if x.meter else 0
    printed = connect(x, *more)
    after = x.meter.settle() if x.meter else 0
    count = int(re.search(r"actually processed: (\d+)", printed).group(1))
    rate = float(re.search(r"tps = ([0-9.]+)", printed).group(1))
    return rate, (after - before) / count / 1000


def measure(contenders, script, options):
    """{(tls, clients): {name: [(rate, µs), …]}}, in alternated rounds."""
    found = {}
    for number in range(options.rounds):
        for tls in (False, True):
            for clients in CLIENTS:
                for x in contenders:
                    progress(options, f"round {number + 1}/{options.rounds} "
                             f"{'TLS' if tls else 'clear'} {clients} {x.name}")
                    row = found.setdefault((tls, clients), {})
                    row.setdefault(x.name, []).append(
                        run(x, script, clients, options.seconds, tls))
    return found


def summarise(found):
    table = []
    for (tls, clients), row in found.items():
        direct = [rate for rate, _ in row["direct"]]
        table.append({"tls": tls, "clients": clients, "contenders": {
            name: {"rate": statistics.median(r for r, _ in values),
                   "ratio": statistics.median(
                       r / d for (r, _), d in zip(values, direct)),
                   "cpu_us": statistics.median(c for _, c in values)}
            for name, values in row.items()}})
    return table


def show(table, names):
    print("Connections per second as a ratio to direct · proxy CPU µs for one")
    print(f"{'':8}{'clients':>8}{'direct':>10}"
          + "".join(f"{n:>20}" for n in names if n != "direct"))
    for row in table:
        found = row["contenders"]
        cells = "".join(f"{found[n]['ratio']:>10.2f} · "
                        f"{found[n]['cpu_us']:>6.0f} "
                        for n in names if n != "direct")
        print(f"{'TLS' if row['tls'] else 'clear':8}{row['clients']:>8}"
              f"{found['direct']['rate']:>8.0f}/s{cells}")


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench connect", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true",
                        help="one round of one second each")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int, help="of one pgbench run")
    parser.add_argument("--build", default="build")
    chosen = parser.parse_args()
    chosen.rounds = chosen.rounds or (1 if chosen.quick else 3)
    chosen.seconds = chosen.seconds or (1 if chosen.quick else 3)
    return chosen


def contend(pg, folder, options, servers):
    programs = harness.install_programs(
        os.path.join(harness.ROOT, options.build), folder)
    world = harness.World(pg, programs, folder)
    sallyport, drain = start_sallyport(
        world, folder, bench_policy(), tls={},
        workers={"spare": 16, "max": 64})
    servers.append(drain)
    found = [Contender("direct", pg.port, "sallyport"),
             start_relay(pg, folder, "sallyport"),
             start_pgbouncer(pg, folder, "pgbouncer", True),
             start_pgbouncer(pg, folder, "pgbouncer, own", False), sallyport]
    found = [x for x in found if x]
    servers += [x.server for x in found if x.server and x is not sallyport]
    for x in found:
        x.password = PASSWORD if x.user == LOGIN else pg.PASSWORD
    return world, found


def main():
    options = arguments()
    folder = harness.temporary_folder("sallyport-bench-")
    os.environ["SALLYPORT_TEST_TLS"] = ""
    script = os.path.join(folder, "nothing.sql")
    with open(script, "w", encoding="ascii") as f:
        f.write("\\set nothing 1\n")
    os.chmod(script, 0o644)
    servers, contenders, world = [], [], None
    try:
        pg_folder = os.path.join(folder, "pg")
        os.mkdir(pg_folder)
        pg = harness.Postgres(pg_folder)
        servers.append(pg)
        world, contenders = contend(pg, folder, options, servers)
        for x in contenders:  # warm up, and see that each works
            run(x, script, 2, 1, True)
        table = summarise(measure(contenders, script, options))
        progress(options, "")
        if options.json:
            print(json.dumps({"connections": table, "rounds": options.rounds,
                              "seconds": options.seconds}, indent=1))
        else:
            show(table, [x.name for x in contenders])
    finally:
        clear(world, servers, contenders, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
