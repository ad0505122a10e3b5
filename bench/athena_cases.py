"""What bench/athena.py times: statements of Athena, and the DuckDB SQL that a hand would write.

In: nothing.  Out: tuples of cases.  `{events}` stands for the table or for its files; both
engines read the same ones, and give the same rows.
"""

from __future__ import annotations

from typing import NamedTuple

KINDS = "view", "click", "cart", "order", "return", "search", "login", "logout", "share", "error"
PARTITIONS = 100
FIRST_DAY = "2013-01-01"

EVENTS = f"""
SELECT n AS id,
    CAST(hash(n) % 1000003 AS INTEGER) AS user_id,
    {list(KINDS)!r}[CAST(hash(n + 1) % 10 AS INTEGER) + 1] AS kind,
    '/item/' || (hash(n + 2) % 20011) || CASE WHEN n % 3 = 0 THEN '/reviews' ELSE '' END AS path,
    'Mozilla/5.0 (X11; Linux ' || (hash(n + 3) % 211) || ') Firefox' AS agent,
    CAST(hash(n + 4) % 1000000 AS DOUBLE) / 128 AS amount,
    CAST(CAST(hash(n + 5) % 1000000 AS DOUBLE) / 100 AS DECIMAL(10, 2)) AS price,
    CAST(hash(n + 6) % 50 + 1 AS INTEGER) AS quantity,
    TIMESTAMP '{FIRST_DAY} 00:00:00'
        + to_milliseconds(CAST(n * (86400000.0 * {PARTITIONS} / $rows) AS BIGINT)) AS happened,
    CASE WHEN hash(n + 7) % 4 > 0 THEN 'https://host' || (hash(n + 8) % 97) || '.example/a' END
        AS referrer,
    CAST(hash(n + 9) % 8 AS INTEGER) AS node,
    strftime(DATE '{FIRST_DAY}' + CAST(n * {PARTITIONS} // $rows AS INTEGER), '%Y-%m-%d') AS day
FROM range($first, $last) AS t(n)
"""
"""Rows of the raw table, in order of time, as trackers write them; `$rows` in all."""

COLUMNS = (
    "id bigint, user_id int, kind string, path string, agent string, amount double, "
    "price decimal(10,2), quantity int, happened timestamp, referrer string, node int, day string"
)


class Small(NamedTuple):
    """A small statement; `{n}` is a number that makes it another statement."""

    name: str
    sql: str


class Scan(NamedTuple):
    """A query over all rows, in Athena's words and in DuckDB's."""

    name: str
    sql: str
    native: str = ""
    """Empty: the same words."""


SMALL = (
    Small("SELECT 1", "SELECT {n}"),
    Small(
        "rows of a partition", "SELECT id, kind, amount + {n} FROM tiny WHERE day = '2013-01-02'"
    ),
    Small(
        "GROUP BY, HAVING",
        "SELECT kind, count(*) AS n, sum(amount) AS s FROM tiny WHERE day > '2013-01-02' "
        "GROUP BY kind HAVING count(*) > {n} ORDER BY 3 DESC LIMIT 5",
    ),
    Small(
        "join of a CTE",
        "WITH days AS (SELECT day, kind, count(*) AS n FROM tiny GROUP BY day, kind) "
        "SELECT d.day, t.path, coalesce(t.referrer, 'none') AS r, d.n FROM days d "
        "JOIN tiny t ON t.day = d.day AND t.kind = d.kind WHERE t.id < {n} ORDER BY 1, 2 LIMIT 5",
    ),
    Small(
        "dates",
        "SELECT date_trunc('month', happened), date_add('day', {n}, happened), "
        "date_format(happened, '%Y-%m-%d'), date_diff('hour', happened, TIMESTAMP '2014-01-01'), "
        "year(happened) FROM tiny WHERE day = '2013-01-02' LIMIT 5",
    ),
    Small(
        "text",
        "SELECT substr(path, {n}), upper(kind), split_part(path, '/', 2), lpad(kind, 10, '.'), "
        "kind || '-' || day FROM tiny WHERE day = '2013-01-02' LIMIT 5",
    ),
    Small(
        "regular expressions",
        "SELECT regexp_like(path, '[0-9]{{{n}}}'), regexp_extract(path, '([0-9]+)', 1), "
        "regexp_replace(path, '/', '.') FROM tiny WHERE day = '2013-01-02' LIMIT 5",
    ),
    Small(
        "JSON",
        """SELECT json_extract_scalar('{{"a": {n}}}', '$.a'), """
        "json_format(CAST(map(ARRAY[kind], ARRAY[id]) AS JSON)) "
        "FROM tiny WHERE day = '2013-01-02' LIMIT 5",
    ),
    Small(
        "numbers and casts",
        "SELECT id / {n}, amount / 3, round(amount, 1), id % 7, CAST(id AS varchar), "
        "TRY_CAST(path AS integer), CAST(amount AS varchar) FROM tiny WHERE day = '2013-01-02' "
        "LIMIT 5",
    ),
    Small(
        "arrays",
        "SELECT transform(ARRAY[id, {n}], x -> x + 1), filter(ARRAY[1, 2, 3], x -> x > 1), "
        "cardinality(split(path, '/')) FROM tiny WHERE day = '2013-01-02' LIMIT 5",
    ),
    Small(
        "hashes and URLs",
        "SELECT to_hex(md5(to_utf8(path))), url_extract_host(referrer), {n} "
        "FROM tiny WHERE day = '2013-01-02' LIMIT 5",
    ),
    Small("INSERT of a row", "INSERT INTO added SELECT {n}, 'a', 1.5e0"),
    Small("CREATE EXTERNAL TABLE", "CREATE EXTERNAL TABLE made{n} (a int) LOCATION 's3://b/m{n}/'"),
    Small("SHOW TABLES", "SHOW TABLES LIKE 'made{n}'"),
    Small("DESCRIBE", "DESCRIBE tiny"),
    Small("SHOW PARTITIONS", "SHOW PARTITIONS tiny"),
)
"""Statements over a table of 1,000 rows in 5 partitions; those but queries have no floor."""

SCANS = (
    Scan("count(*)", "SELECT count(*) FROM {events}"),
    Scan("sum, avg, max", "SELECT sum(quantity), avg(amount), max(price) FROM {events}"),
    Scan(
        "filter by time",
        "SELECT count(*), sum(amount) FROM {events} WHERE happened >= TIMESTAMP "
        "'2013-02-01 00:00:00' AND happened < TIMESTAMP '2013-02-08 00:00:00'",
    ),
    Scan("filter by number", "SELECT count(path), max(agent) FROM {events} WHERE quantity = 17"),
    Scan(
        "filter, IN", "SELECT sum(amount) FROM {events} WHERE kind IN ('cart', 'order', 'return')"
    ),
    Scan(
        "GROUP BY text",
        "SELECT kind, count(*), sum(amount), max(price) FROM {events} GROUP BY kind ORDER BY kind",
    ),
    Scan(
        "GROUP BY day",
        "SELECT date_trunc('day', happened), count(*) FROM {events} GROUP BY 1 ORDER BY 1",
    ),
    Scan(
        "GROUP BY hour",
        "SELECT hour(happened), day_of_week(happened), count(*) FROM {events} "
        "GROUP BY hour(happened), day_of_week(happened) ORDER BY 1, 2",
        "SELECT hour(happened), isodow(happened), count(*) FROM {events} "
        "GROUP BY ALL ORDER BY 1, 2",
    ),
    Scan(
        "date_format, date_diff",
        "SELECT date_format(happened, '%Y-%m'), "
        "max(date_diff('day', TIMESTAMP '2013-01-01 00:00:00', happened)) "
        "FROM {events} GROUP BY 1 ORDER BY 1",
        "SELECT strftime(happened, '%Y-%m'), "
        "max(date_sub('day', TIMESTAMP '2013-01-01 00:00:00', happened)) "
        "FROM {events} GROUP BY 1 ORDER BY 1",
    ),
    Scan(
        "timestamp arithmetic",
        "SELECT max(happened + INTERVAL '3' HOUR), min(date_add('day', quantity, happened)), "
        "count(CAST(happened AS date)) FROM {events}",
        "SELECT max(happened + INTERVAL 3 HOUR), min(happened + to_days(quantity)), "
        "count(CAST(happened AS date)) FROM {events}",
    ),
    Scan("LIKE", "SELECT count(*) FROM {events} WHERE path LIKE '/item/1%/reviews'"),
    Scan(
        "regexp_like",
        "SELECT count(*) FROM {events} WHERE regexp_like(path, '^/item/[0-9]+7(/reviews)?$')",
        "SELECT count(*) FROM {events} WHERE regexp_matches(path, '^/item/[0-9]+7(/reviews)?$')",
    ),
    Scan(
        "regexp_extract",
        "SELECT regexp_extract(agent, 'Linux ([0-9])', 1), count(*) FROM {events} "
        "GROUP BY 1 ORDER BY 1",
    ),
    Scan(
        "regexp_replace",
        "SELECT max(regexp_replace(path, '[0-9]+', '#')) FROM {events}",
        "SELECT max(regexp_replace(path, '[0-9]+', '#', 'g')) FROM {events}",
    ),
    Scan(
        "substr, upper, concat",
        "SELECT substr(path, 1, 8), upper(kind) || '!', count(*) FROM {events} "
        "GROUP BY 1, 2 ORDER BY 1, 2",
    ),
    Scan(
        "split_part, replace",
        "SELECT split_part(path, '/', 2), max(replace(agent, 'Linux', 'BSD')) FROM {events} "
        "GROUP BY 1 ORDER BY 1",
    ),
    Scan(
        "length, strpos, trim",
        "SELECT sum(length(path)), sum(strpos(agent, ')')), max(trim(kind)) FROM {events}",
        "SELECT CAST(sum(length(path)) AS BIGINT), CAST(sum(strpos(agent, ')')) AS BIGINT), "
        "max(trim(kind)) FROM {events}",
    ),
    Scan(
        "coalesce, CASE, IF",
        "SELECT coalesce(referrer, 'none'), sum(CASE WHEN amount > 100 THEN 1 ELSE 0 END), "
        "count_if(quantity > 10), sum(if(node = 3, 1, 0)) FROM {events} GROUP BY 1 ORDER BY 1",
        "SELECT coalesce(referrer, 'none'), sum(CASE WHEN amount > 100 THEN 1 ELSE 0 END), "
        "count(*) FILTER (quantity > 10), sum(CASE WHEN node = 3 THEN 1 ELSE 0 END) "
        "FROM {events} GROUP BY 1 ORDER BY 1",
    ),
    Scan(
        "integer arithmetic",
        "SELECT sum(id / 7), sum(id % 11), sum(quantity * 3 + node) FROM {events}",
        "SELECT sum(id // 7), sum(id % 11), sum(quantity * 3 + node) FROM {events}",
    ),
    Scan(
        "double, decimal",
        "SELECT sum(amount / quantity), sum(price * quantity), max(round(amount, 1)), "
        "sum(abs(amount - 50)) FROM {events}",
    ),
    Scan(
        "casts",
        "SELECT max(CAST(id AS varchar)), sum(CAST(price AS double)), sum(CAST(node AS bigint)), "
        "max(CAST(happened AS date)) FROM {events}",
    ),
    Scan(
        "cast of text",
        "SELECT sum(CAST(substr(day, 9, 2) AS integer)), max(CAST(day AS date)) FROM {events}",
    ),
    Scan("count(DISTINCT)", "SELECT count(DISTINCT user_id) FROM {events}"),
    Scan(
        "ORDER BY, LIMIT",
        "SELECT id, path, amount FROM {events} ORDER BY amount DESC, id LIMIT 10",
    ),
    Scan(
        "join",
        "SELECT k.label, count(*), sum(e.amount) FROM {events} e JOIN {kinds} k "
        "ON e.kind = k.kind GROUP BY k.label ORDER BY 1",
    ),
    Scan(
        "join of a million users",
        "SELECT count(*), sum(e.amount) FROM {events} e JOIN "
        "(SELECT user_id, max(amount) AS top FROM {events} GROUP BY user_id) u "
        "ON e.user_id = u.user_id AND e.amount = u.top",
    ),
    Scan(
        "window",
        "SELECT count(*), sum(amount) FROM (SELECT amount, row_number() OVER (PARTITION BY user_id "
        "ORDER BY id) AS place FROM {events} WHERE node < 2) AS w WHERE place = 1",
    ),
    Scan(
        "some partitions",
        "SELECT kind, count(*), avg(amount) FROM {daily} "
        "WHERE day BETWEEN '2013-02-01' AND '2013-02-28' GROUP BY kind ORDER BY kind",
    ),
    Scan(
        "all partitions",
        "SELECT day, count(*), sum(quantity) FROM {daily} GROUP BY day ORDER BY day",
    ),
)

CTAS = """
CREATE TABLE made WITH (format = 'PARQUET', write_compression = '{codec}',
    external_location = 's3://b/made/', partitioned_by = ARRAY['day'])
AS SELECT id, user_id, kind, path, agent, amount, price, quantity, happened, referrer, node, day
FROM events
"""
COPIES = {
    "plain": "",
    "unordered": "SET preserve_insertion_order = false",
    "sorted": "",
}
"""Ways to write the partitions with DuckDB alone, and a setting; the fastest is the floor."""
