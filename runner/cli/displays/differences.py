"""What a deploy would change, as text: one block for each group, SQL as SQL."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.plan.stack.difference import Change, Difference

_MOST_CHANGES = 40
_MOST_NOTES = 12
_MOST_SQL = 60
_COLOURS = {"+": "green", "-": "red", "~": "yellow", "!": "red"}
_SAME = "no change: what is deployed is what the files say"


def show_difference(difference: Difference, *, whole: bool, colour: bool, err: bool) -> None:
    """Print what would change."""
    for line in difference_lines(difference, whole=whole):
        sign = line.strip()[:1]
        heading = not line.startswith(" ")
        styled = click.style(line, fg=_COLOURS.get(sign), bold=heading) if colour else line
        click.echo(styled, err=err)


def difference_lines(difference: Difference, *, whole: bool = False) -> Iterator[str]:
    """Give each line; long lists are cut unless `whole`."""
    if not difference.changes:
        yield _SAME
        return
    for group, found in groupby(difference.changes, key=lambda change: change.group):
        yield group.value
        changes = list(found)
        for change in changes if whole else changes[:_MOST_CHANGES]:
            yield from _change(change, whole=whole)
        if not whole and len(changes) > _MOST_CHANGES:
            yield f"  ... and {len(changes) - _MOST_CHANGES} more; --all shows them"
    yield from _lost(difference)


def _change(change: Change, *, whole: bool) -> Iterator[str]:
    yield f"  {change.sign.value} {change.name}"
    notes = change.notes if whole else _cut(change.notes, _MOST_NOTES)
    sql = change.sql if whole else _cut(change.sql, _MOST_SQL)
    yield from (f"      {line}" for line in (*notes, *sql))


def _cut(lines: Sequence[str], most: int) -> Sequence[str]:
    if len(lines) <= most:
        return lines
    return (*lines[:most], f"... and {len(lines) - most} more; --all shows them")


def _lost(difference: Difference) -> Iterator[str]:
    if not difference.lost:
        return
    yield "would destroy"
    for change in difference.lost:
        yield f"  ! {change.name}: {change.lost}"
