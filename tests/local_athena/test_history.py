"""The history's file: an older one is read on, and pages are by work group."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.athena import LocalAthena
from runner.local.athena.history import History

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local_athena.conftest import World

FIRST_VERSION = """
CREATE TABLE executions (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, content TEXT NOT NULL, result TEXT) WITHOUT ROWID;
CREATE TABLE tokens (
    token TEXT PRIMARY KEY, request TEXT NOT NULL, id TEXT NOT NULL) WITHOUT ROWID;
"""


YESTERDAY = int(time.time()) - 86_400


def iso(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def execution(identity: str, at: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "QueryExecutionId": identity,
        "Query": "SELECT 1",
        "WorkGroup": "primary",
        "Status": {"State": "SUCCEEDED", "SubmissionDateTime": at},
        **more,
    }


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.sqlite"
    result = {"columns": [], "rows": [["a"], ["1"]], "updated": 0}
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(FIRST_VERSION)
        for number in (1, 2):
            content = execution(f"q{number}", iso(YESTERDAY + number))
            connection.execute(
                "INSERT INTO executions VALUES (?, '1', ?, ?)",
                (f"q{number}", json.dumps(content), json.dumps(result)),
            )
    return path


def test_an_older_history_is_read_on(world: World, old: Path) -> None:
    athena = LocalAthena(world.s3, world.catalog, old, results="s3://results/")
    found = athena.history.page("primary", after=None, most=5)
    assert [name for name, _ in found] == ["q2", "q1"]
    times = [at for _, at in found]
    assert times == pytest.approx([YESTERDAY + 2, YESTERDAY + 1], abs=0.01, rel=0)
    rows = athena.get_query_results(QueryExecutionId="q1")["ResultSet"]["Rows"]
    assert rows == [{"Data": [{"VarCharValue": "a"}]}, {"Data": [{"VarCharValue": "1"}]}]
    made = athena.start_query_execution(QueryString="SELECT 1")["QueryExecutionId"]
    athena.close()
    with closing(History(old)) as again:
        assert [row[0] for row in again.page("primary", after=None, most=1)] == [made]


def test_a_work_group_is_forgotten_with_its_executions(tmp_path: Path) -> None:
    with closing(History(tmp_path / "h.sqlite")) as history:
        for number, group in enumerate(("a", "b", "a")):
            at = f"2026-01-01T00:00:0{number}Z"
            history.begin(
                execution(f"q{number}", at, WorkGroup=group), token=str(number), request="r"
            )
        first, second = history.page("a", after=None, most=9)
        assert (first[0], second[0]) == ("q2", "q0")
        assert history.page("a", after=(first[1], first[0]), most=9) == [second]
        history.forget("a")
        assert history.page("a", after=None, most=9) == []
        assert [row[0] for row in history.page("b", after=None, most=9)] == ["q1"]


def test_what_is_older_than_45_days_goes_with_its_token(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection, connection:
        content = execution("q0", iso(YESTERDAY - 45 * 86_400))
        connection.execute(
            "INSERT INTO executions VALUES ('q0', '1', ?, NULL)", (json.dumps(content),)
        )
        connection.executemany("INSERT INTO tokens VALUES (?, 'r', ?)", [("t", "q0"), ("u", "q1")])
    with closing(History(old)) as history:
        assert [name for name, _ in history.page("primary", after=None, most=5)] == ["q2", "q1"]
        again = execution("q3", iso(YESTERDAY))
        assert history.begin(again, token="u", request="r") == ("q1", "r")
        assert history.begin(again, token="t", request="r") is None
