"""Promotion: make each period's prefix hold exactly the files of a record (SEMANTICS 2, 7).

In: a record's body.  Out: the etags of what was published.  The target keys follow from the staged
keys and name the run, so that what is already right stays: a call that ran out of time, died, or
runs beside its own repeat goes on where the work stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .faults import PromotionFailed, RowsOutsideWindow
from .storage import Stored

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .core import Attempt, Keeper
    from .spec import Spec
    from .storage import Storage

File = dict[str, Any]
"""A file of a record that is being written: from, key, size, etag, partition."""

_RESERVE_S = 60.0
"""Seconds before the end of the function's time at which a call stops and asks for another."""
_BATCH = 64
"""Objects that are copied between two looks at the lease and at the clock."""
_ROUNDS = 5
"""Times that prefixes are listed again after deleting and copying."""
_GROUP = 32
"""Objects to delete and copy that make prefixes worth settling together."""
_LISTED_TOGETHER = 8
"""Neighbouring prefixes from which on one listing over all of them is cheaper."""


class OutOfTime(Exception):
    """The call should end; the next one goes on."""


class _Pace:
    """Look at clock and lease before each batch; the first batch of a call always goes."""

    def __init__(self, keeper: Keeper, attempt: Attempt) -> None:
        self._keeper = keeper
        self._attempt = attempt
        self._started = False

    def step(self) -> None:
        if self._started and self._keeper.remaining_s() < _RESERVE_S:
            raise OutOfTime
        self._started = True
        self._keeper.leases.check(self._attempt.spec.name, self._attempt.owner)


def promote(
    keeper: Keeper, attempt: Attempt, body: dict[str, Any], periods: Collection[str] | None = None
) -> dict[str, str]:
    """Settle the periods (all of the body's if None); gives etags by key.

    OutOfTime when another call has to go on, LeaseLost when somebody else may write now.
    """
    spec = attempt.spec
    base = keeper.storage.folder(body["location"])
    files = by_period(spec, body["files"], base, start=body["start"], end=body["end"])
    prefixes = spec.prefixes(body["start"], body["end"])
    wanted = {
        base + prefix: {file["key"]: file for file in files[period]}
        for period, prefix in prefixes.items()
        if periods is None or period in periods
    }
    return _settle(keeper, _Pace(keeper, attempt), base, wanted)


def by_period(
    spec: Spec, files: list[File], base: str, *, start: str, end: str
) -> dict[str, list[File]]:
    """Sort target files into periods; RowsOutsideWindow for one that belongs to none."""
    labels = {prefix: period for period, prefix in spec.prefixes(start, end).items()}
    result: dict[str, list[File]] = {period: [] for period in labels.values()}
    for file in files:
        folders = file["key"].removeprefix(base).split("/")[:-1]
        period = labels.get("".join(f"{name}/" for name in folders[: len(spec.time)]))
        if period is None or len(folders) != len(spec.partitions):
            raise RowsOutsideWindow(
                f"{spec.name}: the staged file {file['from']} lies in no partition of "
                f"{start}..{end}. Nothing was published"
            )
        result[period].append(file)
    return result


def _settle(
    keeper: Keeper, pace: _Pace, base: str, wanted: dict[str, dict[str, File]]
) -> dict[str, str]:
    """Delete what is not wanted, then copy what is missing, until a listing shows just that.

    `wanted` holds the files of each prefix below `base`.  Prefixes are settled a few at a time,
    so that no reader of a published table waits for the whole window.
    """
    storage = keeper.storage
    refused: list[str] = []
    for _ in range(_ROUNDS):
        works, etags = _compare(storage, base, wanted)
        if not works:
            return etags
        refused = []
        for group in _groups(works):
            extra = [key for work in group for key in work.extra]
            missing = [file for work in group for file in work.missing]
            if extra:
                pace.step()
                lines = storage.delete(extra)
                refused += lines
                if lines:  # never put new rows beside old ones
                    continue
            for first in range(0, len(missing), _BATCH):
                pace.step()
                storage.put_in_place(
                    [
                        (Stored(file["from"], file["size"], file["etag"]), file["key"])
                        for file in missing[first : first + _BATCH]
                    ]
                )
    works, etags = _compare(storage, base, wanted)
    if not works:
        return etags
    worst = works[0]
    why = f" ({refused[0]})" if refused else ""
    raise PromotionFailed(
        f"{storage.uri(worst.prefix)} does not hold exactly the "
        f"{len(wanted[worst.prefix])} objects that belong there: "
        f"{len(worst.extra)} to delete, {len(worst.missing)} to copy{why}"
    )


@dataclass(frozen=True)
class _Work:
    """What is wrong below one prefix."""

    prefix: str
    extra: tuple[str, ...]
    missing: tuple[File, ...]


def _compare(
    storage: Storage, base: str, wanted: dict[str, dict[str, File]]
) -> tuple[list[_Work], dict[str, str]]:
    """List every prefix; give those that hold something else, and the etags of what is there."""
    works: list[_Work] = []
    etags: dict[str, str] = {}
    for prefix, found in _listed(storage, base, wanted).items():
        files = wanted[prefix]
        extra = tuple(
            stored.key
            for stored in found
            if stored.key not in files or stored.size != files[stored.key]["size"]
        )
        there = {stored.key: stored.etag for stored in found}
        missing = tuple(file for key, file in files.items() if key not in there)
        etags |= there
        if extra or missing:
            works.append(_Work(prefix, extra, missing))
    return works, etags


def _listed(
    storage: Storage, base: str, wanted: dict[str, dict[str, File]]
) -> dict[str, list[Stored]]:
    """List prefixes: each by itself, or many that follow each other by one listing.

    The first page has room for the files that belong there and a few more: mostly these tell that
    nothing else is there, and the rest of the table is not listed.
    """
    prefixes = list(wanted)
    if len(prefixes) < _LISTED_TOGETHER or prefixes != sorted(prefixes):
        return {prefix: list(storage.list(prefix)) for prefix in prefixes}
    found: dict[str, list[Stored]] = {prefix: [] for prefix in prefixes}
    depth = prefixes[0].count("/")
    after, last = prefixes[0].removesuffix("/"), prefixes[-1]
    page = sum(map(len, wanted.values())) * 9 // 8 + _LISTED_TOGETHER
    for stored in storage.list(base, after=after, first=page):
        if stored.key > last and not stored.key.startswith(last):
            break
        prefix = "".join(f"{name}/" for name in stored.key.split("/")[:depth])
        if prefix in found:
            found[prefix].append(stored)
    return found


def _groups(works: list[_Work]) -> Iterator[list[_Work]]:
    """Put prefixes together until a group has a batch's worth of files."""
    group: list[_Work] = []
    size = 0
    for work in works:
        group.append(work)
        size += len(work.missing) + len(work.extra)
        if size >= _GROUP:
            yield group
            group, size = [], 0
    if group:
        yield group
