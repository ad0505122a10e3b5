"""The checks of a load: what would damage or lose rows is found before any row moves.

In: a `LoadCase`.  Out: every finding at once.  An error refuses the load; a warning is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.loads.checks.case import DRIFT, Check, Counted, Finding, LoadCase
from runner.loads.checks.jobs import PARSER, SECRETS, TASKS
from runner.loads.checks.keys import MERGE_KEY, UNIQUE_ROWS
from runner.loads.checks.replaceable import REPLACEABLE
from runner.loads.checks.server import LEFTOVERS, PRIVILEGES, ROWS, is_leftover
from runner.loads.checks.shape import drift, is_rebuilt, target
from runner.loads.checks.texts import CHARSET, LENGTHS, NAMES
from runner.loads.checks.values import COLUMNS, FRACTIONS, TYPES
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = [
    "CHECKS",
    "Check",
    "Counted",
    "Finding",
    "LoadCase",
    "drift",
    "is_leftover",
    "is_rebuilt",
    "judge",
    "refusal",
    "target",
]

CHECKS = (
    MERGE_KEY,
    UNIQUE_ROWS,
    COLUMNS,
    TYPES,
    FRACTIONS,
    CHARSET,
    LENGTHS,
    NAMES,
    REPLACEABLE,
    TASKS,
    PARSER,
    SECRETS,
    LEFTOVERS,
    ROWS,
    PRIVILEGES,
)
"""Every check, in the order in which findings are shown."""
_MOST_SHOWN = 20


def judge(case: LoadCase, *, only: Collection[str] | None = None) -> tuple[Finding, ...]:
    """Give every finding about a load; `only` names the checks to make, all if None.

    A check without anything to look at (no facts, no job, no counts) finds nothing.
    """
    return tuple(
        Finding(check.name, said.severity, said.error, said.message, said.advice)
        for check in CHECKS
        if (only is None or check.name in only) and check.runs(case)
        for said in check.find(case)
    )


def refusal(case: LoadCase, findings: Sequence[Finding]) -> ServiceError | None:
    """Make one error of every finding that refuses the load; None when none does."""
    errors = [one for one in findings if one.severity == "error"]
    if not errors:
        return None
    name = case.name
    if all(one.error == DRIFT for one in errors):
        head = f"{name} in the mart does not fit {case.manifest.key.table}"
    else:
        head = f"{case.manifest.key.table} cannot be loaded into {name}"
    shown = [f"{one.message}; {one.advice}" for one in errors[:_MOST_SHOWN]]
    if len(errors) > _MOST_SHOWN:
        shown.append(f"and {len(errors) - _MOST_SHOWN} more")
    text = shown[0] if len(shown) == 1 else "".join(f"\n- {one}" for one in shown)
    tail = _tail(case, errors)
    separator = "\n" if len(shown) > 1 else ". "
    cause = f"{head}: {text}{separator}Nothing was changed.{tail}"
    return ServiceError(errors[0].error, cause)


def _tail(case: LoadCase, errors: Sequence[Finding]) -> str:
    """Say what else helps when the mart's table has another shape."""
    if not any(one.error == DRIFT for one in errors):
        return ""
    return (
        f" Or name the type you want under `load: types:`, or load {case.name} whole once with "
        "`mode: replace`"
    )
