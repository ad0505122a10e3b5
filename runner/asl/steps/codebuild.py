"""A `codebuild` step: one build, waited for by Step Functions.

    begin -> build -> ended? -> done | failed

A build that was stopped is no success.  The start has a token, so that a repeated call starts no
second build; the step's own retry starts another one, with another token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.asl import retries
from runner.asl.expressions import expression, quote
from runner.asl.flow import State, state_name, task
from runner.asl.steps import awaited as waiting
from runner.asl.steps.awaited import GIVEN, RESULT
from runner.asl.steps.marks import marked
from runner.model.durations import seconds

if TYPE_CHECKING:
    from runner.asl.steps.scope import Scope
    from runner.model.steps_sources import CodeBuildStep

_CONTEXT = "$states.context"
_TOLD = f'{_CONTEXT}.Execution.Id & "|" & {_CONTEXT}.State.EnteredTime'


def states(scope: Scope, name: str, step: CodeBuildStep) -> tuple[State, ...]:
    """Give the states of a build, behind a gate if other steps are needed."""
    succeeded = {
        "Condition": expression(f'{GIVEN}.state = "SUCCEEDED"'),
        "Next": state_name(name, "done"),
    }
    ended = {
        "state": expression(f"{RESULT}.Build.BuildStatus"),
        "build": {"id": expression(f"{RESULT}.Build.Id")},
    }
    timeout_s = seconds(step.timeout or scope.project.config.defaults.load_timeout)
    inner = (
        State(
            state_name(name, "begin"),
            {
                "Type": "Pass",
                "Output": {"token": expression(f'$hash({_TOLD}{scope.item_tag}, "SHA-256")')},
                "Next": state_name(name, "build"),
            },
        ),
        State(
            state_name(name, "build"),
            task(
                "arn:aws:states:::codebuild:startBuild.sync",
                _arguments(scope, step),
                timeout_s=timeout_s,
                Output=ended,
                Retry=retries.builds(),
                Next=state_name(name, "ended?"),
            ),
        ),
        State(
            state_name(name, "ended?"),
            {"Type": "Choice", "Choices": [succeeded], "Default": state_name(name, "failed")},
        ),
        waiting.done(name, GIVEN),
        waiting.failed(
            name, "CodeBuild.Failed", f"{quote(f'build of {step.project} ended ')} & {GIVEN}.state"
        ),
    )
    return waiting.awaited(scope, name, step, states=inner, value="build")


def _arguments(scope: Scope, step: CodeBuildStep) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ProjectName": step.project,
        "IdempotencyToken": expression(f"{GIVEN}.token"),
    }
    if step.environment:
        result["EnvironmentVariablesOverride"] = [
            {"Name": name, "Value": marked(scope, value), "Type": "PLAINTEXT"}
            for name, value in step.environment.items()
        ]
    if step.version:
        result["SourceVersion"] = marked(scope, step.version)
    return result
