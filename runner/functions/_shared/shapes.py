"""Plans for shapes of JSON: made once for a shape, used for each text of it.

In: a maker of plans, texts.  Out: the plan of a text's shape and the values in its holes.  A shape
that comes often gets a pattern that takes out just the values that its plan needs, of many texts at
once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING or __package__:
    from .often import Often, is_plain
    from .skeleton import Hole, NotJsonError, Object, cut, like
else:
    from often import Often, is_plain
    from skeleton import Hole, NotJsonError, Object, cut, like

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .often import Taken
    from .skeleton import Tree

_MOST_SHAPES = 4096
_LARGE_SHAPE = 64 << 10
_SAMPLED, _SAMPLES = 2, 25
"""Every second use is a sample; with so many of them, a shape gets a pattern of its own."""


class Plan(Protocol):
    """What is done with a shape's values."""

    def holes(self) -> set[int]:
        """Give the holes whose values it needs."""

    def exactly(self, hole: int, values: Sequence[str], *, plain: bool) -> str:
        """Give a pattern of one group for a value like these; empty if it wants any value."""

    def renumbered(self, numbers: Mapping[int, int]) -> Plan:
        """Give the plan for what its patterns take, by other numbers of its holes."""


P = TypeVar("P", bound=Plan)


class _Known(Generic[P]):
    """A plan, how often it was used, and values of some uses, of plain texts and of others."""

    def __init__(self, plan: P) -> None:
        self.plan = plan
        self.uses = 0
        self.samples: tuple[list[list[str]], list[list[str]]] = ([], [])


class Shapes(Generic[P]):
    """Finds plans for texts."""

    def __init__(self, make: Callable[[Sequence[str]], P]) -> None:
        """Take what makes a plan of what stands between values; it may raise NotJsonError."""
        self._make = make
        self._known: dict[tuple[str, ...], _Known[P]] = {}
        self._often = Often[P](b"{")  # an attribute is an object

    def take(self, texts: Sequence[bytes]) -> tuple[list[Taken[P]], Sequence[int]]:
        """Give the texts whose shapes come often, and the places of the others."""
        return self._often.take(texts)

    def find(self, text: str) -> tuple[P, Sequence[str]]:
        """Give a text's plan and values; NotJsonError if it is no JSON."""
        parts = cut(text)
        key, values = tuple(parts[::2]), parts[1::2]
        known = self._known.get(key)
        if known is None:
            try:
                known = self._learn(key)
            except NotJsonError:
                return self._make((text,)), ()
        known.uses += 1
        if not known.uses % _SAMPLED and values:
            plain = is_plain(text.encode())
            samples = known.samples[plain]
            samples.append(values)
            if len(samples) == _SAMPLES:
                self._add(key, known, text, plain=plain)
                samples.clear()
        return known.plan, values

    def _learn(self, key: tuple[str, ...]) -> _Known[P]:
        known = _Known(self._make(key))
        if sum(map(len, key)) < _LARGE_SHAPE:
            if len(self._known) >= _MOST_SHAPES:
                self._known.clear()
            self._known[key] = known
        return known

    def _add(self, key: Sequence[str], known: _Known[P], text: str, *, plain: bool) -> None:
        """Make a pattern for texts like this one, which has this shape."""
        needed = known.plan.holes()
        colon, pattern = ": " if '": ' in text else ":", ""
        for at, values in enumerate(zip(*known.samples[plain], strict=True)):
            chosen = like(values, plain=plain)
            if at in needed:
                chosen = known.plan.exactly(at, values, plain=plain) or f"({chosen})"
            pattern += re.escape(key[at] + colon) + chosen
        numbers = {hole: number for number, hole in enumerate(sorted(needed))}
        plan = known.plan.renumbered(numbers)
        self._often.add(text, pattern + re.escape(key[-1]), plan)  # type: ignore[arg-type]  # a P makes a P


def holes_of(tree: Tree) -> set[int]:
    """Give the holes of a tree."""
    if isinstance(tree, Hole):
        return {tree}
    inner = [value for _, value in tree] if isinstance(tree, Object) else tree
    return set().union(*map(holes_of, inner)) if isinstance(inner, list) else set()


def renumbered(tree: Tree, numbers: Mapping[int, int]) -> Tree:
    """Give the tree with other numbers of its holes."""
    if isinstance(tree, Hole):
        return Hole(numbers[tree])
    if isinstance(tree, Object):
        return Object((key, renumbered(value, numbers)) for key, value in tree)
    return [renumbered(item, numbers) for item in tree] if isinstance(tree, list) else tree
