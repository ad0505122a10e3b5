"""What a compiled definition tells the keeper about one table: plain JSON, read into values."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from . import windows
from .records import WHOLE

_HIVE_ESCAPED = re.compile(r"""[\x00-\x1f"#%'*/:=?\\\x7f{\[\]^]""")
_INTEGER = re.compile(r"-?[0-9]+")
OPEN_WRITERS = 100
"""Partitions x buckets that one Athena statement may write."""


@dataclass(frozen=True)
class Spec:
    """One table, as its definition describes it (physical names)."""

    name: str
    kind: str
    project: str
    fingerprint: str
    grain: str | None
    time: tuple[tuple[str, str], ...]
    """Time columns and their Java patterns, in partition order."""
    partitions: tuple[str, ...]
    """All partition columns in order."""
    allowed: dict[str, Any]
    """Other partition columns: a list of values, or {min, max, digits, interval}."""
    combinations: int
    """Values of the other partition columns x buckets, per period."""
    marks: dict[str, dict[str, Any]]
    storage: dict[str, Any]
    """InputFormat, OutputFormat, SerdeInfo of Glue's StorageDescriptor."""
    parameters: dict[str, str]
    by_position: bool
    """The format matches columns by position, so that columns cannot be added."""
    tests: tuple[dict[str, Any], ...]
    allow_empty: bool
    ordered: bool
    """The table reads itself: the period before the window must be published."""
    max_window: int
    reads: tuple[dict[str, Any], ...]
    """Tables of ours that it reads: table (physical name), kind, grain, windowed, lookback."""
    iceberg: dict[str, Any] | None
    """Row keys and properties of an Iceberg table; None for a Hive table."""

    @property
    def database(self) -> str:
        """Give the physical database."""
        return self.name.partition(".")[0]

    @property
    def table(self) -> str:
        """Give the table's own name."""
        return self.name.partition(".")[2]

    @classmethod
    def read(cls, value: dict[str, Any]) -> Spec:
        """Take the JSON of the definition."""
        return cls(
            name=value["name"],
            kind=value["kind"],
            project=value["project"],
            fingerprint=value["fingerprint"],
            grain=value.get("grain"),
            time=tuple((column, pattern) for column, pattern in value.get("time", ())),
            partitions=tuple(value.get("partitions", ())),
            allowed=value.get("allowed", {}),
            combinations=value.get("combinations", 1),
            marks=value.get("marks", {}),
            storage=value.get("storage", {}),
            parameters=value.get("parameters", {}),
            by_position=value.get("by_position", False),
            tests=tuple(value.get("tests", ())),
            allow_empty=value.get("allow_empty", False),
            ordered=value.get("ordered", False),
            max_window=value.get("max_window", 400),
            reads=tuple(value.get("reads", ())),
            iceberg=value.get("iceberg"),
        )

    def window(self, start: str, end: str, grain: str) -> tuple[str, str]:
        """Widen the run's window to the table's grain; unchanged without time partitions."""
        if self.grain is None:
            return start, end
        return windows.regrain(start, end, grain, self.grain)

    def owned(self, start: str, end: str) -> tuple[str, str]:
        """Give the window as records name it: `all` when the table has no time partitions."""
        return (WHOLE, WHOLE) if self.grain is None else (start, end)

    def values(self, start: str, end: str, grain: str) -> dict[str, str]:
        """Compute the marks of the SQL for one window or chunk."""
        return {
            name: windows.evaluate_mark(
                start,
                end,
                grain,
                base=mark["base"],
                steps=mark["steps"],
                pattern=mark["format"],
            )
            for name, mark in self.marks.items()
        }

    def prefixes(self, start: str, end: str) -> dict[str, str]:
        """Give each period's path below the table: {'2013-01-05': 'dt=2013-01-05/'}."""
        if self.grain is None:
            return {WHOLE: ""}
        return {
            label: "".join(
                f"{column}={hive_escape(windows.format_civil(label, self.grain, pattern))}/"
                for column, pattern in self.time
            )
            for label in windows.periods(start, end, self.grain)
        }

    def time_values(self, start: str, end: str) -> dict[tuple[str, ...], str]:
        """Give the time columns' values of each period, and the period."""
        if self.grain is None:
            return {(): WHOLE}
        return {
            tuple(windows.format_civil(label, self.grain, p) for _, p in self.time): label
            for label in windows.periods(start, end, self.grain)
        }

    def other_columns(self) -> tuple[str, ...]:
        """Give the partition columns that are not time."""
        return self.partitions[len(self.time) :]


def is_allowed(value: str | None, rule: Any) -> bool:  # noqa: ANN401 - JSON of the definition
    """Tell whether projection would find a partition of that value."""
    if value is None:
        return False
    if rule is None:
        return True
    if isinstance(rule, list):
        return value in rule
    if _INTEGER.fullmatch(value) is None:
        return False
    number = int(value)
    steps, rest = divmod(number - rule["min"], rule.get("interval") or 1)
    inside = steps >= 0 and rest == 0 and number <= rule["max"]
    return bool(inside and value == str(number).zfill(rule.get("digits") or 0))


def hive_escape(value: str) -> str:
    """Write a partition value as Hive names its folder (FileUtils.escapePathName).

    >>> hive_escape("2013-01-05 07:00")
    '2013-01-05 07%3A00'
    """
    return _HIVE_ESCAPED.sub(lambda match: f"%{ord(match[0]):02X}", value)


def run_name(execution: str) -> str:
    """Name an execution by its ARN: state machine and name, which together are unique.

    >>> run_name("arn:aws:states:eu-west-1:1:execution:daily:r1")
    'daily.r1'
    """
    return ".".join(execution.split(":")[-2:]).replace("/", "-")


def tag(spec: Spec, execution: str, redrive: int, attempt: int) -> str:
    """Name the stage tables of one attempt: unique, short, lower case."""
    digest = hashlib.sha256(f"{execution}|{redrive}".encode()).hexdigest()[:10]
    return f"{spec.table}__{digest}_{attempt}"
