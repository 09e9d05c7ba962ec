"""What of a protected cell can be recognised in what a client hears.

Every protected cell is read directly, once. Of each the forms are kept in which
it may come out: as it is, in capitals, backwards, in hexadecimal and base64,
its digests, the binary format of its type. What was heard is searched for
pieces of these by sliding a window over it; and it is also put together from
rows and columns first, since a value can be taken out a letter at a time.
"""

import base64
import collections
import datetime
import hashlib
import ipaddress
import re
import struct

LETTERS = 6  # of a word of consonants: as much cannot occur by chance
DIGITS = 7
WORD = re.compile(r"[bcdfghjklmnpqrstvwxz]{8,}")
NUMBER = re.compile(r"\d{7,}")
CHUNK, OVERLAP = 1 << 15, 64  # what is searched at a time
EPOCH = datetime.date(2000, 1, 1)


def windows(form, size):
    return {form[i:i + size] for i in range(len(form) - size + 1)}


def words_of(text):
    """Pieces of text that nobody writes by chance."""
    lower = text.lower()
    return WORD.findall(lower) + NUMBER.findall(lower)


def numeric_binary(text):
    """The digits of numeric's binary format: groups of four."""
    whole, _, part = text.partition(".")
    whole = whole.rjust(-(-len(whole) // 4) * 4, "0")
    part = part.ljust(-(-len(part) // 4) * 4, "0")
    digits = whole + part
    return b"".join(struct.pack("!h", int(digits[i:i + 4]))
                    for i in range(0, len(digits), 4))


def date_forms(text):
    day = datetime.date.fromisoformat(text)
    formats = ("%Y-%m-%d", "%Y%m%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y",
               "%m-%d-%Y", "%b %d %Y", "%d %b %Y", "%b %d, %Y")
    yield from (day.strftime(f).lower().encode() for f in formats)
    # in days since 4713 BC, and in seconds since 1970
    yield str(day.toordinal() + 1721425).encode()
    yield str((day - datetime.date(1970, 1, 1)).days * 86400).encode()
    yield struct.pack("!i", (day - EPOCH).days)


class Canaries:
    """Needles by their size: {size: {bytes: column}}, of which the texts are
    in small letters and `exact` are as they must be."""

    def __init__(self):
        self.folded = collections.defaultdict(dict)
        self.exact = collections.defaultdict(dict)

    def add(self, column, kind, text):
        """A cell, as the text that the server writes for it."""
        raw = bytes.fromhex(text[2:]) if kind == "bytea" else text.encode()
        for word in words_of(raw.decode("utf-8", "replace")):
            self._word(column, word)
        self._whole(column, raw)
        if kind == "date":
            for form in date_forms(text):
                self._keep(self.exact if form[:1] > b"\x7f" else self.folded,
                           column, form, len(form))
        elif kind == "numeric":
            self._number(column, text)
        elif kind == "integer":
            self._keep(self.exact, column, struct.pack("!i", int(text)), 4)
        elif kind == "inet":
            self._inet(column, text)
        elif kind == "uuid":
            plain = text.replace("-", "")
            self._keep(self.folded, column, text.encode(), 23)
            self._keep(self.folded, column, plain.encode(), 16)
            self._keep(self.exact, column, bytes.fromhex(plain), 16)
        elif re.fullmatch(r"[\d-]{11}", text):
            self._keep(self.folded, column, text.encode(), 11)
            self._keep(self.folded, column,
                       text.replace("-", "").encode(), DIGITS)

    def _keep(self, where, column, form, size):
        if len(form) >= size:
            for piece in windows(form, size):
                where[size].setdefault(piece, column)

    def _word(self, column, word):
        raw = word.encode()
        size = DIGITS if word.isdigit() else LETTERS
        for form in (raw, raw[::-1]):
            self._keep(self.folded, column, form, size)
        for form in (raw, raw.upper(), raw.capitalize()):
            self._keep(self.folded, column, form.hex().encode(), 2 * size)
            for lead in range(3):
                coded = base64.b64encode(b"\0" * lead + form).decode()
                inner = coded[4 if lead else 0:-4]
                self._keep(self.exact, column, inner.encode(), 8)

    def _whole(self, column, raw):
        """Digests and base64 of all of a cell."""
        for form in (raw, raw.lower(), raw.upper()):
            for digest in (hashlib.md5, hashlib.sha1, hashlib.sha224,
                           hashlib.sha256, hashlib.sha384, hashlib.sha512):
                made = digest(form).digest()
                self._keep(self.folded, column, made.hex()[:16].encode(), 16)
                self._keep(self.exact, column, made[:8], 8)

    def _number(self, column, text):
        whole = text.partition(".")[0]
        for form in (text, whole, text.replace(".", "")):
            self._keep(self.folded, column, form.encode(), len(form))
            self._keep(self.folded, column, form[::-1].encode(), len(form))
        self._keep(self.exact, column, numeric_binary(text), 6)
        self._keep(self.exact, column, numeric_binary(whole), 4)
        self._keep(self.exact, column, struct.pack("!i", int(whole)), 4)
        self._keep(self.exact, column, struct.pack("!d", float(text)), 8)
        hundredths = int(text.replace(".", ""))
        self._keep(self.exact, column, struct.pack("!q", hundredths), 8)

    def _inet(self, column, text):
        address = ipaddress.ip_address(text.partition("/")[0])
        self._keep(self.folded, column, str(address).encode(),
                   len(str(address)))
        self._keep(self.exact, column, address.packed, 4)
        self._keep(self.folded, column, str(int(address)).encode(), 9)

    def find(self, heard, enough=()):
        """{column: a piece of it} of all that is in these bytes; or only
        until one of the columns in `enough` is found."""
        found = {}
        for at in range(0, len(heard), CHUNK):
            chunk = heard[at:at + CHUNK + OVERLAP]
            for needles, text in ((self.folded, chunk.lower()),
                                  (self.exact, chunk)):
                for size, pieces in needles.items():
                    for piece in windows(text, size) & pieces.keys():
                        found.setdefault(pieces[piece], piece)
            if not found.keys().isdisjoint(enough):
                break
        return found

    def find_in(self, answer, enough=()):
        """The same of everything that an answer tells, and of what a patient
        client can put together from it."""
        found = self.find(answer.heard, enough)
        for text in put_together(answer.rows):
            if not found.keys().isdisjoint(enough):
                break
            for column, piece in self.find(text, enough).items():
                found.setdefault(column, piece)
        return found


def put_together(rows):
    """Each column down the rows, each row across, their letters alone, and
    codes of letters as letters, one after another."""
    wide = [[field or b"" for field in row] for row in rows]
    lines = wide + [list(column) for column in zip(*wide)]
    joined = [b"".join(line) for line in lines]
    yield b"\n".join(joined)
    yield b"\n".join(text.replace(b" ", b"") for text in joined)
    yield b"\n".join(re.sub(rb"[^A-Za-z]", b"", text) for text in joined)
    for line in lines:
        codes = bytes(n for n in numbers_in(line) if 32 <= n < 127)
        yield codes + b"\n" + codes[::-1]


def numbers_in(fields):
    """Integers, in text or in the binary format."""
    for field in fields:
        if len(field) == 4 and field[:3] == b"\0\0\0":
            yield field[3]
        elif len(field) < 2000:
            yield from (int(n) for n in re.findall(rb"\d{2,3}", field))


def read(wire, columns):
    """The canaries of a database: {schema.table.column: …} by a direct
    connection."""
    canaries, counts = Canaries(), {}
    for name in columns:
        table, _, column = name.rpartition(".")
        replies = wire.query(f"SELECT pg_typeof({column}), {column} "
                             f"FROM {table}")
        if replies.errors:
            raise LookupError(replies.errors[0]["M"])
        for kind, value in replies.rows:
            canaries.add(column, kind.decode(), value.decode())
        counts[name] = len(replies.rows)
    return canaries, counts
