"""A column's value by every way: the same value arrives, or every way refuses it.

LOAD DATA LOCAL turns errors into warnings, so going directly is only safe if what it keeps is what
a strict INSERT keeps.  Each case makes a table with one column, and loads one value into it by each
way; types are given as the header's `types:`, so that nothing is refused beforehand.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import duckdb
import pytest

from runner.local.loader import MysqlTarget, mysql
from runner.local.loader.mysql import load_once
from runner.local.loader.mysql_session import open_session
from runner.local.loader.source import Source
from runner.model.ports import ServiceError
from tests.loader.conftest import Lake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from runner.local.loader.mysql_session import Session
    from tests.loader.conftest import Mart

pytestmark = pytest.mark.mariadb

TEXTS = (
    "''", "'abc'", "'abc '", "'abcd'", "'ab  '", "'é'", "'😀'", "'NULL'", "'\\N'", "'a\"\"b'",
    "chr(0) || 'a'", "'a' || chr(10)", "'1'", "'12'", "'-1'", "' 7'", "'7 '", "'1.5'", "'1e2'",
    "'999'", "'5,7'", "'true'", "'2013-01-31'", "'2013-02-30'", "'2013-01-31x'", "'20130131'",
    "'0000-00-00'", "'2013-01-31 12:34:56'", "'2013-01-31 12:34:56.123456'",
    "'2013-01-31T12:34:56Z'", "'9999-99-99'", "'12:34:56'", "'[1]'",
)  # fmt: skip
WORDS = ("''", "'abc'", "'12'", "' 7'", "'7 '", "'1.5'", "'999'", "'5,7'", "'2013-01-31'")
"""For targets that texts do not reach directly."""
INTEGERS = (
    "0", "1", "5", "7", "-1", "12", "127", "128", "-128", "-129", "255", "256", "999", "1000",
    "2013", "20130131", "2147483648", "9223372036854775807", "-9223372036854775808",
)  # fmt: skip
DOUBLES = (
    "0.1", "1.5", "2.5", "-0.5", "-0.0", "1e300", "-1e300", "5e-324", "123456789.123", "'nan'",
    "'inf'", "1e15", "0.005", "99.995",
)  # fmt: skip
FLOATS = ("0.1", "16777217", "3.4028234663852886e38", "1e-45", "-1.5", "'nan'")
DECIMALS = ("1.50", "2.50", "-1.00", "-0.49", "0.05", "9.95", "999.99", "99999.99", "1234567890.12")
DATES = ("'2013-01-31'", "'0001-01-01'", "'9999-12-31'", "'1969-12-31'", "'10000-01-01'")
TIMES = (
    "'2013-01-31 12:34:56'", "'2013-01-31 12:34:56.5'", "'2013-01-31 23:59:59.9999995'",
    "'2013-01-31 23:59:59.999999'", "'1970-01-01 00:00:00'", "'1970-01-01 00:00:01'",
    "'1969-12-31 23:59:59'", "'2038-01-19 03:14:07.999999'", "'2038-01-19 03:14:08'",
    "'2013-03-31 02:30:00'", "'9999-12-31 23:59:59.999999'", "'12013-01-31 00:00:00'",
)  # fmt: skip
BYTES = ("''", "'ab'", "'abc'", "'ab\\x00'", "'abcd'", "'\\x00\\xFF\\x5C'", "'NULL'")
NESTED = ("'[1, 2]'", '\'{"a": "x"}\'', "'not json'", "''", "'\"\"'")

VALUES = {
    "string": ("VARCHAR", TEXTS),
    "bigint": ("BIGINT", INTEGERS),
    "double": ("DOUBLE", DOUBLES),
    "real": ("FLOAT", FLOATS),
    "decimal(12,2)": ("DECIMAL(12,2)", DECIMALS),
    "boolean": ("BOOLEAN", ("true", "false")),
    "date": ("DATE", DATES),
    "timestamp": ("TIMESTAMP", TIMES),
    "varbinary": ("BLOB", BYTES),
    "array(int)": ("VARCHAR", NESTED),
}
TARGETS = {
    "string": (
        "CHAR(3)", "VARCHAR(3)", "VARCHAR(3) CHARACTER SET latin1", "TINYTEXT", "LONGTEXT", "DATE",
        "DATETIME", "DATETIME(6)", "TIMESTAMP", "TIME", "YEAR", "INT", "DECIMAL(5,2)", "DOUBLE",
        "BIT(8)", "ENUM('1','7','abc')", "SET('5','7')", "JSON", "VARBINARY(3)",
    ),
    "bigint": (
        "TINYINT", "TINYINT UNSIGNED", "INT", "BIGINT", "BIGINT UNSIGNED", "DECIMAL(3,0)",
        "DECIMAL(5,2)", "DECIMAL(3,0) UNSIGNED", "BOOLEAN", "DOUBLE", "FLOAT", "BIT(4)",
        "VARCHAR(3)", "DATE", "YEAR", "ENUM('5','7')",
    ),
    "double": ("DOUBLE", "FLOAT", "DECIMAL(5,2)", "INT", "BIGINT UNSIGNED", "VARCHAR(5)"),
    "real": ("DOUBLE", "FLOAT", "DECIMAL(5,2)", "INT"),
    "decimal(12,2)": (
        "DECIMAL(12,2)", "DECIMAL(20,5)", "DECIMAL(3,1)", "DECIMAL(3,1) UNSIGNED", "INT", "TINYINT",
        "TINYINT UNSIGNED", "DOUBLE", "VARCHAR(5)",
    ),
    "boolean": ("BOOLEAN", "INT", "BIT(1)", "ENUM('0','1')", "VARCHAR(1)", "DOUBLE"),
    "date": ("DATE", "DATETIME", "TIMESTAMP", "VARCHAR(10)", "VARCHAR(4)", "INT", "YEAR"),
    "timestamp": (
        "DATETIME(6)", "DATETIME(3)", "DATETIME", "TIMESTAMP(6)", "TIMESTAMP", "DATE", "TIME",
        "VARCHAR(19)", "VARCHAR(26)",
    ),
    "varbinary": ("BLOB", "TINYBLOB", "BINARY(3)", "VARBINARY(3)", "VARCHAR(3)"),
    "array(int)": ("JSON", "LONGTEXT", "TEXT"),
}  # fmt: skip
INDIRECT = {
    "TIME", "YEAR", "INT", "DECIMAL(5,2)", "DOUBLE", "BIT(8)", "ENUM('1','7','abc')",
    "SET('5','7')", "JSON", "VARBINARY(3)", "TIMESTAMP",
}  # fmt: skip
CASES = [(athena, target) for athena, targets in TARGETS.items() for target in targets]

Outcome = tuple[str, object]
"""`kept` and the rows, or `refused`."""


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


def attempt(session: Session, source: Source) -> tuple[str, Outcome]:
    """Load, and give the way the row went with what became of it; the table is empty again."""
    try:
        way = load_once(session, source).way
    except ServiceError:
        session.run("ROLLBACK")
        assert session.all_rows("SELECT * FROM carrier_day") == []
        return "", ("refused", None)
    rows = session.all_rows("SELECT CAST(x AS BINARY), HEX(x), x IS NULL FROM carrier_day")
    session.run("DELETE FROM carrier_day")
    return way, ("kept", rows)


def by_each_way(session: Session, make: Callable[[], Source]) -> tuple[str, dict[str, Outcome]]:
    """Load one row by each way; give the outcomes, and the way that the loader chose itself."""
    chosen, ended = attempt(session, make())
    by_way = {"chosen": ended, "staged": ended}
    if chosen == "direct":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(mysql, "takes_unchanged", lambda *_: False)
            by_way["staged"] = attempt(session, make())[1]
    without = dataclasses.replace(session, local_infile=False)
    by_way["insert"] = attempt(without, make())[1]
    return chosen, by_way


@pytest.mark.parametrize(("athena", "target"), CASES)
def test_every_way_keeps_the_same_or_refuses(
    mysql_mart: Mart, tmp_path: Path, duck: duckdb.DuckDBPyConnection, athena: str, target: str
) -> None:
    lake = Lake(tmp_path, {"x": athena}, None)
    columns = [{"name": "x", "athena_type": athena, "mart_type": target}]
    duckdb_type, values = VALUES[athena]
    if athena == "string" and target in INDIRECT:
        values = WORDS
    assert isinstance(mysql_mart.target, MysqlTarget)
    with open_session(mysql_mart.target, "carrier_day") as session:
        for null, rows in (("NULL", (*values, "NULL")), ("NOT NULL", ("NULL",))):
            session.run(f"CREATE OR REPLACE TABLE carrier_day (x {target} {null})")
            for value in rows:
                select = f"FROM (SELECT CAST({value} AS {duckdb_type}) AS x)"

                def make(select: str = select) -> Source:
                    manifest = lake.manifest(mode="truncate_insert", columns=columns)
                    return Source(manifest, duck, select, {})

                chosen, by_way = by_each_way(session, make)
                assert by_way["staged"] == by_way["chosen"], (value, null, chosen)
                assert by_way["insert"] == by_way["staged"], (value, null, chosen)
                if null == "NOT NULL":
                    assert by_way["staged"] == ("refused", None)
