"""`test`: unit tests of SQL, and for named tables what their headers' tests found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.app.bundle import open_bundle
from runner.app.inspect import find_table
from runner.app.kept_tests import KeptTests, kept_tests
from runner.app.places import open_environment
from runner.app.unit_tests import UnitReport, run_unit_tests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from runner.app.bundle import TableFacts


@dataclass(frozen=True, slots=True)
class Results:
    """What the tests say."""

    named: tuple[str, ...]
    """The tables that were asked for; none for all."""
    units: UnitReport
    without: tuple[str, ...]
    """Named tables that have no unit tests."""
    without_query: tuple[str, ...]
    """Named tables that can have none."""
    published: tuple[KeptTests, ...]
    """Of the named tables whose rows are written by runs."""


def run_tests(
    root: Path,
    tables: Sequence[str] = (),
    *,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
) -> Results:
    """Run the unit tests of tables, or all, and read the kept results of those that are named.

    UsageError for a table that the project does not have, ProjectError for faults of its files.
    """
    named = []
    if tables:
        bundle = open_bundle(root, environment, variables)
        named = [find_table(bundle, name) for name in dict.fromkeys(tables)]
    units = run_unit_tests(root, tables, environment=environment, variables=variables)
    have = {result.table for result in units.results}
    written = [facts for facts in named if facts.kind in ("ctas", "insert")]
    return Results(
        named=tuple(facts.name for facts in named),
        units=units,
        without=tuple(f.name for f in named if f.name not in have and f.kind != "ddl"),
        without_query=tuple(f.name for f in named if f.kind == "ddl"),
        published=_kept(root, written, environment, variables),
    )


def _kept(
    root: Path,
    written: Sequence[TableFacts],
    environment: str,
    variables: Mapping[str, str] | None,
) -> tuple[KeptTests, ...]:
    """Read what the runs of an environment left of the tests of tables."""
    if not written:
        return ()
    places = open_environment(root, environment, variables, now=lambda: datetime.now(UTC))
    with places.refusals("read the results of tests in the lake"):
        return tuple(kept_tests(places, facts) for facts in written)
