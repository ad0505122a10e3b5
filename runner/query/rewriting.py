"""Rendered SQL with pieces put in, still knowing where the rest stands in the user's files.

In: rendered SQL and edits at offsets of its sample.  Out: `Rendered`.  What is put in has the place
of what it replaces, or stands before.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from runner.model.sqltext import Mark, SqlText
from runner.query.rendered import Printed, sample_value
from runner.query.window_value import FIRST_PLACEHOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runner.errors import Place
    from runner.query.rendered import Locator, Rendered

Edit = tuple[int, int, tuple[str | Mark, ...]]
"""Start, end and what stands there from now on; offsets of `Rendered.sample`."""
_INSERTED = chr(FIRST_PLACEHOLDER + 0xFF00)
"""Stands for every mark that was put in: nobody asks which it is."""


@dataclass(frozen=True, slots=True)
class _Moved:
    """Finds places of a rewritten text through those of the text before."""

    before: Rendered
    starts: tuple[int, ...]
    """Offsets in the new plain text at which a piece begins."""
    origins: tuple[tuple[int, bool], ...]
    """For each piece its offset in the plain text before, and whether it moves along."""

    def trace(self, offset: int) -> tuple[Place, ...]:
        index = max(0, bisect_right(self.starts, offset) - 1)
        origin, copied = self.origins[index]
        old = origin + (offset - self.starts[index] if copied else 0)
        return self.before.locator.trace(old + self.before.cut)


@dataclass(slots=True)
class _Writer:
    """Collects the new text."""

    before: Rendered
    time_format: str | None
    parts: list[str | Mark] = field(default_factory=list)
    sample: list[str] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    printed: list[Printed] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    origins: list[tuple[int, bool]] = field(default_factory=list)
    sample_length: int = 0
    plain_length: int = 0

    def put(self, pieces: Iterable[str | tuple[Mark, str]], origin: int, *, copied: bool) -> None:
        """Add a piece that came from an offset of the sample before."""
        self.starts.append(self.plain_length)
        self.origins.append((self.before.plain_offset(origin), copied))
        for piece in pieces:
            if isinstance(piece, str):
                self._add(piece, piece, piece)
                continue
            mark, character = piece
            value = sample_value(mark, self.time_format)
            end = self.sample_length + len(value)
            self.printed.append(Printed(mark, self.sample_length, end, self.plain_length))
            self._add(mark, value, character)

    def _add(self, part: str | Mark, sample: str, plain: str) -> None:
        if not part:
            return
        last = self.parts[-1] if self.parts else None
        if isinstance(part, str) and isinstance(last, str):
            self.parts[-1] = last + part
        else:
            self.parts.append(part)
        self.sample.append(sample)
        self.plain.append(plain)
        self.sample_length += len(sample)
        self.plain_length += len(plain)


def rewritten(rendered: Rendered, edits: Iterable[Edit], *, time_format: str | None) -> Rendered:
    """Put the edits in; they do not overlap, and none of them cuts a mark."""
    writer = _Writer(rendered, time_format)
    position = 0
    for start, end, inserted in sorted(edits, key=lambda edit: edit[:2]):
        writer.put(_between(rendered, position, start), position, copied=True)
        new = [(part, _INSERTED) if isinstance(part, Mark) else part for part in inserted]
        writer.put(new, start, copied=False)
        position = end
    writer.put(_between(rendered, position, len(rendered.sample)), position, copied=True)
    locator = _Moved(rendered, tuple(writer.starts), tuple(writer.origins))
    return replace(
        rendered,
        sql=SqlText(tuple(writer.parts)),
        sample="".join(writer.sample),
        plain="".join(writer.plain),
        printed=tuple(writer.printed),
        cut=0,
        locator=cast("Locator", locator),
    )


def _between(rendered: Rendered, start: int, end: int) -> Iterator[str | tuple[Mark, str]]:
    position = start
    for printed in rendered.printed:
        if start <= printed.sample_start < end:
            yield rendered.sample[position : printed.sample_start]
            yield printed.mark, rendered.plain[printed.plain_offset]
            position = printed.sample_end
    yield rendered.sample[position:end]
