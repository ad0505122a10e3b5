"""Athena writes at most 100 partitions x buckets in one statement (SEMANTICS 11 and 22)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.checks.scene import Rule, Scene, Subject
from runner.errors import Fault
from runner.model.header import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_WRITERS = 100
_CTAS = "ctas-partitions"
_INSERT = "insert-partitions"


def _find_ctas(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    header = subject.table.header
    if subject.table.kind is not Kind.CTAS or not header.partition:
        return
    buckets = header.bucket.count if header.bucket else 1
    count = subject.partition_count
    if count is not None and count * buckets <= MOST_WRITERS:
        return
    if count is None:
        found = "a ctas whose partitions grow with time"
    elif buckets > 1:
        found = f"a ctas of {count:,} partitions x {buckets} buckets"
    else:
        found = f"a ctas of {count:,} partitions"
    yield Fault(
        subject.places.key("partition"),
        _CTAS,
        found,
        f"at most {MOST_WRITERS} partitions x buckets, which Athena writes in one statement",
        "write kind: insert, which writes the window's partitions only, or narrow the ranges",
    )


def _find_insert(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    if subject.table.kind is Kind.INSERT and subject.writers > MOST_WRITERS:
        yield Fault(
            subject.places.key("partition"),
            _INSERT,
            f"{subject.writers:,} partitions in one period",
            f"at most {MOST_WRITERS}, which Athena writes in one statement",
            "narrow the ranges, or make one of the columns an ordinary one",
        )


RULES = (
    Rule(
        _CTAS,
        "error",
        "A CTAS statement writes at most 100 partitions x buckets; it fails after minutes of work.",
        _find_ctas,
    ),
    Rule(
        _INSERT,
        "error",
        "An INSERT writes at most 100 partitions; a period is never split.",
        _find_insert,
    ),
)
