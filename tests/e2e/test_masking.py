"""What an agent sees of personal data, and what it does not."""

import datetime
import decimal
import struct

import pgwire
from expect import ok

CLEAR = ("bruno.berger1@example.org", "+1 202 555 0037", "101-02-0008",
         "4000008293489519", "DE68373737373207712927")
COLUMNS = ("name, email, phone, ssn, card_number, birth_date, iban, "
           "credit_limit, notes")
BRUNO = f"SELECT {COLUMNS} FROM customers WHERE id = 1"


def one(cursor):
    rows = cursor.fetchall()
    assert len(rows) == 1, rows
    return rows[0]


def looks_masked(row):
    """Each of the nine columns as its mask makes it."""
    name, email, phone, ssn, card, birth, iban, limit, notes = row
    assert name != "Bruno Berger" and len(name) == 12 and name[5] == " "
    assert name[0].isupper() and name[1:5].islower()
    assert email == "b***@example.org"
    assert phone.endswith("0037") and "202" not in phone and "*" in phone
    assert ssn.strip() == "[redacted]", ssn
    assert card == "************9519", card
    assert birth == datetime.date(1961, 1, 1)
    assert len(iban) == 16 and int(iban, 16) >= 0
    assert limit == decimal.Decimal("630"), limit
    assert notes is None


def test_agent_sees_masked_values_and_person_sees_clear_ones(world):
    s = world.sallyport()
    with s.connect("alice+copilot") as agent, s.connect("alice") as person:
        looks_masked(one(agent.execute(BRUNO)))
        row = one(person.execute(BRUNO))
        assert row[0] == "Bruno Berger"
        assert row[1:5] == CLEAR[:4]
        assert row[5] == datetime.date(1961, 11, 4)
        assert row[6] == CLEAR[4]
        assert row[7] == decimal.Decimal("631.50")


def test_psql_shows_the_agent_no_personal_data(world):
    s = world.sallyport()
    shown = s.psql("SELECT * FROM customers WHERE id = 1")
    assert shown.returncode == 0, shown.stderr
    assert "b***@example.org" in shown.stdout
    assert not [c for c in CLEAR if c in shown.stdout], shown.stdout
    assert "bruno.berger1@example.org" in s.psql(
        "SELECT * FROM customers WHERE id = 1", login="alice").stdout


def test_binary_format_is_masked_and_still_decodes(world):
    s = world.sallyport()
    with s.connect("alice+copilot") as c:
        cursor = c.cursor(binary=True)
        looks_masked(one(cursor.execute(BRUNO)))


def test_binary_results_of_each_type_are_masked(world):
    s = world.sallyport()
    with s.wire() as w:
        row = w.extended(BRUNO, results=(1,)).rows[0]
        assert row[1] == b"b***@example.org"
        days, = struct.unpack("!i", row[5])
        assert datetime.date(2000, 1, 1) + datetime.timedelta(days) == \
            datetime.date(1961, 1, 1)
        digits, weight, sign, scale, *groups = struct.unpack(
            f"!hhHh{(len(row[7]) - 8) // 2}h", row[7])
        assert len(groups) == digits and sign == 0 and scale >= 0
        assert sum(g * 10000 ** (weight - i)
                   for i, g in enumerate(groups)) == 630
        assert row[8] is None


def test_formats_may_differ_from_column_to_column(world):
    s = world.sallyport()
    with s.wire() as w:
        row = w.extended("SELECT id, email, birth_date FROM customers "
                         "WHERE id = 1", results=(1, 0, 1)).rows[0]
        assert row[0] == struct.pack("!i", 1)
        assert row[1] == b"b***@example.org"
        assert struct.unpack("!i", row[2])[0] == -14244  # 1961-01-01


def test_prepared_statement_run_again_without_describe_stays_masked(world):
    s = world.sallyport()
    with s.wire() as w:
        w.exchange(pgwire.parse("SELECT email FROM customers WHERE id = $1",
                                "byid"),
                   pgwire.describe(b"S", "byid"), pgwire.SYNC)
        for i in (1, 2, 1):
            replies = w.exchange(pgwire.bind((i,), statement="byid"),
                                 pgwire.execute(), pgwire.SYNC)
            assert replies.kinds == "2DCZ"
            assert b"***@example" in replies.rows[0][0]


def test_prepared_statement_never_described_is_masked(world):
    s = world.sallyport()
    with s.wire() as w:
        replies = w.exchange(
            pgwire.parse("SELECT email FROM customers WHERE id = 1"),
            pgwire.bind(), pgwire.execute(), pgwire.SYNC)
        assert replies.kinds == "12DCZ", replies.kinds
        assert replies.rows == [[b"b***@example.org"]]


def test_pipelined_statements_are_each_masked(world):
    s = world.sallyport()
    with s.connect("alice+copilot") as c, c.pipeline():
        cursors = [c.execute("SELECT email FROM customers WHERE id = %s",
                             (i,)) for i in range(1, 30)]
        for cursor in cursors:
            assert "***@example" in cursor.fetchone()[0]


def test_pipeline_of_protected_and_free_columns_is_not_mixed_up(world):
    s = world.sallyport()
    parts, syncs = [], 40
    for i in range(1, syncs + 1):
        column = "email" if i % 2 else "city"
        parts += [pgwire.parse(f"SELECT {column} FROM customers "
                               f"WHERE id = {i}"),
                  pgwire.bind(), pgwire.execute(), pgwire.SYNC]
    with s.wire() as w:
        rows = w.exchange(*parts, syncs=syncs).rows
        assert len(rows) == syncs
        for i, (value,) in enumerate(rows, 1):
            assert (b"***@" in value) == bool(i % 2), (i, value)
            assert (b"@" in value) == bool(i % 2), (i, value)


def test_portal_fetched_in_parts_stays_masked(world):
    s = world.sallyport()
    with s.wire() as w:
        replies = w.exchange(
            pgwire.parse("SELECT email FROM customers WHERE id <= 10"),
            pgwire.bind(), pgwire.execute(rows=4), pgwire.execute(rows=4),
            pgwire.execute(), pgwire.SYNC)
        assert replies.kinds.count("s") == 2
        assert len(replies.rows) == 10
        assert all(b"***@" in row[0] for row in replies.rows)


def masked_everywhere(world, statements):
    s = world.sallyport()
    with s.wire() as w:
        for sql in statements:
            for replies in (w.query(sql), w.extended(sql)):
                shown = b" ".join(v or b"" for row in replies.rows
                                  for v in row).lower()
                assert b"bruno.berger1" not in shown, (sql, shown)
                assert replies.status == "I"


def test_renamed_joined_and_nested_columns_stay_masked(world):
    masked_everywhere(world, [
        "SELECT email AS city FROM customers WHERE id = 1",
        "SELECT x.e FROM (SELECT email AS e FROM customers WHERE id = 1) x",
        "WITH x AS (SELECT * FROM customers WHERE id = 1) SELECT email FROM x",
        "SELECT c.email FROM orders o JOIN customers c ON c.id = "
        "o.customer_id WHERE c.id = 1",
        "TABLE customers",
    ])


def test_views_children_and_materialized_views_stay_masked(world):
    masked_everywhere(world, [
        "SELECT mail FROM contacts WHERE id = 1",
        "SELECT * FROM best_customers WHERE id = 1",
        "SELECT email FROM vip_customers WHERE id = 100001",
        "SELECT email FROM customers WHERE id = 100001",
        "SELECT loud FROM shouted WHERE id = 1",
    ])


def test_partition_of_a_protected_table_is_masked(world):
    s = world.sallyport()
    with s.wire() as w:
        for table in ("payments", "payments_2025"):
            row = w.query(f"SELECT card_number FROM {table} "
                          "WHERE paid_at < '2026-01-01' LIMIT 1").rows[0]
            assert row[0].startswith(b"************"), (table, row)


def test_outputs_computed_from_a_protected_column_are_masked(world):
    masked_everywhere(world, [
        "SELECT upper(email) FROM customers WHERE id = 1",
        "SELECT email || '' FROM customers WHERE id = 1",
        "SELECT max(email) FROM customers WHERE id = 1",
        "SELECT email FROM customers WHERE id = 1 UNION ALL SELECT 'x'",
        "SELECT (SELECT email FROM customers WHERE id = 1)",
        "SELECT substr(email, 1, 20) || '?' FROM customers WHERE id = 1",
        "SELECT customers FROM customers WHERE id = 1",
        "SELECT to_json(c) FROM customers c WHERE id = 1",
        "SELECT string_agg(email, ',') FROM customers",
    ])


def test_counts_and_clean_columns_stay_right(world):
    s = world.sallyport()
    with s.connect("alice+copilot") as c:
        assert one(c.execute("SELECT count(*) FROM customers")) == (1005,)
        assert one(c.execute("SELECT id, city, loyalty FROM customers "
                             "WHERE id = 1")) == (1, "Aarhus", 17)
        assert one(c.execute("SELECT count(*) AS n FROM customers c JOIN "
                             "orders o ON o.customer_id = c.id")) == (3000,)
        assert one(c.execute("SELECT sum(quantity) FROM orders")) == (7500,)


def test_detectors_find_personal_data_in_free_text(world):
    s = world.sallyport()
    with s.connect("alice+copilot") as c:
        bodies = [b for b, in c.execute(
            "SELECT body FROM tickets WHERE id <= 5 ORDER BY id")]
    everything = " ".join(bodies)
    for secret in ("4000008293489519", "+1 203 555 0074",
                   "DE10373737373623138781", "104-05-0029", "192.0.2.4",
                   "farid.fontaine5@example.net"):
        assert secret not in everything, (secret, bodies)
    with s.connect("alice") as c:
        assert "4000008293489519" in one(c.execute(
            "SELECT body FROM tickets WHERE id = 1"))[0]


def test_detectors_see_values_that_come_from_no_column(world):
    s = world.sallyport()
    with s.wire() as w:
        shown = w.query("SELECT 'mail ' || 'x.y' || chr(64) || 'example.org'")
        assert b"x.y@example.org" not in shown.rows[0][0]


def test_pseudonyms_are_consistent_so_joins_survive(world):
    s = world.sallyport()
    with s.connect("alice+copilot") as c:
        rows = c.execute("SELECT id, name FROM customers WHERE id IN "
                         "(1, 100001, 2) ORDER BY id").fetchall()
    assert rows[0][1] == rows[2][1] != rows[1][1]


def test_null_stays_null_under_every_mask(world):
    s = world.writable()
    world.pg.ask("UPDATE customers SET phone = NULL, ssn = NULL, iban = NULL,"
                 " birth_date = NULL, card_number = NULL WHERE id = 1",
                 s.database)
    with s.connect("alice+copilot") as c:
        row = one(c.execute("SELECT phone, ssn, iban, birth_date, card_number"
                            " FROM customers WHERE id = 1"))
    assert row == (None,) * 5


def test_returning_is_masked(world):
    s = world.writable()
    with s.connect("alice+copilot") as c:
        row = one(c.execute("UPDATE customers SET city = 'Faro' WHERE id = 1 "
                            "RETURNING id, email"))
    assert row == (1, "b***@example.org")


def test_table_created_after_the_start_is_looked_up_before_a_row_is_seen(
        world):
    s = world.writable()
    with s.connect("alice+copilot") as c:
        c.execute("SELECT 1")
        world.pg.ask("CREATE VIEW later AS SELECT email AS e FROM customers;"
                     "GRANT SELECT ON later TO public", s.database)
        rows = c.execute("SELECT e FROM later").fetchall()
        assert len(rows) == 1005
        assert all("***@" in e for e, in rows), rows[:3]


def test_audit_counts_what_was_masked(world):
    s = world.sallyport()
    with s.connect("alice+copilot") as c:
        c.execute("SELECT id, email FROM customers WHERE id <= 7").fetchall()
    record = s.sink.outcome("email from customers")
    assert record["rows"] == 7
    assert record["masked"] == 7


def test_what_bytes_spell_is_looked_into(world):
    s = world.sallyport()
    body, = world.pg.ask("SELECT body FROM tickets WHERE id = 1")[0]
    with s.wire() as w:
        for sql in ("SELECT convert_to(body, 'UTF8') FROM tickets "
                    "WHERE id = 1",
                    "SELECT ARRAY[convert_to(body, 'UTF8')] FROM tickets "
                    "WHERE id = 1"):
            for results in ((), (1,)):
                got = ok(w.extended(sql, results=results)).rows[0][0] or b""
                assert body.encode() not in got, (sql, got)
                assert body.encode().hex().encode() not in got, (sql, got)
        plain = "SELECT decode('00ff40612e62', 'hex'), 'nothing'::bytea"
        assert w.query(plain).rows == [[b"\\x00ff40612e62",
                                        b"\\x6e6f7468696e67"]]
        assert w.extended(plain, results=(1,)).rows == [
            [b"\x00\xff\x40a.b", b"nothing"]]
