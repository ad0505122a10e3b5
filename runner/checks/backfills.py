"""`backfill: {from: ...}` must be a civil value of the table's own grain (SEMANTICS 10, 14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.checks.scene import Rule, Scene, Subject
from runner.errors import Fault
from runner.keeper.windows import parse_civil
from runner.model.header import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODE = "backfill-from"
_EXAMPLES = {"hour": "2013-01-01T00", "day": "2013-01-01", "month": "2013-01", "year": "2013"}


def _find(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    backfill = subject.table.header.backfill
    if backfill is None or subject.table.kind is not Kind.INSERT:
        return
    grain = subject.table.partitioning.grain
    if not grain:
        yield Fault(
            subject.places.key("backfill"),
            _CODE,
            "a backfill of a table without a time column",
            "a partition column of type date, or year, month, day, hour",
            "remove it, or add the time column",
        )
        return
    try:
        parse_civil(backfill.from_, grain)
    except ValueError:
        yield Fault(
            subject.places.value("backfill", "from"),
            _CODE,
            f"`from: {backfill.from_}` in a table partitioned by {grain}",
            f"a {grain} that exists, such as {_EXAMPLES[grain]}",
            "write the first period of the table's history",
        )


RULE = Rule(_CODE, "error", "A full refresh begins at this period.", _find)
