"""The checks alone, on real marts: everything is found, nothing is changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.loader import SqliteTarget
from runner.local.loader.checking import check
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from runner.loads.checks import Finding
    from tests.loader.conftest import Lake, Mart

DAY1, DAY2 = "2013-01-01", "2013-01-02"
WINDOW: dict[str, Any] = {"days": [DAY1, DAY2]}
MERGE: dict[str, Any] = {**WINDOW, "mode": "merge", "keys": ["dt", "carrier"]}


def checked(lake: Lake, mart: Mart, **changes: Any) -> tuple[Finding, ...]:  # noqa: ANN401 - JSON
    engine = changes.pop("engine", None)
    return check(lake.manifest(**changes), mart.target, path_of=lake.path_of, engine=engine)


def test_a_new_mart_is_fine_and_stays_as_it_was(mart: Mart, lake: Lake) -> None:
    assert checked(lake, mart, **MERGE) == ()
    if isinstance(mart.target, SqliteTarget):
        assert not mart.target.path.exists()
    else:
        assert mart.query("SHOW TABLES") == []


def test_a_table_that_a_load_made_is_fine(mart: Mart, lake: Lake) -> None:
    lake.load(mart, **MERGE)
    assert checked(lake, mart, **MERGE, rows=4) == ()


def test_every_fault_comes_at_once(mart: Mart, lake: Lake) -> None:
    if isinstance(mart.target, SqliteTarget):
        mart.target.path.parent.mkdir(exist_ok=True)
    mart.query('CREATE TABLE "carrier_day" (dt VARCHAR(10) NOT NULL, carrier VARCHAR(2) NOT NULL)')
    lake.write("dt=2013-01-02/b", "SELECT 'AA' AS carrier, 1::BIGINT AS flights", dt=DAY2)
    findings = checked(lake, mart, **MERGE, rows=9)
    assert [one.error for one in findings] == [
        "Load.NoUniqueKey",
        "Load.KeysNotUnique",
        "Load.SchemaDrift",
        "Load.RowsDiffer",
    ]


@pytest.mark.mariadb
@pytest.mark.parametrize("engine", ["native", "embulk"])
def test_a_real_case_insensitive_key(mysql_mart: Mart, lake: Lake, engine: str) -> None:
    mysql_mart.query(
        "CREATE TABLE carrier_day (dt VARCHAR(10), carrier VARCHAR(9), flights BIGINT, "
        "PRIMARY KEY (dt, carrier)) DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_general_ci"
    )
    lake.columns["carrier"] = "varchar(9)"
    values = "('AA', 1::BIGINT), ('aa', 2)"
    del lake.files["dt=2013-01-02/b"]
    lake.write("dt=2013-01-02/a", f"SELECT * FROM (VALUES {values}) t(carrier, flights)", dt=DAY2)
    (finding,) = checked(lake, mysql_mart, **MERGE, engine=engine)
    assert finding.check == "charset"
    assert "carrier (utf8mb4_general_ci)" in finding.message


@pytest.mark.mariadb
def test_embulk_is_asked_for_more(mysql_mart: Mart, lake: Lake) -> None:
    lake.columns = {"x": "varbinary"}
    lake.partition, lake.files = None, {}
    lake.write("x", "SELECT 'a'::BLOB AS x")
    assert checked(lake, mysql_mart, mode="truncate_insert") == ()
    (finding,) = checked(lake, mysql_mart, mode="truncate_insert", engine="embulk")
    assert "Embulk has no binary values" in finding.message


def test_a_file_that_is_no_mart(sqlite_mart: Mart, lake: Lake) -> None:
    assert isinstance(sqlite_mart.target, SqliteTarget)
    sqlite_mart.target.path.parent.mkdir()
    sqlite_mart.target.path.write_text("not a mart" * 100, encoding="utf-8")
    with pytest.raises(ServiceError, match=r"Load\.MartFailed"):
        checked(lake, sqlite_mart, **WINDOW)


def test_a_table_with_a_trigger_is_not_replaced(sqlite_mart: Mart, lake: Lake) -> None:
    assert isinstance(sqlite_mart.target, SqliteTarget)
    sqlite_mart.target.path.parent.mkdir()
    with closing(sqlite3.connect(sqlite_mart.target.path)) as mart:
        mart.execute("CREATE TABLE carrier_day (gone INT)")
        mart.execute("CREATE TRIGGER watch AFTER INSERT ON carrier_day BEGIN SELECT 1; END")
    (finding,) = checked(lake, sqlite_mart, mode="replace")
    assert "watch depend on it" in finding.message
