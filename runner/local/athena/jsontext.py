"""JSON text as Trino reads and writes it: numbers keep their text, members their order.

In: JSON text.  Out: values (`Members` for objects, lists, `IntText`, `FloatText`, str, bool,
None) and text again; text that is not JSON raises `JsonError`.
"""

from __future__ import annotations

import math
import re
from json.decoder import JSONDecoder
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Final, TypeAlias

from runner.local.athena.render import render_double

if TYPE_CHECKING:
    from collections.abc import Iterator


class JsonError(ValueError):
    """Text that is not JSON, or not as far as it was read."""


class IntText(str):
    """A number without fraction and exponent, as it was written."""

    __slots__ = ()


class FloatText(str):
    """A number with a fraction or an exponent, as it was written."""

    __slots__ = ()


class Members(tuple[tuple[str, "Json"], ...]):
    """An object's members in the order of the text, doubles included."""

    __slots__ = ()


Json: TypeAlias = "Members | list[Json] | IntText | FloatText | str | bool | None"


class Missing:
    """What a path finds where nothing is."""


MISSING: Final = Missing()
_ESCAPED = re.compile(r'["\\\x00-\x1f]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f"}
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_BLANK = re.compile(r"[ \t\n\r]*")


def _no_constant(text: str) -> Json:
    raise JsonError(text)


_STRICT = JSONDecoder(
    object_pairs_hook=Members,
    parse_float=FloatText,
    parse_int=IntText,
    parse_constant=_no_constant,
)
_LENIENT = JSONDecoder(
    object_pairs_hook=Members, parse_float=FloatText, parse_int=IntText, parse_constant=FloatText
)


def scan(text: str, start: int = 0, *, constants: bool = False) -> tuple[Json, int]:
    """Read one value and give where it ends; `constants` allows NaN and Infinity."""
    decoder = _LENIENT if constants else _STRICT
    try:
        value, end = decoder.raw_decode(text, skip(text, start))
    except (ValueError, RecursionError) as error:
        raise JsonError(str(error)) from error
    is_bare = not isinstance(value, Members | list) and text[end - 1] != '"'
    if is_bare and end < len(text) and text[end] not in " \t\n\r,]}:":
        raise JsonError(f"unexpected character at {end}")
    return value, end


def parse(text: str, *, constants: bool = False) -> Json:
    """Read text that holds one value and nothing else.

    >>> parse('{"a": [1.50, null]}')
    (('a', ['1.50', None]),)
    """
    value, end = scan(text, constants=constants)
    if skip(text, end) != len(text):
        raise JsonError(f"unexpected character at {end}")
    return value


def skip(text: str, start: int) -> int:
    """Give the place of the first character that is not blank."""
    found = _BLANK.match(text, start)
    return found.end() if found else start


def char_at(text: str, place: int) -> str:
    """Give a character; raises JsonError at the text's end."""
    if place >= len(text):
        raise JsonError("unexpected end of input")
    return text[place]


def elements(text: str, start: int) -> Iterator[int]:
    """Give where each element of the array at `start` begins, reading no further than asked."""
    place = skip(text, start + 1)
    if char_at(text, place) == "]":
        return
    while True:
        yield place
        place = skip(text, scan(text, place)[1])
        if _closes(text, place, "]"):
            return
        place = skip(text, place + 1)


def members(text: str, start: int) -> Iterator[tuple[str, int]]:
    """Give each member's name and where its value begins, reading no further than asked."""
    place = skip(text, start + 1)
    if char_at(text, place) == "}":
        return
    while True:
        name, end = scan(text, place)
        if text[place] != '"' or not isinstance(name, str):
            raise JsonError(f"unexpected character at {place}")
        place = skip(text, end)
        if char_at(text, place) != ":":
            raise JsonError(f"unexpected character at {place}")
        place = skip(text, place + 1)
        yield name, place
        place = skip(text, scan(text, place)[1])
        if _closes(text, place, "}"):
            return
        place = skip(text, place + 1)


def _closes(text: str, place: int, bracket: str) -> bool:
    found = char_at(text, place)
    if found not in {",", bracket}:
        raise JsonError(f"unexpected character at {place}")
    return found == bracket


def quote(text: str) -> str:
    r"""Write a string.

    >>> quote('a"\x1f')
    '"a\\"\\u001F"'
    """
    found = encode_basestring(text)
    if "\\u00" in found:  # it may be a control character, whose digits Java writes in capitals
        found = f'"{_ESCAPED.sub(lambda match: _escape(match[0]), text)}"'
    return found if found.isascii() else _ASTRAL.sub(_pair, found)


def _pair(match: re.Match[str]) -> str:
    """Write a character that UTF-16 has two units for, as Java does."""
    high, low = divmod(ord(match[0]) - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04X}\\u{0xDC00 + low:04X}"


def _escape(char: str) -> str:
    return "\\r" if char == "\r" else _ESCAPES.get(char) or f"\\u{ord(char):04X}"


def write(value: Json, *, ordered: bool = False) -> str:
    """Write a value without blanks; `ordered` sorts members, of which the last of a name counts.

    >>> write(parse('{"b": 1e2, "a": [true, null]}'), ordered=True)
    '{"a":[true,null],"b":100.0}'
    """
    if isinstance(value, Members):
        pairs = sorted(dict(value).items()) if ordered else value
        inner = [f"{quote(name)}:{write(each, ordered=ordered)}" for name, each in pairs]
        return f"{{{','.join(inner)}}}"
    if isinstance(value, list):
        return f"[{','.join([write(each, ordered=ordered) for each in value])}]"
    return "null" if value is None else write_scalar(value)


def write_scalar(value: Json) -> str:
    """Write a value that has no parts."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, IntText):
        return "0" if value == "-0" else str(value)
    if not isinstance(value, FloatText):
        return quote(str(value))
    number = float(value)
    return quote(render_double(number)) if math.isinf(number) else render_double(number)
