"""`load` on AWS: what the records say is checked here, the rest is the deployed machine's.

In: a request.  Out: what the checks found; what came of the load, or that it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.app.bundle import every_table
from runner.app.cloud_run import CloudHooks, new_name, start
from runner.app.deployed import Deployed
from runner.app.load_plan import place_of, plan_request
from runner.app.load_report import CheckReport
from runner.app.refused_options import raise_any, refused_there
from runner.app.remote_start import as_remote, check_deployed, whole_days
from runner.errors import Fault, Place, RunFailed
from runner.loads.checks import CHECKS, LoadCase, judge
from runner.loads.shapes import MartServer
from runner.model.names import LOAD

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.app.load_plan import PlannedLoad
    from runner.app.load_report import LoadPlace, LoadRequest
    from runner.app.progress import Progress
    from runner.app.run import RunResult
    from runner.app.stopping import Stopper
    from runner.loads.checks import Finding

_FROM_RECORDS = ("names",)
"""Checks that look at nothing but what the records say."""


def load_on_aws(
    request: LoadRequest,
    *,
    tell_place: Callable[[LoadPlace], None],
    tell: Callable[[Progress], None] | None = None,
    started: Callable[[str, str, str], None] | None = None,
    say: Callable[[str], None] | None = None,
    stopper: Stopper | None = None,
    detach: bool = False,
) -> RunResult:
    """Start the deployed machine that loads a table, for a window that is published.

    It is followed unless `detach`; who hears of it is as for `run`.
    Raises RunFailed when the records or the names refuse it, UsageError when what is deployed is
    of other SQL.
    """
    _refuse_local_options(request)
    planned = plan_request(request)
    remote = as_remote(planned.places)
    tell_place(place_of(planned))
    refused = [one for one in _findings(planned) if one.severity == "error"]
    if refused:
        place = Place(planned.table.file)
        expected = "a load that goes through"
        raise RunFailed(
            [Fault(place, "load-failed", one.message, expected, one.advice) for one in refused]
        )
    check_deployed(remote, LOAD, {planned.table.name: planned.table.fingerprint})
    first, last = whole_days(*planned.window)
    given = {"start": first, "end": last, "only": [planned.table.name]}
    name = new_name(LOAD, remote.now())
    workflow = every_table(remote.bundle, LOAD)
    hooks = CloudHooks(tell, started, say, stopper)
    return start(Deployed(remote.cloud), workflow, (name, given), hooks=hooks, detach=detach)


def check_on_aws(request: LoadRequest) -> CheckReport:
    """Make the checks of a load that need neither its mart nor its files; names the others."""
    _refuse_local_options(request)
    planned = plan_request(request)
    return CheckReport(place_of(planned), _findings(planned), _not_made(planned))


def _refuse_local_options(request: LoadRequest) -> None:
    given = {"--again": request.again, "--engine": request.engine is not None}
    expected = "what the deployed machine can be told: a window and a table"
    advice = "leave it away; the header's `load:` is deployed with the machine"
    raise_any(refused_there(request.environment, given, expected=expected, advice=advice))


def _findings(planned: PlannedLoad) -> tuple[Finding, ...]:
    case = LoadCase(planned.manifest, None, MartServer("mysql"), engine=planned.manifest.engine)
    return judge(case, only=_FROM_RECORDS)


def _not_made(planned: PlannedLoad) -> tuple[str, ...]:
    """Name the checks that the load itself makes before it changes anything."""
    return tuple(
        check.name
        for check in CHECKS
        if check.name not in _FROM_RECORDS and planned.manifest.engine in check.engines
    )
