"""What a definition calls: every Task of a state machine, those of inner flows too.

In: the definition as JSON.  Out: `Call`s, in the order of the text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.model.ports import Json

_PREFIX = "arn:aws:states:::"
_SDK = "aws-sdk:"
_LAMBDA = "arn:aws:lambda:"
_EXPRESSION = "{%"


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
    arguments: Mapping[str, Json] = field(default_factory=dict)

    def known(self, *path: str) -> str:
        """Give an argument's text; empty where it is absent or known at run time only."""
        value: Json = self.arguments
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value if isinstance(value, str) and not value.startswith(_EXPRESSION) else ""


def calls(definition: Json) -> tuple[Call, ...]:
    """Find every call of a definition."""
    found = (
        _call(str(one["Resource"]), one.get("Arguments", one.get("Parameters")))
        for one in _parts(definition)
        if "Resource" in one
    )
    return tuple(call for call in found if call is not None)


def is_distributed(definition: Json) -> bool:
    """Tell whether a Map runs executions of its own."""
    return any(
        one.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED" for one in _parts(definition)
    )


def tables_written(definition: Json) -> dict[str, str]:
    """Give the tables that a definition has turns of, and how each is written.

    ctas, insert, iceberg, view or ddl, by `database.table` as the catalogue calls it.
    """
    found: dict[str, str] = {}
    for part in _parts(definition):
        assigned = part.get("Assign")
        spec = assigned.get("spec") if isinstance(assigned, dict) else None
        if isinstance(spec, dict) and "kind" in spec:
            found[spec["name"]] = "iceberg" if "iceberg" in spec else spec["kind"]
    return found


def _parts(flow: Json) -> Iterator[dict[str, Json]]:
    """Give the states of a flow, its readers and writers, and those of inner flows."""
    yield flow
    for state in flow.get("States", {}).values():
        yield state
        for field_name in ("ItemReader", "ResultWriter"):
            if isinstance(state.get(field_name), dict):
                yield state[field_name]
        for field_name in ("ItemProcessor", "Iterator"):
            if isinstance(state.get(field_name), dict):
                yield from _parts(state[field_name])
        for branch in state.get("Branches", ()):
            yield from _parts(branch)


def _call(resource: str, arguments: Json) -> Call | None:
    given = arguments if isinstance(arguments, dict) else {}
    if resource.startswith(_LAMBDA):
        return Call("lambda", "invoke", arguments={"FunctionName": resource})
    if not resource.startswith(_PREFIX):  # an activity: its workers ask, the machine does not
        return None
    name = resource.removeprefix(_PREFIX)
    sdk = name.startswith(_SDK)
    service, _, rest = name.removeprefix(_SDK).partition(":")
    action, _, pattern = rest.partition(".")
    return Call(service, action, pattern, sdk, given)
