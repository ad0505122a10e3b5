"""Values of one type that are put into columns of another: INSERT, UPDATE and MERGE cast them.

Trino takes any type that has a common type with the column's, and casts the value as CAST does
(1.5 becomes 2 in a column of integers); a value that does not fit fails the statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.sqltypes import coerces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.sqltypes import SqlType

_FAMILIES = (
    frozenset({"tinyint", "smallint", "integer", "bigint", "decimal", "real", "double"}),
    frozenset({"date", "timestamp", "timestamp with time zone"}),
    frozenset({"time", "time with time zone"}),
)
"""Types of which each has a common type with each other."""


def assigns(source: SqlType, target: SqlType) -> bool:
    """Tell whether Trino casts a value by itself into a column, if need be with loss.

    >>> from runner.local.athena.sqltypes import parse_type
    >>> [assigns(parse_type("double"), parse_type(kind)) for kind in ("tinyint", "varchar")]
    [True, False]
    """
    if coerces(source, target):
        return True
    if source.parts:
        return (
            source.name == target.name
            and len(source.parts) == len(target.parts)
            and all(assigns(a, b) for a, b in zip(source.parts, target.parts, strict=True))
        )
    return any(source.name in family and target.name in family for family in _FAMILIES)


def all_assign(given: Sequence[SqlType], wanted: Sequence[SqlType]) -> bool:
    """Tell whether as many values as there are columns can be put into these."""
    return len(given) == len(wanted) and all(map(assigns, given, wanted))


def cast_to(text: str, source: SqlType, target: SqlType) -> str:
    """Write a value of Athena's SQL as its column takes it; as it is where nothing is lost."""
    return text if coerces(source, target) else f"CAST({text} AS {target.trino()})"


def cast_query(sql: str, given: Sequence[SqlType], wanted: Sequence[SqlType]) -> str:
    """Write a query so that its columns have the types that are wanted; empty if they have them."""
    names = [f'"__given_{number}"' for number in range(len(given))]
    values = [cast_to(*each) for each in zip(names, given, wanted, strict=True)]
    if values == names:
        return ""
    return f"SELECT {', '.join(values)} FROM ({sql}\n) AS __given({', '.join(names)})"


def fitted(name: str, target: SqlType) -> str:
    """Write a value in DuckDB's SQL so that it has a text column's length: only blanks go.

    >>> from runner.local.athena.sqltypes import parse_type
    >>> fitted("s0", parse_type("string"))
    's0'
    """
    if target.name not in {"varchar", "char"} or not target.numbers:
        return name
    (length,) = target.numbers
    return (
        f"CASE WHEN length(rtrim({name}, ' ')) > {length} THEN error('INVALID_CAST_ARGUMENT: Cannot"
        " truncate non-space characters when casting from varchar to "
        f"{target.trino()} on INSERT') ELSE left({name}, {length}) END"
    )
