"""Time travel: `t FOR TIMESTAMP AS OF x` and `t FOR VERSION AS OF n` are tables by other names.

In: a table's name with its period.  Out: the table as a snapshot has it: that snapshot's columns,
and its id, which the reading of files goes by.  The period is part of the name, so that whatever
looks the name up again finds the same table.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.local.athena.errors import AthenaFailure, syntax_error
from runner.local.athena.lexer import position, tokenize
from runner.local.athena.tables import SNAPSHOT, Field

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlglot import exp

    from runner.local.athena.icebergs.document import Document, Snapshot
    from runner.local.athena.tables import TableInfo

_PERIOD = re.compile(r"(.*?) FOR (TIMESTAMP|VERSION) AS OF (.*)", re.DOTALL)
_OWN = re.compile(r"\b__(\w+)(?=\()")
"""Functions of ours, which the parser knows by other names."""
_TIMES = frozenset({"date", "timestamp", "timestamp with time zone"})
_NUMBERS = frozenset({"bigint", "integer", "smallint", "tinyint"})


_OLD = re.compile(r"\bFOR\s+(SYSTEM_TIME|SYSTEM_VERSION)\s+AS\s+OF\b", re.IGNORECASE)


class Period(NamedTuple):
    """A name with a period: the table, `TIMESTAMP` or `VERSION`, and the expression."""

    name: str
    kind: str
    sql: str


def refuse_old_periods(sql: str) -> None:
    """Refuse FOR SYSTEM_TIME AS OF, which engine version 2 had; raises AthenaFailure."""
    if "SYSTEM_" not in sql.upper():
        return
    for match in _OLD.finditer(sql):
        for token in tokenize(sql):
            if token.start == match.start(1):
                raise syntax_error(
                    *position(sql, token.start),
                    f"mismatched input '{token.text}'. Expecting: 'TIMESTAMP', 'VERSION'",
                )


def travel_name(name: str, version: exp.Version | None) -> str:
    """Give a table's name with its period, if it has one."""
    if version is None:
        return name
    text = _OWN.sub(r"\1", version.expression.sql(dialect="trino"))
    return f"{name} FOR {version.name.upper()} AS OF {text}"


def period_of(name: str) -> Period | None:
    """Read a name with a period; None for a plain name."""
    match = _PERIOD.fullmatch(name)
    return Period(*match.groups()) if match else None


def snapshot_of(
    document: Document, period: Period, evaluate: Callable[[str], tuple[str, Any]], table: str
) -> Snapshot:
    """Find the snapshot that a period means; raises AthenaFailure.

    `evaluate` gives the type and the value of an expression.
    """
    kind, value = evaluate(period.sql)
    what = "temporal " if period.kind == "TIMESTAMP" else ""
    if kind not in (_TIMES if what else _NUMBERS):
        raise AthenaFailure("NOT_SUPPORTED", f"Unsupported type for {what}table version: {kind}")
    if value is None:
        raise AthenaFailure("INVALID_ARGUMENTS", "Pointer value cannot be NULL")
    if not what:
        found = document.snapshot(int(value))
        if found is None:
            raise AthenaFailure(
                "INVALID_ARGUMENTS", f"Iceberg snapshot ID does not exists: {value}"
            )
        return found
    millis = _millis(value)
    before = [number for made, number in document.log() if made <= millis]
    found = document.snapshot(before[-1]) if before else None
    if found is None:
        raise AthenaFailure(
            "INVALID_ARGUMENTS", f"No version history table {table} at or before {_shown(value)}"
        )
    return found


def _instant(value: Any) -> datetime:  # noqa: ANN401 - a date, or a timestamp with a zone or not
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _millis(value: Any) -> int:  # noqa: ANN401 - as above
    spent = _instant(value) - datetime(1970, 1, 1, tzinfo=UTC)
    return (spent.days * 86400 + spent.seconds) * 1000 + spent.microseconds // 1000


def _shown(value: Any) -> str:  # noqa: ANN401 - as above
    text = _instant(value).astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def as_of(table: TableInfo, document: Document, snapshot: Snapshot) -> TableInfo:
    """Give the table as a snapshot has it."""
    from runner.local.athena.icebergs.types import hive_of  # noqa: PLC0415 - few queries travel

    fields = document.schema(snapshot.schema)
    columns = tuple(
        Field(each["name"].lower(), hive_of(each["type"]), each["id"]) for each in fields
    )
    parameters = (*table.parameters, (SNAPSHOT, str(snapshot.id)))
    return table._replace(columns=columns, parameters=parameters)
