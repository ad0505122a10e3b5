"""A failed table leaves a note beside its records, for whoever plans or is on call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import records
from .diagnose import BUSY
from .faults import KeeperError
from .inputs import Inputs
from .work import asked, pending

if TYPE_CHECKING:
    from .core import Attempt, Keeper
    from .diagnose import Diagnosis

_MOST = 20
"""Spans that get a note of their own; a failed table rarely leaves more than one."""


def note(keeper: Keeper, attempt: Attempt, event: dict[str, Any], found: Diagnosis) -> None:
    """Write a `.failed` record for every span that the failed turn should have published.

    Nothing is noted of a table that another run was writing.
    """
    spec, storage = attempt.spec, keeper.storage
    if found.kind == BUSY or "window" not in event:
        return
    try:
        work = asked(storage, spec, event["window"])
    except KeeperError:  # the window itself is what was wrong
        return
    history = records.history(storage, spec.name)
    latest = records.newest(history, spec.grain)
    for start, end in pending(attempt, work, latest, Inputs(spec, ()))[:_MOST]:
        body = attempt.record(
            *spec.owned(start, end),
            error=event.get("error") or "",
            message=found.message,
            advice=found.advice,
        )
        records.fail(storage, body, found=history, now=keeper.now())
