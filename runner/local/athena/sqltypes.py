"""Types in three dialects: Hive's (the catalogue), Trino's (Athena's SQL), DuckDB's.

In: a type's text in any of the three.  Out: a `SqlType`, which writes itself in each.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_NAMES = {
    "int": "integer",
    "int4": "integer",
    "signed": "integer",
    "string": "varchar",
    "text": "varchar",
    "float": "real",
    "binary": "varbinary",
    "blob": "varbinary",
    "struct": "row",
    "tuple": "row",
    "list": "array",
    "hugeint": "bigint",
    "uhugeint": "bigint",
    "ubigint": "bigint",
    "uinteger": "bigint",
    "usmallint": "integer",
    "utinyint": "smallint",
    "bool": "boolean",
    "timestamp_s": "timestamp",
    "timestamp_ms": "timestamp",
    "timestamp_ns": "timestamp",
    "timestamptz": "timestamp with time zone",
    "timetz": "time with time zone",
    "string_literal": "varchar",
    "integer_literal": "integer",
    "numeric": "decimal",
    '"null"': "unknown",
    "null": "unknown",
    "void": "unknown",
}
_HIVE = {"integer": "int", "varchar": "string", "real": "float", "varbinary": "binary"}
_DUCK = {
    "varbinary": "BLOB",
    "char": "VARCHAR",
    "real": "FLOAT",
    "unknown": "INTEGER",
    "uuid": "UUID",
    "ipaddress": 'STRUCT("__ipaddress" BLOB)',
}
_TOKEN = re.compile(r'\s*("(?:[^"]|"")*"|`[^`]*`|[\w$]+|\[\]|.)', re.DOTALL)
_TWO = 2
_SECOND_WORDS = {
    "double": ("precision",),
    "interval": ("day", "year"),
    "time": ("with", "without"),
    "timestamp": ("with", "without"),
}
"""How types of several words go on: no field's name stands there."""
_INTEGERS = ("tinyint", "smallint", "integer", "bigint")


class SqlType(NamedTuple):
    """A type: its Trino name, numbers such as precision, and element types with field names."""

    name: str
    numbers: tuple[int, ...] = ()
    parts: tuple[SqlType, ...] = ()
    fields: tuple[str, ...] = ()

    def trino(self) -> str:
        """Write it as Athena's messages and typeof() do."""
        if self.name == "row":
            names = self.fields or ("",) * len(self.parts)
            inner = (f"{f} {p.trino()}".strip() for f, p in zip(names, self.parts, strict=True))
            return f"row({', '.join(inner)})"
        if self.name == "timestamp":
            return "timestamp(3)"
        if self.name == "timestamp with time zone":
            return "timestamp(3) with time zone"
        return self._call("(", ", ", ")", [part.trino() for part in self.parts])

    def hive(self) -> str:
        """Write it as the catalogue does."""
        if self.name == "row":
            inner = (f"{name}:{part.hive()}" for name, part in self._named())
            return f"struct<{','.join(inner)}>"
        if self.parts:
            return f"{self.name}<{','.join(part.hive() for part in self.parts)}>"
        if self.name in {"varchar", "char"} and self.numbers:
            return f"{self.name}({self.numbers[0]})"
        if self.name == "decimal":
            return f"decimal({','.join(str(n) for n in self.numbers or (10, 0))})"
        return _HIVE.get(self.name, self.name)

    def duck(self) -> str:
        """Write it as DuckDB does; lengths of character types are dropped."""
        if self.name == "row":
            inner = (
                f'"{name}" {part.duck()}'
                for name, part in self._named()  # DuckDB needs names
            )
            return f"STRUCT({', '.join(inner)})"
        if self.name == "array":
            return f"{self.parts[0].duck()}[]"
        if self.name in {"varchar", "char"}:
            return "VARCHAR"
        text = self._call("(", ", ", ")", [part.duck() for part in self.parts])
        return _DUCK.get(self.name, text.upper() if not self.parts else "MAP" + text[3:])

    def athena(self) -> str:
        """Name it as GetQueryResults does in ColumnInfo.Type."""
        return "float" if self.name == "real" else self.name

    def _named(self) -> list[tuple[str, SqlType]]:
        names = self.fields or tuple(f"field{n}" for n in range(len(self.parts)))
        return list(zip(names, self.parts, strict=True))

    def _call(self, left: str, comma: str, right: str, parts: list[str]) -> str:
        inner = parts or [str(number) for number in self.numbers]
        return f"{self.name}{left}{comma.join(inner)}{right}" if inner else self.name


@lru_cache(maxsize=1024)
def parse_type(text: str) -> SqlType:
    """Read a type in Hive's, Trino's or DuckDB's syntax; raises ValueError.

    >>> parse_type("array<struct<a:int,b:string>>").duck()
    'STRUCT("a" INTEGER, "b" VARCHAR)[]'
    >>> parse_type("DECIMAL(18,3)[]").trino()
    'array(decimal(18, 3))'
    """
    reader = _Reader([token for token in _TOKEN.findall(text.strip()) if token.strip()])
    found = reader.read()
    if reader.tokens:
        raise ValueError(f"{text!r} is not a type")
    return found


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens

    def read(self) -> SqlType:
        if not self.tokens:
            raise ValueError("a type ends too early")
        word = self.tokens.pop(0).lower()
        name = _NAMES.get(word, word)
        if name == "double" and self._peek() == "precision":
            self.tokens.pop(0)
        if name == "interval" and self._peek() in {"day", "year"}:
            name = " ".join([name, *(self.tokens.pop(0).lower() for _ in range(3))])
        found = self._opened(name) if self._peek() in {"(", "<"} else SqlType(name)
        if self._peek() in {"with", "without"}:
            zone = self.tokens[0].lower() == "with"
            del self.tokens[:3]
            found = SqlType(f"{name} with time zone") if zone else SqlType(name)
        if found.name == "decimal" and not found.numbers:
            found = SqlType("decimal", (38, 0) if word == "decimal" else (18, 3))
        if found.name == "timestamp" or found.name.startswith("time"):
            found = SqlType(found.name)
        if found.fields == ("__ipaddress",):
            found = SqlType("ipaddress")
        while self._peek() == "[" or self._peek() == "[]":
            while self.tokens.pop(0) not in {"]", "[]"}:
                pass
            found = SqlType("array", (), (found,))
        return found

    def _peek(self) -> str:
        return self.tokens[0].lower() if self.tokens else ""

    def _opened(self, name: str) -> SqlType:
        self.tokens.pop(0)
        numbers: list[int] = []
        parts: list[SqlType] = []
        fields: list[str] = []
        while self._peek() not in {")", ">", ""}:
            if self._peek() == ",":
                self.tokens.pop(0)
            elif self._peek().isdigit():
                numbers.append(int(self.tokens.pop(0)))
            else:
                if name == "row" and self._field_follows():
                    fields.append(self.tokens.pop(0).strip('"`').lower())
                    if self._peek() == ":":
                        self.tokens.pop(0)
                parts.append(self.read())
        if not self.tokens:
            raise ValueError("a bracket is never closed")
        self.tokens.pop(0)
        return SqlType(name, tuple(numbers), tuple(parts), tuple(fields))

    def _field_follows(self) -> bool:
        following = self.tokens[1] if len(self.tokens) >= _TWO else ")"
        if following in {",", ")", "(", "<", ">", "[]", "["}:
            return False
        return following.lower() not in _SECOND_WORDS.get(self._peek(), ())


def coerces(source: SqlType, target: SqlType) -> bool:
    """Tell whether Trino casts a value by itself when it is inserted."""
    if source == target or source.name == "unknown":
        return True
    if source.name in _INTEGERS:
        wider = _INTEGERS[_INTEGERS.index(source.name) :]
        return target.name in {*wider, "decimal", "real", "double"}
    if source.parts:
        return (
            source.name == target.name
            and len(source.parts) == len(target.parts)
            and all(coerces(a, b) for a, b in zip(source.parts, target.parts, strict=True))
        )
    return target.name in {
        "decimal": {"decimal", "real", "double"},
        "real": {"real", "double"},
        "varchar": {"varchar", "char"},
        "char": {"varchar", "char"},
        "date": {"timestamp", "timestamp with time zone"},
        "json": {"varchar"},
    }.get(source.name, {source.name})
