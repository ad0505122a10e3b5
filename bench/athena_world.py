"""The local Athena and the tables that bench/athena.py measures it on.

In: a folder.  Out: both engines, opened, over the same Parquet files, which are made once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
from athena_cases import COLUMNS, EVENTS, KINDS

from runner.local.athena import LocalAthena
from runner.local.glue import GlueCatalog
from runner.local.s3 import FolderS3

if TYPE_CHECKING:
    from pathlib import Path

THREADS = 2
FILES = 8


class World:
    """A local Athena over a folder, and a DuckDB that knows nothing of it."""

    def __init__(self, folder: Path, *, memory: str = "") -> None:
        """Open both."""
        self.folder = folder
        s3 = FolderS3(folder / "s3")
        self.catalog = GlueCatalog(folder / "catalog.sqlite")
        self.athena = LocalAthena(
            s3,
            self.catalog,
            folder / "athena.sqlite",
            results="s3://results/",
            cache=folder / "cache",
            threads=THREADS,
            memory=memory,
        )
        self.native = duckdb.connect(config={"threads": THREADS})

    def run(self, sql: str) -> dict[str, Any]:
        """Run a statement of Athena to its end."""
        found = self.athena.run_query_execution(
            QueryString=sql, QueryExecutionContext={"Database": "db"}
        )
        if found["Status"]["State"] != "SUCCEEDED":
            raise SystemExit(f"{sql}: {found['Status']['StateChangeReason']}")
        return found

    def close(self) -> None:
        """Close both."""
        self.native.close()
        self.athena.close()
        self.catalog.close()


def make_data(folder: Path, rows: int) -> None:
    """Write the tables, unless the folder has them."""
    bucket = folder / "s3" / "b"
    if bucket.exists():
        return
    for name in ("events", "kinds", "daily"):
        (bucket / name).mkdir(parents=True)
    database = duckdb.connect(config={"threads": THREADS})
    for number in range(FILES):
        first, last = (rows * place // FILES for place in (number, number + 1))
        sql = EVENTS
        for mark, value in (("$rows", rows), ("$first", first), ("$last", last)):
            sql = sql.replace(mark, str(value))
        database.execute(f"COPY ({sql}) TO '{bucket}/events/part-{number}.parquet'")
    labels = ", ".join(f"('{each}', '{each.title()}')" for each in KINDS)
    database.execute(
        f"COPY (SELECT * FROM (VALUES {labels}) AS v(kind, label)) TO '{bucket}/kinds/k.parquet'"
    )
    database.execute(
        f"COPY (SELECT * FROM '{bucket}/events/*.parquet') TO '{bucket}/daily' "
        "(FORMAT parquet, PARTITION_BY (day), OVERWRITE_OR_IGNORE)"
    )
    database.close()
    world = World(folder)
    world.catalog.create_database(DatabaseInput={"Name": "db"})
    plain, _, key = COLUMNS.rpartition(", ")
    for name, columns, keys in (
        ("events", COLUMNS, ""),
        ("kinds", "kind string, label string", ""),
        ("daily", plain, f"PARTITIONED BY ({key}) "),
    ):
        world.run(
            f"CREATE EXTERNAL TABLE {name} ({columns}) {keys}STORED AS PARQUET "
            f"LOCATION 's3://b/{name}/'"
        )
    world.run("MSCK REPAIR TABLE daily")
    world.run(
        "CREATE TABLE tiny WITH (external_location = 's3://b/tiny/', partitioned_by = "
        "ARRAY['day']) AS SELECT id, kind, path, referrer, amount, happened, "
        "'2013-01-0' || CAST(id % 5 + 1 AS varchar) AS day FROM events WHERE id < 1000"
    )
    world.run(
        "CREATE TABLE added WITH (external_location = 's3://b/added/') AS "
        "SELECT 1 AS n, 'a' AS t, 1e0 AS d"
    )
    world.close()
