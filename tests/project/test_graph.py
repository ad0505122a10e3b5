from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.project.graph import cycles, in_order


@pytest.mark.parametrize(
    ("needs", "found"),
    [
        ({"a": [], "b": ["a"]}, ()),
        ({"a": ["b"], "b": ["a"]}, (("a", "b"),)),
        ({"a": ["a"]}, (("a",),)),
        ({"a": ["b"], "b": ["c"], "c": ["a", "b"]}, (("a", "b", "c"),)),
        ({"a": ["b"], "b": ["a"], "c": ["d"], "d": ["c"]}, (("a", "b"), ("c", "d"))),
        ({"reader": ["a"], "a": ["b"], "b": ["a"]}, (("a", "b"),)),
        ({"a": ["outside"]}, ()),
    ],
)
def test_cycles(needs: dict[str, list[str]], found: tuple[tuple[str, ...], ...]) -> None:
    assert cycles(needs) == found


@given(st.dictionaries(st.integers(0, 20), st.lists(st.integers(0, 20), max_size=4), max_size=15))
def test_order_puts_needs_first_unless_there_is_a_cycle(needs: dict[int, list[int]]) -> None:
    order = in_order(needs)
    assert sorted(order) == sorted(needs)
    if not cycles(needs):
        for index, name in enumerate(order):
            assert all(need in order[:index] for need in needs[name] if need in needs)
