"""Small pure steps from Athena's semantics to DuckDB's, in order; each takes and gives a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.passes import (
    aggregates,
    aliases,
    casts,
    collections,
    counts,
    dates,
    division,
    extracts,
    json,
    maths,
    numbers,
    openings,
    queries,
    regexps,
    timestamps,
    tries,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlglot import exp

PASSES: tuple[Callable[[exp.Query], exp.Query], ...] = (
    openings.apply,
    aliases.apply,
    queries.apply,
    tries.apply,
    timestamps.apply,
    extracts.apply,
    counts.apply,
    numbers.apply,
    division.apply,
    maths.apply,
    dates.apply,
    json.apply,
    casts.apply,
    regexps.apply,
    collections.apply,
    aggregates.apply,
)
