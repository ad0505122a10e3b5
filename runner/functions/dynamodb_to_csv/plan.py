"""How records of one shape become rows: where their fields are, and how each is written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from .columns import Cell, field_of, unescaped
    from .shapes import holes_of, renumbered
    from .skeleton import Hole, is_number, like, quoted_number_like
    from .typed import NotARecordError
else:
    from columns import Cell, field_of, unescaped
    from shapes import holes_of, renumbered
    from skeleton import Hole, is_number, like, quoted_number_like
    from typed import NotARecordError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .skeleton import Tree

_EMPTY = ('""',)
_WORDS = ("true", "false")


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
    exact: bool = False
    """Whether values are as they are written, for its pattern takes no others."""

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

    def exactly(self, hole: int, values: Sequence[str], *, plain: bool) -> str:
        """Want values of the attribute's type only, where each has one column."""
        if not self._apart():
            return ""
        if any(each == hole for _, each in self.numbers):
            return quoted_number_like(values)
        if any(each == hole for _, each in self.words):
            return "(true|false)"
        if any(each == hole for _, each in self.texts):
            texts = [value for value in values if value[0] == '"']
            return f"({like(texts or _EMPTY, plain=plain)})"
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
        return RowPlan(renumbered(self.event, numbers), cells, exact=self._apart())

    def fields(self, values: Sequence[str], *, spaced: bool) -> list[str]:
        """Write a row's fields of its values."""
        fields = [""] * len(self.cells)
        for place, at in self.texts:
            value = values[at]
            if value[0] != '"' or "\\" in value:
                value = unescaped(value, spaced=spaced)
            fields[place] = value
        for place, at in self.numbers:
            value = values[at][1:-1]
            if not is_number(value):
                raise NotARecordError(f"{values[at]} is no number")
            fields[place] = value
        for place, at in self.words:
            if values[at] not in _WORDS:
                raise NotARecordError(f"{values[at]} is no boolean")
            fields[place] = values[at]
        for place, cell in self.others:
            fields[place] = field_of(cell, values, spaced=spaced)
        return fields
