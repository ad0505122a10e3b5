"""Results of the test query: rows per partition, and what the tests counted (SEMANTICS 4, 13).

The test query gives one row per partition: its partition columns, then `rows`, then one cell for
each test but min_rows and max_rows, in the order of the spec: the number of offending rows, or for
`freshness` the newest value as text.  A partition of no staged rows is one that a test's own query
named, such as a day that it misses.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import windows
from .faults import EmptyTable, RowsOutsideWindow, TestsFailed
from .spec import is_allowed

if TYPE_CHECKING:
    from .spec import Spec

_SHOWN = 5
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?)?\Z")


@dataclass(frozen=True)
class PartitionRows:
    """Rows of one partition, and the cell of each test that has one."""

    values: tuple[str | None, ...]
    rows: int
    cells: tuple[str, ...]
    """As the CSV has them; NULL is empty."""

    def __str__(self) -> str:
        """Name the partition by its values."""
        return "/".join(value or "NULL" for value in self.values)


def parse_csv(data: bytes, partitions: int) -> list[PartitionRows]:
    """Read Athena's result CSV (a header line; every value quoted; NULL is an empty field)."""
    text = io.StringIO(data.decode(), newline="")
    lines = list(csv.reader(text))[1:]
    return [
        PartitionRows(
            tuple(value or None for value in line[:partitions]),
            int(line[partitions]),
            tuple(line[partitions + 1 :]),
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
        if not part.rows:  # nothing is staged there
            continue
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


def judge(
    spec: Spec, found: list[PartitionRows], counts: dict[str, int], *, window: tuple[str, str]
) -> list[dict[str, Any]]:
    """Evaluate the tests; TestsFailed if one of severity error fails, else every test's result.

    `window` is the first and last period that was written: a whole table's freshness counts back
    from its end.
    """
    results = []
    column = 0
    for test in spec.tests:
        kind = test["test"]
        if kind in ("min_rows", "max_rows"):
            seen = len(counts)
            bad = _miscounted(test, counts)
        else:
            seen = sum(1 for part in found if part.rows)
            if kind == "freshness":
                bad = _old(spec, test, found, column=column, window=window)
            else:
                bad = [(str(p), int(p.cells[column] or 0)) for p in found]
            column += 1
        bad = sorted((where, number) for where, number in bad if number)
        results.append(
            {
                "test": test["name"],
                "severity": test["severity"],
                "offending": sum(number for _, number in bad),
                "where": [where for where, _ in bad[:_SHOWN] if where],
                "counts": [number for where, number in bad[:_SHOWN] if where],
                "failing": len(bad),
                "partitions": seen,
                "rows": sum(counts.values()),
            }
        )
    _refuse_failed(spec, results)
    return results


def _refuse_failed(spec: Spec, results: list[dict[str, Any]]) -> None:
    failed = [r for r in results if r["offending"] and r["severity"] == "error"]
    if failed:
        lines = "; ".join(
            f"{r['test']}: {r['offending']} offending"
            + (f" in {', '.join(r['where'])}" if r["where"] else "")
            for r in failed
        )
        raise TestsFailed(f"{spec.name}: {lines}. Nothing was published")


def _miscounted(test: dict[str, Any], counts: dict[str, int]) -> list[tuple[str, int]]:
    """Give the periods that hold too few or too many rows."""
    least = test["test"] == "min_rows"
    wrong = (
        period
        for period, rows in counts.items()
        if (rows < test["value"] if least else rows > test["value"])
    )
    return [(period, 1) for period in wrong]


def _old(
    spec: Spec,
    test: dict[str, Any],
    found: list[PartitionRows],
    *,
    column: int,
    window: tuple[str, str],
) -> list[tuple[str, int]]:
    """Give the partitions whose newest value is too old, or none at all that tells a time.

    Civil values are compared with the end of the partition's period; no clock is asked.
    """
    periods = spec.time_values(*window) if spec.grain else {}
    result = []
    for part in found:
        if not part.rows:
            continue
        time = tuple(str(value) for value in part.values[: len(spec.time)])
        period = periods.get(time, window[1])
        oldest = windows.end_of(period) - dt.timedelta(seconds=test["value"])
        newest = _moment(part.cells[column])
        where = f"{part} (newest: {part.cells[column] or 'NULL'})".strip()
        result.append((where, int(newest is None or newest < oldest)))
    return result


def _moment(text: str) -> dt.datetime | None:
    """Read a date or a timestamp without a zone, as Athena writes them; None for anything else.

    >>> _moment("2013-01-05 07:30:00.000")
    datetime.datetime(2013, 1, 5, 7, 30)
    """
    match = _MOMENT.match(text)
    if match is None:
        return None
    try:
        return dt.datetime.fromisoformat(f"{match[1]} {match[2] or '00:00'}")
    except ValueError:
        return None


def refuse_empty(spec: Spec, rows: int) -> None:
    """Keep a whole table from being replaced by nothing (SEMANTICS 12)."""
    if rows == 0 and not spec.allow_empty:
        raise EmptyTable(
            f"{spec.name}: the query gave no rows; the published table stays. "
            f"Say `allow_empty: true` in the header if that may be"
        )
