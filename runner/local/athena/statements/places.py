"""Places in a statement of failures that were found in a query made from it.

MERGE, UPDATE and DELETE run as queries of our own; where these fail, the user's text has no such
line and column.  The name that the message quotes tells the place; without one it is the first.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.lexer import position

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.local.athena.session import Statement

_PLACED = re.compile(r"line \d+:\d+: (.*)", re.DOTALL)
_QUOTED = re.compile(r"'([^']+)'")


@contextmanager
def places_of(statement: Statement) -> Iterator[None]:
    """Give the failures inside of this block their places in the statement."""
    try:
        yield
    except AthenaFailure as failure:
        text = failure.reason.removeprefix(f"{failure.code}: ")
        match = _PLACED.fullmatch(text)
        if match is None:
            raise
        line, column = _place(statement, match[1])
        raise AthenaFailure(failure.code, match[1], line=line, column=column) from failure


def _place(statement: Statement, message: str) -> tuple[int, int]:
    quoted = _QUOTED.search(message)
    name = quoted[1].rpartition(".")[2].lower() if quoted else ""
    for token in statement.tokens:
        if name and name in {token.name(), token.text.lower()}:
            return position(statement.sql, token.start)
    return 1, 1
