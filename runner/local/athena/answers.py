"""Values of types that DuckDB lacks, as a query's rows show them.

In: rows from DuckDB and their types.  Out: rows; an address is its text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.athena.functions_net import ip_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.sqltypes import SqlType


def shown(
    rows: tuple[tuple[Any, ...], ...], kinds: Sequence[SqlType]
) -> tuple[tuple[Any, ...], ...]:
    """Show every value; rows without such a type are given as they are."""
    if not any(_has(kind) for kind in kinds):
        return rows
    return tuple(
        tuple(_value(each, kind) for each, kind in zip(row, kinds, strict=True)) for row in rows
    )


def _has(kind: SqlType) -> bool:
    return kind.name == "ipaddress" or any(_has(part) for part in kind.parts)


def _value(value: Any, kind: SqlType) -> Any:  # noqa: ANN401 - any value
    if value is None or not _has(kind):
        return value
    match kind.name:
        case "ipaddress":
            return ip_text(value["__ipaddress"])
        case "array":
            return [_value(each, kind.parts[0]) for each in value]
        case "map":
            key, item = kind.parts
            return {_value(k, key): _value(v, item) for k, v in value.items()}
        case _:
            parts = zip(value.items(), kind.parts, strict=True)
            return {name: _value(each, part) for (name, each), part in parts}
