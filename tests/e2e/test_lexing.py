"""What the server reads is what was judged: names, and where strings end, in
spellings made to be misread.  The server tells what it read in the names and
the number of a result's columns; Sallyport in its record."""

import re
import urllib.parse

from expect import denied

EACUTE = "é".encode()
NAMES = [
    b"Abc", b'"Abc"', b'"a""b"', b'"a b"', b'"--"', b'"/*"', b"a$1", b"_\xc3\x84",
    b'"\xc3\x84"', "straße".encode(), "ſ".encode(), "İ".encode(), b'"%41"',
    b'U&"\\0041\\+000062"', b'u&"!0041" uescape \'!\'', b'U&"\\\\"',
    b"U&\"!0061\" -- x\n UESCAPE '!'", b"U&\"!0061\" /* x */ UESCAPE '!'",
    b"U&\"!0061\" UESCAPE E'!'", b'U&"!0061" UESCAPE $$!$$',
    b'U&"\\D83D\\DE00"', b'U&"d!0061ta"', b'"\xc2\xa0a\xe2\x80\xa8"',
    b"\xef\xbb\xbfa", b"a\xc2\xa0b", b"uescape", b'"a\tb\nc"', b"\xf0\x9f\x98\x80",
    # cut at 63 bytes, never within a character
    b"x" * 64, b'"' + b"X" * 70 + b'"', b"x" * 62 + EACUTE + b"y",
    b"x" * 61 + EACUTE + b"y", b'"' + EACUTE * 32 + b'"', b"\xe5\xb1\xb1" * 22,
    b'"' + b"\xf0\x9f\x98\x80" * 16 + b'"', b'U&"' + b"\\00e9" * 32 + b'"',
    b"x" * 61 + b"\xe5\xb1\xb1", b'"' + b'""' * 32 + b'"',
]
# What follows SELECT, and is strings, numbers and commas; comments hide more.
LISTS = [
    b"'a', 'b'", b"'a'\n'b', 'c'", b"'a' -- x\n'b', 'c'", b"'a'\n-- x\n'b', 'c'",
    b"'a' --'\n, 'b'", b"'a''b', ''''", b"E'\\'', 'b' --'", b"E'a''\\'b', 'c'",
    b"E'\\\\', 'b' --'", b"e'\\134', 'b'", b"e'\\x27', 'b'", b"e'\\u0027', 'b'",
    b"E'a'\n'\\', 'b' --'", b"n'a', 'b'", b"n'\\', 'b' --'", b"B'1', X'1F', 'a'",
    b"x'1F'\n'2', 'b'", b"$$a', 'b$$, 'c'", b"$a$ $$ $b$, 'x' $a$, 'c'",
    b"$a$b$a$, 'c'", b"$\xc3\xa9$', '$\xc3\xa9$, 'b'", b"'a' /* ', ' */, 'b'",
    b"/* /* */ ', */ 'a', 'b'", b"'a'/**/,/*/ ' */'b'", b"1, 'a'--'b'\n", b"'\\', 'b' --'",
    b"'\\\\', 'b'", b"'a\\'', 'b' --'", b"u&'\\0027', 'b'", b"U&'!0027' UESCAPE '!', 'b'",
    b"1.5e-3, .5, 1., 'a'", b"1.5.5, 'a'", b"'a'\r'b', 'c'", b"'a'\f\n'b', 'c'",
    b"'a'\v\n'b', 'c'", b"1*/*'*/2, 'a'", b"1-- ', '\n+2, 'a'", b"1 /*+ ' */, 'a'",
    b"1e5$$a$$, 'b'", b"1x, 'a'", b"0x1F, 'a'", b"1_0, 'a'", b"$1$$a$$", b"1$$a$$, 'b'",
    b"'a'::text||'b', 'c'", b"-1+-1, 'a'", b"@-1, 'a'", b"1!=-1, 'a'", b"1<>-1, 1=-1, 'a'",
    b"1 operator(pg_catalog.+) 1, 'a'", b"array[1,2][1:1], 'a'", b"E'\\", b"E'a\\'",
]
UNSURE = [b"1e5$$a$$, 'b'"] # minor versions differ
SETTINGS = [(standard, quote) for standard in ("on", "off")
            for quote in ("on", "off", "safe_encoding")]


def columns(replies):
    """The names of the result's columns."""
    body, = replies.bodies(b"T")
    count, names, rest = int.from_bytes(body[:2], "big"), [], body[2:]
    for _ in range(count):
        name, _, rest = rest.partition(b"\0")
        names.append(name)
        rest = rest[18:]
    assert not rest, body
    return names


def judged(s, marker):
    """The statement's canonical text, as it was judged."""
    return s.sink.statement(marker)["statement"]


def read_name(canonical):
    """The name after AS, its bytes written out."""
    name = re.fullmatch(r"select \? as (.*) , \? as \w+", canonical).group(1)
    if not name.startswith('"'):
        return name.encode()
    return urllib.parse.unquote_to_bytes(name[1:-1])


def test_names_are_read_as_the_server_reads_them(world):
    s = world.sallyport()
    with s.wire("alice") as w:
        for i, name in enumerate(NAMES):
            marker = f"name_{i}_is_read"
            replies = w.query(b"SELECT 1 AS " + name + b", 2 AS " +
                              marker.encode())
            assert not replies.errors, (name, replies.messages)
            theirs, _ = columns(replies)
            assert read_name(judged(s, marker)) == theirs, (name, theirs)


def test_strings_end_where_the_server_ends_them(world):
    """In every state of the settings that move their ends."""
    s = world.sallyport()
    read = 0
    with s.wire("alice") as w:
        for setting, (standard, quote) in enumerate(SETTINGS):
            w.query(f"SET standard_conforming_strings = {standard}")
            w.query(f"SET backslash_quote = {quote}")
            for i, text in enumerate(LISTS):
                marker = f"list_{setting}_{i}_is_read"
                replies = w.query(b"SELECT 0 AS " + marker.encode() + b", " +
                                  text)
                if replies.errors: # the server's own
                    assert replies.errors[0]["C"] != "42501" or \
                        text in UNSURE, (text, replies.messages)
                    continue
                items = judged(s, marker).split(" , ")
                if b"array" in text:
                    items = items[1:]
                assert len(items) == len(columns(replies)), (
                    standard, quote, text, items)
                read += 1
    assert read > 4 * len(LISTS), read


def test_what_this_version_cannot_read_is_refused_as_it_does(world):
    """It is the server that complains, in its own words."""
    s = world.sallyport()
    with s.wire("alice") as w:
        for text in (b"SELECT 1x", b"SELECT 0x1F", b"SELECT 1_000",
                     b"SELECT $1abc", b"SELECT 1\v", b"SELECT 'a",
                     b"SELECT U&'\\00'", b"SELECT U&'a' UESCAPE 'a'",
                     b"SELECT U&'a' UESCAPE"):
            error, = w.query(text).errors
            assert error["C"] == "42601", (text, error)
        # minor versions differ, and the server takes any number's low bits
        denied(w.query(b"SELECT 1e5$$a$$"))
        denied(w.query(b"SELECT $4294967297"))
        assert w.query(b"SELECT E'\\v'").rows == [[b"v"]]


def test_names_of_databases_that_are_not_in_utf8(world):
    """Where a name is cut, and which two names are one, is for their own
    encoding to say."""
    for encoding, sql, is_read, *client in (
            ("LATIN1", 'SELECT 1 AS "é"', True),
            ("LATIN1", 'SELECT 1 AS U&"\\00e9"', True),
            ("LATIN1", 'SELECT 1 AS "' + 32 * "é" + '"', False),
            ("LATIN1", 'SELECT 1 AS U&"\\00e9' + 62 * "a" + '"', False),
            ("LATIN1", "SELECT 1 AS É", False),
            ("LATIN1", "SELECT E'\\xe9'", False),
            ("LATIN1", "SELECT 'é', E'\\u00e9'", True),
            ("LATIN2", "SELECT 'é'", True, "WIN1250", "cp1250"),
            ("LATIN2", 'SELECT 1 AS "é"', False, "WIN1250", "cp1250"),
            ("LATIN2", 'SELECT 1 AS "é"', True, "LATIN2", "iso8859-2"),
            ("EUC_JP", "SELECT '山'", False, "SJIS", "cp932"),
            ("EUC_JP", "SELECT '山'", True, "EUC_JP", "euc_jp"),
            ("EUC_JP", "SELECT '山'", True),
            ("EUC_JP", 'SELECT 1 AS "山"', False),
            ("EUC_JP", 'SELECT 1 AS "¦"', False),
            ("EUC_JP", 'SELECT 1 AS U&"\\ffe4"', False)):
        database = "in_" + encoding.lower()
        with world.pg.connect("postgres") as c:
            if not c.execute("SELECT 1 FROM pg_database WHERE datname = %s",
                             (database,)).fetchall():
                c.execute(f"CREATE DATABASE {database} ENCODING {encoding} "
                          "LOCALE 'C' TEMPLATE template0")
                s = world.sallyport(database=database)
        name, python = client or ("UTF8", "utf-8")
        with s.wire("alice", client_encoding=name) as w:
            replies = w.query(sql.encode(python))
            if is_read:
                assert len(replies.rows) == 1, (encoding, sql, replies)
            else:
                denied(replies)
