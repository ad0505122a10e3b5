"""`preview`: the rows that a table's SQL gives for a window, without publishing anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.app.bundle import open_bundle
from runner.app.inspect import find_table
from runner.app.local_places import open_places
from runner.app.locate import locate, message_only
from runner.app.rehearsal import StandInFailed, Window, rehearsal
from runner.errors import Fault, Place, RunFailed, UsageError
from runner.keeper import windows
from runner.keeper.diagnose import explain
from runner.local.athena import AthenaFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle, TableFacts

_PATTERNS = {"hour": "yyyy-MM-dd'T'HH", "day": "yyyy-MM-dd", "month": "yyyy-MM", "year": "yyyy"}


@dataclass(frozen=True, slots=True)
class Preview:
    """Rows of a table's query."""

    table: str
    start: str
    end: str
    columns: tuple[tuple[str, str], ...]
    """Names and Athena types."""
    rows: tuple[tuple[Any, ...], ...]
    scanned_bytes: int
    more: bool
    """Whether the query gave more rows than are shown."""
    windowed: bool
    """Whether the SQL has a window at all."""


def preview(
    root: Path,
    name: str,
    *,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
    start: str | None = None,
    end: str | None = None,
    limit: int = 20,
    now: Callable[[], datetime] | None = None,
) -> Preview:
    """Run a table's SELECT over a window on the local Athena, reading what is published.

    The window is a day unless the table's time column is coarser or finer; yesterday if not given.
    Raises UsageError for a bad window or name, RunFailed with Athena's message at the file's line.
    """
    clock = now or (lambda: datetime.now(UTC))
    bundle = open_bundle(root, environment, variables)
    table = find_table(bundle, name)
    window = _window(bundle, table, start, end, clock())
    local = open_places(root, bundle, now=clock)
    try:
        with rehearsal(local, table, window, statement=window_statement) as athena:
            found = athena.query(_query(table, window), table.database, most=limit + 1)
    except StandInFailed as failed:
        place = locate(root, bundle, failed.table, failed.reason, variables=variables)
        raise _failure(place, failed.reason) from failed
    except AthenaFailure as error:
        place = locate(root, bundle, table, error.reason, variables=variables)
        raise _failure(place, error.reason) from error
    return Preview(
        table=name,
        start=window.start,
        end=window.end,
        columns=found.columns,
        rows=found.rows[:limit],
        scanned_bytes=found.bytes_scanned,
        more=len(found.rows) > limit,
        windowed=any(not isinstance(part, str) for part in table.parts),
    )


def _window(
    bundle: Bundle, table: TableFacts, start: str | None, end: str | None, now: datetime
) -> Window:
    """Read the window as days or in the table's own grain; widen it to the table's."""
    start, end = start or end, end or start
    if start is None or end is None:
        start, end = windows.scheduled_window(
            now.isoformat(), bundle.timezone, last=1, unit="day", lag=1
        )
    for grain in dict.fromkeys(("day", table.grain or "day", "hour", "month")):
        try:
            windows.parse_civil(start, grain)
            windows.parse_civil(end, grain)
        except ValueError:
            continue
        return Window(start, end, grain).to(table.grain or grain)
    expected = "days such as 2013-01-05, or hours or months alike"
    fault = Fault(Place("--date"), "bad-window", f"{start}..{end}", expected, "correct the window")
    raise UsageError([fault])


def _query(table: TableFacts, window: Window) -> str:
    if table.kind == "ddl":
        return f'SELECT * FROM "{table.database}"."{table.name.partition(".")[2]}"'
    return window_statement(table, window)


def window_statement(table: TableFacts, window: Window) -> str:
    """Write a table's own text for a window."""
    return "".join(
        part
        if isinstance(part, str)
        else windows.evaluate_mark(
            window.start,
            window.end,
            window.grain,
            base=part["base"],
            steps=part["steps"],
            pattern=part["format"] or _PATTERNS[window.grain],
        )
        for part in table.parts
    )


def _failure(place: Place, reason: str) -> RunFailed:
    advice = explain("", reason).advice or "correct the SQL"
    found = message_only(reason)
    return RunFailed([Fault(place, "query-failed", found, "a query that runs", advice)])
