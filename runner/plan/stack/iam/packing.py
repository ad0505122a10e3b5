"""Statements into policies that IAM takes: one in the role, then managed ones, then broader ones.

IAM counts the characters of a policy without white space: 10,240 for all policies inside a role,
6,144 for a managed policy, of which a role may have ten.  What does not fit into these with exact
resources is written with broader ones: a database's prefix for its tables' prefixes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.plan.stack.iam.statements import document, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.model.ports import Json
    from runner.plan.stack.iam.statements import Statement

MOST_INLINE = 10_240
MOST_MANAGED = 6_144
MANAGED_PER_ROLE = 10
_RESERVE = 100
"""Characters that no policy of ours uses, for what IAM may count otherwise."""


@dataclass(frozen=True, slots=True)
class Policies:
    """Documents: the one inside the role, then the managed ones."""

    inline: dict[str, Json] | None
    managed: tuple[dict[str, Json], ...] = ()
    broad: bool = False
    """Whether resources were widened to fit."""


def packed(statements: Sequence[Statement], *, broad: bool = False) -> Policies:
    """Lay statements out over policies, as exactly as they fit unless `broad` ones are wanted."""
    exact = _laid_out(statements, broad=broad)
    if broad or len(exact.managed) <= MANAGED_PER_ROLE:
        return exact
    return _laid_out(statements, broad=True)


def size(policy: Json) -> int:
    """Count a policy's characters as IAM does.

    >>> size({"Version": "2012-10-17", "Statement": []})
    39
    """
    return len(_compact(policy))


_compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


@dataclass(slots=True)
class _Page:
    """A document as it fills."""

    room: int
    statements: list[Json] = field(default_factory=list)

    def add(self, one: Json, cost: int) -> None:
        self.statements.append(one)
        self.room -= cost


def _laid_out(statements: Sequence[Statement], *, broad: bool) -> Policies:
    empty = size(document(()))
    pages = [_Page(MOST_INLINE - _RESERVE - empty)]
    for statement in statements:
        rest = _items(statement, broad=broad)
        while rest:
            taken = _fitting(statement, rest, pages[-1].room, broad=broad)
            if not taken:
                pages.append(_Page(MOST_MANAGED - _RESERVE - empty))
                # A single item that is larger than a policy is told by `limits`.
                taken = _fitting(statement, rest, pages[-1].room, broad=broad) or rest[:1]
            one = _with(statement, taken, broad=broad)
            pages[-1].add(one, size(one) + 1)
            rest = rest[len(taken) :]
    documents = [document(page.statements) for page in pages]
    if not pages[0].statements:
        return Policies(None, tuple(documents[1:]), broad)
    return Policies(documents[0], tuple(documents[1:]), broad)


def _items(statement: Statement, *, broad: bool) -> list[str]:
    """Give what a statement may be split along: its prefixes if it has some, else resources."""
    spots = statement.prefixes or statement.on
    return sorted({spot.text(broad=broad) for spot in spots})


def _with(statement: Statement, items: Sequence[str], *, broad: bool) -> dict[str, Json]:
    if statement.prefixes:
        resources = sorted({spot.text(broad=broad) for spot in statement.on})
        return written(statement, resources=resources, prefixes=items)
    return written(statement, resources=items)


def _fitting(statement: Statement, items: list[str], room: int, *, broad: bool) -> list[str]:
    """Give as many of the first items as fit."""
    left = room - size(_with(statement, items[:1], broad=broad)) - 1
    if left < 0:
        return []
    count = 1
    for item in items[1:]:
        left -= size(item) + 1
        if left < 0:
            break
        count += 1
    return items[:count]
