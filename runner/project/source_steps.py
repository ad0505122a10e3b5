"""What steps that bring data name: crawlers and databases of the environment, tables to move.

In: a workflow, the tables of the project, the setting.  Out: faults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import Fault
from runner.model.config import LocalEnvironment
from runner.model.header import Kind
from runner.model.nearest import listed, suggestion
from runner.model.steps_sources import CrawlerStep, GlueJobStep, RdsExportStep
from runner.project.steps_flow import every_step

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from runner.errors import Place
    from runner.model.config import Environment
    from runner.model.places import Path, Places
    from runner.model.project import Table
    from runner.model.workflow import Workflow
    from runner.project.configuration import Setting

_LEAST_PARTS, _MOST_PARTS = 2, 3


def source_step_faults(
    workflow: Workflow, places: Places, tables: Sequence[Table], setting: Setting | None
) -> Iterator[Fault]:
    """Find what such steps name and what does not exist."""
    if setting is None or setting.environment is None:
        return
    for at, step in every_step(workflow):
        name = str(at[1])
        if isinstance(step, CrawlerStep | GlueJobStep):
            yield from _local(at, step, places, setting.environment)
        elif isinstance(step, RdsExportStep):
            yield from _named(
                step.source,
                setting.environment.rds,
                place=places.value("steps", name, "source"),
                section="rds",
                key="source",
            )
            yield from _moved(name, step, places, tables=tables, sources=setting.sources)
            yield from _not_exported(name, step, places)


def _local(
    at: Path, step: CrawlerStep | GlueJobStep, places: Places, environment: Environment
) -> Iterator[Fault]:
    """Look for the crawler or job of this machine; on AWS it is made elsewhere."""
    if not isinstance(environment, LocalEnvironment):
        return
    if isinstance(step, CrawlerStep):
        key, wanted, section, known = "name", step.name, "crawlers", list(environment.crawlers)
    else:
        key, wanted, section, known = "job", step.job, "glue_jobs", list(environment.glue_jobs)
    if wanted.startswith("{%"):  # known when it runs
        return
    place = places.value(*at, key)
    yield from _named(wanted, known, place=place, section=section, key=key)


def _named(
    name: str, known: Collection[str], *, place: Place, section: str, key: str
) -> Iterator[Fault]:
    if name in known:
        return
    names = list(known)
    yield Fault(
        place,
        "unknown-data-source",
        f"`{key}: {name}`, which the environment's `{section}` lacks",
        f"one of {listed(names)}" if names else f"an entry of `{section}`; there is none",
        suggestion(name, names, otherwise=f"add it under `{section}` of the environment"),
    )


def _not_exported(name: str, step: RdsExportStep, places: Places) -> Iterator[Fault]:
    """Find what tables are to show and `only` leaves out."""
    for table, shown in step.tables.items():
        if step.only and not any(f"{shown}.".startswith(f"{one}.") for one in step.only):
            yield Fault(
                places.value("steps", name, "tables", table),
                "export-table",
                f"{shown}, which is not exported: `only` names {listed(step.only)}",
                "a table that is exported",
                suggestion(shown, step.only, otherwise=f"add {shown} to `only`"),
            )


def _moved(
    name: str,
    step: RdsExportStep,
    places: Places,
    *,
    tables: Sequence[Table],
    sources: Collection[str],
) -> Iterator[Fault]:
    """Look at each table that is to show an export, and at what it shows."""
    external = {str(one.name): one.kind is Kind.DDL for one in tables}
    known = [*(one for one, is_ddl in external.items() if is_ddl), *sources]
    for table, shown in step.tables.items():
        if table not in known:
            written = table in external
            yield Fault(
                places.key("steps", name, "tables", table),
                "export-table",
                f"{table}, which a query of this project writes"
                if written
                else f"{table}, which is neither a table of `kind: ddl` nor one of `sources`",
                "a table that shows files of others: `kind: ddl`, or one of `sources`",
                "name another table" if written else suggestion(table, known, otherwise="add it"),
            )
        if not _LEAST_PARTS <= len(shown.split(".")) <= _MOST_PARTS or "" in shown.split("."):
            yield Fault(
                places.value("steps", name, "tables", table),
                "export-table",
                f"`{shown}`",
                "`database.table`, or `database.schema.table` of PostgreSQL",
                "write it as the exported database calls it",
            )
