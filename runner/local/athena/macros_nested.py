"""DuckDB macros for arrays, maps and rows, by name; lambdas become arrays before they get here."""

from __future__ import annotations

_BAD = "INVALID_FUNCTION_ARGUMENT: "

# DuckDB folds constants in branches that are never taken: what could grow is bounded there too.
NESTED_MACROS: dict[str, str] = {
    # A failed cast may stand under TRY, error() may not; the engine takes the message out.
    "__fail_argument": f"(m) AS CAST('{_BAD}' || m AS INTEGER)",
    "__raise": "(m) AS list_extract([NULL], __fail_argument(m))",
    "__refuse": "(m) AS list_extract([NULL], CAST('NOT_SUPPORTED: ' || m AS INTEGER))",
    "__not_ordered": """(bad, m, v) AS CASE WHEN bad THEN __refuse(m) ELSE v END""",
    "__index": """(i, n) AS CASE WHEN i BETWEEN 1 AND n THEN i
        WHEN i > n THEN __fail_argument(
            'Array subscript must be less than or equal to array length: ' || i || ' > ' || n)
        WHEN i = 0 THEN __fail_argument('SQL array indices start at 1')
        WHEN i < 0 THEN __fail_argument('Array subscript is negative: ' || i) END""",
    "__array_get": "(a, i) AS list_extract(a, __index(i, len(a)))",
    "__array_at": """(a, i) AS list_extract(a, CASE WHEN i = 0
        THEN __fail_argument('SQL array indices start at 1')
        WHEN len(a) IS NOT NULL THEN i END)""",
    "__map_get": """(m, k) AS list_extract(map_extract(m, k), CASE WHEN map_contains(m, k) THEN 1
        WHEN m IS NOT NULL AND k IS NOT NULL
            THEN __fail_argument('Key not present in map: ' || k::VARCHAR) END)""",
    "__entries": "(m) AS map_entries(m)",
    "__ordinals": "(n) AS range(1, list_max(n) + 1)",
    "__any_true": "(b) AS list_reduce(b::BOOLEAN[], lambda s, x: s OR x, false)",
    "__all_true": "(b) AS list_reduce(b::BOOLEAN[], lambda s, x: s AND x, true)",
    "__holds_null": "(a) AS list_aggregate(a, 'count') < len(a)",
    "__contains": """(a, e) AS CASE WHEN a IS NULL OR e IS NULL THEN NULL
        WHEN list_contains(a, e) THEN true WHEN __holds_null(a) THEN NULL ELSE false END""",
    # Of comparisons, one number an element: 1 equal, 0 not, -1 neither, NULL a null element.
    "__first_equal": """(c, f) AS CASE WHEN list_filter(c, lambda x: x <> 0)[1] = -1
        THEN CAST('NOT_SUPPORTED: ' || f ||
            ' does not support arrays with elements that are null or contain null' AS INTEGER)
        ELSE list_position(c, 1) END""",
    "__first_contains": """(c) AS CASE WHEN c IS NULL THEN NULL
        WHEN __first_equal(c, 'contains') IS NOT NULL THEN true
        WHEN __holds_null(c) THEN NULL ELSE false END""",
    "__first_position": """(c) AS CASE WHEN c IS NULL THEN NULL
        ELSE coalesce(__first_equal(c, 'array_position'), 0)::BIGINT END""",
    "__contains_float": """(a, e) AS CASE WHEN isnan(e) AND a IS NOT NULL
        THEN CASE WHEN __holds_null(a) THEN NULL ELSE false END ELSE __contains(a, e) END""",
    "__array_position_float": """(a, e) AS CASE WHEN isnan(e) AND a IS NOT NULL THEN 0
        ELSE __array_position(a, e) END""",
    "__array_position": """(a, e) AS CASE WHEN a IS NULL OR e IS NULL THEN NULL
        ELSE coalesce(list_position(a, e), 0)::BIGINT END""",
    "__array_remove": """(a, e) AS CASE WHEN e IS NOT NULL
        THEN list_filter(a, lambda x: (x = e) IS NOT TRUE) END""",
    "__array_max": "(a) AS CASE WHEN NOT __holds_null(a) THEN list_max(a) END",
    "__array_max_float": """(a) AS CASE WHEN NOT __holds_null(a) THEN
        coalesce(list_max(list_filter(a, lambda x: NOT isnan(x))), list_max(a)) END""",
    "__array_min": "(a) AS CASE WHEN NOT __holds_null(a) THEN list_min(a) END",
    "__array_has": """(a, e) AS coalesce(list_contains(a, e), false)
        OR (e IS NULL AND __holds_null(a))""",
    "__array_except": """(a, b) AS CASE WHEN len(b) = 0 THEN a
        WHEN b IS NOT NULL THEN __array_distinct(
            list_filter(a, lambda x: NOT __array_has(b, x))) END""",
    "__array_intersect": """(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL
        WHEN len(a) < len(b) THEN __array_distinct(list_filter(b, lambda x: __array_has(a, x)))
        ELSE __array_distinct(list_filter(a, lambda x: __array_has(b, x))) END""",
    "__arrays_overlap": """(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL
        WHEN len(a) = 0 OR len(b) = 0 THEN false
        WHEN list_has_any(list_filter(a, lambda x: x IS NOT NULL), b) THEN true
        WHEN __holds_null(a) OR __holds_null(b) THEN NULL ELSE false END""",
    "__ngrams": """(a, n) AS CASE
        WHEN n <= 0 THEN __raise('N must be positive')
        WHEN a IS NOT NULL AND n IS NOT NULL THEN list_transform(
            range(1, greatest(len(a) - n, 0) + 2),
            lambda i: list_slice(a, i, least(i + n - 1, len(a)))) END""",
    "__combinations": """(a, n) AS CASE
        WHEN n < 0 THEN __raise('combination size must not be negative: ' || n)
        WHEN n > 5 THEN __raise('combination size must not exceed 5: ' || n)
        WHEN __binomial(len(a), n) > 100000 THEN __raise('combinations exceed max size')
        WHEN a IS NOT NULL AND n IS NOT NULL THEN list_transform(
            __index_sets(len(a),
                CASE WHEN __binomial(len(a), n) > 100000 THEN 0 ELSE n END),
            lambda c: list_transform(c, lambda i: list_extract(a, i)))
        END""",
    "__binomial": """(m, n) AS list_reduce(range(n),
        lambda s, k: s * greatest(m - k, 0)::DOUBLE / (k + 1), 1.0::DOUBLE)""",
    # Sets of n places among m, those of the smallest last place first, as Trino counts them.
    "__index_sets": """(m, n) AS list_transform(list_sort(list_reduce(range(n),
        lambda found, k: flatten(list_transform(found, lambda c: list_transform(
            range(1, coalesce(c[-1], m + 1)), lambda i: list_append(c, i)))),
        [[]::BIGINT[]])), lambda c: list_reverse(c))""",
    "__contains_sequence": """(a, s) AS CASE WHEN a IS NULL OR s IS NULL THEN NULL
        ELSE len(s) = 0 OR coalesce(len(list_filter(range(1, len(a) - len(s) + 2),
            lambda i: list_slice(a, i, i + len(s) - 1) IS NOT DISTINCT FROM s)) > 0, false) END""",
    "__trim_array": """(a, n) AS CASE WHEN a IS NULL THEN NULL
        WHEN n < 0 THEN __raise('size must not be negative: ' || n)
        WHEN n > len(a) THEN __raise('size must not exceed array cardinality ' || len(a)
            || ': ' || n)
        ELSE list_slice(a, 1, len(a) - n) END""",
    "__repeat": """(e, n) AS CASE
        WHEN n < 0 THEN __raise('count argument of repeat function must be greater than or '
            || 'equal to 0')
        WHEN n > 10000 THEN __raise('count argument of repeat function must be less than or '
            || 'equal to 10000')
        WHEN n IS NOT NULL THEN list_transform(range(least(n, 10000)::BIGINT), lambda i: e) END""",
    "__sequence": "(a, b) AS __sequence_by(a, b, CASE WHEN a <= b THEN 1 ELSE -1 END)",
    "__sequence_by": """(a, b, s) AS CASE
        WHEN s = 0 THEN __raise('step must not be zero')
        WHEN sign(s) * sign(b - a) < 0 THEN __raise('sequence stop value should be greater '
            || 'than or equal to start value if step is greater than zero otherwise stop should '
            || 'be less than or equal to start')
        WHEN (b - a) // nullif(s, 0) >= 10000 THEN __raise('result of sequence function '
            || 'must not have more than 10000 entries')
        ELSE generate_series(a::BIGINT,
            CASE WHEN (b - a) // nullif(s, 0) >= 10000 THEN a ELSE b END::BIGINT,
            CASE WHEN s = 0 THEN 1 ELSE s END::BIGINT) END""",
    "__sequence_days": """(a, b) AS generate_series(a::TIMESTAMP, b::TIMESTAMP,
        CASE WHEN a <= b THEN INTERVAL 1 DAY ELSE INTERVAL '-1' DAY END)""",
    "__sequence_spans": """(a, b, s) AS CASE
        WHEN a + s = a THEN __raise('interval must not be zero')
        WHEN a <> b AND (a + s > a) <> (b > a) THEN __raise('sequence stop value should be greater '
            || 'than or equal to start value if step is greater than zero otherwise stop should '
            || 'be less than or equal to start')
        ELSE __sequence_whole(generate_series(a::TIMESTAMP,
            CASE WHEN a <= b THEN least(b, a + s * 10001)
                ELSE greatest(b, a + s * 10001) END::TIMESTAMP, s)) END""",
    "__sequence_whole": """(x) AS CASE WHEN len(x) > 10000 THEN __raise('result of sequence '
        || 'function must not have more than 10000 entries') ELSE x END""",
    "__shuffle": """(a) AS list_transform(list_sort(list_transform(a,
        lambda x, i: {'r': random(), 'i': i, 'v': x})), lambda p: p.v)""",
    "__first_known": "(t) AS coalesce(list_filter(t, lambda v: v IS NOT NULL)[1], false)",
    "__slice": """(a, s, n) AS CASE
        WHEN a IS NULL OR s IS NULL OR n IS NULL THEN NULL
        WHEN s = 0 THEN __raise('SQL array indices start at 1')
        WHEN n < 0 THEN __raise('length must be greater than or equal to 0')
        WHEN s < -len(a) THEN list_slice(a, 1, 0)
        WHEN s > len(a) THEN list_slice(a, 1, 0)
        WHEN s > 0 THEN list_slice(a, s, least(s, len(a)) + least(n, len(a)) - 1)
        ELSE list_slice(a, len(a) + least(s, 0) + 1, len(a) + least(s, 0) + least(n, len(a)))
        END""",
    # Of {'r': place, 'v': element}: two of one place come from a comparator without an order.
    "__placed": """(p) AS CASE WHEN len(list_distinct(list_transform(p, lambda e: e.r))) < len(p)
        THEN __raise('Comparison method violates its general contract!')
        ELSE list_transform(list_sort(p), lambda e: e.v) END""",
    # Of {{'k': key, 'v': value}}.
    "__map_strict": """(e) AS CASE
        WHEN __holds_null(list_transform(e, lambda p: p.k))
            THEN __raise('map key cannot be null')
        WHEN len(list_distinct(list_transform(e, lambda p: p.k))) < len(e)
            THEN __raise('Duplicate keys (' || __second_key(list_transform(e, lambda p: p.k))
                || ') are not allowed')
        ELSE map_from_entries(e) END""",
    "__second_key": "(k) AS list_filter(k, lambda x, i: list_position(k, x) < i)[1]::VARCHAR",
    "__map_first": """(e) AS CASE
        WHEN len(list_distinct(list_transform(e, lambda p: p.k))) = len(e) THEN map_from_entries(e)
        ELSE map_from_entries(list_filter(e, lambda p, i:
            list_position(list_transform(e, lambda q: q.k), p.k) = i)) END""",
    "__multimap": """(e) AS map_from_entries(list_transform(
        __array_distinct(list_transform(e, lambda p: p.k)), lambda x: {'k': x, 'v': list_transform(
            list_filter(e, lambda p: p.k = x), lambda p: p.v)}))""",
    "__multimap_strict": """(e) AS CASE WHEN __holds_null(list_transform(e, lambda p: p.k))
        THEN __raise('map key cannot be null') ELSE __multimap(e) END""",
    "__entries_whole": """(e) AS CASE WHEN __holds_null(e)
        THEN __raise('map entry cannot be null') ELSE e END""",
    "__split_entries": """(s, d, k) AS list_transform(
        list_filter(str_split(s, d), lambda x, i: x <> '' OR i < len(str_split(s, d))),
        lambda x: CASE WHEN len(str_split(x, k)) <> 2 THEN __raise('Key-value delimiter must '
            || 'appear exactly once in each entry. Bad input: ''' || x || '''')
            ELSE {'k': str_split(x, k)[1], 'v': str_split(x, k)[2]} END)""",
    "__map_union": "(m) AS __map_first(flatten(list_transform(m, lambda x: list_transform("
    "map_entries(x), lambda e: {'k': e.key, 'v': e.value}))))",
    "__histogram": """(m) AS map_from_entries(list_transform(map_entries(m),
        lambda e: {'k': e.key, 'v': e.value::BIGINT}))""",
    "__all_keys": """(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL
        THEN __array_distinct(list_concat(map_keys(a), map_keys(b))) END""",
}
