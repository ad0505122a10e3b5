"""What every scenario starts with: a bucket and a database that no other scenario knows."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


class Place(NamedTuple):
    """Where a scenario works."""

    bucket: str
    database: str

    @property
    def staging(self) -> str:
        return f"s3://{self.bucket}/results/"

    def path(self, name: str) -> str:
        return f"s3://{self.bucket}/{self.database}/{name}/"


@pytest.fixture(scope="module")
def place() -> Place:
    name = uuid.uuid4().hex[:12]
    boto3.client("s3").create_bucket(Bucket=f"bucket-{name}")
    boto3.client("glue").create_database(DatabaseInput={"Name": f"db_{name}"})
    return Place(f"bucket-{name}", f"db_{name}")


@pytest.fixture(scope="module")
def connection(place: Place) -> Iterator[Any]:
    import pyathena

    with pyathena.connect(
        s3_staging_dir=place.staging, schema_name=place.database, poll_interval=0.05
    ) as made:
        yield made


@pytest.fixture
def cursor(connection: Any) -> Iterator[Any]:
    with connection.cursor() as made:
        yield made
