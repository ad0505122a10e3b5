"""The end of a run as text: what was published and loaded, what failed, where the marts are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.cli.texts import columns, size

if TYPE_CHECKING:
    from runner.app.results import Ended
    from runner.app.run import RunResult

_BAD = ("failed", "skipped", "unfinished")


def summary(result: RunResult) -> str:
    """Write the whole end of a run."""
    rows = [_row(one) for one in result.ended]
    lines = [""]
    if rows:
        head = ("", "kind", "status", "rows", "size")
        lines += [columns(head, rows, right=(3, 4)), ""]
    for one in result.ended:
        if one.status == "failed":
            what = f"{one.name} load" if one.kind == "load" else one.name
            lines.append(f"{what} failed: {one.message}")
            if one.advice:
                lines.append(f"  do: {one.advice}")
        lines += [f"{one.name} warns: {warning}" for warning in one.warnings]
    lines.append(_verdict(result))
    if result.status == "SUCCEEDED" and result.marts:
        lines += [f"  look at the mart:  {how}" for _, how in result.marts]
    elif result.status != "SUCCEEDED":
        lines.append(_next_step(result))
    return "\n".join(lines)


def _row(one: Ended) -> tuple[str, ...]:
    name = f"{one.name} -> {one.mart}:{one.mart_table}" if one.mart else one.name
    counted = one.status in ("published", "loaded") and one.kind in ("table", "load")
    rows = f"{one.rows:,}" if counted and (one.rows or one.partitions or one.mart) else ""
    return (name, one.kind, one.status, rows, size(one.bytes) if one.bytes else "")


def _verdict(result: RunResult) -> str:
    bad = [one for one in result.ended if one.status in _BAD]
    window = f"{result.start}..{result.end}"
    if result.status == "SUCCEEDED":
        return f"{result.workflow} {window} succeeded in {result.seconds:.1f} s (run {result.run})"
    what = (
        f"{len(bad)} of {len(result.ended)} steps failed or were skipped"
        if bad
        else (f"{result.error}: {result.cause}" if result.error else "")
    )
    return f"{result.workflow} {window} {result.status.lower()}: {what} (run {result.run})"


def _next_step(result: RunResult) -> str:
    if result.status == "ABORTED":
        return f"  continue it:  runner run --resume {result.run}"
    again = f"runner run {result.workflow} --start {result.start} --end {result.end}"
    return f"  after mending it:  {again}"
