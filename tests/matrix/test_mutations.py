"""The fault matrix can fail: with a broken part of the product it finds something wrong.

Each mutation breaks one part in every child of a few combinations.  At least one of them must come
out wrong, and none of them may when nothing is broken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.matrix.combinations import find
from tests.matrix.mutations import MUTATIONS, Mutation, nothing
from tests.matrix.play import play_one

if TYPE_CHECKING:
    from tests.matrix.scenes import Scenes


pytestmark = pytest.mark.no_cover  # measuring doubles its time, and others reach the same lines


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.breaks.__name__)
def test_the_matrix_finds_what_is_broken(scenes: Scenes, mutation: Mutation) -> None:
    struck = find(scenes, mutation.slice)
    played = [play_one(scenes, one, broken=mutation.apply) for one in struck]
    found = [line for one in played for line in one.wrong]
    assert any(re.search(mutation.finds, line) for line in found), (mutation.breaks.__doc__, found)


def test_the_same_combinations_are_right_when_nothing_is_broken(scenes: Scenes) -> None:
    names = tuple(dict.fromkeys(name for one in MUTATIONS for name in one.slice))
    control = Mutation(nothing, names, "", recompiled=True)
    for one in find(scenes, names):
        assert play_one(scenes, one, broken=control.apply).wrong == (), one.name
