"""What the passes over calls share: making calls, and checking the types that are known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.natives import NATIVES
from runner.local.athena.shape import is_filled_later
from runner.local.athena.trees import copied, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Rule = Callable[..., exp.Expr | None]
    """Gives what a node becomes, or None if it stays."""

CHAR = exp.DataType.Type.CHAR
TEXT = exp.DataType.TEXT_TYPES
IP = exp.DataType.Type.IPADDRESS
UUID = exp.DataType.Type.UUID
BINARY = (exp.DataType.Type.VARBINARY, exp.DataType.Type.BINARY, exp.DataType.Type.BLOB)
SCALARS = (
    exp.DataType.NUMERIC_TYPES | exp.DataType.TEMPORAL_TYPES | {exp.DataType.Type.BOOLEAN, *BINARY}
) - {exp.DataType.Type.UNKNOWN}

_LAST, _SURROGATES = 0x10FFFF, range(0xD800, 0xE000)


def call(name: str, *arguments: exp.Expr, like: exp.Expr | None = None) -> exp.Anonymous:
    """Make a call of one of ours, or of DuckDB's; `like` gives its type."""
    new = exp.Anonymous(this=name, expressions=[copied(each) for each in arguments])
    if like is not None:
        new.type = like.type
    return new


def is_type(node: exp.Expr | None, *kinds: exp.DType) -> bool:
    """Tell whether a node is known to be of one of these types."""
    return node is not None and node.type is not None and node.type.this in kinds


def text_literal(text: str) -> exp.Literal:
    """Make a literal of text with its type."""
    new = exp.Literal(this=text, is_string=True)
    new.type = kind_of("varchar")
    return new


def known_text(node: exp.Expr) -> str | None:
    """Give a literal's text, unless it is filled in after the translation."""
    return node.name if node.is_string and not is_filled_later(node.name) else None


def number_literal(value: int) -> exp.Literal:
    """Make a literal of a number."""
    return exp.Literal(this=str(value), is_string=False)


def kind_name(kind: exp.DataType | None) -> str:
    """Write a type as Athena's messages do, without lengths."""
    if kind is None:
        return "unknown"
    text = kind.sql("trino").lower()
    return {"timestamptz": "timestamp with time zone", "int": "integer"}.get(text, text)


def mismatch(name: str, arguments: Sequence[exp.Expr]) -> AthenaFailure:
    """Make the failure of arguments that no form of a function takes."""
    kinds = ", ".join(kind_name(each.type) for each in arguments)
    return AthenaFailure(
        "FUNCTION_NOT_FOUND", f"Unexpected parameters ({kinds}) for function {name}"
    )


def checked(name: str, arguments: Sequence[exp.Expr], node: exp.Expr) -> exp.Anonymous:
    """Make a call; raises AthenaFailure if a type is known to be another."""
    takes = NATIVES[name].takes or ()
    public = name.removeprefix("__").removesuffix("_binary")
    wrong = len(arguments) != len(takes) or any(
        not fits(each, wanted) for each, wanted in zip(arguments, takes, strict=True)
    )
    if wrong:
        raise mismatch(public, arguments)
    return call(name, *arguments, like=node)


def fits(node: exp.Expr, wanted: str) -> bool:
    """Tell whether a node may be given for a parameter, as far as its type is known."""
    kind = node.type.this if node.type is not None else exp.DataType.Type.UNKNOWN
    if kind not in SCALARS | TEXT or isinstance(node, exp.Null):
        return kind not in {exp.DataType.Type.ARRAY, exp.DataType.Type.MAP}
    if wanted == "VARCHAR":
        return kind in TEXT
    if wanted == "BLOB":
        return kind in BINARY
    return kind in exp.DataType.NUMERIC_TYPES


def unicode_text(node: exp.UnicodeString) -> str:
    """Decode a literal with escapes of code points; raises AthenaFailure."""
    escape = node.args.get("escape")
    mark = escape.name if isinstance(escape, exp.Expr) else "\\"
    quoted = re.escape(mark)
    form = re.compile(rf"{quoted}(?:{quoted}|([0-9a-fA-F]{{4}})|\+([0-9a-fA-F]{{6}})|)")

    def decode(match: re.Match[str]) -> str:
        digits = match[1] or match[2]
        if digits is None and match[0] == mark * 2:
            return mark
        number = int(digits or "110000", 16)
        if number > _LAST or number in _SURROGATES:
            raise AthenaFailure("SYNTAX_ERROR", f"Invalid escaped character: {match[0]}")
        return chr(number)

    return form.sub(decode, node.name)


def as_varchar(node: exp.Expr) -> exp.Expr:
    """Give a node the type varchar."""
    node.type = kind_of("varchar")
    return node


def size_of(node: exp.Expr) -> int | None:
    """Give the length of a literal or of char(n), if it is known."""
    if isinstance(node, exp.Literal):
        text = known_text(node)
        return None if text is None else len(text)
    if is_type(node, CHAR) and node.type is not None and node.type.expressions:
        return int(node.type.expressions[0].name)
    return None
