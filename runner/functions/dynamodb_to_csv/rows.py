"""Records of a DynamoDB stream to rows of CSV.

In: JSON text of records as DynamoDB sends them to Kinesis and Firehose.  Out: lines of CSV.  What a
shape of records has of the columns is found out once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from json.decoder import scanstring  # type: ignore[attr-defined]  # not in its types
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from .columns import Cell, Column, cell_of, csv_text, field_of
    from .shapes import Shapes, holes_of, renumbered
    from .skeleton import Hole, NotJsonError, Object, is_number, like, quoted_number, read
    from .typed import NotARecordError, token_of
else:
    from columns import Cell, Column, cell_of, csv_text, field_of
    from shapes import Shapes, holes_of, renumbered
    from skeleton import (
        Hole,
        NotJsonError,
        Object,
        is_number,
        like,
        quoted_number,
        read,
    )
    from typed import NotARecordError, token_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .skeleton import Tree

_EMPTY = ('""',)
_WORDS = ("true", "false")
IMAGES = {"new": "NewImage", "old": "OldImage"}


@dataclass(frozen=True, slots=True)
class Choice:
    """What becomes a row."""

    columns: tuple[Column, ...]
    events: frozenset[str]
    image: str = "NewImage"
    """Image that is read; the keys if a record lacks it."""
    spaced: bool = False
    """Whether ends of lines in texts are written as spaces."""


@dataclass(slots=True)
class RowPlan:
    """How a shape's values become a row."""

    event: Tree
    cells: list[Cell | None]
    texts: list[tuple[int, int]] = field(default_factory=list)
    """Columns that are texts, and their values."""
    numbers: list[tuple[int, int]] = field(default_factory=list)
    words: list[tuple[int, int]] = field(default_factory=list)
    """Booleans."""
    others: list[tuple[int, Cell]] = field(default_factory=list)
    exact: Callable[[Sequence[str]], Sequence[str]] | None = None
    """Gives the fields as they are written, of a pattern that takes no other values."""

    def __post_init__(self) -> None:
        """Sort the cells by how they are written."""
        for place, cell in enumerate(self.cells):
            if cell is None or cell.kind == "NULL":
                continue
            hole = cell.value if isinstance(cell.value, Hole) else None
            if hole is not None and cell.kind in {"S", "B"} and cell.type in {"auto", "s"}:
                self.texts.append((place, hole))
            elif hole is not None and cell.kind == "N" and cell.type in {"auto", "n"}:
                self.numbers.append((place, hole))
            elif hole is not None and cell.kind == "BOOL" and cell.type in {"auto", "bool"}:
                self.words.append((place, hole))
            else:
                self.others.append((place, cell))

    def holes(self) -> set[int]:
        """Give the holes whose values a row needs."""
        trees = [self.event, *(cell.value for cell in self.cells if cell is not None)]
        return set().union(*map(holes_of, trees))

    def exactly(self, hole: int, values: Sequence[str]) -> str:
        """Want values of the attribute's type only, where each has one column."""
        if not self._apart():
            return ""
        if any(each == hole for _, each in self.numbers):
            return quoted_number
        if any(each == hole for _, each in self.words):
            return "(true|false)"
        if any(each == hole for _, each in self.texts):
            texts = [value for value in values if value[0] == '"']
            return f"({like(texts or _EMPTY)})"
        return ""

    def _apart(self) -> bool:
        """Tell whether every value is written once."""
        plain = [hole for _, hole in (*self.texts, *self.numbers, *self.words)]
        inner = [hole for _, cell in self.others for hole in holes_of(cell.value)]
        event = holes_of(self.event) - {hole for _, hole in self.texts}
        found = [*plain, *inner, *event]
        return len(plain) > 0 and len(set(found)) == len(found)

    def renumbered(self, numbers: Mapping[int, int]) -> RowPlan:
        """Give the plan for what its patterns take, by other numbers of its holes."""
        cells = [
            None if cell is None else replace(cell, value=renumbered(cell.value, numbers))
            for cell in self.cells
        ]
        plan = RowPlan(renumbered(self.event, numbers), cells)
        if self._apart() and len(cells) > 1:
            places = dict((*plan.texts, *plan.numbers, *plan.words))
            plan.exact = itemgetter(*[places.get(place, -1) for place in range(len(cells))])
        return plan


def _unescaped(token: str, *, spaced: bool) -> str:
    """Write a text of JSON as a field."""
    if token[0] != '"':
        raise NotARecordError(f"{token} is no text")
    return csv_text(scanstring(token, 1)[0], spaced=spaced)


class Rows:
    """Writes rows by one choice, and remembers shapes."""

    def __init__(self, choice: Choice) -> None:
        """Begin without shapes."""
        self._choice = choice
        self._shapes = Shapes(self._plan)
        self._blank = [""] * len(choice.columns)

    def rows(self, text: str) -> str:
        """Give a line for each record of the text that is chosen; NotARecordError for no record."""
        text = text.strip(" \t\r\n")
        if "\n" in text:
            lines = [line for line in text.split("\n") if line.strip()]
            try:
                return "".join([self._row(line.strip(" \t\r")) for line in lines])
            except NotARecordError:
                pass  # a record of several lines
        return self._row(text)

    def _row(self, text: str) -> str:
        try:
            plan, values = self._shapes.find(text)
        except NotJsonError as error:
            raise NotARecordError(str(error)) from error
        event = token_of(plan.event, values)[1:-1]
        if event not in self._choice.events:
            if event in {"INSERT", "MODIFY", "REMOVE"}:
                return ""
            raise NotARecordError(f"{event} is no event of DynamoDB")
        if plan.exact is not None:
            fields = list(plan.exact((*values, "")))
            for place, at in plan.texts:
                if "\\" in values[at]:
                    fields[place] = _unescaped(values[at], spaced=self._choice.spaced)
            for place, cell in plan.others:
                fields[place] = field_of(cell, values, spaced=self._choice.spaced)
        else:
            fields = self._blank[:]
            self._fill(fields, plan, values)
        return ",".join(fields) + "\n"

    def _fill(self, fields: list[str], plan: RowPlan, values: Sequence[str]) -> None:
        for place, at in plan.texts:
            value = values[at]
            if value[0] != '"' or "\\" in value:
                value = _unescaped(value, spaced=self._choice.spaced)
            fields[place] = value
        for place, at in plan.numbers:
            value = values[at][1:-1]
            if not is_number(value):
                raise NotARecordError(f"{values[at]} is no number")
            fields[place] = value
        for place, at in plan.words:
            if values[at] not in _WORDS:
                raise NotARecordError(f"{values[at]} is no boolean")
            fields[place] = values[at]
        for place, cell in plan.others:
            fields[place] = field_of(cell, values, spaced=self._choice.spaced)

    def _plan(self, key: Sequence[str]) -> RowPlan:
        trees = read(key)
        if len(trees) != 1 or not isinstance(trees[0], Object):
            raise NotARecordError("not one object")
        record = dict(trees[0])
        change = record.get("dynamodb")
        if not isinstance(change, Object) or "eventName" not in record:
            raise NotARecordError("no `eventName` and `dynamodb`")
        changed = dict(change)
        item = changed.get(self._choice.image, changed.get("Keys", Object()))
        columns = self._choice.columns
        cells = [cell_of(column, record, changed, item) for column in columns]
        return RowPlan(record["eventName"], cells)
