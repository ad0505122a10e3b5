"""A backfill plan as text: tables, windows, reasons, sizes, money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.cli.texts import columns, count, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.plan.backfill import PlannedTable, Stretch
    from runner.plan.document import BackfillPlan

_MOST = 3
"""Windows of a table that are shown."""
_CENT = 0.01
_HEAD = ("", "table", "to write", "missing", "stale", "failed", "statements", "scans", "USD")


def plan_text(plan: BackfillPlan) -> str:
    """Write a plan for people."""
    if not plan.tables:
        return f"{_nothing(plan)}{_loads(plan)}"
    head = f"backfill {plan.name}: {plan.start}..{plan.end}"
    if plan.continued:
        head += ", what is left of it"
    lines = [head, "", columns(_HEAD, [*_rows(plan), _total(plan)], right=range(2, len(_HEAD)))]
    lines += ["", *(line for table in plan.tables for line in _windows(table))]
    for gap in plan.gaps:
        lines.append(
            f"note: {gap.reader} reads {count(gap.periods, 'period')} of {gap.table} that are not "
            f"published ({gap.start}..{gap.end}); add +{gap.reader} to write them too"
        )
    if plan.loads:
        lines.append(f"loads afterwards: {', '.join(plan.loads)}")
    if any(table.estimated for table in plan.tables):
        lines.append("~ is a guess: what it reads is not written yet")
    return "\n".join(lines)


def _nothing(plan: BackfillPlan) -> str:
    if plan.continued:
        left = "only the loads are" if plan.loads else "nothing is"
        return f"backfill {plan.name}: everything is written, {left} left to do"
    return f"{plan.start}..{plan.end}: nothing is missing, stale or failed; nothing to do"


def _loads(plan: BackfillPlan) -> str:
    return f"\nto load: {', '.join(plan.loads)}" if plan.loads else ""


def price(amount: float) -> str:
    """Write an amount of money.

    >>> price(0.0001), price(12.345)
    ('<0.01', '12.35')
    """
    return "<0.01" if 0 < amount < _CENT else f"{amount:.2f}"


def _rows(plan: BackfillPlan) -> Iterator[tuple[str, ...]]:
    for table in plan.tables:
        guess = "~" if table.estimated else ""
        free = table.kind in ("view", "ddl")
        yield (
            str(table.wave),
            table.name,
            str(table.periods) if table.grain else table.kind,
            *(_number(table.count(state)) for state in ("missing", "stale", "failed")),
            f"{table.chunks:,}",
            "-" if free else f"{guess}{size(table.bytes)}",
            "-" if free else f"{guess}{price(table.bytes / 1e12 * plan.price_per_tb)}",
        )


def _total(plan: BackfillPlan) -> tuple[str, ...]:
    guess = "~" if any(table.estimated for table in plan.tables) else ""
    states = ("missing", "stale", "failed")
    return (
        "",
        count(len(plan.tables), "table"),
        f"{plan.periods:,}",
        *(_number(sum(table.count(state) for table in plan.tables)) for state in states),
        f"{plan.chunks:,}",
        f"{guess}{size(plan.bytes)}",
        f"{guess}{price(plan.money)}",
    )


def _number(number: int) -> str:
    return f"{number:,}" if number else "-"


def _windows(table: PlannedTable) -> Iterator[str]:
    shown = [_stretch(one) for one in table.stretches[:_MOST]]
    more = len(table.stretches) - _MOST
    if more > 0:
        shown.append(f"and {more} more")
    what = " (full refresh: a new generation)" if table.refresh else ""
    yield f"{table.name}{what}: {'; '.join(shown)}"


def _stretch(one: Stretch) -> str:
    if one.start == one.end:
        return one.why if one.start == "all" else f"{one.start} {one.why}"
    return f"{one.start}..{one.end} {one.why}"
