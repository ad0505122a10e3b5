"""Records of a DynamoDB stream to rows of CSV.

In: JSON text of records as DynamoDB sends them to Kinesis and Firehose.  Out: lines of CSV.  What a
shape of records has of the columns is found out once; a shape that comes often gets a pattern that
takes just these values out of a text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

try:
    from .columns import Cell, Column, cell_of, field_of
    from .skeleton import Hole, NotJsonError, Object, cut, is_number, like, read
    from .typed import NotARecordError, token_of
except ImportError:  # deployed: the folder itself is on the path
    from columns import Cell, Column, cell_of, field_of  # type: ignore[import-not-found,no-redef]
    from skeleton import (  # type: ignore[import-not-found,no-redef]  # the same module
        Hole,
        NotJsonError,
        Object,
        cut,
        is_number,
        like,
        read,
    )
    from typed import NotARecordError, token_of  # type: ignore[import-not-found,no-redef]

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .skeleton import Tree

_MOST_SHAPES = 4096
_LARGE_SHAPE = 64 << 10
_MOST_PATTERNS = 64
_MOST_TRIED = 6
_SAMPLED, _SAMPLES = 8, 25
"""Every eighth use is a sample; with so many of them, a shape gets a pattern of its own."""
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
class _Plan:
    """How a shape's values become a row."""

    event: Tree
    cells: list[Cell | None]
    texts: list[tuple[int, int]]
    """Columns that are texts, and their values."""
    numbers: list[tuple[int, int]]
    others: list[tuple[int, Cell]]
    uses: int = 0
    samples: list[list[str]] = field(default_factory=list)


def _plan(event: Tree, cells: list[Cell | None]) -> _Plan:
    plan = _Plan(event, cells, [], [], [])
    for place, cell in enumerate(cells):
        if cell is None:
            continue
        if cell.kind in {"S", "B"} and cell.type in {"auto", "s"} and isinstance(cell.value, Hole):
            plan.texts.append((place, cell.value))
        elif cell.kind == "N" and cell.type in {"auto", "n"} and isinstance(cell.value, Hole):
            plan.numbers.append((place, cell.value))
        else:
            plan.others.append((place, cell))
    return plan


class Rows:
    """Writes rows by one choice, and remembers shapes."""

    def __init__(self, choice: Choice) -> None:
        """Begin without shapes."""
        self._choice = choice
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self._patterns: dict[int, list[tuple[Callable[[str], re.Match[str] | None], _Plan]]] = {}
        self._made = 0
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
        tried = self._patterns.get(text.count('":'), ())
        for place, (match, plan) in enumerate(tried):
            found = match(text)
            if found is not None:
                if place and isinstance(tried, list):
                    tried[place - 1 : place + 1] = (match, plan), tried[place - 1]
                return self._filled(plan, found.groups())
        return self._seldom(text)

    def _seldom(self, text: str) -> str:
        parts = cut(text)
        key = tuple(parts[::2])
        plan = self._plans.get(key)
        if plan is None:
            try:
                plan = self._learn(key)
            except NotJsonError:
                parts = [text]
                try:
                    plan = self._plan(parts)
                except NotJsonError as error:
                    raise NotARecordError(str(error)) from error
        plan.uses += 1
        values = parts[1::2]
        if not plan.uses % _SAMPLED and values:
            plan.samples.append(values)
            if len(plan.samples) == _SAMPLES:
                self._often(key, plan, text)
        return self._filled(plan, values)

    def _filled(self, plan: _Plan, values: Sequence[str]) -> str:
        event = token_of(plan.event, values)[1:-1]
        if event not in self._choice.events:
            if event in {"INSERT", "MODIFY", "REMOVE"}:
                return ""
            raise NotARecordError(f"{event} is no event of DynamoDB")
        fields = self._blank[:]
        for place, at in plan.texts:
            value = values[at]
            if value[0] != '"' or "\\" in value:
                value = field_of(Cell("S", Hole(at), "s"), values, spaced=self._choice.spaced)
            fields[place] = value
        for place, at in plan.numbers:
            value = values[at][1:-1]
            if not is_number(value):
                raise NotARecordError(f"{values[at]} is no number")
            fields[place] = value
        for place, cell in plan.others:
            fields[place] = field_of(cell, values, spaced=self._choice.spaced)
        return ",".join(fields) + "\n"

    def _learn(self, key: tuple[str, ...]) -> _Plan:
        plan = self._plan(key)
        if sum(map(len, key)) < _LARGE_SHAPE:
            if len(self._plans) >= _MOST_SHAPES:
                self._plans.clear()
            self._plans[key] = plan
        return plan

    def _plan(self, key: Sequence[str]) -> _Plan:
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
        return _plan(
            record["eventName"], [cell_of(column, record, changed, item) for column in columns]
        )

    def _often(self, key: Sequence[str], plan: _Plan, text: str) -> None:
        """Make the pattern of a shape: it takes out only the values that a row needs."""
        needed = sorted({hole for tree in _trees(plan) for hole in _holes(tree)})
        colon = ": " if '": ' in text else ":"
        pattern = ""
        for at, values in enumerate(zip(*plan.samples, strict=True)):
            chosen = like(values)
            pattern += re.escape(key[at] + colon) + (f"({chosen})" if at in needed else chosen)
        plan.samples.clear()
        group_of = {hole: group for group, hole in enumerate(needed)}
        cells = [
            None if cell is None else replace(cell, value=_renumbered(cell.value, group_of))
            for cell in plan.cells
        ]
        matched = _plan(_renumbered(plan.event, group_of), cells)
        if self._made >= _MOST_PATTERNS:
            self._patterns.clear()
            self._made = 0
        kept = self._patterns.setdefault(text.count('":'), [])
        if len(kept) < _MOST_TRIED:
            kept.append((re.compile(pattern + re.escape(key[-1])).fullmatch, matched))
            self._made += 1


def _trees(plan: _Plan) -> list[Tree]:
    return [plan.event, *(cell.value for cell in plan.cells if cell is not None)]


def _holes(tree: Tree) -> list[int]:
    if isinstance(tree, Hole):
        return [tree]
    if isinstance(tree, Object):
        return [hole for _, value in tree for hole in _holes(value)]
    return [hole for item in tree for hole in _holes(item)] if isinstance(tree, list) else []


def _renumbered(tree: Tree, group_of: dict[int, int]) -> Tree:
    if isinstance(tree, Hole):
        return Hole(group_of[tree])
    if isinstance(tree, Object):
        return Object((key, _renumbered(value, group_of)) for key, value in tree)
    return [_renumbered(item, group_of) for item in tree] if isinstance(tree, list) else tree
