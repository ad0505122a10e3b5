"""Small pure steps from Athena's semantics to DuckDB's, in order; each takes and gives a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.passes import casts, counts, dates, division, regexps, tries

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlglot import exp

PASSES: tuple[Callable[[exp.Query], exp.Query], ...] = (
    tries.apply,
    counts.apply,
    division.apply,
    dates.apply,
    casts.apply,
    regexps.apply,
)
