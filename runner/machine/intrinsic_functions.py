"""What each intrinsic function does (Step Functions guide, "Intrinsic functions").

Arguments come evaluated; literal strings come as `Escaped`, because States.Format tells an
escaped brace from a place to fill.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from runner.machine.chance import seeded_random, uuid_of
from runner.machine.hashes import hexadecimal
from runner.machine.shaping import compact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.machine.templates import Env
    from runner.model.ports import Json

_MOST_ITEMS = 1000
_MOST_TEXT = 10_000
_LEAST_PLAIN = 1e-3
_LEAST_LARGE = 1e7
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LINES = re.compile(r"\r?\n")
_PLACE = re.compile(r"\\(.)|\{\}", re.DOTALL)


class IntrinsicFailure(Exception):
    """The arguments do not suit the function."""


@dataclass(frozen=True, slots=True)
class Escaped:
    r"""A literal string as written: `\'`, `\{`, `\}`, `\\` are escapes."""

    raw: str

    def plain(self) -> str:
        """Resolve the escapes."""
        return _ESCAPE.sub(r"\1", self.raw)


def _plain(value: Json) -> Json:
    return value.plain() if isinstance(value, Escaped) else value


def _arguments(values: list[Json], least: int, most: int | None = None) -> list[Json]:
    most = least if most is None else most
    if not least <= len(values) <= most:
        raise IntrinsicFailure(f"Invalid number of arguments: {len(values)}")
    return [_plain(value) for value in values]


def _array(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise IntrinsicFailure(f"expected an array but was {compact(value)}")
    return value


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise IntrinsicFailure(f"expected a string but was {compact(value)}")
    return value


def _number(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise IntrinsicFailure(f"expected a number but was {compact(value)}")
    return value


def _whole(value: Json) -> int:
    """Round half up, as AWS does with arguments that are no whole numbers."""
    number = _number(value)
    if isinstance(number, int):
        return number
    if not math.isfinite(number):
        raise IntrinsicFailure(f"expected a number but was {compact(value)}")
    return math.floor(number + 0.5)


def _format(_env: Env, values: list[Json]) -> Json:
    if not values:
        raise IntrinsicFailure("Invalid number of arguments: 0")
    template = values[0]
    raw = template.raw if isinstance(template, Escaped) else _text(template)
    rest = iter(values[1:])
    count = sum(1 for match in _PLACE.finditer(raw) if match[1] is None)
    if count != len(values) - 1:
        raise IntrinsicFailure("number of arguments does not match the occurrences of {}")
    return _PLACE.sub(lambda match: match[1] or _shown(_plain(next(rest))), raw)


def _shown(value: Json) -> str:
    """Write a value as Java does: objects and arrays as maps and lists, strings without quotes."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}={_shown(member)}' for key, member in value.items())}}}"
    return java_double(value) if isinstance(value, float) else compact(value)


def java_double(value: float) -> str:
    """Write a number that is not an integer as Java does.

    >>> java_double(12.5), java_double(1e7), java_double(-1.5e-5), java_double(123456789.5)
    ('12.5', '1.0E7', '-1.5E-5', '1.234567895E8')
    """
    size = abs(value)
    if value == 0 or _LEAST_PLAIN <= size < _LEAST_LARGE or not math.isfinite(value):
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    first, rest = digits[0], "".join(map(str, digits[1:])) or "0"
    power = int(exponent) + len(digits) - 1
    return f"{'-' if sign else ''}{first}.{rest}E{power}"


def _string_to_json(_env: Env, values: list[Json]) -> Json:
    (text,) = _arguments(values, 1)
    if text is None or not _text(text).strip():
        return None
    try:
        return json.loads(_text(text), parse_constant=_no_json)
    except (ValueError, RecursionError) as error:
        raise IntrinsicFailure(f"Unable to parse the text as JSON: {error}") from error


def _no_json(word: str) -> Json:
    raise IntrinsicFailure(f"Unable to parse the text as JSON: {word}")


def _json_to_string(_env: Env, values: list[Json]) -> Json:
    (value,) = _arguments(values, 1)
    return _written(value)


def _written(value: Json) -> str:
    """Write JSON as Java does, which has another form of large and small numbers."""
    text = compact(value)
    return text if _is_plain(value) else _NUMERAL.sub(_java_numeral, text)


def _is_plain(value: Json) -> bool:
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return not isinstance(value, float) or java_double(value) == repr(value)


_NUMERAL = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:e[-+]?\d+)?')


def _java_numeral(token: re.Match[str]) -> str:
    text = token[0]
    is_float = text[0] != '"' and ("." in text or "e" in text)
    return java_double(float(text)) if is_float else text


def _make_array(_env: Env, values: list[Json]) -> Json:
    return [_plain(value) for value in values]


def _partition(_env: Env, values: list[Json]) -> Json:
    items, size = _arguments(values, 2)
    whole, length = _array(items), _whole(size)
    if length < 1:
        raise IntrinsicFailure("the chunk size must be a positive number")
    return [whole[start : start + length] for start in range(0, len(whole), length)]


def _contains(_env: Env, values: list[Json]) -> Json:
    items, wanted = _arguments(values, 2)
    return any(_same(item, wanted) for item in _array(items))


def _same(left: Json, right: Json) -> bool:
    return bool(left == right) and isinstance(left, bool) is isinstance(right, bool)


def _range(_env: Env, values: list[Json]) -> Json:
    first, last, step = (_whole(value) for value in _arguments(values, 3))
    if step == 0:
        raise IntrinsicFailure("the increment must not be 0")
    made = range(first, last + (1 if step > 0 else -1), step)
    if (last - first) // step >= _MOST_ITEMS:
        raise IntrinsicFailure(f"the range has more than {_MOST_ITEMS} items")
    return list(made)


def _item(_env: Env, values: list[Json]) -> Json:
    items, index = _arguments(values, 2)
    position = _whole(index)
    whole = _array(items)
    if not 0 <= position < len(whole):
        raise IntrinsicFailure(f"index {position} is outside the array")
    return whole[position]


def _length(_env: Env, values: list[Json]) -> Json:
    (items,) = _arguments(values, 1)
    return len(_array(items))


def _unique(_env: Env, values: list[Json]) -> Json:
    (items,) = _arguments(values, 1)
    kept: dict[str, Json] = {}
    for item in _array(items):
        kept.setdefault(json.dumps(item, sort_keys=True), item)
    return list(kept.values())


def _encode(_env: Env, values: list[Json]) -> Json:
    (text,) = _arguments(values, 1)
    return base64.b64encode(_short(text).encode(errors="replace")).decode()


def _decode(_env: Env, values: list[Json]) -> Json:
    (text,) = _arguments(values, 1)
    try:
        letters = _LINES.sub("", _short(text))
        return base64.b64decode(letters, validate=True).decode(errors="replace")
    except (binascii.Error, ValueError) as error:
        raise IntrinsicFailure(f"Unable to decode the text: {error}") from error


def _short(text: Json) -> str:
    if len(_text(text)) > _MOST_TEXT:
        raise IntrinsicFailure(f"the text is longer than {_MOST_TEXT} characters")
    return _text(text)


def _hash(_env: Env, values: list[Json]) -> Json:
    data, algorithm = _arguments(values, 2)
    found = hexadecimal(_short(data if isinstance(data, str) else _written(data)), algorithm)
    if found is None:
        raise IntrinsicFailure(f"{algorithm} is not a hash algorithm")
    return found


def _merge(_env: Env, values: list[Json]) -> Json:
    first, second, deep = _arguments(values, 3)
    if not isinstance(first, dict) or not isinstance(second, dict):
        raise IntrinsicFailure("both values must be objects")
    if deep is not False:
        raise IntrinsicFailure("only a shallow merge is supported: the third argument is false")
    return {**first, **second}


def _random(env: Env, values: list[Json]) -> Json:
    arguments = [_whole(value) for value in _arguments(values, 2, 3)]
    random = seeded_random(arguments[2]) if len(arguments) > 2 else env.make_random()  # noqa: PLR2004
    first, end = arguments[0], arguments[1]
    if end <= first:
        raise IntrinsicFailure("the end must be greater than the start")
    return random.randrange(first, end)


def _add(_env: Env, values: list[Json]) -> Json:
    left, right = _arguments(values, 2)
    return _whole(left) + _whole(right)


def _split(_env: Env, values: list[Json]) -> Json:
    text, splitter = (_text(value) for value in _arguments(values, 2))
    if not splitter:
        return [text]
    found = re.split("[" + re.escape(splitter) + "]", text)
    return [part for part in found if part]


def _uuid(env: Env, values: list[Json]) -> Json:
    _arguments(values, 0)
    return uuid_of(env.make_random())


FUNCTIONS: Mapping[str, Callable[[Env, list[Json]], Json]] = {
    "Array": _make_array,
    "ArrayContains": _contains,
    "ArrayGetItem": _item,
    "ArrayLength": _length,
    "ArrayPartition": _partition,
    "ArrayRange": _range,
    "ArrayUnique": _unique,
    "Base64Decode": _decode,
    "Base64Encode": _encode,
    "Format": _format,
    "Hash": _hash,
    "JsonMerge": _merge,
    "JsonToString": _json_to_string,
    "MathAdd": _add,
    "MathRandom": _random,
    "StringSplit": _split,
    "StringToJson": _string_to_json,
    "UUID": _uuid,
}
