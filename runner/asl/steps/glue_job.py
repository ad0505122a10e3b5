"""A `glue_job` step: one run of a job, waited for by Step Functions.

    job -> ended? -> done | failed

Step Functions fails a run that failed or took too long; one that somebody stopped may pass there
as a success, so its state is looked at.  A start has no token: it is repeated only where Glue has
refused it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.asl import retries
from runner.asl.expressions import expression, quote
from runner.asl.flow import State, state_name, task
from runner.asl.steps import awaited as waiting
from runner.asl.steps.awaited import GIVEN, RESULT
from runner.asl.steps.marks import marked
from runner.model.durations import seconds

if TYPE_CHECKING:
    from runner.asl.steps.scope import Scope
    from runner.model.steps_sources import GlueJobStep


def states(scope: Scope, name: str, step: GlueJobStep) -> tuple[State, ...]:
    """Give the states of a job, behind a gate if other steps are needed."""
    arguments = {f"--{key}": marked(scope, value) for key, value in step.arguments.items()}
    timeout_s = seconds(step.timeout or scope.project.config.defaults.load_timeout)
    ended = {
        "state": expression(f"{RESULT}.JobRunState"),
        "job": {"run": expression(f"{RESULT}.Id")},
    }
    succeeded = {
        "Condition": expression(f'{GIVEN}.state = "SUCCEEDED"'),
        "Next": state_name(name, "done"),
    }
    inner = (
        State(
            state_name(name, "job"),
            task(
                "arn:aws:states:::glue:startJobRun.sync",
                {"JobName": step.job, **({"Arguments": arguments} if arguments else {})},
                timeout_s=timeout_s,
                Output=ended,
                Retry=retries.jobs(),
                Next=state_name(name, "ended?"),
            ),
        ),
        State(
            state_name(name, "ended?"),
            {"Type": "Choice", "Choices": [succeeded], "Default": state_name(name, "failed")},
        ),
        waiting.done(name, GIVEN),
        waiting.failed(
            name, "GlueJob.Failed", f"{quote(f'job {step.job} ended ')} & {GIVEN}.state"
        ),
    )
    return waiting.awaited(scope, name, step, states=inner, value="job")
