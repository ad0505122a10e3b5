"""Where rendered text comes from: offsets of the rendered SQL to places in the users' files.

In: the sources, and the text that they rendered to.  Out: an `OffsetMap`.  The sources are rendered
a second time with private characters in them: one in front of each piece of plain text (after its
leading white space, which Jinja may strip) and one on either side of each expression.  They are
taken out again while the map is built.  When the text that is left is not the text that was
rendered (a template looked at its own output), there is no map, and the nearest line must do.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.errors import Place
from runner.query.source import line_and_column

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.query.source import SourceFile
    from runner.query.template import Token

_END = "\U000f0000"
_FIRST = 0xF0001
_MOST = 0xFFFFD - _FIRST
_MARKER = re.compile("[\U000f0000-\U000ffffd]")


@dataclass(frozen=True, slots=True)
class Origin:
    """A place in a source file, and whether the text that follows is copied from there."""

    file: str
    offset: int
    copied: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the rendered text: where it begins, and where it comes from."""

    start: int
    origin: Origin
    calls: tuple[Origin, ...]
    """The expressions that printed it, the outermost first."""


@dataclass(slots=True)
class Instrument:
    """Puts markers into sources and remembers what they stand for."""

    origins: list[Origin] = field(default_factory=list)

    def mark(self, source: SourceFile, tokens: Iterable[Token]) -> str:
        """Write the source again with its markers."""
        text = source.padded()
        pieces: list[str] = []
        written = 0
        for offset, kind, value in tokens:
            pieces.append(text[written:offset])
            written = offset + len(value)
            pieces.append(self._marked(source, offset, kind, value))
        pieces.append(text[written:])
        return "".join(pieces)

    def _marked(self, source: SourceFile, offset: int, kind: str, value: str) -> str:
        if kind == "data":
            body = value.lstrip()
            blank = len(value) - len(body)
            if not body:
                return value
            marker = self._remember(Origin(source.path, offset + blank, copied=True))
            return value[:blank] + marker + body
        if kind == "variable_begin":
            marker = self._remember(Origin(source.path, offset, copied=False))
            return f'{value} "{marker}" }}}}{{{{'
        if kind == "variable_end":
            return f'}}}}{{{{ "{_END}" {value}'
        return value

    def _remember(self, origin: Origin) -> str:
        self.origins.append(origin)
        if len(self.origins) > _MOST:
            raise ValueError("more pieces of text than there are private characters")
        return chr(_FIRST + len(self.origins) - 1)


@dataclass(frozen=True, slots=True)
class OffsetMap:
    """The segments of a rendered text, in order."""

    segments: tuple[Segment, ...]
    sources: dict[str, SourceFile]

    def trace(self, offset: int) -> tuple[Place, ...]:
        """Give the place of an offset, then the calls that printed it, innermost first."""
        starts = [segment.start for segment in self.segments]
        index = bisect_right(starts, offset) - 1
        if index < 0:
            return ()
        segment = self.segments[index]
        origin = segment.origin
        moved = origin.offset + (offset - segment.start if origin.copied else 0)
        places = [self.sources[origin.file].place(moved)]
        places += [self.sources[call.file].place(call.offset) for call in reversed(segment.calls)]
        return tuple(dict.fromkeys(places))


def read_markers(
    text: str, origins: list[Origin], sources: dict[str, SourceFile]
) -> tuple[str, OffsetMap]:
    """Take the markers out of a rendered text and build the map that they describe."""
    plain: list[str] = []
    segments: list[Segment] = []
    stack: list[Origin] = []
    length = position = 0
    for match in _MARKER.finditer(text):
        piece = text[position : match.start()]
        plain.append(piece)
        length += len(piece)
        position = match.end()
        segments.append(_segment(length, match[0], origins, stack))
    plain.append(text[position:])
    return "".join(plain), OffsetMap(tuple(segments), sources)


def _segment(start: int, marker: str, origins: list[Origin], stack: list[Origin]) -> Segment:
    if marker == _END:
        origin = stack.pop()
        return Segment(start, origin, tuple(stack))
    origin = origins[ord(marker) - _FIRST]
    segment = Segment(start, origin, tuple(stack))
    if not origin.copied:
        stack.append(origin)
    return segment


def nearest_line(text: str, offset: int, source: SourceFile) -> Place:
    """Find the line of the source that looks like the rendered line; without a column."""
    line = line_and_column(text, offset)[0]
    wanted = text.split("\n")[line - 1].strip()
    body = source.text[source.body_offset :]
    first = source.place(source.body_offset).line
    for index, candidate in enumerate(body.split("\n")):
        if wanted and candidate.strip() == wanted:
            return Place(source.path, first + index)
    return Place(source.path, first)
