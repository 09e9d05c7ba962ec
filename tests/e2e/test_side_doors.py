"""What tells of protected values without being a row of theirs: each such
door is open at the server, and closed behind Sallyport."""

import struct

import harness
import pgwire
from expect import fails, ok

CANARY = "Zebulon Quartermaine"

DOORS = f"""
CREATE TABLE vault (id int PRIMARY KEY, owner text, note text);
INSERT INTO vault SELECT i, CASE WHEN i % 2 = 1 THEN '{CANARY}'
    ELSE 'somebody ' || i END, 'n' FROM generate_series(1, 500) i;
CREATE STATISTICS vault_both (mcv) ON owner, note FROM vault;
CREATE STATISTICS vault_upper ON (lower(owner)), note FROM vault;
CREATE TABLE tray (id int PRIMARY KEY, label text);
INSERT INTO tray VALUES (1, 'plain');
CREATE TABLE log (id int, owner text, EXCLUDE USING btree (owner WITH =));
INSERT INTO log VALUES (1, '{CANARY}');

CREATE VIEW numbers AS SELECT id FROM vault;
CREATE VIEW casting AS SELECT id FROM vault WHERE owner::int > 0;
CREATE VIEW above_casting AS SELECT id FROM casting;
CREATE MATERIALIZED VIEW kept AS SELECT id FROM casting WITH NO DATA;
CREATE VIEW checked AS SELECT id FROM vault WHERE id < 600 WITH CHECK OPTION;
CREATE TABLE ruled (id int);
CREATE RULE r AS ON INSERT TO ruled DO ALSO
    INSERT INTO tray SELECT owner::int, 'x' FROM vault;
CREATE TABLE guarded (id int, vault_id int);
INSERT INTO guarded VALUES (1, 1);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON guarded USING
    (vault_id IN (SELECT id FROM vault WHERE owner::int > 0));

CREATE FUNCTION tattle() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE who text := (SELECT owner FROM vault WHERE id = 1);
BEGIN
    IF NEW.label = 'fields' THEN
        RAISE EXCEPTION USING ERRCODE = '23505', MESSAGE = 'x', COLUMN = who,
            TABLE = who, SCHEMA = who, DATATYPE = who, CONSTRAINT = who;
    ELSIF NEW.label = 'name' THEN
        PERFORM set_config('application_name', who, false);
    ELSIF NEW.label = 'debug' THEN
        RAISE DEBUG '%', who;
    ELSIF NEW.label = 'plan' THEN
        PERFORM 1 FROM tray WHERE label = who;
    END IF;
    RETURN NEW;
END $$;
CREATE TABLE desk (id int, label text);
CREATE TRIGGER tattler BEFORE INSERT ON desk
    FOR EACH ROW EXECUTE FUNCTION tattle();

CREATE TABLE shelves (id int, owner text) PARTITION BY LIST (owner);
CREATE TABLE shelf_a PARTITION OF shelves FOR VALUES IN ('{CANARY}');
CREATE TABLE old (id int);
INSERT INTO old VALUES (1);
ALTER TABLE old ADD owner text DEFAULT '{CANARY}';
ALTER TABLE old ALTER owner DROP DEFAULT;
CREATE FOREIGN DATA WRAPPER far;
CREATE SERVER away FOREIGN DATA WRAPPER far;
CREATE USER MAPPING FOR owner SERVER away OPTIONS (password '{CANARY}');
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO public;
ANALYZE;
"""


class Doors:
    """A vault; `direct` and `ours`, connections to the server and through
    Sallyport as an agent, with the rights of the server's owner."""

    def __init__(self, world, **more):
        self.pg = world.pg
        self.sallyport = s = world.prepare(database=world.pg.copy_of_shop())
        s.settings["upstreams"]["shop"]["login"] = {"user": "owner"}
        s.settings["upstreams"]["shop"].update(more)
        world.pg.psql(s.database, "-q", "-c", DOORS)
        s.policy = {"protect": [
            {"name": "owners", "columns": ["public.*.owner"],
             "mask": "redact", "clear_for": [{"agent": "none"}]}],
            "rules": [{"name": "everything", "does": ["any"],
                       "then": "allow"},
                      {"name": "the tattler sets what it likes",
                       "to": ["public.desk"], "has": ["escaping-function"],
                       "then": "allow"}]}
        s.write_all()
        s.start()
        self.ours, self.direct = s.wire(), self.connect()

    def connect(self):
        wire = pgwire.Wire(("127.0.0.1", self.pg.port))
        return wire.login("owner", "", self.sallyport.database)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ours.socket.close()
        self.direct.socket.close()

    def closed(self, sql, part=CANARY, first=(), way="query"):
        """The statement tells `part` directly, and not through Sallyport; its
        replies there. What is said `first` undoes itself."""
        for wire in (self.direct, self.ours):
            for setting in first:
                wire.query(setting)
        theirs = everything(getattr(self.direct, way)(sql))
        assert part in theirs, f"{sql}: tells nobody: {theirs}"
        replies = getattr(self.ours, way)(sql)
        assert part not in everything(replies), (sql, everything(replies))
        return replies

    def same(self, sql):
        """Its result is the same directly and through Sallyport."""
        theirs, replies = self.direct.query(sql), ok(self.ours.query(sql))
        assert replies.messages == theirs.messages, (sql, replies.messages)


def everything(replies):
    return b"".join(body for _, body in replies.messages).decode(
        "utf-8", "replace")


# --- what the system's tables show -------------------------------------------

def test_statistics_show_no_values(world):
    with Doors(world) as d:
        for sql in (
                "SELECT * FROM pg_stats WHERE tablename = 'vault'",
                "SELECT most_common_vals FROM pg_stats",
                "TABLE pg_stats_ext",
                "SELECT most_common_vals::text FROM pg_stats_ext_exprs",
                "SELECT stavalues1 FROM pg_statistic",
                "SELECT s::text FROM pg_statistic s",
                "SELECT m.values FROM pg_statistic_ext_data, "
                "pg_mcv_list_items(stxdmcv) m",
                "COPY (SELECT * FROM pg_stats) TO STDOUT"):
            part = CANARY.lower() if "exprs" in sql else CANARY
            d.closed(sql, part)
            if not sql.startswith("COPY"):
                d.closed(sql, part, way="extended")


def test_statements_of_others_are_not_shown(world):
    with Doors(world) as d, d.connect() as other:
        other.query(f"SELECT '{CANARY}'")
        for sql in ("SELECT query FROM pg_stat_activity",
                    "SELECT max(query) FROM pg_stat_activity "
                    "WHERE pid <> pg_backend_pid() AND query LIKE 'SELECT ''%'",
                    "SELECT a.query FROM pg_stat_get_activity(NULL) a",
                    "SELECT pg_stat_get_backend_activity(i) "
                    "FROM pg_stat_get_backend_idset() i",
                    "SELECT * FROM pg_stat_activity"):
            d.closed(sql)
        other.query("SELECT 1")
        d.same("SELECT count(*) > 0 FROM pg_stat_activity")


def test_large_objects_and_missing_values_are_not_shown(world):
    with Doors(world) as d:
        d.direct.query(f"SELECT lo_from_bytea(0, '{CANARY}')")
        d.closed("SELECT convert_from(data, 'UTF8') FROM pg_largeobject")
        d.closed("SELECT lo_get(oid) FROM pg_largeobject_metadata",
                 CANARY.encode().hex())
        d.closed("SELECT attmissingval FROM pg_attribute WHERE atthasmissing")
        d.closed("SELECT * FROM pg_attribute WHERE atthasmissing")
        d.same("SELECT attname, attnotnull FROM pg_attribute "
               "WHERE attrelid = 'old'::regclass ORDER BY attnum")


def test_passwords_in_the_catalogue_are_not_shown(world):
    with Doors(world) as d:
        for sql in ("SELECT umoptions FROM pg_user_mappings",
                    "SELECT umoptions FROM pg_user_mapping",
                    "SELECT option_value "
                    "FROM information_schema.user_mapping_options"):
            d.closed(sql)
        for sql in ("SELECT rolname, rolpassword FROM pg_authid",
                    "SELECT passwd FROM pg_shadow", "TABLE pg_authid"):
            d.closed(sql, "SCRAM-SHA-256$")
        d.same("SELECT rolname, rolpassword FROM pg_roles ORDER BY 1")


def test_bounds_of_partitions_are_not_shown(world):
    with Doors(world) as d:
        for sql in (
                "SELECT pg_get_expr(relpartbound, oid) FROM pg_class "
                "WHERE relname = 'shelf_a'",
                "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) "
                "FROM pg_class c WHERE c.relispartition "
                "ORDER BY pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'",
                "SELECT pg_get_partition_constraintdef('shelf_a'::regclass)"):
            d.closed(sql)
        shelf, function = d.direct.query(
            "SELECT 'shelf_a'::regclass::int, "
            "'pg_get_partition_constraintdef'::regproc::int").rows[0]
        call = pgwire.message(b"F", struct.pack(
            "!ihhhiih", int(function), 1, 1, 1, 4, int(shelf), 0))
        d.closed(call, way="exchange")
        d.closed("SELECT relpartbound FROM pg_class WHERE relispartition",
                 " ".join(str(byte) for byte in CANARY.encode()))
        d.same("SELECT relname FROM pg_class WHERE relispartition ORDER BY 1")
        for command, part in (("\\d+ shelves", "Partitions: shelf_a"),
                              ("\\d+ shelf_a", "Partition of: shelves")):
            shown = d.sallyport.psql(command,
                                     arguments=("-P", "tuples_only=off"))
            assert part in shown.stdout, shown.stdout + shown.stderr
            assert CANARY not in shown.stdout, shown.stdout
    s = world.sallyport()
    shown = s.psql("\\d+ payments_2025",
                   arguments=("-P", "tuples_only=off")).stdout
    assert "FOR VALUES FROM ('2025-01-01')" in shown, shown
    assert "Partition constraint: ((paid_at IS NOT NULL)" in shown, shown


# --- plans -------------------------------------------------------------------

def test_plans_of_what_touches_protected_columns_show_nothing(world):
    within = "SELECT id FROM vault WHERE owner > 'Z'"
    with Doors(world) as d:
        for options in ("", "ANALYZE VERBOSE", "(FORMAT JSON)",
                        "(VERBOSE, SETTINGS)"):
            d.closed(f"EXPLAIN {options} {within}", "Seq Scan")
        d.closed("EXPLAIN SELECT owner FROM vault GROUP BY owner", "rows=251")
        d.closed(f"EXPLAIN DECLARE c CURSOR FOR {within}", "Seq Scan")
        d.closed(f"EXPLAIN CREATE TABLE made AS {within}", "Seq Scan")
        d.closed("EXPLAIN UPDATE vault SET note = 'x' WHERE owner > 'Z'",
                 "Seq Scan")
        for way in ("query", "extended"):
            for options in ("", "ANALYZE", "(FORMAT JSON)"):
                d.closed(f"EXPLAIN {options} EXECUTE p", "Seq Scan", way=way,
                         first=["DEALLOCATE ALL",
                                "PREPARE p AS SELECT owner FROM vault"])


def test_plans_of_everything_else_stay_as_they_are(world):
    with Doors(world) as d:
        for sql in ("EXPLAIN SELECT id FROM vault WHERE id = 3",
                    "EXPLAIN (FORMAT JSON) SELECT label FROM tray",
                    "EXPLAIN SELECT count(*) FROM numbers WHERE id < 9"):
            d.same(sql)


def test_plans_and_trees_that_come_as_notices_show_nothing(world):
    plan = ["SET client_min_messages = log",
            "SET auto_explain.log_level = notice",
            "SET auto_explain.log_nested_statements = on",
            "SET auto_explain.log_min_duration = 0"]
    with Doors(world) as d:
        for wire in (d.direct, d.ours):
            ok(wire.query("LOAD 'auto_explain'"))
        d.closed("INSERT INTO desk VALUES (1, 'plan')", first=plan)
        d.closed("SELECT id FROM vault WHERE owner > 'Z'", "Seq Scan",
                 first=plan)
        d.closed("INSERT INTO desk VALUES (1, 'debug')",
                 first=["SET auto_explain.log_min_duration = -1",
                        "SET client_min_messages = debug5"])


# --- errors ------------------------------------------------------------------

def test_errors_of_code_behind_a_relation_quote_nothing(world):
    with Doors(world) as d:
        for sql, state in (
                ("SELECT * FROM casting", "22P02"),
                ("SELECT count(*) FROM above_casting", "22P02"),
                ("SELECT 1 FROM tray WHERE id IN (SELECT id FROM casting)",
                 "22P02"),
                ("EXPLAIN ANALYZE SELECT id FROM casting", "22P02"),
                ("REFRESH MATERIALIZED VIEW kept", "22P02"),
                ("INSERT INTO ruled VALUES (1)", "42501"),
                ("UPDATE checked SET id = 900 WHERE id = 1", "44000"),
                ("UPDATE checked SET id = NULL WHERE id = 1", "23502"),
                ("UPDATE numbers SET id = NULL WHERE id = 1", "23502"),
                (f"INSERT INTO log VALUES (2, '{CANARY}')", "23P01")):
            assert fails(d.closed(sql))["C"] == state, sql
        for sql in ("SELECT * FROM casting", "SELECT * FROM above_casting"):
            fails(d.closed(sql, way="extended"), "22P02")
        fails(d.closed("COPY (SELECT id FROM casting) TO STDOUT"), "22P02")
        d.direct.query("GRANT SELECT ON vault TO sallyport")
        fails(d.closed("SELECT * FROM guarded",
                       first=["SET ROLE sallyport"]), "22P02")


def test_errors_about_typed_constants_keep_their_words(world):
    with Doors(world) as d:
        for sql in ("SELECT id FROM numbers WHERE id = 'x7'",
                    "SELECT id FROM vault WHERE id = 'x7'",
                    "SELECT date '2026-13-01' FROM vault",
                    "SELECT nowhere FROM numbers",
                    "SELECT label::int FROM tray",
                    "SELECT 1 / (id - id) FROM numbers"):
            theirs, error = fails(d.direct.query(sql)), fails(d.ours.query(sql))
            assert error["M"] == theirs["M"], (error, theirs)


def test_errors_about_bound_values_keep_their_words(world):
    sql = "SELECT label FROM tray WHERE id = $1"
    with Doors(world) as d:
        theirs = fails(d.direct.extended(sql, ["x7"]))
        assert "x7" in theirs["M"] and "parameter $1" in theirs["W"], theirs
        assert fails(d.ours.extended(sql, ["x7"])) == theirs


def test_names_that_a_function_raises_are_not_told(world):
    with Doors(world) as d:
        error = fails(d.closed("INSERT INTO desk VALUES (1, 'fields')"),
                      "23505")
        assert not set("stcdn") & set(error), error


def test_settings_that_code_changes_are_not_told(world):
    with Doors(world) as d:
        ok(d.closed("INSERT INTO desk VALUES (1, 'name')"))
        assert d.ours.query("SELECT 7").rows == [[b"7"]]


# --- what was under way ------------------------------------------------------

def protect_labels(s):
    s.policy["protect"].append({"name": "labels", "mask": "redact",
                                "columns": ["public.tray.label"],
                                "clear_for": [{"agent": "none"}]})
    assert "refused" not in str(s.reload())


def test_what_was_opened_before_a_protection_is_masked_after_it(world):
    rows = "SELECT label, upper(label) FROM tray"
    with Doors(world) as d:
        d.direct.query("INSERT INTO tray SELECT i, 'plain' "
                       "FROM generate_series(2, 9) i")
        w = d.ours
        for sql in (f"PREPARE p AS {rows}", "BEGIN",
                    f"DECLARE held CURSOR WITH HOLD FOR {rows}", "COMMIT",
                    "BEGIN", f"DECLARE c CURSOR FOR {rows}",
                    f"DECLARE b BINARY CURSOR FOR {rows}"):
            ok(w.query(sql))
        before = w.exchange(
            pgwire.parse(rows, "s"), pgwire.bind((), "portal", "s"),
            pgwire.bind((), "undescribed", "s"),
            pgwire.describe(b"P", "portal"), pgwire.execute("portal", 2),
            pgwire.SYNC)
        assert before.rows == [[b"plain", b"PLAIN"]] * 2, before.errors
        for name in ("c", "b", "held"):
            fetched = w.query(f"FETCH 2 FROM {name}")
            assert fetched.rows == before.rows, (name, fetched.messages)
        protect_labels(d.sallyport)
        for replies in (
                w.exchange(pgwire.execute("portal", 2), pgwire.SYNC),
                w.exchange(pgwire.execute("undescribed"), pgwire.SYNC),
                w.query("FETCH 2 FROM c"), w.query("FETCH 2 FROM b"),
                w.query("FETCH 2 FROM held"),
                w.extended("FETCH 2 FROM c"),
                w.exchange(pgwire.bind((), "", "s"), pgwire.execute(),
                           pgwire.SYNC),
                w.query("EXECUTE p")):
            assert ok(replies).rows, replies.messages
            assert "plain" not in everything(replies).lower(), replies.rows
        assert w.query("COMMIT").status == "I"
        assert w.query("SELECT id FROM tray WHERE id = 2").rows == [[b"2"]]


def test_cancelled_results_are_masked_and_leave_nothing_behind(world):
    endless = ("SELECT a.owner, upper(a.owner) "
               "FROM vault a, vault b, vault c, vault d")
    with Doors(world) as d:
        w = d.ours
        w.send(pgwire.query(endless))
        w.until(b"D")
        with d.sallyport.bare_wire() as other:
            other.send(pgwire.cancel_request(w.pid, w.key))
        replies = w.until(b"Z")
        assert fails(replies)["C"] == "57014"
        assert CANARY.upper() not in everything(replies).upper()
        assert w.query("SELECT 7").rows == [[b"7"]]
        ok(w.query("SET statement_timeout = 200"))
        for way in (w.query, w.extended):
            replies = way(endless)
            assert fails(replies)["C"] == "57014"
            assert CANARY.upper() not in everything(replies).upper()
        ok(w.query("SET statement_timeout = 0"))
        assert w.query("SELECT 7").rows == [[b"7"]]


def test_approved_statement_is_asked_about_again_under_another_policy(world):
    s = world.prepare(database=world.pg.copy_of_shop())
    s.start()
    sql = ("WITH gone AS (DELETE FROM orders RETURNING id) "
           "SELECT count(*) FROM gone")
    for limit, why in (({"changed_rows": 5000}, "cannot be counted"),
                       ({"statements_per_minute": 1}, "too many")):
        with s.wire() as w:
            w.send(pgwire.query(sql))
            request, = harness.until(lambda: s.json("approvals"), "a request",
                                     every=0.05)
            s.policy["rules"].append({"name": "limit",
                                      "does": ["any"], "then": "allow",
                                      "limits": limit})
            s.reload()
            with s.wire() as other:
                other.query("SELECT 1")
            s.operate("approve", str(request["request"]))
            assert why in fails(w.until(b"Z"), "42501")["M"]
        s.policy["rules"].pop()
        s.reload()
    assert world.pg.ask("SELECT count(*) FROM orders", s.database) == [(3000,)]


# --- what is remembered of a statement like it --------------------------------

def test_number_that_means_a_column_is_judged_anew(world):
    sql = "SELECT id, owner FROM vault ORDER BY "
    with Doors(world) as d:
        for number in ("1", "0", "1.0", "00001"):
            for _ in range(2):
                d.ours.query(sql + number)
            fails(d.ours.query(sql + "2"), "42501")
            fails(d.ours.query(sql + "00002"), "42501")
        ok(d.ours.query(sql + "1"))
