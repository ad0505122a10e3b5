"""What the keeper refuses or meets; the class name is the error name that a state machine sees."""

from __future__ import annotations


class KeeperError(Exception):
    """Anything that the keeper says no to, with a sentence for the person on call."""


class InvalidInput(KeeperError):
    """The execution's input is not exactly what it may be (SEMANTICS 17)."""


class WindowTooLarge(KeeperError):
    """The window holds more partitions than one run may write (SEMANTICS 23)."""


class LeaseHeld(KeeperError):
    """Another execution that is still running holds the table's lease; worth waiting for."""


class LeaseLost(KeeperError):
    """The lease was taken over while this execution was writing."""


class NotOurs(KeeperError):
    """The table exists, but this project did not make it."""


class SchemaChanged(KeeperError):
    """A column was removed, renamed or retyped; only a full refresh can write it (SEMANTICS 9)."""


class TestsFailed(KeeperError):
    """Staged rows break a test of severity error."""


class RowsOutsideWindow(KeeperError):
    """Staged rows belong to partitions that the window does not own (SEMANTICS 4)."""


class TooFewRows(KeeperError):
    """A load has fewer rows than its header expects."""


class LoadNotReconciled(KeeperError):
    """The mart does not hold what was loaded."""


class EmptyTable(KeeperError):
    """A whole table would be replaced by zero rows (SEMANTICS 12)."""


class PromotionFailed(KeeperError):
    """What was copied is not what was staged; a retry starts the promotion again."""


class NothingPublished(KeeperError):
    """A load was asked for a window that no record says is published."""


class OutOfOrder(KeeperError):
    """A table that reads itself misses the partition before its window (SEMANTICS 21)."""


class InputChanged(KeeperError):
    """An input was published while it was read; the attempt is made anew."""


class InputUnfinished(KeeperError):
    """An input is half-written by a run that died, and cannot be finished from its stage."""


class NotForBigQuery(KeeperError):
    """A column of an export has a name or a type that BigQuery does not take."""


class ExportIncomplete(KeeperError):
    """The files that an export wrote are not all there; what was exported before stays."""
