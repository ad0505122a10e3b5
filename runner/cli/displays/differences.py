"""What a deploy would change, as text: one block for each group, SQL as SQL."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.plan.stack.difference import Change, Difference

_MOST_NOTES = 12
_MOST_SQL = 60
_COLOURS = {"+": "green", "-": "red", "~": "yellow"}
_SAME = "no change: what is deployed is what the files say"


def difference_lines(difference: Difference, *, whole: bool) -> Iterator[tuple[str, str]]:
    """Give each line and the colour of its sign (empty for none).

    Long lists are cut unless `whole`.
    """
    if not difference.changes:
        yield _SAME, ""
        return
    for group, changes in groupby(difference.changes, key=lambda change: change.group):
        yield group.value, "bold"
        for change in changes:
            yield from _change(change, whole=whole)
    yield from _lost(difference)


def _change(change: Change, *, whole: bool) -> Iterator[tuple[str, str]]:
    yield f"  {change.sign.value} {change.name}", _COLOURS[change.sign.value]
    for note in _cut(change.notes, None if whole else _MOST_NOTES):
        yield f"      {note}", _COLOURS.get(note[:1], "")
    for line in _cut(change.sql, None if whole else _MOST_SQL):
        yield f"      {line}", _COLOURS.get(line[:1], "")


def _cut(lines: tuple[str, ...], most: int | None) -> tuple[str, ...]:
    if most is None or len(lines) <= most:
        return lines
    return (*lines[:most], f"... and {len(lines) - most} more; --all shows them")


def _lost(difference: Difference) -> Iterator[tuple[str, str]]:
    if not difference.lost:
        return
    yield "would destroy", "bold"
    for change in difference.lost:
        yield f"  ! {change.name}: {change.lost}", "red"
