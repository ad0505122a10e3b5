"""SQL/JSON functions, row by row: JSON_EXISTS, JSON_VALUE, JSON_QUERY, JSON_OBJECT, JSON_ARRAY.

Each takes its clauses as JSON text, made by `runner.local.athena.sqljson`.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.jsoncasts import cast_plain, render_typed
from runner.local.athena.jsontext import FloatText, IntText, JsonError, Members, parse, quote
from runner.local.athena.render import render_double
from runner.local.athena.sqljsonpath import read_path
from runner.local.athena.sqljsonvalue import Item, PathError, evaluate
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.udfs import Udf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.jsontext import Json

    _Options = dict[str, Any]

_RENDERED = frozenset(
    {"boolean", "tinyint", "smallint", "integer", "bigint", "real", "double", "decimal"}
    | {"varchar", "date", "timestamp"}
)
_options = lru_cache(maxsize=256)(json.loads)


class _Failed(Exception):
    """A failure that an ON ERROR clause may answer."""

    def __init__(self, code: str, message: str) -> None:
        self.failure = AthenaFailure(code, message)
        super().__init__(message)


def _read(text: str) -> Item:
    try:
        return _plain(parse(text))
    except JsonError as error:
        raise _Failed(
            "JSON_INPUT_CONVERSION_ERROR", f"conversion to JSON failed: {error}"
        ) from error


def _plain(value: Json) -> Item:
    match value:
        case Members():
            return {name: _plain(each) for name, each in value}
        case list():
            return [_plain(each) for each in value]
        case IntText():
            return int(value)
        case FloatText():
            return float(value)
        case _:
            return value


def _written(item: Item) -> str:
    match item:
        case dict():
            return f"{{{','.join(f'{quote(k)}:{_written(v)}' for k, v in item.items())}}}"
        case list():
            return f"[{','.join(map(_written, item))}]"
        case None | bool():
            return {None: "null", True: "true", False: "false"}[item]
        case float() if math.isfinite(item):
            return render_double(item)
        case Decimal() | int():
            return f"{item:f}" if isinstance(item, Decimal) else str(item)
        case _:
            return quote(item if isinstance(item, str) else render_double(item))


def _found(text: str, options: _Options, values: Sequence[str | None] | None) -> list[Item]:
    context = _read(text)
    parameters: dict[str, list[Item]] = {}
    given = zip(options["names"], options["formats"], values or (), strict=True)
    for name, is_json, value in given:
        if value is None:
            parameters[name] = [] if is_json else [None]
        else:
            parameters[name] = [_read(value)]
    try:
        return evaluate(read_path(options["path"]), context, parameters)
    except PathError as error:
        raise _Failed("PATH_EVALUATION_ERROR", f"path evaluation failed: {error}") from error


def json_exists(text: str | None, clauses: str, values: list[str | None] | None) -> bool | None:
    """Tell whether the path finds anything."""
    if text is None:
        return None
    options = _options(clauses)
    try:
        return bool(_found(text, options, values))
    except _Failed as error:
        if options["error"] == "ERROR":
            raise error.failure from error
        return {"TRUE": True, "FALSE": False}.get(options["error"])


def json_value(
    text: str | None,
    clauses: str,
    values: list[str | None] | None,
    empty: str | None,
    error: str | None,
) -> str | None:
    """Give the scalar found as text of its type, or one of the defaults."""
    if text is None:
        return None
    options = _options(clauses)
    try:
        items = _found(text, options, values)
        if not items:
            if options["empty"] == "ERROR":
                _no_scalar("JSON path found no items")
            return empty
        return _scalar(items, options["type"])
    except _Failed as failed:
        if options["error"] == "ERROR":
            raise failed.failure from failed
        return error


def _no_scalar(reason: str) -> NoReturn:
    raise _Failed("JSON_VALUE_RESULT_ERROR", f"cannot extract SQL scalar from JSON: {reason}")


def _scalar(items: list[Item], kind: str) -> str | None:
    if len(items) != 1:
        _no_scalar("JSON path found multiple items")
    item = items[0]
    if isinstance(item, dict | list):
        _no_scalar("JSON path found an item that cannot be converted to an SQL value")
    try:
        return None if item is None else cast_plain(item, kind)
    except AthenaFailure as error:
        _no_scalar(error.reason.partition(": ")[2])


def json_query(text: str | None, clauses: str, values: list[str | None] | None) -> str | None:
    """Give the JSON text of what the path finds."""
    if text is None:
        return None
    options = _options(clauses)
    try:
        items = _found(text, options, values)
        if not items:
            return _query_default(options["empty"], "JSON path found no items")
        if options["wrapper"] != "WITHOUT" and not (
            options["wrapper"] == "CONDITIONAL"
            and len(items) == 1
            and isinstance(items[0], dict | list)
        ):
            return _written(items)
        if len(items) > 1:
            _not_output("JSON path found multiple items")
    except _Failed as error:
        if options["error"] == "ERROR":
            raise error.failure from error
        return _query_default(options["error"], "")
    if options["quotes"] == "OMIT" and isinstance(items[0], str):
        return items[0]
    return _written(items[0])


def _query_default(behaviour: str, reason: str) -> str | None:
    if behaviour == "ERROR":
        _not_output(reason)
    return {"ARRAY": "[]", "OBJECT": "{}"}.get(behaviour)


def _not_output(reason: str) -> NoReturn:
    raise _Failed("JSON_OUTPUT_CONVERSION_ERROR", f"conversion from JSON failed: {reason}")


def _members(options: _Options, values: list[str | None] | None) -> list[Item]:
    """Read the values of an object or array that is built."""
    try:
        given = zip(options["formats"], values or (), strict=True)
        return [None if value is None else _exact(value) for _, value in given]
    except _Failed as error:
        raise error.failure from error


class _Exact(str):
    """JSON text that is written as it is: a number with its own digits."""

    __slots__ = ()


def _exact(text: str) -> Item:
    try:
        value = parse(text)
    except JsonError as error:
        raise _Failed(
            "JSON_INPUT_CONVERSION_ERROR", f"conversion to JSON failed: {error}"
        ) from error
    return _Exact(text.strip()) if isinstance(value, FloatText) else _plain(value)


def _exactly(item: Item) -> str:
    return str(item) if isinstance(item, _Exact) else _written(item)


def json_object(
    clauses: str, keys: list[str | None] | None, values: list[str | None] | None
) -> str:
    """Build an object."""
    options = _options(clauses)
    found: dict[str, Item] = {}
    for key, value in zip(keys or (), _members(options, values), strict=True):
        if key is None:
            raise AthenaFailure(
                "INVALID_FUNCTION_ARGUMENT",
                "null value passed for JSON object key to JSON_OBJECT function",
            )
        if value is None and options["null"] == "ABSENT":
            continue
        if key in found and options["unique"]:
            raise AthenaFailure(
                "INVALID_FUNCTION_ARGUMENT", "duplicate key passed to JSON_OBJECT function"
            )
        if key in found:
            raise AthenaFailure(
                "NOT_SUPPORTED", "cannot construct a JSON object with duplicate key"
            )
        found[key] = value
    return f"{{{','.join(f'{quote(key)}:{_exactly(item)}' for key, item in found.items())}}}"


def json_array(clauses: str, values: list[str | None] | None) -> str:
    """Build an array."""
    options = _options(clauses)
    items = _members(options, values)
    kept = (item for item in items if item is not None or options["null"] == "NULL")
    return f"[{','.join(map(_exactly, kept))}]"


def json_text(text: str | None, duck: str) -> str | None:
    """Write DuckDB's JSON of a value: numbers and booleans stay, anything else is its text."""
    if text is None:
        return None
    kind, value = parse_type(duck), parse(text, constants=True)
    if isinstance(value, list | Members) or kind.name == "json":
        raise unsupported(f"A value of type {kind.trino()} in a SQL/JSON function")
    return render_typed(value, kind) if kind.name in _RENDERED else quote(str(value))


def decode(data: bytes | None, codec: str) -> str | None:
    """Read bytes as text of an encoding; bytes that are none become text that is no JSON."""
    try:
        return None if data is None else data.decode(codec)
    except UnicodeDecodeError:
        return ""


def encode(text: str | None, codec: str) -> bytes | None:
    """Write text as bytes of an encoding."""
    return None if text is None else text.encode(codec)


_PATH = ("VARCHAR", "VARCHAR", "VARCHAR[]")
FUNCTIONS = {
    "__sqljson_exists": Udf(json_exists, _PATH, "BOOLEAN"),
    "__sqljson_value": Udf(json_value, (*_PATH, "VARCHAR", "VARCHAR"), "VARCHAR"),
    "__sqljson_query": Udf(json_query, _PATH, "VARCHAR"),
    "__sqljson_object": Udf(json_object, ("VARCHAR", "VARCHAR[]", "VARCHAR[]"), "VARCHAR"),
    "__sqljson_array": Udf(json_array, ("VARCHAR", "VARCHAR[]"), "VARCHAR"),
    "__sqljson_text": Udf(json_text, ("VARCHAR", "VARCHAR"), "VARCHAR"),
    "__sqljson_decode": Udf(decode, ("BLOB", "VARCHAR"), "VARCHAR"),
    "__sqljson_encode": Udf(encode, ("VARCHAR", "VARCHAR"), "BLOB"),
}
