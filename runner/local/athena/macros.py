"""DuckDB macros that the passes call, by name; defined in a process when first needed.

Overloads with typed parameters choose by the types that DuckDB binds.  They must not be given
aggregates or window functions as arguments: those are not bound yet when the choice is made.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.local.athena.functions_dates import DATE_UDFS
from runner.local.athena.macros_casts import CASTS
from runner.local.athena.macros_dates import DATE_MACROS
from runner.local.athena.macros_json import JSON
from runner.local.athena.macros_maths import MACROS_MATHS
from runner.local.athena.macros_nested import NESTED_MACROS
from runner.local.athena.macros_strings import STRING_MACROS

if TYPE_CHECKING:
    from collections.abc import Iterator

_CALL = re.compile(r"\b__[a-z_0-9]+(?=\()", re.IGNORECASE)

UDFS = {**DATE_UDFS}
"""Python functions by name: the function, its parameters' DuckDB types, its result's."""
MACROS: dict[str, str] = {
    **DATE_MACROS,
    **NESTED_MACROS,
    **MACROS_MATHS,
    **STRING_MACROS,
    "__int_div": "(a, b) AS a // b",
    "__float_div": "(a, b) AS a::DOUBLE / b::DOUBLE",
    "__any_div": r"""(a, b) AS CASE
        WHEN typeof(a) IN ('DOUBLE', 'FLOAT') OR typeof(b) IN ('DOUBLE', 'FLOAT')
            THEN CASE WHEN b = 0 THEN
                CASE WHEN a > 0 THEN 'inf'::DOUBLE WHEN a < 0 THEN '-inf'::DOUBLE
                     WHEN a IS NULL THEN NULL ELSE 'nan'::DOUBLE END
                ELSE a::DOUBLE / b::DOUBLE END
        WHEN b = 0 THEN CAST('DIVISION_BY_ZERO: Division by zero' AS INTEGER)
        WHEN typeof(a) LIKE 'DECIMAL%' OR typeof(b) LIKE 'DECIMAL%'
            THEN round(a::DOUBLE / b::DOUBLE, greatest(
                coalesce(TRY_CAST(regexp_extract(typeof(a), ',(\d+)', 1) AS INTEGER), 0),
                coalesce(TRY_CAST(regexp_extract(typeof(b), ',(\d+)', 1) AS INTEGER), 0)))
        ELSE trunc(a::DOUBLE / b::DOUBLE) END""",
    "__date_trunc": """(u, d DATE) AS date_trunc(u, d)::DATE,
        (u, d TIMESTAMP) AS date_trunc(u, d), (u, d TIMESTAMPTZ) AS date_trunc(u, d)""",
    "__date_trunc_date": "(u, d) AS date_trunc(u, d)::DATE",
    "__date_trunc_timestamp": "(u, d) AS date_trunc(u, d)",
    "__date_add": """(u, n, d DATE) AS (d + __units(u, n))::DATE,
        (u, n, d TIMESTAMP) AS d + __units(u, n), (u, n, d TIMESTAMPTZ) AS d + __units(u, n)""",
    "__date_add_date": "(u, n, d) AS (d + __units(u, n))::DATE",
    "__date_add_timestamp": "(u, n, d) AS d + __units(u, n)",
    "__units": """(u, n) AS CASE u
        WHEN 'millisecond' THEN to_milliseconds(n::BIGINT) WHEN 'second' THEN to_seconds(n::BIGINT)
        WHEN 'minute' THEN to_minutes(n::BIGINT) WHEN 'hour' THEN to_hours(n::BIGINT)
        WHEN 'day' THEN to_days(n::INTEGER) WHEN 'week' THEN to_weeks(n::INTEGER)
        WHEN 'month' THEN to_months(n::INTEGER) WHEN 'quarter' THEN to_quarters(n::INTEGER)
        WHEN 'year' THEN to_years(n::INTEGER)
        ELSE to_days(CAST(
            'INVALID_FUNCTION_ARGUMENT: ''' || u || ''' is not a valid DATE field' AS INTEGER))
        END""",
    "__double_text": r"""(a) AS CASE
        WHEN a IS NULL THEN NULL
        WHEN isnan(a) THEN 'NaN' WHEN isinf(a) THEN CASE WHEN a > 0 THEN 'Infinity'
            ELSE '-Infinity' END
        WHEN a = 0 THEN CASE WHEN signbit(a) THEN '-0E0' ELSE '0E0' END
        ELSE __scientific(a) END""",
    # Of a real Trino shows seven digits.
    "__real_text": r"""(a) AS CASE WHEN a = 0 OR NOT isfinite(a) THEN __double_text(a)
        WHEN a < 0 THEN '-' || __seven_text(format('{:.6e}', CAST(a::VARCHAR AS DOUBLE) * -1))
        ELSE __seven_text(format('{:.6e}', CAST(a::VARCHAR AS DOUBLE))) END""",
    "__seven_text": """(t) AS left(t, 2)
        || coalesce(nullif(rtrim(substr(split_part(t, 'e', 1), 3), '0'), ''), '0')
        || 'E' || split_part(t, 'e', 2)::INTEGER""",
    # Trino writes a double as digits and an exponent always: 1.0E0, 1.2345E2.
    "__scientific": "(a) AS CASE WHEN a < 0 THEN '-' ELSE '' END || __sci_of(abs(a)::VARCHAR)",
    "__sci_of": """(t) AS __sci_join(
        rtrim(ltrim(replace(split_part(t, 'e', 1), '.', ''), '0'), '0'),
        CASE WHEN t LIKE '%e%' THEN split_part(t, 'e', 2)::INTEGER
             WHEN t LIKE '0.%' THEN length(ltrim(substr(t, 3), '0')) - length(t) + 1
             ELSE length(split_part(t, '.', 1)) - 1 END)""",
    "__sci_join": """(d, e) AS left(d, 1) || '.' ||
        CASE WHEN length(d) > 1 THEN substr(d, 2) ELSE '0' END || 'E' || e""",
    "__timestamp_text": "(a) AS strftime(a, '%Y-%m-%d %H:%M:%S.%g')",
    "__text": """(a DOUBLE) AS __double_text(a), (a FLOAT) AS __real_text(a),
        (a TIMESTAMP) AS __timestamp_text(a), (a INTEGER) AS a::VARCHAR, (a BIGINT) AS a::VARCHAR,
        (a HUGEINT) AS a::VARCHAR,
        (a) AS CASE WHEN typeof(a) LIKE 'DECIMAL%' THEN __decimal_shown(a) ELSE a::VARCHAR END""",
    # DuckDB leaves out the zero where all digits are of the fraction.
    "__decimal_shown": "(a) AS __zero_before(a::VARCHAR)",
    "__zero_before": """(t) AS CASE WHEN left(t, 1) = '.' THEN '0' || t
        WHEN left(t, 2) = '-.' THEN '-0' || substr(t, 2) ELSE t END""",
    "__any_text": """(a) AS CASE typeof(a) WHEN 'DOUBLE' THEN __double_text(TRY_CAST(a AS DOUBLE))
        WHEN 'FLOAT' THEN __real_text(TRY_CAST(a AS FLOAT))
        WHEN 'TIMESTAMP' THEN __timestamp_text(TRY_CAST(a AS TIMESTAMP))
        ELSE CASE WHEN typeof(a) LIKE 'DECIMAL%' THEN __decimal_shown(a) ELSE a::VARCHAR END
        END""",
    "__to_iso8601": """(a DATE) AS strftime(a, '%Y-%m-%d'),
        (a TIMESTAMP) AS strftime(a, '%Y-%m-%dT%H:%M:%S.%g'),
        (a TIMESTAMPTZ) AS strftime(a, '%Y-%m-%dT%H:%M:%S.%gZ')""",
    "__array_distinct": """(a) AS list_filter(a,
        lambda e, i: coalesce(list_position(a, e), list_position(list_transform(a,
            lambda v: v IS NULL), true)) = i)""",
    "__array_union": """(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL
        THEN __array_distinct(list_concat(a, b)) END""",
    "__split_limit": """(s, d, n) AS list_concat(list_slice(str_split(s, d), 1, n - 1),
        CASE WHEN len(str_split(s, d)) >= n
            THEN [array_to_string(list_slice(str_split(s, d), n,
                len(str_split(s, d))), d)] ELSE [] END)""",
    "__infinity": "() AS 'inf'::DOUBLE",
    "__nan": "() AS 'nan'::DOUBLE",
    "__map_agg": "(k, v) AS map_from_entries(array_agg({'key': k, 'value': v}))",
    "__typeof": "(a) AS __type_name(typeof(a))",
}
MACROS |= CASTS | JSON


def calls_of(sql: str) -> Iterator[str]:
    """Give the names of ours that a text calls, in lower case."""
    return map(str.lower, _CALL.findall(sql))


def macros_called(sql: str) -> tuple[str, ...]:
    """Give the macros and Python functions that a text calls, those that they call first."""
    found: dict[str, None] = {}

    def visit(text: str) -> None:
        for name in calls_of(text):
            if name in found:
                continue
            if name in MACROS:
                visit(MACROS[name])
            if name in MACROS or name in UDFS:
                found[name] = None

    visit(sql)
    return tuple(found)


def definition(name: str) -> str:
    """Write the statement that defines a macro."""
    return f"CREATE MACRO IF NOT EXISTS {name} {MACROS[name]}"
