"""An upstream that lies, stops in the middle or speaks nonsense: the client
gets an error or an end, the record says so, nothing leaks, nobody crashes."""

import struct

import pgwire
from tamper import data_row, row_description, through_tamper

CANARY = b"canary-7f3a@example.org"
WORD = b"madness"
SQL = "SELECT email, 1 AS madness FROM customers"
READY = pgwire.message(b"Z", b"I")
DONE = pgwire.message(b"C", b"SELECT 1\0")
TEXT = 25


def raw(kind, length, body=b""):
    """A message whose length word is a lie."""
    return kind + struct.pack("!I", length & 0xffffffff) + body


def columns(*formats):
    return row_description(*[(f"c{i}", 0, 0, TEXT, form)
                             for i, form in enumerate(formats)])


def maddened(world, answer, login="alice+copilot", extended=False):
    """What the client gets when the server answers so, to the end of its
    connection or to ReadyForQuery; and what is on record."""
    s, tamper = through_tamper(world, {WORD: answer})
    try:
        with s.wire(login) as w:
            if extended:
                w.send(pgwire.parse(SQL), pgwire.bind(),
                       pgwire.describe(b"P"), pgwire.execute(), pgwire.SYNC)
            else:
                w.send(pgwire.query(SQL))
            replies = w.rest()
        end = s.sink.wait("disconnect")
        s.sink.wait("result")
        with s.wire("alice") as w:
            assert w.query("SELECT 1").rows == [[b"1"]]
        s.nobody_died()
    finally:
        s.signal(15)
        tamper.close()
    return replies, end


def test_messages_with_lengths_that_lie_end_the_session(world):
    lies = (0, 1, 3, -1, 0x7fffffff, 0x40000000, -0x80000000)
    for number, length in enumerate(lies):
        kind = b"TDCZENSA123ntsIGHWdcKRVv"[number * 3:number * 3 + 3]
        for k in kind:
            answer = [raw(bytes([k]), length, CANARY), None]
            replies, end = maddened(world, answer)
            assert CANARY not in b"".join(b for _, b in replies.messages)
            assert end["reason"].startswith("upstream"), (k, length, end)


def test_bodies_that_lie_end_the_session_and_let_nothing_through(world):
    two = columns(0, 0)
    bodies = [
        [raw(b"T", 6, b"\xff\xff")],
        [raw(b"T", 6, b"\x00\x01")],
        [raw(b"T", 4)],
        [pgwire.message(b"T", b"\x00\x01" + b"no end of the name")],
        [columns(2)], [columns(-1)],  # format codes that do not exist
        [two, data_row(CANARY)],  # fewer, more than described
        [two, data_row(CANARY, CANARY, CANARY)],
        [two, raw(b"D", 4)],
        [two, pgwire.message(b"D", b"\x00\x02" + struct.pack("!i", 99)
                             + CANARY)],
        [two, pgwire.message(b"D", b"\x00\x02" + struct.pack("!i", -2)
                             + CANARY)],
        [two, pgwire.message(b"D", data_row(CANARY, CANARY)[5:] + b"more")],
        [data_row(CANARY), DONE, READY],  # no RowDescription before it
        [columns(0), READY, data_row(CANARY)],  # after the end
        [pgwire.message(b"E", b"Mno end " + CANARY)],
        [pgwire.message(b"N", b"\0\0" + CANARY)],
        [pgwire.message(b"S", b"client_encoding\0" + CANARY)],
        [pgwire.message(b"A", CANARY)],
        [pgwire.message(b"Z", b"")], [pgwire.message(b"Z", b"Q")],
        [pgwire.message(b"Z", b"I" + CANARY)],
        [pgwire.message(b"C", b"SELECT 1")],
    ]
    for body in bodies:
        replies, end = maddened(world, body + [None])
        assert CANARY not in b"".join(b for _, b in replies.messages), body
        assert end["reason"].startswith("upstream"), (body, end)
        # whatever was begun was taken back: the client can read why
        assert [e["C"] for e in replies.errors] == ["08P01"], (
            body, replies.messages)


def test_messages_in_the_wrong_phase_end_the_session(world):
    early = [pgwire.message(k, CANARY) for k in (b"1", b"2", b"3", b"s", b"t",
                                                 b"n", b"V", b"W", b"d", b"c",
                                                 b"K", b"R", b"v", b"?",
                                                 b"\0", b"\xff")]
    for message in early:
        replies, end = maddened(world, [message, DONE, READY, None])
        assert CANARY not in b"".join(b for _, b in replies.messages), message
        assert end["reason"].startswith("upstream"), (message, end)


def test_server_that_closes_in_the_middle_of_a_row(world):
    row = data_row(CANARY, b"1")
    for cut in (1, 4, 5, 8, len(row) - 1):
        for login in ("alice", "alice+copilot"):
            replies, end = maddened(
                world, [columns(0, 0), row[:cut], None], login)
            assert "D" not in "".join(replies.kinds)
            assert end["reason"] == "upstream closed the connection", end


def test_server_that_closes_in_the_middle_of_a_long_row_being_passed(world):
    row = raw(b"D", 50_000_000, b"\x00\x01" + struct.pack("!i", 49_999_990)
              + b"x" * 1_000_000)
    replies, end = maddened(world, [columns(0), row, None], "alice")
    assert end["reason"] == "upstream closed the connection", end


def test_extended_protocol_with_answers_out_of_order(world):
    parsed, bound = pgwire.message(b"1"), pgwire.message(b"2")
    for answer in ([bound], [parsed, parsed], [parsed, DONE],
                   [parsed, bound, data_row(CANARY, b"1")],
                   [parsed, bound, columns(0, 0), READY],
                   [parsed, bound, columns(0), data_row(CANARY, CANARY)]):
        replies, end = maddened(world, answer + [None], extended=True)
        assert CANARY not in b"".join(b for _, b in replies.messages), answer
        assert end["reason"].startswith("upstream"), (answer, end)


def test_row_whose_origin_is_a_lie_is_still_masked_by_its_statement(world):
    """The origin may add protection; a statement that touches protected
    columns is not cleared by one that says nothing."""
    answer = [row_description(("email", 0, 0, TEXT, 0), ("m", 0, 0, TEXT, 0)),
              data_row(CANARY, CANARY), DONE, READY, None]
    replies, _ = maddened(world, answer)
    assert [len(r) for r in replies.rows] == [2]
    assert CANARY not in b"".join(b for _, b in replies.messages)
