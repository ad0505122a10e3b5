"""Shapes that come often: one pattern cuts many texts of a shape at once.

In: texts, and patterns of shapes with what to do with their values.  Out: columns of values, and
the texts that no pattern takes.

The texts are joined with NUL around each, and one `split` gives the values of all of them.  Why
that is right: a pattern begins at a NUL and ends before one, and nothing in it takes a NUL, for
JSON has none; so what it takes is a whole text.  A text that holds a NUL itself is left out.

Making a pattern takes milliseconds, so only a shape that was met often gets one.  A pattern takes
nothing that its shape would not; what it does not take is cut at its values, one by one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MOST_PATTERNS = 64
_MOST_TRIED = 6
"""Patterns that are tried on a text."""
_NUL = "\0"

P = TypeVar("P")


@dataclass(slots=True)
class _Pattern(Generic[P]):
    """A shape's pattern, and what is done with its values."""

    text: str
    split: Callable[[str], list[str]]
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
    columns: list[list[str]]
    """For each group of the pattern its value in each text."""


class Often(Generic[P]):
    """Patterns by a sign that texts of one shape mostly share."""

    def __init__(self) -> None:
        """Begin without patterns."""
        self._patterns: dict[int, list[_Pattern[P]]] = {}
        self._count = 0

    def take(self, texts: Sequence[str]) -> tuple[list[Taken[P]], Sequence[int]]:
        """Give the texts that patterns take, and the places of the others."""
        if not self._patterns:
            return [], range(len(texts))
        places: dict[int, list[int]] = {}
        for at, sign in enumerate([text.count('":') for text in texts]):
            if sign in places:
                places[sign].append(at)
            else:
                places[sign] = [at]
        found: list[Taken[P]] = []
        rest: list[int] = []
        for sign, left in places.items():
            rest += self._taken(self._patterns.get(sign, []), texts, left, found)
        return found, rest

    def _taken(
        self,
        patterns: list[_Pattern[P]],
        texts: Sequence[str],
        places: list[int],
        found: list[Taken[P]],
    ) -> list[int]:
        """Try the patterns of a sign; gives the places of texts that none takes."""
        foreign = [at for at in places if _NUL in texts[at]]
        left = [at for at in places if _NUL not in texts[at]] if foreign else places
        for pattern in patterns:
            if not left:
                break
            taken, left = _cut(pattern, texts, left)
            if taken.places:
                pattern.hits += len(taken.places)
                found.append(taken)
        patterns.sort(key=_hits, reverse=True)
        return left + foreign

    def add(self, text: str, pattern: str, plan: P) -> None:
        """Keep a pattern for texts like this one."""
        if self._count >= _MOST_PATTERNS:
            self._patterns.clear()
            self._count = 0
        kept = self._patterns.setdefault(text.count('":'), [])
        if len(kept) < _MOST_TRIED and all(each.text != pattern for each in kept):
            made = re.compile(f"{_NUL}{pattern}(?={_NUL})")
            kept.append(_Pattern(pattern, made.split, made.groups + 1, plan))
            self._count += 1


def _cut(
    pattern: _Pattern[P], texts: Sequence[str], places: list[int]
) -> tuple[Taken[P], list[int]]:
    """Cut the texts at these places that a pattern takes; gives the places of the others too."""
    joined = _NUL.join([texts[at] for at in places])
    parts = pattern.split(f"{_NUL}{joined}{_NUL}")
    columns = [parts[at :: pattern.width] for at in range(1, pattern.width)]
    between = parts[:: pattern.width]
    if len(between) == len(places) + 1:
        return Taken(pattern.plan, places, columns), []
    between[-1] = between[-1][:-1]  # the last NUL is no text's
    taken: list[int] = []
    left: list[int] = []
    at = 0
    for each in between:
        if each:
            count = each.count(_NUL)
            left += places[at : at + count]
            at += count
        taken += places[at : at + 1]
        at += 1
    return Taken(pattern.plan, taken, columns), left
