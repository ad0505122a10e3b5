"""What a statement runs with, and what it leaves: the values that statement families share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from runner.local.athena.errors import syntax_error
from runner.local.athena.lexer import Token, position, tokenize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runner.local.athena.engine import Engine, Handle
    from runner.local.athena.partitions import Locator
    from runner.local.athena.planner import Planner
    from runner.local.athena.prepared import Prepared
    from runner.local.athena.sqltypes import SqlType
    from runner.local.athena.writer import Writer
    from runner.local.glue import GlueCatalog
    from runner.local.s3 import FolderS3

_MOST_WORDS = 5


class Statement(NamedTuple):
    """A statement's text and tokens."""

    sql: str
    tokens: tuple[Token, ...]

    def words(self) -> tuple[str, ...]:
        """Give the first words in upper case."""
        return tuple(token.text.upper() for token in self.tokens[:_MOST_WORDS])


def read_statement(sql: str) -> Statement:
    """Tokenize a statement, without the semicolon that may end it."""
    tokens = tokenize(sql)
    while tokens and tokens[-1].text == ";":
        sql = sql[: tokens[-1].start]
        tokens = tokens[:-1]
    return Statement(sql, tokens)


def in_place(sql: str, start: int) -> str:
    r"""Blank out what stands before a place, so that lines and columns stay what they are.

    >>> in_place("INSERT\nINTO t SELECT 1", 14)
    '      \n       SELECT 1'
    """
    return re.sub(r"[^\n]", " ", sql[:start]) + sql[start:]


class Session(NamedTuple):
    """The services and settings of one execution."""

    engine: Engine
    cursor: Handle
    planner: Planner
    locator: Locator
    catalog: GlueCatalog
    s3: FolderS3
    writer: Writer
    database: str
    query_id: str
    results: str
    """Where tables without a location go: the execution's output location."""
    prepared: Prepared
    work_group: str = "primary"
    parameters: tuple[str, ...] = ()
    """SQL literals that the request gives for the question marks."""
    streams: bool = False
    """Whether a query may give its rows piece by piece."""


class Outcome(NamedTuple):
    """What a statement gave."""

    kind: Literal["DML", "DDL", "UTILITY"]
    substatement: str
    columns: tuple[tuple[str, SqlType], ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    bytes_scanned: int = 0
    rows_written: int = 0
    files: tuple[str, ...] = ()
    """URLs of the files that were written; they go into the manifest."""
    more: Iterator[tuple[tuple[Any, ...], ...]] | None = None
    """Rows that follow `rows`, piece by piece, while the session is open."""
    scanned: Callable[[], int] | None = None
    """Gives the bytes scanned once all rows have come, where they come piece by piece."""


class Cursor:
    """Reads a statement's tokens one by one, for the small grammars of DDL."""

    def __init__(self, statement: Statement) -> None:
        """Start at the first token."""
        self._statement = statement
        self._tokens = statement.tokens
        self._place = 0
        self.of_queries = False
        """Whether bare names are those of queries: DDL of Iceberg tables takes more of them."""

    @property
    def sql(self) -> str:
        """Give the whole statement."""
        return self._statement.sql

    def peek(self) -> Token | None:
        """Give the next token without taking it."""
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def take(self) -> Token:
        """Take the next token; raises AthenaFailure at the end."""
        token = self.peek()
        if token is None:
            raise self.fault()
        self._place += 1
        return token

    def accept(self, *words: str) -> bool:
        """Take these words if they come next."""
        ahead = self._tokens[self._place : self._place + len(words)]
        if tuple(token.text.upper() for token in ahead) != words:
            return False
        self._place += len(words)
        return True

    def expect(self, *words: str) -> None:
        """Take these words; raises AthenaFailure if others come."""
        if not self.accept(*words):
            raise self.fault(f"Expecting: {' '.join(words)}")

    def name(self) -> str:
        """Take one identifier, in lower case."""
        token = self.take()
        if not token.name():
            self._place -= 1
            raise self.fault("Expecting: <identifier>")
        return token.name()

    def qualified(self, database: str) -> tuple[str, str]:
        """Take a table's name; gives database and name."""
        parts = [self.name()]
        while self.accept("."):
            parts.append(self.name())
        return (parts[-2] if len(parts) > 1 else database), parts[-1]

    def string(self) -> str:
        """Take a string literal's value."""
        token = self.take()
        if token.kind not in {"string", "quoted"}:
            self._place -= 1
            raise self.fault("Expecting: <string>")
        return token.literal()

    def mark(self) -> int:
        """Give the place to come back to with `reset`."""
        return self._place

    def reset(self, mark: int) -> None:
        """Go back to a place."""
        self._place = mark

    def rest(self) -> tuple[str, int]:
        """Give the text from here on, and its offset."""
        token = self.peek()
        start = token.start if token else len(self._statement.sql)
        return self._statement.sql[start:], start

    def rest_in_place(self) -> str:
        """Give the text from here on, where it stands: all before it is blank."""
        return in_place(self._statement.sql, self.rest()[1])

    def text_between(self, begin: int, end: int) -> str:
        """Give a piece of the statement's text."""
        return self._statement.sql[begin:end].strip()

    def ended(self) -> bool:
        """Tell whether every token is taken."""
        return self.peek() is None

    def expect_end(self) -> None:
        """Raise AthenaFailure if anything is left."""
        if not self.ended():
            raise self.fault("Expecting: <EOF>")

    def fault(self, expecting: str = "") -> Exception:
        """Make the failure of an unexpected token."""
        token = self.peek()
        offset = token.start if token else len(self._statement.sql)
        line, column = position(self._statement.sql, offset)
        found = token.text if token else "<EOF>"
        return syntax_error(line, column, f"mismatched input '{found}'. {expecting}".rstrip(". "))
