"""The same calls on the local Glue and on moto's: the same answers, the same refusals.

What moto does otherwise than Glue is left out of the comparison by name, in NOT_COMPARED.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.support.aws import empty_account, moto_url
from tests.support.local_glue import GlueEndpoint, client_of, serve_glue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_glue import GlueClient

__all__ = ["moto_url"]

Call = tuple[str, dict[str, Any]]
NOT_COMPARED = {
    "ResponseMetadata",
    "CatalogId",  # moto has an account of its own
    "CreateTime",
    "UpdateTime",
    "CreationTime",
    "IsRegisteredWithLakeFormation",  # moto leaves it out
    "CreateTableDefaultPermissions",  # moto leaves out what Glue gives by default
    "VersionId",  # moto counts from 1, Glue from 0
    "NextToken",
    "ErrorMessage",  # moto's own words
}

DB: dict[str, Any] = {"DatabaseName": "db"}
T: dict[str, Any] = {**DB, "TableName": "t"}
STORAGE: dict[str, Any] = {
    "Columns": [{"Name": "a", "Type": "string"}, {"Name": "b", "Type": "int", "Comment": "c"}],
    "Location": "s3://bucket/t/",
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        "Parameters": {"field.delim": ","},
    },
}
TABLE: dict[str, Any] = {
    "Name": "t",
    "TableType": "EXTERNAL_TABLE",
    "Parameters": {"EXTERNAL": "TRUE"},
    "PartitionKeys": [{"Name": "dt", "Type": "string"}],
    "StorageDescriptor": STORAGE,
}
MADE: list[Call] = [
    ("create_database", {"DatabaseInput": {"Name": "db", "Description": "d"}}),
    ("create_table", {**DB, "TableInput": TABLE}),
]


def partition(value: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"Values": [value], "StorageDescriptor": STORAGE, **more}


FILLED: list[Call] = [
    *MADE,
    ("create_partition", {**T, "PartitionInput": partition("2013-01-01", Parameters={"p": "q"})}),
    (
        "batch_create_partition",
        {**T, "PartitionInputList": [partition(f"2013-01-0{day}") for day in range(1, 6)]},
    ),
]
SCENES: dict[str, list[Call]] = {
    "databases": [
        ("create_database", {"DatabaseInput": {"Name": "db", "Parameters": {"a": "b"}}}),
        ("create_database", {"DatabaseInput": {"Name": "db"}}),
        ("create_database", {"DatabaseInput": {"Name": "other", "LocationUri": "s3://b/"}}),
        ("get_database", {"Name": "db"}),
        ("get_databases", {}),
        ("get_database", {"Name": "none"}),
        ("update_database", {"Name": "db", "DatabaseInput": {"Name": "db", "Description": "x"}}),
        ("get_database", {"Name": "db"}),
        ("update_database", {"Name": "none", "DatabaseInput": {"Name": "none"}}),
        ("delete_database", {"Name": "other"}),
        ("delete_database", {"Name": "other"}),
        ("get_databases", {}),
    ],
    "tables": [
        *MADE,
        ("create_table", {**DB, "TableInput": TABLE}),
        ("create_table", {"DatabaseName": "none", "TableInput": TABLE}),
        ("create_table", {**DB, "TableInput": {"Name": "view", "ViewOriginalText": "select"}}),
        ("get_table", {**DB, "Name": "t"}),
        ("get_table", {**DB, "Name": "none"}),
        ("get_table", {"DatabaseName": "none", "Name": "t"}),
        ("get_tables", DB),
        ("get_tables", {**DB, "Expression": "v*"}),
        ("get_tables", {**DB, "Expression": "t.*"}),
        ("get_tables", {"DatabaseName": "none"}),
        ("delete_table", {**DB, "Name": "view"}),
        ("delete_table", {**DB, "Name": "view"}),
        ("batch_delete_table", {**DB, "TablesToDelete": ["t", "none"]}),
        ("get_tables", DB),
    ],
    "versions": [
        *MADE,
        ("update_table", {**DB, "TableInput": {"Name": "t", "Description": "second"}}),
        ("get_table", {**DB, "Name": "t"}),
        ("update_table", {**DB, "TableInput": {**TABLE, "Owner": "third"}}),
        ("get_table_versions", T),
        ("update_table", {**DB, "TableInput": {"Name": "none"}}),
        ("get_table_versions", {**DB, "TableName": "none"}),
        ("get_table_version", {**T, "VersionId": "77"}),
        ("get_table_version", {**T, "VersionId": "x"}),
    ],
    "partitions": [
        *FILLED,
        ("create_partition", {**T, "PartitionInput": partition("2013-01-02")}),
        ("get_partitions", T),
        ("get_partition", {**T, "PartitionValues": ["2013-01-01"]}),
        ("get_partition", {**T, "PartitionValues": ["none"]}),
        ("get_partition", {**DB, "TableName": "none", "PartitionValues": ["a"]}),
        ("get_partitions", {**DB, "TableName": "none"}),
        (
            "batch_get_partition",
            {**T, "PartitionsToGet": [{"Values": ["2013-01-03"]}, {"Values": ["none"]}]},
        ),
        (
            "update_partition",
            {
                **T,
                "PartitionValueList": ["2013-01-01"],
                "PartitionInput": partition("2013-01-01", Parameters={"new": "1"}),
            },
        ),
        (
            "update_partition",
            {
                **T,
                "PartitionValueList": ["2013-01-05"],
                "PartitionInput": partition("2013-01-09"),
            },
        ),
        (
            "update_partition",
            {**T, "PartitionValueList": ["none"], "PartitionInput": partition("none")},
        ),
        ("get_partitions", T),
        ("delete_partition", {**T, "PartitionValues": ["2013-01-02"]}),
        ("delete_partition", {**T, "PartitionValues": ["2013-01-02"]}),
        (
            "batch_delete_partition",
            {**T, "PartitionsToDelete": [{"Values": ["2013-01-03"]}, {"Values": ["none"]}]},
        ),
        (
            "batch_update_partition",
            {
                **T,
                "Entries": [
                    {
                        "PartitionValueList": ["2013-01-04"],
                        "PartitionInput": partition("2013-01-04", Parameters={"u": "v"}),
                    },
                    {"PartitionValueList": ["none"], "PartitionInput": partition("none")},
                ],
            },
        ),
        ("get_partitions", T),
    ],
    "partition indexes": [
        *MADE,
        ("get_partition_indexes", T),
    ],
}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[GlueEndpoint]:
    with serve_glue() as endpoint:
        yield endpoint


@pytest.fixture
def moto(moto_url: str) -> Iterator[GlueClient]:
    empty_account(moto_url)
    client = client_of(moto_url)
    yield client
    client.close()


def transcript(glue: GlueClient, calls: list[Call]) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name, arguments in calls:
        try:
            found.append((name, _plain(getattr(glue, name)(**arguments))))
        except ClientError as error:
            found.append((name, error.response["Error"]["Code"]))
    return found


def _plain(answer: Any) -> Any:  # noqa: ANN401 - any answer
    if isinstance(answer, dict):
        kept = {name: _plain(each) for name, each in answer.items() if name not in NOT_COMPARED}
        return {name: each for name, each in kept.items() if each not in (None, [])}
    if isinstance(answer, list):
        return sorted((_plain(each) for each in answer), key=repr)
    return answer


@pytest.mark.parametrize("scene", SCENES)
def test_moto_answers_the_same(
    endpoint: GlueEndpoint, moto: GlueClient, tmp_path: Path, scene: str
) -> None:
    with endpoint.catalog(tmp_path) as glue:
        assert transcript(glue, SCENES[scene]) == transcript(moto, SCENES[scene])
