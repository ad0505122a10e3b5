"""What calls functions beside workflows, on this machine: executions that end.

In: a bundle's functions with their `events`, and runs that ended.  Out: calls with the events that
EventBridge would send.  On AWS they are asynchronous: what comes of them changes no run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from runner.app.functions import deployed_name
from runner.errors import ProjectError
from runner.local.arrivals import Called, ObjectReader
from runner.local.lambdas import problem_of
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from runner.app.bundle import Bundle
    from runner.app.local_places import Local
    from runner.local.runs import Run, RunEnd
    from runner.local.services import LocalServices
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


def object_readers(bundle: Bundle) -> tuple[ObjectReader, ...]:
    """Give the functions that objects call."""
    return tuple(
        ObjectReader(
            function=deployed_name(bundle, one.function),
            shown=one.function,
            event=one.event,
            bucket=one.said["bucket"],
            prefix=one.said["prefix"],
            suffix=one.said["suffix"],
        )
        for one in readers(bundle, "object")
    )


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
            calls += [(one, event, told) for one in waiting if _waits_for(one, run, end)]
    if calls:
        _call(local, calls, say or _ignore)


def _waits_for(reader: Reader, run: Run, end: RunEnd) -> bool:
    workflows = reader.said["workflows"]
    return end.status in reader.said["status"] and (not workflows or run.workflow in workflows)


def _call(
    local: Local, calls: Sequence[tuple[Reader, Json, str]], say: Callable[[str], None]
) -> None:
    from runner.app.local_functions import local_functions  # noqa: PLC0415 - as above

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
            problem = ""
            try:
                services.do("arn:aws:states:::lambda:invoke", call)
            except ServiceError as error:
                problem = problem_of(error)
            say(str(Called(one.function, one.event, told, problem)))
        settled(services, say)
    finally:
        services.close()


def settled(services: LocalServices, say: Callable[[str], None] | None) -> tuple[Called, ...]:
    """Wait for the calls that objects made, and say each."""
    found = services.settle()
    for called in found:
        (say or _ignore)(str(called))
    return found


def no_keeper(event: object, context: object) -> object:
    """Stand for the keeper where nothing calls it."""
    raise AssertionError(f"nothing here calls the keeper: {event} {context}")


def _ignore(text: str) -> None:
    del text
