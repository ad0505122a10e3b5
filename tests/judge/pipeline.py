"""The example project's tables, each computed by both engines from the same raw rows.

In: the project's folder after a local run of a window.  Out: verdicts, one a table.  Raw rows are
brought to Trino as Parquet files that the local Athena writes; what is made of them, Trino makes
itself, table after table, by the text that the project sends to Athena.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.app.local_places import Local
from runner.app.places import open_environment
from runner.app.preview_window import choose_window, query_of
from tests.judge.both import Case, Verdict, compare
from tests.support.trino import BUCKET, Trino

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.app.bundle import TableFacts
    from runner.local.athena import LocalAthena
    from runner.local.s3 import FolderS3

_COPIES = "s3://copies/"


def judge_pipeline(root: Path, trino: Trino, *, start: str, end: str) -> Iterator[Verdict]:
    """Compare every table's rows; raises RuntimeError where Trino cannot make one."""
    places = open_environment(root, "local", None, now=lambda: datetime.now(UTC))
    if not isinstance(places, Local):
        raise TypeError(places)
    s3, catalog = places.s3(), places.catalog()
    athena = places.athena(s3, catalog)
    try:
        for database in places.bundle.databases:
            _make(trino, f"CREATE SCHEMA IF NOT EXISTS {database}")
        for table in _in_order(places.bundle.tables):
            window = choose_window(places.bundle, table, start, end, datetime.now(UTC))
            sql = query_of(table, window)
            if table.kind == "ddl":
                _copy(table, athena, s3, trino)
                continue
            case = Case(table.name, sql)
            yield compare(case, trino.query(sql, table.database), athena, table.database)
            kind = "VIEW" if table.kind == "view" else "TABLE"
            _make(trino, f"CREATE {kind} {table.name} AS {sql}", table.database)
    finally:
        athena.close()
        catalog.close()


def _in_order(tables: tuple[TableFacts, ...]) -> list[TableFacts]:
    """Put what is read before what reads it."""
    known = {table.name: table for table in tables}
    found: dict[str, TableFacts] = {}

    def visit(table: TableFacts) -> None:
        for name in table.reads:
            if name in known and name not in found:
                visit(known[name])
        found[table.name] = table

    for table in tables:
        if table.name not in found:
            visit(table)
    return list(found.values())


def _copy(table: TableFacts, athena: LocalAthena, s3: FolderS3, trino: Trino) -> None:
    """Write an external table's rows as Parquet, and let Trino read the files."""
    name = table.name.partition(".")[2]
    sql = (
        f"CREATE TABLE copy_of_{name} WITH (format = 'PARQUET', "
        f"external_location = '{_COPIES}{name}/') AS SELECT * FROM {name}"
    )
    done = athena.run_query_execution(
        QueryString=sql, QueryExecutionContext={"Database": table.database}
    )
    if done["Status"]["State"] != "SUCCEEDED":
        raise RuntimeError(done["Status"]["StateChangeReason"])
    bucket = _COPIES.removeprefix("s3://").strip("/")
    for each in s3.list_objects_v2(Bucket=bucket, Prefix=f"{name}/")["Contents"]:
        body = s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
        trino.put(f"raw/{each['Key']}", body)
    columns = ", ".join(
        f'"{column}" {kind.trino()}'
        for column, kind in athena.describe(f"SELECT * FROM copy_of_{name}", table.database)
    )
    _make(
        trino,
        f"CREATE TABLE {table.name} ({columns}) WITH (format = 'PARQUET', "
        f"external_location = 's3://{BUCKET}/raw/{name}/')",
    )


def _make(trino: Trino, sql: str, database: str = "db") -> None:
    found = trino.query(sql, database)
    if found.error:
        raise RuntimeError(f"{found.error}: {found.message}: {sql[:300]}")
