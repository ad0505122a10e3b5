"""The resource of a Task: which ARNs there are, and what the service behind one asks for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.machine.definition import Language
from runner.machine.refusals import Refusal, required, schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.model.ports import Json

_ARN = re.compile(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+")
_INTEGRATION = re.compile(r"arn:[^:]+:states:[^:]*:[^:]*:([a-z0-9-]+):([^.:]+(?::[^.]+)?)(\..+)?")
_SYNC = (".sync", ".sync:2")
_TOKEN = ".waitForTaskToken"  # noqa: S105  (no secret)
_NO_SYNC = "apigateway aws-sdk bedrock-agentcore dynamodb events lambda sns sqs"
_NO_TOKEN = """
    athena batch bedrock-agentcore codebuild databrew dynamodb elasticmapreduce emr-containers
    emr-serverless glue mediaconvert sagemaker
"""  # noqa: S105  (no secret)
_NEVER_SYNC = frozenset(_NO_SYNC.split())
_NEVER_TOKEN = frozenset(_NO_TOKEN.split())
_NEEDED: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("dynamodb", "getItem"): ("TableName", "Key"),
    ("dynamodb", "putItem"): ("TableName", "Item"),
    ("ecs", "runTask"): ("TaskDefinition",),
    ("events", "putEvents"): ("Entries",),
    ("glue", "startJobRun"): ("JobName",),
    ("lambda", "invoke"): ("FunctionName",),
    ("sns", "publish"): ("Message",),
    ("sqs", "sendMessage"): ("QueueUrl", "MessageBody"),
    ("states", "startExecution"): ("StateMachineArn",),
}
"""Parameters without which AWS refuses a definition."""


def check_resource(
    state: Mapping[str, Json], at: str, language: Language, *, any_resource: bool
) -> Iterator[Refusal]:
    """Find what is wrong with a Task's resource and what it is given.

    `any_resource` leaves that to the service that will be called: a local one may answer to
    any name and to any arguments.
    """
    resource = state.get("Resource")
    if "Resource" not in state:
        yield required(at, "Resource")
    if not isinstance(resource, str):
        return
    if not any_resource:
        yield from _check_arn(state, resource, at, language)
    if "Credentials" in state and isinstance(state["Credentials"], dict):
        yield from _check_credentials(state["Credentials"], resource, f"{at}/Credentials")


def _check_arn(
    state: Mapping[str, Json], resource: str, at: str, language: Language
) -> Iterator[Refusal]:
    if not _ARN.fullmatch(resource):
        yield schema(f"{at}/Resource", "Value is not a valid resource ARN", "an ARN")
        return
    match = _INTEGRATION.fullmatch(resource)
    if match is None or match[1] in {"activity", "stateMachine"}:
        return
    service, action, pattern = match[1], match[2], match[3] or ""
    if not _has_pattern(service, pattern):
        told = f"The resource provided {resource} is not recognized"
        yield schema(f"{at}/Resource", told, f"a way of calling that {service} has")
    own = "Arguments" if language is Language.JSONATA else "Parameters"
    if own not in state:
        told = f"{own} field is required for resource ARN: {resource}"
        yield schema(at, told, f"{own} with what {service} asks for")
    elif isinstance(state[own], dict):
        for name in _NEEDED.get((service, action), ()):
            if name not in state[own] and f"{name}.$" not in state[own]:
                told = f"The field '{name}' is required but was missing"
                yield schema(f"{at}/{own}", told, name)


def _has_pattern(service: str, pattern: str) -> bool:
    if not pattern:
        return True
    if pattern == _TOKEN:
        return service not in _NEVER_TOKEN
    if pattern not in _SYNC or service in _NEVER_SYNC:
        return False
    return pattern != ".sync:2" or service == "states"


def _check_credentials(
    credentials: Mapping[str, Json], resource: str, at: str
) -> Iterator[Refusal]:
    if ":activity:" in resource:
        told = "The field 'Credentials' is not supported for activities"
        yield schema(at, told, "no credentials")
    elif not {"RoleArn", "RoleArn.$"} & credentials.keys():
        told = "The field 'RoleArn' is required but was missing"
        yield schema(at, told, "the ARN of a role")


def check_express(resource: Json, at: str) -> Iterator[Refusal]:
    """Find resources that an EXPRESS machine cannot wait for."""
    if not isinstance(resource, str):
        return
    if ":activity:" in resource:
        told = "Express state machine does not support Activity ARN"
        yield schema(at, told, "a resource that answers at once")
    _, dot, pattern = resource.rpartition(".")
    pattern = pattern.partition(":")[0]
    if dot and pattern in {"sync", "waitForTaskToken"}:
        # AWS's text ends in a blank.
        told = f"Express state machine does not support '.{pattern}' service integration "
        yield schema(at, told, "a call that does not wait")
