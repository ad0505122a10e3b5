"""A SELECT on Athena, by PyAthena: started, watched, stopped by Ctrl-C, its first rows read.

In: a statement and where it runs.  Out: `QueryRows`.  Whatever the statement is blamed for is
QueryFailed with Athena's words; a refusal of the service is CloudRefused.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.aws.refusals import refusals

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from pyathena.converter import Converter
    from pyathena.model import AthenaCalculationExecutionStatus, AthenaQueryExecution

    from runner.aws.session import Session

_POLL_S = 0.5
_BLAMED = "InvalidRequestException"
"""What StartQueryExecution answers to a text that cannot be parsed, and to other mistakes."""
_MALFORMED = "MALFORMED_QUERY"
_POSITION = re.compile(r"line [0-9]+:[0-9]+: ")
_UNBOUNDED = 2147483647
"""Precision of a varchar without a length."""
_WHOLE = ("tinyint", "smallint", "integer", "bigint")


@dataclass(frozen=True, slots=True)
class QueryPlace:
    """Where a statement runs."""

    database: str
    workgroup: str
    results: str
    """Where its result goes; a workgroup may insist on another place."""


@dataclass(frozen=True, slots=True)
class QueryState:
    """What Athena says of a statement at present."""

    query: str
    state: str
    """QUEUED, RUNNING, SUCCEEDED, FAILED or CANCELLED."""
    scanned_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class QueryRows:
    """What a statement gave."""

    query: str
    """Its id."""
    columns: tuple[tuple[str, str], ...]
    """Names and Athena types."""
    rows: tuple[tuple[Any, ...], ...]
    """Values as Athena writes them; integers and booleans as what they are."""
    scanned_bytes: int
    seconds: float


class QueryFailed(Exception):
    """Athena could not run the statement."""

    def __init__(self, reason: str) -> None:
        """Take Athena's reason."""
        self.reason = reason
        super().__init__(reason)


def run_query(
    session: Session,
    sql: str,
    where: QueryPlace,
    *,
    most: int,
    tell: Callable[[QueryState], None],
    poll_s: float = _POLL_S,
) -> QueryRows:
    """Run a SELECT and give its first rows, at most `most`; `tell` hears of its state.

    Ctrl-C stops the statement (StopQueryExecution) before KeyboardInterrupt goes on.
    """
    from pyathena.connection import Connection  # noqa: PLC0415 - only for a query
    from pyathena.error import DatabaseError, OperationalError  # noqa: PLC0415

    logging.getLogger("pyathena").addHandler(logging.NullHandler())  # it logs what it raises
    watched = _Watched(tell, time.monotonic())
    with _refusals():
        connection = Connection(
            session=session.boto(),
            region_name=session.region,
            config=session.config(),
            schema_name=where.database,
            work_group=where.workgroup,
            s3_staging_dir=where.results,
            poll_interval=poll_s,
            converter=_as_written(),
            on_poll=watched.polled,
        )
    with connection, connection.cursor() as cursor, _refusals():
        cursor.arraysize = min(most + 1, cursor.DEFAULT_FETCH_SIZE)  # the first row is the head
        try:
            cursor.execute(sql)
            rows = cursor.fetchmany(most)
            head = cursor.description or ()
        except OperationalError as error:
            raise watched.failure(error) from error
        except DatabaseError as error:
            raise _refused(error) from error
    return QueryRows(
        query=watched.query,
        columns=tuple((one[0], _type(one[1], one[4], one[5])) for one in head),
        rows=tuple(tuple(row) for row in rows),
        scanned_bytes=watched.scanned,
        seconds=watched.seconds,
    )


@dataclass(slots=True)
class _Watched:
    """What was last heard of a statement."""

    tell: Callable[[QueryState], None]
    begun: float
    query: str = ""
    state: str = ""
    scanned: int = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begun

    def polled(self, found: AthenaQueryExecution | AthenaCalculationExecutionStatus) -> None:
        """Hear of a state; PyAthena calls this."""
        from pyathena.model import AthenaQueryExecution  # noqa: PLC0415 - loaded by then

        if not isinstance(found, AthenaQueryExecution):  # of Spark, which nobody asks for
            return
        self.query = str(found.query_id)
        self.state = str(found.state)
        self.scanned = int(found.data_scanned_in_bytes or 0)
        self.tell(QueryState(self.query, self.state, self.scanned, self.seconds))

    def failure(self, error: Exception) -> Exception:
        """Tell a statement that failed from a call that did."""
        if error.__cause__ is not None:
            return _refused(error)
        reason = str(error) or f"the query is {self.state}"
        return QueryFailed(reason)


def _refused(error: Exception) -> Exception:
    """Give what a call of PyAthena was refused with: boto's own error, or the statement's fault."""
    cause = error.__cause__
    response = getattr(cause, "response", {})
    said = response.get("Error", {})
    message = str(said.get("Message", ""))
    malformed = response.get("AthenaErrorCode") == _MALFORMED or _POSITION.search(message)
    if said.get("Code") == _BLAMED and malformed:
        return QueryFailed(message)
    return cause if isinstance(cause, Exception) else error


def _refusals() -> AbstractContextManager[None]:
    return refusals("run the query on Athena")


def _as_written() -> Converter:
    """Make a converter that leaves values as Athena writes them, but for numbers and booleans."""
    from pyathena.converter import Converter  # noqa: PLC0415 - only for a query

    class AsWritten(Converter):
        """Text stays text."""

        def convert(self, type_: str, value: str | None, type_hint: str | None = None) -> object:
            """Convert one value."""
            del type_hint
            if value is None:
                return None
            if type_ in _WHOLE:
                return int(value)
            if type_ == "boolean":
                return value == "true"
            return value

    return AsWritten(mappings={}, default=lambda value: value)


def _type(name: str, precision: int, scale: int) -> str:
    """Write a column's type as Athena's SQL does.

    >>> _type("decimal", 10, 2), _type("varchar", 2147483647, 0), _type("char", 3, 0)
    ('decimal(10,2)', 'varchar', 'char(3)')
    """
    if name == "decimal":
        return f"decimal({precision},{scale})"
    if name in ("varchar", "char") and 0 < precision < _UNBOUNDED:
        return f"{name}({precision})"
    return name
