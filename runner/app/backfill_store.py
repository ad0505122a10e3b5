"""Backfills that were begun: their plans in the lake, by name, and what is left of them.

In: a name, the records.  Out: the stored plan, and the tables with what was not published since.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.app.places import open_environment
from runner.errors import Fault, Place, UsageError
from runner.keeper.storage import Conflict
from runner.plan.backfill import planned
from runner.plan.calendar import label, ordinal
from runner.plan.document import document
from runner.plan.facts import NOTHING
from runner.plan.staleness import KEY_DIGITS, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from runner.app.backfill_plan import BackfillPlan, BackfillRequest
    from runner.app.places import Places
    from runner.keeper.storage import Storage
    from runner.plan.backfill import PlannedTable
    from runner.plan.facts import Ledger, Node

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}\Z")
_LEFT = Reason("missing", "not written yet")


@dataclass(frozen=True, slots=True)
class _Store:
    """The stored plans of a lake."""

    storage: Storage

    def key(self, name: str) -> str:
        return f"{self.storage.prefix}_runner/backfills/{name}.json"

    def read(self, name: str) -> dict[str, Any] | None:
        found = self.storage.read_json(self.key(name))
        if found is None:
            return None
        value: dict[str, Any] = found[0]
        return value


def keep_plan(request: BackfillRequest, plan: BackfillPlan, *, now: datetime) -> None:
    """Store a new plan under its name; UsageError when another process was faster."""
    if plan.continued:
        return
    given = dict(request.variables)
    places = open_environment(request.root, request.environment, given, now=lambda: now)
    store = _Store(places.storage())
    try:
        with places.refusals("store the plan in the lake"):
            store.storage.create_json(store.key(plan.name), document(plan))
    except Conflict:
        advice = "repeat the command: it then shows what is left and goes on with it"
        found = f"{plan.name}, which another process has just begun"
        fault = Fault(Place("--name"), "backfill-exists", found, "a backfill of one's own", advice)
        raise UsageError([fault]) from None


def named_plan(storage: Storage, name: str | None) -> dict[str, Any] | None:
    """Give the stored plan that --name means, if there is one."""
    if name is None:
        return None
    if _NAME.match(name) is None:
        expected = "letters, digits, dashes and underscores, 60 at most"
        advice = "for example --name carriers-2013"
        raise UsageError([Fault(Place("--name"), "bad-name", repr(name), expected, advice)])
    return _Store(storage).read(name)


def own_name(
    base: str, places: Places, nodes: Mapping[str, Node], ledgers: Mapping[str, Ledger]
) -> tuple[str, dict[str, Any] | None]:
    """Give the first name that is free, or whose plan can be continued; and that plan."""
    store = _Store(places.storage())
    name, number = base, 1
    while True:
        stored = store.read(name)
        if stored is None:
            return name, None
        if not _changed(stored, nodes) and not is_done(stored, places, nodes, ledgers):
            return name, stored
        number += 1
        name = f"{base}-{number}"


def is_done(
    stored: dict[str, Any],
    places: Places,
    nodes: Mapping[str, Node],
    ledgers: Mapping[str, Ledger],
) -> bool:
    """Tell whether everything of a stored plan was written and loaded."""
    if left_of(stored, nodes, ledgers):
        return False
    names = [table["name"] for table in stored["tables"].values()]
    loads = any(nodes[name].load for name in names if name in nodes)
    return not loads or _succeeded(places, stored["name"])


def _succeeded(places: Places, name: str) -> bool:
    """Tell whether a run of a backfill ended well, its loads too."""
    return any(status == "SUCCEEDED" for _, status in places.backfill_runs(name))


def _changed(stored: dict[str, Any], nodes: Mapping[str, Node]) -> list[str]:
    """Name the tables of a stored plan whose files were changed or removed since."""
    return [
        table["name"]
        for table in stored["tables"].values()
        if table["name"] not in nodes or nodes[table["name"]].fingerprint != table["fingerprint"]
    ]


def refuse_changed(stored: dict[str, Any], nodes: Mapping[str, Node]) -> None:
    """Raise UsageError when a table was changed or removed since the plan was made."""
    changed = _changed(stored, nodes)
    if changed:
        found = f"{stored['name']}, planned before {', '.join(changed)} changed"
        advice = "plan anew: leave --name away, or give another one"
        expected = "a plan of today's SQL"
        raise UsageError([Fault(Place("--name"), "backfill-changed", found, expected, advice)])


def left_of(
    stored: dict[str, Any],
    nodes: Mapping[str, Node],
    ledgers: Mapping[str, Ledger],
) -> list[PlannedTable]:
    """Give the tables of a stored plan with what was not published since it was made."""
    found = []
    for table in stored["tables"].values():
        node = nodes.get(table["name"])
        if node is None:
            continue
        ledger = ledgers.get(node.name, NOTHING)
        print_ = table["fingerprint"][:KEY_DIGITS]
        reasons = {
            number: _LEFT
            for start, end in table["windows"]
            for number in range(ordinal(start, node.grain), ordinal(end, node.grain) + 1)
            for period in [label(number, node.grain)]
            if ledger.at.get(period, "") < stored["created"]
            or ledger.fingerprint.get(period) != print_
        }
        if reasons:
            found.append(planned(node, reasons, refresh=table["refresh"]))
    return found
