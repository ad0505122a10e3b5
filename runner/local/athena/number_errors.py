"""DuckDB's words for numbers that do not fit, in Athena's words."""

from __future__ import annotations

import re

from runner.local.athena.errors import AthenaFailure

_KINDS = {"INT8": "tinyint", "INT16": "smallint", "INT32": "integer", "INT64": "bigint"}
_OVERFLOW = re.compile(r"Overflow in (\w+) of (INT\d+|DECIMAL\S*) \((\S+) (\S) (\S+)\)")
_DIVISION = re.compile(r"Overflow in division of (-?\d+) / (-?\d+)")
_ABS = re.compile(r"Overflow on abs\((-?\d+)\)")
_SUM = re.compile(
    r"Type INT128 with value (\S+) can't be cast because the value is out of range for the "
    r"destination type (INT\d+)"
)
"""A sum is taken in 128 bits, then cast to its type."""
_ABS_KINDS = {-128: "tinyint", -(2**15): "smallint", -(2**31): "integer", -(2**63): "bigint"}
_RANGE = "NUMERIC_VALUE_OUT_OF_RANGE"


def number_failure(text: str) -> AthenaFailure | None:
    """Word an overflow as Athena does; None if the text tells of something else."""
    if match := _OVERFLOW.search(text):
        kind = _KINDS.get(match[2])
        words = f"{kind} {match[1]} overflow: {match[3]} {match[4]} {match[5]}"
        return AthenaFailure(_RANGE, words if kind else "Decimal overflow")
    if match := _DIVISION.search(text):
        kind = _ABS_KINDS.get(int(match[1]), "bigint")
        return AthenaFailure(_RANGE, f"{kind} division overflow: {match[1]} / {match[2]}")
    if match := _ABS.search(text):
        kind = _ABS_KINDS.get(int(match[1]), "bigint")
        return AthenaFailure(_RANGE, f"Value {match[1]} is out of range for abs({kind})")
    if match := _SUM.search(text):
        kind = _KINDS.get(match[2], match[2].lower())
        return AthenaFailure(_RANGE, f"{kind} addition overflow: {match[1]}")
    return None
