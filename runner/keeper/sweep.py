"""Deleting garbage: one item of the plan after the other, each checked again before it goes.

A call may die, or run out of time, after any of them: the next plan finds what is left.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from . import gc, packs
from .catalog import Catalog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .core import Keeper
    from .gc import Item, World

_RESERVE_S = 60.0
"""Seconds before the end of the function's time at which a call stops and asks for another."""


def apply(world: World, item: Item) -> bool:
    """Delete one item; False when it may not go (any more), or goes only on request."""
    if item.kind == gc.ORPHAN and not world.orphans:
        return False
    if item.run and not world.is_over(item.run):
        return False
    if item.kind in (gc.OLD, gc.ORPHAN, gc.STAGE) and world.is_held(item.table):
        return False
    if item.pack is not None:
        return _pack(world, item.pack)
    if item.kind == gc.TABLE:
        return world.catalog.delete(item.name)
    for upload in item.uploads:
        world.storage.abort(upload)
    world.storage.delete_all(item.keys)
    return True


def _pack(world: World, pack: packs.Pack) -> bool:
    try:
        packs.write_pack(world.storage, pack, now=world.now)
    except KeyError:  # another sweep has deleted a record of it: the next plan knows
        return False
    return True


def shown(items: Iterable[Item], among: Iterable[Item]) -> list[Item]:
    """Give those of a fresh plan that an earlier one has shown, and no more keys than it did."""
    before = {(item.kind, item.name): item for item in among if item.pack is None}
    result = []
    for item in items:
        known = before.get((item.kind, item.name))
        if item.pack is not None or (known is not None and set(item.keys) <= set(known.keys)):
            result.append(item)
    return result


def sweep(keeper: Keeper, event: dict[str, Any]) -> dict[str, Any]:
    """Serve the function's `gc`: plan, delete; `complete` is false to be called again.

    The event carries `project`, `executions` (what ARNs of executions begin with), and if it
    likes `keep_days` and `orphans`.
    """
    world = gc.World(
        storage=keeper.storage,
        catalog=Catalog(keeper.catalog),
        is_running=keeper.is_running,
        execution_of=lambda run: execution_arn(event["executions"], run),
        project=event["project"],
        now=keeper.now(),
        keep=dt.timedelta(days=event.get("keep_days", gc.KEEP.days)),
        grace_s=keeper.grace_s,
        orphans=event.get("orphans", False),
    )
    deleted: dict[str, int] = {}
    for number, item in enumerate(gc.plan(world)):
        if number and keeper.remaining_s() < _RESERVE_S:
            return {"complete": False, "deleted": deleted}
        if apply(world, item):
            deleted[item.kind] = deleted.get(item.kind, 0) + item.count
    return {"complete": True, "deleted": deleted}


def execution_arn(prefix: str, run: str) -> str:
    """Give the ARN of a run by its name in keys; empty when the name does not tell it.

    `prefix` is what ARNs of executions begin with, up to the state machine's name.

    >>> execution_arn("arn:aws:states:eu-west-1:1:execution:", "daily.r1")
    'arn:aws:states:eu-west-1:1:execution:daily:r1'
    """
    machine, dot, name = run.partition(".")
    return f"{prefix}{machine}:{name}" if dot and machine and name else ""
