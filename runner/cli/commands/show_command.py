"""`runner show`: one table in full."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - click's signature
from typing import TYPE_CHECKING

import click

from runner.cli.options import find_root, json_option, project_options, read_variables
from runner.cli.tests_text import test_lines
from runner.cli.texts import columns, size

if TYPE_CHECKING:
    from runner.app.inspect import TableView


@click.command(name="show", short_help="Show one table in full.")
@click.argument("table")
@project_options
@json_option
def command(
    table: str, folder: Path | None, environment: str, variables: tuple[str, ...], *, as_json: bool
) -> None:
    """Show a table: header, SQL, upstream and downstream, published partitions, tests.

    Example: runner show marts.daily_carrier_delay
    """
    from runner.app.inspect import show_table  # noqa: PLC0415 - heavy when needed

    root = find_root(folder)
    view = show_table(root, table, environment=environment, variables=read_variables(variables))
    click.echo(json.dumps(asdict(view), indent=1) if as_json else _text(view))


def _text(view: TableView) -> str:
    lines = [f"{view.name} ({view.kind})  {view.file}"]
    if view.description:
        lines.append(view.description)
    for title, values in (
        ("upstream", view.upstream),
        ("downstream", view.downstream),
        ("workflows", view.workflows),
    ):
        lines.append(f"{title}: {', '.join(values) or '-'}")
    lines.append("columns: " + (", ".join(f"{n} {t}".strip() for n, t in view.columns) or "-"))
    header = {name: value for name, value in view.header.items() if name != "description"}
    lines += ["", "header:", *(f"  {name}: {json.dumps(header[name])}" for name in header)]
    lines += ["", "sql:", *(f"  {line}" for line in view.sql.splitlines()), ""]
    if not view.published:
        stopped = [f"stopped by its tests in {view.tests.stopped}"] if view.tests.stopped else []
        return "\n".join([*lines, "nothing is published", *stopped])
    rows = [(p.period, f"{p.rows:,}", size(p.bytes), p.run) for p in view.published]
    total = sum(p.rows for p in view.published)
    lines.append(f"published: {len(rows)} partitions, {total:,} rows")
    lines.append(columns(("period", "rows", "size", "run"), rows, right=(1, 2)))
    return "\n".join([*lines, *(["", *test_lines(view.tests)] if view.tests.tests else [])])
