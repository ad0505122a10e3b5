"""`runner preview`: rows of a table's SQL, without publishing."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - click's signature
from typing import TYPE_CHECKING

import click

from runner.cli.options import find_root, json_option, project_options, read_variables
from runner.cli.texts import columns, size

if TYPE_CHECKING:
    from runner.app.preview import Preview

_WIDEST = 40


@click.command(name="preview", short_help="Show rows of a table's SQL without publishing.")
@click.argument("table")
@click.option("--date", help="A window of one value, e.g. 2013-01-05.")
@click.option("--start", help="First value of the window.")
@click.option("--end", help="Last value of the window.")
@click.option("--limit", default=20, show_default=True, help="Most rows to show.")
@json_option
@project_options
def command(  # noqa: PLR0917 - click hands over every option
    table: str,
    date: str | None,
    start: str | None,
    end: str | None,
    limit: int,
    as_json: bool,  # noqa: FBT001 - click's signature
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
) -> None:
    """Run the SELECT of TABLE over a window and show rows, types and scanned bytes.

    Nothing is written: it reads what is published.

    Example: runner preview marts.daily_carrier_delay --date 2013-01-05
    """
    from runner.app.preview import preview  # noqa: PLC0415 - heavy when needed

    found = preview(
        find_root(folder),
        table,
        environment=environment,
        variables=read_variables(variables),
        start=date or start,
        end=date or end,
        limit=limit,
    )
    click.echo(_json(found) if as_json else _text(found))


def _json(found: Preview) -> str:
    names = [name for name, _ in found.columns]
    rows = [dict(zip(names, row, strict=True)) for row in found.rows]
    value = {
        "table": found.table,
        "start": found.start,
        "end": found.end,
        "columns": [{"name": name, "type": kind} for name, kind in found.columns],
        "rows": rows,
        "scanned_bytes": found.scanned_bytes,
        "more": found.more,
    }
    return json.dumps(value, indent=1, default=str)


def _text(found: Preview) -> str:
    head = [f"{name} {kind}" for name, kind in found.columns]
    rows = [[_cell(value) for value in row] for row in found.rows]
    numbers = [
        position
        for position, (_, kind) in enumerate(found.columns)
        if kind.partition("(")[0] in ("integer", "bigint", "double", "real", "decimal")
    ]
    shown = f"the first {len(rows)} rows" if found.more else f"{len(rows)} rows"
    window = f" {found.start}..{found.end}" if found.windowed else ""
    return "\n".join(
        [
            columns(head, rows, right=numbers),
            "",
            (
                f"{found.table}{window}: {shown}, "
                f"{size(found.scanned_bytes)} scanned, nothing published"
            ),
        ]
    )


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
