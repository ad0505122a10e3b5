"""Records of a whole lake, read fast: plain tuples for planning over millions of periods.

What `records` says entry by entry, this says table by table: one LIST, one GET for each pack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from . import records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .storage import Storage

Row = tuple[str, str, str, str, str]
"""When (stamp), start, end, first digits of the fingerprint, run."""
_PACK = "packed"


class TableRows(NamedTuple):
    """Every record of one table, in no order."""

    packs: list[list[list[str]]]
    """Published, put together: the columns of rows, for each pack."""
    published: list[Row]
    """Published, one by one."""
    begun: list[Row]
    failed: list[Row]


def tables(storage: Storage) -> set[str]:
    """Name the tables that have records, as `database.table`."""
    return set(_keys(storage))


def rows(storage: Storage, wanted: Iterable[str] | None = None) -> Iterator[tuple[str, TableRows]]:
    """Give the records of every table, or of the wanted ones, by one LIST of the lake."""
    keys = _keys(storage)
    chosen = keys if wanted is None else [name for name in wanted if name in keys]
    for name in chosen:
        yield name, _rows(storage, keys[name])


def _keys(storage: Storage) -> dict[str, list[str]]:
    base = f"{storage.prefix}_runner/records/"
    cut = len(base)
    found: dict[str, list[str]] = {}
    for stored in storage.list(base):
        parts = stored.key[cut:].split("/", 2)
        if len(parts) == len(("database", "table", "rest")):
            found.setdefault(f"{parts[0]}.{parts[1]}", []).append(stored.key)
    return found


def _rows(storage: Storage, keys: list[str]) -> TableRows:
    found = TableRows([], [], [], [])
    endings = {"json": found.published, "writing": found.begun, "failed": found.failed}
    for key in keys:
        head, _, name = key.rpartition("/")
        folder = head.rpartition("/")[2]
        if folder == _PACK:
            if name.endswith(".json"):
                found.packs.extend(_packed(storage, key))
            continue
        stem, _, ending = name.rpartition(".")
        window, parts = folder.split("_"), stem.split("_", 2)
        if ending in endings and len(window) == len("se") and len(parts) == len("afr"):
            endings[ending].append((parts[0], window[0], window[1], parts[1], parts[2]))
    if found.begun:
        complete = {row for pack in found.packs for row in zip(*pack, strict=True)}
        complete |= set(found.published)
        found.begun[:] = [row for row in found.begun if row not in complete]
    return found


def _packed(storage: Storage, key: str) -> list[list[list[str]]]:
    """Read a pack's index; nothing when another pack has just taken its place."""
    index = storage.read_json(key)
    return [] if index is None else [records.read_columns(index[0])]
