"""Evaluates SQL/JSON paths, lax and strict, by Trino's rules.

In: a `Path`, the context item and parameters (dict, list, str, int, float, Decimal, bool, None).
Out: the sequence of items found; structural and type errors raise `PathError`.
"""

from __future__ import annotations

import math
import operator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.local.athena.sqljsonpath import Node, Path

Item: TypeAlias = Any
_Items: TypeAlias = list[Item]
_LONGEST = 2**63
_ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NAMES = {str: "string", bool: "boolean", dict: "object", list: "array", type(None): "null"}


class PathError(ValueError):
    """What a path cannot do with an item."""


class _Scope(NamedTuple):
    """What surrounds an expression: the filter's item, and the last index of an array."""

    current: Item = None
    last: int | None = None


def evaluate(path: Path, context: Item, parameters: Mapping[str, _Items]) -> _Items:
    """Give the items that a path finds; raises PathError."""
    return _Evaluator(path, context, parameters).run()


class _Evaluator:
    def __init__(self, path: Path, context: Item, parameters: Mapping[str, _Items]) -> None:
        self._path = path
        self._lax = path.lax
        self._context = context
        self._parameters = parameters
        self._objects = 0

    def run(self) -> _Items:
        return self._items(self._path.root, _Scope())

    def _items(self, node: Node, scope: _Scope) -> _Items:
        handler: Callable[[Any, _Scope], _Items] = getattr(self, f"_on_{node[0]}")
        return handler(node, scope)

    def _on_literal(self, node: Node, _: _Scope) -> _Items:
        return [node[1]]

    def _on_context(self, _: Node, __: _Scope) -> _Items:
        return [self._context]

    def _on_current(self, _: Node, scope: _Scope) -> _Items:
        return [scope.current]

    def _on_variable(self, node: Any, _: _Scope) -> _Items:  # noqa: ANN401 - a path's node
        return list(self._parameters[node[1]])

    def _on_last(self, _: Node, scope: _Scope) -> _Items:
        if scope.last is None:
            raise PathError("accessing the last array index with no enclosing array")
        return [scope.last]

    def _unwrapped(self, items: _Items) -> _Items:
        """Open arrays by one level in lax mode."""
        if not self._lax:
            return items
        return [x for item in items for x in (item if isinstance(item, list) else [item])]

    def _on_member(self, node: Any, scope: _Scope) -> _Items:  # noqa: ANN401 - a path's node
        found: _Items = []
        for item in self._unwrapped(self._items(node[1], scope)):
            if isinstance(item, dict) and node[2] in item:
                found.append(item[node[2]])
            elif not self._lax:
                self._need(item, dict)
                raise PathError(f"missing member '{node[2]}' in JSON object")
        return found

    def _need(self, item: Item, kind: type) -> None:
        if not isinstance(item, kind):
            wanted = _NAMES[kind].upper()
            raise PathError(f"invalid item type. Expected: {wanted}, actual: {type_of(item)}")

    def _on_members(self, node: Any, scope: _Scope) -> _Items:  # noqa: ANN401 - a path's node
        found: _Items = []
        for item in self._unwrapped(self._items(node[1], scope)):
            if isinstance(item, dict):
                found += item.values()
            elif not self._lax:
                self._need(item, dict)
        return found

    def _on_descendants(self, node: Any, scope: _Scope) -> _Items:  # noqa: ANN401 - a path's node
        found: _Items = []

        def visit(item: Item) -> None:
            if isinstance(item, dict):
                if node[2] in item:
                    found.append(item[node[2]])
                for each in item.values():
                    visit(each)
            elif isinstance(item, list):
                for each in item:
                    visit(each)

        for item in self._items(node[1], scope):
            visit(item)
        return found

    def _arrays(self, node: Node, scope: _Scope) -> list[_Items]:
        found: list[_Items] = []
        for item in self._items(node, scope):
            if not isinstance(item, list) and not self._lax:
                self._need(item, list)
            found.append(item if isinstance(item, list) else [item])
        return found

    def _on_elements(self, node: Any, scope: _Scope) -> _Items:  # noqa: ANN401 - a path's node
        return [item for array in self._arrays(node[1], scope) for item in array]

    def _on_array(self, node: Any, scope: _Scope) -> _Items:  # noqa: ANN401 - a path's node
        found: _Items = []
        for array in self._arrays(node[1], scope):
            inner = scope._replace(last=len(array) - 1)
            for first, last in node[2]:
                start = self._index(first, inner)
                end = start if last is None else self._index(last, inner)
                found += self._slice(array, start, end)
        return found

    def _slice(self, array: _Items, start: int, end: int) -> _Items:
        if not self._lax and (start < 0 or end >= len(array) or start > end):
            raise PathError(
                f"invalid array subscript: [{start}, {end}] for array of size {len(array)}"
            )
        return array[max(start, 0) : max(end + 1, 0)]

    def _index(self, node: Node, scope: _Scope) -> int:
        items = self._unwrapped(self._items(node, scope))
        if len(items) != 1 or not is_number(items[0]):
            raise PathError("array subscript 'from' value must be a singleton numeric value")
        return int(items[0])

    def _on_filter(self, node: Any, scope: _Scope) -> _Items:  # noqa: ANN401 - a path's node
        items = self._unwrapped(self._items(node[1], scope))
        return [
            item for item in items if self._holds(node[2], scope._replace(current=item)) is True
        ]

    def _on_sign(self, node: Any, scope: _Scope) -> _Items:  # noqa: ANN401 - a path's node
        items = self._unwrapped(self._items(node[2], scope))
        for item in items:
            if not is_number(item):
                raise PathError(f"invalid item type. Expected: NUMBER, actual: {type_of(item)}")
        return [-item if node[1] == "-" else item for item in items]

    def _on_binary(self, node: Any, scope: _Scope) -> _Items:  # noqa: ANN401 - a path's node
        left, right = (self._unwrapped(self._items(each, scope)) for each in node[2:])
        if len(left) != 1 or len(right) != 1:
            raise PathError("arithmetic binary expression requires singleton operands")
        if not is_number(left[0]) or not is_number(right[0]):
            raise PathError(
                "invalid operand types to arithmetic binary operator: "
                f"{type_of(left[0])}, {type_of(right[0])}"
            )
        return [arithmetic(node[1], left[0], right[0])]

    def _on_method(self, node: Any, scope: _Scope) -> _Items:  # noqa: ANN401 - a path's node
        items = self._items(node[1], scope)
        if node[2] == "type":
            return [type_of(item).lower() for item in items]
        if node[2] == "size":
            return [self._size(item) for item in items]
        items = self._unwrapped(items)
        if node[2] == "keyvalue":
            return [pair for item in items for pair in self._pairs(item)]
        return [_METHODS[node[2]](item) for item in items]

    def _size(self, item: Item) -> int:
        if not self._lax:
            self._need(item, list)
        return len(item) if isinstance(item, list) else 1

    def _pairs(self, item: Item) -> _Items:
        self._need(item, dict)
        number, self._objects = self._objects, self._objects + 1
        return [{"name": name, "value": each, "id": number} for name, each in item.items()]

    def _holds(self, node: Any, scope: _Scope) -> bool | None:  # noqa: ANN401 - a path's node
        match node[0]:
            case "and" | "or":
                decisive = bool(node[0] == "or")
                sides = [self._holds(node[1], scope), self._holds(node[2], scope)]
                if decisive in sides:
                    return decisive
                return None if None in sides else not decisive
            case "not":
                inner = self._holds(node[1], scope)
                return None if inner is None else not inner
            case "unknown":
                return self._holds(node[1], scope) is None
            case _:
                try:
                    return self._tested(node, scope)
                except PathError:
                    return None

    def _tested(self, node: Any, scope: _Scope) -> bool | None:  # noqa: ANN401 - a path's node
        if node[0] == "exists":
            return bool(self._items(node[1], scope))
        test, sides = (_starts, node[1:]) if node[0] == "starts" else (_comparer(node[1]), node[2:])
        left, right = (self._unwrapped(self._items(each, scope)) for each in sides)
        found = unknown = False
        for one in left:
            for other in right:
                answer = test(one, other)
                if answer is None:
                    unknown = True
                elif answer:
                    found = True
                if self._lax and (found or unknown):
                    return True if found else None
        return None if unknown else found


def is_number(item: Item) -> bool:
    """Tell numbers from everything else; booleans are none."""
    return isinstance(item, int | float | Decimal) and not isinstance(item, bool)


def type_of(item: Item) -> str:
    """Name an item's type as messages do.

    >>> [type_of(x) for x in (1, None, [], True)]
    ['NUMBER', 'NULL', 'ARRAY', 'BOOLEAN']
    """
    return "NUMBER" if is_number(item) else _NAMES[type(item)].upper()


def arithmetic(sign: str, left: Item, right: Item) -> Item:
    """Calculate as Trino does: integers stay integers, and 1 / 0 fails; raises PathError."""
    if isinstance(left, float) or isinstance(right, float):
        return _doubles(sign, float(left), float(right))
    if sign in {"/", "%"} and not right:
        raise PathError("Division by zero")
    both = isinstance(left, int) and isinstance(right, int)
    match sign:
        case "+":
            found = left + right
        case "-":
            found = left - right
        case "*":
            found = left * right
        case "/" if both:
            found = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        case "%" if both:
            found = abs(left) % abs(right) * (-1 if left < 0 else 1)
        case _:
            return _decimals(sign, Decimal(left), Decimal(right))
    if both and not -_LONGEST <= found < _LONGEST:
        raise PathError(f"bigint overflow: {left} {sign} {right}")
    return found


def _doubles(sign: str, left: float, right: float) -> float:
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/" if right == 0:
            return math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left)
        case "/":
            return left / right
        case _:
            return math.nan if right == 0 else math.fmod(left, right)


def _decimals(sign: str, left: Decimal, right: Decimal) -> Decimal:
    if sign == "%":
        return left % right
    scale = max(-int(left.as_tuple().exponent), -int(right.as_tuple().exponent), 0)
    return (left / right).quantize(Decimal(1).scaleb(-scale), rounding="ROUND_HALF_UP")


def _comparer(sign: str) -> Callable[[Item, Item], bool | None]:
    def compare(left: Item, right: Item) -> bool | None:
        if left is None or right is None:
            return _null_compare(sign, both=left is None and right is None)
        same = type_of(left) == type_of(right)
        if not same or isinstance(left, dict | list):
            return None
        return bool(_ORDERS[sign](left, right))

    return compare


def _null_compare(sign: str, *, both: bool) -> bool:
    """Compare with null, which equals itself and nothing else."""
    return both if sign in {"==", "<=", ">="} else not both and sign == "!="


def _starts(text: Item, start: Item) -> bool | None:
    if not isinstance(text, str) or not isinstance(start, str):
        return None
    return bool(text.startswith(start))


def _double(item: Item) -> float:
    if is_number(item):
        return float(item)
    try:
        return float(item) if isinstance(item, str) else _no_number(item)
    except ValueError as error:
        raise PathError(f"Cannot cast '{item}' to DOUBLE") from error


def _no_number(item: Item) -> float:
    raise PathError(f"invalid item type. Expected: NUMBER, actual: {type_of(item)}")


def _rounding(to_float: Callable[[float], float], mode: str) -> Callable[[Item], Item]:
    def round_(item: Item) -> Item:
        if not is_number(item):
            _no_number(item)
        if isinstance(item, Decimal):
            return item.to_integral_value(rounding=mode)
        if isinstance(item, float):
            return float(to_float(item)) if math.isfinite(item) else item
        return item

    return round_


def _abs(item: Item) -> Item:
    return abs(item) if is_number(item) else _no_number(item)


_METHODS: dict[str, Callable[[Item], Item]] = {
    "double": _double,
    "ceiling": _rounding(math.ceil, ROUND_CEILING),
    "floor": _rounding(math.floor, ROUND_FLOOR),
    "abs": _abs,
}
