"""The text of MERGE INTO and UPDATE: aliases, the WHENs, and the values they set.

In: a statement.  Out: a `Merge`, whose conditions and values are still text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.session import Cursor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runner.local.athena.lexer import Token
    from runner.local.athena.session import Session, Statement

INSERT = "insert"


class Clause(NamedTuple):
    """One WHEN: what it does, its condition, and the values it sets by column."""

    matched: bool
    action: str
    """insert, update or delete."""
    condition: str
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Merge:
    """A MERGE statement."""

    database: str
    name: str
    target: str
    """The target's alias."""
    source: str
    alias: str
    on: str
    clauses: tuple[Clause, ...]


def read_merge(session: Session, statement: Statement) -> Merge:
    """Read MERGE INTO; raises AthenaFailure."""
    cursor = Cursor(statement)
    cursor.expect("MERGE", "INTO")
    database, name = cursor.qualified(session.database)
    target = _alias(cursor) or name
    cursor.expect("USING")
    token = cursor.peek()
    source = _until(cursor, statement, ("AS", "ON")) if token and token.text == "(" else ""
    if not source:
        schema, table = cursor.qualified(session.database)
        source, default = f"{quoted(schema)}.{quoted(table)}", table
    else:
        default = "source"
    alias = _alias(cursor) or default
    if cursor.accept("("):
        source = f"{source} AS {quoted(alias)} ({_names(cursor)})"
    cursor.expect("ON")
    on = _until(cursor, statement, ("WHEN",))
    clauses = []
    while cursor.accept("WHEN"):
        clauses.append(_clause(cursor, statement))
    if not clauses:
        raise cursor.fault("Expecting: WHEN")
    cursor.expect_end()
    return Merge(database, name, target, source, alias, on, tuple(clauses))


def _alias(cursor: Cursor) -> str:
    if cursor.accept("AS"):
        return cursor.name()
    token = cursor.peek()
    if token is not None and token.name() and token.word() not in {"USING", "ON", "SET", "WHERE"}:
        return cursor.name()
    return ""


def _names(cursor: Cursor) -> str:
    """Take the names of the source's columns, up to the closing bracket."""
    names = [cursor.name()]
    while cursor.accept(","):
        names.append(cursor.name())
    cursor.expect(")")
    return ", ".join(map(quoted, names))


def _clause(cursor: Cursor, statement: Statement) -> Clause:
    matched = not cursor.accept("NOT")
    cursor.expect("MATCHED")
    condition = "true"
    if cursor.accept("AND"):
        condition = _until(cursor, statement, ("THEN",))
    cursor.expect("THEN")
    if matched and cursor.accept("DELETE"):
        return Clause(matched, "delete", condition, {})
    if matched and cursor.accept("UPDATE", "SET"):
        values = once(assignments(cursor, statement, ("WHEN",)))
        return Clause(matched, "update", condition, values)
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
    return Clause(matched, INSERT, condition, once(zip(keys, given, strict=True)))


def once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
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


def assignments(
    cursor: Cursor, statement: Statement, stops: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """Take `column = expression, ...` up to a stop word."""
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


def quoted(name: str) -> str:
    """Write a name between double quotes."""
    return '"' + name.replace('"', '""') + '"'
