"""A load planned by hand: the manifest that a run would have the keeper write.

In: a project, a table with a `load:` header, a window that is published.  Out: a `PlannedLoad`.
Nothing is written.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.app.inspect import find_table, published
from runner.app.load_report import LoadPlace, asked
from runner.app.places import open_environment
from runner.errors import Fault, Place, RunFailed, UsageError
from runner.keeper import windows
from runner.keeper.core import Attempt, Keeper
from runner.keeper.faults import KeeperError, NothingPublished
from runner.keeper.loads import plan_load
from runner.keeper.storage import Storage
from runner.model.loads import LoadManifest
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from runner.app.bundle import Bundle, TableFacts
    from runner.app.load_report import LoadRequest
    from runner.app.places import Places
    from runner.model.ports import Json

_FOREVER_S = 1e9


@dataclass(frozen=True, slots=True)
class PlannedLoad:
    """A load that could begin."""

    table: TableFacts
    places: Places
    window: tuple[str, str, str]
    """Start, end and grain, as they were asked for."""
    manifest: LoadManifest


class _Unwritten(Storage):
    """A lake whose next manifest is kept here instead of there."""

    manifest: Json = None

    def __init__(self, lake: Storage) -> None:
        """Take the place of a lake."""
        vars(self).update(vars(lake))

    def write_json(self, key: str, value: object) -> None:
        """Keep the value."""
        del key
        self.manifest = value

    def delete(self, keys: Iterable[str]) -> Sequence[str]:
        """Leave everything where it is."""
        return [key for key in keys if not key]


def plan_by_hand(
    root: Path,
    name: str,
    *,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
    start: str | None = None,
    end: str | None = None,
    now: Callable[[], datetime] | None = None,
) -> PlannedLoad:
    """Plan the load of a window: the newest published period if none is given.

    UsageError when the table has no load or the window is none; RunFailed when the window is not
    published, or has fewer rows than the header expects.
    """
    clock = now or (lambda: datetime.now(UTC))
    places = open_environment(root, environment, variables, now=clock)
    table = find_table(places.bundle, name)
    workflow, event = _event(places.bundle, table)
    try:
        with places.refusals("read the table's records"):
            start, end = start or end, end or start
            if start is None or end is None:
                start, end = _newest(places, table)
            window = _window(start, end, table)
            manifest = _manifest(places, table, event, window=window)
        return PlannedLoad(
            table, places, (window["start"], window["end"], window["grain"]), manifest
        )
    except NothingPublished as exc:
        raise _unpublished(table, workflow, str(exc)) from exc
    except KeeperError as exc:
        raise _refused(table, str(exc)) from exc


def plan_request(request: LoadRequest) -> PlannedLoad:
    """Plan the load that is asked for."""
    start, end = asked(request)
    return plan_by_hand(
        request.root,
        request.table,
        environment=request.environment,
        variables=request.variables,
        start=start,
        end=end,
        now=request.now,
    )


def place_of(planned: PlannedLoad) -> LoadPlace:
    """Say what is loaded from where to where."""
    manifest = planned.manifest
    return LoadPlace(
        table=planned.table.name,
        mart=planned.table.load_mart,
        mart_table=manifest.key.mart_table,
        mode=manifest.mode,
        engine=manifest.engine,
        start=manifest.key.window_start,
        end=manifest.key.window_end,
        files=len(manifest.files),
        expected=manifest.rows,
    )


def _event(bundle: Bundle, table: TableFacts) -> tuple[str, Mapping[str, Json]]:
    """Find a workflow that loads the table, and what it tells the keeper about that."""
    if not table.load_mart:
        raise UsageError(
            [
                Fault(
                    Place(table.file),
                    "no-load",
                    f"{table.name} has no `load:` in its header",
                    "a table that is loaded into a mart",
                    "add `load:` to the header, or name another table",
                )
            ]
        )
    for workflow in bundle.workflows:
        for text in (workflow.definition, *(child.definition for child in workflow.children)):
            for payload in _payloads(json.loads(text)):
                if payload["name"] == table.name:
                    return workflow.name, payload
    advice = f"add a step `type: loads` that selects {table.name} to a workflow"
    what = f"no workflow loads {table.name}"
    raise UsageError([Fault(Place(table.file), "no-load", what, "a `loads` step", advice)])


def _payloads(value: Json) -> Iterator[Mapping[str, Json]]:
    """Give the payloads of the keeper's operation `load` in a definition."""
    if isinstance(value, dict):
        if value.get("op") == "load" and "load" in value:
            yield value
        for inner in value.values():
            yield from _payloads(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _payloads(inner)


def _newest(places: Places, table: TableFacts) -> tuple[str, str]:
    periods = published(places, table)
    if not periods:
        raise NothingPublished(f"{table.name}: nothing of it is published")
    return periods[-1].period, periods[-1].period


def _window(start: str, end: str, table: TableFacts) -> dict[str, str]:
    """Read a window in days, or in the table's own periods."""
    if not table.grain:
        return {"start": start, "end": end, "grain": "day"}
    for grain in dict.fromkeys((table.grain, "day", "hour", "month")):
        try:
            windows.parse_civil(start, grain)
            windows.parse_civil(end, grain)
        except ValueError:
            continue
        if windows.parse_civil(start, grain) <= windows.parse_civil(end, grain):
            return {"start": start, "end": end, "grain": grain}
    expected = "days such as 2013-01-05, or hours or months alike, the first one first"
    fault = Fault(
        Place("--date"),
        "bad-window",
        f"{start}..{end}",
        expected,
        "write whole dates, such as --date 2013-01-05",
    )
    raise UsageError([fault])


def _manifest(
    places: Places, table: TableFacts, event: Mapping[str, Json], *, window: dict[str, str]
) -> LoadManifest:
    """Let the keeper plan the load as in a run, without writing its manifest."""
    storage = _Unwritten(places.storage())
    keeper = Keeper(
        storage=storage,
        is_running=places.is_running,
        now=places.now,
        remaining_s=lambda: _FOREVER_S,
        grace_s=0.0,
    )
    told: dict[str, Any] = {**event, "window": window}
    told["table"] = {**event["table"], "execution": f"{table.name}:by:hand", "redrive": 0}
    try:
        plan_load(keeper, Attempt.read(told), told)
        return LoadManifest.from_json(storage.manifest)
    except ServiceError as exc:
        raise _refused(table, exc.cause) from exc


def _unpublished(table: TableFacts, workflow: str, found: str) -> RunFailed:
    advice = f"runner run {workflow} --only {table.name} --date ..., or name another window"
    expected = "a published window, whose record tells the types"
    return RunFailed([Fault(Place(table.file), "not-published", found, expected, advice)])


def _refused(table: TableFacts, found: str) -> RunFailed:
    advice = "correct the `load:` header, or what makes the table so"
    return RunFailed(
        [Fault(Place(table.file), "load-refused", found, "a load that is safe", advice)]
    )
