"""What keeps rows from fitting an existing table, and which table they really go into.

In: a case.  Out: what was found, or pairs of columns.  A load with `mode: replace` makes a table
of another shape anew, so there the same things are no faults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.loads import fitting
from runner.loads.checks.case import DRIFT, Said
from runner.loads.replacing import replaced_table
from runner.loads.target import planned_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.loads.checks.case import LoadCase
    from runner.loads.shapes import MartColumn, MartTable
    from runner.model.loads import LoadColumn


def drift(case: LoadCase) -> tuple[Said, ...]:
    """Say all that keeps the rows from fitting the existing table, whatever the mode."""
    if case.table is None:
        return ()
    return (
        *missing(case, case.table),
        *misfits(case, case.table),
        *coarse(case, case.table),
        *short(case, case.table),
    )


def is_rebuilt(case: LoadCase) -> bool:
    """Tell whether the load makes the table anew; Embulk's `replace` always does."""
    if case.table is None or case.manifest.mode != "replace":
        return False
    return case.engine == "embulk" or bool(drift(case))


def kept(case: LoadCase) -> MartTable | None:
    """Give the table whose shape the rows must fit; None when the load makes one."""
    return None if case.manifest.mode == "replace" else case.table


def target(case: LoadCase) -> MartTable:
    """Give the table that the rows go into: the mart's own, or the one that is made."""
    if case.table is None:
        return planned_table(case.manifest, case.server.product)
    if not is_rebuilt(case):
        return case.table
    if case.engine == "embulk":
        return replaced_table(case.manifest, case.table)
    return planned_table(case.manifest, case.server.product)


def pairs(case: LoadCase) -> Iterator[tuple[LoadColumn, MartColumn]]:
    """Give each column of the load with the mart's that takes it."""
    table = target(case)
    for column in case.manifest.all_columns:
        found = table.column(column.name)
        if found is not None:
            yield column, found


def missing(case: LoadCase, table: MartTable) -> Iterator[Said]:
    """Find columns that the table lacks, and those that it must be given."""
    for column in case.manifest.all_columns:
        found = table.column(column.name)
        if found is None:
            add = f"ADD COLUMN {case.quoted(column.name)} {case.wanted(column)}"
            yield _drifted(
                f"it has no column {column.name} ({column.athena_type})", _alter(case, add)
            )
        elif found.generated:
            yield _drifted(
                f"its column {found.name} is computed by the server and takes no values",
                f"leave {column.name} out: `load: columns:` lists the columns to load",
            )
    loaded = {column.name.lower() for column in case.manifest.all_columns}
    for one in table.columns:
        if one.must_be_given and one.name.lower() not in loaded:
            yield _drifted(
                f"its column {one.name} is NOT NULL without a default and the rows do not have it",
                f"give {one.name} a default in the mart, or select it",
            )


def misfits(case: LoadCase, table: MartTable) -> Iterator[Said]:
    """Find columns whose type cannot hold the load's."""
    for column in case.manifest.all_columns:
        found = table.column(column.name)
        if found is None:
            continue
        if case.lite:
            yield from _misfit_of_sqlite(case, column, found)
        elif not fitting.holds(found, column):
            yield _narrow(case, column, found)


def _misfit_of_sqlite(case: LoadCase, column: LoadColumn, found: MartColumn) -> Iterator[Said]:
    wanted = case.wanted(column)
    if not fitting.stores(found.type, wanted):
        yield _drifted(
            f"column {column.name} is {found.full_type or 'untyped'}, "
            f"which does not hold {column.athena_type} ({wanted})",
            f"make the column anew as {wanted}: SQLite cannot change a type in place",
        )


def coarse(case: LoadCase, table: MartTable) -> Iterator[Said]:
    """Find times that would lose digits of a second."""
    for column in case.manifest.all_columns:
        found = None if case.lite else table.column(column.name)
        if (
            found is not None
            and column.mart_type is None
            and not fitting.fine_enough(found, column)
        ):
            yield _narrow(case, column, found)


def short(case: LoadCase, table: MartTable) -> Iterator[Said]:
    """Find texts whose declared length exceeds the column's."""
    for column in case.manifest.all_columns:
        found = None if case.lite else table.column(column.name)
        if (
            found is not None
            and fitting.holds(found, column)
            and not fitting.long_enough(found, column)
        ):
            yield _narrow(case, column, found)


def _narrow(case: LoadCase, column: LoadColumn, found: MartColumn) -> Said:
    wanted = case.wanted(column)
    return _drifted(
        f"column {column.name} is {found.full_type}, "
        f"which is narrower than {column.mart_type or column.athena_type}",
        _alter(case, f"MODIFY COLUMN {case.quoted(found.name)} {wanted}"),
    )


def _drifted(message: str, advice: str) -> Said:
    return Said(DRIFT, message, advice)


def _alter(case: LoadCase, what: str) -> str:
    return f"ALTER TABLE {case.quoted(case.name)} {what}"
