# ruff: noqa: E501 - rows of tables
"""Whole queries by family, with the holes of `expressions`.

`--ordered` at the end says that ORDER BY decides the order of all rows.
"""

from __future__ import annotations

_AGGREGATES = (
    "count(*)", "count({c})", "count(DISTINCT {c})", "min({c})", "max({c})", "sum({num})", "avg({num})",
    "bool_and(score > 5)", "bool_or(score > 25)", "every(rate > 0)", "count_if(score > 10)",
    "arbitrary(5)", "max_by(name, score)", "min_by(name, score)", "max(score, 2)", "min(score, 2)",
    "max_by(id, rate, 2)", "array_agg(id ORDER BY id DESC)", "array_agg(name ORDER BY id)",
    "array_agg(score ORDER BY id) FILTER (WHERE score IS NOT NULL)", "listagg(name, ',') WITHIN GROUP (ORDER BY id)",
    "stddev({num})", "stddev_pop({num})", "variance({num})", "var_pop({num})", "corr(score, rate)",
    "covar_pop(score, rate)", "covar_samp(score, rate)", "regr_slope(score, rate)", "regr_intercept(score, rate)",
    "skewness({num})", "kurtosis({num})", "geometric_mean(score)", "approx_distinct({c})", "checksum(name)",
    "histogram(region)", "map_agg(id, name)", "multimap_agg(region, score)", "map_union(MAP(ARRAY[id], ARRAY[score]))",
    "bitwise_and_agg(score)", "bitwise_or_agg(score)", "sum(score) FILTER (WHERE id > 3)",
    "sum(DISTINCT score)", "avg(DISTINCT rate)", "approx_percentile(score, 0.5)", "any_value(5)",
    "reduce_agg(score, 0, (a, b) -> a + b, (a, b) -> a + b)", "typeof(sum(score))", "typeof(avg(score))",
    "array_agg(DISTINCT region ORDER BY region)", "sum(CAST(score AS real))", "avg(CAST(score AS decimal(10, 2)))",
    "sum(CAST(score AS decimal(10, 2)))", "avg(CAST(score AS tinyint))", "numeric_histogram(2, score)",
)  # fmt: skip

_WINDOWS = (
    "row_number() OVER ({w})", "rank() OVER ({w0})", "dense_rank() OVER ({w0})", "percent_rank() OVER ({w0})",
    "cume_dist() OVER ({w0})", "ntile(3) OVER ({w})", "lag(name) OVER ({w})", "lead(score, 2) OVER ({w})",
    "lag(score, 1, -1) OVER ({w})", "first_value(name) OVER ({w})", "last_value(name) OVER ({w})",
    "nth_value(name, 2) OVER ({w})", "sum(score) OVER ({w} {fr})", "avg(rate) OVER ({w} {fr})",
    "count(*) OVER ({w} {fr})", "max(score) OVER ({w} {fr})", "array_agg(id) OVER ({w} {fr})",
    "first_value(score) IGNORE NULLS OVER ({w} {fr})", "lag(score) IGNORE NULLS OVER ({w})",
    "last_value(score) IGNORE NULLS OVER ({w} {fr})", "sum(score) OVER (PARTITION BY region)",
    "sum(score) FILTER (WHERE id > 2) OVER ({w})", "count(score) OVER ({w0} {rfr})", "sum(id) OVER ({w0} {gfr})",
    "count(*) OVER (ORDER BY day RANGE BETWEEN INTERVAL '2' DAY PRECEDING AND CURRENT ROW)",
    "nth_value(score, 1) IGNORE NULLS OVER ({w} {fr})", "lead(name, 0) OVER ({w})",
)  # fmt: skip

_SELECTS = {
    "joins": (
        "SELECT p.id, o.id, o.price FROM people p {join} JOIN orders o ON p.id = o.person",
        "SELECT p.name, count(o.id), sum(o.price) FROM people p LEFT JOIN orders o ON o.person = p.id GROUP BY p.name",
        "SELECT p.id, o.id FROM people p CROSS JOIN orders o WHERE p.id < 3 AND o.id < 102",
        "SELECT * FROM people JOIN orders USING (id)",
        "SELECT id, p.name, o.state FROM people p {join} JOIN (SELECT person AS id, state FROM orders) o USING (id)",
        "SELECT a.id, b.id FROM people a JOIN people b ON a.region = b.region AND a.id < b.id",
        "SELECT a.id, b.id FROM people a LEFT JOIN people b ON a.score < b.score",
        "SELECT p.id, x FROM people p CROSS JOIN UNNEST(ARRAY[p.score, p.id]) AS t(x)",
        "SELECT p.id, x, n FROM people p LEFT JOIN UNNEST(CASE WHEN p.id > 5 THEN ARRAY[1, 2] END) WITH ORDINALITY AS t(x, n) ON true",
        "SELECT id, k, v FROM vals CROSS JOIN UNNEST(m) AS t(k, v)",
        "SELECT id, x, n FROM vals CROSS JOIN UNNEST(ar) WITH ORDINALITY AS t(x, n)",
        "SELECT id, x, k, v FROM vals CROSS JOIN UNNEST(ar, m) AS t(x, k, v)",
        "SELECT p.id, l.top FROM people p CROSS JOIN LATERAL (SELECT max(o.price) AS top FROM orders o WHERE o.person = p.id) l",
        "SELECT p.id FROM people p {join} JOIN orders o ON p.id = o.person AND o.state = 'new' WHERE p.region IS NOT NULL",
        "SELECT count(*) FROM people p FULL JOIN orders o ON p.id = o.person",
    ),
    "grouping": (
        "SELECT region, {agg} FROM people GROUP BY region",
        "SELECT {agg} FROM people",
        "SELECT {agg} FROM people WHERE id > 100",
        "SELECT score > 10, {agg} FROM people GROUP BY 1",
        "SELECT region, {agg} FROM people GROUP BY region HAVING count(*) > 1",
        "SELECT region, score, count(*), grouping(region, score) FROM people GROUP BY {sets}",
        "SELECT region, {agg} FROM people GROUP BY GROUPING SETS ((region), ())",
        "SELECT DISTINCT region, score FROM people",
        "SELECT count(*) FROM (SELECT DISTINCT name FROM people)",
        "SELECT region, {agg}, {agg} FROM people GROUP BY region ORDER BY region NULLS FIRST --ordered",
        "SELECT length(name), {agg} FROM people GROUP BY length(name)",
    ),
    "windows": (
        "SELECT id, {win} FROM people",
        "SELECT id, {win}, {win} FROM people WHERE region IS NOT NULL",
        "SELECT region, sum(sum(score)) OVER (ORDER BY region) FROM people GROUP BY region",
        "SELECT id, rank() OVER (PARTITION BY region ORDER BY score DESC NULLS LAST) r FROM people",
        "SELECT id, sum(score) OVER x FROM people WINDOW x AS (PARTITION BY region ORDER BY id)",
    ),
    "sets": (
        "SELECT region FROM people {set} SELECT state FROM orders",
        "SELECT score FROM people {set} SELECT id FROM people",
        "SELECT id, rate FROM people {set} SELECT person, price FROM orders",
        "(SELECT score FROM people ORDER BY id LIMIT 3) {set} (SELECT id FROM people)",
        "SELECT 1 UNION ALL SELECT 1 {set} SELECT 2",
        "SELECT {any} FROM vals {set} SELECT NULL",
        "VALUES 1, 2, 2 {set} VALUES 2, 3",
    ),
    "subqueries": (
        "SELECT id FROM people WHERE score {cmp} (SELECT avg(score) FROM people)",
        "SELECT id FROM people p WHERE {ex} (SELECT 1 FROM orders o WHERE o.person = p.id AND o.state = 'new')",
        "SELECT id FROM people WHERE id {in} (SELECT person FROM orders)",
        "SELECT id FROM people WHERE score {in} (SELECT score FROM people WHERE id < 4)",
        "SELECT id, (SELECT count(*) FROM orders o WHERE o.person = p.id) FROM people p",
        "SELECT id, (SELECT max(price) FROM orders o WHERE o.person = p.id) FROM people p",
        "SELECT id, score {in} (VALUES 10, NULL) FROM people",
        "SELECT id, score {cmp} ALL (SELECT score FROM people WHERE score < 20) FROM people",
        "SELECT id, score {cmp} ANY (SELECT score FROM people WHERE id < 3) FROM people",
        "WITH a AS (SELECT region, sum(score) s FROM people GROUP BY region) SELECT * FROM a WHERE s > (SELECT min(s) FROM a)",
        "WITH RECURSIVE t(n) AS (VALUES 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n), count(*) FROM t",
        "SELECT (id, region) {in} (VALUES (1, 'north'), (2, 'x')) FROM people",
        "SELECT id FROM people WHERE EXISTS (SELECT person FROM orders WHERE person > people.id)",
    ),
    "ordering": (
        "SELECT id FROM people ORDER BY {c} {dir}, id --ordered",
        "SELECT id, name FROM people ORDER BY region {dir}, score {dir}, id LIMIT 4 --ordered",
        "SELECT id FROM people ORDER BY id OFFSET 2 ROWS FETCH FIRST 2 ROWS ONLY --ordered",
        "SELECT id, score FROM people ORDER BY score FETCH FIRST 2 ROWS WITH TIES",
        "SELECT score + 1 AS x FROM people ORDER BY x {dir} --ordered",
        "SELECT id FROM vals ORDER BY {any} {dir}, id --ordered",
        "SELECT {any}, count(*) FROM vals GROUP BY 1",
        "SELECT max({any}), min({any}) FROM vals",
        "SELECT count(DISTINCT {any}), approx_distinct(id) FROM vals",
        "SELECT array_agg({any} ORDER BY id) FROM vals",
        "SELECT id FROM vals WHERE {any} = {any}",
        "SELECT sum({n}), avg({n}) FROM vals WHERE id IN (1, 5, 6)",
        "SELECT max_by({any}, id), min_by(id, {any}) FROM vals",
        "SELECT id FROM vals WHERE {s} LIKE {like} AND NOT {bo}",
        "SELECT * FROM people ORDER BY id --ordered",
    ),
}  # fmt: skip

HOLES: dict[str, tuple[str, ...]] = {
    "c": ("id", "name", "region", "score", "rate", "day"),
    "num": ("id", "score", "rate"),
    "join": ("", "LEFT", "RIGHT", "FULL", "INNER"),
    "agg": _AGGREGATES,
    "win": _WINDOWS,
    "w": ("ORDER BY id", "PARTITION BY region ORDER BY id", "PARTITION BY score ORDER BY id DESC"),
    "w0": ("ORDER BY score", "ORDER BY region", "PARTITION BY region ORDER BY score DESC"),
    "fr": (
        "", "ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING", "ROWS UNBOUNDED PRECEDING",
        "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING", "ROWS 2 PRECEDING",
        "ROWS BETWEEN 2 FOLLOWING AND 3 FOLLOWING",
    ),
    "rfr": (
        "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
        "RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
    ),
    "gfr": ("GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW", "GROUPS BETWEEN CURRENT ROW AND 1 FOLLOWING"),
    "sets": ("ROLLUP (region, score)", "CUBE (region, score)", "GROUPING SETS ((region), (score), ())"),
    "set": ("UNION", "UNION ALL", "INTERSECT", "EXCEPT", "UNION DISTINCT", "EXCEPT ALL", "INTERSECT ALL"),
    "ex": ("EXISTS", "NOT EXISTS"),
    "in": ("IN", "NOT IN"),
    "dir": ("", "ASC", "DESC", "ASC NULLS FIRST", "DESC NULLS LAST"),
}  # fmt: skip
QUERIES = _SELECTS
