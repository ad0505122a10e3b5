"""Plain text for terminals and pipes: columns, sizes, counts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130
"""Exit status that shells expect of a process that Ctrl-C stopped."""
STOPPING = "stopping; Ctrl-C again ends it at once"
STOPPING_THERE = "stopping the execution and its statements; Ctrl-C again does not wait for the end"
_KILO = 1000
_MINUTE, _HOUR = 60, 3600


def columns(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()
) -> str:
    """Align rows under a head, two spaces apart; `right` numbers the columns set to the right.

    >>> print(columns(("a", "n"), [("x", "10"), ("yy", "5")], right=[1]))
    a    n
    x   10
    yy   5
    """
    lines = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def size(number: float) -> str:
    """Write a number of bytes for people.

    >>> size(1234567)
    '1.2 MB'
    """
    unit = "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < _KILO:
            break
        number, unit = number / _KILO, larger
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"


def duration(seconds: float) -> str:
    """Write a duration for people.

    >>> duration(4.2), duration(75), duration(7260)
    ('5 s', '1 min 15 s', '2 h 1 min')
    """
    whole = math.ceil(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def count(number: int, noun: str) -> str:
    """Write a number of things.

    >>> count(1, "table"), count(4, "table")
    ('1 table', '4 tables')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
