"""`runner records`: what was published, by which run, with which outcome of its tests."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - click's signature
from typing import TYPE_CHECKING

import click

from runner.cli.options import find_root, json_option, project_options, read_variables
from runner.cli.texts import columns, size

if TYPE_CHECKING:
    from runner.app.record_list import RecordView

_HEAD = ("table", "window", "state", "rows", "files", "size", "tests", "SQL", "published", "run")


@click.command(name="records", short_help="List what was published, by which run.")
@click.argument("tables", nargs=-1)
@click.option("--start", help="First period of interest.")
@click.option("--end", help="Last period of interest.")
@click.option("--failed", is_flag=True, help="List the failures instead.")
@project_options
@json_option
def command(  # noqa: PLR0917 - click hands over every option
    tables: tuple[str, ...],
    start: str | None,
    end: str | None,
    failed: bool,  # noqa: FBT001 - click's signature
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """List the records that count for each partition of TABLES, or the failures of their runs.

    Example: runner records staging.flights --start 2013-01-01 --end 2013-01-31
    """
    from runner.app.record_list import list_records  # noqa: PLC0415 - heavy when needed

    found = list_records(
        find_root(folder),
        tables or ("*.*",),
        environment=environment,
        variables=read_variables(variables),
        start=start,
        end=end,
        failed=failed,
    )
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1))
        return
    if not found:
        click.echo("no failure" if failed else "nothing is published", err=True)
        return
    if failed:
        rows = [(one.table, _window(one), one.at, one.run, one.message) for one in found]
        click.echo(columns(("table", "window", "failed", "run", "why"), rows))
        return
    click.echo(columns(_HEAD, [_row(one) for one in found], right=(3, 4, 5)))


def _row(one: RecordView) -> tuple[str, ...]:
    return (
        one.table,
        _window(one),
        one.state,
        f"{one.rows:,}",
        f"{one.files:,}",
        size(one.bytes),
        _tests(one),
        "current" if one.current else "changed",
        one.at,
        one.run,
    )


def _window(one: RecordView) -> str:
    return one.start if one.start == one.end else f"{one.start}..{one.end}"


def _tests(one: RecordView) -> str:
    """Say how the tests ended: those with the severity `warn` may have found something."""
    if not one.tests:
        return "-"
    warned = sum(1 for test in one.tests if test.offending)
    return f"{len(one.tests) - warned} ok" + (f", {warned} warned" if warned else "")
