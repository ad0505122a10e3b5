"""Rows in the mart against rows in the lake, before anything is committed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from tests.loader.conftest import Lake, Mart

DAY1, DAY2 = "2013-01-01", "2013-01-02"
BOTH: dict[str, Any] = {"days": [DAY1, DAY2]}
MERGE: dict[str, Any] = {**BOTH, "mode": "merge", "keys": ["dt", "carrier"]}
WHOLE: dict[str, Any] = {"mode": "truncate_insert"}
TOTAL = 'SELECT count(*), sum(flights) FROM "carrier_day"'
PUBLISHES = 'SELECT publish_id FROM "_runner_loads" ORDER BY 1'

MOVES = (  # to days that the window does not own
    "CREATE TRIGGER moves BEFORE INSERT ON carrier_day FOR EACH ROW "
    "SET NEW.dt = IF(NEW.carrier = 'UA', concat('1', substr(NEW.dt, 2)), NEW.dt)"
)
DROPS = (
    "CREATE TRIGGER drops BEFORE INSERT ON carrier_day WHEN NEW.carrier = 'UA' "
    "BEGIN SELECT RAISE(IGNORE); END"
)
ADDS = (
    "CREATE TRIGGER adds AFTER INSERT ON carrier_day WHEN NEW.carrier = 'UA' BEGIN "
    "INSERT INTO carrier_day (dt, carrier, flights) VALUES (NEW.dt, NEW.carrier || 'x', 0); END"
)


def refused(lake: Lake, mart: Mart, words: str, **changes: Any) -> None:  # noqa: ANN401 - JSON
    """Load; nothing may stay of it."""
    rows, publishes = mart.query(TOTAL), mart.query(PUBLISHES)
    with pytest.raises(ServiceError, match=words) as caught:
        lake.load(mart, **changes, publish_id="new")
    assert caught.value.error == "Load.NotReconciled"
    assert "rolled back" in caught.value.cause
    assert (mart.query(TOTAL), mart.query(PUBLISHES)) == (rows, publishes)


@pytest.mark.parametrize("changes", [BOTH, MERGE, WHOLE, {}, {"mode": "insert"}])
def test_a_load_tells_what_it_counted(mart: Mart, lake: Lake, changes: dict[str, Any]) -> None:
    assert lake.load(mart, **changes).counted == 4


def test_a_window_is_counted_alone(mart: Mart, lake: Lake) -> None:
    lake.load(mart, **BOTH)
    assert lake.load(mart, days=[DAY2]).counted == 2


def test_a_merge_counts_the_keys_that_stay(mart: Mart, lake: Lake) -> None:
    lake.load(mart, **MERGE)
    result = lake.load(mart, **MERGE, files=[])
    assert (result.rows, result.counted) == (0, 4)


@pytest.mark.parametrize("changes", [BOTH, MERGE])
def test_a_trigger_that_moves_rows(mysql_mart: Mart, lake: Lake, changes: dict[str, Any]) -> None:
    """Directly and staged."""
    lake.load(mysql_mart, **MERGE, files=[])
    mysql_mart.query(MOVES)
    refused(lake, mysql_mart, "4 rows were loaded, 2 are in the window", **changes)


@pytest.mark.parametrize("changes", [BOTH, MERGE, WHOLE])
def test_a_trigger_that_drops_rows(sqlite_mart: Mart, lake: Lake, changes: dict[str, Any]) -> None:
    lake.load(sqlite_mart, **MERGE, files=[])
    sqlite_mart.query(DROPS)
    refused(lake, sqlite_mart, "4 rows were loaded, 2 are in", **changes)


def test_a_trigger_that_drops_rows_of_an_insert(sqlite_mart: Mart, lake: Lake) -> None:
    lake.load(sqlite_mart, mode="insert")
    sqlite_mart.query(DROPS)
    refused(lake, sqlite_mart, "4 rows were loaded, 2 are", mode="insert")


@pytest.mark.parametrize("changes", [BOTH, WHOLE])
def test_a_trigger_that_adds_rows(sqlite_mart: Mart, lake: Lake, changes: dict[str, Any]) -> None:
    lake.load(sqlite_mart, **MERGE, files=[])
    sqlite_mart.query(ADDS)
    refused(lake, sqlite_mart, "4 rows were loaded, 6 are in", **changes)


def test_a_trigger_on_the_table_may_write_elsewhere(mart: Mart, lake: Lake) -> None:
    lake.load(mart, **BOTH)
    mart.query('CREATE TABLE "log" (carrier VARCHAR(9))')
    begin, end = ("BEGIN ", "; END") if mart.engine == "sqlite" else ("", "")
    mart.query(
        f"CREATE TRIGGER logs AFTER INSERT ON carrier_day FOR EACH ROW {begin}"
        f"INSERT INTO log VALUES (NEW.carrier){end}"
    )
    for changes in (BOTH, WHOLE):
        assert lake.load(mart, **changes).counted == 4
    assert mart.query("SELECT count(*) FROM log") == [(8,)]


def test_partitions_that_the_mart_stores_differently(mysql_mart: Mart, lake: Lake) -> None:
    """A year of two digits."""
    mysql_mart.query(
        "CREATE TABLE carrier_day (dt VARCHAR(10), carrier VARCHAR(2), flights BIGINT)"
    )
    mysql_mart.query(
        "CREATE TRIGGER short BEFORE INSERT ON carrier_day FOR EACH ROW "
        "SET NEW.dt = substr(NEW.dt, 3)"
    )
    with pytest.raises(ServiceError, match="partition values the mart stores") as caught:
        lake.load(mysql_mart, **BOTH)
    assert caught.value.error == "Load.NotReconciled"
    assert mysql_mart.query("SELECT count(*) FROM carrier_day") == [(0,)]


@pytest.mark.parametrize("rows", [3, 5])
@pytest.mark.parametrize("changes", [BOTH, MERGE, WHOLE, {}, {"mode": "insert"}])
def test_rows_that_differ_from_the_record(
    mart: Mart, lake: Lake, changes: dict[str, Any], rows: int
) -> None:
    lake.load(mart, **(MERGE if changes == MERGE else BOTH), publish_id="old")
    with pytest.raises(ServiceError, match=f"hold 4 rows, its records say {rows}") as caught:
        lake.load(mart, **changes, rows=rows, publish_id="new")
    assert caught.value.error == "Load.RowsDiffer"
    assert (mart.query(TOTAL), mart.query(PUBLISHES)) == ([(4, 524)], [("old",)])
