"""Columns that every table has beside its own: `$path`, `$file_size` and the like.

In: a scan's parts and the names that a query uses.  Out: the query that reads the files one by one,
each with what is known of it.  `SELECT *` does not give these columns.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from runner.local.athena.partitions import Part, hive_folder
from runner.local.athena.readers import scan_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.partitions import File
    from runner.local.athena.tables import TableInfo
    from runner.local.s3 import FolderS3

PATH, SIZE, MODIFIED, PARTITION = "$path", "$file_size", "$file_modified_time", "$partition"
HIDDEN = {
    PATH: "varchar",
    SIZE: "bigint",
    MODIFIED: "timestamp with time zone",
    PARTITION: "varchar",
}
"""Trino's types of the columns."""
_DUCK = {
    PATH: "VARCHAR",
    SIZE: "BIGINT",
    MODIFIED: "TIMESTAMP WITH TIME ZONE",
    PARTITION: "VARCHAR",
}


def has(table: TableInfo, column: str) -> bool:
    """Tell whether a table has a hidden column; only Hive's partitions have a name."""
    return column != PARTITION or (bool(table.keys) and not table.is_iceberg)


def hidden_sql(
    s3: FolderS3,
    table: TableInfo,
    parts: tuple[Sequence[Part], Sequence[Part]],
    columns: Sequence[str],
) -> str:
    """Write the query that reads the parts with these columns, too.

    The first parts have the files that the columns tell of, the second those that are read.
    """
    known = [each for each in columns if has(table, each)]
    told, read = parts
    files = [
        (part, file, ready)
        for part, made in zip(told, read, strict=True)
        for file, ready in zip(part.files, made.files, strict=True)
    ]
    if not files:
        nothing = "".join(f', CAST(NULL AS {_DUCK[each]}) AS "{each}"' for each in known)
        return f"(SELECT *{nothing} FROM {scan_sql(table, ())})"
    bucket = table.location.removeprefix("s3://").partition("/")[0]
    reads = (
        f"SELECT *{_facts(s3.url_of(Path(file.path), bucket), table, (part, file), known)} "
        f"FROM {scan_sql(table, (Part(part.values, (ready,)),))}"
        for part, file, ready in files
    )
    return f"({' UNION ALL '.join(reads)})"


def _facts(url: str, table: TableInfo, read: tuple[Part, File], columns: Sequence[str]) -> str:
    part, file = read
    made = datetime.fromtimestamp(os.stat(file.path).st_mtime, tz=UTC)  # noqa: PTH116 - text
    values = {
        PATH: _text(url),
        SIZE: f"CAST({file.size} AS BIGINT)",
        MODIFIED: f"CAST('{made.isoformat(sep=' ', timespec='milliseconds')}' AS TIMESTAMPTZ)",
        PARTITION: _text(hive_folder(table.keys, part.values).rstrip("/") if table.keys else ""),
    }
    return "".join(f', {values[each]} AS "{each}"' for each in columns)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
