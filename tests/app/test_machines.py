"""Machines beside the workflows', and what machines read in the lake at run time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from runner.app.bundle import open_bundle
from runner.app.compiled import compile_project
from runner.app.gc import clean, find_garbage
from runner.app.local_places import open_places
from runner.app.machines import all_machines
from runner.app.run import RunRequest, run
from runner.errors import ProjectError
from runner.project.keys import Choice
from tests.semantics.little import CONFIG, insert, project, rows_of, sql
from tests.support.definitions import AWS

if TYPE_CHECKING:
    from pathlib import Path

WINDOW = " WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'"
ROWS = rows_of((1, "2024-01-01"), (2, "2024-01-02"))
LONG = '-- it\'s a "long" one\n' * 4000
FILES = {
    "staging/x": insert(f"{LONG}SELECT id, dt FROM {ROWS}{WINDOW}"),
    "marts/x": insert(f"SELECT id, dt FROM staging.x{WINDOW}", "load: {keys: [dt], mode: merge}"),
    "marts/total": sql(f"{LONG}SELECT count(*) AS n FROM marts.x"),
}
PROD = f"{CONFIG}  prod: {json.dumps(AWS)}\n"


def test_an_environment_on_aws_has_a_backfill_and_loads(tmp_path: Path) -> None:
    root = project(tmp_path, FILES, config=PROD)
    machines = all_machines(root, Choice("prod", {}), open_bundle(root, "prod"))
    assert [one.name for one in machines] == ["daily", "backfill", "load"]
    load = machines[-1]
    assert (load.tables, load.loads, load.grain) == ((), ("marts.x",), "day")
    states = json.loads(load.definition)["States"]
    told = states["begin"]["Arguments"]["Payload"]
    assert told["tables"] == ["marts.x"]
    assert told["schedule"] is None
    (lane,) = states["loads lanes"]["Branches"]
    assert "marts.x load plan" in lane["States"]
    # the second time they come from the cache
    assert all_machines(root, Choice("prod", {}), open_bundle(root, "prod")) == machines


def test_without_loads_there_is_no_machine_for_them(tmp_path: Path) -> None:
    root = project(tmp_path, {"staging/x": FILES["staging/x"]}, config=PROD)
    machines = all_machines(root, Choice("prod", {}), open_bundle(root, "prod"))
    assert [one.name for one in machines] == ["daily", "backfill"]


def test_no_workflow_may_be_called_load(tmp_path: Path) -> None:
    files = {**FILES, "workflows/load.yaml": "steps: {t: {type: tables}}\n"}
    with pytest.raises(ProjectError, match="reserved-name"):
        open_bundle(project(tmp_path, files))


def test_compile_writes_long_texts_beside_the_definitions(tmp_path: Path) -> None:
    root = project(tmp_path, FILES, config=PROD)
    made = compile_project(root, environment="prod")
    names = [path.rpartition("/")[2] for path in made.definitions]
    assert names == ["daily.asl.json", "backfill.asl.json", "load.asl.json"]
    texts = {path: json.loads((root / path).read_text()) for path in made.assets}
    assert len(texts) == 2
    assert all(path.startswith(".runner/compiled/prod/_runner/sql/") for path in texts)
    staged = next(text for text in texts.values() if len(text) == 5)
    assert staged[0].startswith('-- it\'s a "long" one\n')
    assert staged[1::2] == ["m0", "m1"]
    assert made.warnings == ()
    assert [one.machine for one in made.usage] == ["daily", "backfill", "load"]
    assert [one.assets for one in made.usage] == [2, 2, 0]
    for path in made.definitions:
        assert (root / path).stat().st_size < 120_000


@pytest.mark.parametrize("wait", ["sync", "poll"])
def test_a_run_reads_long_texts_from_the_lake(tmp_path: Path, wait: str) -> None:
    polling = f"engine: local\n    athena_wait: {wait}\n"
    config = CONFIG.replace("engine: local\n", polling, 1)
    root = project(tmp_path, FILES, config=config)
    bundle = open_bundle(root)
    assert bundle.environment["athena_wait"] == wait
    assert len(bundle.workflow("daily").all_assets) == 2
    result = run(RunRequest(root=root, workflow="daily", start="2024-01-01", end="2024-01-02"))
    assert result.status == "SUCCEEDED", result
    rows = {one.name: one.rows for one in result.ended if one.kind == "table"}
    assert rows == {"staging.x": 2, "marts.x": 2, "marts.total": 1}
    there = root / ".runner" / "s3" / "lake" / "_runner" / "sql"
    assert len(list(there.iterdir())) == 2
    garbage = find_garbage(root, keep=timedelta(hours=1), orphans=True)
    clean(garbage)
    assert len(list(there.iterdir())) == 2


def test_texts_that_are_there_are_put_again_without_harm(tmp_path: Path) -> None:
    root = project(tmp_path, FILES)
    bundle = open_bundle(root)
    local = open_places(root, bundle, now=lambda: datetime.now(UTC))
    assets = bundle.workflow("daily").all_assets
    local.put_assets(assets)
    local.put_assets(assets)
    key = next(iter(assets))
    assert (root / ".runner/s3/lake" / key).read_text() == assets[key]
