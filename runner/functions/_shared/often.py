"""Shapes that come often: one pattern cuts many texts of a shape at once.

In: texts in UTF-8, and patterns of shapes with what to do with their values.  Out: columns of
values, and the texts that no pattern takes.

The texts are joined, and one `split` gives the values of all of them.  Why that is right: between
texts stands NUL, quote, NUL, and texts that hold a NUL are left out.  A pattern begins at a NUL,
ends before one, and only a text of JSON in it, `"[^"]*"`, takes other NULs: one that is not closed
would end at the quote between the NULs, and behind it a pattern has a comma or a bracket, not NUL.
So what a pattern takes is one whole text.

Texts are plain if they hold no backslash and no control character.  The texts of JSON in them end
at the next quote, which is found much faster; so patterns of plain texts are apart from others.

Making a pattern takes milliseconds, so only a shape that was met often gets one.  A pattern takes
nothing that its shape would not; what it does not take is cut at its values, one by one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_MOST_PATTERNS = 128
_MOST_TRIED = 6
"""Patterns that are tried on a text."""
BLANK = b" \t\r\n"
_CHECKED = 500
_NUL = b"\0"
_BETWEEN = b'\0"\0'
_CONTROLS = bytes(range(0x20))

P = TypeVar("P")


@dataclass(slots=True)
class _Pattern(Generic[P]):
    """A shape's pattern, and what is done with its values."""

    text: str
    split: Callable[[bytes], list[bytes]]
    width: int
    """Groups, and what stands before a match."""
    plan: P
    hits: int = 0


_hits = attrgetter("hits")


@dataclass(frozen=True, slots=True)
class Taken(Generic[P]):
    """Texts of one shape."""

    plan: P
    places: list[int]
    """Of the texts, among those that were given."""
    columns: list[list[bytes]]
    """For each group of the pattern its value in each text."""

    def rows(self) -> Iterable[tuple[bytes, ...]]:
        """Give the values of each text."""
        return zip(*self.columns, strict=True) if self.columns else [()] * len(self.places)


class Often(Generic[P]):
    """Patterns by a sign that texts of one shape mostly share."""

    def __init__(self, sign: bytes) -> None:
        """Begin without patterns; `sign` is a letter that texts of a shape have equally often."""
        self._sign = sign
        self._others = bytes({*range(0x100)} - {*sign, *_CONTROLS, *b"\\"})
        """What says neither the sign of a text nor whether it is plain."""
        self._patterns: dict[int, list[_Pattern[P]]] = {}
        self._count = 0

    def take(self, texts: Sequence[bytes]) -> tuple[list[Taken[P]], Sequence[int]]:
        """Give the texts that patterns take, and the places of the others."""
        if not self._patterns:
            return [], range(len(texts))
        found: list[Taken[P]] = []
        rest: list[int] = []
        for sign, left in self._by_sign(texts).items():
            rest += self._taken(self._patterns.get(sign, []), texts, left, found)
        return found, rest

    def _taken(
        self,
        patterns: list[_Pattern[P]],
        texts: Sequence[bytes],
        places: list[int],
        found: list[Taken[P]],
    ) -> list[int]:
        """Try the patterns of a sign; gives the places of texts that none takes."""
        left = places
        for pattern in patterns:
            if not left:
                break
            taken, left = _cut(pattern, texts, left)
            if taken.places:
                pattern.hits += len(taken.places)
                found.append(taken)
        patterns.sort(key=_hits, reverse=True)
        return left

    def add(self, text: str, pattern: str, plan: P) -> None:
        """Keep a pattern for texts like this one."""
        if self._count >= _MOST_PATTERNS:
            self._patterns.clear()
            self._count = 0
        (sign,) = self._by_sign([text.encode()])
        kept = self._patterns.setdefault(sign, [])
        if len(kept) < _MOST_TRIED and all(each.text != pattern for each in kept):
            made = re.compile(b"\\0%s(?=\\0)" % pattern.encode())
            kept.append(_Pattern(pattern, made.split, made.groups + 1, plan))
            self._count += 1

    def _by_sign(self, texts: Sequence[bytes]) -> dict[int, list[int]]:
        """Sort the places of texts by their signs; those that are not plain have a negative one."""
        others = self._others
        marks: dict[bytes, list[int]] = {}
        for at, mark in enumerate([text.translate(None, others) for text in texts]):
            if mark in marks:
                marks[mark].append(at)
            else:
                marks[mark] = [at]
        places: dict[int, list[int]] = {}
        for mark, those in marks.items():
            count = mark.count(self._sign)
            places.setdefault(count if count == len(mark) else ~count, []).extend(those)
        return places


def is_plain(text: bytes) -> bool:
    """Tell whether there is no backslash and no control character in a text."""
    return b"\\" not in text and len(text.translate(None, _CONTROLS)) == len(text)


def _cut(
    pattern: _Pattern[P], texts: Sequence[bytes], places: list[int]
) -> tuple[Taken[P], list[int]]:
    """Cut the texts at these places that a pattern takes; gives the places of the others too."""
    joined = _BETWEEN.join([texts[at] for at in places])
    if joined.count(_NUL) != 2 * len(places) - 2:
        clean = [at for at in places if _NUL not in texts[at]]
        taken, left = _cut(pattern, texts, clean) if clean else (Taken(pattern.plan, [], []), [])
        return taken, left + [at for at in places if _NUL in texts[at]]
    parts = pattern.split(b"\0%s\0" % joined)
    columns = [parts[at :: pattern.width] for at in range(1, pattern.width)]
    between = parts[:: pattern.width]
    if len(between) == len(places) + 1:
        return Taken(pattern.plan, places, columns), []
    return _sorted(pattern.plan, columns, between, places)


def _sorted(
    plan: P, columns: list[list[bytes]], between: list[bytes], places: list[int]
) -> tuple[Taken[P], list[int]]:
    """Tell which texts were taken: the others stand between them, with two NULs for each."""
    taken: list[int] = []
    left: list[int] = []
    at = 0
    for number in [number for number, each in enumerate(between) if len(each) > len(_BETWEEN) - 1]:
        start = number + len(left)  # so many were taken before, and so many were not
        taken += places[at:start]
        at = start + between[number].count(_NUL) // 2
        left += places[start:at]
    taken += places[at:]
    return Taken(plan, taken, columns), left


def checked(texts: list[bytes]) -> list[bytes]:
    """Strip the blanks around texts; one that is no UTF-8 becomes one that is no JSON."""
    if not all(
        _is_utf_8(b"\n".join(texts[at : at + _CHECKED])) for at in range(0, len(texts), _CHECKED)
    ):
        texts = [text if _is_utf_8(text) else b"?" for text in texts]
    return [text.strip(BLANK) for text in texts]


def _is_utf_8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
