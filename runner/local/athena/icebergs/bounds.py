"""Single values as bytes: bounds of columns and partitions in Iceberg's manifests.

The forms are those of "Binary single-value serialization" in Iceberg's specification.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from runner.local.athena.functions_iceberg import shortest
from runner.local.athena.icebergs.partitioning import read_value

if TYPE_CHECKING:
    from runner.local.athena.icebergs.partitioning import Value

_PACKED = {
    "int": "<i",
    "date": "<i",
    "long": "<q",
    "timestamp": "<q",
    "timestamptz": "<q",
    "float": "<f",
    "double": "<d",
}
_NARROW = {"long": "int", "double": "float"}
"""What a column was before its type became wider: older files have its bounds so."""
_NARROW_BYTES = 4
_LONGEST = 16
"""Longer texts have no bounds: a file's statistics may cut them."""
_BOUNDED = frozenset({"int", "long", "date", "timestamp", "timestamptz", "string", "decimal"})


def to_bytes(value: Value, kind: str) -> bytes:
    """Write a value.

    >>> to_bytes(34, "long").hex(), to_bytes(1420, "decimal(9, 2)").hex()
    ('2200000000000000', '058c')
    """
    if kind in _PACKED:
        return struct.pack(_PACKED[kind], value)
    if isinstance(value, bool):
        return bytes([value])
    if isinstance(value, int):
        return shortest(value)
    return value.encode() if isinstance(value, str) else bytes(value or b"")  # type: ignore[arg-type]  # no float is left


def from_bytes(data: bytes, kind: str) -> Any:  # noqa: ANN401 - a value of the kind
    """Read a value back."""
    if kind in _PACKED:
        narrow = _NARROW.get(kind, "") if len(data) == _NARROW_BYTES else ""
        return struct.unpack(_PACKED[narrow or kind], data)[0]
    if kind == "boolean":
        return data == b"\x01"
    if kind.startswith("decimal"):
        return int.from_bytes(data, "big", signed=True)
    return data.decode(errors="replace") if kind == "string" else data


def bound_of(text: str | None, kind: str) -> Value:
    """Read a Parquet file's statistic; None if it gives no bound that is sure."""
    if text is None or kind.partition("(")[0] not in _BOUNDED:
        return None
    if kind == "string":
        return text if text.isascii() and len(text) <= _LONGEST else None
    try:
        return read_value(text, kind)
    except ValueError:
        return None
