"""`runner preview`: rows of a table's SQL, without publishing."""

from __future__ import annotations

import json
import sys
from pathlib import Path  # noqa: TC003 - click's signature
from typing import TYPE_CHECKING

import click

from runner.cli.options import find_root, json_option, project_options, read_variables
from runner.cli.texts import columns, duration, size

if TYPE_CHECKING:
    from runner.app.preview import Preview
    from runner.aws.queries import QueryState

_WIDEST = 40
_NO_JSON = ("NaN", "Infinity", "-Infinity")


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

    Nothing is written: it reads what is published.  In an environment on AWS the query runs on
    Athena itself, Ctrl-C stops it, and what the scan costs is shown.

    Example: runner preview marts.daily_carrier_delay --date 2013-01-05
    """
    from runner.app.preview import preview  # noqa: PLC0415 - heavy when needed

    progress = _Progress()
    found = preview(
        find_root(folder),
        table,
        environment=environment,
        variables=read_variables(variables),
        start=date or start,
        end=date or end,
        limit=limit,
        tell=progress.tell,
    )
    progress.end()
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(_json(found) if as_json else _text(found))


class _Progress:
    """How far a query on AWS is, on one line of a terminal; of each state a line elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._state = ""
        self._open = False

    def tell(self, state: QueryState) -> None:
        """Show a state."""
        scanned = f", {size(state.scanned_bytes)} scanned so far" if state.scanned_bytes else ""
        text = f"{state.state.lower()}, {duration(state.seconds)}{scanned}"
        if self._terminal:
            click.echo(f"\r  {text}    ", err=True, nl=False)
            self._open = True
        elif state.state != self._state:
            click.echo(f"  query {state.query}: {text}", err=True)
        self._state = state.state

    def end(self) -> None:
        """Leave the line."""
        if self._open:
            click.echo("", err=True)


def _json(found: Preview) -> str:
    names = [name for name, _ in found.columns]
    kinds = [kind for _, kind in found.columns]
    rows = [dict(zip(names, map(_value, row, kinds), strict=True)) for row in found.rows]
    value = {
        "table": found.table,
        "start": found.start,
        "end": found.end,
        "columns": [{"name": name, "type": kind} for name, kind in found.columns],
        "rows": rows,
        "scanned_bytes": found.scanned_bytes,
        "more": found.more,
    }
    if found.usd is not None:
        value |= {"usd": found.usd, "notes": found.notes, "query": found.query}
    return json.dumps(value, indent=1, default=str)


def _value(value: object, kind: str) -> object:
    """Give a floating number as one: Athena's own are text."""
    if isinstance(value, str) and kind in ("double", "real", "float") and value not in _NO_JSON:
        return float(value)
    return value


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
                f"{size(found.scanned_bytes)} scanned{_price(found)}, nothing published"
            ),
        ]
    )


def _price(found: Preview) -> str:
    if found.usd is None:
        return ""
    from runner.cli.displays.plans import price  # noqa: PLC0415 - only on AWS

    return f" (USD {price(found.usd)})"


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
