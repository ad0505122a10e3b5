"""`test`: unit tests of SQL, and for named tables what their headers' tests found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.app.bundle import open_bundle
from runner.app.inspect import find_table
from runner.app.kept_tests import KeptTests, kept_tests
from runner.app.unit_tests import UnitReport, run_unit_tests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Results:
    """What the tests say."""

    units: UnitReport
    published: tuple[KeptTests, ...]
    """Of the named tables that have tests in their headers."""


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
    written = [facts for facts in named if facts.kind in ("ctas", "insert")]
    published = tuple(kept_tests(root, bundle, facts) for facts in written)
    return Results(units, published)
