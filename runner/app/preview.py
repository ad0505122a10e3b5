"""`preview`: the rows that a table's SQL gives for a window, without publishing anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.app.inspect import find_table
from runner.app.local_places import Local
from runner.app.locate import locate, message_only
from runner.app.places import open_environment
from runner.app.preview_window import choose_window, query_of, window_statement
from runner.errors import Fault, RunFailed
from runner.keeper.diagnose import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from runner.app.bundle import TableFacts
    from runner.app.places import Places
    from runner.app.preview_window import Window
    from runner.app.remote_places import Remote
    from runner.aws.queries import QueryState


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
    usd: float | None = None
    """What the scan costs; None on this machine."""
    notes: tuple[str, ...] = ()
    """What of the window is not published, on AWS; here it would be stood in for."""
    query: str = ""
    """Id of Athena's query."""


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
    tell: Callable[[QueryState], None] | None = None,
) -> Preview:
    """Run a table's SELECT over a window, reading what is published.

    In an environment on AWS it runs on Athena itself, and `tell` hears how far it is.
    The window is a day unless the table's time column is coarser or finer; yesterday if not given.
    Raises UsageError for a bad window or name, RunFailed with Athena's message at the file's line.
    """
    clock = now or (lambda: datetime.now(UTC))
    places = open_environment(root, environment, variables, now=clock)
    table = find_table(places.bundle, name)
    window = choose_window(places.bundle, table, start, end, clock())
    asked = _Asked(table, window, limit, variables)
    if isinstance(places, Local):
        return _here(places, asked)
    from runner.app.remote_start import as_remote  # noqa: PLC0415 - boto3 loads there

    return _there(as_remote(places), asked, tell or _ignore)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is previewed."""

    table: TableFacts
    window: Window
    limit: int
    variables: Mapping[str, str] | None

    @property
    def windowed(self) -> bool:
        """Tell whether the SQL has a window at all."""
        return any(not isinstance(part, str) for part in self.table.parts)


def _here(local: Local, asked: _Asked) -> Preview:
    """Ask the local Athena; what is not published is stood in for."""
    from runner.app.rehearsal import StandInFailed, rehearsal  # noqa: PLC0415 - DuckDB loads there
    from runner.local.athena import AthenaFailure  # noqa: PLC0415

    table, window, limit = asked.table, asked.window, asked.limit
    try:
        with rehearsal(local, table, window, statement=window_statement) as athena:
            found = athena.query(query_of(table, window), table.database, most=limit + 1)
    except StandInFailed as failed:
        raise _failure(local, failed.table, failed.reason, asked.variables) from failed
    except AthenaFailure as error:
        raise _failure(local, table, error.reason, asked.variables) from error
    return Preview(
        table=table.name,
        start=window.start,
        end=window.end,
        columns=found.columns,
        rows=found.rows[:limit],
        scanned_bytes=found.bytes_scanned,
        more=len(found.rows) > limit,
        windowed=asked.windowed,
    )


def _there(remote: Remote, asked: _Asked, tell: Callable[[QueryState], None]) -> Preview:
    """Ask Athena itself."""
    from runner.app.remote_preview import query_on_aws  # noqa: PLC0415 - boto3 loads there
    from runner.aws.queries import QueryFailed  # noqa: PLC0415

    table, window, limit = asked.table, asked.window, asked.limit
    sql = query_of(table, window)
    try:
        given = query_on_aws(remote, table, window, sql=sql, limit=limit, tell=tell)
    except QueryFailed as error:
        raise _failure(remote, table, error.reason, asked.variables) from error
    found = given.found
    return Preview(
        table=table.name,
        start=window.start,
        end=window.end,
        columns=found.columns,
        rows=found.rows[:limit],
        scanned_bytes=found.scanned_bytes,
        more=len(found.rows) > limit,
        windowed=asked.windowed,
        usd=given.usd,
        notes=given.notes,
        query=found.query,
    )


def _ignore(state: QueryState) -> None:
    del state


def _failure(
    places: Places, table: TableFacts, reason: str, variables: Mapping[str, str] | None
) -> RunFailed:
    place = locate(places.root, places.bundle, table, reason, variables=variables)
    advice = explain("", reason).advice or "correct the SQL"
    found = message_only(reason, place)
    return RunFailed([Fault(place, "query-failed", found, "a query that runs", advice)])
