"""The local Glue catalogue: optimistic locking, refusals, the aws-sdk service."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.glue import GlueCatalog, GlueError
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def table(name: str = "t", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"Name": name, "StorageDescriptor": {"Location": "s3://b/p/"}, **more}


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[GlueCatalog]:
    made = GlueCatalog(tmp_path / "catalog.sqlite")
    made.create_database(DatabaseInput={"Name": "marts"})
    yield made
    made.close()


def test_versions_count_from_zero_and_a_stale_one_is_refused(catalog: GlueCatalog) -> None:
    catalog.create_table(DatabaseName="marts", TableInput=table())
    assert catalog.get_table(DatabaseName="marts", Name="T")["Table"]["VersionId"] == "0"
    catalog.update_table(DatabaseName="marts", TableInput=table(), VersionId="0", SkipArchive=True)
    with pytest.raises(GlueError) as refused:
        catalog.update_table(
            DatabaseName="marts", TableInput=table(Description="no"), VersionId="0"
        )
    assert refused.value.response["Error"] == {
        "Code": "ConcurrentModificationException",
        "Message": "Update table failed due to concurrent modifications.",
    }
    found = catalog.get_table(DatabaseName="marts", Name="t")["Table"]
    assert found["VersionId"] == "1"
    assert "Description" not in found


def test_of_many_writers_with_one_version_exactly_one_wins(
    catalog: GlueCatalog, tmp_path: Path
) -> None:
    catalog.create_table(DatabaseName="marts", TableInput=table())
    outcomes: list[str] = []

    def update() -> None:
        mine = GlueCatalog(tmp_path / "catalog.sqlite")
        try:
            mine.update_table(DatabaseName="marts", TableInput=table(), VersionId="0")
            outcomes.append("won")
        except GlueError as error:
            outcomes.append(error.code)
        mine.close()

    threads = [threading.Thread(target=update) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["ConcurrentModificationException"] * 7 + ["won"]


@pytest.mark.parametrize(
    ("action", "arguments", "error"),
    [
        ("getTable", {"DatabaseName": "marts", "Name": "x"}, "Glue.EntityNotFoundException"),
        ("getTable", {"DatabaseName": "x", "Name": "x"}, "Glue.EntityNotFoundException"),
        ("deleteTable", {"DatabaseName": "marts", "Name": "x"}, "Glue.EntityNotFoundException"),
        (
            "createTable",
            {"DatabaseName": "nope", "TableInput": {"Name": "t"}},
            "Glue.EntityNotFoundException",
        ),
        (
            "createTable",
            {"DatabaseName": "marts", "TableInput": {"Name": "t", "CreateTime": "now"}},
            "Glue.InvalidInputException",
        ),
        ("createDatabase", {"DatabaseInput": {"Name": "marts"}}, "Glue.AlreadyExistsException"),
        ("startCrawler", {"Name": "x"}, "Glue.InvalidInputException"),
    ],
)
def test_service_refuses_as_glue_does(
    catalog: GlueCatalog, action: str, arguments: dict[str, Any], error: str
) -> None:
    with pytest.raises(ServiceError) as refused:
        catalog.service(action, arguments)
    assert refused.value.error == error


def test_service_gives_plain_json_and_a_cause_with_the_request(catalog: GlueCatalog) -> None:
    catalog.service("createTable", {"DatabaseName": "marts", "TableInput": table()})
    found = catalog.service("getTable", {"DatabaseName": "marts", "Name": "t"})
    assert found["Table"]["CreateTime"].endswith("Z")
    with pytest.raises(ServiceError, match=r"\(Service: Glue, Status Code: 400, Request ID: .+\)$"):
        catalog.service("createTable", {"DatabaseName": "marts", "TableInput": table()})


def test_partitions_are_paged_and_batch_errors_do_not_raise(catalog: GlueCatalog) -> None:
    key = {"DatabaseName": "marts", "TableName": "t"}
    days = [{"Name": "dt", "Type": "string"}]
    catalog.create_table(DatabaseName="marts", TableInput=table(PartitionKeys=days))
    wanted = [{"Values": [f"2013-01-{day:02}"]} for day in range(1, 6)]
    assert catalog.batch_create_partition(**key, PartitionInputList=wanted) == {"Errors": []}
    again = catalog.batch_create_partition(**key, PartitionInputList=wanted[:1])
    assert again["Errors"][0]["ErrorDetail"]["ErrorCode"] == "AlreadyExistsException"
    first = catalog.get_partitions(**key, MaxResults=3)
    rest = catalog.get_partitions(**key, MaxResults=3, NextToken=first["NextToken"])
    assert [p["Values"][0][-2:] for p in first["Partitions"] + rest["Partitions"]] == [
        "01",
        "02",
        "03",
        "04",
        "05",
    ]
    assert "NextToken" not in rest


def test_places_of_partitions_are_their_values_and_locations(catalog: GlueCatalog) -> None:
    key = {"DatabaseName": "marts", "TableName": "t"}
    days = [{"Name": "dt", "Type": "string"}]
    catalog.create_table(DatabaseName="marts", TableInput=table(PartitionKeys=days))
    storage = {"Location": "s3://b/p/odd/"}
    catalog.create_partition(**key, PartitionInput={"Values": ["2"], "StorageDescriptor": storage})
    many = [{"Values": [f"1-{number:05}"]} for number in range(5100)]
    for start in range(0, len(many), 100):
        catalog.batch_create_partition(**key, PartitionInputList=many[start : start + 100])
    found = list(catalog.partition_places("Marts", "T"))
    assert found == [*(((each["Values"][0],), "") for each in many), (("2",), "s3://b/p/odd/")]
