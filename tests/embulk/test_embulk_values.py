"""Which values Embulk damages in silence, and how to declare columns so that it does not."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.embulk.conftest import database
from tests.support.mariadb import running_mariadb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.embulk.conftest import Load
    from tests.support.embulk import Embulk, Outcome
    from tests.support.mariadb import MariaDb

pytestmark = pytest.mark.mariadb

MICROS = "2013-01-01 05:15:00.123456"


def one(load: Load, target: str, value: str, kind: str, **option: Any) -> Outcome:  # noqa: ANN401 - YAML
    """Load one value, declared as `kind`, into a column of type `target`."""
    load.sql(f"CREATE OR REPLACE TABLE t (v {target})")
    return load.run(f"v\n{value}\n", {"v": kind}, mode="insert", column_options={"v": option})


def stored(load: Load) -> Any:  # noqa: ANN401 - a value of any type
    [(value,)] = load.sql("SELECT v FROM t")
    return value


def test_strings_with_explicit_types_arrive_exactly(load: Load) -> None:
    cases = [
        ("TINYINT UNSIGNED", "255", 255),
        ("INT UNSIGNED", "4294967295", 4294967295),
        ("BIGINT", "-9223372036854775808", -(2**63)),
        ("BIGINT UNSIGNED", "18446744073709551615", 2**64 - 1),
        ("DECIMAL(10,4) UNSIGNED", "12.3456", Decimal("12.3456")),
        ("DECIMAL(38,10)", f"{'9' * 28}.0123456789", Decimal(f"{'9' * 28}.0123456789")),
        ("DOUBLE", "1.7976931348623157E308", 1.7976931348623157e308),
        ("DATE", "2013-01-01", date(2013, 1, 1)),
        ("TIME", "01:02:03", timedelta(hours=1, minutes=2, seconds=3)),
        ("DATETIME(6)", MICROS, datetime(2013, 1, 1, 5, 15, 0, 123456)),
        ("TIMESTAMP(6)", MICROS, datetime(2013, 1, 1, 5, 15, 0, 123456)),
        ("JSON", '"{""a"": 1}"', '{"a": 1}'),
        ("VARBINARY(10)", "abc", b"abc"),
        ("ENUM('a','b')", "b", "b"),
        ("VARCHAR(10)", '"\U0001f600"', "\U0001f600"),
    ]
    names = [f"c{number}" for number in range(len(cases))]
    columns = ", ".join(f"{name} {case[0]}" for name, case in zip(names, cases, strict=True))
    load.sql(f"CREATE TABLE t ({columns})")
    csv = f"{','.join(names)}\n{','.join(case[1] for case in cases)}\n"
    options = {
        name: {"type": case[0], "value_type": "string"}
        for name, case in zip(names, cases, strict=True)
    }
    got = load.run(csv, dict.fromkeys(names, "string"), mode="insert", column_options=options)
    assert got.status == "loaded", got.log
    assert load.sql("SELECT * FROM t") == [tuple(case[2] for case in cases)]


@pytest.mark.parametrize(
    ("target", "value", "message"),
    [
        ("INT", "3000000000", "Out of range value"),
        ("TINYINT", "128", "Out of range value"),
        ("BIGINT UNSIGNED", "-1", "Out of range value"),
        ("BIGINT", "9223372036854775808", "Out of range value"),
        ("DOUBLE", "NaN", "Incorrect double value"),
        ("DATETIME(6)", "yesterday", "Incorrect datetime value"),
        ("VARCHAR(3)", "abcd", "Data too long"),
        ("BOOLEAN", "true", "Incorrect integer value"),
    ],
)
def test_strings_that_do_not_fit_fail_the_load(
    load: Load, target: str, value: str, message: str
) -> None:
    got = one(load, target, value, "string", type=target, value_type="string")
    assert got.status == "failed"
    assert message in got.log
    assert (load.sql("SELECT * FROM t"), load.leftovers()) == ([], [])


@pytest.mark.parametrize(
    ("target", "value", "kind", "damaged"),
    [
        ("INT", "3000000000", "long", None),
        ("INT UNSIGNED", "3000000000", "long", None),
        ("SMALLINT", "40000", "long", None),
        ("TINYINT UNSIGNED", "200", "long", None),
        ("TINYINT(1)", "-1", "long", 0),
        ("BIGINT UNSIGNED", "18446744073709551615", "string", None),
        ("DOUBLE", "NaN", "double", None),
        ("DOUBLE", "Infinity", "double", None),
        ("DATETIME", "2013-01-01 05:15:00", "string", None),
        ("DATE", "2013-01-01", "string", None),
        ("BOOLEAN", "true", "string", None),
        ("DECIMAL(20,2)", "123456789012345678.91", "double", Decimal("123456789012345680.00")),
    ],
)
def test_values_that_embulk_converts_itself_are_damaged_in_silence(
    load: Load, target: str, value: str, kind: str, damaged: object
) -> None:
    assert one(load, target, value, kind, type=target).status == "loaded"
    assert stored(load) == damaged


def test_booleans_are_declared_as_booleans(load: Load) -> None:
    load.sql("CREATE TABLE t (id INT, v BOOLEAN)")
    kinds = {"id": "string", "v": "boolean"}
    options = {"v": {"type": "BOOLEAN"}}
    got = load.run("id,v\n1,true\n2,false\n3,\n", kinds, mode="insert", column_options=options)
    assert got.status == "loaded"
    assert load.sql("SELECT v FROM t ORDER BY id") == [(1,), (0,), (None,)]


def test_a_word_that_is_no_boolean_is_false_in_silence(load: Load) -> None:
    assert one(load, "BOOLEAN", "perhaps", "boolean", type="BOOLEAN").status == "loaded"
    assert stored(load) == 0


@pytest.mark.parametrize(
    ("target", "value", "damaged"),
    [
        ("DATETIME(6)", MICROS, datetime(2013, 1, 1, 5, 15)),
        ("DECIMAL(10,4) UNSIGNED", "12.3456", Decimal("12.0000")),
    ],
)
def test_without_a_type_the_table_between_cuts_digits(
    load: Load, target: str, value: str, damaged: object
) -> None:
    assert one(load, target, value, "string", value_type="string").status == "loaded"
    assert stored(load) == damaged


@pytest.mark.parametrize(
    ("target", "value", "cut"),
    [
        ("DECIMAL(10,2)", "12.3456", Decimal("12.35")),
        ("DATETIME(3)", MICROS, datetime(2013, 1, 1, 5, 15, 0, 123000)),
    ],
)
def test_digits_that_the_target_has_no_room_for_are_cut_in_silence(
    load: Load, target: str, value: str, cut: object
) -> None:
    got = one(load, target, value, "string", type=target, value_type="string")
    assert got.status == "loaded"
    assert stored(load) == cut


def test_timestamps_lose_their_fraction_on_a_mariadb_before_11(load: Load) -> None:
    """Its greeting begins with 5.5.5-, and Connector/J knows no fractions before MySQL 5.6.4."""
    assert one(load, "DATETIME(6)", MICROS, "timestamp", type="DATETIME(6)").status == "loaded"
    assert stored(load) == datetime(2013, 1, 1, 5, 15)
    option = {"type": "DATETIME(6)", "value_type": "string"}
    assert one(load, "DATETIME(6)", MICROS, "timestamp", **option).status == "loaded"
    assert stored(load) == datetime(2013, 1, 1, 5, 15, 0, 123456)


@pytest.fixture(scope="module")
def like_mysql() -> Iterator[MariaDb]:
    """Start a server that greets as MySQL 5.7 does, in Japan, and is not strict."""
    with running_mariadb(
        "--version=5.7.19-MariaDB", "--default-time-zone=+09:00", "--sql-mode="
    ) as server:
        yield server


@pytest.mark.parametrize(
    ("option", "found"),
    [({}, datetime(2013, 1, 1, 5, 15)), ({"type": "DATETIME(6)"}, datetime.fromisoformat(MICROS))],
)
def test_timestamps_keep_their_fraction_on_a_mysql_when_typed(
    embulk: Embulk, like_mysql: MariaDb, tmp_path: Path, option: dict[str, str], found: datetime
) -> None:
    with database(embulk, like_mysql, tmp_path) as load:
        assert one(load, "DATETIME(6)", MICROS, "timestamp", **option).status == "loaded"
        assert stored(load) == found


def test_the_driver_is_strict_where_the_server_is_not(
    embulk: Embulk, like_mysql: MariaDb, tmp_path: Path
) -> None:
    with database(embulk, like_mysql, tmp_path) as load:
        got = one(load, "INT", "3000000000", "string", type="INT", value_type="string")
        assert got.status == "failed"
        assert "Out of range value" in got.log


@pytest.mark.parametrize(
    ("target", "options", "found"),
    [
        ("DATETIME", {}, 1356984900),  # 05:15 in Japan: a DATETIME has no zone
        ("DATETIME", {"sessionVariables": "time_zone='+00:00'"}, 1356984900),
        ("TIMESTAMP", {}, 1356984900),  # wrong by nine hours
        ("TIMESTAMP", {"sessionVariables": "time_zone='+00:00'"}, 1357017300),  # 05:15 UTC
    ],
)
def test_a_timestamp_column_needs_a_session_in_utc(
    embulk: Embulk,
    like_mysql: MariaDb,
    tmp_path: Path,
    target: str,
    options: dict[str, str],
    found: int,
) -> None:
    with database(embulk, like_mysql, tmp_path) as load:
        load.sql(f"CREATE TABLE t (v {target})")
        column = {"v": {"type": target, "value_type": "string"}}
        csv = "v\n2013-01-01 05:15:00\n"
        got = load.run(csv, {"v": "string"}, mode="insert", column_options=column, options=options)
        assert got.status == "loaded"
        assert load.sql("SELECT UNIX_TIMESTAMP(v) FROM t") == [(found,)]


def test_the_tables_between_need_a_charset_of_their_own(load: Load) -> None:
    load.sql(f"ALTER DATABASE {load.database} CHARACTER SET latin1")
    load.sql("CREATE TABLE t (v VARCHAR(10)) DEFAULT CHARSET=utf8mb4")
    word = "v\n\U0001f600\n"
    option = {"v": {"type": "VARCHAR(10)"}}
    without = load.run(word, {"v": "string"}, mode="insert", column_options=option)
    assert without.status == "failed"
    assert "Incorrect string value" in without.log
    table = {"create_table_option": "DEFAULT CHARSET=utf8mb4"}
    got = load.run(word, {"v": "string"}, mode="insert", column_options=option, **table)
    assert (got.status, stored(load)) == ("loaded", "\U0001f600")


def test_a_type_that_the_plugin_does_not_know_fails_and_leaves_a_table_behind(load: Load) -> None:
    got = one(load, "VARBINARY(10)", "abc", "string", type="VARBINARY(10)")
    assert got.status == "failed"
    assert "Unsupported type VARBINARY" in got.log
    assert len(load.leftovers()) == 1
