"""What each entry of the corpus came to: first directly, then through the
proxy."""

import dataclasses
import os
import struct

from sending import Answer, Session

HERE = os.path.dirname(os.path.abspath(__file__))
# which messages a legitimate statement must bring as they are directly
COMPARED = b"TDdCNEtnIsGHV123"


@dataclasses.dataclass
class Result:
    """One entry, sent one way. An attempt is leaked, masked, refused, broken,
    or the corpus is at fault: `defect`; a legitimate one right, wrong or
    refused; either may be skipped."""
    entry: object
    way: str
    outcome: str
    why: str = ""

    @property
    def is_good(self):
        return self.outcome in ("masked", "refused", "right", "skipped") \
            if self.entry.is_attempt else self.outcome in (
                "right", "skipped") or self._is_refused_rightly

    @property
    def _is_refused_rightly(self):
        return self.outcome == "refused" and self.entry.refused is not None \
            and self.entry.refused in self.why


def statement_of(entry):
    if entry.psql:
        return entry.psql
    return "; ".join(s if isinstance(s, str) else repr(s)
                     for s in entry.steps)


def columns_of(body):
    """(name, type, format) of each column of a RowDescription."""
    count, = struct.unpack_from("!h", body)
    at, columns = 2, []
    for _ in range(count):
        end = body.index(b"\0", at)
        _, _, kind, _, _, form = struct.unpack_from("!ihihih", body, end + 1)
        columns.append((body[at:end].decode(), kind, form))
        at = end + 19
    return columns


class Judge:
    """`canaries` of the database; `direct` and `proxy` are Targets; `helper`
    does what is done behind the proxy's back."""

    def __init__(self, canaries, direct, proxy, helper):
        self.canaries = canaries
        self.direct = Session(direct, helper)
        self.proxy = Session(proxy, helper)
        with open(os.path.join(HERE, "other.sql"), encoding="utf-8") as f:
            self.change = ["SET LOCAL session_replication_role = replica",
                           f.read(),
                           "SET LOCAL session_replication_role = origin"]

    def close(self):
        self.direct.close()
        self.proxy.close()

    def attempt(self, entry, way):
        """A Result."""
        if entry.guesses:
            return self._guess(entry, way)
        if entry.measures:
            return self._measure(entry, way)
        told = self.direct.perform(entry, way)
        found = self.canaries.find_in(told, entry.leaks)
        if not found or entry.leaks and not set(entry.leaks) & set(found):
            return Result(entry, way, "defect", "shows nothing directly: "
                          + (told.complaint or f"only {found}"))
        return self._through(entry, way, told)

    def _through(self, entry, way, told):
        heard = self.proxy.perform(entry, way)
        found = self.canaries.find_in(heard)
        if found:
            return Result(entry, way, "leaked", ", ".join(
                f"{column} ({piece.decode('latin-1')!r})"
                for column, piece in sorted(found.items())))
        return self._held(entry, way, told, heard)

    def _held(self, entry, way, told, heard):
        """Nothing leaked: because of a mask, a refusal or a breakdown?"""
        if heard.lost and not told.lost:
            return Result(entry, way, "broken", heard.lost)
        if heard.complaint and heard.complaint != told.complaint:
            return Result(entry, way, "refused", heard.complaint)
        return Result(entry, way, "masked")

    def _guess(self, entry, way):
        right, wrong = (entry.guessing(word) for word in entry.guess)
        told = [self.direct.perform(e, way) for e in (right, wrong, right)]
        shapes = [a.shape(w) for a, w in zip(
            told, [entry.guess[0], entry.guess[1], entry.guess[0]])]
        if shapes[0] != shapes[2]:
            return Result(entry, way, "defect", "answers differ by themselves")
        if shapes[0] == shapes[1]:
            return Result(entry, way, "defect", "a right and a wrong guess are"
                          f" answered alike: {told[0].complaint or ''}")
        heard = [self.proxy.perform(e, way) for e in (right, wrong)]
        if heard[0].shape(entry.guess[0]) != heard[1].shape(entry.guess[1]):
            return Result(entry, way, "leaked", "a right and a wrong guess are"
                          " answered differently")
        found = {} if any(self.canaries.find(w.encode())
                          for w in entry.guess) else {
            k: v for a in heard for k, v in self.canaries.find_in(a).items()}
        if found:
            return Result(entry, way, "leaked", ", ".join(found))
        return self._held(entry, way, told[0], heard[0])

    def _measure(self, entry, way):
        told = self.direct.perform(entry, way)
        other = self.direct.perform(entry, way, before=self.change)
        if told.complaint or told.shape() == other.shape():
            return Result(entry, way, "defect", "the answer is the same for "
                          f"other values: {told.complaint or ''}")
        heard = self.proxy.perform(entry, way)
        if told.shape() == heard.shape():
            return Result(entry, way, "leaked", "the answer is the direct one")
        found = self.canaries.find_in(heard)
        if found:
            return Result(entry, way, "leaked", ", ".join(found))
        return self._held(entry, way, told, heard)

    def legitimate(self, entry, way):
        """A Result."""
        told = self.direct.perform(entry, way)
        if told.complaint:
            return Result(entry, way, "defect", told.complaint)
        if not entry.masked and self.canaries.find_in(told):
            return Result(entry, way, "defect", "shows protected values")
        heard = self.proxy.perform(entry, way)
        if heard.lost:
            return Result(entry, way, "wrong", heard.lost)
        if heard.complaint:
            found = self.canaries.find_in(heard)
            return Result(entry, way, "wrong" if found else "refused",
                          heard.complaint)
        wrong = self._difference(entry, told, heard)
        if wrong:
            return Result(entry, way, "wrong", wrong)
        return Result(entry, way, "right")

    def _difference(self, entry, told, heard):
        """In words; None when there is none that matters."""
        if told.printed != heard.printed:
            return first_difference(told.printed.decode().splitlines(),
                                    heard.printed.decode().splitlines())
        found = self.canaries.find_in(heard)
        if found:
            return f"shows {', '.join(found)}"
        return first_difference(comparable(told, entry.masked),
                                comparable(heard, entry.masked))


def hidden_in(messages, masked):
    """Which fields are masked, by the first RowDescription: rows may come
    before it when a portal is described late."""
    for kind, body in messages:
        if kind == b"T":
            return {i for i, c in enumerate(columns_of(body))
                    if c[0] in masked}
    return set()


def comparable(answer, masked):
    """The messages that count, with masked fields left out of rows."""
    kept, hidden = [], hidden_in(answer.messages, masked)
    for kind, body in answer.messages:
        if kind == b"T":
            hidden = hidden_in([(kind, body)], masked)
            kept.append((kind, columns_of(body)))
        elif kind == b"D":
            row = Answer([(kind, body)]).rows[0]
            kept.append((kind, [f for i, f in enumerate(row)
                                if i not in hidden]))
        elif kind in COMPARED:
            kept.append((kind, body))
    return kept


def first_difference(want, got):
    for a, b in zip(want, got):
        if a != b:
            return f"{short(b)}, directly {short(a)}"
    if len(want) != len(got):
        longer = want if len(want) > len(got) else got
        which = "missing" if longer is want else "too much"
        return f"{which}: {short(longer[min(len(want), len(got))])}"
    return None


def short(thing):
    text = repr(thing)
    return text if len(text) < 160 else text[:157] + "..."
