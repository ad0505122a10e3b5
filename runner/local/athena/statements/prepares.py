"""PREPARE, EXECUTE and DEALLOCATE PREPARE: statements of a work group, with parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.errors import AthenaFailure, InvalidRequest
from runner.local.athena.prepared import bind
from runner.local.athena.session import Cursor, Outcome, read_statement

if TYPE_CHECKING:
    from runner.local.athena.session import Session, Statement

_PREPARED = frozenset(
    {"SELECT", "WITH", "VALUES", "(", "INSERT", "UNLOAD", "CREATE", "DELETE", "UPDATE", "MERGE"}
    | {"TABLE", "SHOW", "DESCRIBE", "EXPLAIN"}
)
_OPENING, _CLOSING = "([", ")]"


def prepare(session: Session, statement: Statement) -> Outcome:
    """Keep a statement's text; one of the same name is replaced."""
    cursor = Cursor(statement)
    cursor.expect("PREPARE")
    name = _name(cursor)
    cursor.expect("FROM")
    token = cursor.peek()
    if token is None or token.text.upper() not in _PREPARED:
        raise cursor.fault("Expecting: a statement that can be prepared")
    sql, _ = cursor.rest()
    _check_single(cursor)
    try:
        session.prepared.put(session.work_group, name, sql=sql.strip())
    except InvalidRequest as error:
        raise AthenaFailure("INVALID_ARGUMENTS", error.message) from error
    return Outcome("UTILITY", "PREPARE")


def _check_single(cursor: Cursor) -> None:
    """Refuse a second statement behind the one to prepare."""
    while not cursor.ended():
        mark = cursor.mark()
        token = cursor.take()
        if token.text == ";":
            cursor.reset(mark)
            raise cursor.fault("Expecting: <EOF>")
        following = cursor.peek()
        if token.word() == "EXECUTE" and following is not None and following.name():
            cursor.reset(mark)
            raise cursor.fault("Expecting: <EOF>")


def execute(session: Session, statement: Statement) -> Outcome:
    """Run a prepared statement with its parameters, or with those of the request."""
    from runner.local.athena.statements import run_statement  # noqa: PLC0415 - it lists this one

    return run_statement(session, resolve(session, statement))


def resolve(session: Session, statement: Statement) -> Statement:
    """Give the statement that EXECUTE name [USING ...] means."""
    cursor = Cursor(statement)
    cursor.expect("EXECUTE")
    name = _name(cursor)
    given = list(session.parameters)
    if cursor.accept("USING"):
        given = _parameters(cursor)
    cursor.expect_end()
    return read_statement(bind(_find(session, name), given))


def deallocate(session: Session, statement: Statement) -> Outcome:
    """Forget a prepared statement."""
    cursor = Cursor(statement)
    cursor.expect("DEALLOCATE", "PREPARE")
    name = _name(cursor)
    cursor.expect_end()
    _find(session, name)
    session.prepared.delete_prepared_statement(StatementName=name, WorkGroup=session.work_group)
    return Outcome("UTILITY", "DEALLOCATE")


def _name(cursor: Cursor) -> str:
    token = cursor.take()
    return token.text if token.kind == "word" else token.literal()


def _find(session: Session, name: str) -> str:
    try:
        found = session.prepared.get_prepared_statement(
            StatementName=name, WorkGroup=session.work_group
        )
    except InvalidRequest as error:
        raise AthenaFailure("NOT_FOUND", error.message) from error
    return str(found["PreparedStatement"]["QueryStatement"])


def _parameters(cursor: Cursor) -> list[str]:
    """Take expressions between commas."""
    found: list[str] = []
    begin, depth = cursor.rest()[1], 0
    while not cursor.ended():
        here = cursor.rest()[1]
        text = cursor.take().text
        depth += (text in _OPENING) - (text in _CLOSING)
        if text == "," and not depth:
            found.append(cursor.text_between(begin, here))
            begin = cursor.rest()[1]
    return [*found, cursor.text_between(begin, cursor.rest()[1])]
