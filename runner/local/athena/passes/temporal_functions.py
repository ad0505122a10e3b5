"""Functions of dates and times: truncation, differences, formats, zones, the present."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.datetexts import MICROS, UTC, literal_zone, offset_minutes, offset_text
from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.functions_dates import read_iso
from runner.local.athena.joda import format_joda
from runner.local.athena.joda import pieces as joda_pieces
from runner.local.athena.mysqlformat import UNSUPPORTED
from runner.local.athena.passes.temporal_fields import NAMED_PARTS, called
from runner.local.athena.passes.temporal_format import formatted
from runner.local.athena.passes.temporal_trees import (
    call,
    cast,
    instant,
    instant_near,
    local,
    step,
    zone,
    zone_text,
)
from runner.local.athena.temporal_kinds import (
    Kind,
    Kinds,
    interval_minutes,
    type_name,
    zoned,
)
from runner.local.athena.temporal_kinds import (
    zone_text as spelled,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MILLIS = 3
_CALENDAR = frozenset({"day", "week", "month", "quarter", "year"})
_CLOCK = frozenset({"millisecond", "second", "minute", "hour"})
_PLAIN_PARSE = frozenset({"%Y", "%m", "%d", "%H", "%M", "%S", "%-d", "%-m", "%-H"})
_PLAIN_FORMAT = _PLAIN_PARSE | {
    "%B", "%b", "%a", "%A", "%p", "%I", "%-I", "%j", "%y", "%f",
}  # fmt: skip
_STRFTIME = {
    "yyyy": "%Y", "YYYY": "%Y", "yy": "%y", "MM": "%m", "MMM": "%b", "MMMM": "%B", "dd": "%d",
    "d": "%-d", "M": "%-m", "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M",
    "ss": "%S", "SSS": "%g", "EEE": "%a", "EEEE": "%A", "a": "%p", "DDD": "%j",
}  # fmt: skip
_PYTHON = {
    "%M": "%i",
    "%B": "%M",
    "%A": "%W",
    "%-m": "%c",
    "%-d": "%e",
    "%-H": "%k",
    "%-I": "%l",
    "%G": "%x",
}


def _unit(node: exp.Expr, kind: Kind | None) -> str:
    unit = node.text("unit").lower()
    allowed = _CALENDAR | _CLOCK
    if kind is not None and kind.name == "date":
        allowed = _CALENDAR
    elif kind is not None and kind.name in {"time", "timetz"}:
        allowed = _CLOCK
    if unit not in allowed:
        name = {"date": "DATE", "time": "Time", "timetz": "Time"}.get(kind.name if kind else "", "")
        raise AthenaFailure(
            "INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid {name or 'Timestamp'} field"
        )
    return unit


def _dispatched(name: str, arguments: list[exp.Expr]) -> exp.Expr:
    """Let DuckDB's types choose, unless an argument is an aggregate, which macros cannot see."""
    hidden = arguments[-1].find(exp.AggFunc, exp.Window) is not None
    return call(f"{name}_timestamp" if hidden else name, *arguments)


def _trunc(kinds: Kinds, node: exp.Expr) -> exp.Expr:
    kind = kinds.of(node.this)
    unit = exp.Literal.string(_unit(node, kind))
    if kind is None:
        return _dispatched("__date_trunc", [unit, node.this])
    match kind.name:
        case "date":
            return call("__date_trunc_date", unit, node.this)
        case "time":
            return call("__date_trunc_time", unit, node.this)
        case "timetz":
            moved = call("__date_trunc_time", unit, cast(node.this, "TIME"))
            return call("__timetz", moved, call("__timetz_minutes", node.this))
        case "zoned":
            moved = call("__date_trunc_timestamp", unit, local(node.this, kind))
            return instant_near(moved, kind, node.this)
    return call("__date_trunc_timestamp", unit, node.this)


def _add(kinds: Kinds, node: exp.Expr) -> exp.Expr:
    kind = kinds.of(node.this)
    unit = _unit(node, kind)
    arguments = [exp.Literal.string(unit), node.expression]
    if kind is None:
        return _dispatched("__date_add", [*arguments, node.this])
    match kind.name:
        case "date":
            return call("__date_add_date", *arguments, node.this)
        case "time" | "timetz":
            micros = exp.Mul(
                this=exp.paren(node.expression.copy()), expression=call("__unit_us", unit)
            )
            name = "__time_add" if kind.name == "time" else "__timetz_add"
            return call(name, node.this, micros)
        case "zoned" if unit in _CALENDAR:
            moved = call("__date_add_timestamp", *arguments, local(node.this, kind))
            return instant_near(moved, kind, node.this)
    new = call("__date_add_timestamp", *arguments, node.this)
    if unit == "millisecond" and kind.precision < _MILLIS:
        # The result is as fine as the argument.
        rounding = "__tz_round" if kind.name == "zoned" else "__ts_round"
        return call(rounding, new, step(kind.precision))
    return new


def _diff(kinds: Kinds, node: exp.Expr) -> exp.Expr:
    """Count whole units that have passed; DuckDB's date_diff counts borders crossed."""
    ends = [(node.expression, kinds.of(node.expression)), (node.this, kinds.of(node.this))]
    kind = ends[0][1] or ends[1][1]
    unit = _unit(node, kind)
    if kind is not None and kind.name in {"time", "timetz"}:
        sides = [
            call("__timetz_utc", side) if k and k.name == "timetz" else side.copy()
            for side, k in ends
        ]
        return call("__time_diff", unit, *sides)
    if any(k and k.name == "zoned" for _, k in ends) and kind is not None:
        shared = kind if kind.name == "zoned" else zoned()
        sides = [cast(side, "TIMESTAMPTZ") for side, _ in ends]
        if unit in _CALENDAR:
            sides = [local(side, shared) for side in sides]
        return call("date_sub", unit, *[_whole(side, shared, unit) for side in sides])
    return call("date_sub", unit, *[_fine(side, k) for side, k in ends])


def _whole(side: exp.Expr, kind: Kind, unit: str) -> exp.Expr:
    if kind.precision <= _MILLIS:
        return side
    return call("__ts_floor" if unit in _CALENDAR else "__tz_floor", side, 1000)


def _fine(side: exp.Expr, kind: Kind | None) -> exp.Expr:
    if kind is not None and kind.name == "timestamp" and kind.precision > _MILLIS:
        return call("__ts_floor", side, 1000)
    return side.copy()


def _moment(node: exp.Expr, kind: Kind | None) -> exp.Expr:
    """Give the local time that a format writes, rounded to milliseconds."""
    found = local(node, kind)
    if kind is None or kind.precision <= _MILLIS:
        return found
    return call("__ts_round", found, 1000)


def _mysql_parts(pattern: exp.Expr | None) -> tuple[str, list[str]] | None:
    """Give a literal pattern and its fields as sqlglot has turned them to Python's."""
    if not isinstance(pattern, exp.Literal):
        return None
    fields: list[str] = []
    text, place = pattern.name, 0
    while place < len(text) - 1:
        if text[place] == "%":
            size = 3 if text[place + 1] == "-" else 2
            fields.append(text[place : place + size])
            place += size
        else:
            place += 1
    return text, fields


def _mysql(pattern: exp.Expr) -> exp.Expr:
    """Write a pattern as the user did."""
    parts = _mysql_parts(pattern)
    if parts is None:
        return pattern.copy()
    text, out, place = parts[0], [], 0
    while place < len(text):
        size = (3 if text[place + 1 : place + 2] == "-" else 2) if text[place] == "%" else 1
        piece = text[place : place + size]
        out.append(_PYTHON.get(piece, piece))
        place += size
    return exp.Literal.string("".join(out))


def _refuse_fields(fields: list[str]) -> None:
    for field in fields:
        letter = {"%W": "u"}.get(field, field[-1])
        if letter in UNSUPPORTED and field[1] != "-":
            raise AthenaFailure(
                "INVALID_FUNCTION_ARGUMENT", f"%{letter} not supported in date format string"
            )


def _format(kinds: Kinds, node: exp.Expr) -> exp.Expr:
    kind = kinds.of(node.this)
    pattern = node.args["format"]
    parts = _mysql_parts(pattern)
    _refuse_fields(parts[1] if parts else [])
    moment = _moment(node.this, kind)
    if parts and set(parts[1]) <= _PLAIN_FORMAT:
        return call("strftime", moment, parts[0])
    return call("__mysql_format", cast(moment, "TIMESTAMP"), _mysql(pattern))


def _parse(_: Kinds, node: exp.Expr) -> exp.Expr:
    pattern = node.args["format"]
    parts = _mysql_parts(pattern)
    _refuse_fields(parts[1] if parts else [])
    if parts and set(parts[1]) <= _PLAIN_PARSE and len(set(parts[1])) == len(parts[1]) > 0:
        text, prefix = node.this.copy(), ""
        if "%Y" not in parts[1]:
            prefix = "%Y "
            text = exp.paren(exp.DPipe(this=exp.Literal.string("1970 "), expression=text))
        return call("__parsed", node.this, prefix + parts[0], text)
    return call("__mysql_parse", node.this, _mysql(pattern))


def _unixtime(kinds: Kinds, node: exp.Expr) -> exp.Expr:
    kinds.of(node)
    return call("__unixtime", cast(node.this, "DOUBLE"))


def _to_unix(kinds: Kinds, node: exp.Expr) -> exp.Expr:
    kind = kinds.of(node.this)
    moment = cast(node.this, "TIMESTAMPTZ") if kind and kind.name == "zoned" else node.this
    return call("epoch", moment)


def _at_zone(kinds: Kinds, node: exp.Expr) -> exp.Expr:
    kind = kinds.of(node.this)
    if kind is not None and kind.name not in {"timestamp", "zoned", "time", "timetz"}:
        raise AthenaFailure(
            "TYPE_MISMATCH",
            "Type of value must be a time or timestamp with or without time zone "
            f"(actual {type_name(kind)})",
        )
    return _moved_zone(kinds, node.this, node.args["zone"])


def _moved_zone(kinds: Kinds, moment: exp.Expr, where: exp.Expr) -> exp.Expr:
    kind = kinds.of(moment)
    _known_zone(where)
    if kind is not None and kind.name in {"time", "timetz"}:
        source = call("__timetz", moment, 0) if kind.name == "time" else moment
        return call("__timetz_at", source, _minutes(where))
    if kind is not None and kind.name == "zoned":
        return exp.paren(moment.copy())
    return instant(cast(moment, "TIMESTAMP"), zoned()) if kind else cast(moment, "TIMESTAMPTZ")


def _known_zone(where: exp.Expr) -> None:
    if isinstance(where, exp.Literal) and literal_zone(where.name) is None:
        raise AthenaFailure("INVALID_FUNCTION_ARGUMENT", f"'{where.name}' is not a valid time zone")


def _minutes(where: exp.Expr) -> exp.Expr | int:
    if isinstance(where, exp.Literal):
        minutes = offset_minutes(literal_zone(where.name) or where.name)
        if minutes is None:
            raise unsupported("A time in a region's time zone")
        return minutes
    minutes = interval_minutes(where)
    if minutes is not None:
        return minutes
    if where.type is not None and where.is_type(exp.DType.VARCHAR, exp.DType.TEXT):
        raise unsupported("A time in a time zone that is no literal")
    return cast(
        exp.Div(this=call("epoch_ms", where), expression=exp.Literal.number(60000)), "BIGINT"
    )


def _last_day(kinds: Kinds, node: exp.Expr) -> exp.Expr:
    return call("last_day", local(node.this, kinds.of(node.this)))


def _date(kinds: Kinds, node: exp.Expr) -> exp.Expr | None:
    kind = kinds.of(node.this)
    if kind is not None:
        return cast(local(node.this, kind), "DATE")
    is_text = node.this.is_string or (
        node.this.type and node.this.is_type(exp.DType.VARCHAR, exp.DType.TEXT)
    )
    return call("__text_date", node.this) if is_text else None


def _now(kinds: Kinds, node: exp.Expr) -> exp.Expr:
    kind = kinds.of(node) or zoned()
    now = call("__tz_floor", call("now"), step(kind.precision))
    match kind.name:
        case "zoned":
            return now
        case "timestamp":
            return call("timezone", UTC, now)
        case "timetz":
            return call("__timetz", cast(call("timezone", UTC, now), "TIME"), 0)
    return cast(call("timezone", UTC, now), "TIME")


def _today(_: Kinds, __: exp.Expr) -> exp.Expr:
    return cast(call("timezone", UTC, call("now")), "DATE")


def _zone_name(_: Kinds, __: exp.Expr) -> exp.Expr:
    return exp.Literal.string(UTC)


def _iso_date(_: Kinds, node: exp.Expr) -> exp.Expr:
    read = read_iso(node.this.name) if isinstance(node.this, exp.Literal) else None
    if read is None or node.this.name.startswith("zq"):
        return call("__iso_date", node.this)
    return cast(exp.Literal.string(read._replace(has_time=False).duck()), "DATE")


def _iso_stamp(kinds: Kinds, node: exp.Expr) -> exp.Expr:
    kind = kinds.of(node) or zoned()
    read = read_iso(node.this.name) if isinstance(node.this, exp.Literal) else None
    fine = read is not None and read.fraction[MICROS:].strip("0") != ""
    if fine and kind.precision != _MILLIS:
        raise unsupported("A timestamp finer than microseconds")
    if read is None or node.this.name.startswith("zq"):
        name = "__iso_zoned" if kind.precision == _MILLIS else "__iso_fine"
        stamp: exp.Expr = call(name, node.this)
    else:
        stamp = instant(cast(exp.Literal.string(read.duck()), "TIMESTAMP"), kind)
    return call("__tz_floor", stamp, 1000) if kind.precision == _MILLIS else stamp


def _to_iso(kinds: Kinds, arguments: Sequence[exp.Expr]) -> exp.Expr:
    node = arguments[0]
    kind = kinds.of(node)
    if kind is None:
        return call("__to_iso8601", node)
    if kind.name == "date":
        return call("__day_text", node)
    text = call("__iso_text", local(node, kind), kind.precision)
    if kind.name == "zoned":
        return exp.paren(exp.DPipe(this=text, expression=call("__zone_suffix", node, zone(kind))))
    return text


def _joda(kinds: Kinds, arguments: Sequence[exp.Expr]) -> exp.Expr:
    node, pattern = arguments
    kind = kinds.of(node)
    if isinstance(pattern, exp.Literal):
        _check_joda(pattern.name)
        native = _strftime(pattern.name, kind)
        if native is not None:
            return call("strftime", _moment(node, kind), native)
    moment = cast(_moment(node, kind), "TIMESTAMP")
    if kind is not None and kind.name == "zoned":
        minutes: exp.Expr | int = call("__zone_minutes", node, zone(kind))
        return call("__joda_format", moment, minutes, zone_text(kind), pattern)
    return call("__joda_format", moment, 0, UTC, pattern)


def _strftime(pattern: str, zoned_kind: Kind | None) -> str | None:
    """Write a Joda pattern as DuckDB's own; None if a letter has none."""
    out: list[str] = []
    for kind, text in joda_pieces(pattern):
        if kind == "text":
            out.append(text.replace("%", "%%"))
        elif text in _STRFTIME:
            out.append(_STRFTIME[text])
        elif text[0] == "Z" and (minutes := _fixed(zoned_kind)) is not None:
            zone_name = offset_text(minutes)
            out.append(format_joda(datetime(1970, 1, 1), text, minutes=minutes, zone=zone_name))  # noqa: DTZ001 - any
        else:
            return None
    return "".join(out)


def _fixed(kind: Kind | None) -> int | None:
    """Give the minutes of a zone that is always as far from UTC."""
    if kind is None or kind.name != "zoned":
        return 0
    return offset_minutes(kind.constant_zone() or "?")


def _check_joda(pattern: str) -> None:
    try:
        joda_pieces(pattern)
    except ValueError as error:
        code, _, message = str(error).partition(": ")
        raise AthenaFailure(code, message) from error


def _joda_parse(_: Kinds, node: exp.Expr) -> exp.Expr:
    pattern = node.args["format"]
    if isinstance(pattern, exp.Literal):
        _check_joda(pattern.name)
    return call("__joda_zoned", node.this, pattern)


def _at_timezone(kinds: Kinds, arguments: Sequence[exp.Expr]) -> exp.Expr:
    return _moved_zone(kinds, arguments[0], arguments[1])


def _with_timezone(kinds: Kinds, arguments: Sequence[exp.Expr]) -> exp.Expr:
    _known_zone(arguments[1])
    kind = kinds.of(arguments[0])
    if kind is not None and kind.name not in {"date", "timestamp"}:
        raise AthenaFailure(
            "FUNCTION_NOT_FOUND",
            f"Unexpected parameters ({type_name(kind)}, varchar) for function with_timezone",
        )
    return instant(cast(arguments[0], "TIMESTAMP"), zoned(zone=spelled(arguments[1])))


def _simple(name: str) -> Callable[[Kinds, Sequence[exp.Expr]], exp.Expr]:
    return lambda _, arguments: call(name, *arguments)


def _part_named(place: str) -> Callable[[Kinds, Sequence[exp.Expr]], exp.Expr]:
    return lambda kinds, arguments: called(arguments[0], kinds.of(arguments[0]), place)


NAMED: dict[str, Callable[[Kinds, Sequence[exp.Expr]], exp.Expr]] = {
    "from_unixtime_nanos": _simple("__unix_nanos"),
    "__format": formatted,
    "to_iso8601": _to_iso,
    "format_datetime": _joda,
    "at_timezone": _at_timezone,
    "with_timezone": _with_timezone,
    "human_readable_seconds": lambda _, a: call("__human_seconds", cast(a[0], "DOUBLE")),
    "parse_duration": _simple("__duration"),
    "to_milliseconds": _simple("__interval_ms"),
    **{name: _part_named(place) for name, place in NAMED_PARTS.items()},
}


def _named(kinds: Kinds, node: exp.Expr) -> exp.Expr | None:
    name = node.name.lower()
    if name not in NAMED:
        return None
    return NAMED[name](kinds, node.expressions)


REWRITERS: dict[type[exp.Expr], Callable[[Kinds, exp.Expr], exp.Expr | None]] = {
    exp.TimestampTrunc: _trunc,
    exp.DateTrunc: _trunc,
    exp.DateAdd: _add,
    exp.DateDiff: _diff,
    exp.TimeToStr: _format,
    exp.StrToTime: _parse,
    exp.UnixToTime: _unixtime,
    exp.TimeToUnix: _to_unix,
    exp.AtTimeZone: _at_zone,
    exp.LastDay: _last_day,
    exp.Date: _date,
    exp.TsOrDsToDate: _date,
    exp.CurrentTimestamp: _now,
    exp.Localtimestamp: _now,
    exp.Localtime: _now,
    exp.CurrentTime: _now,
    exp.CurrentDate: _today,
    exp.CurrentTimezone: _zone_name,
    exp.FromISO8601Date: _iso_date,
    exp.FromISO8601Timestamp: _iso_stamp,
    exp.FromISO8601TimestampNanos: _iso_stamp,
    exp.ParseDatetime: _joda_parse,
    exp.Anonymous: _named,
}
