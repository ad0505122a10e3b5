"""A function is called once on this machine, as a workflow or a stream would call it.

In: a project, a function's name, an event.  Out: what its handler returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.app.bundle import open_bundle
from runner.app.function_calls import no_keeper, settled
from runner.app.functions import deployed_name
from runner.app.local_functions import local_functions
from runner.app.local_places import open_places
from runner.app.refused_options import refused_on_aws
from runner.errors import Fault, Place, UsageError
from runner.model.nearest import listed, suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from runner.local.arrivals import Called
    from runner.model.ports import Json


@dataclass(frozen=True, slots=True)
class InvokeRequest:
    """What is called with what."""

    root: Path
    environment: str
    function: str
    """A folder under lambdas/, or `builtin:<name>`."""
    event: Json
    variables: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Invoked:
    """What came of it."""

    answer: Json
    log: Path
    """Where what it printed stands."""
    called: tuple[Called, ...] = ()
    """What was called by the objects that it wrote."""


def invoke(request: InvokeRequest, *, say: Callable[[str], None] | None = None) -> Invoked:
    """Call the function; ServiceError carries its exception, UsageError wrong names.

    `say` hears of each function that is called because an object arrived.
    """
    bundle = open_bundle(request.root, request.environment, request.variables)
    advice = "on AWS, call it with `aws lambda invoke`"
    faults = [*refused_on_aws(bundle.environment, request.environment, advice)]
    if request.function not in bundle.function_settings:
        known = list(bundle.function_settings)
        faults.append(
            Fault(
                Place("FUNCTION"),
                "unknown-function",
                f"`{request.function}`, which has no folder under lambdas/",
                f"one of {listed(known)}",
                suggestion(request.function, known, otherwise="add the function"),
            )
        )
    if faults:
        raise UsageError(faults)
    local = open_places(request.root, bundle, now=lambda: datetime.now(UTC))
    name = deployed_name(bundle, request.function)
    functions = local_functions(request.root, bundle, (f'"{name}"',), say=say)
    services = local.services(keeper=no_keeper, functions=functions)
    try:
        call = {"FunctionName": name, "Payload": request.event}
        try:
            answer = services.do("arn:aws:states:::lambda:invoke", call)["Payload"]
        finally:
            called = settled(services, say)
    finally:
        services.close()
    return Invoked(answer, local.state / "logs" / "lambda" / f"{name}.log", called)
