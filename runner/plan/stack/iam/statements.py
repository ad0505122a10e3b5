"""One permission: actions on resources, each with the broader one that may stand for it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from runner.model.ports import Json

VERSION = "2012-10-17"


class Spot(NamedTuple):
    """A resource (or prefix of keys), exact, and what covers it where exact ones do not fit."""

    exact: str
    broad: str = ""
    """Empty where there is nothing broader that would do."""

    def text(self, *, broad: bool) -> str:
        """Give the one or the other."""
        return self.broad or self.exact if broad else self.exact


@dataclass(frozen=True, slots=True)
class Condition:
    """When a statement holds."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """What is allowed."""

    sid: str
    actions: tuple[str, ...]
    on: tuple[Spot, ...]
    where: tuple[Condition, ...] = ()
    prefixes: tuple[Spot, ...] = ()
    """Values of `s3:prefix`, one of which a listing must ask for; empty for any.

    They count where a request has a prefix.  By the right to list S3 also tells what is not there
    (404) from what is forbidden (403), and a look at one key has no prefix: Athena looks whether
    the target of a CTAS is there, and a 403 ends the statement.
    """


def allow(
    sid: str, actions: Iterable[str], on: Iterable[str | Spot], *where: Condition
) -> Statement:
    """Make a statement; what is given twice counts once."""
    spots = {spot if isinstance(spot, Spot) else Spot(spot) for spot in on}
    return Statement(sid, tuple(sorted(set(actions))), tuple(sorted(spots)), where)


def grouped(sid: str, needs: Iterable[tuple[Iterable[str], Iterable[Spot]]]) -> Iterator[Statement]:
    """Make statements of what is needed where, each resource in one statement only."""
    allowed: dict[Spot, set[str]] = defaultdict(set)
    for actions, spots in needs:
        for spot in spots:
            allowed[spot].update(actions)
    shared: dict[tuple[str, ...], list[Spot]] = defaultdict(list)
    for spot, found in allowed.items():
        shared[tuple(sorted(found))].append(spot)
    for number, (actions, spots) in enumerate(sorted(shared.items()), start=1):
        yield Statement(f"{sid}{number}", actions, tuple(sorted(spots)))


def written(
    statement: Statement, *, resources: Sequence[str], prefixes: Sequence[str] = ()
) -> dict[str, Json]:
    """Write a statement as IAM reads it, on these resources and prefixes."""
    result: dict[str, Json] = {
        "Sid": statement.sid,
        "Effect": "Allow",
        "Action": list(statement.actions),
        "Resource": list(resources),
    }
    conditions: dict[str, Json] = {}
    for one in statement.where:
        values: Json = list(one.values) if len(one.values) > 1 else one.values[0]
        conditions.setdefault(one.operator, {})[one.key] = values
    if prefixes:
        conditions.setdefault("StringLikeIfExists", {})["s3:prefix"] = list(prefixes)
    if conditions:
        result["Condition"] = conditions
    return result


def document(statements: Sequence[Json]) -> dict[str, Json]:
    """Make a policy's document."""
    return {"Version": VERSION, "Statement": list(statements)}
