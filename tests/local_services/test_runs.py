"""Runs on this machine: folders, liveness, the answer that the lease check asks for."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from runner.local.runs import ExecutionDoesNotExist, RunBusy, RunHandle, RunRegistry, RunStatus

if TYPE_CHECKING:
    from pathlib import Path

NOON = dt.datetime(2013, 1, 2, 12, tzinfo=dt.UTC)


def registry(folder: Path, *, hour: int = 12) -> RunRegistry:
    return RunRegistry(folder / "runs", now=lambda: NOON.replace(hour=hour))


def create(
    folder: Path, name: str = "r1", *, hour: int = 12, definition: bytes = b"{}"
) -> RunHandle:
    return registry(folder, hour=hour).create(
        name, workflow="daily", execution_input={"start": "2013-01-01"}, definition=definition
    )


def test_a_run_is_running_while_its_handle_is_open_and_ends_as_it_says(tmp_path: Path) -> None:
    runs = registry(tmp_path)
    with create(tmp_path) as handle:
        assert runs.status("r1") is RunStatus.RUNNING
        handle.finish(RunStatus.SUCCEEDED, output={"tables": 3})
        assert runs.status("r1") is RunStatus.RUNNING
    assert runs.status("r1") is RunStatus.SUCCEEDED
    end = runs.end("r1")
    assert end is not None
    assert end.output == {"tables": 3}
    assert end.at == NOON


def test_what_a_run_was_started_with_is_kept(tmp_path: Path) -> None:
    create(tmp_path, definition=b'{"StartAt":"A"}').close()
    run = registry(tmp_path).get("r1")
    assert (run.name, run.workflow, run.input) == ("r1", "daily", {"start": "2013-01-01"})
    assert run.definition == b'{"StartAt":"A"}'
    assert run.arn == "arn:aws:states:local:000000000000:execution:daily:r1"
    assert run.journal == tmp_path / "runs" / "r1" / "journal.sqlite"


def test_a_run_without_an_end_whose_lock_is_free_is_aborted(tmp_path: Path) -> None:
    create(tmp_path).close()
    assert registry(tmp_path).status("r1") is RunStatus.ABORTED


def test_a_killed_process_leaves_an_aborted_run_that_another_can_continue(tmp_path: Path) -> None:
    script = (
        "import datetime as dt, sys, time, pathlib\n"
        "from runner.local.runs import RunRegistry\n"
        "r = RunRegistry(pathlib.Path(sys.argv[1]), now=lambda: dt.datetime.now(dt.UTC))\n"
        "h = r.create('r1', workflow='daily', execution_input={}, definition=b'{}')\n"
        "print('up', flush=True)\n"
        "time.sleep(60)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "runs")], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.readline()
    runs = registry(tmp_path)
    assert runs.status("r1") is RunStatus.RUNNING
    with pytest.raises(RunBusy):
        runs.reopen("r1")
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert runs.status("r1") is RunStatus.ABORTED
    with runs.reopen("r1"):
        assert runs.status("r1") is RunStatus.RUNNING


def test_a_continued_run_forgets_its_former_end(tmp_path: Path) -> None:
    with create(tmp_path) as handle:
        handle.finish(RunStatus.FAILED, error="E", cause="why")
    runs = registry(tmp_path)
    assert runs.status("r1") is RunStatus.FAILED
    with runs.reopen("r1") as handle:
        assert runs.status("r1") is RunStatus.RUNNING
        assert runs.end("r1") is None
        handle.finish(RunStatus.SUCCEEDED)
    assert runs.status("r1") is RunStatus.SUCCEEDED


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    with create(tmp_path), pytest.raises(FileExistsError, match="r1"):
        create(tmp_path)
    assert [item.name for item in (tmp_path / "runs").iterdir()] == ["r1"]


def test_runs_are_listed_newest_first(tmp_path: Path) -> None:
    assert registry(tmp_path).runs() == ()
    for name, hour in (("b", 3), ("a", 7), ("c", 5)):
        create(tmp_path, name, hour=hour).close()
    assert [run.name for run in registry(tmp_path).runs()] == ["a", "c", "b"]


def test_describe_execution_answers_in_the_shape_of_boto3(tmp_path: Path) -> None:
    arn = "arn:aws:states:local:000000000000:execution:daily:r1"
    runs = registry(tmp_path)
    with create(tmp_path) as handle:
        running = runs.describe_execution(executionArn=arn)
        assert running["status"] == "RUNNING"
        assert "stopDate" not in running
        handle.finish(RunStatus.FAILED, error="States.TaskFailed", cause="why")
    assert runs.describe_execution(executionArn=arn) == {
        "executionArn": arn,
        "stateMachineArn": "arn:aws:states:local:000000000000:stateMachine:daily",
        "name": "r1",
        "status": "FAILED",
        "startDate": NOON,
        "stopDate": NOON,
        "input": '{"start": "2013-01-01"}',
        "error": "States.TaskFailed",
        "cause": "why",
    }


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:states:local:000000000000:execution:daily:other",
        "arn:aws:states:local:000000000000:execution:weekly:r1",
        "arn:aws:states:local:000000000000:execution:daily:../r1",
        "arn:aws:states:local:000000000000:stateMachine:daily:r1",
        "arn:aws:states:eu-west-1:123456789012:execution:daily:r1",
        "nonsense",
    ],
)
def test_an_execution_that_is_not_here_does_not_exist(tmp_path: Path, arn: str) -> None:
    create(tmp_path).close()
    with pytest.raises(ExecutionDoesNotExist) as caught:
        registry(tmp_path).describe_execution(executionArn=arn)
    assert caught.value.response["Error"]["Code"] == "ExecutionDoesNotExist"
