"""Garbage: what dead runs, old publishes and superseded records left behind.

In: the lake, the catalogue, the time.  Out: a plan, a list of `Item`s that can be shown before
anything is deleted (`sweep` deletes them).  Only what is proved to be ours is ever named: keys
below `_runner/`, and locations that records name.  What a counting record lists, what the
catalogue uses, and what a running or lately ended execution wrote is never named (SEMANTICS 5).

The order of reading matters: first what there is, then who is still running, then what is used.
An execution that is over when it is looked at changes nothing afterwards.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import packs, schema
from .catalog import STAGE_SUFFIX, Catalog, is_iceberg, location_of
from .history import History, References, read_history
from .publish import is_data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from .storage import Storage, Stored, Upload

STAGE, OLD, TABLE, LOAD = "stage", "old data", "stage table", "load manifest"
UPLOAD, RECORD, PACK, ORPHAN = "upload", "record", "pack", "orphan"
KINDS = (STAGE, OLD, TABLE, LOAD, UPLOAD, ORPHAN, RECORD, PACK)
"""Classes of garbage, in the order in which they are deleted: data before the records of it."""
KEEP = dt.timedelta(days=7)
"""How long what is no longer used stays: for readers that began before, and for resumed runs."""
_ATTEMPT = re.compile(r"([^/]+)/([^/]+)/([^/]+)/([0-9]+)/([0-9]+)/")
_EPOCH = dt.datetime.min.replace(tzinfo=dt.UTC)
_UNKNOWN = dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclass(frozen=True)
class World:
    """What a sweep works with."""

    storage: Storage
    catalog: Catalog
    is_running: Callable[[str], bool]
    """Tells whether an execution, by its ARN, is running."""
    execution_of: Callable[[str], str]
    """Gives the ARN of a run by its name in keys (`<machine>.<name>`); empty: cannot be told."""
    project: str
    now: dt.datetime
    keep: dt.timedelta = KEEP
    grace_s: float = 900.0
    orphans: bool = False
    """Whether orphans are deleted; they are only reported otherwise."""

    def is_over(self, run: str) -> bool:
        """Tell whether the run of that name has ended for certain."""
        execution = self.execution_of(run)
        return bool(execution) and not self.is_running(execution)

    def is_old(self, moment: dt.datetime) -> bool:
        """Tell whether something happened longer ago than things are kept."""
        return moment <= self.now - self.keep

    def is_held(self, table: str) -> bool:
        """Tell whether somebody may be writing the table now: its lease is held."""
        database, _, name = table.partition(".")
        found = self.storage.read_json(
            f"{self.storage.prefix}_runner/leases/{database}/{name}.json"
        )
        if found is None:
            return False
        age = self.now - dt.datetime.fromisoformat(found[0]["at"])
        return self.is_running(found[0]["execution"]) or age.total_seconds() < self.grace_s


@dataclass(frozen=True)
class Item:
    """One thing to delete, or to report."""

    kind: str
    table: str
    """`database.table`; empty when it belongs to none."""
    name: str
    """A prefix, a key, or the name of a stage table."""
    keys: tuple[str, ...] = ()
    bytes: int = 0
    run: str = ""
    """The run that left it, as keys name it; it must be over."""
    uploads: tuple[Upload, ...] = ()
    pack: packs.Pack | None = None

    @property
    def count(self) -> int:
        """Give the number of objects."""
        if self.pack is not None:
            return len(self.pack.entries)
        return len(self.keys) or len(self.uploads) or 1


@dataclass
class _Group:
    """Objects that live and die together."""

    objects: list[Stored] = field(default_factory=list)

    @property
    def newest(self) -> dt.datetime:
        """Give when the last of them was written."""
        return max((one.modified or _UNKNOWN for one in self.objects), default=_EPOCH)

    def item(self, kind: str, table: str, name: str, run: str = "") -> Item:
        """Make them garbage."""
        keys = tuple(one.key for one in self.objects)
        return Item(kind, table, name, keys, sum(one.size for one in self.objects), run)


def plan(world: World) -> list[Item]:
    """Find all garbage of a lake, in the order in which it is deleted."""
    storage = world.storage
    base = f"{storage.prefix}_runner/stage/"
    stages = _grouped(storage.list(base), lambda key: _attempt_of(key, base))
    staged = list(_stage_tables(world, base))
    loads = list(_loads(world))
    over = {run: world.is_over(run) for run in {name.split("/")[2] for name in stages}}
    histories = _histories(world, stages)
    busy = {table for table in histories if world.is_held(table)}
    locations = world.catalog.locations()  # after the look at who is running
    used = References.of(uri.rstrip("/") + "/" for uri in locations)
    items = [*staged, *loads, *_uploads(world, base), *_refreshes(world, used)]
    for name, group in stages.items():
        run = name.split("/")[2]
        if over[run] and world.is_old(group.newest):
            items += _stage(world, base + name, group, histories[_table_of(name)], used=used)
    for table, history in histories.items():
        if table not in busy:
            items += _old_data(world, history, used)
            items += _orphans(world, history)
        items += _records(world, history)
    return sorted(items, key=lambda item: (KINDS.index(item.kind), item.table, item.name))


def _grouped(objects: Iterable[Stored], name_of: Callable[[str], str]) -> dict[str, _Group]:
    """Put objects together by what `name_of` says; empty leaves one out."""
    groups: dict[str, _Group] = {}
    for stored in objects:
        name = name_of(stored.key)
        if name:
            groups.setdefault(name, _Group()).objects.append(stored)
    return groups


def _attempt_of(key: str, base: str) -> str:
    match = _ATTEMPT.match(key[len(base) :])
    return "" if match is None else match[0]


def _table_of(attempt: str) -> str:
    return ".".join(attempt.split("/")[:2])


def _histories(world: World, stages: Iterable[str]) -> dict[str, History]:
    """Read the records of every table that has some, or a stage."""
    storage = world.storage
    base = f"{storage.prefix}_runner/records/"
    keys: dict[str, list[str]] = {_table_of(stage): [] for stage in stages}
    for stored in storage.list(base):
        parts = stored.key[len(base) :].split("/")
        if len(parts) > len(("database", "table")):
            keys.setdefault(f"{parts[0]}.{parts[1]}", []).append(stored.key)
    return {
        table: read_history(storage, table, keys[table], now=world.now, keep=world.keep)
        for table in sorted(keys)
    }


def _stage(
    world: World, prefix: str, group: _Group, history: History, *, used: References
) -> Iterator[Item]:
    """Judge what one attempt of a run that is over left; old ctas tables lie there as well."""
    if history.used.touch(prefix) or used.touch(world.storage.uri(prefix)):
        return
    kind = OLD if any(one.startswith(prefix) for one in history.lost) else STAGE
    yield group.item(kind, history.table, prefix, prefix.rstrip("/").split("/")[-3])


def _stage_tables(world: World, base: str) -> Iterator[Item]:
    """Find stage tables whose location lies in the stage of a run that is over."""
    for database in world.catalog.databases():
        if not database.endswith(STAGE_SUFFIX):
            continue
        for table in world.catalog.tables(database):
            uri = location_of(table).rstrip("/") + "/"
            stage = uri.removeprefix(world.storage.uri(base))
            attempt = _ATTEMPT.match(stage)
            if uri == stage or attempt is None:
                continue
            owner, name, run = attempt[1], attempt[2], attempt[3]
            ours = database == owner + STAGE_SUFFIX and table["Name"].startswith(f"{name}__")
            made = table.get("CreateTime") or _UNKNOWN
            if ours and world.is_old(made) and world.is_over(run):
                yield Item(TABLE, f"{owner}.{name}", f"{database}.{table['Name']}", run=run)


def _refreshes(world: World, used: References) -> Iterator[Item]:
    """Find full refreshes that nobody goes on with: their journals, then the files in these.

    Where the catalogue uses the generation already, its journal is not garbage: the next run of the
    table makes records of it.
    """
    storage = world.storage
    base = f"{storage.prefix}_runner/refresh/"
    groups = _grouped(storage.list(base), lambda key: "/".join(key[len(base) :].split("/")[:3]))
    for name, group in sorted(groups.items()):
        table = ".".join(name.split("/")[:2])
        place = f"{storage.prefix}{name}/"
        live = used.touch(storage.uri(place))
        if live or world.is_held(table) or not world.is_old(group.newest):
            continue
        listed = {
            file["key"]
            for one in group.objects
            for file in (storage.read_json(one.key) or ({}, ""))[0].get("files", ())
        }
        group.objects += [one for one in storage.list(place) if one.key in listed]
        yield group.item(OLD, table, f"{base}{name}/")


def _loads(world: World) -> Iterator[Item]:
    """Find the manifests of loads of runs that are over."""
    base = f"{world.storage.prefix}_runner/loads/"
    runs = _grouped(
        world.storage.list(base),
        lambda key: key[len(base) :].partition("/")[0] if "/" in key[len(base) :] else "",
    )
    for run, group in sorted(runs.items()):
        if world.is_old(group.newest) and world.is_over(run):
            yield group.item(LOAD, "", f"{base}{run}/", run)


def _uploads(world: World, base: str) -> Iterator[Item]:
    for upload in world.storage.uploads(base):
        if world.is_old(upload.begun):
            attempt = _attempt_of(upload.key, base)
            table = _table_of(attempt) if attempt else ""
            yield Item(UPLOAD, table, upload.key, uploads=(upload,))


def _old_data(world: World, history: History, used: References) -> Iterator[Item]:
    """Find the data of records that are due, where neither records nor the catalogue point."""
    storage = world.storage
    stages = f"{storage.prefix}_runner/stage/"
    for prefix, files in sorted(history.lost.items()):
        if prefix.startswith(stages) or history.used.touch(prefix):
            continue
        if used.touch(storage.uri(prefix)):
            continue
        whole = history.is_made(storage, prefix)
        group = _Group([one for one in storage.list(prefix) if whole or files.holds(one.key)])
        if group.objects and world.is_old(group.newest):
            yield group.item(OLD, history.table, prefix)
    begun = [
        u for p in history.used.prefixes if not p.startswith(stages) for u in storage.uploads(p)
    ]
    for upload in begun:
        if world.is_old(upload.begun):
            yield Item(UPLOAD, history.table, upload.key, uploads=(upload,))


def _orphans(world: World, history: History) -> Iterator[Item]:
    """Find files in a table of ours that no record lists, and that Athena would read."""
    if history.unfinished or not history.used.prefixes:
        return
    table = world.catalog.table(history.table)
    if table is None or not schema.is_owned(table, world.project) or is_iceberg(table):
        return
    storage, location = world.storage, location_of(table)
    if not location.startswith(storage.uri("")):
        return
    prefix = storage.folder(location)
    if prefix not in history.used.prefixes:
        return
    group = _Group(
        [
            one
            for one in storage.list(prefix)
            if is_data(one.key) and not history.used.holds(one.key) and _is_aged(world, one)
        ]
    )
    if group.objects:
        yield group.item(ORPHAN, history.table, prefix)


def _is_aged(world: World, stored: Stored) -> bool:
    """Tell whether no call that is still at work can have written the object."""
    return (stored.modified or _UNKNOWN) <= world.now - packs.GRACE


def _records(world: World, history: History) -> Iterator[Item]:
    """Find records that are due and halves of packs; put the others together."""
    have = set(history.keys)
    twins = [
        entry.key.removesuffix("json") + "writing"
        for entry in history.kept
        if entry.published and entry.key.removesuffix("json") + "writing" in have
        if not entry.packed and world.is_old(packs.written(entry))
    ]
    due = [entry.key for entry in history.due if not entry.packed]
    due_twins = [key.removesuffix("json") + "writing" for key in due if key.endswith("json")]
    lost = packs.lost_bodies(history.keys, now=world.now)
    keys = (*twins, *(key for key in due_twins if key in have), *due, *lost)
    if keys:
        yield Item(RECORD, history.table, keys[0], keys)
    pack = packs.plan_pack(
        history.table,
        history.kept,
        keys=history.keys,
        dropped=any(entry.packed for entry in history.due),
        now=world.now,
    )
    if pack is not None:
        yield Item(PACK, history.table, f"{len(pack.entries)} records", pack=pack)


def by_kind(items: Iterable[Item]) -> Mapping[str, list[Item]]:
    """Sort items by their class, in the order of deletion; classes without any are left out."""
    found = {kind: [item for item in items if item.kind == kind] for kind in KINDS}
    return {kind: members for kind, members in found.items() if members}
