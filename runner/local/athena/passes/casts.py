"""Casts as Trino makes them: what it takes from text, how it words numbers, what it refuses."""

from __future__ import annotations

import re

from sqlglot import exp

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.numbers import digits
from runner.local.athena.passes.lambdas import call, field_of, lambda_of
from runner.local.athena.sqltypes import SqlType, parse_type
from runner.local.athena.trees import copied, find_all, kind_of, walk

_CHAR = frozenset({exp.DataType.Type.CHAR, exp.DataType.Type.NCHAR})
_TEXT = exp.DataType.TEXT_TYPES - _CHAR
_INTEGERS = exp.DataType.INTEGER_TYPES
_FLOATS = exp.DataType.FLOAT_TYPES
_NESTED = exp.DataType.NESTED_TYPES
_UNSTEADY = (exp.AggFunc, exp.Window, exp.Query, exp.Subquery, exp.Rand, exp.Uuid)
_PLAIN = re.compile(r"[+-]?\d+", re.ASCII)
_GUARDS = {
    "tinyint": "__integer_text",
    "smallint": "__integer_text",
    "integer": "__integer_text",
    "bigint": "__integer_text",
    "boolean": "__boolean_text",
    "real": "__float_text",
    "double": "__float_text",
    "decimal": "__decimal_text",
}


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite casts between text, numbers and booleans, innermost first; name types."""
    for node in reversed(find_all(tree, exp.Cast, exp.Typeof)):
        if isinstance(node, exp.Typeof):
            _typeof(node)
        elif isinstance(node, exp.Cast) and not node.args.get("json_call"):
            _cast(node)
    return tree


def _cast(node: exp.Cast) -> None:
    source = node.this.type
    known = None if source is None or source.is_type(exp.DType.UNKNOWN, exp.DType.NULL) else source
    if node.to.this in _TEXT:
        if isinstance(node.this.unnest(), exp.HexString):
            _refuse(kind_of("varbinary"), node.to)
        if node.to.expressions or not node.this.is_string:
            _to_text(node, known)
    elif known is None or known.this in _TEXT:
        _guard(node, known)
    elif node.to.this in _INTEGERS and known.this in _FLOATS:
        node.set("this", exp.Anonymous(this="round", expressions=[copied(node.this)]))
    elif node.to.is_type("decimal") and known.this in _FLOATS:
        # By the digits that are shown, as Java does: 1.005 is nearer to 1.01.
        node.set("this", exp.cast(copied(node.this), "varchar", copy=False))
    elif node.to.is_type("float") and known.is_type("double"):
        node.set("this", exp.Anonymous(this="__real", expressions=[copied(node.this)]))
    elif known.this in _NESTED:
        _cast_parts(node, known)


def _guard(node: exp.Cast, known: exp.DataType | None) -> None:
    """Take the texts that Trino takes; the macro marks others, so that their cast fails."""
    guard = _GUARDS.get(parse_type(node.to.sql("trino")).name)
    inner = node.this.unnest()
    if guard is None or isinstance(inner, exp.Null) or _is_plain(inner):
        return
    if known is None:
        guard = guard.replace("_text", "").replace("__", "__any_")
    elif guard != "__boolean_text" and _is_steady(node.this):
        guard = guard.replace("__", "__plain_")
    node.set("this", exp.Anonymous(this=guard, expressions=[copied(node.this)]))


def _is_steady(node: exp.Expr) -> bool:
    """Tell whether a value may stand twice: it is the same each time, and no TRY holds it."""
    if isinstance(node, exp.Column):
        return True
    above = node.parent
    while above is not None and not isinstance(above, exp.Query):
        if isinstance(above, exp.Try) or above.name.lower() == "try":
            return False
        above = above.parent
    return not any(
        isinstance(each, _UNSTEADY) or "rand" in each.name.lower() or "uuid" in each.name.lower()
        for each in walk(node)
        if not isinstance(each, exp.Column | exp.Identifier | exp.Literal)
    )


def _is_plain(node: exp.Expr) -> bool:
    """Tell a literal that both engines read alike: `DECIMAL '1.50'` needs no macro."""
    return isinstance(node, exp.Literal) and _PLAIN.fullmatch(node.name) is not None


def _to_text(node: exp.Cast, source: exp.DataType | None) -> None:
    limit = copied(node.to.expressions[0]) if node.to.expressions else None
    inner = node.this
    if source is not None and (source.this in _NESTED or source.is_type(exp.DType.VARBINARY)):
        _refuse(source, node.to)
    new = _text_of(inner, source)
    if limit is not None:
        new = _fitted(new, limit, inner, source)
    if isinstance(node, exp.TryCast) and limit is not None:
        new = exp.Anonymous(this="TRY", expressions=[new])
    new.type = copied(node.to)
    node.replace(new)


def _fitted(
    text: exp.Expr, limit: exp.Expr, inner: exp.Expr, source: exp.DataType | None
) -> exp.Expr:
    """Cut text to its width; of anything else the text must fit."""
    if isinstance(inner, exp.Null) or (
        source is not None and source.this in exp.DataType.TEXT_TYPES
    ):
        return exp.Anonymous(this="left", expressions=[text, limit])
    of: exp.Expr = exp.Literal.string("")
    if source is None:
        of = exp.Anonymous(this="__duck_type", expressions=[copied(inner)])
    return exp.Anonymous(this="__type_fit", expressions=[text, limit, of])


def _text_of(inner: exp.Expr, source: exp.DataType | None) -> exp.Expr:
    if source is None:
        has_aggregate = inner.find(exp.AggFunc, exp.Window) is not None
        name = "__any_text" if has_aggregate else "__text"
    elif source.this in _FLOATS:
        name = "__real_text" if source.is_type("float") else "__double_text"
    elif source.is_type(exp.DType.TIMESTAMP):
        name = "__timestamp_text"
    elif source.is_type(exp.DType.DECIMAL) and _is_fraction(source):
        name = "__decimal_shown"
    else:
        return exp.Cast(this=copied(inner), to=kind_of("varchar"))
    return exp.Anonymous(this=name, expressions=[copied(inner)])


def _is_fraction(kind: exp.DataType) -> bool:
    """Tell whether all digits of a decimal are of its fraction."""
    precision, scale = digits(kind) or (0, 0)
    return precision == scale


def _refuse(source: exp.DataType, target: exp.DataType) -> None:
    names = (parse_type(each.sql("trino")).trino() for each in (source, target))
    raise AthenaFailure("TYPE_MISMATCH", "Cannot cast {} to {}".format(*names))


def _cast_parts(node: exp.Cast, source: exp.DataType) -> None:
    """Cast part by part where DuckDB's cast of a part is not Trino's."""
    before, after = (parse_type(each.sql("trino")) for each in (source, node.to))
    if before.name != after.name or len(before.parts) != len(after.parts):
        _refuse(source, node.to)
    if not _differs(before, after):
        return
    new = _parts(copied(node.this), source, node.to, depth=0)
    if isinstance(node, exp.TryCast):
        new = exp.Anonymous(this="TRY", expressions=[new])
    new.type = copied(node.to)
    cast = exp.Cast(
        this=new, to=copied(node.to), json_call=node.to.is_type(exp.DType.ARRAY, exp.DType.MAP)
    )
    cast.type = copied(node.to)
    node.replace(cast)


def _parts(value: exp.Expr, source: exp.DataType, target: exp.DataType, *, depth: int) -> exp.Expr:
    """Build what casts each part of a value; `depth` names the lambdas' parameters apart."""
    if source.this not in _NESTED or target.this not in _NESTED:
        return _cast_part(value, source, target)
    pairs = list(zip(_part_types(source), _part_types(target), strict=True))
    name = f"zqcast{depth}"
    one = exp.column(name)
    if source.is_type(exp.DType.ARRAY):
        return _each(value, name, _parts(one, *pairs[0], depth=depth + 1))
    fields = [field_of(name, place) for place in range(1, len(pairs) + 1)]
    casts = [
        _parts(field, *pair, depth=depth + 1) for field, pair in zip(fields, pairs, strict=True)
    ]
    row = call("row", *casts)
    if source.is_type(exp.DType.MAP):
        return call("map_from_entries", _each(call("map_entries", value), name, row))
    some = exp.Case().when(exp.column(name).is_(exp.Null()), exp.Null()).else_(row)
    rows = _each(exp.Array(expressions=[value]), name, some)
    return call("list_extract", rows, exp.Literal.number(1))


def _each(values: exp.Expr, name: str, body: exp.Expr) -> exp.Expr:
    return call("list_transform", values, lambda_of(body, name))


def _part_types(kind: exp.DataType) -> list[exp.DataType]:
    parts = [each.kind if isinstance(each, exp.ColumnDef) else each for each in kind.expressions]
    return [each for each in parts if isinstance(each, exp.DataType)]


def _cast_part(value: exp.Expr, source: exp.DataType, target: exp.DataType) -> exp.Expr:
    value.type = copied(source)
    cast = exp.Cast(this=value, to=copied(target))
    holder = exp.Paren(this=cast)
    _cast(cast)
    found: exp.Expr = holder.this
    return found


def _differs(before: SqlType, after: SqlType) -> bool:
    if before.parts and len(before.parts) == len(after.parts):
        return any(_differs(a, b) for a, b in zip(before.parts, after.parts, strict=True))
    if after.name == "varchar":
        return before.name in {"real", "double", "timestamp", "decimal"} or bool(
            after.numbers and before.name != "varchar"
        )
    return before.name == "varchar" and after.name in _GUARDS


def _typeof(node: exp.Typeof) -> None:
    name = _static_name(node.this)
    new: exp.Expr = exp.Literal.string(name)
    if not name:
        new = exp.Anonymous(this="__typeof", expressions=[copied(node.this)])
    new.type = kind_of("varchar")
    node.replace(new)


def _static_name(node: exp.Expr) -> str:
    """Name the type of text with its length, which DuckDB does not know; else give nothing."""
    node = node.unnest()
    if isinstance(node, exp.Cast) and node.to.this in _TEXT and node.to.expressions:
        return f"varchar({node.to.expressions[0].name})"
    return ""
