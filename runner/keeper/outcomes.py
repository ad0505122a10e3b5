"""How loads ended: whoever loads writes an outcome beside the manifest.

In: the manifest's URI, and what the state machine caught.  Out: what the load did, or why it
failed.  A container tells its state machine no more than an exit status, so the words are here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from . import diagnose
from .faults import LoadNotReconciled

if TYPE_CHECKING:
    from .storage import Storage

_PASSING = {
    "Load.FileChanged": True,
    "Load.FileMissing": True,
    "Load.MartBusy": False,
    "Load.MartUnreachable": False,
    "Load.RowsDiffer": True,
    "Load.Stopped": False,
    "Load.TimedOut": False,
    "S3.Busy": False,
    "S3.Failed": False,
    "S3.NotFound": True,
    "S3.Unreachable": False,
}
"""Failures after which the load is planned anew, and whether at once: where files were superseded
since the manifest was written, the next manifest names the new ones."""
_MERGING = ("merge", "merge_direct")
_ADDING = ("insert", "insert_direct")
_ADVICE = "Mend what the message says; then repeat with `runner load`."
_EXIT = re.compile(r"(?:^|; )load: exit status (\d+)")
_HOPELESS_EXITS = ("65", "70", "78")
"""Exit statuses of the load's container that come again, where it could not write why."""


def key_of(manifest: str) -> str:
    """Give the key, or the URI, of a manifest's outcome.

    >>> key_of("s3://lake/_runner/loads/run/marts.t.json")
    's3://lake/_runner/loads/run/marts.t.outcome.json'
    """
    return f"{manifest.removesuffix('.json')}.outcome.json"


def confirm(storage: Storage, manifest: str) -> dict[str, Any]:
    """Give what a load did; LoadNotReconciled where lake and mart hold different numbers of rows.

    A task that left no outcome (an image of the user's own) is believed, and nothing is compared.
    """
    found = storage.read_json(storage.key(manifest))
    outcome = _read(storage, manifest)
    asked = found[0] if found else {}
    if outcome is None:
        return {"rows": asked.get("rows"), "deleted": None, "counted": None, "skipped": False}
    rows, counted = outcome["rows"], outcome["counted"]
    if counted is not None and _differ(asked["mode"], rows, counted):
        raise LoadNotReconciled(
            f"{asked['load_key']['mart_table']}: {rows} rows were loaded, {counted} are there"
        )
    return {
        "rows": rows,
        "deleted": outcome["deleted"],
        "counted": counted,
        "skipped": outcome["status"] == "skipped",
        "engine": outcome["engine"],
        "seconds": outcome["seconds"],
        "warnings": outcome["warnings"][:5],
    }


def _differ(mode: str, rows: int, counted: int) -> bool:
    """Compare; a merge may find more rows, what only adds says nothing about the whole."""
    if mode in _ADDING:
        return False
    return counted < rows if mode in _MERGING else counted != rows


def explain(storage: Storage, event: dict[str, Any]) -> diagnose.Diagnosis:
    """Say why a load failed: by its outcome if it left one, else by what was caught."""
    manifest = (event.get("manifest") or {}).get("manifest")
    outcome = _read(storage, manifest) if manifest else None
    if outcome is not None and outcome["status"] == "failed":
        error = outcome["error"]
        message = f"{error}: {outcome['cause']}"
        passing = error in _PASSING
        kind = diagnose.PASSING if passing else diagnose.USER
        return diagnose.Diagnosis(
            passing, message, "" if passing else _ADVICE, _PASSING.get(error, False), kind
        )
    found = diagnose.explain(event.get("error") or "", event.get("cause") or "")
    status = _EXIT.search(found.message)
    if status is not None and status[1] in _HOPELESS_EXITS:
        return diagnose.Diagnosis(False, found.message, _ADVICE, kind=diagnose.USER)
    return found


def _read(storage: Storage, manifest: str) -> dict[str, Any] | None:
    found = storage.read_json(storage.key(key_of(manifest)))
    return None if found is None else found[0]
