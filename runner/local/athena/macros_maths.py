"""DuckDB macros of arithmetic and of aggregates over lists, by name."""

from __future__ import annotations

MACROS_MATHS: dict[str, str] = {
    # Unscaled decimals, shifted by n digits; the rest rounds half away from zero.
    "__decimal_quotient": """(a, b, n) AS CASE
        WHEN b = 0 THEN error('DIVISION_BY_ZERO: Division by zero')
        ELSE sign(a) * sign(b) * ((2 * abs(a) * __power_of_ten(n) + abs(b)) // (2 * abs(b)))
        END::DECIMAL(38, 0)""",
    "__power_of_ten": "(n) AS ('1' || repeat('0', n))::HUGEINT",
    "__e": "() AS exp(1::DOUBLE)",
    "__bitwise_and": "(a, b) AS a::BIGINT & b::BIGINT",
    "__bitwise_or": "(a, b) AS a::BIGINT | b::BIGINT",
    "__bitwise_xor": "(a, b) AS xor(a::BIGINT, b::BIGINT)",
    "__bitwise_not": "(a) AS ~(a::BIGINT)",
    "__bits_of": """(v) AS CASE typeof(v) WHEN 'TINYINT' THEN 8 WHEN 'SMALLINT' THEN 16
        WHEN 'INTEGER' THEN 32 ELSE 64 END""",
    "__power_of_two": "(n) AS (2::DOUBLE ** n)::HUGEINT",
    "__unsigned": "(v, m) AS ((v::HUGEINT % m) + m) % m",
    "__signed": "(u, m) AS CASE WHEN u >= m // 2 THEN u - m ELSE u END",
    "__shift_left": """(v, s, n) AS CASE WHEN v IS NULL OR s IS NULL THEN NULL
        WHEN s >= n THEN 0
        ELSE __signed(__unsigned(v::HUGEINT * __power_of_two(s & 63), __power_of_two(n)),
            __power_of_two(n)) END""",
    "__shift_right": """(v, s, n) AS CASE WHEN v IS NULL OR s IS NULL THEN NULL
        WHEN s >= n THEN 0 WHEN s = 0 THEN v::HUGEINT
        ELSE __unsigned(v, __power_of_two(n)) // __power_of_two(s & 63) END""",
    "__shift_arithmetic": """(v, s, n) AS CASE WHEN v IS NULL OR s IS NULL THEN NULL
        WHEN s >= n THEN CASE WHEN v >= 0 THEN 0 ELSE -1 END
        WHEN v >= 0 THEN v::HUGEINT // __power_of_two(s & 63)
        ELSE -((-(v::HUGEINT) + __power_of_two(s & 63) - 1) // __power_of_two(s & 63)) END""",
    "__random_below": """(n) AS CASE WHEN n > 0 THEN floor(random() * n)::BIGINT
        WHEN n IS NOT NULL THEN error('INVALID_FUNCTION_ARGUMENT: bound must be positive') END""",
    "__random_between": """(a, b) AS CASE WHEN a < b THEN (a + floor(random() * (b - a)))::BIGINT
        WHEN a IS NOT NULL AND b IS NOT NULL THEN
            error('INVALID_FUNCTION_ARGUMENT: start value must be less than stop value') END""",
    "__float_sign": "(v) AS CASE WHEN isnan(v) THEN 'nan'::DOUBLE ELSE sign(v)::DOUBLE END",
}
