"""Partitions of tables as text: one character each, a line for every month, day or year."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import click

from runner.cli.texts import columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runner.app.partitions import Cell, Grids, TableGrid

MARKS = {"published": "#", "stale": "~", "missing": ".", "failed": "x", "running": ">"}
_COLOURS = {
    "published": "green",
    "stale": "yellow",
    "missing": "bright_black",
    "failed": "red",
    "running": "cyan",
}
_HEADS = {"hour": len("2013-01-05"), "day": len("2013-01"), "month": len("2013"), "year": 3}
"""Characters of a period that name its line."""
_MOST_REASONS = 5


def grid_text(grid: TableGrid, *, colours: bool) -> str:
    """Draw one table."""
    title = f"{grid.name} ({grid.kind}): {_counts(grid) or 'no record yet'}"
    lines = [title, *_lines(grid, colours=colours)]
    if grid.cells:
        lines.append("  ".join(f"{_mark(state, colours)} {state}" for state in MARKS))
    return "\n".join([*lines, *_reasons(grid)])


def _counts(grid: TableGrid) -> str:
    return ", ".join(f"{grid.count(state)} {state}" for state in MARKS if grid.count(state))


def _lines(grid: TableGrid, *, colours: bool) -> Iterator[str]:
    if not grid.grain:
        return
    length = _HEADS[grid.grain]
    for head, cells in groupby(grid.cells, key=lambda cell: cell.period[:length]):
        found = list(cells)
        before = " " * _place(found[0].period, grid.grain)
        marks = "".join(_mark(cell.state, colours) for cell in found)
        yield f"{head}{'x' if grid.grain == 'year' else ''}  {before}{marks}"


def _place(period: str, grain: str) -> int:
    """Count the periods of a line that come before one."""
    match grain:
        case "hour":
            return int(period[-2:])
        case "year":
            return int(period[-1:])
        case _:
            return int(period[-2:]) - 1


def _mark(state: str, colours: bool) -> str:  # noqa: FBT001 - of this module alone
    return click.style(MARKS[state], fg=_COLOURS[state]) if colours else MARKS[state]


def _reasons(grid: TableGrid) -> Iterator[str]:
    """Say why partitions are stale, or who writes them, neighbours together."""
    told = [cells for key, cells in _neighbours(grid.cells) if key[1]]
    for cells in told[:_MOST_REASONS]:
        first, last = cells[0], cells[-1]
        span = first.period if first is last else f"{first.period}..{last.period}"
        where = f"{span} " if grid.grain else ""
        yield f"{where}{first.state}: {first.why}"
    if len(told) > _MOST_REASONS:
        yield f"... and {len(told) - _MOST_REASONS} more"


def _neighbours(cells: Iterable[Cell]) -> Iterator[tuple[tuple[str, str], list[Cell]]]:
    for key, group in groupby(cells, key=lambda cell: (cell.state, cell.why)):
        yield key, list(group)


def grids_text(found: Grids) -> str:
    """Write one line for each table."""
    rows = []
    for grid in found.tables:
        span = f"{grid.cells[0].period}..{grid.cells[-1].period}" if grid.cells else "-"
        numbers = [str(grid.count(state) or "-") for state in MARKS]
        rows.append((grid.name, *numbers, span if grid.grain else grid.kind))
    return columns(("table", *MARKS, "partitions"), rows, right=range(1, 1 + len(MARKS)))
