"""What only a server has: secrets, LOAD DATA switched off, deadlocks, lost connections."""

from __future__ import annotations

import dataclasses
import threading
import traceback
from typing import TYPE_CHECKING

import pytest

from runner.local.loader import MysqlTarget, SqliteTarget, target_of
from runner.local.loader.targets import resolve
from runner.model.ports import ServiceError
from tests.support.mariadb import PASSWORD

if TYPE_CHECKING:
    from pathlib import Path

    from tests.loader.conftest import Lake, Mart
    from tests.support.mariadb import MariaDb

DAY1, DAY2 = "2013-01-01", "2013-01-02"
TOTAL = "SELECT count(*), sum(flights) FROM carrier_day"


def with_target(mart: Mart, **changes: object) -> Mart:
    assert isinstance(mart.target, MysqlTarget)
    return dataclasses.replace(mart, target=dataclasses.replace(mart.target, **changes))  # type: ignore[arg-type]  # of the caller's making


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"user": "nobody"}, "Load.MartDenied"),
        ({"database": "nowhere"}, "Load.MartFailed"),
        ({"port": "1"}, "Load.MartUnreachable"),
        ({"port": "${env:MART_PASSWORD}"}, "Load.MartFailed"),
        ({"host": "${env:NOT_SET}"}, "Load.MissingVariable"),
    ],
)
def test_semantics_32_no_error_shows_a_secret(
    mysql_mart: Mart, lake: Lake, changes: dict[str, str], error: str
) -> None:
    broken = with_target(mysql_mart, **changes)
    with pytest.raises(ServiceError) as caught:
        lake.load(broken, days=[DAY1])
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert caught.value.error == error
    for text in (shown, repr(broken.target), caught.value.cause):
        assert PASSWORD not in text
    assert "canary" not in shown


def test_a_mart_of_the_config_becomes_a_target(tmp_path: Path) -> None:
    from runner.model.config import MysqlMart, SqliteMart

    mysql = MysqlMart(engine="mysql", database="mart", port=3307, password="${env:P}")
    assert target_of(mysql, root=tmp_path, environ={"P": "x"}) == MysqlTarget(
        database="mart", environ={"P": "x"}, port="3307", password="${env:P}"
    )
    sqlite = SqliteMart(engine="sqlite", path="marts/main.sqlite")
    assert target_of(sqlite, root=tmp_path, environ={}) == SqliteTarget(
        tmp_path / "marts/main.sqlite"
    )


def test_variables_are_put_in_when_connecting_only() -> None:
    assert resolve("${env:A}-${env:B}", {"A": "1", "B": "${env:A}"}) == "1-${env:A}"
    with pytest.raises(ServiceError, match="MISSING"):
        resolve("${env:MISSING}", {})


def test_without_load_data_the_rows_go_by_insert(mysql_mart: Mart, lake: Lake) -> None:
    from runner.local.loader import mysql_session, open_source
    from runner.local.loader.mysql import load_once

    manifest = lake.manifest(days=[DAY1, DAY2])
    assert isinstance(mysql_mart.target, MysqlTarget)
    with (
        open_source(manifest, path_of=lake.path_of) as source,
        mysql_session.open_session(mysql_mart.target, "carrier_day") as session,
    ):
        assert session.local_infile
        result = load_once(dataclasses.replace(session, local_infile=False), source)
    assert (result.rows, result.way) == (4, "insert")
    assert mysql_mart.query(TOTAL) == [(4, 524)]


def test_nothing_of_a_load_stays_beside_the_target(mysql_mart: Mart, lake: Lake) -> None:
    for mode in ("replace", "truncate_insert"):
        lake.load(mysql_mart, mode=mode)
    assert mysql_mart.query("SHOW TABLES") == [("_runner_loads",), ("carrier_day",)]


def test_loads_of_one_publish_at_once_load_once(mysql_mart: Mart, lake: Lake) -> None:
    lake.load(mysql_mart, mode="insert", publish_id="first")
    results = []

    def work() -> None:
        results.append(lake.load(mysql_mart, mode="insert", publish_id="second"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.skipped for result in results) == [False, True, True, True]
    assert mysql_mart.query(TOTAL) == [(8, 1048)]


def test_a_lost_connection_repeats_the_load(mysql_mart: Mart, lake: Lake) -> None:
    """Another session holds the rows; ours is killed while it waits, then the rows are let go."""
    lake.load(mysql_mart, days=[DAY1, DAY2])
    assert mysql_mart.server is not None
    blocker = mysql_mart.server.connect(mysql_mart.database)
    results = []
    with blocker.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("UPDATE carrier_day SET flights = 0")
        thread = threading.Thread(
            target=lambda: results.append(lake.load(mysql_mart, days=[DAY1, DAY2]))
        )
        thread.start()
        waiting: list[tuple[int]] = []
        while not waiting:
            waiting = mysql_mart.server.query(
                "SELECT ID FROM information_schema.PROCESSLIST "
                f"WHERE DB = '{mysql_mart.database}' AND INFO LIKE 'DELETE FROM %carrier_day%'"
            )
        mysql_mart.server.query(f"KILL {waiting[0][0]}")
        cursor.execute("COMMIT")
    blocker.close()
    thread.join()
    assert [(result.rows, result.skipped) for result in results] == [(4, False)]
    assert mysql_mart.query(TOTAL) == [(4, 524)]


def test_loads_of_neighbouring_windows_at_once_all_end_well(mysql_mart: Mart, lake: Lake) -> None:
    """Deletes of missing rows lock gaps, inserts wait for them: deadlocks are the rule here."""
    lake.load(mysql_mart, days=[DAY1, DAY2], mode="merge", keys=["dt", "carrier"], files=[])
    failures: list[BaseException] = []
    together = threading.Barrier(2)

    def work(day: str) -> None:
        try:
            for number in range(8):
                together.wait()
                lake.load(mysql_mart, days=[day], publish_id=f"{day} {number}")
        except BaseException as exc:
            failures.append(exc)
            together.abort()
            raise

    threads = [threading.Thread(target=work, args=(day,)) for day in (DAY1, DAY2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert mysql_mart.query(TOTAL) == [(4, 524)]
    assert mysql_mart.query("SELECT count(*), sum(`rows`) FROM _runner_loads") == [(17, 32)]


def deadlocks(server: MariaDb) -> int:
    ((count,),) = server.query(
        "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS "
        "WHERE VARIABLE_NAME = 'INNODB_DEADLOCKS'"
    )
    return int(count)


def test_a_deadlock_repeats_the_load(mysql_mart: Mart, lake: Lake) -> None:
    """Two sessions wait for one another; the server rolls back the one that did less: the load."""
    lake.load(mysql_mart, days=[DAY1, DAY2], mode="merge", keys=["dt", "carrier"])
    server = mysql_mart.server
    assert server is not None
    deadlocks_before = deadlocks(server)
    server.query("CREATE TABLE big (x INT)", mysql_mart.database)
    blocker = server.connect(mysql_mart.database)
    results = []
    before = f"UPDATE carrier_day SET flights = 1 WHERE dt = '{DAY2}'"
    with blocker.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO big SELECT seq FROM seq_1_to_1000")
        cursor.execute(f"UPDATE carrier_day SET flights = flights + 0 WHERE dt = '{DAY1}'")
        cursor.execute(f"SELECT flights FROM carrier_day WHERE dt = '{DAY1}' FOR UPDATE")
        thread = threading.Thread(
            target=lambda: results.append(lake.load(mysql_mart, days=[DAY1], before=before))
        )
        thread.start()
        waiting: list[tuple[int]] = []
        while not waiting:
            waiting = server.query(
                "SELECT ID FROM information_schema.PROCESSLIST "
                f"WHERE DB = '{mysql_mart.database}' AND INFO LIKE 'DELETE FROM %carrier_day%'"
            )
        cursor.execute(f"UPDATE carrier_day SET flights = 1 WHERE dt = '{DAY2}'")
        cursor.execute("COMMIT")
    blocker.close()
    thread.join()
    assert deadlocks(server) > deadlocks_before
    assert [(result.rows, result.skipped) for result in results] == [(2, False)]
    assert mysql_mart.query(TOTAL) == [(4, 261)]
