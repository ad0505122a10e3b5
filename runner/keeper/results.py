"""Results of the test query: rows per partition, and what the tests counted (SEMANTICS 4, 13).

The test query gives one row per partition: its partition columns, then `rows`, then one count of
offending rows for each test, in the order of the spec.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .faults import EmptyTable, RowsOutsideWindow, TestsFailed
from .spec import is_allowed

if TYPE_CHECKING:
    from .spec import Spec

_SHOWN = 5


@dataclass(frozen=True)
class PartitionRows:
    """Rows of one partition, and the offending rows of each test."""

    values: tuple[str | None, ...]
    rows: int
    offending: tuple[int, ...]


def parse_csv(data: bytes, partitions: int) -> list[PartitionRows]:
    """Read Athena's result CSV (a header line; every value quoted; NULL is an empty field)."""
    text = io.StringIO(data.decode(), newline="")
    lines = list(csv.reader(text))[1:]
    return [
        PartitionRows(
            tuple(value or None for value in line[:partitions]),
            int(line[partitions]),
            tuple(int(value or 0) for value in line[partitions + 1 :]),
        )
        for line in lines
        if line
    ]


def rows_by_period(spec: Spec, found: list[PartitionRows], start: str, end: str) -> dict[str, int]:
    """Count rows per period; RowsOutsideWindow for rows that the window does not own."""
    owned = spec.time_values(start, end)
    counts = dict.fromkeys(owned.values(), 0)
    outside: list[str] = []
    for part in found:
        period = owned.get(part.values[: len(spec.time)])  # type: ignore[arg-type] # None: no key
        others = zip(spec.other_columns(), part.values[len(spec.time) :], strict=True)
        if period is None or not all(is_allowed(v, spec.allowed.get(c)) for c, v in others):
            names = zip(spec.partitions, part.values, strict=True)
            label = ", ".join(f"{c}={'NULL' if v is None else v}" for c, v in names)
            outside.append(f"{label} ({part.rows} rows)")
        else:
            counts[period] += part.rows
    if outside:
        more = f" and {len(outside) - _SHOWN} more" if len(outside) > _SHOWN else ""
        raise RowsOutsideWindow(
            f"{spec.name}: the query gave rows that {start}..{end} does not own: "
            f"{'; '.join(outside[:_SHOWN])}{more}. Nothing was published. "
            f"Filter the input by the window, or correct the partition columns"
        )
    return counts


def judge(spec: Spec, found: list[PartitionRows], counts: dict[str, int]) -> list[dict[str, Any]]:
    """Evaluate the tests; TestsFailed if one of severity error fails, else every test's result."""
    results = []
    column = 0
    for test in spec.tests:
        kind = test["test"]
        if kind in ("min_rows", "max_rows"):
            bad = [
                period
                for period, rows in counts.items()
                if (rows < test["value"] if kind == "min_rows" else rows > test["value"])
            ]
            offending, where = len(bad), bad
        else:
            hit = [part for part in found if part.offending[column]]
            offending = sum(part.offending[column] for part in hit)
            where = ["/".join(value or "NULL" for value in part.values) for part in hit]
            column += 1
        results.append(
            {
                "test": test["name"],
                "severity": test["severity"],
                "offending": offending,
                "where": where[:_SHOWN],
            }
        )
    failed = [r for r in results if r["offending"] and r["severity"] == "error"]
    if failed:
        lines = "; ".join(
            f"{r['test']}: {r['offending']} offending"
            + (f" in {', '.join(r['where'])}" if any(r["where"]) else "")
            for r in failed
        )
        raise TestsFailed(f"{spec.name}: {lines}. Nothing was published")
    return results


def refuse_empty(spec: Spec, rows: int) -> None:
    """Keep a whole table from being replaced by nothing (SEMANTICS 12)."""
    if rows == 0 and not spec.allow_empty:
        raise EmptyTable(
            f"{spec.name}: the query gave no rows; the published table stays. "
            f"Say `allow_empty: true` in the header if that may be"
        )
