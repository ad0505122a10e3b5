"""The difference between the rows that a test expects and those that a query gives.

In: both, as tuples of values of the same columns.  Out: a `Difference` that names rows that are
missing, rows that nobody expected, and pairs of rows that differ in some cells: of all pairs, those
that agree in most cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.app.unit_values import same, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

Values = tuple[object, ...]
_MOST_PAIRS = 250_000
"""Above so many possible pairs the rows are named without looking for likely pairs."""


@dataclass(frozen=True, slots=True)
class DifferentRow:
    """A row that came out, but not as expected."""

    row: int
    """Number of the expected row, from 1."""
    expected: tuple[str, ...]
    actual: tuple[str, ...]
    columns: tuple[str, ...]
    """Names of the columns that differ."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What tells the rows apart; cells as text."""

    columns: tuple[str, ...]
    different: tuple[DifferentRow, ...]
    missing: tuple[tuple[str, ...], ...]
    unexpected: tuple[tuple[str, ...], ...]


def difference(
    columns: Sequence[str],
    expected: Sequence[Values],
    actual: Sequence[Values],
    *,
    ordered: bool,
    tolerance: float,
) -> Difference | None:
    """Compare rows; None when there is no difference."""
    if ordered:
        pairs = list(zip(range(len(expected)), range(len(actual)), strict=False))
        left, right = list(range(len(expected))), list(range(len(actual)))
        unlike = [(e, a) for e, a in pairs if not same(expected[e], actual[a], tolerance=tolerance)]
        left, right = left[len(pairs) :], right[len(pairs) :]
    else:
        left, right = _unmatched(expected, actual, tolerance=tolerance)
        unlike = _alike(expected, actual, left, right, tolerance=tolerance)
        left = [e for e in left if e not in {e for e, _ in unlike}]
        right = [a for a in right if a not in {a for _, a in unlike}]
    if not (unlike or left or right):
        return None
    return Difference(
        tuple(columns),
        tuple(
            _different(e + 1, columns, expected[e], actual[a], tolerance=tolerance)
            for e, a in unlike
        ),
        tuple(_texts(expected[e]) for e in left),
        tuple(_texts(actual[a]) for a in right),
    )


def _unmatched(
    expected: Sequence[Values], actual: Sequence[Values], *, tolerance: float
) -> tuple[list[int], list[int]]:
    """Take equal rows away, one for one; give the numbers of what is left of both."""
    waiting: dict[Values, list[int]] = {}
    for number, row in enumerate(actual):
        waiting.setdefault(_exact(row), []).append(number)
    left = []
    for number, row in enumerate(expected):
        likely = waiting.get(_exact(row), [])
        found = next((a for a in likely if same(row, actual[a], tolerance=tolerance)), None)
        if found is None:
            left.append(number)
        else:
            likely.remove(found)
    return left, sorted(number for numbers in waiting.values() for number in numbers)


def _exact(row: Values) -> Values:
    """Give the cells that are compared without tolerance; nothing in the places of the others."""
    return tuple(None if isinstance(v, float | list | dict | tuple) else v for v in row)


def _alike(
    expected: Sequence[Values],
    actual: Sequence[Values],
    left: list[int],
    right: list[int],
    *,
    tolerance: float,
) -> list[tuple[int, int]]:
    """Pair the rows that agree in most cells, the likeliest pairs first."""
    if len(left) * len(right) > _MOST_PAIRS:
        return []
    scores = sorted(
        (-_agreeing(expected[e], actual[a], tolerance=tolerance), e, a) for e in left for a in right
    )
    alone = len(left) == len(right) == 1
    pairs: dict[int, int] = {}
    for score, e, a in scores:
        if (score or alone) and e not in pairs and a not in pairs.values():
            pairs[e] = a
    return sorted(pairs.items())


def _agreeing(one: Values, other: Values, *, tolerance: float) -> int:
    pairs = zip(one, other, strict=True)
    return sum(1 for a, b in pairs if a is not None and same(a, b, tolerance=tolerance))


def _different(
    row: int, columns: Sequence[str], expected: Values, actual: Values, *, tolerance: float
) -> DifferentRow:
    cells = zip(columns, expected, actual, strict=True)
    unlike = tuple(name for name, a, b in cells if not same(a, b, tolerance=tolerance))
    return DifferentRow(row, _texts(expected), _texts(actual), unlike)


def _texts(row: Values) -> tuple[str, ...]:
    return tuple(shown(value) for value in row)
