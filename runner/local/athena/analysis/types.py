"""Trino's types, as the analysis of a query works them out and as Trino's messages write them.

A number that is not known (the length of `replace(...)`) is None; a type that is not known to us
is `UNSURE`, and whatever depends on it is not judged.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple


class Type(NamedTuple):
    """A type: its base, numbers such as precision, element types, and names of a row's fields."""

    name: str
    numbers: tuple[int | None, ...] = ()
    parts: tuple[Type, ...] = ()
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Write it as Trino's messages do: `map(integer, varchar(1))`."""
        return self._text(", ")

    def signature(self) -> str:
        """Write it as Trino lists the arguments of calls: `map(integer,varchar(1))`."""
        return self._text(",")

    def _text(self, comma: str) -> str:
        if self.parts:
            names = self.fields or ("",) * len(self.parts)
            pairs = zip(names, self.parts, strict=True)
            # Names of fields are written as they were given; only rows have them.
            inner = comma.join(
                f"{name} {part._text(comma)}".strip()  # noqa: SLF001 - of the same class
                for name, part in pairs
            )
            return f"{self.name}({inner})"
        base, _, zone = self.name.replace(_UNSURE, "unknown").partition(" with ")
        numbers = [str(number) for number in self.numbers if number is not None]
        inner = f"({','.join(numbers)})" if numbers else ""
        return f"{base}{inner}{' with ' + zone if zone else ''}"

    def is_sure(self) -> bool:
        """Tell whether the type is known, all parts of it."""
        return self.name != _UNSURE and all(part.is_sure() for part in self.parts)


_UNSURE = "?"
UNSURE = Type(_UNSURE)
UNKNOWN = Type("unknown")
"""The type of NULL."""
BOOLEAN, INTEGER, BIGINT, DOUBLE = Type("boolean"), Type("integer"), Type("bigint"), Type("double")
JSON = Type("json")
VARCHAR, VARBINARY, DATE = Type("varchar"), Type("varbinary"), Type("date")
DAYS, MONTHS = Type("interval day to second"), Type("interval year to month")
FUNCTION = Type("<function>")
INTEGERS = ("tinyint", "smallint", "integer", "bigint")
NUMBERS = frozenset({*INTEGERS, "decimal", "real", "double"})
ZONED_TIMESTAMP, TIMESTAMP = "timestamp with time zone", "timestamp"
ZONED_TIME, TIME = "time with time zone", "time"
_SIMPLE = frozenset(
    {
        *NUMBERS - {"decimal"},
        *("boolean", "varbinary", "date", "json", "uuid", "ipaddress", "unknown"),
        *("interval day to second", "interval year to month"),
        *("hyperloglog", "p4hyperloglog", "setdigest", "tdigest", "color"),
        *("jsonpath", "joniregexp", "codepoints"),
    }
)
_NAMES = {"int": "integer", "string": "varchar", "float": "real", "binary": "varbinary"}
_NAMES |= {"numeric": "decimal", "dec": "decimal", "bool": "boolean", "struct": "row"}
_MILLIS = 3
_DEFAULTS: dict[str, tuple[int, ...]] = {
    "decimal": (38, 0), "char": (1,), TIMESTAMP: (_MILLIS,), TIME: (_MILLIS,)
}  # fmt: skip
_WORDS = re.compile(r'"(?:[^"]|"")*"|`[^`]*`|[\w$]+|[(),<>:]')


def varchar(length: int | None) -> Type:
    """Make a text's type with a length."""
    return Type("varchar", (length,)) if length is not None else VARCHAR


def decimal(precision: int | None, scale: int | None) -> Type:
    """Make a decimal's type."""
    return Type("decimal", (precision, scale))


def array(element: Type) -> Type:
    """Make an array's type."""
    return Type("array", (), (element,))


def row(*parts: Type, fields: tuple[str, ...] = ()) -> Type:
    """Make a row's type."""
    return Type("row", (), parts, fields)


@lru_cache(maxsize=2048)
def read_type(text: str) -> Type:
    """Read a type in Trino's or Hive's syntax; UNSURE for what is none.

    >>> str(read_type("array<struct<a:int,b:string>>"))
    'array(row(a integer, b varchar))'
    """
    words = _WORDS.findall(text)
    try:
        found = _read(words)
    except (IndexError, ValueError):
        return UNSURE
    return UNSURE if words else found


def _read(words: list[str]) -> Type:
    name = words.pop(0).lower()
    name = _NAMES.get(name, name)
    if name == "double" and words[:1] and words[0].lower() == "precision":
        words.pop(0)
    if name == "interval":
        name = " ".join([name, *(words.pop(0).lower() for _ in range(3))])
    if name in {"array", "map", "row"}:
        return _nested(name, words)
    numbers: list[int] = []
    if words and words[0] == "(":
        while words.pop(0) != ")":
            numbers.append(int(words.pop(0)))
    if words[:1] and words[0].lower() in {"with", "without"} and name in {TIME, TIMESTAMP}:
        zone = words[0].lower() == "with"
        del words[:3]
        return Type(f"{name} with time zone" if zone else name, tuple(numbers) or (_MILLIS,))
    if name in _DEFAULTS or name == "varchar":
        return Type(name, _filled(name, numbers))
    return Type(name) if name in _SIMPLE and not numbers else UNSURE


def _filled(name: str, numbers: list[int]) -> tuple[int, ...]:
    if name == "decimal" and len(numbers) == 1:
        numbers = [*numbers, 0]
    return tuple(numbers) or _DEFAULTS.get(name, ())


def _nested(name: str, words: list[str]) -> Type:
    opening = words.pop(0)
    closing = {"(": ")", "<": ">"}[opening]
    parts: list[Type] = []
    fields: list[str] = []
    while True:
        if name == "row" and words[1] not in {",", "(", "<", closing}:
            fields.append(words.pop(0).strip('"`'))
            if words[0] == ":":
                words.pop(0)
        elif name == "row":
            fields.append("")
        parts.append(_read(words))
        if words.pop(0) == closing:
            break
    return Type(name, (), tuple(parts), tuple(fields) if any(fields) else ())
