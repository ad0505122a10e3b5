"""Records of a DynamoDB stream to rows of CSV.

In: JSON text of records as DynamoDB sends them to Kinesis and Firehose.  Out: lines of CSV.  What a
shape of records has of the columns is found out once.  Of shapes that come often many records are
written at once, a column after the other: their patterns take only values that are fields as they
stand, but for texts with escapes and for what is no scalar.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from .columns import Cell, Column, cell_of, field_of, times_of, unescaped
    from .plan import RowPlan
    from .shapes import Shapes, holes_of
    from .skeleton import Hole, NotJsonError, Object, read
    from .typed import NotARecordError, token_of
else:
    from columns import Cell, Column, cell_of, field_of, times_of, unescaped
    from plan import RowPlan
    from shapes import Shapes, holes_of
    from skeleton import Hole, NotJsonError, Object, read
    from typed import NotARecordError, token_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .often import Taken

IMAGES = {"new": "NewImage", "old": "OldImage"}
_EVENTS = ("INSERT", "MODIFY", "REMOVE")
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """What becomes a row."""

    columns: tuple[Column, ...]
    events: frozenset[str]
    image: str = "NewImage"
    """Image that is read; the keys if a record lacks it."""
    spaced: bool = False
    """Whether ends of lines in texts are written as spaces."""


class Rows:
    """Writes rows by one choice, and remembers shapes."""

    def __init__(self, choice: Choice) -> None:
        """Begin without shapes."""
        self._choice = choice
        self._shapes = Shapes(self._plan)

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

    def rows_of_all(self, texts: Sequence[bytes]) -> list[bytes | None]:
        """Give the lines of each text, UTF-8 without blanks around it; None for no record."""
        found: list[bytes | None] = [None] * len(texts)
        left: Sequence[int] = range(len(texts))
        while left:
            often, rest = self._shapes.take([texts[at] for at in left])
            for taken in often:
                for at, row in zip(taken.places, self._rows_of(taken), strict=True):
                    found[left[at]] = row
            left = [left[at] for at in rest]
            for at in left[:_CHUNK]:  # what these teach is known to those behind them
                with suppress(NotARecordError, RecursionError):  # None says so
                    found[at] = self.rows(texts[at].decode()).encode()
            left = left[_CHUNK:]
        return found

    def _row(self, text: str) -> str:
        try:
            plan, values = self._shapes.find(text)
        except NotJsonError as error:
            raise NotARecordError(str(error)) from error
        if not self._is_chosen(token_of(plan.event, values)):
            return ""
        return ",".join(plan.fields(values, spaced=self._choice.spaced)) + "\n"

    def _is_chosen(self, event: str) -> bool:
        name = event[1:-1]
        if name in self._choice.events:
            return True
        if name in _EVENTS:
            return False
        raise NotARecordError(f"{name} is no event of DynamoDB")

    def _rows_of(self, taken: Taken[RowPlan]) -> list[bytes | None]:
        """Write records of one shape."""
        plan, columns, count = taken.plan, taken.columns, len(taken.places)
        if plan.exact:
            rows = self._together(plan, columns, count)
        else:
            rows = [self._one(plan, row) for row in taken.rows()]
        if isinstance(plan.event, Hole):
            events = columns[plan.event]
        else:
            events = [token_of(plan.event, ()).encode()] * count
        fates = {event: self._fate(event.decode()) for event in {*events}}
        if all(fates.values()):
            return rows
        return [
            row if fates[event] else fates[event] for event, row in zip(events, rows, strict=True)
        ]

    def _together(
        self, plan: RowPlan, columns: Sequence[Sequence[bytes]], count: int
    ) -> list[bytes | None]:
        """Write records whose values are fields as they stand, for the most part."""
        spaced = self._choice.spaced
        fields: list[Sequence[bytes]] = [[b""] * count] * len(plan.cells)
        for place, at in (*plan.texts, *plan.numbers, *plan.words):
            fields[place] = columns[at]
        for place, at in plan.texts:
            if b"\\" in b"".join(columns[at]):
                fields[place] = [
                    unescaped(value.decode(), spaced=spaced).encode() if b"\\" in value else value
                    for value in columns[at]
                ]
        odd: set[int] = set()
        for place, cell in plan.others:
            fields[place] = self._others(cell, columns, count, odd)
        rows = [b",".join(row) + b"\n" for row in zip(*fields, strict=True)]
        return [None if at in odd else row for at, row in enumerate(rows)] if odd else [*rows]

    def _others(
        self, cell: Cell, columns: Sequence[Sequence[bytes]], count: int, odd: set[int]
    ) -> list[bytes]:
        """Write a cell of each record; those that cannot be are told in `odd`."""
        times = (
            times_of(columns[cell.value])
            if cell.kind == "time" and isinstance(cell.value, Hole)
            else None
        )
        if times is not None:
            return times
        holes = sorted(holes_of(cell.value))
        found: list[bytes] = []
        values = [""] * len(columns)
        for at in range(count):
            for hole in holes:
                values[hole] = columns[hole][at].decode()
            try:
                found.append(field_of(cell, values, spaced=self._choice.spaced).encode())
            except (NotARecordError, RecursionError):
                odd.add(at)
                found.append(b"")
        return found

    def _one(self, plan: RowPlan, row: Sequence[bytes]) -> bytes | None:
        values = [value.decode() for value in row]
        try:
            return (",".join(plan.fields(values, spaced=self._choice.spaced)) + "\n").encode()
        except (NotARecordError, RecursionError):
            return None

    def _fate(self, event: str) -> bytes | None:
        """Give a row for an event that is chosen, nothing for another, None for what is none."""
        try:
            return b"row" if self._is_chosen(event) else b""
        except NotARecordError:
            return None

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
