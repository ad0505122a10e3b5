"""Test results as plain text: kept results of headers, cases, differences between rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.cli.texts import columns, count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.app.kept_tests import KeptTests
    from runner.app.row_difference import Difference, DifferentRow
    from runner.app.unit_tests import CaseResult

_WIDEST = 40
_MOST_ROWS = 10
_NUMBERS = (2, 3, 4)


def test_lines(kept: KeptTests) -> list[str]:
    """Write what a header's tests found, a line a test."""
    lines = []
    if kept.tests:
        rows = [
            (
                one.status,
                one.test,
                f"{one.partitions:,}",
                f"{one.rows:,}",
                f"{one.offending:,}",
                ", ".join(one.where) + (", ..." if one.failing > len(one.where) > 0 else ""),
            )
            for one in kept.tests
        ]
        head = ("result", "test", "partitions", "rows", "offending", "where")
        lines.append(f"tests: last published by {kept.run} at {kept.published_at}")
        lines += columns(head, rows, right=_NUMBERS).splitlines()
    if kept.stopped:
        lines.append(f"stopped by its tests in {kept.stopped}")
    return lines


def case_lines(result: CaseResult) -> Iterator[str]:
    """Write how a case ended; of a failed one, why."""
    if result.passed:
        yield f"  passed  {result.case}"
        return
    yield f"  FAILED  {result.case}  ({result.place})"
    if result.message:
        yield f"    {result.message}"
    if result.difference is not None:
        for line in _difference_lines(result.difference):
            yield f"    {line}".rstrip()


def _difference_lines(unlike: Difference) -> Iterator[str]:
    for row in unlike.different[:_MOST_ROWS]:
        yield from _different_lines(row, unlike.columns)
    yield from _more(len(unlike.different), "row that differs", "rows that differ")
    for title, rows in (("missing", unlike.missing), ("unexpected", unlike.unexpected)):
        if not rows:
            continue
        yield f"{count(len(rows), 'row')} {title}:"
        if unlike.columns:
            shown = [[_cut(cell) for cell in row] for row in rows[:_MOST_ROWS]]
            for line in columns(unlike.columns, shown).splitlines():
                yield f"  {line}"
        yield from _more(len(rows), f"row {title}", f"rows {title}")


def _different_lines(row: DifferentRow, names: Sequence[str]) -> Iterator[str]:
    """Write the cells that differ side by side, after those that tell which row it is."""
    cells = list(zip(names, row.expected, row.actual, strict=True))
    alike = [f"{name} {_cut(cell)}" for name, cell, _ in cells if name not in row.columns]
    which = f" ({', '.join(alike)})" if alike else ""
    yield f"row {row.row} differs{which}:"
    table = [(name, _cut(e), _cut(a)) for name, e, a in cells if name in row.columns]
    for line in columns(("column", "expected", "actual"), table).splitlines():
        yield f"  {line}"


def _more(number: int, one: str, many: str) -> Iterator[str]:
    hidden = number - _MOST_ROWS
    if hidden > 0:
        yield f"... and {hidden:,} more {one if hidden == 1 else many}"


def _cut(cell: str) -> str:
    return cell if len(cell) <= _WIDEST else f"{cell[: _WIDEST - 1]}…"
