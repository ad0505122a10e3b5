"""The definition's bytes, assembled with the AWS Step Functions Data Science SDK.

The SDK's `Chain`, `Parallel`, `Map` and `Graph` put the states together and see that every name is
unique; it knows no JSONata fields, so `_PassThrough` carries a state's fields as they are.  This is
the only module that imports the SDK, and it does so inside `render`.

Importing `stepfunctions` whole costs 1.4 to 1.9 s: its `__init__` files pull SageMaker in, which
nothing here needs.  `_load_states` imports just the module that holds the state classes.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import types
import warnings
from typing import TYPE_CHECKING, Any

from runner.asl.flow import Flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.asl.flow import Machine, State

_PACKAGES = ("stepfunctions", "stepfunctions.steps")


def _load_states() -> Any:  # noqa: ANN401 - the SDK has no types
    """Import `stepfunctions.steps.states` without running the packages' `__init__`.

    The packages are stood in for by empty modules with the right search path while the import
    runs, and removed again, so that whoever imports the SDK afterwards gets it whole.
    """
    if all(name in sys.modules for name in _PACKAGES):
        return importlib.import_module("stepfunctions.steps.states")
    before = set(sys.modules)
    found = importlib.util.find_spec("stepfunctions")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("stepfunctions (the AWS Step Functions Data Science SDK)")
    root = next(iter(found.submodule_search_locations))
    try:
        for name in _PACKAGES:
            package = types.ModuleType(name)
            package.__path__ = [root + name.removeprefix("stepfunctions").replace(".", "/")]
            sys.modules[name] = package
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # the SDK compares strings with `is`
            return importlib.import_module("stepfunctions.steps.states")
    finally:
        for name in set(sys.modules) - before:
            if name.partition(".")[0] == "stepfunctions":
                del sys.modules[name]


def render(machine: Machine) -> bytes:
    """Write the definition as JSON, the same bytes for the same machine."""
    sdk = _load_states()
    graph = _graph(sdk, _pass_through(sdk), machine.flow)
    definition = {
        "Comment": machine.comment,
        "QueryLanguage": "JSONata",
        "TimeoutSeconds": machine.timeout_s,
        **graph.to_dict(),
    }
    return (_text(definition, "") + "\n").encode()


def _text(flow: dict[str, Any], margin: str) -> str:
    """Write a flow with one line for each state; inner flows are set in further.

    The standard library's indented JSON is written by Python code, ten times slower than this.
    """
    inner = margin + "  "
    lines = [
        f"{inner}{_json(key)}: {_json(value)}" for key, value in flow.items() if key != "States"
    ]
    states = [
        f"{inner}  {_json(name)}: {_state(state, inner + '  ')}"
        for name, state in flow["States"].items()
    ]
    lines.append(f'{inner}"States": {{\n' + ",\n".join(states) + f"\n{inner}}}")
    return "{\n" + ",\n".join(lines) + f"\n{margin}}}"


def _state(state: dict[str, Any], margin: str) -> str:
    """Write a state; the flows of Parallel and Map come last."""
    flows = {key: state[key] for key in ("Branches", "ItemProcessor") if _holds_flows(state, key)}
    if not flows:
        return _json(state)
    fields = [f"{_json(key)}: {_json(state[key])}" for key in state if key not in flows]
    for key, value in flows.items():
        if isinstance(value, list):
            text = "[" + ", ".join(_text(one, margin) for one in value) + "]"
        else:
            text = _text(value, margin)
        fields.append(f"{_json(key)}: {text}")
    return "{" + ", ".join(fields) + "}"


def _holds_flows(state: dict[str, Any], key: str) -> bool:
    value = state.get(key)
    found = value if isinstance(value, list) else [value]
    return all(isinstance(one, dict) and "States" in one for one in found)


_json = json.JSONEncoder(ensure_ascii=False).encode


def _pass_through(sdk: Any) -> Callable[[State], Any]:  # noqa: ANN401
    """Make the one subclass of the SDK's `State` that carries any field."""

    class PassThrough(sdk.State):  # type: ignore[misc] # the SDK has no types
        """A state whose fields are written as they are; its wiring is in them."""

        def __init__(self, state: State) -> None:
            super().__init__(state.name, state.fields["Type"])
            self.written = dict(state.fields)

        def next(self, next_step: Any) -> Any:  # noqa: ANN401
            """Keep the wiring of the fields: a chain only lists the states in order."""
            return next_step

        def to_dict(self) -> dict[str, Any]:
            return self.written

        def accept(self, visitor: Any) -> None:  # noqa: ANN401
            visitor.visit(self)

    return PassThrough


def _processor(flow: Flow) -> dict[str, str]:
    if flow.distributed:
        return {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    return {"Mode": "INLINE"}


def _graph(sdk: Any, make: Callable[[State], Any], flow: Flow) -> Any:  # noqa: ANN401
    """Chain the states of a flow into a graph; nested flows become graphs of their own."""
    steps = []
    for state in flow.states:
        step = make(state)
        for field in ("Branches", "ItemProcessor"):
            value = step.written.get(field)
            if isinstance(value, Flow):
                inner = _graph(sdk, make, value).to_dict()
                step.written[field] = {"ProcessorConfig": _processor(value), **inner}
            elif isinstance(value, list):
                step.written[field] = [
                    _graph(sdk, make, one).to_dict() if isinstance(one, Flow) else one
                    for one in value
                ]
        steps.append(step)
    return sdk.Graph(sdk.Chain(steps))
