"""Typed attributes of DynamoDB, `{"S": "x"}`, as plain JSON.

In: trees of `skeleton.read` and the values of their holes.  Out: compact JSON text.  Numbers keep
their letters; binary values stay in base64; sets are arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from .skeleton import Hole, NotJsonError, Number, Object, is_number, quoted, read
else:
    from skeleton import (
        Hole,
        NotJsonError,
        Number,
        Object,
        is_number,
        quoted,
        read,
    )

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .skeleton import Tree

_SETS = {"SS": "S", "NS": "N", "BS": "B"}


class NotARecordError(ValueError):
    """A text that is no record of a DynamoDB stream."""


def typed(tree: Tree) -> tuple[str, Tree]:
    """Give an attribute's type and value."""
    if not isinstance(tree, Object) or len(tree) != 1:
        raise NotARecordError("an attribute is an object of its type and its value")
    return tree[0]


def json_of(tree: Tree, values: Sequence[str]) -> str:
    """Write an attribute as JSON."""
    kind, value = typed(tree)
    if kind == "M":
        return object_of(value, values)
    if kind == "L":
        return f"[{','.join([json_of(item, values) for item in items_of(value, values)])}]"
    if kind in _SETS:
        items = items_of(value, values)
        return f"[{','.join([_scalar(_SETS[kind], item, values) for item in items])}]"
    return _scalar(kind, value, values)


def object_of(value: Tree, values: Sequence[str]) -> str:
    """Write a map of attributes as JSON."""
    if not isinstance(value, Object):
        raise NotARecordError("a map is an object")
    return f"{{{','.join([f'{quoted(key)}:{json_of(item, values)}' for key, item in value])}}}"


def items_of(value: Tree, values: Sequence[str]) -> list[Tree]:
    """Give the items of a list or set."""
    if isinstance(value, Hole):
        try:
            (value,) = read((values[value],))
        except NotJsonError as error:
            raise NotARecordError(str(error)) from error
    if not isinstance(value, list):
        raise NotARecordError("a list or set is an array")
    return value


def token_of(value: Tree, values: Sequence[str]) -> str:
    """Write a text, number, boolean or null as JSON."""
    if isinstance(value, Hole):
        return values[value]
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return quoted(value)
    if value is None or isinstance(value, bool):
        return {True: "true", False: "false", None: "null"}[value]
    raise NotARecordError("a scalar is no object and no array")


def _scalar(kind: str, value: Tree, values: Sequence[str]) -> str:
    token = token_of(value, values)
    if kind == "NULL":
        return "null"
    if kind == "BOOL" and token in {"true", "false"}:
        return token
    if kind not in {"S", "N", "B"} or token[0] != '"':
        raise NotARecordError(f"{token} is no value of the type {kind}")
    if kind != "N":
        return token
    if not is_number(token[1:-1]):
        raise NotARecordError(f"{token} is no number")
    return token[1:-1]
