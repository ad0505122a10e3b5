"""Small pure steps from Athena's semantics to DuckDB's, in order; each takes and gives a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.passes import (
    aliases,
    casts,
    collections,
    counts,
    dates,
    division,
    extracts,
    json,
    quotes,
    texts,
    timestamps,
    tries,
    typeofs,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlglot import exp

PASSES: tuple[Callable[[exp.Query], exp.Query], ...] = (
    aliases.apply,
    quotes.apply,
    typeofs.apply,
    texts.apply,
    tries.apply,
    timestamps.apply,
    extracts.apply,
    counts.apply,
    division.apply,
    dates.apply,
    json.apply,
    casts.apply,
    collections.apply,
)
