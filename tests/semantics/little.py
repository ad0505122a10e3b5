"""Little projects for the rules: files in a folder, loaded, compiled and run as users do it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.app.bundle import open_bundle
from runner.app.inspect import find_table, published
from runner.app.local_places import open_places
from runner.app.run import RunRequest, run
from runner.local.journal import open_journal
from runner.project import check_project

if TYPE_CHECKING:
    from pathlib import Path

    from runner.app.results import Ended
    from runner.app.run import RunResult

NOW = datetime(2024, 3, 5, 4, 30, tzinfo=UTC)
DAY = 'dt: {type: date, format: yyyy-MM-dd, range: "2024-01-01,NOW+1DAYS"}'
CONFIG = """\
project: little
timezone: UTC
environments:
  local:
    engine: local
    buckets: {raw: data}
    marts: {main: {engine: sqlite, path: mart.sqlite}}
"""
WORKFLOW = "steps:\n  tables: {type: tables}\n  loads: {type: loads, needs: [tables]}\n"


def project(folder: Path, files: dict[str, str], *, config: str = CONFIG) -> Path:
    """Write a project: `db/table` is short for its SQL file, other paths are as they are."""
    root = folder / "project"
    everything = {"config.yaml": config, "workflows/daily.yaml": WORKFLOW, **files}
    for name, text in everything.items():
        path = root / (name if "." in name else f"sql/{name}.sql")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def sql(query: str, header: str = "") -> str:
    """Write a SQL file."""
    return f"/*---\n{header}\n---*/\n{query}\n" if header else f"{query}\n"


def insert(query: str, header: str = "", *, partition: str = DAY) -> str:
    """Write the SQL file of an insert table, daily unless told otherwise."""
    return sql(query, f"partition:\n  {partition}\n{header}".rstrip())


def rows_of(*rows: tuple[object, ...], columns: str = "id, dt") -> str:
    """Write constant rows as a table named t."""
    values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)
    return f"(VALUES {values}) AS t ({columns})"


def _literal(value: object) -> str:
    if value is None:
        return "CAST(NULL AS varchar)"
    return f"'{value}'" if isinstance(value, str) else str(value)


def codes(root: Path, **more: Any) -> list[str]:  # noqa: ANN401 - arguments of check_project
    """Give the codes of everything that is wrong with a project."""
    return [fault.code for fault in check_project(root, **more)]


def go(root: Path, start: str | None = None, end: str | None = None, **more: Any) -> RunResult:  # noqa: ANN401
    """Run the workflow `daily` over a window."""
    request = RunRequest(root=root, workflow="daily", start=start, end=end or start, **more)
    return run(request, now=lambda: NOW)


def ended(result: RunResult) -> dict[str, Ended]:
    """Give how tables and steps ended, by name; loads as `<table> load`."""
    return {f"{e.name} load" if e.kind == "load" else e.name: e for e in result.ended}


def statuses(result: RunResult) -> dict[str, str]:
    """Give how everything ended in a word."""
    return {name: found.status for name, found in ended(result).items()}


def records(root: Path, table: str, environment: str = "local") -> dict[str, int]:
    """Give the published periods of a table and their rows, as its records say."""
    bundle = open_bundle(root, environment)
    places = open_places(root, bundle, now=lambda: NOW)
    facts = find_table(bundle, table)
    return {found.period: found.rows for found in published(places, facts)}


def read(root: Path, query: str, environment: str = "local") -> list[tuple[Any, ...]]:
    """Ask the local Athena."""
    local = open_places(root, open_bundle(root, environment), now=lambda: NOW)
    catalog = local.catalog()
    athena = local.athena(local.s3(), catalog)
    try:
        return list(athena.query(query, "default").rows)
    finally:
        athena.close()
        catalog.close()


def statements(root: Path, beginning: str) -> list[str]:
    """Give the statements that the newest run sent to Athena and that begin so."""
    local = open_places(root, open_bundle(root), now=lambda: NOW)
    return [text for text in _sent(local.runs.runs()[0].journal) if text.startswith(beginning)]


def every_statement(root: Path, beginning: str) -> list[str]:
    """Give the statements that all runs sent to Athena and that begin so."""
    local = open_places(root, open_bundle(root), now=lambda: NOW)
    sent = [text for one in local.runs.runs() for text in _sent(one.journal)]
    return [text for text in sent if text.startswith(beginning)]


def _sent(journal: Path) -> list[str]:
    opened = open_journal(journal)
    found = [
        str(event.data["arguments"]["QueryString"])
        for event in opened.events()
        if event.kind.value == "task_scheduled" and "QueryString" in str(event.data["arguments"])
    ]
    opened.close()
    return found
