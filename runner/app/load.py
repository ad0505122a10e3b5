"""`load`: one load by hand, or only its checks.

In: a project, a table with a `load:` header, a published window.  Out: what went into the mart, or
what would be wrong with it.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from runner.app.load_plan import place_of, plan_request
from runner.app.load_report import CheckReport, LoadPlace, LoadReport, LoadRequest
from runner.app.local_places import Local
from runner.app.pacing import paced
from runner.errors import Fault, Place, RunFailed, UsageError
from runner.local.loader import MysqlTarget, load, target_of
from runner.local.loader.source import fresh_duckdb
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.app.load_plan import PlannedLoad
    from runner.local.loader import LoadResult, Target
    from runner.model.loads import Engine, LoadManifest

__all__ = [
    "CheckReport",
    "LoadPlace",
    "LoadReport",
    "LoadRequest",
    "check_by_hand",
    "load_by_hand",
]

_ADDING = ("insert", "insert_direct")
_EVERY_S = 0.1


def load_by_hand(
    request: LoadRequest,
    *,
    begin: Callable[[LoadPlace], None] = lambda _: None,
    tell: Callable[[int, float], None] = lambda _rows, _seconds: None,
) -> LoadReport:
    """Load a window; `begin` hears what is loaded, `tell` the rows so far and the seconds.

    RunFailed when the load is refused or fails: the mart is then as it was (Embulk's direct modes
    excepted).
    """
    planned, place, mart = _planned(request)
    advice = f"see all that is wrong: runner load {planned.table.name} --check"
    begin(place)
    manifest = _again(planned, request) if request.again else planned.manifest
    started = time.monotonic()
    try:
        result = _load(planned, manifest, mart, tell=paced(tell, _EVERY_S))
    except ServiceError as exc:
        raise _failed(planned, exc, advice) from exc
    return LoadReport(
        place,
        result.skipped,
        result.rows,
        result.deleted,
        result.counted,
        time.monotonic() - started,
        result.warnings,
    )


def check_by_hand(request: LoadRequest) -> CheckReport:
    """Make every check of a load, and nothing else; RunFailed when mart or files cannot be read."""
    from runner.local.loader.checking import check  # noqa: PLC0415 - only here

    planned, place, mart = _planned(request)
    try:
        findings = check(planned.manifest, mart, path_of=_here(planned).s3().place_of)
    except ServiceError as exc:
        raise _failed(planned, exc, "see that files and mart can be read") from exc
    return CheckReport(place, findings)


def _planned(request: LoadRequest) -> tuple[PlannedLoad, LoadPlace, Target]:
    planned = plan_request(request)
    local = _here(planned)
    mart = target_of(
        local.environment.marts[planned.table.load_mart], root=local.root, environ=_environ()
    )
    planned = replace(planned, manifest=replace(planned.manifest, engine=_engine(planned, request)))
    return planned, place_of(planned), mart


def _here(planned: PlannedLoad) -> Local:
    """Give the environment, which must be on this machine."""
    if not isinstance(planned.places, Local):
        raise TypeError(planned.places.bundle.environment_name)
    return planned.places


def _engine(planned: PlannedLoad, request: LoadRequest) -> Engine:
    """Give the engine that loads: a SQLite mart has one, whatever the header says."""
    mart = _here(planned).environment.marts[planned.table.load_mart]
    if mart.engine == "mysql":
        return request.engine or planned.manifest.engine
    if request.engine == "embulk":
        found = f"mart {planned.table.load_mart} is a SQLite file, and Embulk loads into MySQL"
        advice = "leave --engine out, or choose an environment with a MySQL mart"
        raise UsageError([Fault(Place("--engine"), "load-refused", found, "native", advice)])
    return "native"


def _environ() -> Mapping[str, str]:
    import os  # noqa: PLC0415 - the environment's variables are read when connecting

    return os.environ


def _again(planned: PlannedLoad, request: LoadRequest) -> LoadManifest:
    """Give the load a key of its own, so that the ledger does not know it."""
    manifest = planned.manifest
    if manifest.mode in _ADDING:
        found = f"--again with mode: {manifest.mode}"
        expected = "a mode whose repeat leaves the same rows"
        advice = "the rows would be doubled; empty the mart's table, or use mode: replace"
        raise UsageError([Fault(Place(request.table), "load-again", found, expected, advice)])
    publish = f"{manifest.key.publish_id}+{secrets.token_hex(4)}"
    return replace(manifest, key=replace(manifest.key, publish_id=publish))


def _load(
    planned: PlannedLoad, manifest: LoadManifest, mart: Target, *, tell: Callable[[int], None]
) -> LoadResult:
    place_of = _here(planned).s3().place_of
    home = _here(planned).environment.embulk_home
    if manifest.engine != "embulk" or not isinstance(mart, MysqlTarget):
        return load(manifest, mart, path_of=place_of, connect=fresh_duckdb, tell=tell)
    if home is None:
        raise ServiceError(
            "Load.EmbulkMissing",
            "the environment names no `embulk_home`; assemble an Embulk with the assemble.sh of "
            "`runner image embulk`, or load with --engine native",
        )
    from runner.local.loader.embulk_here import load_embulk_here  # noqa: PLC0415 - only for Embulk

    return load_embulk_here(manifest, mart, home=_here(planned).root / home, path_of=place_of)


def _failed(planned: PlannedLoad, exc: ServiceError, advice: str) -> RunFailed:
    fault = Fault(
        Place(planned.table.file),
        "load-failed",
        f"{exc.error}: {exc.cause}",
        "a load that goes through",
        advice,
    )
    return RunFailed([fault])
