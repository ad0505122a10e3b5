"""Small pure steps from Athena's semantics to DuckDB's, in order; each takes and gives a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.passes import (
    aggregates,
    aliases,
    arrays,
    casts,
    collections,
    comparisons,
    counts,
    division,
    json,
    maps,
    maths,
    numbers,
    offsets,
    queries,
    quotes,
    rows,
    sequences,
    temporal,
    texts,
    tries,
    typeofs,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlglot import exp

PASSES: tuple[Callable[[exp.Query], exp.Query], ...] = (
    aliases.apply,
    queries.apply,
    offsets.apply,
    quotes.apply,
    typeofs.apply,
    texts.apply,
    tries.apply,
    temporal.apply,
    sequences.apply,
    counts.apply,
    numbers.apply,
    division.apply,
    maths.apply,
    json.apply,
    casts.apply,
    rows.apply,
    comparisons.apply,
    maps.apply,
    arrays.apply,
    collections.apply,
    aggregates.apply,
)
