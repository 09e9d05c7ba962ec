"""Texts are judged in UTF-8: our conversion must be the server's, for every
character of every encoding of which common/encoding.c says so."""

import ctypes
import os
import re

from harness import ROOT

libc = ctypes.CDLL(None)
libc.iconv_open.restype = ctypes.c_void_p
libc.iconv_open.argtypes = [ctypes.c_char_p] * 2
libc.iconv.restype = ctypes.c_size_t
libc.iconv.argtypes = [ctypes.c_void_p] * 5
FAILED = ctypes.c_void_p(-1).value

CREATE = """
CREATE FUNCTION pg_temp.converted(bytes bytea, source name, target name)
RETURNS bytea LANGUAGE plpgsql AS $$
BEGIN
    RETURN convert(bytes, source, target);
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$"""


class Converter:
    """iconv(3) of one encoding into UTF-8, as common/encoding.c uses it."""

    def __init__(self, name):
        self.cd = libc.iconv_open(b"UTF-8", name.encode())
        assert self.cd != FAILED, name

    def __call__(self, raw):
        source = ctypes.create_string_buffer(raw, len(raw))
        target = ctypes.create_string_buffer(64)
        at = [ctypes.c_void_p(ctypes.addressof(b)) for b in (source, target)]
        left = [ctypes.c_size_t(len(raw)), ctypes.c_size_t(64)]
        pointers = [ctypes.byref(x) for x in
                    (at[0], left[0], at[1], left[1])]
        libc.iconv(self.cd, None, None, None, None)
        if libc.iconv(self.cd, *pointers) != 0 or left[0].value or \
                libc.iconv(self.cd, None, None, *pointers[2:]) != 0:
            return None
        return target.raw[:64 - left[1].value]


def rows(kind):
    """What the table of encodings says: name, iconv's name, the rest."""
    with open(os.path.join(ROOT, "common", "encoding.c"),
              encoding="utf-8") as file:
        found = re.findall(kind + r'\("(\w+)", "([\w-]+)"([^)]*)\)',
                           file.read())
    assert found, kind
    return found


def sequences(name):
    """All that may be a character beyond ASCII, and much that may not."""
    high, last = range(0x80, 0x100), range(0x21, 0x100)
    yield from (bytes((a,)) for a in high)
    if name.startswith(("EUC", "SJIS", "GBK", "UHC")):
        yield from (bytes((a, b)) for a in high for b in last)
    if name == "EUC_JP":
        yield from (bytes((0x8f, a, b)) for a in high for b in high)
    if name == "EUC_TW":
        yield from (bytes((0x8e, p, a, b)) for p in range(0xa1, 0xb1)
                    for a in high for b in high)


def answers(c, values, source, target):
    """What the server converts them to; None: nothing."""
    values = list(values)
    for i in range(0, len(values), 20000):
        yield from c.execute(
            "SELECT v, pg_temp.converted(v, %s, %s) FROM unnest(%s::bytea[])"
            " v", (source, target, values[i:i + 20000]), binary=True)


def test_exact_encodings_are_converted_as_the_server_does(world):
    with world.pg.connect("postgres") as c:
        c.execute(CREATE)
        for name, iconv, _ in rows("EXACT"):
            ours = Converter(iconv)
            for code in range(1, 0x80):
                assert ours(bytes((code,))) == bytes((code,)), (name, code)
            known = 0
            for raw, theirs in answers(c, sequences(name), name, "UTF8"):
                if theirs is None:
                    continue
                known += ours(raw) is not None
                assert ours(raw) in (None, theirs), (name, raw, theirs)
            assert known >= 80, (name, known)


def test_doubtful_encodings_are_doubted_with_reason(world):
    """Else they could be exact, and their users better off."""
    proofs = {"WIN1255": b"\xf9\xd1", "WIN1258": b"a\xcc",
              "EUC_JIS_2004": b"\xa1\xef", "SHIFT_JIS_2004": b"\x81\x5f",
              "JOHAB": b"\\", "BIG5": b"\xa1\x45", "GB18030": b"\xa6\xd9"}
    with world.pg.connect("postgres") as c:
        c.execute(CREATE)
        for name, iconv, _ in rows("DOUBTFUL"):
            (raw, theirs), = answers(c, [proofs[name]], name, "UTF8")
            assert theirs is not None, name
            assert Converter(iconv)(raw) != theirs, (name, raw, theirs)


def test_names_in_a_database_are_one_to_one_unless_it_says_so(world):
    """Two characters that are one in the server's encoding, or one that is
    two in UTF-8, make two names one."""
    with world.pg.connect("postgres") as c:
        c.execute(CREATE)
        for name, _, more in rows("EXACT") + rows("DOUBTFUL"):
            if more: # no server's, or known to be ambiguous
                continue
            utf8 = [(raw, theirs) for raw, theirs in
                    answers(c, sequences(name), name, "UTF8")
                    if theirs is not None]
            points = {theirs for _, theirs in utf8}
            assert len(points) == len(utf8), name
            points |= {chr(code).encode() for code in
                       range(0x80, 0xd800 if name[:3] == "EUC" else 0x800)}
            there = [x for x in answers(c, points, "UTF8", name)
                     if x[1] is not None]
            back = dict(answers(c, {x[1] for x in there}, name, "UTF8"))
            for point, raw in there:
                assert back[raw] == point, (name, point, raw)
        broken_bar = "\u00a6".encode()
        (_, raw), = answers(c, [broken_bar], "UTF8", "EUC_JP")
        (_, back), = answers(c, [raw], "EUC_JP", "UTF8")
        assert back not in (None, broken_bar), back
