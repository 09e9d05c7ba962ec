"""GROUP BY a primary key and what hangs on it."""

from expect import denied, ok

# card numbers are protected wherever they are
CLIENTS = """
CREATE TABLE clients (id integer PRIMARY KEY, city text, card_number text);
INSERT INTO clients SELECT n, 'city ' || n % 3, 4000 - n
    FROM generate_series(1, 20) n;
CREATE TABLE late (id integer PRIMARY KEY DEFERRABLE, card_number text);
CREATE TABLE parent (id integer PRIMARY KEY, card_number text);
CREATE TABLE child () INHERITS (parent);
GRANT SELECT ON clients, late, parent TO sallyport;
"""
PASSING = [
    "SELECT id, card_number FROM clients GROUP BY card_number, id",
    "SELECT c.id, c.card_number, count(o.id) FROM clients c LEFT JOIN "
    "orders o ON o.customer_id = c.id GROUP BY c.card_number, c.id, c.city",
]
REFUSED = [
    "SELECT count(*) FROM clients GROUP BY city, card_number",
    "SELECT o.id FROM clients c, orders o GROUP BY o.id, c.card_number",
    "SELECT id FROM late GROUP BY card_number, id",
    # its children may have the same ids
    "SELECT id FROM parent GROUP BY card_number, id",
]


def group_keys(connection, sql):
    connection.execute("SET enable_hashagg = off")
    plan = connection.execute("EXPLAIN " + sql).fetchall()
    return [line.split(": ")[1] for line, in plan if "Group Key: " in line]


def test_server_groups_by_the_primary_key_alone(world):
    """What the gate relies on: not even the groups' order tells of more."""
    s = world.writable()
    with world.pg.connect(s.database) as c:
        c.execute(CLIENTS)
        for sql in PASSING:
            assert group_keys(c, sql) in (["id"], ["clients.id"], ["c.id"]), \
                (sql, group_keys(c, sql))
        for sql in REFUSED:
            assert "card_number" in group_keys(c, sql)[0], sql


def test_grouping_by_a_primary_key_and_more_passes(world):
    s = world.writable()
    with world.pg.connect(s.database) as c:
        c.execute(CLIENTS)
    with s.wire(database=s.database) as w:
        for sql in PASSING:
            rows = ok(w.query(sql)).rows
            assert {row[0] for row in rows} == \
                {str(n).encode() for n in range(1, 21)}, rows
            assert b"3995" not in [row[1] for row in rows], rows


def test_grouping_by_what_is_no_primary_key_is_refused(world):
    s = world.writable()
    with world.pg.connect(s.database) as c:
        c.execute(CLIENTS)
    with s.wire(database=s.database) as w:
        for sql in REFUSED:
            denied(w.query(sql))
