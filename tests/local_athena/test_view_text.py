"""How SHOW CREATE VIEW lays out a query; the expected texts are Trino 435's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.local.athena.viewtext import laid_out

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

LAID_OUT = {
    "SELECT number_of_rows FROM x.one_row": "SELECT number_of_rows\nFROM\n  x.one_row",
    "SELECT 1 AS n": "SELECT 1 n",
    "select all null x group by 1, 2": "SELECT null x\n\nGROUP BY 1, 2",
    "SELECT a, b AS c, t.d e FROM t WHERE a != 1 AND b <> 'x' OR NOT c": (
        "SELECT\n  a\n, b c\n, t.d e\nFROM\n  t\nWHERE (((a <> 1) AND (b <> 'x')) OR (NOT c))"
    ),
    'SELECT DISTINCT a FROM "T" x GROUP BY 1 HAVING count(*) > 2 '
    "ORDER BY a DESC NULLS FIRST, b LIMIT 10": (
        'SELECT DISTINCT a\nFROM\n  "T" x\nGROUP BY 1\nHAVING (count(*) > 2)\n'
        "ORDER BY a DESC NULLS FIRST, b ASC\nLIMIT 10"
    ),
    "SELECT * FROM a JOIN b ON a.x = b.y LEFT OUTER JOIN c USING (z), d CROSS JOIN e": (
        "SELECT *\nFROM\n  ((a\nINNER JOIN b ON (a.x = b.y))\nLEFT JOIN c USING (z))\n"
        ", (d\nCROSS JOIN e)"
    ),
    "SELECT a.*, cast(b AS varchar(10)), 1.5, -1.5, -7, -a, date '2020-01-01', TRUE FROM a": (
        "SELECT\n  a.*\n, CAST(b AS varchar(10))\n, DECIMAL '1.5'\n, DECIMAL '-1.5'\n, -7\n, -(a)\n"
        ", date '2020-01-01'\n, true\nFROM\n  a"
    ),
    "SELECT CASE WHEN a THEN 1 ELSE 2 END, CASE a WHEN 1 THEN 'x' END, If(a,b,c), m['k'][1]": (
        "SELECT\n  (CASE WHEN a THEN 1 ELSE 2 END)\n, (CASE a WHEN 1 THEN 'x' END)\n"
        ", IF(a, b, c)\n, m['k'][1]"
    ),
    "SELECT Count(DISTINCT a), a||b||'c', (a+b)*c % 2, now() FROM t": (
        "SELECT\n  Count(DISTINCT a)\n, concat(concat(a, b), 'c')\n, (((a + b) * c) % 2)\n, now()\n"
        "FROM\n  t"
    ),
    "SELECT a IS NOT NULL, a NOT BETWEEN 1 AND 2, a IN (1,2), a LIKE 'x%' ESCAPE '!' FROM t": (
        "SELECT\n  (a IS NOT NULL)\n, (NOT (a BETWEEN 1 AND 2))\n, (a IN (1, 2))\n"
        ", (a LIKE 'x%' ESCAPE '!')\nFROM\n  t"
    ),
    "SELECT cast(a AS TIMESTAMP(3)), timestamp '2020-01-01 00:00:00' FROM t": (
        "SELECT\n  CAST(a AS timestamp(3))\n, TIMESTAMP '2020-01-01 00:00:00'\nFROM\n  t"
    ),
}


@pytest.mark.parametrize("sql", LAID_OUT)
def test_a_query_is_laid_out_as_trino_does(sql: str) -> None:
    assert laid_out(sql) == LAID_OUT[sql]


@pytest.mark.parametrize(
    "sql",
    [
        "WITH q AS (SELECT 1 x) SELECT * FROM q",
        "SELECT 1 UNION ALL SELECT 2",
        "SELECT sum(a) OVER (ORDER BY b) FROM t",
        "SELECT * FROM (SELECT 1) t",
        "SELECT * FROM t CROSS JOIN UNNEST(a) AS u (x)",
        "SELECT filter(a, x -> x > 1) FROM t",
        "SELECT CAST(a AS array(integer)), 1e3 FROM t",
        "SELECT a IS DISTINCT FROM b, EXTRACT(year FROM c) FROM t",
        "SELECT a NOT = b FROM t",
        "SELECT a FROM t GROUP BY ROLLUP (a) OFFSET 2",
        "SELECT ARRAY[1], +a, ? FROM t AS x (y)",
        "SELECT a +",
        "VALUES 1",
    ],
)
def test_other_queries_stay_as_they_are(sql: str) -> None:
    assert laid_out(sql) == sql


def test_show_create_view(world: World) -> None:
    world.run("CREATE TABLE t WITH (external_location='s3://b/t/') AS SELECT 1 AS n, 'x' AS s")
    world.run("CREATE VIEW v AS SELECT n, s AS text FROM db.t WHERE n=1")
    identity = world.athena.start_query_execution(
        QueryString="SHOW CREATE VIEW v", QueryExecutionContext={"Database": "db"}
    )["QueryExecutionId"]
    world.athena.wait(identity, 10)
    rows = world.athena.get_query_results(QueryExecutionId=identity)["ResultSet"]["Rows"]
    assert [row["Data"][0].get("VarCharValue") for row in rows] == [
        *("CREATE VIEW db.v AS", "SELECT", "  n", ", s text", "FROM", "  db.t", "WHERE (n = 1)")
    ]
