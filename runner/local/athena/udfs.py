"""Functions in Python that the passes call, by name; a process registers those a statement uses.

Each family is a module of its own with a table `FUNCTIONS`; it is imported when the first
statement calls one of its functions.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import duckdb

_CALL = re.compile(r"\b__[a-z_0-9]+(?=\()", re.IGNORECASE)
_FAMILIES = {
    "__json_": "runner.local.athena.functions_json",
    "__sqljson_": "runner.local.athena.functions_sqljson",
    "__iceberg_": "runner.local.athena.functions_iceberg",
    "__line_": "runner.local.athena.functions_textfiles",
    "__type_": "runner.local.athena.functions_types",
}


class Udf(NamedTuple):
    """A function over one row's values, with DuckDB's names of its types."""

    function: Callable[..., str | int | bool | bytes | list[str] | list[str | None] | None]
    parameters: tuple[str, ...]
    returns: str


def register(cursor: duckdb.DuckDBPyConnection, text: str, known: set[str]) -> None:
    """Register the functions that a text calls and that are not known yet."""
    for name in dict.fromkeys(map(str.lower, _CALL.findall(text))):
        if name in known:
            continue
        family = next((each for each in _FAMILIES if name.startswith(each)), None)
        if family is None:
            continue
        table: Mapping[str, Udf] = import_module(_FAMILIES[family]).FUNCTIONS
        if name in table:
            from duckdb.func import FunctionNullHandling  # noqa: PLC0415 - loaded by now

            udf = table[name]
            cursor.create_function(
                name,
                udf.function,
                list(udf.parameters),
                udf.returns,
                null_handling=FunctionNullHandling.SPECIAL,
            )
            known.add(name)
