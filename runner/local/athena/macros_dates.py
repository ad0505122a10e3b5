"""DuckDB macros for dates, times and intervals; see macros.py."""

from __future__ import annotations

_DAY_US = 86_400_000_000

DATE_MACROS: dict[str, str] = {
    # Precision: half away from zero in Trino is half up here, for instants after 1970 and before.
    "__floor_to": "(n, step) AS n - ((n % step) + step) % step",
    "__ts_round": "(t, step) AS make_timestamp(__floor_to(epoch_us(t) + step // 2, step))",
    "__tz_round": "(t, step) AS make_timestamptz(__floor_to(epoch_us(t) + step // 2, step))",
    "__ts_floor": "(t, step) AS make_timestamp(__floor_to(epoch_us(t), step))",
    "__tz_floor": "(t, step) AS make_timestamptz(__floor_to(epoch_us(t), step))",
    "__clock": f"(n) AS CAST(make_timestamp(((n % {_DAY_US}) + {_DAY_US}) % {_DAY_US}) AS TIME)",
    "__time_round": "(t, step) AS __clock(__floor_to(epoch_us(t) + step // 2, step))",
    "__fraction": """(t, p) AS CASE WHEN p = 0 THEN ''
        ELSE '.' || left(strftime(t, '%f') || '000000', p) END""",
    "__year_text": """(t) AS CASE WHEN year(t) < 0
        THEN '-' || lpad(CAST(-year(t) AS VARCHAR), 4, '0')
        ELSE lpad(CAST(year(t) AS VARCHAR),
            CAST(greatest(4, len(CAST(year(t) AS VARCHAR))) AS INTEGER), '0') END""",
    # DuckDB's own text is Trino's from year 1 to 9999.
    "__day_text": """(d) AS CASE WHEN d BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'
        THEN CAST(d AS VARCHAR) ELSE __date_text(d) END""",
    "__milli_text": """(t) AS CASE
        WHEN t >= TIMESTAMP '0001-01-01' AND t < TIMESTAMP '10000-01-01'
        THEN strftime(t, '%Y-%m-%d %H:%M:%S.%g') ELSE __stamp_text(t, 3) END""",
    "__date_text": "(t) AS __year_text(t) || strftime(t, '-%m-%d')",
    "__stamp_text": "(t, p) AS __date_text(t) || strftime(t, ' %H:%M:%S') || __fraction(t, p)",
    "__iso_text": "(t, p) AS __date_text(t) || strftime(t, 'T%H:%M:%S') || __fraction(t, p)",
    "__time_text": """(t, p) AS strftime(DATE '1970-01-01' + t, '%H:%M:%S')
        || __fraction(DATE '1970-01-01' + t, p)""",
    "__minutes_text": """(m) AS CASE WHEN m < 0 THEN '-' ELSE '+' END
        || lpad(CAST(abs(m) // 60 AS VARCHAR), 2, '0') || ':'
        || lpad(CAST(abs(m) % 60 AS VARCHAR), 2, '0')""",
    "__timetz_minutes": "(t) AS CAST(date_part('timezone', t) AS BIGINT) // 60",
    "__timetz_text": """(t, p) AS __time_text(CAST(t AS TIME), p)
        || __minutes_text(__timetz_minutes(t))""",
    "__timetz": "(t, m) AS CAST(CAST(t AS VARCHAR) || __minutes_text(m) AS TIMETZ)",
    "__timetz_utc": """(t) AS __clock(epoch_us(CAST(t AS TIME))
        - __timetz_minutes(t) * 60000000)""",
    "__timetz_at": """(t, m) AS __timetz(__clock(epoch_us(CAST(t AS TIME))
        + (m - __timetz_minutes(t)) * 60000000), m)""",
    "__timetz_add": "(t, us) AS __timetz(__clock(epoch_us(CAST(t AS TIME)) + us), "
    "__timetz_minutes(t))",
    "__time_add": "(t, us) AS __clock(epoch_us(t) + us)",
    # A cast that fails: error() is not allowed inside of TRY.
    "__fail": "(t) AS CAST(CAST(t AS INTEGER) AS VARCHAR)",
    # Zones.
    "__duck_zone": "(z) AS CASE WHEN left(z, 1) IN ('+', '-') THEN 'GMT' || z ELSE z END",
    "__zone_minutes": """(t, z) AS
        CAST((epoch_us(timezone(z, t)) - epoch_us(t)) // 60000000 AS BIGINT)""",
    # The first of two instants that have a local time: DuckDB gives the last.
    "__instant": "(z, t) AS __instant_first(z, t, timezone(z, t))",
    "__instant_first": """(z, t, r) AS CASE
        WHEN timezone(z, r - __set_back(z, t, r)) = t THEN r - __set_back(z, t, r) ELSE r END""",
    "__set_back": "(z, t, r) AS timezone(z, r - INTERVAL 1 DAY) + INTERVAL 1 DAY - t",
    "__instant_near": """(z, t, o) AS CASE
        WHEN timezone(z, o + (t - timezone(z, o))) = t THEN o + (t - timezone(z, o))
        ELSE __instant(z, t) END""",
    "__zone_suffix": """(t, z) AS CASE WHEN __zone_minutes(t, z) = 0 THEN 'Z'
        ELSE __minutes_text(__zone_minutes(t, z)) END""",
    "__java_local": """(t) AS CASE WHEN year(t) > 9999 THEN '+' ELSE '' END
        || strftime(t, '%Y-%m-%dT%H:%M') || __java_second(microsecond(t))""",
    "__java_second": """(u) AS CASE WHEN u = 0 THEN ''
        WHEN u % 1000000 = 0 THEN ':' || lpad((u // 1000000)::VARCHAR, 2, '0')
        WHEN u % 1000 = 0 THEN ':' || lpad((u // 1000000)::VARCHAR, 2, '0') || '.'
            || lpad((u // 1000 % 1000)::VARCHAR, 3, '0')
        ELSE ':' || lpad((u // 1000000)::VARCHAR, 2, '0') || '.'
            || lpad((u % 1000000)::VARCHAR, 6, '0') END""",
    "__java_zone": """(s, z) AS CASE WHEN regexp_matches(z, '^[+-]') THEN s
        ELSE s || '[' || z || ']' END""",
    "__hours_text": "(h, m) AS __utc_or(h * 60 + m)",
    "__utc_or": "(m) AS CASE WHEN m = 0 THEN 'UTC' ELSE __minutes_text(m) END",
    "__offset_text": "(i) AS __utc_or(CAST(epoch_ms(i) // 60000 AS BIGINT))",
    # Units.
    "__unit_us": """(u) AS CASE u WHEN 'millisecond' THEN 1000 WHEN 'second' THEN 1000000
        WHEN 'minute' THEN 60000000 WHEN 'hour' THEN 3600000000 END""",
    "__date_trunc_time": "(u, t) AS __clock(__floor_to(epoch_us(t), __unit_us(u)))",
    "__time_diff": """(u, a, b) AS
        (epoch_us(b) // 1000 - epoch_us(a) // 1000) * 1000 // __unit_us(u)""",
    "__millis": "(t) AS CAST(extract(millisecond FROM t) AS BIGINT) % 1000",
    # Intervals: of days to milliseconds, and of months.
    "__interval_ms": "(i) AS CAST(round(epoch_us(i) / 1000) AS BIGINT)",
    "__interval_months": "(i) AS CAST(year(i) * 12 + month(i) AS BIGINT)",
    "__days_times": "(i, n) AS to_milliseconds(CAST(trunc(epoch_ms(i)::DOUBLE * n) AS BIGINT))",
    "__months_times": """(i, n) AS
        to_months(CAST(trunc(__interval_months(i)::DOUBLE * n) AS INTEGER))""",
    "__days_text": """(i) AS CASE WHEN epoch_ms(i) < 0 THEN '-' ELSE '' END
        || CAST(abs(epoch_ms(i)) // 86400000 AS VARCHAR)
        || strftime(make_timestamp(abs(epoch_ms(i)) % 86400000 * 1000), ' %H:%M:%S.%g')""",
    "__months_text": """(i) AS CASE WHEN __interval_months(i) < 0 THEN '-' ELSE '' END
        || CAST(abs(__interval_months(i)) // 12 AS VARCHAR) || '-'
        || CAST(abs(__interval_months(i)) % 12 AS VARCHAR)""",
    # Texts that Trino would not read are no dates, even where DuckDB would read them.  What has
    # the usual form needs no regular expression, which takes longer than all the rest.
    "__text_date": r"""(t) AS coalesce(
        CASE WHEN t LIKE '____-__-__' AND t >= '0' AND t < ':' THEN TRY_CAST(t AS DATE) END,
        CASE WHEN regexp_full_match(t, '\s*[+-]?\d+-\d{1,2}-\d{1,2}\s*')
            THEN TRY_CAST(__four_digits(trim(t)) AS DATE) END,
        CAST(__fail('INVALID_CAST_ARGUMENT: Value cannot be cast to date: ' || t) AS DATE))""",
    "__four_digits": r"""(t) AS regexp_replace(regexp_replace(regexp_replace(t,
        '^([+-]?)(\d)-', '\1000\2-'), '^([+-]?)(\d\d)-', '\100\2-'),
        '^([+-]?)(\d\d\d)-', '\10\2-')""",
    # A zone is read, and means nothing.
    "__without_zone": r"""(t) AS regexp_replace(t,
        '( ?(Z|UTC|GMT|[+-]\d\d:\d\d)| [A-Z][A-Za-z_]+/[A-Za-z_/+-]+)\s*$', '')""",
    "__text_timestamp": r"""(t, step) AS coalesce(
        CASE WHEN t < '0' OR t >= ':' OR t[12] = ' ' THEN NULL
            WHEN t LIKE '____-__-__ __:__:__' THEN try_strptime(t, '%Y-%m-%d %H:%M:%S')
            WHEN t LIKE '____-__-__ __:__:__.%' AND length(t) <= 26
                THEN __ts_round(try_strptime(t, '%Y-%m-%d %H:%M:%S.%f'), step) END,
        __plain_timestamp(t, __without_zone(t), step))""",
    "__plain_timestamp": r"""(given, t, step) AS coalesce(
        CASE WHEN regexp_full_match(t, '\s*[+-]?\d{4,}-\d{1,2}-\d{1,2}'
            || '( ([01]?\d|2[0-3]):\d{1,2}(:\d{1,2}(\.\d{1,12})?)?)?\s*')
        THEN __ts_round(TRY_CAST(CASE WHEN regexp_matches(t, ' \d{1,2}:\d{1,2}\s*$')
            THEN trim(t) || ':00' ELSE trim(t) END AS TIMESTAMP), step) END,
        CAST(__fail('INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp: ' || given)
            AS TIMESTAMP))""",
    "__text_time": r"""(t, step) AS coalesce(
        CASE WHEN regexp_full_match(t, '([01]?\d|2[0-3]):\d{1,2}(:\d{1,2}(\.\d{1,12})?)?')
        THEN __time_round(TRY_CAST(CASE WHEN regexp_full_match(t, '\d{1,2}:\d{1,2}')
            THEN t || ':00' ELSE t END AS TIME), step) END,
        CAST(__fail('INVALID_CAST_ARGUMENT: Value cannot be cast to time: ' || t) AS TIME))""",
    "__text_zoned": "(t) AS make_timestamptz(__text_instant(t))",
    # Weeks, days of the year and basic forms are read from literals only, before DuckDB sees them.
    "__iso_date": r"""(t) AS coalesce(
        CASE WHEN regexp_full_match(t, '\d{4}-\d\d-\d\d') THEN TRY_CAST(t AS DATE) END,
        CAST(__fail('INVALID_FUNCTION_ARGUMENT: Invalid format: "' || t || '"') AS DATE))""",
    "__iso_zoned": r"""(t) AS coalesce(
        CASE WHEN regexp_full_match(t, '\d{4}-\d\d-\d\d'
            || '(T([01]\d|2[0-3]):\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?')
        THEN TRY_CAST(regexp_replace(t, 'T(\d\d:\d\d)($|[Z+-])', 'T\1:00\2') AS TIMESTAMPTZ) END,
        CAST(__fail('INVALID_FUNCTION_ARGUMENT: Invalid format: "' || t || '"') AS TIMESTAMPTZ))""",
    "__iso_fine": r"""(t) AS CASE WHEN regexp_matches(t, '\.\d{6}\d*[1-9]')
        THEN CAST(__fail('NOT_SUPPORTED: A timestamp finer than microseconds is not supported '
            || 'by the local engine') AS TIMESTAMPTZ) ELSE __iso_zoned(t) END""",
    "__iso_zone": r"""(t) AS CASE
        WHEN regexp_matches(t, 'T.*[+-]\d\d:\d\d$') AND NOT regexp_matches(t, '[+-]00:00$')
        THEN right(t, 6) WHEN t IS NOT NULL THEN 'UTC' END""",
    "__joda_zoned": "(t, p) AS make_timestamptz(__joda_instant(t, p))",
    "__unixtime": "(n) AS make_timestamptz(CAST(floor(n * 1000 + 0.5) AS BIGINT) * 1000)",
    "__unix_nanos": """(n) AS CASE WHEN CAST(trunc(n) AS HUGEINT) % 1000 = 0
        THEN make_timestamptz(CAST(CAST(trunc(n) AS HUGEINT) // 1000 AS BIGINT))
        ELSE CAST(__fail('NOT_SUPPORTED: Timestamps finer than microseconds are not supported '
            || 'by the local engine') AS TIMESTAMPTZ) END""",
    "__duration": "(t) AS to_milliseconds(__duration_ms(t))",
    "__parsed": r"""(t, f, given) AS coalesce(
        CASE WHEN NOT regexp_matches(t, '^\s') OR regexp_matches(f, '^(\S+\s)?\s')
            THEN try_strptime(given, f) END, CAST(
        __fail('INVALID_FUNCTION_ARGUMENT: Invalid format: "' || t || '"') AS TIMESTAMP))""",
    # Sequences: each month step is counted from the start; at most 10,000 entries.
    "__few": """(s, a, b, step) AS CASE
        WHEN step > 0 AND a > b OR step < 0 AND a < b THEN CAST(__fail(
            'INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than or equal to '
            || 'start value if step is greater than zero otherwise stop should be less than or '
            || 'equal to start') AS TIMESTAMP[])
        WHEN len(s) > 10000 THEN CAST(__fail('INVALID_FUNCTION_ARGUMENT: result of '
            || 'sequence function must not have more than 10000 entries') AS TIMESTAMP[])
        ELSE s END""",
    "__date_series": """(a, b) AS CASE WHEN a <= b
        THEN generate_series(CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP), INTERVAL 1 DAY)
        ELSE generate_series(CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP), INTERVAL (-1) DAY)
        END""",
    "__month_series": """(a, b, n) AS list_filter(list_transform(
        generate_series(0, CAST(trunc(date_sub('month', a, b) / n) + 1 AS BIGINT)),
        lambda k: a + to_months(CAST(k * n AS INTEGER))),
        lambda d: CASE WHEN n > 0 THEN d <= b ELSE d >= b END)""",
}
