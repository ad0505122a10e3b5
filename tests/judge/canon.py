"""Values of both engines in one form: nested tuples of short texts, to be compared for equality.

In: a value and its type's text.  Trino's come as its REST protocol has them, ours as Python has
them.  Zeros at the end of a fraction of a second say nothing: Athena shows three places.
"""

from __future__ import annotations

import base64
import math
import struct
from datetime import datetime
from typing import TYPE_CHECKING, Any

from runner.local.athena.render import render, zone_name
from runner.local.athena.sqltypes import SqlType, parse_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NOTHING = 1e-14
_TEXTS = ("varchar", "char")


def from_trino(value: Any, kind: SqlType) -> object:  # noqa: ANN401, PLR0911 - one return a type
    """Bring a value of Trino's answer into the common form."""
    if value is None:
        return None
    match kind.name:
        case "array":
            return ("array", *(from_trino(each, kind.parts[0]) for each in value))
        case "map":
            key, item = kind.parts
            return _map((_key(k, key), from_trino(v, item)) for k, v in value.items())
        case "row":
            return (
                "row",
                *(from_trino(v, part) for v, part in zip(value, kind.parts, strict=True)),
            )
        case "varbinary":
            return base64.b64decode(value).hex()
        case "double" | "real":
            return number(float(value), kind)
        case _:
            return _plain(value)


def from_ours(value: Any, kind: SqlType) -> object:  # noqa: ANN401, PLR0911 - one return a type
    """Bring a value of the local Athena into the common form."""
    if value is None:
        return None
    match kind.name:
        case "array":
            return ("array", *(from_ours(each, kind.parts[0]) for each in value))
        case "map":
            key, item = kind.parts
            pairs: Mapping[Any, Any] = value
            return _map((from_ours(k, key), from_ours(v, item)) for k, v in pairs.items())
        case "row":
            values: Sequence[Any] = list(value.values()) if isinstance(value, dict) else value
            kinds = kind.parts or (SqlType("varchar"),) * len(values)
            return ("row", *(from_ours(v, part) for v, part in zip(values, kinds, strict=True)))
        case "varbinary":
            return bytes(value).hex()
        case "double" | "real":
            return number(float(value), kind)
        case _ if isinstance(value, bool):
            return _plain(value)
        case name if name.startswith(("timestamp", "time")):
            return _plain(_moment(value, kind))
        case _:
            return _plain(render(value, kind))


def _moment(value: Any, kind: SqlType) -> str:  # noqa: ANN401 - datetime or time
    """Keep what is finer than Athena shows, for wrong digits there are wrong too."""
    if not isinstance(value, datetime):
        return render(value, kind) or ""
    text = value.replace(tzinfo=None).isoformat(" ", "microseconds")
    return f"{text} {zone_name(value)}" if value.tzinfo else text


def _map(pairs: Any) -> tuple[object, ...]:  # noqa: ANN401 - an iterable of pairs
    return ("map", *sorted(pairs, key=repr))


def _key(text: str, kind: SqlType) -> object:
    """Read a map's key: JSON has them as text only."""
    if kind.name in {"double", "real"}:
        return number(float(text), kind)
    return _plain(text)


def number(value: float, kind: SqlType) -> str:
    """Write a double with its first twelve digits; sums in another order differ in the last.

    Of nothing, such sums leave a little.
    """
    if math.isnan(value) or math.isinf(value):
        return str(value)
    if kind.name == "real":
        value = struct.unpack("f", struct.pack("f", value))[0]
        return f"{value:.5e}" if value else "0"
    return "0" if abs(value) < _NOTHING else f"{value:.11e}"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    head, point, tail = text.partition(".")
    if point and ":" in head:  # a clock
        digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
        kept = digits.rstrip("0")
        return f"{head}.{kept}{tail[len(digits) :]}" if kept else head + tail[len(digits) :]
    return text


def same_type(trino: str, ours: str) -> bool:
    """Tell whether types agree as far as Athena shows them: without lengths of text."""
    return _shape(parse_type(trino)) == _shape(parse_type(ours))


def _shape(kind: SqlType) -> tuple[object, ...]:
    numbers = kind.numbers if kind.name == "decimal" else ()
    name = "varchar" if kind.name in _TEXTS else kind.name
    return (name, numbers, tuple(_shape(part) for part in kind.parts))
