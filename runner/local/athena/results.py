"""Result files, and the answer of GetQueryResults.

In: an outcome.  Out: `<id>.csv` (or `.txt`) and its `.metadata` in the output location, and the
ResultSet of AWS's shape.
A result of few rows is kept in the history, too; of a larger one the pages are read from its file.
"""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.local.athena.errors import InvalidRequest
from runner.local.athena.render import render_column
from runner.local.athena.resultmeta import metadata_of
from runner.local.athena.sqltypes import SqlType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from runner.local.athena.session import Outcome
    from runner.local.s3 import FolderS3

MANIFESTED = frozenset({"INSERT", "CREATE_TABLE_AS_SELECT", "UNLOAD"})
"""Statements that leave a manifest of the files that they wrote."""
_COUNTED = MANIFESTED | {"UPDATE", "DELETE", "MERGE"}
"""Statements whose result is the number of rows."""
_PRECISION = {
    "tinyint": 3,
    "smallint": 5,
    "integer": 10,
    "bigint": 19,
    "real": 17,
    "double": 17,
    "varchar": 2147483647,
    "varbinary": 1073741824,
    "timestamp": 3,
    "timestamp with time zone": 3,
    "time": 3,
}
_ROWS = (("rows", SqlType("bigint")),)
_FIELD = re.compile(rb'(?:"((?:[^"]|"")*)")?[,\n]')
_TOKEN = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?")


class Kept(NamedTuple):
    """What the history keeps of a result; `rows` is None where a page is read from the file."""

    columns: list[dict[str, Any]]
    rows: list[list[str | None]] | None
    updated: int | None
    url: str = ""
    rows_in_all: int = 0
    """Rows, without a header; those written, if the statement wrote any."""

    def packed(self) -> str:
        """Write it for the history."""
        return json.dumps(self._asdict())


def output_url(location: str, identity: str, substatement: str) -> str:
    """Give ResultConfiguration.OutputLocation as Athena fills it in."""
    base = f"{location.rstrip('/')}/{identity}"
    if substatement in {"SELECT", ""}:
        return f"{base}.csv"
    if substatement == "CREATE_TABLE_AS_SELECT":
        return f"{location.rstrip('/')}/tables/{identity}"
    return base if substatement in _COUNTED else f"{base}.txt"


def write_results(s3: FolderS3, url: str, outcome: Outcome) -> Kept:
    """Write the result file, its metadata, and for written tables the manifest."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    rows: list[list[str | None]] | None = None
    columns, count = outcome.columns, len(outcome.rows)
    if outcome.substatement in _COUNTED:
        columns, rows, count = _ROWS, [], outcome.rows_written
        if outcome.substatement in MANIFESTED:
            manifest = "".join(f"{file}\n" for file in outcome.files)
            s3.put_object(Bucket=bucket, Key=f"{key}-manifest.csv", Body=manifest)
    elif outcome.substatement == "SELECT":
        rows, count = _write_csv(s3, (bucket, key), outcome)
    else:
        rows = _lines(_texts(outcome.rows, [kind for _, kind in columns]))
        count = len(rows)
        if outcome.substatement == "EXPLAIN":  # the one statement of its kind with a header
            rows = [[name for name, _ in columns], *rows]
        lines = ("\t".join(value or "" for value in row) for row in rows)
        s3.put_object(Bucket=bucket, Key=key, Body="".join(f"{line}\n" for line in lines))
    described = column_info(columns)
    s3.put_object(Bucket=bucket, Key=f"{key}.metadata", Body=metadata_of(described))
    return Kept(described, rows, _update_count(outcome), url, count)


def _update_count(outcome: Outcome) -> int | None:
    if outcome.substatement in _COUNTED:
        return outcome.rows_written
    if outcome.kind == "DDL" or outcome.substatement == "EXPLAIN":
        return None
    return outcome.rows_written


def _texts(rows: Sequence[Sequence[Any]], kinds: Sequence[SqlType]) -> list[list[str | None]]:
    """Write every value as text, column by column."""
    columns = zip(*rows, strict=True)
    written = (render_column(each, kind) for each, kind in zip(columns, kinds, strict=False))
    return [list(row) for row in zip(*written, strict=True)]


def _lines(rows: list[list[str | None]]) -> list[list[str | None]]:
    """Give each line of a text that is alone in its row a row of its own."""
    if not rows or len(rows[0]) > 1:
        return rows
    return [[line] for row in rows for line in (row[0] or "").split("\n")]


def _write_csv(
    s3: FolderS3, place: tuple[str, str], outcome: Outcome
) -> tuple[list[list[str | None]] | None, int]:
    """Write the rows below their header; gives all of them if they are few, and their number."""
    bucket, key = place
    kinds = [kind for _, kind in outcome.columns]
    header: list[str | None] = [name for name, _ in outcome.columns]
    first = [header, *_texts(outcome.rows, kinds)]
    if outcome.more is None:
        s3.put_object(Bucket=bucket, Key=key, Body="".join(_csv_line(row) for row in first))
        return first, len(first) - 1
    path = s3.temporary_folder(bucket) / f"{key.rpartition('/')[2]}"
    count = -1  # the header is no row
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            for rows in chain([first], (_texts(batch, kinds) for batch in outcome.more)):
                file.writelines(_csv_line(row) for row in rows)
                count += len(rows)
        s3.adopt(path, Bucket=bucket, Key=key)
    finally:
        path.unlink(missing_ok=True)
    return None, count


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
            "Precision": _precision(kind),
            "Scale": kind.numbers[1] if len(kind.numbers) > 1 else 0,
            "Nullable": "UNKNOWN",
            "CaseSensitive": kind.name in {"varchar", "char"},
        }
        for name, kind in columns
    ]


def _precision(kind: SqlType) -> int:
    if kind.numbers and kind.name != "time":
        return kind.numbers[0]
    return _PRECISION.get(kind.name, 0)


def page(s3: FolderS3, packed: str, *, token: str, most: int) -> dict[str, Any]:
    """Give one page of GetQueryResults; raises InvalidRequest."""
    kept = Kept(**json.loads(packed))
    start, offset = _read_token(token)
    if kept.rows is not None:
        if kept.rows and start > len(kept.rows):
            raise _malformed(token)
        rows = kept.rows[start : start + most]
        following = str(start + most)
    else:
        rows, offset = _read_rows(s3, kept.url, offset, most)
        following = f"{start + most}-{offset}"
    answer: dict[str, Any] = {
        **({} if kept.updated is None else {"UpdateCount": kept.updated}),
        "ResultSet": {
            "Rows": [
                {"Data": [{} if v is None else {"VarCharValue": v} for v in row]} for row in rows
            ],
            "ResultSetMetadata": {"ColumnInfo": kept.columns},
        },
    }
    if len(rows) == most:  # a full page has a token even where nothing is left
        answer["NextToken"] = following
    return answer


def _read_token(token: str) -> tuple[int, int]:
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise _malformed(token)
    return int(match[1]), int(match[2] or 0)


def _malformed(token: str) -> InvalidRequest:
    return InvalidRequest(f"Malformed nextPageToken {token}")


def _read_rows(
    s3: FolderS3, url: str, offset: int, most: int
) -> tuple[list[list[str | None]], int]:
    """Read rows from where an earlier page ended; gives where this one ends, too."""
    rows: list[list[str | None]] = []
    try:
        with s3.path_of(url).open("rb") as file:
            file.seek(offset)
            for record in _records(file):
                rows.append(_fields(record))
                offset += len(record)
                if len(rows) == most:
                    break
    except FileNotFoundError:
        raise InvalidRequest("Could not find results", detail="RESULT_NOT_FOUND") from None
    return rows, offset


def _records(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Join lines as long as a quote is open."""
    record = b""
    for line in lines:
        record += line
        if record.count(b'"') % 2 == 0:
            yield record
            record = b""


def _fields(record: bytes) -> list[str | None]:
    r"""Read one line of a result file.

    >>> _fields(b'"a ""b"" c",,""\n')
    ['a "b" c', None, '']
    """
    return [
        None if match[1] is None else match[1].decode().replace('""', '"')
        for match in _FIELD.finditer(record)
    ]
