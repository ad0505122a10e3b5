"""A sample of the fault matrix: all verbs and all faults with each kind of table.

The whole of it is `scripts/fault_matrix --all`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.matrix.combinations import FAULTS, NEVER, combinations, sample, unreached
from tests.matrix.play import play_one
from tests.matrix.report import report

if TYPE_CHECKING:
    from tests.matrix.scenes import Scenes

pytestmark = pytest.mark.no_cover  # measuring doubles its time, and others reach the same lines

PARTS = 8
KINDS = {"ctas", "insert", "view", "ddl", "load", "run"}
LEAST = 3000


def test_every_state_of_the_definition_is_struck(scenes: Scenes) -> None:
    every = list(combinations(scenes))
    assert unreached(scenes) == ()
    assert {one.state.kind for one in every} >= KINDS
    assert {one.fault.name for one in every} == {fault.name for fault in FAULTS}
    assert len(every) > LEAST
    struck = {one.state.name for one in every}
    assert {state.verb for state in scenes.states if state.name not in struck} <= set(NEVER)
    assert len({one.name for one in every}) == len(every)


@pytest.mark.parametrize("part", range(PARTS))
def test_no_fault_doubles_or_loses_a_row(scenes: Scenes, part: int) -> None:
    chosen = sample(combinations(scenes), 0)[part::PARTS]
    played = [play_one(scenes, one) for one in chosen]
    wrong = [(one.combination.name, one.wrong) for one in played if one.wrong or not one.struck]
    assert wrong == []


def test_a_report_says_how_to_repeat_what_is_wrong(scenes: Scenes) -> None:
    one = next(one for one in combinations(scenes) if one.fault.name == "throttle")
    right = play_one(scenes, one)
    broken = type(right)(one, right.struck, (0,), ("staging.orders: 3 rows lost",), 0.1)
    text = report([right, broken], listed=9, unreached=(), seconds=1.0, jobs=1)
    assert "2 of 9 combinations, 1 wrong, 0 not struck; 1 s with 1 job" in text
    assert f"`scripts/fault_matrix --name '{one.name}'`" in text
    assert text.index("3 rows lost") < text.index("| throttle |")
