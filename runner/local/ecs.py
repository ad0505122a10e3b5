"""ECS on this machine: the task that loads a mart, run by the built-in loader.

In: the arguments of `ecs:runTask.sync`, whose container gets a manifest's URI and a mart's name.
Out: one Task object, as `.sync` gives it; a failed load is `States.TaskFailed` with the Task as
its cause and the plain reason in it.  What the task would have logged becomes a line of a file.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from runner.loads.exits import exit_code
from runner.local.loader import LoadResult, MysqlTarget, load
from runner.model.loads import LoadManifest, LoadOutcome, outcome_uri
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from runner.local.loader import Target
    from runner.local.loader.source import Connect
    from runner.model.ports import Json

_ARN = "arn:aws:ecs:local:000000000000:"
_MAX_OVERRIDES = 8192
"""Characters of all overrides together, as ECS counts them."""
_INSTEAD = (
    "loaded by the built-in loader: Embulk is not installed here (`embulk_home` of the "
    "environment), or the mart is SQLite"
)
_EXITED = "Essential container in task exited"


@dataclass(frozen=True, slots=True)
class Ecs:
    """The load tasks of one environment."""

    task_definitions: Mapping[str, str]
    """Task definition and the mart that it is for (SEMANTICS 32)."""
    marts: Mapping[str, Target]
    read: Callable[[str], bytes]
    """Reads an object by its `s3://` URI."""
    write: Callable[[str, bytes], object]
    """Writes an object by its `s3://` URI."""
    path_of: Callable[[str], str | Path]
    """Gives the file of an object by its `s3://` URI."""
    connect: Connect
    log: Path
    """JSON lines: one per task."""
    now: Callable[[], dt.datetime]
    embulk_home: Path | None = None
    """Folder of an assembled Embulk; without one the built-in loader does its loads."""

    def __call__(self, action: str, arguments: Mapping[str, Json]) -> Json:
        """Serve `runTask.sync`; anything else is refused by name."""
        if action != "runTask.sync":
            raise ServiceError(
                "States.Runtime", f"ecs:{action} is not known locally; runTask.sync is"
            )
        name = _definition_name(arguments)
        if name not in self.task_definitions:
            known = ", ".join(sorted(self.task_definitions)) or "none"
            raise ServiceError(
                "ECS.ClientException",
                f"TaskDefinition not found: {name}; task definitions here: {known}",
            )
        started = self.now()
        environment = _environment(arguments)
        try:
            result = self._load(self.task_definitions[name], environment)
        except ServiceError as error:
            outcome = _failed(error, self._engine(name, environment))
            task = self._task(name, arguments, started=started, outcome=outcome)
            self._end(task, environment, outcome)
            raise ServiceError("States.TaskFailed", json.dumps(task)) from error
        outcome = _loaded(result)
        task = self._task(name, arguments, started=started, outcome=outcome)
        self._end(task, environment, outcome)
        return task

    def _end(
        self, task: Mapping[str, Json], environment: Mapping[str, str], outcome: LoadOutcome
    ) -> None:
        """Leave the outcome beside the manifest, as the container does, and a line in the log."""
        took_s = (task["StoppedAt"] - task["StartedAt"]) / 1000
        outcome = replace(outcome, seconds=took_s)
        uri = environment.get("RUNNER_LOAD_MANIFEST")
        if uri is not None:
            self.write(outcome_uri(uri), json.dumps(outcome.to_json()).encode())
        self._write_log(task, outcome.to_json())

    def _load(self, mart: str, environment: Mapping[str, str]) -> LoadResult:
        """Do what the container does with its environment."""
        asked = environment.get("RUNNER_MART")
        uri = environment.get("RUNNER_LOAD_MANIFEST")
        if asked is None or uri is None:
            raise ServiceError(
                "Load.InvalidTask", "the task needs RUNNER_MART and RUNNER_LOAD_MANIFEST"
            )
        if asked != mart:
            raise ServiceError(
                "Load.InvalidTask", f"the task definition is for mart {mart}, not {asked}"
            )
        manifest = LoadManifest.from_json(self._manifest(uri))
        target = self.marts[mart]
        if manifest.engine != "embulk":
            return load(manifest, target, path_of=self.path_of, connect=self.connect)
        if self.embulk_home is None or not isinstance(target, MysqlTarget):
            result = load(manifest, target, path_of=self.path_of, connect=self.connect)
            return result._replace(warnings=(*result.warnings, _INSTEAD))
        from runner.local.loader.embulk_here import load_embulk_here  # noqa: PLC0415 - if asked

        rows = environment.get("RUNNER_LOAD_ROWS")
        return load_embulk_here(
            manifest,
            target,
            home=self.embulk_home,
            path_of=self.path_of,
            connect=self.connect,
            result=None if rows is None else str(self.path_of(rows)),
        )

    def _engine(self, name: str, environment: Mapping[str, str]) -> str:
        """Name the loader of a task that failed, as far as its manifest can be read."""
        mart, uri = self.marts[self.task_definitions[name]], environment.get("RUNNER_LOAD_MANIFEST")
        try:
            asked = self._manifest(uri).get("engine") if uri is not None else None
        except ServiceError:
            asked = None
        real = asked == "embulk" and self.embulk_home and isinstance(mart, MysqlTarget)
        return "embulk" if real else "native"

    def _manifest(self, uri: str) -> Mapping[str, Json]:
        try:
            value: Mapping[str, Json] = json.loads(self.read(uri))
        except (ValueError, FileNotFoundError) as exc:
            raise ServiceError(
                "Load.InvalidManifest", f"the manifest {uri} cannot be read: {exc}"
            ) from exc
        return value

    def _task(
        self,
        name: str,
        arguments: Mapping[str, Json],
        *,
        started: dt.datetime,
        outcome: LoadOutcome,
    ) -> dict[str, Json]:
        """Describe the stopped task as ECS does: PascalCase, instants in epoch milliseconds."""
        task_id, status = uuid.uuid4().hex, exit_code(outcome)
        cluster = str(arguments.get("Cluster", "default")).rpartition("/")[2]
        arn = f"{_ARN}task/{cluster}/{task_id}"
        container = {
            "ContainerArn": f"{_ARN}container/{cluster}/{task_id}/0",
            "ExitCode": status,
            "LastStatus": "STOPPED",
            "Name": _container(arguments).get("Name", name),
            "TaskArn": arn,
        }
        if status:
            container["Reason"] = f"{outcome.error}: {outcome.cause}"
        return {
            "ClusterArn": f"{_ARN}cluster/{cluster}",
            "Containers": [container],
            "CreatedAt": _milliseconds(started),
            "DesiredStatus": "STOPPED",
            "Group": f"family:{name}",
            "LastStatus": "STOPPED",
            "LaunchType": arguments.get("LaunchType", "FARGATE"),
            "Overrides": arguments.get("Overrides", {}),
            "StartedAt": _milliseconds(started),
            "StartedBy": "AWS Step Functions",
            "StopCode": "EssentialContainerExited",
            "StoppedAt": _milliseconds(self.now()),
            "StoppedReason": _EXITED,
            "TaskArn": arn,
            "TaskDefinitionArn": f"{_ARN}task-definition/{name}:1",
        }

    def _write_log(self, task: Mapping[str, Json], said: Mapping[str, Json]) -> None:
        line = {"task": task["TaskArn"], "at": self.now().isoformat(), **said}
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _definition_name(arguments: Mapping[str, Json]) -> str:
    """Give the task definition's name without ARN and revision."""
    given = arguments.get("TaskDefinition")
    if not isinstance(given, str) or not given:
        raise ServiceError("ECS.InvalidParameterException", "TaskDefinition is missing")
    size = len(json.dumps(arguments.get("Overrides", {})))
    if size > _MAX_OVERRIDES:
        raise ServiceError(
            "ECS.InvalidParameterException",
            f"Container Overrides length must be at most {_MAX_OVERRIDES} characters, not {size}",
        )
    return given.rpartition("/")[2].partition(":")[0]


def _container(arguments: Mapping[str, Json]) -> Mapping[str, Any]:
    overrides = (arguments.get("Overrides") or {}).get("ContainerOverrides") or [{}]
    container: Mapping[str, Any] = overrides[0]
    return container


def _environment(arguments: Mapping[str, Json]) -> dict[str, str]:
    return {item["Name"]: item["Value"] for item in _container(arguments).get("Environment", ())}


def _loaded(result: LoadResult) -> LoadOutcome:
    return LoadOutcome(
        "skipped" if result.skipped else "loaded",
        result.engine,
        rows=result.rows,
        deleted=result.deleted,
        counted=result.counted,
        warnings=result.warnings,
        table=result.table,
    )


def _failed(error: ServiceError, engine: str) -> LoadOutcome:
    return LoadOutcome("failed", engine, error=error.error, cause=error.cause)


def _milliseconds(instant: dt.datetime) -> int:
    return int(instant.timestamp() * 1000)
