"""Which tables a `tables` step writes and a `loads` step loads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.model.selection import matches
from runner.model.workflow import LoadsStep, TablesStep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.model.names import TableName
    from runner.model.project import Table
    from runner.model.workflow import Workflow


def step_tables(
    workflow: Workflow, step: TablesStep | LoadsStep, tables: Sequence[Table]
) -> tuple[TableName, ...]:
    """Give what a step of the workflow writes or loads, in the order of `tables`.

    A `loads` step without `select` loads what the workflow's own `tables` steps write.
    """
    wanted = _wanted(workflow, step, tables)
    unwanted = {name for pattern in step.exclude for name in matches(tables, pattern)}
    return tuple(
        table.name
        for table in tables
        if table.name in wanted - unwanted
        and (isinstance(step, TablesStep) or table.header.load is not None)
    )


def _wanted(
    workflow: Workflow, step: TablesStep | LoadsStep, tables: Sequence[Table]
) -> set[TableName]:
    if step.select is not None:
        return {name for pattern in step.select for name in matches(tables, pattern)}
    writing = [one for one in workflow.steps.values() if isinstance(one, TablesStep)]
    if not writing:
        return {table.name for table in tables}
    return {name for one in writing for name in step_tables(workflow, one, tables)}
