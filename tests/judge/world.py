# ruff: noqa: E501 - rows of tables
"""The same tables in both engines, for generated queries."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from runner.local.athena import LocalAthena
from runner.local.glue import GlueCatalog
from runner.local.s3 import FolderS3
from tests.judge.both import DATABASE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.trino import Trino

_ROWS = (
    (
        "1, true, TINYINT '1', SMALLINT '12', 123, BIGINT '1234567890123', REAL '1.5', DOUBLE '2.25', "
        "DECIMAL '12.34', CAST('abc' AS varchar), X'616263', DATE '2020-02-29', "
        "TIMESTAMP '2020-02-29 13:14:15.678', ARRAY[1, 2, 3], CAST(MAP(ARRAY['a', 'b'], ARRAY[1, 2]) AS map(varchar, integer)), "
        "CAST(ROW(1, 'x') AS row(a integer, b varchar))"
    ),
    (
        "2, false, TINYINT '-128', SMALLINT '-32768', -2147483648, BIGINT '-9223372036854775808', "
        "REAL '-0.25', DOUBLE '-1.5E300', DECIMAL '-99999999.99', CAST('' AS varchar), X'', "
        "DATE '1969-12-31', TIMESTAMP '1969-12-31 23:59:59', ARRAY[], MAP(), "
        "CAST(ROW(NULL, NULL) AS row(a integer, b varchar))"
    ),
    "3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
    (
        "4, true, TINYINT '127', SMALLINT '32767', 2147483647, BIGINT '9223372036854775807', "
        "REAL '3.4E38', DOUBLE '1E-7', DECIMAL '99999999.99', CAST('Ünï Çødé  ' AS varchar), X'00FF10', "
        "DATE '9999-12-31', TIMESTAMP '9999-12-31 00:00:00.001', ARRAY[3, NULL, 1, 3], "
        "MAP(ARRAY['k', 'a'], ARRAY[NULL, 7]), CAST(ROW(-5, '') AS row(a integer, b varchar))"
    ),
    (
        "5, false, TINYINT '0', SMALLINT '0', 0, BIGINT '0', REAL '0', DOUBLE '0', DECIMAL '0.00', "
        "CAST('  12 ' AS varchar), X'7F', DATE '2013-01-01', TIMESTAMP '2013-01-01 00:00:00', "
        "ARRAY[NULL], MAP(ARRAY['z'], ARRAY[0]), CAST(ROW(0, 'Zz') AS row(a integer, b varchar))"
    ),
    (
        "6, true, TINYINT '-1', SMALLINT '-7', -7, BIGINT '-7', REAL '1E10', DOUBLE '123456789.125', "
        "DECIMAL '0.05', CAST('abc' AS varchar), X'616263', DATE '2020-02-29', "
        "TIMESTAMP '2020-12-31 23:00:00.5', ARRAY[5, 4], MAP(ARRAY['a'], ARRAY[-1]), "
        "CAST(ROW(1, 'x') AS row(a integer, b varchar))"
    ),
)
COLUMNS = "id, bo, ti, si, i, bi, re, d, de, s, bin, da, ts, ar, m, r"
TABLES = {
    "vals": f"SELECT * FROM (VALUES {', '.join(f'({row})' for row in _ROWS)}) AS t({COLUMNS})",
    "people": (
        "SELECT * FROM (VALUES (1, 'ann', 'north', 10, DOUBLE '1.5', DATE '2020-01-01'), "
        "(2, 'bob', 'south', 20, NULL, DATE '2020-01-02'), "
        "(3, 'cid', 'north', NULL, DOUBLE '2.5', NULL), "
        "(4, NULL, 'east', 10, DOUBLE '-4', DATE '2020-01-02'), "
        "(5, 'eve', NULL, 30, DOUBLE '8', DATE '2020-03-01'), "
        "(6, 'ann', 'north', 20, DOUBLE '1.5', DATE '2020-01-05'), "
        "(7, 'gus', 'south', 5, DOUBLE '0.5', DATE '2019-12-31')) "
        "AS t(id, name, region, score, rate, day)"
    ),
    "orders": (
        "SELECT * FROM (VALUES (100, 1, DECIMAL '9.99', 'new'), (101, 1, DECIMAL '0.01', 'done'), "
        "(102, 2, DECIMAL '20.00', 'done'), (103, 9, DECIMAL '5.00', 'new'), "
        "(104, NULL, DECIMAL '7.50', NULL), (105, 6, NULL, 'new'), (106, 7, DECIMAL '9.99', 'x')) "
        "AS t(id, person, price, state)"
    ),
}


@contextmanager
def local_athena(folder: Path) -> Iterator[LocalAthena]:
    """Give a local Athena of its own with the database of the judge."""
    catalog = GlueCatalog(folder / "catalog.sqlite")
    athena = LocalAthena(
        FolderS3(folder / "s3"),
        catalog,
        folder / "athena.sqlite",
        results="s3://results/",
        decimals="decimal",  # as the Trino beside it has it
    )
    catalog.create_database(DatabaseInput={"Name": DATABASE})
    try:
        yield athena
    finally:
        athena.close()
        catalog.close()


def make_tables(trino: Trino, athena: LocalAthena) -> None:
    """Make the tables in both engines, each by a CTAS of its own."""
    trino.query(f"CREATE SCHEMA IF NOT EXISTS {DATABASE}")
    for name, query in TABLES.items():
        sql = f"CREATE TABLE {name} AS {query}"
        found = trino.query(f"CREATE TABLE IF NOT EXISTS {name} AS {query}")
        if found.error:
            raise RuntimeError(f"Trino: {found.error} {found.message}")
        done = athena.run_query_execution(
            QueryString=sql, QueryExecutionContext={"Database": DATABASE}
        )
        if done["Status"]["State"] != "SUCCEEDED":
            raise RuntimeError(f"local Athena: {done['Status']['StateChangeReason']}")
