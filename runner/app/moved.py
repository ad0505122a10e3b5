"""Tables that an `rds_export` step moves to its export, in whichever workflow it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.model.project import Project


def moved_tables(project: Project) -> dict[str, tuple[str, ...]]:
    """Give each table that exports move, and which of the environment's `rds` it shows."""
    from runner.model.steps_sources import RdsExportStep  # noqa: PLC0415 - pydantic, on a miss only

    found: dict[str, dict[str, None]] = {}
    for named in project.workflows:
        for step in named.workflow.steps.values():
            if isinstance(step, RdsExportStep):
                for table in step.tables:
                    found.setdefault(table, {})[step.source] = None
    return {table: tuple(sources) for table, sources in sorted(found.items())}
