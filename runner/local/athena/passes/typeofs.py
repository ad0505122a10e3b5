"""typeof: the name that Trino gives a type, with the length of text and the scale of decimals.

What is known from the tree is written as a literal; a text whose length is not known is refused.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.calls import known_text, unicode_text
from runner.local.athena.errors import unsupported
from runner.local.athena.names import CHAR_LITERAL
from runner.local.athena.natives import NATIVES
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.trees import find_all, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_TEXT = exp.DataType.TEXT_TYPES
_VAGUE = _TEXT | exp.DataType.TEMPORAL_TYPES - {exp.DataType.Type.DATE}
"""Types whose length or precision the tree does not always tell."""
_KEEPS_LENGTH = (exp.Upper, exp.Lower, exp.Substring, exp.Trim, exp.Reverse)
_CALLS_KEEP = frozenset({"__regexp_extract", "__split_part"})
_UNBOUNDED = (
    exp.DPipe,
    exp.Concat,
    exp.ConcatWs,
    exp.Normalize,
    exp.TimeToStr,
    exp.JSONFormat,
    exp.Typeof,
)
_NOT_UNBOUNDED = frozenset({"__chr", "__translate", "__soundex", "__word_stem", "__regexp_replace"})
_NOT_UNBOUNDED |= {"__replace"}
_NOT_UNBOUNDED |= {name for name in NATIVES if name.startswith("__url_")}
_NAMED = {
    exp.DataType.Type.IPADDRESS: "ipaddress",
    exp.DataType.Type.UUID: "uuid",
    exp.DataType.Type.VARBINARY: "varbinary",
}


def apply(tree: exp.Query) -> exp.Query:
    """Answer what is known without running."""
    for node in find_all(tree, exp.Typeof):
        kind = node.this.type
        if kind is None or node.this.find(exp.AggFunc, exp.Window) is not None:
            continue
        name = _NAMED.get(kind.this)
        if kind.this in _TEXT:
            name = _text(node.this, tree)
            if name is None:
                raise unsupported("typeof of this text, whose length is not known here,")
        elif kind.this in exp.DataType.NESTED_TYPES:
            name = _nested(node.this, tree)
        if name is not None:
            new = exp.Literal.string(name)
            new.type = kind_of("varchar")
            node.replace(new)
    return tree


def _nested(node: exp.Expr, tree: exp.Query) -> str | None:
    """Name the type of an array, map or row; None for what is not known before it runs."""
    kind = node.type
    if kind is None:
        return None
    if isinstance(node, exp.Array) and node.expressions and _all_literals(node.expressions):
        return f"array(varchar({max(len(each.name) for each in node.expressions)}))"
    inner = find_all(kind, exp.DataType)
    vague = any(each.this in _VAGUE for each in inner)
    written = isinstance(node, exp.Cast) or (
        isinstance(node, exp.Column) and _is_stored(node, tree)
    )
    if vague and not written:
        raise unsupported("typeof of a value that holds text or timestamps")
    with suppress(ValueError):
        return re.sub(
            r"decimal\((\d+), (\d+)\)", r"decimal(\1,\2)", parse_type(kind.sql("trino")).trino()
        )
    return None


def _all_literals(nodes: Sequence[exp.Expr]) -> bool:
    return all(known_text(each) is not None for each in nodes)


def _text(node: exp.Expr, tree: exp.Query) -> str | None:  # noqa: PLR0911 - one return a form
    match node:
        case exp.Paren():
            return _text(node.this, tree)
        case exp.Literal():
            text = known_text(node)
            return None if text is None else f"varchar({len(text)})"
        case exp.UnicodeString():
            return f"varchar({len(unicode_text(node))})"
        case exp.Cast():
            return _written(node.to)
        case exp.Column() if _is_stored(node, tree):
            return _written(node.type)
        case exp.Anonymous():
            return _of_call(node, tree)
        case exp.Case() | exp.If() | exp.Coalesce():
            return None
    if isinstance(node, _KEEPS_LENGTH):
        kind = _text(node.this, tree)
        return None if kind is None else kind.replace("char(", "varchar(").replace("varvar", "var")
    return "varchar" if isinstance(node, _UNBOUNDED) else None


def _of_call(node: exp.Anonymous, tree: exp.Query) -> str | None:
    name = node.name.lower()
    if name == CHAR_LITERAL:
        return f"char({len(node.expressions[0].name)})"
    if name == "__chr":
        return "varchar(1)"
    if name in _CALLS_KEEP:
        return _text(node.expressions[0], tree)
    known = name in NATIVES and name not in _NOT_UNBOUNDED
    return "varchar" if known else None


def _written(kind: exp.DataType | None) -> str | None:
    if kind is None:
        return None
    base = "char" if kind.this == exp.DataType.Type.CHAR else "varchar"
    if kind.expressions:
        return f"{base}({kind.expressions[0].name})"
    return "char(1)" if base == "char" else base


def _is_stored(column: exp.Column, tree: exp.Query) -> bool:
    """Tell whether a column is one of a table, whose type is written down."""
    return any(
        table.alias_or_name == column.table and table.name.startswith("__scan_")
        for table in find_all(tree, exp.Table)
    )
