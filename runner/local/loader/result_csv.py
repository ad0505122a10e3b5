"""The rows of a load as Athena's result file has them, for Embulk where no Athena wrote one.

In: a source.  Out: a CSV file: a header line, every value quoted, NULL empty and unquoted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.loads.types import AthenaType, Family, parse_type
from runner.local.loader.source import literal, quoted
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from pathlib import Path

    from runner.local.loader.source import Source


def write_result(source: Source, path: Path) -> int:
    """Write every row; gives the count."""
    import duckdb  # noqa: PLC0415 - heavy; only a load needs it

    columns = source.manifest.all_columns
    if not source.relation:
        names = ",".join(quoted(column.name) for column in columns)
        path.write_text(f"{names}\n", encoding="utf-8")
        return 0
    select = ", ".join(
        f"{_form(quoted(column.name), parse_type(column.athena_type))} AS {quoted(column.name)}"
        for column in columns
    )
    try:
        row = source.connection.execute(
            f"COPY (SELECT {select} {source.relation}) TO {literal(str(path))} "
            "(FORMAT csv, HEADER true, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NULLSTR '', "
            "FORCE_QUOTE *)"
        ).fetchone()
    except duckdb.Error as exc:
        table = source.manifest.key.table
        raise ServiceError(
            "Load.Unreadable", f"{table}: the published files cannot be read: {exc}"
        ) from exc
    assert row is not None  # noqa: S101 - COPY gives its count
    return int(row[0])


def _form(column: str, kind: AthenaType) -> str:
    """Write a column as the SELECT of a load does on Athena."""
    match kind.family:
        case Family.FLOAT:
            return f"CASE WHEN isfinite({column}) THEN {column} END"
        case Family.TIMESTAMP:
            return f"strftime({column}, '%Y-%m-%d %H:%M:%S.%f')"
        case Family.BINARY:
            return f"hex({column})"
        case _:
            return column
