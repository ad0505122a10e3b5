"""Personal data goes unmasked only where it may: into no mart or export, into allowed databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.checks.scene import Rule, Scene, Subject
from runner.errors import Fault
from runner.model.header import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runner.errors import Place
    from runner.model.project import PersonalColumn, PersonalStep, Table

_LOAD = "pii-load"
_DATABASE = "pii-database"
_EXPORT = "pii-export"
_VALUE = "pii-value"


def unmasked(table: Table, columns: tuple[str, ...] = ()) -> tuple[PersonalColumn, ...]:
    """Give the personal data that leaves with a table, or with some of its columns."""
    return tuple(one for one in table.pii if not columns or one.column in columns)


def way(column: PersonalColumn, place_of_step: Callable[[PersonalStep], Place]) -> str:
    """Write the way of a column step by step, each with its place in the SQL."""
    return " -> ".join(
        f"{step.table}.{step.column}" + (f" ({place_of_step(step)})" if step.offset >= 0 else "")
        for step in column.steps
    )


def export_faults(
    table: Table,
    columns: tuple[str, ...],
    *,
    place: Place,
    place_of_step: Callable[[PersonalStep], Place],
) -> Iterator[Fault]:
    """Refuse a step of a workflow that would bring personal data out of the lake unmasked.

    `columns` are those that leave, none for all; `place` is the step's.
    """
    for column in unmasked(table, columns):
        what = f"an export of {table.name} with"
        yield _fault(place, _EXPORT, what, column, way(column, place_of_step), table)


def value_fault(
    step: str,
    column: str,
    before: PersonalColumn,
    place: Place,
    place_of_step: Callable[[PersonalStep], Place],
) -> Fault:
    """Refuse a query of a step that gives a column which holds personal data unmasked.

    `before` is the column that it reads at `place`.
    """
    return Fault(
        place,
        _VALUE,
        f"the value `{column}` of the step {step}, "
        f"{_followed(step, column, way(before, place_of_step), place)}",
        "personal data masked on its way: what a step gives stands in the execution's history, "
        "which everybody reads who may look at a run",
        f"write {{{{ mask.domain('{before.column}') }}}} or another mask in the query, count what "
        "is to be known, or leave it out",
    )


def statement_fault(
    step: str,
    column: str,
    before: PersonalColumn,
    place: Place,
    place_of_step: Callable[[PersonalStep], Place],
) -> Fault:
    """Refuse a statement of Redshift that takes personal data out of the lake unmasked.

    `before` is the column that it reads at `place`.
    """
    return Fault(
        place,
        _EXPORT,
        f"SQL in Redshift with the column `{column}`, "
        f"{_followed(step, column, way(before, place_of_step), place)}",
        "personal data masked on its way, or left out",
        f"read a table in which {before.column} is masked, leave it out, or mark what is a mask: "
        "/*mask:custom*/ ... /*mask:end*/",
    )


def _followed(step: str, column: str, before: str, place: Place) -> str:
    return f"which holds personal data: {before} -> {step}.{column} ({place})"


def statement_lost(named: tuple[str, ...], reason: str, place: Place) -> Fault:
    """Refuse a statement of Redshift out of which personal data cannot be followed."""
    return Fault(
        place,
        "pii-lost",
        f"personal data that cannot be followed: {', '.join(named)}, because of {reason}",
        "INSERT, CREATE TABLE AS, MERGE, UPDATE or UNLOAD whose columns can be traced",
        "read a table that holds no personal data, or write the statement so",
    )


def _fault(  # noqa: PLR0917 - the parts of one sentence
    place: Place, code: str, what: str, column: PersonalColumn, shown: str, table: Table
) -> Fault:
    return Fault(
        place,
        code,
        f"{what} the column `{column.column}`, which holds personal data: {shown}",
        "personal data masked on its way, or left out",
        _advice(code, column.column, table),
    )


def _advice(code: str, column: str, table: Table) -> str:
    if table.kind is not Kind.DDL:
        return (
            f"add mask: {{{column}: ...}} to the header of {table.file}, write "
            f"{{{{ mask.domain('{column}') }}}} or another mask in its SQL, or leave it out"
        )
    if code == _DATABASE:
        database = table.name.database
        return f"add {database} to `pii_databases`, or move {table.file} to one of them"
    return f"take a table whose query masks {column}; {table.file} shows files as they are"


def _find_load(subject: Subject, scene: Scene) -> Iterator[Fault]:
    table = subject.table
    load = table.header.load
    if load is None:
        return
    for column in unmasked(table, load.columns):
        what = f"a load into the mart `{load.mart}` with"
        shown = way(column, scene.place_of_step)
        yield _fault(subject.places.key("load"), _LOAD, what, column, shown, table)


def _find_database(subject: Subject, scene: Scene) -> Iterator[Fault]:
    table = subject.table
    allowed = scene.pii_databases
    if allowed is None or table.name.database in allowed:
        return
    for column in unmasked(table):
        before = column.steps[-2] if len(column.steps) > 1 else None
        if before is not None and before.file and before.table.partition(".")[0] not in allowed:
            continue  # said where it got there
        last = column.steps[-1]
        place = scene.place_of_step(last) if last.offset >= 0 else subject.places.key("pii")
        what = f"in the database {table.name.database}, which is none of `pii_databases`,"
        yield _fault(place, _DATABASE, what, column, way(column, scene.place_of_step), table)


RULES = (
    Rule(
        _LOAD,
        "error",
        "A mart is read by people and tools that must not see personal data.",
        _find_load,
    ),
    Rule(
        _DATABASE,
        "error",
        "config.yaml says which databases may hold personal data without a mask.",
        _find_database,
    ),
)
