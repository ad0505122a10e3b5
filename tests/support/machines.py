"""Files of state machines that tests run with `runner machine run`, and small ways to say them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from runner.app.machine_run import Hooks, MachineRequest, MachineResult, run_machine

if TYPE_CHECKING:
    from pathlib import Path

    from runner.app.machine_trace import Step, Trace

Json = Any

CHARGE = "arn:aws:states:::lambda:invoke"
RETRY = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 86_400, "BackoffRate": 1}]


def task(
    resource: str = "arn:aws:states:::glue:startJobRun.sync", **fields: Json
) -> dict[str, Json]:
    end = {} if "Next" in fields else {"End": True}
    return {"Type": "Task", "Resource": resource, **end, **fields}


def machine(states: dict[str, Json], **fields: Json) -> dict[str, Json]:
    return {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **fields}


def write(path: Path, value: Json) -> Path:
    path.write_text(value if isinstance(value, str) else json.dumps(value, indent=1), "utf-8")
    return path


def mocked(tmp_path: Path, text: str) -> Path:
    return write(tmp_path / "mocks.yaml", text)


def ran(states: dict[str, Json], data: Json = None, **options: Json) -> MachineResult:
    """Run states with mocks; `hooks` go to the run, all else into the request."""
    hooks = options.pop("hooks", Hooks())
    given = {} if data is None else data
    return run_machine(MachineRequest(machine(states), given, **options), hooks)


class Heard:
    """Keeps the steps of an execution."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def __call__(self, step: Step, trace: Trace) -> None:
        del trace
        self.steps.append(step)

    def told(self) -> list[tuple[str, str]]:
        return [(step.what.value, step.state) for step in self.steps]
