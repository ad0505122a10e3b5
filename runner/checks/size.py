"""Athena takes statements of at most 262,144 bytes; long ones also fill the execution's payload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.checks.scene import Rule, Scene, Subject
from runner.errors import Fault, Place
from runner.model.sqltext import Mark

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES = 262_144
MANY_BYTES = 200_000
_MARK_BYTES = 32
"""More than any value of a mark takes."""
_TOO_LARGE = "query-size"
_LARGE = "query-large"


def _bytes(subject: Subject) -> int:
    parts = subject.table.sql.parts
    return sum(_MARK_BYTES if isinstance(p, Mark) else len(p.encode()) for p in parts)


def _fault(subject: Subject, code: str, size: int, expected: str) -> Fault:
    return Fault(
        Place(subject.table.file, subject.table.sql_line),
        code,
        f"{size:,} bytes of rendered SQL",
        expected,
        "split the query into two tables, or shorten what a loop or macro prints",
    )


def _find_too_large(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    size = _bytes(subject)
    if size > MOST_BYTES:
        yield _fault(subject, _TOO_LARGE, size, f"at most {MOST_BYTES:,} bytes in a statement")


def _find_large(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    size = _bytes(subject)
    if MANY_BYTES < size <= MOST_BYTES:
        yield _fault(subject, _LARGE, size, f"less than {MANY_BYTES:,} bytes")


RULES = (
    Rule(_TOO_LARGE, "error", "Athena refuses statements over 262,144 bytes.", _find_too_large),
    Rule(
        _LARGE,
        "warning",
        "Athena's answer holds the statement again, and a state machine's payload is 256 KiB.",
        _find_large,
    ),
)
