"""GetPartitions' Expression: what each form selects, by hand and as moto reads it.

moto's reading was checked against AWS by its authors; what moto has not (NOT before a
parenthesis, !=, quoted names, typed literals) has its expected values written here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.support.aws import empty_account, moto_url
from tests.support.local_glue import client_of, serve_glue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_glue import GlueClient

__all__ = ["moto_url"]

TABLE: Any = {"DatabaseName": "marts", "TableName": "t"}
KEYS: Any = [
    {"Name": "s", "Type": "string"},
    {"Name": "i", "Type": "int"},
    {"Name": "d", "Type": "date"},
    {"Name": "m", "Type": "decimal"},
    {"Name": "ts", "Type": "timestamp"},
    {"Name": "f", "Type": "float"},
]
ROWS = [
    ["one", "1", "2013-01-01", "1.5", "2013-01-01 00:00:00", "1"],
    ["two", "2", "2013-01-02", "10", "2013-01-01 12:30:00.5", "1"],
    ["two's", "10", "2013-02-01", "9.25", "2013-01-02 00:00:00", "1"],
    ["2", "-3", "2012-12-31", "-0.5", "2012-12-31 23:59:59", "1"],
    ["O.n_e%", "30", "2014-01-01", "3e2", "2014-01-01 00:00:00", "1"],
    ["t(o", "4", "2013-01-03", "4", "2013-06-01 00:00:00", "1"],
]


def fill(glue: GlueClient) -> None:
    glue.create_database(DatabaseInput={"Name": "marts"})
    storage: Any = {"Columns": []}
    glue.create_table(
        DatabaseName="marts",
        TableInput={"Name": "t", "PartitionKeys": KEYS, "StorageDescriptor": storage},
    )
    glue.batch_create_partition(**TABLE, PartitionInputList=[{"Values": row} for row in ROWS])


@pytest.fixture(scope="module")
def glue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GlueClient]:
    folder = tmp_path_factory.mktemp("catalog")
    with serve_glue() as endpoint, endpoint.catalog(folder) as client:
        fill(client)
        yield client


@pytest.fixture(scope="module")
def moto(moto_url: str) -> Iterator[GlueClient]:
    empty_account(moto_url)
    client = client_of(moto_url)
    fill(client)
    yield client
    client.close()


def outcome(glue: GlueClient, expression: str) -> object:
    """Give the integers of the partitions found, or the refusal's code and message."""
    try:
        found = glue.get_partitions(**TABLE, Expression=expression)["Partitions"]
    except ClientError as error:
        return (error.response["Error"]["Code"], error.response["Error"]["Message"])
    return sorted(int(each["Values"][1]) for each in found)


BOTH_READ = [
    "s = 'one'",
    "s = 'two''s'",
    "s = 2",
    "s <> 'one'",
    "s > 'one'",
    "s >= 'two'",
    "s < 'one'",
    "s <= 'one'",
    "s IN ('one', 'two', 'none')",
    "s in (1, 2)",
    "s NOT IN ('one', 'two')",
    "s BETWEEN 'one' AND 'two'",
    "s not between 'one' and 'two'",
    "s LIKE 'o%'",
    "s LIKE '%o%'",
    "s LIKE 't_o'",
    "s LIKE '___'",
    "s LIKE 'O.n_e%'",
    "s LIKE 't(o'",
    "s LIKE ''",
    "s NOT LIKE '%o%'",
    "s IS NULL",
    "s IS NOT NULL",
    "i = 2",
    "i = '2'",
    "i = -3",
    "i > 3",
    "i >= 10",
    "i < 10",
    "i <= 2",
    "i <> 10",
    "i IN (1, '10', 77)",
    "i NOT IN (1, 10)",
    "i BETWEEN 2 AND 10",
    "i NOT BETWEEN 2 AND 10",
    "d = '2013-01-01'",
    "d > '2013-01-01'",
    "d BETWEEN '2013-01-01' AND '2013-01-31'",
    "d IN ('2012-12-31', '2014-01-01')",
    "m = 10",
    "m > 9.25",
    "m >= '9.25'",
    "m < 0",
    "m = 300",
    "m between 1 and 9.5",
    "ts = '2013-01-01 00:00:00'",
    "ts >= '2013-01-02 00:00:00'",
    "ts BETWEEN '2013-01-01 00:00:00' AND '2013-01-31 00:00:00'",
    "s = 'one' AND i = 1",
    "s = 'one' AND i = 2",
    "s = 'one' OR i = 2",
    "s = 'one' OR i = 2 AND d = '2014-01-01'",
    "(s = 'one' OR i = 2) AND d = '2013-01-02'",
    "s = 'one' or s = 'two' or i > 20",
    "((s = 'one'))",
    "(i) = ((2))",
    "i>1 and i<10",
    "",
    "  ",
]
BOTH_REFUSE = [
    "x = 1",
    "x IS NULL",
    "f = 1",
    "i = 'two'",
    "i = 2.5",
    "i IN (2.5)",
    "i LIKE '2'",
    "m = 'x'",
    "m LIKE '1'",
    "d = 'x'",
    "d = '2013-02-30'",
    "d LIKE '2013%'",
    "ts = '2013-01-01'",
    "ts LIKE '2013%'",
    "s",
    "s =",
    "= 'one'",
    "s = 'one' AND",
    "s = 'one' i = 1",
    "(s = 'one'",
    "s = 'one')",
    "s = 'one",
    "s LIKE 'a' LIKE 'b'",
    "s IN ()",
    "s BETWEEN 'a'",
    "i + 1 = 2",
    "s = i",
    "1 = 1 AND",
    "AND s = 'one'",
]


@pytest.mark.parametrize("expression", BOTH_READ)
def test_moto_selects_the_same(glue: GlueClient, moto: GlueClient, expression: str) -> None:
    found = outcome(glue, expression)
    assert isinstance(found, list)
    assert found == outcome(moto, expression)


@pytest.mark.parametrize("expression", BOTH_REFUSE)
def test_moto_refuses_in_the_same_words(
    glue: GlueClient, moto: GlueClient, expression: str
) -> None:
    found = outcome(glue, expression)
    assert isinstance(found, tuple)
    assert found == outcome(moto, expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("i != 10", [-3, 1, 2, 4, 30]),
        ("NOT i = 10", [-3, 1, 2, 4, 30]),
        ("NOT (i = 10 OR i = 1) AND i > 0", [2, 4, 30]),
        ("not not i = 10", [10]),
        ("NOT " * 501 + "i = 1", [-3, 2, 4, 10, 30]),
        ("2 < i", [4, 10, 30]),
        ("'one' = s", [1]),
        ("10 >= i", [-3, 1, 2, 4, 10]),
        ("`s` = 'one'", [1]),
        ("\"S\" = 'one'", [1]),
        ("S = 'one'", [1]),
        ("d = DATE '2013-01-01'", [1]),
        ("ts > timestamp '2013-01-01 12:30:00'", [2, 4, 10, 30]),
        ("ts = '2013-01-01 12:30:00.500'", [2]),
        ("m = 10.00", [2]),
        ("m = 1e1", [2]),
        ("i BETWEEN 10 AND 2", []),
        ("\n s = 'one'\n AND\n i = 1 ", [1]),
        ("s = 'one' AND i = 1 AND s = 'two'", []),
        ("(s = 'two' AND i = 2) OR (s = 'one' AND i = 1)", [1, 2]),
        ("s LIKE 'O.n\\_e%'", []),
        ("(" * 60 + "i = 1" + ")" * 60, [1]),
    ],
)
def test_what_moto_does_not_read(glue: GlueClient, expression: str, expected: list[int]) -> None:
    assert outcome(glue, expression) == expected


@pytest.mark.parametrize("expression", ["(" * 1000 + "i = 1" + ")" * 1000, "s = 1x", "s # 1"])
def test_what_cannot_be_read_is_refused(glue: GlueClient, expression: str) -> None:
    refusal = ("InvalidInputException", f"Unsupported expression '{expression}'")
    assert outcome(glue, expression) == refusal


def test_a_value_that_is_not_of_its_key_s_type_is_refused(glue: GlueClient) -> None:
    odd = ["null", "__HIVE_DEFAULT_PARTITION__", *ROWS[0][2:]]
    glue.create_partition(**TABLE, PartitionInput={"Values": odd})
    try:
        assert outcome(glue, "i = 1") == (
            "InvalidStateException",
            '"__HIVE_DEFAULT_PARTITION__" is not an integer.',
        )
        assert outcome(glue, "s = 'one' AND i = 1") == [1]
    finally:
        glue.delete_partition(**TABLE, PartitionValues=odd)


def test_a_filter_and_pages_go_together(glue: GlueClient) -> None:
    pages = glue.get_paginator("get_partitions").paginate(
        **TABLE, Expression="i > 0", PaginationConfig={"PageSize": 2}
    )
    found = [[each["Values"][1] for each in page["Partitions"]] for page in pages]
    assert [len(page) for page in found] == [2, 2, 1]
    assert sorted(int(each) for page in found for each in page) == [1, 2, 4, 10, 30]
