"""DuckDB macros of arithmetic and of aggregates over lists, by name."""

from __future__ import annotations

MACROS_MATHS: dict[str, str] = {
    "__cosine_similarity": """(a, b) AS CASE
        WHEN NOT list_bool_or(list_transform(
            list_concat(map_values(a), map_values(b)), lambda v: v IS NULL))
            IS NOT DISTINCT FROM true
        THEN coalesce(__u_cosine_similarity(a, b), 'nan'::DOUBLE) END""",
    # Unscaled decimals, shifted by n digits; the rest rounds half away from zero.
    "__decimal_quotient": """(a, b, n) AS CASE
        WHEN b = 0 THEN CAST('DIVISION_BY_ZERO: Division by zero' AS INTEGER)
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
    # DuckDB makes NULL of a NaN that Python gives.
    "__normal_cdf": """(m, d, v) AS CASE WHEN d > 0 AND NOT isnan(d::DOUBLE)
        AND isnan((v::DOUBLE - m::DOUBLE) / d::DOUBLE) THEN 'nan'::DOUBLE
        ELSE __u_normal_cdf(m, d, v) END""",
    "__inverse_normal_cdf": """(m, d, p) AS CASE WHEN isnan(m::DOUBLE) AND p > 0 AND p < 1
        AND d > 0 AND NOT isnan(d::DOUBLE) THEN 'nan'::DOUBLE
        ELSE __u_inverse_normal_cdf(m, d, p) END""",
    "__nan_first": """(v) AS CASE WHEN v IS NOT NULL
        THEN struct_pack(a := NOT isnan(v), b := v) END""",
    "__unwrapped": "(a) AS list_transform(a, lambda v: v[1])",
    "__no_nan": """(v) AS CASE WHEN isnan(v) THEN CAST(
        'NOT_SUPPORTED: NaN among the greatest values is not supported by the local engine'
        AS INTEGER) ELSE v END""",
    "__finite": "(v) AS CASE WHEN isfinite(v) THEN v END",
    "__skewness": "(v, n) AS CASE WHEN n > 2 THEN v * (n - 2) / sqrt(n::DOUBLE * (n - 1)) END",
    "__checksum": """(n) AS CASE WHEN n > 0 THEN
        error('NOT_SUPPORTED: Function ''checksum'' is not supported by the local engine')
        END::BLOB""",
    "__not_null": "(l) AS list_filter(l, lambda e: e IS NOT NULL)",
    "__most_frequent": """(h, b, n) AS CASE WHEN len(map_keys(h)) > n THEN
        error('NOT_SUPPORTED: approx_most_frequent of more values than its capacity is not '
            || 'supported by the local engine')
        ELSE map_from_entries(list_transform(list_slice(list_reverse_sort(list_transform(
            map_entries(h), lambda e: {'n': e.value::BIGINT, 'v': e.key})), 1, b),
            lambda e: {'key': e.v, 'value': e.n})) END""",
    "__numeric_histogram": """(h, b) AS CASE
        WHEN b < 2 THEN error('INVALID_FUNCTION_ARGUMENT: numeric_histogram bucket count must be '
            || 'greater than one')
        WHEN len(map_keys(h)) > b THEN
            error('NOT_SUPPORTED: numeric_histogram of more values than buckets is not '
            || 'supported by the local engine')
        ELSE map_from_entries(list_transform(map_entries(h),
            lambda e: {'key': e.key, 'value': e.value::DOUBLE})) END""",
    "__table_sequence": """(a, b, s) AS CASE
        WHEN a IS NULL THEN error('INVALID_FUNCTION_ARGUMENT: Start is null')
        WHEN b IS NULL THEN error('INVALID_FUNCTION_ARGUMENT: Stop is null')
        WHEN s IS NULL THEN error('INVALID_FUNCTION_ARGUMENT: Step is null')
        WHEN a < b AND s <= 0 THEN error('INVALID_FUNCTION_ARGUMENT: Step must be positive for '
            || 'sequence [' || a || ', ' || b || ']')
        WHEN a > b AND s >= 0 THEN error('INVALID_FUNCTION_ARGUMENT: Step must be negative for '
            || 'sequence [' || a || ', ' || b || ']')
        WHEN a = b THEN [a::BIGINT] ELSE generate_series(a::BIGINT, b::BIGINT, s::BIGINT) END""",
    "__listagg": """(t) AS CASE WHEN strlen(t) > 1048576 THEN
        error('EXCEEDED_FUNCTION_MEMORY_LIMIT: Concatenated string has the length in bytes larger '
            || 'than the maximum output length 1048576') ELSE t END""",
}
