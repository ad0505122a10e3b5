"""What the tests of runner.query share: one way to render a file from text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import Fault, ProjectError
from runner.model.header import Kind
from runner.model.names import TableName
from runner.query import Analysis, Rendered, SourceFile, analyse, load_macros, render, split_header

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PATH = "sql/marts/x.sql"
NAME = TableName("marts", "x")
VARIABLES: dict[str, object] = {"carriers": ("AA", "B6"), "limit": 10, "nothing": None}


def rendered(
    text: str,
    *,
    macros: Mapping[str, str] | None = None,
    variables: Mapping[str, object] | None = None,
    time_format: str | None = None,
) -> Rendered:
    """Render one file; macros are texts by file name."""
    files = [SourceFile(f"sql/macros/{name}.sql", body) for name, body in (macros or {}).items()]
    library, faults = load_macros(files)
    assert not faults
    source = SourceFile(PATH, text, split_header(text, file=PATH).body_offset)
    return render(source, macros=library, variables=variables or VARIABLES, time_format=time_format)


def analysed(
    text: str, *, kind: Kind = Kind.INSERT, macros: Mapping[str, str] | None = None
) -> tuple[Rendered, Analysis]:
    """Render and analyse one file."""
    result = rendered(text, macros=macros)
    return result, analyse(result, name=NAME, kind=kind)


def faults_of(call: Callable[[], object]) -> tuple[Fault, ...]:
    """Give the faults that a call raises."""
    try:
        call()
    except ProjectError as error:
        return error.faults
    raise AssertionError("no fault was raised")


def only_fault(call: Callable[[], object]) -> Fault:
    """Give the one fault that a call raises."""
    (fault,) = faults_of(call)
    return fault
