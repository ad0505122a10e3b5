"""The endpoint of `runner athena serve` in this process, and boto3's clients of it."""

from __future__ import annotations

import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from runner.local.athena import LocalAthena
from runner.local.glue import GlueCatalog
from runner.local.s3 import FolderS3
from runner.local.wire.endpoint import open_wire
from runner.local.wire.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_athena.type_defs import QueryExecutionTypeDef

ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
RESULTS = "s3://results/"
CREDENTIALS: dict[str, Any] = {
    "region_name": "us-east-1",
    "aws_access_key_id": "local",
    "aws_secret_access_key": "local",
}
ENDLESS = (
    "SELECT count(*) FROM UNNEST(sequence(1, 9000)) a(x), UNNEST(sequence(1, 9000)) b(y), "
    "UNNEST(sequence(1, 9000)) c(z) WHERE (x * y + z) % 7 = 3"
)


def client(url: str, service: str) -> Any:  # noqa: ANN401 - boto3 gives any client
    """Make boto3's client; it checks no parameter, so that refusals are the server's."""
    config = Config(parameter_validation=False, retries={"max_attempts": 0})
    return boto3.client(service, endpoint_url=url, config=config, **CREDENTIALS)


@dataclass
class Wire:
    """An endpoint and what lies behind it."""

    url: str
    s3: FolderS3
    catalog: GlueCatalog
    local: LocalAthena
    athena: AthenaClient

    def start(self, sql: str, **more: Any) -> str:  # noqa: ANN401 - the request's members
        """Start a query."""
        return self.athena.start_query_execution(QueryString=sql, **more)["QueryExecutionId"]

    def wait(self, identity: str) -> QueryExecutionTypeDef:
        """Follow a query to its end."""
        while True:
            found = self.athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]
            if found["Status"]["State"] in ENDED:
                return found
            time.sleep(0.02)

    def run(self, sql: str, **more: Any) -> QueryExecutionTypeDef:  # noqa: ANN401 - likewise
        """Run a query that succeeds."""
        found = self.wait(self.start(sql, **more))
        assert found["Status"]["State"] == "SUCCEEDED", found["Status"]
        return found

    def rows(self, identity: str) -> list[list[str | None]]:
        """Give the first page of a result, as text."""
        page = self.athena.get_query_results(QueryExecutionId=identity)
        return [
            [cell.get("VarCharValue") for cell in row["Data"]] for row in page["ResultSet"]["Rows"]
        ]

    def read(self, url: str) -> str:
        """Read an object."""
        return self.s3.path_of(url).read_text()


@contextmanager
def open_endpoint(folder: Path) -> Iterator[Wire]:
    """Serve a folder."""
    s3 = FolderS3(folder / "s3")
    with (
        closing(GlueCatalog(folder / "catalog.sqlite")) as catalog,
        closing(Registry(folder / "registry.sqlite")) as registry,
        closing(LocalAthena(s3, catalog, folder / "athena.sqlite", results=RESULTS)) as local,
    ):
        if not any(each["Name"] == "default" for each in catalog.get_databases()["DatabaseList"]):
            catalog.create_database(DatabaseInput={"Name": "default"})
        with open_wire(s3, catalog, local, registry=registry, results=RESULTS) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                with closing(client(server.url, "athena")) as athena:
                    yield Wire(server.url, s3, catalog, local, athena)
            finally:
                server.shutdown()
                thread.join()
                local.stop_all()
