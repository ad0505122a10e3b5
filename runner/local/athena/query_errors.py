"""DuckDB's words for queries that cannot be, in Athena's words."""

from __future__ import annotations

import re

from runner.local.athena.errors import AthenaFailure

_WORDS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (
        re.compile(r'column "([^"]+)" must appear in the GROUP BY clause', re.IGNORECASE),
        "EXPRESSION_NOT_AGGREGATE",
        r"'\1' must be an aggregate expression or appear in GROUP BY clause",
    ),
    (
        re.compile(r"More than one row returned by a subquery used as an expression"),
        "SUBQUERY_MULTIPLE_ROWS",
        "Scalar sub-query has returned multiple rows",
    ),
    (
        re.compile(r"(WHERE|GROUP BY) clause cannot contain (?:aggregates|window functions)"),
        "EXPRESSION_NOT_SCALAR",
        r"\1 clause cannot contain aggregations, window functions or grouping operations",
    ),
    (
        re.compile(r"aggregate function calls cannot be nested"),
        "NESTED_AGGREGATION",
        "Cannot nest aggregations inside aggregation",
    ),
    (
        re.compile(r"aggregate function calls cannot contain window function calls"),
        "NESTED_WINDOW",
        "Cannot nest window functions inside aggregation",
    ),
    (
        re.compile(r"window function calls cannot be nested"),
        "NESTED_WINDOW",
        "Cannot nest window functions or row pattern measures inside window specification",
    ),
    (
        re.compile(r"(?:ORDER|GROUP BY) term out of range"),
        "INVALID_COLUMN_REFERENCE",
        "",
    ),
    (
        re.compile(r"VALUES lists must all be the same length"),
        "TYPE_MISMATCH",
        "Values rows have mismatched sizes",
    ),
)


def query_failure(text: str) -> AthenaFailure | None:
    """Word a failure as Athena does; None if the text tells of something else."""
    for pattern, code, words in _WORDS:
        if match := pattern.search(text):
            return AthenaFailure(code, match.expand(words) if words else _out_of_range(text))
    return None


def _out_of_range(text: str) -> str:
    clause = "ORDER BY" if "ORDER term" in text else "GROUP BY"
    return f"{clause} position is not in select list"
