"""What a header's tests found when the table was last written, as its records keep it.

In: a table and the records of an environment's lake.  Out: one `KeptTest` for each test, over the
newest record of every partition; and what the tests stopped since.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner.app.bundle import TableFacts
    from runner.app.places import Places
    from runner.keeper.records import Entry

_MOST_PLACES = 5
_STAMP = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True, slots=True)
class KeptTest:
    """One test of a header."""

    test: str
    severity: str
    status: str
    """passed or warned: what fails is not published, and so has no record."""
    partitions: int
    """Partitions whose rows were tested."""
    rows: int
    offending: int
    failing: int
    """Partitions with offending rows."""
    where: tuple[str, ...]
    """Up to five of them."""


@dataclass(frozen=True, slots=True)
class KeptTests:
    """The tests of one table."""

    table: str
    tests: tuple[KeptTest, ...]
    run: str = ""
    """The run that published last."""
    published_at: str = ""
    stopped: str = ""
    """What the tests stopped after that: the message of the newest run of this machine."""


def kept_tests(places: Places, facts: TableFacts) -> KeptTests:
    """Read the results of a table's tests."""
    from runner.keeper import records  # noqa: PLC0415 - only where records are read

    storage = places.storage()
    found = records.entries(storage, f"{facts.database}.{facts.name.partition('.')[2]}")
    latest = records.newest(found, facts.grain or None)
    entries = sorted({entry for entry in latest.values() if entry.published})
    if not entries:
        return KeptTests(facts.name, (), stopped=places.stopped(facts.name, None))
    last = entries[-1]
    read = records.bodies(storage, entries)
    bodies = [read[entry] for entry in entries]
    owned = [{period for period, one in latest.items() if one == entry} for entry in entries]
    return KeptTests(
        table=facts.name,
        tests=tuple(_tests(list(zip(bodies, owned, strict=True)))),
        run=".".join(last.run.split(".")[1:2]) or last.run,
        published_at=_moment(last).isoformat(timespec="seconds"),
        stopped=places.stopped(facts.name, last),
    )


def _tests(records: list[tuple[dict[str, Any], set[str]]]) -> list[KeptTest]:
    """Add up the results of each test of the newest record; older records may lack some.

    Beside each record stand the periods that no later one has replaced.
    """
    names = [result["test"] for result in records[-1][0]["tests"]]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for body, owned in records:
        for result in body["tests"]:
            if result["test"] in found:
                found[result["test"]].append(_current(body, result, owned))
    return [_added(name, results) for name, results in found.items()]


def _current(body: dict[str, Any], result: dict[str, Any], owned: set[str]) -> dict[str, Any]:
    """Leave the partitions out that a later record has replaced, as far as they are named."""
    rows = {period: count for period, count in body["rows"].items() if period in owned}
    if len(rows) == len(body["rows"]):
        return {"partitions": len(rows), "failing": len(result["where"]), **result} | {
            "rows": sum(rows.values())
        }
    now = {
        **result,
        "rows": sum(rows.values()),
        "partitions": sum(1 for count in rows.values() if count),
    }
    named = list(zip(result["where"], result.get("counts", ()), strict=False))
    if len(named) < result.get("failing", 1):
        return now
    gone = set(body["rows"]) - owned
    kept = [(place, count) for place, count in named if re.split("[/ ]", place)[0] not in gone]
    return {
        **now,
        "offending": sum(count for _, count in kept),
        "where": [place for place, _ in kept],
        "failing": len(kept),
    }


def _added(name: str, results: list[dict[str, Any]]) -> KeptTest:
    offending = sum(result["offending"] for result in results)
    where = [place for result in results for place in result["where"]]
    return KeptTest(
        test=name,
        severity=results[-1]["severity"],
        status="warned" if offending else "passed",
        partitions=sum(result["partitions"] for result in results),
        rows=sum(result["rows"] for result in results),
        offending=offending,
        failing=sum(result["failing"] for result in results),
        where=tuple(where[:_MOST_PLACES]),
    )


def _moment(entry: Entry) -> datetime:
    return datetime.strptime(entry.at, _STAMP).replace(tzinfo=UTC)
