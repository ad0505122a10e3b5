r"""Athena's DDL is Hive's: its strings, names, types, properties and partition specifications.

In: a statement.  Out: a `Cursor` over tokens whose strings may hold `\"`, and functions that take
the pieces that several statements share.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.local.athena.errors import AthenaFailure, DdlFailure
from runner.local.athena.lexer import Token
from runner.local.athena.reserved import refuse_name
from runner.local.athena.session import Cursor, Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.local.athena.tables import Field, TableInfo

_TOKEN = re.compile(
    r"""
    (?P<skip>\s+|--[^\n]*|/\*.*?\*/)
  | (?P<string>(?:'(?:[^'\\]|\\.)*')+|(?:"(?:[^"\\]|\\.)*")+)
  | (?P<quoted>`(?:[^`]|``)*`)
  | (?P<word>\w*[^\W\d]\w*)
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([01][0-7]{2})|(.))", re.DOTALL)
_LETTERS = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}
_KEPT = ("%", "_")
_PLAIN_TYPES = frozenset(
    {"boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal", "char"}
    | {"varchar", "string", "binary", "date", "timestamp", "array", "map", "struct"}
)
CATALOG = "awsdatacatalog"
_WITH_DATABASE = 2
_SYNONYMS = {"integer": "int"}


def open_cursor(statement: Statement) -> Cursor:
    """Read a statement anew, with Hive's strings."""
    tokens = tuple(
        Token(match.lastgroup or "mark", match.group(), match.start(), match.end())
        for match in _TOKEN.finditer(statement.sql)
        if match.lastgroup != "skip"
    )
    return Cursor(Statement(statement.sql, tokens))


def unescape(text: str) -> str:
    r"""Read the escapes of a Hive string, as Hive does: `\%` and `\_` stay as they are.

    >>> unescape(r"\t"), unescape(r"\001"), unescape(r"\\d+\(\%")
    ('\t', '\x01', '\\d+(\\%')
    """

    def read(match: re.Match[str]) -> str:
        code, octal, letter = match.groups()
        if code or octal:
            return chr(int(code, 16) if code else int(octal, 8))
        return match[0] if letter in _KEPT else _LETTERS.get(letter, letter)

    return _ESCAPE.sub(read, text)


def take_text(cursor: Cursor) -> str:
    """Take a string's value."""
    token = cursor.peek()
    if token is None or token.kind != "string":
        raise cursor.fault("Expecting: <string>")
    return read_string(cursor.take().text)


def read_string(text: str) -> str:
    r"""Give the value of a string token; strings that touch are one, as in Hive.

    >>> read_string(r"'it\'s'"), read_string("'a''b'")
    ("it's", 'ab')
    """
    quote = text[0]
    pieces = re.findall(rf"{quote}((?:[^{quote}\\]|\\.)*){quote}", text, re.DOTALL)
    return "".join(unescape(piece) for piece in pieces)


def take_value(cursor: Cursor) -> str:
    """Take a string's value, or a number or word as it is written."""
    token = cursor.peek()
    if token is None or token.kind == "string":
        return take_text(cursor)
    sign = "-" if cursor.accept("-") else ""
    token = cursor.take()
    if token.kind not in {"number", "word"}:
        raise cursor.fault("Expecting: <value>")
    return sign + token.text


def take_name(cursor: Cursor) -> str:
    """Take an identifier; a name between double quotes is one, too."""
    token = cursor.peek()
    if token is not None and token.kind == "string" and token.text.startswith('"'):
        return cursor.take().text[1:-1].lower()
    if token is not None:
        refuse_name(token, cursor.sql, of_queries=cursor.of_queries)
    return cursor.name()


def take_table(cursor: Cursor, database: str) -> tuple[str, str]:
    """Take a table's name: `db.t`, or both between one pair of backticks."""
    parts = [take_name(cursor)]
    while cursor.accept("."):
        parts.append(take_name(cursor))
    if len(parts) == 1:
        parts = parts[0].split(".")
    if len(parts) > _WITH_DATABASE:
        check_catalog(parts[0])
    return (parts[-2] if len(parts) > 1 else database), parts[-1]


def check_catalog(name: str) -> None:
    """Raise AthenaFailure for a catalogue that is not there; there is only Glue's."""
    if name.lower() == CATALOG:
        return
    kind, colon, function = name.partition(":")
    if colon and kind.lower() == "lambda":
        raise AthenaFailure(
            "GENERIC_USER_ERROR",
            "Encountered an exception[com.amazonaws.services.lambda.model."
            f"ResourceNotFoundException] from your LambdaFunction[{function}] executed in "
            f"context[retrieving meta-data] with message[Function not found: {function}]",
        )
    raise AthenaFailure("CATALOG_NOT_FOUND", f"Catalog '{name}' does not exist")


def take_properties(cursor: Cursor) -> dict[str, str]:
    """Take `('name' = 'value', ...)`."""
    return _take_pairs(cursor, take_text)


def _take_pairs(cursor: Cursor, take_key: Callable[[Cursor], str]) -> dict[str, str]:
    cursor.expect("(")
    found: dict[str, str] = {}
    while True:
        name = take_key(cursor)
        cursor.expect("=")
        found[name] = take_value(cursor)
        if cursor.accept(")"):
            return found
        cursor.expect(",")


def take_names(cursor: Cursor) -> list[str]:
    """Take `(a, b, ...)`."""
    cursor.expect("(")
    found = [take_name(cursor)]
    while cursor.accept(","):
        found.append(take_name(cursor))
    cursor.expect(")")
    return found


def take_columns(cursor: Cursor) -> list[dict[str, str]]:
    """Take `(name type [COMMENT 'text'], ...)` as Glue's columns."""
    cursor.expect("(")
    found = [take_column(cursor)]
    while cursor.accept(","):
        found.append(take_column(cursor))
    cursor.expect(")")
    return found


def take_column(cursor: Cursor) -> dict[str, str]:
    """Take `name type [COMMENT 'text']`."""
    made = {"Name": take_name(cursor), "Type": take_type(cursor)}
    if cursor.accept("COMMENT"):
        made["Comment"] = take_text(cursor)
    return made


def take_type(cursor: Cursor) -> str:
    """Take a type, as the catalogue writes it; raises AthenaFailure for one that is unknown."""
    token = cursor.peek()
    word = token.text.lower() if token is not None else ""
    name = _SYNONYMS.get(word, word)
    if name not in _PLAIN_TYPES:
        raise cursor.fault("Expecting: <type>")
    cursor.take()
    if name in {"array", "map"}:
        cursor.expect("<")
        parts = [take_type(cursor)]
        if name == "map":
            cursor.expect(",")
            parts.append(take_type(cursor))
        cursor.expect(">")
        return f"{name}<{','.join(parts)}>"
    if name == "struct":
        return f"struct<{_fields(cursor)}>"
    return name + _numbers(cursor, name)


def _fields(cursor: Cursor) -> str:
    cursor.expect("<")
    found = []
    while True:
        name = cursor.name()
        cursor.expect(":")
        found.append(f"{name}:{take_type(cursor)}")
        if cursor.accept("COMMENT"):
            take_text(cursor)
        if cursor.accept(">"):
            return ",".join(found)
        cursor.expect(",")


def _numbers(cursor: Cursor, name: str) -> str:
    if name not in {"decimal", "char", "varchar"} or not cursor.accept("("):
        return "(10,0)" if name == "decimal" else ""
    found = [cursor.take().text]
    while cursor.accept(","):
        found.append(cursor.take().text)
    cursor.expect(")")
    if name == "decimal" and len(found) == 1:
        found.append("0")
    return f"({','.join(found)})"


def take_spec(cursor: Cursor, table: TableInfo) -> list[str]:
    """Take `(dt = '2013-01-01', n = 1)`; gives the values in the order of the table's keys."""
    return in_order(_take_pairs(cursor, take_name), table.keys)


def in_order(given: dict[str, str], keys: Sequence[Field]) -> list[str]:
    """Put a specification's values in the order of the keys; it must name just these."""
    names = [key.name for key in keys]
    for name in given:
        if name not in names:
            raise DdlFailure(
                "SemanticException [Error 10098]: Non-Partition column appears in the partition "
                f"specification:  {name}"
            )
    missing = [name for name in names if name not in given]
    if missing:
        raise DdlFailure(
            "SemanticException [Error 10006]: Partition not found, the specification has no "
            f"value of: {', '.join(missing)}"
        )
    return [given[name] for name in names]
