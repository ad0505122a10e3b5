"""Every state machine of an environment on AWS: workflows, the backfills' and the loads'.

In: a project's folder, the caller's choice, the compiled bundle.  Out: `WorkflowFacts` of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.app.backfill_machine import Shape, open_loads, open_machine

if TYPE_CHECKING:
    from pathlib import Path

    from runner.app.bundle import Bundle, WorkflowFacts
    from runner.project.keys import Choice


def all_machines(root: Path, choice: Choice, bundle: Bundle) -> tuple[WorkflowFacts, ...]:
    """Give every machine that an environment on AWS has, in the order of the workflows.

    After them comes `backfill`, which writes whatever a stored plan says, and, where a table has a
    `load:` header, `load`, which loads what is published.
    """
    return (*bundle.workflows, *own_machines(root, choice, bundle))


def own_machines(root: Path, choice: Choice, bundle: Bundle) -> tuple[WorkflowFacts, ...]:
    """Give the machines that no workflow file describes."""
    loads = tuple(table.name for table in bundle.tables if table.load_mart)
    made = [open_machine(root, choice, _any_backfill(bundle, loads))] if bundle.tables else []
    if loads:
        made.append(open_loads(root, choice, loads))
    return tuple(made)


def _any_backfill(bundle: Bundle, loads: tuple[str, ...]) -> Shape:
    """Describe the machine that may write any table, whole history included."""
    inserts = tuple(table for table in bundle.tables if table.kind == "insert")
    return Shape(
        tables=tuple(table.name for table in bundle.tables),
        loads=loads,
        grain="day",
        refreshed=tuple(table.name for table in inserts if table.name not in table.reads),
        distributed=tuple(table.name for table in inserts),
    )
