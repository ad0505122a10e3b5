"""Task definitions of users' own on this machine: programs that the environment's `tasks` name.

In: the arguments of `ecs:runTask.sync`.  Out: one Task object, as `.sync` gives it; a program that
ends otherwise than with 0 is `States.TaskFailed` with the Task as its cause, its exit code in it
and the last lines of what it wrote as the reason.  Loads go on to their own service.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import threading
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

from runner.model.ports import ServiceError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from runner.model.ports import Json, Service
    from runner.model.steps_flow import LocalTask

_ARN = "arn:aws:ecs:local:000000000000:"
_INHERITED = ("HOME", "LANG", "PATH", "TMPDIR", "VIRTUAL_ENV")
"""Variables of this process that a program gets too; AWS's are not among them."""
_TOLD_LINES = 5
_NOT_FOUND = 127
"""Exit code of a shell that finds no such program."""


@dataclass(slots=True)
class EcsTasks:
    """The programs of one environment, and the service of the loads."""

    tasks: Mapping[str, LocalTask]
    loads: Service
    loading: frozenset[str]
    """Task definitions that are loads."""
    root: Path
    logs: Path
    environ: Mapping[str, str]
    now: Callable[[], dt.datetime]
    _running: set[subprocess.Popen[str]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, action: str, arguments: Mapping[str, Json]) -> Json:
        """Run a program, or leave the call to the loads."""
        family = str(arguments.get("TaskDefinition", "")).rpartition("/")[2].partition(":")[0]
        if family in self.loading or action != "runTask.sync":
            return self.loads(action, arguments)
        if family not in self.tasks:
            known = ", ".join(sorted({*self.tasks, *self.loading})) or "none"
            told = (
                f"TaskDefinition not found: {family}; task definitions here: {known}. Say under "
                f"`tasks` of the local environment which program stands for it, such as "
                f"{family}: {{command: [python, jobs/{family}.py]}}, or let a mock answer the state"
            )
            raise ServiceError("ECS.ClientException", told)
        return self._run(family, arguments)

    def close(self) -> None:
        """End the programs that still run."""
        with self._lock:
            for one in self._running:
                one.terminate()

    def _run(self, family: str, arguments: Mapping[str, Json]) -> Json:
        container: Mapping[str, Any] = arguments["Overrides"]["ContainerOverrides"][0]
        words = [*self.tasks[family].command, *map(str, container.get("Command", ()))]
        said = {one["Name"]: str(one["Value"]) for one in container.get("Environment", ())}
        inherited = {name: self.environ[name] for name in _INHERITED if name in self.environ}
        started, name = self.now(), uuid.uuid4().hex
        self.logs.mkdir(parents=True, exist_ok=True)
        code, last = self._execute(words, {**inherited, **said}, self.logs / f"{family}-{name}.log")
        reason = f"{container['Name']}: {' / '.join(last)}" if last else ""
        task = {
            "ClusterArn": f"{_ARN}cluster/{arguments.get('Cluster', 'default')}",
            "Containers": [
                {
                    "Name": container["Name"],
                    "ExitCode": code,
                    "LastStatus": "STOPPED",
                    **({"Reason": reason} if code and reason else {}),
                }
            ],
            "LastStatus": "STOPPED",
            "LaunchType": arguments.get("LaunchType", "FARGATE"),
            "StartedAt": _milliseconds(started),
            "StartedBy": "AWS Step Functions",
            "StopCode": "EssentialContainerExited",
            "StoppedAt": _milliseconds(self.now()),
            "StoppedReason": "Essential container in task exited",
            "TaskArn": f"{_ARN}task/{arguments.get('Cluster', 'default')}/{name}",
            "TaskDefinitionArn": f"{_ARN}task-definition/{family}:1",
        }
        if code:
            raise ServiceError("States.TaskFailed", json.dumps(task))
        return task

    def _execute(
        self, words: list[str], environment: dict[str, str], log: Path
    ) -> tuple[int, deque[str]]:
        """Give the exit code and the last lines that the program wrote."""
        last: deque[str] = deque(maxlen=_TOLD_LINES)
        with log.open("w", encoding="utf-8") as file:
            try:
                program = subprocess.Popen(
                    words,
                    cwd=self.root,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    errors="replace",
                )
            except (OSError, IndexError) as error:
                last.append(str(error) if words else "`tasks` and the step name no command")
                return _NOT_FOUND, last
            with program:
                self._follow(program, file, last)
            return program.returncode, last

    def _follow(self, program: subprocess.Popen[str], log: TextIO, last: deque[str]) -> None:
        """Keep what a program writes until it ends."""
        with self._lock:
            self._running.add(program)
        atexit.register(program.terminate)  # a run that is stopped leaves no program behind
        try:
            for line in program.stdout or ():
                log.write(line)
                last.append(line.rstrip())
            program.wait()
        finally:
            with self._lock:
                self._running.discard(program)
            atexit.unregister(program.terminate)
            program.terminate()


def _milliseconds(instant: dt.datetime) -> int:
    return int(instant.timestamp() * 1000)
