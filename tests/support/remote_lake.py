"""A local environment's lake and catalogue, copied to an account: the same records in both."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.app.bundle import open_bundle
from runner.app.local_places import open_places

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.aws import Aws

PROD = """
  prod:
    engine: aws
    region: eu-west-1
    account: "123456789012"
    lake: s3://lake/
    results: s3://results/
    marts:
      main:
        engine: mysql
        host: mart.example.com
        database: mart
        secret: arn:aws:secretsmanager:eu-west-1:123456789012:secret:mart-AbCdEf
    network: {subnets: [subnet-0a1b2c3d4e5f60001]}
    streams_to: s3://flights-app/
    rds:
      app:
        instance: app
        to: s3://flights-app/exports/
        role: arn:aws:iam::123456789012:role/app-exports
        key: arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000001
"""
_INPUT = ("Name", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters")
_VIEW = ("ViewOriginalText", "ViewExpandedText")


def add_prod(root: Path) -> None:
    """Give a project an environment `prod` with the names of `local`; it stays the last key."""
    path = root / "config.yaml"
    text = path.read_text("utf-8")
    head, found, _ = text.partition("\n  prod:")
    assert found or "environments:" in text
    path.write_text(head.rstrip() + PROD, "utf-8")


def copy_lake(root: Path, aws: Aws, *, raw: bool = True) -> None:
    """Copy every object of the local lake, the catalogue, and unless told the raw data."""
    local = open_places(root, open_bundle(root), now=lambda: datetime.now(UTC))
    s3 = aws.s3
    for bucket in ("lake", *(local.environment.buckets if raw else ())):
        if bucket != "lake":
            place: Any = {"LocationConstraint": "eu-west-1"}
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        storage = local.objects(f"s3://{bucket}/")
        for stored in storage.list(""):
            body = storage.read_uri(storage.uri(stored.key))
            s3.put_object(Bucket=bucket, Key=stored.key, Body=body)
    _copy_catalogue(local.catalog(), aws)


def _copy_catalogue(catalog: Any, aws: Aws) -> None:  # noqa: ANN401 - shaped like boto3's client
    glue = aws.glue
    try:
        for database in catalog.get_databases()["DatabaseList"]:
            name = database["Name"]
            glue.create_database(DatabaseInput={"Name": name})
            for table in catalog.get_tables(DatabaseName=name)["TableList"]:
                given = {key: table[key] for key in (*_INPUT, *_VIEW) if key in table}
                glue.create_table(DatabaseName=name, TableInput=given)  # type: ignore[arg-type]
    finally:
        catalog.close()
