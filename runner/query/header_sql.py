"""SQL in a header's tests: a condition of one row, or a query over `{{ this }}`.

In: the text of a test, its place, the table's name.  Out: `TestSql`, whose facts are cached with
the file's, or faults.  The staged rows are called `staged_rows` in the text that is parsed, and in
the test query that Athena gets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from runner.errors import Fault, ProjectError
from runner.model.header import Kind
from runner.model.sqltext import SqlText
from runner.query.lexer import lex
from runner.query.rendered import Rendered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlglot import exp

    from runner.errors import Place
    from runner.model.header import Header
    from runner.model.names import TableName
    from runner.model.places import Places
    from runner.query.facts import Analysis
    from runner.query.rendered import Locator

THIS = "staged_rows"
"""What a test's SQL calls the staged rows."""
_THIS = re.compile(r"\{\{\s*this\s*\}\}")
_CODE = "test-sql"
_BEFORE, _AFTER = f'SELECT count(*) AS offending\nFROM "{THIS}"\nWHERE (', "\n)"


@dataclass(frozen=True, slots=True)
class Fixed:
    """A locator of a text that stands at one place of a file."""

    place: Place

    def trace(self, offset: int) -> tuple[Place, ...]:
        """Give the place, whatever the offset."""
        del offset
        return (self.place,)


@dataclass(frozen=True, slots=True)
class TestSql:
    """The SQL of one test of a header."""

    test: int
    """Index into the header's tests."""
    is_query: bool
    """False for a condition."""
    rendered: Rendered
    """Of a condition: the query that counts the rows which meet it."""
    analysis: Analysis

    def text(self, written: str) -> str:
        """Give the SQL with physical names; `written` is the whole of `rendered` with them."""
        return written if self.is_query else written[len(_BEFORE) : -len(_AFTER)]


def read_test_sql(
    header: Header, places: Places, name: TableName
) -> tuple[tuple[TestSql, ...], tuple[Fault, ...]]:
    """Read the SQL of all tests of a header; faults stand where each SQL begins."""
    found: list[TestSql] = []
    faults: list[Fault] = []
    for index, test in enumerate(header.tests):
        if test.sql is None:
            continue
        place = places.value("tests", index, "sql")
        try:
            read = _read(index, test.sql, place, name)
            faults += _partition_faults(read, header, place)
            found.append(read)
        except ProjectError as error:
            faults += error.faults
    return tuple(found), tuple(faults)


def _read(index: int, text: str, place: Place, name: TableName) -> TestSql:
    from runner.query.analysis import analyse  # noqa: PLC0415 - sqlglot, for tests that need it
    from runner.query.parse import parse  # noqa: PLC0415

    is_query = _is_query(text)
    plain = _THIS.sub(f'"{THIS}"', text.strip().rstrip("; \n"))
    faults = [*_template_faults(plain, place), *_shape_faults(text, place, is_query=is_query)]
    if faults:
        raise ProjectError(faults)
    rendered = _rendered(plain if is_query else f"{_BEFORE}{plain}{_AFTER}", place)
    try:
        tree = parse(rendered, Kind.CTAS)
    except ProjectError as error:
        raise ProjectError([_of_condition(fault) for fault in error.faults]) from error
    if not is_query:
        faults = list(_condition_faults(tree, place))
        if faults:
            raise ProjectError(faults)
    analysis = analyse(rendered, name=name, kind=Kind.CTAS)
    return TestSql(index, is_query, rendered, analysis)


def _of_condition(fault: Fault) -> Fault:
    """Speak of the condition, not of the statement that was put around it."""
    if fault.found != f"the statement ends after {_AFTER.strip()}":
        return fault
    return replace(fault, found="a condition that ends too early", advice="complete the condition")


def _rendered(text: str, place: Place) -> Rendered:
    return Rendered(
        file=place.file,
        sql=SqlText((text,)),
        sample=text,
        plain=text,
        printed=(),
        refs=(),
        cut=0,
        locator=cast("Locator", Fixed(place)),
    )


def _is_query(text: str) -> bool:
    for token in lex(text, hive=False):
        if token.meaningful and token.text != "(":
            return token.text.upper() in ("SELECT", "WITH", "VALUES", "TABLE")
    return False


def _template_faults(plain: str, place: Place) -> Iterator[Fault]:
    for opening in ("{{", "{%", "{#"):
        if opening in plain:
            yield Fault(
                place,
                _CODE,
                f"`{opening}` in a test's SQL",
                "SQL as it is; `{{ this }}` alone stands for the staged rows",
                "write the value out, or move the computation into the table's SQL",
            )


def _shape_faults(text: str, place: Place, *, is_query: bool) -> Iterator[Fault]:
    names_this = _THIS.search(text) is not None
    if is_query and not names_this:
        yield Fault(
            place,
            _CODE,
            "a query that does not read the staged rows",
            "a query over `{{ this }}`",
            "write FROM {{ this }} where the table's own rows are meant",
        )
    elif names_this and not is_query:
        yield Fault(
            place,
            _CODE,
            "`{{ this }}` in a condition",
            "columns of the table; a query begins with SELECT or WITH",
            "write SELECT ... FROM {{ this }} WHERE ..., or name the columns alone",
        )


def _partition_faults(read: TestSql, header: Header, place: Place) -> Iterator[Fault]:
    """Require the columns by which a query's rows are counted."""
    columns = {column.name for column in read.analysis.columns}
    if not read.is_query or any(name.endswith("*") for name in columns):
        return
    missing = [name for name in header.partition if name not in columns]
    if missing:
        plural = "s" if len(missing) > 1 else ""
        yield Fault(
            place,
            _CODE,
            f"a query that does not give the partition column{plural} {', '.join(missing)}",
            "offending rows with the columns that tell their partition",
            f"add {', '.join(missing)} to its SELECT",
        )


def _condition_faults(tree: exp.Expr, place: Place) -> Iterator[Fault]:
    from sqlglot import exp  # noqa: PLC0415 - loaded by then

    where = tree.args.get("where")
    whole = where.this if where is not None else None
    if not isinstance(whole, exp.Paren):
        yield _condition(place, "brackets that do not pair", "close what you open")
        return
    for kind, what in (
        (exp.Query, "a query inside a condition"),
        (exp.Window, "a window function in a condition"),
        (exp.AggFunc, "an aggregate function in a condition"),
    ):
        if whole.find(kind) is not None:
            advice = "write a query that gives the offending rows: SELECT ... FROM {{ this }} ..."
            yield _condition(place, what, advice)
            return


def _condition(place: Place, found: str, advice: str) -> Fault:
    return Fault(place, _CODE, found, "a condition that one row meets or not", advice)
