"""Casts from JSON and to JSON, by Trino's rules.

In: JSON and a type.  Out, from JSON: text that DuckDB casts to the type without loss (nested
types as JSON whose scalars are all strings).  Out, to JSON: Trino's text.  Failures are Trino's.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.jsontext import (
    FloatText,
    IntText,
    Json,
    JsonError,
    Members,
    parse,
    quote,
    write,
)
from runner.local.athena.render import render_double, render_real
from runner.local.athena.sqltypes import SqlType, parse_type

if TYPE_CHECKING:
    from collections.abc import Callable

_BITS = {"tinyint": 8, "smallint": 16, "integer": 32, "bigint": 64}
_TRUE, _FALSE = frozenset({"t", "true", "1"}), frozenset({"f", "false", "0"})
_JAVA_NUMBER = re.compile(
    r"[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[dDfF]?)", re.ASCII
)
_MOST_SHOWN = 1000
_WIDEST = 400
_KEYS = frozenset({"unknown", "boolean", "real", "double", "decimal", "varchar", *_BITS})


class _Refused(Exception):
    """A value that the type does not take; the text says why."""


_type_of = lru_cache(maxsize=256)(parse_type)


def cast_scalar(text: str, kind: str) -> str | None:
    """Cast JSON to a scalar type; raises AthenaFailure."""
    target = _type_of(kind)
    try:
        return _scalar(parse(text), target)
    except AthenaFailure:
        raise
    except (_Refused, JsonError) as error:
        name = target.trino()
        if target.name == "decimal":
            name = name.upper().replace(" ", "")
        if target.name == "varchar":
            name = "varchar"
        raise _invalid(f"Cannot cast '{text}' to {name}") from error


def cast_plain(item: object, kind: str) -> str:
    """Cast a scalar that a SQL/JSON path found (str, bool or number); raises AthenaFailure."""
    target = _type_of(kind)
    match item:
        case bool():
            value: Json = item
        case int():
            value = IntText(item)
        case float() | Decimal():
            value = FloatText(item)
        case _:
            value = str(item)
    if target.name == "varchar" and isinstance(item, Decimal):
        return f"{item:f}"
    if target.name in {"date", "timestamp", "time"} and type(value) is str:
        return value
    if target.name not in _SCALARS and target.name not in _BITS:
        raise _invalid(f"Cannot cast to {target.trino()}")
    try:
        return _scalar(value, target) or ""
    except _Refused as error:
        raise _invalid(str(error)) from error


def cast_nested(text: str, kind: str) -> str | None:
    """Cast JSON to an array, map or row; raises AthenaFailure."""
    target = _type_of(kind)
    shown = text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}...(truncated)"
    try:
        found = _value(parse(text), target)
    except JsonError as error:
        raise _invalid(f"Cannot cast to {target.trino()}.\n{shown}") from error
    except (_Refused, AthenaFailure) as error:
        reason = error.reason.partition(": ")[2] if isinstance(error, AthenaFailure) else str(error)
        raise _invalid(f"Cannot cast to {target.trino()}. {reason}\n{shown}") from error
    return None if found is None else write(found)


def _invalid(message: str) -> AthenaFailure:
    return AthenaFailure("INVALID_CAST_ARGUMENT", message)


def _value(value: Json, kind: SqlType) -> Json:
    if kind.name == "json":
        return write(value)
    if value is None:
        return None
    match kind.name:
        case "array":
            if not isinstance(value, list):
                raise _Refused(f"Expected a json array, but got {_token(value)}")
            return [_value(each, kind.parts[0]) for each in value]
        case "map":
            return _map(value, kind)
        case "row":
            return _row(value, kind)
        case _:
            return _scalar(value, kind)


def _map(value: Json, kind: SqlType) -> Json:
    if not isinstance(value, Members):
        raise _Refused(f"Expected a json object, but got {_token(value)}")
    found: dict[str, Json] = {}
    for name, each in value:
        key = _scalar(name, kind.parts[0])
        if key is None or key in found:
            raise _Refused("Duplicate keys are not allowed")
        found[key] = _value(each, kind.parts[1])
    return Members(found.items())


def _row(value: Json, kind: SqlType) -> Json:
    names = kind.fields or tuple(f"field{number}" for number in range(len(kind.parts)))
    if isinstance(value, Members):
        if not kind.fields:
            raise _Refused(
                "Cannot cast a JSON object to anonymous row type. Input must be a JSON array."
            )
        return Members(zip(names, _fields(value, kind), strict=True))
    if not isinstance(value, list):
        raise _Refused(f"Expected a json array or object, but got {_token(value)}")
    if len(value) > len(names):
        raise _Refused(f"Expected json array ending, but got {_token(value[len(names)])}")
    if len(value) < len(names):
        _unexpected(kind.parts[len(value)], "]")
    found = (_value(each, part) for each, part in zip(value, kind.parts, strict=True))
    return Members(zip(names, found, strict=True))


def _fields(value: Members, kind: SqlType) -> list[Json]:
    found: dict[str, Json] = {}
    parts = dict(zip(kind.fields, kind.parts, strict=True))
    for name, each in value:
        field = name.lower()
        if field in found:
            raise _Refused(f"Duplicate field: {field}")
        if field in parts:
            found[field] = _value(each, parts[field])
    return [found.get(name) for name in kind.fields]


def _token(value: Json) -> str:
    """Give the text of the token with which a value begins, as Trino's messages show it."""
    if isinstance(value, Members):
        return "{"
    if isinstance(value, list):
        return "["
    return "null" if value is None else str(value).lower() if value in (True, False) else str(value)


def _unexpected(kind: SqlType, token: str) -> NoReturn:
    raise _Refused(f"Unexpected token when cast to {kind.name}: {token}")


def _scalar(value: Json, kind: SqlType) -> str | None:
    if value is None:
        return None
    if isinstance(value, Members | list):
        _unexpected(kind, _token(value))
    if kind.name in _BITS:
        return str(_integer(value, kind))
    found = _SCALARS[kind.name](value, kind)
    return "true" if found is True else "false" if found is False else str(found)


def _integer(value: Json, kind: SqlType) -> int:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, FloatText):
        number = float(value)
        if not math.isfinite(number):
            raise _Refused(value)
        found = math.floor(abs(number) + 0.5) * (1 if number >= 0 else -1)
    elif isinstance(value, str) and re.fullmatch(r"[+-]?\d+", value, re.ASCII):
        found = int(value)
    else:
        raise _text_refused(value, "INT" if kind.name == "integer" else kind.name.upper())
    if not -(2 ** (_BITS[kind.name] - 1)) <= found < 2 ** (_BITS[kind.name] - 1):
        if type(value) is str:
            raise _text_refused(value, "INT" if kind.name == "integer" else kind.name.upper())
        if isinstance(value, FloatText):
            raise _invalid(f"Out of range for {kind.name}: {render_double(float(value))}")
        raise _Refused(f"Out of range for {kind.name}: {value}")
    return found


def _text_refused(value: object, name: str) -> AthenaFailure:
    return _invalid(f"Cannot cast '{value}' to {name}")


def _boolean(value: Json, _: SqlType) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, IntText | FloatText):
        return float(value) != 0
    word = str(value).lower()
    if word in _TRUE | _FALSE:
        return word in _TRUE
    raise _text_refused(value, "BOOLEAN")


def _double(value: Json, kind: SqlType) -> str:
    if isinstance(value, bool):
        return "1.0" if value else "0.0"
    text = str(value).strip()
    if not _JAVA_NUMBER.fullmatch(text):
        raise _text_refused(value, kind.name.upper())
    return text.rstrip("dDfF") if text[-1:] in "dDfF" else text


def _decimal(value: Json, kind: SqlType) -> str:
    precision, scale = (*kind.numbers, 0)[:2] if kind.numbers else (38, 0)
    text = str(int(value)) if isinstance(value, bool) else str(value)
    with localcontext() as context, suppress(InvalidOperation):
        context.prec = _WIDEST
        found = Decimal(text)
        if found.is_finite() and re.fullmatch(r"[-+.\deE]+", text, re.ASCII):
            rounded = found.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)
            if abs(rounded) < Decimal(10) ** (precision - scale):
                return f"{rounded:f}"
    raise _Refused(f"Cannot cast input json to DECIMAL({precision},{scale})")


def _varchar(value: Json, kind: SqlType) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = _scientific(float(value)) if isinstance(value, FloatText) else str(value)
    return text[: kind.numbers[0]] if kind.numbers else text


def _scientific(value: float) -> str:
    """Write a double as Trino casts it to varchar: 1.0E0.

    >>> [_scientific(x) for x in (1.0, -123.45, 0.0, 1e-7)]
    ['1.0E0', '-1.2345E2', '0E0', '1.0E-7']
    """
    if value == 0:
        return "-0E0" if math.copysign(1, value) < 0 else "0E0"
    digits, _, exponent = repr(Decimal(repr(value)).normalize())[9:-2].partition("E")
    sign, plain = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    whole, _, fraction = plain.partition(".")
    power = int(exponent or 0) + len(whole) - 1
    if whole == "0" and fraction:
        power = -1 - (len(fraction) - len(fraction.lstrip("0")))
    found = (whole + fraction).strip("0") or "0"
    return f"{sign}{found[0]}.{found[1:] or '0'}E{power}"


_SCALARS: dict[str, Callable[[Json, SqlType], object]] = {
    "boolean": _boolean,
    "double": _double,
    "real": _double,
    "decimal": _decimal,
    "varchar": _varchar,
}


def render_typed(value: Json, kind: SqlType) -> str:
    """Write DuckDB's JSON of a value of a type as Trino's cast to JSON writes it."""
    if value is None:
        return "null"
    match kind.name:
        case "array" if isinstance(value, list):
            return f"[{','.join(render_typed(each, kind.parts[0]) for each in value)}]"
        case "map" if isinstance(value, Members):
            return _render_map(value, kind)
        case "row" if isinstance(value, Members | list):
            parts = value if isinstance(value, list) else [each for _, each in value]
            pairs = zip(_names(kind), parts, kind.parts, strict=True)
            inner = (f"{quote(name)}:{render_typed(each, part)}" for name, each, part in pairs)
            return f"{{{','.join(inner)}}}"
        case "json":
            return write(value)
        case _:
            return _render_scalar(value, kind)


def _names(kind: SqlType) -> tuple[str, ...]:
    """Give a row's field names; those that DuckDB and sqlglot number have none."""
    numbers = range(len(kind.parts))
    made = (tuple(f"_{n}" for n in numbers), tuple(f"field{n}" for n in numbers))
    return ("",) * len(kind.parts) if kind.fields in ((), *made) else kind.fields


def _render_map(value: Members, kind: SqlType) -> str:
    key, item = kind.parts
    if key.name not in _KEYS:
        _uncastable(kind)
    names = [name if key.name == "varchar" else _key(name, key) for name, _ in value]
    pairs = sorted(zip(names, (each for _, each in value), strict=True), key=lambda pair: pair[0])
    inner = (f"{quote(name)}:{render_typed(each, item)}" for name, each in pairs)
    return f"{{{','.join(inner)}}}"


def _key(name: str, kind: SqlType) -> str:
    if kind.name in {"double", "real"}:
        return _render_scalar(FloatText(name), kind).strip('"')
    return name


def _render_scalar(value: Json, kind: SqlType) -> str:
    text = str(value)
    match kind.name:
        case "double" | "real":
            found = _render_float(float(text), kind)
        case "timestamp":
            found = quote(_millis(text))
        case "boolean":
            found = text.lower()
        case "decimal":
            with localcontext() as context:
                context.prec = _WIDEST
                unit = Decimal(1).scaleb(-(*kind.numbers, 0)[1])
                found = f"{Decimal(text).quantize(unit):f}"
        case "tinyint" | "smallint" | "integer" | "bigint":
            found = text
        case "varchar" | "date":
            found = quote(text)
        case _:
            _uncastable(kind)
    return found


def _render_float(value: float, kind: SqlType) -> str:
    if not math.isfinite(value):
        return quote(render_double(value))
    return render_double(value) if kind.name == "double" else render_real(value)


def _uncastable(kind: SqlType) -> NoReturn:
    raise AthenaFailure("TYPE_MISMATCH", f"Cannot cast {kind.trino()} to json")


def _millis(text: str) -> str:
    day, _, fraction = text.partition(".")
    return f"{day}.{fraction[:3]:0<3}"
