"""Databases, tables, versions and what belongs to them, through boto3 over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.support.local_glue import GlueEndpoint, serve_glue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mypy_boto3_glue import GlueClient


@pytest.fixture(scope="module")
def endpoint() -> Iterator[GlueEndpoint]:
    with serve_glue() as endpoint:
        yield endpoint


@pytest.fixture
def glue(endpoint: GlueEndpoint, tmp_path: Path) -> Iterator[GlueClient]:
    with endpoint.catalog(tmp_path) as client:
        client.create_database(DatabaseInput={"Name": "marts"})
        yield client


def table(name: str = "t", **more: Any) -> Any:  # noqa: ANN401 - a TableInput
    return {"Name": name, "StorageDescriptor": {"Location": "s3://b/p/"}, **more}


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call()
    error = refused.value.response["Error"]
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return error["Code"], error["Message"]


def names(tables: Any) -> list[str]:  # noqa: ANN401
    return [each["Name"] for each in tables]


def test_a_database_keeps_what_it_was_given_under_a_name_in_lower_case(glue: GlueClient) -> None:
    began = datetime.now(tz=UTC).replace(microsecond=0)
    glue.create_database(
        DatabaseInput={
            "Name": "RAW",
            "Description": "as it came",
            "LocationUri": "s3://b/raw/",
            "Parameters": {"owner": "me"},
        }
    )
    found = glue.get_database(Name="Raw")["Database"]
    assert began <= found.pop("CreateTime") <= datetime.now(tz=UTC)
    assert found == {
        "Name": "raw",
        "Description": "as it came",
        "LocationUri": "s3://b/raw/",
        "Parameters": {"owner": "me"},
        "CatalogId": "000000000000",
        "CreateTableDefaultPermissions": [
            {
                "Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"},
                "Permissions": ["ALL"],
            }
        ],
    }
    glue.update_database(Name="raw", DatabaseInput={"Name": "raw", "Description": "other"})
    assert "LocationUri" not in glue.get_database(Name="raw")["Database"]


def test_databases_come_in_pages_of_the_size_that_is_asked(glue: GlueClient) -> None:
    for name in ("c", "a", "b"):
        glue.create_database(DatabaseInput={"Name": name})
    pages = glue.get_paginator("get_databases").paginate(PaginationConfig={"PageSize": 3})
    assert [names(page["DatabaseList"]) for page in pages] == [["a", "b", "c"], ["marts"]]
    assert glue.get_databases(AttributesToGet=["NAME"])["DatabaseList"][0] == {"Name": "a"}
    assert glue.get_databases(ResourceShareType="FOREIGN")["DatabaseList"] == []


def test_a_database_is_deleted_with_all_that_is_in_it(glue: GlueClient) -> None:
    keys: Any = [{"Name": "dt", "Type": "string"}]
    glue.create_table(DatabaseName="marts", TableInput=table(PartitionKeys=keys))
    glue.create_partition(
        DatabaseName="marts", TableName="t", PartitionInput={"Values": ["2013-01-01"]}
    )
    glue.delete_database(Name="MARTS")
    glue.create_database(DatabaseInput={"Name": "marts"})
    assert glue.get_tables(DatabaseName="marts")["TableList"] == []
    glue.create_table(DatabaseName="marts", TableInput=table(PartitionKeys=keys))
    assert glue.get_partitions(DatabaseName="marts", TableName="t")["Partitions"] == []


def test_a_table_keeps_what_it_was_given(glue: GlueClient) -> None:
    given: Any = {
        "Description": "flights",
        "Owner": "hadoop",
        "LastAccessTime": datetime(2013, 1, 2, 3, 4, 5, tzinfo=UTC),
        "Retention": 3,
        "StorageDescriptor": {
            "Columns": [{"Name": "Carrier", "Type": "string", "Comment": "IATA"}],
            "Location": "s3://b/flights/",
            "InputFormat": "i",
            "OutputFormat": "o",
            "Compressed": False,
            "NumberOfBuckets": -1,
            "SerdeInfo": {"SerializationLibrary": "s", "Parameters": {"field.delim": "\t"}},
            "BucketColumns": ["Carrier"],
            "SortColumns": [{"Column": "Carrier", "SortOrder": 1}],
            "StoredAsSubDirectories": False,
        },
        "PartitionKeys": [{"Name": "dt", "Type": "date"}],
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "empty": ""},
    }
    glue.create_table(DatabaseName="Marts", TableInput=table("Flights", **given))
    found: Any = glue.get_table(DatabaseName="marts", Name="FLIGHTS")["Table"]
    assert {name: found.pop(name) for name in given} == given
    assert isinstance(found.pop("CreateTime"), datetime)
    assert isinstance(found.pop("UpdateTime"), datetime)
    assert found == {
        "Name": "flights",
        "DatabaseName": "marts",
        "CatalogId": "000000000000",
        "VersionId": "0",
        "IsRegisteredWithLakeFormation": False,
    }


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("", ["daily_a", "daily_b", "raw", "rawer"]),
        ("raw", ["raw"]),
        ("daily_*", ["daily_a", "daily_b"]),
        ("*a*", ["daily_a", "daily_b", "raw", "rawer"]),
        ("raw.+", ["rawer"]),
        ("raw.*", ["raw", "rawer"]),
        (r"raw\w*", ["raw", "rawer"]),
        (r"\w*_[ab]", ["daily_a", "daily_b"]),
        ("daily_[ac]|raw", ["daily_a", "raw"]),
        ("^raw(er)?$", ["raw", "rawer"]),
        ("nothing", []),
    ],
)
def test_tables_are_found_by_a_pattern(
    glue: GlueClient, expression: str, expected: list[str]
) -> None:
    for name in ("rawer", "daily_b", "raw", "daily_a"):
        glue.create_table(DatabaseName="marts", TableInput=table(name))
    found = glue.get_tables(DatabaseName="marts", Expression=expression)["TableList"]
    assert names(found) == expected


def test_tables_come_in_pages(glue: GlueClient) -> None:
    for number in range(105):
        glue.create_table(
            DatabaseName="marts", TableInput=table(f"t{number:03}", TableType="EXTERNAL_TABLE")
        )
    first = glue.get_tables(DatabaseName="marts")
    assert len(first["TableList"]) == 100
    pages = glue.get_paginator("get_tables").paginate(
        DatabaseName="marts", Expression="t.*[05]", PaginationConfig={"PageSize": 10}
    )
    found = [names(page["TableList"]) for page in pages]
    assert [len(page) for page in found] == [10, 10, 1]
    assert [name for page in found for name in page] == [
        f"t{number:03}" for number in range(0, 105, 5)
    ]
    short = glue.get_tables(DatabaseName="marts", AttributesToGet=["NAME"], MaxResults=1)
    assert short["TableList"] == [{"Name": "t000"}]
    one = glue.get_table(DatabaseName="marts", Name="t007", AttributesToGet=["NAME"])
    assert one["Table"] == {"Name": "t007"}
    typed = glue.get_tables(
        DatabaseName="marts", AttributesToGet=["NAME", "TABLE_TYPE"], MaxResults=1
    )
    assert typed["TableList"] == [{"Name": "t000", "TableType": "EXTERNAL_TABLE"}]


def test_an_update_replaces_and_counts_versions(glue: GlueClient) -> None:
    glue.create_table(DatabaseName="marts", TableInput=table(Description="first"))
    glue.update_table(DatabaseName="marts", TableInput=table("T"))
    assert "Description" not in glue.get_table(DatabaseName="marts", Name="t")["Table"]
    glue.update_table(DatabaseName="marts", TableInput=table(Owner="me"), VersionId="1")
    glue.update_table(DatabaseName="marts", TableInput=table(), SkipArchive=True)
    versions = glue.get_table_versions(DatabaseName="marts", TableName="t")["TableVersions"]
    assert [each["VersionId"] for each in versions] == ["3", "1", "0"]
    assert versions[-1]["Table"]["Description"] == "first"
    pages = glue.get_paginator("get_table_versions").paginate(
        DatabaseName="marts", TableName="t", PaginationConfig={"PageSize": 2}
    )
    assert [[each["VersionId"] for each in page["TableVersions"]] for page in pages] == [
        ["3", "1"],
        ["0"],
    ]


def test_a_stale_version_changes_nothing(glue: GlueClient) -> None:
    glue.create_table(DatabaseName="marts", TableInput=table())
    glue.update_table(DatabaseName="marts", TableInput=table(), VersionId="0")
    assert refusal(
        lambda: glue.update_table(
            DatabaseName="marts", TableInput=table(Owner="late"), VersionId="0"
        )
    ) == (
        "ConcurrentModificationException",
        "Update table failed due to concurrent modifications.",
    )
    found = glue.get_table(DatabaseName="marts", Name="t")["Table"]
    assert found["VersionId"] == "1"
    assert "Owner" not in found


def test_versions_are_read_and_deleted_by_number(glue: GlueClient) -> None:
    key: Any = {"DatabaseName": "marts", "TableName": "t"}
    glue.create_table(DatabaseName="marts", TableInput=table(Description="0"))
    for number in range(1, 5):
        glue.update_table(DatabaseName="marts", TableInput=table(Description=str(number)))
    assert glue.get_table_version(**key)["TableVersion"]["VersionId"] == "4"
    second = glue.get_table_version(**key, VersionId="2")["TableVersion"]
    assert second["Table"]["Description"] == "2"
    glue.delete_table_version(**key, VersionId="2")
    found = glue.batch_delete_table_version(**key, VersionIds=["1", "2", "4", "x"])["Errors"]
    assert [(each["VersionId"], each["ErrorDetail"]["ErrorCode"]) for each in found] == [
        ("2", "EntityNotFoundException"),
        ("4", "InvalidInputException"),
        ("x", "InvalidInputException"),
    ]
    left = glue.get_table_versions(**key)["TableVersions"]
    assert [each["VersionId"] for each in left] == ["4", "3", "0"]


def test_tables_are_deleted_with_their_versions(glue: GlueClient) -> None:
    for name in ("a", "b"):
        glue.create_table(DatabaseName="marts", TableInput=table(name))
        glue.update_table(DatabaseName="marts", TableInput=table(name))
    glue.delete_table(DatabaseName="marts", Name="A")
    found = glue.batch_delete_table(DatabaseName="marts", TablesToDelete=["a", "b"])["Errors"]
    assert [(e["TableName"], e["ErrorDetail"]["ErrorCode"]) for e in found] == [
        ("a", "EntityNotFoundException")
    ]
    glue.create_table(DatabaseName="marts", TableInput=table("b"))
    versions = glue.get_table_versions(DatabaseName="marts", TableName="b")["TableVersions"]
    assert [each["VersionId"] for each in versions] == ["0"]


REFUSALS: dict[str, tuple[Callable[[GlueClient], object], str, str]] = {
    "database exists": (
        lambda glue: glue.create_database(DatabaseInput={"Name": "Marts"}),
        "AlreadyExistsException",
        "Database already exists.",
    ),
    "no database": (
        lambda glue: glue.get_database(Name="none"),
        "EntityNotFoundException",
        "Database none not found.",
    ),
    "no database to update": (
        lambda glue: glue.update_database(Name="none", DatabaseInput={"Name": "none"}),
        "EntityNotFoundException",
        "Database none not found.",
    ),
    "no database to delete": (
        lambda glue: glue.delete_database(Name="none"),
        "EntityNotFoundException",
        "Database none not found.",
    ),
    "no database of tables": (
        lambda glue: glue.get_tables(DatabaseName="none"),
        "EntityNotFoundException",
        "Database none not found.",
    ),
    "no database of a table": (
        lambda glue: glue.get_table(DatabaseName="none", Name="t"),
        "EntityNotFoundException",
        "Database none not found.",
    ),
    "no table": (
        lambda glue: glue.get_table(DatabaseName="marts", Name="none"),
        "EntityNotFoundException",
        "Entity Not Found: Table none not found.",
    ),
    "no table to update": (
        lambda glue: glue.update_table(DatabaseName="marts", TableInput=table("none")),
        "EntityNotFoundException",
        "Entity Not Found: Table none not found.",
    ),
    "table exists": (
        lambda glue: glue.create_table(DatabaseName="marts", TableInput=table("Present")),
        "AlreadyExistsException",
        "Table already exists.",
    ),
    "no such version": (
        lambda glue: glue.get_table_version(
            DatabaseName="marts", TableName="present", VersionId="7"
        ),
        "EntityNotFoundException",
        "Version not found.",
    ),
    "name too long": (
        lambda glue: glue.create_table(DatabaseName="marts", TableInput=table("n" * 256)),
        "ValidationException",
        (
            f"1 validation error detected: Value '{'n' * 256}' at 'table.name' failed to satisfy "
            "constraint: Member must have length less than or equal to 255"
        ),
    ),
    "two things wrong": (
        lambda glue: glue.create_table(
            DatabaseName="marts",
            TableInput=table(
                StorageDescriptor={"Columns": [{"Name": "a"}, {"Name": "b", "Comment": "x\ny"}]},
                TableType="v" * 256,
            ),
        ),
        "ValidationException",
        (
            "2 validation errors detected: Value 'x\ny' at "
            "'table.storageDescriptor.columns.2.member.comment' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: "
            r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*; "
            f"Value '{'v' * 256}' at 'table.tableType' failed to satisfy constraint: Member must "
            "have length less than or equal to 255"
        ),
    ),
    "page too large": (
        lambda glue: glue.get_tables(DatabaseName="marts", MaxResults=101),
        "ValidationException",
        (
            "1 validation error detected: Value '101' at 'maxResults' failed to satisfy "
            "constraint: Member must have value less than or equal to 100"
        ),
    ),
    "no pattern": (
        lambda glue: glue.get_tables(DatabaseName="marts", Expression="("),
        "InvalidInputException",
        "Invalid regular expression '(': missing ), unterminated subpattern at position 0",
    ),
    "fields of tables without the name": (
        lambda glue: glue.get_tables(DatabaseName="marts", AttributesToGet=["TABLE_TYPE"]),
        "InvalidInputException",
        "AttributesToGet must include NAME",
    ),
    "fields of databases without the name": (
        lambda glue: glue.get_databases(AttributesToGet=["TARGET_DATABASE"]),
        "InvalidInputException",
        "AttributesToGet must include NAME",
    ),
    "another name for a database": (
        lambda glue: glue.update_database(Name="marts", DatabaseInput={"Name": "other"}),
        "InvalidInputException",
        "The name of a database cannot be changed",
    ),
    "no description": (
        lambda glue: glue.create_table(DatabaseName="marts"),
        "InvalidInputException",
        "TableInput must be given",
    ),
    "a table made by Glue": (
        lambda glue: glue.create_table(
            DatabaseName="marts",
            OpenTableFormatInput={"IcebergInput": {"MetadataOperation": "CREATE"}},
        ),
        "InvalidInputException",
        "OpenTableFormatInput is not supported by the local catalogue; give a TableInput",
    ),
    "a filter without a value": (
        lambda glue: glue.search_tables(Filters=[{"Key": "Name"}]),
        "InvalidInputException",
        "A filter must have Key and Value",
    ),
    "a filter by what is no time": (
        lambda glue: glue.search_tables(Filters=[{"Key": "CreateTime", "Value": "once"}]),
        "InvalidInputException",
        "once is not a time",
    ),
    "no order": (
        lambda glue: glue.search_tables(SortCriteria=[{"FieldName": "StorageDescriptor"}]),
        "InvalidInputException",
        "Tables cannot be sorted by StorageDescriptor",
    ),
    "tags of something else": (
        lambda glue: glue.get_tags(ResourceArn="arn:aws:glue:eu-west-1:1:job/j"),
        "EntityNotFoundException",
        "Resource arn:aws:glue:eu-west-1:1:job/j not found.",
    ),
    "no crawlers here": (
        lambda glue: glue.start_crawler(Name="c"),
        "UnknownOperationException",
        "AWSGlue.StartCrawler is not served here",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals_have_glue_s_codes(glue: GlueClient, case: str) -> None:
    for name in ("present", "second"):
        glue.create_table(DatabaseName="marts", TableInput=table(name))
    call, code, message = REFUSALS[case]
    assert refusal(lambda: call(glue)) == (code, message)


@pytest.fixture
def library(glue: GlueClient) -> GlueClient:
    glue.create_database(DatabaseInput={"Name": "raw"})
    glue.create_table(
        DatabaseName="marts",
        TableInput=table("customer-link", Description="Who is who", Owner="ann"),
    )
    glue.create_table(
        DatabaseName="raw", TableInput=table("xxlinkyy", Parameters={"classification": "parquet"})
    )
    glue.create_table(DatabaseName="raw", TableInput=table("flights", Owner="bob"))
    return glue


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["customer-link", "flights", "xxlinkyy"]),
        ({"SearchText": "PARQUET"}, ["xxlinkyy"]),
        ({"SearchText": "who"}, ["customer-link"]),
        ({"SearchText": '"parquet"'}, ["xxlinkyy"]),
        ({"SearchText": '"parq"'}, []),
        ({"Filters": [{"Key": "Name", "Value": "link"}]}, ["customer-link"]),
        ({"Filters": [{"Key": "DatabaseName", "Value": "raw"}]}, ["flights", "xxlinkyy"]),
        (
            {
                "Filters": [
                    {"Key": "DatabaseName", "Value": "raw"},
                    {"Key": "classification", "Value": "parquet"},
                ]
            },
            ["xxlinkyy"],
        ),
        (
            {
                "Filters": [
                    {
                        "Key": "CreateTime",
                        "Value": "2013-01-01T00:00:00Z",
                        "Comparator": "LESS_THAN",
                    }
                ]
            },
            [],
        ),
        (
            {
                "Filters": [
                    {"Key": "CreateTime", "Value": "1357000000", "Comparator": "GREATER_THAN"}
                ]
            },
            ["customer-link", "flights", "xxlinkyy"],
        ),
        (
            {"SortCriteria": [{"FieldName": "Name", "Sort": "DESC"}]},
            ["xxlinkyy", "flights", "customer-link"],
        ),
        (
            {"SortCriteria": [{"FieldName": "Owner", "Sort": "DESC"}]},
            ["flights", "customer-link", "xxlinkyy"],
        ),
        ({"ResourceShareType": "FOREIGN"}, []),
    ],
)
def test_tables_are_searched(
    library: GlueClient, asked: dict[str, Any], expected: list[str]
) -> None:
    assert names(library.search_tables(**asked)["TableList"]) == expected


def test_found_tables_come_in_pages(library: GlueClient) -> None:
    first = library.search_tables(MaxResults=2)
    rest = library.search_tables(MaxResults=2, NextToken=first["NextToken"])
    assert names(first["TableList"] + rest["TableList"]) == ["customer-link", "flights", "xxlinkyy"]
    assert "NextToken" not in rest


def test_tags_are_kept_and_go_with_what_has_them(glue: GlueClient) -> None:
    arn = "arn:aws:glue:eu-west-1:000000000000:"
    glue.create_database(DatabaseInput={"Name": "tagged"}, Tags={"team": "data", "old": "x"})
    glue.tag_resource(ResourceArn=arn + "database/tagged", TagsToAdd={"team": "marts", "a": "b"})
    glue.untag_resource(ResourceArn=arn + "database/tagged", TagsToRemove=["old"])
    assert glue.get_tags(ResourceArn=arn + "database/tagged")["Tags"] == {
        "team": "marts",
        "a": "b",
    }
    glue.create_table(DatabaseName="tagged", TableInput=table())
    glue.tag_resource(ResourceArn=arn + "table/tagged/t", TagsToAdd={"c": "d"})
    glue.delete_database(Name="tagged")
    glue.create_database(DatabaseInput={"Name": "tagged"})
    glue.create_table(DatabaseName="tagged", TableInput=table())
    assert glue.get_tags(ResourceArn=arn + "database/tagged")["Tags"] == {}
    assert glue.get_tags(ResourceArn=arn + "table/tagged/t")["Tags"] == {}
    assert refusal(lambda: glue.get_tags(ResourceArn=arn + "table/tagged/none"))[0] == (
        "EntityNotFoundException"
    )


def test_properties_are_answered_in_the_order_of_a_java_map(glue: GlueClient) -> None:
    # The order that awswrangler's own suite met in AWS; two of the keys share a place.
    given = ["classification", "compressionType", "typeOfData", "projection.enabled"]
    glue.create_table(
        DatabaseName="marts", TableInput=table(Parameters=dict.fromkeys(given, "none"))
    )
    found = glue.get_table(DatabaseName="marts", Name="t")["Table"]["Parameters"]
    assert list(found) == ["compressionType", "classification", "projection.enabled", "typeOfData"]


def test_a_map_of_many_properties_has_more_places(glue: GlueClient) -> None:
    # "0" to "9" and "A" to "C" are the hashes 48 to 57 and 65 to 67: 32 places for 13 of them.
    glue.create_table(
        DatabaseName="marts", TableInput=table(Parameters=dict.fromkeys("CBA9876543210", "x"))
    )
    found = glue.get_table(DatabaseName="marts", Name="t")["Table"]["Parameters"]
    assert "".join(found) == "ABC0123456789"
