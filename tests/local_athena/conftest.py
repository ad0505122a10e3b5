"""A local Athena on an empty folder, with what the tests need to look into it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.athena import LocalAthena
from runner.local.glue import GlueCatalog
from runner.local.s3 import FolderS3
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class World:
    """Athena, its S3 and catalogue; `fail_before` makes writes fail before that file."""

    root: Path
    s3: FolderS3
    catalog: GlueCatalog
    athena: LocalAthena = field(init=False)
    fail_before: int | None = None
    now: datetime = datetime(2013, 1, 10, 12, tzinfo=UTC)

    def before_file(self, number: int) -> None:
        if number == self.fail_before:
            raise OSError("the disk is full")

    def run(self, sql: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        arguments = {
            "QueryString": sql,
            "QueryExecutionContext": {"Database": "db"},
            **more,
        }
        result = self.athena.service("startQueryExecution.sync", arguments)
        execution: dict[str, Any] = result["QueryExecution"]
        return execution

    def failure(self, sql: str) -> str:
        """Give the reason for which a statement fails."""
        with pytest.raises(ServiceError) as failed:
            self.run(sql)
        assert failed.value.error == "States.TaskFailed"
        return str(json.loads(failed.value.cause)["Status"]["StateChangeReason"])

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return list(self.athena.query(sql, "db").rows)

    def put(self, key: str, body: str | bytes) -> None:
        self.s3.put_object(Bucket="b", Key=key, Body=body)

    def keys(self, prefix: str = "") -> list[str]:
        page = self.s3.list_objects_v2(Bucket="b", Prefix=prefix)
        return [each["Key"] for each in page.get("Contents", [])]


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    as_trino = request.node.get_closest_marker("trino_decimals") is not None
    s3 = FolderS3(tmp_path / "s3")
    catalog = GlueCatalog(tmp_path / "catalog.sqlite")
    made = World(tmp_path, s3, catalog)
    made.athena = LocalAthena(
        s3,
        catalog,
        tmp_path / "athena.sqlite",
        results="s3://results/",
        cache=tmp_path / "cache",
        now=lambda: made.now,
        before_file=made.before_file,
        decimals="decimal" if as_trino else "double",
    )
    catalog.create_database(DatabaseInput={"Name": "db"})
    yield made
    made.athena.close()
    catalog.close()
