"""What tells expected rows from those that came: pairs that differ, missing, unexpected."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from runner.app.row_difference import difference
from runner.app.unit_values import same

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.app.row_difference import Values

AA, UA, B6 = ("AA", 3, 1.5), ("UA", 2, 7.25), ("B6", 9, 0.0)


def compared(
    expected: Sequence[Values],
    actual: Sequence[Values],
    *,
    ordered: bool = False,
    tolerance: float = 1e-9,
) -> tuple[list[tuple[int, tuple[str, ...]]], int, int] | None:
    found = difference(
        ("carrier", "flights", "delay"), expected, actual, ordered=ordered, tolerance=tolerance
    )
    if found is None:
        return None
    pairs = [(row.row, row.columns) for row in found.different]
    return pairs, len(found.missing), len(found.unexpected)


def test_the_same_rows_in_any_order_are_no_difference() -> None:
    assert compared([AA, UA, B6], [B6, AA, UA]) is None
    assert compared([], []) is None


def test_rows_count_as_often_as_they_come() -> None:
    assert compared([AA, AA], [AA]) == ([], 1, 0)
    assert compared([AA], [AA, AA, AA]) == ([], 0, 2)


def test_a_row_is_paired_with_the_one_that_it_agrees_with_most() -> None:
    changed = [("AA", 4, 1.5), ("UA", 2, 7.0)]
    assert compared([AA, UA], changed) == ([(1, ("flights",)), (2, ("delay",))], 0, 0)
    assert compared([UA, AA], changed) == ([(1, ("delay",)), (2, ("flights",))], 0, 0)


def test_rows_that_agree_in_nothing_are_missing_and_unexpected() -> None:
    assert compared([AA, UA], [("DL", 5, 3.0), ("WN", 6, 4.0)]) == ([], 2, 2)


def test_the_only_two_rows_that_are_left_are_a_pair() -> None:
    both = [(1, ("carrier", "flights", "delay"))]
    assert compared([AA, UA], [UA, ("DL", 5, 3.0)]) == (both, 0, 0)


def test_null_in_both_makes_no_pair_likelier() -> None:
    assert compared([("AA", None, 1.0), ("BB", None, 2.0)], [("CC", None, 3.0)]) == ([], 2, 1)


def test_order_is_compared_place_by_place() -> None:
    every = ("carrier", "flights", "delay")
    found = compared([AA, UA], [UA, AA], ordered=True)
    assert found == ([(1, every), (2, every)], 0, 0)
    assert compared([AA, UA], [AA], ordered=True) == ([], 1, 0)
    assert compared([AA], [AA, UA], ordered=True) == ([], 0, 1)
    assert compared([AA, UA], [AA, UA], ordered=True) is None


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (0.1 + 0.2, 0.3, True),
        (0.3, 0.3001, False),
        (1e12, 1e12 + 1, True),
        (0.0, 1e-10, True),
        (float("nan"), float("nan"), True),
        (float("nan"), 0.0, False),
        (float("inf"), float("inf"), True),
        (None, 0.0, False),
        (None, None, True),
        (Decimal("0.30"), Decimal("0.3"), True),
        ([0.1 + 0.2, None], [0.3, None], True),
        ([1.0], [1.0, 2.0], False),
        ({"a": 0.1 + 0.2}, {"a": 0.3}, True),
        ({"a": 1}, {"b": 1}, False),
        (date(2013, 1, 5), date(2013, 1, 5), True),
        (datetime(2013, 1, 5, 7), datetime(2013, 1, 5, 8), False),
        ("1", 1, False),
    ],
)
def test_values_are_the_same(one: object, other: object, *, equal: bool) -> None:
    assert same(one, other, tolerance=1e-9) is equal
    assert same(other, one, tolerance=1e-9) is equal


def test_the_tolerance_can_be_set() -> None:
    assert compared([AA], [("AA", 3, 1.51)], tolerance=0.01) is None
    assert compared([AA], [("AA", 3, 1.52)], tolerance=0.01) == ([(1, ("delay",))], 0, 0)
