"""Types as the parser has them, as types of the analysis."""

from __future__ import annotations

from sqlglot import exp

from runner.local.athena.analysis.types import UNSURE, Type

_T = exp.DataType.Type
_PLAIN: dict[exp.DType, str] = {
    _T.BOOLEAN: "boolean",
    _T.TINYINT: "tinyint",
    _T.SMALLINT: "smallint",
    _T.INT: "integer",
    _T.BIGINT: "bigint",
    _T.FLOAT: "real",
    _T.DOUBLE: "double",
    _T.DECIMAL: "decimal",
    _T.CHAR: "char",
    _T.VARCHAR: "varchar",
    _T.TEXT: "varchar",
    _T.VARBINARY: "varbinary",
    _T.DATE: "date",
    _T.TIME: "time",
    _T.TIMETZ: "time with time zone",
    _T.TIMESTAMP: "timestamp",
    _T.TIMESTAMPTZ: "timestamp with time zone",
    _T.JSON: "json",
    _T.UUID: "uuid",
    _T.IPADDRESS: "ipaddress",
    _T.HLLSKETCH: "hyperloglog",
}
_NESTED = {_T.ARRAY: "array", _T.MAP: "map", _T.STRUCT: "row"}
_DEFAULTS: dict[str, tuple[int, ...]] = {
    "decimal": (38, 0),
    "char": (1,),
    **dict.fromkeys(("time", "time with time zone", "timestamp", "timestamp with time zone"), (3,)),
}


def type_of_tree(kind: exp.DataType) -> Type:
    """Give the type; UNSURE for one that we do not know."""
    if kind.this in _NESTED:
        return _nested(_NESTED[kind.this], kind)
    name = _PLAIN.get(kind.this) if isinstance(kind.this, exp.DType) else None
    if name is None:
        return UNSURE
    numbers = tuple(
        int(each.name) for each in kind.expressions if isinstance(each, exp.DataTypeParam)
    )
    if name == "decimal" and len(numbers) == 1:
        numbers = (*numbers, 0)
    return Type(name, numbers or _DEFAULTS.get(name, ()))


def _nested(name: str, kind: exp.DataType) -> Type:
    parts: list[Type] = []
    fields: list[str] = []
    for each in kind.expressions:
        inner = each.args.get("kind") if isinstance(each, exp.ColumnDef) else each
        parts.append(type_of_tree(inner) if isinstance(inner, exp.DataType) else UNSURE)
        fields.append(each.name if isinstance(each, exp.ColumnDef) else "")
    if not parts or (name == "map" and len(parts) != 2):  # noqa: PLR2004 - key and value
        return UNSURE
    return Type(name, (), tuple(parts), tuple(fields) if any(fields) else ())
