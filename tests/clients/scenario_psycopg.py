#!/usr/bin/python3
"""The drivers' scenario with psycopg 3. See steps.py."""

import logging
import threading
import time

import psycopg
from psycopg import sql

import steps
from steps import CUSTOMERS, DATABASE, HOST, PORT, USER, saw, step, way

# it warns of errors that come while a pipeline ends, or not, as time has it
logging.getLogger("psycopg").setLevel(logging.ERROR)

# 5 has dates that Python cannot have
TYPES = "SELECT * FROM every_type WHERE n < 5 ORDER BY n"
FIELDS = [name for name in dir(psycopg.errors.Diagnostic)
          if not name.startswith("_") and name not in ("pgconn", "encoding")]


def connect(**more):
    return psycopg.connect(**{"host": HOST, "port": PORT, "user": USER,
                              "dbname": DATABASE, "autocommit": True, **more})


def saw_result(cursor):
    saw([(c.name, c.type_code, c.internal_size, c.precision, c.scale)
         for c in cursor.description])
    for row in cursor:
        for column, value in zip(cursor.description, row):
            saw(row[0], column.name, repr(value))
    saw(cursor.statusmessage, cursor.rowcount)


def saw_error(wrong):
    saw(type(wrong).__name__, {f: getattr(wrong.diag, f) for f in FIELDS
                               if getattr(wrong.diag, f) is not None})


def attempt(function, *arguments):
    """Something that must fail, and how it did."""
    try:
        function(*arguments)
    except psycopg.Error as wrong:
        saw_error(wrong)
    else:
        saw("did not fail")


@step
def connection():
    with connect(options="-c work_mem=123kB -c datestyle=sql,dmy") as c:
        for name in ("server_version", "server_encoding", "client_encoding",
                     "is_superuser", "session_authorization", "DateStyle",
                     "IntervalStyle", "TimeZone", "integer_datetimes",
                     "standard_conforming_strings", "in_hot_standby",
                     "default_transaction_read_only"):
            saw(name, c.info.parameter_status(name))
        saw(c.info.get_parameters().keys(), c.info.encoding, c.info.status)
        saw(c.execute("SELECT current_setting('work_mem'), current_user, "
                      "session_user, current_database()").fetchone())
        saw("its process id:", c.info.backend_pid == c.execute(
            "SELECT pg_backend_pid()").fetchone()[0])


@step
def types():
    with connect() as c:
        saw_result(c.execute(TYPES))
        saw_result(c.execute(TYPES, prepare=True))


@step
def binary():
    with connect() as c:
        saw_result(c.execute(TYPES, binary=True))
        values = (2, 3.5, "x", b"\0\xff", True, None, [1, 2])
        for form in "%s", "%b", "%t":
            saw(c.execute("SELECT " + ", ".join([form] * len(values)),
                          values, binary=True).fetchone())


@step
def parameters():
    with connect() as c:
        c.execute("CREATE TEMP TABLE again (LIKE every_type)")
        cursor = c.execute(TYPES)
        # json and points have no Python type of their own
        for row in cursor.fetchall():
            row = [psycopg.types.json.Json(v) if d.type_code in (114, 3802)
                   and v is not None else v
                   for d, v in zip(cursor.description, row)]
            c.execute("INSERT INTO again VALUES (" + ", ".join(
                ["%s"] * len(row)) + ")", row)
        saw(c.execute("SELECT e.n, a::text = e::text FROM again a "
                      "JOIN every_type e USING (n) ORDER BY n").fetchall())


@step
def prepared():
    with connect() as c:
        for i in range(20):
            saw(c.execute("SELECT count(*), max(status) FROM orders "
                          "WHERE customer_id = %s", (i,)).fetchone())
        saw(c.execute("SELECT statement, from_sql, generic_plans + "
                      "custom_plans FROM pg_prepared_statements").fetchall())
        for kind in (1, "x", None, 2.5, 1):  # a statement for each type
            for _ in range(6):
                saw(c.execute("SELECT %s AS given", (kind,)).fetchone())
        c.execute("DEALLOCATE ALL")


@step
def transaction():
    with connect(autocommit=False) as c:
        c.execute("TRUNCATE ledger")
        c.commit()
        c.execute("INSERT INTO ledger VALUES (1, 'kept', 1)")
        with c.transaction():
            c.execute("INSERT INTO ledger VALUES (2, 'kept too', 1)")
        try:
            with c.transaction():
                c.execute("INSERT INTO ledger VALUES (3, 'lost', 1)")
                c.execute("INSERT INTO ledger VALUES (3, 'twice', 1)")
        except psycopg.Error as wrong:
            saw_error(wrong)
        saw(c.info.transaction_status)
        saw(c.execute("SELECT * FROM ledger ORDER BY id").fetchall())
        c.commit()
        attempt(c.execute, "SELECT 1/0")
        saw(c.info.transaction_status)
        attempt(c.execute, "SELECT 1")
        c.rollback()
        saw(c.info.transaction_status)
        c.execute("INSERT INTO ledger VALUES (4, 'rolled back', 1)")
        c.rollback()
        saw(c.execute("SELECT * FROM ledger ORDER BY id").fetchall())
        c.rollback()
        c.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        c.read_only = True
        saw(c.execute("SHOW transaction_isolation").fetchone())
        attempt(c.execute, "DELETE FROM ledger")


@step
def cursor():
    with connect(autocommit=False) as c:
        for kind in False, True:
            with c.cursor(name="served", scrollable=True) as served:
                served.execute(TYPES, binary=kind)
                saw(served.fetchmany(2))
                served.scroll(-1)
                saw_result(served)
        with c.cursor(name="part", withhold=True) as some:
            some.execute("SELECT id, status FROM orders ORDER BY id")
            saw(some.fetchmany(3), some.fetchone())
            c.commit()
            some.itersize = 7
            saw([row for row, _ in zip(some, range(20))])
        attempt(c.execute, 'FETCH "part"')
        c.rollback()
        with c.cursor() as streamed:
            saw([row for row in streamed.stream(
                "SELECT id FROM orders ORDER BY id LIMIT 30")])


@step
def batch():
    with connect() as c:
        with c.pipeline() as p:
            those = [c.execute("SELECT %s::int * 2", (i,)) for i in range(30)]
            p.sync()
            saw([x.fetchone()[0] for x in those])
        c.execute("TRUNCATE ledger")
        attempt(break_pipeline, c)
        saw(c.execute("SELECT count(*) FROM ledger").fetchone())
        many = c.cursor()
        many.executemany("INSERT INTO ledger VALUES (%s, %s, 0) "
                         "RETURNING id, what", [(i, f"no. {i}")
                                                for i in range(50)],
                         returning=True)
        saw(many.rowcount, many.fetchall())
        saw(many.nextset(), many.fetchall())


def break_pipeline(c):
    # the error may come to light at any moment after its statement
    with c.pipeline():
        c.execute("INSERT INTO ledger VALUES (1, 'undone', 1)")
        c.execute("SELECT 1/%s", (0,))
        c.execute("SELECT 7")


@step
def several():
    with connect() as c:
        results = c.execute("SELECT 1 AS a; SELECT 2 AS b, 'x'; "
                            "DELETE FROM ledger; SELECT 3 WHERE false")
        while True:
            saw(results.statusmessage, results.description and
                results.fetchall())
            if not results.nextset():
                break
        attempt(c.execute, "INSERT INTO ledger VALUES (9, 'undone', 1); "
                "SELECT 1/0; SELECT 2")
        saw(c.execute("SELECT count(*) FROM ledger").fetchone())


def copied_out(c, statement):
    with c.cursor().copy(statement) as copy:
        return b"".join(bytes(data) for data in copy)


@step
def copy():
    with connect() as c:
        c.execute("CREATE TEMP TABLE again (LIKE every_type)")
        for form in "text", "csv", "binary":
            form = sql.SQL(form)
            data = copied_out(c, sql.SQL(
                "COPY every_type TO STDOUT (FORMAT {})").format(form))
            saw(form, data)
            cursor = c.cursor()
            with cursor.copy(sql.SQL(
                    "COPY again FROM STDIN (FORMAT {})").format(form)) as into:
                for i in range(0, len(data), 100):
                    into.write(data[i:i + 100])
            saw(cursor.statusmessage, cursor.rowcount)
        saw(c.execute("SELECT e.n, count(*), bool_and(a::text = e::text) "
                      "FROM again a JOIN every_type e USING (n) "
                      "GROUP BY e.n ORDER BY n").fetchall())
        saw(copied_out(c, "COPY (SELECT id, status FROM orders ORDER BY id "
                       "LIMIT 5) TO STDOUT (FORMAT csv, HEADER, DELIMITER "
                       "';', FORCE_QUOTE *)"))
        with c.cursor().copy("COPY (SELECT n, day, exact, many FROM "
                             "every_type WHERE n < 3 ORDER BY n) TO STDOUT "
                             "(FORMAT binary)") as out:
            out.set_types(["int4", "date", "numeric", "int4[]"])
            saw(list(out.rows()))
        c.execute("TRUNCATE ledger")
        with c.cursor().copy("COPY ledger (id, what, amount) FROM STDIN "
                             "(FORMAT binary)") as into:
            into.set_types(["int4", "text", "numeric"])
            for i in range(300):
                into.write_row((i, f"no. {i}", i))
        saw(c.execute("SELECT count(*), sum(amount) FROM ledger").fetchone())
        attempt(copied_in, c, "COPY ledger FROM STDIN", b"1\ttwice\t1\t\\N\n")
        attempt(copied_in, c, "COPY ledger FROM STDIN", b"not a number\n")
        attempt(give_up, c)
        saw(c.execute("SELECT count(*) FROM ledger").fetchone())


def copied_in(c, statement, data):
    with c.cursor().copy(statement) as into:
        into.write(data)


def give_up(c):
    with c.cursor().copy("COPY ledger FROM STDIN") as into:
        into.write(b"1000\tx\t1\t1\n")
        raise RuntimeError("given up")


@step
def notify():
    with connect() as c, connect() as other:
        heard = []
        c.add_notify_handler(lambda n: heard.append(
            (n.channel, n.payload, n.pid == other.info.backend_pid)))
        c.execute("LISTEN gale")
        for payload in "one", "", "naïve 東京", "x" * 7000:
            other.execute("SELECT pg_notify('gale', %s)", (payload,))
        other.execute("NOTIFY calm, 'not heard'")
        c.execute("NOTIFY gale")
        while len(heard) < 5:
            c.execute("SELECT 1")
        saw([(channel, len(payload), payload[:20], ours)
             for channel, payload, ours in heard])
        c.execute("UNLISTEN *")
        other.execute("NOTIFY gale")
        c.execute("SELECT 1")
        saw(len(heard))


def cancel_when_asleep(c, cancel):
    with connect() as other:
        deadline = time.monotonic() + 20
        while not other.execute(
                "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND "
                "wait_event = 'PgSleep'", (c.info.backend_pid,)).fetchone():
            if time.monotonic() > deadline:
                saw("it does not sleep")
                return
    cancel()


@step
def cancel():
    with connect() as c:
        for statement in ("SELECT pg_sleep(60)",
                          "SELECT n, pg_sleep(0) FROM (SELECT 1 n, "
                          "pg_sleep(60)) later"):
            thread = threading.Thread(target=cancel_when_asleep,
                                      args=(c, c.cancel))
            thread.start()
            attempt(c.execute, statement)
            thread.join()
        saw(c.execute("SELECT 'on it goes'").fetchone())
        c.execute("SET statement_timeout = 50")
        attempt(c.execute, "SELECT pg_sleep(60)")


@step
def errors():
    with connect() as c:
        c.execute("TRUNCATE ledger")
        for wrong in steps.WRONG:
            attempt(c.execute, wrong)
            attempt(lambda: c.execute(wrong, (), prepare=True))
        attempt(c.execute, "SELECT %s + 1", ("x",))
        attempt(c.execute, "SELECT 1; SELECT %s", (1,))
    attempt(lambda: connect(options="-c work_mem=nonsense"))


@step
def large():
    with connect() as c:
        text = "naïve 東京 " * 500000
        for kind in False, True:
            got = c.execute("SELECT %s", (text,), binary=kind).fetchone()
            saw(len(got[0]), got[0] == text)
            got = c.execute("SELECT %s, 1", (text.encode(),),
                            binary=kind).fetchone()
            saw(len(got[0]), got[0] == text.encode())
        saw(len(c.execute("SELECT repeat('x', 5000000)").fetchone()[0]))
        total = 0
        for row in c.execute("SELECT repeat('y', n) FROM generate_series("
                             "1, 3000) n"):
            total += len(row[0])
        saw(total)


@step
def columns():
    with connect() as c:
        for kind in False, True:
            got = c.execute("SELECT " + ", ".join(
                f"{i} AS column_{i}" for i in range(1600)), binary=kind)
            saw([d.name for d in got.description][1598:],
                sum(got.fetchone()))
        got = c.execute("SELECT " + ", ".join(["%s"] * 1600),
                        list(range(1600)))
        saw(sum(got.fetchone()))


@step
def notices():
    with connect() as c:
        c.add_notice_handler(lambda d: saw({
            f: getattr(d, f) for f in FIELDS if getattr(d, f) is not None}))
        c.execute("COMMIT")
        c.execute("DROP TABLE IF EXISTS nowhere")
        saw(c.execute("SELECT speak('NOTICE', 'a word')").fetchone())
        saw(c.execute("SELECT speak('WARNING', %s)", ("two",)).fetchone())
        c.execute("SET client_min_messages = error")
        saw(c.execute("SELECT speak('WARNING', 'unheard')").fetchone())


@step
def settings():
    with connect() as c:
        c.execute("SET TimeZone = 'Asia/Tokyo'")
        saw(c.info.parameter_status("TimeZone"), c.info.timezone)
        saw(c.execute("SELECT instant FROM every_type WHERE n = 1").fetchone())
        c.execute("SET DateStyle = 'SQL, DMY'")
        saw(c.info.parameter_status("DateStyle"))
        saw(c.execute("SELECT day::text, instant::text FROM every_type "
                      "WHERE n = 1").fetchone())
        c.execute("SET search_path = harbour, public")
        saw(c.execute("SELECT * FROM products LIMIT 1").fetchone())
        c.execute("SET search_path = public")
        saw(c.execute("SELECT * FROM products ORDER BY id").fetchone())
        c.execute("SET ROLE clerk")
        saw(c.execute("SELECT current_user, session_user").fetchone())
        attempt(c.execute, "SELECT * FROM ledger")
        c.execute("RESET ROLE")
        c.execute("SET bytea_output = escape")
        saw(c.execute("SELECT bytes, bytes::text FROM every_type "
                      "WHERE n = 1").fetchone())
        c.execute("SET LOCAL work_mem = '64kB'")
        with c.transaction():
            c.execute("SET LOCAL work_mem = '99kB'")
            saw(c.execute("SHOW work_mem").fetchone())
        saw(c.execute("SHOW work_mem").fetchone())
        attempt(c.execute, "SET nonsense = 1")
        c.execute("DISCARD ALL")
        saw(c.info.parameter_status("TimeZone"))


@step
def two():
    with connect() as one, connect() as other:
        one.execute("TRUNCATE ledger")
        one.execute("BEGIN")
        one.execute("INSERT INTO ledger VALUES (1, 'by one', 1)")
        saw(other.execute("SELECT count(*) FROM ledger").fetchone())
        other.execute("SET lock_timeout = 50")
        attempt(other.execute, "INSERT INTO ledger VALUES (1, 'other', 1)")
        one.execute("COMMIT")
        saw(other.execute("SELECT * FROM ledger").fetchall())
        saw(one.info.backend_pid != other.info.backend_pid)


@step
def socket():
    with connect(host=steps.FOLDER) as c:
        saw_result(c.execute("SELECT id, name FROM products ORDER BY id"))


@step
def empty():
    with connect() as c:
        for nothing in "", ";", "-- only a comment", "SELECT 1 WHERE false", \
                "SELECT", "SELECT FROM products LIMIT 2":
            cursor = c.execute(nothing)
            saw(cursor.statusmessage, cursor.rowcount,
                cursor.description and cursor.fetchall())
        saw(repr(c.execute("SELECT ''").fetchone()))


@way
def plain():
    with connect() as c:
        return c.execute(CUSTOMERS).fetchall()


@way
def in_binary():
    with connect() as c:
        return c.execute(CUSTOMERS, binary=True).fetchall()


@way
def served_cursor():
    rows = []
    with connect(autocommit=False) as c:
        with c.cursor(name="served", binary=True) as served:
            served.itersize = 7
            rows = list(served.execute(CUSTOMERS))
    return rows


@way
def streamed():
    with connect() as c, c.cursor() as streamed:
        return list(streamed.stream(CUSTOMERS, binary=True))


@way
def copied():
    with connect() as c, c.cursor().copy(
            f"COPY ({CUSTOMERS}) TO STDOUT") as out:
        out.set_types(["int4", "text", "text", "date", "numeric", "text"])
        return list(out.rows())


@way
def copied_in_binary():
    with connect() as c, c.cursor().copy(
            f"COPY ({CUSTOMERS}) TO STDOUT (FORMAT binary)") as out:
        out.set_types(["int4", "text", "text", "date", "numeric", "text"])
        return list(out.rows())


@way
def pipelined():
    with connect() as c, c.pipeline():
        return [c.execute(CUSTOMERS.replace("<= 50", "= %s"), (i,)).fetchone()
                for i in range(1, 51)]


steps.run()
