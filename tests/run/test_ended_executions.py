"""Functions that are called when an execution on this machine ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.run import RunRequest, run
from tests.project.projects import write_files
from tests.support.commands import Cli, cli

if TYPE_CHECKING:
    from pathlib import Path

    from runner.app.run import RunResult

__all__ = ["cli"]
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"
KEEP = """
import json
import pathlib
import os

def handler(event, context):
    with open(os.environ["KEPT"], "a") as kept:
        kept.write(json.dumps(event) + "\\n")
    if event["detail"]["name"].startswith("daily") and os.environ.get("FAILS"):
        raise ValueError("no room")
"""
WORK = """
def handler(event, context):
    if event["start"] == "2024-01-02":
        raise ValueError("no such shop")
    return {"n": 1}
"""
NOTIFY = f"""uses: builtin:notify
environment: {{TOPIC_ARN: "{TOPIC}"}}
permissions:
  - {{actions: [sns:Publish], resources: ["{TOPIC}"]}}
events:
  ended: {{type: executions}}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    keep = f"environment: {{KEPT: {tmp_path / 'kept.jsonl'}}}\nevents:\n  every: "
    files = {
        "config.yaml": "project: little\nenvironments: {local: {engine: local}}\n",
        "workflows/daily.yaml": "steps:\n  work: {type: lambda, function: work}\n",
        "workflows/weekly.yaml": "steps:\n  daily: {type: workflow, workflow: daily}\n",
        "lambdas/work/handler.py": WORK,
        "lambdas/keep/handler.py": KEEP,
        "lambdas/keep/function.yaml": keep + "{type: executions, status: [SUCCEEDED, FAILED]}\n",
    }
    return write_files(tmp_path / "project", files)


def go(root: Path, workflow: str, date: str) -> RunResult:
    return run(RunRequest(root, workflow=workflow, start=date, end=date))


def kept(root: Path) -> list[dict[str, Any]]:
    path = root.parent / "kept.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_the_event_is_eventbridges(root: Path) -> None:
    result = go(root, "daily", "2024-01-01")
    (event,) = kept(root)
    detail = event.pop("detail")
    arn = f"arn:aws:states:local:000000000000:execution:daily:{result.run}"
    assert (event["version"], event["source"], event["resources"]) == ("0", "aws.states", [arn])
    assert event["detail-type"] == "Step Functions Execution Status Change"
    assert event["time"][-1] == "Z"
    assert detail.pop("stopDate") >= detail.pop("startDate") > 1_700_000_000_000
    assert json.loads(detail.pop("output"))["results"][0]["name"] == "work"
    assert detail == {
        "executionArn": arn,
        "stateMachineArn": "arn:aws:states:local:000000000000:stateMachine:daily",
        "name": result.run,
        "status": "SUCCEEDED",
        "input": '{"start": "2024-01-01", "end": "2024-01-01"}',
        "inputDetails": {"included": True},
        "outputDetails": {"included": True},
        "error": None,
        "cause": None,
    }


def test_a_failed_execution_has_error_and_cause_but_no_output(root: Path) -> None:
    result = go(root, "daily", "2024-01-02")
    (event,) = kept(root)
    detail = event["detail"]
    assert (detail["status"], detail["error"]) == ("FAILED", "Runner.StepsFailed")
    assert detail["cause"] == result.cause
    assert (detail["output"], detail["outputDetails"]) == (None, None)


def test_what_a_workflow_runs_ends_as_well(root: Path) -> None:
    go(root, "weekly", "2024-01-01")
    arns = [one["detail"]["stateMachineArn"].rpartition(":")[2] for one in kept(root)]
    assert arns == ["little-local-daily", "weekly"]


def test_people_are_told_of_failures_by_a_function_that_comes_with_us(root: Path, cli: Cli) -> None:
    write_files(root, {"lambdas/tell/function.yaml": NOTIFY})
    cli.cd(root)
    assert cli("run", "daily", "--date", "2024-01-01").status == 0
    assert not (root / ".runner/sns.jsonl").exists()
    said = cli("run", "daily", "--date", "2024-01-02")
    assert said.status == 1
    (line,) = (root / ".runner/sns.jsonl").read_text().splitlines()
    message = json.loads(line)
    assert message["Subject"] == "daily failed (2024-01-02)"
    assert "work: ValueError: no such shop" in message["Message"]
    assert "called tell (ended: daily-" in said.err
    assert "FAILED)" in said.err


def test_a_call_that_fails_changes_nothing_of_the_run(root: Path, cli: Cli) -> None:
    settings = root / "lambdas/keep/function.yaml"
    settings.write_text(settings.read_text().replace("{KEPT", '{FAILS: "1", KEPT'))
    cli.cd(root)
    said = cli("run", "daily", "--date", "2024-01-01", "--json")
    assert said.status == 0
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert lines[-1]["status"] == "SUCCEEDED"
    (note,) = [one["text"] for one in lines if one["event"] == "note"]
    assert note.startswith("keep failed (every: daily-")
    assert note.endswith("SUCCEEDED): ValueError: no room")


def test_a_function_may_wait_for_some_workflows_only(root: Path) -> None:
    settings = root / "lambdas/keep/function.yaml"
    text = settings.read_text()
    settings.write_text(text.replace("executions,", "executions, workflows: [weekly],"))
    go(root, "weekly", "2024-01-01")
    arns = [one["detail"]["stateMachineArn"].rpartition(":")[2] for one in kept(root)]
    assert arns == ["weekly"]


def test_a_workflow_to_wait_for_exists(root: Path, cli: Cli) -> None:
    settings = root / "lambdas/keep/function.yaml"
    text = settings.read_text()
    settings.write_text(text.replace("executions,", "executions, workflows: [weekly, dayly],"))
    cli.cd(root)
    said = cli("check")
    assert said.status == 1
    assert "lambdas/keep/function.yaml:3:49: unknown-workflow\n" in said.out + said.err
    assert "did you mean daily?" in said.out + said.err
