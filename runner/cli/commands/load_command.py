"""`runner load`: one load by hand, or only its checks."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path  # noqa: TC003 - click's signature
from typing import TYPE_CHECKING

import click

from runner.cli.options import (
    detach_option,
    find_root,
    json_option,
    project_options,
    read_variables,
)
from runner.cli.texts import columns
from runner.cli.watching import watched

if TYPE_CHECKING:
    from runner.app.load_report import CheckReport, LoadPlace, LoadReport, LoadRequest

_PLAIN_S = 5.0


@click.command(name="load", short_help="Load one table into its mart, or only check the load.")
@click.argument("table")
@click.option("--date", help="A window of one value, e.g. 2013-01-05.")
@click.option("--start", help="First value of the window.")
@click.option("--end", help="Last value of the window.")
@click.option("--check", "only_check", is_flag=True, help="Make every check, and load nothing.")
@click.option("--again", is_flag=True, help="Load even if the mart's ledger knows the load.")
@click.option(
    "--engine", type=click.Choice(["native", "embulk"]), help="Another loader than the header's."
)
@detach_option
@json_option
@project_options
def command(  # noqa: PLR0917 - click hands over every option
    table: str,
    date: str | None,
    start: str | None,
    end: str | None,
    only_check: bool,  # noqa: FBT001 - click's signature
    again: bool,  # noqa: FBT001 - click's signature
    engine: str | None,
    detach: bool,  # noqa: FBT001 - click's signature
    as_json: bool,  # noqa: FBT001 - click's signature
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
) -> int:
    """Load a published window of TABLE into its mart; the newest published period if none is given.

    Exactly the files of the published records are loaded. A load that the mart's ledger knows is
    skipped. With --check the files and the mart are looked at, and every finding is shown; the
    exit status is 1 when one of them refuses the load. In an environment on AWS the deployed
    machine loads, and --check looks at the records alone: the mart cannot be reached from here.

    Example: runner load marts.daily_carrier_delay --date 2013-01-05
    """
    from runner.app.load_report import LoadRequest  # noqa: PLC0415 - heavy when needed
    from runner.app.places import is_on_aws  # noqa: PLC0415
    from runner.app.refused_options import raise_any, refused_here  # noqa: PLC0415

    request = LoadRequest(
        find_root(folder),
        table,
        date=date,
        start=start,
        end=end,
        environment=environment,
        variables=read_variables(variables),
        engine=engine,  # type: ignore[arg-type]  # click checks the choice
        again=again,
    )
    if is_on_aws(request.root, environment):
        return _on_aws(request, only_check=only_check, detach=detach, as_json=as_json)
    raise_any(refused_here(environment, {"--detach": detach}))
    from runner.app.load import check_by_hand, load_by_hand  # noqa: PLC0415 - DuckDB loads there

    if only_check:
        return _show_checks(check_by_hand(request), as_json=as_json)
    progress = _Progress()
    try:
        report = load_by_hand(request, begin=_begin, tell=progress.tell)
    finally:
        progress.end()
    if as_json:
        click.echo(json.dumps(asdict(report), indent=1))
    else:
        click.echo(_told(report))
    return 0


def _on_aws(request: LoadRequest, *, only_check: bool, detach: bool, as_json: bool) -> int:
    from runner.app.remote_load import check_on_aws, load_on_aws  # noqa: PLC0415 - boto3 loads there

    if only_check:
        return _show_checks(check_on_aws(request), as_json=as_json)
    load = partial(load_on_aws, request, tell_place=_begin, detach=detach)
    return watched(load, as_json=as_json)


def _begin(place: LoadPlace) -> None:
    rows = "" if place.expected is None else f", {place.expected:,} rows"
    click.echo(
        f"{place.table} {_window(place)} -> {place.mart}:{place.mart_table} "
        f"({place.mode}, {place.engine}; {place.files:,} files{rows})",
        err=True,
    )


class _Progress:
    """Rows so far, on one line of a terminal, or a line every few seconds."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._last = 0.0
        self._open = False

    def tell(self, rows: int, seconds: float) -> None:
        """Show how many rows have gone and how fast."""
        text = f"{rows:,} rows, {rows / seconds:,.0f} rows/s"
        if self._terminal:
            click.echo(f"\r  {text}    ", err=True, nl=False)
            self._open = True
        elif seconds - self._last >= _PLAIN_S:
            self._last = seconds
            click.echo(f"  {text}", err=True)

    def end(self) -> None:
        """Leave the line."""
        if self._open:
            click.echo("", err=True)


def _told(report: LoadReport) -> str:
    place = report.place
    where = f"{place.mart}:{place.mart_table}"
    lines = [f"{place.table} warns: {warning}" for warning in report.warnings]
    if report.skipped:
        lines.append(
            f"{where} has this load already ({report.rows:,} rows); --again loads it once more"
        )
        return "\n".join(lines)
    rate = f", {report.rows / report.seconds:,.0f} rows/s" if report.seconds else ""
    text = f"{where}: {report.rows:,} rows loaded in {report.seconds:.1f} s{rate}"
    if report.deleted:
        text += f"; {report.deleted:,} rows replaced"
    if report.counted is not None:
        what = "table" if place.start == place.end == "all" else "window"
        text += f"; the {what} holds {report.counted:,} rows now"
    return "\n".join([*lines, text])


def _show_checks(report: CheckReport, *, as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps(asdict(report) | {"refused": report.refused}, indent=1))
    elif report.findings:
        rows = [
            (one.severity, one.check, f"{one.message}; {one.advice}") for one in report.findings
        ]
        click.echo(columns(("", "check", "what was found"), rows))
    place = report.place
    what = f"{place.table} {_window(place)} -> {place.mart}:{place.mart_table}"
    verdict = "would be refused" if report.refused else "can be loaded"
    if report.not_made and not report.refused:
        verdict = "can be loaded as far as its records tell"
        click.echo(f"made when it is loaded: {', '.join(report.not_made)}", err=True)
    click.echo(f"{what} {verdict}", err=True)
    return 1 if report.refused else 0


def _window(place: LoadPlace) -> str:
    if place.start == place.end:
        return "(whole table)" if place.start == "all" else place.start
    return f"{place.start}..{place.end}"
