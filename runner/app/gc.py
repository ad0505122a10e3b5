"""`gc`: find what nobody needs any more in an environment, show it, and delete it.

In: a project's folder, an environment, how long things are kept.  Out: a `Garbage`, which deletes
nothing; `clean` looks again and deletes what both looks found.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from runner.app.bundle import open_bundle
from runner.app.local_places import open_places
from runner.errors import Fault, Place, UsageError
from runner.keeper import gc, sweep
from runner.keeper.catalog import Catalog
from runner.model.durations import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle
    from runner.app.local_places import Local

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

    root: Path
    bundle: Bundle
    keep: timedelta
    orphans: bool
    now: Callable[[], datetime]
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
    bundle = open_bundle(root, environment, variables)
    garbage = Garbage(root, bundle, keep, orphans, now, ())
    with _world(garbage) as world:
        return replace(garbage, items=tuple(gc.plan(world)))


def clean(garbage: Garbage) -> Garbage:
    """Delete garbage that is still garbage; gives what went."""
    with _world(garbage) as world:
        fresh = sweep.shown(gc.plan(world), garbage.items)
        return replace(garbage, items=tuple(item for item in fresh if sweep.apply(world, item)))


@contextmanager
def _world(garbage: Garbage) -> Iterator[gc.World]:
    local = open_places(garbage.root, garbage.bundle, now=garbage.now)
    with open_world(local, keep=garbage.keep, orphans=garbage.orphans) as world:
        yield world


@contextmanager
def open_world(
    local: Local, *, keep: timedelta = gc.KEEP, orphans: bool = False
) -> Iterator[gc.World]:
    """Open what a sweep of a local environment works with."""
    from runner.local.runs import ARN_PREFIX  # noqa: PLC0415 - fcntl is not everywhere

    catalog = local.catalog()
    try:
        yield gc.World(
            storage=local.storage(),
            catalog=Catalog(catalog),
            is_running=local.is_running,
            execution_of=lambda run: sweep.execution_arn(f"{ARN_PREFIX}execution:", run),
            project=local.bundle.project,
            now=local.now(),
            keep=keep,
            grace_s=0.0,
            orphans=orphans,
        )
    finally:
        catalog.close()
