"""Flat texts of a shape: what stands between the values, and what of the values changes.

In: columns of values, as `often` cuts them.  Out: a flat text for each row of them.
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
    from collections.abc import Sequence

_MOST_VALUES = 400
_NUL = b"\0"
"""Between texts: JSON has none."""


@dataclass(frozen=True, slots=True)
class Template:
    """How values become a flat text."""

    pieces: list[bytes]
    """What is written; every second piece is a value's place.  NUL ends it."""
    arrays: tuple[int, ...]
    """Groups that may be arrays, which are written as texts."""
    times: tuple[int | str, ...]
    """Groups of the times, or the times themselves."""
    plain: bool
    """Whether it is for plain texts."""

    def filled(self, columns: Sequence[Sequence[bytes]]) -> list[bytes]:
        """Give a flat text for each row of the columns: all are written in one go."""
        width = len(self.pieces)
        pieces = self.pieces * len(columns[0])
        for group, column in enumerate(columns):
            pieces[2 * group + 1 :: width] = self._texts(column) if group in self.arrays else column
        return b"".join(pieces).split(_NUL)[:-1]

    def _texts(self, column: Sequence[bytes]) -> list[bytes]:
        """Write arrays as texts, and other values as they are."""
        joined = _NUL.join(column)
        if self.plain and joined.startswith(b"[") and joined.count(b"\0[") == len(column) - 1:
            return (b'"%b"' % joined.replace(b'"', b'\\"').replace(_NUL, b'"\0"')).split(_NUL)
        return [
            encode_basestring(value.decode()).encode() if value.startswith(b"[") else value
            for value in column
        ]

    def times_of(self, columns: Sequence[Sequence[bytes]]) -> list[list[str]]:
        """Give the times of each row of the columns."""
        count = len(columns[0])
        if not self.times:
            return [[] for _ in range(count)]
        found = [
            [at] * count if isinstance(at, str) else [value.decode() for value in columns[at]]
            for at in self.times
        ]
        return [list(row) for row in zip(*found, strict=True)]


class Shape(Protocol):
    """What is written between values."""

    @property
    def between(self) -> Sequence[str]:
        """Give the texts around the values, one more than there are values."""

    @property
    def times(self) -> Sequence[int | str]:
        """Give the times: twice a value's number and one, or the time itself."""


def template_of(
    key: Sequence[str],
    samples: Sequence[Sequence[str]],
    shape: Shape,
    *,
    spaced: bool,
    plain: bool,
) -> tuple[str, Template] | None:
    """Make the pattern and template of a shape whose values are of the samples' kinds.

    `key` is what stands between values, `spaced` whether a space is behind colons, and `plain`
    whether it is for plain texts.  Values with the same text before them as the flat text has are
    taken together.
    """
    values, colon = list(zip(*samples, strict=True)), ": " if spaced else ":"
    if len(values) > _MOST_VALUES:
        return None
    arrays = {at for at, found in enumerate(values) if any(value[0] == "[" for value in found)}
    apart = arrays | {at // 2 for at in shape.times if isinstance(at, int)}
    pattern, pieces, group_of = "", list[str](), dict[int, int]()
    for at, found in enumerate(values):
        before = key[at] + colon
        same = before == shape.between[at] and not apart & {at - 1, at}
        literal, like_these = re.escape(before), like(found, plain=plain)
        if same and at:
            pattern += literal + like_these
            continue
        pattern += ")" if at else ""
        pattern += f"({literal}{like_these}" if same else f"{literal}({like_these}"
        group_of[at] = len(pieces) // 2
        pieces += ["" if same else shape.between[at], ""]
    pattern = f"{pattern}){re.escape(key[-1])}"
    times = tuple(group_of[at // 2] if isinstance(at, int) else at for at in shape.times)
    arrays_ = tuple(group_of[at] for at in sorted(arrays))
    pieces.append(f"{shape.between[-1]}\0")
    return pattern, Template([piece.encode() for piece in pieces], arrays_, times, plain)
