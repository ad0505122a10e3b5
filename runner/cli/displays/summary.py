"""The end of a run as text: what was published and loaded, what failed, where the marts are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.cli.displays.plans import price
from runner.cli.texts import columns, count, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.app.results import Ended
    from runner.app.run import RunResult
    from runner.app.statements import Statement

_BAD = ("failed", "skipped", "unfinished")
_MOST_NAMED = 5
"""More tables than this are not listed in a command: everything is run again."""


def summary(result: RunResult) -> str:
    """Write the whole end of a run."""
    rows = [_row(one) for one in result.ended]
    lines = [""]
    if rows:
        head = ("", "kind", "status", "rows", "size")
        lines += [columns(head, rows, right=(3, 4)), ""]
    for one in result.ended:
        if one.status == "failed":
            lines += _failure(one)
        lines += [f"{one.name} warns: {warning}" for warning in one.warnings]
    lines += _verdict(result)
    if result.statements:
        lines.append(f"  {spent(result.statements, result.cost)}")
    lines += [f"  console:  {url}" for _, url in result.links[:1]]
    return "\n".join(lines)


def _failure(one: Ended) -> list[str]:
    name = f"{one.name} load" if one.kind == "load" else one.name
    lines = [f"{name} failed: {one.message}"]
    if one.place:
        lines.append(f"  at: {one.place}")
    if one.advice:
        lines.append(f"  do: {one.advice}")
    return lines


def _row(one: Ended) -> tuple[str, ...]:
    name = f"{one.name} -> {one.mart}:{one.mart_table}" if one.mart else one.name
    counted = one.status in ("published", "loaded") and one.kind in ("table", "load")
    rows = f"{one.rows:,}" if counted and (one.rows or one.partitions or one.mart) else ""
    return (name, one.kind, one.status, rows, size(one.bytes) if one.bytes else "")


def _verdict(result: RunResult) -> list[str]:
    what = f"{result.backfill or result.workflow} {result.start}..{result.end}"
    if not result.run:
        return [f"backfill {what}: everything was published already; nothing is left to do"]
    run = f"(run {result.run})"
    if result.status in ("RUNNING", "PENDING_REDRIVE"):
        return [f"{what} runs {run}", *([f"  follow it:  {result.again}"] if result.again else [])]
    if result.status == "SUCCEEDED":
        looks = [f"  look at the mart:  {how}" for _, how in result.marts]
        return [f"{what} succeeded in {result.seconds:.1f} s {run}", *looks]
    counts = [
        f"{number} {status}"
        for status in _BAD
        if (number := sum(one.status == status for one in result.ended))
    ]
    if result.status == "ABORTED":
        stopped = ", ".join(counts) or "nothing was begun"
        again = (
            _backfill(result)
            or result.again
            or f"runner run --resume {result.run}{_environment(result)}"
        )
        return [f"{what} stopped: {stopped} {run}", f"  continue it:  {again}"]
    how = result.status.lower().replace("_", " ")
    if counts:
        counts[-1] += f" of {len(result.ended)} steps"
        return [
            f"{what} {how}: {', '.join(counts)} {run}",
            f"  after mending it:  {_again(result)}",
        ]
    lines = [f"{what} {how}: {result.message} {run}"]
    lines += [f"  do: {result.advice}"] if result.advice else []
    return [*lines, f"  after mending it:  {result.again}"] if result.again else lines


def _again(result: RunResult) -> str:
    """Write the command that does what is left: the tables that failed or were skipped."""
    if result.backfill:
        return _backfill(result)
    if result.again:
        return result.again
    left = list(
        dict.fromkeys(o.name for o in result.ended if o.status in _BAD and o.kind != "step")
    )
    only = "".join(f" --only {name}" for name in left) if len(left) <= _MOST_NAMED else ""
    window = f"--start {result.start} --end {result.end}"
    return f"runner run {result.workflow} {window}{only}{_environment(result)}"


def _backfill(result: RunResult) -> str:
    """Write the command that continues a backfill; empty for another run."""
    if not result.backfill:
        return ""
    return f"runner backfill --name {result.backfill}{_environment(result)}"


def _environment(result: RunResult) -> str:
    return "" if result.environment == "local" else f" --env {result.environment}"


def spent(found: Sequence[Statement], cost: float) -> str:
    """Write what the statements of a run scanned and cost.

    >>> from runner.app.statements import Statement
    >>> spent([Statement("q", "a insert", "SUCCEEDED", "DML", 2_000_000_000)], 0.01)
    '1 statement scanned 2.0 GB, about 0.01 USD'
    """
    scanned, money = size(sum(one.scanned for one in found)), price(cost)
    about = "under" if money.startswith("<") else "about"
    return f"{count(len(found), 'statement')} scanned {scanned}, {about} {money.lstrip('<')} USD"
