"""The keeper as Lambda runs it: its package unzipped, boto3, and nothing else."""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from runner.app.packages import package_keeper
from runner.keeper.faults import LeaseHeld
from runner.keeper.handler import dispatch, handle
from runner.local.s3 import FolderS3
from tests.support.http_aws import serve
from tests.support.lake import ARN, LAKE, Lake, Turn, insert_spec, target

BESIDE = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""boto3 and what it needs; Lambda's Python has them."""
PROGRAM = """
import json, sys, zoneinfo
zoneinfo.reset_tzpath(to=[])
sys.path[:0] = sys.argv[1:3]
from keeper.handler import handle

class Context:
    def get_remaining_time_in_millis(self):
        return 900_000

for line in sys.stdin:
    try:
        answer = {"ok": handle(json.loads(line), Context())}
    except Exception as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    print(json.dumps(answer), flush=True)
strangers = sorted(m for m in sys.modules if m.split(".")[0] in ("runner", "pydantic", "duckdb"))
print(json.dumps({"strangers": strangers}))
"""


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    """Unzip what is deployed; link boto3 and its needs into a folder of their own."""
    package = tmp_path / "task"
    with zipfile.ZipFile(io.BytesIO(package_keeper("Asia/Tokyo").body)) as archive:
        archive.extractall(package)
    beside = tmp_path / "beside"
    beside.mkdir()
    for name in BESIDE:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (beside / source.name).symlink_to(source)
    return [str(package), str(beside)]


def call(paths: list[str], url: str, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Serve the events one after the other in a process that knows only these paths."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", PROGRAM, *paths],
        input="".join(json.dumps(event) + "\n" for event in events),
        env={
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            "RUNNER_LAKE": LAKE,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    *answers, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert last == {"strangers": []}
    return answers


def test_the_zipped_keeper_writes_a_table_over_http(tmp_path: Path, paths: list[str]) -> None:
    lake = Lake(FolderS3(tmp_path / "s3"))
    lake.put("marts/daily/g=1/dt=2013-01-05/old file", "old")
    spec = insert_spec()
    turn = Turn(lake, spec)
    table = {**spec, "execution": turn.execution, "redrive": 0}
    other = {**table, "execution": ARN + "other"}
    stage = {"stage": f"{LAKE}_runner/stage/marts/daily/daily.r1/0/1/20130105/"}
    result = turn.stage_days(stage, {"2013-01-05": "new"})
    chunk = {"start": "2013-01-05", "end": "2013-01-05", **stage}
    plan = {"location": f"{LAKE}marts/daily/g=1/", "stage_columns": []}
    window = {"op": "prepare", "attempt": 1, "window": turn.window, "target": target(spec)}
    begin = {
        "op": "begin",
        "input": {"scheduled_time": "2013-01-05T16:00:00Z"},
        "grain": "day",
        "timezone": "Asia/Tokyo",
        "schedule": {"last": 1, "unit": "day", "lag": 1},
        "tables": ["marts.daily"],
        "max_window": 400,
    }
    publish = {"op": "publish", "attempt": 1, "plan": plan, "chunk": chunk, "result": result}
    forgotten = {**table, "name": "marts.old", "execution": ARN + "forgotten"}
    with serve(FolderS3(tmp_path / "s3"), {ARN + "r1": "RUNNING"}) as url:
        began, prepared, refused, published, _, waiting = call(
            paths,
            url,
            [
                begin,
                {**window, "table": table},
                {**window, "table": other},
                {**publish, "table": table},
                {**window, "table": forgotten},
                {**window, "table": {**forgotten, "execution": ARN + "r1"}},
            ],
        )
    assert began["ok"]["window"] == {"start": "2013-01-05", "end": "2013-01-05", "grain": "day"}
    assert prepared["ok"]["chunks"][0]["stage"] == stage["stage"]
    assert refused["error"] == "LeaseHeld"
    assert published["ok"]["complete"]
    assert lake.contents("marts/") == {"marts/daily/g=1/dt=2013-01-05/daily.r1.0.1_part-0": "new"}
    assert "its last call may still be at work" in waiting["message"]


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 30_000


@pytest.mark.parametrize("any_lake", ["boto3"], indirect=True)
def test_the_handler_asks_step_functions_about_the_leases_owner(
    any_lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    monkeypatch.setenv("RUNNER_LAKE", LAKE)
    monkeypatch.setattr("runner.keeper.promote._GROUP", 1)
    states = boto3.client("stepfunctions")
    definition = {"StartAt": "a", "States": {"a": {"Type": "Wait", "Seconds": 9, "End": True}}}
    machine = states.create_state_machine(
        name="daily", definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/r"
    )
    running = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
    spec = insert_spec()

    def prepare(execution: str) -> dict[str, Any]:
        turn = Turn(any_lake, spec)
        table = {**spec, "execution": execution, "redrive": 0}
        event = {"op": "prepare", "table": table, "window": turn.window, "target": target(spec)}
        return handle(event, Context())

    assert prepare(running)["types"] is False
    with pytest.raises(LeaseHeld, match="is being written by"):
        prepare(ARN + "r2")
    any_lake.storage.empty("prod/_runner/leases/")
    Turn(any_lake, spec, execution=ARN + "forgotten").prepare()
    assert prepare(running)["types"] is False  # taken over: that was in 2013
    turn = Turn(any_lake, spec, execution=running, end="2013-01-06")
    chunk = turn.prepare()["chunks"][0]
    result = turn.stage_days(chunk, {"2013-01-05": "a", "2013-01-06": "b"})
    event = {
        "op": "publish",
        "table": {**spec, "execution": running, "redrive": 0},
        "plan": turn.prepare(),
        "chunk": chunk,
        "result": result,
    }
    assert handle(event, Context())["complete"] is False  # 30 s are left
    assert handle(event, Context())["complete"] is True


def test_an_execution_begins_with_its_window(lake: Lake) -> None:
    event = {
        "op": "begin",
        "input": {"start": "2013-01-05", "end": "2013-01-05"},
        "grain": "day",
        "timezone": "UTC",
        "schedule": None,
        "tables": ["marts.daily"],
        "max_window": 400,
    }
    assert dispatch(lake.keeper(), event)["selected"] == ["marts.daily"]


def test_an_operation_that_does_not_exist_is_named(lake: Lake) -> None:
    with pytest.raises(KeyError, match="destroy"):
        Turn(lake, insert_spec()).call("destroy")
    with pytest.raises(KeyError, match="op"):
        dispatch(lake.keeper(), {})
