"""Unit tests of SQL: rows in, the table's own query on the local Athena, rows out, compared.

In: the folder of a project, the tables that are asked for.  Out: `UnitReport`, or every fault of
the tests' files.  Nothing of the project's lake, catalogue or marts is read or written: the tables
that a query reads are files in a temporary folder.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

from runner.app.bundle import open_bundle
from runner.app.inspect import find_table
from runner.app.locate import locate, message_only
from runner.app.row_difference import Difference, difference
from runner.app.unit_cases import Checked, check_case, project_fault
from runner.errors import Fault, Place, ProjectError
from runner.local.athena import AthenaFailure
from runner.model.header import Kind
from runner.model.nearest import suggestion
from runner.project import load_project
from runner.project.cache import key_of
from runner.project.unit_tests import read_unit_tests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.app.unit_bench import Bench
    from runner.model.project import Project
    from runner.project.unit_tests import Case, UnitTestFile


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case ended."""

    table: str
    case: str
    place: str
    """Where it begins: `tests/sql/marts.x.yaml:3:1`."""
    passed: bool
    difference: Difference | None = None
    message: str = ""
    """What Athena said, when the query did not run."""


@dataclass(frozen=True, slots=True)
class UnitReport:
    """Every case that ran."""

    results: tuple[CaseResult, ...]

    @property
    def failed(self) -> int:
        """Count the cases that failed."""
        return sum(1 for result in self.results if not result.passed)


def run_unit_tests(
    root: Path,
    tables: Sequence[str] = (),
    *,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
    now: Callable[[], datetime] | None = None,
) -> UnitReport:
    """Run the unit tests of some tables, or all; ProjectError for faults of their files."""
    files, faults = read_unit_tests(root)
    workshop = _Workshop(
        root, environment, dict(variables or {}), now or (lambda: datetime.now(UTC))
    )
    project = workshop.project({})
    faults = (*faults, *(f for file in files for f in _file_faults(file, project)))
    wanted = [file for file in files if not tables or file.table in tables]
    names = {file.file for file in wanted}
    faults = tuple(f for f in faults if not tables or f.place.file in names)
    with workshop:
        checked: list[Checked] = []
        for file in wanted:
            for case in file.cases:
                found, wrong = workshop.check(file, case)
                faults += wrong
                checked += [found] if found is not None else []
        if faults:
            raise ProjectError(faults)
        results = tuple(_run(one, workshop) for one in checked)
    return UnitReport(results)


def _file_faults(file: UnitTestFile, project: Project) -> list[Fault]:
    names = {str(table.name): table for table in project.tables}
    table = names.get(file.table)
    if table is not None and table.kind is not Kind.DDL:
        return []
    if table is not None:
        found = f"tests of {file.table}, which is of kind ddl and has no query"
        advice = "test the tables that read it"
    else:
        found = f"tests of {file.table}, which is no table of this project"
        advice = suggestion(file.table, names, otherwise="name the file <database>.<table>.yaml")
    expected = "the name of a table that has a query"
    return [Fault(Place(file.file), "unknown-table", found, expected, advice)]


class _Workshop:
    """The projects and benches that cases ask for: one for each choice of variables."""

    def __init__(
        self,
        root: Path,
        environment: str,
        variables: Mapping[str, str],
        now: Callable[[], datetime],
    ) -> None:
        self._root = root
        self._environment = environment
        self._variables = variables
        self._now = now
        self._projects: dict[tuple[tuple[str, str], ...], Project] = {}
        self._benches: dict[str, Bench] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def project(self, more: Mapping[str, str]) -> Project:
        """Load the project with a case's variables."""
        given = {**self._variables, **more}
        key = tuple(sorted(given.items()))
        if key not in self._projects:
            self._projects[key] = load_project(
                self._root,
                environment=self._environment,
                variables=given,
                cache_dir=self._cache(more) if more else self._root / ".runner" / "cache",
            )
        return self._projects[key]

    def check(self, file: UnitTestFile, case: Case) -> tuple[Checked | None, tuple[Fault, ...]]:
        """Prepare a case; None beside faults, or where its table is none."""
        more = {name: _as_text(value) for name, value in case.test.vars.items()}
        try:
            project = self.project(more)
        except ProjectError as error:
            return None, tuple(project_fault(case, fault) for fault in error.faults)
        table = next((t for t in project.tables if str(t.name) == file.table), None)
        if table is None or table.kind is Kind.DDL:
            return None, ()
        return check_case(file, case, table, self._bench(more, project, case))

    def explain(self, checked: Checked, reason: str) -> str:
        """Say where in the table's file Athena found what it refuses."""
        more = {name: _as_text(value) for name, value in checked.case.test.vars.items()}
        given = {**self._variables, **more}
        bundle = open_bundle(self._root, self._environment, given)
        facts = find_table(bundle, checked.file.table)
        place = locate(self._root, bundle, facts, reason, variables=given)
        return f"{place}: {message_only(reason, place)}"

    def _bench(self, more: Mapping[str, str], project: Project, case: Case) -> Bench:
        """Give a bench for the case's variables, and the views that its rows stand for."""
        from runner.app.unit_bench import Bench  # noqa: PLC0415 - DuckDB loads here

        kinds = {str(table.name): table.kind for table in project.tables}
        views = sorted(name for name in case.test.given if kinds.get(name) is Kind.VIEW)
        cache = self._cache(more, *views)
        if cache.name not in self._benches:
            folder = self._stack.enter_context(TemporaryDirectory(prefix="runner-test-"))
            bench = Bench(project, Path(folder), cache=cache / "sql", now=self._now)
            self._stack.callback(bench.close)
            self._benches[cache.name] = bench
        return self._benches[cache.name]

    def _cache(self, more: Mapping[str, str], *views: str) -> Path:
        """Give a folder for what is remembered of cases that share variables and views."""
        given = {**self._variables, **more}
        pairs = [text for pair in sorted(given.items()) for text in pair]
        name = key_of([self._environment, *pairs, "/", *views])[:16]
        return self._root / ".runner" / "cache" / "tests" / name


def _as_text(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _run(checked: Checked, workshop: _Workshop) -> CaseResult:
    """Fill the tables, run the query, compare."""
    file, case, bench = checked.file, checked.case, checked.bench
    place = case.places.key()
    base = CaseResult(file.table, case.name, str(place), passed=False)
    for name in checked.inputs:
        rows = checked.given.get(name, ())
        bench.define(name, case.test.given.get(name, ()), given=name in checked.given)
        bench.fill(name, rows)
    window = checked.window
    try:
        found = bench.query(checked.table, window)
    except AthenaFailure as error:
        return replace(base, message=workshop.explain(checked, error.reason))
    names = [name for name, _ in found.columns]
    columns = checked.columns
    picked = [names.index(name) for name in columns]
    actual = [tuple(row[at] for at in picked) for row in found.rows]
    unlike = difference(
        columns,
        checked.expected,
        actual,
        ordered=case.test.ordered,
        tolerance=case.test.tolerance,
    )
    return replace(base, passed=unlike is None, difference=unlike)
