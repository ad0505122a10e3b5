"""What a file reads among the project's tables: edges, sources, look-backs, and faults.

In: an analysis, the project's tables with their time columns, the declared sources.  Out: `Reads`
that the plan is made of.  SEMANTICS 19, 20, 21, 26.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.model.names import TableName
from runner.model.project import Read
from runner.query.lookback import periods_before

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from runner.errors import Fault
    from runner.model.sqltext import Mark
    from runner.query.facts import Analysis, Mention
    from runner.query.rendered import Rendered

_SPANS = {"year": 366, "month": 31, "day": 1, "hour": 0}


@dataclass(frozen=True, slots=True)
class Resolved:
    """The tables that a file reads, and what is wrong with them."""

    reads: tuple[Read, ...]
    sources: tuple[str, ...]
    faults: tuple[Fault, ...]


def resolve(
    rendered: Rendered,
    analysis: Analysis,
    *,
    tables: Mapping[TableName, tuple[str, ...]],
    sources: Collection[str],
    grain: str = "day",
    lookback: Mapping[str, int] | None = None,
) -> Resolved:
    """Tell edges from sources and find their look-backs.

    `tables` maps every table of the project to its partition columns of time, `grain` is that of
    this table's own windows, `lookback` the header's overrides by `database.table`.
    """
    mentions = [m for m in analysis.mentions if not m.is_target]
    texts = (*(m.table for m in mentions), *map(str, rendered.refs))
    known = {text: name for text in texts if (name := TableName.split(text)) in tables}
    faults = [
        _unknown(rendered, mention, known=tables, sources=sources)
        for mention in mentions
        if mention.table not in known and mention.table not in sources
    ]
    overrides = lookback or {}
    reads = tuple(
        _read(analysis, known[name], tables[known[name]], grain=grain, override=overrides.get(name))
        for name in known
    )
    faults += _self_reference(rendered, analysis, reads)
    outside = dict.fromkeys(m.table for m in mentions if m.table not in known)
    return Resolved(reads, tuple(name for name in outside if name in sources), tuple(faults))


def _read(
    analysis: Analysis,
    table: TableName,
    time_columns: tuple[str, ...],
    *,
    grain: str,
    override: int | None,
) -> Read:
    indexes = [
        index
        for index, mention in enumerate(analysis.mentions)
        if mention.table == str(table) and not mention.is_target
    ]
    found = [_mention_lookback(analysis, index, time_columns, grain) for index in indexes]
    known = [periods for periods in found if periods is not None]
    windowed = bool(found) and len(known) == len(found)
    if override is not None:
        return Read(table, windowed=True, lookback=override)
    return Read(table, windowed=windowed, lookback=max(known, default=0) if windowed else 0)


def _mention_lookback(
    analysis: Analysis, index: int, time_columns: tuple[str, ...], grain: str
) -> int | None:
    """Give the look-back of one mention; None when its time is not bounded from below."""
    marks: dict[str, list[Mark]] = {}
    for found in analysis.filters:
        if found.mention == index:
            marks.setdefault(found.column, []).extend(found.marks)
    bounding: list[str] = []
    for column in time_columns:
        if column not in marks:
            break
        bounding.append(column)
    if not bounding:
        return None
    periods = max(periods_before(marks[column], grain) for column in bounding)
    if len(bounding) == len(time_columns) or grain not in ("day", "hour"):
        return periods
    days = _SPANS.get(bounding[-1], 0) - 1
    return periods + max(0, days) * (24 if grain == "hour" else 1)


def _unknown(
    rendered: Rendered,
    mention: Mention,
    *,
    known: Collection[TableName],
    sources: Collection[str],
) -> Fault:
    candidates = sorted({*map(str, known), *sources})
    close = difflib.get_close_matches(mention.table, candidates, n=3, cutoff=0.6)
    table = mention.table.rpartition(".")[2]
    close += [name for name in candidates if name.endswith(f".{table}") and name not in close]
    advice = f"declare it under `sources:` in config.yaml, or add sql/{_path(mention.table)}"
    if close:
        advice = f"did you mean {' or '.join(close[:3])}? else {advice}"
    return rendered.fault(
        mention.start,
        "unknown-table",
        found=f"{mention.table}, which is neither a table of the project nor a source",
        expected="a CTE, a table with a file under sql/, or a declared source",
        advice=advice,
    )


def _path(table: str) -> str:
    return f"{table.replace('.', '/')}.sql"


def _self_reference(rendered: Rendered, analysis: Analysis, reads: tuple[Read, ...]) -> list[Fault]:
    """SEMANTICS 21: only an insert may read itself, and only what lies before its window."""
    own = next((read for read in reads if read.table == analysis.name), None)
    if own is None or (analysis.kind == "insert" and own.windowed and own.lookback > 0):
        return []
    mention = next((m for m in analysis.mentions if m.table == str(analysis.name)), None)
    what = "without a look-back" if analysis.kind == "insert" else f"in kind {analysis.kind.value}"
    return [
        rendered.fault(
            mention.start if mention is not None else 0,
            "self-reference",
            found=f"{analysis.name} reads itself {what}",
            expected="an insert that reads its own earlier partitions",
            advice="filter it by a time before the window: dt >= '{{ start.add(days=-1) }}' "
            "AND dt < '{{ start }}', or read another table",
        )
    ]
