"""What a definition calls: every Task of a state machine, those of inner flows too.

In: the definition's text.  Out: `Uses`, which depend on nothing but that text and are small: states
that call the same on the same, as far as permissions tell them apart, are one call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.model.ports import Json

_PREFIX = "arn:aws:states:::"
_SDK = "aws-sdk:"
_LAMBDA = "arn:aws:lambda:"
_EXPRESSION = "{%"
_ONE_OF_TWO = re.compile(r'\{% \S[^?]* \? "([^"\\]+)" : "([^"\\]+)" %\}\Z')
"""An expression that chooses between two texts, as our own definitions choose a file of SQL."""
_TELLING = frozenset(
    {
        "ApiEndpoint",
        "Bucket",
        "Cluster",
        "ClusterIdentifier",
        "CopySource",
        "Database",
        "DatabaseName",
        "DbClusterIdentifier",
        "DbInstanceIdentifier",
        "DbUser",
        "FunctionName",
        "IamRoleArn",
        "JobName",
        "Key",
        "KmsKeyId",
        "Method",
        "Name",
        "Prefix",
        "ProjectName",
        "Qualifier",
        "QueueUrl",
        "ResourceArn",
        "SecretArn",
        "SecretId",
        "SourceArn",
        "StateMachineArn",
        "TableName",
        "TaskDefinition",
        "TopicArn",
        "WorkGroup",
        "WorkgroupName",
    }
)
"""Arguments that decide what a call needs."""
_TELLING_INSIDE = {
    "Authentication": "ConnectionArn",
    "ResultConfiguration": "OutputLocation",
    "TableInput": "Name",
}
"""And those inside others."""

Arguments = tuple[tuple[str, str], ...]
"""Texts by `Argument` or `Argument.Inner`; empty where they are known at run time only."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an AWS service."""

    service: str
    """As Step Functions names it: `athena`, `sfn`."""
    action: str
    """`startQueryExecution`."""
    pattern: str = ""
    """sync, sync:2, waitForTaskToken, or empty: request and response."""
    sdk: bool = False
    """Whether it is one of AWS's plain calls, not an optimised integration."""
    arguments: Arguments = ()
    """Those that decide what it needs."""

    def known(self, path: str) -> str:
        """Give an argument's text; empty where it is absent or known at run time only."""
        return next((text for key, text in self.arguments if key == path), "")

    def has(self, key: str) -> bool:
        """Tell whether there is such an argument, known or not."""
        return any(one == key for one, _ in self.arguments)


@dataclass(frozen=True, slots=True)
class Uses:
    """What of a definition decides its permissions."""

    calls: tuple[Call, ...]
    """Different ones, in the order of the text."""
    tables: tuple[tuple[str, str], ...]
    """The tables that it has turns of, `database.table` as the catalogue calls them, and how each
    is written: ctas, insert, iceberg, view or ddl."""
    distributed: bool
    """Whether a Map runs executions of its own."""
    exports: tuple[str, ...] = ()
    """Folders below the lake that statements unload into."""


Using = Callable[[str], Uses]
"""What gives the uses of a definition's text: `uses_of`, or what remembers its answers."""


def uses_of(text: str) -> Uses:
    """Read a definition."""
    definition = json.loads(text)
    found: dict[tuple[str, Arguments], None] = {}
    tables: dict[str, str] = {}
    distributed = False
    exports: dict[str, None] = {}
    for part in _parts(definition):
        if "Resource" in part:
            for arguments in _either(part.get("Arguments", part.get("Parameters"))):
                found[str(part["Resource"]), _telling(arguments)] = None
                exports |= dict.fromkeys(_exported(arguments))
        spec = _assigned(part)
        if spec is not None:
            tables[spec["name"]] = "iceberg" if "iceberg" in spec else spec["kind"]
        distributed |= part.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED"
    calls = (_call(resource, arguments) for resource, arguments in found)
    return Uses(
        tuple(dict.fromkeys(call for call in calls if call is not None)),
        tuple(tables.items()),
        distributed,
        tuple(exports),
    )


def _exported(arguments: Json) -> Iterator[str]:
    """Give the folder that an export of ours is planned for."""
    payload = arguments.get("Payload") if isinstance(arguments, dict) else None
    if isinstance(payload, dict) and payload.get("op") == "export":
        yield str(payload["export"]["folder"])


def _assigned(part: dict[str, Json]) -> dict[str, Json] | None:
    """Give the table that a part begins the turn of."""
    assigned = part.get("Assign")
    spec = assigned.get("spec") if isinstance(assigned, dict) else None
    return spec if isinstance(spec, dict) and "kind" in spec else None


def _parts(flow: Json) -> Iterator[dict[str, Json]]:
    """Give the states of a flow, its readers and writers, and those of inner flows."""
    flows = [flow]
    while flows:
        flow = flows.pop()
        yield flow
        inner: list[Json] = []
        for state in flow.get("States", {}).values():
            yield state
            if state.get("Type") in _SIMPLE:
                continue
            for field_name in ("ItemReader", "ResultWriter"):
                if isinstance(state.get(field_name), dict):
                    yield state[field_name]
            within = (state.get("ItemProcessor"), state.get("Iterator"))
            inner += [one for one in within if isinstance(one, dict)]
            inner += state.get("Branches", ())
        flows += reversed(inner)


_SIMPLE = frozenset({"Choice", "Pass", "Task", "Wait", "Succeed", "Fail"})
"""States without flows inside."""


def _either(arguments: Json) -> Iterator[Json]:
    """Give a call's arguments; twice where its key is one of two that are written out."""
    key = arguments.get("Key") if isinstance(arguments, dict) else None
    match = _ONE_OF_TWO.search(key) if isinstance(key, str) else None
    if match is None:
        yield arguments
        return
    for one in match.groups():
        yield {**arguments, "Key": one}


def _telling(arguments: Json) -> Arguments:
    if not isinstance(arguments, dict):
        return ()
    found = []
    for key, value in arguments.items():
        if key in _TELLING:
            found.append((key, _text(value)))
        elif key in _TELLING_INSIDE and isinstance(value, dict):
            inner = _TELLING_INSIDE[key]
            found.append((f"{key}.{inner}", _text(value.get(inner))))
    return tuple(found)


def _text(value: Json) -> str:
    return value if isinstance(value, str) and not value.startswith(_EXPRESSION) else ""


def _call(resource: str, arguments: Arguments) -> Call | None:
    if resource.startswith(_LAMBDA):
        return Call("lambda", "invoke", arguments=(("FunctionName", resource),))
    if not resource.startswith(_PREFIX):  # an activity: its workers ask, the machine does not
        return None
    name = resource.removeprefix(_PREFIX)
    sdk = name.startswith(_SDK)
    service, _, rest = name.removeprefix(_SDK).partition(":")
    action, _, pattern = rest.partition(".")
    return Call(service, action, pattern, sdk, arguments)
