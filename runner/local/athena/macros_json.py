"""DuckDB macros of JSON: what its own functions read as Trino does; the rest goes to Python.

`d` is a path in DuckDB's spelling, `p` in Trino's, `sure` tells that nothing is there when DuckDB
finds nothing.  Numbers with a fraction, and text that DuckDB reads more kindly, are not theirs.
"""

from __future__ import annotations


def _native(plain: str, parts: str, function: str) -> str:
    return f"""(j, d, p, sure) AS CASE WHEN __json_plain(j) THEN
        CASE WHEN json_type(j, d) IN ('VARCHAR', 'BOOLEAN', 'BIGINT', 'UBIGINT') THEN {plain}
            WHEN {parts} THEN NULL
            WHEN sure AND json_type(j, d) IS NULL THEN NULL
            ELSE {function}(j, p) END
        ELSE {function}(j, p) END"""


def _or_json(other: str) -> str:
    """Write a macro for an argument that may be JSON; it gives text to be cast to type `k`."""
    return f"""(a, k) AS (list_transform([a], lambda v: CASE WHEN typeof(v) = 'JSON'
        THEN __json_to_scalar(v::VARCHAR, k) ELSE {other}(v) END))[1]"""


JSON: dict[str, str] = {
    "__cast_text": _or_json("__any_text"),
    "__cast_integer": _or_json("__any_integer"),
    "__cast_boolean": _or_json("__any_boolean"),
    "__cast_float": _or_json("__any_float"),
    "__cast_decimal": _or_json("__any_decimal"),
    "__json_plain": r"""(j) AS json_valid(j) AND NOT regexp_matches(j::VARCHAR,
        ',\s*[}\]]|-0|[-:,\[]\s*[NnIi][aAnN]|^\s*-?[NnIi][aAnN]')""",
    "__json_scalar_at": _native(
        "json_extract_string(j, d)",
        "json_type(j, d) IN ('OBJECT', 'ARRAY', 'NULL')",
        "__json_extract_scalar",
    ),
    "__json_at": _native("json_extract(j, d)", "false", "__json_extract"),
}
