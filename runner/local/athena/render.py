"""Values as the text that Athena's result files and GetQueryResults hold.

In: a Python value from DuckDB and its type.  Out: text, or None for NULL.
"""

from __future__ import annotations

import math
import struct
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from runner.local.athena.sqltypes import SqlType

_PLAIN_FROM, _PLAIN_TO = 1e-3, 1e7


def render_column(values: Iterable[Any], kind: SqlType) -> list[str | None]:
    """Write the values of one column: those of the class that its type has go the short way."""
    usual, write = _SHORT.get(kind.name, (object(), str))
    return [
        None if value is None else write(value) if value.__class__ is usual else render(value, kind)
        for value in values
    ]


def render(value: Any, kind: SqlType) -> str | None:  # noqa: ANN401, C901, PLR0911 - one case a type
    """Write one value."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case float():
            return render_real(value) if kind.name == "real" else render_double(value)
        case Decimal():
            return f"{value:f}"
        case datetime():
            return _stamp(value)
        case date() | time():
            return value.isoformat() if isinstance(value, date) else _time(value, kind)
        case timedelta():
            return render_interval(value)
        case bytes():
            return value.hex(" ")
        case list() | tuple() if kind.name == "array":
            return f"[{', '.join(_inner(each, kind.parts[0]) for each in value)}]"
        case dict() if kind.name == "map":
            key, item = kind.parts
            pairs = (f"{_inner(k, key)}={_inner(v, item)}" for k, v in value.items())
            return f"{{{', '.join(pairs)}}}"
        case dict() | tuple() | list():
            return _row(value, kind)
        case _:
            return str(value)


def _stamp(value: datetime) -> str:
    text = value.isoformat(" ", "milliseconds")
    return text if value.tzinfo is None else f"{text[:_STAMP_LENGTH]} {zone_name(value)}"


def _time(value: time, kind: SqlType) -> str:
    """Write a time with the digits of a second that its type has, or with three."""
    digits = kind.numbers[0] if kind.numbers else _MILLISECONDS
    if digits == _MILLISECONDS:
        return value.isoformat("milliseconds")
    whole, _, fraction = value.replace(tzinfo=None).isoformat("microseconds").partition(".")
    return f"{whole}.{fraction[:digits]}" if digits else whole


def _bool(value: bool) -> str:  # noqa: FBT001 - a value
    return "true" if value else "false"


def _double(value: float) -> str:
    if _PLAIN_FROM <= value < _PLAIN_TO or -_PLAIN_TO < value <= -_PLAIN_FROM:
        return repr(value)
    return render_double(value)


_MILLISECONDS = 3
_STAMP_LENGTH = len("2013-01-01 00:00:00.000")
_SHORT: dict[str, tuple[object, Callable[[Any], str]]] = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint"), (int, str)),
    "varchar": (str, str),
    "boolean": (bool, _bool),
    "double": (float, _double),
    "decimal": (Decimal, "{:f}".format),
    "date": (date, date.isoformat),
    "timestamp": (datetime, _stamp),
}
"""By a type's name the class that its values usually have, and how they are written."""


def zone_name(value: datetime) -> str:
    """Name an instant's zone as Trino does: `Asia/Tokyo`, `+07:09`, `UTC`."""
    return str(getattr(value.tzinfo, "key", None) or value.tzinfo)


def render_double(value: float) -> str:
    """Write a double as Java's Double.toString does.

    >>> [render_double(x) for x in (1.0, 0.1, 12345678.0, 1e-5, 100.0)]
    ['1.0', '0.1', '1.2345678E7', '1.0E-5', '100.0']
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or _PLAIN_FROM <= abs(value) < _PLAIN_TO:
        text = repr(value)
        return text if "e" not in text else f"{value:f}"
    digits, _, exponent = f"{Decimal(repr(value)):e}".lower().partition("e")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return f"{digits if '.' in digits else digits + '.0'}E{int(exponent)}"


def _inner(value: Any, kind: SqlType) -> str:  # noqa: ANN401 - any value
    text = render(value, kind)
    return "null" if text is None else text


def _row(value: Any, kind: SqlType) -> str:  # noqa: ANN401 - a dict by name, or a tuple
    values = list(value.values()) if isinstance(value, dict) else list(value)
    names = kind.fields or tuple(f"field{number}" for number in range(len(values)))
    kinds = kind.parts or (kind,) * len(values)
    pairs = (
        f"{name}={_inner(each, part)}"
        for name, each, part in zip(names, values, kinds, strict=False)
    )
    return f"{{{', '.join(pairs)}}}"


def render_interval(value: timedelta) -> str:
    """Write an interval of days and less as Trino does: `1 02:00:00.000`."""
    total = round(value.total_seconds() * 1000)
    sign, total = ("-" if total < 0 else ""), abs(total)
    days, rest = divmod(total, 86_400_000)
    hours, rest = divmod(rest, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{sign}{days} {hours:02}:{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"


def render_real(value: float) -> str:
    """Write a float of four bytes with as many digits as it takes.

    >>> render_real(1.100000023841858)
    '1.1'
    """
    if not math.isfinite(value):
        return render_double(value)
    packed = struct.pack("f", value)
    short = next(
        (text for n in range(1, 10) if struct.pack("f", float(text := f"{value:.{n}g}")) == packed),
        repr(value),
    )
    return render_double(float(short))
