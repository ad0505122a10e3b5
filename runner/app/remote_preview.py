"""`preview` on AWS: a table's SELECT on the real Athena, over what is published there.

In: a table and a window.  Out: its first rows, what was scanned and what that costs.  Nothing
stands in for a table that does not exist yet: it is named, and no query is started.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.app.backfill_choice import nodes_of
from runner.app.backfill_ledgers import read_ledgers
from runner.aws.queries import QueryPlace, run_query
from runner.errors import Fault, Place, RunFailed
from runner.model.names import deployed_name
from runner.plan.calendar import Calendar, ordinal, widen
from runner.plan.facts import NOTHING
from runner.plan.sizes import charge, money

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runner.app.bundle import TableFacts
    from runner.app.preview_window import Window
    from runner.app.remote_places import Remote
    from runner.aws.queries import QueryRows, QueryState
    from runner.plan.facts import Node, Read

_NAMED = 5


@dataclass(frozen=True, slots=True)
class RemoteRows:
    """Rows that Athena gave, and what is to be known of them."""

    found: QueryRows
    usd: float
    """What the scan costs."""
    notes: tuple[str, ...]
    """What of the window is not published."""


def query_on_aws(
    remote: Remote,
    table: TableFacts,
    window: Window,
    *,
    sql: str,
    limit: int,
    tell: Callable[[QueryState], None],
) -> RemoteRows:
    """Run a table's query, whose text is `sql`; QueryFailed, RunFailed, CloudRefused."""
    with remote.refusals("see what the table reads"):
        _refuse_missing(remote, table)
        notes = tuple(_unpublished(remote, table, window))
    environment = remote.cloud.environment
    where = QueryPlace(
        database=table.database,
        workgroup=environment["workgroup"] or deployed_name(remote.bundle.prefix),
        results=environment["results"],
    )
    found = run_query(
        remote.cloud.session, limited(sql, limit + 1), where, most=limit + 1, tell=tell
    )
    usd = money(charge(found.scanned_bytes), remote.bundle.price_per_tb)
    return RemoteRows(found, usd, notes)


def limited(sql: str, most: int) -> str:
    r"""Let Athena stop after so many rows; the text itself stands on lines of its own.

    >>> limited("SELECT 1 AS one -- only", 3)
    'SELECT * FROM (\nSELECT 1 AS one -- only\n) LIMIT 3'
    """
    return f"SELECT * FROM (\n{sql}\n) LIMIT {most}"


def _refuse_missing(remote: Remote, table: TableFacts) -> None:
    """Raise RunFailed for what the query reads and the catalogue does not have."""
    facts = {one.name: one for one in remote.bundle.tables}
    read = [table.name] if table.kind == "ddl" else [one for one in table.reads if one in facts]
    with remote.catalog_open() as catalog:
        missing = [
            name
            for name in read
            if catalog.table(f"{facts[name].database}.{name.partition('.')[2]}") is None
        ]
    if not missing:
        return
    name = remote.bundle.environment_name
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    found = f"{', '.join(missing[:_NAMED])}{more}, which {name} does not have yet"
    workflow = next((one.name for one in remote.bundle.workflows if missing[0] in one.tables), "")
    advice = (
        f"runner run {workflow} --env {name} --only {missing[0]} --date ..., or preview it here, "
        "where what is missing is stood in for: leave --env away"
    )
    expected = "tables that were published"
    raise RunFailed([Fault(Place(table.file), "not-published", found, expected, advice)])


def _unpublished(remote: Remote, table: TableFacts, window: Window) -> Iterator[str]:
    """Name the periods of the window that a windowed input lacks."""
    nodes = nodes_of(remote.bundle, remote.now())
    reads = [one for one in nodes[table.name].reads if _has_periods(nodes, one)]
    ledgers = read_ledgers(remote.storage(), nodes, {one.table for one in reads})
    for read in reads:
        upstream = nodes[read.table]
        first, last = (ordinal(one, window.grain) for one in (window.start, window.end))
        low, high = widen(first - read.lookback, last, window.grain, upstream.grain)
        have = ledgers.get(read.table, NOTHING).at
        lacking = [one for one in Calendar().labels(low, high, upstream.grain) if one not in have]
        if lacking:
            shown = lacking[0] if len(lacking) == 1 else f"{lacking[0]}..{lacking[-1]}"
            yield f"{read.table}: {len(lacking)} of {high - low + 1} not published ({shown})"


def _has_periods(nodes: dict[str, Node], read: Read) -> bool:
    upstream = nodes.get(read.table)
    return read.windowed and upstream is not None and bool(upstream.grain)
