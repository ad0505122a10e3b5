"""One transaction: the user's statements, the rows and the ledger together, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from tests.loader.conftest import Lake, Mart

DAY1, DAY2 = "2013-01-01", "2013-01-02"
BOTH: dict[str, Any] = {"days": [DAY1, DAY2]}
MERGE: dict[str, Any] = {**BOTH, "mode": "merge", "keys": ["dt", "carrier"]}
TOTAL = 'SELECT count(*), sum(flights) FROM "carrier_day"'
NOTES = 'SELECT note FROM "notes" ORDER BY note'


def note(what: str) -> str:
    return f"INSERT INTO notes SELECT {what}"


@pytest.fixture
def noted(mart: Mart, lake: Lake) -> Mart:
    """A mart with the old rows (both days, 524 flights) and a table for notes."""
    lake.load(mart, **MERGE, publish_id="old")
    mart.query('CREATE TABLE "notes" (note VARCHAR(99) NOT NULL)')
    del lake.files["dt=2013-01-02/b"]
    lake.write("dt=2013-01-02/a", "SELECT 'AA' AS carrier, 7::BIGINT AS flights", dt=DAY2)
    return mart


@pytest.mark.parametrize(
    ("changes", "new"),
    [(BOTH, (3, 266)), (MERGE, (4, 436)), ({}, (3, 266)), ({"mode": "truncate_insert"}, (3, 266))],
)
def test_statements_run_before_and_after_the_rows(
    noted: Mart, lake: Lake, changes: dict[str, Any], new: tuple[int, int]
) -> None:
    """`before` sees the old rows, `after` the new ones."""
    total = "CONCAT('{0} ', SUM(flights)) FROM carrier_day"
    if noted.engine == "sqlite":
        total = "'{0} ' || sum(flights) FROM carrier_day"
    statements = {when: note(total.format(when)) for when in ("before", "after")}
    result = lake.load(noted, **changes, **statements, publish_id="new")
    assert not result.skipped
    assert noted.query(NOTES) == [(f"after {new[1]}",), ("before 524",)]
    assert noted.query(TOTAL) == [new]
    skipped = lake.load(noted, **changes, **statements, publish_id="new")
    assert skipped.skipped
    assert len(noted.query(NOTES)) == 2


@pytest.mark.parametrize("changes", [BOTH, MERGE, {}, {"mode": "truncate_insert"}])
@pytest.mark.parametrize(
    "statement", ["INSERT INTO notes VALUES (NULL)", "INSERT INTO nowhere VALUES (1)", "nonsense"]
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_statement_that_fails_takes_everything_back(
    noted: Mart, lake: Lake, changes: dict[str, Any], statement: str, when: str
) -> None:
    statements = {"before": note("'before'"), when: statement}
    with pytest.raises(ServiceError) as caught:
        lake.load(noted, **changes, **statements, publish_id="new")
    assert caught.value.error == "Load.Rejected"
    assert noted.query(TOTAL) == [(4, 524)]
    assert noted.query(NOTES) == []
    assert noted.query('SELECT publish_id FROM "_runner_loads"') == [("old",)]
    result = lake.load(noted, **changes, publish_id="new")
    assert not result.skipped


def test_before_comes_before_the_window_is_emptied(noted: Mart, lake: Lake) -> None:
    """Rows that `before` puts into the window belong to the old ones."""
    add = f"INSERT INTO carrier_day (dt, carrier, flights) VALUES ('{DAY2}', 'ZZ', 1)"
    assert lake.load(noted, **BOTH, before=add).deleted == 5
    assert noted.query(TOTAL) == [(3, 266)]


def test_before_sees_rows_fail_and_is_taken_back(noted: Mart, lake: Lake) -> None:
    lake.write("dt=2013-01-02/b", "SELECT 'AA' AS carrier, 1::BIGINT AS flights", dt=DAY2)
    with pytest.raises(ServiceError, match="UNIQUE|Duplicate"):
        lake.load(noted, **BOTH, before=note("'before'"))
    assert noted.query(NOTES) == []
    assert noted.query(TOTAL) == [(4, 524)]


@pytest.mark.parametrize("statement", ["COMMIT", "ROLLBACK", "END", "SAVEPOINT x", "BEGIN"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_sqlite_lets_no_statement_end_the_transaction(
    sqlite_mart: Mart, lake: Lake, statement: str, when: str
) -> None:
    lake.load(sqlite_mart, **BOTH, publish_id="old")
    with pytest.raises(ServiceError, match=f"under `{when}` failed: it ends the trans") as caught:
        lake.load(sqlite_mart, **BOTH, files=[], publish_id="new", **{when: statement})
    assert caught.value.error == "Load.Refused"
    assert sqlite_mart.query(TOTAL) == [(4, 524)]
    assert sqlite_mart.query("SELECT publish_id FROM _runner_loads") == [("old",)]


def test_sqlite_takes_one_statement_only(sqlite_mart: Mart, lake: Lake) -> None:
    lake.load(sqlite_mart, **BOTH, publish_id="old")
    with pytest.raises(ServiceError, match="one statement"):
        lake.load(sqlite_mart, **BOTH, files=[], after="SELECT 1; COMMIT", publish_id="new")
    assert sqlite_mart.query(TOTAL) == [(4, 524)]


def test_sqlite_may_make_the_table_before(sqlite_mart: Mart, lake: Lake) -> None:
    before = "CREATE TABLE IF NOT EXISTS carrier_day (dt TEXT, carrier TEXT, flights INT, more INT)"
    assert lake.load(sqlite_mart, **BOTH, before=before, create=False).rows == 4
    assert sqlite_mart.query("SELECT sum(flights), count(more) FROM carrier_day") == [(524, 0)]


@pytest.mark.mariadb
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "statement", ["TRUNCATE carrier_day", "-- x\nCOMMIT", "CREATE TABLE x (y INT)", "ROLLBACK"]
)
def test_a_statement_that_commits_is_refused_at_once(
    mysql_mart: Mart, lake: Lake, when: str, statement: str
) -> None:
    lake.load(mysql_mart, **BOTH)
    with pytest.raises(ServiceError, match=f"{when}: `.*` commits what") as caught:
        lake.load(mysql_mart, **BOTH, **{when: statement})
    assert caught.value.error == "Load.Refused"
    assert mysql_mart.query(TOTAL) == [(4, 524)]


@pytest.mark.mariadb
@pytest.mark.parametrize("changes", [BOTH, MERGE])
def test_a_procedure_that_commits_before_is_noticed_before_rows_move(
    mysql_mart: Mart, lake: Lake, changes: dict[str, Any]
) -> None:
    lake.load(mysql_mart, **MERGE, publish_id="old")
    mysql_mart.query("CREATE PROCEDURE ends() COMMIT")
    with pytest.raises(ServiceError, match="`before` ended the transaction") as caught:
        lake.load(mysql_mart, **changes, files=[], before="CALL ends()")
    assert caught.value.error == "Load.Refused"
    assert mysql_mart.query(TOTAL) == [(4, 524)]
    assert mysql_mart.query("SELECT publish_id FROM _runner_loads") == [("old",)]


@pytest.mark.mariadb
def test_a_procedure_that_commits_after_and_fails_says_that_the_rows_are_in(
    mysql_mart: Mart, lake: Lake
) -> None:
    mysql_mart.query(
        "CREATE PROCEDURE ends() BEGIN COMMIT; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT='no'; END"
    )
    with pytest.raises(ServiceError) as caught:
        lake.load(mysql_mart, **BOTH, after="CALL ends()", publish_id="p1")
    assert caught.value.error == "Load.AfterFailed"
    assert "run it by hand" in caught.value.cause
    assert mysql_mart.query(TOTAL) == [(4, 524)]
    assert lake.load(mysql_mart, **BOTH, publish_id="p1").skipped


@pytest.mark.mariadb
def test_after_a_replacement_a_failure_says_that_the_rows_are_in(
    mysql_mart: Mart, lake: Lake
) -> None:
    """RENAME commits: the new table stays, and a repeat does all of it again."""
    mysql_mart.query("CREATE TABLE carrier_day (gone INT)")
    with pytest.raises(ServiceError) as caught:
        lake.load(mysql_mart, after="INSERT INTO nowhere VALUES (1)", publish_id="p1")
    assert caught.value.error == "Load.AfterFailed"
    assert "not changed" not in caught.value.cause
    assert caught.value.cause.endswith("correct it and load again")
    assert mysql_mart.query(TOTAL) == [(4, 524)]
    assert mysql_mart.query("SELECT * FROM _runner_loads") == []
    mysql_mart.query("CREATE TABLE nowhere (x INT)")
    again = lake.load(mysql_mart, after="INSERT INTO nowhere VALUES (1)", publish_id="p1")
    assert (again.skipped, again.deleted) == (False, 4)
    assert mysql_mart.query("SELECT * FROM nowhere") == [(1,)]
