"""Where the two engines differ and why: by nature for good, or not yet mended.

`OPEN` may only shrink.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.judge.both import Word

if TYPE_CHECKING:
    from tests.judge.both import Verdict

_BY_NATURE: tuple[tuple[Word, str, str, str], ...] = (
    (
        Word.TRINO_FAILED,
        r"^typeof\(",
        "NUMERIC_VALUE_OUT_OF_RANGE",
        "Trino computes the value whose type is asked",
    ),
    (
        Word.TRINO_FAILED,
        r"ARRAY\[(NULL, )*NULL\]",
        "AMBIGUOUS_FUNCTION_CALL",
        "an array of NULLs could be one of arrays; nothing else comes of taking it for elements",
    ),
    (
        Word.ROWS,
        r"inverse_beta_cdf\(",
        "",
        "Trino's solver stops after nine digits",
    ),
    (
        Word.TYPES,
        r"\bARRAY\[NULL(, NULL)*\]",
        "",
        "the type of an array of NULLs, which Athena shows as an array only",
    ),
    (
        Word.ROWS,
        r"^typeof\((m|r)\)",
        "varchar(",
        "Hive's tables keep the length of a map's or row's text",
    ),
)
"""Differences that are none of the engine's: how it goes, the query, Trino's side, the reason."""

OPEN: dict[str, str] = {}
"""Pieces of a query, or of our answer, for what is not yet mended, with the reason."""


def reason_for(verdict: Verdict) -> str | None:
    """Say why a difference is none of the engine's; None if nothing is known."""
    for word, query, theirs, reason in _BY_NATURE:
        if verdict.word is word and re.search(query, verdict.case.sql) and theirs in verdict.trino:
            return reason
    return None
