"""Whole runs whose loads are done by a real Embulk, from the CSV that Athena wrote."""

from __future__ import annotations

import gc
import json
from typing import TYPE_CHECKING

import pytest

from tests.run.test_troubled_loads import D1, D2, MYSQL, daily, entered, load_of
from tests.semantics.little import go
from tests.support.embulk import find_embulk
from tests.support.mariadb import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.mariadb import MariaDb

pytestmark = pytest.mark.mariadb


@pytest.fixture
def database(mariadb: MariaDb, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = "embulk_runs"
    mariadb.query(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    monkeypatch.setenv("MART_PORT", str(mariadb.port))
    monkeypatch.setenv("MART_DATABASE", name)
    monkeypatch.setenv("MART_PASSWORD", PASSWORD)
    monkeypatch.setenv("JAVA_OPTS", "-Xmx256m -XX:TieredStopAtLevel=1")
    yield name
    mariadb.query(f"DROP DATABASE {name}")
    gc.unfreeze()


def test_a_run_loads_by_embulk_and_a_repeat_doubles_nothing(
    tmp_path: Path, mariadb: MariaDb, database: str
) -> None:
    home = find_embulk()
    config = MYSQL.replace("engine: local", f"engine: local\n    embulk_home: {home}", 1)
    root = daily(tmp_path, "engine: embulk", config=config)
    for _ in range(2):
        result = go(root, D1, D2)
        assert result.status == "SUCCEEDED", result
        assert (load_of(result).status, load_of(result).rows) == ("loaded", 3)
        assert load_of(result).warnings == ()
        assert entered(root, result) == ["choose", "plan", "extract", "run", "confirm"]
        rows = mariadb.query("SELECT id, dt FROM x ORDER BY 1", database)
        assert rows == [(1, D1), (2, D1), (3, D2)]
    assert mariadb.query("SELECT `rows` FROM _runner_loads", database) == [(3,), (3,)]
    lines = (root / ".runner/logs/loads.jsonl").read_text().splitlines()
    assert [json.loads(line)["engine"] for line in lines] == ["embulk", "embulk"]
    assert PASSWORD not in "".join(lines)
