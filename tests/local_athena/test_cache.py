"""Translations are reused across dates and tags, never across schemas, and need no sqlglot."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING

from runner.local.athena.lexer import tokenize
from runner.local.athena.shape import shape_of
from runner.local.athena.sqltypes import parse_type

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

SETUP = "CREATE TABLE {} WITH (external_location='s3://b/{}/', partitioned_by=ARRAY['dt']) AS "


def entries(world: World) -> int:
    return len(list((world.root / "cache").iterdir()))


def test_another_date_uses_the_same_translation(world: World) -> None:
    world.run(
        SETUP.format("t", "t") + "SELECT x AS n, '2013-01-0' || CAST(x AS varchar) AS dt "
        "FROM UNNEST(sequence(1, 9)) AS s(x)"
    )
    sql = "SELECT n FROM t WHERE dt BETWEEN '2013-01-0{}' AND '2013-01-0{}' ORDER BY n"
    assert world.rows(sql.format(1, 2)) == [(1,), (2,)]
    before = entries(world)
    assert world.rows(sql.format(4, 5)) == [(4,), (5,)]
    assert entries(world) == before
    assert world.rows(sql.format(4, 4)) == [(4,)]
    assert entries(world) == before + 1  # two equal literals are another shape


def test_another_tag_reads_its_own_table(world: World) -> None:
    for tag, value in (("0a1b2c3d4e5f", 1), ("1b2c3d4e5f6a", 2)):
        world.run(
            f"CREATE TABLE t__{tag} WITH (external_location='s3://b/{tag}/') AS SELECT {value} AS n"
        )
    before = entries(world)
    assert world.rows('SELECT n FROM "db"."t__0a1b2c3d4e5f"') == [(1,)]
    assert world.rows('SELECT n FROM "db"."t__1b2c3d4e5f6a"') == [(2,)]
    assert world.rows("SELECT t__1b2c3d4e5f6a.n FROM t__1b2c3d4e5f6a") == [(2,)]
    assert entries(world) == before + 2


def test_a_changed_schema_is_translated_anew(world: World) -> None:
    world.run("CREATE TABLE t WITH (external_location='s3://b/1/') AS SELECT 7 AS n")
    assert world.rows("SELECT n / 2 FROM t") == [(3,)]
    world.run("DROP TABLE t")
    world.run("CREATE TABLE t WITH (external_location='s3://b/2/') AS SELECT 7e0 AS n")
    assert world.rows("SELECT n / 2 FROM t") == [(3.5,)]


def test_a_changed_view_is_translated_anew(world: World) -> None:
    world.run("CREATE VIEW v AS SELECT 1 AS n")
    assert world.rows("SELECT n FROM v") == [(1,)]
    world.run("CREATE OR REPLACE VIEW v AS SELECT 2 AS n")
    assert world.rows("SELECT n FROM v") == [(2,)]


def test_literals_whose_type_depends_on_their_digits_stay() -> None:
    sql = "SELECT DECIMAL '20130105', '2013-01-05', '2013', 'x'"
    shape = shape_of(sql, tokenize(sql))
    assert shape.text == "SELECT DECIMAL '20130105', 'zq000zq', '2013', 'x'"
    assert shape.fill(shape.text) == sql


CHILD = """
import sys
from decimal import Decimal
from datetime import UTC, datetime
from pathlib import Path
from runner.local.athena import LocalAthena
from runner.local.glue import GlueCatalog
from runner.local.s3 import FolderS3

root = Path(sys.argv[1])
athena = LocalAthena(
    FolderS3(root / "s3"), GlueCatalog(root / "catalog.sqlite"), root / "athena.sqlite",
    results="s3://results/", cache=root / "cache",
)
for sql in sys.argv[2:]:
    athena.run_query_execution(QueryString=sql, QueryExecutionContext={"Database": "db"})
assert "sqlglot" not in sys.modules, "sqlglot was imported"
"""


def test_statements_of_known_shape_do_not_import_sqlglot(world: World) -> None:
    world.run(SETUP.format("t", "t") + "SELECT 1 AS n, '2013-01-01' AS dt")
    sql = "INSERT INTO t (n, dt) SELECT n + 1, '2013-01-0{}' FROM t WHERE dt = '2013-01-01'"
    world.run(sql.format(2))
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(world.root), sql.format(3)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert world.rows("SELECT n, dt FROM t ORDER BY dt") == [
        (1, "2013-01-01"),
        (2, "2013-01-02"),
        (2, "2013-01-03"),
    ]


def test_a_query_is_kept_when_it_has_run(world: World) -> None:
    world.run("CREATE TABLE t WITH (external_location='s3://b/t/') AS SELECT 7 AS n")
    before = entries(world)
    assert world.rows("SELECT n, 'x' AS s, DECIMAL '1.5' AS d FROM t") == [(7, "x", Decimal("1.5"))]
    assert entries(world) == before + 1
    assert world.athena.describe("SELECT n, 'x' AS s, DECIMAL '1.5' AS d FROM t", "db") == (
        ("n", parse_type("integer")),
        ("s", parse_type("varchar")),
        ("d", parse_type("decimal(2,1)")),
    )
    assert entries(world) == before + 1


def test_a_query_that_cannot_be_bound_is_told_with_its_place(world: World) -> None:
    world.run("CREATE TABLE t WITH (external_location='s3://b/t/') AS SELECT 7 AS n")
    before = entries(world)
    reason = world.failure("SELECT n,\n  m FROM t WHERE n > 1")
    assert reason.startswith("COLUMN_NOT_FOUND: line 2:3: Column 'm' cannot be resolved")
    assert entries(world) == before
    assert "DIVISION_BY_ZERO" in world.failure("SELECT n / (n - 7) FROM t")
