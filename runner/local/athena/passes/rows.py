"""Rows, and values that hold others: constructors, subscripts, casts by place.

Trino's rows may have no names, and casts between rows go by place.
"""

from __future__ import annotations

from sqlglot import exp

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.nested import (
    ELEMENT_AT,
    FIELDS_AT,
    SUBSCRIPT,
    fields,
    is_kind,
    is_known,
    part,
)
from runner.local.athena.passes.lambdas import call, field_of, fresh, lambda_of, replace
from runner.local.athena.trees import walk


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite, parts before what holds them."""
    for node in reversed(walk(tree)):
        match node:
            case exp.Struct():
                replace(node, call("row", *node.expressions))
            case exp.Anonymous() if node.name in {SUBSCRIPT, ELEMENT_AT}:
                replace(node, _subscript(node))
            case exp.Anonymous() if node.name == FIELDS_AT:
                _fields_at(node)
            case exp.Cast() if _holds_row(node.to) and not node.args.get("json_call"):
                _cast(node)
            case _:
                pass
    return tree


def _subscript(node: exp.Expr) -> exp.Expr:
    base, key = node.expressions
    kind = base.type
    strict = node.name == SUBSCRIPT
    if is_kind(kind, "array"):
        return call("__array_get" if strict else "__array_at", base, key)
    if is_kind(kind, "map"):
        return call("__map_get" if strict else "map_extract_value", base, key)
    if is_kind(kind, "struct"):
        return _field(base, key)
    # DuckDB refuses to bind what the value turns out not to be.
    if key.is_string or not (key.type is None or key.is_type(*exp.DataType.INTEGER_TYPES)):
        return call("__map_get" if strict else "map_extract_value", base, key)
    return call("__array_get" if strict else "__array_at", base, key)


def _fields_at(node: exp.Expr) -> None:
    rows, place = node.expressions
    name = fresh(node)
    body = field_of(name, int(place.name))
    replace(node, call("list_transform", rows, lambda_of(body, name)))


def _field(base: exp.Expr, key: exp.Expr) -> exp.Expr:
    known = len(fields(base.type))
    if not isinstance(key, exp.Literal) or key.is_string:
        raise AthenaFailure("SYNTAX_ERROR", "Subscript expression on ROW requires a constant")
    if not 1 <= int(key.name) <= known:
        raise AthenaFailure(
            "INVALID_FUNCTION_ARGUMENT",
            f"Invalid subscript index: {key.name}. ROW indices "
            + ("start at 1" if int(key.name) < 1 else f"end at {known}"),
        )
    return call("struct_extract_at", base, key)


def _holds_row(kind: exp.DataType) -> bool:
    return any(each.is_type(exp.DType.STRUCT) for each in kind.find_all(exp.DataType))


def _cast(node: exp.Cast) -> None:
    """Cast by place: the names of the source are dropped first."""
    source = node.this.type
    if source is not None and source.is_type(exp.DType.JSON, *exp.DataType.TEXT_TYPES):
        return
    inner = node.this
    if source is None or _holds_names(source) or not is_known(source):
        inner = type(node)(this=inner, to=_duck(node.to, named=False))
    node.set("this", inner)
    node.set("to", _duck(node.to, named=True))


def _holds_names(kind: exp.DataType) -> bool:
    return any(kind.find_all(exp.ColumnDef))


def _duck(kind: exp.DataType, *, named: bool) -> exp.DataType:
    """Write a type as DuckDB does, where a row without names is a TUPLE."""
    text = _duck_text(kind, named=named)
    return exp.DataType(this=exp.DataType.Type.USERDEFINED, kind=text)


def _duck_text(kind: exp.DataType, *, named: bool) -> str:
    if kind.is_type(exp.DType.ARRAY):
        inner = part(kind)
        return f"{_duck_text(inner, named=named)}[]" if inner else "INTEGER[]"
    if kind.is_type(exp.DType.MAP):
        inner_texts = [_duck_text(each, named=named) for each in kind.expressions]
        return f"MAP({', '.join(inner_texts)})"
    if kind.is_type(exp.DType.STRUCT):
        parts = fields(kind)
        texts = [_duck_text(each, named=named) if each else "INTEGER" for _, each in parts]
        if named and all(name for name, _ in parts):
            pairs = (f'"{name}" {text}' for (name, _), text in zip(parts, texts, strict=True))
            return f"STRUCT({', '.join(pairs)})"
        return f"TUPLE({', '.join(texts)})"
    return kind.sql(dialect="duckdb")
