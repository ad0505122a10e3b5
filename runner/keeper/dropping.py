"""Dropping a table: what of it is proved to be ours, and its removal.

In: the lake, the catalogue, a table.  Out: an `Estate`, all that would go; `remove` removes it.
A record that says writing goes first and last, so that a death between leaves every period
missing rather than published without files, and a repeat finds what is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import history, iceberg, packs, records, schema
from .catalog import STAGE_SUFFIX, is_iceberg, location_of

if TYPE_CHECKING:
    from .gc import World
    from .lease import Owner
    from .storage import Stored


@dataclass(frozen=True)
class Estate:
    """What there is of a table."""

    table: str
    """Physical name."""
    entry: dict[str, Any] | None
    """Glue's description; None when the catalogue has no such table."""
    history: history.History
    data: dict[str, tuple[Stored, ...]]
    """Objects by the prefix that records prove to be ours."""
    shared: tuple[str, ...]
    """Prefixes that stay, because other tables use them."""
    stages: tuple[Stored, ...]
    stage_tables: tuple[str, ...]
    running: tuple[str, ...]
    """Runs that are not over and have a stage of it."""


def survey(world: World, table: str) -> Estate:
    """Look for everything that belongs to a table; changes nothing."""
    storage = world.storage
    database, _, name = table.partition(".")
    base = f"{storage.prefix}_runner/stage/"
    below = f"{base}{database}/{name}/"
    stages = tuple(storage.list(below))
    runs = {stored.key[len(below) :].partition("/")[0] for stored in stages}
    running = tuple(sorted(run for run in runs if not world.is_over(run)))
    keys = [stored.key for stored in storage.list(records.folder(storage, table))]
    found = history.read_history(storage, table, keys, now=world.now, keep=world.keep)
    others = {
        uri.rstrip("/") + "/": users
        for uri, users in world.catalog.locations().items()
        if users != [table]
    }
    entry = world.catalog.table(table)
    if entry is not None and is_iceberg(entry):
        entry = iceberg.owned(storage, table, entry)
    ours = {prefix for prefix in (*found.used.prefixes, *found.lost) if not prefix.startswith(base)}
    whole = {prefix for prefix in ours if found.is_made(storage, prefix)} | _iceberg(world, entry)
    shared = {prefix for prefix in ours | whole if _is_used(storage.uri(prefix), others)}
    return Estate(
        table=table,
        entry=entry,
        history=found,
        data={
            prefix: tuple(
                one for one in storage.list(prefix) if prefix in whole or _is_listed(found, one.key)
            )
            for prefix in sorted((ours | whole) - shared)
        },
        shared=tuple(sorted(shared)),
        stages=tuple(one for one in stages if not _is_used(storage.uri(one.key), others)),
        stage_tables=tuple(
            f"{database}{STAGE_SUFFIX}.{one['Name']}"
            for one in world.catalog.tables(f"{database}{STAGE_SUFFIX}")
            if location_of(one).startswith(storage.uri(below))
        ),
        running=running,
    )


def _is_used(uri: str, others: dict[str, list[str]]) -> bool:
    return any(uri.startswith(one) or one.startswith(uri) for one in others)


def _is_listed(found: history.History, key: str) -> bool:
    return found.used.holds(key) or any(files.holds(key) for files in found.lost.values())


def _iceberg(world: World, entry: dict[str, Any] | None) -> set[str]:
    """Give the location of an Iceberg table of ours: its metadata list files, our records few."""
    if entry is None or not is_iceberg(entry) or not schema.is_owned(entry, world.project):
        return set()
    storage = world.storage
    own = storage.uri(f"{storage.prefix}{entry['DatabaseName']}/{entry['Name']}/")
    location = location_of(entry).rstrip("/") + "/"
    return {storage.key(location)} if location.startswith(own) else set()


def refusal(estate: Estate, *, project: str, data: bool) -> str:
    """Say why a table may not be dropped; empty when it may."""
    if estate.running:
        return f"{', '.join(estate.running)} is writing it"
    if estate.entry is None:
        return ""
    owner = (estate.entry.get("Parameters") or {}).get(schema.OWNER)
    if owner and owner != project:
        return f"it belongs to project {owner}"
    if not owner and (not estate.history.kept or estate.history.used.prefixes):
        return "it was not made by this project"
    if is_iceberg(estate.entry) and not data:
        return "it is an Iceberg table: without its entry in the catalogue its data are lost"
    return ""


def remove(world: World, estate: Estate, owner: Owner, *, run: str, data: bool) -> None:
    """Remove a table from the catalogue, and with `data` all that is ours of it."""
    storage = world.storage
    marks = _mark(world, estate, owner, run) if data else []
    world.catalog.delete(estate.table)
    if not data:
        return
    for objects in estate.data.values():
        storage.delete_all([one.key for one in objects])
    storage.delete_all([one.key for one in estate.stages])
    for name in estate.stage_tables:
        world.catalog.delete(name)
    place = records.folder(storage, estate.table)
    keys = [stored.key for stored in storage.list(place) if stored.key not in marks]
    storage.delete_all(keys)
    storage.delete_all(marks)


def _mark(world: World, estate: Estate, owner: Owner, run: str) -> list[str]:
    """Begin records over all periods that any record tells of: they are missing from now on."""
    storage, table = world.storage, estate.table
    found = [*estate.history.due, *estate.history.kept]
    grains = {packs.grain_of(entry) for entry in found if entry.published}
    database, _, name = table.partition(".")
    marks = []
    for grain in sorted(grains, key=str):
        alike = [one for one in found if packs.grain_of(one) == grain]
        body: dict[str, Any] = {
            "table": table,
            "start": min(one.start for one in alike),
            "end": max(one.end for one in alike),
            "grain": grain,
            "execution": owner.execution,
            "run": run,
            "fingerprint": "dropped",
            "partitions": [],
            "location": "",
            "stage": f"{storage.prefix}_runner/stage/{database}/{name}/{run}/",
            "rows": {},
            "tests": [],
            "files": [],
        }
        marks.append(records.begin(storage, body, found=sorted(found), now=world.now).key)
    return marks
