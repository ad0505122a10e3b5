"""ECS on this machine: one Task object out, loud about anything that it does not know."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from typing import TYPE_CHECKING

import duckdb
import pytest

from runner.local.ecs import Ecs
from runner.local.loader import SqliteTarget
from runner.local.loader.source import fresh_duckdb
from runner.model.loads import LoadOutcome, outcome_uri
from runner.model.ports import Json, ServiceError

if TYPE_CHECKING:
    from pathlib import Path

NOON = dt.datetime(2013, 1, 2, 12, tzinfo=dt.UTC)
MANIFEST = "s3://lake/_runner/loads/r1/marts.routes.json"


@pytest.fixture
def ecs(tmp_path: Path) -> Ecs:
    lake = tmp_path / "lake"
    (lake / "_runner/loads/r1").mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 'JFK' AS origin, 7 AS flights) TO '{lake}/a.parquet'")
    size = (lake / "a.parquet").stat().st_size
    manifest = {
        "load_key": {
            "mart_table": "routes",
            "table": "marts.routes",
            "window_start": "whole",
            "window_end": "whole",
            "publish_id": "p1",
        },
        "mode": "replace",
        "keys": [],
        "columns": [
            {"name": "origin", "athena_type": "string", "mart_type": None},
            {"name": "flights", "athena_type": "int", "mart_type": None},
        ],
        "partition_columns": [],
        "window": None,
        "whole_table": True,
        "format": "parquet",
        "files": [{"uri": "s3://lake/a.parquet", "size": size, "partition": {}}],
        "rows": 1,
    }

    def path_of(uri: str) -> Path:
        return tmp_path / uri.removeprefix("s3://")

    path_of(MANIFEST).write_text(json.dumps(manifest))
    return Ecs(
        task_definitions={"demo-local-load-main": "main"},
        marts={"main": SqliteTarget(tmp_path / "mart.sqlite")},
        read=lambda uri: path_of(uri).read_bytes(),
        write=lambda uri, body: path_of(uri).write_bytes(body),
        path_of=path_of,
        connect=fresh_duckdb,
        log=tmp_path / "logs" / "loads.jsonl",
        now=lambda: NOON,
    )


def arguments(
    *, uri: str = MANIFEST, mart: str = "main", task: str = "demo-local-load-main"
) -> Json:
    environment = [
        {"Name": "RUNNER_LOAD_MANIFEST", "Value": uri},
        {"Name": "RUNNER_MART", "Value": mart},
    ]
    return {
        "Cluster": "demo-local-loads",
        "TaskDefinition": task,
        "LaunchType": "FARGATE",
        "Overrides": {"ContainerOverrides": [{"Name": "loader", "Environment": environment}]},
    }


def test_a_load_leaves_its_outcome_beside_the_manifest(ecs: Ecs) -> None:
    ecs("runTask.sync", arguments())
    outcome = LoadOutcome.from_json(json.loads(ecs.read(outcome_uri(MANIFEST))))
    assert (outcome.status, outcome.rows, outcome.counted) == ("loaded", 1, 1)
    assert (outcome.engine, outcome.table, outcome.error) == ("native", "routes", "")


def test_a_failed_load_leaves_its_reason_beside_the_manifest(ecs: Ecs) -> None:
    manifest = json.loads(ecs.read(MANIFEST)) | {"rows": 2}
    ecs.write(MANIFEST, json.dumps(manifest).encode())
    with pytest.raises(ServiceError, match="Load.RowsDiffer"):
        ecs("runTask.sync", arguments())
    outcome = LoadOutcome.from_json(json.loads(ecs.read(outcome_uri(MANIFEST))))
    assert (outcome.status, outcome.error) == ("failed", "Load.RowsDiffer")
    assert "its files hold 1 rows, its records say 2" in outcome.cause


def test_a_load_gives_one_stopped_task_with_exit_code_0(ecs: Ecs, tmp_path: Path) -> None:
    task = ecs("runTask.sync", arguments())
    (container,) = task["Containers"]
    assert (container["ExitCode"], container["Name"]) == (0, "loader")
    assert task["LastStatus"] == "STOPPED"
    assert task["StopCode"] == "EssentialContainerExited"
    assert task["StartedBy"] == "AWS Step Functions"
    assert task["TaskArn"].startswith(
        "arn:aws:ecs:local:000000000000:task/demo-local-loads/",
    )
    assert task["StartedAt"] == 1357128000000
    assert "Tasks" not in task
    json.dumps(task)
    connection = sqlite3.connect(tmp_path / "mart.sqlite")
    assert connection.execute("SELECT * FROM routes").fetchall() == [("JFK", 7)]
    connection.close()


def test_what_a_task_says_is_a_line_of_the_log(ecs: Ecs) -> None:
    ecs("runTask.sync", arguments())
    ecs("runTask.sync", arguments())
    lines = [json.loads(line) for line in ecs.log.read_text().splitlines()]
    assert [(line["table"], line["rows"], line["status"]) for line in lines] == [
        ("routes", 1, "loaded"),
        ("routes", 1, "skipped"),
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"uri": "s3://lake/nowhere.json"}, "Load.InvalidManifest: the manifest s3://lake/nowhere"),
        ({"mart": "other"}, "the task definition is for mart main, not other"),
    ],
)
def test_a_failed_load_is_task_failed_with_the_task_and_the_plain_reason(
    ecs: Ecs, changes: dict[str, str], reason: str
) -> None:
    with pytest.raises(ServiceError) as caught:
        ecs("runTask.sync", arguments(**changes))
    assert caught.value.error == "States.TaskFailed"
    task = json.loads(caught.value.cause)
    (container,) = task["Containers"]
    assert container["ExitCode"] in (65, 78)
    assert reason in container["Reason"]
    assert task["StoppedReason"] == "Essential container in task exited"
    assert reason.partition(": ")[2] in ecs.log.read_text()


def test_a_container_without_its_environment_fails(ecs: Ecs) -> None:
    with pytest.raises(ServiceError, match="needs RUNNER_MART") as caught:
        ecs("runTask.sync", {"TaskDefinition": "demo-local-load-main"})
    assert caught.value.error == "States.TaskFailed"


@pytest.mark.parametrize(
    ("action", "given", "error", "word"),
    [
        ("runTask.sync", arguments(task="nobody"), "ECS.ClientException", "nobody.*load-main"),
        ("runTask.sync", {}, "ECS.InvalidParameterException", "TaskDefinition"),
        ("runTask.sync", arguments(uri="x" * 9000), "ECS.InvalidParameterException", "8192"),
        ("runTask", arguments(), "States.Runtime", "ecs:runTask is not known"),
    ],
)
def test_what_ecs_refuses(ecs: Ecs, action: str, given: Json, error: str, word: str) -> None:
    with pytest.raises(ServiceError, match=word) as caught:
        ecs(action, given)
    assert caught.value.error == error


def test_a_task_definition_may_be_an_arn_with_a_revision(ecs: Ecs) -> None:
    arn = "arn:aws:ecs:local:000000000000:task-definition/demo-local-load-main:3"
    assert ecs("runTask.sync", arguments(task=arn))["Containers"][0]["ExitCode"] == 0
