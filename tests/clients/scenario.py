#!/usr/bin/python3
"""The drivers' scenario with psycopg 3: what it saw, as JSON lines.

usage: scenario.py HOST PORT USER DATABASE      (password in PGPASSWORD)
"""

import json
import sys

import psycopg

HOST, PORT, USER, DATABASE = sys.argv[1:]


def saw(step, value):
    print(json.dumps([step, value], default=str, sort_keys=True))


def main():
    notices = []
    with psycopg.connect(host=HOST, port=PORT, user=USER,
                         dbname=DATABASE, autocommit=True) as c:
        c.add_notice_handler(lambda d: notices.append(d.sqlstate))
        saw("simple", c.execute("SELECT id, name, price, stock FROM products "
                                "ORDER BY id LIMIT 5").fetchall())
        saw("parameters", c.execute(
            "SELECT email, birth_date, credit_limit, created_at "
            "FROM customers WHERE id = %s", (7,)).fetchall())
        cursor = c.cursor(binary=True)
        saw("binary", cursor.execute(
            "SELECT id, email, birth_date, credit_limit, %s::float8, "
            "now() > '2020-01-01' FROM customers WHERE id < %s ORDER BY id",
            (1.5, 4)).fetchall())
        for i in range(8):  # becomes a prepared statement on the way
            saw("prepared", c.execute("SELECT count(*) FROM orders WHERE "
                                      "customer_id = %s", (i,)).fetchone())
        with c.pipeline():
            cursors = [c.execute("SELECT %s::int * 2", (i,))
                       for i in range(20)]
            saw("pipeline", [x.fetchone()[0] for x in cursors])
        with c.transaction():
            with c.cursor(name="served") as served:
                served.execute("SELECT id FROM orders ORDER BY id")
                saw("cursor", [served.fetchmany(3), served.fetchone()])
        try:
            with c.transaction():
                c.execute("UPDATE products SET stock = stock + 1 "
                          "WHERE id = 3")
                saw("inside", c.execute("SELECT stock FROM products "
                                        "WHERE id = 3").fetchone())
                raise RuntimeError("roll back")
        except RuntimeError:
            pass
        saw("rolled back", c.execute("SELECT stock FROM products "
                                     "WHERE id = 3").fetchone())
        for wrong in ("SELECT 1/0", "SELECT nothing", "SELEC 1",
                      "INSERT INTO products VALUES (1, 'x', 1, 1)",
                      "UPDATE products SET stock = -1 WHERE id = 1"):
            try:
                c.execute(wrong)
            except psycopg.Error as e:
                saw("error", [e.sqlstate, e.diag.message_primary,
                              e.diag.constraint_name])
        c.execute("COMMIT")
        saw("notices", notices)
        saw("types", c.execute(
            "SELECT ARRAY[1,2], '{\"a\": 1}'::jsonb, 'x'::bytea, NULL, "
            "interval '1 day', '10.1.2.3'::inet, numeric '1.50', "
            "'naïve 東京'").fetchone())
        saw("many", c.cursor().executemany(
            "SELECT %s::int", [(i,) for i in range(5)]))
        saw("big", len(c.execute("SELECT repeat('x', 5000000)"
                                 ).fetchone()[0]))
        saw("empty", c.execute("SELECT 1 WHERE false").fetchall())
        saw("encoding", c.info.encoding)


main()
