"""Rows of Iceberg data files without those that delete files list.

In: the files, and SQL that reads them with each row's file and place.  Out: SQL that reads the
rest.  A delete file is Parquet with the columns `file_path` and `pos`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.partitions import File

_LISTED = "__zqlisted"


def unstruck(
    files: Sequence[File], read: str, columns: Sequence[str], place: tuple[str, str]
) -> str:
    """Read files of which rows are deleted; `place` names the columns of the file and the row."""
    rows = ", ".join(
        f"({_text(file.path)}, {_text(file.url)}, {_text(listed)})"
        for file in files
        for listed in file.deletes
    )
    paths = ", ".join(_text(each) for each in dict.fromkeys(d for f in files for d in f.deletes))
    gone = (
        f"SELECT v.path, CAST(r.pos AS BIGINT) AS pos FROM read_parquet([{paths}], "
        f"hive_partitioning=false, union_by_name=true, filename='{_LISTED}') AS r "
        f"JOIN (VALUES {rows}) AS v(path, url, listed) "
        f"ON r.file_path = v.url AND r.{_LISTED} = v.listed"
    )
    wanted = ", ".join(f"d.{_quote(name)}" for name in columns)
    file, row = map(_quote, place)
    return (
        f"SELECT {wanted} FROM {read} AS d WHERE NOT EXISTS "
        f"(SELECT 1 FROM ({gone}) AS x WHERE x.path = d.{file} AND x.pos = d.{row})"
    )


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
