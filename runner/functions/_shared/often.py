"""Shapes that come often: one pattern matches a whole text, one template writes it anew.

Making a pattern takes milliseconds, so only a shape that was met often gets one.  A pattern takes
nothing that its shape would not; what it does not take is cut at its values as before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING or __package__:
    from .skeleton import like
else:
    from skeleton import like

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MOST_PATTERNS = 64
_MOST_TRIED = 6
"""Patterns that are tried on a text."""
_MOST_VALUES = 400


@dataclass(slots=True)
class Pattern:
    """A shape's pattern and template."""

    text: str
    match: Callable[[str], re.Match[str] | None]
    pieces: list[str]
    """What is written: every second piece is the place of a group."""
    arrays: tuple[int, ...]
    """Groups that may be arrays, which are written as texts."""
    times: tuple[int | str, ...]
    """Groups of the times, or the times themselves."""
    hits: int = 0


class Often:
    """Patterns by a sign that texts of one shape mostly share."""

    def __init__(self) -> None:
        """Begin without patterns."""
        self._patterns: dict[int, list[Pattern]] = {}
        self._count = 0

    def filled(self, texts: Sequence[str], times: Sequence[list[str]] | None) -> list[str | None]:
        """Write each text by the first pattern that takes it; None where there is none."""
        flat: list[str | None] = [None] * len(texts)
        if not self._patterns:
            return flat
        places: dict[int, list[int]] = {}
        for at, sign in enumerate([text.count('":') for text in texts]):
            if sign in places:
                places[sign].append(at)
            else:
                places[sign] = [at]
        for sign, left in places.items():
            patterns = self._patterns.get(sign, [])
            for pattern in patterns:
                before = len(left)
                left = _filled(pattern, texts, left, flat, times)  # noqa: PLW2901 - what remains
                pattern.hits += before - len(left)
                if not left:
                    break
            patterns.sort(key=_hits, reverse=True)
        return flat

    def add(self, text: str, pattern: Pattern | None) -> None:
        """Keep a pattern for texts like this one."""
        if pattern is None:
            return
        if self._count >= _MOST_PATTERNS:
            self._patterns.clear()
            self._count = 0
        kept = self._patterns.setdefault(text.count('":'), [])
        if len(kept) < _MOST_TRIED and all(each.text != pattern.text for each in kept):
            kept.append(pattern)
            self._count += 1


def _hits(pattern: Pattern) -> int:
    return pattern.hits


def _filled(
    pattern: Pattern,
    texts: Sequence[str],
    places: list[int],
    flat: list[str | None],
    times: Sequence[list[str]] | None,
) -> list[int]:
    """Write the texts at these places that a pattern takes; gives the places of the others."""
    match, template, arrays = pattern.match, pattern.pieces, pattern.arrays
    left: list[int] = []
    for at in places:
        found = match(texts[at])
        if found is None:
            left.append(at)
            continue
        groups = found.groups()
        if times is not None:
            times[at][:] = [
                groups[time] if type(time) is int else str(time) for time in pattern.times
            ]
        pieces = template[:]
        pieces[1::2] = _with_texts(groups, arrays) if arrays else groups
        flat[at] = "".join(pieces)
    return left


def _with_texts(groups: tuple[str, ...], arrays: tuple[int, ...]) -> tuple[str, ...]:
    changed = list(groups)
    for at in arrays:
        if changed[at][0] == "[":
            changed[at] = encode_basestring(changed[at])
    return tuple(changed)


class Shape(Protocol):
    """What is written between values."""

    @property
    def between(self) -> Sequence[str]:
        """Give the texts around the values, one more than there are values."""

    @property
    def times(self) -> Sequence[int | str]:
        """Give the times: twice a value's number and one, or the time itself."""


def pattern_of(
    key: Sequence[str], samples: Sequence[Sequence[str]], shape: Shape, text: str
) -> Pattern | None:
    """Make the pattern of a shape whose values are of the samples' kinds.

    `key` is what stands between the values of `text`.  Values with the same text before them as
    the flat text has are taken together.
    """
    values, colon = list(zip(*samples, strict=True)), ": " if '": ' in text else ":"
    if len(values) > _MOST_VALUES:
        return None
    arrays = {at for at, found in enumerate(values) if any(value[0] == "[" for value in found)}
    apart = arrays | {at // 2 for at in shape.times if isinstance(at, int)}
    pattern, pieces, group_of = "", list[str](), dict[int, int]()
    for at, found in enumerate(values):
        before = key[at] + colon
        same = before == shape.between[at] and not apart & {at - 1, at}
        literal, like_these = re.escape(before), like(found)
        if same and at:
            pattern += literal + like_these
            continue
        pattern += ")" if at else ""
        pattern += f"({literal}{like_these}" if same else f"{literal}({like_these}"
        group_of[at] = len(pieces) // 2
        pieces += ["" if same else shape.between[at], ""]
    pattern = f"{pattern}){re.escape(key[-1])}"
    return Pattern(
        pattern,
        re.compile(pattern).fullmatch,
        [*pieces, shape.between[-1]],
        tuple(group_of[at] for at in sorted(arrays)),
        tuple(group_of[at // 2] if isinstance(at, int) else at for at in shape.times),
    )
