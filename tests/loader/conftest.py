"""Marts of both kinds, empty for every test, and files as the lake holds them."""

from __future__ import annotations

import sqlite3
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from runner.local.loader import LoadResult, MysqlTarget, SqliteTarget, load
from runner.model.loads import LoadManifest
from tests.support.mariadb import PASSWORD, MariaDb, mariadb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.local.loader import Target

__all__ = ["mariadb"]

Rows = list[tuple[Any, ...]]


@dataclass
class Mart:
    """A mart under test."""

    engine: str
    target: Target
    server: MariaDb | None = None
    database: str = ""

    def query(self, sql: str) -> Rows:
        """Run one statement; SQL is written with double quotes or none."""
        if self.server is not None:
            return self.server.query(sql.replace('"', "`"), self.database)
        assert isinstance(self.target, SqliteTarget)
        connection = sqlite3.connect(self.target.path, isolation_level=None)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()


@pytest.fixture(params=["sqlite", pytest.param("mysql", marks=pytest.mark.mariadb)])
def mart(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mart]:
    if request.param == "sqlite":
        yield Mart("sqlite", SqliteTarget(tmp_path / "marts" / "main.sqlite"))
        return
    yield from _mysql(request.getfixturevalue("mariadb"))


@pytest.fixture
def sqlite_mart(tmp_path: Path) -> Mart:
    return Mart("sqlite", SqliteTarget(tmp_path / "marts" / "main.sqlite"))


@pytest.fixture
def mysql_mart(mariadb: MariaDb) -> Iterator[Mart]:
    yield from _mysql(mariadb)


def _mysql(server: MariaDb) -> Iterator[Mart]:
    database = f"mart_{uuid.uuid4().hex[:12]}"
    server.query(f"CREATE DATABASE {database} CHARACTER SET latin1")
    target = MysqlTarget(
        database=database,
        environ={"MART_PASSWORD": PASSWORD, "MART_PORT": str(server.port)},
        port="${env:MART_PORT}",
        user="loader",
        password="${env:MART_PASSWORD}",
    )
    yield Mart("mysql", target, server, database)
    server.query(f"DROP DATABASE {database}")


@dataclass
class Lake:
    """A folder of published files, and manifests over them."""

    folder: Path
    columns: dict[str, str]
    partition: str | None = "dt"
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def path_of(self, uri: str) -> Path:
        return self.folder / uri.removeprefix("s3://lake/")

    def write(self, name: str, select: str, *, dt: str | None = None, options: str = "") -> None:
        """Write one Parquet file holding what a DuckDB SELECT gives."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as connection:
            connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet, {options})")
        self.files[name] = {
            "uri": f"s3://lake/{name}",
            "size": path.stat().st_size,
            "partition": {} if dt is None else {"dt": dt},
        }

    def manifest(self, **changes: Any) -> LoadManifest:  # noqa: ANN401 - JSON
        """Make a manifest over every file (or those of `days`)."""
        days = changes.pop("days", None)
        partitions = [] if self.partition is None else [{"name": "dt", "type": "string"}]
        chosen = [
            f for f in self.files.values() if days is None or f["partition"].get("dt") in days
        ]
        value = {
            "load_key": {
                "mart_table": changes.pop("mart_table", "carrier_day"),
                "table": "marts.carrier_day",
                "window_start": days[0] if days else "whole",
                "window_end": days[-1] if days else "whole",
                "publish_id": changes.pop("publish_id", uuid.uuid4().hex),
            },
            "mode": "replace_window" if days else "replace",
            "keys": [],
            "columns": [
                {"name": name, "athena_type": kind, "mart_type": None}
                for name, kind in self.columns.items()
            ],
            "partition_columns": partitions,
            "window": {"column": "dt", "values": days} if days else None,
            "whole_table": not days,
            "format": "parquet",
            "files": chosen,
            "rows": None,
        }
        return LoadManifest.from_json(value | changes)

    def load(self, mart: Mart, **changes: Any) -> LoadResult:  # noqa: ANN401 - JSON
        return load(self.manifest(**changes), mart.target, path_of=self.path_of)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Two days of flights per carrier, the second in two files."""
    made = Lake(tmp_path / "lake", {"carrier": "varchar(2)", "flights": "bigint"})
    day = "SELECT * FROM (VALUES {}) t(carrier, flights)"
    made.write("dt=2013-01-01/a", day.format("('AA', 94::BIGINT), ('UA', 165)"), dt="2013-01-01")
    made.write("dt=2013-01-02/a", day.format("('AA', 95::BIGINT)"), dt="2013-01-02")
    made.write("dt=2013-01-02/b", day.format("('UA', 170::BIGINT)"), dt="2013-01-02")
    return made
