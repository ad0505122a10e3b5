"""Text of type char(n), addresses and UUIDs: casts, columns and comparisons.

Text of type char(n) is held with its spaces; comparisons leave them out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.calls import (
    BINARY,
    CHAR,
    IP,
    SCALARS,
    TEXT,
    UUID,
    call,
    is_type,
    kind_name,
    mismatch,
    number_literal,
    size_of,
    text_literal,
)
from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.names import CHAR_LITERAL, char_of
from runner.local.athena.natives import IP_TYPE
from runner.local.athena.trees import find_all, kind_of

if TYPE_CHECKING:
    from runner.local.athena.calls import Rule

_COMPARISONS = (
    exp.EQ,
    exp.NEQ,
    exp.LT,
    exp.LTE,
    exp.GT,
    exp.GTE,
    exp.In,
    exp.Between,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
)

_PLAIN = (exp.Literal, exp.Column, exp.Cast, exp.HexString, exp.Boolean, exp.Neg)
_SIGNS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}


def _char_literal(node: exp.Anonymous) -> exp.Expr:
    literal: exp.Expr = node.expressions[0].copy()
    literal.type = char_of(len(literal.name))
    return literal


def _cast(node: exp.Cast) -> exp.Expr | None:
    kind = node.to.this
    if kind == CHAR:
        return _to_char(node)
    if kind in {IP, UUID}:
        return _tried(node, _to_special(node))
    if is_type(node.this, IP):
        return _tried(node, _from_ip(node))
    if is_type(node.this, CHAR) and kind in (*BINARY, exp.DataType.Type.JSON):
        raise _no_cast(node)
    if is_type(node.this, UUID) and kind in BINARY:
        return _tried(node, call("__uuid_binary", node.this))
    if kind in BINARY and is_type(node.this, *TEXT):
        return call("encode", node.this, like=node)
    return None


def _no_cast(node: exp.Cast) -> AthenaFailure:
    target = node.to.sql("trino").lower()
    return AthenaFailure("TYPE_MISMATCH", f"Cannot cast {kind_name(node.this.type)} to {target}")


def _to_char(node: exp.Cast) -> exp.Expr:
    is_other = is_type(node.this, *SCALARS, IP, UUID)
    if is_other and not isinstance(node.this.unnest(), exp.Null):
        raise _no_cast(node)
    size = int(node.to.expressions[0].name) if node.to.expressions else 1
    text: exp.Expr = (
        node.this if is_type(node.this, *TEXT) else exp.cast(node.this.copy(), "varchar")
    )
    cut = call("left", text, number_literal(size))
    new = call("rpad", cut, number_literal(size), text_literal(" "))
    new.type = char_of(size)
    return new


def _column(node: exp.Column) -> exp.Expr | None:
    """Fill a column of char(n) up: files hold it without its spaces."""
    size = size_of(node) if is_type(node, CHAR) else None
    if size is None or isinstance(node.parent, exp.Lambda):
        return None
    return call("rpad", node, number_literal(size), text_literal(" "), like=node)


def _comparison(node: exp.Expr) -> None:
    sides = [node.this, node.args.get("expression"), node.args.get("low"), node.args.get("high")]
    operands = [each for each in [*sides, *node.expressions] if isinstance(each, exp.Expr)]
    _refuse_mixed(node, operands)
    _without_spaces(operands)


def _refuse_mixed(node: exp.Expr, operands: list[exp.Expr]) -> None:
    """Refuse a text beside another type, where both are plain to see: DuckDB would cast."""
    texts = [each for each in operands if isinstance(each, _PLAIN) and is_type(each, *TEXT)]
    others = [
        each
        for each in operands
        if isinstance(each, _PLAIN) and is_type(each, *SCALARS) and not isinstance(each, exp.Null)
    ]
    if texts and others and type(node) in _SIGNS:
        left, right = (kind_name(each.type) for each in operands[:2])
        sign = _SIGNS[type(node)]
        raise AthenaFailure("TYPE_MISMATCH", f"Cannot apply operator: {left} {sign} {right}")


def _without_spaces(operands: list[exp.Expr]) -> None:
    if any(is_type(each, CHAR) for each in operands):
        for each in operands:
            if is_type(each, *TEXT):
                each.replace(call("rtrim", each, text_literal(" "), like=each))


def _choice(branches: list[exp.Expr | None]) -> None:
    """Refuse a choice between texts of several types one of which is char(n)."""
    texts = [each for each in branches if each is not None and is_type(each, *TEXT)]
    chars = [each for each in texts if is_type(each, CHAR)]
    if chars and (len(chars) < len(texts) or len({size_of(each) for each in chars}) > 1):
        raise unsupported("A choice between char(n) and text of another type")


def _coalesce(node: exp.Coalesce) -> None:
    _choice([node.this, *node.expressions])


def _if(node: exp.If) -> None:
    _choice([node.args.get("true"), node.args.get("false")])


def _case(node: exp.Case) -> None:
    _choice([*(each.args.get("true") for each in node.args["ifs"]), node.args.get("default")])
    if node.this is not None:
        _without_spaces([node.this, *(each.this for each in node.args["ifs"])])


def _nullif(node: exp.Nullif) -> exp.Expr | None:
    if not is_type(node.this, CHAR) and not is_type(node.expression, CHAR):
        return None
    same = exp.EQ(this=node.this.copy(), expression=node.expression.copy())
    _without_spaces([same.this, same.expression])
    new = exp.Case(ifs=[exp.If(this=same, true=exp.Null())], default=node.this.copy())
    new.type = node.this.type
    return new


def _tried(node: exp.Cast, new: exp.Expr) -> exp.Expr:
    new.type = node.to
    if not isinstance(node, exp.TryCast):
        return new
    return call("TRY", new, like=new)


def _to_special(node: exp.Cast) -> exp.Expr:
    address = node.to.this == IP
    if is_type(node.this, node.to.this):
        same: exp.Expr = node.this.copy()
        return same
    if isinstance(node.this, exp.Null):
        return exp.cast(exp.Null(), IP_TYPE if address else "uuid", dialect="duckdb")
    word = "ip" if address else "uuid"
    name = f"__{word}_of_{'binary' if is_type(node.this, *BINARY) else 'text'}"
    return call(name, node.this)


def _from_ip(node: exp.Cast) -> exp.Expr:
    data = call("struct_extract", node.this, exp.Literal.string("__ipaddress"))
    if node.to.this in TEXT:
        return call("__ip_text", data)
    if node.to.this in BINARY:
        return data
    raise mismatch("cast", [node.this])


def _contains(node: exp.Expr) -> exp.Expr | None:
    if not is_type(node.expression, IP):
        return None
    data = call("struct_extract", node.expression, exp.Literal.string("__ipaddress"))
    return call("__ip_contains", node.this, data, like=node)


def replace_types(tree: exp.Query) -> None:
    """Write the types that DuckDB lacks as those that stand for them."""
    for kind in find_all(tree, exp.DataType):
        if kind.this == exp.DataType.Type.IPPREFIX:
            raise AthenaFailure("TYPE_NOT_FOUND", "Unknown type: ipprefix")
        if kind.this == IP:
            kind.replace(kind_of(IP_TYPE, "duckdb"))


CALLS: dict[str, Rule] = {CHAR_LITERAL: _char_literal}
NODES: tuple[tuple[type[exp.Expr] | tuple[type[exp.Expr], ...], Rule], ...] = (
    (exp.Cast, _cast),
    (exp.Column, _column),
    (exp.ArrayContains, _contains),
    (exp.Case, _case),
    (exp.Coalesce, _coalesce),
    (exp.If, _if),
    (exp.Nullif, _nullif),
    (_COMPARISONS, _comparison),
)
