"""MERGE INTO, UPDATE and DELETE: rows of an Iceberg table change in one commit.

In: the statement.  Out: a new snapshot in which the files that held changed rows are written anew.
Grammar and meaning are those of Athena's user guide, "MERGE INTO" (Trino's): the first WHEN whose
kind and condition fit decides over a pair or a source row, there is no NOT MATCHED BY SOURCE, and a
target row that several source rows match fails the statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.iceberg import Change, commit, open_table, parts_of
from runner.local.athena.planner import Given
from runner.local.athena.readers import located_sql
from runner.local.athena.session import Cursor, Outcome
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.statements.assignments import all_assign, cast_to
from runner.local.athena.statements.iceberg import write_files
from runner.local.athena.statements.merge_texts import (
    Clause,
    Merge,
    assignments,
    once,
    quoted,
    read_merge,
)
from runner.local.athena.statements.places import places_of
from runner.local.athena.tables import Field, TableInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.iceberg import Opened
    from runner.local.athena.planner import Plan
    from runner.local.athena.session import Session, Statement
    from runner.local.athena.sqltypes import SqlType

_HIDDEN = (Field("__file", "string"), Field("__row", "bigint"))
_SOURCE_ROW = Field("__source", "bigint")
_DATABASE = "$merge"


class _Changes(NamedTuple):
    """Temporary tables: pairs that change (`f`, `r`, `k`, values), and rows to insert."""

    clauses: tuple[Clause, ...]
    pairs: str
    inserts: str
    bytes_scanned: int


def merge_into(session: Session, statement: Statement) -> Outcome:
    """Run MERGE INTO."""
    found = read_merge(session, statement)
    with places_of(statement):
        return _merge(session, found)


def _merge(session: Session, found: Merge) -> Outcome:
    opened = open_table(session, found.database, found.name)
    _check_columns(opened.table, found.clauses)
    source = session.planner.plan(
        session.cursor, f"SELECT * FROM {found.source}", database=session.database
    )
    _temporary(
        session,
        "merge_source",
        f"SELECT *, row_number() OVER () AS {_SOURCE_ROW.name} FROM ({source.sql})",
    )
    matched = tuple(each for each in found.clauses if each.matched)
    unmatched = tuple(each for each in found.clauses if not each.matched)
    given = _given(session, opened, source)
    pairs = _pairs(session, found, matched, given)
    _refuse_several(session)
    inserts = _inserts(session, found, unmatched, given)
    cast = _cast(opened.table, matched, pairs, skipped=4, cases=found.clauses)
    if cast != matched:
        matched = cast
        _pairs(session, found, matched, given)
    cast = _cast(opened.table, unmatched, inserts, skipped=2, cases=found.clauses)
    if cast != unmatched:
        unmatched = cast
        _inserts(session, found, unmatched, given)
    changes = _Changes(matched, "merge_pairs", "merge_inserts", source.scanned(source.text_bytes))
    return _apply(session, opened, changes, "MERGE", unmatched)


def delete_from(session: Session, statement: Statement) -> Outcome:
    """Run DELETE FROM table [WHERE condition]."""
    cursor = Cursor(statement)
    cursor.expect("DELETE", "FROM")
    database, name = cursor.qualified(session.database)
    condition = cursor.rest()[0] if cursor.accept("WHERE") else "true"
    if condition == "true":
        cursor.expect_end()
    with places_of(statement):
        return _change_rows(session, (database, name), Clause(True, "delete", condition, {}))


def update(session: Session, statement: Statement) -> Outcome:
    """Run UPDATE table SET column = value, ... [WHERE condition]."""
    cursor = Cursor(statement)
    cursor.expect("UPDATE")
    database, name = cursor.qualified(session.database)
    cursor.expect("SET")
    values = once(assignments(cursor, statement, ("WHERE",)))
    condition = cursor.rest()[0] if cursor.accept("WHERE") else "true"
    with places_of(statement):
        return _change_rows(session, (database, name), Clause(True, "update", condition, values))


def _change_rows(session: Session, named: tuple[str, str], clause: Clause) -> Outcome:
    opened = open_table(session, *named)
    _check_columns(opened.table, (clause,), merging=False)
    plan = _plan_rows(session, opened, named[1], clause)
    (cast,) = _cast(opened.table, (clause,), plan, skipped=4, cases=())
    if cast != clause:
        clause = cast
        plan = _plan_rows(session, opened, named[1], clause)
    names = ["f", "r", "s", "k", *_value_names((clause,))]
    select = f"SELECT * FROM ({plan.sql}) AS q({', '.join(names)})"
    scanned = plan.scanned(_temporary(session, "merge_pairs", select))
    _temporary(session, "merge_inserts", "SELECT 0 AS k WHERE false")
    changes = _Changes((clause,), "merge_pairs", "merge_inserts", scanned)
    return _apply(session, opened, changes, clause.action.upper(), ())


def _plan_rows(session: Session, opened: Opened, name: str, clause: Clause) -> Plan:
    alias = quoted(name)
    values = "".join(f", ({each})" for each in clause.values.values())
    return session.planner.plan(
        session.cursor,
        f'SELECT {alias}."__file", {alias}."__row", CAST(0 AS bigint), 0{values} '
        f'FROM "{_DATABASE}"."target" AS {alias} WHERE {clause.condition}',
        database=session.database,
        given=_given(session, opened, None),
    )


def _check_columns(table: TableInfo, clauses: Sequence[Clause], *, merging: bool = True) -> None:
    names = {each.name for each in table.columns}
    for clause in clauses:
        for column in clause.values:
            if column not in names and not column.startswith("#"):
                raise AthenaFailure(
                    "COLUMN_NOT_FOUND",
                    f"Merge column name does not exist in target table: {column}"
                    if merging
                    else f"The UPDATE SET target column {column} doesn't exist",
                    line=1,
                    column=1,
                )


# --- rows that change -----------------------------------------------------------------------------


def _given(session: Session, opened: Opened, source: Plan | None) -> dict[tuple[str, str], Given]:
    """Name the target's rows with their places, and the source's rows, for the planner."""
    target = opened.table._replace(columns=(*opened.table.columns, *_HIDDEN))
    scan = located_sql(opened.table, parts_of(session, opened.urls()))
    found = {(_DATABASE, "target"): Given(target, scan)}
    if source is not None:
        fields = [Field(name.lower(), parse_type(kind).hive()) for name, kind in source.columns]
        info = opened.table._replace(columns=(*fields, _SOURCE_ROW))
        found[_DATABASE, "source"] = Given(info, '(SELECT * FROM "merge_source")')
    return found


def _pairs(
    session: Session,
    merge: Merge,
    clauses: tuple[Clause, ...],
    given: dict[tuple[str, str], Given],
) -> Plan:
    """Find which source row matches which target row, and which clause that pair falls to."""
    target, source = quoted(merge.target), quoted(merge.alias)
    values = "".join(f", ({each})" for clause in clauses for each in clause.values.values())
    plan = session.planner.plan(
        session.cursor,
        f'SELECT {target}."__file", {target}."__row", {source}."{_SOURCE_ROW.name}", '
        f'{_case(clauses)}{values} FROM "{_DATABASE}"."target" AS {target} '
        f'INNER JOIN "{_DATABASE}"."source" AS {source} ON {merge.on}',
        database=session.database,
        given=given,
    )
    names = ["f", "r", "s", "k", *_value_names(clauses)]
    _temporary(session, "merge_pairs", f"SELECT * FROM ({plan.sql}) AS q({', '.join(names)})")
    return plan


def _inserts(
    session: Session,
    merge: Merge,
    clauses: tuple[Clause, ...],
    given: dict[tuple[str, str], Given],
) -> Plan:
    """Find the source rows that match nothing, and the clause that each falls to."""
    source = quoted(merge.alias)
    values = "".join(f", ({each})" for clause in clauses for each in clause.values.values())
    plan = session.planner.plan(
        session.cursor,
        f'SELECT {source}."{_SOURCE_ROW.name}", {_case(clauses)}{values} '
        f'FROM "{_DATABASE}"."source" AS {source}',
        database=session.database,
        given=given,
    )
    names = ["s", "k", *_value_names(clauses)]
    _temporary(
        session,
        "merge_inserts",
        f"SELECT * FROM ({plan.sql}) AS q({', '.join(names)}) "
        f'WHERE k >= 0 AND s NOT IN (SELECT s FROM "merge_pairs")',
    )
    return plan


def _case(clauses: Sequence[Clause]) -> str:
    if not clauses:
        return "-1"
    whens = " ".join(
        f"WHEN ({clause.condition}) THEN {number}" for number, clause in enumerate(clauses)
    )
    return f"CASE {whens} ELSE -1 END"


def _value_names(clauses: Sequence[Clause]) -> list[str]:
    return [
        f"v{number}_{place}"
        for number, clause in enumerate(clauses)
        for place in range(len(clause.values))
    ]


def _refuse_several(session: Session) -> None:
    found = session.engine.run(
        session.cursor, 'SELECT 1 FROM "merge_pairs" GROUP BY f, r HAVING count(*) > 1 LIMIT 1'
    )
    if found.rows:
        raise AthenaFailure(
            "MERGE_TARGET_ROW_MULTIPLE_MATCHES",
            "One MERGE target table row matched more than one source row",
        )


def _cast(
    table: TableInfo,
    clauses: tuple[Clause, ...],
    plan: Plan,
    *,
    skipped: int,
    cases: Sequence[Clause],
) -> tuple[Clause, ...]:
    """Give clauses whose values have the types of their columns; raises AthenaFailure."""
    found = []
    for clause in clauses:
        names = list(clause.values)
        if names[:1] == ["#0"]:
            names = [f"#{number}" for number in range(len(table.columns))]
        wanted = [parse_type(_field(table, column).type) for column in names]
        last = skipped + len(clause.values)
        given = [parse_type(kind) for _, kind in plan.columns[skipped:last]]
        skipped = last
        if not all_assign(given, wanted):
            raise _mismatch(given, wanted, case=cases.index(clause) if clause in cases else -1)
        values = [
            cast_to(text, have, want)
            for text, have, want in zip(clause.values.values(), given, wanted, strict=True)
        ]
        found.append(clause._replace(values=dict(zip(clause.values, values, strict=True))))
    return tuple(found)


def _mismatch(given: Sequence[SqlType], wanted: Sequence[SqlType], *, case: int) -> AthenaFailure:
    what = "UPDATE table column types don't match SET expressions"
    if case >= 0:
        what = f"MERGE table column types don't match for MERGE case {case}, SET expressions"
    return AthenaFailure(
        "TYPE_MISMATCH",
        f"{what}: Table: [{', '.join(each.trino() for each in wanted)}], "
        f"Expressions: [{', '.join(each.trino() for each in given)}]",
        line=1,
        column=1,
    )


def _field(table: TableInfo, column: str) -> Field:
    """Find a column by name, or by position where an INSERT names none."""
    if column.startswith("#"):
        return table.columns[int(column[1:])]
    return next(each for each in table.columns if each.name == column)


# --- the new snapshot ----------------------------------------------------------------------------


def _apply(
    session: Session,
    opened: Opened,
    changes: _Changes,
    substatement: str,
    inserting: tuple[Clause, ...],
) -> Outcome:
    """Write the changed files anew, with what is inserted, and commit."""
    touched = session.engine.run(
        session.cursor, f'SELECT f, count(*) FROM "{changes.pairs}" WHERE k >= 0 GROUP BY f'
    )
    paths = {str(row[0]) for row in touched.rows}
    new = session.engine.run(session.cursor, f'SELECT count(*) FROM "{changes.inserts}"').rows[0][0]
    if not paths and not new:
        return Outcome("DML", substatement, bytes_scanned=changes.bytes_scanned)
    changed = [url for url in opened.urls() if session.s3.place_of(url) in paths]
    selects = [_kept(session, opened, changes, changed)] if changed else []
    if new:
        selects.append(_inserted(opened.table, changes.inserts, inserting))
    written, files = write_files(
        session, opened.table, opened.document, " UNION ALL ".join(selects)
    )
    operation = "overwrite" if files and changed else "append" if files else "delete"
    commit(session, opened, Change(operation, files, frozenset(changed)))
    return Outcome(
        "DML",
        substatement,
        bytes_scanned=changes.bytes_scanned + written.bytes_read,
        rows_written=sum(int(row[1]) for row in touched.rows) + int(new),
    )


def _kept(session: Session, opened: Opened, changes: _Changes, urls: Sequence[str]) -> str:
    """Select the rows of changed files as they are afterwards."""
    scan = located_sql(opened.table, parts_of(session, urls))
    columns = ", ".join(_after(each, changes.clauses) for each in opened.table.columns)
    gone = [n for n, clause in enumerate(changes.clauses) if clause.action == "delete"]
    there = f" OR p.k NOT IN ({', '.join(map(str, gone))})" if gone else " OR true"
    return (
        f'SELECT {columns} FROM {scan} AS t LEFT JOIN "{changes.pairs}" AS p '
        f"ON p.f = t.__file AND p.r = t.__row AND p.k >= 0 WHERE p.k IS NULL{there}"
    )


def _after(column: Field, clauses: Sequence[Clause]) -> str:
    """Write a column's value after the changes."""
    whens = [
        f"WHEN {number} THEN CAST(p.v{number}_{list(clause.values).index(column.name)} "
        f"AS {parse_type(column.type).duck()})"
        for number, clause in enumerate(clauses)
        if column.name in clause.values
    ]
    name = f"t.{quoted(column.name)}"
    return f"CASE p.k {' '.join(whens)} ELSE {name} END" if whens else name


def _inserted(table: TableInfo, inserts: str, clauses: Sequence[Clause]) -> str:
    """Select the rows to insert; columns that an INSERT does not name are NULL."""
    columns = []
    for column in table.columns:
        kind = parse_type(column.type).duck()
        whens = [
            f"WHEN {number} THEN CAST(v{number}_{place} AS {kind})"
            for number, clause in enumerate(clauses)
            for place, name in enumerate(clause.values)
            if _field(table, name) == column
        ]
        columns.append(f"CASE k {' '.join(whens)} END" if whens else f"CAST(NULL AS {kind})")
    return f'SELECT {", ".join(columns)} FROM "{inserts}"'


def _temporary(session: Session, name: str, select: str) -> int:
    """Keep the rows of a select under a name; gives the bytes that it read."""
    made = session.engine.run(session.cursor, f'CREATE OR REPLACE TEMP TABLE "{name}" AS {select}')
    return made.bytes_read
