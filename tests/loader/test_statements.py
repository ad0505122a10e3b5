"""A user's statements, tables that are not made, columns that are chosen, and counted rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner.local.loader import SqliteTarget
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from tests.loader.conftest import Lake, Mart

DAY1, DAY2 = "2013-01-01", "2013-01-02"
TOTAL = 'SELECT count(*), sum(flights) FROM "carrier_day"'

LEDGER = 'SELECT count(*) FROM "_runner_loads"'
MODES: list[dict[str, Any]] = [
    {"days": [DAY1, DAY2]},
    {"days": [DAY1, DAY2], "mode": "merge", "keys": ["dt", "carrier"]},
    {"mode": "truncate_insert"},
]


def prepare(mart: Mart, sql: str) -> None:
    """Run a statement in a mart that may not be there yet."""
    if isinstance(mart.target, SqliteTarget):
        mart.target.path.parent.mkdir(exist_ok=True)
    mart.query(sql)


@pytest.mark.parametrize("changes", MODES, ids=["replace_window", "merge", "truncate_insert"])
def test_statements_run_before_and_after_the_rows_in_one_transaction(
    mart: Mart, lake: Lake, changes: dict[str, Any]
) -> None:
    prepare(mart, 'CREATE TABLE "seen" (moment VARCHAR(9), n INT)')
    note = "INSERT INTO seen SELECT '{}', count(*) FROM carrier_day"
    lake.load(mart, **changes, publish_id="first")
    done = lake.load(
        mart,
        **changes,
        publish_id="second",
        before=note.format("before"),
        after=note.format("after"),
    )
    assert (done.rows, done.counted) == (4, 4)
    assert mart.query('SELECT * FROM "seen"') == [("before", 4), ("after", 4)]
    skipped = lake.load(
        mart,
        **changes,
        publish_id="second",
        before=note.format("again"),
        after=note.format("again"),
    )
    assert skipped.skipped
    assert mart.query('SELECT count(*) FROM "seen"') == [(2,)]


@pytest.mark.parametrize("changes", MODES, ids=["replace_window", "merge", "truncate_insert"])
@pytest.mark.parametrize("where", ["before", "after"])
def test_a_statement_that_fails_takes_everything_back(
    mart: Mart, lake: Lake, changes: dict[str, Any], where: str
) -> None:
    lake.load(mart, **changes, publish_id="first")
    mart.query("UPDATE carrier_day SET flights = 1")
    mart.query('CREATE TABLE "seen" (n INT)')
    given = {"before": "INSERT INTO seen VALUES (1)", "after": "INSERT INTO seen VALUES (2)"}
    given[where] = "INSERT INTO nowhere VALUES (1)"
    with pytest.raises(ServiceError, match="nowhere"):
        lake.load(mart, **changes, publish_id="second", **given)
    assert mart.query(TOTAL) == [(4, 4)]
    assert mart.query('SELECT count(*) FROM "seen"') == [(0,)]
    assert mart.query(LEDGER) == [(1,)]
    lake.load(mart, **changes, publish_id="second")
    assert mart.query(TOTAL) == [(4, 524)]


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_statement_that_commits_is_refused_before_rows_move(
    mysql_mart: Mart, lake: Lake, where: str
) -> None:
    lake.load(mysql_mart, days=[DAY1, DAY2], publish_id="first")
    with pytest.raises(ServiceError, match="commits what the load has done") as caught:
        lake.load(mysql_mart, days=[DAY1], publish_id="second", **{where: "TRUNCATE carrier_day"})
    assert caught.value.error == "Load.Refused"
    assert mysql_mart.query(TOTAL) == [(4, 524)]
    assert mysql_mart.query(LEDGER) == [(1,)]


def test_a_procedure_that_commits_leaves_the_ledger_alone(mysql_mart: Mart, lake: Lake) -> None:
    """No word of the statement tells; the server's answer does."""
    lake.load(mysql_mart, days=[DAY1, DAY2], publish_id="first")
    mysql_mart.query("CREATE PROCEDURE sly() COMMIT")
    with pytest.raises(ServiceError, match="ended the transaction") as caught:
        lake.load(mysql_mart, days=[DAY1], publish_id="second", before="CALL sly()")
    assert caught.value.error == "Load.Refused"
    assert mysql_mart.query(TOTAL) == [(4, 524)]
    assert mysql_mart.query(LEDGER) == [(1,)]


def test_a_missing_table_is_made_only_if_wanted(mart: Mart, lake: Lake) -> None:
    with pytest.raises(ServiceError, match="the header says create: false") as caught:
        lake.load(mart, days=[DAY1], create=False)
    assert caught.value.error == "Load.NoTable"
    lake.load(mart, days=[DAY1])
    assert lake.load(mart, days=[DAY1, DAY2], create=False).rows == 4


def test_chosen_columns_leave_the_others_to_their_defaults(mart: Mart, lake: Lake) -> None:
    prepare(
        mart,
        'CREATE TABLE "carrier_day" (flights BIGINT DEFAULT 7, carrier VARCHAR(2), dt VARCHAR(10))',
    )
    chosen = [{"name": "carrier", "athena_type": "varchar(2)", "mart_type": None}]
    lake.load(mart, days=[DAY1, DAY2], columns=chosen)
    assert mart.query(TOTAL) == [(4, 28)]


def test_rows_that_a_trigger_changes_are_noticed_and_taken_back(mart: Mart, lake: Lake) -> None:
    lake.load(mart, days=[DAY1, DAY2], publish_id="first")
    if mart.engine == "sqlite":
        mart.query(
            "CREATE TRIGGER shift AFTER INSERT ON carrier_day BEGIN "
            "UPDATE carrier_day SET dt = '2012-12-31' WHERE rowid = new.rowid; END"
        )
    else:
        mart.query(
            "CREATE TRIGGER shift BEFORE INSERT ON carrier_day FOR EACH ROW "
            "SET new.dt = '2012-12-31'"
        )
    with pytest.raises(ServiceError, match="4 rows were loaded, 0 are in the window") as caught:
        lake.load(mart, days=[DAY1, DAY2], publish_id="second")
    assert caught.value.error == "Load.NotReconciled"
    assert mart.query(TOTAL) == [(4, 524)]
    assert mart.query(LEDGER) == [(1,)]


def test_a_window_of_many_days(mart: Mart, lake: Lake) -> None:
    lake.files.clear()
    found = [f"2013-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)]
    for day in found:
        lake.write(f"dt={day}/a", "SELECT 'AA' AS carrier, 1::BIGINT AS flights", dt=day)
    for publish in ("first", "second"):
        done = lake.load(mart, days=found, publish_id=publish)
        assert (done.rows, done.counted) == (336, 336)
    assert mart.query(TOTAL) == [(336, 336)]


def test_rows_are_told_as_they_go(mart: Mart, lake: Lake) -> None:
    from runner.local.loader import load

    lake.files.clear()
    lake.write(
        f"dt={DAY1}/a",
        "SELECT 'AA' AS carrier, i::BIGINT AS flights FROM range(45000) t(i)",
        dt=DAY1,
    )
    told: list[int] = []
    load(lake.manifest(days=[DAY1]), mart.target, path_of=lake.path_of, tell=told.append)
    assert told == sorted(told)
    assert len(told) > 2
    assert told[-1] == 45000
