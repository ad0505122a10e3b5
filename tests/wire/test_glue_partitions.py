"""Partitions, their indexes and statistics, through boto3 over HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.support.local_glue import GlueEndpoint, serve_glue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mypy_boto3_glue import GlueClient

KEY: Any = {"DatabaseName": "marts", "TableName": "t"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[GlueEndpoint]:
    with serve_glue() as endpoint:
        yield endpoint


@pytest.fixture
def glue(endpoint: GlueEndpoint, tmp_path: Path) -> Iterator[GlueClient]:
    """A catalogue with one table, partitioned by a date as text and an integer."""
    with endpoint.catalog(tmp_path) as client:
        client.create_database(DatabaseInput={"Name": "marts"})
        client.create_table(
            DatabaseName="marts",
            TableInput={
                "Name": "t",
                "StorageDescriptor": {"Columns": [{"Name": "x", "Type": "int"}]},
                "PartitionKeys": [{"Name": "dt", "Type": "string"}, {"Name": "n", "Type": "int"}],
            },
        )
        yield client


def described(*values: str, **more: Any) -> Any:  # noqa: ANN401 - a PartitionInput
    return {"Values": list(values), **more}


def values(partitions: Any) -> list[list[str]]:  # noqa: ANN401
    return [each["Values"] for each in partitions]


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call()
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def codes(errors: Any, name: str = "PartitionValues") -> list[tuple[list[str], str]]:  # noqa: ANN401
    return [(each[name], each["ErrorDetail"]["ErrorCode"]) for each in errors]


def test_a_partition_keeps_what_it_was_given(glue: GlueClient) -> None:
    given = described(
        "2013-01-01",
        "1",
        StorageDescriptor={
            "Columns": [{"Name": "x", "Type": "int"}],
            "Location": "s3://b/t/dt=2013-01-01/n=1/",
        },
        Parameters={"rows": "7"},
        LastAccessTime=datetime(2013, 1, 2, tzinfo=UTC),
    )
    glue.create_partition(**KEY, PartitionInput=given)
    found: Any = glue.get_partition(**KEY, PartitionValues=["2013-01-01", "1"])["Partition"]
    assert isinstance(found.pop("CreationTime"), datetime)
    assert found == {
        **given,
        "DatabaseName": "marts",
        "TableName": "t",
        "CatalogId": "000000000000",
    }


def test_a_hundred_are_created_at_once_and_those_there_are_named(glue: GlueClient) -> None:
    many = [described("2013-01-01", str(number)) for number in range(100)]
    assert glue.batch_create_partition(**KEY, PartitionInputList=many)["Errors"] == []
    some = [described("2013-01-01", "99"), described("2013-01-02", "1")]
    again = glue.batch_create_partition(**KEY, PartitionInputList=[*some, some[1]])
    assert again["Errors"] == [
        {
            "PartitionValues": partition["Values"],
            "ErrorDetail": {
                "ErrorCode": "AlreadyExistsException",
                "ErrorMessage": "Partition already exists.",
            },
        }
        for partition in some
    ]
    pages = glue.get_paginator("get_partitions").paginate(**KEY, PaginationConfig={"PageSize": 30})
    found = [values(page["Partitions"]) for page in pages]
    assert [len(page) for page in found] == [30, 30, 30, 11]
    assert len({tuple(each) for page in found for each in page}) == 101


def test_more_than_glue_takes_at_once_is_refused(glue: GlueClient) -> None:
    many = [described("d", str(number)) for number in range(101)]
    code, message = refusal(lambda: glue.batch_create_partition(**KEY, PartitionInputList=many))
    assert code == "ValidationException"
    assert message.endswith(
        "at 'partitionInputList' failed to satisfy constraint: "
        "Member must have length less than or equal to 100"
    )
    keys: Any = [{"Values": each["Values"]} for each in many[:26]]
    code, message = refusal(lambda: glue.batch_delete_partition(**KEY, PartitionsToDelete=keys))
    assert code == "ValidationException"
    assert message.endswith(
        "at 'partitionsToDelete' failed to satisfy constraint: "
        "Member must have length less than or equal to 25"
    )
    assert glue.get_partitions(**KEY)["Partitions"] == []


def test_batches_get_update_and_delete(glue: GlueClient) -> None:
    some = [described("d", str(number)) for number in range(4)]
    glue.batch_create_partition(**KEY, PartitionInputList=some)
    keys: Any = [{"Values": ["d", number]} for number in ("3", "0", "7", "0")]
    found = glue.batch_get_partition(**KEY, PartitionsToGet=keys)
    assert values(found["Partitions"]) == [["d", "0"], ["d", "3"]]
    assert found["UnprocessedKeys"] == []
    entries: Any = [
        {"PartitionValueList": ["d", "0"], "PartitionInput": described("d", "0", Parameters={})},
        {"PartitionValueList": ["d", "1"], "PartitionInput": described("d", "9")},
        {"PartitionValueList": ["d", "2"], "PartitionInput": described("d", "3")},
        {"PartitionValueList": ["d", "7"], "PartitionInput": described("d", "7")},
    ]
    errors = glue.batch_update_partition(**KEY, Entries=entries)["Errors"]
    assert codes(errors, "PartitionValueList") == [
        (["d", "2"], "AlreadyExistsException"),
        (["d", "7"], "EntityNotFoundException"),
    ]
    gone: Any = [{"Values": ["d", number]} for number in ("0", "1", "9")]
    errors_left = glue.batch_delete_partition(**KEY, PartitionsToDelete=gone)["Errors"]
    assert codes(errors_left) == [(["d", "1"], "EntityNotFoundException")]
    assert values(glue.get_partitions(**KEY)["Partitions"]) == [["d", "2"], ["d", "3"]]


def test_segments_share_the_partitions_out(glue: GlueClient) -> None:
    many = [described("d", str(number)) for number in range(60)]
    glue.batch_create_partition(**KEY, PartitionInputList=many)
    parts = []
    for number in range(3):
        pages = glue.get_paginator("get_partitions").paginate(
            **KEY,
            Segment={"SegmentNumber": number, "TotalSegments": 3},
            PaginationConfig={"PageSize": 7},
        )
        parts.append([tuple(v) for page in pages for v in values(page["Partitions"])])
    assert all(len(part) > 5 for part in parts)
    assert sorted(each for part in parts for each in part) == sorted(
        tuple(each["Values"]) for each in many
    )
    assert refusal(
        lambda: glue.get_partitions(**KEY, Segment={"SegmentNumber": 3, "TotalSegments": 3})
    ) == ("InvalidInputException", "SegmentNumber must be less than TotalSegments")


def test_columns_are_left_out_when_that_is_asked(glue: GlueClient) -> None:
    storage = {"Columns": [{"Name": "x", "Type": "int"}], "Location": "s3://b/"}
    glue.create_partition(**KEY, PartitionInput=described("d", "1", StorageDescriptor=storage))
    found = glue.get_partitions(**KEY, ExcludeColumnSchema=True)["Partitions"][0]
    assert found["StorageDescriptor"] == {"Location": "s3://b/"}


def test_an_update_may_move_a_partition(glue: GlueClient) -> None:
    glue.create_partition(**KEY, PartitionInput=described("d", "1"))
    glue.create_partition(**KEY, PartitionInput=described("d", "2"))
    glue.update_partition(**KEY, PartitionValueList=["d", "1"], PartitionInput=described("e", "1"))
    assert values(glue.get_partitions(**KEY)["Partitions"]) == [["d", "2"], ["e", "1"]]
    glue.update_partition(
        **KEY, PartitionValueList=["d", "2"], PartitionInput={"Parameters": {"a": "b"}}
    )
    found = glue.get_partition(**KEY, PartitionValues=["d", "2"])["Partition"]
    assert (found["Values"], found["Parameters"]) == (["d", "2"], {"a": "b"})


NO_NUMBER = (
    "InvalidInputException",
    "The number of partition keys do not match the number of partition values",
)
REFUSALS: dict[str, tuple[Callable[[GlueClient], object], tuple[str, str]]] = {
    "there already": (
        lambda glue: glue.create_partition(**KEY, PartitionInput=described("d", "1")),
        ("AlreadyExistsException", "Partition already exists."),
    ),
    "one value too few": (
        lambda glue: glue.create_partition(**KEY, PartitionInput=described("d")),
        NO_NUMBER,
    ),
    "one value too many": (
        lambda glue: glue.get_partition(**KEY, PartitionValues=["d", "1", "x"]),
        NO_NUMBER,
    ),
    "no values": (lambda glue: glue.create_partition(**KEY, PartitionInput={}), NO_NUMBER),
    "not there": (
        lambda glue: glue.get_partition(**KEY, PartitionValues=["d", "2"]),
        ("EntityNotFoundException", "Cannot find partition."),
    ),
    "not there to delete": (
        lambda glue: glue.delete_partition(**KEY, PartitionValues=["d", "2"]),
        ("EntityNotFoundException", "Partition not found."),
    ),
    "not there to update": (
        lambda glue: glue.update_partition(
            **KEY, PartitionValueList=["d", "2"], PartitionInput=described("d", "2")
        ),
        ("EntityNotFoundException", "Partition not found."),
    ),
    "no table": (
        lambda glue: glue.get_partitions(DatabaseName="marts", TableName="none"),
        ("EntityNotFoundException", "Entity Not Found: Table none not found."),
    ),
    "no database": (
        lambda glue: glue.get_partitions(DatabaseName="none", TableName="t"),
        ("EntityNotFoundException", "Database none not found."),
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals_have_glue_s_codes(glue: GlueClient, case: str) -> None:
    glue.create_partition(**KEY, PartitionInput=described("d", "1"))
    call, expected = REFUSALS[case]
    assert refusal(lambda: call(glue)) == expected


def test_a_batch_with_a_wrong_number_of_values_is_refused_whole(glue: GlueClient) -> None:
    some = [described("d", "1"), described("d")]
    assert refusal(lambda: glue.batch_create_partition(**KEY, PartitionInputList=some)) == NO_NUMBER
    assert glue.get_partitions(**KEY)["Partitions"] == []


def test_a_table_without_keys_has_no_partitions(glue: GlueClient) -> None:
    glue.create_table(DatabaseName="marts", TableInput={"Name": "flat"})
    key: Any = {"DatabaseName": "marts", "TableName": "flat"}
    cases: list[Any] = [{}, described(), described("a")]
    for given in cases:
        assert refusal(lambda: glue.create_partition(**key, PartitionInput=given)) == NO_NUMBER  # noqa: B023 - called at once
    assert glue.get_partitions(**key)["Partitions"] == []


def test_many_connections_write_at_once(glue: GlueClient) -> None:
    def create(number: int) -> int:
        some = [described("d", str((number * 7 + each) % 60)) for each in range(20)]
        return 20 - len(glue.batch_create_partition(**KEY, PartitionInputList=some)["Errors"])

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(create, range(24)))
    assert sum(made) == 60
    assert len(glue.get_partitions(**KEY)["Partitions"]) == 60


def test_indexes_are_kept_and_limited(glue: GlueClient) -> None:
    def create(name: str, *keys: str) -> object:
        return glue.create_partition_index(
            **KEY, PartitionIndex={"IndexName": name, "Keys": list(keys)}
        )

    create("by_day", "dt")
    create("by_number", "n", "DT")
    assert glue.get_partition_indexes(**KEY)["PartitionIndexDescriptorList"] == [
        {
            "IndexName": "by_day",
            "Keys": [{"Name": "dt", "Type": "string"}],
            "IndexStatus": "ACTIVE",
        },
        {
            "IndexName": "by_number",
            "Keys": [{"Name": "n", "Type": "int"}, {"Name": "dt", "Type": "string"}],
            "IndexStatus": "ACTIVE",
        },
    ]
    assert refusal(lambda: create("by_day", "n"))[0] == "AlreadyExistsException"
    assert refusal(lambda: create("other", "dt"))[0] == "AlreadyExistsException"
    assert refusal(lambda: create("x", "x"))[0] == "InvalidInputException"
    create("third", "n")
    assert refusal(lambda: create("fourth", "dt", "n"))[0] == (
        "ResourceNumberLimitExceededException"
    )
    glue.delete_partition_index(**KEY, IndexName="by_day")
    assert refusal(lambda: glue.delete_partition_index(**KEY, IndexName="by_day"))[0] == (
        "EntityNotFoundException"
    )


def statistics(column: str) -> Any:  # noqa: ANN401 - ColumnStatistics
    return {
        "ColumnName": column,
        "ColumnType": "int",
        "AnalyzedTime": datetime(2013, 1, 2, tzinfo=UTC),
        "StatisticsData": {
            "Type": "DECIMAL",
            "DecimalColumnStatisticsData": {
                "MinimumValue": {"UnscaledValue": b"\x01\xff", "Scale": 2},
                "NumberOfNulls": 0,
                "NumberOfDistinctValues": 5,
            },
        },
    }


def test_statistics_of_a_table_come_back_and_missing_ones_are_named(glue: GlueClient) -> None:
    errors = glue.update_column_statistics_for_table(
        **KEY, ColumnStatisticsList=[statistics("x"), statistics("none")]
    )["Errors"]
    assert [each["ColumnStatistics"]["ColumnName"] for each in errors] == ["none"]
    found = glue.get_column_statistics_for_table(**KEY, ColumnNames=["x", "dt"])
    assert found["ColumnStatisticsList"] == [statistics("x")]
    assert [(each["ColumnName"], each["Error"]["ErrorCode"]) for each in found["Errors"]] == [
        ("dt", "EntityNotFoundException")
    ]
    glue.delete_column_statistics_for_table(**KEY, ColumnName="x")
    assert refusal(lambda: glue.delete_column_statistics_for_table(**KEY, ColumnName="x"))[0] == (
        "EntityNotFoundException"
    )


def test_statistics_of_a_partition_move_and_go_with_it(glue: GlueClient) -> None:
    def found(*of: str) -> list[Any]:
        return list(
            glue.get_column_statistics_for_partition(
                **KEY, PartitionValues=list(of), ColumnNames=["x"]
            )["ColumnStatisticsList"]
        )

    glue.create_partition(**KEY, PartitionInput=described("d", "1"))
    glue.update_column_statistics_for_partition(
        **KEY, PartitionValues=["d", "1"], ColumnStatisticsList=[statistics("x")]
    )
    glue.update_partition(**KEY, PartitionValueList=["d", "1"], PartitionInput=described("e", "2"))
    assert found("e", "2") == [statistics("x")]
    assert refusal(lambda: found("d", "1")) == (
        "EntityNotFoundException",
        "Cannot find partition.",
    )
    glue.delete_partition(**KEY, PartitionValues=["e", "2"])
    glue.create_partition(**KEY, PartitionInput=described("e", "2"))
    assert found("e", "2") == []
