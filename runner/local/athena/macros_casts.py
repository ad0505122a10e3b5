"""DuckDB macros of casts: text that Trino takes stays, other text gets a mark and so fails.

Each uses its argument once: DuckDB would otherwise take what occurs twice out of a TRY.  Those
named `__plain_` do not, and are three times as fast: they are for arguments that cannot fail.
`error()` is not used either: TRY refuses functions that are volatile.
"""

from __future__ import annotations

MARK = "\ue000"
"""Stands before text that DuckDB might cast and Trino does not."""
_NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"


def _taking(pattern: str) -> str:
    """Write a macro that keeps the first group of a pattern that matches the whole text."""
    return f"(a) AS regexp_replace('{MARK}' || a, '^{MARK}{pattern}$', '\\1')"


def _by_type(text: str, more: str = "") -> str:
    """Write a macro for an argument whose type only DuckDB knows; it gives text to be cast."""
    return f"""(a) AS (list_transform([a], lambda v: CASE
        WHEN typeof(v) = 'VARCHAR' THEN {text}(v::VARCHAR)
        {more} ELSE v::VARCHAR END))[1]"""


def _plain(pattern: str, other: str) -> str:
    """Write a macro that keeps a text that matches, and gives another one for all others."""
    return f"(a) AS CASE WHEN regexp_full_match(a, '{pattern}') THEN a ELSE {other} END"


CASTS: dict[str, str] = {
    "__plain_integer_text": _plain("[+-]?[0-9]+", f"'{MARK}' || a"),
    "__plain_decimal_text": _plain(f"[+-]?{_NUMBER}", f"'{MARK}' || a"),
    "__plain_float_text": _plain(f"[+-]?{_NUMBER}", "__float_text(a)"),
    "__duck_type": "(a) AS typeof(a)",
    "__integer_text": _taking("([+-]?[0-9]+)"),
    "__boolean_text": _taking("((?i:t|true|1|f|false|0))"),
    "__decimal_text": _taking(f"([+-]?{_NUMBER})"),
    "__float_text": _taking(rf"\s*([+-]?(?:NaN|Infinity|{_NUMBER}))[dDfF]?\s*"),
    "__any_integer": _by_type(
        "__integer_text",
        """WHEN typeof(v) IN ('DOUBLE', 'FLOAT')
            THEN round(TRY_CAST(v AS DOUBLE))::DECIMAL(38, 0)::VARCHAR
        WHEN typeof(v) = 'BOOLEAN' THEN TRY_CAST(v AS INTEGER)::VARCHAR""",
    ),
    "__any_boolean": _by_type(
        "__boolean_text",
        "WHEN typeof(v) <> 'BOOLEAN' THEN (TRY_CAST(v AS DOUBLE) <> 0)::VARCHAR",
    ),
    "__any_float": _by_type(
        "__float_text",
        """WHEN typeof(v) = 'FLOAT' THEN TRY_CAST(v AS DOUBLE)::VARCHAR
        WHEN typeof(v) = 'BOOLEAN' THEN TRY_CAST(v AS INTEGER)::VARCHAR""",
    ),
    # What no real holds is infinite.
    "__real": """(v) AS CASE WHEN isfinite(v) AND abs(v) >= 3.4028235677973366e38
        THEN CASE WHEN v > 0 THEN 'inf'::DOUBLE ELSE '-inf'::DOUBLE END ELSE v END""",
    "__any_decimal": _by_type(
        "__decimal_text",
        "WHEN typeof(v) = 'BOOLEAN' THEN TRY_CAST(v AS INTEGER)::VARCHAR",
    ),
}
