"""Keys of the header that a kind of table cannot follow, and those that it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.checks.scene import Rule, Scene, Subject
from runner.errors import Fault
from runner.model.header import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNFIT = "key-unfit"
_NO_PARTITION = "insert-without-partition"
_WRITTEN = ("partition", "format", "compression", "bucket", "tests", "allow_empty")
_INCREMENTAL = ("lookback", "backfill")
_UNFIT_KEYS = {
    Kind.VIEW: (*_WRITTEN, *_INCREMENTAL, "keys", "properties", "watch"),
    Kind.DDL: (*_WRITTEN, *_INCREMENTAL, "keys", "properties", "watch", "load"),
    Kind.CTAS: (*_INCREMENTAL,),
    Kind.INSERT: ("bucket",),
}
_REASONS = {
    Kind.VIEW: "a view holds no rows of its own",
    Kind.DDL: "the CREATE EXTERNAL TABLE statement says everything about the table",
    Kind.CTAS: "a ctas table is written whole in each run",
    Kind.INSERT: "Athena refuses INSERT INTO a bucketed table",
}
_ADVICE = {
    Kind.VIEW: "remove the key, or choose kind: ctas or insert",
    Kind.DDL: "remove the key, and say it in the statement where it has a place",
    Kind.CTAS: "remove the key, or choose kind: insert with a partition",
    Kind.INSERT: "remove the key, or choose kind: ctas",
}


def _find_unfit(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    kind = subject.table.kind
    for key in _UNFIT_KEYS[kind]:
        if subject.wrote(key):
            yield Fault(
                subject.places.key(key),
                _UNFIT,
                f"`{key}` in a table of kind {kind.value}",
                f"no such key: {_REASONS[kind]}",
                _ADVICE[kind],
            )


def _find_missing(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    table = subject.table
    if table.kind is Kind.INSERT and not table.header.partition:
        yield Fault(
            subject.places.value("kind"),
            _NO_PARTITION,
            "kind: insert without a partition",
            "`partition`: the columns whose values a run writes anew",
            "add a partition, such as dt: {type: date, ...}, or choose kind: ctas",
        )


RULES = (
    Rule(
        _UNFIT, "error", "A key that has no effect would promise what does not happen.", _find_unfit
    ),
    Rule(
        _NO_PARTITION,
        "error",
        "Without partitions a second run would double the rows: there is nothing to replace.",
        _find_missing,
    ),
)
