"""Result files, and the answer of GetQueryResults.

In: an outcome.  Out: `<id>.csv` (or `.txt`) and its `.metadata` in the output location, and the
ResultSet of AWS's shape.  Athena's own `.metadata` is an undocumented binary; ours is JSON.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from runner.local.athena.render import render_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.session import Outcome
    from runner.local.athena.sqltypes import SqlType
    from runner.local.s3 import FolderS3

MANIFESTED = frozenset({"INSERT", "CREATE_TABLE_AS_SELECT", "UNLOAD"})
"""Statements that leave a manifest of the files that they wrote."""
_PRECISION = {
    "boolean": 1,
    "tinyint": 3,
    "smallint": 5,
    "integer": 10,
    "bigint": 19,
    "real": 24,
    "double": 53,
    "varchar": 2147483647,
    "timestamp": 3,
}


def output_url(location: str, identity: str, outcome: Outcome | None) -> str:
    """Give ResultConfiguration.OutputLocation as Athena fills it in."""
    base = f"{location.rstrip('/')}/{identity}"
    if outcome is None or outcome.substatement == "SELECT":
        return f"{base}.csv"
    if outcome.substatement in MANIFESTED:
        return base
    return f"{base}.txt"


def texts(outcome: Outcome) -> list[list[str | None]]:
    """Write every row's values as text."""
    return render_rows(outcome.rows, [kind for _, kind in outcome.columns])


def write_results(s3: FolderS3, url: str, outcome: Outcome, rows: list[list[str | None]]) -> None:
    """Write the result file, its metadata, and for written tables the manifest."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if outcome.substatement == "SELECT":
        header: list[str | None] = [name for name, _ in outcome.columns]
        body = "".join(_csv_line(row) for row in [header, *rows])
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    elif url.endswith(".txt"):
        lines = ("\t".join(value or "" for value in row) for row in rows)
        s3.put_object(Bucket=bucket, Key=key, Body="".join(f"{line}\n" for line in lines))
    else:
        manifest = "".join(f"{file}\n" for file in outcome.files)
        s3.put_object(Bucket=bucket, Key=f"{key}-manifest.csv", Body=manifest)
    metadata = json.dumps({"ColumnInfo": column_info(outcome.columns)})
    s3.put_object(Bucket=bucket, Key=f"{key}.metadata", Body=metadata)


def _csv_line(values: Sequence[str | None]) -> str:
    """Quote everything; NULL is nothing at all."""
    if None not in values:
        line = '","'.join(values)  # type: ignore[arg-type]  # no None among them
        if line.count('"') == 2 * len(values) - 2:
            return f'"{line}"\n'
    fields = ("" if v is None else '"' + v.replace('"', '""') + '"' for v in values)
    return ",".join(fields) + "\n"


def column_info(columns: Sequence[tuple[str, SqlType]]) -> list[dict[str, Any]]:
    """Describe columns as ResultSetMetadata does."""
    return [
        {
            "CatalogName": "hive",
            "SchemaName": "",
            "TableName": "",
            "Name": name,
            "Label": name,
            "Type": kind.athena(),
            "Precision": kind.numbers[0] if kind.numbers else _PRECISION.get(kind.name, 0),
            "Scale": kind.numbers[1] if len(kind.numbers) > 1 else 0,
            "Nullable": "UNKNOWN",
            "CaseSensitive": kind.name in {"varchar", "char"},
        }
        for name, kind in columns
    ]


def pack(outcome: Outcome, rows: list[list[str | None]]) -> str:
    """Write columns and rows for the history; a SELECT's first row is its header."""
    header = [[name for name, _ in outcome.columns]] if outcome.substatement == "SELECT" else []
    content = {"columns": column_info(outcome.columns), "rows": [*header, *rows]}
    return json.dumps({**content, "updated": outcome.rows_written})


def page(packed: str, *, start: int, most: int) -> dict[str, Any]:
    """Give one page of GetQueryResults."""
    content = json.loads(packed)
    rows = content["rows"][start : start + most]
    answer: dict[str, Any] = {
        "UpdateCount": content["updated"],
        "ResultSet": {
            "Rows": [
                {"Data": [{} if v is None else {"VarCharValue": v} for v in row]} for row in rows
            ],
            "ResultSetMetadata": {"ColumnInfo": content["columns"]},
        },
    }
    if start + most < len(content["rows"]):
        answer["NextToken"] = str(start + most)
    return answer
