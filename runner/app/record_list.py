"""`records`: what the newest records say, one line for each publish that counts.

In: a project and the records of its lake.  Out: `RecordView`s, oldest window first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.app.backfill_choice import choose, choose_range, nodes_of, spans_of
from runner.app.inspect import run_name
from runner.app.places import open_environment
from runner.keeper import records
from runner.keeper.publish import summary
from runner.plan.calendar import label

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from runner.keeper.records import Entry
    from runner.keeper.storage import Storage
    from runner.plan.facts import Node
    from runner.plan.staleness import Span


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """What a test of the header found in the staged rows."""

    test: str
    severity: str
    offending: int

    __test__ = False
    """Not a class of tests, for pytest."""


@dataclass(frozen=True, slots=True)
class RecordView:
    """One record."""

    table: str
    start: str
    end: str
    state: str
    """published, writing (begun and never ended) or failed."""
    at: str
    """When, in UTC."""
    run: str
    fingerprint: str
    current: bool
    """Written from today's SQL."""
    rows: int
    files: int
    bytes: int
    tests: tuple[TestOutcome, ...]
    message: str
    """Why it failed."""


def list_records(
    root: Path,
    patterns: tuple[str, ...] = ("*.*",),
    *,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
    start: str | None = None,
    end: str | None = None,
    failed: bool = False,
    now: datetime | None = None,
) -> tuple[RecordView, ...]:
    """List the records that count, or the failures; UsageError for a pattern that means none."""
    moment = now or datetime.now(UTC)
    places = open_environment(root, environment, variables, now=lambda: moment)
    bundle = places.bundle
    nodes = nodes_of(bundle, moment)
    choice = choose(bundle, patterns)
    spans: dict[str, Span] | None = None
    if start is not None or end is not None:
        asked = choose_range(bundle, choice, start=start, end=end, now=moment)
        spans, _ = spans_of(nodes, choice.tables, asked)
    storage = places.storage()
    wanted = [name for name in choice.tables if spans is None or name in spans]

    def of_table(name: str) -> list[Entry]:
        span = None if spans is None else spans[name]
        return _chosen(storage, nodes[name], span, failed=failed)

    with places.refusals("read the lake's records"):
        return tuple(
            _view(entry, nodes[name], body)
            for name, entries in zip(wanted, storage.each(of_table, wanted), strict=True)
            for entry, body in records.bodies(storage, entries).items()
        )


def _chosen(storage: Storage, node: Node, span: Span | None, *, failed: bool) -> list[Entry]:
    """Give the records of a table that are shown."""
    every = records.history(storage, node.physical)
    if failed:
        chosen = [entry for entry in every if entry.state == records.FAILED]
    else:
        newest = records.newest(every, node.grain or None)
        chosen = list(dict.fromkeys(newest[period] for period in sorted(newest)))
    return [entry for entry in chosen if span is None or _meets(entry, node, span)]


def _meets(entry: Entry, node: Node, span: Span) -> bool:
    if not node.grain:
        return True
    first, last = label(span.first, node.grain), label(span.last, node.grain)
    return entry.start <= last and entry.end >= first


def _view(entry: Entry, node: Node, body: Mapping[str, Any]) -> RecordView:
    whole = summary({"files": [], "rows": {}, "tests": [], **body})
    return RecordView(
        table=node.name,
        start=entry.start,
        end=entry.end,
        state=entry.state,
        at=_instant(entry.at),
        run=run_name(entry.run),
        fingerprint=entry.fingerprint,
        current=node.fingerprint.startswith(entry.fingerprint),
        rows=whole["rows"],
        files=whole["files"],
        bytes=whole["bytes"],
        tests=tuple(_tests(body.get("tests", ()))),
        message=str(body.get("message", "")),
    )


def _tests(found: Iterable[Mapping[str, Any]]) -> Iterable[TestOutcome]:
    for one in found:
        yield TestOutcome(str(one["test"]), str(one["severity"]), int(one["offending"]))


def _instant(stamp: str) -> str:
    """Write a record's stamp for people.

    >>> _instant("20130105T030000.123456Z")
    '2013-01-05T03:00:00+00:00'
    """
    return datetime.strptime(stamp, "%Y%m%dT%H%M%S.%f%z").isoformat(timespec="seconds")
