"""Clients that do not speak UTF-8: the right characters, and the same masks."""

import os
import subprocess

from expect import denied, fails
from pgwire import SYNC, bind, describe, execute, parse, query

# What each can write, as Python spells the encoding.
SINGLE = {"LATIN1": "latin-1", "LATIN2": "iso8859-2", "LATIN5": "iso8859-9",
          "LATIN9": "iso8859-15", "WIN1250": "cp1250", "WIN1251": "cp1251",
          "WIN1252": "cp1252", "WIN1257": "cp1257", "ISO_8859_5": "iso8859-5",
          "ISO_8859_7": "iso8859-7", "KOI8R": "koi8-r", "KOI8U": "koi8-u",
          "WIN866": "cp866", "WIN874": "cp874"}
MULTI = {"EUC_JP": "euc_jp", "EUC_KR": "euc_kr", "EUC_CN": "gb2312"}
CLIENT_ONLY = {"SJIS": "shift_jis", "BIG5": "big5", "GBK": "gbk",
               "UHC": "cp949", "GB18030": "gb18030", "JOHAB": "johab"}
SAMPLES = ("Jürgen Åkesson", "Łukasz Żółw", "Иван Петров", "Ελένη", "สมชาย",
           "山田太郎", "김철수", "王小明")


def writable_in(python):
    """The samples that the encoding has."""
    for sample in SAMPLES:
        try:
            yield sample, sample.encode(python)
        except UnicodeEncodeError:
            continue


def peopled(world):
    """A Sallyport before a table of people with names of all kinds."""
    database = world.pg.copy_of_shop()
    with world.pg.connect(database) as c:
        c.execute("CREATE TABLE people (id int, name text, mail text, "
                  "note text, \"Straße\" text)")
        for number, sample in enumerate(SAMPLES):
            c.execute("INSERT INTO people VALUES (%s, %s, %s, %s, 'x')",
                      (number, sample, f"{sample}@example.com",
                       f"{sample}: mail jo@example.com please"))
        c.execute("GRANT ALL ON people TO public")
        # a protected table whose name is bytes that mean another in UTF-8
        c.execute('CREATE TABLE "Ã©" (id int, secret text);'
                  'CREATE TABLE "é" (id int, secret text);'
                  'INSERT INTO "Ã©" VALUES (1, \'canary one\');'
                  'INSERT INTO "é" VALUES (1, \'canary two\');'
                  'GRANT ALL ON "Ã©", "é" TO public')
    s = world.prepare(database=database)
    s.policy["protect"] += [
        {"name": "names of people", "columns": ["public.people.name"],
         "mask": "last4", "clear_for": [{"agent": "none"}]},
        {"name": "mail of people", "columns": ["public.people.mail"],
         "mask": "redact", "clear_for": [{"agent": "none"}]},
        {"name": "one", "columns": ["public.Ã©.secret"], "mask": "redact",
         "clear_for": [{"agent": "none"}]}]
    s.write_all()
    return s.start()


def last4(text):
    """The mask, as UTF-8 has it."""
    letters = sum(c.isalnum() for c in text)
    masked = []
    for c in text:
        if c.isalnum():
            masked.append("*" if letters > 4 else c)
            letters -= 1
        else:
            masked.append(c)
    return "".join(masked)


# --- values ------------------------------------------------------------------

def test_values_come_in_the_clients_encoding(world):
    s = peopled(world)
    for name, python in {**SINGLE, **MULTI}.items():
        with s.wire("alice", client_encoding=name) as w:
            assert w.parameters["client_encoding"] == name
            for sample, raw in writable_in(python):
                number = SAMPLES.index(sample)
                rows = w.query(f"SELECT name FROM people WHERE id = {number}"
                               ).rows
                assert rows == [[raw]], (name, rows)
                sql = b"SELECT id FROM people WHERE name = '" + raw + b"'"
                assert w.query(sql).rows == [[str(number).encode()]], name
                rows = w.extended("SELECT id FROM people WHERE name = $1",
                                  (raw,)).rows
                assert rows == [[str(number).encode()]], name


def test_values_are_masked_as_in_utf8(world):
    s = peopled(world)
    with s.wire() as w:
        wanted = [row[0].decode() for row in
                  w.query("SELECT name FROM people ORDER BY id").rows]
    for sample, masked in zip(SAMPLES, wanted):
        assert masked != sample and len(masked) == len(sample), masked
    for name, python in {**SINGLE, **MULTI, **CLIENT_ONLY}.items():
        seen = 0
        with s.wire(client_encoding=name) as w:
            for sample, raw in writable_in(python):
                number = SAMPLES.index(sample)
                sql = ("SELECT name, mail, note, ARRAY[note] FROM people "
                       f"WHERE id = {number}")
                for results in ((), (1,)):
                    row, = w.extended(sql, results=results).rows
                    masked = wanted[number].encode(python)
                    assert row[0] == masked, (name, sample, row)
                    assert row[1] == b"[redacted]", (name, row)
                    assert row[2] is not None and \
                        row[2].startswith(raw + b": mail ["), (name, row)
                    assert b"jo@" not in (row[3] or b""), (name, row)
                    seen += 1
        assert seen, name


def test_psql_has_its_encodings(world):
    s = peopled(world)
    environment = {**s.psql_environment("alice"), "PGCLIENTENCODING":
                   "LATIN1"}
    done = s.psql("SELECT name FROM people WHERE id = 0", "alice")
    assert done.stdout.strip() == SAMPLES[0]
    command = s.psql_command("alice", None, "-c", "\\encoding", "-c",
                             "SELECT name FROM people WHERE id = 0", "-c",
                             "\\encoding UTF8", "-c",
                             "SELECT name FROM people WHERE id = 0")
    done = subprocess.run(command, env=environment, capture_output=True,
                          timeout=60, check=True)
    assert done.stdout.splitlines() == [
        b"LATIN1", SAMPLES[0].encode("latin-1"), SAMPLES[0].encode()], done
    assert os.environ.get("PGCLIENTENCODING") is None


def test_character_that_the_client_has_not_is_an_error(world):
    s = peopled(world)
    with s.wire("alice", client_encoding="LATIN1") as w:
        fails(w.query("SELECT name FROM people WHERE id = 2"), "22P05")
    with s.wire(client_encoding="LATIN1") as w:
        error = fails(w.query("SELECT name FROM people WHERE id = 2"),
                      "22P05")
        assert "d0" not in error["M"], error


# --- names -------------------------------------------------------------------

def test_names_are_those_that_the_server_reads(world):
    """The same bytes are two names in two encodings."""
    s = peopled(world)
    sql = 'SELECT secret || \'\' FROM "é"'
    for name, python in (("UTF8", "utf-8"), ("LATIN1", "latin-1"),
                         ("WIN1252", "cp1252")):
        with s.wire(client_encoding=name) as w:
            assert w.query(sql.encode(python)).rows == [[b"canary two"]]
            other = sql.replace("é", "Ã©").encode(python)
            assert w.query(other).rows == [[b"[redacted]"]], name
            for column, kinds in (('"Straße"', "TDCZ"), ("Straße", "EZ")):
                replies = w.query(f"SELECT {column} FROM people "
                                  "WHERE id = 0".encode(python))
                assert replies.kinds == kinds, (name, replies.messages)
    record = s.sink.statement("straße")
    assert record["decision"] == "allow", record


def test_names_that_cannot_be_sure_are_refused(world):
    s = peopled(world)
    for name, sql in (("EUC_JIS_2004", 'SELECT 1 AS "山"'),
                      ("WIN1258", 'SELECT 1 AS "é"'),
                      ("BIG5", "SELECT '王'"), ("GB18030", "SELECT '王'"),
                      ("JOHAB", "SELECT '김'"),
                      ("SHIFT_JIS_2004", "SELECT '山'")):
        python = {"EUC_JIS_2004": "euc_jp", "SHIFT_JIS_2004": "shift_jis",
                  **CLIENT_ONLY}.get(name, "latin-1")
        with s.wire("alice", client_encoding=name) as w:
            denied(w.query(sql.encode(python)))
            assert w.query("SELECT 'plain'").rows == [[b"plain"]]
            value = sql[8].encode(python)
            rows = w.extended("SELECT $1::text", (value,)).rows
            assert sql[7] != "'" or rows == [[value]], rows
        record = s.sink.wait("statement", decision="deny")
        assert "client_encoding" in record["reason"], record


def test_half_a_character_hides_no_quote(world):
    """0x5c and 0x27 as second bytes: what a bytewise reader gets wrong."""
    s = peopled(world)
    for name, half in (("BIG5", b"\xa5\x5c"), ("JOHAB", b"\x88\x5c"),
                       ("SHIFT_JIS_2004", b"\x81\x5f"),
                       ("GB18030", b"\x95\x5c")):
        with s.wire(client_encoding=name) as w:
            denied(w.query(b"SELECT '" + half + b"' || name FROM people --'"))
            denied(w.query(b"SELECT '" + half + b"'"))
    for name, half, whole in (("SJIS", b"\x95\x5c", "表"),
                              ("GBK", b"\x95\x5c", "昞"),
                              ("UHC", b"\x81\x41", "갂")):
        sql = (b"SELECT E'" + half + b"' AS \"" + half +
               b"\", 'a' AS b --'")
        with s.wire(client_encoding=name) as w:
            assert w.query(sql).rows == [[half, b"a"]], name
            # here the quote is no half of a character to anybody
            replies = w.query(b"SELECT '\x81\x27, name FROM people")
            assert replies.errors and not replies.rows, replies.messages
            # nor is one taken for a name in single bytes
            rows = w.query(b'SELECT 1 AS "a' + half + b'"').rows
            assert rows == [[b"1"]], rows
        s.sink.statement(f"select '?' as {whole} , '?' as b")
    with s.wire(client_encoding="EUC_JP") as w:
        replies = w.query(b"SELECT '\xa1' || name FROM people --'")
        assert replies.errors and not replies.rows, replies.messages


def test_names_of_statements_beyond_ascii_need_utf8(world):
    s = peopled(world)
    with s.wire(client_encoding="LATIN1") as w:
        fails(w.exchange(parse("SELECT 1", b"\xe9"), SYNC), "42622")
        fails(w.exchange(parse("SELECT 1", b"\xc3\xa9"), SYNC), "42622")
        w.query("PREPARE \"é\" AS SELECT secret FROM \"Ã©\"".encode(
            "latin-1"))
        fails(w.exchange(bind(statement=b"\xc3\xa9"), execute(), SYNC))
        fails(w.exchange(bind(statement=b"\xe9"), execute(), SYNC))
        rows = w.query("EXECUTE \"é\"".encode("latin-1")).rows
        assert rows == [[b"[redacted]"]], rows


# --- changes -----------------------------------------------------------------

def test_changes_are_followed(world):
    s = peopled(world)
    jurgen = "SELECT id FROM people WHERE name = 'Jürgen Åkesson'"
    latin, utf8 = jurgen.encode("latin-1"), jurgen.encode()
    with s.wire("alice") as w:
        def reads(text):
            replies = w.query(text)
            return replies.rows == [[b"0"]]

        assert reads(utf8)
        for change, text in (
                ("SET client_encoding = 'LATIN1'", latin),
                ("RESET client_encoding", utf8),
                ("SET NAMES 'latin1'", latin), ("DISCARD ALL", utf8),
                ("SET client_encoding TO WIN1252", latin),
                ("RESET ALL", utf8), ("BEGIN", utf8),
                ("SET LOCAL client_encoding = LATIN1", latin),
                ("COMMIT", utf8), ("BEGIN", utf8), ("SAVEPOINT a", utf8),
                ("SET client_encoding = LATIN1", latin),
                ("ROLLBACK TO a", utf8), ("ROLLBACK", utf8),
                ("SELECT pg_catalog.set_config('client_encoding', 'LATIN1', "
                 "false)", latin),
                ("SET client_encoding = 'UTF8'", utf8)):
            assert not w.query(change).errors, change
            assert reads(text), change


def test_statement_prepared_in_another_encoding_is_not_judged_anew(world):
    """Its bytes would be read as another text, and the policy has changed."""
    s = peopled(world)
    with s.wire() as w:
        w.exchange(parse('SELECT secret || \'\' FROM "Ã©"'.encode("latin-1"),
                         "wrong"), SYNC)
        w.query("SET client_encoding = LATIN1")
        w.exchange(parse('SELECT secret || \'\' FROM "Ã©"'.encode("latin-1"),
                         "s"), SYNC)
        w.query("SET client_encoding = UTF8")
        s.reload()
        replies = w.exchange(bind(statement="s"), describe(b"P"), execute(),
                             SYNC)
        assert b"canary" not in b"".join(b for _, b in replies.messages), \
            replies.messages
        rows = w.query("SELECT name FROM people WHERE id = 2").rows
        assert len(rows) == 1, rows


def test_strings_are_read_as_the_session_has_it(world):
    """A backslash before a quote, with and without the standard."""
    s = peopled(world)
    leak = rb"SELECT '\'' , upper(email) FROM customers WHERE id = 1 --'"
    safe = rb"SELECT '\\', upper(city) FROM customers WHERE id = 1 --'"
    email = world.pg.ask("SELECT upper(email) FROM customers WHERE id = 1"
                         )[0][0].encode()

    def told(replies):
        return b"".join(body for _, body in replies.messages)

    with s.wire() as w:
        w.query("SET standard_conforming_strings = off")
        assert email not in told(w.query(leak))
        assert len(w.query(safe).rows) == 1
        assert email not in told(w.extended(leak.decode()))
        w.query("RESET standard_conforming_strings")
        w.query("BEGIN")
        w.query("SET LOCAL standard_conforming_strings = off")
        replies = w.exchange(query("COMMIT"), query(leak), query(safe),
                             syncs=3)
        assert email not in told(replies), replies.messages
        w.query("BEGIN")
        w.query("SET LOCAL standard_conforming_strings = off")
        replies = w.exchange(parse("COMMIT"), bind(), execute(),
                             parse(leak.decode()), bind(), execute(), SYNC)
        assert email not in told(replies), replies.messages
        assert w.query("SELECT 7").rows == [[b"7"]]


def test_role_and_database_defaults_are_followed(world):
    s = peopled(world)
    with world.pg.connect(s.database) as c:
        c.execute(f"ALTER DATABASE {s.database} SET client_encoding = "
                  "'LATIN1'")
    with s.wire("alice") as w:
        assert w.parameters["client_encoding"] == "LATIN1"
        rows = w.query("SELECT name FROM people WHERE id = 0").rows
        assert rows == [[SAMPLES[0].encode("latin-1")]], rows


def test_pipelined_changes_hide_no_name(world):
    """The server reads the second text in the encoding that the first made,
    or that the end of its transaction brought back."""
    s = peopled(world)
    secret = 'SELECT secret || \'\' FROM "Ã©"'
    as_utf8, as_latin = secret.encode(), secret.encode("latin-1")
    with s.wire() as w:
        replies = w.exchange(query("SET client_encoding = LATIN1"),
                             query(as_latin), query("RESET client_encoding"),
                             query(as_utf8), syncs=4)
        assert [r[0] for r in replies.rows] == [b"[redacted]"] * 2
        w.query("BEGIN")
        w.query("SET LOCAL client_encoding = LATIN1")
        replies = w.exchange(query("COMMIT"), query(as_utf8), syncs=2)
        assert replies.rows == [[b"[redacted]"]], replies.messages
        w.query("BEGIN")
        w.query("SET LOCAL client_encoding = LATIN1")
        replies = w.exchange(parse("COMMIT"), bind(), execute(),
                             parse(as_utf8), bind(), describe(b"P"),
                             execute(), SYNC)
        assert b"canary one" not in b"".join(b for _, b in replies.messages)
        fails(replies, "0A000")
        replies = w.exchange(parse("SET client_encoding = LATIN1"), bind(),
                             execute(), query(as_utf8), SYNC, syncs=2)
        assert b"canary one" not in b"".join(b for _, b in replies.messages)


def test_own_words_are_ascii_for_clients_without_utf8(world):
    s = world.prepare()
    s.policy["rules"].append({"name": "für niemand", "does": ["listen"],
                              "then": "deny", "say": "Nicht für dich – nie."})
    s.write_all()
    s.start()
    for name in ("UTF8", "LATIN1", "SJIS", "SQL_ASCII"):
        with s.wire("alice", client_encoding=name) as w:
            replies = w.query("LISTEN a")
            body, = replies.bodies(b"E")
            told = "für niemand" if name in ("UTF8", "SQL_ASCII") \
                else "f?r niemand"
            assert told in body.decode(), (name, body)


def test_databases_that_are_not_in_utf8(world):
    """Their names and values are what they are to a client in UTF-8."""
    with world.pg.connect("postgres") as c:
        c.execute("CREATE DATABASE latin ENCODING LATIN1 LOCALE 'C' "
                  "TEMPLATE template0")
    with world.pg.connect("latin") as c:
        c.execute('CREATE TABLE "é" (secret text, "clear" text);'
                  "INSERT INTO \"é\" VALUES ('canäry', 'ö');"
                  'GRANT ALL ON "é" TO public')
    s = world.prepare(database="latin")
    s.policy["protect"].append(
        {"name": "secrets", "columns": ["public.é.secret"], "mask": "last4",
         "clear_for": [{"agent": "none"}]})
    s.write_all()
    s.start()
    for name, python in (("UTF8", "utf-8"), ("LATIN1", "latin-1"),
                         ("SQL_ASCII", "latin-1"), ("", "latin-1")):
        more = {"client_encoding": name} if name else {}
        with s.wire(**more) as w:
            rows = w.query('SELECT secret, clear FROM "é"'.encode(python)
                           ).rows
            assert rows == [["**n\u00e4ry".encode(python),
                             "ö".encode(python)]], (name, rows)
            denied(w.query("SELECT secret FROM é".encode(python)))
