"""JSON: Trino's functions of it, and casts between JSON and every type that has one.

`mark_json` runs before types are annotated: it gives calls their types, so that casts of their
results are seen as casts from JSON.  `apply` runs after, with the types of the arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.jsonextract import native_path
from runner.local.athena.sqltypes import SqlType, parse_type
from runner.local.athena.trees import copied, find_all, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

RENAMED = {
    "json_parse": "jzon_parse",
    "json_extract": "jzon_extract",
    "json_extract_scalar": "jzon_extract_scalar",
    "json_format": "jzon_format",
    "json_size": "jzon_size",
    "json_array_length": "jzon_array_length",
    "json_array_get": "jzon_array_get",
    "json_array_contains": "jzon_array_contains",
    "is_json_scalar": "is_jzon_scalar",
}
"""Names that sqlglot must not read by its own rules, and those of equal length given to it."""
_CALLS = {
    "jzon_parse": ("__json_parse", "JSON"),
    "jzon_extract": ("__json_extract", "JSON"),
    "jzon_extract_scalar": ("__json_extract_scalar", "VARCHAR"),
    "jzon_format": ("__json_format", "VARCHAR"),
    "jzon_size": ("__json_size", "BIGINT"),
    "jzon_array_length": ("__json_array_length", "BIGINT"),
    "jzon_array_get": ("__json_array_get", "JSON"),
    "jzon_array_contains": ("__json_contains", "BOOLEAN"),
    "is_jzon_scalar": ("__json_is_scalar", "BOOLEAN"),
    "__sqljson_object": ("__sqljson_object", "VARCHAR"),
    "__sqljson_array": ("__sqljson_array", "VARCHAR"),
    "__sqljson_exists": ("__sqljson_exists", "BOOLEAN"),
    "__sqljson_query": ("__sqljson_query", "VARCHAR"),
    "__sqljson_value": ("__sqljson_value", "VARCHAR"),
    "__sqljson_item": ("__sqljson_item", "VARCHAR"),
    "__sqljson_encode": ("__sqljson_encode", "VARBINARY"),
}
_NATIVE = {"__json_extract": "__json_at", "__json_extract_scalar": "__json_scalar_at"}
_MADE = "json_call"
_NAMES = {new: old for old, new in RENAMED.items()}
_COUNTS = {
    "jzon_parse": 1,
    "jzon_extract": 2,
    "jzon_extract_scalar": 2,
    "jzon_format": 1,
    "jzon_size": 2,
    "jzon_array_length": 1,
    "jzon_array_get": 2,
    "jzon_array_contains": 2,
    "is_jzon_scalar": 1,
}
_SCALARS = frozenset(
    "boolean tinyint smallint integer bigint real double decimal varchar".split()  # noqa: SIM905
)
_MACROS = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint"), "__cast_integer"),
    **dict.fromkeys(("real", "double"), "__cast_float"),
    "boolean": "__cast_boolean",
    "decimal": "__cast_decimal",
}
_NESTED = frozenset({"array", "map", "row"})
_TEXTS = exp.DataType.TEXT_TYPES
_FLOATS = exp.DataType.FLOAT_TYPES | {exp.DataType.Type.DECIMAL}


_ORDERS = (exp.LT, exp.LTE, exp.GT, exp.GTE)


def mark_json(tree: exp.Query) -> exp.Query:
    """Wrap the calls in casts to their types; an argument count of its own is checked."""
    for node in find_all(tree, exp.Anonymous, exp.ParseJSON):
        if isinstance(node, exp.ParseJSON):
            new = exp.Anonymous(this="__json_parse", expressions=[node.this])
            node.replace(_typed(new, "JSON"))
        elif (name := node.name.lower()) in _CALLS:
            if len(node.expressions) != _COUNTS.get(name, len(node.expressions)):
                raise _unexpected(node, name)
            new = exp.Anonymous(this=_CALLS[name][0], expressions=list(node.expressions))
            node.replace(_typed(new, _CALLS[name][1]))
    return tree


def _typed(call: exp.Anonymous, kind: str) -> exp.Cast:
    cast = exp.cast(call, kind_of(kind), copy=False)
    cast.set(_MADE, True)
    return cast


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite the calls and casts, innermost first."""
    nodes = find_all(tree, *_ORDERS, exp.Ordered, exp.DataType, exp.Cast)
    _refuse_orders(nodes)
    has_json = any(
        isinstance(kind, exp.DataType) and kind.is_type(exp.DType.JSON) for kind in nodes
    )
    for node in reversed(nodes):
        if not isinstance(node, exp.Cast):
            continue
        if node.args.get(_MADE):
            _call(node)
        elif is_json(node.this):
            _from_json(node)
        elif node.to.is_type(exp.DType.JSON):
            _to_json(node)
        elif has_json and _is_unknown(node.this):
            _from_unknown(node)
    return tree


def _refuse_orders(nodes: Sequence[exp.Expr]) -> None:
    for comparison in nodes:
        if isinstance(comparison, _ORDERS):
            _refuse_order(comparison)
    for ordered in nodes:
        if isinstance(ordered, exp.Ordered) and is_json(ordered.this):
            raise AthenaFailure(
                "TYPE_MISMATCH",
                "Type json is not orderable, and therefore cannot be used in ORDER BY",
            )


def is_json(node: exp.Expr) -> bool:
    """Tell whether an expression's type is JSON."""
    node = node.unnest()
    return node.type is not None and node.type.is_type(exp.DType.JSON)


def _refuse_order(node: exp.Expr) -> None:
    if is_json(node.args["this"]) or is_json(node.args["expression"]):
        sign = "<" if isinstance(node, exp.LT | exp.GT) else "<="
        raise AthenaFailure("TYPE_MISMATCH", f"Cannot apply operator: json {sign} json")


def _call(cast: exp.Cast) -> None:
    call = cast.this
    name = call.name
    if name == "__json_format":
        if _is_text(call.expressions[0]):
            raise _unexpected(call, "jzon_format")
        cast.replace(exp.cast(copied(call.expressions[0]), kind_of("VARCHAR"), copy=False))
        return
    if name == "__json_contains":
        _contains(call)
    if name == "__sqljson_item":
        cast.replace(_item(call.expressions[0]))
        return
    if name == "__sqljson_object":
        _check_keys(call)
    if name in _NATIVE:
        _native(call)
    if name.startswith("__sqljson_"):
        _decode(call)
    # The function itself gives the type: its cast would only make DuckDB look twice.
    new = copied(call)
    new.type = copied(cast.to)
    cast.replace(new)


def _contains(call: exp.Anonymous) -> None:
    array, value = call.expressions
    name = _wanted(value)
    call.set("this", f"__json_contains_{name}")
    if name == "any":
        call.set("expressions", [array, _text_of_json(value), _typeof(value)])


def _wanted(value: exp.Expr) -> str:
    kind = value.type.this if value.type else None
    if kind == exp.DataType.Type.BOOLEAN:
        return "boolean"
    if kind in exp.DataType.INTEGER_TYPES:
        return "bigint"
    if kind in _TEXTS:
        return "text"
    return "double" if kind in _FLOATS else "any"


def _typeof(value: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="__duck_type", expressions=[copied(value)])


def _text_of_json(value: exp.Expr) -> exp.Expr:
    text = exp.Anonymous(this="to_json", expressions=[copied(value)])
    return exp.Cast(this=text, to=kind_of("VARCHAR"))


def _item(value: exp.Expr) -> exp.Expr:
    """Write a value of SQL as JSON text: what is no number and no boolean is its text."""
    kind = value.type.this if value.type else None
    if kind in exp.DataType.NESTED_TYPES or is_json(value):
        raise unsupported(f"A value of type {_trino(value)} in a SQL/JSON function")
    if kind in _FLOATS | {None, exp.DataType.Type.UNKNOWN}:
        found: exp.Expr = exp.Anonymous(
            this="__sqljson_text", expressions=[_text_of_json(value), _typeof(value)]
        )
    elif kind in exp.DataType.INTEGER_TYPES | {exp.DataType.Type.BOOLEAN} | _TEXTS:
        found = _text_of_json(value)
    else:
        text = exp.cast(copied(value), kind_of("VARCHAR"), copy=False)
        text.type = kind_of("VARCHAR")
        return _text_of_json(text)
    return exp.Cast(this=found, to=kind_of("VARCHAR"), json_call=True)


def _check_keys(call: exp.Anonymous) -> None:
    for key in call.expressions[1].expressions:
        if key.type is not None and not key.type.is_type(
            exp.DType.UNKNOWN, exp.DType.NULL, *_TEXTS
        ):
            raise AthenaFailure("TYPE_MISMATCH", f"Invalid type of JSON object key: {_trino(key)}")


def _trino(node: exp.Expr) -> str:
    return parse_type(node.type.sql("trino")).trino() if node.type else "unknown"


def _is_text(node: exp.Expr) -> bool:
    node = node.unnest()
    return node.type is not None and node.type.this in _TEXTS


def _native(call: exp.Anonymous) -> None:
    """Let DuckDB read columns itself where it reads as Trino does.

    Only columns: DuckDB takes what occurs twice out of a TRY, and columns do not fail.
    """
    source, path = call.expressions
    if not isinstance(source.unnest(), exp.Column) or not isinstance(path, exp.Literal):
        return
    spelled = native_path(path.name)
    if spelled is not None:
        text, sure = spelled
        call.set("this", _NATIVE[call.name])
        native = exp.Literal.string(text)
        call.set("expressions", [source, native, path, exp.Boolean(this=sure)])


def _decode(call: exp.Anonymous) -> None:
    """Read bytes that are given as JSON as UTF-8."""
    lists = (each for each in call.expressions if isinstance(each, exp.Array))
    values = [call.expressions[0], *(value for each in lists for value in each.expressions)]
    for value in values:
        if _is_binary(value) and call.name not in {"__sqljson_decode", "__sqljson_encode"}:
            codec = exp.Literal.string("utf_8")
            value.replace(
                exp.Anonymous(this="__sqljson_decode", expressions=[copied(value), codec])
            )


def _is_binary(node: exp.Expr) -> bool:
    return node.type is not None and node.type.is_type(exp.DType.VARBINARY, exp.DType.BINARY)


def _unexpected(call: exp.Expr, name: str) -> AthenaFailure:
    kinds = ", ".join(
        each.type.sql("trino").lower() if each.type else "unknown" for each in call.expressions
    )
    return AthenaFailure(
        "FUNCTION_NOT_FOUND", f"Unexpected parameters ({kinds}) for function {_NAMES[name]}"
    )


def _from_json(cast: exp.Cast) -> None:
    kind = parse_type(cast.to.sql("trino"))
    if kind.name == "json":
        return
    if not _has_cast(kind):
        raise AthenaFailure("TYPE_MISMATCH", f"Cannot cast json to {kind.trino()}")
    source = copied(cast.this)
    nested = kind.name in _NESTED
    inner = source.unnest()
    if nested and isinstance(inner, exp.Anonymous) and inner.name == "__json_parse":
        source = copied(inner.expressions[0])  # Trino reads the text itself then
    call: exp.Expr = exp.Anonymous(
        this="__json_to_nested" if nested else "__json_to_scalar",
        expressions=[source, exp.Literal.string(cast.to.sql("trino"))],
    )
    if nested and (plain := _plain(kind)) != kind:
        call = _cast(call, plain)
        call.set(_MADE, True)
    new = _cast(call, kind)
    new.set(_MADE, True)
    _replace(cast, new)


def _is_unknown(node: exp.Expr) -> bool:
    known = node.type is not None and not node.type.is_type(exp.DType.UNKNOWN)
    return not known and not isinstance(node.unnest(), exp.Null)


def _nested_or_json(cast: exp.Cast, target: SqlType) -> exp.Expr:
    value = exp.column("zqvalue")
    text = exp.Cast(this=copied(value), to=kind_of("VARCHAR"))
    kind = exp.Literal.string(cast.to.sql("trino"))
    call: exp.Expr = exp.Anonymous(this="__json_to_nested", expressions=[text, kind])
    if (plain := _plain(target)) != target:
        call = _cast(call, plain)
    is_json_ = exp.EQ(this=_typeof(value), expression=exp.Literal.string("JSON"))
    choice = exp.Case().when(is_json_, _cast(call, target)).else_(_cast(value, target))
    for made in choice.find_all(exp.Cast):
        made.set(_MADE, True)
    each = exp.Lambda(this=choice, expressions=[exp.to_identifier("zqvalue")])
    one = exp.Array(expressions=[copied(cast.this)])
    cases = exp.Anonymous(this="list_transform", expressions=[one, each])
    return exp.Anonymous(this="list_extract", expressions=[cases, exp.Literal.number(1)])


def _from_unknown(cast: exp.Cast) -> None:
    """Cast what may turn out to be JSON: only DuckDB knows the type of an element of a map."""
    target = parse_type(cast.to.sql("trino"))
    if target.name == "varchar":
        kind = exp.Literal.string("varchar")
        new: exp.Expr = exp.Anonymous(this="__cast_text", expressions=[copied(cast.this), kind])
        if target.numbers:
            limit = exp.Literal.number(target.numbers[0])
            new = exp.Anonymous(this="left", expressions=[new, limit])
    elif target.name in _NESTED and _has_cast(target):
        new = _nested_or_json(cast, target)
    elif target.name in _MACROS:
        kind = exp.Literal.string(cast.to.sql("trino"))
        text = exp.Anonymous(this=_MACROS[target.name], expressions=[copied(cast.this), kind])
        new = exp.Cast(this=text, to=copied(cast.to), json_call=True)
    else:
        return
    new.type = copied(cast.to)
    _replace(cast, new)


def _cast(node: exp.Expr, kind: SqlType) -> exp.Cast:
    return exp.Cast(this=node, to=kind_of(kind.duck(), dialect="duckdb"))


def _plain(kind: SqlType) -> SqlType:
    """Put varchar in the place of JSON: its text must not be read as JSON twice."""
    if kind.name == "json":
        return SqlType("varchar")
    return kind._replace(parts=tuple(_plain(part) for part in kind.parts))


def _has_cast(kind: SqlType) -> bool:
    if kind.name == "map" and kind.parts[0].name not in _SCALARS:
        return False
    if kind.name in _NESTED:
        return all(_has_cast(part) for part in kind.parts)
    return kind.name in _SCALARS or kind.name == "json"


def _replace(cast: exp.Cast, new: exp.Expr) -> None:
    if isinstance(cast, exp.TryCast):
        kind = copied(cast.to)
        new = exp.Anonymous(this="TRY", expressions=[new])
        new.type = kind
    elif new.type is None:
        new.type = copied(cast.to)
    cast.replace(new)


def _to_json(cast: exp.Cast) -> None:
    source = cast.this
    text = exp.Anonymous(this="to_json", expressions=[copied(source)])
    kind = source.type.this if source.type else None
    if kind in exp.DataType.INTEGER_TYPES | {exp.DataType.Type.BOOLEAN} | _TEXTS:
        new = text
    else:
        of = exp.Anonymous(this="__duck_type", expressions=[copied(source)])
        new = exp.Anonymous(this="__json_of", expressions=[text, of])
    new.type = copied(cast.to)
    _replace(cast, new)
