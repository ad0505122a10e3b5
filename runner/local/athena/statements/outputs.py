"""Columns of a query that become columns of a table, a view or files: each has its own name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.errors import AthenaFailure

if TYPE_CHECKING:
    from collections.abc import Sequence


def check_names(sql: str, names: Sequence[str]) -> None:
    """Refuse columns that have no name, or one that another has; raises AthenaFailure."""
    for number, name in enumerate(names):
        if name == f"_col{number}" and name not in sql:
            raise AthenaFailure(
                "MISSING_COLUMN_NAME",
                f"Column name not specified at position {number + 1}",
                line=1,
                column=1,
            )
        if name.lower() in [each.lower() for each in names[:number]]:
            raise AthenaFailure(
                "DUPLICATE_COLUMN_NAME",
                f"Column name '{name}' specified more than once",
                line=1,
                column=1,
            )
