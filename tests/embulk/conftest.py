"""An empty database for every test, and short words for a load by a real Embulk into it."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.embulk import Embulk, Outcome, embulk
from tests.support.mariadb import PASSWORD, MariaDb, mariadb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["embulk", "mariadb"]

Rows = list[tuple[Any, ...]]

PARSER = {
    "type": "csv",
    "charset": "UTF-8",
    "newline": "LF",
    "delimiter": ",",
    "quote": '"',
    "escape": None,
    "skip_header_lines": 1,
    "stop_on_invalid_record": True,
    "default_timestamp_format": "%Y-%m-%d %H:%M:%S.%N",
}


@dataclass
class Load:
    """A load of one CSV text into table `t` of a database of its own."""

    embulk: Embulk
    server: MariaDb
    database: str
    folder: Path

    def sql(self, text: str) -> Rows:
        return self.server.query(text, self.database)

    def tables(self) -> list[str]:
        return [name for (name,) in self.sql("SHOW TABLES")]

    def leftovers(self) -> list[str]:
        """Name the intermediate tables that are there."""
        return [name for name in self.tables() if "embulk" in name]

    def run(self, csv: str | bytes, columns: dict[str, str], **out: Any) -> Outcome:  # noqa: ANN401 - YAML
        """Run a load; `parser` and `exec` change those parts, the rest goes to the output."""
        return self.embulk.run(self.config(csv, columns, **out))

    def config(self, csv: str | bytes, columns: dict[str, str], **out: Any) -> str:  # noqa: ANN401 - YAML
        path = self.folder / "input.csv"
        path.write_bytes(csv.encode() if isinstance(csv, str) else csv)
        parser = PARSER | out.pop("parser", {})
        parser["columns"] = [{"name": name, "type": kind} for name, kind in columns.items()]
        value = {
            "exec": {"max_threads": 1, "min_output_tasks": 1} | out.pop("exec", {}),
            "in": {"type": "file", "path_prefix": str(path), "parser": parser},
            "out": self.out(**out),
        }
        return json.dumps(value)  # JSON is YAML

    def out(self, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML
        options = {"nullDatabaseMeansCurrent": True} | changes.pop("options", {})
        default = {
            "type": "mysql",
            "host": "127.0.0.1",
            "port": self.server.port,
            "user": "loader",
            "password": PASSWORD,
            "database": self.database,
            "table": "t",
            "retry_limit": 0,
            "options": options,
        }
        return default | changes


@contextmanager
def database(embulk: Embulk, server: MariaDb, folder: Path) -> Iterator[Load]:
    """Make an empty database for one test."""
    name = f"d_{uuid.uuid4().hex[:12]}"
    server.query(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    yield Load(embulk, server, name, folder)
    server.query(f"DROP DATABASE {name}")


@pytest.fixture
def load(embulk: Embulk, mariadb: MariaDb, tmp_path: Path) -> Iterator[Load]:
    with database(embulk, mariadb, tmp_path) as load:
        yield load
