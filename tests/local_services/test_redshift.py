"""Redshift's Data API on this machine: refused without a PostgreSQL, else its SQL is run."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.redshift import RedshiftData, connector, placed
from runner.model.config import Postgres
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Lite:
    """A SQLite file as a connection of psycopg: it takes %(name)s."""

    autocommit = False

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        self._last: sqlite3.Cursor | None = None

    def cursor(self) -> Lite:
        return self

    @property
    def rowcount(self) -> int:
        return -1 if self._last is None else self._last.rowcount

    def execute(self, sql: str, parameters: Mapping[str, str]) -> object:
        text = re.sub(r"%\((\w+)\)s", r":\1", sql).replace("%%", "%")
        self._last = self._connection.execute(text, dict(parameters))
        return self._last

    def commit(self) -> None:
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def service(tmp_path: Path) -> RedshiftData:
    with sqlite3.connect(tmp_path / "dev") as made:
        made.execute("CREATE TABLE t (d TEXT)")
    made.close()
    return RedshiftData(tmp_path / "state" / "r.jsonl", lambda name: Lite(tmp_path / name))


def rows(tmp_path: Path) -> list[Any]:
    connection = sqlite3.connect(tmp_path / "dev")
    found = connection.execute("SELECT d FROM t ORDER BY d").fetchall()
    connection.close()
    return [one for (one,) in found]


def run(service: RedshiftData, sql: str | list[str], token: str, **values: str) -> dict[str, Any]:
    action = "executeStatement" if isinstance(sql, str) else "batchExecuteStatement"
    text = {"Sql": sql} if isinstance(sql, str) else {"Sqls": sql}
    parameters = [{"Name": name, "Value": value} for name, value in values.items()]
    given = {**text, "Database": "dev", "ClientToken": token, "Parameters": parameters}
    told: dict[str, Any] = service("describeStatement", service(action, given))
    return told


def test_a_statement_is_run_and_described(service: RedshiftData, tmp_path: Path) -> None:
    told = run(service, "INSERT INTO t VALUES (:start)", "a", start="2013-01-05")
    assert (told["Status"], told["ResultRows"]) == ("FINISHED", 1)
    assert rows(tmp_path) == ["2013-01-05"]


def test_a_token_runs_once_also_after_a_restart(service: RedshiftData, tmp_path: Path) -> None:
    first = run(service, "INSERT INTO t VALUES ('x')", "a")
    other = RedshiftData(tmp_path / "state" / "r.jsonl", lambda name: Lite(tmp_path / name))
    assert run(other, "INSERT INTO t VALUES ('x')", "a") == first
    assert run(other, "INSERT INTO t VALUES ('x')", "b")["Id"] != first["Id"]
    assert rows(tmp_path) == ["x", "x"]


def test_a_batch_is_one_transaction(service: RedshiftData, tmp_path: Path) -> None:
    told = run(service, ["INSERT INTO t VALUES ('a')", "INSERT INTO nope VALUES (1)"], "a")
    assert (told["Status"], told["Error"]) == ("FAILED", "ERROR: no such table: nope")
    assert rows(tmp_path) == []
    inserts = ["INSERT INTO t VALUES ('a')", "INSERT INTO t VALUES ('b')"]
    assert run(service, inserts, "b")["Status"] == "FINISHED"
    assert rows(tmp_path) == ["a", "b"]


def test_what_is_not_there_is_told(service: RedshiftData) -> None:
    with pytest.raises(ServiceError, match="nope") as caught:
        service("describeStatement", {"Id": "nope"})
    assert caught.value.error == "RedshiftData.ResourceNotFoundException"
    with pytest.raises(ServiceError, match="listTables"):
        service("listTables", {})


def test_without_a_postgresql_it_is_refused_by_name(tmp_path: Path) -> None:
    service = RedshiftData(tmp_path / "r.jsonl", connector(None, str))
    with pytest.raises(ServiceError, match="Name a PostgreSQL under `redshift:`") as caught:
        run(service, "SELECT 1", "a")
    assert caught.value.error == "Redshift.NotOnThisMachine"
    assert not (tmp_path / "r.jsonl").exists()


def test_without_psycopg_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    service = RedshiftData(tmp_path / "r.jsonl", connector(Postgres(), str))
    with pytest.raises(ServiceError, match="the extra `postgres`"):
        run(service, "SELECT 1", "a")


@pytest.mark.parametrize(
    ("sql", "written"),
    [
        ("SELECT :a, :a", "SELECT %(a)s, %(a)s"),
        ("SELECT :b", "SELECT :b"),
        ("SELECT x::date, ':a' -- :a", "SELECT x::date, ':a' -- :a"),
        ("SELECT 'it''s 5% :a' /* :a */", "SELECT 'it''s 5%% :a' /* :a */"),
        ('SELECT ":a" % 2', 'SELECT ":a" %% 2'),
    ],
)
def test_parameters_are_placed_outside_of_quotes(sql: str, written: str) -> None:
    assert placed(sql, {"a": "1"})[0] == written
