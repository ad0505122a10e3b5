"""Records of a whole lake, read fast: plain tuples for planning over millions of periods.

What `records` says entry by entry, this says table by table: one LIST, one GET for each pack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from . import records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .storage import Storage

Row = tuple[str, str, str, str, str]
"""When (stamp), start, end, first digits of the fingerprint, run."""
_PACK = "packed"
_SERIAL = 10_000
"""Keys that are listed one after the other before the rest is listed by table."""
_FEW = 16
"""Tables that are listed each by itself at once, where that is faster."""
_AT_ONCE = 100
"""Tables whose packs are read at once, where that is faster."""


class TableRows(NamedTuple):
    """Every record of one table, in no order."""

    packs: list[list[list[str]]]
    """Published, put together: the columns of rows, for each pack."""
    published: list[Row]
    """Published, one by one."""
    begun: list[Row]
    failed: list[Row]


def tables(storage: Storage) -> set[str]:
    """Name the tables that have records, as `database.table`, without listing these."""
    base = f"{storage.prefix}_runner/records/"
    return {
        f"{database}.{table}"
        for database in storage.folders(base)
        for table in storage.folders(f"{base}{database}/")
    }


def rows(storage: Storage, wanted: Iterable[str] | None = None) -> Iterator[tuple[str, TableRows]]:
    """Give the records of every table, or of the wanted ones, by one LIST of the lake."""
    given = None if wanted is None else list(wanted)
    keys = _keys(storage, given)
    chosen = [name for name in (keys if given is None else given) if name in keys]
    step = _AT_ONCE if storage.gains else 1
    for first in range(0, len(chosen), step):
        names = chosen[first : first + step]
        packs = [key for name in names for key in keys[name] if records.is_index(key)]
        indexes = dict(zip(packs, storage.each(storage.read_json, packs), strict=True))
        for name in names:
            yield name, _rows(indexes, keys[name])


def _keys(storage: Storage, wanted: list[str] | None = None) -> dict[str, list[str]]:
    """List the records of a lake by table, by one LIST.

    Where several requests at once are faster: few tables each by itself, and of many what a long
    LIST has not come to.
    """
    base = f"{storage.prefix}_runner/records/"
    cut = len(base)
    found: dict[str, list[str]] = {}

    def note(key: str) -> None:
        parts = key[cut:].split("/", 2)
        if len(parts) == len(("database", "table", "rest")):
            found.setdefault(f"{parts[0]}.{parts[1]}", []).append(key)

    if wanted is not None and storage.gains and len(wanted) <= _FEW:
        for key in _after(storage, "", wanted):
            note(key)
        return found
    for number, stored in enumerate(storage.list(base), start=1):
        note(stored.key)
        if number == _SERIAL and wanted is not None and storage.gains:
            for key in _after(storage, stored.key, wanted):
                note(key)
            break
    return found


def _after(storage: Storage, last: str, wanted: list[str]) -> Iterator[str]:
    """List what lies behind a key, of the wanted tables, several at once."""
    folders = {records.folder(storage, name) for name in wanted}
    rest = sorted(one for one in folders if one > last or last.startswith(one))

    def listed(place: str) -> list[str]:
        after = last if last.startswith(place) else ""  # the table in which the LIST broke off
        return [stored.key for stored in storage.list(place, after=after)]

    for keys in storage.each(listed, rest):
        yield from keys


def _rows(indexes: Mapping[str, tuple[Any, str] | None], keys: list[str]) -> TableRows:
    found = TableRows([], [], [], [])
    endings = {"json": found.published, "writing": found.begun, "failed": found.failed}
    for key in keys:
        head, _, name = key.rpartition("/")
        folder = head.rpartition("/")[2]
        if folder == _PACK:
            if name.endswith(".json"):
                found.packs.extend(_packed(indexes, key))
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


def _packed(indexes: Mapping[str, tuple[Any, str] | None], key: str) -> list[list[list[str]]]:
    """Read a pack's index; nothing when another pack has just taken its place."""
    index = indexes.get(key)
    return [] if index is None else [records.read_columns(index[0])]
