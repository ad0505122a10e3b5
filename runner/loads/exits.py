"""Exit codes of a load's container, after sysexits.h: what Step Functions may do about an end.

In: the error name of an outcome.  Out: a number.  ECS hands it over as `Containers[0].ExitCode`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.model.loads import LoadOutcome

DONE = 0
"""Loaded, or skipped because this very load had been done."""
REFUSED = 65
"""The data, its types or the mart's table do not fit: a repeat ends the same way."""
UNREACHABLE = 69
"""The mart or S3 does not answer: a repeat may succeed."""
DEFECT = 70
"""A defect of ours."""
BUSY = 75
"""A deadlock, a lost connection, throttling: a repeat is likely to succeed."""
MISCONFIGURED = 78
"""The task is wrong: a variable, a secret, a role, the image, the size of its disk."""
STOPPED = 143
"""Stopped from outside (SIGTERM): nothing was loaded, or everything."""

EXIT_CODES: Mapping[str, int] = {
    "Load.AfterFailed": REFUSED,
    "Load.Charset": REFUSED,
    "Load.Defect": DEFECT,
    "Load.DriverMissing": MISCONFIGURED,
    "Load.EmbulkKilled": MISCONFIGURED,
    "Load.EmbulkMissing": MISCONFIGURED,
    "Load.FileChanged": REFUSED,
    "Load.FileMissing": REFUSED,
    "Load.InvalidJob": DEFECT,
    "Load.InvalidManifest": REFUSED,
    "Load.InvalidTask": MISCONFIGURED,
    "Load.KeysNotUnique": REFUSED,
    "Load.Leftovers": REFUSED,
    "Load.LooseKey": REFUSED,
    "Load.MartBusy": BUSY,
    "Load.MartDenied": MISCONFIGURED,
    "Load.MartFailed": UNREACHABLE,
    "Load.MartNotTrusted": MISCONFIGURED,
    "Load.MartUnreachable": UNREACHABLE,
    "Load.MissingVariable": MISCONFIGURED,
    "Load.NoSpace": MISCONFIGURED,
    "Load.NoTable": REFUSED,
    "Load.NoUniqueKey": REFUSED,
    "Load.NotAtomic": REFUSED,
    "Load.NotFinite": REFUSED,
    "Load.NotReconciled": REFUSED,
    "Load.NullableKey": REFUSED,
    "Load.Refused": REFUSED,
    "Load.Rejected": REFUSED,
    "Load.Replaced": REFUSED,
    "Load.Rounded": REFUSED,
    "Load.RowTooLarge": REFUSED,
    "Load.RowsDiffer": REFUSED,
    "Load.SchemaDrift": REFUSED,
    "Load.SecondUniqueKey": REFUSED,
    "Load.SecretInJob": REFUSED,
    "Load.StagingDiffers": REFUSED,
    "Load.Stopped": STOPPED,
    "Load.TimedOut": BUSY,
    "Load.UnknownFormat": REFUSED,
    "Load.UnknownType": REFUSED,
    "Load.Unreadable": REFUSED,
    "Load.UnsafeJob": REFUSED,
    "Load.ValuesDoNotFit": REFUSED,
    "S3.Busy": BUSY,
    "S3.Denied": MISCONFIGURED,
    "S3.Failed": UNREACHABLE,
    "S3.NotFound": REFUSED,
    "S3.Unreachable": UNREACHABLE,
}


def exit_code(outcome: LoadOutcome) -> int:
    """Give the exit code of an outcome; an error that the table does not know is our defect."""
    return EXIT_CODES.get(outcome.error, DEFECT) if outcome.status == "failed" else DONE
