#!/usr/bin/python3
"""The drivers' scenario with SQLAlchemy on psycopg2. See steps.py."""

import io
import os
import threading
import time
from contextlib import closing

import psycopg2
import sqlalchemy
from sqlalchemy import text
from sqlalchemy.orm import Session, declarative_base

import steps
from steps import CUSTOMERS, saw, step, way

# 5 has dates that Python cannot have
TYPES = "SELECT * FROM every_type WHERE n < 5 ORDER BY n"
Base = declarative_base()


class Entry(Base):
    __tablename__ = "ledger"
    id = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)
    what = sqlalchemy.Column(sqlalchemy.Text, nullable=False)
    amount = sqlalchemy.Column(sqlalchemy.Numeric(8, 2))
    buyer = sqlalchemy.Column(sqlalchemy.Integer)


def engine(host=None, **more):
    return sqlalchemy.create_engine(sqlalchemy.engine.URL.create(
        "postgresql+psycopg2", host=host or steps.HOST, port=int(steps.PORT),
        username=steps.USER, password=os.environ["PGPASSWORD"],
        database=steps.DATABASE), poolclass=sqlalchemy.pool.NullPool, **more)


ENGINE = engine()


def raw():
    """psycopg2's own connection, in autocommit."""
    c = psycopg2.connect(host=steps.HOST, port=steps.PORT, user=steps.USER,
                         dbname=steps.DATABASE)
    c.autocommit = True
    return c


def without_address(value):
    """Bytes come as a memoryview, which shows its place, not its value."""
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, list):
        return [without_address(v) for v in value]
    return value


def saw_result(result):
    saw([(c.name, c.type_code, c.internal_size, c.precision, c.scale)
         for c in result.cursor.description])
    names = list(result.keys())
    for row in result:
        for name, value in zip(names, row):
            saw(name, repr(without_address(value)))


def saw_error(wrong):
    diag = wrong.diag
    saw(type(wrong).__name__, wrong.pgcode, {
        f: getattr(diag, f) for f in dir(diag)
        if not f.startswith("_") and getattr(diag, f) is not None})


def attempt(function, *arguments):
    """Something that must fail, and how it did."""
    try:
        function(*arguments)
    except sqlalchemy.exc.DBAPIError as wrong:
        saw(type(wrong).__name__)
        saw_error(wrong.orig)
    except psycopg2.Error as wrong:
        saw_error(wrong)
    else:
        saw("did not fail")


@step
def connection():
    with engine(connect_args={"options": "-c work_mem=123kB"}).connect() as c:
        saw(c.execute(text("SELECT current_setting('work_mem'), "
                           "current_user, session_user")).fetchall())
        own = c.connection.driver_connection
        saw(own.server_version, own.encoding, own.protocol_version,
            own.get_parameter_status("session_authorization"))
        saw("its process id:", own.info.backend_pid == c.execute(
            text("SELECT pg_backend_pid()")).scalar())
    found = sqlalchemy.inspect(ENGINE)
    saw(found.get_table_names(), found.get_view_names())
    for table in "ledger", "every_type", "orders":
        for column in found.get_columns(table):
            saw(table, [str(v) for v in column.values()])
        saw(found.get_pk_constraint(table), found.get_foreign_keys(table),
            found.get_check_constraints(table), found.get_indexes(table))


@step
def types():
    with ENGINE.connect() as c:
        saw_result(c.execute(text(TYPES)))
        saw_result(c.exec_driver_sql(TYPES.replace("< 5", "< %s"), (5,)))


@step
def parameters():
    with ENGINE.connect() as c:
        saw_result(c.execute(
            text("SELECT :a, :b, :c, :d, :e, CAST(:f AS jsonb)"), {
                "a": 1, "b": "it's \\ é\n", "c": None, "d": [1, 2],
                "e": b"\0\xff", "f": '{"a": 1}'}))
        again = sqlalchemy.Table("every_type", sqlalchemy.MetaData(),
                                 autoload_with=ENGINE)
        query = sqlalchemy.select(again.c.n, again.c.words).where(
            again.c.many.any(2), again.c.parsed["b"]["c"].astext == "2.50",
            again.c.day > "2000-01-01", again.c.names.contains(["one"]))
        saw_result(c.execute(query))


@step
def prepared():
    with ENGINE.connect() as c:
        statement = text("SELECT count(*), max(status) FROM orders "
                         "WHERE customer_id = :who")
        for i in range(20):
            saw(c.execute(statement, {"who": i}).fetchall())
        c.execute(text("PREPARE three AS SELECT $1::int + 3"))
        saw(c.execute(text("EXECUTE three(4)")).fetchall())


@step
def transaction():
    with Session(ENGINE) as session:
        session.query(Entry).delete()
        session.add(Entry(id=1, what="kept", amount=1))
        session.flush()
        try:
            with session.begin_nested():
                session.add(Entry(id=2, what="lost", amount=-1))
        except sqlalchemy.exc.IntegrityError as wrong:
            saw_error(wrong.orig)
        session.add(Entry(id=3, what="kept", amount="2.50"))
        session.commit()
        session.add(Entry(id=4, what="lost"))
        session.flush()
        session.rollback()
        saw([(e.id, e.what, e.amount) for e in
             session.query(Entry).order_by(Entry.id)])
    serial = ENGINE.execution_options(isolation_level="SERIALIZABLE")
    with serial.begin() as c:
        saw(c.execute(text("SHOW transaction_isolation")).scalar())
    with ENGINE.connect() as c:
        two = c.begin_twophase("phased")
        c.execute(text("SELECT 1"))
        attempt(two.prepare)  # the server is told to have none
        c.invalidate()


@step
def cursor():
    with ENGINE.connect() as c:
        streamed = c.execution_options(stream_results=True, max_row_buffer=7)
        result = streamed.execute(text("SELECT id, status FROM orders "
                                       "ORDER BY id"))
        saw(result.fetchmany(3), result.fetchone())
        result.close()
        result = streamed.execute(text("SELECT id FROM orders ORDER BY id"))
        saw([len(part) for part in result.partitions(500)])
    own = raw()
    own.autocommit = False
    with own.cursor("served", scrollable=True) as served:
        served.itersize = 2
        served.execute(TYPES)
        saw([row[0] for row in served])
        served.scroll(1, mode="absolute")
        saw(served.fetchone()[8])
    own.close()


@step
def batch():
    with Session(ENGINE) as session:
        session.query(Entry).delete()
        session.add_all([Entry(id=i, what=f"no. {i}", amount=i)
                         for i in range(300)])
        session.commit()
        session.execute(sqlalchemy.update(Entry).where(Entry.id < 10)
                        .values(amount=Entry.amount + 1))
        session.commit()
        saw(session.execute(text("SELECT count(*), sum(amount) "
                                 "FROM ledger")).fetchall())
        session.add_all([Entry(id=1000 + i, what="x", amount=5 - i)
                         for i in range(10)])
        attempt(session.commit)
        session.rollback()
        saw(session.query(Entry).count())


@step
def several():
    with closing(raw()) as c, c.cursor() as cursor_:
        cursor_.execute("SELECT 1; TRUNCATE ledger; SELECT 2, 'x'")
        saw(cursor_.fetchall(), cursor_.statusmessage)
        attempt(cursor_.execute, "INSERT INTO ledger VALUES "
                "(9, 'undone', 1); SELECT 1/0; SELECT 2")


@step
def copy():
    c = raw()
    cursor_ = c.cursor()
    cursor_.execute("CREATE TEMP TABLE again (LIKE every_type)")
    for form in "text", "csv", "binary":
        data = io.BytesIO()
        cursor_.copy_expert(f"COPY every_type TO STDOUT (FORMAT {form})",
                            data, 100)
        saw(data.getvalue(), cursor_.rowcount)
        data.seek(0)
        cursor_.copy_expert(f"COPY again FROM STDIN (FORMAT {form})", data,
                            100)
        saw(cursor_.rowcount, cursor_.statusmessage)
    cursor_.execute("SELECT e.n, count(*), bool_and(a::text = e::text) FROM "
                    "again a JOIN every_type e USING (n) GROUP BY e.n "
                    "ORDER BY n")
    saw(cursor_.fetchall())
    cursor_.execute("TRUNCATE ledger")
    cursor_.copy_from(io.StringIO("1\ta\t1\n2\tb\t2\n"), "ledger",
                      columns=("id", "what", "amount"))
    attempt(cursor_.copy_expert, "COPY ledger FROM STDIN",
            io.StringIO("1\ttwice\t1\t\\N\n"))
    attempt(cursor_.copy_expert, "COPY nowhere TO STDOUT", io.StringIO())
    data = io.StringIO()
    cursor_.copy_to(data, "ledger", sep="|", null="none")
    saw(data.getvalue())
    c.close()


@step
def notify():
    c, other = raw(), raw()
    with c.cursor() as one, other.cursor() as two_:
        one.execute("LISTEN gale")
        two_.execute("NOTIFY gale, 'naïve 東京'")
        two_.execute("SELECT pg_notify('gale', %s)", ("two",))
        while len(c.notifies) < 2:
            one.execute("SELECT 1")
    saw([(n.channel, n.payload, n.pid == other.info.backend_pid)
         for n in c.notifies])


def cancel_when_asleep(c):
    end = time.monotonic() + 20
    with closing(raw()) as other, other.cursor() as asking:
        while time.monotonic() < end:
            asking.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s "
                           "AND wait_event = 'PgSleep'", (c.info.backend_pid,))
            if asking.fetchall():
                break
    c.cancel()


@step
def cancel():
    with closing(raw()) as c, c.cursor() as running:
        thread = threading.Thread(target=cancel_when_asleep, args=(c,))
        thread.start()
        attempt(running.execute, "SELECT pg_sleep(60)")
        thread.join()
        running.execute("SELECT 'on it goes'")
        saw(running.fetchall())
        running.execute("SET statement_timeout = 50")
        attempt(running.execute, "SELECT pg_sleep(60)")


@step
def errors():
    with ENGINE.connect().execution_options(
            isolation_level="AUTOCOMMIT") as c:
        c.execute(text("TRUNCATE ledger"))
        for wrong in steps.WRONG:
            attempt(c.exec_driver_sql, wrong)


@step
def large():
    long = "naïve 東京 " * 400000
    with ENGINE.connect() as c:
        got = c.execute(text("SELECT :long"), {"long": long}).scalar()
        saw(len(got), got == long)
        got = c.execute(text("SELECT :long, 1"), {"long": b"\0\xff" * 1000000})
        saw(bytes(got.scalar()) == b"\0\xff" * 1000000)


@step
def columns():
    with ENGINE.connect() as c:
        row = c.execute(text("SELECT " + ", ".join(
            f"{i} AS column_{i}" for i in range(1600)))).fetchone()
        saw(sum(row), list(row.keys())[1598:])


@step
def notices():
    with closing(raw()) as c, c.cursor() as talking:
        for statement in ("COMMIT", "DROP TABLE IF EXISTS nowhere",
                          "SELECT speak('NOTICE', 'a word')",
                          "SELECT speak('WARNING', 'two')"):
            talking.execute(statement)
        saw(c.notices)


@step
def settings():
    with closing(raw()) as c, c.cursor() as setting:
        for statement in ("SET TimeZone = 'Asia/Tokyo'",
                          "SELECT instant FROM every_type WHERE n = 1",
                          "SET search_path = harbour, public",
                          "SELECT * FROM products LIMIT 1",
                          "SET ROLE clerk",
                          "SELECT current_user, session_user",
                          "RESET ROLE", "DISCARD ALL"):
            setting.execute(statement)
            saw(setting.fetchall() if setting.description else
                setting.statusmessage, c.get_parameter_status("TimeZone"))


@step
def lexing():
    with closing(raw()) as c, c.cursor() as asking:
        for value in "off", "on":
            asking.execute(f"SET standard_conforming_strings = {value}")
            # the driver quotes as the server told that it reads
            asking.execute("SELECT %s, 'a\\tb'", ("back\\slash, it's",))
            saw(asking.fetchall())


@step
def two():
    with ENGINE.connect() as c, ENGINE.connect() as other:
        c.execute(text("TRUNCATE ledger"))
        c.connection.commit()
        with c.begin():
            c.execute(text("INSERT INTO ledger VALUES (1, 'one', 1)"))
            with other.begin():
                other.execute(text("SET LOCAL lock_timeout = 50"))
                attempt(other.exec_driver_sql,
                        "INSERT INTO ledger VALUES (1, 'other', 1)")
        saw(other.execute(text("TABLE ledger")).fetchall())


@step
def socket():
    with engine(host=steps.FOLDER).connect() as c:
        saw(c.execute(text("SELECT id, name FROM products ORDER BY id "
                           "LIMIT 3")).fetchall())


@step
def empty():
    with closing(raw()) as c, c.cursor() as asking:
        for nothing in "SELECT", "SELECT 1 WHERE false", "SELECT ''":
            asking.execute(nothing)
            saw(asking.description and asking.fetchall(),
                asking.statusmessage, asking.rowcount)
        attempt(asking.execute, "")
        attempt(asking.execute, ";")


@step
def functions():
    c = raw()
    c.autocommit = False
    stored = c.lobject(0, "rwb", 31)
    saw(stored.oid, stored.write(b"harbour"), stored.seek(2), stored.tell(),
        stored.read(4))
    stored.truncate(3)
    stored.unlink()
    attempt(c.lobject, 32)
    c.close()


@way
def plain():
    with ENGINE.connect() as c:
        return c.execute(text(CUSTOMERS)).fetchall()


@way
def streamed():
    with ENGINE.connect() as c:
        return list(c.execution_options(
            stream_results=True, max_row_buffer=7).execute(text(CUSTOMERS)))


@way
def by_table():
    found = sqlalchemy.Table("customers", sqlalchemy.MetaData(),
                             autoload_with=ENGINE)
    c = found.c
    with ENGINE.connect() as connected:
        return connected.execute(sqlalchemy.select(
            c.id, c.email, c.card_number, c.birth_date, c.credit_limit,
            c.city).where(c.id <= 50).order_by(c.id)).fetchall()


@way
def copied():
    data = io.StringIO()
    with closing(raw()) as c, c.cursor() as copying:
        copying.copy_expert(f"COPY ({CUSTOMERS}) TO STDOUT", data)
    return [line.split("\t") for line in data.getvalue().splitlines()]


steps.run()
