"""`runner test`: unit tests of SQL, and what the headers' tests found."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import groupby
from pathlib import Path  # noqa: TC003 - click's signature
from typing import TYPE_CHECKING

import click

from runner.cli.options import find_root, json_option, project_options, read_variables
from runner.cli.tests_text import case_lines, test_lines
from runner.cli.texts import count

if TYPE_CHECKING:
    from runner.app.test_results import Results


@click.command(name="test", short_help="Run the unit tests of SQL; show what the tests found.")
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@json_option
@project_options
def command(
    tables: tuple[str, ...],
    as_json: bool,  # noqa: FBT001 - click's signature
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
) -> int:
    """Run the unit tests of each TABLE, or all: rows in, the table's SQL, rows out, compared.

    They are in tests/sql/<database>.<table>.yaml and run on the local Athena; nothing is published.
    Of each TABLE that is named, the results of its header's tests are shown as well, as the runs
    of the environment left them.  Ends in 1 when a unit test fails.

    Example: runner test marts.daily_carrier_delay
    """
    from runner.app.test_results import run_tests  # noqa: PLC0415 - heavy when needed

    root = find_root(folder)
    given = read_variables(variables)
    found = run_tests(root, tables, environment=environment, variables=given)
    click.echo(_json(found) if as_json else "\n".join(_lines(found)))
    return 1 if found.units.failed else 0


def _json(found: Results) -> str:
    value = {
        "unit_tests": [asdict(result) for result in found.units.results],
        "passed": len(found.units.results) - found.units.failed,
        "failed": found.units.failed,
        "without_unit_tests": found.without,
        "published": [asdict(kept) for kept in found.published],
    }
    return json.dumps(value, indent=1, ensure_ascii=False)


def _lines(found: Results) -> list[str]:
    results = found.units.results
    lines: list[str] = []
    for table, cases in groupby(results, key=lambda result: result.table):
        lines.append(table)
        lines += [line for case in cases for line in case_lines(case)]
    for name in found.without:
        lines.append(f"{name}: no unit tests; write them in tests/sql/{name}.yaml")
    lines += [f"{name}: nothing to test, a ddl has no query" for name in found.without_query]
    for kept in found.published:
        lines += ["", kept.table, *(f"  {line}" for line in test_lines(kept))]
        if not (kept.tests or kept.stopped):
            lines.append("  tests of the header: no results, nothing is published")
    if results:
        failed = found.units.failed
        passed = len(results) - failed
        number = count(len({result.table for result in results}), "table")
        run = count(len(results), "unit test")
        lines += ["", f"{run} of {number}: {passed} passed, {failed} failed"]
    elif not found.named:
        lines.append("no unit tests: write them in tests/sql/<database>.<table>.yaml")
    return lines
