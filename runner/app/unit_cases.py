"""A unit test before it runs: its tables, columns, values and window, or every fault of it.

In: a case as it was read, its table, the bench.  Out: `Checked`, or faults at the places of the
test's file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runner.app.preview_window import Window
from runner.app.unit_values import UnfitValueError, value_of
from runner.errors import Fault
from runner.keeper import windows
from runner.local.athena import AthenaFailure
from runner.model.nearest import listed, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.app.row_difference import Values
    from runner.app.unit_bench import Bench
    from runner.app.unit_values import Columns
    from runner.model.project import Table
    from runner.model.unit_test import Row
    from runner.project.unit_tests import Case, UnitTestFile

_GRAINS = ("day", "hour", "month", "year")


@dataclass(frozen=True, slots=True)
class Checked:
    """A case that can run."""

    file: UnitTestFile
    case: Case
    table: Table
    bench: Bench
    window: Window
    inputs: tuple[str, ...]
    given: dict[str, tuple[dict[str, object], ...]]
    """Rows of the inputs, as values of their columns' types."""
    columns: tuple[str, ...]
    """Names that the expected rows name, in the order of the query."""
    expected: tuple[Values, ...]


def check_case(
    file: UnitTestFile, case: Case, table: Table, bench: Bench
) -> tuple[Checked | None, tuple[Fault, ...]]:
    """Look for everything that is wrong with a case, and make its values."""
    faults: list[Fault] = []
    inputs = bench.inputs(table, tuple(case.test.given))
    faults += _unknown_inputs(case, table, inputs)
    window = _window(case, table)
    if isinstance(window, Fault):
        faults.append(window)
        window = Window("2013-01-05", "2013-01-05", "day")
    given: dict[str, tuple[dict[str, object], ...]] = {}
    for name in inputs:
        rows = case.test.given.get(name)
        columns, certain = bench.types(name, rows or ())
        if rows is not None:
            made, wrong = _values(case, ("given", name), rows, columns, of=name)
            faults += wrong if certain else [f for f in wrong if f.code != "unknown-column"]
            given[name] = tuple(made)
    for name in inputs:
        bench.define(name, case.test.given.get(name, ()), given=name in given)
    named, expected, wrong = _expected(case, table, bench)
    faults += wrong
    if faults:
        return None, tuple(faults)
    return Checked(file, case, table, bench, window, inputs, given, named, expected), ()


def project_fault(case: Case, fault: Fault) -> Fault:
    """Let a fault of a variable point at the case that gives it."""
    word, _, name = fault.place.file.partition(" ")
    return replace(fault, place=case.places.key("vars", name)) if word == "--var" else fault


# --- rows ---------------------------------------------------------------------------------------


def _unknown_inputs(case: Case, table: Table, inputs: Sequence[str]) -> Iterator[Fault]:
    for name in case.test.given:
        if name not in inputs:
            yield Fault(
                case.places.key("given", name),
                "unknown-table",
                f"rows of {name}, which {table.name} does not read",
                f"what it reads: {listed(inputs)}",
                suggestion(name, inputs, otherwise="remove it, or correct the name"),
            )


def _values(
    case: Case, path: tuple[str, ...], rows: Sequence[Row], columns: Columns, *, of: str
) -> tuple[list[dict[str, object]], list[Fault]]:
    """Make values of the columns' types of every row."""
    types = dict(columns)
    made: list[dict[str, object]] = []
    faults: list[Fault] = []
    for index, row in enumerate(rows):
        values: dict[str, object] = {}
        for name, cell in row.items():
            if name not in types:
                place = case.places.key(*path, index, name)
                faults.append(
                    Fault(
                        place,
                        "unknown-column",
                        f"the column `{name}`, which {of} does not have",
                        f"one of {listed(types)}",
                        suggestion(name, types, otherwise="remove it, or correct the name"),
                    )
                )
                continue
            try:
                values[name] = value_of(cell, types[name])
            except UnfitValueError as error:
                place = case.places.value(*path, index, name)
                shown = "a list or mapping" if isinstance(cell, list | dict) else repr(cell)
                faults.append(
                    Fault(
                        place,
                        "wrong-type",
                        f"{shown} for `{name}`, which is of type {types[name].trino()}",
                        error.expected,
                        error.advice,
                    )
                )
        made.append(values)
    return made, faults


def _expected(
    case: Case, table: Table, bench: Bench
) -> tuple[tuple[str, ...], tuple[Values, ...], list[Fault]]:
    """Make the expected rows by the query's own columns; none if the query cannot be described."""
    try:
        columns = bench.describe(table)
    except AthenaFailure:  # running it says what is wrong
        return (), (), []
    made, faults = _values(case, ("expect",), case.test.expect, columns, of=str(table.name))
    named = {name for row in case.test.expect for name in row}
    names = tuple(name for name, _ in columns if name in named)
    return names, tuple(tuple(row.get(name) for name in names) for row in made), faults


# --- the window ---------------------------------------------------------------------------------


def _window(case: Case, table: Table) -> Window | Fault:
    given = case.test.window
    grain = table.partitioning.grain
    if given is None:
        return _expected_window(case, table)
    start, end = (given, given) if isinstance(given, str) else (given.start, given.end)
    for one in dict.fromkeys((grain or "day", *_GRAINS)):
        if _is_civil(start, one) and _is_civil(end, one):
            window = Window(start, end, one)
            return window.to(grain) if grain else window
    return Fault(
        case.places.value("window"),
        "bad-window",
        start if start == end else f"{start}..{end}",
        "days such as 2013-01-05, or hours, months or years alike",
        "write window: 2013-01-05, or window: {start: 2013-01-05, end: 2013-01-07}",
    )


def _expected_window(case: Case, table: Table) -> Window | Fault:
    """Take the one period that the expected rows name."""
    time = table.partitioning.time
    grain = table.partitioning.grain or "day"
    if not table.sql.marks():
        return Window("2013-01-05", "2013-01-05", "day").to(grain)
    column = time[0][0] if len(time) == 1 else ""
    named = {row.get(column) for row in case.test.expect}
    (label,) = named if len(named) == 1 else ("",)
    if isinstance(label, str) and _is_civil(label, grain):
        return Window(label, label, grain)
    return Fault(
        case.places.key(),
        "missing-key",
        f"no `window`, and the expected rows do not name one {grain}",
        "`window`: what the SQL's {{ start }} and {{ end }} are",
        "add the line `window: 2013-01-05`, or {start: ..., end: ...}",
    )


def _is_civil(text: str, grain: str) -> bool:
    try:
        windows.parse_civil(text, grain)
    except ValueError:
        return False
    return True
