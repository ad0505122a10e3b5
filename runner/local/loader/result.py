"""What a load gives back, and the refusals that both kinds of mart share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from runner.model.loads import LoadManifest


class LoadResult(NamedTuple):
    """What a load did."""

    rows: int
    """Rows loaded (of an earlier load with the same key, if skipped)."""
    deleted: int
    """Rows that were deleted to make room."""
    skipped: bool
    """Whether the ledger said that this very load was done before."""
    table: str
    """The mart's table."""


def drifted(manifest: LoadManifest, faults: list[str]) -> ServiceError:
    """Say that the target's shape does not fit."""
    table = manifest.key.mart_table
    return ServiceError(
        "Load.SchemaDrift",
        f"{table} in the mart does not fit {manifest.key.table}: {'; '.join(faults)}. "
        f"Nothing was changed. Alter {table}, or name the type you want under "
        "`load: columns:`, or load it whole once with `mode: replace`",
    )


def miscounted(manifest: LoadManifest, rows: int) -> ServiceError:
    """Say that the files do not hold what the records promise."""
    return ServiceError(
        "Load.RowsDiffer",
        f"{manifest.key.table}: its files hold {rows} rows, its records say {manifest.rows}; "
        "nothing was loaded; run the table again",
    )
