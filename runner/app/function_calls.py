"""What calls functions beside workflows, on this machine: executions that end.

In: a bundle's functions with their `events`, and runs that ended.  Out: calls with the events that
EventBridge would send.  On AWS they are asynchronous: what comes of them changes no run.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.errors import ProjectError
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from runner.app.bundle import Bundle
    from runner.app.local_places import Local
    from runner.local.runs import Run
    from runner.model.ports import Json


class Reader(NamedTuple):
    """A function that an event calls."""

    function: str
    """As the project names it."""
    event: str
    """Its name in function.yaml."""
    said: Mapping[str, Any]


def readers(bundle: Bundle, kind: str) -> Iterator[Reader]:
    """Give the functions that events of a kind call, in order of their names."""
    for function, settings in sorted(bundle.function_settings.items()):
        for event, said in sorted(settings["events"].items()):
            if said["type"] == kind:
                yield Reader(function, event, said)


def tell_ended(local: Local, runs: Sequence[Run], say: Callable[[str], None] | None) -> None:
    """Call the functions that ask for the ends of executions, once for each run that ended.

    `say` hears of each call; one that fails is told, and nothing else comes of it.
    """
    waiting = tuple(readers(local.bundle, "executions"))
    if not waiting:
        return
    from runner.app.notification import ended_event  # noqa: PLC0415 - only with such functions

    calls: list[tuple[Reader, Json, str]] = []
    for run in runs:
        end = local.runs.end_of(run)
        if end is not None:
            told = f"{run.name} {end.status.value}"
            event = ended_event(run, end)
            calls += [(one, event, told) for one in waiting if end.status in one.said["status"]]
    if calls:
        _call(local, calls, say or _ignore)


def _call(
    local: Local, calls: Sequence[tuple[Reader, Json, str]], say: Callable[[str], None]
) -> None:
    from runner.app.functions import deployed_name  # noqa: PLC0415 - only with such functions
    from runner.app.local_functions import local_functions  # noqa: PLC0415

    names = {one.function: deployed_name(local.bundle, one.function) for one, _, _ in calls}
    wanted = [f'"{name}"' for name in names.values()]
    try:
        functions = local_functions(local.root, local.bundle, wanted, say=say)
    except ProjectError as error:
        say(f"functions that wait for the ends of executions cannot be called:\n{error}")
        return
    services = local.services(keeper=no_keeper, functions=functions)
    try:
        for one, event, told in calls:
            call = {"FunctionName": names[one.function], "Payload": event}
            try:
                services.do("arn:aws:states:::lambda:invoke", call)
            except ServiceError as error:
                say(f"{one.function} failed ({one.event}: {told}): {problem_of(error)}")
            else:
                say(f"called {one.function} ({one.event}: {told})")
    finally:
        services.close()


def no_keeper(event: object, context: object) -> object:
    """Stand for the keeper where nothing calls it."""
    raise AssertionError(f"nothing here calls the keeper: {event} {context}")


def problem_of(error: ServiceError) -> str:
    """Say which exception a function raised, in a line."""
    try:
        message = str(json.loads(error.cause)["errorMessage"])
    except (ValueError, TypeError, KeyError):
        message = error.cause
    return f"{error.error}: {message}"


def _ignore(text: str) -> None:
    del text
