"""The table with which Embulk's mode `replace` replaces one.

In: a manifest and the mart's table.  Out: the new table: columns that hold the load's values keep
their types, the others get those of a new table.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from runner.loads import fitting
from runner.loads.target import planned_table

if TYPE_CHECKING:
    from runner.loads.shapes import MartColumn, MartTable
    from runner.model.loads import LoadColumn, LoadManifest


def replaced_table(manifest: LoadManifest, table: MartTable) -> MartTable:
    """Describe the new table."""
    planned = planned_table(manifest, "mysql")
    columns = tuple(
        _column(table, column, made)
        for column, made in zip(manifest.all_columns, planned.columns, strict=True)
    )
    return replace(planned, name=table.name, columns=columns)


def keeps(found: MartColumn, column: LoadColumn) -> bool:
    """Tell whether a column keeps its type."""
    return (
        fitting.holds(found, column)
        and fitting.fine_enough(found, column)
        and fitting.long_enough(found, column)
    )


def _column(table: MartTable, column: LoadColumn, made: MartColumn) -> MartColumn:
    found = table.column(column.name)
    return found if found is not None and keeps(found, column) else made
