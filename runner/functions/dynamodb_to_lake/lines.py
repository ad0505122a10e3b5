"""Records of a DynamoDB stream to lines of plain JSON.

In: JSON text of a record, as DynamoDB sends it.  Out: a line with `event`, `sequence`, `time`,
`table`, `keys`, `new` and `old`; attributes without their types, numbers to the letter.

`new` and `old` are null where the record lacks them.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from .shapes import Shapes
    from .skeleton import (
        Hole,
        NotJsonError,
        Object,
        is_number,
        is_texts,
        like,
        quoted,
        quoted_number_like,
        read,
    )
    from .typed import NotARecordError, json_of, token_of, typed
else:
    from shapes import Shapes
    from skeleton import (
        Hole,
        NotJsonError,
        Object,
        is_number,
        is_texts,
        like,
        quoted,
        quoted_number_like,
        read,
    )
    from typed import (
        NotARecordError,
        json_of,
        token_of,
        typed,
    )

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .skeleton import Tree

_QUOTE, _EMPTY = '"', ('""',)
_EVENTS = frozenset({'"INSERT"', '"MODIFY"', '"REMOVE"'})
_CHUNK = 500
_IMAGES = (("keys", "Keys"), ("new", "NewImage"), ("old", "OldImage"))


@dataclass(slots=True)
class LinePlan:
    """How a shape's values become a line."""

    event: Tree
    time: Tree
    table: Tree
    pieces: list[str] = field(default_factory=lambda: [""])
    """The end of a line, from `keys` on; every second piece is a value."""
    values: list[tuple[str, Hole]] = field(default_factory=list)
    """Type and hole of each."""
    exact: Callable[[Sequence[str]], Sequence[str]] | None = None
    """Gives the values as they are written, of a pattern that takes no others."""
    others: list[tuple[int, str, Hole]] = field(default_factory=list)
    """Those of them that are not written as they are: their pieces, types and holes."""

    def say(self, text: str) -> None:
        """Write text."""
        self.pieces[-1] += text

    def leave(self, kind: str, hole: Hole) -> None:
        """Leave a place for a value."""
        self.values.append((kind, hole))
        self.pieces += ["", ""]

    def holes(self) -> set[int]:
        """Give the holes whose values a line needs."""
        own = [each for each in (self.event, self.time, self.table) if isinstance(each, Hole)]
        return {*own, *(hole for _, hole in self.values)}

    def exactly(self, hole: int, values: Sequence[str], *, plain: bool) -> str:
        """Want values of the attribute's type only."""
        kinds = {kind for kind, each in self.values if each == hole}
        if kinds == {"N"}:
            return quoted_number_like(values)
        if kinds == {"BOOL"}:
            return "(true|false)"
        if kinds and kinds <= {"S", "B"}:
            texts = [value for value in values if value[0] == _QUOTE]
            return f"({like(texts or _EMPTY, plain=plain)})"
        return ""

    def renumbered(self, numbers: Mapping[int, int]) -> LinePlan:
        """Give the plan for what its patterns take, by other numbers of its holes."""
        event, time, table = (
            Hole(numbers[each]) if isinstance(each, Hole) else each
            for each in (self.event, self.time, self.table)
        )
        values = [(kind, Hole(numbers[hole])) for kind, hole in self.values]
        places = [hole for _, hole in values]
        exact = itemgetter(*places) if len(places) > 1 else partial(_picked, places)
        others = [
            (2 * at + 1, kind, hole)
            for at, (kind, hole) in enumerate(values)
            if kind not in {"S", "B", "N", "BOOL"}
        ]
        return LinePlan(event, time, table, self.pieces, values, exact, others)


@dataclass(frozen=True, slots=True)
class Change:
    """What a record says."""

    event: str
    """As JSON."""
    time: str
    """As it was written, in seconds or finer."""
    table: str
    """As JSON; null if the record does not say."""
    rest: str
    """Of the line, from `keys` on."""


class Lines:
    """Reads records, and remembers their shapes."""

    def __init__(self) -> None:
        """Begin without shapes."""
        self._shapes = Shapes(_plan)
        self._lists = Shapes(_list_plan)

    def read(self, text: str) -> Change:
        """Read a record; NotARecordError if the text is none."""
        try:
            plan, values = self._shapes.find(text.strip(" \t\r\n"))
        except NotJsonError as error:
            raise NotARecordError(str(error)) from error
        return self._change(plan, values)

    def _change(self, plan: LinePlan, values: Sequence[str]) -> Change:
        event = token_of(plan.event, values)
        if event not in _EVENTS:
            raise NotARecordError(f"{event} is no event of DynamoDB")
        time, table = token_of(plan.time, values), token_of(plan.table, values)
        return Change(event, time, table, self._filled(plan, values))

    def read_all(self, texts: Sequence[bytes]) -> list[Change | None]:
        """Read records in UTF-8 without blanks around them; None for one that `read` refuses."""
        found: list[Change | None] = [None] * len(texts)
        left: Sequence[int] = range(len(texts))
        while left:
            often, rest = self._shapes.take([texts[at] for at in left])
            for taken in often:
                for at, row in zip(taken.places, taken.rows(), strict=True):
                    values = [value.decode() for value in row]
                    found[left[at]] = self._change_or_none(taken.plan, values)
            left = [left[at] for at in rest]
            for at in left[:_CHUNK]:  # what these teach is known to those behind them
                with suppress(NotARecordError, RecursionError):  # None says so
                    found[at] = self.read(texts[at].decode())
            left = left[_CHUNK:]
        return found

    def _change_or_none(self, plan: LinePlan, values: Sequence[str]) -> Change | None:
        try:
            return self._change(plan, values)
        except (NotARecordError, RecursionError):
            return None

    def _filled(self, plan: LinePlan, values: Sequence[str]) -> str:
        pieces = plan.pieces[:]
        if plan.exact is not None:
            pieces[1::2] = plan.exact(values)
            for at, kind, hole in plan.others:
                pieces[at] = _written(kind, values[hole]) or self._other(kind, hole, values)
            return "".join(pieces)
        pieces[1::2] = [
            _written(kind, values[hole]) or self._other(kind, hole, values)
            for kind, hole in plan.values
        ]
        return "".join(pieces)

    def _other(self, kind: str, hole: Hole, values: Sequence[str]) -> str:
        if kind != "L" or values[hole][0] != "[":
            return json_of(Object(((kind, hole),)), values)
        try:
            plan, inner = self._lists.find(values[hole])
        except NotJsonError as error:
            raise NotARecordError(str(error)) from error
        return self._filled(plan, inner)


def _picked(places: list[Hole], values: Sequence[str]) -> list[str]:
    return [values[at] for at in places]


def _written(kind: str, token: str) -> str:
    """Write a scalar or texts; empty for what takes longer."""
    if kind in {"S", "B"}:
        return token if token[0] == '"' else ""
    if kind == "N":
        return token[1:-1] if token[0] == '"' and is_number(token[1:-1]) else ""
    if kind in {"SS", "BS"}:
        return token if is_texts(token) else ""
    if kind == "BOOL":
        return token if token in {"true", "false"} else ""
    return "null" if kind == "NULL" else ""


def _list_plan(key: Sequence[str]) -> LinePlan:
    """Plan the items of a list."""
    plan = LinePlan(None, None, None)
    (tree,) = read(key)
    _write(plan, Object((("L", tree),)))
    return plan


def _plan(key: Sequence[str]) -> LinePlan:
    trees = read(key)
    if len(trees) != 1 or not isinstance(trees[0], Object):
        raise NotARecordError("not one object")
    record = dict(trees[0])
    change = record.get("dynamodb")
    if not isinstance(change, Object) or "eventName" not in record:
        raise NotARecordError("no `eventName` and `dynamodb`")
    changed = dict(change)
    if "ApproximateCreationDateTime" not in changed:
        raise NotARecordError("no `ApproximateCreationDateTime`")
    time = changed["ApproximateCreationDateTime"]
    plan = LinePlan(record["eventName"], time, record.get("tableName"))
    before = ""
    for name, image in _IMAGES:
        plan.say(f'{before}"{name}":')
        if image in changed:
            _write_map(plan, changed[image])
        else:
            plan.say("null")
        before = ","
    plan.say("}\n")
    return plan


def _write_map(plan: LinePlan, tree: Tree) -> None:
    if not isinstance(tree, Object):
        raise NotARecordError("a map is an object")
    before = "{"
    for key, value in tree:
        plan.say(f"{before}{quoted(key)}:")
        _write(plan, value)
        before = ","
    plan.say("}" if tree else "{}")


def _write(plan: LinePlan, tree: Tree) -> None:
    kind, value = typed(tree)
    if isinstance(value, Hole):
        plan.leave(kind, value)
    elif kind == "M":
        _write_map(plan, value)
    elif kind == "L" and isinstance(value, list):
        before = "["
        for item in value:
            plan.say(before)
            _write(plan, item)
            before = ","
        plan.say("]" if value else "[]")
    else:
        plan.say(json_of(tree, ()))
