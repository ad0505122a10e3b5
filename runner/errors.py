"""What can go wrong, and how a user is told.

A `Fault` is one thing that a user can mend: where it stands, what was found there, what was
expected, and what to do next.  Stages that read a user's files collect faults and raise them
together; nothing stops at the first.

The tree of exceptions:

    RunnerError                 anything a user can cause or mend; carries faults and an exit status
    ├── UsageError         2    the command line or a call's arguments are wrong
    ├── ProjectError       2    the files of the project are wrong
    ├── CheckFailed        1    `check` was asked and found faults
    ├── RunFailed          1    a run, load, preview or test ended in failure
    └── CloudRefused       3    AWS answered with a refusal

Anything else that escapes is a defect of ours: exit status 70, with a request to report it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_SHOWN = 20
"""Faults printed at once; the rest is counted."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file that the user edits; line and column count from 1, 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Write the position the way editors understand it: `file:line:column`."""
        parts = [self.file]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that a user can mend."""

    place: Place
    code: str
    """Short, stable, hyphenated: `unknown-table`.  Listed in docs/reference/faults.md."""
    found: str
    expected: str
    advice: str

    def __str__(self) -> str:
        """Write the fault as a block of four lines."""
        return (
            f"{self.place}: {self.code}\n"
            f"  found:    {self.found}\n"
            f"  expected: {self.expected}\n"
            f"  do:       {self.advice}"
        )


class RunnerError(Exception):
    """Something a user can mend; the message is complete and needs no traceback."""

    exit_status = 1

    def __init__(self, faults: Iterable[Fault] = (), *, summary: str = "") -> None:
        """Take the faults in any order; they are kept sorted by place."""
        self.faults: tuple[Fault, ...] = tuple(sorted(set(faults)))
        self.summary = summary
        super().__init__(self.describe())

    def describe(self, *, most: int = MOST_SHOWN) -> str:
        """Write every fault (at most `most`), then a line that counts them."""
        blocks = [str(fault) for fault in self.faults[:most]]
        hidden = len(self.faults) - most
        if hidden > 0:
            blocks.append(f"... and {hidden} more")
        if self.summary:
            blocks.append(self.summary)
        elif self.faults:
            count = len(self.faults)
            blocks.append(f"{count} fault{'s' if count != 1 else ''} found")
        return "\n".join(blocks)


class UsageError(RunnerError):
    """The command line or a call's arguments are wrong."""

    exit_status = 2


class ProjectError(RunnerError):
    """The files of the project are wrong."""

    exit_status = 2


class CheckFailed(RunnerError):
    """`check` was asked and found faults."""

    exit_status = 1


class RunFailed(RunnerError):
    """A run, load, preview or test ended in failure."""

    exit_status = 1


class CloudRefused(RunnerError):
    """AWS answered with a refusal."""

    exit_status = 3
