"""Names of types, as Trino's typeof gives them."""

from __future__ import annotations

from functools import lru_cache

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.sqltypes import SqlType, parse_type
from runner.local.athena.udfs import Udf


@lru_cache(maxsize=256)
def type_name(duck: str) -> str:
    """Name a type of DuckDB.

    >>> type_name('STRUCT("_0" DECIMAL(5,2), "_1" VARCHAR[])')
    'row(decimal(5,2), array(varchar))'
    """
    return _name(parse_type(duck))


def _name(kind: SqlType) -> str:
    parts = [_name(part) for part in kind.parts]
    match kind.name:
        case "row":
            numbered = tuple(f"_{number}" for number in range(len(parts)))
            fields = () if kind.fields == numbered else kind.fields
            inner = [f"{a} {b}" for a, b in zip(fields, parts, strict=True)] if fields else parts
            return f"row({', '.join(inner)})"
        case "array" | "map":
            return f"{kind.name}({', '.join(parts)})"
        case "decimal":
            return f"decimal({','.join(map(str, kind.numbers))})"
        case _:
            return kind.trino()


def fit(text: str | None, limit: int, duck: str) -> str | None:
    """Fit a value's text into varchar(n): text is cut, anything else must be short enough."""
    if text is None or len(text) <= limit:
        return text
    if duck == "VARCHAR":
        return text[:limit]
    raise AthenaFailure(
        "INVALID_CAST_ARGUMENT", f"Value {text} cannot be represented as varchar({limit})"
    )


FUNCTIONS = {
    "__type_name": Udf(type_name, ("VARCHAR",), "VARCHAR"),
    "__type_fit": Udf(fit, ("VARCHAR", "INTEGER", "VARCHAR"), "VARCHAR"),
}
