"""Jobs and builds on this machine: the script's own process, its arguments, every way to end."""

from __future__ import annotations

import datetime as dt
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.jobs import Builds, GlueJobs, Surroundings
from runner.local.processes import Processes
from runner.model.local_sources import LocalBuild, LocalGlueJob
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from pathlib import Path

NOON = dt.datetime(2013, 1, 2, 12, tzinfo=dt.UTC)
ECHO = """\
import os, pathlib, sys
words = [*sys.argv[1:], os.environ["AWS_ENDPOINT_URL_S3"]]
pathlib.Path("seen.txt").write_text(" ".join(words))
"""


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    return Surroundings(
        tmp_path,
        tmp_path / "logs",
        {},
        Processes(),
        lambda: NOON,
        lambda: {"AWS_ENDPOINT_URL_S3": "http://here"},
    )


def job(around: Surroundings, script: str, **fields: Any) -> GlueJobs:  # noqa: ANN401
    (around.root / "job.py").write_text(script)
    said = LocalGlueJob.model_validate({"script": "job.py", **fields})
    return GlueJobs({"mask": said}, around)


def run(jobs: GlueJobs, **arguments: str) -> dict[str, Any]:
    given = {f"--{key}": value for key, value in arguments.items()}
    made: dict[str, Any] = jobs("startJobRun.sync", {"JobName": "mask", "Arguments": given})
    return made


def test_a_job_gets_its_arguments_and_the_services_of_this_machine(around: Surroundings) -> None:
    made = run(job(around, ECHO, arguments={"day": "1", "level": "2"}), day="3 4")
    assert made["JobRunState"] == "SUCCEEDED"
    assert made["Arguments"] == {"--day": "3 4", "--level": "2"}
    seen = (around.root / "seen.txt").read_text()
    assert seen == "--JOB_NAME mask --day 3 4 --level 2 http://here"


def failure(jobs: GlueJobs) -> dict[str, Any]:
    with pytest.raises(ServiceError) as caught:
        run(jobs)
    assert caught.value.error == "States.TaskFailed"
    found: dict[str, Any] = json.loads(caught.value.cause)
    return found


def test_a_job_that_fails_says_its_exception(around: Surroundings) -> None:
    found = failure(job(around, "raise ValueError('no e-mail in line 3')\n"))
    assert found["JobRunState"] == "FAILED"
    assert found["ErrorMessage"].startswith("ValueError: no e-mail in line 3 (log: ")


def test_a_job_that_takes_too_long_is_stopped(around: Surroundings) -> None:
    found = failure(job(around, "import time\ntime.sleep(60)\n", timeout="1s"))
    assert found["JobRunState"] == "TIMEOUT"


def test_a_job_that_is_not_described_is_refused_by_name(around: Surroundings) -> None:
    with pytest.raises(ServiceError, match="missing metadata: other.*one of mask") as caught:
        job(around, "")("startJobRun.sync", {"JobName": "other"})
    assert caught.value.error == "Glue.EntityNotFoundException"


def builds(around: Surroundings, *command: str) -> Builds:
    said = LocalBuild.model_validate({"command": command, "environment": {"A": "1", "B": "1"}})
    return Builds({"site": said}, around)


def build(made: Builds, project: str = "site") -> dict[str, Any]:
    override = [{"Name": "B", "Value": "2", "Type": "PLAINTEXT"}]
    answer: dict[str, Any] = made(
        "startBuild.sync",
        {
            "ProjectName": project,
            "EnvironmentVariablesOverride": override,
            "SourceVersion": "main",
        },
    )
    return answer


def test_a_build_is_its_command_with_the_steps_variables(around: Surroundings) -> None:
    text = "echo $A $B $CODEBUILD_SOURCE_VERSION > seen.txt"
    answer = build(builds(around, "/bin/sh", "-c", text))
    assert answer["Build"]["BuildStatus"] == "SUCCEEDED"
    assert (around.root / "seen.txt").read_text() == "1 2 main\n"


def test_a_build_that_fails_is_the_cause(around: Surroundings) -> None:
    with pytest.raises(ServiceError) as caught:
        build(builds(around, "/bin/sh", "-c", "exit 3"))
    assert caught.value.error == "States.TaskFailed"
    assert json.loads(caught.value.cause)["Build"]["BuildStatus"] == "FAILED"


def test_a_build_without_a_command_is_refused_with_what_to_do(around: Surroundings) -> None:
    with pytest.raises(ServiceError, match="give a command under `builds.other`") as caught:
        build(builds(around, "/bin/true"), "other")
    assert caught.value.error == "CodeBuild.ResourceNotFoundException"


def test_a_command_that_is_not_there_is_refused(around: Surroundings) -> None:
    with pytest.raises(ServiceError, match="cannot be started"):
        build(builds(around, "/no/such/command"))


def test_closing_ends_what_is_at_work(around: Surroundings) -> None:
    around.processes.close()
    ended = around.processes.run(
        [sys.executable, "-c", "pass"],
        folder=around.root,
        environ={},
        log=around.root / "x.log",
        timeout_s=60,
    )
    assert (ended.status, ended.timed_out, ended.last_line) == (0, False, "")
