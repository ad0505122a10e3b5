"""What is asked of a load by hand, and what is said of it; the same on this machine and on AWS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import Fault, Place, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from runner.loads.checks import Finding
    from runner.model.loads import Engine


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """Which load."""

    root: Path
    table: str
    date: str | None = None
    """A window of one value."""
    start: str | None = None
    end: str | None = None
    """Window; the newest published period if none is given."""
    environment: str = "local"
    variables: Mapping[str, str] | None = None
    engine: Engine | None = None
    """Another engine than the header's."""
    again: bool = False
    """Load even if the mart's ledger says that this very load was done."""
    now: Callable[[], datetime] | None = None


@dataclass(frozen=True, slots=True)
class LoadPlace:
    """What is loaded from where to where."""

    table: str
    mart: str
    mart_table: str
    mode: str
    engine: str
    start: str
    end: str
    """`all` and `all` for a whole table."""
    files: int
    expected: int | None
    """Rows that the records promise."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load did."""

    place: LoadPlace
    skipped: bool
    """This very load had been done before."""
    rows: int
    deleted: int
    counted: int | None
    """Rows of the window (of the table) in the mart afterwards."""
    seconds: float
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the checks of a load found."""

    place: LoadPlace
    findings: tuple[Finding, ...]
    not_made: tuple[str, ...] = ()
    """Checks that need the mart or the files, where these cannot be reached."""

    @property
    def refused(self) -> bool:
        """Tell whether the load would not begin."""
        return any(one.severity == "error" for one in self.findings)


def asked(request: LoadRequest) -> tuple[str | None, str | None]:
    """Give the window's ends, if one is asked for."""
    if request.date is None:
        return request.start, request.end
    if request.start is not None or request.end is not None:
        found, expected = "--date together with --start or --end", "one or the other"
        fault = Fault(Place("--date"), "bad-window", found, expected, "correct the window")
        raise UsageError([fault])
    return request.date, request.date
