"""`gc`: find what nobody needs any more in an environment, show it, and delete it.

In: a project's folder, an environment, how long things are kept.  Out: a `Garbage`, which deletes
nothing; `clean` looks again and deletes what both looks found.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from runner.app.places import open_environment, refuse_unconfirmed
from runner.errors import Fault, Place, UsageError
from runner.keeper import gc, sweep
from runner.model.durations import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from runner.app.places import Places

LEAST_KEPT = timedelta(hours=1)
"""No statement that reads a table runs longer."""
_MEANINGS = {
    gc.STAGE: "stages of runs that ended without publishing them",
    gc.OLD: "data of tables that newer data replaced",
    gc.TABLE: "tables of those stages in the catalogue",
    gc.LOAD: "lists of files that ended loads have read",
    gc.UPLOAD: "uploads that were never completed",
    gc.ORPHAN: "files in tables of ours that no record lists",
    gc.RECORD: "records that newer ones replaced",
    gc.PACK: "records that become one object per table; nothing is lost",
}


@dataclass(frozen=True, slots=True)
class GarbageClass:
    """One kind of garbage, counted."""

    kind: str
    meaning: str
    objects: int
    bytes: int
    example: str
    deleted: bool
    """Whether `clean` deletes it; orphans only when that was asked for."""


@dataclass(frozen=True, slots=True)
class Garbage:
    """What a look at an environment found."""

    places: Places
    keep: timedelta
    orphans: bool
    items: tuple[gc.Item, ...]

    @property
    def classes(self) -> tuple[GarbageClass, ...]:
        """Sum it up, one line for each kind."""
        return tuple(
            GarbageClass(
                kind=kind,
                meaning=_MEANINGS[kind],
                objects=sum(item.count for item in items),
                bytes=sum(item.bytes for item in items),
                example=items[0].keys[0] if items[0].keys else items[0].name,
                deleted=kind != gc.ORPHAN or self.orphans,
            )
            for kind, items in gc.by_kind(self.items).items()
        )

    @property
    def deletes(self) -> bool:
        """Tell whether there is anything to do."""
        return any(one.deleted for one in self.classes)


def read_keep(text: str) -> timedelta:
    """Read --older-than; UsageError unless it is a duration of an hour at least."""
    try:
        keep = timedelta(seconds=seconds(text))
    except ValueError as error:
        raise _bad_duration(str(error)) from error
    if keep < LEAST_KEPT:
        raise _bad_duration(f"{text}, when a statement that reads a table may still be running")
    return keep


def _bad_duration(found: str) -> UsageError:
    advice = "for example --older-than 7d"
    expected = "a duration of 1h or more"
    return UsageError([Fault(Place("--older-than"), "bad-duration", found, expected, advice)])


def find_garbage(
    root: Path,
    *,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
    keep: timedelta = gc.KEEP,
    orphans: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Garbage:
    """Look for garbage of an environment; deletes nothing."""
    places = open_environment(root, environment, variables, now=now)
    garbage = Garbage(places, keep, orphans, ())
    with places.refusals("look for garbage"), _world(garbage) as world:
        return replace(garbage, items=tuple(gc.plan(world)))


def clean(garbage: Garbage, *, confirm: str | None = None) -> Garbage:
    """Delete garbage that is still garbage; gives what went.

    `confirm` is the environment's name, which a protected one wants; UsageError otherwise.
    """
    refuse_unconfirmed(garbage.places, confirm)
    with garbage.places.refusals("delete garbage"), _world(garbage) as world:
        fresh = sweep.shown(gc.plan(world), garbage.items)
        return replace(garbage, items=tuple(item for item in fresh if sweep.apply(world, item)))


@contextmanager
def _world(garbage: Garbage) -> Iterator[gc.World]:
    with open_world(garbage.places, keep=garbage.keep, orphans=garbage.orphans) as world:
        yield world


@contextmanager
def open_world(
    places: Places, *, keep: timedelta = gc.KEEP, orphans: bool = False
) -> Iterator[gc.World]:
    """Open what a sweep of an environment works with."""
    with places.catalog_open() as catalog:
        yield gc.World(
            storage=places.storage(),
            catalog=catalog,
            is_running=places.is_running,
            execution_of=lambda run: sweep.execution_arn(places.execution_prefix, run),
            project=places.bundle.project,
            now=places.now(),
            keep=keep,
            grace_s=places.grace_s,
            orphans=orphans,
        )
