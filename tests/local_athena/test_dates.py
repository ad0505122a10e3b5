"""Dates, times, time zones and intervals, by Trino's documentation: what Athena's results show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.render import render
from runner.local.athena.sqltypes import parse_type

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

# Each topic: an expression or a query, and its values as the result file writes them; rows of
# several columns are joined by ` | `, rows by ` ; `, NULL is null.
CASES: dict[str, tuple[tuple[str, str], ...]] = {
    "casts": (
        ("CAST(TIMESTAMP '2020-05-01 12:34:56.1' AS varchar)", "2020-05-01 12:34:56.1"),
        ("CAST(TIMESTAMP '2020-05-01 12:34:56' AS varchar)", "2020-05-01 12:34:56"),
        (
            "CAST(TIMESTAMP '2020-05-01 12:34:56.123 Asia/Kathmandu' AS varchar)",
            "2020-05-01 12:34:56.123 Asia/Kathmandu",
        ),
        (
            ("CAST(TIMESTAMP '2020-05-01 12:34:56.1234567 Asia/Kathmandu' AS varchar)"),
            "2020-05-01 12:34:56.1234567 Asia/Kathmandu",
        ),
        ("CAST(DATE '2020-05-01' AS varchar)", "2020-05-01"),
        ("CAST(TIME '01:02:03.456' AS varchar)", "01:02:03.456"),
        ("CAST(INTERVAL '2' DAY AS varchar)", "2 00:00:00.000"),
        ("CAST(INTERVAL '-2' DAY AS varchar)", "-2 00:00:00.000"),
        ("date('2019-01-31')", "2019-01-31"),
        ("CAST('2019-1-3' AS date)", "2019-01-03"),
        ("TRY_CAST('abc' AS date)", "null"),
        ("TRY_CAST('2019-01-31 00:00' AS timestamp)", "2019-01-31 00:00:00.000"),
        ("CAST('2019-01-31' AS timestamp)", "2019-01-31 00:00:00.000"),
        ("CAST('2019-01-31 10:20:30.123456' AS timestamp(6))", "2019-01-31 10:20:30.123"),
        ("CAST('2019-01-31 10:20:30.1235' AS timestamp)", "2019-01-31 10:20:30.124"),
        (
            "CAST('2019-01-31 10:20:30 Asia/Tokyo' AS timestamp with time zone)",
            "2019-01-31 10:20:30.000 Asia/Tokyo",
        ),
        (
            ("CAST(concat('2019-01-31 10:20:30 ', 'Asia/Tokyo') AS timestamp with time zone)"),
            "2019-01-31 10:20:30.000 Asia/Tokyo",
        ),
        ("CAST(DATE '2019-01-31' AS timestamp)", "2019-01-31 00:00:00.000"),
        ("CAST(DATE '2019-01-31' AS timestamp with time zone)", "2019-01-31 00:00:00.000 UTC"),
        ("CAST(TIMESTAMP '2019-01-31 23:59:59.9999' AS timestamp(3))", "2019-02-01 00:00:00.000"),
        (
            "CAST(TIMESTAMP '2019-01-31 10:20:30 Asia/Tokyo' AS timestamp)",
            "2019-01-31 10:20:30.000",
        ),
        ("CAST(TIMESTAMP '2019-01-31 10:20:30 Asia/Tokyo' AS time)", "10:20:30"),
        ("CAST(TIMESTAMP '2019-01-31 10:20:30.55' AS time(1))", "10:20:30.600000"),
        ("CAST(TIME '23:59:59.9' AS time(0))", "00:00:00"),
        ("CAST('10:20:30' AS time)", "10:20:30"),
        ("typeof(TIMESTAMP '2019-01-31 10:20:30 Asia/Tokyo')", "timestamp(0) with time zone"),
        ("typeof(INTERVAL '1' DAY)", "interval day to second"),
        ("typeof(INTERVAL '1' MONTH)", "interval year to month"),
        ("typeof(TIME '01:02')", "time(0)"),
        ("typeof(DATE '2020-01-01' - DATE '2019-01-01')", "interval day to second"),
        (
            "coalesce(CAST(NULL AS timestamp), TIMESTAMP '2020-01-01 00:00:00.5')",
            "2020-01-01 00:00:00.500",
        ),
        ("CAST(DATE '0000-05-06' AS varchar)", "0000-05-06"),
        ("CAST(TIMESTAMP '12020-05-06 01:02:03' AS varchar)", "12020-05-06 01:02:03"),
        ("CAST(TIMESTAMP '2020-05-06 01:02:03' AS varchar(10))", "2020-05-06"),
        ("cast(' 2020-01-01 ' AS date)", "2020-01-01"),
    ),
    "columns": (
        (
            (
                "SELECT at_timezone(TIMESTAMP '2020-05-11 00:00:00 UTC', z) AS v FROM "
                "(VALUES 'Asia/Tokyo', '+01:00') t(z)"
            ),
            "2020-05-11 09:00:00.000 Asia/Tokyo ; 2020-05-11 01:00:00.000 +01:00",
        ),
        ("SELECT hour(v) FROM (SELECT TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo' AS v)", "12"),
        (
            (
                "WITH a AS (SELECT TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo' AS v) "
                "SELECT v, CAST(v AS date), CAST(v AS varchar) FROM a"
            ),
            ("2020-05-11 12:00:00.000 Asia/Tokyo | 2020-05-11 | 2020-05-11 12:00:00 Asia/Tokyo"),
        ),
        (
            "SELECT v FROM (VALUES TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo') t(v)",
            "2020-05-11 12:00:00.000 Asia/Tokyo",
        ),
        (
            (
                "SELECT max(v) FROM (VALUES TIMESTAMP '2020-05-11 12:00:00 "
                "Asia/Tokyo', TIMESTAMP '2020-05-11 13:00:00 Asia/Tokyo') t(v)"
            ),
            "2020-05-11 13:00:00.000 Asia/Tokyo",
        ),
        (
            (
                "SELECT v, count(*) FROM (VALUES TIMESTAMP '2020-05-11 12:00:00 "
                "Asia/Tokyo', TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo') t(v) GROUP "
                "BY v"
            ),
            "2020-05-11 12:00:00.000 Asia/Tokyo | 2",
        ),
        (
            (
                "SELECT TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo' UNION ALL SELECT "
                "TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo'"
            ),
            ("2020-05-11 12:00:00.000 Asia/Tokyo ; 2020-05-11 12:00:00.000 Asia/Tokyo"),
        ),
        (
            ("SELECT date_add('day', n, d) FROM (VALUES (1, DATE '2020-01-31')) t(n, d)"),
            "2020-02-01",
        ),
        (
            ("SELECT d + n * INTERVAL '1' DAY FROM (VALUES (2, DATE '2020-01-31')) t(n, d)"),
            "2020-02-02",
        ),
        (
            "SELECT sum(x) FROM (VALUES INTERVAL '1' DAY, INTERVAL '2' HOUR) t(x)",
            "1 02:00:00.000",
        ),
        (
            "SELECT avg(x) FROM (VALUES INTERVAL '1' DAY, INTERVAL '2' HOUR) t(x)",
            "0 13:00:00.000",
        ),
        ("SELECT sum(x) FROM (VALUES INTERVAL '1' YEAR, INTERVAL '2' MONTH) t(x)", "1-2"),
        ("SELECT avg(x) FROM (VALUES INTERVAL '1' YEAR, INTERVAL '2' MONTH) t(x)", "0-7"),
        ("SELECT max(x) FROM (VALUES INTERVAL '1' YEAR, INTERVAL '2' MONTH) t(x)", "1-0"),
        (
            ("SELECT x FROM (VALUES INTERVAL '1' YEAR, INTERVAL '2' MONTH) t(x) ORDER BY x"),
            "0-2 ; 1-0",
        ),
        (
            (
                "SELECT a.d, b.d FROM (VALUES DATE '2020-01-01') a(d) JOIN (VALUES "
                "DATE '2020-01-01') b(d) ON a.d = b.d"
            ),
            "2020-01-01 | 2020-01-01",
        ),
        (
            (
                "SELECT date_trunc('month', d) AS m, count(*) FROM (VALUES DATE "
                "'2020-01-01', DATE '2020-01-05') t(d) GROUP BY date_trunc('month', d)"
            ),
            "2020-01-01 | 2",
        ),
        (
            (
                "SELECT date_trunc('month', d) AS m, count(*) FROM (VALUES DATE "
                "'2020-01-01', DATE '2020-01-05') t(d) GROUP BY 1 ORDER BY m"
            ),
            "2020-01-01 | 2",
        ),
        (
            ("SELECT max(d) - min(d) FROM (VALUES DATE '2020-01-01', DATE '2020-01-05') t(d)"),
            "4 00:00:00.000",
        ),
        (
            (
                "SELECT date_diff('day', min(d), max(d)) FROM (VALUES DATE "
                "'2020-01-01', DATE '2020-01-05') t(d)"
            ),
            "4",
        ),
        (
            (
                "SELECT CAST(max(d) AS varchar) FROM (VALUES DATE '2020-01-01', DATE "
                "'2020-01-05') t(d)"
            ),
            "2020-01-05",
        ),
        (
            (
                "SELECT lag(d) OVER (ORDER BY d) + INTERVAL '1' DAY FROM (VALUES DATE "
                "'2020-01-01', DATE '2020-01-05') t(d)"
            ),
            "null ; 2020-01-02",
        ),
        (
            (
                "SELECT d - lag(d) OVER (ORDER BY d) FROM (VALUES DATE '2020-01-01', "
                "DATE '2020-01-05') t(d)"
            ),
            "null ; 4 00:00:00.000",
        ),
        (
            (
                "SELECT CAST(s AS date), CAST(s AS timestamp) FROM (VALUES "
                "'2020-01-01', ' 2020-01-05 ') t(s)"
            ),
            ("2020-01-01 | 2020-01-01 00:00:00.000 ; 2020-01-05 | 2020-01-05 00:00:00.000"),
        ),
        (
            ("SELECT TRY_CAST(s AS date) FROM (VALUES '2020-01-01', 'x', '2020-02-30') t(s)"),
            "2020-01-01 ; null ; null",
        ),
        (
            ("SELECT try(CAST(s AS date)) FROM (VALUES '2020-01-01', 'x', '2020-02-30') t(s)"),
            "2020-01-01 ; null ; null",
        ),
        (
            "SELECT from_unixtime(n) FROM (VALUES 0, 60) t(n)",
            "1970-01-01 00:00:00.000 UTC ; 1970-01-01 00:01:00.000 UTC",
        ),
        ("SELECT date(from_unixtime(n)) FROM (VALUES 0, 86400) t(n)", "1970-01-01 ; 1970-01-02"),
        (
            (
                "SELECT d FROM (VALUES DATE '2020-01-01', DATE '2020-03-01') t(d) "
                "WHERE d > DATE '2020-01-31' + INTERVAL '1' DAY"
            ),
            "2020-03-01",
        ),
        (
            (
                "SELECT count(DISTINCT x) FROM (VALUES TIMESTAMP '2020-05-11 12:00:00 "
                "Asia/Tokyo', TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo') t(x)"
            ),
            "1",
        ),
        (
            ("SELECT max_by(x, 1) FROM (VALUES TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo') t(x)"),
            "2020-05-11 12:00:00.000 Asia/Tokyo",
        ),
        (
            "SELECT (SELECT TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo')",
            "2020-05-11 12:00:00.000 Asia/Tokyo",
        ),
        (
            ("SELECT EXISTS (SELECT 1 WHERE TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo' > now())"),
            "false",
        ),
        (
            (
                "SELECT TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo' = ANY (SELECT "
                "TIMESTAMP '2020-05-11 03:00:00 UTC')"
            ),
            "true",
        ),
        (
            "SELECT max(x) FROM (VALUES INTERVAL '1' DAY, INTERVAL '25' HOUR) t(x)",
            "1 01:00:00.000",
        ),
        (
            (
                "SELECT x FROM (VALUES INTERVAL '1' DAY, INTERVAL '25' HOUR, INTERVAL "
                "'23' HOUR) t(x) ORDER BY x DESC"
            ),
            "1 01:00:00.000 ; 1 00:00:00.000 ; 0 23:00:00.000",
        ),
        (
            (
                "SELECT count(*) FROM (SELECT DISTINCT x FROM (VALUES INTERVAL '1' "
                "DAY, INTERVAL '24' HOUR) t(x))"
            ),
            "1",
        ),
    ),
    "formats": (
        (
            "to_iso8601(TIMESTAMP '2001-08-22 03:04:05.321 +07:09')",
            "2001-08-22T03:04:05.321+07:09",
        ),
        ("to_iso8601(TIMESTAMP '2001-08-22 03:04:05.321 UTC')", "2001-08-22T03:04:05.321Z"),
        ("to_iso8601(TIMESTAMP '2001-08-22 03:04:05')", "2001-08-22T03:04:05"),
        ("from_iso8601_date('2020-W10')", "2020-03-02"),
        ("from_iso8601_date('2020-W10-3')", "2020-03-04"),
        ("from_iso8601_timestamp('2020-05-11')", "2020-05-11 00:00:00.000 UTC"),
        ("from_iso8601_timestamp('2020-05-11T11:15:05')", "2020-05-11 11:15:05.000 UTC"),
        (
            "from_iso8601_timestamp('2020-05-11T11:15:05.055+01:00')",
            "2020-05-11 11:15:05.055 +01:00",
        ),
        ("hour(from_iso8601_timestamp(concat('2020-05-11T', '11:15:05+03:00')))", "11"),
        (
            "from_iso8601_timestamp(concat('2020-05-11T', '11:15:05Z'))",
            "2020-05-11 11:15:05.000 UTC",
        ),
        (
            (
                "SELECT from_iso8601_timestamp(x) FROM (VALUES "
                "'2020-05-11T11:15:05+03:00', '2020-05-11T11:15:05Z') t(x) ORDER BY 1"
            ),
            "2020-05-11 11:15:05.000 +03:00 ; 2020-05-11 11:15:05.000 UTC",
        ),
        (
            "date_format(TIMESTAMP '2001-01-09 13:04:05.321', '%a %b %c %d %e %f')",
            "Tue Jan 1 09 9 321000",
        ),
        (
            (
                "date_format(TIMESTAMP '2001-01-09 13:04:05.321', '%H %h %I %i %j %k "
                "%l %M %m %p %r %S %s %T %v %W %Y %y %%')"
            ),
            ("13 01 01 04 009 13 1 January 01 PM 01:04:05 PM 05 05 13:04:05 02 Tuesday 2001 01 %"),
        ),
        ("date_format(TIMESTAMP '2001-01-09 13:04:05.321', '%x-%v %g %n')", "2001-02 g n"),
        ("date_format(DATE '2001-01-09', '%Y-%m-%d')", "2001-01-09"),
        ("date_format(TIMESTAMP '2001-01-09 13:04:05.321 Asia/Tokyo', '%H')", "13"),
        ("date_parse('2013', '%Y')", "2013-01-01 00:00:00.000"),
        ("date_parse('2013-05', '%Y-%m')", "2013-05-01 00:00:00.000"),
        ("date_parse('2013-05-17 00:35:10', '%Y-%m-%d %H:%i:%s')", "2013-05-17 00:35:10.000"),
        ("date_parse('2013-05-17 03:35:10', '%Y-%m-%d %h:%i:%s')", "2013-05-17 03:35:10.000"),
        ("date_parse('2005-134', '%Y-%j')", "2005-05-14 00:00:00.000"),
        (
            "date_parse('2001-11-05 12:35:10.123', '%Y-%m-%d %H:%i:%s.%f')",
            "2001-11-05 12:35:10.123",
        ),
        ("date_parse('1/1/2020', '%c/%e/%Y')", "2020-01-01 00:00:00.000"),
        ("try(date_parse('x', '%Y'))", "null"),
        (
            ("format_datetime(TIMESTAMP '2001-08-22 03:04:05.321', 'EEE, MMM d yyyy h:mm:ss a')"),
            "Wed, Aug 22 2001 3:04:05 AM",
        ),
        (
            (
                "format_datetime(TIMESTAMP '2001-08-22 03:04:05.321', 'yyyy.MM.dd G "
                "''at'' HH:mm:ss z')"
            ),
            "2001.08.22 AD at 03:04:05 UTC",
        ),
        (
            (
                "format_datetime(TIMESTAMP '2001-08-22 03:04:05.321 America/New_York', "
                "'HH:mm Z ZZ ZZZ z')"
            ),
            "03:04 -0400 -04:00 America/New_York EDT",
        ),
        ("format_datetime(DATE '2001-08-22', 'YYYY-ww e D')", "2001-34 3 234"),
        ("parse_datetime('1960/01/22 03:04', 'yyyy/MM/dd HH:mm')", "1960-01-22 03:04:00.000 UTC"),
        (
            "parse_datetime('1960/01/22 03:04 Asia/Oral', 'yyyy/MM/dd HH:mm ZZZZZ')",
            "1960-01-22 03:04:00.000 Asia/Oral",
        ),
        (
            "parse_datetime('1960/01/22 03:04 +0500', 'yyyy/MM/dd HH:mm Z')",
            "1960-01-22 03:04:00.000 +05:00",
        ),
        ("parse_datetime('20200102', 'yyyyMMdd')", "2020-01-02 00:00:00.000 UTC"),
        (
            (
                "transform(sequence(DATE '2020-01-01', DATE '2020-01-02'), d -> "
                "date_format(d, '%Y%m%d'))"
            ),
            "[20200101, 20200102]",
        ),
        (
            (
                "SELECT date_format(max(d), '%Y-%m') FROM (VALUES DATE '2020-01-01', "
                "DATE '2020-01-05') t(d)"
            ),
            "2020-01",
        ),
        (
            ("SELECT to_iso8601(max(d)) FROM (VALUES DATE '2020-01-01', DATE '2020-01-05') t(d)"),
            "2020-01-05",
        ),
        (
            ("SELECT try(date_parse(s, '%Y-%m-%d')) FROM (VALUES '2020-01-01', 'x') t(s)"),
            "2020-01-01 00:00:00.000 ; null",
        ),
        (
            "SELECT date_parse(s, '%Y-%m-%d') FROM (VALUES '2020-01-01', NULL) t(s)",
            "2020-01-01 00:00:00.000 ; null",
        ),
        ("SELECT date(date_parse(s, '%d/%m/%Y')) FROM (VALUES '02/01/2020') t(s)", "2020-01-02"),
        (
            "SELECT date_parse('2020-01-01', s) FROM (VALUES '%Y-%m-%d') t(s)",
            "2020-01-01 00:00:00.000",
        ),
        (
            ("SELECT date_format(TIMESTAMP '2020-01-01 00:00:00', s) FROM (VALUES '%Y %i') t(s)"),
            "2020 00",
        ),
        ("date_format(from_unixtime(0) AT TIME ZONE 'Asia/Tokyo', '%H')", "09"),
        ("typeof(from_iso8601_date('2020-01-01'))", "date"),
        ("typeof(date_parse('2020-01-01', '%Y-%m-%d'))", "timestamp(3)"),
    ),
    "functions": (
        (
            "date_add('day', 1, TIMESTAMP '2020-03-08 01:00:00 America/New_York')",
            "2020-03-09 01:00:00.000 America/New_York",
        ),
        ("date_trunc('week', DATE '2020-05-14')", "2020-05-11"),
        ("date_trunc('year', TIMESTAMP '2020-05-14 01:02:03.4')", "2020-01-01 00:00:00.000"),
        ("date_trunc('hour', TIME '12:34:56.123')", "12:00:00"),
        ("date_trunc('minute', TIME '12:34:56.123+01:00')", "12:34:00+01:00"),
        ("date_trunc('second', TIMESTAMP '2020-05-14 01:02:03.987')", "2020-05-14 01:02:03.000"),
        ("date_add('month', 1, DATE '2020-01-31')", "2020-02-29"),
        ("date_add('quarter', -1, DATE '2020-05-31')", "2020-02-29"),
        ("date_add('second', -1, TIME '00:00:00')", "23:59:59"),
        (
            "date_add('millisecond', 12, TIMESTAMP '2020-01-31 00:00:00.1')",
            "2020-01-31 00:00:00.112",
        ),
        ("date_diff('day', DATE '2020-03-01', DATE '2020-02-01')", "-29"),
        ("date_diff('month', DATE '2020-01-31', DATE '2020-02-29')", "1"),
        ("date_diff('year', DATE '2019-02-28', DATE '2020-02-27')", "0"),
        ("date_diff('week', DATE '2020-01-01', DATE '2020-01-15')", "2"),
        (
            (
                "date_diff('millisecond', TIMESTAMP '2020-01-01 00:00:00.000', "
                "TIMESTAMP '2020-01-01 00:00:01.500')"
            ),
            "1500",
        ),
        (
            (
                "date_diff('hour', TIMESTAMP '2020-03-08 00:00:00 America/New_York', "
                "TIMESTAMP '2020-03-09 00:00:00 America/New_York')"
            ),
            "23",
        ),
        (
            (
                "date_diff('day', TIMESTAMP '2020-03-08 00:00:00 America/New_York', "
                "TIMESTAMP '2020-03-09 00:00:00 America/New_York')"
            ),
            "1",
        ),
        ("date_diff('minute', TIME '10:00:00', TIME '11:30:30')", "90"),
        ("date_diff('minute', TIME '11:30:30', TIME '10:00:00')", "-90"),
        (
            "TIMESTAMP '2012-10-31 01:00 UTC' AT TIME ZONE 'America/Los_Angeles'",
            "2012-10-30 18:00:00.000 America/Los_Angeles",
        ),
        (
            "TIMESTAMP '2012-10-31 01:00' AT TIME ZONE 'Asia/Tokyo'",
            "2012-10-31 10:00:00.000 Asia/Tokyo",
        ),
        (
            "with_timezone(TIMESTAMP '2021-08-01 10:00:00', 'America/Los_Angeles')",
            "2021-08-01 10:00:00.000 America/Los_Angeles",
        ),
        (
            "at_timezone(TIMESTAMP '2021-08-01 10:00:00 UTC', '+05:45')",
            "2021-08-01 15:45:00.000 +05:45",
        ),
        ("timezone_hour(TIMESTAMP '2001-08-22 03:04:05.321 +07:09')", "7"),
        ("timezone_minute(TIMESTAMP '2001-08-22 03:04:05.321 +07:09')", "9"),
        ("timezone_minute(TIMESTAMP '2001-08-22 03:04:05.321 -07:09')", "-9"),
        ("timezone_hour(TIMESTAMP '2001-08-22 03:04:05.321 -00:35')", "0"),
        ("extract(timezone_hour FROM TIMESTAMP '2001-08-22 03:04:05.321 -03:30')", "-3"),
        ("timezone_hour(TIME '01:02:03+05:45')", "5"),
        ("from_unixtime(0)", "1970-01-01 00:00:00.000 UTC"),
        ("from_unixtime(1234567890.5)", "2009-02-13 23:31:30.500 UTC"),
        ("from_unixtime(980172245, 1, 10)", "2001-01-22 15:14:05.000 +01:10"),
        ("from_unixtime(7200, 'Asia/Shanghai')", "1970-01-01 10:00:00.000 Asia/Shanghai"),
        ("from_unixtime_nanos(1500000000)", "1970-01-01 00:00:01.500 UTC"),
        ("to_unixtime(TIMESTAMP '2001-01-22 03:04:05.321')", "9.80132645321E8"),
        ("to_unixtime(TIMESTAMP '1969-12-31 23:59:59.5')", "-0.5"),
        (
            "with_timezone(TIMESTAMP '2021-08-01 10:00:00', 'America/Los_Angeles')",
            "2021-08-01 10:00:00.000 America/Los_Angeles",
        ),
        ("from_unixtime(980172245, 1, 10)", "2001-01-22 15:14:05.000 +01:10"),
        ("human_readable_seconds(96)", "1 minute, 36 seconds"),
        ("human_readable_seconds(3762)", "1 hour, 2 minutes, 42 seconds"),
        ("human_readable_seconds(56363463)", "93 weeks, 1 day, 8 hours, 31 minutes, 3 seconds"),
        ("human_readable_seconds(0.4)", "0 seconds"),
        ("parse_duration('42.8ms')", "0 00:00:00.043"),
        ("to_milliseconds(INTERVAL '2' DAY)", "172800000"),
        ("to_milliseconds(INTERVAL '-1' HOUR)", "-3600000"),
        ("last_day_of_month(DATE '2019-02-10')", "2019-02-28"),
        ("last_day_of_month(TIMESTAMP '2019-01-31 23:00:00 America/New_York')", "2019-01-31"),
        ("typeof(now())", "timestamp(3) with time zone"),
        ("typeof(current_date)", "date"),
        ("typeof(localtime)", "time(3)"),
        ("typeof(current_time)", "time(3) with time zone"),
        ("typeof(localtimestamp(6))", "timestamp(6)"),
        ("current_timezone()", "UTC"),
        ("current_date = CAST(now() AS date)", "true"),
        ("current_timestamp - INTERVAL '1' DAY < now()", "true"),
        ("current_date - INTERVAL '1' DAY < current_date", "true"),
        ("date_trunc('day', now()) <= now()", "true"),
        (
            (
                "date_diff('second', TIMESTAMP '1969-12-31 23:59:58.5', TIMESTAMP "
                "'1970-01-01 00:00:01.2')"
            ),
            "2",
        ),
        (
            "date_trunc('millisecond', TIMESTAMP '1960-01-01 00:00:01.9')",
            "1960-01-01 00:00:01.900",
        ),
        ("from_unixtime(980172245, -1, 10)", "2001-01-22 13:14:05.000 -00:50"),
        ("CAST(from_unixtime(0) AS varchar)", "1970-01-01 00:00:00.000 UTC"),
        ("CAST(from_unixtime(0) AS timestamp)", "1970-01-01 00:00:00.000"),
        (
            "CAST(from_unixtime(0) AT TIME ZONE 'Asia/Tokyo' AS timestamp)",
            "1970-01-01 09:00:00.000",
        ),
        ("extract(hour FROM localtime) BETWEEN 0 AND 23", "true"),
        ("current_timestamp(6) > now() - INTERVAL '1' HOUR", "true"),
        ("extract(timezone_hour FROM now())", "0"),
        ("date_diff('day', current_date, current_date + INTERVAL '2' DAY)", "2"),
        ("from_unixtime(CAST(NULL AS double))", "null"),
        ("date_trunc('month', CAST(NULL AS date))", "null"),
        ("typeof(date_trunc('month', DATE '2020-01-01'))", "date"),
        ("typeof(date_add('month', 1, TIMESTAMP '2020-01-01 00:00:00'))", "timestamp(0)"),
        ("typeof(to_unixtime(now()))", "double"),
        ("typeof(year(now()))", "bigint"),
        ("typeof(date_diff('day', now(), now()))", "bigint"),
        ("typeof(last_day_of_month(now()))", "date"),
        ("typeof(human_readable_seconds(1))", "varchar"),
        ("typeof(parse_duration('1s'))", "interval day to second"),
        ("typeof(to_milliseconds(parse_duration('1s')))", "bigint"),
        ("typeof(from_unixtime(0, 'Asia/Tokyo'))", "timestamp(3) with time zone"),
    ),
    "intervals": (
        ("INTERVAL '124-30' YEAR TO MONTH", "126-6"),
        ("INTERVAL '-3' MONTH", "-0-3"),
        ("INTERVAL '12 10:45:32.123' DAY TO SECOND", "12 10:45:32.123"),
        ("INTERVAL '10:45' HOUR TO MINUTE", "0 10:45:00.000"),
        ("INTERVAL '1' YEAR + INTERVAL '3' MONTH", "1-3"),
        ("INTERVAL '2' DAY - INTERVAL '3' HOUR", "1 21:00:00.000"),
        ("INTERVAL '3' DAY * 2", "6 00:00:00.000"),
        ("2.5 * INTERVAL '1' DAY", "2 12:00:00.000"),
        ("INTERVAL '1' DAY / 2", "0 12:00:00.000"),
        ("INTERVAL '6' MONTH / 2.5", "0-2"),
        ("-INTERVAL '3' DAY", "-3 00:00:00.000"),
        ("DATE '2020-01-31' + INTERVAL '1' MONTH", "2020-02-29"),
        ("DATE '2020-03-31' - INTERVAL '1' MONTH", "2020-02-29"),
        ("DATE '2020-01-31' + INTERVAL '1' DAY", "2020-02-01"),
        ("INTERVAL '1' DAY + DATE '2020-01-31'", "2020-02-01"),
        (
            "TIMESTAMP '2020-03-08 01:00:00 America/New_York' + INTERVAL '1' DAY",
            "2020-03-09 02:00:00.000 America/New_York",
        ),
        (
            "TIMESTAMP '2020-01-31 01:00:00 America/New_York' + INTERVAL '1' MONTH",
            "2020-02-29 01:00:00.000 America/New_York",
        ),
        (
            "TIMESTAMP '2020-01-31 01:00:00 America/New_York' - INTERVAL '1' YEAR",
            "2019-01-31 01:00:00.000 America/New_York",
        ),
        ("TIME '01:00:00' + INTERVAL '3' HOUR", "04:00:00"),
        ("TIME '01:00:00' - INTERVAL '3' HOUR", "22:00:00"),
        ("TIME '01:00:00+02:00' + INTERVAL '3' HOUR", "04:00:00+02:00"),
        ("INTERVAL '3' HOUR + TIME '01:00:00'", "04:00:00"),
        ("millisecond(INTERVAL '1.234' SECOND)", "234"),
        ("hour(INTERVAL '29' HOUR)", "5"),
        ("day(INTERVAL '29' HOUR)", "1"),
        ("year(INTERVAL '29' MONTH)", "2"),
        ("month(INTERVAL '29' MONTH)", "5"),
        ("extract(day FROM INTERVAL '5' DAY)", "5"),
        ("DATE '1960-02-28' + INTERVAL '1' DAY", "1960-02-29"),
        ("INTERVAL '13' MONTH = INTERVAL '1' YEAR + INTERVAL '1' MONTH", "true"),
        ("INTERVAL '90' SECOND = INTERVAL '1' MINUTE + INTERVAL '30' SECOND", "true"),
        ("INTERVAL '1' DAY > INTERVAL '23' HOUR", "true"),
        ("greatest(INTERVAL '1' DAY, INTERVAL '25' HOUR)", "1 01:00:00.000"),
        ("INTERVAL '45' MONTH", "3-9"),
        ("INTERVAL '5000' DAY", "5000 00:00:00.000"),
        ("INTERVAL '1.5' SECOND", "0 00:00:01.500"),
        ("least(INTERVAL '26' HOUR, INTERVAL '1' DAY)", "1 00:00:00.000"),
        ("INTERVAL '3' DAY IN (INTERVAL '72' HOUR)", "true"),
    ),
    "literals": (
        ("TIMESTAMP '2020-01-02 00:00:00' - TIMESTAMP '2020-01-01 12:00:00'", "0 12:00:00.000"),
        ("DATE '2020-03-01' - DATE '2020-02-01'", "29 00:00:00.000"),
        ("date(TIMESTAMP '2019-01-31 23:00:00')", "2019-01-31"),
        ("TIME '10:20:30+02:00' = TIME '08:20:30+00:00'", "true"),
        (
            (
                "DATE '2020-01-01' BETWEEN TIMESTAMP '2019-12-31 00:00:00' AND "
                "TIMESTAMP '2020-01-02 00:00:00'"
            ),
            "true",
        ),
        (
            ("TIMESTAMP '2020-01-01 00:00:00 UTC' = TIMESTAMP '2020-01-01 09:00:00 Asia/Tokyo'"),
            "true",
        ),
        ("TIMESTAMP '2020-01-01 00:00:00' = TIMESTAMP '2020-01-01 09:00:00 Asia/Tokyo'", "true"),
        (
            "CASE WHEN true THEN TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo' END",
            "2020-05-11 12:00:00.000 Asia/Tokyo",
        ),
        ("DATE '2020-01-01' = DATE '2020-01-01' AND TIME '01:02' < TIME '01:03'", "true"),
        ("TIME '01:02:03' BETWEEN TIME '01:00:00' AND TIME '02:00:00'", "true"),
        ("DATE '2020-01-01' IN (DATE '2020-01-01', DATE '2020-01-02')", "true"),
        (
            ("TIMESTAMP '2020-01-01 00:00:00 UTC' IN (TIMESTAMP '2020-01-01 09:00:00 Asia/Tokyo')"),
            "true",
        ),
        ("DATE '-0001-01-02'", "-0001-01-02"),
        (
            "DISTINCT TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo' AS x",
            "2020-05-11 12:00:00.000 Asia/Tokyo",
        ),
        (
            (
                "nullif(TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo', TIMESTAMP "
                "'2020-05-11 03:00:00 UTC')"
            ),
            "null",
        ),
        (
            (
                "row(1, TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo') = row(1, TIMESTAMP "
                "'2020-05-11 03:00:00 UTC')"
            ),
            "true",
        ),
        ("TIME '10:20:30+02:00' IN (TIME '08:20:30+00:00')", "true"),
        ("date '2020-1-1'", "2020-01-01"),
        ("timestamp '2020-01-01 10:20'", "2020-01-01 10:20:00.000"),
    ),
    "parts": (
        ("millisecond(TIMESTAMP '2001-08-22 03:04:05.321')", "321"),
        ("extract(year FROM DATE '2020-05-01')", "2020"),
        ("extract(day_of_week FROM DATE '2020-05-03')", "7"),
        ("extract(dow FROM DATE '2020-05-03')", "7"),
        ("extract(yow FROM DATE '2010-01-03')", "2009"),
        ("extract(week FROM DATE '2010-01-03')", "53"),
        ("week_of_year(DATE '2010-01-03')", "53"),
        ("day_of_month(DATE '2010-01-03')", "3"),
        ("doy(DATE '2010-02-03')", "34"),
        ("quarter(TIMESTAMP '2010-12-03 00:00:00 Asia/Tokyo')", "4"),
        ("day(TIMESTAMP '2010-12-03 02:00:00 Asia/Tokyo')", "3"),
        ("second(TIMESTAMP '1960-01-01 00:00:01.9')", "1"),
        ("millisecond(TIMESTAMP '1960-01-01 00:00:01.9')", "900"),
        ("year(DATE '0000-05-06')", "0"),
        ("year(DATE '-0001-05-06')", "-1"),
    ),
    "sequences": (
        (
            ("SELECT array_agg(v) FROM (VALUES TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo') t(v)"),
            "[2020-05-11 12:00:00.000 Asia/Tokyo]",
        ),
        (
            ("SELECT hour(v) FROM UNNEST(ARRAY[TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo']) t(v)"),
            "12",
        ),
        (
            ("SELECT d FROM UNNEST(sequence(DATE '2020-01-30', DATE '2020-02-01')) t(d)"),
            "2020-01-30 ; 2020-01-31 ; 2020-02-01",
        ),
        (
            "sequence(DATE '2020-01-03', DATE '2020-01-01')",
            "[2020-01-03, 2020-01-02, 2020-01-01]",
        ),
        (
            "sequence(DATE '2020-01-03', DATE '2020-01-01', INTERVAL '-1' DAY)",
            "[2020-01-03, 2020-01-02, 2020-01-01]",
        ),
        (
            (
                "sequence(TIMESTAMP '2020-01-01 00:00:00', TIMESTAMP '2020-01-01 "
                "03:00:00', INTERVAL '90' MINUTE)"
            ),
            ("[2020-01-01 00:00:00.000, 2020-01-01 01:30:00.000, 2020-01-01 03:00:00.000]"),
        ),
        ("transform(ARRAY[DATE '2020-01-31'], x -> x + INTERVAL '1' DAY)", "[2020-02-01]"),
        ("transform(ARRAY[DATE '2020-01-31'], x -> date_add('month', 1, x))", "[2020-02-29]"),
        ("transform(ARRAY[TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo'], x -> hour(x))", "[12]"),
        (
            (
                "transform(ARRAY[TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo'], x -> x + "
                "INTERVAL '1' HOUR)"
            ),
            "[2020-05-11 13:00:00.000 Asia/Tokyo]",
        ),
        (
            ("filter(ARRAY[TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo'], x -> hour(x) = 12)"),
            "[2020-05-11 12:00:00.000 Asia/Tokyo]",
        ),
        (
            "array_max(ARRAY[TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo'])",
            "2020-05-11 12:00:00.000 Asia/Tokyo",
        ),
        (
            "ARRAY[TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo'][1]",
            "2020-05-11 12:00:00.000 Asia/Tokyo",
        ),
        (
            "element_at(ARRAY[TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo'], 1)",
            "2020-05-11 12:00:00.000 Asia/Tokyo",
        ),
        ("typeof(sequence(DATE '2020-01-01', DATE '2020-01-02'))", "array(date)"),
    ),
}


def _text(world: World, sql: str) -> str:
    text = sql if sql.startswith(("SELECT", "WITH ")) else f"SELECT {sql}"
    found = world.athena.query(text, "db")
    kinds = [parse_type(kind) for _, kind in found.columns]
    rows = [
        " | ".join(
            "null" if (shown := render(value, kind)) is None else shown
            for value, kind in zip(row, kinds, strict=True)
        )
        for row in found.rows
    ]
    return " ; ".join(rows)


@pytest.mark.parametrize("topic", CASES)
def test_values(world: World, topic: str) -> None:
    expected = dict(CASES[topic])
    assert {sql: _text(world, sql) for sql in expected} == expected


FAILURES: tuple[tuple[str, str], ...] = (
    (
        "SELECT INTERVAL '1' DAY + INTERVAL '1' MONTH",
        ("TYPE_MISMATCH: Cannot apply operator: interval day to second + interval year to month"),
    ),
    (
        "SELECT DATE '2020-01-31' + INTERVAL '1' HOUR",
        ("INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date"),
    ),
    (
        "SELECT date_trunc('hour', DATE '2020-05-14')",
        "INVALID_FUNCTION_ARGUMENT: 'hour' is not a valid DATE field",
    ),
    (
        "SELECT date_trunc('foo', TIMESTAMP '2020-05-14 01:02:03.987')",
        "INVALID_FUNCTION_ARGUMENT: 'foo' is not a valid Timestamp field",
    ),
    (
        "SELECT date_add('hour', 1, DATE '2020-01-31')",
        "INVALID_FUNCTION_ARGUMENT: 'hour' is not a valid DATE field",
    ),
    (
        "SELECT date_diff('hour', DATE '2020-01-01', DATE '2020-01-15')",
        "INVALID_FUNCTION_ARGUMENT: 'hour' is not a valid DATE field",
    ),
    (
        "SELECT from_unixtime_nanos(100)",
        ("NOT_SUPPORTED: Timestamps finer than microseconds are not supported by the local engine"),
    ),
    ("SELECT from_iso8601_date('nope')", 'INVALID_FUNCTION_ARGUMENT: Invalid format: "nope"'),
    (
        (
            "SELECT v FROM (SELECT at_timezone(TIMESTAMP '2020-05-11 00:00:00 "
            "UTC', z) AS v FROM (VALUES 'Asia/Tokyo', '+01:00') t(z))"
        ),
        (
            "NOT_SUPPORTED: A result with time zones of its rows, from an inner "
            "query, DISTINCT or UNION, is not supported by the local engine"
        ),
    ),
    (
        (
            "SELECT TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo' UNION ALL SELECT "
            "TIMESTAMP '2020-05-11 12:00:00 UTC'"
        ),
        (
            "NOT_SUPPORTED: A result with time zones of its rows, from an inner "
            "query, DISTINCT or UNION, is not supported by the local engine"
        ),
    ),
    (
        "SELECT sequence(DATE '2020-01-01', DATE '2060-01-01')",
        (
            "INVALID_FUNCTION_ARGUMENT: result of sequence function must not have "
            "more than 10000 entries"
        ),
    ),
    (
        ("SELECT sequence(DATE '2020-01-05', DATE '2020-01-01', INTERVAL '1' DAY)"),
        (
            "INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than "
            "or equal to start value if step is greater than zero otherwise stop "
            "should be less than or equal to start"
        ),
    ),
    (
        "SELECT date_format(TIMESTAMP '2001-01-09 13:04:05.321', '%D')",
        "INVALID_FUNCTION_ARGUMENT: %D not supported in date format string",
    ),
    (
        "SELECT date_format(TIMESTAMP '2001-01-09 13:04:05.321', '%u')",
        "INVALID_FUNCTION_ARGUMENT: %u not supported in date format string",
    ),
    (
        "SELECT date_format(TIMESTAMP '2001-01-09 13:04:05.321', '%w')",
        "INVALID_FUNCTION_ARGUMENT: %w not supported in date format string",
    ),
    (
        "SELECT date_parse('2013-05-17 13:35:10', '%Y-%m-%d %h:%i:%s')",
        (
            'INVALID_FUNCTION_ARGUMENT: Cannot parse "2013-05-17 13:35:10": Value '
            "13 for clockhourOfHalfday must be in the range [1,12]"
        ),
    ),
    (
        "SELECT date_parse('2013-14-05', '%Y-%m-%d')",
        'INVALID_FUNCTION_ARGUMENT: Invalid format: "2013-14-05"',
    ),
    (
        "SELECT date_parse('2013-05-17x', '%Y-%m-%d')",
        'INVALID_FUNCTION_ARGUMENT: Invalid format: "2013-05-17x"',
    ),
    ("SELECT date_parse('x', '%Y')", 'INVALID_FUNCTION_ARGUMENT: Invalid format: "x"'),
    (
        "SELECT parse_datetime('x', 'yyyyMMdd')",
        'INVALID_FUNCTION_ARGUMENT: Invalid format: "x"',
    ),
    ("SELECT parse_duration('x')", "INVALID_FUNCTION_ARGUMENT: Invalid duration: x"),
    (
        "SELECT date('2019/01/31')",
        "INVALID_CAST_ARGUMENT: Value cannot be cast to date: 2019/01/31",
    ),
    (
        "SELECT CAST('2019-01-31 00:00:00' AS date)",
        ("INVALID_CAST_ARGUMENT: Value cannot be cast to date: 2019-01-31 00:00:00"),
    ),
    (
        "SELECT CAST('2019-02-30' AS date)",
        "INVALID_CAST_ARGUMENT: Value cannot be cast to date: 2019-02-30",
    ),
    (
        "SELECT TIME '25:00:00'",
        "INVALID_LITERAL: line 1:8: '25:00:00' is not a valid time literal",
    ),
    (
        "SELECT TIMESTAMP '2020-13-01 00:00:00'",
        ("INVALID_LITERAL: line 1:8: '2020-13-01 00:00:00' is not a valid timestamp literal"),
    ),
    (
        "SELECT TIMESTAMP '2020-01-01 00:00:00 No/Zone'",
        (
            "INVALID_LITERAL: line 1:8: '2020-01-01 00:00:00 No/Zone' is not a "
            "valid timestamp literal"
        ),
    ),
    (
        "SELECT DATE '2020-02-30'",
        "INVALID_LITERAL: line 1:8: '2020-02-30' is not a valid date literal",
    ),
    (
        "SELECT DATE '2020/02/03'",
        "INVALID_LITERAL: line 1:8: '2020/02/03' is not a valid date literal",
    ),
    (
        "SELECT DATE '20200203'",
        "INVALID_LITERAL: line 1:8: '20200203' is not a valid date literal",
    ),
    ("SELECT INTERVAL 'x' DAY", "INVALID_LITERAL: line 1:1: 'x' is not a valid interval literal"),
    ("SELECT DATE '2020-01-01' + 1", "TYPE_MISMATCH: Cannot apply operator: date + integer"),
    (
        ("SELECT format_datetime(date_parse(s, '%Y'), 'yyyy-QQ') FROM (VALUES '2020') t(s)"),
        "INVALID_FUNCTION_ARGUMENT: Illegal pattern component: QQ",
    ),
    (
        "SELECT hour(DATE '2020-01-01')",
        "FUNCTION_NOT_FOUND: Unexpected parameters (date) for function hour",
    ),
    (
        "SELECT '2020-01-01' = DATE '2020-01-01'",
        "TYPE_MISMATCH: Cannot apply operator: varchar(10) = date",
    ),
    (
        "SELECT row(TIMESTAMP '2020-05-11 12:00:00 Asia/Tokyo')",
        ("NOT_SUPPORTED: A time zone inside of struct is not supported by the local engine"),
    ),
    (
        "SELECT x = '2020-01-01' FROM (VALUES DATE '2020-01-01') t(x)",
        "TYPE_MISMATCH: Cannot apply operator: date = varchar(10)",
    ),
    (
        "SELECT x IN ('2020-01-01') FROM (VALUES DATE '2020-01-01') t(x)",
        "TYPE_MISMATCH: Cannot apply operator: date = varchar(10)",
    ),
    (
        "SELECT x = y FROM (VALUES ('a', DATE '2020-01-01')) t(x, y)",
        "TYPE_MISMATCH: Cannot apply operator: varchar = date",
    ),
    (
        "SELECT TIMESTAMP '2020-01-01 24:00:00'",
        ("INVALID_LITERAL: line 1:8: '2020-01-01 24:00:00' is not a valid timestamp literal"),
    ),
    (
        "SELECT cast('2020-01-01T10:00:00Z' AS timestamp)",
        ("INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp: 2020-01-01T10:00:00Z"),
    ),
    (
        "SELECT CAST(TIME '12:34:56.789' AS timestamp)",
        ("NOT_SUPPORTED: A cast of time to timestamp is not supported by the local engine"),
    ),
)


def test_failures_and_refusals(world: World) -> None:
    found = {}
    for sql, _ in FAILURES:
        with pytest.raises(AthenaFailure) as failed:
            world.athena.query(sql, "db")
        found[sql] = failed.value.reason
    assert found == dict(FAILURES)


TYPES: tuple[tuple[str, str], ...] = (
    ("DATE '2020-01-01'", "date"),
    ("TIME '01:02:03'", "time"),
    ("TIME '01:02:03+01:00'", "time with time zone"),
    ("TIMESTAMP '2020-01-01 00:00:00'", "timestamp(3)"),
    ("TIMESTAMP '2020-01-01 00:00:00 Asia/Tokyo'", "timestamp(3) with time zone"),
    ("INTERVAL '1' DAY", "interval day to second"),
    ("INTERVAL '1' MONTH", "interval year to month"),
    ("DATE '2020-01-31' + INTERVAL '1' MONTH", "date"),
    ("year(now())", "bigint"),
    ("to_unixtime(now())", "double"),
    ("from_unixtime(0)", "timestamp(3) with time zone"),
    (
        "from_iso8601_timestamp(concat('2020-01-01T00:00:00', '+01:00'))",
        "timestamp(3) with time zone",
    ),
    ("date_parse('2020', '%Y')", "timestamp(3)"),
    ("sequence(DATE '2020-01-01', DATE '2020-01-02')", "array(date)"),
)


def test_types_of_results(world: World) -> None:
    found = {sql: world.athena.query(f"SELECT {sql}", "db").columns[0][1] for sql, _ in TYPES}
    assert found == dict(TYPES)


def test_columns_of_tables_have_milliseconds(world: World) -> None:
    world.run(
        "CREATE TABLE t WITH (external_location='s3://b/t/') AS "
        "SELECT TIMESTAMP '2020-01-01 00:00:00' AS at, DATE '2020-01-31' AS d"
    )
    assert _text(world, "SELECT CAST(at AS varchar) FROM t") == "2020-01-01 00:00:00.000"
    assert _text(world, "SELECT at AT TIME ZONE 'Asia/Tokyo' FROM t") == (
        "2020-01-01 09:00:00.000 Asia/Tokyo"
    )
    assert _text(world, "SELECT d + INTERVAL '1' MONTH FROM t") == "2020-02-29"


def test_statements_of_one_shape_keep_their_own_precision(world: World) -> None:
    for fraction in ("", ".1", ".12", ".123"):
        sql = f"CAST(TIMESTAMP '2020-01-01 00:00:00{fraction}' AS varchar)"
        assert _text(world, sql) == f"2020-01-01 00:00:00{fraction}"


def test_the_present_does_not_change_within_a_statement(world: World) -> None:
    sql = "current_timestamp = now() AND localtimestamp = CAST(current_timestamp AS timestamp)"
    assert _text(world, sql) == "true"
    assert _text(world, "current_date = CAST(localtimestamp AS date)") == "true"
