"""Jobs of Glue and builds of CodeBuild on this machine: scripts and commands of the environment.

In: the arguments of `glue:startJobRun.sync` and `codebuild:startBuild.sync`.  Out: the JobRun or
the Build as `.sync` gives it; one that did not succeed is `States.TaskFailed` with it as the cause.
A build project without a command here is refused by name: what it would do, nobody here knows.
"""

from __future__ import annotations

import json
import sys
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.model.durations import seconds
from runner.model.nearest import listed
from runner.model.ports import Json, ServiceError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from runner.local.processes import Ended, Processes
    from runner.model.local_sources import LocalBuild, LocalGlueJob


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What jobs and builds of one environment share."""

    root: Path
    logs: Path
    environ: Mapping[str, str]
    processes: Processes
    now: Callable[[], dt.datetime]
    endpoint: Callable[[], Mapping[str, str]]
    """Gives the variables that lead AWS's clients to the services of this machine."""

    def run(
        self, command: list[str], variables: Mapping[str, str], *, log: Path, timeout_s: float
    ) -> Ended:
        """Run a command in the project's folder."""
        return self.processes.run(
            command,
            folder=self.root,
            environ={**self.environ, **self.endpoint(), **variables},
            log=log,
            timeout_s=timeout_s,
        )


@dataclass(frozen=True, slots=True)
class GlueJobs:
    """The jobs of Glue of one environment."""

    jobs: Mapping[str, LocalGlueJob]
    around: Surroundings

    def __call__(self, action: str, arguments: Mapping[str, Json]) -> Json:
        """Serve `startJobRun.sync`; anything else is refused by name."""
        if action != "startJobRun.sync":
            raise ServiceError(
                "States.Runtime", f"glue:{action} is not known locally; startJobRun.sync is"
            )
        name = str(arguments.get("JobName", ""))
        job = self.jobs.get(name)
        if job is None:
            known = f"one of {listed(list(self.jobs))}" if self.jobs else "none"
            raise ServiceError(
                "Glue.EntityNotFoundException",
                f"Failed to start job run due to missing metadata: {name}; "
                f"`glue_jobs` of the environment: {known}",
            )
        return self._run(name, job, dict(arguments.get("Arguments") or {}))

    def _run(self, name: str, job: LocalGlueJob, given: Mapping[str, str]) -> Json:
        run_id = f"jr_{uuid.uuid4().hex}"
        said = {**{f"--{key}": value for key, value in job.arguments.items()}, **given}
        words = [word for pair in said.items() for word in pair]
        script = self.around.root / job.script
        command = [sys.executable, str(script), "--JOB_NAME", name, *words]
        log = self.around.logs / f"{name}-{run_id}.log"
        started = self.around.now()
        ended = self.around.run(command, {}, log=log, timeout_s=seconds(job.timeout))
        state = "TIMEOUT" if ended.timed_out else "FAILED" if ended.status else "SUCCEEDED"
        run = {
            "Id": run_id,
            "JobName": name,
            "Attempt": 0,
            "Arguments": said,
            "JobRunState": state,
            "StartedOn": _milliseconds(started),
            "CompletedOn": _milliseconds(self.around.now()),
            "ExecutionTime": int((self.around.now() - started).total_seconds()),
        }
        if state == "SUCCEEDED":
            return run
        why = ended.last_line or f"exit status {ended.status}"
        run["ErrorMessage"] = f"{why} (log: {log})"
        raise ServiceError("States.TaskFailed", json.dumps(run))


@dataclass(frozen=True, slots=True)
class Builds:
    """The build projects of one environment."""

    builds: Mapping[str, LocalBuild]
    around: Surroundings

    def __call__(self, action: str, arguments: Mapping[str, Json]) -> Json:
        """Serve `startBuild.sync`; anything else is refused by name."""
        if action != "startBuild.sync":
            raise ServiceError(
                "States.Runtime", f"codebuild:{action} is not known locally; startBuild.sync is"
            )
        name = str(arguments.get("ProjectName", ""))
        build = self.builds.get(name)
        if build is None:
            raise ServiceError(
                "CodeBuild.ResourceNotFoundException",
                f"Project cannot be found: {name}; this machine builds nothing by itself: give a "
                f"command under `builds.{name}` of the environment",
            )
        return self._run(name, build, arguments)

    def _run(self, name: str, build: LocalBuild, arguments: Mapping[str, Json]) -> Json:
        number = uuid.uuid4()
        variables = {
            **build.environment,
            "CODEBUILD_BUILD_ID": f"{name}:{number}",
            **{
                str(one["Name"]): str(one["Value"])
                for one in arguments.get("EnvironmentVariablesOverride") or ()
            },
        }
        if arguments.get("SourceVersion"):
            variables["CODEBUILD_SOURCE_VERSION"] = str(arguments["SourceVersion"])
        log = self.around.logs / f"{name}-{number}.log"
        started = self.around.now()
        try:
            ended = self.around.run(
                list(build.command), variables, log=log, timeout_s=seconds(build.timeout)
            )
        except OSError as error:
            raise ServiceError(
                "CodeBuild.InvalidInputException",
                f"the command of `builds.{name}` cannot be started: {error}",
            ) from error
        state = "TIMED_OUT" if ended.timed_out else "FAILED" if ended.status else "SUCCEEDED"
        made: dict[str, Json] = {
            "Id": f"{name}:{number}",
            "ProjectName": name,
            "BuildComplete": True,
            "BuildStatus": state,
            "StartTime": _milliseconds(started),
            "EndTime": _milliseconds(self.around.now()),
            "Logs": {"DeepLink": str(log)},
        }
        if state == "SUCCEEDED":
            return {"Build": made}
        raise ServiceError("States.TaskFailed", json.dumps({"Build": made}))


def _milliseconds(at: dt.datetime) -> int:
    return int(at.timestamp() * 1000)
