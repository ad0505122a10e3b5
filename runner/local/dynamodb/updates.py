"""Updates of DynamoDB: SET, REMOVE, ADD and DELETE.

In: an UpdateExpression.  Out: a function that makes a new item of an old one; every clause sees the
old one.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from runner.local.dynamodb.values import Item, Value, add, invalid, negative
from runner.local.dynamodb.words import Given, Path, Words, find

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[Item, Item], None]
    """Changes the new item, told the old one."""
    Operand = Callable[[Item], Value]

_CLAUSES = ("SET", "REMOVE", "ADD", "DELETE")
_MISSING = "The provided expression refers to an attribute that does not exist in the item"
_BAD_PATH = "The document path provided in the update expression is invalid for update"


class Update:
    """A read update: what it does, and to which attributes."""

    def __init__(self, text: str, given: Given) -> None:
        """Read it."""
        words = Words(text, "UpdateExpression", given)
        self._changes: list[Change] = []
        self.paths: list[Path] = []
        seen: set[str] = set()
        while words.peek():
            clause = words.take(*_CLAUSES).upper()
            if clause in seen:
                message = f'The "{clause}" section can only be used once in an update expression;'
                raise words.wrong(message)
            seen.add(clause)
            self._read(clause, words)
            while words.peek() == ",":
                words.take()
                self._read(clause, words)
        _refuse_overlaps(words, self.paths)

    def apply(self, item: Item) -> Item:
        """Give the item as it is after the update."""
        found = copy.deepcopy(item)
        for change in self._changes:
            change(found, item)
        return found

    def _read(self, clause: str, words: Words) -> None:
        path = words.path()
        self.paths.append(path)
        if clause == "REMOVE":
            self._changes.append(lambda new, _: _remove(new, path))
            return
        if clause == "SET":
            words.take("=")
            value = _sum(words)
            self._changes.append(lambda new, old: _put(new, path, value(old)))
            return
        given = words.value()
        if clause == "ADD":
            self._changes.append(lambda new, old: _add(new, old, path, given))
        else:
            self._changes.append(lambda new, old: _take_away(new, old, path, given))


def _refuse_overlaps(words: Words, paths: list[Path]) -> None:
    for at, one in enumerate(paths):
        for other in paths[at + 1 :]:
            if one[: len(other)] == other or other[: len(one)] == one:
                raise words.wrong(
                    "Two document paths overlap with each other; must remove or rewrite one of "
                    f"these paths; path one: {list(one)}, path two: {list(other)}"
                )


def _sum(words: Words) -> Operand:
    left = _operand(words)
    if words.peek() not in {"+", "-"}:
        return left
    minus = words.take() == "-"
    right = _operand(words)

    def total(item: Item) -> Value:
        one, other = left(item), right(item)
        if "N" not in one or "N" not in other:
            raise invalid("An operand in the update expression has an incorrect data type")
        return add(one, negative(other) if minus else other)

    return total


def _operand(words: Words) -> Operand:
    if words.peek().startswith(":"):
        value = words.value()
        return lambda _: value
    if words.peek(1) == "(":
        return _function(words)
    path = words.path()

    def there(item: Item) -> Value:
        found = find(item, path)
        if found is None:
            raise invalid(_MISSING)
        return found

    return there


def _function(words: Words) -> Operand:
    name = words.take()
    if name not in {"if_not_exists", "list_append"}:
        raise words.wrong(f"Invalid function name; function: {name}")
    words.take("(")
    path = words.path() if name == "if_not_exists" else None
    first = None if path is not None else _operand(words)
    words.take(",")
    second = _operand(words)
    words.take(")")
    if path is not None:

        def otherwise(item: Item) -> Value:
            found = find(item, path)
            return second(item) if found is None else found

        return otherwise

    def joined(item: Item) -> Value:
        assert first is not None  # noqa: S101 - list_append has two operands
        one, other = first(item), second(item)
        if "L" not in one or "L" not in other:
            raise invalid("An operand in the update expression has an incorrect data type")
        return {"L": [*one["L"], *other["L"]]}

    return joined


def _inside(item: Item, path: Path) -> Value | None:
    """Give the document or list that holds a path's last part; None at the top."""
    if len(path) == 1:
        return None
    parent = find(item, path[:-1])
    kind = "L" if isinstance(path[-1], int) else "M"
    if parent is None or kind not in parent:
        raise invalid(_BAD_PATH)
    return parent


def _put(item: Item, path: Path, value: Value) -> None:
    parent, last = _inside(item, path), path[-1]
    if parent is None:
        item[str(last)] = value
    elif isinstance(last, int):
        parent["L"][last : last + 1] = [value]  # behind the end it is added
    else:
        parent["M"][last] = value


def _remove(item: Item, path: Path) -> None:
    if find(item, path) is None:
        return
    parent, last = _inside(item, path), path[-1]
    if parent is None:
        del item[str(last)]
    elif isinstance(last, int):
        del parent["L"][last]
    else:
        del parent["M"][last]


def _add(new: Item, old: Item, path: Path, given: Value) -> None:
    if not given.keys() & {"N", "SS", "NS", "BS"}:
        raise invalid(
            "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: "
            f"ADD, operand type: {next(iter(given))}"
        )
    before = find(old, path)
    _put(new, path, given if before is None else add(before, given))


def _take_away(new: Item, old: Item, path: Path, given: Value) -> None:
    ((kind, gone),) = given.items()
    before = find(old, path)
    if kind not in {"SS", "NS", "BS"} or (before is not None and kind not in before):
        raise invalid("An operand in the update expression has an incorrect data type")
    if before is None:
        return
    left = [one for one in before[kind] if one not in gone]
    if left:
        _put(new, path, {kind: left})
    else:
        _remove(new, path)
