"""The report of a matrix: failures first with the words that repeat one, then totals."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.matrix.combinations import FAULTS, NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.matrix.play import Result

_SHOWN = 10


def report(
    results: Sequence[Result], *, listed: int, unreached: Sequence[str], seconds: float, jobs: int
) -> str:
    """Write the report as Markdown; `listed` is the number of combinations asked for."""
    wrong = [one for one in results if one.wrong]
    idle = [one for one in results if not one.struck]
    lines = [
        "# Fault matrix",
        "",
        _counts(results, listed) + f"; {seconds:.0f} s with {jobs} job{'s' * (jobs != 1)}",
    ]
    if wrong:
        lines += ["", "## Wrong", ""]
        for one in wrong:
            lines += _told(one)
    if idle:
        lines += [
            "",
            "## Not struck",
            "",
            "The state was not entered, or not at the first try.",
            "",
        ]
        lines += [f"- {one.combination.name} (ended {one.statuses})" for one in idle]
    lines += ["", "## Combinations and how many are wrong", "", *_totals(results)]
    lines += ["", "## How runs ended before they were continued", "", *_endings(results)]
    lines += ["", "## States that are never entered", ""]
    lines += [f"- every `{verb}`: {why}" for verb, why in NEVER.items()]
    lines += [f"- `{name}`: nothing leads to it" for name in unreached]
    return "\n".join([*lines, ""])


def _counts(results: Sequence[Result], listed: int) -> str:
    wrong = sum(bool(one.wrong) for one in results)
    idle = sum(not one.struck for one in results)
    return f"{len(results)} of {listed} combinations, {wrong} wrong, {idle} not struck"


def _told(one: Result) -> list[str]:
    found = [f"  - {line}" for line in one.wrong[:_SHOWN]]
    if len(one.wrong) > _SHOWN:
        found.append(f"  - and {len(one.wrong) - _SHOWN} more")
    again = f"scripts/fault_matrix --name '{one.combination.name}'"
    return [f"- `{again}` (runs ended {', '.join(map(str, one.statuses))})", *found]


def _totals(results: Sequence[Result]) -> list[str]:
    kinds = sorted({one.combination.state.kind for one in results})
    played = Counter((one.combination.fault.name, one.combination.state.kind) for one in results)
    wrong = Counter(
        (one.combination.fault.name, one.combination.state.kind) for one in results if one.wrong
    )
    lines = [f"| fault | {' | '.join(kinds)} |", f"|---|{'---|' * len(kinds)}"]
    for fault in FAULTS:
        cells = [
            f"{played[fault.name, kind]}"
            + (f" (**{wrong[fault.name, kind]} wrong**)" if wrong[fault.name, kind] else "")
            for kind in kinds
        ]
        lines.append(f"| {fault.name} | {' | '.join(cells)} |")
    return lines


def _endings(results: Sequence[Result]) -> list[str]:
    words = {0: "succeeded", 1: "failed", -9: "killed"}
    ended = Counter(
        (one.combination.fault.name, words.get(one.statuses[0], str(one.statuses[0])))
        for one in results
    )
    order = [fault.name for fault in FAULTS]
    found = sorted(ended.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))
    return [f"- {fault}: {count} {how}" for (fault, how), count in found]
