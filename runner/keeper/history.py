"""What a table's records protect: prefixes and files that still count, and what is due to go.

In: the keys below the table's records.  Out: a `History`; everything that decides what may be
deleted, and nothing is deleted here.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import packs, records

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from .records import Entry
    from .storage import Storage

ADOPTED = "runner-adopt."
"""How the run of a record begins whose files this project did not write (`runner adopt`)."""
_GENERATION = re.compile(r"g=[0-9]+/\Z")


@dataclass(frozen=True)
class References:
    """Prefixes and keys that must stay."""

    prefixes: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    """Sorted."""

    @classmethod
    def of(cls, prefixes: Iterable[str], keys: Iterable[str] = ()) -> References:
        """Take them in any order."""
        return cls(tuple(sorted(set(prefixes))), tuple(sorted(set(keys))))

    def touch(self, prefix: str) -> bool:
        """Tell whether something below the prefix, or all around it, must stay."""
        at = bisect_left(self.keys, prefix)
        below = at < len(self.keys) and self.keys[at].startswith(prefix)
        return below or any(
            one.startswith(prefix) or prefix.startswith(one) for one in self.prefixes
        )

    def holds(self, key: str) -> bool:
        """Tell whether exactly this key is one that must stay."""
        at = bisect_left(self.keys, key)
        return at < len(self.keys) and self.keys[at] == key


@dataclass(frozen=True)
class History:
    """The records of one table, judged."""

    table: str
    keys: tuple[str, ...]
    """Every key below the table's records."""
    kept: tuple[Entry, ...]
    due: tuple[Entry, ...]
    """Superseded for longer than things are kept."""
    used: References
    """What the kept records list."""
    lost: dict[str, References]
    """Locations that only records which are due name, and the files that these list there."""
    adopted: frozenset[str]
    """Locations that we did not make: only listed files are ours."""
    unfinished: bool
    """Whether a publish was begun that no later one has replaced."""

    def is_made(self, storage: Storage, prefix: str) -> bool:
        """Tell whether a prefix is a generation that we made, so that all below it is ours."""
        database, _, name = self.table.partition(".")
        folder = prefix.removeprefix(f"{storage.prefix}{database}/{name}/")
        return _GENERATION.match(folder) is not None and prefix not in self.adopted


def read_history(
    storage: Storage, table: str, keys: Iterable[str], *, now: dt.datetime, keep: dt.timedelta
) -> History:
    """Judge the records of a table, and read what they list."""
    keys = tuple(keys)
    found = records.collect(storage, records.folder(storage, table), keys)
    gone = packs.superseded(found)
    due = tuple(entry for entry in found if entry in gone and gone[entry] <= now - keep)
    kept = tuple(entry for entry in found if entry not in set(due))
    bodies = _bodies(storage, kept)
    used = References.of(
        (prefix for e, body in bodies.items() for prefix in _prefixes(storage, e, body)),
        (key for body in bodies.values() for key in _files(body)),
    )
    lost: dict[str, list[str]] = {}
    old = _bodies(storage, due, gone=True)
    for entry, body in old.items():
        for prefix in _prefixes(storage, entry, body):
            lost.setdefault(prefix, []).extend(_files(body))
    adopted = {
        prefix
        for entry, body in (*bodies.items(), *old.items())
        if entry.run.startswith(ADOPTED)
        for prefix in _prefixes(storage, entry, body)
    }
    return History(
        table,
        keys,
        kept,
        due,
        used,
        {prefix: References.of((), files) for prefix, files in lost.items()},
        frozenset(adopted),
        unfinished=any(e.state == records.WRITING and e not in gone for e in kept),
    )


def _bodies(
    storage: Storage, entries: Iterable[Entry], *, gone: bool = False
) -> dict[Entry, dict[str, Any]]:
    """Read bodies; those of records that may be `gone` by now are left out then."""
    wanted = [entry for entry in entries if entry.state != records.FAILED]
    try:
        return records.bodies(storage, wanted)
    except KeyError:
        if not gone:
            raise
    found: dict[Entry, dict[str, Any]] = {}
    for entry in wanted:
        with suppress(KeyError):
            found |= records.bodies(storage, [entry])
    return found


def _prefixes(storage: Storage, entry: Entry, body: dict[str, Any]) -> list[str]:
    """Give the prefixes that a record points to; a publish that was begun needs its stage."""
    uris = [body.get("location")]
    prefixes = [storage.folder(uri) for uri in uris if uri and _is_here(storage, uri)]
    if not entry.published and body.get("stage"):
        prefixes.append(body["stage"])
    return prefixes


def _is_here(storage: Storage, uri: str) -> bool:
    try:
        storage.folder(uri)
    except ValueError:
        return False
    return True


def _files(body: dict[str, Any]) -> list[str]:
    found = [file["key"] for file in body.get("files", ()) if "key" in file]
    return found + [file["from"] for file in body.get("files", ()) if "from" in file]
