"""A rendered SQL file: text with marks, a sample of it, and the way back to the users' files."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.errors import Fault
from runner.keeper.windows import evaluate_mark
from runner.query.positions import OffsetMap, nearest_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.errors import Place
    from runner.model.names import TableName
    from runner.model.sqltext import Mark, SqlText
    from runner.query.source import SourceFile

CIVIL_FORMAT = "yyyy-MM-dd"
"""What a mark prints in a table without a time column (SEMANTICS 15: as given)."""
_SAMPLE_DAY = "2013-01-05"


def sample_value(mark: Mark, time_format: str | None) -> str:
    """Write the mark for the sample window, 2013-01-05."""
    pattern = mark.format or time_format or CIVIL_FORMAT
    day = _SAMPLE_DAY
    try:
        return evaluate_mark(day, day, "day", base=mark.base, steps=mark.steps, pattern=pattern)
    except ValueError:
        return day  # the header's check tells about the pattern


@dataclass(frozen=True, slots=True)
class Printed:
    """A mark in the rendered text, and the sample value that stands for it."""

    mark: Mark
    sample_start: int
    sample_end: int
    plain_offset: int
    """Offset in the text where each mark is one character."""


class Locator:
    """Finds places of rendered text; renders again, once, when the first place is asked."""

    def __init__(
        self, source: SourceFile, text: str, *, draw: Callable[[], OffsetMap | None] | None
    ) -> None:
        """Take the file, everything that it rendered to, and how to draw the map."""
        self._source = source
        self._text = text
        self._draw = draw
        self._map: OffsetMap | None = None

    def __reduce__(self) -> tuple[Callable[[SourceFile, str], Locator], tuple[SourceFile, str]]:
        """Pickle without the way back: a stored rendering knows lines only; render to know more."""
        return _stored_locator, (self._source, self._text)

    def trace(self, offset: int) -> tuple[Place, ...]:
        """Give the place of an offset in the text, then the calls that printed it."""
        if self._draw is not None:
            self._map = self._draw()
            self._draw = None
        places = self._map.trace(offset) if self._map is not None else ()
        return places or (nearest_line(self._text, offset, self._source),)


def _stored_locator(source: SourceFile, text: str) -> Locator:
    return Locator(source, text, draw=None)


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a SQL file says after Jinja, before an environment's names and a window's values."""

    file: str
    sql: SqlText
    """Text and marks; no leading or trailing white space, no semicolon at the end."""
    sample: str
    """The same text with sample values for marks, which a parser can read."""
    plain: str
    """The same text with one private character for each mark."""
    printed: tuple[Printed, ...]
    refs: tuple[TableName, ...]
    """Tables named by ref()."""
    cut: int
    """Characters that were cut off in front."""
    locator: Locator = field(compare=False, repr=False)

    def plain_offset(self, sample_offset: int) -> int:
        """Turn an offset of `sample` into one of `plain`."""
        starts = [printed.sample_start for printed in self.printed]
        index = bisect_right(starts, sample_offset) - 1
        if index < 0:
            return sample_offset
        printed = self.printed[index]
        if sample_offset < printed.sample_end:
            return printed.plain_offset
        return printed.plain_offset + 1 + sample_offset - printed.sample_end

    def locate(self, sample_offset: int) -> Place:
        """Give the place in the user's file of an offset in `sample`."""
        return self.trace(sample_offset)[0]

    def trace(self, sample_offset: int) -> tuple[Place, ...]:
        """Give the place of an offset in `sample`, then the calls that printed it."""
        return self.locator.trace(self.plain_offset(sample_offset) + self.cut)

    def fault(
        self, sample_offset: int, code: str, *, found: str, expected: str, advice: str
    ) -> Fault:
        """Make a fault at an offset in `sample`; text of a macro names the calls as well."""
        place, *calls = self.trace(sample_offset)
        foreign = [
            str(call) for call in calls if call.file != place.file or call.line != place.line
        ]
        if foreign:
            found += f" (printed by the call at {', in '.join(foreign)})"
        return Fault(place, code, found, expected, advice)
