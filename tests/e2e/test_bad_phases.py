"""Lies in the phases that have a protocol of their own - COPY in both
directions, function calls, Sallyport's own questions - from either side: an
end or an error, a record, and nothing of what is protected."""

import struct

import pgwire
from harness import default_policy
from tamper import data_row, row_description, through_tamper
from test_bad_upstream import CANARY, DONE, READY, TEXT, raw

WORD = b"madness"
LENGTH = 1317  # pg_catalog.length(text)
COPIED = pgwire.message(b"C", b"COPY 1\0")
COPY_DONE = pgwire.message(b"c")
PARSED, BOUND = pgwire.message(b"1"), pgwire.message(b"2")
CLOSED = [pgwire.message(b"3")] * 2


def copy_response(kind, form=0, formats=(0, 0), count=None):
    count = len(formats) if count is None else count
    return pgwire.message(kind, struct.pack("!BH", form, count)
                          + b"".join(struct.pack("!H", f) for f in formats))


def data(body):
    return pgwire.message(b"d", body)


def maddened(world, login, answer, *sent, word=WORD, is_alive=False):
    """What a client gets when the server answers so, at the word, to what it
    sent. Its session ends by the server's fault, unless it `is_alive`."""
    policy = default_policy()
    policy["rules"].append({"name": "function calls",
                            "does": ["function-call"], "then": "allow"})
    s, tamper = through_tamper(world, {word: answer}, policy=policy)
    try:
        with s.wire(login) as w:
            w.send(*sent)
            if is_alive:
                w.send(pgwire.TERMINATE)
            replies = w.rest()
        end = s.sink.wait("disconnect")
        assert is_alive or end["reason"].startswith("upstream"), (answer, end)
        everything = b"".join(body for _, body in replies.messages)
        assert login == "alice" or CANARY not in everything, (answer, replies)
        with s.wire("alice") as w:
            assert w.query("SELECT 1").rows == [[b"1"]]
        s.nobody_died()
        return replies
    finally:
        s.signal(15)
        tamper.close()


def test_server_that_lies_about_a_copy_in(world):
    copy = pgwire.query("COPY orders FROM STDIN -- madness")
    wide = copy_response(b"G")
    for answer in (
            [copy_response(b"G", form=2)], [copy_response(b"G", formats=(7,))],
            [copy_response(b"G", count=9)], [raw(b"G", 4)],
            [copy_response(b"G", formats=(0,), count=0)],
            [raw(b"G", 0x7fffffff)], [wide, wide], [wide, copy_response(b"H")],
            [wide, data(CANARY)], [wide, COPY_DONE], [wide, data_row(CANARY)],
            [wide, PARSED], [wide, pgwire.message(b"V", b"\xff\xff\xff\xff")],
            [wide, pgwire.message(b"E", b"Mno end")], [COPY_DONE],
            [data(CANARY)], [copy_response(b"W"), wide], [wide[:4]], [wide]):
        maddened(world, "alice", [*answer, None], copy, data(b"1\t2\n"))


def test_server_that_lies_about_a_copy_out(world):
    copy = pgwire.query("COPY orders TO STDOUT -- madness")
    out = copy_response(b"H")
    for answer in (
            [copy_response(b"H", form=2)], [copy_response(b"H", count=2000)],
            [copy_response(b"H", formats=(9, 0))], [raw(b"H", 5, b"\0")],
            [out, out], [out, copy_response(b"G")], [out, raw(b"d", 3)],
            [out, raw(b"d", -1)], [out, raw(b"d", 0x7fffffff)],
            [out, raw(b"c", 8, b"more")], [out, BOUND],
            [out, pgwire.message(b"D", b"\0\1")],
            [out, raw(b"d", 50_000_000, b"x" * 70_000)],
            [out, data(b"1\n"), COPY_DONE, COPY_DONE], [out, data(b"1")[:3]]):
        maddened(world, "alice", [*answer, None], copy)


def test_server_that_lies_about_the_rows_of_a_masked_copy(world):
    """They are asked for as a query of ours, and written anew."""
    two = row_description(("email", 0, 0, TEXT, 0), ("b", 0, 0, TEXT, 0))
    for options in ("", " (FORMAT csv)", " (FORMAT binary)"):
        copy = pgwire.query("COPY (SELECT email, 1 AS madness FROM customers)"
                            " TO STDOUT" + options)
        for answer in (
                [data(CANARY)], [copy_response(b"H"), data(CANARY)],
                [PARSED, two, data(CANARY)], [PARSED, data_row(CANARY)],
                [PARSED, BOUND, two, data_row(CANARY)],
                [PARSED, BOUND, two, data_row(CANARY, CANARY, CANARY)],
                [PARSED, BOUND, two, pgwire.message(
                    b"D", b"\0\2" + struct.pack("!i", 99) + CANARY)],
                [two, data_row(CANARY, CANARY)[:-3]],
                [PARSED, BOUND, row_description(("e", 0, 0, TEXT, 7)),
                 data_row(CANARY)]):
            maddened(world, "alice+copilot", [*answer, None], copy)


def call(argument):
    return pgwire.message(
        b"F", struct.pack("!ihhi", LENGTH, 0, 1, len(argument)) + argument
        + b"\0\0")


def test_server_that_lies_about_a_functions_result(world):
    for answer in (
            [raw(b"V", 4)], [pgwire.message(b"V", b"\0\0")],
            [pgwire.message(b"V", struct.pack("!i", -2))],
            [pgwire.message(b"V", struct.pack("!i", 99) + CANARY)],
            [pgwire.message(b"V", struct.pack("!i", 2) + CANARY)],
            [raw(b"V", 0x7fffffff)], [raw(b"V", 3)],
            [data_row(CANARY)], [row_description(("a", 0, 0, TEXT, 0))],
            [data(CANARY)], [copy_response(b"H")], [DONE], [PARSED],
            [pgwire.message(b"V", struct.pack("!i", -1)), READY, READY],
            [pgwire.message(b"V", b"\0\0")[:3]]):
        maddened(world, "alice+copilot", [*answer, None], call(WORD))


def test_server_that_lies_about_what_a_function_is(world):
    """The question is Sallyport's own; the client never hears of it."""
    name = (b"pg_catalog", b"length", b"23")
    asked = [*CLOSED, PARSED, BOUND]
    for answer in (
            [READY], [PARSED], [*CLOSED, READY], [*CLOSED, PARSED, READY],
            [*asked, PARSED], [*CLOSED, BOUND], [*asked, raw(b"D", 3)],
            [*asked, data_row(*name), data_row(*name)],
            [*asked, data_row(*name), DONE, DONE],
            [*asked, pgwire.message(b"T", b"\0\1")]):
        maddened(world, "alice+copilot", [*answer, None], call(b"x"),
                 word=b"p.prorettype ")
    for row in (data_row(b"pg_catalog"), data_row(*name, CANARY),
                data_row(b"", b"", b""), data_row(*name[:2], b"9" * 40),
                pgwire.message(b"D", b"\0\3" + struct.pack("!i", 99) + b"x"),
                pgwire.message(b"D", b"\xff\xff")):
        replies = maddened(
            world, "alice+copilot", [*asked, row, DONE, *CLOSED, READY],
            call(b"x"), word=b"p.prorettype ", is_alive=True)
        assert replies.errors[0]["C"] == "42883", replies.messages
        assert "V" not in replies.kinds


def ended(s, login, *sent, until=()):
    """A client that says this, having seen one of `until`, is told what is
    wrong or hung up on."""
    before = len(s.sink.find("disconnect"))
    with s.wire(login) as w:
        if until:
            w.send(sent[0])
            assert w.until(*until, b"E").messages[-1][0] in until
        w.send(*sent[len(until):], pgwire.TERMINATE)
        replies = w.rest()
    s.sink.wait("disconnect", before + 1)
    s.nobody_died()
    return replies


def test_client_that_lies_within_a_copy_in(world):
    s = world.writable()
    copy = pgwire.query("COPY orders FROM STDIN")
    binary = pgwire.query("COPY orders FROM STDIN (FORMAT binary)")
    signature = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
    text = [raw(b"d", 0), raw(b"d", 3), raw(b"d", -1), raw(b"d", -0x80000000),
            raw(b"f", 4),
            pgwire.message(b"f", b"no end"), pgwire.message(b"f", b"a\0b\0"),
            data(b"\0\1\n"), data(b"\xff\t\xc0\x80\n"),
            call(b"x")]
    bytes_of_rows = [b"nonsense", signature[:9], signature + b"\x7f\xff",
                     signature + b"\0\3\x7f\xff\xff\xff",
                     signature + b"\0\1\xff\xff\xff\xf0"]
    for start, lie in ([(copy, lie) for lie in text]
                       + [(binary, data(b)) for b in bytes_of_rows]):
        replies = ended(s, "alice", start, lie, pgwire.message(b"c"),
                        until=(b"G",))
        assert "C" not in replies.kinds, (lie, replies.messages)
        assert len(replies.errors) == 1, (lie, replies.messages)
    with s.wire("alice") as w:
        assert w.query("SELECT 1").rows == [[b"1"]]


def test_client_that_sends_data_where_no_copy_is(world):
    s = world.sallyport()
    for sent in (pgwire.message(b"d", b"x"), pgwire.message(b"c"),
                 pgwire.message(b"f", b"x\0")):
        ended(s, "alice", sent)
        ended(s, "alice", pgwire.query("COPY orders TO STDOUT"), sent)
        ended(s, "alice+copilot", pgwire.query(
            "COPY (SELECT email FROM customers) TO STDOUT"), sent)
    with s.wire("alice") as w:
        assert w.query("SELECT 1").rows == [[b"1"]]
