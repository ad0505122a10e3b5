"""Queries from a seed: the same seed gives the same queries, on every machine.

In: a seed and a number.  Out: that many cases, one half expressions over the table `vals`, the
other whole queries over `people` and `orders`.
"""

from __future__ import annotations

import random
import re
from itertools import cycle, islice
from typing import TYPE_CHECKING

from tests.judge.both import Case
from tests.judge.expressions import FILLERS, PATTERNS
from tests.judge.queries import HOLES, QUERIES

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOLE = re.compile(r"\{(\w+)\}")
_ALL = {**FILLERS, **HOLES}
_SOURCE = "FROM vals ORDER BY id"


def generate(seed: int, count: int) -> list[Case]:
    """Draw cases without repeats."""
    chance = random.Random(seed)  # noqa: S311 - no secrets here
    wanted = count // 2
    found = list(islice(_expressions(chance), wanted))
    found += islice(_queries(chance), count - wanted)
    return list(dict.fromkeys(found))


def _expressions(chance: random.Random) -> Iterator[Case]:
    """Give expressions without end: each family in turn, its patterns in a shuffled order."""
    decks = {family: _shuffled(patterns, chance) for family, patterns in PATTERNS.items()}
    for family in cycle(PATTERNS):
        pattern = next(decks[family])
        sql = _fill(pattern, chance)
        # An aggregate over UNNEST brings its own FROM.
        yield Case(family, f"SELECT {sql}") if " FROM UNNEST" in sql else Case(family, sql, _SOURCE)


def _queries(chance: random.Random) -> Iterator[Case]:
    decks = {family: _shuffled(patterns, chance) for family, patterns in QUERIES.items()}
    for family in cycle(QUERIES):
        sql = _fill(next(decks[family]), chance)
        yield Case(family, sql, ordered=sql.endswith(" --ordered"))


def _shuffled(patterns: tuple[str, ...], chance: random.Random) -> Iterator[str]:
    while True:
        deck = list(patterns)
        chance.shuffle(deck)
        yield from deck


def _fill(pattern: str, chance: random.Random) -> str:
    """Fill the holes, and those of what filled them."""
    filled, before = pattern.replace("{{", "\x01").replace("}}", "\x02"), ""
    while filled != before:
        before = filled
        filled = _HOLE.sub(lambda hole: chance.choice(_ALL[hole[1]]), filled)
    return filled.replace("\x01", "{").replace("\x02", "}")
