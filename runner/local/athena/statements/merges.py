"""MERGE INTO, UPDATE and DELETE: rows of an Iceberg table change in one commit.

In: the statement.  Out: a new snapshot in which the files that held changed rows are written anew.
Grammar and meaning are those of Athena's user guide, "MERGE INTO" (Trino's): the first WHEN whose
kind and condition fit decides over a pair or a source row, there is no NOT MATCHED BY SOURCE, and a
target row that several source rows match fails the statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.iceberg import Change, commit, open_table, parts_of
from runner.local.athena.planner import Given
from runner.local.athena.readers import located_sql
from runner.local.athena.session import Cursor, Outcome
from runner.local.athena.sqltypes import coerces, parse_type
from runner.local.athena.statements.iceberg import write_files
from runner.local.athena.statements.places import places_of
from runner.local.athena.tables import Field, TableInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from runner.local.athena.iceberg import Opened
    from runner.local.athena.lexer import Token
    from runner.local.athena.planner import Plan
    from runner.local.athena.session import Session, Statement

_HIDDEN = (Field("__file", "string"), Field("__row", "bigint"))
_SOURCE_ROW = Field("__source", "bigint")
_DATABASE = "$merge"
_INSERT = "insert"


class _Clause(NamedTuple):
    """One WHEN: what it does, its condition, and the values it sets by column."""

    matched: bool
    action: str
    """insert, update or delete."""
    condition: str
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Merge:
    database: str
    name: str
    target: str
    """The target's alias."""
    source: str
    alias: str
    on: str
    clauses: tuple[_Clause, ...]


class _Changes(NamedTuple):
    """Temporary tables: pairs that change (`f`, `r`, `k`, values), and rows to insert."""

    clauses: tuple[_Clause, ...]
    pairs: str
    inserts: str
    bytes_scanned: int


def merge_into(session: Session, statement: Statement) -> Outcome:
    """Run MERGE INTO."""
    with places_of(statement):
        return _merge(session, statement)


def _merge(session: Session, statement: Statement) -> Outcome:
    found = _read_merge(session, statement)
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
    _check_types(opened.table, matched, pairs, skipped=4, cases=found.clauses)
    _check_types(opened.table, unmatched, inserts, skipped=2, cases=found.clauses)
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
        return _change_rows(session, (database, name), _Clause(True, "delete", condition, {}))


def update(session: Session, statement: Statement) -> Outcome:
    """Run UPDATE table SET column = value, ... [WHERE condition]."""
    cursor = Cursor(statement)
    cursor.expect("UPDATE")
    database, name = cursor.qualified(session.database)
    cursor.expect("SET")
    values = _once(_assignments(cursor, statement, ("WHERE",)))
    condition = cursor.rest()[0] if cursor.accept("WHERE") else "true"
    with places_of(statement):
        return _change_rows(session, (database, name), _Clause(True, "update", condition, values))


def _change_rows(session: Session, named: tuple[str, str], clause: _Clause) -> Outcome:
    opened = open_table(session, *named)
    _check_columns(opened.table, (clause,), merging=False)
    alias = _quoted(named[1])
    values = "".join(f", ({each})" for each in clause.values.values())
    plan = session.planner.plan(
        session.cursor,
        f'SELECT {alias}."__file", {alias}."__row", CAST(0 AS bigint), 0{values} '
        f'FROM "{_DATABASE}"."target" AS {alias} WHERE {clause.condition}',
        database=session.database,
        given=_given(session, opened, None),
    )
    names = ["f", "r", "s", "k", *_value_names((clause,))]
    _temporary(session, "merge_pairs", f"SELECT * FROM ({plan.sql}) AS q({', '.join(names)})")
    _temporary(session, "merge_inserts", "SELECT 0 AS k WHERE false")
    _check_types(opened.table, (clause,), plan, skipped=4, cases=())
    changes = _Changes((clause,), "merge_pairs", "merge_inserts", 0)
    return _apply(session, opened, changes, clause.action.upper(), ())


# --- the statement's text -----------------------------------------------------------------------


def _read_merge(session: Session, statement: Statement) -> _Merge:
    cursor = Cursor(statement)
    cursor.expect("MERGE", "INTO")
    database, name = cursor.qualified(session.database)
    target = _alias(cursor) or name
    cursor.expect("USING")
    token = cursor.peek()
    source = _until(cursor, statement, ("AS", "ON")) if token and token.text == "(" else ""
    if not source:
        schema, table = cursor.qualified(session.database)
        source, default = f"{_quoted(schema)}.{_quoted(table)}", table
    else:
        default = "source"
    alias = _alias(cursor) or default
    cursor.expect("ON")
    on = _until(cursor, statement, ("WHEN",))
    clauses = []
    while cursor.accept("WHEN"):
        clauses.append(_clause(cursor, statement))
    if not clauses:
        raise cursor.fault("Expecting: WHEN")
    cursor.expect_end()
    return _Merge(database, name, target, source, alias, on, tuple(clauses))


def _alias(cursor: Cursor) -> str:
    if cursor.accept("AS"):
        return cursor.name()
    token = cursor.peek()
    if token is not None and token.name() and token.word() not in {"USING", "ON", "SET", "WHERE"}:
        return cursor.name()
    return ""


def _clause(cursor: Cursor, statement: Statement) -> _Clause:
    matched = not cursor.accept("NOT")
    cursor.expect("MATCHED")
    condition = "true"
    if cursor.accept("AND"):
        condition = _until(cursor, statement, ("THEN",))
    cursor.expect("THEN")
    if matched and cursor.accept("DELETE"):
        return _Clause(matched, "delete", condition, {})
    if matched and cursor.accept("UPDATE", "SET"):
        values = _once(_assignments(cursor, statement, ("WHEN",)))
        return _Clause(matched, "update", condition, values)
    if matched:
        raise cursor.fault("Expecting: 'DELETE', 'UPDATE'")
    cursor.expect("INSERT")
    names: list[str] = []
    if cursor.accept("("):
        names.append(cursor.name())
        while cursor.accept(","):
            names.append(cursor.name())
        cursor.expect(")")
    cursor.expect("VALUES", "(")
    given = [_until(cursor, statement, (",", ")"))]
    while cursor.accept(","):
        given.append(_until(cursor, statement, (",", ")")))
    cursor.expect(")")
    keys = names or [f"#{number}" for number in range(len(given))]
    if len(keys) != len(given):
        raise AthenaFailure(
            "TYPE_MISMATCH",
            f"Insert column count ({len(keys)}) does not match value count ({len(given)})",
            line=1,
            column=1,
        )
    return _Clause(matched, _INSERT, condition, _once(zip(keys, given, strict=True)))


def _once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Give values by column; raises AthenaFailure for a column that is named twice."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise AthenaFailure(
                "DUPLICATE_COLUMN_NAME",
                f"Column name is specified more than once: {name}",
                line=1,
                column=1,
            )
        found[name] = value
    return found


def _assignments(
    cursor: Cursor, statement: Statement, stops: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    while True:
        name = cursor.name()
        cursor.expect("=")
        yield name, _until(cursor, statement, (",", *stops))
        if not cursor.accept(","):
            return


def _until(cursor: Cursor, statement: Statement, stops: tuple[str, ...]) -> str:
    """Take the text of an expression: up to a stop word outside of parentheses and CASE."""
    depth = 0
    begin = end = -1
    while True:
        token = cursor.peek()
        if token is None or (depth == 0 and _stops(token, stops)):
            break
        if depth == 0 and token.text == ")":
            break
        cursor.take()
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0)
        depth += {"CASE": 1, "END": -1}.get(token.word(), 0)
        begin, end = (token.start if begin < 0 else begin), token.end
        if depth == 0 and token.text == ")" and "ON" in stops:
            break
    if begin < 0:
        raise cursor.fault("Expecting: <expression>")
    return statement.sql[begin:end]


def _stops(token: Token, stops: tuple[str, ...]) -> bool:
    return token.text.upper() in stops and token.kind in {"word", "mark"}


def _check_columns(table: TableInfo, clauses: Sequence[_Clause], *, merging: bool = True) -> None:
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
    merge: _Merge,
    clauses: tuple[_Clause, ...],
    given: dict[tuple[str, str], Given],
) -> Plan:
    """Find which source row matches which target row, and which clause that pair falls to."""
    target, source = _quoted(merge.target), _quoted(merge.alias)
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
    merge: _Merge,
    clauses: tuple[_Clause, ...],
    given: dict[tuple[str, str], Given],
) -> Plan:
    """Find the source rows that match nothing, and the clause that each falls to."""
    source = _quoted(merge.alias)
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


def _case(clauses: Sequence[_Clause]) -> str:
    if not clauses:
        return "-1"
    whens = " ".join(
        f"WHEN ({clause.condition}) THEN {number}" for number, clause in enumerate(clauses)
    )
    return f"CASE {whens} ELSE -1 END"


def _value_names(clauses: Sequence[_Clause]) -> list[str]:
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


def _check_types(
    table: TableInfo,
    clauses: Sequence[_Clause],
    plan: Plan,
    *,
    skipped: int,
    cases: Sequence[_Clause],
) -> None:
    """Refuse values that Trino would not cast by itself to their columns."""
    for clause in clauses:
        names = list(clause.values)
        if names[:1] == ["#0"]:
            names = [f"#{number}" for number in range(len(table.columns))]
        wanted = [parse_type(_field(table, column).type) for column in names]
        last = skipped + len(clause.values)
        given = [parse_type(kind) for _, kind in plan.columns[skipped:last]]
        skipped = last
        if len(given) == len(wanted) and all(
            coerces(have, want) for have, want in zip(given, wanted, strict=True)
        ):
            continue
        what = "UPDATE table column types don't match SET expressions"
        if clause in cases:
            number = cases.index(clause)
            what = f"MERGE table column types don't match for MERGE case {number}, SET expressions"
        raise AthenaFailure(
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
    inserting: tuple[_Clause, ...],
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


def _after(column: Field, clauses: Sequence[_Clause]) -> str:
    """Write a column's value after the changes."""
    whens = [
        f"WHEN {number} THEN CAST(p.v{number}_{list(clause.values).index(column.name)} "
        f"AS {parse_type(column.type).duck()})"
        for number, clause in enumerate(clauses)
        if column.name in clause.values
    ]
    name = f"t.{_quoted(column.name)}"
    return f"CASE p.k {' '.join(whens)} ELSE {name} END" if whens else name


def _inserted(table: TableInfo, inserts: str, clauses: Sequence[_Clause]) -> str:
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


def _temporary(session: Session, name: str, select: str) -> None:
    session.engine.run(session.cursor, f'CREATE OR REPLACE TEMP TABLE "{name}" AS {select}')


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
