"""Whether a query parses: Athena refuses to submit one that does not.

In: a query's text.  Out: nothing, or a failure with the place.  Shapes that parsed are remembered,
so that only the first of many like queries is read twice.
"""

from __future__ import annotations

from runner.local.athena.errors import AthenaFailure, InvalidRequest
from runner.local.athena.session import read_statement
from runner.local.athena.shape import shape_of

_MOST = 10_000


class Syntax:
    """The shapes of queries that are known to parse."""

    def __init__(self) -> None:
        """Know none."""
        self._known: set[str] = set()

    def check(self, sql: str) -> None:
        """Raise InvalidRequest unless the query parses; what is refused later is left to it."""
        statement = read_statement(sql)
        shape = shape_of(statement.sql, statement.tokens).text
        if shape in self._known:
            return
        from runner.local.athena.translate import (  # noqa: PLC0415 - brings sqlglot, 0.2 s
            parse_query,
        )

        try:
            parse_query(statement.sql)
        except AthenaFailure as failure:
            if failure.code == "SYNTAX_ERROR":
                raise InvalidRequest(
                    failure.reason.removeprefix("SYNTAX_ERROR: "), detail="MALFORMED_QUERY"
                ) from failure
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known.add(shape)
