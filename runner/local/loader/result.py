"""What a load gives back, and the refusals that both kinds of mart share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.model.loads import LoadManifest

    Tell = Callable[[int], None]
    """Hears of rows as they go; a count so far, exact at the end only."""


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
    counted: int | None = None
    """Rows of the window (of the table, without one) in the mart afterwards, where they can be
    compared with the rows of the lake."""
    warnings: tuple[str, ...] = ()
    engine: str = "native"
    way: str = ""
    """How the rows went: `direct`, `staged`, `insert`; for those who measure."""


def untold(rows: int) -> None:
    """Hear nothing."""
    del rows


def miscounted(manifest: LoadManifest, rows: int) -> ServiceError:
    """Say that the files do not hold what the records promise."""
    return ServiceError(
        "Load.RowsDiffer",
        f"{manifest.key.table}: its files hold {rows} rows, its records say {manifest.rows}; "
        "nothing was loaded; run the table again",
    )


def unreconciled(manifest: LoadManifest, rows: int, counted: int) -> ServiceError:
    """Say that the mart does not hold what was loaded into it."""
    where = "the window" if manifest.window is not None else "the table"
    return ServiceError(
        "Load.NotReconciled",
        f"{manifest.key.mart_table}: {rows} rows were loaded, {counted} are in {where} "
        "afterwards; the load was rolled back; look for a trigger, a second writer, or rows "
        "whose partition values the mart stores differently",
    )


def too_large(manifest: LoadManifest, most: int) -> ServiceError:
    """Say that one row is more than a statement may be."""
    return ServiceError(
        "Load.RowTooLarge",
        f"{manifest.key.table}: a row is longer than the {most} bytes that the mart takes in one "
        "statement; nothing was loaded; raise the server's max_allowed_packet, or set "
        "local_infile on: LOAD DATA has no such limit",
    )


def check_count(manifest: LoadManifest, rows: int, counted: int) -> None:
    """Compare the lake's rows with the mart's: a merge may find more, nothing may find fewer."""
    match manifest.mode:
        case "merge" | "merge_direct":
            wrong = counted < rows
        case "insert" | "insert_direct":
            wrong = False
        case "replace" | "truncate_insert" | "replace_window":
            wrong = counted != rows
    if wrong:
        raise unreconciled(manifest, rows, counted)
