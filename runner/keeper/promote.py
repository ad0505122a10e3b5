"""Promotion: make each period's prefix hold exactly the files of a record (SEMANTICS 2, 7).

In: a record's body.  Out: the etags of what was published.  The target keys follow from the staged
keys and name the run, so that what is already right stays: a call that ran out of time, died, or
runs beside its own repeat goes on where the work stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .faults import PromotionFailed, RowsOutsideWindow
from .storage import Stored

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from .core import Attempt, Keeper
    from .spec import Spec

File = dict[str, Any]
"""A file of a record that is being written: from, key, size, etag, partition."""

_RESERVE_S = 60.0
"""Seconds before the end of the function's time at which a call stops and asks for another."""
_BATCH = 64
"""Objects that are copied between two looks at the lease and at the clock."""
_ROUNDS = 5
"""Times that a prefix is listed again after deleting and copying."""


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
    pace = _Pace(keeper, attempt)
    etags: dict[str, str] = {}
    for period, prefix in prefixes.items():
        if periods is None or period in periods:
            wanted = {file["key"]: file for file in files[period]}
            etags |= _settle(keeper, pace, base + prefix, wanted)
    return etags


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


def _settle(keeper: Keeper, pace: _Pace, prefix: str, wanted: dict[str, File]) -> dict[str, str]:
    """Delete what is not wanted, then copy what is missing, until a listing shows just that."""
    storage = keeper.storage
    refused: Sequence[str] = ()
    for _ in range(_ROUNDS):
        found = {stored.key: stored for stored in storage.list(prefix)}
        extra = [
            key
            for key, stored in found.items()
            if key not in wanted or stored.size != wanted[key]["size"]
        ]
        missing = [file for key, file in wanted.items() if key not in found]
        if not extra and not missing:
            return {key: stored.etag for key, stored in found.items()}
        if extra:
            pace.step()
            refused = storage.delete(extra)
            continue
        for first in range(0, len(missing), _BATCH):
            pace.step()
            storage.copy_all(
                [
                    (Stored(file["from"], file["size"], file["etag"]), file["key"])
                    for file in missing[first : first + _BATCH]
                ]
            )
    why = f" ({refused[0]})" if refused else ""
    raise PromotionFailed(
        f"{storage.uri(prefix)} does not hold exactly the {len(wanted)} objects that belong there: "
        f"{len(extra)} to delete, {len(missing)} to copy{why}"
    )
