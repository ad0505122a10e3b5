"""The local Glue catalogue: optimistic locking, refusals, the aws-sdk service."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.glue import GlueCatalog, GlueError
from runner.local.glue.catalog import OPERATIONS
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


@pytest.mark.parametrize(
    "when",
    [1357000000, "2013-01-01T00:26:40Z", datetime(2013, 1, 1, 0, 26, 40, tzinfo=UTC)],
)
def test_times_are_read_in_every_form(catalog: GlueCatalog, when: object) -> None:
    given = {"DatabaseName": "marts", "TableInput": table(LastAccessTime=when)}
    catalog.service("createTable", given)
    found = catalog.service("getTable", {"DatabaseName": "marts", "Name": "t"})
    assert found["Table"]["LastAccessTime"] == "2013-01-01T00:26:40Z"


@pytest.mark.parametrize("when", ["yesterday", "1357000000", 1e12, True])
def test_what_is_no_time_is_refused(catalog: GlueCatalog, when: object) -> None:
    given = {"DatabaseName": "marts", "TableInput": table(LastAccessTime=when)}
    with pytest.raises(ServiceError, match="table.lastAccessTime is not a timestamp") as refused:
        catalog.service("createTable", given)
    assert refused.value.error == "Glue.GlueException"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"DatabaseName": 1}, "databaseName is not a string"),
        ({"MaxResults": "1"}, "maxResults is not an integer"),
        ({"IncludeStatusDetails": 0}, "includeStatusDetails is not a boolean"),
        ({"AttributesToGet": "NAME"}, "attributesToGet is not a list"),
        ({"AttributesToGet": ["NAME", 2]}, "attributesToGet.2.member is not a string"),
    ],
)
def test_members_of_another_kind_are_refused(
    catalog: GlueCatalog, members: dict[str, Any], message: str
) -> None:
    with pytest.raises(GlueError) as refused:
        catalog.call("GetTables", {"DatabaseName": "marts", **members})
    assert (refused.value.code, refused.value.message) == ("SerializationException", message)


def test_descriptions_have_the_form_of_the_service_model(catalog: GlueCatalog) -> None:
    def refusal(**more: Any) -> tuple[str, str]:  # noqa: ANN401
        with pytest.raises(GlueError) as refused:
            catalog.create_table(DatabaseName="marts", TableInput=table(**more))
        return refused.value.code, refused.value.message

    assert refusal(Parameters=[]) == ("SerializationException", "table.parameters is not a map")
    assert refusal(StorageDescriptor=[]) == (
        "SerializationException",
        "table.storageDescriptor is not a structure",
    )
    assert refusal(Retention=-1)[1].endswith(
        "Value '-1' at 'table.retention' failed to satisfy constraint: "
        "Member must have value greater than or equal to 0"
    )
    assert refusal(name="")[1].endswith(
        "Value '' at 'table.name' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1"
    )
    with pytest.raises(GlueError) as refused:
        catalog.call("GetTables", {})
    assert str(refused.value) == (
        "An error occurred (ValidationException) when calling the GetTables operation: "
        "1 validation error detected: Value null at 'databaseName' failed to satisfy constraint: "
        "Member must not be null"
    )
    with pytest.raises(GlueError, match=r"at 'resourceShareType' .* enum value set: \[FEDERATED"):
        catalog.get_tables(DatabaseName="marts", ResourceShareType="SOME")


@pytest.mark.parametrize("operation", sorted(set(OPERATIONS) - {"GetDatabases", "SearchTables"}))
def test_a_method_is_the_operation_of_its_name(catalog: GlueCatalog, operation: str) -> None:
    name = re.sub(r"(?<!^)([A-Z])", r"_\1", operation).lower()
    with pytest.raises(GlueError, match="Member must not be null") as refused:
        getattr(catalog, name)()
    assert refused.value.operation_name == operation


def test_service_names_what_is_missing(catalog: GlueCatalog) -> None:
    with pytest.raises(ServiceError, match="Name must be given") as refused:
        catalog.service("getTable", {"DatabaseName": "marts"})
    assert refused.value.error == "States.Runtime"


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
    assert list(catalog.partition_places("marts", "t", below=["2"])) == found[-1:]
    assert list(catalog.partition_places("marts", "t", below=["1"])) == []
