"""Limits of rules: rows, seconds, statements per minute."""

import time

import pgwire
from expect import fails


def limited(world, **limits):
    s = world.prepare()
    s.policy["rules"][0]["limits"] = limits
    s.write_all()
    return s.start()


def test_result_of_exactly_the_limit_passes_and_one_more_row_does_not(world):
    s = limited(world, rows=10)
    with s.wire() as w:
        assert len(w.query("SELECT id FROM products LIMIT 10").rows) == 10
        replies = w.query("SELECT id FROM products LIMIT 11")
        assert len(replies.rows) <= 10
        error = fails(replies)
        assert "row" in error["M"]
        assert replies.status == "I"
        assert w.query("SELECT 1").rows == [[b"1"]]


def test_row_limit_counts_over_all_parts_of_a_portal(world):
    s = limited(world, rows=10)
    with s.wire() as w:
        replies = w.exchange(
            pgwire.parse("SELECT id FROM products"), pgwire.bind(),
            pgwire.execute(rows=6), pgwire.execute(rows=6),
            pgwire.execute(rows=6), pgwire.SYNC)
        assert len(replies.rows) <= 10
        fails(replies)
        assert w.query("SELECT 1").rows == [[b"1"]]


def test_row_limit_in_a_transaction_fails_the_transaction(world):
    s = limited(world, rows=10)
    with s.wire() as w:
        w.query("BEGIN")
        replies = w.query("SELECT id FROM products")
        fails(replies)
        assert replies.status in "TE"
        assert w.query("ROLLBACK").status == "I"


def test_statement_over_its_seconds_is_cancelled(world):
    s = limited(world, seconds=1)
    with s.wire() as w:
        began = time.monotonic()
        replies = w.query("SELECT count(*) FROM generate_series(1, 100000) a,"
                          " generate_series(1, 100000) b")
        assert 0.9 < time.monotonic() - began < 10
        fails(replies)
        assert w.query("SELECT 1").rows == [[b"1"]]
    record = s.sink.outcome("generate_series")
    assert record["ms"] >= 900, record


def test_client_cannot_lift_the_limit_in_seconds(world):
    s = limited(world, seconds=1)
    with s.wire() as w:
        w.query("SET statement_timeout = 0")
        began = time.monotonic()
        fails(w.query("SELECT count(*) FROM generate_series(1, 100000) a,"
                      " generate_series(1, 100000) b"))
        assert time.monotonic() - began < 10


def test_too_many_statements_in_a_minute_are_refused(world):
    s = limited(world, statements_per_minute=20)
    with s.wire() as w, s.wire() as another:
        answers = [(w, another)[i % 2].query("SELECT 1") for i in range(45)]
        refused = [a for a in answers if a.errors]
        # A minute may have turned over once on the way.
        assert 5 <= len(refused) <= 25, len(refused)
        assert "minute" in refused[0].errors[0]["M"]
    with s.wire("bob") as other:
        assert other.query("SELECT 1").rows == [[b"1"]]


def test_tightest_limit_of_all_matching_rules_applies(world):
    s = world.prepare()
    s.policy["rules"][0]["limits"] = {"rows": 50}
    s.policy["rules"].append({
        "name": "few products", "who": {"agent": "*"}, "does": ["select"],
        "to": ["public.products"], "then": "allow", "limits": {"rows": 5}})
    s.write_all()
    s.start()
    with s.wire() as w:
        fails(w.query("SELECT id FROM products LIMIT 6"))
        assert len(w.query("SELECT id FROM orders LIMIT 6").rows) == 6


def limited_writes(world, most):
    s = world.prepare(database=world.pg.copy_of_shop())
    s.policy["rules"][1]["limits"] = {"changed_rows": most}
    s.write_all()
    return s.start()


def test_changed_rows_up_to_the_limit_stay(world):
    s = limited_writes(world, 5)
    with s.wire() as w:
        replies = w.query("UPDATE products SET price = 1 WHERE id <= 5")
        assert replies.tags == ["UPDATE 5"] and replies.status == "I", replies
    assert world.pg.ask("SELECT count(*) FROM products WHERE price = 1",
                        s.database) == [(5,)]


def test_statement_that_changes_too_many_rows_is_undone(world):
    s = limited_writes(world, 5)
    with s.wire() as w:
        replies = w.query("UPDATE products SET price = 1 WHERE id <= 6")
        error = fails(replies, "54000")
        assert "6 rows changed, 5 are allowed" in error["M"]
        assert replies.status == "I" and not replies.tags
        assert w.query("SELECT 1").rows == [[b"1"]]
    assert world.pg.ask("SELECT count(*) FROM products WHERE price = 1",
                        s.database) == [(0,)]


def test_changed_rows_of_an_extended_batch_count_together(world):
    s = limited_writes(world, 5)
    update = "UPDATE products SET price = 1 WHERE id = "
    with s.wire() as w:
        batch = [m for i in range(1, 8) for m in (
            pgwire.parse(update + str(i)), pgwire.bind(), pgwire.execute())]
        replies = w.exchange(*batch, pgwire.SYNC)
        fails(replies, "54000")
        assert replies.tags == ["UPDATE 1"] * 5 and replies.status == "I"
        assert w.query("SELECT 1").rows == [[b"1"]]
    assert world.pg.ask("SELECT count(*) FROM products WHERE price = 1",
                        s.database) == [(0,)]


def test_transaction_that_changes_too_many_rows_cannot_commit(world):
    s = limited_writes(world, 5)
    update = "UPDATE products SET price = 1 WHERE id IN "
    with s.wire() as w:
        assert w.query("BEGIN").status == "T"
        assert w.query(update + "(1, 2, 3)").status == "T"
        replies = w.query(update + "(4, 5, 6)")
        fails(replies, "54000")
        assert replies.status == "E"
        assert w.query("COMMIT").tags == ["ROLLBACK"]
    assert world.pg.ask("SELECT count(*) FROM products WHERE price = 1",
                        s.database) == [(0,)]


def test_error_of_a_limited_statement_is_the_servers_own(world):
    s = limited_writes(world, 5)
    with s.wire() as w:
        replies = w.query("UPDATE products SET price = 1 / 0 WHERE id = 1")
        fails(replies, "22012")
        assert replies.status == "I"
        replies = w.query("UPDATE products SET price = 2 WHERE id = 1;"
                          " UPDATE products SET price = 2 WHERE id = 2")
        assert replies.tags == ["UPDATE 1"] * 2 and replies.status == "I"
        replies = w.query("BEGIN; UPDATE products SET price = 3 WHERE id = 3; "
                          "COMMIT")
        fails(replies, "42501")
    assert world.pg.ask("SELECT count(*) FROM products WHERE price = 2",
                        s.database) == [(2,)]


def test_row_limit_counts_over_all_fetches_of_a_cursor(world):
    s = limited(world, rows=10)
    with s.wire() as w:
        w.query("BEGIN")
        w.query("DECLARE c CURSOR FOR SELECT id FROM products")
        rows = []
        for _ in range(5):
            rows += w.query("FETCH 4 FROM c").rows
        assert len(rows) <= 10, rows
        w.query("ROLLBACK")
        assert w.query("SELECT 1").rows == [[b"1"]]


def test_statements_of_one_message_each_count_against_the_rate(world):
    s = limited(world, statements_per_minute=10)
    with s.wire() as w:
        fails(w.query("SELECT 1;" * 11))


def test_delete_that_returns_too_many_rows_is_undone(world):
    s = world.prepare(database=world.pg.copy_of_shop())
    for rule in s.policy["rules"][:2]:
        rule["limits"] = {"rows": 5}
    s.write_all()
    s.start()
    sql = "DELETE FROM payments WHERE id <= 20 RETURNING id"
    with s.wire() as w:
        fails(w.query(sql), "54000")
        replies = w.exchange(pgwire.parse(sql), pgwire.bind(),
                             pgwire.execute(), pgwire.SYNC)
        fails(replies, "54000")
        assert w.query("SELECT 1").rows == [[b"1"]]
    assert world.pg.ask("SELECT count(*) FROM payments", s.database) \
        == [(2400,)]


def test_batch_whose_result_is_cut_short_leaves_nothing_behind(world):
    """The server may have completed what the client is told has failed."""
    s = world.writable()
    s.policy["protect"] = [{"name": "emails", "derived": "deny",
                            "columns": ["public.customers.email"],
                            "mask": "email", "clear_for": [{"agent": "none"}]}]
    s.policy["rules"] = [{"name": "all", "does": ["read", "write"],
                          "then": "allow", "limits": {"rows": 3}}]
    s.policy["examples"] = []
    s.write_all()
    s.reload()

    def run(sql):
        return pgwire.parse(sql) + pgwire.bind() + pgwire.execute()

    write = run("INSERT INTO tickets VALUES (9001, 1, 'kept?')")
    denied = run("SELECT upper(email) FROM customers WHERE id = 1")
    long = run("SELECT id FROM products ORDER BY id LIMIT 4")
    own = run("UPDATE customers SET name = 'kept?' WHERE id = 1 "
              "RETURNING upper(email)")
    with s.wire() as w:
        for parts in ([write, denied], [denied, write], [write, long],
                      [long, write], [write, long, write], [own],
                      [write, denied, pgwire.FLUSH]):
            if parts[-1] == pgwire.FLUSH:
                w.send(*parts)
                assert w.until(b"E").errors[0]["C"] == "42501"
                replies = w.exchange(pgwire.SYNC)
                assert replies.kinds == "Z", replies.kinds
            else:
                replies = w.exchange(*parts, pgwire.SYNC)
                fails(replies)
                assert replies.kinds.endswith("EZ"), replies.kinds
            assert replies.status == "I", parts
            count, = w.query("SELECT (SELECT count(*) FROM tickets WHERE id "
                             "= 9001) + (SELECT count(*) FROM customers "
                             "WHERE name = 'kept?')").rows
            assert count == [b"0"], parts
        replies = w.exchange(write, run("SELECT 1"), pgwire.SYNC)
        assert replies.tags == ["INSERT 0 1", "SELECT 1"], replies.errors
        fails(w.query("UPDATE customers SET name = 'kept?' WHERE id = 1 "
                      "RETURNING upper(email)"))
        assert w.query("SELECT count(*) FROM customers WHERE "
                       "name = 'kept?'").rows == [[b"0"]]
