"""`logs`: what the parts of an environment on AWS wrote into CloudWatch.

In: an execution, a function or a mart.  Out: lines, the oldest first; with `follow`, on and on.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import merge
from typing import TYPE_CHECKING

from runner.aws.logs import Group
from runner.errors import CloudRefused, Fault, Place, UsageError
from runner.model.durations import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from runner.app.deployed import Deployed
    from runner.aws.logs import Line

_EARLY = timedelta(minutes=1)
"""Before an execution's start, where clocks differ."""
_PAUSE_S = 3.0
_KEEPER = "keeper"


@dataclass(frozen=True, slots=True)
class LogRequest:
    """Whose logs, and since when."""

    root: Path
    environment: str
    execution: str | None = None
    """Its name, or `last`."""
    function: str | None = None
    """A function of lambdas/, `builtin:<name>`, or `keeper`."""
    load: str | None = None
    """A mart."""
    since: str = "1h"
    follow: bool = False


def read_logs(request: LogRequest) -> Iterator[Line]:
    """Read logs of an environment on AWS; UsageError for what is not in the project."""
    from runner.app.cloud import open_cloud  # noqa: PLC0415 - boto3 is for AWS only
    from runner.app.deployed import Deployed  # noqa: PLC0415

    deployed = Deployed(open_cloud(request.root, request.environment))
    return lines(deployed, request, now=datetime.now(UTC))


def lines(
    deployed: Deployed,
    request: LogRequest,
    *,
    now: datetime,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Line]:
    """Give the lines of every log group that the request is about."""
    groups = groups_of(deployed, request, now=now)
    while True:
        yield from merge(*(sorted(group.read()) for group in groups))
        if all(group.missing for group in groups) and not request.follow:
            raise _no_log(groups)
        if not request.follow:
            return
        sleep(_PAUSE_S)


def groups_of(deployed: Deployed, request: LogRequest, *, now: datetime) -> tuple[Group, ...]:
    """Choose the log groups: of one execution, a function, a mart's loads, or all machines."""
    chosen = [request.execution, request.function, request.load]
    if sum(one is not None for one in chosen) > 1:
        found = "more than one of EXECUTION, --function and --load"
        raise _usage("EXECUTION", "bad-option", found, "one of them", "name one of them")
    session, since = deployed.cloud.session, now - _since(request.since)
    if request.execution is not None:
        execution = deployed.find(request.execution)
        name = f"/aws/vendedlogs/states/{execution.machine}"
        pattern = f'{{ $.execution_arn = "{execution.arn}" }}'
        return (Group(session, name, execution.started - _EARLY, pattern),)
    if request.function is not None:
        names = [_function(deployed, request.function)]
    elif request.load is not None:
        names = _loads(deployed, request.load)
    else:
        workflows = deployed.cloud.bundle.workflows
        names = [f"/aws/vendedlogs/states/{deployed.machine(one.name)}" for one in workflows]
        names.append(_function(deployed, _KEEPER))
    return tuple(Group(session, name, since) for name in names)


def _since(text: str) -> timedelta:
    try:
        return timedelta(seconds=seconds(text))
    except ValueError as error:
        raise _usage(
            "--since",
            "bad-duration",
            str(error),
            "a time such as 30m, 1h or 2d",
            "write --since 1h",
        ) from error


def _function(deployed: Deployed, name: str) -> str:
    bundle = deployed.cloud.bundle
    known = {logical: deployed_name for deployed_name, logical in bundle.functions.items()}
    known[_KEEPER] = f"{bundle.prefix}-{_KEEPER}"
    if name in known:
        return f"/aws/lambda/{known[name]}"
    from runner.model.nearest import listed, suggestion  # noqa: PLC0415 - for a mistake

    advice = suggestion(name, list(known), otherwise="name one of them")
    expected = f"a function of the environment: {listed(list(known))}"
    raise _usage("--function", "unknown-function", repr(name), expected, advice)


def _loads(deployed: Deployed, mart: str) -> list[str]:
    """Name the log groups of a mart's tasks, one for each engine that may load it."""
    bundle = deployed.cloud.bundle
    marts = list(bundle.environment["marts"])
    if mart not in marts:
        from runner.model.nearest import listed, suggestion  # noqa: PLC0415 - for a mistake

        advice = suggestion(mart, marts, otherwise="name one of them")
        expected = f"a mart of the environment: {listed(marts)}"
        raise _usage("--load", "unknown-mart", repr(mart), expected, advice)
    return [f"/ecs/{bundle.prefix}-{engine}-{mart}" for engine in ("embulk", "load")]


def _no_log(groups: tuple[Group, ...]) -> CloudRefused:
    names = ", ".join(group.name for group in groups)
    return CloudRefused(
        [
            Fault(
                Place("AWS"),
                "no-log-group",
                f"no log group {names}",
                "a part that is deployed",
                "deploy first; a function or a task has logs once it has run",
            )
        ]
    )


def _usage(place: str, code: str, found: str, expected: str, advice: str) -> UsageError:
    return UsageError([Fault(Place(place), code, found, expected, advice)])
