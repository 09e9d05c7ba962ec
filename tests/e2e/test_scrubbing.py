"""Errors and notices tell what went wrong, and no protected value."""

import psycopg

from expect import fails

# Who may write, and whose functions and triggers may be there.
CANARY = "Zebulon Quartermaine"

TRAPS = f"""
CREATE TABLE vault (id int PRIMARY KEY, owner text, code int);
INSERT INTO vault VALUES (1, '{CANARY}', 77), (2, 'Nobody', 5);
CREATE TABLE desk (id int PRIMARY KEY, label text,
                   vault_id int REFERENCES vault DEFERRABLE);
INSERT INTO desk VALUES (1, 'one', 1);
CREATE TABLE tray (id int PRIMARY KEY, amount int CHECK (amount > 0),
                   desk_id int REFERENCES desk ON DELETE CASCADE);
INSERT INTO tray VALUES (1, 5, 1);
CREATE TABLE late (id int PRIMARY KEY, desk_id int
                   REFERENCES desk DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION tattle() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE who text := (SELECT owner FROM vault WHERE id = 1);
BEGIN
    RAISE NOTICE 'it is %', who;
    IF NEW.label = 'raise' THEN
        RAISE EXCEPTION 'it is %', who;
    ELSIF NEW.label = 'as the server' THEN
        RAISE EXCEPTION USING ERRCODE = '22012', MESSAGE = who,
            DETAIL = who, HINT = who, TABLE = 'desk', SCHEMA = 'public';
    ELSIF NEW.label = 'as a parser' THEN
        RAISE EXCEPTION USING ERRCODE = '42703',
            MESSAGE = 'column "' || who || '" does not exist';
    ELSIF NEW.label = 'cast' THEN
        PERFORM owner::int FROM vault WHERE id = 1;
    ELSIF NEW.label = 'dynamic' THEN
        EXECUTE 'SELECT ' || quote_ident(who);
    ELSIF NEW.label = 'unique' THEN
        INSERT INTO vault SELECT * FROM vault WHERE id = 1;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tattler BEFORE INSERT OR UPDATE ON desk
    FOR EACH ROW EXECUTE FUNCTION tattle();
CREATE TABLE log (id int PRIMARY KEY, owner text UNIQUE);
INSERT INTO log VALUES (1, '{CANARY}');
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO public;
"""


def trapped(world):
    """Sallyport before a shop with a vault and code that tells of it."""
    s = world.prepare(database=world.pg.copy_of_shop())
    world.pg.psql(s.database, "-q", "-c", TRAPS)
    s.policy["protect"] += [
        {"name": "owners", "columns": ["public.vault.owner",
                                       "public.log.owner"],
         "mask": "redact", "clear_for": [{"agent": "none"}]}]
    s.policy["rules"].append(
        {"name": "code", "does": ["read", "write", "call", "set-transaction"],
         "has": ["unknown-function"], "then": "allow"})
    s.policy["rules"].append(
        {"name": "traps that run any text", "to": ["public.desk"],
         "has": ["escaping-function"], "then": "allow"})
    s.write_all()
    return s.start()


def everything(replies):
    return b"".join(body for _, body in replies.messages).decode(
        "utf-8", "replace")


# --- what must not be told ---------------------------------------------------

def test_triggers_of_tables_that_are_not_protected_tell_nothing(world):
    s = trapped(world)
    with s.wire() as w, s.wire("alice") as clear:
        for number, (label, state) in enumerate(
                (("raise", "P0001"), ("as the server", "22012"),
                 ("as a parser", "42703"), ("cast", "22P02"),
                 ("dynamic", "42703"), ("unique", "23505"))):
            sql = f"INSERT INTO desk VALUES ({10 + number}, '{label}', 1)"
            theirs = clear.query(sql)
            assert CANARY in everything(theirs), (label, "tells nobody")
            ours = w.query(sql)
            assert CANARY not in everything(ours), everything(ours)
            assert "Zebulon" not in everything(ours), everything(ours)
            assert fails(ours)["C"] == state, ours.errors
        for sql in ("INSERT INTO desk VALUES (30, 'notice', 1)",
                    "UPDATE desk SET id = 31 WHERE id = 30"):
            replies = w.query(sql)
            assert replies.notices and not replies.errors, replies.messages
            assert CANARY not in everything(replies), everything(replies)


def test_foreign_keys_and_cascades_tell_nothing_of_protected_tables(world):
    s = world.prepare(database=world.pg.copy_of_shop())
    world.pg.psql(s.database, "-q", "-c", f"""
        CREATE TABLE owners (name text PRIMARY KEY, note int);
        INSERT INTO owners VALUES ('{CANARY}', 1);
        CREATE TABLE pets (id int PRIMARY KEY, owner text
            REFERENCES owners ON UPDATE CASCADE DEFERRABLE);
        INSERT INTO pets VALUES (1, '{CANARY}');
        CREATE TABLE toys (id int PRIMARY KEY, pet int
            REFERENCES pets ON DELETE CASCADE, owner text,
            UNIQUE (owner));
        CREATE TABLE parts (id int PRIMARY KEY, toy int REFERENCES toys);
        INSERT INTO toys VALUES (1, 1, '{CANARY}');
        INSERT INTO parts VALUES (1, 1);
        CREATE TABLE cages (id int PRIMARY KEY);
        CREATE FUNCTION refill() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO toys VALUES (2, 1, '{CANARY}'); RETURN NEW; END
        $$;
        CREATE TRIGGER refill AFTER INSERT ON cages
            FOR EACH ROW EXECUTE FUNCTION refill();
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public
            TO public;""")
    s.policy["protect"].append(
        {"name": "names", "columns": ["public.owners.name",
                                      "public.pets.owner",
                                      "public.toys.owner"],
         "mask": "redact", "clear_for": [{"agent": "none"}]})
    s.write_all()
    s.start()
    with s.wire() as w, s.wire("alice") as clear:
        sql = "INSERT INTO cages VALUES (1)"
        assert CANARY in everything(clear.query(sql))
        replies = w.query(sql)
        assert fails(replies, "23505")["n"] == "toys_owner_key"
        assert CANARY not in everything(replies), everything(replies)
        # behind the last statement of a transaction
        w.query("BEGIN")
        w.query("SET CONSTRAINTS ALL DEFERRED")
        w.query("INSERT INTO pets VALUES (2, 'a b')")
        replies = w.query("COMMIT")
        assert fails(replies, "23503")["n"] == "pets_owner_fkey"
        assert "(a b)" not in everything(replies), everything(replies)


def test_values_found_by_their_look_are_not_told_in_errors(world):
    s = world.sallyport()
    body = world.pg.ask("SELECT body FROM tickets WHERE id = 5")[0][0]
    email = body.split("write to ")[1].split(" ")[0]
    with s.wire() as w, s.wire("alice") as clear:
        sql = "SELECT body::int FROM tickets WHERE id = 5"
        assert email in everything(clear.query(sql))
        replies = w.query(sql)
        fails(replies, "22P02")
        assert email not in everything(replies), everything(replies)


# --- what must be told -------------------------------------------------------

def test_errors_of_unprotected_tables_keep_their_words(world):
    s = trapped(world)
    with s.wire() as w, s.wire("alice") as clear:
        for sql, part in (
                ("INSERT INTO tray VALUES (1, 5, 1)", "Key (id)=(1)"),
                ("INSERT INTO tray VALUES (2, -5, 1)", "(2, -5, 1)"),
                ("INSERT INTO tray VALUES (2, 5, 99)", "Key (desk_id)=(99)"),
                ("INSERT INTO tray (amount) VALUES (1)", "(null, 1, null)"),
                ("UPDATE tray SET amount = 0 WHERE id = 1", "Failing row"),
                ("DELETE FROM products WHERE id = 2", 'table "orders"'),
                ("SELECT 1/0", "division by zero"),
                ("SELECT 'x7'::int", '"x7"'),
                ("SELECT nowhere FROM tray", '"nowhere"'),
                ("SELECT * FROM nowhere", '"nowhere"'),
                ("SELECT amonut FROM tray", "tray.amount"),
                ("SELECT FROM WHERE", 'near "WHERE"'),
                ("SELECT json '{bad'", "bad")):
            ours, theirs = w.query(sql), clear.query(sql)
            assert part in everything(theirs), (sql, theirs.errors)
            assert ours.errors[0].get("M") == theirs.errors[0].get("M"), sql
            assert ours.errors[0].get("D") == theirs.errors[0].get("D"), sql
            assert ours.errors[0].get("H") == theirs.errors[0].get("H"), sql


def test_deferred_errors_of_unprotected_tables_keep_their_words(world):
    s = trapped(world)
    with s.wire() as w:
        w.query("BEGIN")
        w.query("INSERT INTO late VALUES (1, 4711)")
        error = fails(w.query("COMMIT"), "23503")
        assert "4711" in error["D"], error


def test_scrubbed_errors_keep_state_position_and_names(world):
    s = trapped(world)
    with s.wire() as w:
        replies = w.query("INSERT INTO log VALUES (2, "
                          f"'{CANARY[:8]}' || '{CANARY[8-len(CANARY):]}')")
        error = fails(replies, "23505")
        assert error["n"] == "log_owner_key" and error["t"] == "log", error
        assert "D" not in error, error
        replies = w.query("SELECT owner, nowhere FROM vault")
        error = fails(replies, "42703")
        assert error["P"] == "15" and "nowhere" in error["M"], error


def test_psycopg_gets_its_diagnostics(world):
    s = trapped(world)
    with s.connect() as c:
        try:
            c.execute("INSERT INTO tray VALUES (1, 5, 1)")
        except psycopg.errors.UniqueViolation as e:
            assert e.diag.constraint_name == "tray_pkey"
            assert e.diag.message_detail == "Key (id)=(1) already exists."
        else:
            raise AssertionError("no error")
